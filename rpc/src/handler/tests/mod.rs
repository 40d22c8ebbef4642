//! Tests of the methods over a real chain, mempool, wallet and miner, on regtest.

mod chain_control;
mod chain_stats;
mod chain_wait;
mod coin_search;
mod coin_set;
mod fees;
mod fuzz;
mod generate;
mod gone_clients;
mod harness;
mod indexes;
mod mempool;
mod orphans;
mod pruning;
mod render_ahead;
mod scenarios;
mod snapshot;
mod subscriptions;
mod templates;
