//! A transaction's place among those of the pool: what it spends of them, what it replaces, which cluster it joins.

use std::collections::BTreeSet;

use pyrite_consensus::bitcoin::{Transaction, Txid};

use super::replacement::{check_diagram, check_fees, evicted_with};
use super::rules::{Admission, Draft, check_is_new};
use crate::fee_rate::fee_for;
use crate::policy::{check_dust_is_spent, check_dust_pays_nothing, check_truc};
use crate::pool::{Links, Pool, Slot, Staged};
use crate::{Evicts, FeeRate, MempoolConfig, MempoolError, NonStandard, TrucViolation};

/// Whether conflicting transactions may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacements {
    Allowed,
    Disallowed,
}

/// Whether the other child of a parent of version 3 may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SiblingEviction {
    Allowed,
    Disallowed,
}

/// What a transaction may do to others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanRules {
    pub(crate) replacements: Replacements,
    pub(crate) siblings: SiblingEviction,
    /// The most that the caller wants to pay.
    pub(crate) max_fee_rate: Option<FeeRate>,
}

impl PlanRules {
    /// Those for a transaction that comes by itself.
    pub(crate) const SINGLE: Self = Self {
        replacements: Replacements::Allowed,
        siblings: SiblingEviction::Allowed,
        max_fee_rate: None,
    };
}

/// What taking transactions means for the pool, and what that was found from.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Entries that spend the same coins.
    conflicts: BTreeSet<Slot>,
    /// What goes: conflicts, perhaps a sibling, and their descendants.
    pub(crate) evicted: Vec<Txid>,
    /// The fees with what the operator added, of each transaction in satoshis.
    pub(crate) fees: Vec<i64>,
    staged: Staged,
    parents: Vec<Vec<Slot>>,
}

impl Plan {
    pub(super) fn new(
        pool: &Pool,
        drafts: &[&Draft],
        evicted: &BTreeSet<Slot>,
        staged: Staged,
    ) -> Self {
        Self {
            conflicts: drafts.iter().flat_map(|d| conflicts(pool, &d.tx)).collect(),
            evicted: evicted.iter().map(|slot| pool.entry(*slot).txid).collect(),
            fees: drafts
                .iter()
                .map(|draft| draft.modified_fee(pool))
                .collect(),
            staged,
            parents: drafts.iter().map(|d| pool.parents_of(&d.tx)).collect(),
        }
    }

    /// Whether the plan, made for the same drafts at an earlier moment, is still what it would be now.
    pub(crate) fn is_current(&self, pool: &Pool, drafts: &[&Draft]) -> bool {
        let linked_as_before = |(draft, parents): (&&Draft, &Vec<Slot>)| {
            !pool.contains(&draft.txid)
                && pool.parents_of(&draft.tx) == *parents
                && conflicts(pool, &draft.tx).is_subset(&self.conflicts)
        };
        let mut fees = drafts.iter().zip(&self.fees);
        pool.is_current(&self.staged)
            && drafts.iter().zip(&self.parents).all(linked_as_before)
            && fees.all(|(draft, fee)| draft.modified_fee(pool) == *fee)
    }

    /// The fees of all transactions together.
    pub(crate) fn total_fee(&self) -> i64 {
        self.fees.iter().copied().fold(0, i64::saturating_add)
    }

    /// The change to the pool.
    pub(crate) fn into_staged(self) -> Staged {
        self.staged
    }
}

/// Entries that spend what `transaction` spends.
pub(super) fn conflicts(pool: &Pool, transaction: &Transaction) -> BTreeSet<Slot> {
    let inputs = transaction.input.iter();
    inputs
        .filter_map(|input| pool.spender(&input.previous_output))
        .collect()
}

