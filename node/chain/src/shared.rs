//! What the writer and the readers share: the tree, the database, the tip, and a failure.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};

use pyrite_consensus::bitcoin::consensus::encode::deserialize;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::{ChainSpec, Coin, HashedBlock, OutPointMap};
use pyrite_storage::schema::{Blocks, Meta, UndoData};
use pyrite_storage::{Database, MetaKey, RawBlock, Snapshot, Undo};
use tokio::sync::watch;

use crate::block_cache::BlockCache;
use crate::coins::{CoinsCache, read_coins};
use crate::info::{CoinsAt, Tip};
use crate::proposal::LastTemplate;
use crate::pruning::PruneGuard;
use crate::scripts::ScriptVerifier;
use crate::tree::{BlockTree, BranchView, NodeId};
use crate::{ChainError, Clock, SnapshotError};

/// How far above the tip a body is stored whose parent's is missing.
pub const MAX_BLOCKS_AHEAD: u32 = 1024;

/// Work on a block of fewer transactions takes less time than waking a thread.
const SHARED_TRANSACTIONS: usize = 100;

/// What the writer and the readers share.
pub(crate) struct Shared {
    pub(crate) spec: Arc<ChainSpec>,
    pub(crate) clock: Clock,
    pub(crate) scripts: ScriptVerifier,
    pub(crate) cache: BlockCache,
    tree: Arc<RwLock<BlockTree>>,
    /// `None` once the chain is shut down, whoever still holds a reader.
    database: RwLock<Option<Database>>,
    /// Changes together with the tree's tip, so that a reader never sees coins that are ahead of it.
    coins: RwLock<CoinsCache>,
    pub(crate) last_template: Mutex<LastTemplate>,
    tip: watch::Sender<Tip>,
    failure: watch::Sender<Option<ChainError>>,
    prune_guards: RwLock<Vec<PruneGuard>>,
    /// Bytes of coins in memory, about, at most: of all chains together.
    pub(crate) coins_cache_bytes: usize,
    /// Held by whoever fills a table beside the chain's: one at a time.
    snapshot_turn: Mutex<()>,
    /// Whether the room of all that was pruned was given back.
    pub(crate) is_reclaimed: AtomicBool,
}

/// The open database; it stays open while this is held.
pub(crate) struct DatabaseGuard<'a>(RwLockReadGuard<'a, Option<Database>>);

impl Deref for DatabaseGuard<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0
            .as_ref()
            .expect("a guard is only made of an open database")
    }
}

impl Shared {
    pub(crate) fn new(
        spec: Arc<ChainSpec>,
        clock: Clock,
        scripts: ScriptVerifier,
        coins_cache_bytes: usize,
        coins: CoinsCache,
        tree: BlockTree,
        database: Database,
    ) -> Self {
        let tip = tree.node(tree.tip()).tip();
        Self {
            last_template: Mutex::default(),
            spec,
            clock,
            scripts,
            cache: BlockCache::default(),
            tree: Arc::new(RwLock::new(tree)),
            database: RwLock::new(Some(database)),
            coins: RwLock::new(coins),
            tip: watch::Sender::new(tip),
            failure: watch::Sender::new(None),
            prune_guards: RwLock::new(Vec::new()),
            coins_cache_bytes,
            snapshot_turn: Mutex::new(()),
            is_reclaimed: AtomicBool::new(false),
        }
    }

    /// The tree. Hold it briefly, and never while asking a `BranchView`, which takes it too.
    pub(crate) fn tree(&self) -> RwLockReadGuard<'_, BlockTree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree, to change it: the writer's alone.
    pub(crate) fn tree_mut(&self) -> RwLockWriteGuard<'_, BlockTree> {
        self.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chain that `id` ends.
    pub(crate) fn branch(&self, id: NodeId) -> BranchView {
        let height = self.tree().node(id).height;
        BranchView::new(Arc::clone(&self.tree), id, height)
    }

