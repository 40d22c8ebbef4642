//! The rules on a transaction and the coins that it spends, cheapest first: all but the scripts, and but its place among
//! those of the pool. Pure: the coins were read before.

use std::collections::HashMap;
use std::sync::Arc;

use pyrite_chain::ScriptVerifier;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid, Wtxid};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use pyrite_consensus::transaction::{
    check_inputs, check_transaction, check_transaction_in_chain, sigop_cost,
};
use pyrite_consensus::{BlockContext, ChainSpec, Coin, CoinView, Height, TransactionError};

use crate::cluster::FeeWeight;
use crate::policy::{
    Judged, MAX_STANDARD_SIGOP_COST, adjusted_weight, check_base_size, check_inputs_standard,
    check_standard, check_witness_standard,
};
use crate::pool::{Addition, NewEntry, Pool, ValidSince, modified_fee};
use crate::{EffectiveFee, FeeRate, MempoolConfig, MempoolError, NonStandard, TxName};

/// Weight units in a virtual byte.
const WITNESS_SCALE_FACTOR: u64 = 4;

/// What the rules need to know beside the pool, the coins and the transaction.
#[derive(Clone, Copy)]
pub(crate) struct Admission<'a> {
    pub(crate) spec: &'a ChainSpec,
    /// The context of the next block.
    pub(crate) context: &'a BlockContext<'a>,
    pub(crate) config: &'a MempoolConfig,
    /// The minimum that evictions left.
    pub(crate) mempool_min_fee: FeeRate,
}

impl Admission<'_> {
    /// The tip that the next block comes after.
    pub(crate) fn tip(&self) -> ValidSince {
        ValidSince {
            height: self.context.height.previous().unwrap_or(Height::GENESIS),
            median_time: self.context.median_time_past,
        }
    }
}

/// A transaction that passed every rule on itself and its coins, but for the scripts.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) tx: Arc<Transaction>,
    pub(crate) txid: Txid,
    pub(crate) wtxid: Wtxid,
    pub(crate) fee: Amount,
    pub(crate) weight: u64,
    pub(crate) adjusted_weight: u64,
    pub(crate) vsize: u64,
    pub(crate) sigop_cost: u64,
    /// The transactions without a block that it spends.
    unconfirmed_parents: Vec<Txid>,
    /// Whether a lower tip could make it invalid: it spends a coinbase, or waits for a height or a time.
    has_locks: bool,
    /// The outputs that it spends, in the order of its inputs.
    spent_outputs: Vec<TxOut>,
    /// The flags of the next block.
    block_flags: ScriptFlags,
}

impl Draft {
    pub(crate) fn name(&self) -> TxName {
        TxName {
            txid: self.txid,
            wtxid: self.wtxid,
        }
    }

    pub(crate) fn judged(&self) -> Judged<'_> {
        Judged {
            tx: &self.tx,
            name: self.name(),
            vsize: self.vsize,
        }
    }

    /// The fee with what the operator added, in satoshis.
    pub(crate) fn modified_fee(&self, pool: &Pool) -> i64 {
        modified_fee(self.fee, pool.delta(&self.txid))
    }

    /// Its outputs as coins of the next block, at `height`.
    pub(crate) fn outputs(&self, height: Height) -> impl Iterator<Item = (OutPoint, Coin)> + '_ {
        (0..).zip(&self.tx.output).map(move |(vout, output)| {
            let coin = Coin {
                output: output.clone(),
                height,
                is_coinbase: false,
            };
            let txid = self.txid;
            (OutPoint { txid, vout }, coin)
        })
    }

    /// Checks that the transactions without a block that it spends are in the pool, or among `others`. They may have left
    /// since its coins were looked up.
    pub(crate) fn check_parents(&self, pool: &Pool, others: &[Self]) -> Result<(), MempoolError> {
        let is_there =
            |txid: &Txid| pool.contains(txid) || others.iter().any(|other| other.txid == *txid);
        if self.unconfirmed_parents.iter().all(is_there) {
            return Ok(());
        }
        let inputs = self.tx.input.iter().map(|input| input.previous_output);
        let missing = inputs.filter(|outpoint| {
            self.unconfirmed_parents.contains(&outpoint.txid) && !is_there(&outpoint.txid)
        });
        Err(MempoolError::MissingInputs(missing.collect()))
    }

    /// What it is judged by when it is judged by itself.
    pub(crate) fn own_fee(&self, modified_fee: i64) -> EffectiveFee {
        EffectiveFee {
            fee: modified_fee,
            vsize: self.vsize,
            includes: vec![self.wtxid],
        }
    }

    pub(crate) fn addition(&self, pool: &Pool) -> Addition<'_> {
        Addition {
            txid: self.txid,
            tx: &self.tx,
            rate: FeeWeight {
                fee: self.modified_fee(pool),
                weight: self.adjusted_weight,
            },
        }
    }

    /// The scripts to verify, under these flags.
    pub(crate) fn script_check(&self, flags: ScriptFlags) -> ScriptCheck {
        ScriptCheck::new(&self.tx, self.spent_outputs.clone(), flags)
    }

    /// Verifies the scripts under the flags of policy. Those are a superset of any block's, so that
    /// what passes once needs no second look, whatever the tip (Bitcoin Core's `PolicyScriptChecks`
    /// and `ConsensusScriptChecks`).
    pub(crate) fn verify_scripts(&self, verifier: &ScriptVerifier) -> Result<(), MempoolError> {
        let check = self.script_check(ScriptFlags::STANDARD);
        verifier.verify(&check).map_err(|error| {
            if check.under(self.block_flags).verify().is_ok() {
                MempoolError::NonStandardScript(error)
            } else {
                MempoolError::Script(error)
            }
        })
    }

    /// The entry that it becomes at this time, with this sequence number, on this tip.
    pub(crate) fn entry(&self, time: u64, sequence: u64, tip: ValidSince) -> NewEntry {
        NewEntry {
            tx: Arc::clone(&self.tx),
            txid: self.txid,
            wtxid: self.wtxid,
            fee: self.fee,
            weight: self.weight,
            adjusted_weight: self.adjusted_weight,
            vsize: self.vsize,
            sigop_cost: self.sigop_cost,
            time,
            height: tip.height,
            sequence,
            valid_since: self.has_locks.then_some(tip),
        }
    }
}

