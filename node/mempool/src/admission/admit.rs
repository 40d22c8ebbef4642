//! Admission of a transaction: every rule but the scripts, cheapest first. Pure: the coins were read
//! before, and what the pool has to change is returned, not done.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use pyrite_chain::ScriptVerifier;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid, Wtxid};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::transaction::{
    check_inputs, check_transaction, check_transaction_in_chain, sigop_cost,
};
use pyrite_consensus::{BlockContext, ChainSpec, Coin, CoinView, Height, TransactionError};

use crate::limits::check_chain_limits;
use crate::policy::{
    MAX_STANDARD_SIGOP_COST, check_base_size, check_inputs_standard, check_standard, check_truc,
    check_witness_standard, virtual_size,
};
use crate::pool::{NewEntry, Pool};
use crate::replacement::{check_fee_rate, check_fees, direct_conflicts, evicted_with};
use crate::{ChainLimit, FeeRate, MempoolConfig, MempoolError, NonStandard, ReplacementError};

/// Where a transaction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A peer or a user: all rules apply.
    Submitted,
    /// A block that is not in the best chain any more, or the mempool of an earlier tip: the fee
    /// minimums don't apply, and it replaces nothing.
    Returning,
}

/// What the rules need to know beside the pool, the coins and the transaction.
#[derive(Clone, Copy)]
pub(crate) struct Admission<'a> {
    pub(crate) spec: &'a ChainSpec,
    /// The context of the next block.
    pub(crate) context: &'a BlockContext<'a>,
    pub(crate) config: &'a MempoolConfig,
    pub(crate) origin: Origin,
    /// The minimum that evictions left.
    pub(crate) mempool_min_fee: FeeRate,
}

/// A transaction that passed every rule but the scripts, and what taking it means.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) txid: Txid,
    pub(crate) wtxid: Wtxid,
    pub(crate) fee: Amount,
    pub(crate) weight: u64,
    pub(crate) vsize: u64,
    pub(crate) sigop_cost: u64,
    /// Direct conflicts, each of which goes with its descendants.
    pub(crate) conflicts: BTreeSet<Txid>,
    /// The conflicts and their descendants.
    pub(crate) evicted: HashSet<Txid>,
    /// The outputs that it spends, in the order of its inputs.
    pub(crate) spent_outputs: Vec<TxOut>,
    /// The flags of the next block.
    pub(crate) block_flags: ScriptFlags,
}

impl Plan {
    /// The scripts to verify, under the flags of policy.
    pub(crate) fn script_check(&self, transaction: &Transaction) -> ScriptCheck {
        let spent_outputs = self.spent_outputs.clone();
        ScriptCheck::new(transaction, spent_outputs, ScriptFlags::STANDARD)
    }

    /// Verifies the scripts under the flags of policy. Those are a superset of any block's, so that
    /// what passes once needs no second look, whatever the tip (Bitcoin Core's `PolicyScriptChecks`
    /// and `ConsensusScriptChecks`).
    pub(crate) fn verify_scripts(
        &self,
        transaction: &Transaction,
        verifier: &ScriptVerifier,
    ) -> Result<(), MempoolError> {
        let check = self.script_check(transaction);
        verifier.verify(&check).map_err(|error| {
            if check.under(self.block_flags).verify().is_ok() {
                MempoolError::NonStandardScript(error)
            } else {
                MempoolError::Script(error)
            }
        })
    }

    /// The entry that it becomes.
    pub(crate) fn entry(
        &self,
        tx: Arc<Transaction>,
        time: u64,
        height: Height,
        sequence: u64,
    ) -> NewEntry {
        NewEntry {
            tx,
            txid: self.txid,
            wtxid: self.wtxid,
            fee: self.fee,
            weight: self.weight,
            vsize: self.vsize,
            sigop_cost: self.sigop_cost,
            time,
            height,
            sequence,
        }
    }
}

