//! Clusters and chunks by trying out everything.

use std::collections::{BTreeMap, BTreeSet};

use pyrite_consensus::bitcoin::{Transaction, Txid};

use super::rules::{Entry, Model};

/// Fee and weight.
pub(super) type Rate = (i64, u64);

/// Whether the first pays more for its weight.
pub(super) fn pays_more(a: Rate, b: Rate) -> bool {
    i128::from(a.0) * i128::from(b.1) > i128::from(b.0) * i128::from(a.1)
}

/// The sets of entries that are linked.
pub(super) fn clusters<'a>(entries: impl Iterator<Item = &'a Transaction>) -> Vec<BTreeSet<Txid>> {
    let mut clusters: Vec<BTreeSet<Txid>> = Vec::new();
    let entries: Vec<(Txid, BTreeSet<Txid>)> = entries
        .map(|tx| {
            let parents = tx.input.iter().map(|input| input.previous_output.txid);
            (tx.compute_txid(), parents.collect())
        })
        .collect();
    let known: BTreeSet<Txid> = entries.iter().map(|(txid, _)| *txid).collect();
    for (txid, parents) in entries {
        let linked: BTreeSet<Txid> = parents.intersection(&known).copied().collect();
        let mut joined = BTreeSet::from([txid]);
        joined.extend(&linked);
        clusters.retain(|cluster| {
            let apart = cluster.is_disjoint(&joined);
            if !apart {
                joined.extend(cluster);
            }
            apart
        });
        clusters.push(joined);
    }
    clusters
}

/// The chunks of a cluster, the best first: again and again, of all sets of what is left that hold the ancestors of
/// their members, the one that pays best, and of several the smallest.
pub(super) fn chunks(
    cluster: &BTreeSet<Txid>,
    model: &BTreeMap<Txid, Entry>,
    rate: impl Fn(&Txid) -> Rate,
) -> Vec<(BTreeSet<Txid>, Rate)> {
    let members: Vec<Txid> = cluster.iter().copied().collect();
    let parents: Vec<u32> = members
        .iter()
        .map(|txid| {
            let inputs = model[txid].tx.input.iter();
            let positions = inputs.filter_map(|input| {
                members
                    .iter()
                    .position(|member| *member == input.previous_output.txid)
            });
            positions.fold(0, |mask, position| mask | 1 << position)
        })
        .collect();
    let rates: Vec<Rate> = members.iter().map(rate).collect();
    let mut left: u32 = (1 << members.len()) - 1;
    let mut chunks = Vec::new();
    while left != 0 {
        let mut best: Option<(u32, Rate)> = None;
        let mut set = left;
        while set != 0 {
            let of_set = |index: &usize| set & 1 << index != 0;
            let closed = (0..members.len())
                .filter(of_set)
                .all(|index| parents[index] & left & !set == 0);
            if closed {
                let sum = (0..members.len())
                    .filter(of_set)
                    .fold((0, 0), |sum: Rate, index| {
                        (sum.0 + rates[index].0, sum.1 + rates[index].1)
                    });
                let better = best.is_none_or(|(found, rate)| {
                    pays_more(sum, rate)
                        || !pays_more(rate, sum) && set.count_ones() < found.count_ones()
                });
                if better {
                    best = Some((set, sum));
                }
            }
            set = (set - 1) & left;
        }
        let (set, rate) = best.unwrap();
        left &= !set;
        let chunk = (0..members.len()).filter(|index| set & 1 << index != 0);
        chunks.push((chunk.map(|index| members[index]).collect(), rate));
    }
    chunks
}

/// The fees that the best chunks bring in the first `weight` units, times `weight` of the chunk that is cut: an exact
/// comparison of two diagrams needs both at each corner of either.
fn fee_at(chunks: &[Rate], weight: u64) -> (i128, i128) {
    let mut sum = (0_i128, 0_u64);
    for (fee, size) in chunks {
        if sum.1 + size > weight {
            let part = i128::from(weight - sum.1) * i128::from(*fee);
            return (sum.0 * i128::from(*size) + part, i128::from(*size));
        }
        sum = (sum.0 + i128::from(*fee), sum.1 + size);
    }
    (sum.0, 1)
}

/// Whether a diagram is nowhere below another and somewhere above it.
pub(super) fn improves(after: &[Rate], before: &[Rate]) -> bool {
    let sort = |rates: &[Rate]| {
        let mut rates = rates.to_vec();
        rates.sort_by(|a, b| {
            (i128::from(b.0) * i128::from(a.1)).cmp(&(i128::from(a.0) * i128::from(b.1)))
        });
        rates
    };
    let (after, before) = (sort(after), sort(before));
    let corners = |rates: &[Rate]| {
        let mut total = 0;
        rates
            .iter()
            .map(|(_, weight)| {
                total += weight;
                total
            })
            .collect::<Vec<u64>>()
    };
    let mut above = false;
    for corner in [corners(&after), corners(&before)].concat() {
        let ((a, a_by), (b, b_by)) = (fee_at(&after, corner), fee_at(&before, corner));
        match (a * b_by).cmp(&(b * a_by)) {
            std::cmp::Ordering::Less => return false,
            std::cmp::Ordering::Greater => above = true,
            std::cmp::Ordering::Equal => {}
        }
    }
    above
}

impl Model {
    /// All chunks of the mempool, cluster by cluster.
    pub(super) fn all_chunks(&self) -> Vec<Vec<(BTreeSet<Txid>, Rate)>> {
        let transactions = self.entries.values().map(|entry| &entry.tx);
        clusters(transactions)
            .iter()
            .map(|cluster| chunks(cluster, &self.entries, |txid| self.rate(txid)))
            .collect()
    }
}
