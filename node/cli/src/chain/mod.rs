//! `pyrite chain`: the built-in chains, specs as text, new specs, and how their difficulty behaves.

mod check;
mod command;
mod new;
mod simulate;

pub(crate) use command::{ChainCommand, run};
