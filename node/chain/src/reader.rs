//! `ChainReader`: questions about the chain, from any thread.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::{ChainSpec, Coin, HashedBlock, Height};
use pyrite_storage::Memory;
use pyrite_storage::schema::{Blocks, UndoData};
use tokio::sync::watch;

use crate::info::{BackgroundValidation, ChainPath, ChainTip, CoinsAt, HeaderInfo, Tip};
use crate::pruning::blocks_on_disk;
use crate::shared::{MAX_BLOCKS_AHEAD, Shared};
use crate::tree::BranchView;
use crate::{ChainError, ScriptVerifier};

/// Answers questions about the chain. Headers come from memory; blocks, undo data and coins from the
/// database, so those calls block and stay off the async runtime.
#[derive(Clone)]
pub struct ChainReader {
    shared: Arc<Shared>,
}

impl ChainReader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The chain's spec.
    #[must_use]
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.shared.spec
    }

    /// The last block of the best chain. While the chain reorganises it passes over the blocks in
    /// between; `watch_tip` tells of the end alone.
    #[must_use]
    pub fn tip(&self) -> Tip {
        let tree = self.shared.tree();
        tree.node(tree.tip()).tip()
    }

    /// The tip, as often as it is settled and would survive a power cut.
    #[must_use]
    pub fn watch_tip(&self) -> watch::Receiver<Tip> {
        self.shared.watch_tip()
    }

    /// `None` until the machine fails; then why. The chain takes no command after that.
    #[must_use]
    pub fn watch_failure(&self) -> watch::Receiver<Option<ChainError>> {
        self.shared.watch_failure()
    }

    /// A header and what is known of it.
    #[must_use]
    pub fn header(&self, hash: &BlockHash) -> Option<HeaderInfo> {
        let tree = self.shared.tree();
        tree.find(hash).map(|id| tree.node(id).info())
    }

    /// The header with the most work among those not known to be invalid. It is ahead of the tip
    /// while bodies are missing.
    #[must_use]
    pub fn best_header(&self) -> HeaderInfo {
        let tree = self.shared.tree();
        tree.node(tree.best_header()).info()
    }

    /// The block at a height of the best chain.
    #[must_use]
    pub fn hash_at(&self, height: Height) -> Option<BlockHash> {
        let tree = self.shared.tree();
        tree.active_at(height).map(|id| tree.node(id).hash)
    }

    /// Whether a block is in the best chain.
    #[must_use]
    pub fn is_in_best_chain(&self, hash: &BlockHash) -> bool {
        let tree = self.shared.tree();
        tree.find(hash).is_some_and(|id| tree.is_active(id))
    }

    /// The highest block of the best chain that was pruned, and all before it; `None` if none was.
    #[must_use]
    pub fn pruned_height(&self) -> Option<Height> {
        self.shared.tree().pruned_height()
    }

    /// Whether any block was pruned.
    #[must_use]
    pub fn has_pruned(&self) -> bool {
        self.shared.tree().has_pruned()
    }

    /// Bytes that the bodies and undo data of blocks take on disk, about.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn blocks_on_disk(&self) -> Result<u64, ChainError> {
        blocks_on_disk(&self.shared)
    }

    /// Whether a block's body was stored: it is not asked for any more. It may have been pruned since.
    #[must_use]
    pub fn has_block(&self, hash: &BlockHash) -> bool {
        let tree = self.shared.tree();
        tree.find(hash).is_some_and(|id| tree.node(id).has_body())
    }

    /// A block; `None` when its body is not stored, or was pruned.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>, ChainError> {
        let block = self.shared_block(hash)?;
        Ok(block.map(Arc::unwrap_or_clone))
    }

    /// A block without a copy, where it is still in memory; `None` when its body is not stored.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn shared_block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, ChainError> {
        let database = self.shared.database()?;
        let block = self.shared.block(&database, hash)?;
        Ok(block.map(|block| Arc::clone(block.block())))
    }

    /// A block with its transactions' ids, without a copy where it is still in memory; `None` when its body
    /// is not stored.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn hashed_block(&self, hash: &BlockHash) -> Result<Option<Arc<HashedBlock>>, ChainError> {
        let database = self.shared.database()?;
        self.shared.block(&database, hash)
    }

    /// A block in Bitcoin's encoding; `None` when its body is not stored.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn block_bytes(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, ChainError> {
        let block = self.shared.database()?.get::<Blocks>(hash)?;
        Ok(block.map(|block| block.0))
    }

    /// The coins that a block spent, in the order of its inputs; `None` when it was never connected.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn undo(&self, hash: &BlockHash) -> Result<Option<Vec<(OutPoint, Coin)>>, ChainError> {
        let undo = self.shared.database()?.get::<UndoData>(hash)?;
        Ok(undo.map(|undo| undo.0))
    }

    /// Those of the coins that exist, and the tip that they belong to.
    ///
    /// # Errors
    /// The database can't be read, or is damaged.
    pub fn coins(&self, outpoints: &[OutPoint]) -> Result<CoinsAt, ChainError> {
        self.shared.coins(outpoints)
    }

    /// What verifies scripts: the mempool's, so that a block doesn't need to verify them again.
    #[must_use]
    pub fn scripts(&self) -> &ScriptVerifier {
        &self.shared.scripts
    }

    /// The way from one block to another; `None` when either is not known.
    #[must_use]
    pub fn path(&self, from: &BlockHash, to: &BlockHash) -> Option<ChainPath> {
        let tree = self.shared.tree();
        Some(tree.path(tree.find(from)?, tree.find(to)?))
    }

    /// Hashes of the best header chain from its end to the genesis block, with growing steps: what
    /// to ask a peer for headers with.
    #[must_use]
    pub fn locator(&self) -> Vec<BlockHash> {
        let tree = self.shared.tree();
        tree.locator(tree.best_header())
    }

    /// Up to `max` headers of the best chain after the first block of `locator` that is in it (after
    /// the genesis block if none is), not beyond `stop`.
    #[must_use]
    pub fn headers_after(
        &self,
        locator: &[BlockHash],
        stop: Option<BlockHash>,
        max: usize,
    ) -> Vec<Header> {
        self.shared.tree().headers_after(locator, stop, max)
    }

    /// Up to `max` blocks of the best header chain whose bodies are not stored, lowest first. Those
    /// that are too far above the tip to be stored are left out.
    #[must_use]
    pub fn missing_blocks(&self, max: usize) -> Vec<(Height, BlockHash)> {
        self.shared.tree().missing_blocks(max, MAX_BLOCKS_AHEAD)
    }

    /// Up to `max` blocks that the validation below a snapshot lacks, lowest first.
    #[must_use]
    pub fn missing_background_blocks(&self, max: usize) -> Vec<(Height, BlockHash)> {
        let tree = self.shared.tree();
        tree.missing_background(max, MAX_BLOCKS_AHEAD)
    }

    /// The validation below a snapshot, while there is one.
    #[must_use]
    pub fn background_validation(&self) -> Option<BackgroundValidation> {
        let tree = self.shared.tree();
        tree.assumed().map(|assumed| BackgroundValidation {
            base: tree.node(assumed.base).tip(),
            tip: tree.node(assumed.background).tip(),
        })
    }

    /// Bytes of coins in memory, about, at most: of all chains together.
    #[must_use]
    pub fn coins_cache_bytes(&self) -> usize {
        self.shared.coins_cache_bytes
    }

    /// Bytes of the database's blocks in memory, at most.
    #[must_use]
    pub fn database_cache_bytes(&self) -> usize {
        Memory::beside_coins(self.shared.coins_cache_bytes).block_cache_bytes
    }

    /// The ends of all branches, the highest first.
    #[must_use]
    pub fn tips(&self) -> Vec<ChainTip> {
        self.shared.tree().tips()
    }

    /// The chain that a block ends, for the rules to look at; `None` when it is not known.
    #[must_use]
    pub fn header_chain(&self, tip: &BlockHash) -> Option<BranchView> {
        // The look-up's guard must be gone before `branch` takes the lock.
        let id = self.shared.tree().find(tip);
        Some(self.shared.branch(id?))
    }
}

impl std::fmt::Debug for ChainReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainReader")
            .field("tip", &self.tip())
            .finish_non_exhaustive()
    }
}
