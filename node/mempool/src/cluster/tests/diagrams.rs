//! Chunks of an order, and the comparison of diagrams.

use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;

use super::graphs::graph;
use crate::cluster::{FeeWeight, chunk_order, compare_diagrams};

fn chunks(pairs: &[(i64, u64)]) -> Vec<FeeWeight> {
    pairs
        .iter()
        .map(|&(fee, weight)| FeeWeight::new(fee, weight))
        .collect()
}

fn compare(a: &[(i64, u64)], b: &[(i64, u64)]) -> Option<Ordering> {
    let forth = compare_diagrams(&chunks(a), &chunks(b));
    let back = compare_diagrams(&chunks(b), &chunks(a));
    assert_eq!(forth, back.map(Ordering::reverse));
    forth
}

#[test]
fn an_order_is_merged_into_chunks() {
    let family = graph(&[
        (2, 1, &[]),
        (1, 1, &[0]),
        (5, 1, &[1]),
        (3, 1, &[]),
        (1, 1, &[]),
    ]);
    assert_eq!(
        chunk_order(&family, &[0, 1, 2, 3, 4]),
        chunks(&[(11, 4), (1, 1)])
    );
    assert_eq!(
        chunk_order(&family, &[3, 0, 4, 1, 2]),
        chunks(&[(3, 1), (9, 4)])
    );
    assert_eq!(chunk_order(&family, &[3, 0]), chunks(&[(3, 1), (2, 1)]));
    assert_eq!(chunk_order(&family, &[1, 4]), chunks(&[(1, 1), (1, 1)]));
    assert!(chunk_order(&family, &[]).is_empty());
}

#[test]
fn a_diagram_equals_itself_however_it_is_cut() {
    assert_eq!(compare(&[], &[]), Some(Ordering::Equal));
    assert_eq!(compare(&[(4, 2)], &[(2, 1), (2, 1)]), Some(Ordering::Equal));
    assert_eq!(compare(&[(4, 2), (0, 5)], &[(4, 2)]), Some(Ordering::Equal));
}

#[test]
fn who_pays_more_at_every_weight_is_above() {
    assert_eq!(compare(&[(1, 1)], &[]), Some(Ordering::Greater));
    assert_eq!(compare(&[(-1, 1)], &[]), Some(Ordering::Less));
    assert_eq!(compare(&[(5, 2)], &[(4, 2)]), Some(Ordering::Greater));
    // The same fees for less weight.
    assert_eq!(compare(&[(4, 2)], &[(4, 3)]), Some(Ordering::Greater));
    // Equal at every corner of the first, and above at one of the second.
    assert_eq!(compare(&[(6, 3)], &[(5, 2), (1, 1)]), Some(Ordering::Less));
    // More in the end, after equal beginnings.
    assert_eq!(
        compare(&[(6, 3), (1, 9)], &[(6, 3)]),
        Some(Ordering::Greater)
    );
    // It falls at the end, and the other stays where it is.
    assert_eq!(compare(&[(6, 3), (-1, 9)], &[(6, 3)]), Some(Ordering::Less));
}

#[test]
fn diagrams_that_cross_do_not_compare() {
    assert_eq!(compare(&[(5, 1)], &[(6, 10)]), None);
    assert_eq!(compare(&[(5, 1), (1, 10)], &[(4, 1), (4, 1)]), None);
    assert_eq!(compare(&[(5, 1), (-3, 1)], &[(4, 1)]), None);
}

#[test]
fn empty_chunks_count_for_nothing() {
    assert_eq!(compare(&[(9, 0)], &[]), Some(Ordering::Equal));
    assert_eq!(
        compare(&[(9, 0), (4, 2), (9, 0)], &[(4, 2)]),
        Some(Ordering::Equal)
    );
}

#[test]
fn large_numbers_compare_exactly() {
    let most = (FeeWeight::MAX_FEE * 64, FeeWeight::MAX_WEIGHT * 64);
    let many = vec![most; 1_000];
    let mut less = many.clone();
    less[999].0 -= 1;
    assert_eq!(compare(&many, &less), Some(Ordering::Greater));
    less[0].1 -= 1;
    assert_eq!(compare(&many, &less), None);
    // Beyond that it is at least an answer.
    let beyond = [(i64::MAX, u64::MAX), (i64::MIN, u64::MAX)];
    assert_eq!(compare(&beyond, &beyond), Some(Ordering::Equal));
}

/// The fee of a diagram at a weight, times `scale`, which every chunk's weight divides.
fn height(diagram: &[FeeWeight], weight: u64, scale: i128) -> i128 {
    let mut left = weight;
    let mut height = 0;
    for chunk in diagram {
        let run = left.min(chunk.weight);
        height += i128::from(chunk.fee) * i128::from(run) * (scale / i128::from(chunk.weight));
        left -= run;
    }
    height
}

fn corners(diagram: &[FeeWeight]) -> impl Iterator<Item = u64> {
    diagram.iter().scan(0, |weight, chunk| {
        *weight += chunk.weight;
        Some(*weight)
    })
}

fn compare_at_all_corners(a: &[FeeWeight], b: &[FeeWeight]) -> Option<Ordering> {
    // The least common multiple of all weights up to ten.
    const SCALE: i128 = 2_520;
    let mut seen: Vec<_> = corners(a)
        .chain(corners(b))
        .map(|weight| height(a, weight, SCALE).cmp(&height(b, weight, SCALE)))
        .filter(|verdict| verdict.is_ne())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    match seen[..] {
        [] => Some(Ordering::Equal),
        [verdict] => Some(verdict),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn diagrams_compare_as_at_all_corners(
        a in vec((-3..12_i64, 1..=10_u64), 0..6),
        b in vec((-3..12_i64, 1..=10_u64), 0..6),
        tail in vec((0..12_i64, 1..=10_u64), 0..2),
    ) {
        let sorted = |pairs: &[(i64, u64)]| {
            let mut chunks = chunks(pairs);
            chunks.sort_by(|a, b| b.cmp_rate(a));
            chunks
        };
        let extended: Vec<_> = a.iter().chain(&tail).copied().collect();
        for (a, b) in [(&a, &b), (&a, &extended), (&b, &extended)] {
            let (a, b) = (sorted(a), sorted(b));
            prop_assert_eq!(compare_diagrams(&a, &b), compare_at_all_corners(&a, &b));
        }
    }
}
