//! The tree itself: insertion, ancestors, the best chain, and what is invalid.
//!
//! Nodes are never removed and their headers never change, so a `NodeId` stays good for ever. The
//! writer changes the tree; everybody else reads it.

use std::cmp::Reverse;
use std::collections::HashMap;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::pow::header_work;
use pyrite_storage::HeaderFlags;

use super::{Assumed, Node, NodeId};

/// Blocks whose times make a median time past (BIP-0113).
const MEDIAN_TIME_SPAN: usize = 11;

/// Why a header can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the parent {0} is not in the tree")]
    NoParent(BlockHash),
    #[error("the header is in the tree already")]
    Known,
}

/// All known headers.
#[derive(Debug)]
pub(crate) struct BlockTree {
    nodes: Vec<Node>,
    by_hash: HashMap<BlockHash, NodeId>,
    /// The connected chain by height: what the coins belong to.
    active: Vec<NodeId>,
    /// The most work among what is not known to be invalid; what came first where equal.
    best_header: NodeId,
    /// Blocks whose bodies are stored and that wait for their parent to be complete.
    waiting: HashMap<NodeId, Vec<NodeId>>,
    /// A block that is taken for complete until it is validated.
    pub(super) assumed: Option<Assumed>,
}

impl BlockTree {
    /// A tree of the genesis block alone, which is also the active chain.
    pub(crate) fn new(genesis: Header) -> Self {
        let hash = genesis.block_hash();
        let root = Node {
            hash,
            header: genesis,
            height: Height::GENESIS,
            parent: NodeId::ROOT,
            jump: NodeId::ROOT,
            work: header_work(&genesis),
            median_time_past: genesis.time,
            sequence: 0,
            tx_count: 0,
            chain_tx_count: None,
            flags: HeaderFlags::default(),
            follows_failed: false,
        };
        Self {
            nodes: vec![root],
            by_hash: HashMap::from([(hash, NodeId::ROOT)]),
            active: vec![NodeId::ROOT],
            best_header: NodeId::ROOT,
            waiting: HashMap::new(),
            assumed: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId::from_index)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    pub(crate) fn find(&self, hash: &BlockHash) -> Option<NodeId> {
        self.by_hash.get(hash).copied()
    }

    /// What a header would become, without adding it.
    pub(crate) fn link(&self, hash: BlockHash, header: &Header) -> Result<Node, LinkError> {
        if self.by_hash.contains_key(&hash) {
            return Err(LinkError::Known);
        }
        let parent_id = self
            .find(&header.prev_blockhash)
            .ok_or(LinkError::NoParent(header.prev_blockhash))?;
        let parent = self.node(parent_id);
        Ok(Node {
            hash,
            header: *header,
            height: parent.height.next(),
            parent: parent_id,
            jump: self.jump_of_child(parent_id),
            work: parent.work + header_work(header),
            median_time_past: self.median_time_past(parent_id, header.time),
            sequence: 0,
            tx_count: 0,
            chain_tx_count: None,
            flags: HeaderFlags::default(),
            follows_failed: parent.is_failed(),
        })
    }

    /// Adds what `link` made.
    pub(crate) fn insert(&mut self, node: Node) -> NodeId {
        let id = NodeId::from_index(self.nodes.len());
        self.by_hash.insert(node.hash, id);
        if !node.is_failed() && node.work > self.node(self.best_header).work {
            self.best_header = id;
        }
        self.nodes.push(node);
        id
    }

    /// The jump pointer of a child of `parent`, as in Myers' "An applicative random-access stack"
    /// (1983): where the parent's last two jumps are of the same length, one over both, else one
    /// step. It depends on the height alone, and makes look-ups logarithmic.
    fn jump_of_child(&self, parent: NodeId) -> NodeId {
        let first = self.node(parent).jump;
        let second = self.node(first).jump;
        let length = |from: NodeId, to: NodeId| self.node(from).height.0 - self.node(to).height.0;
        if length(parent, first) == length(first, second) {
            second
        } else {
            parent
        }
    }

    fn median_time_past(&self, parent: NodeId, time: u32) -> u32 {
        let mut times = vec![time];
        let ancestors = self.ancestors(parent).take(MEDIAN_TIME_SPAN - 1);
        times.extend(ancestors.map(|id| self.node(id).header.time));
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// The block itself, its parent, and so on to the root.
    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let parent = |id: &NodeId| (*id != NodeId::ROOT).then(|| self.node(*id).parent);
        std::iter::successors(Some(id), parent)
    }

    /// The ancestor of `id` (or itself) at `height`; `None` above it.
    pub(crate) fn ancestor(&self, mut id: NodeId, height: Height) -> Option<NodeId> {
        if height > self.node(id).height {
            return None;
        }
        loop {
            if self.is_active(id) {
                return self.active_at(height);
            }
            let node = self.node(id);
            if node.height == height {
                return Some(id);
            }
            id = if self.node(node.jump).height >= height {
                node.jump
            } else {
                node.parent
            };
        }
    }

    /// The last block that both chains have in common.
    pub(crate) fn fork_point(&self, a: NodeId, b: NodeId) -> NodeId {
        let height = self.node(a).height.min(self.node(b).height);
        let level = |id| {
            self.ancestor(id, height)
                .expect("the height is at most the block's own")
        };
        let (mut a, mut b) = (level(a), level(b));
        while a != b {
            let (node_a, node_b) = (self.node(a), self.node(b));
            // Jumps from the same height land on the same height.
            if node_a.jump == node_b.jump {
                (a, b) = (node_a.parent, node_b.parent);
            } else {
                (a, b) = (node_a.jump, node_b.jump);
            }
        }
        a
    }

    /// The blocks after `ancestor` up to `id`, upwards.
    pub(crate) fn upwards(&self, ancestor: NodeId, id: NodeId) -> Vec<NodeId> {
        let mut path: Vec<_> = self
            .ancestors(id)
            .take_while(|id| *id != ancestor)
            .collect();
        path.reverse();
        path
    }

    /// The tip of the active chain.
    pub(crate) fn tip(&self) -> NodeId {
        *self
            .active
            .last()
            .expect("the genesis block is always active")
    }

    pub(crate) fn active_at(&self, height: Height) -> Option<NodeId> {
        self.active.get(usize::try_from(height.0).ok()?).copied()
    }

    pub(crate) fn is_active(&self, id: NodeId) -> bool {
        self.active_at(self.node(id).height) == Some(id)
    }

    /// Makes the chain that `tip` ends the active one: what the database says at the start.
    pub(crate) fn set_active(&mut self, tip: NodeId) {
        let mut active: Vec<_> = self.ancestors(tip).collect();
        active.reverse();
        self.active = active;
    }

    /// Puts a child of the tip on top.
    pub(crate) fn connected(&mut self, id: NodeId) {
        debug_assert_eq!(
            self.node(id).parent,
            self.tip(),
            "only a child of the tip connects"
        );
        self.node_mut(id).flags.connected = true;
        self.active.push(id);
    }

    /// Takes the tip off, unless it is the genesis block.
    pub(crate) fn disconnected(&mut self) {
        if self.active.len() > 1 {
            self.active.pop();
        }
    }

    pub(crate) fn best_header(&self) -> NodeId {
        self.best_header
    }

    pub(crate) fn set_flags(&mut self, id: NodeId, flags: HeaderFlags) {
        self.node_mut(id).flags = flags;
    }

    pub(crate) fn set_pruned(&mut self, id: NodeId) {
        self.node_mut(id).flags.pruned = true;
    }

    pub(crate) fn set_sequence(&mut self, id: NodeId, sequence: i64) {
        self.node_mut(id).sequence = sequence;
    }

    /// Notes that the body is stored. Returns the blocks that are complete by it: itself and those
    /// that waited for it, or none while an ancestor's body is missing.
    pub(crate) fn set_body(&mut self, id: NodeId, tx_count: u32, sequence: i64) -> Vec<NodeId> {
        let node = self.node_mut(id);
        node.tx_count = tx_count;
        node.sequence = sequence;
        let parent = node.parent;
        if id != NodeId::ROOT && !self.node(parent).is_complete() {
            self.waiting.entry(parent).or_default().push(id);
            return Vec::new();
        }
        self.count_transactions(id);
        let base = self.assumed.map(|assumed| assumed.base);
        let assumed = base.and_then(|base| self.node(base).chain_tx_count);
        let complete = self.complete_waiting(vec![id]);
        // What a spec says of a chain's transactions may be wrong: now they are counted.
        if let Some(base) = base
            && self.node(base).chain_tx_count != assumed
        {
            self.recount(base);
        }
        complete
    }

    /// Counts the transactions of chains that waited for complete blocks, and adds their ends to those.
    pub(super) fn complete_waiting(&mut self, mut complete: Vec<NodeId>) -> Vec<NodeId> {
        let mut next = 0;
        while let Some(&id) = complete.get(next) {
            for child in self.waiting.remove(&id).unwrap_or_default() {
                self.count_transactions(child);
                complete.push(child);
            }
            next += 1;
        }
        complete
    }

    /// Counts the transactions of a chain whose end is complete by its parent.
    fn count_transactions(&mut self, id: NodeId) {
        let before = if id == NodeId::ROOT {
            0
        } else {
            self.node(self.node(id).parent)
                .chain_tx_count
                .unwrap_or_default()
        };
        let node = self.node_mut(id);
        node.chain_tx_count = Some(before.saturating_add(u64::from(node.tx_count)));
    }

    /// Counts the transactions again of complete chains that go on after a block.
    fn recount(&mut self, base: NodeId) {
        let height = self.node(base).height;
        for index in base.index() + 1..self.nodes.len() {
            let id = NodeId::from_index(index);
            if self.node(id).is_complete() && self.ancestor(id, height) == Some(base) {
                self.count_transactions(id);
            }
        }
    }

    /// Marks a block invalid, and with it what follows it.
    pub(crate) fn fail(&mut self, id: NodeId) {
        self.node_mut(id).flags.failed = true;
        self.propagate_failures();
    }

    /// Takes the mark from a block, its ancestors and its descendants (Bitcoin Core's
    /// `ResetBlockFailureFlags`). Returns those that had carried it themselves.
    pub(crate) fn reconsider(&mut self, id: NodeId) -> Vec<NodeId> {
        let mut related = vec![false; self.nodes.len()];
        related[id.index()] = true;
        for child in id.index() + 1..self.nodes.len() {
            related[child] = related[self.nodes[child].parent.index()];
        }
        for ancestor in self.ancestors(id) {
            related[ancestor.index()] = true;
        }
        let mut cleared = Vec::new();
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if related[index] && node.flags.failed {
                node.flags.failed = false;
                cleared.push(NodeId::from_index(index));
            }
        }
        self.propagate_failures();
        cleared
    }

    /// Brings `follows_failed` and the best header in line with the flags. One pass is enough, for a
    /// parent comes before its children.
    pub(crate) fn propagate_failures(&mut self) {
        for index in 1..self.nodes.len() {
            let parent = self.nodes[index].parent.index();
            self.nodes[index].follows_failed = self.nodes[parent].is_failed();
        }
        self.best_header = self
            .ids()
            .filter(|id| !self.node(*id).is_failed())
            .max_by_key(|id| (self.node(*id).work, Reverse(*id)))
            .unwrap_or(NodeId::ROOT);
    }
}

#[cfg(test)]
mod tests;
