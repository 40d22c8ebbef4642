//! `pyrite bench make-chain`: blocks full of signed payments of every usual kind.

mod chain;
mod command;
mod owner;

pub(crate) use command::{MakeChainArgs, run};
