//! Several nodes in one process, on loopback and ephemeral ports, over a chain in memory.

// A failed expectation of a test's helper is a failed test.
#![allow(clippy::unwrap_used)]

mod adversary;
mod gossip;
mod peers;
mod support;
mod sync;
