//! Clusters: transactions that spend each other, and the best order to mine them in.
//!
//! A cluster is linearized: put into an order that parents come first in, and cut into *chunks*, runs of
//! transactions that are mined together because the later ones pay for the earlier. Chunks follow each other by
//! falling fee rate. An order is as good as its *diagram*: the fees that its first so many chunks bring, over
//! their weight. [`linearize`] finds the order whose diagram is nowhere below that of any other.
//!
//! Everything here is pure, exact and deterministic: there is no search that is cut off, and the result depends on
//! the graph alone.

mod components;
mod diagram;
mod fee_weight;
mod flow;
mod graph;
mod linearize;

#[cfg(test)]
mod tests;

pub use diagram::{chunk_order, compare_diagrams};
pub use fee_weight::FeeWeight;
pub use graph::{DependencyGraph, MAX_CLUSTER_COUNT, positions};
pub use linearize::{Chunk, linearize};
