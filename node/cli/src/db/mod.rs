//! `pyrite db`: looks after the database of a data directory that no node is using.

mod check;
mod command;
mod replay;

pub(crate) use command::{DbCommand, run};
