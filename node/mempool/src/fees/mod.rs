//! Fee estimates: how much transactions paid and how soon blocks took them, and what follows for the
//! next ones. Pure but for `query`, where the mempool's handle answers.

mod buckets;
mod codec;
mod error;
mod estimator;
mod follow;
mod horizon;
mod next_blocks;
mod query;
mod search;
mod smart;
mod stats;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use codec::SavedEstimates;
pub use error::EstimatesError;
pub use estimator::{FeeEstimator, RawEstimate};
pub(crate) use follow::{FeeEvent, FeeFollower, SyncState};
pub use horizon::FeeHorizon;
pub use search::BucketRange;
pub use smart::{EstimateMode, FeeReason, SmartEstimate};
