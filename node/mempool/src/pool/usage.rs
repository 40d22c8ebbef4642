//! An estimate of the memory that a transaction takes in the mempool.

use std::mem::size_of;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, TxIn, TxOut, Txid};

use super::graph::{Cluster, Node, Slot};
use crate::MempoolEntry;
use crate::cluster::FeeWeight;

/// Slots of hash maps are at most seven eighths full, and half of that after growing; so are slabs.
const MAP_SLACK: usize = 2;

/// What the allocator adds to an allocation, about.
const ALLOCATION: usize = 16;

/// What the process holds for each byte that is allocated: entries come and go in no order and leave holes. Measured in a
/// flood of payments, with the mempool at its bound.
const HELD_PER_ALLOCATED: (usize, usize) = (6, 5);

/// The index entries of a transaction: by id, by time, and its chunk's. Nodes of trees are two thirds full, about.
const INDEXES: usize = MAP_SLACK * (size_of::<Txid>() + size_of::<Slot>())
    + 2 * (size_of::<u64>() + size_of::<Slot>())
    + 2 * (size_of::<FeeWeight>() + 4 * size_of::<u64>());

/// A cluster of its own, as most have.
const CLUSTER: usize = MAP_SLACK * size_of::<Cluster>()
    + size_of::<Slot>()
    + size_of::<(usize, FeeWeight)>()
    + 2 * ALLOCATION;

/// Estimated bytes of an entry. It depends on the transaction alone, so that what was added is
/// what is subtracted later: links to parents and children are counted at the inputs.
pub(crate) fn entry_usage(transaction: &Transaction) -> usize {
    let inputs: usize = transaction.input.iter().map(input_usage).sum();
    let outputs: usize = transaction
        .output
        .iter()
        .map(|output| size_of::<TxOut>() + ALLOCATION + output.script_pubkey.len())
        .sum();
    let allocated = size_of::<MempoolEntry>()
        + MAP_SLACK * size_of::<Node>()
        + size_of::<Transaction>()
        + 4 * ALLOCATION
        + INDEXES
        + CLUSTER
        + inputs
        + outputs;
    let (held, of) = HELD_PER_ALLOCATED;
    allocated * held / of
}

fn input_usage(input: &TxIn) -> usize {
    let spent_index = MAP_SLACK * (size_of::<OutPoint>() + size_of::<Slot>());
    let links = 2 * MAP_SLACK * size_of::<Slot>();
    // A witness keeps an index of four bytes an item beside the items.
    let witness = input.witness.size() + 4 * input.witness.len() + ALLOCATION;
    size_of::<TxIn>() + ALLOCATION + input.script_sig.len() + witness + spent_index + links
}
