//! Limits on chains of unconfirmed transactions.

use std::collections::{HashMap, HashSet};

use pyrite_consensus::bitcoin::Txid;

use crate::pool::Pool;
use crate::{ChainLimit, ChainLimits};

/// Checks that a transaction of `vsize` with these ancestors keeps every chain within the limits,
/// once `evicted` are gone. No ancestor is among the evicted.
pub(crate) fn check_chain_limits(
    pool: &Pool,
    vsize: u64,
    ancestors: &HashSet<Txid>,
    evicted: &HashSet<Txid>,
    limits: &ChainLimits,
) -> Result<(), ChainLimit> {
    let entries = || ancestors.iter().filter_map(|txid| pool.get(txid));
    if entries().count() as u64 + 1 > limits.ancestor_count {
        return Err(ChainLimit::AncestorCount {
            limit: limits.ancestor_count,
        });
    }
    if entries().map(|entry| entry.vsize).sum::<u64>() + vsize > limits.ancestor_size {
        return Err(ChainLimit::AncestorSize {
            limit: limits.ancestor_size,
        });
    }
    let leaving = leaving_descendants(pool, ancestors, evicted);
    for entry in entries() {
        let (count, size) = leaving.get(&entry.txid).copied().unwrap_or_default();
        let ancestor = entry.txid;
        if entry.descendant_count - count + 1 > limits.descendant_count {
            let limit = limits.descendant_count;
            return Err(ChainLimit::DescendantCount { ancestor, limit });
        }
        if entry.descendant_size - size + vsize > limits.descendant_size {
            let limit = limits.descendant_size;
            return Err(ChainLimit::DescendantSize { ancestor, limit });
        }
    }
    Ok(())
}

/// For each of `ancestors`, how many of its descendants are evicted, and their virtual bytes.
fn leaving_descendants(
    pool: &Pool,
    ancestors: &HashSet<Txid>,
    evicted: &HashSet<Txid>,
) -> HashMap<Txid, (u64, u64)> {
    let mut leaving: HashMap<Txid, (u64, u64)> = HashMap::new();
    for entry in evicted.iter().filter_map(|txid| pool.get(txid)) {
        let above = pool.with_ancestors(entry.depends.iter().copied());
        for ancestor in above.intersection(ancestors) {
            let (count, size) = leaving.entry(*ancestor).or_default();
            *count += 1;
            *size += entry.vsize;
        }
    }
    leaving
}
