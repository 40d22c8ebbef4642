//! Fuzz targets: bytes from outside through Bitcoin's decoders into the rules, and spends through the script
//! engine and Bitcoin Core's.
//!
//! As tests they run for a second each; `make fuzz` runs them longer.

#[path = "../big_target/mod.rs"]
mod big_target;
mod block;
mod chain;
mod header;
mod script;
mod spec;
mod spend;
mod transaction;
