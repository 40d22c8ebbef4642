//! Replacement by fee. Every transaction can be replaced, whether it signals so or not; rules 3 to 5 of
//! BIP-0125 apply, and the fee rate must rise (Bitcoin Core's `PaysMoreThanConflicts`).

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use pyrite_consensus::bitcoin::{Amount, Transaction, Txid};

use crate::fee_rate::compare_rates;
use crate::pool::Pool;
use crate::{FeeRate, ReplacementError};

/// BIP-0125 rule 5: the most transactions that one may push out.
const MAX_REPLACED: u64 = 100;

/// Entries that spend what `transaction` spends.
pub(crate) fn direct_conflicts(pool: &Pool, transaction: &Transaction) -> BTreeSet<Txid> {
    let inputs = transaction.input.iter();
    inputs
        .filter_map(|input| pool.spender(&input.previous_output))
        .collect()
}

/// The conflicts and all their descendants.
///
/// # Errors
/// When they are too many. A transaction that descends from two conflicts counts twice, so that the
/// count needs no walk.
pub(crate) fn evicted_with(
    pool: &Pool,
    conflicts: &BTreeSet<Txid>,
) -> Result<HashSet<Txid>, ReplacementError> {
    let entries = conflicts.iter().filter_map(|txid| pool.get(txid));
    let count = entries.map(|entry| entry.descendant_count).sum();
    if count > MAX_REPLACED {
        return Err(ReplacementError::TooMany {
            count,
            max: MAX_REPLACED,
        });
    }
    Ok(pool.with_descendants(conflicts.iter().copied()))
}

/// Checks that the new transaction has a higher fee rate than each of `conflicts`.
pub(crate) fn check_fee_rate(
    pool: &Pool,
    fee: Amount,
    vsize: u64,
    conflicts: &BTreeSet<Txid>,
) -> Result<(), ReplacementError> {
    for entry in conflicts.iter().filter_map(|txid| pool.get(txid)) {
        if compare_rates(fee, vsize, entry.fee, entry.vsize) != Ordering::Greater {
            return Err(ReplacementError::LowerFeeRate {
                new: FeeRate::of(fee, vsize),
                old: FeeRate::of(entry.fee, entry.vsize),
            });
        }
    }
    Ok(())
}

/// Checks that the new transaction pays all that `evicted` paid (rule 3), and for its own relay on
/// top of that (rule 4).
pub(crate) fn check_fees(
    pool: &Pool,
    fee: Amount,
    vsize: u64,
    evicted: &HashSet<Txid>,
    incremental: FeeRate,
) -> Result<(), ReplacementError> {
    let replaced: Amount = evicted
        .iter()
        .filter_map(|txid| pool.get(txid))
        .map(|e| e.fee)
        .sum();
    let Some(additional) = fee.checked_sub(replaced) else {
        return Err(ReplacementError::LowerFee { fee, replaced });
    };
    let required = incremental.fee_for(vsize);
    if additional < required {
        return Err(ReplacementError::IncrementTooSmall {
            additional,
            required,
        });
    }
    Ok(())
}
