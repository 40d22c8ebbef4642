//! The chain: a tree of all known headers, the best chain in it, and its coins.
//!
//! One writer thread takes commands from `ChainHandle`, one at a time, and is the only one that
//! changes the database. `ChainReader` answers questions from any thread. Whoever follows the chain
//! keeps the last hash that it saw and asks for the `path` from there to the tip.

mod block_cache;
mod chain;
mod clock;
mod coins;
mod error;
mod handle;
mod info;
mod load;
mod proposal;
mod pruning;
mod reader;
mod rebuild;
mod scripts;
mod shared;
mod snapshot;
mod tree;
mod verify;
mod writer;

pub use chain::{Chain, ChainConfig};
pub use clock::Clock;
pub use coins::{CoinScan, ScanEnd};
pub use error::{ChainError, SnapshotError, SubmitError};
pub use handle::{ChainHandle, Pending, Submitted};
pub use info::{
    BackgroundValidation, BlockStatus, ChainPath, ChainTip, CoinsAt, HeaderInfo, Tip, TipStatus,
};
pub use pruning::{MIN_BLOCKS_TO_KEEP, PruneGuard, PruneMode};
pub use reader::ChainReader;
pub use rebuild::rebuild_coins;
pub use scripts::ScriptVerifier;
pub use shared::MAX_BLOCKS_AHEAD;
pub use snapshot::{FormatError, LoadChecks, SnapshotDump, SnapshotHead, SnapshotLoad};
pub use tree::BranchView;
pub use verify::{Verification, VerifyLevel, VerifyOptions, check_files};
