//! What the mempool tells about a transaction, and about itself.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, BlockHash, Transaction, Txid, Wtxid};

use crate::FeeRate;
use crate::cluster::FeeWeight;

/// A transaction in the mempool: what does not change while it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolEntry {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// What it pays.
    pub fee: Amount,
    /// BIP-0141 weight.
    pub weight: u64,
    /// Weight with a minimum for each sigop: what chunks and clusters are measured in.
    pub adjusted_weight: u64,
    /// Virtual bytes, sigop-adjusted: 20 bytes at least for each sigop.
    pub vsize: u64,
    /// BIP-0141 sigop cost.
    pub sigop_cost: u64,
    /// When it came, in Unix seconds.
    pub time: u64,
    /// The tip's height when it came.
    pub height: Height,
    /// The mempool's sequence number when it came.
    pub sequence: u64,
}

/// A number of transactions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub count: u64,
    /// Their virtual bytes.
    pub vsize: u64,
    /// Their fees with what the operator added, in satoshis.
    pub fees: i64,
}

/// A transaction in the mempool with its relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDetails {
    /// The transaction.
    pub entry: Arc<MempoolEntry>,
    /// Its fee with what the operator added (`prioritisetransaction`), in satoshis.
    pub modified_fee: i64,
    /// Parents in the mempool, in the order of the inputs.
    pub depends: Vec<Txid>,
    /// Children in the mempool, in the order in which they came.
    pub spent_by: Vec<Txid>,
    /// Whether it or an ancestor signals BIP-0125.
    pub replaceable: bool,
    /// The transaction and its ancestors.
    pub ancestors: Totals,
    /// The transaction and its descendants.
    pub descendants: Totals,
    /// The chunk that it is mined in.
    pub chunk: FeeWeight,
}

/// A chunk of a cluster: transactions that are mined together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolChunk {
    /// Fees with what the operator added, and weight.
    pub rate: FeeWeight,
    /// Its transactions, parents before their children.
    pub entries: Vec<Arc<MempoolEntry>>,
    /// Whether it is one transaction that spends nothing in the mempool, and that nothing there spends.
    pub is_alone: bool,
}

/// The best of the mempool for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BestChunks {
    /// The block on which these transactions are valid.
    pub tip: BlockHash,
    /// The mempool's sequence number.
    pub sequence: u64,
    /// The best chunks first; parents' chunks come before those of their children.
    pub chunks: Vec<MempoolChunk>,
}

/// What a transaction pays where it is judged with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveFee {
    /// Fees with what the operator added, in satoshis.
    pub fee: i64,
    /// Virtual bytes.
    pub vsize: u64,
    /// Whose.
    pub includes: Vec<Wtxid>,
}

/// A transaction that was, or would be, accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// What it pays.
    pub fee: Amount,
    /// Virtual bytes, sigop-adjusted.
    pub vsize: u64,
    /// What it was judged by: its own fee, or that of its package.
    pub effective: EffectiveFee,
    /// The transactions that it replaces, their descendants included, parents first.
    pub replaced: Vec<Txid>,
}

/// The whole mempool at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolSnapshot {
    /// The block on which these transactions are valid.
    pub tip: BlockHash,
    /// The mempool's sequence number.
    pub sequence: u64,
    /// All entries in the order in which they are mined; so parents come before their children.
    pub entries: Vec<Arc<MempoolEntry>>,
}

/// A transaction whose fee the operator changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prioritised {
    /// Its id.
    pub txid: Txid,
    /// What was added to its fee, in satoshis.
    pub delta: i64,
    /// Its fee with that, in satoshis, if it is in the mempool.
    pub modified_fee: Option<i64>,
}

/// The mempool in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolInfo {
    /// Transactions.
    pub size: usize,
    /// Sum of their virtual bytes.
    pub bytes: u64,
    /// Estimated memory, in bytes.
    pub usage: usize,
    /// Sum of their fees.
    pub total_fee: Amount,
    /// Bound on `usage`.
    pub max_bytes: usize,
    /// What a transaction must pay now: the higher of the relay minimum and the minimum that
    /// evictions left.
    pub min_fee: FeeRate,
    /// The relay minimum.
    pub min_relay_fee: FeeRate,
    /// What a replacement must add.
    pub incremental_relay_fee: FeeRate,
    /// The mempool's sequence number.
    pub sequence: u64,
}
