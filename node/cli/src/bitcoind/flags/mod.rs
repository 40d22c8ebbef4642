//! The one table of all flags that Bitcoin Core 31's `bitcoind` knows, with what becomes of each here. Parsing, the help, and
//! `docs/bitcoind-flags.md` are made from it.

mod connection;
mod debug;
mod flag;
mod general;
mod rpc;
mod table;
mod wallet;

pub(crate) use flag::{Fate, Flag, Group, Scope, Syntax};
pub(crate) use table::{all, find};
