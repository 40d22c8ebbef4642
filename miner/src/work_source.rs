//! Where the miner gets its work and brings its blocks; the node implements it.

use std::sync::Arc;

use pyrite_consensus::bitcoin::{Block, Script, ScriptBuf};
use tokio::sync::watch;

use crate::{Finder, Template, TemplateOptions, WorkError};

/// Gives out block templates and takes solved blocks.
pub trait WorkSource: Send + Sync + 'static {
    /// The newest template to mine on, `None` while there is none or nobody to pay.
    ///
    /// There is a new one within milliseconds of each new tip, at first without transactions, and, at a limited rate,
    /// when the mempool changes.
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>>;

    /// The newest template whoever it pays, for those that make a coinbase of their own. As
    /// [`templates`](Self::templates) otherwise.
    fn published(&self) -> watch::Receiver<Option<Arc<Template>>>;

    /// The template that was published last if it is on the tip and has the mempool's transactions, otherwise a new
    /// one. Whom it pays is not said. Blocks when it has to be built.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    fn current(&self) -> Result<Arc<Template>, WorkError>;

    /// A template on the current tip, with the mempool's transactions as they are now, that pays to `payout`. Blocks.
    ///
    /// # Errors
    /// When there is no tip to build on, the node is stopping, or the machine failed.
    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError>;

    /// Sets where the templates of [`WorkSource::templates`] pay to.
    fn set_payout(&self, payout: ScriptBuf);

    /// Where the templates of [`WorkSource::templates`] pay to, or will once there is one.
    fn payout(&self) -> Option<ScriptBuf> {
        let templates = self.templates();
        let template = templates.borrow();
        template.as_ref().map(|template| template.payout.clone())
    }

    /// What templates are built with.
    fn options(&self) -> TemplateOptions;

    /// Submits a solved block by the same door as a peer's block. Blocks until the verdict is
    /// durable: not for the async runtime.
    ///
    /// # Errors
    /// [`WorkError::Stale`] when the block is valid without becoming the tip, another variant when
    /// it was refused or could not be judged.
    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError>;

    /// Writes a block that was found here into the accounts of mining, where they are kept. It comes before the
    /// submission, and blocks until it is durable. Accounts that can't be written are no reason to lose a block.
    fn record(&self, _block: &Block, _finder: Finder<'_>) {}

    /// Records a block that was found here, and submits it.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    fn submit_found(&self, block: Arc<Block>, finder: Finder<'_>) -> Result<(), WorkError> {
        self.record(&block, finder);
        self.submit(block)
    }
}
