//! Testing transactions that depend on each other, as `testmempoolaccept` does: each sees the outputs
//! of those before it. Nothing is taken; the rules run over a copy of the pool.

use std::collections::HashSet;
use std::sync::Arc;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};
use pyrite_consensus::{BlockContext, CoinView};

use crate::admission::{Admission, Origin, Plan, check_with_coins, check_without_coins};
use crate::handle::{MAX_ATTEMPTS, accepted};
use crate::pool::Pool;
use crate::{Accepted, MempoolError, MempoolHandle, NonStandard, PackageError};

/// The most transactions of a package (Bitcoin Core's `MAX_PACKAGE_COUNT`).
const MAX_PACKAGE_COUNT: usize = 25;

/// The most weight of a package (`MAX_PACKAGE_WEIGHT`).
const MAX_PACKAGE_WEIGHT: u64 = 404_000;

/// What testing a package found for each of its transactions, in their order. `None`: another one
/// failed before this one could be judged.
pub type PackageOutcome = Vec<Option<Result<Accepted, MempoolError>>>;

/// A package and where testing it stopped, if it did: at which transaction, and why.
struct Judged {
    plans: Vec<Plan>,
    failure: Option<(usize, MempoolError)>,
}

impl MempoolHandle {
    /// Says whether `submit` would take these transactions one after another, without taking them.
    /// None of them may replace transactions of the mempool. Blocks as `submit` does.
    ///
    /// # Errors
    /// Why the package as a whole can't be judged.
    pub fn test_accept_package(
        &self,
        transactions: &[Transaction],
    ) -> Result<PackageOutcome, PackageError> {
        check_package(transactions)?;
        let mut outcome: PackageOutcome = transactions.iter().map(|_| None).collect();
        let judged = match self.judge_at_tip(transactions)? {
            Ok(judged) => judged,
            Err(error) => {
                outcome[0] = Some(Err(error));
                return Ok(outcome);
            }
        };
        if let Some((index, error)) = judged.failure {
            outcome[index] = Some(Err(error));
            return Ok(outcome);
        }
        // Scripts last: they are what costs most.
        for (index, plan) in judged.plans.iter().enumerate() {
            match self.verify(&transactions[index], plan) {
                Ok(()) => outcome[index] = Some(Ok(accepted(plan, Vec::new()))),
                Err(error) => {
                    outcome[index] = Some(Err(error));
                    break;
                }
            }
        }
        Ok(outcome)
    }

    /// Follows the chain to its tip and checks the package there. The inner error is the machine's.
    fn judge_at_tip(
        &self,
        transactions: &[Transaction],
    ) -> Result<Result<Judged, MempoolError>, PackageError> {
        for _ in 0..MAX_ATTEMPTS {
            if let Err(error) = self.sync() {
                return Ok(Err(error));
            }
            match self.judge(transactions) {
                Ok(Some(judged)) => return judged.map(Ok),
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Err(MempoolError::Unsettled))
    }

    /// Checks the package, scripts excepted; `None` when the chain and the mempool are not at the same
    /// block.
    fn judge(
        &self,
        transactions: &[Transaction],
    ) -> Result<Option<Result<Judged, PackageError>>, MempoolError> {
        let cursor = self.state().cursor;
        let Some(parent) = self.inner.chain.header_chain(&cursor.hash) else {
            return Ok(None);
        };
        let spent: Vec<OutPoint> = inputs_of(transactions).collect();
        let coins = self.inner.chain.coins(&spent)?;
        let (mut pool, mempool_min_fee) = {
            let state = self.state();
            if coins.tip.hash != cursor.hash || state.cursor != cursor {
                return Ok(None);
            }
            let now = self.inner.clock.now();
            let minimum = state.mempool_min_fee(&self.inner.config, now);
            (state.pool.clone(), minimum)
        };
        let context = BlockContext::new(&parent);
        let admission = Admission {
            spec: self.inner.chain.spec(),
            context: &context,
            config: &self.inner.config,
            origin: Origin::Submitted,
            mempool_min_fee,
        };
        let mut judged = judge_in_order(&admission, &mut pool, transactions, &coins.coins);
        if let Ok(judged) = &mut judged
            && let Some((index, error @ MempoolError::MissingInputs(_))) = &mut judged.failure
            && self.is_in_chain(&transactions[*index])?
        {
            *error = MempoolError::AlreadyInChain;
        }
        Ok(Some(judged))
    }
}

/// Checks each transaction on the pool with those before it, up to the first that fails.
fn judge_in_order(
    admission: &Admission<'_>,
    pool: &mut Pool,
    transactions: &[Transaction],
    coins: &impl CoinView,
) -> Result<Judged, PackageError> {
    let mut plans: Vec<Plan> = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let checked = check_without_coins(admission, pool, transaction)
            .and_then(|()| check_with_coins(admission, pool, transaction, coins))
            .and_then(|plan| {
                if plan.conflicts.is_empty() {
                    Ok(plan)
                } else {
                    Err(MempoolError::ReplacementDisallowed)
                }
            });
        let plan = match checked {
            Ok(plan) => plan,
            Err(error) => {
                let is_joint = transaction.input.iter().any(|input| {
                    plans
                        .iter()
                        .any(|plan| plan.txid == input.previous_output.txid)
                });
                if is_joint {
                    refuse_as_package(&error)?;
                }
                return Ok(Judged {
                    plans,
                    failure: Some((index, error)),
                });
            }
        };
        // Neither time nor sequence matter to the rules.
        let entry = plan.entry(
            Arc::new(transaction.clone()),
            0,
            admission.context.height,
            u64::MAX,
        );
        pool.insert(entry);
        plans.push(plan);
    }
    Ok(Judged {
        plans,
        failure: None,
    })
}

