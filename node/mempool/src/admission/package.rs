//! Transactions that come together: the form of a package, and its place among those of the pool.

use std::collections::{BTreeSet, HashSet};

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};

use super::plan::{
    Plan, PlanRules, Replacements, SiblingEviction, check_dust, check_maximum_fee,
    check_minimum_fee, conflicts, truc,
};
use super::replacement::{check_diagram, check_fees, evicted_with};
use super::rules::{Admission, Draft, check_is_new};
use crate::policy::{Judged, check_dust_is_spent, check_truc, check_truc_in_package};
use crate::pool::{Addition, Links, Pool, Slot, Staged};
use crate::{FeeRate, MempoolError, PackageError, PackageReplacementError, ReplacementError};

/// The most transactions of a package (Bitcoin Core's `MAX_PACKAGE_COUNT`).
const MAX_PACKAGE_COUNT: usize = 25;

/// The most weight of a package (`MAX_PACKAGE_WEIGHT`).
const MAX_PACKAGE_WEIGHT: u64 = 404_000;

/// How a package is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackageRules {
    /// As its transactions one after another would be, none of which may replace anything.
    Each,
    /// By the fee rate of all together, and it may replace transactions of the pool. Then it must be one child with some of its
    /// parents, so that nobody pays for a stranger.
    Together {
        /// The most that the caller wants to pay, for each transaction.
        max_fee_rate: Option<FeeRate>,
    },
}

impl PackageRules {
    fn single(self) -> PlanRules {
        let (replacements, max_fee_rate) = match self {
            Self::Each => (Replacements::Disallowed, None),
            Self::Together { max_fee_rate } => (Replacements::Allowed, max_fee_rate),
        };
        PlanRules {
            replacements,
            siblings: SiblingEviction::Disallowed,
            max_fee_rate,
        }
    }
}

/// Why a package is refused: as a whole, or because of one of its transactions.
#[derive(Debug)]
pub(crate) struct PackageFailure {
    pub(crate) error: PackageError,
    /// Which transaction fails, and why.
    pub(crate) member: Option<Box<(usize, MempoolError)>>,
}

impl From<PackageError> for PackageFailure {
    fn from(error: PackageError) -> Self {
        Self {
            error,
            member: None,
        }
    }
}

impl PackageFailure {
    pub(crate) fn of(index: usize, error: MempoolError) -> Self {
        Self {
            error: PackageError::TransactionFailed,
            member: Some(Box::new((index, error))),
        }
    }
}

/// The form that a package must have (Bitcoin Core's `IsWellFormedPackage`).
pub(crate) fn check_package(transactions: &[&Transaction]) -> Result<(), PackageError> {
    if transactions.len() > MAX_PACKAGE_COUNT {
        return Err(PackageError::TooManyTransactions);
    }
    let weight: u64 = transactions.iter().map(|tx| tx.weight().to_wu()).sum();
    if transactions.len() > 1 && weight > MAX_PACKAGE_WEIGHT {
        return Err(PackageError::TooLarge);
    }
    let txids: Vec<Txid> = transactions.iter().map(|tx| tx.compute_txid()).collect();
    let mut later: HashSet<Txid> = txids.iter().copied().collect();
    if later.len() != txids.len() {
        return Err(PackageError::ContainsDuplicates);
    }
    for (transaction, txid) in transactions.iter().zip(&txids) {
        let spends_later = |outpoint: OutPoint| later.contains(&outpoint.txid);
        if inputs_of(transaction).any(spends_later) {
            return Err(PackageError::NotSorted);
        }
        later.remove(txid);
    }
    let mut spent = HashSet::new();
    for transaction in transactions {
        // A transaction that spends a coin twice by itself is not the package's failure.
        let own: HashSet<OutPoint> = inputs_of(transaction).collect();
        if own.iter().any(|outpoint| spent.contains(outpoint)) {
            return Err(PackageError::Conflict);
        }
        spent.extend(own);
    }
    Ok(())
}

/// Checks that the last transaction spends an output of each of the others.
pub(crate) fn check_child_with_parents(transactions: &[&Transaction]) -> Result<(), PackageError> {
    let Some((child, parents)) = transactions.split_last() else {
        return Ok(());
    };
    let spent: HashSet<Txid> = inputs_of(child).map(|outpoint| outpoint.txid).collect();
    if parents.iter().all(|tx| spent.contains(&tx.compute_txid())) {
        Ok(())
    } else {
        Err(PackageError::NotChildWithParents)
    }
}

/// Checks a transaction of a package by itself, as far as it is judged by itself.
pub(crate) fn check_member(
    admission: &Admission<'_>,
    pool: &Pool,
    draft: &Draft,
    rules: PackageRules,
) -> Result<(), MempoolError> {
    check_is_new(pool, draft.txid, || draft.wtxid)?;
    let conflicts = conflicts(pool, &draft.tx);
    if !conflicts.is_empty() && rules == PackageRules::Each {
        return Err(MempoolError::ReplacementDisallowed);
    }
    let fee = draft.modified_fee(pool);
    check_dust(admission.config, draft, fee)?;
    if rules == PackageRules::Each {
        check_minimum_fee(
            admission.mempool_min_fee,
            admission.config,
            fee,
            draft.vsize,
        )?;
    }
    let parents = pool.parents_of(&draft.tx);
    check_truc(draft.judged(), pool, &parents, &conflicts)
        .map_err(|found| truc(found.violation))?;
    check_maximum_fee(rules.single(), fee, draft.vsize)
}