/// The rules that need no coins. They run first, so that what fails them costs no read.
pub(crate) fn check_without_coins(
    admission: &Admission<'_>,
    pool: &Pool,
    transaction: &Transaction,
) -> Result<(), MempoolError> {
    check_transaction(transaction).map_err(MempoolError::Invalid)?;
    check_is_no_coinbase(transaction)?;
    if !admission.config.accept_nonstandard {
        check_standard(transaction, admission.config).map_err(MempoolError::NonStandard)?;
    }
    check_base_size(transaction).map_err(MempoolError::NonStandard)?;
    check_witness_is_active(admission, transaction)?;
    check_transaction_in_chain(admission.spec, transaction, admission.context)
        .map_err(|_| MempoolError::NonFinal)?;
    check_is_new(pool, transaction)
}

/// The other rules. `chain_coins` has the coins of the chain's tip, for those inputs that have one.
pub(crate) fn check_with_coins(
    admission: &Admission<'_>,
    pool: &Pool,
    transaction: &Transaction,
    chain_coins: &impl CoinView,
) -> Result<Plan, MempoolError> {
    let coins = spent_coins(pool, transaction, chain_coins, admission.context.height)?;
    let fee = check_inputs(admission.spec, transaction, admission.context, &coins)
        .map_err(inputs_error)?;
    if !admission.config.accept_nonstandard {
        check_inputs_standard(transaction, &coins).map_err(MempoolError::NonStandard)?;
        check_witness_standard(transaction, &coins).map_err(MempoolError::NonStandard)?;
    }
    let sigop_cost = sigop_cost(transaction, &coins);
    check_sigop_cost(sigop_cost)?;
    let weight = transaction.weight().to_wu();
    let vsize = virtual_size(weight, sigop_cost);
    check_minimum_fee(admission, fee, vsize)?;

    let txid = transaction.compute_txid();
    let conflicts = direct_conflicts(pool, transaction);
    let relations = Relations {
        pool,
        transaction,
        txid,
        fee,
        vsize,
        conflicts: &conflicts,
    };
    let evicted = relations.check(admission)?;

    let spent_outputs = transaction
        .input
        .iter()
        .filter_map(|input| coins.get(&input.previous_output))
        .map(|coin| coin.output.clone())
        .collect();
    Ok(Plan {
        txid,
        wtxid: transaction.compute_wtxid(),
        fee,
        weight,
        vsize,
        sigop_cost,
        conflicts,
        evicted,
        spent_outputs,
        block_flags: ScriptFlags::at_height(admission.spec, admission.context.height),
    })
}

/// A transaction beside those of the pool.
struct Relations<'a> {
    pool: &'a Pool,
    transaction: &'a Transaction,
    txid: Txid,
    fee: Amount,
    vsize: u64,
    conflicts: &'a BTreeSet<Txid>,
}

impl Relations<'_> {
    /// Checks ancestors, descendants and conflicts; returns what has to go.
    fn check(&self, admission: &Admission<'_>) -> Result<HashSet<Txid>, MempoolError> {
        let limits = &admission.config.limits;
        let parents = self.pool.parents_of(self.transaction);
        // Each parent is an ancestor; this bounds the walk that follows.
        if parents.len() as u64 >= limits.ancestor_count {
            let limit = limits.ancestor_count;
            return Err(MempoolError::TooLongChain(ChainLimit::AncestorCount {
                limit,
            }));
        }
        let ancestors = self.pool.with_ancestors(parents.iter().copied());
        self.check_spends_no_conflict(&ancestors)?;
        let evicted = self.check_replacement(admission)?;
        check_truc(self.transaction, self.vsize, self.pool, &parents, &evicted)
            .map_err(|violation| MempoolError::NonStandard(NonStandard::Truc(violation)))?;
        check_chain_limits(self.pool, self.vsize, &ancestors, &evicted, limits)
            .map_err(MempoolError::TooLongChain)?;
        Ok(evicted)
    }

    fn check_spends_no_conflict(&self, ancestors: &HashSet<Txid>) -> Result<(), MempoolError> {
        match self
            .conflicts
            .iter()
            .find(|conflict| ancestors.contains(*conflict))
        {
            Some(conflict) => Err(MempoolError::SpendsConflicting {
                txid: self.txid,
                conflict: *conflict,
            }),
            None => Ok(()),
        }
    }

    fn check_replacement(&self, admission: &Admission<'_>) -> Result<HashSet<Txid>, MempoolError> {
        if self.conflicts.is_empty() {
            return Ok(HashSet::new());
        }
        if admission.origin == Origin::Returning {
            let taken = self
                .transaction
                .input
                .iter()
                .map(|input| input.previous_output);
            let taken = taken.filter(|outpoint| self.pool.spender(outpoint).is_some());
            return Err(MempoolError::MissingInputs(taken.collect()));
        }
        self.replaced(admission.config.incremental_relay_fee)
            .map_err(|reason| MempoolError::Replacement {
                txid: self.txid,
                reason,
            })
    }

    fn replaced(&self, incremental: FeeRate) -> Result<HashSet<Txid>, ReplacementError> {
        check_fee_rate(self.pool, self.fee, self.vsize, self.conflicts)?;
        let evicted = evicted_with(self.pool, self.conflicts)?;
        check_fees(self.pool, self.fee, self.vsize, &evicted, incremental)?;
        Ok(evicted)
    }
}

