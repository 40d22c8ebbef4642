//! An estimate of the memory that a transaction takes in the mempool.

use std::mem::size_of;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, TxIn, TxOut, Txid};

use crate::MempoolEntry;

/// Slots of hash maps are at most seven eighths full, and half of that after growing.
const MAP_SLACK: usize = 2;

/// What the allocator adds to an allocation, about.
const ALLOCATION: usize = 16;

/// The index entries of a transaction: by id, by score, by time, and its node.
const INDEXES: usize = MAP_SLACK * 3 * (size_of::<Txid>() + 3 * size_of::<u64>());

/// Estimated bytes of an entry. It depends on the transaction alone, so that what was added is
/// what is subtracted later: links to parents and children are counted at the inputs.
pub(super) fn entry_usage(transaction: &Transaction) -> usize {
    let inputs: usize = transaction.input.iter().map(input_usage).sum();
    let outputs: usize = transaction
        .output
        .iter()
        .map(|output| size_of::<TxOut>() + ALLOCATION + output.script_pubkey.len())
        .sum();
    size_of::<MempoolEntry>()
        + size_of::<Transaction>()
        + 4 * ALLOCATION
        + INDEXES
        + inputs
        + outputs
}

fn input_usage(input: &TxIn) -> usize {
    let spent_index = MAP_SLACK * (size_of::<OutPoint>() + size_of::<Txid>());
    let links = 2 * MAP_SLACK * size_of::<Txid>();
    // A witness keeps an index of four bytes an item beside the items.
    let witness = input.witness.size() + 4 * input.witness.len() + ALLOCATION;
    size_of::<TxIn>() + ALLOCATION + input.script_sig.len() + witness + spent_index + links
}
