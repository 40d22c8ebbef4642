//! Synchronisation: tips, headers first, then blocks from several peers; mempools and peers' peers.

mod exchange;
mod scheduler;
mod task;

pub(crate) use exchange::Net;
pub(crate) use task::{Hint, SyncTask};