fn check_is_no_coinbase(transaction: &Transaction) -> Result<(), MempoolError> {
    if transaction.is_coinbase() {
        Err(MempoolError::Coinbase)
    } else {
        Ok(())
    }
}

fn check_witness_is_active(
    admission: &Admission<'_>,
    transaction: &Transaction,
) -> Result<(), MempoolError> {
    let has_witness = transaction
        .input
        .iter()
        .any(|input| !input.witness.is_empty());
    let active = admission.context.height.0 >= admission.spec.deployments.segwit;
    if has_witness && !active {
        Err(MempoolError::WitnessNotActive)
    } else {
        Ok(())
    }
}

fn check_is_new(pool: &Pool, transaction: &Transaction) -> Result<(), MempoolError> {
    match pool.get(&transaction.compute_txid()) {
        None => Ok(()),
        Some(entry) if entry.wtxid == transaction.compute_wtxid() => {
            Err(MempoolError::AlreadyInMempool)
        }
        Some(_) => Err(MempoolError::SameTxidInMempool),
    }
}

/// The coins that a transaction spends: outputs of the pool's transactions, or of the chain's.
fn spent_coins(
    pool: &Pool,
    transaction: &Transaction,
    chain_coins: &impl CoinView,
    next_height: Height,
) -> Result<HashMap<OutPoint, Coin>, MempoolError> {
    let mut coins = HashMap::with_capacity(transaction.input.len());
    let mut missing = Vec::new();
    for input in &transaction.input {
        let outpoint = input.previous_output;
        let coin = match pool.output(&outpoint) {
            Some(output) => Some(Coin {
                output: output.clone(),
                height: next_height,
                is_coinbase: false,
            }),
            None => chain_coins.coin(&outpoint).cloned(),
        };
        match coin {
            Some(coin) => {
                coins.insert(outpoint, coin);
            }
            None => missing.push(outpoint),
        }
    }
    if missing.is_empty() {
        Ok(coins)
    } else {
        Err(MempoolError::MissingInputs(missing))
    }
}

fn inputs_error(error: TransactionError) -> MempoolError {
    match error {
        TransactionError::SequenceLocked { .. } => MempoolError::NonBip68Final,
        TransactionError::MissingInput { outpoint } => MempoolError::MissingInputs(vec![outpoint]),
        error => MempoolError::Invalid(error),
    }
}

fn check_sigop_cost(cost: u64) -> Result<(), MempoolError> {
    if cost > MAX_STANDARD_SIGOP_COST {
        return Err(MempoolError::NonStandard(NonStandard::TooManySigops {
            cost,
        }));
    }
    Ok(())
}

fn check_minimum_fee(
    admission: &Admission<'_>,
    fee: Amount,
    vsize: u64,
) -> Result<(), MempoolError> {
    if admission.origin == Origin::Returning {
        return Ok(());
    }
    let required = admission.mempool_min_fee.fee_for(vsize);
    if fee < required {
        return Err(MempoolError::BelowMempoolMinFee { fee, required });
    }
    let required = admission.config.min_relay_fee.fee_for(vsize);
    if fee < required {
        return Err(MempoolError::BelowMinRelayFee { fee, required });
    }
    Ok(())
}
