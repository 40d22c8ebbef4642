//! The best order of a cluster, exactly, in polynomial time.
//!
//! The chunks of the best order are nested: for every rate there is a smallest closed set that is worth the most
//! above that rate, and it grows as the rate falls (G. Gallo, M. D. Grigoriadis and R. E. Tarjan, "A fast parametric
//! maximum flow algorithm and applications", 1989). So the set of all transactions is split at its own rate: what is
//! worth the most above it comes first, the rest after, and each half is split again. All chunks of the first half pay
//! more than the rate that it was split at and all of the second at most that much, so that the halves never
//! mix. A set that no part outpays is one rate's own, and falls into the smallest parts that pay the same.
//!
//! That no order is better: the corners of the diagram that comes out are closed sets, each worth the most above the
//! rate of the chunk before it and of the chunk after it. So no closed set lies above the line through that chunk, thus
//! none above the diagram, and the corners of any other order's diagram are closed sets.

use super::components::components;
use super::flow::{Flow, Worth, fits_i64, position_u8};
use super::{DependencyGraph, FeeWeight, MAX_CLUSTER_COUNT, positions};

/// Transactions that are mined together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Their positions in an order that parents come first in.
    pub members: Vec<u8>,
    /// Their fees and weights together.
    pub rate: FeeWeight,
}

/// The best order of a cluster: no other has a diagram that is above its anywhere. Chunks come by falling rate and are
/// as small as can be, which means that chunks of equal rate stay apart where they can; of those that may come next the
/// lightest does. Within a chunk parents come first, and of those that may come next the one with the highest
/// rate of its own. What is still open is decided by the smaller position.
#[must_use]
pub fn linearize(graph: &DependencyGraph) -> Vec<Chunk> {
    match graph.len() {
        0 => Vec::new(),
        1 => vec![Chunk {
            members: vec![0],
            rate: graph.rate(0),
        }],
        _ if fits_i64(graph) => Linearizer::<i64>::new(graph).run(),
        _ => Linearizer::<i128>::new(graph).run(),
    }
}

struct Linearizer<'a, W> {
    graph: &'a DependencyGraph,
    /// All positions by falling rate, the smaller position first.
    by_rate: [u8; MAX_CLUSTER_COUNT],
    /// Who pays a lower rate than each.
    lower: [u64; MAX_CLUSTER_COUNT],
    /// Made when it is needed first.
    flow: Option<Flow<'a, W>>,
    chunks: Vec<Chunk>,
}

impl<'a, W: Worth> Linearizer<'a, W> {
    fn new(graph: &'a DependencyGraph) -> Self {
        let mut by_rate = [0; MAX_CLUSTER_COUNT];
        for (position, slot) in by_rate[..graph.len()].iter_mut().enumerate() {
            *slot = position_u8(position);
        }
        let rate = |position: u8| graph.rate(usize::from(position));
        by_rate[..graph.len()].sort_by(|&a, &b| rate(b).cmp_rate(&rate(a)));
        let mut lower = [0; MAX_CLUSTER_COUNT];
        let mut after = graph.all();
        for run in by_rate[..graph.len()].chunk_by(|&a, &b| rate(a).cmp_rate(&rate(b)).is_eq()) {
            after = run
                .iter()
                .fold(after, |after, &position| after & !(1 << position));
            for &position in run {
                lower[usize::from(position)] = after;
            }
        }
        Self {
            graph,
            by_rate,
            lower,
            flow: None,
            chunks: Vec::with_capacity(graph.len()),
        }
    }

    fn run(mut self) -> Vec<Chunk> {
        // Disjoint sets, the last of which comes next.
        let mut sets = [0; MAX_CLUSTER_COUNT];
        sets[0] = self.graph.all();
        let mut count = 1;
        while count > 0 {
            count -= 1;
            let set = sets[count];
            if self.is_by_rate(set) {
                self.push_singles(set);
                continue;
            }
            let graph = self.graph;
            let flow = self.flow.get_or_insert_with(|| Flow::new(graph));
            let part = flow.best_part(set);
            if part == 0 {
                let suppliers = flow.suppliers();
                self.push_components(set, suppliers);
            } else {
                sets[count] = set ^ part;
                sets[count + 1] = part;
                count += 2;
            }
        }
        self.chunks
    }

    /// Whether nobody in a set pays more than one of its parents.
    fn is_by_rate(&self, set: u64) -> bool {
        positions(set).all(|child| self.graph.parents(child) & self.lower[child] & set == 0)
    }

    /// Cuts a set, in which nobody pays more than its ancestors, into single transactions.
    fn push_singles(&mut self, set: u64) {
        let mut left = set;
        for place in 0..self.graph.len() {
            let first = usize::from(self.by_rate[place]);
            if left >> first & 1 == 0 {
                continue;
            }
            let same = left & !self.lower[first];
            left ^= same;
            if same.is_power_of_two() {
                self.push(same);
            } else {
                self.push_components(same, [0; MAX_CLUSTER_COUNT]);
            }
        }
    }

    /// Cuts a set that no part outpays, where some need others besides their ancestors.
    fn push_components(&mut self, set: u64, needed: [u64; MAX_CLUSTER_COUNT]) {
        components(self.graph, set, needed, |members| self.push(members));
    }

    /// Puts the members of the next chunk in order.
    fn push(&mut self, chunk: u64) {
        let mut members = Vec::with_capacity(chunk.count_ones() as usize);
        let mut left = chunk;
        while left != 0 {
            let ready = |position: usize| self.graph.ancestors(position) & left == 1 << position;
            let next = if left.is_power_of_two() {
                left.trailing_zeros() as usize
            } else {
                self.by_rate[..self.graph.len()]
                    .iter()
                    .map(|&position| usize::from(position))
                    .find(|&position| left >> position & 1 == 1 && ready(position))
                    .expect("ancestors have no circles")
            };
            members.push(position_u8(next));
            left ^= 1 << next;
        }
        self.chunks.push(Chunk {
            members,
            rate: self.graph.rate_of(chunk),
        });
    }
}
