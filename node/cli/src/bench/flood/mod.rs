//! `pyrite bench flood`: a node whose mempool is at its bound, under payments without an end, while another client
//! asks it this and that.

mod command;
mod figures;
mod lanes;
mod miner;
mod probe;
mod shared;
mod worker;

pub(crate) use command::{FloodArgs, run};
