//! Topologically restricted transactions: version 3 (BIP-0431). One parent at most, one child at
//! most, and small, so that replacing them is cheap to reason about.

use std::collections::{BTreeSet, HashSet};

use pyrite_consensus::bitcoin::{Transaction, Txid};

use crate::pool::Pool;
use crate::{MempoolEntry, TrucViolation};

/// The version with these rules.
const TRUC_VERSION: i32 = 3;

/// The most virtual bytes of one.
const MAX_VSIZE: u64 = 10_000;

/// The most virtual bytes of one with an unconfirmed parent.
const MAX_CHILD_VSIZE: u64 = 1_000;

/// Checks `transaction`, whose parents in `pool` are `parents`; `evicted` are those that it replaces.
pub(crate) fn check_truc(
    transaction: &Transaction,
    vsize: u64,
    pool: &Pool,
    parents: &BTreeSet<Txid>,
    evicted: &HashSet<Txid>,
) -> Result<(), TrucViolation> {
    let is_truc = transaction.version.0 == TRUC_VERSION;
    for entry in parents.iter().filter_map(|parent| pool.get(parent)) {
        check_inheritance(is_truc, entry)?;
    }
    if !is_truc {
        return Ok(());
    }
    let max = if parents.is_empty() {
        MAX_VSIZE
    } else {
        MAX_CHILD_VSIZE
    };
    if vsize > max {
        return Err(TrucViolation::TooBig { vsize, max });
    }
    if parents.len() > 1 {
        return Err(TrucViolation::TooManyAncestors);
    }
    match parents.first().and_then(|parent| pool.get(parent)) {
        Some(parent) => check_parent(parent, evicted),
        None => Ok(()),
    }
}

fn check_inheritance(is_truc: bool, parent: &MempoolEntry) -> Result<(), TrucViolation> {
    match (is_truc, parent.tx.version.0 == TRUC_VERSION) {
        (true, false) => Err(TrucViolation::ParentOfOtherVersion {
            parent: parent.txid,
        }),
        (false, true) => Err(TrucViolation::ChildOfOtherVersion {
            parent: parent.txid,
        }),
        _ => Ok(()),
    }
}

fn check_parent(parent: &MempoolEntry, evicted: &HashSet<Txid>) -> Result<(), TrucViolation> {
    if parent.ancestor_count > 1 {
        return Err(TrucViolation::TooManyAncestors);
    }
    if parent.spent_by.iter().any(|child| !evicted.contains(child)) {
        return Err(TrucViolation::TooManyDescendants {
            parent: parent.txid,
        });
    }
    Ok(())
}
