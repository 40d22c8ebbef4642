//! Where an index stands.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;

use crate::IndexError;

/// Where an index stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexStatus {
    /// Whether it came to the chain's tip once since it was opened; it follows the tip from then on.
    pub synced: bool,
    /// The last block that it has seen; `None` before the genesis block.
    pub best: Option<(Height, BlockHash)>,
    /// The block that it waits for, because the chain does not have it yet.
    pub waiting_for: Option<Height>,
    /// Why it stopped, if it did.
    pub failure: Option<IndexError>,
}

impl IndexStatus {
    /// The status of an index that was just opened.
    pub(crate) fn opened(best: Option<(Height, BlockHash)>) -> Self {
        Self {
            synced: false,
            best,
            waiting_for: None,
            failure: None,
        }
    }

    /// The height of the last block that it has seen; zero before the genesis block, as Bitcoin Core has it.
    #[must_use]
    pub fn best_height(&self) -> Height {
        self.best.map_or(Height::GENESIS, |(height, _)| height)
    }
}
