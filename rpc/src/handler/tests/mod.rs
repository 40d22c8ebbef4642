//! Tests of the methods over a real chain, mempool, wallet and miner, on regtest.

mod chain_control;
mod chain_stats;
mod chain_wait;
mod coin_search;
mod coin_set;
mod descriptors;
mod fees;
mod fuzz;
mod generate;
mod gone_clients;
mod harness;
mod indexes;
mod mempool;
mod mempool_at_tip;
mod orphans;
mod pruning;
mod psbt;
mod raw_create;
mod render_ahead;
mod rest;
mod scenarios;
mod signing;
mod snapshot;
mod subscriptions;
mod templates;
mod test_aids;
