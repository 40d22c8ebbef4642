//! The plain data structure: entries, who spends what, clusters kept in their best order, and the orders
//! in which entries are mined, evicted and expire. It knows no rule, no clock and no chain.
//!
//! A cluster is a set of transactions that are linked by spending, over any number of steps. Every change goes one way:
//! [`stage`] works out which clusters there would be, without changing anything, so that rules can look at the
//! outcome; [`Pool::apply`] makes it so.

mod chunk_index;
mod chunk_journal;
mod graph;
mod locks;
mod relations;
mod stage;
mod usage;

#[cfg(test)]
mod tests;

pub(crate) use chunk_index::ChunkKey;
pub(crate) use graph::{NewEntry, Pool, Slot, modified_fee};
pub(crate) use locks::ValidSince;
pub(crate) use relations::Family;
pub use stage::ClusterLimits;
pub(crate) use stage::{Addition, Links, Staged};
#[cfg(test)]
pub(crate) use usage::entry_usage;
