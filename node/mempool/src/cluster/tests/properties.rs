//! Clusters of any size, against simpler ways to order them.

use proptest::prelude::*;

use super::graphs::{assert_is_best, checked_linearize, graphs, rates};
use crate::cluster::{DependencyGraph, FeeWeight, chunk_order, positions};

/// Calls `choose` for the next set of transactions until all are placed; a set goes in by position, which
/// puts parents first.
fn order_by_choice(graph: &DependencyGraph, choose: impl Fn(u64) -> u64) -> Vec<FeeWeight> {
    let mut order = Vec::new();
    let mut left = graph.all();
    while left != 0 {
        let chosen = choose(left);
        order.extend(positions(chosen).map(|position| u8::try_from(position).unwrap()));
        left &= !chosen;
    }
    chunk_order(graph, &order)
}

/// The set with the highest rate.
fn highest(graph: &DependencyGraph, sets: impl Iterator<Item = u64>) -> u64 {
    sets.max_by(|&a, &b| graph.rate_of(a).cmp_rate(&graph.rate_of(b)))
        .expect("something is left")
}

/// The order that block templates were made in before clusters: the transaction with the highest rate of itself with its
/// ancestors is next, after these.
fn by_ancestor_rate(graph: &DependencyGraph) -> Vec<FeeWeight> {
    order_by_choice(graph, |left| {
        highest(
            graph,
            positions(left).map(|position| graph.ancestors(position) & left),
        )
    })
}

/// The transaction with the highest rate is next, of those whose parents are placed.
fn by_own_rate(graph: &DependencyGraph) -> Vec<FeeWeight> {
    order_by_choice(graph, |left| {
        let ready = positions(left)
            .map(|position| (position, graph.ancestors(position) & left))
            .filter(|&(position, ancestors)| ancestors == 1 << position);
        highest(graph, ready.map(|(_, ancestors)| ancestors))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn simple_orders_are_not_better(
        graph in rates().prop_flat_map(|rates| graphs(1..65_usize, rates)),
    ) {
        let chunks = checked_linearize(&graph);
        assert_is_best(&chunks, &by_ancestor_rate(&graph));
        assert_is_best(&chunks, &by_own_rate(&graph));
        let as_added: Vec<u8> = (0..u8::try_from(graph.len()).unwrap()).collect();
        assert_is_best(&chunks, &chunk_order(&graph, &as_added));
    }

    /// Whom parents are given as does not matter, only who depends on whom.
    #[test]
    fn all_ancestors_as_parents_change_nothing(
        graph in rates().prop_flat_map(|rates| graphs(1..65_usize, rates)),
    ) {
        let mut closed = DependencyGraph::with_capacity(graph.len());
        for position in 0..graph.len() {
            closed.add(graph.rate(position), graph.ancestors(position) ^ 1 << position);
        }
        prop_assert_eq!(checked_linearize(&closed), checked_linearize(&graph));
    }

    /// Fees that are too large for the fast arithmetic come to the same order.
    #[test]
    fn the_scale_of_fees_changes_nothing(
        graph in graphs(1..65_usize, super::graphs::Rates::Usual),
    ) {
        let mut scaled = DependencyGraph::with_capacity(graph.len());
        for position in 0..graph.len() {
            let FeeWeight { fee, weight } = graph.rate(position);
            scaled.add(FeeWeight::new(fee << 38, weight), graph.parents(position));
        }
        let members = |graph| {
            let chunks = checked_linearize(graph);
            chunks.into_iter().map(|chunk| chunk.members).collect::<Vec<_>>()
        };
        prop_assert_eq!(members(&scaled), members(&graph));
    }
}
