//! Takes in headers and bodies: cheap checks first, then those that need the chain, then storing.

use std::sync::Arc;

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::{
    BlockContext, BlockError, HashedBlock, check_block, check_block_in_chain, check_header,
};
use pyrite_storage::schema::{Blocks, Headers};
use pyrite_storage::{Database, Durability, RawBlock};

use super::activate::check_on_tip;
use super::{Distance, Writer};
use crate::shared::MAX_BLOCKS_AHEAD;
use crate::tree::{LinkError, Node, NodeId};
use crate::{ChainError, SubmitError, Submitted};

impl Writer {
    /// Takes in headers, each after its parent.
    pub(super) fn submit_headers(
        &mut self,
        database: &Database,
        headers: &[Header],
    ) -> Result<Vec<BlockHash>, SubmitError> {
        let mut hashes = Vec::with_capacity(headers.len());
        for header in headers {
            let hash = header.block_hash();
            self.accept_header(database, hash, header)?;
            hashes.push(hash);
        }
        Ok(hashes)
    }

    /// Takes in a block, and makes its chain the best one if it has the most work.
    pub(super) fn submit_block(
        &mut self,
        database: &Database,
        block: &Arc<HashedBlock>,
        distance: Distance,
    ) -> Result<Submitted, SubmitError> {
        let hash = block.block_hash();
        let id = self.accept_header(database, hash, &block.header)?;
        if self.shared.tree().node(id).has_body() {
            return Ok(Submitted::Duplicate);
        }
        if distance == Distance::Bounded {
            self.check_distance(id)?;
        }
        if let Err(error) = self.check_body(id, block) {
            // A mutated block says nothing about the one whose hash it bears.
            if !error.is_mutation() {
                tracing::warn!(%hash, %error, "invalid block");
                if self.shared.tree().is_assumed(id) {
                    return Err(self.refuse_assumed(database, id, &error).into());
                }
                self.mark_failed(database, id)?;
            }
            return Err(error.into());
        }
        self.store_body(database, id, block)?;
        let failures = self.activate_best(database)?;
        self.ahead = None;
        self.verdict(id, failures)
    }

    /// The header's place in the tree, where it is put if it is new and valid.
    fn accept_header(
        &mut self,
        database: &Database,
        hash: BlockHash,
        header: &Header,
    ) -> Result<NodeId, SubmitError> {
        let (id, node) = {
            let tree = self.shared.tree();
            match tree.link(hash, header) {
                Ok(node) => (NodeId::from_index(tree.len()), node),
                Err(LinkError::NoParent(parent)) => {
                    return Err(SubmitError::UnknownParent(parent));
                }
                Err(LinkError::Known) => {
                    let known = tree.find(&hash).filter(|id| !tree.node(*id).is_failed());
                    return known.ok_or(SubmitError::KnownInvalid(hash));
                }
            }
        };
        if node.follows_failed {
            return Err(SubmitError::InvalidParent(header.prev_blockhash));
        }
        let parent = self.shared.branch(node.parent);
        check_header(&self.shared.spec, header, &parent, self.shared.clock.now())?;

        let mut batch = database.batch();
        batch.put::<Headers>(&hash, &node.record(id));
        self.commit(database, batch)?;
        self.shared.tree_mut().insert(node);
        Ok(id)
    }

    /// Bodies that have to wait for others are kept up to a limit.
    fn check_distance(&self, id: NodeId) -> Result<(), SubmitError> {
        let tree = self.shared.tree();
        let (node, tip) = (tree.node(id), tree.node(tree.tip()));
        let has_to_wait = !tree.node(node.parent).is_complete();
        if has_to_wait && node.height.0 > tip.height.0.saturating_add(MAX_BLOCKS_AHEAD) {
            return Err(SubmitError::TooFarAhead {
                hash: node.hash,
                height: node.height,
                tip: tip.height,
            });
        }
        Ok(())
    }

