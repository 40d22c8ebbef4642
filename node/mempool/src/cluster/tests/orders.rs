//! Clusters of a known shape, and the exact order that comes out.

use super::graphs::{checked_linearize, graph};
use crate::cluster::{DependencyGraph, FeeWeight, linearize};

/// The members of each chunk.
fn chunks_of(graph: &DependencyGraph) -> Vec<Vec<u8>> {
    checked_linearize(graph)
        .into_iter()
        .map(|chunk| chunk.members)
        .collect()
}

#[test]
fn nothing_has_no_chunks() {
    assert!(linearize(&DependencyGraph::new()).is_empty());
}

#[test]
fn one_transaction_is_a_chunk() {
    let chunks = checked_linearize(&graph(&[(-7, 4, &[])]));
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].rate, FeeWeight::new(-7, 4));
    assert_eq!(chunks[0].members, [0]);
}

#[test]
fn a_child_pays_for_its_parent() {
    assert_eq!(chunks_of(&graph(&[(1, 1, &[]), (9, 1, &[0])])), [[0, 1]]);
    assert_eq!(chunks_of(&graph(&[(9, 1, &[]), (1, 1, &[0])])), [[0], [1]]);
    // At the same rate they stay apart.
    assert_eq!(chunks_of(&graph(&[(9, 1, &[]), (18, 2, &[0])])), [[0], [1]]);
}

#[test]
fn a_child_pays_for_two_parents_and_leaves_the_third() {
    let family = graph(&[
        (1, 1, &[]),
        (2, 1, &[]),
        (1, 1, &[]),
        (9, 1, &[0, 1]),
        (1, 2, &[2]),
    ]);
    assert_eq!(chunks_of(&family), [vec![1, 0, 3], vec![2], vec![4]]);
}

/// Neither of two children pays enough for their parent alone, which ancestor rates do not see.
#[test]
fn children_pay_together() {
    let family = graph(&[(0, 10, &[]), (10, 1, &[0]), (10, 1, &[0]), (9, 2, &[])]);
    assert_eq!(chunks_of(&family), [vec![3], vec![0, 1, 2]]);
    let family = graph(&[(0, 2, &[]), (10, 1, &[0]), (10, 1, &[0]), (9, 2, &[])]);
    assert_eq!(chunks_of(&family), [vec![0, 1, 2], vec![3]]);
}

#[test]
fn a_diamond_is_one_chunk() {
    let diamond = graph(&[(1, 1, &[]), (2, 1, &[0]), (3, 1, &[0]), (20, 1, &[1, 2])]);
    assert_eq!(chunks_of(&diamond), [[0, 2, 1, 3]]);
}

#[test]
fn what_pays_the_same_stays_apart_and_the_lightest_comes_first() {
    // Two pairs, in each of which the child pays for the parent, both at a rate of 2, like the last one.
    let pairs = graph(&[
        (2, 2, &[]),
        (1, 1, &[]),
        (6, 2, &[0]),
        (3, 1, &[1]),
        (6, 3, &[]),
    ]);
    assert_eq!(chunks_of(&pairs), [vec![1, 3], vec![4], vec![0, 2]]);
    // A lighter one waits for its parent.
    let chain = graph(&[(4, 4, &[]), (1, 1, &[0]), (2, 2, &[])]);
    assert_eq!(chunks_of(&chain), [[2], [0], [1]]);
    let equals = graph(&[(5, 5, &[]), (5, 5, &[]), (5, 5, &[])]);
    assert_eq!(chunks_of(&equals), [[0], [1], [2]]);
}

#[test]
fn negative_fees_come_last() {
    let family = graph(&[(-5, 1, &[]), (0, 1, &[0]), (-9, 1, &[]), (9, 1, &[2])]);
    assert_eq!(chunks_of(&family), [vec![2, 3], vec![0, 1]]);
}

#[test]
fn a_chain_of_rising_rates_is_one_chunk_and_of_falling_rates_singles() {
    let chain = |fee: fn(u32) -> i64| {
        let mut graph = DependencyGraph::with_capacity(64);
        for position in 0..64 {
            let parents = (1_u64 << position) >> 1;
            graph.add(FeeWeight::new(fee(position), 1), parents);
        }
        graph
    };
    let all: Vec<u8> = (0..64).collect();
    assert_eq!(
        chunks_of(&chain(|position| 1 << position.min(40))),
        [all.as_slice()]
    );
    assert_eq!(chunks_of(&chain(i64::from)), [all.as_slice()]);
    let singles: Vec<_> = all.iter().map(|&position| vec![position]).collect();
    assert_eq!(chunks_of(&chain(|position| -i64::from(position))), singles);
    assert_eq!(chunks_of(&chain(|_| 1)), singles);
}

/// The largest fees and weights that a graph takes add up exactly.
#[test]
fn the_largest_numbers_add_up() {
    let mut graph = DependencyGraph::with_capacity(64);
    for position in 0..64 {
        let fee = if position < 32 { i64::MIN } else { i64::MAX };
        let parents = if position < 32 { 0 } else { 0xffff_ffff };
        graph.add(FeeWeight::new(fee, u64::MAX), parents);
    }
    let chunks = checked_linearize(&graph);
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].rate, FeeWeight::new(0, 64 << 40));
}
