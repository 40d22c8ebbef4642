//! Transactions that come together: testing them, and taking a child with its parents, for which it may pay.

use std::sync::{Arc, MutexGuard};

use pyrite_consensus::BlockContext;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, Txid, Wtxid};

use crate::admission::{
    Draft, PackageFailure, PackageRules, Plan, check_child_with_parents, check_member,
    check_package, check_without_coins, draft, plan_package, pool_coins,
};
use crate::handle::MempoolHandle;
use crate::pool::ValidSince;
use crate::state::Cursor;
use crate::submit::{Arrival, MAX_ATTEMPTS, SubmitOptions, accepted};
use crate::{Accepted, EffectiveFee, MempoolError, PackageError};

/// What testing a package found for each of its transactions, in their order. `None`: the package, or another one,
/// failed before this one could be judged.
#[derive(Debug)]
pub struct PackageTest {
    /// Why the package as a whole would be refused.
    pub error: Option<PackageError>,
    /// What is known of each transaction.
    pub outcomes: Vec<Option<Result<Accepted, MempoolError>>>,
}

/// What became of a transaction of a package.
#[derive(Debug)]
pub enum PackageMember {
    /// It was taken.
    Taken(Accepted),
    /// It was in the mempool already.
    Known {
        /// What it pays.
        fee: Amount,
        /// Its virtual bytes.
        vsize: u64,
    },
    /// The mempool has it with another witness.
    OtherWitness(Wtxid),
    /// It was refused.
    Refused(MempoolError),
    /// The package was refused before it could be judged.
    NotJudged,
}

/// What became of a package.
#[derive(Debug)]
pub struct PackageOutcome {
    /// Why it was not taken as a whole.
    pub error: Option<PackageError>,
    /// What became of each transaction, in their order.
    pub members: Vec<PackageMember>,
    /// The transactions that were replaced.
    pub replaced: Vec<Txid>,
}

/// What was taken, and what it replaced.
type TakenTogether = (Vec<Accepted>, Vec<Txid>);

/// A package that passed the rules on a tip, scripts excepted.
struct Judged {
    drafts: Vec<Draft>,
    plan: Plan,
    cursor: Cursor,
    tip: ValidSince,
}

impl MempoolHandle {
    /// Says whether these transactions would be taken one after another, without taking them.
    /// None of them may replace transactions of the mempool. Blocks as `submit` does.
    ///
    /// # Errors
    /// A failure of the machine.
    pub fn test_accept_package(
        &self,
        transactions: &[Arc<Transaction>],
    ) -> Result<PackageTest, MempoolError> {
        let mut test = PackageTest {
            error: None,
            outcomes: transactions.iter().map(|_| None).collect(),
        };
        if let Err(error) = check_package(&as_refs(transactions)) {
            test.error = Some(error);
            return Ok(test);
        }
        match self.judge_at_tip(transactions, PackageRules::Each)? {
            Ok(judged) => {
                // Scripts last: they are what costs most.
                let members = judged.drafts.iter().zip(&judged.plan.fees);
                for (outcome, (draft, fee)) in test.outcomes.iter_mut().zip(members) {
                    let verified = self.verify(draft);
                    let failed = verified.is_err();
                    *outcome = Some(verified.map(|()| accepted(draft, draft.own_fee(*fee))));
                    if failed {
                        break;
                    }
                }
            }
            Err(PackageFailure { error, member }) => {
                if let Some((index, error)) = member.map(|member| *member) {
                    test.outcomes[index] = Some(Err(error));
                }
                if error.is_of_the_whole() {
                    test.error = Some(error);
                }
            }
        }
        Ok(test)
    }

