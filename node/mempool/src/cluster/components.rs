//! What is left when no part of a set pays more than the set: the smallest parts that pay the same.

use super::{DependencyGraph, MAX_CLUSTER_COUNT, positions};

/// Cuts a set into its smallest parts: those that need each other, in an order that whoever is needed comes before.
/// `needed` has whom each member needs besides its ancestors. Of the parts that may come next the lightest does,
/// or the one with the smallest position.
pub(super) fn components(
    graph: &DependencyGraph,
    set: u64,
    mut needed: [u64; MAX_CLUSTER_COUNT],
    mut emit: impl FnMut(u64),
) {
    for position in positions(set) {
        needed[position] = (needed[position] | graph.ancestors(position)) & set;
    }
    close(set, &mut needed);
    let mut waiting = [Component::default(); MAX_CLUSTER_COUNT];
    let mut count = 0;
    let mut left = set;
    while left != 0 {
        let first = left.trailing_zeros() as usize;
        let members = positions(needed[first] & left)
            .filter(|&other| needed[other] >> first & 1 == 1)
            .fold(1 << first, |members, other| members | 1 << other);
        waiting[count] = Component {
            weight: graph.rate_of(members).weight,
            members,
            after: needed[first] & !members,
        };
        count += 1;
        left &= !members;
    }
    // They were found by their smallest positions, and stay like that where the weights are equal.
    waiting[..count].sort_by_key(|component| component.weight);
    let mut left = set;
    while left != 0 {
        let next = waiting[..count]
            .iter()
            .find(|component| component.members & left != 0 && component.after & left == 0)
            .expect("who need each other are one component, so that no circle is left");
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

/// Makes a relation transitive (S. Warshall, "A theorem on Boolean matrices", 1962).
fn close(set: u64, relation: &mut [u64; MAX_CLUSTER_COUNT]) {
    for middle in positions(set) {
        let beyond = relation[middle];
        for position in positions(set) {
            if relation[position] >> middle & 1 == 1 {
                relation[position] |= beyond;
            }
        }
    }
}
