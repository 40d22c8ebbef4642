//! Why an index can't go on or answer.

use pyrite_chain::ChainError;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::StorageError;

use crate::IndexKind;

/// A failure of an index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Its own database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The chain's.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What it holds contradicts itself or the chain.
    #[error(
        "the index is inconsistent: {detail}; stop the node and delete its folder, it is built again"
    )]
    Inconsistent {
        /// What contradicts what.
        detail: String,
    },
    /// A block that it has not seen is no longer stored.
    #[error(
        "block {hash} at height {height}, which {index} has not seen, was pruned: get the blocks again with \
         --reindex, or switch {index} off"
    )]
    Pruned {
        /// The index.
        index: IndexKind,
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// It differs from a fresh build.
    #[error("{index} differs from a fresh build in its table `{table}`")]
    Differs {
        /// The index.
        index: IndexKind,
        /// The first table that differs.
        table: &'static str,
    },
    /// A comparison needs a block that is not stored.
    #[error("{index} can't be built: block {hash} at height {height} is not stored")]
    MissingBlock {
        /// The index.
        index: IndexKind,
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// A place to go on from that no answer gave.
    #[error("not a place where an answer ended")]
    BadCursor,
    /// Its thread can't be started.
    #[error("a thread can't be started: {detail}")]
    Thread {
        /// What the system said.
        detail: String,
    },
    /// Its thread ended by a panic.
    #[error("the thread of {index} ended by a panic")]
    Panicked {
        /// The index.
        index: IndexKind,
    },
    /// It can't be opened.
    #[error("{index}: {source}")]
    Open {
        /// The index.
        index: IndexKind,
        /// The reason.
        source: Box<IndexError>,
    },
    /// The index is off.
    #[error("{index} is off")]
    Off {
        /// The index.
        index: IndexKind,
    },
    /// The indexes were closed.
    #[error("the indexes are closed")]
    Closed,
}

impl IndexError {
    pub(crate) fn inconsistent(detail: impl Into<String>) -> Self {
        Self::Inconsistent {
            detail: detail.into(),
        }
    }
}
