//! The choice of transactions, with candidates whose figures are made up.

use std::sync::Arc;

use proptest::prelude::*;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, Transaction, Txid, transaction};

use super::Candidate;
use super::selection::{Budget, select};

const ROOMY: Budget = Budget {
    weight: 3_992_000,
    sigop_cost: 79_600,
};

/// The candidate with this number.
fn candidate(number: u32, fee: u64, weight: u64, parents: &[u32]) -> Candidate {
    Candidate {
        tx: Arc::new(Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: Vec::new(),
            output: Vec::new(),
        }),
        txid: txid(number),
        fee: Amount::from_sat(fee),
        weight,
        sigop_cost: 4,
        depends: parents.iter().copied().map(txid).collect(),
    }
}

fn txid(number: u32) -> Txid {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Txid::from_byte_array(bytes)
}

fn choose(candidates: &[Candidate], budget: Budget) -> Vec<usize> {
    select(candidates, |_| true, budget, 0)
}

#[test]
fn nothing_comes_of_nothing() {
    assert_eq!(choose(&[], ROOMY), []);
}

#[test]
fn better_fee_rates_come_first() {
    let candidates = [
        candidate(0, 1_000, 400, &[]),
        candidate(1, 5_000, 4_000, &[]),
        candidate(2, 900, 200, &[]),
        candidate(3, 0, 400, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [2, 0, 1, 3]);
}

#[test]
fn equal_rates_keep_their_order() {
    let candidates: Vec<Candidate> = (0..50)
        .map(|number| candidate(number, 100, 400, &[]))
        .collect();
    assert_eq!(choose(&candidates, ROOMY), (0..50).collect::<Vec<usize>>());
}

#[test]
fn a_child_pays_for_its_parent() {
    let candidates = [
        candidate(0, 0, 400, &[]),
        candidate(1, 2_000, 400, &[]),
        candidate(2, 10_000, 400, &[0]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [0, 2, 1]);
    let two_fit = Budget {
        weight: 800,
        ..ROOMY
    };
    assert_eq!(choose(&candidates, two_fit), [0, 2]);
    let one_fits = Budget {
        weight: 400,
        ..ROOMY
    };
    assert_eq!(choose(&candidates, one_fits), [1]);
}

#[test]
fn a_cheap_child_does_not_ride_on_its_parent() {
    let candidates = [
        candidate(0, 10_000, 400, &[]),
        candidate(1, 0, 400, &[0]),
        candidate(2, 500, 400, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [0, 2, 1]);
}

#[test]
fn a_taken_parent_no_longer_counts_for_its_other_children() {
    // With its heavy parent, candidate 2 ranks below candidate 3; alone it ranks above.
    let candidates = [
        candidate(0, 0, 4_000, &[]),
        candidate(1, 50_000, 400, &[0]),
        candidate(2, 4_000, 400, &[0]),
        candidate(3, 2_000, 400, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [0, 1, 2, 3]);
}

#[test]
fn a_shared_ancestor_counts_once() {
    // 0 <- 1, 2 <- 3: the package of 3 has a rate of 12,000 in 1,600; were its root counted twice,
    // candidate 4 would be better.
    let candidates = [
        candidate(0, 0, 400, &[]),
        candidate(1, 0, 400, &[0]),
        candidate(2, 0, 400, &[0]),
        candidate(3, 12_000, 400, &[1, 2]),
        candidate(4, 2_700, 400, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [0, 1, 2, 3, 4]);
}

#[test]
fn children_may_stand_before_their_parents() {
    let candidates = [
        candidate(2, 300, 400, &[1]),
        candidate(1, 200, 400, &[0]),
        candidate(0, 100, 400, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [2, 1, 0]);
}

#[test]
fn keeps_the_weight_limit_and_fills_the_gap() {
    let mut candidates: Vec<Candidate> = (0..100)
        .map(|number| candidate(number, 100_000, 100_000, &[]))
        .collect();
    candidates.push(candidate(100, 10, 50_000, &[]));
    let chosen = choose(&candidates, ROOMY);
    assert_eq!(chosen.len(), 40);
    assert_eq!(chosen[39], 100);
    let exactly_one = Budget {
        weight: 100_000,
        ..ROOMY
    };
    assert_eq!(choose(&candidates[..100], exactly_one), [0]);
    let just_too_small = Budget {
        weight: 99_999,
        ..ROOMY
    };
    assert_eq!(choose(&candidates[..100], just_too_small), []);
}

#[test]
fn keeps_the_sigop_limit() {
    let mut candidates: Vec<Candidate> = (0..6)
        .map(|number| Candidate {
            sigop_cost: 16_000,
            ..candidate(number, 1_000, 400, &[])
        })
        .collect();
    candidates.push(candidate(6, 10, 400, &[]));
    assert_eq!(choose(&candidates, ROOMY), [0, 1, 2, 3, 6]);
    let exact = Budget {
        sigop_cost: 80_000,
        ..ROOMY
    };
    assert_eq!(choose(&candidates[..6], exact), [0, 1, 2, 3, 4]);
}

#[test]
fn a_package_that_does_not_fit_may_fit_without_its_parent() {
    // The package of 2 is the best one and too heavy; then its parent is taken for its own sake.
    let candidates = [
        candidate(0, 3_000, 600, &[]),
        candidate(1, 0, 400, &[]),
        candidate(2, 9_000, 300, &[0, 1]),
        candidate(3, 8_000, 200, &[0]),
    ];
    let budget = Budget {
        weight: 1_250,
        ..ROOMY
    };
    assert_eq!(choose(&candidates, budget), [0, 3, 1]);
    let budget = Budget {
        weight: 1_500,
        ..ROOMY
    };
    assert_eq!(choose(&candidates, budget), [0, 3, 1, 2]);
}

#[test]
fn leaves_out_what_pays_too_little() {
    // 400 weight units are 100 virtual bytes.
    let candidates = [
        candidate(0, 100, 400, &[]),
        candidate(1, 99, 400, &[]),
        candidate(2, 0, 400, &[]),
        candidate(3, 200, 400, &[2]),
    ];
    assert_eq!(select(&candidates, |_| true, ROOMY, 1_000), [0, 2, 3]);
    assert_eq!(select(&candidates, |_| true, ROOMY, 1), [0, 2, 3, 1]);
}

#[test]
fn leaves_out_ineligible_candidates_and_their_descendants() {
    let candidates = [
        candidate(0, 1_000, 400, &[]),
        candidate(1, 2_000, 400, &[]),
        candidate(2, 3_000, 400, &[1, 0]),
        candidate(3, 4_000, 400, &[2]),
        candidate(4, 500, 400, &[0]),
    ];
    let is_eligible = |candidate: &Candidate| candidate.txid != txid(1);
    assert_eq!(select(&candidates, is_eligible, ROOMY, 0), [0, 4]);
}

#[test]
fn leaves_out_orphans_repetitions_and_cycles() {
    let candidates = [
        candidate(0, 1_000, 400, &[77]),
        candidate(1, 1_000, 400, &[0]),
        candidate(2, 1_000, 400, &[]),
        candidate(2, 9_000, 400, &[]),
        candidate(3, 1_000, 400, &[4]),
        candidate(4, 1_000, 400, &[3]),
        candidate(5, 1_000, 400, &[5]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [2]);
}

#[test]
fn figures_near_the_limits_of_their_types_do_no_harm() {
    let candidates = [
        Candidate {
            fee: Amount::MAX_MONEY,
            ..candidate(0, 0, u64::MAX, &[])
        },
        Candidate {
            fee: Amount::from_sat(u64::MAX),
            ..candidate(1, 0, u64::MAX, &[0])
        },
        Candidate {
            sigop_cost: u64::MAX,
            ..candidate(2, 5, 4, &[1])
        },
        candidate(3, 5, 0, &[]),
    ];
    assert_eq!(choose(&candidates, ROOMY), [3]);
}

/// A set of candidates in which each may spend any before it.
fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        1_u64..1_000_000_000,
        200_u64..4_000,
        prop::collection::vec(any::<u32>(), 0..4),
    );
    prop::collection::vec(one, 1..25).prop_map(|list| {
        (0_u32..)
            .zip(list)
            .map(|(number, (fee, weight, choices))| {
                // Half of them spend confirmed coins only.
                let parents: Vec<u32> = choices
                    .iter()
                    .filter_map(|choice| (choice / 2).checked_rem(number))
                    .filter(|_| choices[0] % 2 == 0)
                    .collect();
                candidate(number, fee, weight, &parents)
            })
            .collect()
    })
}

/// Positions of a candidate and of its ancestors that are not in `taken`, by plain recursion.
fn package(candidates: &[Candidate], index: usize, taken: &[usize]) -> Vec<usize> {
    let mut package = vec![index];
    for parent in &candidates[index].depends {
        let position = candidates
            .iter()
            .position(|other| other.txid == *parent)
            .unwrap();
        if !taken.contains(&position) {
            package.extend(self::package(candidates, position, taken));
        }
    }
    package.sort_unstable();
    package.dedup();
    package
}

/// The same choice in the plainest way: every round looks at every package anew.
fn plain_choice(candidates: &[Candidate], budget: Budget) -> Vec<usize> {
    let mut taken: Vec<usize> = Vec::new();
    let mut weight = budget.weight;
    loop {
        let rate = |members: &[usize]| {
            let fee: u64 = members.iter().map(|i| candidates[*i].fee.to_sat()).sum();
            let weight: u64 = members.iter().map(|i| candidates[*i].weight).sum();
            (fee, weight)
        };
        let best = (0..candidates.len())
            .filter(|index| !taken.contains(index))
            .map(|index| (index, package(candidates, index, &taken)))
            .filter(|(_, members)| rate(members).1 <= weight)
            .map(|(index, members)| {
                let score = [rate(&[index]), rate(&members)]
                    .into_iter()
                    .map(|(fee, weight)| fee as f64 / weight as f64)
                    .fold(f64::INFINITY, f64::min);
                (score, members)
            })
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let Some((_, members)) = best else {
            return taken;
        };
        weight -= rate(&members).1;
        taken.extend(members);
    }
}

proptest! {
    #[test]
    fn chooses_as_the_plain_way_does(
        candidates in any_candidates(),
        weight in 200_u64..60_000,
    ) {
        let budget = Budget { weight, ..ROOMY };
        let chosen = choose(&candidates, budget);
        for (position, index) in chosen.iter().enumerate() {
            for parent in &candidates[*index].depends {
                let is_before = chosen[..position].iter().any(|i| candidates[*i].txid == *parent);
                prop_assert!(is_before, "a parent stands before its child");
            }
        }
        let mut chosen = chosen;
        let mut expected = plain_choice(&candidates, budget);
        chosen.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(chosen, expected);
    }
}
