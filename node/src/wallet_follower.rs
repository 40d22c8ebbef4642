//! Keeps the wallet at the chain's tip and the mempool's state: at the start, after a lag and through
//! reorganisations it is the same path from the wallet's last block to the tip.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyrite_chain::{ChainError, ChainReader};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Block, BlockHash, Txid};
use pyrite_mempool::{MempoolHandle, RemovalReason};
use pyrite_wallet::{WalletError, WalletHandle};

/// Blocks that the wallet takes in one step, so that a long catch-up has bounded memory.
const BLOCKS_PER_STEP: usize = 64;
/// How long changes of the mempool gather before the wallet looks at them. Whoever asks the wallet has it look
/// first.
const MEMPOOL_DELAY: Duration = Duration::from_millis(100);
/// How often transactions that no mempool holds are offered again.
const REBROADCAST_EVERY: Duration = Duration::from_secs(30);

/// Why the wallet can't follow.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("block {0} of the best chain is not stored")]
    MissingBlock(BlockHash),
    #[error(transparent)]
    Mempool(#[from] pyrite_mempool::MempoolError),
    #[error("the wallet belongs to another chain: none of its blocks is known")]
    OtherChain,
}

/// The follower. `sync` may be called from anywhere; calls take turns.
pub(crate) struct WalletFollower {
    reader: ChainReader,
    mempool: MempoolHandle,
    wallet: WalletHandle,
    /// The mempool sequence that the wallet has seen; `None` before the first time.
    mempool_sequence: Mutex<Option<u64>>,
    /// Whether it was told that the wallet waits for blocks.
    is_waiting: AtomicBool,
}

impl WalletFollower {
    pub(crate) fn new(
        reader: ChainReader,
        mempool: MempoolHandle,
        wallet: WalletHandle,
    ) -> Arc<Self> {
        Arc::new(Self {
            reader,
            mempool,
            wallet,
            mempool_sequence: Mutex::new(None),
            is_waiting: AtomicBool::new(false),
        })
    }

    /// Brings the wallet to the present tip and mempool. Blocking.
    pub(crate) fn sync(&self) -> Result<(), FollowError> {
        let mut sequence = self
            .mempool_sequence
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.mempool.sync()?;
        self.follow_chain()?;
        self.follow_mempool(&mut sequence)
    }

    fn follow_chain(&self) -> Result<(), FollowError> {
        if self.wallet.is_new() {
            let genesis = self.reader.spec().genesis_block();
            self.wallet.apply_block(&genesis, Height::GENESIS)?;
        }
        let tip = self.reader.tip();
        if self.wallet.cursor().1 == tip.hash {
            self.is_waiting.store(false, Ordering::Relaxed);
            return Ok(());
        }
        // The newest block of the wallet's that the chain still knows.
        let path = self
            .wallet
            .checkpoints()
            .iter()
            .find_map(|(_, hash)| self.reader.path(hash, &tip.hash))
            .ok_or(FollowError::OtherChain)?;
        let mut height = self
            .reader
            .header(&path.fork_point)
            .ok_or(FollowError::MissingBlock(path.fork_point))?
            .height;
        // The chain lost blocks and has none in their place (`invalidateblock`).
        if path.connect.is_empty() && self.wallet.cursor().1 != tip.hash {
            self.wallet.disconnect_to(height)?;
        }
        for step in path.connect.chunks(BLOCKS_PER_STEP) {
            let mut blocks: Vec<(Arc<Block>, Height)> = Vec::with_capacity(step.len());
            let mut missing = None;
            for hash in step {
                let Some(block) = self.reader.shared_block(hash)? else {
                    missing = Some(*hash);
                    break;
                };
                height = height.next();
                blocks.push((block, height));
            }
            self.wallet.apply_blocks(&blocks)?;
            if let Some(hash) = missing {
                return self.wait_for(hash);
            }
        }
        self.is_waiting.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Below a file of coins that the chain began with, blocks come later: the wallet stays before the first that
    /// is not there, and goes on when it is. Elsewhere a missing block is an error.
    fn wait_for(&self, hash: BlockHash) -> Result<(), FollowError> {
        let is_coming = self.reader.background_validation().is_some();
        // The validation may have ended since, which takes all blocks.
        if !is_coming && !self.reader.has_block(&hash) {
            return Err(FollowError::MissingBlock(hash));
        }
        if !self.is_waiting.swap(true, Ordering::Relaxed) {
            tracing::info!(
                %hash,
                "the wallet waits for the blocks below the snapshot that the chain began with"
            );
        }
        Ok(())
    }

    fn follow_mempool(&self, sequence: &mut Option<u64>) -> Result<(), FollowError> {
        let changes = sequence.map(|sequence| self.mempool.changes_since(sequence));
        match changes {
            Some(changes) if changes.complete => {
                let removed: Vec<Txid> = changes
                    .removed
                    .iter()
                    // What a block took is not gone: the wallet has it from the block.
                    .filter(|(_, reason)| *reason != RemovalReason::Block)
                    .map(|(txid, _)| *txid)
                    .collect();
                if !changes.added.is_empty() || !removed.is_empty() {
                    self.wallet.apply_mempool(&changes.added, &removed)?;
                }
                *sequence = Some(changes.sequence);
            }
            // The first time, or after more changes than the mempool remembers.
            _ => {
                let snapshot = self.mempool.snapshot();
                let added: Vec<_> = snapshot
                    .entries
                    .iter()
                    .map(|entry| (Arc::clone(&entry.tx), entry.time))
                    .collect();
                self.wallet.set_mempool(&added)?;
                *sequence = Some(snapshot.sequence);
            }
        }
        Ok(())
    }

    /// Offers the wallet's own transactions that are in no block and not in the mempool to the mempool. Blocking.
    fn rebroadcast(&self) -> Vec<Arc<pyrite_consensus::bitcoin::Transaction>> {
        let mut accepted = Vec::new();
        for transaction in self.wallet.unconfirmed() {
            if self.mempool.contains(&transaction.compute_txid()) {
                continue;
            }
            match self.mempool.submit(Arc::clone(&transaction)) {
                Ok(_) => accepted.push(transaction),
                Err(error) => tracing::debug!(
                    txid = %transaction.compute_txid(), %error,
                    "the mempool does not take a wallet transaction back"
                ),
            }
        }
        accepted
    }

    /// Follows until the chain stops or the task is dropped. `announce` is called for transactions that
    /// went back into the mempool.
    pub(crate) async fn run(
        self: Arc<Self>,
        announce: impl Fn(Arc<pyrite_consensus::bitcoin::Transaction>) + Send + 'static,
    ) {
        let mut tip = self.reader.watch_tip();
        let mut mempool = self.mempool.watch();
        let mut rebroadcast = tokio::time::interval(REBROADCAST_EVERY);
        loop {
            tip.borrow_and_update();
            mempool.borrow_and_update();
            let follower = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || follower.sync()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the wallet can't follow the chain"),
                Err(_) => tracing::error!("following the chain failed"),
            }
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                changed = mempool.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // The tip does not wait for that.
                    tokio::select! {
                        changed = tip.changed() => if changed.is_err() { return },
                        () = tokio::time::sleep(MEMPOOL_DELAY) => {}
                    }
                }
                _ = rebroadcast.tick() => {
                    let follower = Arc::clone(&self);
                    if let Ok(accepted) = tokio::task::spawn_blocking(move || follower.rebroadcast()).await {
                        accepted.into_iter().for_each(&announce);
                    }
                }
            }
        }
    }
}
