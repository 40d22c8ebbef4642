//! `pyrite bench make-chain`: blocks full of signed payments of every usual kind.

mod chain;
mod command;

pub(crate) use command::{MakeChainArgs, run};
