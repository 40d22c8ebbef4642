//! Small clusters, against every order that there is.

use proptest::prelude::*;

use super::graphs::{
    Rates, assert_chunks_are_smallest, assert_is_best, checked_linearize, graphs, rates,
};
use crate::cluster::{DependencyGraph, FeeWeight, chunk_order, positions};

/// Calls `visit` with each order of the graph that parents come first in.
fn each_order(
    graph: &DependencyGraph,
    order: &mut Vec<u8>,
    left: u64,
    visit: &mut impl FnMut(&[u8]),
) {
    if left == 0 {
        return visit(order);
    }
    for next in positions(left) {
        if graph.ancestors(next) & left == 1 << next {
            order.push(u8::try_from(next).unwrap());
            each_order(graph, order, left ^ 1 << next, visit);
            order.pop();
        }
    }
}

fn assert_is_optimal(graph: &DependencyGraph) {
    let chunks = checked_linearize(graph);
    assert_chunks_are_smallest(graph, &chunks);
    each_order(graph, &mut Vec::new(), graph.all(), &mut |order| {
        assert_is_best(&chunks, &chunk_order(graph, order));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_order_is_better(graph in rates().prop_flat_map(|rates| graphs(1..7_usize, rates))) {
        assert_is_optimal(&graph);
    }

    #[test]
    fn chunks_are_as_small_as_can_be(graph in rates().prop_flat_map(|rates| graphs(6..14_usize, rates))) {
        assert_chunks_are_smallest(&graph, &checked_linearize(&graph));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn no_order_of_eight_is_better(graph in graphs(Just(8), Rates::Few)) {
        assert_is_optimal(&graph);
    }
}

/// Every graph of four transactions, with every choice among some rates.
#[test]
fn no_order_of_any_graph_of_four_is_better() {
    const RATES: [(i64, u64); 4] = [(0, 1), (1, 1), (2, 1), (3, 2)];
    for edges in 0..1_u64 << 6 {
        let parents = [0, edges & 1, edges >> 1 & 3, edges >> 3];
        for choice in 0..4_usize.pow(4) {
            let mut graph = DependencyGraph::with_capacity(4);
            for (position, parents) in parents.into_iter().enumerate() {
                let (fee, weight) = RATES[choice >> (2 * position) & 3];
                graph.add(FeeWeight::new(fee, weight), parents);
            }
            assert_is_optimal(&graph);
        }
    }
}
