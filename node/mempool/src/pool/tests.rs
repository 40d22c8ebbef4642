//! The pool against a naive model that recomputes everything at each step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, Txid};

use super::usage::entry_usage;
use super::{NewEntry, Pool};
use crate::MempoolEntry;
use crate::testing::open_transaction;

const OUTPUTS: u32 = 3;

#[derive(Clone, Debug)]
enum Operation {
    /// Add a transaction that spends these outputs, counted among those that are not spent yet.
    Add {
        spends: Vec<usize>,
        fee: u64,
        vsize: u64,
    },
    /// Remove one and its descendants.
    Remove(usize),
    /// Confirm one without parents.
    Confirm(usize),
    /// Evict the cheapest package.
    Evict,
}

fn operation() -> impl Strategy<Value = Operation> {
    let add = (
        prop::collection::vec(any::<usize>(), 0..4),
        1..1_000u64,
        60..400u64,
    )
        .prop_map(|(spends, fee, vsize)| Operation::Add { spends, fee, vsize });
    prop_oneof![
        6 => add,
        1 => any::<usize>().prop_map(Operation::Remove),
        1 => any::<usize>().prop_map(Operation::Confirm),
        1 => Just(Operation::Evict),
    ]
}

struct ModelEntry {
    tx: Transaction,
    fee: u64,
    vsize: u64,
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<Txid, ModelEntry>,
    count: u64,
}

impl Model {
    fn parents(&self, txid: &Txid) -> BTreeSet<Txid> {
        let inputs = self.entries[txid].tx.input.iter();
        let parents = inputs.map(|input| input.previous_output.txid);
        parents
            .filter(|parent| self.entries.contains_key(parent))
            .collect()
    }

    fn ancestors(&self, txid: &Txid) -> BTreeSet<Txid> {
        let mut all = BTreeSet::from([*txid]);
        for parent in self.parents(txid) {
            all.extend(self.ancestors(&parent));
        }
        all
    }

    fn descendants(&self, txid: &Txid) -> BTreeSet<Txid> {
        self.entries
            .keys()
            .filter(|other| self.ancestors(other).contains(txid))
            .copied()
            .collect()
    }

    fn totals(&self, txids: &BTreeSet<Txid>) -> (u64, u64, Amount) {
        let entries = || txids.iter().map(|txid| &self.entries[txid]);
        let fees = entries().map(|entry| entry.fee).sum();
        (
            txids.len() as u64,
            entries().map(|entry| entry.vsize).sum(),
            Amount::from_sat(fees),
        )
    }

    fn unspent(&self) -> Vec<OutPoint> {
        let spent: HashSet<OutPoint> = self
            .entries
            .values()
            .flat_map(|entry| entry.tx.input.iter().map(|input| input.previous_output))
            .collect();
        let outputs = |txid: &Txid| {
            let txid = *txid;
            (0..OUTPUTS).map(move |vout| OutPoint { txid, vout })
        };
        self.entries
            .keys()
            .flat_map(outputs)
            .filter(|outpoint| !spent.contains(outpoint))
            .collect()
    }

    fn pick(&self, index: usize) -> Option<Txid> {
        let count = self.entries.len();
        (count > 0).then(|| *self.entries.keys().nth(index % count).unwrap())
    }

    /// The highest of an entry's own rate and its package's, in millionths.
    fn score(&self, txid: &Txid) -> u128 {
        let (_, size, fees) = self.totals(&self.descendants(txid));
        let entry = &self.entries[txid];
        let rate = |fee: u64, size: u64| u128::from(fee) * 1_000_000_000_000 / u128::from(size);
        rate(entry.fee, entry.vsize).max(rate(fees.to_sat(), size))
    }
}

fn apply(operation: Operation, model: &mut Model, pool: &mut Pool) -> Result<(), TestCaseError> {
    match operation {
        Operation::Add { spends, fee, vsize } => add(&spends, fee, vsize, model, pool),
        Operation::Remove(index) => {
            let Some(txid) = model.pick(index) else {
                return Ok(());
            };
            let expected = model.descendants(&txid);
            let removed = pool.remove_with_descendants(&txid);
            expect_removed(&removed, &expected, model)?;
        }
        Operation::Confirm(index) => {
            let roots: Vec<Txid> = model
                .entries
                .keys()
                .filter(|txid| model.parents(txid).is_empty())
                .copied()
                .collect();
            let Some(txid) = roots.get(index % roots.len().max(1)) else {
                return Ok(());
            };
            prop_assert_eq!(
                pool.remove_confirmed(txid).map(|entry| entry.txid),
                Some(*txid)
            );
            model.entries.remove(txid);
        }
        Operation::Evict => {
            let lowest = model.entries.keys().map(|txid| model.score(txid)).min();
            let Some((fees, size, removed)) = pool.evict_lowest() else {
                prop_assert_eq!(lowest, None);
                return Ok(());
            };
            let root = removed.last().unwrap().txid;
            prop_assert_eq!(Some(model.score(&root)), lowest);
            let expected = model.descendants(&root);
            prop_assert_eq!((removed.len() as u64, size, fees), model.totals(&expected));
            expect_removed(&removed, &expected, model)?;
        }
    }
    Ok(())
}

