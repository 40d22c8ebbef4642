//! Transaction rules: by themselves, in their chain, and against the coins that they spend.

use std::collections::HashSet;

use bitcoin::{Amount, Transaction, TxIn};

use crate::script::{ScriptFlags, legacy_sigops, p2sh_sigops, witness_sigops};
use crate::{BlockContext, ChainSpec, Coin, CoinView, Height, TransactionError, median_time_past};

/// What a byte that is no witness weighs (BIP-0141), and a sigop that is in no witness costs.
pub(crate) const WITNESS_SCALE_FACTOR: u64 = 4;

/// The most bytes of a transaction without its witnesses: what would fill a block of Bitcoin's.
const MAX_BASE_SIZE: usize = 1_000_000;

/// Lock times from this number on are times, those below are heights.
const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// A sequence number with this bit is no relative lock (BIP-0068).
const SEQUENCE_LOCK_DISABLED: u32 = 1 << 31;
/// A relative lock with this bit counts time, else blocks.
const SEQUENCE_LOCK_IS_TIME: u32 = 1 << 22;
/// The bits of a relative lock that count.
const SEQUENCE_LOCK_MASK: u32 = 0xffff;
/// A relative lock counts time in units of 512 seconds.
const SEQUENCE_LOCK_GRANULARITY_S: u64 = 512;
/// The first transaction version whose sequence numbers are relative locks.
const SEQUENCE_LOCK_VERSION: u32 = 2;

/// Checks a transaction by itself (Bitcoin Core's `CheckTransaction`).
///
/// # Errors
/// The first rule that it breaks.
pub fn check_transaction(transaction: &Transaction) -> Result<(), TransactionError> {
    check_is_not_empty(transaction)?;
    check_base_size(transaction)?;
    output_total(transaction)?;
    check_inputs_differ(transaction)?;
    check_outpoints(transaction)
}

/// Checks that a transaction is final in a block with this context (`nLockTime`).
///
/// A lock time that is a time is compared with the median time past (BIP-0113), also where the spec
/// does not demand that yet: this is the mempool's check. A block's transactions are checked with
/// [`check_lock_time`] and the block's own cutoff.
///
/// # Errors
/// `NotFinal`.
pub fn check_transaction_in_chain(
    _spec: &ChainSpec,
    transaction: &Transaction,
    context: &BlockContext<'_>,
) -> Result<(), TransactionError> {
    check_lock_time(transaction, context.height, context.median_time_past)
}

/// Checks that a transaction is final in a block at `height`, if times are compared with `cutoff`, in
/// Unix seconds (Bitcoin Core's `IsFinalTx`).
///
/// # Errors
/// `NotFinal`.
pub fn check_lock_time(
    transaction: &Transaction,
    height: Height,
    cutoff: u32,
) -> Result<(), TransactionError> {
    let lock_time = transaction.lock_time.to_consensus_u32();
    let now = if lock_time < LOCK_TIME_THRESHOLD {
        height.0
    } else {
        cutoff
    };
    let is_final = lock_time == 0
        || lock_time < now
        || transaction.input.iter().all(|i| i.sequence.is_final());
    if is_final {
        Ok(())
    } else {
        Err(TransactionError::NotFinal { lock_time })
    }
}

/// Checks a transaction's inputs against coins: existence, maturity, values (Bitcoin Core's
/// `CheckTxInputs`) and relative locks (BIP-0068). Returns the fee.
///
/// # Errors
/// The first rule that it breaks; `MissingInput` before all others.
pub fn check_inputs(
    spec: &ChainSpec,
    transaction: &Transaction,
    context: &BlockContext<'_>,
    coins: &impl CoinView,
) -> Result<Amount, TransactionError> {
    let spent = spent_coins(transaction, coins)?;
    check_spent_coins(spec, transaction, context, &spent)
}