    /// The database, if the chain is not shut down. Take it once, and pass it on.
    pub(crate) fn database(&self) -> Result<DatabaseGuard<'_>, ChainError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() {
            Ok(DatabaseGuard(guard))
        } else {
            Err(ChainError::Closed)
        }
    }

    /// Closes the database, when the last read that is under way has ended.
    pub(crate) fn close_database(&self) {
        *self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The coins, to look into.
    pub(crate) fn coins_cache(&self) -> RwLockReadGuard<'_, CoinsCache> {
        self.coins.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The coins, to change them. Whoever moves the tip holds this until the tree has followed.
    pub(crate) fn coins_cache_mut(&self) -> RwLockWriteGuard<'_, CoinsCache> {
        self.coins.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is asked before blocks are pruned.
    pub(crate) fn prune_guards(&self) -> RwLockReadGuard<'_, Vec<PruneGuard>> {
        self.prune_guards
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn prune_guards_mut(&self) -> RwLockWriteGuard<'_, Vec<PruneGuard>> {
        self.prune_guards
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does two things for a block, at the same time where that is worth another thread.
    pub(crate) fn join_for<A: Send, B: Send>(
        &self,
        block: &Block,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        if block.txdata.len() < SHARED_TRANSACTIONS {
            return (first(), second());
        }
        self.scripts.join(first, second)
    }

    pub(crate) fn watch_tip(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    /// Tells those who watch the tip, if it changed.
    pub(crate) fn publish_tip(&self) {
        let tip = {
            let tree = self.tree();
            tree.node(tree.tip()).tip()
        };
        self.tip.send_if_modified(|current| {
            let changed = *current != tip;
            if changed {
                *current = tip;
            }
            changed
        });
    }

    pub(crate) fn watch_failure(&self) -> watch::Receiver<Option<ChainError>> {
        self.failure.subscribe()
    }

    pub(crate) fn failure(&self) -> Option<ChainError> {
        self.failure.borrow().clone()
    }

    /// Notes that the machine failed; the first failure is the one that is told.
    pub(crate) fn fail(&self, error: ChainError) {
        self.failure.send_if_modified(|failure| {
            let is_first = failure.is_none();
            if is_first {
                *failure = Some(error);
            }
            is_first
        });
    }

    /// The right to fill a table beside the chain's.
    pub(crate) fn take_snapshot_turn(&self) -> Result<MutexGuard<'_, ()>, SnapshotError> {
        match self.snapshot_turn.try_lock() {
            Ok(turn) => Ok(turn),
            // The table is cleared before it is filled, so a panic elsewhere does not spoil it.
            Err(TryLockError::Poisoned(turn)) => Ok(turn.into_inner()),
            Err(TryLockError::WouldBlock) => Err(SnapshotError::Busy),
        }
    }

    /// A block's body, from memory or from the database.
    pub(crate) fn block(
        &self,
        database: &Database,
        hash: &BlockHash,
    ) -> Result<Option<Arc<HashedBlock>>, ChainError> {
        if let Some(block) = self.cache.get(hash) {
            return Ok(Some(block));
        }
        let Some(RawBlock(bytes)) = database.get::<Blocks>(hash)? else {
            return Ok(None);
        };
        let block: Block = deserialize(&bytes)
            .map_err(|error| ChainError::corrupt(format!("block {hash} can't be read: {error}")))?;
        if block.block_hash() != *hash {
            let found = block.block_hash();
            return Err(ChainError::corrupt(format!(
                "block {found} is stored as {hash}"
            )));
        }
        let block = Arc::new(HashedBlock::from(block));
        self.cache.insert(*hash, &block);
        Ok(Some(block))
    }

    /// The body of a block that the tree says is stored.
    pub(crate) fn stored_block(
        &self,
        database: &Database,
        hash: &BlockHash,
    ) -> Result<Arc<HashedBlock>, ChainError> {
        self.block(database, hash)?
            .ok_or_else(|| ChainError::corrupt(format!("the body of block {hash} is missing")))
    }

    /// The coins that a connected block spent.
    pub(crate) fn stored_undo(
        &self,
        database: &Database,
        hash: &BlockHash,
    ) -> Result<Undo, ChainError> {
        database
            .get::<UndoData>(hash)?
            .ok_or_else(|| ChainError::corrupt(format!("the undo data of block {hash} is missing")))
    }

    /// The tables as they are now, and the tip that their coins belong to: that of the last flush.
    pub(crate) fn snapshot<'a>(
        &self,
        database: &'a Database,
    ) -> Result<(Snapshot<'a>, NodeId), ChainError> {
        let snapshot = database.snapshot();
        let hash = snapshot
            .get::<Meta>(&MetaKey::Tip)?
            .and_then(|tip| tip.as_block())
            .ok_or_else(|| ChainError::corrupt("the tip is missing"))?;
        let id = self
            .tree()
            .find(&hash)
            .ok_or_else(|| ChainError::corrupt(format!("the tip {hash} has no header")))?;
        Ok((snapshot, id))
    }

    /// Those of the coins that exist, and the tip that they belong to.
    pub(crate) fn coins(&self, outpoints: &[OutPoint]) -> Result<CoinsAt, ChainError> {
        let database = self.database()?;
        if outpoints.is_empty() {
            // A block without payments need not wait for those who change the cache.
            let tree = self.tree();
            let tip = tree.node(tree.tip()).tip();
            return Ok(CoinsAt {
                tip,
                coins: OutPointMap::default(),
            });
        }
        let (tip, mut known, unread) = {
            let cache = self.coins_cache();
            let tip = {
                let tree = self.tree();
                tree.node(tree.tip()).tip()
            };
            let (known, missing) = cache.look_up(outpoints);
            // What is not cached is in the database as it was at the last flush, and not changed since.
            let table = cache.table();
            let unread = (!missing.is_empty()).then(|| (missing, table, database.snapshot()));
            (tip, known, unread)
        };
        if let Some((missing, table, snapshot)) = unread {
            let read = read_coins(&snapshot, table, &missing)?;
            self.keep_coins(&tip, &read);
            known.extend(read);
        }
        Ok(CoinsAt { tip, coins: known })
    }

    /// Caches coins that were read at a tip, if that still is the tip.
    fn keep_coins(&self, tip: &Tip, read: &[(OutPoint, Coin)]) {
        if read.is_empty() {
            return;
        }
        let mut cache = self.coins_cache_mut();
        let is_current = {
            let tree = self.tree();
            tree.node(tree.tip()).hash == tip.hash
        };
        if is_current {
            for (outpoint, coin) in read {
                cache.insert_read(*outpoint, coin.clone());
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("chain", &self.spec.name)
            .finish_non_exhaustive()
    }
}
