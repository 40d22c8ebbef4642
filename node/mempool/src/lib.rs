//! Pyrite's mempool: transactions that wait for a block.
//!
//! `cluster` puts transactions that spend each other into the best order. `pool` is the plain data structure, `policy` what
//! this node relays, `admission` puts these and the consensus rules in order: which transaction may enter, alone or in a
//! package, and what it may replace. All of them are pure. `handle` adds the chain and the locks, `submit` and `package` take
//! transactions, `follow` keeps the pool in step with the best chain, and `file` keeps it over a restart. `fees` learns from all of it
//! what transactions have to pay. `orphans` keeps what peers gave too early.

mod admission;
mod changes;
pub mod cluster;
mod config;
mod entry;
mod error;
mod fee_rate;
mod fees;
mod file;
mod file_error;
mod follow;
mod front;
mod handle;
mod orphans;
mod package;
mod package_error;
mod policy;
mod pool;
mod rolling_fee;
mod state;
mod submit;

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod testing;

pub use changes::{Changes, MempoolChange, MempoolEvent, MempoolEvents, RemovalReason};
pub use config::{FeeFallback, MempoolConfig};
pub use entry::{
    Accepted, BestChunks, EffectiveFee, EntryDetails, MempoolChunk, MempoolEntry, MempoolInfo,
    MempoolSnapshot, Prioritised, Totals,
};
pub use error::{
    Evicts, Lineage, MempoolError, NonStandard, ReplacementError, TrucViolation, TxName,
};
pub use fee_rate::FeeRate;
pub use fees::{
    BucketRange, EstimateMode, EstimatesError, FeeEstimator, FeeHorizon, FeeReason, RawEstimate,
    SavedEstimates, SmartEstimate,
};
pub use file::{ImportOptions, MempoolFile, Persistence, Restored, SaveOutcome};
pub use file_error::MempoolFileError;
pub use front::ChunkFront;
pub use handle::MempoolHandle;
pub use orphans::{KeptOrphan, Orphan, OrphanLimits, OrphanPool, Orphanage, PeerNumber, Refusals};
pub use package::{PackageMember, PackageOutcome, PackageTest};
pub use package_error::{PackageError, PackageReplacementError};
pub use pool::ClusterLimits;
pub use submit::SubmitOptions;
