//! Taking a transaction: the rules in order, the scripts under no lock, and the commit.

use std::sync::{Arc, MutexGuard};

use pyrite_consensus::BlockContext;
use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};

use crate::admission::{
    Admission, Draft, Plan, PlanRules, check_is_new, check_minimum_fee, check_without_coins, draft,
    plan, pool_coins,
};
use crate::handle::MempoolHandle;
use crate::pool::ValidSince;
use crate::state::Cursor;
use crate::{Accepted, EffectiveFee, FeeRate, MempoolError};

/// How often a transaction is checked anew because the tip moved in between.
pub(crate) const MAX_ATTEMPTS: usize = 16;

/// What a caller asks for beside the rules. An optional fee rate is enough where that is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubmitOptions {
    /// The most that it wants to pay; `None` or zero for any fee.
    pub max_fee_rate: Option<FeeRate>,
    /// When the transaction came to a mempool first, in Unix seconds; `None` for now. What lies in the future is now.
    pub time: Option<u64>,
}

impl SubmitOptions {
    /// The time of the entry, which is never in the future: such an entry would stay for too long.
    pub(crate) fn entry_time(self, now: u64) -> u64 {
        self.time.map_or(now, |time| time.min(now))
    }
}

impl From<Option<FeeRate>> for SubmitOptions {
    fn from(max_fee_rate: Option<FeeRate>) -> Self {
        Self {
            max_fee_rate,
            time: None,
        }
    }
}

/// How a transaction comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// By itself.
    Single,
    /// With others, for which it may pay: its own fee says nothing to the fee estimator.
    Package,
}

/// A transaction that passed the rules on a tip, scripts excepted, and its place in the pool at that moment.
struct Prepared {
    draft: Draft,
    plan: Plan,
    cursor: Cursor,
    tip: ValidSince,
}

impl MempoolHandle {
    /// Takes a transaction, if every rule allows it. Blocks: it reads coins and verifies scripts.
    ///
    /// # Errors
    /// The first rule that it breaks, or a failure of the machine.
    pub fn submit(&self, tx: Arc<Transaction>) -> Result<Accepted, MempoolError> {
        self.submit_with(tx, None)
    }

    /// Takes a transaction as the caller's options say. Blocks as `submit` does.
    ///
    /// # Errors
    /// As `submit`, and `MaxFeeExceeded`.
    pub fn submit_with(
        &self,
        tx: Arc<Transaction>,
        options: impl Into<SubmitOptions>,
    ) -> Result<Accepted, MempoolError> {
        self.submit_as(tx, options.into(), Arrival::Single)
    }

    /// As `submit_with`.
    pub(crate) fn submit_as(
        &self,
        tx: Arc<Transaction>,
        options: SubmitOptions,
        arrival: Arrival,
    ) -> Result<Accepted, MempoolError> {
        let max_fee_rate = options.max_fee_rate;
        let rules = PlanRules {
            max_fee_rate,
            ..PlanRules::SINGLE
        };
        let txid = tx.compute_txid();
        let mut prepared = self.prepare_at_tip(&tx, txid, rules)?;
        // Once is enough, whatever the tip: what scripts depend on beside the flags, the spent outputs,
        // is committed to by their transactions' ids.
        self.verify(&prepared.draft)?;
        for _ in 0..MAX_ATTEMPTS {
            let writer = self.writer();
            match self.commit(&writer, prepared, options, arrival)? {
                Committed::Taken(accepted) => return Ok(accepted),
                Committed::Outdated => drop(writer),
            }
            prepared = self.prepare_at_tip(&tx, txid, rules)?;
        }
        Err(MempoolError::Unsettled)
    }

    /// Says whether `submit_with` would take a transaction now, without taking it. Blocks as `submit` does.
    ///
    /// # Errors
    /// As `submit_with`.
    pub fn test_accept(
        &self,
        tx: &Arc<Transaction>,
        max_fee_rate: Option<FeeRate>,
    ) -> Result<Accepted, MempoolError> {
        let rules = PlanRules {
            max_fee_rate,
            ..PlanRules::SINGLE
        };
        let prepared = self.prepare_at_tip(tx, tx.compute_txid(), rules)?;
        self.verify(&prepared.draft)?;
        let Prepared { draft, plan, .. } = prepared;
        let mut accepted = accepted(&draft, draft.own_fee(plan.total_fee()));
        accepted.replaced = plan.evicted;
        Ok(accepted)
    }

    /// Follows the chain to its tip and checks a transaction there.
    fn prepare_at_tip(
        &self,
        tx: &Arc<Transaction>,
        txid: Txid,
        rules: PlanRules,
    ) -> Result<Prepared, MempoolError> {
        for _ in 0..MAX_ATTEMPTS {
            self.sync()?;
            if let Some(prepared) = self.prepare(tx, txid, rules)? {
                return Ok(prepared);
            }
        }
        Err(MempoolError::Unsettled)
    }

