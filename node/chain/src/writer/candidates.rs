//! The blocks that the best chain may end in: those whose chain has all bodies, is not known to be
//! invalid, and has at least the work of the present one.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use pyrite_consensus::bitcoin::Work;

use crate::tree::{BlockTree, NodeId};

/// Orders blocks by work; of equal work, the one that came first (or was made precious last) is the
/// greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    work: Work,
    sequence: Reverse<i64>,
    id: Reverse<NodeId>,
}

impl Rank {
    fn of(tree: &BlockTree, id: NodeId) -> Self {
        let node = tree.node(id);
        Self {
            work: node.work,
            sequence: Reverse(node.sequence),
            id: Reverse(id),
        }
    }
}

/// The set of candidates.
#[derive(Debug, Default)]
pub(crate) struct Candidates(BTreeSet<Rank>);

impl Candidates {
    /// All candidates of a tree. The floor is the last block of the active chain that is not known to
    /// be invalid: there is no need to look below it.
    pub(crate) fn of(tree: &BlockTree) -> Self {
        let floor = tree
            .ancestors(tree.tip())
            .find(|id| !tree.node(*id).is_failed());
        let floor = Rank::of(tree, floor.unwrap_or(NodeId::ROOT));
        let ranks = tree
            .ids()
            .filter(|id| is_candidate(tree, *id))
            .map(|id| Rank::of(tree, id))
            .filter(|rank| *rank >= floor);
        Self(ranks.collect())
    }

    /// Adds a block whose chain has become complete, if it is not invalid.
    pub(crate) fn add(&mut self, tree: &BlockTree, id: NodeId) {
        if is_candidate(tree, id) {
            self.0.insert(Rank::of(tree, id));
        }
    }

    /// Takes a block out, before its rank changes.
    pub(crate) fn remove(&mut self, tree: &BlockTree, id: NodeId) {
        self.0.remove(&Rank::of(tree, id));
    }

    /// The block that the best chain ends in.
    pub(crate) fn best(&self) -> Option<NodeId> {
        self.0.last().map(|rank| rank.id.0)
    }

    /// Drops those that have become invalid.
    pub(crate) fn drop_failed(&mut self, tree: &BlockTree) {
        self.0.retain(|rank| !tree.node(rank.id.0).is_failed());
    }

    /// Drops those below the tip.
    pub(crate) fn drop_below_tip(&mut self, tree: &BlockTree) {
        self.0 = self.0.split_off(&Rank::of(tree, tree.tip()));
    }
}

/// Whether the best chain may end in a block, as far as the tree says.
fn is_candidate(tree: &BlockTree, id: NodeId) -> bool {
    let node = tree.node(id);
    node.is_complete() && !node.is_failed() && tree.may_be_tip(id)
}
