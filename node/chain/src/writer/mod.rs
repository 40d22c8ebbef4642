//! The writer thread: the only one that changes the chain.

mod accept;
mod activate;
mod candidates;
mod control;
mod flush;
mod prune;
mod run;

pub(crate) use run::{Command, Distance, Reply, Writer};
