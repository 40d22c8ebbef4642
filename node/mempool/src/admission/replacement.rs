//! Replacement by fee. Every transaction can be replaced, whether it signals so or not: rules 3 and 4 of BIP-0125 apply, a
//! bound on the clusters that change, and the fee rate diagram of what changes must get better (Bitcoin Core's
//! `ReplacementChecks`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::cluster::compare_diagrams;
use crate::fee_rate::fee_for;
use crate::pool::{Family, Pool, Slot, Staged};
use crate::{FeeRate, ReplacementError};

/// The most clusters in which a transaction may conflict with others, which bounds the work.
const MAX_CONFLICTING_CLUSTERS: usize = 100;

/// What goes when `conflicts` are replaced: they and all their descendants.
///
/// # Errors
/// When they are in too many clusters.
pub(super) fn evicted_with(
    pool: &Pool,
    conflicts: &BTreeSet<Slot>,
) -> Result<BTreeSet<Slot>, ReplacementError> {
    let count = pool.count_clusters(conflicts.iter());
    if count > MAX_CONFLICTING_CLUSTERS {
        return Err(ReplacementError::TooMany {
            count,
            max: MAX_CONFLICTING_CLUSTERS,
        });
    }
    Ok(pool.with_family(conflicts.iter().copied(), Family::Descendants))
}

/// Checks that what comes pays all that `evicted` paid (rule 3), and for its own relay on
/// top of that (rule 4). Fees are with what the operator added.
pub(super) fn check_fees(
    pool: &Pool,
    fee: i64,
    vsize: u64,
    evicted: &BTreeSet<Slot>,
    incremental: FeeRate,
) -> Result<(), ReplacementError> {
    let replaced = evicted.iter().map(|slot| pool.modified_fee(*slot));
    let replaced = replaced.fold(0, i64::saturating_add);
    if fee < replaced {
        return Err(ReplacementError::LowerFee { fee, replaced });
    }
    let additional = fee.saturating_sub(replaced);
    let required = fee_for(incremental, vsize);
    if additional < required {
        return Err(ReplacementError::IncrementTooSmall {
            additional,
            required,
        });
    }
    Ok(())
}

/// Checks that blocks of every size can pay at least as much as before, and some more.
pub(super) fn check_diagram(pool: &Pool, staged: &Staged) -> Result<(), ReplacementError> {
    match compare_diagrams(&staged.diagram(), &pool.diagram_before(staged)) {
        Some(Ordering::Greater) => Ok(()),
        _ => Err(ReplacementError::Diagram),
    }
}
