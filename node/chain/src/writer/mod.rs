//! The writer thread: the only one that changes the chain.

mod accept;
mod activate;
mod background;
mod candidates;
mod control;
mod flush;
mod prune;
mod run;
mod snapshot;

pub(crate) use run::{Command, Distance, Reply, Writer};