/// Rules on topology that a transaction breaks together with its parents in the package are the
/// package's failure.
fn refuse_as_package(error: &MempoolError) -> Result<(), PackageError> {
    match error {
        MempoolError::TooLongChain(_) => Err(PackageError::MempoolLimits),
        MempoolError::NonStandard(NonStandard::Truc(violation)) => {
            Err(PackageError::Truc(*violation))
        }
        _ => Ok(()),
    }
}

/// The form that a package must have (Bitcoin Core's `IsWellFormedPackage`).
fn check_package(transactions: &[Transaction]) -> Result<(), PackageError> {
    if transactions.len() > MAX_PACKAGE_COUNT {
        return Err(PackageError::TooManyTransactions);
    }
    let weight: u64 = transactions.iter().map(|tx| tx.weight().to_wu()).sum();
    if transactions.len() > 1 && weight > MAX_PACKAGE_WEIGHT {
        return Err(PackageError::TooLarge);
    }
    let txids: Vec<Txid> = transactions.iter().map(Transaction::compute_txid).collect();
    let mut later: HashSet<Txid> = txids.iter().copied().collect();
    if later.len() != txids.len() {
        return Err(PackageError::ContainsDuplicates);
    }
    for (transaction, txid) in transactions.iter().zip(&txids) {
        let spends_later = |outpoint: &OutPoint| later.contains(&outpoint.txid);
        if transaction
            .input
            .iter()
            .any(|input| spends_later(&input.previous_output))
        {
            return Err(PackageError::NotSorted);
        }
        later.remove(txid);
    }
    let mut spent = HashSet::new();
    for transaction in transactions {
        // A transaction that spends a coin twice by itself is not the package's failure.
        let own: HashSet<OutPoint> = inputs_of(std::slice::from_ref(transaction)).collect();
        if own.iter().any(|outpoint| spent.contains(outpoint)) {
            return Err(PackageError::Conflict);
        }
        spent.extend(own);
    }
    Ok(())
}

/// What these transactions spend.
fn inputs_of(transactions: &[Transaction]) -> impl Iterator<Item = OutPoint> + '_ {
    transactions
        .iter()
        .flat_map(|tx| tx.input.iter().map(|input| input.previous_output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrucViolation;
    use crate::testing::{Bench, open_transaction, output_of};

    #[test]
    fn a_package_is_sorted_without_duplicates_and_conflicts() {
        let mut bench = Bench::new();
        let parent = bench.paying(1_000);
        let child = open_transaction(&[output_of(&parent, 0)], &[900_000]);
        let rival = open_transaction(&[output_of(&parent, 0)], &[800_000]);
        let [parent, child, rival] = [&parent, &child, &rival].map(Clone::clone);
        let check = |transactions: &[&Transaction]| {
            let transactions: Vec<Transaction> =
                transactions.iter().map(|tx| (*tx).clone()).collect();
            check_package(&transactions)
        };
        assert_eq!(check(&[&parent, &child]), Ok(()));
        assert_eq!(
            check(&[&parent, &parent]),
            Err(PackageError::ContainsDuplicates)
        );
        assert_eq!(check(&[&child, &parent]), Err(PackageError::NotSorted));
        assert_eq!(
            check(&[&parent, &child, &rival]),
            Err(PackageError::Conflict)
        );
        let mut twice = child.clone();
        twice.input.push(twice.input[0].clone());
        assert_eq!(check(&[&parent, &twice]), Ok(()));
    }

    #[test]
    fn a_package_is_bounded() {
        let mut bench = Bench::new();
        let many: Vec<Transaction> = (0..=MAX_PACKAGE_COUNT)
            .map(|_| bench.paying(1_000))
            .collect();
        assert_eq!(check_package(&many), Err(PackageError::TooManyTransactions));
        assert_eq!(check_package(&many[1..]), Ok(()));
        let coins = [(); 2].map(|()| bench.fund(1_000_000));
        // 32 bytes an output, four weight units each.
        let large = coins.map(|coin| open_transaction(&[coin], &[1_000; 1_600]));
        assert_eq!(check_package(&large[..1]), Ok(()));
        assert_eq!(check_package(&large), Err(PackageError::TooLarge));
    }

    #[test]
    fn topology_that_is_too_long_together_fails_the_package() {
        let limit = MempoolError::TooLongChain(crate::ChainLimit::AncestorCount { limit: 25 });
        assert_eq!(refuse_as_package(&limit), Err(PackageError::MempoolLimits));
        let violation = TrucViolation::TooManyAncestors;
        let error = refuse_as_package(&MempoolError::NonStandard(NonStandard::Truc(violation)))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "TRUC-violation, tx would have too many ancestors"
        );
        assert_eq!(refuse_as_package(&MempoolError::NonFinal), Ok(()));
    }
}
