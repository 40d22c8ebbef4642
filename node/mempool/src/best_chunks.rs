//! The chunks that a block is made of: transactions that are mined together, those that pay best first.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{BlockHash, Txid};

use crate::{MempoolEntry, MempoolHandle};

/// What a unit of sigop cost weighs at least (Bitcoin Core's `-bytespersigop`).
const WEIGHT_PER_SIGOP: u64 = 20;

/// How much more than asked for is given out, so that what does not fit can be skipped: one part in so many.
const SPARE_PART: u64 = 8;

/// The best part of the mempool, for the block after `tip`.
#[derive(Clone, Debug)]
pub struct BestChunks {
    /// The block on which these transactions are valid.
    pub tip: BlockHash,
    /// The mempool's sequence number.
    pub sequence: u64,
    /// Chunks by falling fee rate. Whatever a chunk's transactions spend is in it, in one before it or confirmed.
    pub chunks: Vec<BlockChunk>,
}

/// Transactions that are mined together.
#[derive(Clone, Debug)]
pub struct BlockChunk {
    /// Their fees, as the operator has modified them, in satoshi.
    pub fee: i64,
    /// Their weight, sigop-adjusted.
    pub weight: u64,
    /// The transactions, parents before their children.
    pub entries: Vec<Arc<MempoolEntry>>,
}

impl MempoolHandle {
    /// The chunks that pay best, as many as fill `max_weight` and some to spare.
    #[must_use]
    pub fn best_chunks(&self, max_weight: u64) -> BestChunks {
        let snapshot = self.snapshot();
        let wanted = max_weight.saturating_add(max_weight / SPARE_PART);
        BestChunks {
            tip: snapshot.tip,
            sequence: snapshot.sequence,
            chunks: best_of(&snapshot.entries, wanted),
        }
    }
}

fn best_of(entries: &[Arc<MempoolEntry>], wanted: u64) -> Vec<BlockChunk> {
    let by_txid: HashMap<Txid, &Arc<MempoolEntry>> =
        entries.iter().map(|entry| (entry.txid, entry)).collect();
    let mut order: Vec<&Arc<MempoolEntry>> = entries.iter().collect();
    order.sort_by(|a, b| compare_ancestor_rates(b, a));
    let mut placed = HashSet::new();
    let (mut chunks, mut weight) = (Vec::new(), 0);
    for entry in order {
        if weight >= wanted {
            break;
        }
        let members = with_missing_ancestors(entry, &by_txid, &mut placed);
        if members.is_empty() {
            continue;
        }
        let chunk = chunk(members);
        weight += chunk.weight;
        chunks.push(chunk);
    }
    chunks
}

fn compare_ancestor_rates(a: &MempoolEntry, b: &MempoolEntry) -> Ordering {
    let rate = |entry: &MempoolEntry| {
        let fee = i64::try_from(entry.ancestor_fees.to_sat()).unwrap_or(i64::MAX);
        (fee, entry.ancestor_size)
    };
    // Of equals the one with fewer ancestors, so that parents come before their children.
    compare_rates(rate(a), rate(b)).then_with(|| b.ancestor_count.cmp(&a.ancestor_count))
}

fn compare_rates(a: (i64, u64), b: (i64, u64)) -> Ordering {
    (i128::from(a.0) * i128::from(b.1)).cmp(&(i128::from(b.0) * i128::from(a.1)))
}

fn with_missing_ancestors(
    entry: &Arc<MempoolEntry>,
    by_txid: &HashMap<Txid, &Arc<MempoolEntry>>,
    placed: &mut HashSet<Txid>,
) -> Vec<Arc<MempoolEntry>> {
    let mut members = Vec::new();
    let mut waiting = vec![entry];
    while let Some(entry) = waiting.pop() {
        if placed.insert(entry.txid) {
            members.push(Arc::clone(entry));
            waiting.extend(entry.depends.iter().filter_map(|txid| by_txid.get(txid)));
        }
    }
    // A child has more ancestors than each of its parents.
    members.sort_by_key(|entry| entry.ancestor_count);
    members
}

fn chunk(entries: Vec<Arc<MempoolEntry>>) -> BlockChunk {
    let fee = |entry: &Arc<MempoolEntry>| i64::try_from(entry.fee.to_sat()).unwrap_or(i64::MAX);
    let adjusted = |entry: &Arc<MempoolEntry>| {
        entry
            .weight
            .max(entry.sigop_cost.saturating_mul(WEIGHT_PER_SIGOP))
    };
    BlockChunk {
        fee: entries.iter().map(fee).sum(),
        weight: entries.iter().map(adjusted).sum(),
        entries,
    }
}
