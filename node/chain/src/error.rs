//! What can go wrong: with the machine, or with what was submitted. The two are never mixed up.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::{BlockError, HeaderError, Height};
use pyrite_storage::StorageError;

/// A failure of the machine: disk, database, thread. Says nothing about any block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database's parts contradict each other.
    #[error("the database is inconsistent: {detail}")]
    Corrupt {
        /// What contradicts what.
        detail: String,
    },
    /// A thread could not be started.
    #[error("a thread can't be started: {detail}")]
    Thread {
        /// What the system said.
        detail: String,
    },
    /// The writer thread ended by a panic.
    #[error("the chain's writer thread ended by a panic")]
    WriterPanicked,
    /// A reorganisation needs blocks that were pruned.
    #[error(
        "the chain with the most work, which block {best} ends, forks off below height {height}, and block \
         {hash} there was pruned: start with --reindex to download the chain anew"
    )]
    PrunedReorganisation {
        /// The block whose body is gone.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// The last block of the chain with the most work.
        best: BlockHash,
    },
    /// Something needs all blocks, and some were pruned.
    #[error(
        "blocks were pruned: only --reindex, which downloads them again, can rebuild the chain's state"
    )]
    Pruned,
    /// The chain was shut down.
    #[error("the chain is shut down")]
    Closed,
}

impl ChainError {
    /// Whether what is stored is damaged: it must be built anew.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. } | Self::Storage(StorageError::Corrupt { .. })
        )
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt {
            detail: detail.into(),
        }
    }
}

/// Why a command to the chain was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The header breaks a rule.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The block breaks a rule.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The parent's header is not known.
    #[error("the parent {0} is not known")]
    UnknownParent(BlockHash),
    /// The parent, or a block before it, is invalid.
    #[error("the parent {0} is invalid or follows an invalid block")]
    InvalidParent(BlockHash),
    /// The block was found invalid before, or was invalidated by hand.
    #[error("block {0} is known to be invalid")]
    KnownInvalid(BlockHash),
    /// No such block is known.
    #[error("block {0} is not known")]
    UnknownBlock(BlockHash),
    /// The parent's body is missing, and the block is too far above the tip to be kept until it comes.
    #[error("block {hash} at height {height} is too far above the tip at height {tip}")]
    TooFarAhead {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// The tip's height.
        tip: Height,
    },
    /// A proposal does not build on the tip.
    #[error("the proposal builds on {parent}, the tip is {tip}")]
    NotOnTip {
        /// The proposal's parent.
        parent: BlockHash,
        /// The tip.
        tip: BlockHash,
    },
    /// The genesis block can't be invalidated.
    #[error("the genesis block can't be invalidated")]
    Genesis,
    /// The best chain can't be left at this block, because blocks above it were pruned.
    #[error("block {0} can't be disconnected: blocks from there to the tip were pruned")]
    Pruned(BlockHash),
    /// The chain is shut down.
    #[error("the chain is shut down")]
    Stopped,
    /// The machine failed; the chain takes no more commands.
    #[error(transparent)]
    Machine(#[from] ChainError),
}

impl SubmitError {
    /// A failure of the machine, or that the chain is shut down.
    pub(crate) fn of_machine(error: ChainError) -> Self {
        match error {
            ChainError::Closed => Self::Stopped,
            error => Self::Machine(error),
        }
    }

    /// Bitcoin's reject reason for what was submitted, such as `bad-cb-amount`. `None` where nothing
    /// was judged: the machine failed, or the command named an unknown block.
    #[must_use]
    pub fn reject_reason(&self) -> Option<&'static str> {
        match self {
            Self::Header(error) => Some(error.reject_reason()),
            Self::Block(error) => Some(error.reject_reason()),
            Self::UnknownParent(_) => Some("prev-blk-not-found"),
            Self::InvalidParent(_) => Some("bad-prevblk"),
            Self::KnownInvalid(_) => Some("duplicate-invalid"),
            Self::TooFarAhead { .. } => Some("too-far-ahead"),
            Self::NotOnTip { .. } => Some("inconclusive-not-best-prevblk"),
            Self::UnknownBlock(_)
            | Self::Genesis
            | Self::Pruned(_)
            | Self::Stopped
            | Self::Machine(_) => None,
        }
    }

    /// Whether a peer that sent this deserves blame. A time in the future does not (clocks differ),
    /// nor does building on what we hold for invalid: it may have been invalidated by hand, here.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        match self {
            Self::Header(error) | Self::Block(BlockError::Header(error)) => {
                !matches!(error, HeaderError::TimeTooNew { .. })
            }
            Self::Block(_) => true,
            Self::UnknownParent(_)
            | Self::InvalidParent(_)
            | Self::KnownInvalid(_)
            | Self::UnknownBlock(_)
            | Self::TooFarAhead { .. }
            | Self::NotOnTip { .. }
            | Self::Genesis
            | Self::Pruned(_)
            | Self::Stopped
            | Self::Machine(_) => false,
        }
    }
}
