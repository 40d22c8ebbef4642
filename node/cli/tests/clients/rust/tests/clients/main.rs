//! Client libraries of bitcoind, unchanged, against nodes in drop-in mode.

mod bdk;
mod bitcoincore_rpc;
mod corepc_async;
mod corepc_client;
mod corepc_node;
mod history;
mod strict_types;