/// Plans for a package whose transactions passed [`check_member`].
pub(crate) fn plan_package(
    admission: &Admission<'_>,
    pool: &Pool,
    drafts: &[Draft],
    rules: PackageRules,
) -> Result<Plan, PackageFailure> {
    let package: Vec<Judged<'_>> = drafts.iter().map(Draft::judged).collect();
    for (index, draft) in drafts.iter().enumerate() {
        draft
            .check_parents(pool, drafts)
            .map_err(|error| PackageFailure::of(index, error))?;
        let parents = pool.parents_of(&draft.tx);
        check_truc_in_package(draft.judged(), pool, &parents, &package)
            .map_err(PackageError::Truc)?;
    }
    let totals = Totals::of(pool, drafts);
    if rules != PackageRules::Each {
        let minimum = admission.mempool_min_fee;
        check_minimum_fee(minimum, admission.config, totals.fee, totals.vsize)
            .map_err(|error| PackageFailure::of(drafts.len() - 1, error))?;
    }
    let conflicts: BTreeSet<Slot> = drafts.iter().flat_map(|d| conflicts(pool, &d.tx)).collect();
    let added: Vec<Addition<'_>> = drafts.iter().map(|draft| draft.addition(pool)).collect();
    let stage = |evicted: &BTreeSet<Slot>| -> Result<Staged, PackageError> {
        pool.stage(evicted, &added, Links::ToParents, &admission.config.limits)
            .map_err(|_| PackageError::TooLargeCluster)
    };
    let (evicted, staged) = if conflicts.is_empty() {
        let nothing = BTreeSet::new();
        let staged = stage(&nothing)?;
        (nothing, staged)
    } else {
        replace(admission, pool, drafts, totals, &conflicts, stage)?
    };
    check_package_dust(admission, pool, drafts)?;
    let drafts: Vec<&Draft> = drafts.iter().collect();
    Ok(Plan::new(pool, &drafts, &evicted, staged))
}

/// What a package pays together.
#[derive(Clone, Copy, Debug)]
struct Totals {
    fee: i64,
    vsize: u64,
}

impl Totals {
    fn of(pool: &Pool, drafts: &[Draft]) -> Self {
        let fees = drafts.iter().map(|draft| draft.modified_fee(pool));
        Self {
            fee: fees.fold(0, i64::saturating_add),
            vsize: drafts.iter().map(|draft| draft.vsize).sum(),
        }
    }

    /// Whether it pays no more for its size than `other`.
    fn pays_no_more_than(self, other: Self) -> bool {
        i128::from(self.fee) * i128::from(other.vsize)
            <= i128::from(other.fee) * i128::from(self.vsize)
    }

    fn rate(self) -> FeeRate {
        FeeRate::of_modified(self.fee, self.vsize)
    }
}

/// Replacement by a package (Bitcoin Core's `PackageRBFChecks`).
fn replace(
    admission: &Admission<'_>,
    pool: &Pool,
    drafts: &[Draft],
    totals: Totals,
    conflicts: &BTreeSet<Slot>,
    stage: impl Fn(&BTreeSet<Slot>) -> Result<Staged, PackageError>,
) -> Result<(BTreeSet<Slot>, Staged), PackageError> {
    let [parent, child] = drafts else {
        return Err(refused(PackageReplacementError::NotParentAndChild));
    };
    if [parent, child]
        .iter()
        .any(|draft| !pool.parents_of(&draft.tx).is_empty())
    {
        return Err(refused(PackageReplacementError::HasAncestors));
    }
    let rule = |reason: ReplacementError| {
        refused(PackageReplacementError::Rule {
            txid: child.txid,
            reason,
        })
    };
    let evicted = evicted_with(pool, conflicts).map_err(rule)?;
    let incremental = admission.config.incremental_relay_fee;
    check_fees(pool, totals.fee, totals.vsize, &evicted, incremental).map_err(rule)?;
    // The two must be one chunk: otherwise the child pays for the replacement alone, and no miner cares.
    let alone = Totals::of(pool, std::slice::from_ref(parent));
    if totals.pays_no_more_than(alone) {
        return Err(refused(PackageReplacementError::ParentPaysBetter {
            package: totals.rate(),
            parent: alone.rate(),
        }));
    }
    let staged = stage(&evicted)?;
    check_diagram(pool, &staged).map_err(rule)?;
    Ok((evicted, staged))
}

fn refused(error: PackageReplacementError) -> PackageError {
    PackageError::Replacement(error)
}

fn check_package_dust(
    admission: &Admission<'_>,
    pool: &Pool,
    drafts: &[Draft],
) -> Result<(), PackageFailure> {
    if admission.config.accept_nonstandard {
        return Ok(());
    }
    for (index, draft) in drafts.iter().enumerate() {
        let parent = |txid: &Txid| {
            let packaged = drafts.iter().find(|other| other.txid == *txid);
            packaged
                .map(|other| other.tx.as_ref())
                .or_else(|| pool.get(txid).map(|entry| entry.tx.as_ref()))
        };
        if check_dust_is_spent(&draft.tx, admission.config.dust_relay_fee, parent).is_err() {
            return Err(PackageFailure {
                error: PackageError::UnspentDust,
                member: Some(Box::new((
                    index,
                    MempoolError::MissingEphemeralSpends(draft.name()),
                ))),
            });
        }
    }
    Ok(())
}

/// What a transaction spends.
fn inputs_of(transaction: &Transaction) -> impl Iterator<Item = OutPoint> + '_ {
    transaction.input.iter().map(|input| input.previous_output)
}
