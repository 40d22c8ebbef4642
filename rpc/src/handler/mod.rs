//! The logic of the methods, one file for each family, over one [`Handler`].

mod addresses;
mod bans;
mod block_filters;
mod block_search;
mod blockchain;
mod chain_control;
mod chain_stats;
mod chain_wait;
mod coin_search;
mod coin_set;
mod control;
mod fees;
mod generate;
mod indexes;
mod long_work;
mod mempool;
mod mempool_file;
mod mining;
mod mining_settings;
mod network;
mod orphans;
mod packages;
mod place;
mod priority;
mod rawtransactions;
mod render_ahead;
mod snapshot;
mod spenders;
mod state;
mod template;
mod template_request;
#[cfg(test)]
mod tests;
mod tx_out_proof;
mod util;
mod wallet;
mod wallet_json;
mod zmq;

pub(crate) use state::{Handler, methods};
