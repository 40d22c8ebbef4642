//! Questions about the tree that others ask: locators, missing bodies, branches.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;

use super::{BlockTree, Node, NodeId};
use crate::info::{ChainPath, ChainTip, TipStatus};

/// A locator's hashes before the steps between them begin to double.
const LOCATOR_DENSE: usize = 10;

impl BlockTree {
    /// Hashes of the chain that `tip` ends, from it down to the genesis block: the first ten one by
    /// one, then with steps that double.
    pub(crate) fn locator(&self, tip: NodeId) -> Vec<BlockHash> {
        let mut hashes = Vec::new();
        let mut height = self.node(tip).height;
        let mut step = 1_u32;
        loop {
            let id = self
                .ancestor(tip, height)
                .expect("the height is at most the tip's");
            hashes.push(self.node(id).hash);
            if height == Height::GENESIS {
                return hashes;
            }
            if hashes.len() >= LOCATOR_DENSE {
                step = step.saturating_mul(2);
            }
            height = Height(height.0.saturating_sub(step));
        }
    }

    /// Up to `max` headers of the active chain after the first block of the locator that is in it,
    /// or after the genesis block if none is; up to `stop`, if it is met.
    pub(crate) fn headers_after(
        &self,
        locator: &[BlockHash],
        stop: Option<BlockHash>,
        max: usize,
    ) -> Vec<Header> {
        let common = locator
            .iter()
            .filter_map(|hash| self.find(hash))
            .find(|id| self.is_active(*id))
            .unwrap_or(NodeId::ROOT);
        let mut headers = Vec::new();
        let mut height = self.node(common).height.next();
        while let Some(id) = self.active_at(height).filter(|_| headers.len() < max) {
            let node = self.node(id);
            headers.push(node.header);
            if Some(node.hash) == stop {
                break;
            }
            height = height.next();
        }
        headers
    }

    /// Up to `max` blocks of the best header chain whose bodies are not stored, lowest first, up to
    /// `window` above the tip.
    pub(crate) fn missing_blocks(&self, max: usize, window: u32) -> Vec<(Height, BlockHash)> {
        let best = self.best_header();
        let fork = self.fork_point(best, self.tip());
        let highest = self.node(self.tip()).height.0.saturating_add(window);
        let last = self.node(best).height.0.min(highest);
        self.missing_between(fork, best, Height(last), max)
    }

    /// Up to `max` blocks after `ancestor` towards `end`, up to a height that is at most its own, whose bodies are
    /// not stored; lowest first.
    pub(super) fn missing_between(
        &self,
        ancestor: NodeId,
        end: NodeId,
        last: Height,
        max: usize,
    ) -> Vec<(Height, BlockHash)> {
        let mut missing = Vec::new();
        let mut height = self.node(ancestor).height.next();
        while height <= last && missing.len() < max {
            let id = self
                .ancestor(end, height)
                .expect("the height is at most the end's");
            let node = self.node(id);
            if !node.has_body() {
                missing.push((height, node.hash));
            }
            height = height.next();
        }
        missing
    }

    /// The highest block of the active chain whose body was pruned.
    pub(crate) fn pruned_height(&self) -> Option<Height> {
        // Blocks are pruned from below, one after the other: halve what is between.
        let is_pruned = |height| {
            let id = self.active_at(Height(height));
            id.is_some_and(|id| self.node(id).flags.pruned)
        };
        let (mut pruned, mut kept) = (0, self.node(self.tip()).height.0.saturating_add(1));
        while pruned + 1 < kept {
            let middle = pruned + (kept - pruned) / 2;
            if is_pruned(middle) {
                pruned = middle;
            } else {
                kept = middle;
            }
        }
        (pruned > 0).then_some(Height(pruned))
    }

    /// Whether any block was pruned, in whatever branch.
    pub(crate) fn has_pruned(&self) -> bool {
        self.ids().any(|id| self.node(id).flags.pruned)
    }

    /// The way from one block to another.
    pub(crate) fn path(&self, from: NodeId, to: NodeId) -> ChainPath {
        let fork = self.fork_point(from, to);
        let hash = |id: NodeId| self.node(id).hash;
        ChainPath {
            disconnect: self
                .ancestors(from)
                .take_while(|id| *id != fork)
                .map(hash)
                .collect(),
            fork_point: hash(fork),
            connect: self.upwards(fork, to).into_iter().map(hash).collect(),
        }
    }

    /// The ends of all branches and the tip, the highest first.
    pub(crate) fn tips(&self) -> Vec<ChainTip> {
        let mut has_child = vec![false; self.len()];
        for id in self.ids().skip(1) {
            has_child[self.node(id).parent.index()] = true;
        }
        let active = self.tip();
        let mut tips: Vec<_> = self
            .ids()
            .filter(|id| *id == active || !has_child[id.index()])
            .map(|id| self.chain_tip(id))
            .collect();
        tips.sort_by(|a, b| b.height.cmp(&a.height).then_with(|| a.hash.cmp(&b.hash)));
        tips
    }

    fn chain_tip(&self, id: NodeId) -> ChainTip {
        let node = self.node(id);
        let fork = self.node(self.fork_point(id, self.tip()));
        let status = if self.is_active(id) {
            TipStatus::Active
        } else {
            branch_status(node)
        };
        let branch_length = node.height.0 - fork.height.0;
        ChainTip {
            hash: node.hash,
            height: node.height,
            branch_length,
            status,
        }
    }
}

fn branch_status(node: &Node) -> TipStatus {
    if node.is_failed() {
        TipStatus::Invalid
    } else if !node.is_complete() {
        TipStatus::HeadersOnly
    } else if node.flags.connected {
        TipStatus::ValidFork
    } else {
        TipStatus::ValidHeaders
    }
}
