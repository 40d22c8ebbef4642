//! Which transaction of a cluster spends which: a transitive closure in words of 64 bits.

use super::FeeWeight;

/// The most transactions of a cluster, as many as a word has bits.
pub const MAX_CLUSTER_COUNT: usize = 64;

/// At most 64 transactions, and which of them spend which. They are known by their position, from 0, and sets of
/// them are words with a bit for each position.
#[derive(Clone, Debug, Default)]
pub struct DependencyGraph {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    rate: FeeWeight,
    parents: u64,
    /// Itself included, like the descendants.
    ancestors: u64,
    descendants: u64,
}

impl DependencyGraph {
    /// A graph of no transactions.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: Vec::new() }
    }

    /// A graph of no transactions, with room for some.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(count.min(MAX_CLUSTER_COUNT)),
        }
    }

    /// Adds a transaction that spends `parents`, and returns its position. Of a fee beyond [`FeeWeight::MAX_FEE`] and
    /// a weight beyond [`FeeWeight::MAX_WEIGHT`] no more than that counts, and a weight of zero counts as one.
    ///
    /// # Panics
    ///
    /// If the graph is full, or a parent was not added before.
    pub fn add(&mut self, rate: FeeWeight, parents: u64) -> usize {
        let position = self.nodes.len();
        assert!(
            position < MAX_CLUSTER_COUNT,
            "a cluster has at most {MAX_CLUSTER_COUNT} transactions"
        );
        assert!(
            parents >> position == 0,
            "parents are added before their children"
        );
        let own = 1 << position;
        let ancestors =
            positions(parents).fold(own, |set, parent| set | self.nodes[parent].ancestors);
        for ancestor in positions(ancestors ^ own) {
            self.nodes[ancestor].descendants |= own;
        }
        self.nodes.push(Node {
            rate: rate.bounded(),
            parents,
            ancestors,
            descendants: own,
        });
        position
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The set of all transactions.
    #[must_use]
    pub fn all(&self) -> u64 {
        match self.nodes.len() {
            0 => 0,
            count => u64::MAX >> (MAX_CLUSTER_COUNT - count),
        }
    }

    /// The fee and weight of a transaction.
    ///
    /// # Panics
    ///
    /// Like everything that takes a position, if there is none such.
    #[must_use]
    pub fn rate(&self, position: usize) -> FeeWeight {
        self.nodes[position].rate
    }

    /// The fees and weights of a set of transactions together.
    #[must_use]
    pub fn rate_of(&self, set: u64) -> FeeWeight {
        positions(set).map(|position| self.rate(position)).sum()
    }

    /// Whom a transaction spends directly, as given.
    #[must_use]
    pub fn parents(&self, position: usize) -> u64 {
        self.nodes[position].parents
    }

    /// Whom a transaction spends, directly or not, and itself.
    #[must_use]
    pub fn ancestors(&self, position: usize) -> u64 {
        self.nodes[position].ancestors
    }

    /// Who spends a transaction, directly or not, and itself.
    #[must_use]
    pub fn descendants(&self, position: usize) -> u64 {
        self.nodes[position].descendants
    }
}

/// The positions in a set, the smallest first.
pub fn positions(set: u64) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let position = left.trailing_zeros() as usize;
        left &= left - 1;
        Some(position)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> FeeWeight {
        FeeWeight::new(1, 1)
    }

    #[test]
    fn the_closure_is_kept() {
        let mut graph = DependencyGraph::with_capacity(5);
        assert!(graph.is_empty());
        assert_eq!(graph.all(), 0);
        let parents = [0, 0b1, 0b1, 0b110, 0];
        for (position, parents) in parents.into_iter().enumerate() {
            assert_eq!(graph.add(rate(), parents), position);
            assert_eq!(graph.parents(position), parents);
        }
        let ancestors: Vec<_> = (0..5).map(|position| graph.ancestors(position)).collect();
        assert_eq!(ancestors, [0b1, 0b11, 0b101, 0b1111, 0b10000]);
        let descendants: Vec<_> = (0..5).map(|position| graph.descendants(position)).collect();
        assert_eq!(descendants, [0b1111, 0b1010, 0b1100, 0b1000, 0b10000]);
        assert_eq!(graph.len(), 5);
        assert_eq!(graph.all(), 0b11111);
        assert_eq!(graph.rate_of(0b101), FeeWeight::new(2, 2));
    }

    #[test]
    fn sixty_four_fit() {
        let mut graph = DependencyGraph::new();
        for position in 0..MAX_CLUSTER_COUNT {
            graph.add(rate(), (1 << position) - 1);
        }
        assert_eq!(graph.all(), u64::MAX);
        assert_eq!(graph.ancestors(63), u64::MAX);
        assert_eq!(graph.descendants(0), u64::MAX);
    }

    #[test]
    #[should_panic(expected = "at most 64")]
    fn sixty_five_do_not_fit() {
        let mut graph = DependencyGraph::new();
        for _ in 0..=MAX_CLUSTER_COUNT {
            graph.add(rate(), 0);
        }
    }

    #[test]
    #[should_panic(expected = "before their children")]
    fn a_parent_must_be_there() {
        DependencyGraph::new().add(rate(), 1);
    }

    #[test]
    fn positions_are_those_of_the_bits() {
        assert_eq!(positions(0).count(), 0);
        assert_eq!(positions(u64::MAX).count(), 64);
        let some: Vec<_> = positions(1 << 63 | 0b1010).collect();
        assert_eq!(some, [1, 3, 63]);
    }
}
