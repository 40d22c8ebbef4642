//! The methods, one trait for each family, and what `help` says of them. No logic.

pub(crate) mod addresses;
pub(crate) mod block_filters;
pub(crate) mod blockchain;
pub(crate) mod chain_control;
pub(crate) mod chain_stats;
pub(crate) mod chain_wait;
pub(crate) mod coin_set;
pub(crate) mod control;
pub(crate) mod fees;
pub(crate) mod generate;
pub(crate) mod indexes;
pub(crate) mod mempool;
pub(crate) mod mempool_file;
pub(crate) mod mining;
pub(crate) mod network;
pub(crate) mod orphans;
pub(crate) mod packages;
pub(crate) mod priority;
pub(crate) mod rawtransactions;
pub(crate) mod snapshot;
pub(crate) mod spenders;
pub(crate) mod tx_out_proof;
pub(crate) mod util;
pub(crate) mod wallet;
pub(crate) mod zmq;
