//! What peers gave that can't be taken yet: transactions that wait for their parents, and those that were refused. All of it is
//! pure: the time is an argument, and nothing is random.

mod orphanage;
mod pool;
mod recent;
mod refusals;

pub use orphanage::{KeptOrphan, Orphan, OrphanLimits, Orphanage, PeerNumber};
pub use pool::OrphanPool;
pub use refusals::Refusals;