fn add(spends: &[usize], fee: u64, vsize: u64, model: &mut Model, pool: &mut Pool) {
    model.count += 1;
    // A coin of its own makes each transaction differ from all others.
    let fresh = OutPoint {
        txid: Txid::hash(&model.count.to_le_bytes()),
        vout: 0,
    };
    let mut inputs = vec![fresh];
    let unspent = model.unspent();
    for index in spends {
        let Some(outpoint) = unspent.get(index % unspent.len().max(1)) else {
            continue;
        };
        if !inputs.contains(outpoint) {
            inputs.push(*outpoint);
        }
    }
    let tx = open_transaction(&inputs, &[1_000; OUTPUTS as usize]);
    let txid = tx.compute_txid();
    pool.insert(NewEntry {
        tx: Arc::new(tx.clone()),
        txid,
        wtxid: tx.compute_wtxid(),
        fee: Amount::from_sat(fee),
        weight: 4 * vsize,
        vsize,
        sigop_cost: 0,
        time: model.count,
        height: Height(1),
        sequence: model.count,
    });
    model.entries.insert(txid, ModelEntry { tx, fee, vsize });
}

fn expect_removed(
    removed: &[Arc<MempoolEntry>],
    expected: &BTreeSet<Txid>,
    model: &mut Model,
) -> Result<(), TestCaseError> {
    let txids: BTreeSet<Txid> = removed.iter().map(|entry| entry.txid).collect();
    prop_assert_eq!(&txids, expected);
    for txid in expected {
        model.entries.remove(txid);
    }
    Ok(())
}

fn expect_same(model: &Model, pool: &Pool) -> Result<(), TestCaseError> {
    prop_assert_eq!(pool.len(), model.entries.len());
    let all: BTreeSet<Txid> = model.entries.keys().copied().collect();
    let (_, vsize, fees) = model.totals(&all);
    prop_assert_eq!((pool.vsize(), pool.fees()), (vsize, fees));
    let usage: usize = model
        .entries
        .values()
        .map(|entry| entry_usage(&entry.tx))
        .sum();
    prop_assert_eq!(pool.usage(), usage);
    for (txid, expected) in &model.entries {
        let entry = pool.get(txid).unwrap();
        let ancestors = (
            entry.ancestor_count,
            entry.ancestor_size,
            entry.ancestor_fees,
        );
        prop_assert_eq!(ancestors, model.totals(&model.ancestors(txid)));
        let descendants = (
            entry.descendant_count,
            entry.descendant_size,
            entry.descendant_fees,
        );
        prop_assert_eq!(descendants, model.totals(&model.descendants(txid)));
        let depends: BTreeSet<Txid> = entry.depends.iter().copied().collect();
        prop_assert_eq!(depends.len(), entry.depends.len());
        prop_assert_eq!(depends, model.parents(txid));
        for child in &entry.spent_by {
            prop_assert!(model.parents(child).contains(txid));
        }
        for input in &expected.tx.input {
            prop_assert_eq!(pool.spender(&input.previous_output), Some(*txid));
        }
    }
    for outpoint in model.unspent() {
        prop_assert_eq!(pool.spender(&outpoint), None);
    }
    expect_sorted(pool)
}

fn expect_sorted(pool: &Pool) -> Result<(), TestCaseError> {
    let mut seen = HashSet::new();
    for entry in pool.sorted() {
        prop_assert!(entry.depends.iter().all(|parent| seen.contains(parent)));
        seen.insert(entry.txid);
    }
    prop_assert_eq!(seen.len(), pool.len());
    Ok(())
}

proptest! {
    // 40 runs of 50 operations on average: 2,000.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_pool_is_what_a_naive_model_is(operations in prop::collection::vec(operation(), 30..70)) {
        let mut model = Model::default();
        let mut pool = Pool::default();
        for operation in operations {
            apply(operation, &mut model, &mut pool)?;
            expect_same(&model, &pool)?;
        }
    }
}

#[test]
fn the_oldest_come_first_to_expire() {
    let mut model = Model::default();
    let mut pool = Pool::default();
    add(&[], 1, 100, &mut model, &mut pool);
    add(&[], 1, 100, &mut model, &mut pool);
    let first = pool.oldest_before(2).unwrap();
    assert_eq!(pool.get(&first).unwrap().time, 1);
    assert_eq!(pool.oldest_before(1), None);
    pool.remove_with_descendants(&first);
    assert_eq!(pool.oldest_before(2), None);
    assert!(pool.oldest_before(3).is_some());
}

#[test]
fn a_well_paying_child_protects_its_parent() {
    let mut model = Model::default();
    let mut pool = Pool::default();
    add(&[], 10, 100, &mut model, &mut pool);
    let parent = model.pick(0).unwrap();
    add(&[0], 900, 100, &mut model, &mut pool);
    add(&[], 50, 100, &mut model, &mut pool);
    let (fees, size, removed) = pool.evict_lowest().unwrap();
    assert_eq!((fees, size, removed.len()), (Amount::from_sat(50), 100, 1));
    assert!(pool.contains(&parent));
}