    /// Takes a child with some of its parents, or one transaction. Each is tried by itself first; those that pay too little
    /// are judged together, so that the child pays for its parents (Bitcoin Core's `ProcessNewPackage`). Blocks as `submit` does.
    ///
    /// # Errors
    /// A failure of the machine.
    pub fn submit_package(
        &self,
        transactions: &[Arc<Transaction>],
        options: impl Into<SubmitOptions>,
    ) -> Result<PackageOutcome, MempoolError> {
        let options: SubmitOptions = options.into();
        let mut outcome = PackageOutcome {
            error: None,
            members: transactions
                .iter()
                .map(|_| PackageMember::NotJudged)
                .collect(),
            replaced: Vec::new(),
        };
        let refs = as_refs(transactions);
        if let Err(error) = check_package(&refs).and_then(|()| check_child_with_parents(&refs)) {
            outcome.error = Some(error);
            return Ok(outcome);
        }
        let mut together: Vec<usize> = Vec::new();
        for (index, tx) in transactions.iter().enumerate() {
            let member = self.submit_member(tx, options)?;
            if let PackageMember::Taken(accepted) = &member {
                outcome.replaced.extend(&accepted.replaced);
            }
            if let PackageMember::Refused(error) = &member {
                let may_pass =
                    error.is_reconsiderable() || matches!(error, MempoolError::MissingInputs(_));
                if transactions.len() > 1 && may_pass {
                    together.push(index);
                } else {
                    outcome.error = Some(PackageError::TransactionFailed);
                }
            }
            outcome.members[index] = member;
        }
        if outcome.error.is_none() && !together.is_empty() {
            self.submit_together(transactions, &together, options, &mut outcome)?;
        }
        self.note_evicted(transactions, &mut outcome);
        Ok(outcome)
    }

    /// Tries a transaction of a package by itself.
    fn submit_member(
        &self,
        tx: &Arc<Transaction>,
        options: SubmitOptions,
    ) -> Result<PackageMember, MempoolError> {
        match self.submit_as(Arc::clone(tx), options, Arrival::Package) {
            Ok(accepted) => Ok(PackageMember::Taken(accepted)),
            Err(MempoolError::AlreadyInMempool | MempoolError::SameTxidInMempool) => {
                let Some(entry) = self.get(&tx.compute_txid()) else {
                    return Ok(PackageMember::Refused(MempoolError::Unsettled));
                };
                if entry.wtxid == tx.compute_wtxid() {
                    Ok(PackageMember::Known {
                        fee: entry.fee,
                        vsize: entry.vsize,
                    })
                } else {
                    Ok(PackageMember::OtherWitness(entry.wtxid))
                }
            }
            Err(error @ MempoolError::Machine(_)) => Err(error),
            Err(error) => Ok(PackageMember::Refused(error)),
        }
    }

    /// Judges those that failed by themselves as one, and takes all or none.
    fn submit_together(
        &self,
        transactions: &[Arc<Transaction>],
        together: &[usize],
        options: SubmitOptions,
        outcome: &mut PackageOutcome,
    ) -> Result<(), MempoolError> {
        let members: Vec<Arc<Transaction>> = together
            .iter()
            .map(|index| Arc::clone(&transactions[*index]))
            .collect();
        if members.len() == 1 {
            // Alone it failed already; its error stands.
            outcome.error = Some(PackageError::TransactionFailed);
            return Ok(());
        }
        match self.take_together(&members, options)? {
            Ok((accepted, replaced)) => {
                for (index, accepted) in together.iter().zip(accepted) {
                    outcome.members[*index] = PackageMember::Taken(accepted);
                }
                outcome.replaced.extend(replaced);
            }
            Err(PackageFailure { error, member }) => {
                outcome.error = Some(error);
                if let Some((index, error)) = member.map(|member| *member) {
                    outcome.members[together[index]] = PackageMember::Refused(error);
                }
            }
        }
        Ok(())
    }

    fn take_together(
        &self,
        members: &[Arc<Transaction>],
        options: SubmitOptions,
    ) -> Result<Result<TakenTogether, PackageFailure>, MempoolError> {
        let rules = PackageRules::Together {
            max_fee_rate: options.max_fee_rate,
        };
        let mut scripts_are_right = false;
        for _ in 0..MAX_ATTEMPTS {
            let judged = match self.judge_at_tip(members, rules)? {
                Ok(judged) => judged,
                Err(failure) => return Ok(Err(failure)),
            };
            if !scripts_are_right {
                for (index, draft) in judged.drafts.iter().enumerate() {
                    if let Err(error) = self.verify(draft) {
                        return Ok(Err(PackageFailure::of(index, error)));
                    }
                }
                scripts_are_right = true;
            }
            let writer = self.writer();
            if let Some(taken) = self.commit_package(&writer, judged, options) {
                return Ok(Ok(taken));
            }
        }
        Err(MempoolError::Unsettled)
    }