/// The sigop cost of a transaction (BIP-0141): legacy and P2SH sigops times four, witness sigops once.
/// The coins of all its inputs must be in `coins`; one that is missing counts nothing.
pub fn sigop_cost(transaction: &Transaction, coins: &impl CoinView) -> u64 {
    let spent = transaction
        .input
        .iter()
        .map(|input| coins.coin(&input.previous_output));
    sigop_cost_under(transaction, spent, ScriptFlags::ALL)
}

/// The coins that a transaction spends, in the order of its inputs.
pub(crate) fn spent_coins<'a>(
    transaction: &Transaction,
    coins: &'a impl CoinView,
) -> Result<Vec<&'a Coin>, TransactionError> {
    let coin = |input: &TxIn| {
        let outpoint = input.previous_output;
        coins
            .coin(&outpoint)
            .ok_or(TransactionError::MissingInput { outpoint })
    };
    transaction.input.iter().map(coin).collect()
}

/// [`check_inputs`] for coins that are at hand: `spent` has one for each input.
pub(crate) fn check_spent_coins(
    spec: &ChainSpec,
    transaction: &Transaction,
    context: &BlockContext<'_>,
    spent: &[&Coin],
) -> Result<Amount, TransactionError> {
    check_maturity(spec, transaction, context.height, spent)?;
    let fee = fee(transaction, spent)?;
    check_sequence_locks(spec, transaction, context, spent)?;
    Ok(fee)
}

/// The sigop cost under the rules that `flags` name (Bitcoin Core's `GetTransactionSigOpCost`).
pub(crate) fn sigop_cost_under<'a>(
    transaction: &Transaction,
    spent: impl Iterator<Item = Option<&'a Coin>>,
    flags: ScriptFlags,
) -> u64 {
    let mut cost = legacy_sigop_cost(transaction);
    if transaction.is_coinbase() {
        return cost;
    }
    for (input, coin) in transaction.input.iter().zip(spent) {
        let Some(coin) = coin else { continue };
        let script = &coin.output.script_pubkey;
        if flags.contains(ScriptFlags::P2SH) {
            cost += WITNESS_SCALE_FACTOR * p2sh_sigops(input, script);
        }
        if flags.contains(ScriptFlags::WITNESS) {
            cost += witness_sigops(input, script);
        }
    }
    cost
}

/// The cost of the sigops in a transaction's own scripts.
pub(crate) fn legacy_sigop_cost(transaction: &Transaction) -> u64 {
    let inputs = transaction
        .input
        .iter()
        .map(|input| legacy_sigops(&input.script_sig));
    let outputs = transaction
        .output
        .iter()
        .map(|output| legacy_sigops(&output.script_pubkey));
    WITNESS_SCALE_FACTOR * inputs.chain(outputs).sum::<u64>()
}

/// What the outputs are worth together; each value and their sum are in Bitcoin's range.
pub(crate) fn output_total(transaction: &Transaction) -> Result<Amount, TransactionError> {
    let mut total = Amount::ZERO;
    for (output, tx_out) in transaction.output.iter().enumerate() {
        let value = tx_out.value;
        if i64::try_from(value.to_sat()).is_err() {
            return Err(TransactionError::OutputNegative { output });
        }
        if value > Amount::MAX_MONEY {
            return Err(TransactionError::OutputTooLarge { output, value });
        }
        total = add_money(total, value).ok_or(TransactionError::OutputTotalTooLarge)?;
    }
    Ok(total)
}

/// The sum, unless it is above 21 million coins (Bitcoin Core's `MoneyRange`).
pub(crate) fn add_money(total: Amount, value: Amount) -> Option<Amount> {
    total
        .checked_add(value)
        .filter(|sum| *sum <= Amount::MAX_MONEY)
}

fn check_is_not_empty(transaction: &Transaction) -> Result<(), TransactionError> {
    if transaction.input.is_empty() {
        return Err(TransactionError::NoInputs);
    }
    if transaction.output.is_empty() {
        return Err(TransactionError::NoOutputs);
    }
    Ok(())
}

