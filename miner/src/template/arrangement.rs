//! The order of a template's transactions: the former template's, as far as both have the same, so that a new payment
//! changes the end alone.
//!
//! A template's worst eighth comes last. Better payments push the worst out, so for a while it is only there, and among
//! what came since, that something changes: what stands before is settled.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Txid, Wtxid};

use super::Candidate;
use super::block_template::TemplateTransaction;

/// One part in so many of a template's weight is not settled when it is put into order.
const UNSETTLED_PART: u64 = 8;

/// And at most one part in so many afterwards: then it is put into order again.
const MOST_UNSETTLED_PART: u64 = 4;

/// Puts the selected into order: behind what is settled of the former template, otherwise by falling fee rate, as they
/// come. Also says how many are settled.
pub(super) fn arrange(
    selected: &[&Candidate],
    settled: &[TemplateTransaction],
) -> (Arc<[TemplateTransaction]>, usize) {
    match behind(settled, selected) {
        Some(rest) => (append(settled, &rest), settled.len()),
        None => (append(&[], selected), settled_count(selected)),
    }
}

/// What is selected beside the settled; `None` if some of these are not, or if they are too small a part.
fn behind<'a>(
    settled: &[TemplateTransaction],
    selected: &[&'a Candidate],
) -> Option<Vec<&'a Candidate>> {
    let ids: HashSet<&Wtxid> = settled.iter().map(|entry| &entry.wtxid).collect();
    let rest = selected
        .iter()
        .filter(|candidate| !ids.contains(&candidate.wtxid));
    let rest: Vec<&Candidate> = rest.copied().collect();
    let is_whole = rest.len() + settled.len() == selected.len();
    let is_enough = weight(&rest) <= weight(selected) / MOST_UNSETTLED_PART;
    (is_whole && is_enough).then_some(rest)
}

fn settled_count(selected: &[&Candidate]) -> usize {
    let all = weight(selected);
    let mut left = all - all / UNSETTLED_PART;
    let fits = |candidate: &&&Candidate| match left.checked_sub(candidate.weight) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    selected.iter().take_while(fits).count()
}

fn weight(candidates: &[&Candidate]) -> u64 {
    let weights = candidates.iter().map(|candidate| candidate.weight);
    weights.fold(0, u64::saturating_add)
}

/// The settled, and the others behind them with their places.
fn append(settled: &[TemplateTransaction], rest: &[&Candidate]) -> Arc<[TemplateTransaction]> {
    let mut positions: HashMap<Txid, usize> = HashMap::new();
    if rest.iter().any(|candidate| !candidate.is_alone) {
        let places = settled.iter().map(|entry| entry.txid).zip(0..);
        positions.extend(places);
    }
    let rest = (settled.len()..).zip(rest).map(|(position, candidate)| {
        let mut depends: Vec<usize> = Vec::new();
        if !candidate.is_alone {
            let parents = candidate.tx.input.iter();
            depends.extend(
                parents.filter_map(|input| positions.get(&input.previous_output.txid).copied()),
            );
            depends.sort_unstable();
            depends.dedup();
            positions.insert(candidate.txid, position);
        }
        TemplateTransaction {
            tx: Arc::clone(&candidate.tx),
            txid: candidate.txid,
            wtxid: candidate.wtxid,
            fee: candidate.fee,
            weight: candidate.weight,
            sigop_cost: candidate.sigop_cost,
            depends,
        }
    });
    settled.iter().cloned().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::absolute::LockTime;
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxIn, transaction};

    use super::*;

    fn candidate(number: u8, parents: &[u8]) -> Candidate {
        let input = |parent: &u8| TxIn {
            previous_output: OutPoint {
                txid: txid(*parent),
                vout: 0,
            },
            ..TxIn::default()
        };
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: parents.iter().map(input).collect(),
            output: Vec::new(),
        };
        Candidate {
            tx: Arc::new(tx),
            txid: txid(number),
            wtxid: Wtxid::from_byte_array([number; 32]),
            fee: Amount::from_sat(1_000),
            weight: 400,
            sigop_cost: 4,
            is_alone: parents.is_empty(),
        }
    }

    fn txid(number: u8) -> Txid {
        Txid::from_byte_array([number; 32])
    }

    /// Arranges candidates with these numbers behind a former arrangement, and returns theirs.
    fn numbers(
        selected: impl IntoIterator<Item = u8>,
        settled: &[TemplateTransaction],
    ) -> (Vec<u8>, Arc<[TemplateTransaction]>, usize) {
        let candidates: Vec<_> = selected.into_iter().map(|n| candidate(n, &[])).collect();
        let (arranged, settled) = arrange(&candidates.iter().collect::<Vec<_>>(), settled);
        let numbers = arranged.iter().map(|entry| entry.txid.to_byte_array()[0]);
        (numbers.collect(), arranged, settled)
    }

    #[test]
    fn a_new_payment_comes_last_and_pushes_out_the_worst() {
        let (first, arranged, settled) = numbers(0..16, &[]);
        assert_eq!(first, (0..16).collect::<Vec<_>>());
        assert_eq!(settled, 14);
        // The best of all, and the worst is gone.
        let selected = std::iter::once(99).chain(0..15);
        let (next, arranged, settled) = numbers(selected, &arranged[..settled]);
        let expected: Vec<u8> = (0..14).chain([99, 14]).collect();
        assert_eq!(next, expected);
        assert_eq!(settled, 14);
        // Nothing has changed.
        let selected = std::iter::once(99).chain(0..15);
        assert_eq!(numbers(selected, &arranged[..settled]).0, expected);
    }

    #[test]
    fn the_order_is_made_anew_when_what_is_settled_is_not() {
        let (_, arranged, settled) = numbers(0..16, &[]);
        let selected: Vec<u8> = [99, 0, 1, 2].into_iter().chain(4..16).collect();
        let (next, _, settled_now) = numbers(selected.clone(), &arranged[..settled]);
        assert_eq!(next, selected);
        assert_eq!(settled_now, 14);
        // A block that was not full has grown: what is settled is less than three quarters.
        let selected: Vec<u8> = (100..106).chain(0..16).collect();
        let (next, _, settled_now) = numbers(selected.clone(), &arranged[..settled]);
        assert_eq!(next, selected);
        assert_eq!(settled_now, 19);
    }

    #[test]
    fn what_a_transaction_spends_is_found_before_it() {
        let (_, arranged, settled) = numbers(0..16, &[]);
        let mut candidates: Vec<_> = (0..15).map(|n| candidate(n, &[])).collect();
        candidates.insert(0, candidate(50, &[3, 14, 3, 77]));
        candidates.insert(0, candidate(14, &[]));
        candidates.remove(16);
        candidates.insert(2, candidate(51, &[50]));
        candidates[0].is_alone = false;
        let selected: Vec<&Candidate> = candidates.iter().collect();
        let (arranged, settled_now) = arrange(&selected, &arranged[..settled]);
        assert_eq!(settled_now, settled);
        let places: Vec<u8> = arranged[settled..]
            .iter()
            .map(|entry| entry.txid.to_byte_array()[0])
            .collect();
        assert_eq!(places, [14, 50, 51]);
        assert!(arranged[settled].depends.is_empty());
        assert_eq!(arranged[settled + 1].depends, [3, settled]);
        assert_eq!(arranged[settled + 2].depends, [settled + 1]);
    }
}
