//! What the benchmarks of a running node share: coins to spend, the node as a process, connections to it, and
//! figures of what was seen.

mod coins;
mod connection;
mod latency;
mod node;
mod process;

pub(super) use coins::{CoinsOfOneOwner, Payer};
pub(super) use connection::{Answer, Connection, Endpoint, post};
pub(super) use latency::Latencies;
pub(super) use node::BenchNode;
pub(super) use process::{Process, memory};
