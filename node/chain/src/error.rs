//! What can go wrong: with the machine, or with what was submitted. The two are never mixed up.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::coin_stats::CoinSetHash;
use pyrite_consensus::{BlockError, HeaderError, Height};
use pyrite_storage::StorageError;

use crate::snapshot::FormatError;

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
    /// A snapshot that the chain had begun with turned out to be wrong.
    #[error(
        "the snapshot that the chain began with is wrong: {detail}. Its coins are set aside; the next start goes on \
         from the blocks that were validated"
    )]
    InvalidSnapshot {
        /// What is wrong.
        detail: String,
    },
    /// The chain began with a snapshot that the spec does not know.
    #[error(
        "the database began with the coins of block {base}, which the chain spec does not list in assume_utxo"
    )]
    UnknownSnapshot {
        /// The snapshot's block.
        base: BlockHash,
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
    /// The chain began with a file of coins, and can't go below its block before it is validated.
    #[error(
        "block {0} is not above the snapshot that the chain began with; before the background validation has ended \
         the chain can't go below it"
    )]
    BelowSnapshot(BlockHash),
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
            | Self::BelowSnapshot(_)
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
            | Self::BelowSnapshot(_)
            | Self::Genesis
            | Self::Pruned(_)
            | Self::Stopped
            | Self::Machine(_) => false,
        }
    }
}

/// Why a file of coins was not written or taken. Those that say what is wrong with a file or with the chain have
/// Bitcoin Core's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// No such block is known.
    #[error("block {0} is not known")]
    UnknownBlock(BlockHash),
    /// The block is not in the best chain.
    #[error("block {0} is not in the best chain")]
    NotInBestChain(BlockHash),
    /// The chain can't be rolled back so far: a block's body or undo data is not there.
    #[error("the body or the undo data of block {hash} at height {height} is not there")]
    MissingData {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: u32,
    },
    /// The file can't be written.
    #[error("the file can't be written: {0}")]
    Write(String),
    /// The file can't be read.
    #[error("the file can't be read: {0}")]
    Read(String),
    /// Another file of coins is being loaded, or an earlier block's coins are being written.
    #[error("another snapshot is being loaded or written")]
    Busy,
    /// The caller wanted it to end.
    #[error("Aborting after an interrupt was requested")]
    Interrupted,
    /// The file's head is wrong, or another chain's.
    #[error(transparent)]
    Head(FormatError),
    /// The chain began with a snapshot, and the blocks below it are not validated yet.
    #[error("Can't activate a snapshot-based chainstate more than once")]
    AlreadyActive,
    /// The chain spec does not list the block.
    #[error(
        "assumeutxo block hash in snapshot metadata not recognized (hash: {hash}). The following snapshot heights are \
         available: {heights}"
    )]
    UnknownBase {
        /// The file's block.
        hash: BlockHash,
        /// The heights of the blocks that are listed.
        heights: String,
    },
    /// The block's header is not known.
    #[error(
        "The base block header ({0}) must appear in the headers chain. Make sure all headers are syncing, and call \
         loadtxoutset again"
    )]
    HeaderMissing(BlockHash),
    /// The block is invalid, or follows an invalid one.
    #[error("The base block header ({0}) is part of an invalid chain")]
    InvalidChain(BlockHash),
    /// The block is not in the header chain with the most work.
    #[error(
        "A forked headers-chain with more work than the chain with the snapshot base block header exists. Please \
         proceed to sync without AssumeUtxo"
    )]
    ForkedHeaders,
    /// The block has another height than the spec says.
    #[error("block {hash} has height {height}, the chain spec says {expected}")]
    Height {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// What the spec says.
        expected: Height,
    },
    /// There are unconfirmed transactions.
    #[error("Can't activate a snapshot when mempool not empty")]
    MempoolNotEmpty,
    /// The best chain has at least as much work.
    #[error("Work does not exceed active chainstate")]
    NotMoreWork,
    /// A transaction has more coins than the head leaves.
    #[error("Mismatch in coins count in snapshot metadata and actual snapshot data")]
    CoinCount,
    /// What follows so many coins is no coin.
    #[error("Bad snapshot format or truncated snapshot after deserializing {0} coins")]
    Truncated(u64),
    /// What follows so many coins is a coin from above the block.
    #[error("Bad snapshot data after deserializing {0} coins")]
    BadCoin(u64),
    /// What follows so many coins has an impossible value.
    #[error("Bad snapshot data after deserializing {0} coins - bad tx out value")]
    BadValue(u64),
    /// There are bytes after the last coin.
    #[error("Bad snapshot - coins left over after deserializing {0} coins")]
    LeftOver(u64),
    /// The coins are not those that the spec says.
    #[error("Bad snapshot content hash: expected {expected}, got {found}")]
    ContentHash {
        /// What the spec says.
        expected: CoinSetHash,
        /// The coins' hash.
        found: CoinSetHash,
    },
    /// The chain is shut down.
    #[error("the chain is shut down")]
    Stopped,
    /// The machine failed.
    #[error(transparent)]
    Machine(ChainError),
}

impl From<ChainError> for SnapshotError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Closed => Self::Stopped,
            error => Self::Machine(error),
        }
    }
}

impl From<SubmitError> for SnapshotError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Machine(error) => error.into(),
            // Nothing else comes of what is asked here.
            _ => Self::Stopped,
        }
    }
}
