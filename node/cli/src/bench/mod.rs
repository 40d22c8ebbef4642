//! `pyrite bench`: measures this program on this machine.

mod command;
mod import;
mod make_chain;
mod mine;

pub(crate) use command::{BenchCommand, run};
