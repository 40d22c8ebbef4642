//! One chain in the tree, as the rules look at it.

use std::sync::{Arc, PoisonError, RwLock};

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::{HeaderChain, Height};

use super::{BlockTree, NodeId};

/// The headers from the genesis block to some block. It stays what it is, whatever becomes of the
/// best chain.
#[derive(Clone)]
pub struct BranchView {
    tree: Arc<RwLock<BlockTree>>,
    tip: NodeId,
    height: Height,
}

impl BranchView {
    /// The chain that `tip`, a block at `height`, ends.
    pub(crate) fn new(tree: Arc<RwLock<BlockTree>>, tip: NodeId, height: Height) -> Self {
        Self { tree, tip, height }
    }
}

impl HeaderChain for BranchView {
    fn tip_height(&self) -> Height {
        self.height
    }

    fn header(&self, height: Height) -> Header {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let id = tree
            .ancestor(self.tip, height)
            .expect("callers ask up to the tip's height");
        tree.node(id).header
    }
}

impl std::fmt::Debug for BranchView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BranchView")
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}
