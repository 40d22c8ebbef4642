//! The last few blocks that were stored or read, decoded.
//!
//! A new block is read by the writer, the mempool, the wallet and the relay within milliseconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyrite_consensus::HashedBlock;
use pyrite_consensus::bitcoin::BlockHash;

/// At most this many blocks…
const MAX_BLOCKS: usize = 32;
/// …of at most so many bytes together, as they are sent. Decoded they take two or three times as many.
const MAX_BYTES: usize = 8 << 20;

struct Entry {
    hash: BlockHash,
    block: Arc<HashedBlock>,
    bytes: usize,
}

/// A bounded cache; the block that came first goes first.
#[derive(Default)]
pub(crate) struct BlockCache(Mutex<VecDeque<Entry>>);

impl BlockCache {
    pub(crate) fn get(&self, hash: &BlockHash) -> Option<Arc<HashedBlock>> {
        let entries = self.lock();
        entries
            .iter()
            .find(|entry| entry.hash == *hash)
            .map(|entry| Arc::clone(&entry.block))
    }

    pub(crate) fn insert(&self, hash: BlockHash, block: &Arc<HashedBlock>) {
        let bytes = block.total_size();
        let mut entries = self.lock();
        if entries.iter().any(|entry| entry.hash == hash) {
            return;
        }
        entries.push_back(Entry {
            hash,
            block: Arc::clone(block),
            bytes,
        });
        let mut total: usize = entries.iter().map(|entry| entry.bytes).sum();
        while entries.len() > MAX_BLOCKS || (total > MAX_BYTES && entries.len() > 1) {
            total -= entries.pop_front().map_or(0, |entry| entry.bytes);
        }
    }

    pub(crate) fn remove(&self, hash: &BlockHash) {
        self.lock().retain(|entry| entry.hash != *hash);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        // The entries are whole at every instant, so a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