    /// Checks a transaction, scripts excepted; `None` when the chain and the mempool are not at the
    /// same block.
    fn prepare(
        &self,
        tx: &Arc<Transaction>,
        txid: Txid,
        rules: PlanRules,
    ) -> Result<Option<Prepared>, MempoolError> {
        let (cursor, mempool_min_fee) = {
            let state = self.state();
            check_is_new(&state.pool, txid, || tx.compute_wtxid())?;
            let min_fee = state.mempool_min_fee(&self.inner.config, self.inner.clock.now());
            (state.cursor, min_fee)
        };
        let Some(parent) = self.inner.chain.header_chain(&cursor.hash) else {
            return Ok(None);
        };
        let context = BlockContext::new(&parent);
        let admission = self.admission(&context, mempool_min_fee);
        check_without_coins(&admission, tx)?;
        let spent: Vec<OutPoint> = tx.input.iter().map(|input| input.previous_output).collect();
        let coins = self.inner.chain.coins(&spent)?;
        if coins.tip.hash != cursor.hash {
            return Ok(None);
        }
        let coins = pool_coins(&self.state().pool, tx, &coins.coins, context.height);
        let coins = match coins {
            Err(MempoolError::MissingInputs(_)) if self.is_in_chain(tx, txid)? => {
                return Err(MempoolError::AlreadyInChain);
            }
            coins => coins?,
        };
        let draft = draft(&admission, Arc::clone(tx), txid, &coins)?;
        let state = self.state();
        if state.cursor != cursor {
            return Ok(None);
        }
        let plan = plan(&admission, &state.pool, &draft, rules)?;
        Ok(Some(Prepared {
            draft,
            plan,
            cursor,
            tip: admission.tip(),
        }))
    }

    pub(crate) fn admission<'a>(
        &'a self,
        context: &'a BlockContext<'a>,
        mempool_min_fee: FeeRate,
    ) -> Admission<'a> {
        Admission {
            spec: self.inner.chain.spec(),
            context,
            config: &self.inner.config,
            mempool_min_fee,
        }
    }

    /// Whether the chain has an unspent output of this transaction.
    pub(crate) fn is_in_chain(&self, tx: &Transaction, txid: Txid) -> Result<bool, MempoolError> {
        let outputs: Vec<OutPoint> = (0..)
            .zip(&tx.output)
            .map(|(vout, _)| OutPoint { txid, vout })
            .collect();
        Ok(!self.inner.chain.coins(&outputs)?.coins.is_empty())
    }

    pub(crate) fn verify(&self, draft: &Draft) -> Result<(), MempoolError> {
        draft.verify_scripts(self.inner.chain.scripts())
    }

    /// Takes a transaction whose scripts are right, if nothing that it was judged by has changed.
    fn commit(
        &self,
        writer: &MutexGuard<'_, ()>,
        prepared: Prepared,
        options: SubmitOptions,
        arrival: Arrival,
    ) -> Result<Committed, MempoolError> {
        let Prepared {
            draft,
            plan,
            cursor,
            tip,
        } = prepared;
        let now = self.inner.clock.now();
        let config = &self.inner.config;
        self.change(writer, |state| {
            let drafts = [&draft];
            if state.cursor != cursor || !plan.is_current(&state.pool, &drafts) {
                return Ok(Committed::Outdated);
            }
            // The minimum may have risen meanwhile.
            let min_fee = state.mempool_min_fee(config, now);
            check_minimum_fee(min_fee, config, plan.total_fee(), draft.vsize)?;
            let mut accepted = accepted(&draft, draft.own_fee(plan.total_fee()));
            let time = options.entry_time(now);
            accepted.replaced = state.accept(&drafts, plan.into_staged(), time, tip);
            if arrival == Arrival::Single {
                state.note_arrival(&draft);
            }
            state.keep_bounds(config, now);
            if state.pool.contains(&draft.txid) {
                Ok(Committed::Taken(accepted))
            } else {
                Err(MempoolError::Full)
            }
        })
    }
}

/// What became of a commit.
enum Committed {
    Taken(Accepted),
    /// The tip or the pool has changed: it has to be judged anew.
    Outdated,
}

/// A transaction that was, or would be, taken, and replaces nothing.
pub(crate) fn accepted(draft: &Draft, effective: EffectiveFee) -> Accepted {
    Accepted {
        txid: draft.txid,
        wtxid: draft.wtxid,
        fee: draft.fee,
        vsize: draft.vsize,
        effective,
        replaced: Vec::new(),
    }
}
