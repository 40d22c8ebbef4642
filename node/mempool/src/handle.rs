//! The mempool's handle: look-ups, and the locks.
//!
//! Two locks. `writer` is held by whoever changes the pool, for a commit or through a whole step along
//! the chain; `state` for the short moments in which the pool is read or changed, so that readers
//! never wait for scripts or for the database. Scripts are verified under no lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pyrite_chain::{ChainReader, Clock};
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use tokio::sync::watch;

use crate::changes::{Changes, MempoolEvents};
use crate::fees::{FeeEstimator, FeeFollower};
use crate::policy::dust_outputs;
use crate::pool::{Family, Slot};
use crate::state::{Cursor, State};
use crate::{
    BestChunks, ChunkFront, EntryDetails, MempoolChunk, MempoolConfig, MempoolEntry, MempoolInfo,
    MempoolSnapshot, Prioritised,
};

/// The mempool. Clones share it.
#[derive(Clone)]
pub struct MempoolHandle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) chain: ChainReader,
    pub(crate) clock: Clock,
    pub(crate) config: MempoolConfig,
    writer: Mutex<()>,
    state: RwLock<State>,
    snapshot: Mutex<Option<Arc<MempoolSnapshot>>>,
    /// Never held while another lock is asked for.
    pub(crate) fees: Mutex<FeeFollower>,
    sequence: watch::Sender<u64>,
}

impl MempoolHandle {
    /// An empty mempool at the chain's tip.
    #[must_use]
    pub fn new(chain: ChainReader, clock: Clock, config: MempoolConfig) -> Self {
        let tip = chain.tip();
        let cursor = Cursor {
            hash: tip.hash,
            height: tip.height,
        };
        let inner = Inner {
            chain,
            clock,
            config,
            writer: Mutex::new(()),
            state: RwLock::new(State::new(cursor)),
            snapshot: Mutex::new(None),
            fees: Mutex::new(FeeFollower::new(FeeEstimator::new(cursor.height))),
            sequence: watch::Sender::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The whole mempool. The same one is returned until something changes.
    #[must_use]
    pub fn snapshot(&self) -> Arc<MempoolSnapshot> {
        let state = self.state();
        let mut cached = self
            .inner
            .snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some(snapshot) if snapshot.sequence == state.sequence => Arc::clone(snapshot),
            _ => {
                let chunks = state.pool.best_chunks();
                let entries = chunks.flat_map(|(slots, _)| slots);
                let snapshot = Arc::new(MempoolSnapshot {
                    tip: state.cursor.hash,
                    sequence: state.sequence,
                    entries: entries
                        .map(|slot| Arc::clone(state.pool.entry(slot)))
                        .collect(),
                });
                *cached = Some(Arc::clone(&snapshot));
                snapshot
            }
        }
    }

    /// The best chunks, as many as weigh `weight` or a little more; all for `u64::MAX`.
    #[must_use]
    pub fn best_chunks(&self, weight: u64) -> BestChunks {
        let mut front = ChunkFront::new(weight);
        let (tip, sequence) = self.refresh(&mut front, |chunk| chunk);
        BestChunks {
            tip,
            sequence,
            chunks: front.into_chunks(),
        }
    }

    /// Brings a front up to date; `make` makes of new chunks what the caller needs. Returns the block on which the
    /// transactions are valid, and the sequence number. Costs what has changed since the last time.
    pub fn refresh<T>(
        &self,
        front: &mut ChunkFront<T>,
        make: impl Fn(MempoolChunk) -> T,
    ) -> (BlockHash, u64) {
        let update = front.update(&self.state());
        front.apply(update, make)
    }

    /// The last block that it followed: a snapshot made now would be valid on it.
    #[must_use]
    pub fn followed_block(&self) -> BlockHash {
        self.state().cursor.hash
    }

    /// The entry of a transaction.
    #[must_use]
    pub fn get(&self, txid: &Txid) -> Option<Arc<MempoolEntry>> {
        self.state().pool.get(txid).cloned()
    }

    /// The entry of a transaction and its relations.
    #[must_use]
    pub fn details(&self, txid: &Txid) -> Option<EntryDetails> {
        let state = self.state();
        Some(state.pool.details(state.pool.slot(txid)?))
    }

    /// All entries with their relations, in the order in which they are mined.
    #[must_use]
    pub fn all_details(&self) -> Vec<EntryDetails> {
        let state = self.state();
        let slots = state.pool.best_chunks().flat_map(|(slots, _)| slots);
        slots.map(|slot| state.pool.details(slot)).collect()
    }

    /// The ancestors of a transaction in the mempool, itself excluded; `None` if it is not there.
    #[must_use]
    pub fn ancestors(&self, txid: &Txid) -> Option<Vec<EntryDetails>> {
        self.family(txid, Family::Ancestors)
    }

    /// The descendants of a transaction in the mempool, itself excluded; `None` if it is not there.
    #[must_use]
    pub fn descendants(&self, txid: &Txid) -> Option<Vec<EntryDetails>> {
        self.family(txid, Family::Descendants)
    }

    /// The cluster of a transaction, chunk by chunk in the order in which they are mined; `None` if it is not there.
    #[must_use]
    pub fn cluster(&self, txid: &Txid) -> Option<Vec<MempoolChunk>> {
        let state = self.state();
        let slot = state.pool.slot(txid)?;
        let entries = |slots: Vec<Slot>| {
            let entries = slots.into_iter().map(|slot| state.pool.entry(slot));
            entries.cloned().collect()
        };
        let chunks = state.pool.cluster_of(slot).into_iter();
        Some(
            chunks
                .map(|(slots, rate)| MempoolChunk {
                    rate,
                    is_alone: state.pool.is_alone(&slots),
                    entries: entries(slots),
                })
                .collect(),
        )
    }

    /// Whether a transaction is in the mempool.
    #[must_use]
    pub fn contains(&self, txid: &Txid) -> bool {
        self.state().pool.contains(txid)
    }

    /// All transaction ids, in no particular order.
    #[must_use]
    pub fn all_txids(&self) -> Vec<Txid> {
        self.state().pool.txids().collect()
    }

    /// The transaction that spends `outpoint`.
    #[must_use]
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        let state = self.state();
        let slot = state.pool.spender(outpoint)?;
        Some(state.pool.entry(slot).txid)
    }

