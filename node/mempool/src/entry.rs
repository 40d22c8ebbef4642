//! What the mempool tells about a transaction, and about itself.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, BlockHash, Transaction, Txid, Wtxid};

use crate::FeeRate;

/// A transaction in the mempool.
///
/// Ancestor and descendant figures include the transaction itself, as in `getmempoolentry`.
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
    /// Parents in the mempool, in the order of the inputs.
    pub depends: Vec<Txid>,
    /// Children in the mempool, in the order in which they came.
    pub spent_by: Vec<Txid>,
    /// Transactions among it and its ancestors.
    pub ancestor_count: u64,
    /// Their virtual bytes.
    pub ancestor_size: u64,
    /// Their fees.
    pub ancestor_fees: Amount,
    /// Transactions among it and its descendants.
    pub descendant_count: u64,
    /// Their virtual bytes.
    pub descendant_size: u64,
    /// Their fees.
    pub descendant_fees: Amount,
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
    /// The transactions that it replaces, their descendants included.
    pub replaced: Vec<Txid>,
}

/// The whole mempool at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolSnapshot {
    /// The block on which these transactions are valid.
    pub tip: BlockHash,
    /// The mempool's sequence number.
    pub sequence: u64,
    /// All entries, parents before their children.
    pub entries: Vec<Arc<MempoolEntry>>,
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
