//! `pyrite bench`: measures this program on this machine.

mod block;
mod command;
mod flood;
mod import;
mod load;
mod make_chain;
mod mempool;
mod mine;
mod opencl;
mod owner;
mod rpc;
mod template;

pub(crate) use command::{BenchCommand, run};
