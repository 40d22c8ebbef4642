//! The mempool's handle: admission with the chain's coins and with scripts, and look-ups.
//!
//! Two locks. `writer` is held by whoever changes the pool, through a whole commit or a whole step along
//! the chain; `state` for the short moments in which the pool is read or changed, so that readers
//! never wait for scripts or for the database. Scripts are verified under no lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pyrite_chain::{ChainReader, Clock};
use pyrite_consensus::BlockContext;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Transaction, Txid};
use tokio::sync::watch;

use crate::admission::{Admission, Origin, Plan, check_with_coins, check_without_coins};
use crate::changes::Changes;
use crate::fees::{FeeEstimator, FeeFollower};
use crate::state::{Cursor, State};
use crate::{
    Accepted, FeeRate, MempoolConfig, MempoolEntry, MempoolError, MempoolInfo, MempoolSnapshot,
};

/// How often a transaction is checked anew because the tip moved in between.
pub(crate) const MAX_ATTEMPTS: usize = 16;

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

/// A plan and the mempool's state that it was made for.
struct Prepared {
    plan: Plan,
    cursor: Cursor,
    sequence: u64,
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

    /// Takes a transaction, if every rule allows it. Blocks: it reads coins and verifies scripts.
    ///
    /// # Errors
    /// The first rule that it breaks, or a failure of the machine.
    pub fn submit(&self, tx: Arc<Transaction>) -> Result<Accepted, MempoolError> {
        let mut prepared = self.prepare_at_tip(&tx)?;
        // Once is enough, whatever the tip: what scripts depend on beside the flags, the spent outputs,
        // is committed to by their transactions' ids.
        self.verify(&tx, &prepared.plan)?;

        let writer = self.writer();
        for _ in 0..MAX_ATTEMPTS {
            self.sync_with(&writer)?;
            if !self.is_current(&prepared) {
                let Some(anew) = self.prepare(&tx)? else {
                    continue;
                };
                prepared = anew;
            }
            return self.commit(&writer, tx, &prepared.plan);
        }
        Err(MempoolError::Unsettled)
    }

    /// Says whether `submit` would take a transaction now, without taking it. Blocks as `submit` does.
    /// `max_fee_rate` is the most that the caller wants to pay; `None` or zero for any fee.
    ///
    /// # Errors
    /// As `submit`, and `MaxFeeExceeded`.
    pub fn test_accept(
        &self,
        tx: &Transaction,
        max_fee_rate: Option<FeeRate>,
    ) -> Result<Accepted, MempoolError> {
        let prepared = self.prepare_at_tip(tx)?;
        self.verify(tx, &prepared.plan)?;
        let plan = prepared.plan;
        if let Some(rate) = max_fee_rate.filter(|rate| *rate != FeeRate::ZERO) {
            let max = rate.fee_for(plan.vsize);
            if plan.fee > max {
                return Err(MempoolError::MaxFeeExceeded { fee: plan.fee, max });
            }
        }
        let replaced = plan.evicted.iter().copied().collect();
        Ok(accepted(&plan, replaced))
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
                let snapshot = Arc::new(MempoolSnapshot {
                    tip: state.cursor.hash,
                    sequence: state.sequence,
                    entries: state.pool.sorted(),
                });
                *cached = Some(Arc::clone(&snapshot));
                snapshot
            }
        }
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
        self.state().pool.spender(outpoint)
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

    /// The sequence number; it changes at every change of the mempool.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.sequence.subscribe()
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

    /// Follows the chain to its tip and checks a transaction there.
    fn prepare_at_tip(&self, tx: &Transaction) -> Result<Prepared, MempoolError> {
        for _ in 0..MAX_ATTEMPTS {
            self.sync()?;
            if let Some(prepared) = self.prepare(tx)? {
                return Ok(prepared);
            }
        }
        Err(MempoolError::Unsettled)
    }

    /// Checks a transaction, scripts excepted; `None` when the chain and the mempool are not at the
    /// same block.
    fn prepare(&self, tx: &Transaction) -> Result<Option<Prepared>, MempoolError> {
        let cursor = self.state().cursor;
        let Some(parent) = self.inner.chain.header_chain(&cursor.hash) else {
            return Ok(None);
        };
        let context = BlockContext::new(&parent);
        let mut admission = Admission {
            spec: self.inner.chain.spec(),
            context: &context,
            config: &self.inner.config,
            origin: Origin::Submitted,
            mempool_min_fee: FeeRate::ZERO,
        };
        check_without_coins(&admission, &self.state().pool, tx)?;

        let spent: Vec<OutPoint> = tx.input.iter().map(|input| input.previous_output).collect();
        let coins = self.inner.chain.coins(&spent)?;
        let result = {
            let state = self.state();
            if coins.tip.hash != cursor.hash || state.cursor != cursor {
                return Ok(None);
            }
            admission.mempool_min_fee =
                state.mempool_min_fee(&self.inner.config, self.inner.clock.now());
            check_with_coins(&admission, &state.pool, tx, &coins.coins).map(|plan| Prepared {
                plan,
                cursor,
                sequence: state.sequence,
            })
        };
        match result {
            Ok(prepared) => Ok(Some(prepared)),
            Err(MempoolError::MissingInputs(_)) if self.is_in_chain(tx)? => {
                Err(MempoolError::AlreadyInChain)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the chain has an unspent output of this transaction.
    pub(crate) fn is_in_chain(&self, tx: &Transaction) -> Result<bool, MempoolError> {
        let txid = tx.compute_txid();
        let outputs: Vec<OutPoint> = (0..)
            .zip(&tx.output)
            .map(|(vout, _)| OutPoint { txid, vout })
            .collect();
        Ok(!self.inner.chain.coins(&outputs)?.coins.is_empty())
    }

    fn is_current(&self, prepared: &Prepared) -> bool {
        let state = self.state();
        state.cursor == prepared.cursor && state.sequence == prepared.sequence
    }

    pub(crate) fn verify(&self, tx: &Transaction, plan: &Plan) -> Result<(), MempoolError> {
        plan.verify_scripts(tx, self.inner.chain.scripts())
    }

    fn commit(
        &self,
        writer: &MutexGuard<'_, ()>,
        tx: Arc<Transaction>,
        plan: &Plan,
    ) -> Result<Accepted, MempoolError> {
        let now = self.inner.clock.now();
        let (replaced, kept) = self.change(writer, |state| {
            let replaced = state.accept(tx, plan, now);
            state.keep_bounds(&self.inner.config, now);
            (replaced, state.pool.contains(&plan.txid))
        });
        if kept {
            Ok(accepted(plan, replaced))
        } else {
            Err(MempoolError::Full)
        }
    }
}

impl std::fmt::Debug for MempoolHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MempoolHandle")
            .field("info", &self.info())
            .finish_non_exhaustive()
    }
}

pub(crate) fn accepted(plan: &Plan, replaced: Vec<Txid>) -> Accepted {
    Accepted {
        txid: plan.txid,
        wtxid: plan.wtxid,
        fee: plan.fee,
        vsize: plan.vsize,
        replaced,
    }
}