    /// The rules that need no coins.
    fn check_body(&self, id: NodeId, block: &HashedBlock) -> Result<(), BlockError> {
        let parent = self.shared.tree().node(id).parent;
        let branch = self.shared.branch(parent);
        let spec = &self.shared.spec;
        let (by_itself, in_chain) = self.shared.join_for(
            block,
            || check_block(spec, block),
            || check_block_in_chain(spec, block, &BlockContext::new(&branch)),
        );
        by_itself.and(in_chain)
    }

    /// Stores a body, and notes which chains are complete by it.
    fn store_body(
        &mut self,
        database: &Database,
        id: NodeId,
        block: &Arc<HashedBlock>,
    ) -> Result<(), ChainError> {
        let mut node = self.shared.tree().node(id).clone();
        node.tx_count =
            u32::try_from(block.txdata.len()).expect("a valid block is smaller than 2^32 bytes");
        // A block that was taken for complete before it was there keeps its place among others.
        let is_active = self.shared.tree().is_active(id);
        if !is_active {
            node.sequence = self.next_sequence;
            self.next_sequence = self.next_sequence.saturating_add(1);
        }

        self.commit_body(database, &node, id, block)?;

        let complete = self
            .shared
            .tree_mut()
            .set_body(id, node.tx_count, node.sequence);
        self.shared.cache.insert(node.hash, block);
        for completed in complete {
            if self.shared.tree().is_active(completed) {
                continue;
            }
            if completed != id {
                self.renumber(database, completed)?;
            }
            self.candidates.add(&self.shared.tree(), completed);
        }
        Ok(())
    }

    /// Commits a body. A child of the tip, which will be connected next, is checked at the same time.
    fn commit_body(
        &mut self,
        database: &Database,
        node: &Node,
        id: NodeId,
        block: &HashedBlock,
    ) -> Result<(), ChainError> {
        let commit = || {
            let mut batch = database.batch();
            batch.put_encoded::<Blocks>(&node.hash, &RawBlock::new(block).0);
            batch.put::<Headers>(&node.hash, &node.record(id));
            database.commit(batch, Durability::Buffered)
        };
        self.unsynced = true;
        let is_on_tip = {
            let tree = self.shared.tree();
            tree.node(id).parent == tree.tip() && !tree.is_active(id)
        };
        if !is_on_tip {
            return Ok(commit()?);
        }
        let scripts = self.scripts_of(id);
        let shared = &*self.shared;
        let check = || check_on_tip(shared, id, block, scripts);
        let (committed, verdict) = shared.join_for(block, commit, check);
        committed?;
        self.ahead = Some((id, verdict?));
        Ok(())
    }

    /// Gives a block whose body had to wait for another one its place behind what was complete before,
    /// as in Bitcoin Core's `ReceivedBlockTransactions`: the tip is not left for a chain of the same
    /// work that becomes complete after it, however early its last body came.
    fn renumber(&mut self, database: &Database, id: NodeId) -> Result<(), ChainError> {
        let sequence = self.next_sequence;
        self.next_sequence = self.next_sequence.saturating_add(1);
        self.shared.tree_mut().set_sequence(id, sequence);
        self.store_record(database, id)
    }

    /// What became of a stored block, when the best chain is settled.
    fn verdict(
        &self,
        id: NodeId,
        failures: Vec<(NodeId, BlockError)>,
    ) -> Result<Submitted, SubmitError> {
        if let Some((_, error)) = failures.into_iter().find(|(failed, _)| *failed == id) {
            return Err(error.into());
        }
        let tree = self.shared.tree();
        let node = tree.node(id);
        if node.is_failed() {
            return Err(SubmitError::InvalidParent(node.header.prev_blockhash));
        }
        // A block below the base of a snapshot is in the best chain before it is known to be valid.
        Ok(if tree.is_active(id) && node.flags.connected {
            Submitted::NewTip
        } else {
            Submitted::SideChain
        })
    }
}
