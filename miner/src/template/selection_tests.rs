//! The choice of chunks, with candidates whose figures are made up.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxIn, Txid, transaction};

use super::selection::{Budget, select};
use super::{Candidate, CandidateChunk};

const ROOMY: Budget = Budget {
    weight: 3_992_000,
    sigop_cost: 79_600,
};

/// The candidate with this number, which spends an output of each parent.
fn candidate(number: u32, fee: u64, weight: u64, parents: &[u32]) -> Candidate {
    let input = |parent: &u32| TxIn {
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
        wtxid: tx.compute_wtxid(),
        tx: Arc::new(tx),
        txid: txid(number),
        fee: Amount::from_sat(fee),
        weight,
        sigop_cost: 4,
    }
}

fn txid(number: u32) -> Txid {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Txid::from_byte_array(bytes)
}

fn chunk(transactions: Vec<Candidate>) -> CandidateChunk {
    let fees = transactions.iter().map(|candidate| candidate.fee.to_sat());
    CandidateChunk {
        fee: i64::try_from(fees.sum::<u64>()).unwrap(),
        weight: transactions.iter().map(|candidate| candidate.weight).sum(),
        transactions,
    }
}

/// A chunk of one transaction.
fn single(number: u32, fee: u64, weight: u64, parents: &[u32]) -> CandidateChunk {
    chunk(vec![candidate(number, fee, weight, parents)])
}

fn numbers(selected: &[&Candidate]) -> Vec<u32> {
    let number = |candidate: &&Candidate| {
        let bytes = candidate.txid.as_byte_array();
        u32::from_le_bytes(*bytes.first_chunk().unwrap())
    };
    selected.iter().map(number).collect()
}

fn choose(chunks: &[CandidateChunk], budget: Budget) -> Vec<u32> {
    numbers(&select(chunks, |_| true, budget, 0))
}

fn budget(weight: u64) -> Budget {
    Budget { weight, ..ROOMY }
}

#[test]
fn nothing_comes_of_nothing() {
    assert_eq!(choose(&[], ROOMY), [0_u32; 0]);
}

#[test]
fn chunks_are_taken_in_their_order() {
    let chunks = [
        single(2, 900, 200, &[]),
        chunk(vec![
            candidate(0, 0, 400, &[]),
            candidate(1, 2_000, 400, &[0]),
        ]),
        single(3, 0, 400, &[]),
    ];
    assert_eq!(choose(&chunks, ROOMY), [2, 0, 1, 3]);
}

#[test]
fn a_chunk_is_taken_whole_or_not_at_all() {
    let chunks = [
        single(0, 900, 200, &[]),
        chunk(vec![
            candidate(1, 0, 400, &[]),
            candidate(2, 2_000, 400, &[1]),
        ]),
        single(3, 10, 400, &[]),
    ];
    assert_eq!(choose(&chunks, budget(1_000)), [0, 1, 2]);
    assert_eq!(choose(&chunks, budget(999)), [0, 3]);
    assert_eq!(choose(&chunks, budget(599)), [0]);
}

#[test]
fn sigops_are_limited_too() {
    let mut heavy = single(0, 9_000, 400, &[]);
    heavy.transactions[0].sigop_cost = 101;
    let chunks = [heavy, single(1, 100, 400, &[])];
    let with_sigops = |sigop_cost| Budget {
        sigop_cost,
        ..ROOMY
    };
    assert_eq!(choose(&chunks, with_sigops(105)), [0, 1]);
    assert_eq!(choose(&chunks, with_sigops(104)), [0]);
    assert_eq!(choose(&chunks, with_sigops(100)), [1]);
}

#[test]
fn what_is_left_out_keeps_out_what_depends_on_it() {
    let chunks = [
        single(0, 9_000, 5_000, &[]),
        single(1, 700, 400, &[0]),
        single(2, 600, 400, &[7]),
        single(3, 500, 400, &[1]),
        single(4, 400, 400, &[2]),
    ];
    // Candidate 7 is none: what spends it spends what is confirmed.
    assert_eq!(choose(&chunks, budget(4_000)), [2, 4]);
    let not_two = |candidate: &Candidate| candidate.txid != txid(2);
    assert_eq!(numbers(&select(&chunks, not_two, ROOMY, 0)), [0, 1, 3]);
}

