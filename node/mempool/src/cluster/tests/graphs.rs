//! Graphs for tests, and what must hold of every linearization.

use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::cluster::{
    Chunk, DependencyGraph, FeeWeight, MAX_CLUSTER_COUNT, chunk_order, compare_diagrams, linearize,
    positions,
};

/// A graph of transactions, each with a fee, a weight and its parents.
pub(super) fn graph(transactions: &[(i64, u64, &[usize])]) -> DependencyGraph {
    let mut graph = DependencyGraph::with_capacity(transactions.len());
    for (fee, weight, parents) in transactions {
        let parents = parents.iter().fold(0, |set, parent| set | 1 << parent);
        graph.add(FeeWeight::new(*fee, *weight), parents);
    }
    graph
}

/// How fees and weights are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rates {
    /// Few different ones, so that many parts pay the same.
    Few,
    /// As on a real chain.
    Usual,
    /// Whatever a graph takes, zero and negative fees among them.
    Any,
}

fn rate(rates: Rates) -> BoxedStrategy<FeeWeight> {
    let pair = match rates {
        Rates::Few => (-2..5_i64, 1..4_u64).boxed(),
        Rates::Usual => (0..100_000_i64, 300..40_000_u64).boxed(),
        Rates::Any => {
            let fees = prop_oneof![
                any::<i64>(),
                Just(0),
                Just(FeeWeight::MAX_FEE),
                Just(-FeeWeight::MAX_FEE),
                -1_000..1_000_i64
            ];
            let weights = prop_oneof![1..=FeeWeight::MAX_WEIGHT, 1..1_000_u64];
            (fees, weights).boxed()
        }
    };
    pair.prop_map(|(fee, weight)| FeeWeight::new(fee, weight))
        .boxed()
}

/// How many parents a transaction has.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Each earlier transaction is one in so many cases.
    Random(u8),
    /// One, mostly.
    Tree,
    /// The later half of the cluster spends the earlier half.
    TwoLayers(u8),
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (1..12_u8).prop_map(Shape::Random),
        Just(Shape::Tree),
        (1..6_u8).prop_map(Shape::TwoLayers),
    ]
}

fn parents(shape: Shape, position: usize, count: usize, draw: &[u8]) -> u64 {
    let drawn = |one_in: u8, earlier: usize| draw[earlier].is_multiple_of(one_in);
    let among = |earlier: std::ops::Range<usize>, one_in| {
        earlier
            .filter(|&earlier| drawn(one_in, earlier))
            .fold(0, |set, earlier| set | 1 << earlier)
    };
    match shape {
        Shape::Random(one_in) => among(0..position, one_in),
        Shape::Tree if position == 0 || draw[0] < 16 => 0,
        Shape::Tree => 1 << (usize::from(draw[1]) % position),
        Shape::TwoLayers(_) if position < count / 2 => 0,
        Shape::TwoLayers(one_in) => among(0..count / 2, one_in),
    }
}

/// Graphs of a number of transactions.
pub(super) fn graphs(
    count: impl Strategy<Value = usize>,
    rates: Rates,
) -> impl Strategy<Value = DependencyGraph> {
    (count, shape()).prop_flat_map(move |(count, shape)| {
        let draws = vec(vec(any::<u8>(), MAX_CLUSTER_COUNT), count);
        (vec(rate(rates), count), draws).prop_map(move |(rates, draws)| {
            let mut graph = DependencyGraph::with_capacity(count);
            for (position, (rate, draw)) in rates.into_iter().zip(draws).enumerate() {
                graph.add(rate, parents(shape, position, count, &draw));
            }
            graph
        })
    })
}

pub(super) fn rates() -> impl Strategy<Value = Rates> {
    prop_oneof![Just(Rates::Few), Just(Rates::Usual), Just(Rates::Any)]
}

/// The fees and weights of chunks.
pub(super) fn diagram(chunks: &[Chunk]) -> Vec<FeeWeight> {
    chunks.iter().map(|chunk| chunk.rate).collect()
}

/// The positions of all chunks, one after the other.
pub(super) fn order(chunks: &[Chunk]) -> Vec<u8> {
    chunks
        .iter()
        .flat_map(|chunk| chunk.members.iter().copied())
        .collect()
}

/// The chunks of a graph, after it was checked that they are an order of it that chunks fit.
pub(super) fn checked_linearize(graph: &DependencyGraph) -> Vec<Chunk> {
    let chunks = linearize(graph);
    let mut done = 0_u64;
    for chunk in &chunks {
        assert!(!chunk.members.is_empty(), "an empty chunk");
        let mut sum = FeeWeight::default();
        for &member in &chunk.members {
            let member = usize::from(member);
            assert_eq!(done >> member & 1, 0, "{member} comes twice");
            let missing = graph.ancestors(member) & !done & !(1 << member);
            assert_eq!(missing, 0, "{member} comes before its ancestors");
            done |= 1 << member;
            sum += graph.rate(member);
        }
        assert_eq!(chunk.rate, sum);
    }
    assert_eq!(done, graph.all(), "some are missing");
    for pair in chunks.windows(2) {
        assert_ne!(
            pair[0].rate.cmp_rate(&pair[1].rate),
            Ordering::Less,
            "rates rise"
        );
    }
    assert_is_best(&chunks, &chunk_order(graph, &order(&chunks)));
    assert_eq!(linearize(graph), chunks, "not the same again");
    chunks
}

/// Checks that no other diagram is above that of the chunks.
pub(super) fn assert_is_best(chunks: &[Chunk], other: &[FeeWeight]) {
    let best = diagram(chunks);
    let verdict = compare_diagrams(&best, other);
    assert!(
        matches!(verdict, Some(Ordering::Greater | Ordering::Equal)),
        "{verdict:?}: {best:?} against {other:?}"
    );
}

/// Checks that no chunk can be cut into two of which the first pays no less, by looking at all its closed parts.
pub(super) fn assert_chunks_are_smallest(graph: &DependencyGraph, chunks: &[Chunk]) {
    for chunk in chunks {
        let members = chunk
            .members
            .iter()
            .fold(0_u64, |set, member| set | 1 << member);
        let mut part = members & members.wrapping_sub(1);
        while part != 0 {
            let is_closed =
                positions(part).all(|position| graph.ancestors(position) & members & !part == 0);
            assert!(
                part == members || !is_closed || graph.rate_of(part).cmp_rate(&chunk.rate).is_lt(),
                "{part:b} of {members:b} is a chunk by itself"
            );
            part = (part - 1) & members;
        }
    }
}