    /// Takes a package whose scripts are right; `None` if what it was judged by has changed.
    fn commit_package(
        &self,
        writer: &MutexGuard<'_, ()>,
        judged: Judged,
        options: SubmitOptions,
    ) -> Option<TakenTogether> {
        let Judged {
            drafts,
            plan,
            cursor,
            tip,
        } = judged;
        let now = self.inner.clock.now();
        let effective = EffectiveFee {
            fee: plan.total_fee(),
            vsize: drafts.iter().map(|draft| draft.vsize).sum(),
            includes: drafts.iter().map(|draft| draft.wtxid).collect(),
        };
        let accepted: Vec<Accepted> = drafts
            .iter()
            .map(|draft| accepted(draft, effective.clone()))
            .collect();
        self.change(writer, |state| {
            let drafts: Vec<&Draft> = drafts.iter().collect();
            if state.cursor != cursor || !plan.is_current(&state.pool, &drafts) {
                return None;
            }
            let time = options.entry_time(now);
            let replaced = state.accept(&drafts, plan.into_staged(), time, tip);
            state.keep_bounds(&self.inner.config, now);
            Some((accepted, replaced))
        })
    }

    /// Says of those that did not stay that the mempool is full.
    fn note_evicted(&self, transactions: &[Arc<Transaction>], outcome: &mut PackageOutcome) {
        let state = self.state();
        for (tx, member) in transactions.iter().zip(&mut outcome.members) {
            let is_in = !matches!(member, PackageMember::Refused(_) | PackageMember::NotJudged);
            if is_in && !state.pool.contains(&tx.compute_txid()) {
                *member = PackageMember::Refused(MempoolError::Full);
                outcome.error = Some(PackageError::TransactionFailed);
            }
        }
    }

    /// Follows the chain to its tip and checks the package there.
    fn judge_at_tip(
        &self,
        transactions: &[Arc<Transaction>],
        rules: PackageRules,
    ) -> Result<Result<Judged, PackageFailure>, MempoolError> {
        for _ in 0..MAX_ATTEMPTS {
            self.sync()?;
            if let Some(judged) = self.judge(transactions, rules)? {
                return Ok(judged);
            }
        }
        Err(MempoolError::Unsettled)
    }

    /// Checks the package, scripts excepted; `None` when the chain and the mempool are not at the same
    /// block.
    fn judge(
        &self,
        transactions: &[Arc<Transaction>],
        rules: PackageRules,
    ) -> Result<Option<Result<Judged, PackageFailure>>, MempoolError> {
        let (cursor, mempool_min_fee) = {
            let state = self.state();
            let now = self.inner.clock.now();
            (state.cursor, state.mempool_min_fee(&self.inner.config, now))
        };
        let Some(parent) = self.inner.chain.header_chain(&cursor.hash) else {
            return Ok(None);
        };
        let spent = transactions.iter().flat_map(|tx| tx.input.iter());
        let spent: Vec<OutPoint> = spent.map(|input| input.previous_output).collect();
        let mut coins = self.inner.chain.coins(&spent)?;
        let context = BlockContext::new(&parent);
        let admission = self.admission(&context, mempool_min_fee);
        let state = self.state();
        if coins.tip.hash != cursor.hash || state.cursor != cursor {
            return Ok(None);
        }
        let mut drafts: Vec<Draft> = Vec::with_capacity(transactions.len());
        for (index, tx) in transactions.iter().enumerate() {
            let txid = tx.compute_txid();
            let drafted = check_without_coins(&admission, tx)
                .and_then(|()| pool_coins(&state.pool, tx, &coins.coins, context.height))
                .and_then(|coins| draft(&admission, Arc::clone(tx), txid, &coins))
                .and_then(|draft| {
                    check_member(&admission, &state.pool, &draft, rules)?;
                    Ok(draft)
                });
            match drafted {
                Ok(draft) => {
                    coins.coins.extend(draft.outputs(context.height));
                    drafts.push(draft);
                }
                Err(error) => {
                    drop(state);
                    let error = self.explain(error, tx, txid)?;
                    return Ok(Some(Err(PackageFailure::of(index, error))));
                }
            }
        }
        let plan = plan_package(&admission, &state.pool, &drafts, rules);
        Ok(Some(plan.map(|plan| Judged {
            drafts,
            plan,
            cursor,
            tip: admission.tip(),
        })))
    }

    /// Missing inputs may be spent by the transaction itself, in the chain.
    fn explain(
        &self,
        error: MempoolError,
        tx: &Transaction,
        txid: Txid,
    ) -> Result<MempoolError, MempoolError> {
        match error {
            MempoolError::MissingInputs(_) if self.is_in_chain(tx, txid)? => {
                Ok(MempoolError::AlreadyInChain)
            }
            error => Ok(error),
        }
    }
}

fn as_refs(transactions: &[Arc<Transaction>]) -> Vec<&Transaction> {
    transactions.iter().map(Arc::as_ref).collect()
}