#[test]
fn one_that_is_not_eligible_keeps_its_chunk_out() {
    let chunks = [
        chunk(vec![
            candidate(0, 100, 400, &[]),
            candidate(1, 2_000, 400, &[0]),
        ]),
        single(2, 100, 400, &[]),
    ];
    let not_one = |candidate: &Candidate| candidate.txid != txid(1);
    assert_eq!(numbers(&select(&chunks, not_one, ROOMY, 0)), [2]);
}

#[test]
fn the_minimum_fee_rate_is_a_bound_of_chunks() {
    let chunks = [
        chunk(vec![
            candidate(0, 0, 400, &[]),
            candidate(1, 400, 400, &[0]),
        ]),
        single(2, 199, 400, &[]),
    ];
    // 400 satoshi for 200 virtual bytes, and 199 for 100.
    let at = |rate| numbers(&select(&chunks, |_| true, ROOMY, rate));
    assert_eq!(at(1_990), [0, 1, 2]);
    assert_eq!(at(1_991), [0, 1]);
    assert_eq!(at(2_000), [0, 1]);
    assert_eq!(at(2_001), [0_u32; 0]);
}

#[test]
fn fees_lowered_below_zero_are_below_any_rate() {
    let mut chunk = single(0, 500, 400, &[]);
    chunk.fee = -1;
    assert_eq!(choose(&[chunk], ROOMY), [0_u32; 0]);
}

#[test]
fn the_search_for_what_fits_ends_when_the_block_is_nearly_full() {
    let too_large = |number| single(number, 1_000, 5_000, &[]);
    let mut chunks = vec![single(0, 9_000, 6_001, &[])];
    chunks.extend((1..=1_001).map(too_large));
    chunks.push(single(2_000, 1, 100, &[]));
    assert_eq!(choose(&chunks, budget(10_000)), [0]);
    // With more room it goes on, and a chunk that fits starts the count anew.
    assert_eq!(choose(&chunks, budget(10_001)), [0, 2_000]);
    chunks.insert(500, single(3_000, 500, 10, &[]));
    assert_eq!(choose(&chunks, budget(10_000)), [0, 3_000, 2_000]);
}

/// Chunks of random figures. A transaction spends some of those before it.
fn any_chunks() -> impl Strategy<Value = Vec<CandidateChunk>> {
    let figures = (
        0_u64..5_000,
        1_u64..3_000,
        0_u64..200,
        any::<[u8; 2]>(),
        any::<bool>(),
    );
    prop::collection::vec(figures, 0..60).prop_map(|figures| {
        let mut chunks: Vec<Vec<Candidate>> = Vec::new();
        for (number, (fee, weight, sigop_cost, parents, joins)) in (0_u32..).zip(figures) {
            let parents: Vec<u32> = parents
                .iter()
                .map(|parent| u32::from(*parent))
                .filter(|parent| *parent < number)
                .collect();
            let mut candidate = candidate(number, fee, weight, &parents);
            candidate.sigop_cost = sigop_cost;
            match chunks.last_mut() {
                Some(chunk) if joins => chunk.push(candidate),
                _ => chunks.push(vec![candidate]),
            }
        }
        chunks.into_iter().map(chunk).collect()
    })
}

proptest! {
    #[test]
    fn what_is_chosen_fits_and_has_its_parents(
        chunks in any_chunks(),
        weight in 0_u64..40_000,
        sigop_cost in 0_u64..4_000,
    ) {
        let budget = Budget { weight, sigop_cost };
        let selected = select(&chunks, |candidate| candidate.weight % 7 != 0, budget, 0);
        let sum = |figure: fn(&Candidate) -> u64| -> u64 {
            selected.iter().map(|candidate| figure(candidate)).sum()
        };
        prop_assert!(sum(|candidate| candidate.weight) <= weight);
        prop_assert!(sum(|candidate| candidate.sigop_cost) <= sigop_cost);
        let mut taken = HashSet::new();
        for candidate in &selected {
            prop_assert!(candidate.weight % 7 != 0);
            for input in &candidate.tx.input {
                prop_assert!(taken.contains(&input.previous_output.txid));
            }
            prop_assert!(taken.insert(candidate.txid));
        }
        for chunk in &chunks {
            let members = chunk.transactions.iter();
            let count = members.filter(|member| taken.contains(&member.txid)).count();
            prop_assert!(count == 0 || count == chunk.transactions.len());
        }
    }
}