/// Plans for a transaction that comes by itself.
pub(crate) fn plan(
    admission: &Admission<'_>,
    pool: &Pool,
    draft: &Draft,
    rules: PlanRules,
) -> Result<Plan, MempoolError> {
    check_is_new(pool, draft.txid, || draft.wtxid)?;
    draft.check_parents(pool, &[])?;
    let mut conflicts = conflicts(pool, &draft.tx);
    if !conflicts.is_empty() && rules.replacements == Replacements::Disallowed {
        return Err(MempoolError::ReplacementDisallowed);
    }
    let parents = pool.parents_of(&draft.tx);
    let fee = draft.modified_fee(pool);
    check_dust(admission.config, draft, fee)?;
    check_minimum_fee(
        admission.mempool_min_fee,
        admission.config,
        fee,
        draft.vsize,
    )?;
    let mut evicts = Evicts::Conflicts;
    if let Err(found) = check_truc(draft.judged(), pool, &parents, &conflicts) {
        match found.sibling {
            Some(sibling) if rules.siblings == SiblingEviction::Allowed => {
                conflicts.insert(sibling);
                evicts = Evicts::Sibling;
            }
            _ => return Err(truc(found.violation)),
        }
    }
    let refused = |reason| MempoolError::Replacement {
        txid: draft.txid,
        reason,
        evicts,
    };
    let evicted = evicted_with(pool, &conflicts).map_err(refused)?;
    check_spends_no_conflict(pool, draft, &parents, &evicted)?;
    let added = [draft.addition(pool)];
    if !evicted.is_empty() {
        let incremental = admission.config.incremental_relay_fee;
        check_fees(pool, fee, draft.vsize, &evicted, incremental).map_err(refused)?;
    }
    let staged = pool
        .stage(&evicted, &added, Links::ToParents, &admission.config.limits)
        .map_err(|_| MempoolError::TooLargeCluster)?;
    if !evicted.is_empty() {
        check_diagram(pool, &staged).map_err(refused)?;
    }
    check_maximum_fee(rules, fee, draft.vsize)?;
    check_parents_dust(admission.config, pool, draft)?;
    Ok(Plan::new(pool, &[draft], &evicted, staged))
}

/// Plans for a transaction of a block that left the best chain: the fee minimums and the rules of version 3 don't apply,
/// it replaces nothing, and there may be entries that spend its outputs.
pub(crate) fn plan_return(
    config: &MempoolConfig,
    pool: &Pool,
    draft: &Draft,
) -> Result<Staged, MempoolError> {
    check_is_new(pool, draft.txid, || draft.wtxid)?;
    draft.check_parents(pool, &[])?;
    let taken = draft.tx.input.iter().map(|input| input.previous_output);
    let taken: Vec<_> = taken
        .filter(|outpoint| pool.spender(outpoint).is_some())
        .collect();
    if !taken.is_empty() {
        return Err(MempoolError::MissingInputs(taken));
    }
    check_dust(config, draft, draft.modified_fee(pool))?;
    check_parents_dust(config, pool, draft)?;
    let added = [draft.addition(pool)];
    let nothing = BTreeSet::new();
    pool.stage(
        &nothing,
        &added,
        Links::ToParentsAndChildren,
        &config.limits,
    )
    .map_err(|_| MempoolError::TooLargeCluster)
}

pub(super) fn check_dust(
    config: &MempoolConfig,
    draft: &Draft,
    modified_fee: i64,
) -> Result<(), MempoolError> {
    if config.accept_nonstandard {
        return Ok(());
    }
    check_dust_pays_nothing(&draft.tx, config.dust_relay_fee, draft.fee, modified_fee)
        .map_err(MempoolError::NonStandard)
}

fn check_parents_dust(
    config: &MempoolConfig,
    pool: &Pool,
    draft: &Draft,
) -> Result<(), MempoolError> {
    if config.accept_nonstandard {
        return Ok(());
    }
    let parent = |txid: &Txid| pool.get(txid).map(|entry| entry.tx.as_ref());
    check_dust_is_spent(&draft.tx, config.dust_relay_fee, parent)
        .map_err(|_| MempoolError::MissingEphemeralSpends(draft.name()))
}

/// Checks a fee, with what the operator added, against the minimum that evictions left and that of relay.
pub(crate) fn check_minimum_fee(
    mempool_min_fee: FeeRate,
    config: &MempoolConfig,
    fee: i64,
    vsize: u64,
) -> Result<(), MempoolError> {
    let required = fee_for(mempool_min_fee, vsize);
    if required > 0 && fee < required {
        return Err(MempoolError::BelowMempoolMinFee { fee, required });
    }
    let required = fee_for(config.min_relay_fee, vsize);
    if fee < required {
        return Err(MempoolError::BelowMinRelayFee { fee, required });
    }
    Ok(())
}

pub(super) fn check_maximum_fee(
    rules: PlanRules,
    fee: i64,
    vsize: u64,
) -> Result<(), MempoolError> {
    match rules.max_fee_rate {
        Some(rate) if rate != FeeRate::ZERO && fee > fee_for(rate, vsize) => {
            Err(MempoolError::MaxFeeExceeded {
                fee,
                max: fee_for(rate, vsize),
            })
        }
        _ => Ok(()),
    }
}

fn check_spends_no_conflict(
    pool: &Pool,
    draft: &Draft,
    parents: &[Slot],
    evicted: &BTreeSet<Slot>,
) -> Result<(), MempoolError> {
    match parents.iter().find(|parent| evicted.contains(parent)) {
        Some(parent) => Err(MempoolError::SpendsConflicting {
            txid: draft.txid,
            conflict: pool.entry(*parent).txid,
        }),
        None => Ok(()),
    }
}

pub(super) fn truc(violation: TrucViolation) -> MempoolError {
    MempoolError::NonStandard(NonStandard::Truc(violation))
}
