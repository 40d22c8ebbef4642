//! What was refused at the present tip, so that it costs nothing when it comes again; and refused transactions that a child may
//! still pay for, kept whole.
//!
//! Bitcoin Core keeps only the ids of the latter and asks for the transaction again. Here peers push transactions, and a message that
//! was seen is not sent again, so that the transaction itself is kept: a child that pays for it needs no round trip. What had to
//! make room is asked for by the child's need of it, as any parent is.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::{Transaction, Txid, Wtxid};

use super::recent::Recent;

/// Refused transactions that are remembered: 4 MB of ids at most.
const MAX_REFUSED: usize = 32_768;
/// Packages that are remembered.
const MAX_PACKAGES: usize = 8_192;
/// Weight of the parents that are kept: ten of the largest, thousands of usual ones.
const MAX_PARENT_WEIGHT: u64 = 4_000_000;
/// How many parents are kept.
const MAX_PARENTS: usize = 4_096;

/// A transaction that pays too little by itself.
#[derive(Debug)]
struct Parent {
    tx: Arc<Transaction>,
    wtxid: Wtxid,
    weight: u64,
}

/// What was refused at the present tip. It is emptied when the tip moves.
#[derive(Debug)]
pub struct Refusals {
    refused: Recent<Wtxid>,
    packages: Recent<(Wtxid, Wtxid)>,
    parents: HashMap<Txid, Parent>,
    /// The parents, oldest first.
    order: VecDeque<Txid>,
    parent_weight: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            refused: Recent::new(MAX_REFUSED),
            packages: Recent::new(MAX_PACKAGES),
            parents: HashMap::new(),
            order: VecDeque::new(),
            parent_weight: 0,
        }
    }
}

impl Refusals {
    /// Nothing is refused any more: the tip moved.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A transaction was refused, whoever pays for it.
    pub fn refuse(&mut self, wtxid: Wtxid) {
        self.refused.insert(wtxid);
    }

    /// Whether this transaction was refused.
    #[must_use]
    pub fn is_refused(&self, wtxid: &Wtxid) -> bool {
        self.refused.contains(wtxid)
    }

    /// Whether every transaction of this id is refused. That is known of those without a witness alone: with another witness
    /// another one may be valid.
    #[must_use]
    pub fn is_refused_for_good(&self, txid: &Txid) -> bool {
        self.refused
            .contains(&Wtxid::from_byte_array(txid.to_byte_array()))
    }

    /// Keeps a transaction that pays too little by itself; the oldest make room.
    pub fn keep_parent(&mut self, tx: Arc<Transaction>) {
        let (txid, weight) = (tx.compute_txid(), tx.weight().to_wu());
        if weight > MAX_PARENT_WEIGHT {
            return;
        }
        self.drop_parent(&txid);
        while self.parents.len() >= MAX_PARENTS || self.parent_weight + weight > MAX_PARENT_WEIGHT {
            let Some(oldest) = self.order.front().copied() else {
                break;
            };
            self.drop_parent(&oldest);
        }
        let wtxid = tx.compute_wtxid();
        self.parent_weight += weight;
        self.order.push_back(txid);
        self.parents.insert(txid, Parent { tx, wtxid, weight });
    }

    /// Forgets a parent: it was taken, or is refused for another reason.
    pub fn drop_parent(&mut self, txid: &Txid) {
        if let Some(parent) = self.parents.remove(txid) {
            self.parent_weight -= parent.weight;
            self.order.retain(|other| other != txid);
        }
    }

    /// A transaction that pays too little by itself.
    #[must_use]
    pub fn parent(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self.parents.get(txid).map(|parent| Arc::clone(&parent.tx))
    }

    /// Whether this very transaction is known to pay too little by itself.
    #[must_use]
    pub fn is_parent(&self, txid: &Txid, wtxid: &Wtxid) -> bool {
        self.parents
            .get(txid)
            .is_some_and(|parent| parent.wtxid == *wtxid)
    }

    /// A parent and a child were refused together.
    pub fn refuse_package(&mut self, parent: Wtxid, child: Wtxid) {
        self.packages.insert((parent, child));
    }

    /// Whether a parent and a child were refused together.
    #[must_use]
    pub fn is_package_refused(&self, parent: Wtxid, child: Wtxid) -> bool {
        self.packages.contains(&(parent, child))
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::OutPoint;

    use super::*;
    use crate::testing::open_transaction;

    fn transaction(value: u64, outputs: usize) -> Arc<Transaction> {
        Arc::new(open_transaction(&[OutPoint::null()], &vec![value; outputs]))
    }

    #[test]
    fn refused_transactions_are_known_until_the_tip_moves() {
        let mut refusals = Refusals::default();
        let tx = transaction(1, 1);
        let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
        refusals.refuse(wtxid);
        refusals.refuse_package(wtxid, wtxid);
        assert!(refusals.is_refused(&wtxid) && refusals.is_package_refused(wtxid, wtxid));
        assert!(refusals.is_refused_for_good(&txid), "it has no witness");
        refusals.keep_parent(Arc::clone(&tx));
        assert!(refusals.is_parent(&txid, &wtxid));
        refusals.clear();
        assert!(!refusals.is_refused(&wtxid) && !refusals.is_package_refused(wtxid, wtxid));
        assert_eq!(refusals.parent(&txid), None);
    }

    #[test]
    fn a_refused_witness_says_nothing_of_another() {
        let mut refusals = Refusals::default();
        let mut tx = open_transaction(&[OutPoint::null()], &[1]);
        tx.input[0].witness.push([1]);
        refusals.refuse(tx.compute_wtxid());
        assert!(!refusals.is_refused_for_good(&tx.compute_txid()));
    }

    #[test]
    fn parents_are_bounded_by_weight_and_number() {
        let mut refusals = Refusals::default();
        for value in 0..200 {
            refusals.keep_parent(transaction(value, 1_000));
            assert!(refusals.parent_weight <= MAX_PARENT_WEIGHT);
        }
        assert_eq!(refusals.parent(&transaction(0, 1_000).compute_txid()), None);
        let last = transaction(199, 1_000);
        assert_eq!(refusals.parent(&last.compute_txid()), Some(last));
        let weight: u64 = refusals.parents.values().map(|parent| parent.weight).sum();
        assert_eq!(refusals.parent_weight, weight);
        for value in 0..10_000 {
            refusals.keep_parent(transaction(value, 1));
        }
        assert_eq!(refusals.parents.len(), MAX_PARENTS);
        assert_eq!(refusals.order.len(), MAX_PARENTS);
    }
}
