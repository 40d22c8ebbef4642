//! Fuzz target: any cluster.

use bolero::check;

use super::graphs::{assert_chunks_are_smallest, assert_is_best, checked_linearize};
use crate::cluster::{DependencyGraph, FeeWeight, MAX_CLUSTER_COUNT, chunk_order};

/// Bytes of a transaction: a fee, a weight and its parents.
const RECORD: usize = 2 + 1 + 8;

/// Bytes as a cluster. The first says how fees are scaled, so that all kinds of arithmetic are reached.
fn graph_of(bytes: &[u8]) -> DependencyGraph {
    let (scale, records) = bytes.split_first().unwrap_or((&0, &[]));
    let mut graph = DependencyGraph::new();
    for record in records.chunks_exact(RECORD).take(MAX_CLUSTER_COUNT) {
        let fee = i64::from(i16::from_le_bytes([record[0], record[1]])) << (scale % 48);
        let weight = u64::from(record[2]) << (scale % 5);
        let parents = u64::from_le_bytes(record[3..].try_into().unwrap());
        graph.add(FeeWeight::new(fee, weight), parents & graph.all());
    }
    graph
}

#[test]
fn fuzz_linearization() {
    check!()
        .with_max_len(1 + MAX_CLUSTER_COUNT * RECORD)
        .for_each(|bytes| {
            let graph = graph_of(bytes);
            let chunks = checked_linearize(&graph);
            let as_added: Vec<u8> = (0..u8::try_from(graph.len()).unwrap()).collect();
            assert_is_best(&chunks, &chunk_order(&graph, &as_added));
            if graph.len() <= 10 {
                assert_chunks_are_smallest(&graph, &chunks);
            }
        });
}