    /// The mempool in figures.
    #[must_use]
    pub fn info(&self) -> MempoolInfo {
        self.state()
            .info(&self.inner.config, self.inner.clock.now())
    }

    /// What the operator has set.
    #[must_use]
    pub fn config(&self) -> &MempoolConfig {
        &self.inner.config
    }

    /// What changed after `sequence`, which an earlier answer or a snapshot named.
    #[must_use]
    pub fn changes_since(&self, sequence: u64) -> Changes {
        self.state().changes_since(sequence)
    }

    /// Every single event after `sequence`, in order, but no more than the first `max` of them.
    #[must_use]
    pub fn events_since(&self, sequence: u64, max: usize) -> MempoolEvents {
        self.state().events_since(sequence, max)
    }

    /// The sequence number; it changes at every change of the mempool.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.sequence.subscribe()
    }

    /// Treats a transaction as if it paid `delta` satoshis more, or less, in addition to what was said before, whether it is here
    /// or comes later.
    pub fn prioritise(&self, txid: Txid, delta: i64) {
        let writer = self.writer();
        self.change(&writer, |state| state.prioritise(txid, delta));
    }

    /// All transactions whose fee the operator changed, by id.
    #[must_use]
    pub fn prioritised(&self) -> Vec<Prioritised> {
        let state = self.state();
        let deltas = state.pool.deltas().iter();
        let mut prioritised: Vec<Prioritised> = deltas
            .map(|(txid, delta)| Prioritised {
                txid: *txid,
                delta: *delta,
                modified_fee: state
                    .pool
                    .slot(txid)
                    .map(|slot| state.pool.modified_fee(slot)),
            })
            .collect();
        prioritised.sort_unstable_by_key(|entry| entry.txid);
        prioritised
    }

    /// Whether a transaction is here that has an output not worth spending, which it may have only as long as it pays
    /// nothing; so `prioritise` would be of harm.
    #[must_use]
    pub fn has_dust(&self, txid: &Txid) -> bool {
        let config = &self.inner.config;
        let is_dusty = |entry: Arc<MempoolEntry>| {
            let mut dust = dust_outputs(&entry.tx, config.dust_relay_fee);
            dust.next().is_some()
        };
        !config.accept_nonstandard && self.get(txid).is_some_and(is_dusty)
    }

    /// The time, in Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        self.inner.clock.now()
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, ()> {
        self.inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and tells the watchers. The writer's guard shows that nobody else does.
    pub(crate) fn change<T>(
        &self,
        _writer: &MutexGuard<'_, ()>,
        change: impl FnOnce(&mut State) -> T,
    ) -> T {
        let mut state: RwLockWriteGuard<'_, State> = self
            .inner
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        let sequence = state.sequence;
        let fee_events = state.take_fee_events();
        drop(state);
        self.learn(fee_events);
        self.inner
            .sequence
            .send_if_modified(|last| std::mem::replace(last, sequence) != sequence);
        result
    }

    fn family(&self, txid: &Txid, family: Family) -> Option<Vec<EntryDetails>> {
        let state = self.state();
        let slot = state.pool.slot(txid)?;
        let mut slots = state.pool.with_family([slot], family);
        slots.remove(&slot);
        Some(
            slots
                .into_iter()
                .map(|slot| state.pool.details(slot))
                .collect(),
        )
    }
}

impl std::fmt::Debug for MempoolHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MempoolHandle")
            .field("info", &self.info())
            .finish_non_exhaustive()
    }
}
