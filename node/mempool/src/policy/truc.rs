//! Topologically restricted transactions: version 3 (BIP-0431). One parent at most, one child at
//! most, and small, so that replacing them is cheap to reason about.

use std::collections::BTreeSet;

use pyrite_consensus::bitcoin::{Transaction, Txid};

use crate::pool::{Family, Pool, Slot};
use crate::{Lineage, MempoolEntry, TrucViolation, TxName};

/// The version with these rules.
const TRUC_VERSION: i32 = 3;

/// The most virtual bytes of one.
const MAX_VSIZE: u64 = 10_000;

/// The most virtual bytes of one with an unconfirmed parent.
const MAX_CHILD_VSIZE: u64 = 1_000;

/// The most transactions among one and its unconfirmed ancestors.
const ANCESTOR_LIMIT: usize = 2;

/// The most transactions among one and its unconfirmed descendants.
const DESCENDANT_LIMIT: usize = 2;

/// A transaction that is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) tx: &'a Transaction,
    pub(crate) name: TxName,
    pub(crate) vsize: u64,
}

impl Judged<'_> {
    fn is_truc(&self) -> bool {
        is_truc(self.tx)
    }
}

/// A violation, and the only other child of the parent, which could give way (sibling eviction).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SingleViolation {
    pub(crate) violation: TrucViolation,
    pub(crate) sibling: Option<Slot>,
}

impl From<TrucViolation> for SingleViolation {
    fn from(violation: TrucViolation) -> Self {
        Self {
            violation,
            sibling: None,
        }
    }
}

/// Checks a transaction beside those of the pool; `conflicts` are those that spend the same coins.
pub(crate) fn check_truc(
    tx: Judged<'_>,
    pool: &Pool,
    parents: &[Slot],
    conflicts: &BTreeSet<Slot>,
) -> Result<(), SingleViolation> {
    for parent in parents {
        let parent = pool.entry(*parent);
        check_inheritance(tx, &parent.tx, name_of(parent))?;
    }
    if !tx.is_truc() {
        return Ok(());
    }
    check_size(tx)?;
    if parents.len() + 1 > ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors(tx.name).into());
    }
    let Some(parent) = parents.first() else {
        return Ok(());
    };
    check_parent_has_none(tx, pool, *parent, 0)?;
    check_child_size(tx)?;
    check_only_child(pool, *parent, conflicts)
}

/// Checks a transaction of a package beside the others and those of the pool. `parents` are its parents in the pool.
pub(crate) fn check_truc_in_package(
    tx: Judged<'_>,
    pool: &Pool,
    parents: &[Slot],
    package: &[Judged<'_>],
) -> Result<(), TrucViolation> {
    let spends = |child: &Transaction, txid: &Txid| {
        let mut inputs = child.input.iter();
        inputs.any(|input| input.previous_output.txid == *txid)
    };
    let siblings_of = |txid: Txid| {
        package
            .iter()
            .filter(move |other| other.name != tx.name && spends(other.tx, &txid))
    };
    let in_package: Vec<&Judged<'_>> = package
        .iter()
        .filter(|other| spends(tx.tx, &other.name.txid))
        .collect();
    for parent in parents {
        let parent = pool.entry(*parent);
        check_inheritance(tx, &parent.tx, name_of(parent))?;
    }
    for parent in &in_package {
        check_inheritance(tx, parent.tx, parent.name)?;
    }
    if !tx.is_truc() {
        return Ok(());
    }
    check_size(tx)?;
    if parents.len() + in_package.len() + 1 > ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors(tx.name));
    }
    if let Some(parent) = parents.first() {
        check_parent_has_none(tx, pool, *parent, in_package.len())?;
    }
    let parent = match (parents.first(), in_package.first()) {
        (Some(parent), _) => name_of(pool.entry(*parent)),
        (None, Some(parent)) => parent.name,
        (None, None) => return Ok(()),
    };
    check_child_size(tx)?;
    if siblings_of(parent.txid).next().is_some() {
        return Err(TrucViolation::TooManyDescendants(parent));
    }
    if let Some(grandchild) = siblings_of(tx.name.txid).next() {
        return Err(TrucViolation::TooManyAncestors(grandchild.name));
    }
    match parents.first() {
        Some(slot) if !pool.children(*slot).is_empty() => {
            Err(TrucViolation::TooManyDescendants(parent))
        }
        _ => Ok(()),
    }
}

fn is_truc(transaction: &Transaction) -> bool {
    transaction.version.0 == TRUC_VERSION
}

fn name_of(entry: &MempoolEntry) -> TxName {
    TxName {
        txid: entry.txid,
        wtxid: entry.wtxid,
    }
}

fn check_inheritance(
    tx: Judged<'_>,
    parent: &Transaction,
    name: TxName,
) -> Result<(), TrucViolation> {
    let lineage = || {
        Box::new(Lineage {
            child: tx.name,
            parent: name,
        })
    };
    match (tx.is_truc(), is_truc(parent)) {
        (true, false) => Err(TrucViolation::ParentOfOtherVersion(lineage())),
        (false, true) => Err(TrucViolation::ChildOfOtherVersion(lineage())),
        _ => Ok(()),
    }
}

fn check_size(tx: Judged<'_>) -> Result<(), TrucViolation> {
    if tx.vsize > MAX_VSIZE {
        return Err(TrucViolation::TooBig {
            tx: tx.name,
            vsize: tx.vsize,
            max: MAX_VSIZE,
        });
    }
    Ok(())
}

fn check_child_size(tx: Judged<'_>) -> Result<(), TrucViolation> {
    if tx.vsize > MAX_CHILD_VSIZE {
        return Err(TrucViolation::ChildTooBig {
            tx: tx.name,
            vsize: tx.vsize,
            max: MAX_CHILD_VSIZE,
        });
    }
    Ok(())
}

/// Checks that the parent has no ancestors; `more` are parents elsewhere.
fn check_parent_has_none(
    tx: Judged<'_>,
    pool: &Pool,
    parent: Slot,
    more: usize,
) -> Result<(), TrucViolation> {
    let ancestors = pool.with_family([parent], Family::Ancestors).len();
    if ancestors + more + 1 > ANCESTOR_LIMIT {
        return Err(TrucViolation::TooManyAncestors(tx.name));
    }
    Ok(())
}

/// Checks that the parent has no other child. A reorganisation may have left it several.
fn check_only_child(
    pool: &Pool,
    parent: Slot,
    conflicts: &BTreeSet<Slot>,
) -> Result<(), SingleViolation> {
    let mut descendants = pool.with_family([parent], Family::Descendants);
    let count = descendants.len();
    descendants.remove(&parent);
    let gives_way = descendants.iter().any(|child| conflicts.contains(child));
    if count < DESCENDANT_LIMIT || gives_way {
        return Ok(());
    }
    let sibling = descendants.first().copied().filter(|sibling| {
        let ancestors = pool.with_family([*sibling], Family::Ancestors).len();
        count == DESCENDANT_LIMIT && ancestors == ANCESTOR_LIMIT
    });
    Err(SingleViolation {
        violation: TrucViolation::TooManyDescendants(name_of(pool.entry(parent))),
        sibling,
    })
}
