//! `pyrite bench rpc`: how many calls a second a node answers, and what subscribers cost.

mod beside;
mod command;
mod full_blocks;
mod generator;
mod node;

pub(crate) use command::{RpcBenchArgs, run};