fn check_base_size(transaction: &Transaction) -> Result<(), TransactionError> {
    let size = transaction.base_size();
    if size > MAX_BASE_SIZE {
        return Err(TransactionError::Oversize {
            size,
            limit: MAX_BASE_SIZE,
        });
    }
    Ok(())
}

fn check_inputs_differ(transaction: &Transaction) -> Result<(), TransactionError> {
    if transaction.input.len() == 1 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(transaction.input.len());
    match transaction
        .input
        .iter()
        .find(|input| !seen.insert(input.previous_output))
    {
        Some(input) => Err(TransactionError::DuplicateInput {
            outpoint: input.previous_output,
        }),
        None => Ok(()),
    }
}

fn check_outpoints(transaction: &Transaction) -> Result<(), TransactionError> {
    if transaction.is_coinbase() {
        let length = transaction.input[0].script_sig.len();
        if !(2..=100).contains(&length) {
            return Err(TransactionError::CoinbaseScriptLength { length });
        }
        return Ok(());
    }
    match transaction
        .input
        .iter()
        .position(|input| input.previous_output.is_null())
    {
        Some(input) => Err(TransactionError::NullOutpoint { input }),
        None => Ok(()),
    }
}

fn check_maturity(
    spec: &ChainSpec,
    transaction: &Transaction,
    height: Height,
    spent: &[&Coin],
) -> Result<(), TransactionError> {
    let maturity = spec.coinbase_maturity;
    for (input, coin) in transaction.input.iter().zip(spent) {
        // A coin is never from a later block; if a view says so, it is certainly not mature.
        let depth = height.0.saturating_sub(coin.height.0);
        if coin.is_coinbase && depth < maturity {
            let outpoint = input.previous_output;
            return Err(TransactionError::ImmatureCoinbase {
                outpoint,
                depth,
                maturity,
            });
        }
    }
    Ok(())
}

fn fee(transaction: &Transaction, spent: &[&Coin]) -> Result<Amount, TransactionError> {
    let spent = spent
        .iter()
        .try_fold(Amount::ZERO, |total, coin| {
            add_money(total, coin.output.value)
        })
        .ok_or(TransactionError::InputValuesOutOfRange)?;
    let paid = output_total(transaction)?;
    spent
        .checked_sub(paid)
        .ok_or(TransactionError::InputsBelowOutputs { spent, paid })
}

/// Relative locks (BIP-0068, Bitcoin Core's `SequenceLocks`).
fn check_sequence_locks(
    spec: &ChainSpec,
    transaction: &Transaction,
    context: &BlockContext<'_>,
    spent: &[&Coin],
) -> Result<(), TransactionError> {
    // Bitcoin compares the version as an unsigned number.
    let version = transaction.version.0.cast_unsigned();
    if context.height.0 < spec.deployments.csv || version < SEQUENCE_LOCK_VERSION {
        return Ok(());
    }
    let locked = transaction
        .input
        .iter()
        .zip(spent)
        .position(|(input, coin)| {
            is_locked(input.sequence.to_consensus_u32(), coin.height, context)
        });
    match locked {
        Some(input) => Err(TransactionError::SequenceLocked { input }),
        None => Ok(()),
    }
}

fn is_locked(sequence: u32, coin_height: Height, context: &BlockContext<'_>) -> bool {
    if sequence & SEQUENCE_LOCK_DISABLED != 0 {
        return false;
    }
    let lock = u64::from(sequence & SEQUENCE_LOCK_MASK);
    if sequence & SEQUENCE_LOCK_IS_TIME == 0 {
        return u64::from(coin_height.0) + lock > u64::from(context.height.0);
    }
    // Time counts from the median time past of the block before the coin's. A coin of a transaction
    // that is not in a block has the height of the block that is being built.
    let base = coin_height
        .previous()
        .unwrap_or(Height::GENESIS)
        .min(context.parent.tip_height());
    let start = u64::from(median_time_past(context.parent, base));
    start + lock * SEQUENCE_LOCK_GRANULARITY_S > u64::from(context.median_time_past)
}

#[cfg(test)]
mod tests;
