//! One header in the tree.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{BlockHash, Work};
use pyrite_storage::{HeaderFlags, HeaderRecord};

use crate::info::{BlockStatus, HeaderInfo, Tip};

/// A header's place in the tree: its number in the order of arrival. A parent's is always smaller
/// than its children's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The genesis block.
    pub(crate) const ROOT: Self = Self(0);

    pub(crate) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 headers fit in memory"))
    }

    pub(crate) fn index(self) -> usize {
        usize::try_from(self.0).expect("usize has at least 32 bits")
    }
}

/// A header and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) hash: BlockHash,
    pub(crate) header: Header,
    pub(crate) height: Height,
    /// The root is its own parent.
    pub(crate) parent: NodeId,
    /// An ancestor further up; see `BlockTree::ancestor`. The root is its own.
    pub(crate) jump: NodeId,
    pub(crate) work: Work,
    pub(crate) median_time_past: u32,
    pub(crate) sequence: i64,
    /// Zero until the body is stored.
    pub(crate) tx_count: u32,
    /// Known once the bodies of the block and of all its ancestors are stored.
    pub(crate) chain_tx_count: Option<u64>,
    pub(crate) flags: HeaderFlags,
    /// Whether an ancestor carries the flag `failed`.
    pub(crate) follows_failed: bool,
}

impl Node {
    /// Whether the body was stored, and so is not asked for any more; it may have been pruned since.
    pub(crate) fn has_body(&self) -> bool {
        self.tx_count > 0
    }

    /// Whether the body can be read: it was stored, and not pruned since.
    pub(crate) fn is_stored(&self) -> bool {
        self.has_body() && !self.flags.pruned
    }

    /// Whether it could be connected as far as bodies go: none is missing down to the root.
    pub(crate) fn is_complete(&self) -> bool {
        self.chain_tx_count.is_some()
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.flags.failed || self.follows_failed
    }

    pub(crate) fn status(&self) -> BlockStatus {
        if self.is_failed() {
            BlockStatus::Invalid
        } else if self.flags.connected {
            BlockStatus::Valid
        } else if self.has_body() {
            BlockStatus::Stored
        } else {
            BlockStatus::HeaderOnly
        }
    }

    pub(crate) fn info(&self) -> HeaderInfo {
        HeaderInfo {
            hash: self.hash,
            height: self.height,
            header: self.header,
            work: self.work,
            median_time_past: self.median_time_past,
            status: self.status(),
            tx_count: self.has_body().then_some(self.tx_count),
            chain_tx_count: self.chain_tx_count,
            is_pruned: self.flags.pruned,
        }
    }

    pub(crate) fn tip(&self) -> Tip {
        Tip {
            hash: self.hash,
            height: self.height,
            header: self.header,
            work: self.work,
            median_time_past: self.median_time_past,
        }
    }

    /// What the database keeps of it; `id` is its place.
    pub(crate) fn record(&self, id: NodeId) -> HeaderRecord {
        HeaderRecord {
            header: self.header,
            height: self.height,
            arrival: u64::from(id.0),
            sequence: self.sequence,
            tx_count: self.tx_count,
            flags: self.flags,
        }
    }
}
