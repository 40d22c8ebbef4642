//! A chain that began with a file of coins: its blocks up to the file's are validated in the background.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;

use super::{BlockTree, NodeId};

/// What is known of the background validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assumed {
    /// The block whose coins the file had. It is in the best chain.
    pub(crate) base: NodeId,
    /// The last block that is validated in the background.
    pub(crate) background: NodeId,
}

impl BlockTree {
    /// The background validation, while there is one.
    pub(crate) fn assumed(&self) -> Option<Assumed> {
        self.assumed
    }

    /// Takes a block for complete, with so many transactions in the chain that it ends, whatever bodies are
    /// missing; the chain that `background` ends is what is validated so far.
    pub(crate) fn assume(&mut self, assumed: Assumed, chain_tx_count: u64) {
        self.assumed = Some(assumed);
        let base = self.node_mut(assumed.base);
        if base.chain_tx_count.is_none() {
            base.chain_tx_count = Some(chain_tx_count);
            self.complete_waiting(vec![assumed.base]);
        }
    }

    /// Notes how far the background validation is.
    pub(crate) fn set_background(&mut self, id: NodeId) {
        if let Some(assumed) = &mut self.assumed {
            assumed.background = id;
        }
    }

    /// The background validation has ended.
    pub(crate) fn end_assumption(&mut self) {
        self.assumed = None;
    }

    /// Notes that a block is valid, which is not the tip's child.
    pub(crate) fn set_connected(&mut self, id: NodeId) {
        self.node_mut(id).flags.connected = true;
    }

    /// Whether the best chain may end in a block: not where it would have to leave a base whose undo data is
    /// not there yet.
    pub(crate) fn may_be_tip(&self, id: NodeId) -> bool {
        self.assumed.is_none_or(|assumed| {
            let height = self.node(assumed.base).height;
            self.ancestor(id, height) == Some(assumed.base)
        })
    }

    /// Whether a block is the base that is being validated, or an ancestor of it.
    pub(crate) fn is_assumed(&self, id: NodeId) -> bool {
        self.assumed.is_some_and(|assumed| {
            let height = self.node(id).height;
            self.ancestor(assumed.base, height) == Some(id)
        })
    }

    /// The block that the background validation connects next; `None` when it has to disconnect first, or is
    /// at the base.
    pub(crate) fn next_background(&self) -> Option<NodeId> {
        let Assumed { base, background } = self.assumed?;
        let height = self.node(background).height;
        if self.ancestor(base, height) != Some(background) {
            return None;
        }
        self.ancestor(base, height.next())
    }

    /// Up to `max` blocks that the background validation lacks, lowest first, up to `window` above where it is.
    pub(crate) fn missing_background(&self, max: usize, window: u32) -> Vec<(Height, BlockHash)> {
        let Some(Assumed { base, background }) = self.assumed else {
            return Vec::new();
        };
        let fork = self.fork_point(base, background);
        let highest = self.node(fork).height.0.saturating_add(window);
        let last = self.node(base).height.0.min(highest);
        self.missing_between(fork, base, Height(last), max)
    }
}