/// Checks that a transaction is not there yet, with this witness or another.
pub(crate) fn check_is_new(
    pool: &Pool,
    txid: Txid,
    wtxid: impl FnOnce() -> Wtxid,
) -> Result<(), MempoolError> {
    match pool.get(&txid) {
        None => Ok(()),
        Some(entry) if entry.wtxid == wtxid() => Err(MempoolError::AlreadyInMempool),
        Some(_) => Err(MempoolError::SameTxidInMempool),
    }
}

/// The rules that need no coins. They run first, so that what fails them costs no read.
pub(crate) fn check_without_coins(
    admission: &Admission<'_>,
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
        .map_err(|_| MempoolError::NonFinal)
}

/// The coins that a transaction spends: those of `chain_coins`, and outputs of the pool's transactions.
pub(crate) fn pool_coins(
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

/// The rules that need coins; `coins` has all that it spends.
pub(crate) fn draft(
    admission: &Admission<'_>,
    tx: Arc<Transaction>,
    txid: Txid,
    coins: &impl CoinView,
) -> Result<Draft, MempoolError> {
    let fee = check_inputs(admission.spec, &tx, admission.context, coins).map_err(inputs_error)?;
    if !admission.config.accept_nonstandard {
        check_inputs_standard(&tx, coins).map_err(MempoolError::NonStandard)?;
        check_witness_standard(&tx, coins).map_err(MempoolError::NonStandard)?;
    }
    let sigop_cost = sigop_cost(&tx, coins);
    check_sigop_cost(sigop_cost)?;
    let weight = tx.weight().to_wu();
    let adjusted_weight = adjusted_weight(weight, sigop_cost, admission.config.bytes_per_sigop);
    let spent = tx
        .input
        .iter()
        .filter_map(|input| coins.coin(&input.previous_output));
    Ok(Draft {
        txid,
        wtxid: wtxid(&tx, txid),
        fee,
        weight,
        adjusted_weight,
        vsize: adjusted_weight.div_ceil(WITNESS_SCALE_FACTOR),
        sigop_cost,
        unconfirmed_parents: unconfirmed_parents(&tx, coins, admission.context.height),
        has_locks: has_locks(&tx, coins),
        spent_outputs: spent.map(|coin| coin.output.clone()).collect(),
        block_flags: ScriptFlags::at_height(admission.spec, admission.context.height),
        tx,
    })
}

/// Checks again what depends on the tip: lock times, maturity, and that witnesses are active.
pub(crate) fn revalidate(
    admission: &Admission<'_>,
    transaction: &Transaction,
    coins: &impl CoinView,
) -> Result<(), MempoolError> {
    check_witness_is_active(admission, transaction)?;
    check_transaction_in_chain(admission.spec, transaction, admission.context)
        .map_err(|_| MempoolError::NonFinal)?;
    check_inputs(admission.spec, transaction, admission.context, coins)
        .map(|_| ())
        .map_err(inputs_error)
}

/// The transactions whose outputs are coins of the next block, at `height`.
fn unconfirmed_parents(
    transaction: &Transaction,
    coins: &impl CoinView,
    height: Height,
) -> Vec<Txid> {
    let outpoints = transaction.input.iter().map(|input| input.previous_output);
    let unconfirmed = |outpoint: &OutPoint| {
        let coin = coins.coin(outpoint);
        coin.is_some_and(|coin| coin.height >= height)
    };
    let mut parents: Vec<Txid> = outpoints
        .filter(unconfirmed)
        .map(|outpoint| outpoint.txid)
        .collect();
    parents.sort_unstable();
    parents.dedup();
    parents
}

/// Whether a lower tip could make a transaction invalid. Locks that are disabled count too, which costs a needless look.
fn has_locks(transaction: &Transaction, coins: &impl CoinView) -> bool {
    let waits = transaction.lock_time.to_consensus_u32() != 0
        || transaction
            .input
            .iter()
            .any(|input| input.sequence.is_relative_lock_time());
    let spends_coinbase = |outpoint: &OutPoint| {
        let coin = coins.coin(outpoint);
        coin.is_some_and(|coin| coin.is_coinbase)
    };
    waits
        || transaction
            .input
            .iter()
            .any(|input| spends_coinbase(&input.previous_output))
}

/// Without a witness the two ids are the same (BIP-0141), which saves a hash.
fn wtxid(tx: &Transaction, txid: Txid) -> Wtxid {
    if has_witness(tx) {
        tx.compute_wtxid()
    } else {
        Wtxid::from_raw_hash(txid.to_raw_hash())
    }
}

fn has_witness(transaction: &Transaction) -> bool {
    let mut inputs = transaction.input.iter();
    inputs.any(|input| !input.witness.is_empty())
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
    let active = admission.context.height.0 >= admission.spec.deployments.segwit;
    if !active && has_witness(transaction) {
        Err(MempoolError::WitnessNotActive)
    } else {
        Ok(())
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
