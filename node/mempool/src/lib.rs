//! Pyrite's mempool: transactions that wait for a block.
//!
//! `pool` is the plain data structure, `policy` what this node relays, `replacement` when a
//! transaction may take the place of others, and `admission` puts these and the consensus rules in
//! order. All of them are pure. `handle` adds the chain, the locks and the script checks, and
//! `follow` keeps the pool in step with the best chain.

mod admission;
mod best_chunks;
mod changes;
mod config;
mod entry;
mod error;
mod fee_rate;
mod follow;
mod handle;
mod limits;
mod package;
mod policy;
mod pool;
mod rebuild;
mod replacement;
mod rolling_fee;
mod state;

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod testing;

pub use best_chunks::{BestChunks, BlockChunk};
pub use changes::{Changes, RemovalReason};
pub use config::{ChainLimits, MempoolConfig};
pub use entry::{Accepted, MempoolEntry, MempoolInfo, MempoolSnapshot};
pub use error::{
    ChainLimit, MempoolError, NonStandard, PackageError, ReplacementError, TrucViolation,
};
pub use fee_rate::FeeRate;
pub use handle::MempoolHandle;
pub use package::PackageOutcome;
