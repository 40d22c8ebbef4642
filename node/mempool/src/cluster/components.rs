//! What is left when no part of a set pays more than the set: the smallest parts that pay the same.

use super::{DependencyGraph, MAX_CLUSTER_COUNT, positions};

/// Cuts a set into its smallest parts: those that drag each other along, in an order that whoever is dragged along
/// comes before. `dragged` has for each member whom it drags along, directly at least; of the parts that may come
/// next the lightest does, or the one with the smallest position.
pub(super) fn components(
    graph: &DependencyGraph,
    set: u64,
    mut dragged: [u64; MAX_CLUSTER_COUNT],
    mut emit: impl FnMut(u64),
) {
    close(set, &mut dragged);
    let mut waiting = [Component::default(); MAX_CLUSTER_COUNT];
    let mut count = 0;
    let mut left = set;
    while left != 0 {
        let first = left.trailing_zeros() as usize;
        let members = positions(dragged[first] & left)
            .filter(|&other| dragged[other] >> first & 1 == 1)
            .fold(1 << first, |members, other| members | 1 << other);
        waiting[count] = Component {
            weight: graph.rate_of(members).weight,
            members,
            after: dragged[first] & !members,
        };
        count += 1;
        left &= !members;
    }
    // They were found by their smallest positions, and stay like that where the weights are equal.
    waiting[..count].sort_by_key(|component| component.weight);
    let mut left = set;
    while left != 0 {
        let Some(next) = waiting[..count]
            .iter()
            .find(|component| component.members & left != 0 && component.after & left == 0)
        else {
            unreachable!("components of mutual reachability have no circles");
        };
        emit(next.members);
        left &= !next.members;
    }
}

#[derive(Clone, Copy, Default)]
struct Component {
    weight: u64,
    members: u64,
    /// Who comes before.
    after: u64,
}

/// Makes a relation transitive and reflexive (S. Warshall, "A theorem on Boolean matrices", 1962).
fn close(set: u64, relation: &mut [u64; MAX_CLUSTER_COUNT]) {
    for position in positions(set) {
        relation[position] = relation[position] & set | 1 << position;
    }
    for middle in positions(set) {
        let beyond = relation[middle];
        for position in positions(set) {
            if relation[position] >> middle & 1 == 1 {
                relation[position] |= beyond;
            }
        }
    }
}
