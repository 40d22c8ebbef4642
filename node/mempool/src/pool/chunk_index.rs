//! The order of all chunks: the best first. Blocks are built from its front, and eviction takes its back.

use std::cmp::Ordering;

use crate::cluster::FeeWeight;

/// A cluster's place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClusterId(pub(super) usize);

/// The place of a chunk among all. Chunks of one cluster stay in their order, so that parents come before
/// children; between clusters of equal rate the older one comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkKey {
    pub(crate) rate: FeeWeight,
    /// The lowest sequence number in the cluster, which no other cluster has.
    pub(super) oldest: u64,
    /// Which of the cluster's chunks it is.
    pub(super) index: usize,
}

impl Ord for ChunkKey {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .rate
            .cmp_rate(&self.rate)
            .then_with(|| self.oldest.cmp(&other.oldest))
            .then_with(|| self.index.cmp(&other.index))
    }
}

impl PartialOrd for ChunkKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ChunkKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ChunkKey {}
