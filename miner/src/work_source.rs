//! Where the miner gets its work and brings its blocks; the node implements it.

use std::sync::Arc;

use pyrite_consensus::bitcoin::{Block, Script, ScriptBuf};
use tokio::sync::watch;

use crate::{Template, WorkError};

/// Gives out block templates and takes solved blocks.
pub trait WorkSource: Send + Sync + 'static {
    /// The newest template, `None` while there is nothing to mine on.
    ///
    /// There is a new one within milliseconds of each new tip, and, at a limited rate, when the
    /// mempool changes.
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>>;

    /// Builds a template on the current tip that pays to `payout`.
    ///
    /// # Errors
    /// When there is no tip to build on, the node is stopping, or the machine failed.
    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError>;

    /// Sets where the templates of [`WorkSource::templates`] pay to.
    fn set_payout(&self, payout: ScriptBuf);

    /// Submits a solved block by the same door as a peer's block. Blocks until the verdict is
    /// durable: not for the async runtime.
    ///
    /// # Errors
    /// [`WorkError::Stale`] when the block is valid without becoming the tip, another variant when
    /// it was refused or could not be judged.
    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError>;
}
