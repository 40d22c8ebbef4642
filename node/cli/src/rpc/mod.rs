//! `pyrite rpc` and `pyrite rpcauth`: the client on the command line, and the lines that users of JSON-RPC have.

mod command;
mod rpcauth;
mod table;

pub(crate) use command::{RpcArgs, run, with_bitcoin_flags};
pub(crate) use rpcauth::{RpcAuthArgs, run as run_rpcauth};
