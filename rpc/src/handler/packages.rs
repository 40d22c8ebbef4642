//! Transactions that come together.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::{Amount, Transaction, Txid};
use pyrite_mempool::{Accepted, FeeRate, MempoolError, PackageMember, PackageOutcome};
use serde_json::{Map, Value, json};

use super::Handler;
use super::rawtransactions::{check_burn, max_burn, max_fee_rate};
use crate::api::packages::PackagesServer;
use crate::call::{CallError, CallResult, code};
use crate::json::{Btc, accepted_fees};
use crate::params;

/// The most transactions of a call.
const MAX_PACKAGE_COUNT: usize = 25;

impl PackagesServer for Handler {
    fn test_mempool_accept(
        &self,
        rawtxs: Vec<Value>,
        maxfeerate: Option<Value>,
    ) -> CallResult<Value> {
        check_count(&rawtxs)?;
        let max_fee_rate = max_fee_rate(maxfeerate)?;
        let transactions = decode_all(&rawtxs, |_| Ok(()))?;
        let (package_error, outcomes) = match transactions.as_slice() {
            [only] => (
                None,
                vec![Some(self.context.mempool.test_accept(only, None))],
            ),
            package => {
                let test = self.context.mempool.test_accept_package(package)?;
                (test.error.map(|error| error.to_string()), test.outcomes)
            }
        };
        let mut results = Vec::with_capacity(transactions.len());
        let mut too_dear = false;
        for (transaction, outcome) in transactions.iter().zip(outcomes) {
            // After one that pays more than the caller wants, its descendants' verdicts mean nothing.
            let outcome = outcome
                .filter(|_| !too_dear)
                .map(|outcome| outcome.and_then(|accepted| within(accepted, max_fee_rate)));
            too_dear |= matches!(outcome, Some(Err(MempoolError::MaxFeeExceeded { .. })));
            results.push(test_json(transaction, package_error.as_deref(), outcome)?);
        }
        Ok(Value::Array(results))
    }

    fn submit_package(
        &self,
        package: Vec<Value>,
        maxfeerate: Option<Value>,
        maxburnamount: Option<Value>,
    ) -> CallResult<Value> {
        check_count(&package)?;
        let max_fee_rate = max_fee_rate(maxfeerate)?;
        let max_burn = max_burn(maxburnamount)?;
        let transactions = decode_all(&package, |transaction| check_burn(transaction, max_burn))?;
        if !is_child_with_parents(&transactions) {
            return Err(CallError::new(
                code::VERIFY_ERROR,
                "package topology disallowed. not child-with-parents or parents depend on each other.",
            ));
        }
        let mempool = &self.context.mempool;
        let outcome = mempool.submit_package(&transactions, max_fee_rate)?;
        // Parents come first, so that peers can take them in this order.
        for transaction in &transactions {
            if let Some(entry) = mempool.get(&transaction.compute_txid()) {
                let transaction = Arc::clone(&entry.tx);
                self.context.network.announce_transaction(transaction);
            }
        }
        package_json(&transactions, &outcome)
    }
}

fn check_count(transactions: &[Value]) -> CallResult<()> {
    if transactions.is_empty() || transactions.len() > MAX_PACKAGE_COUNT {
        return Err(CallError::invalid_parameter(format!(
            "Array must contain between 1 and {MAX_PACKAGE_COUNT} transactions."
        )));
    }
    Ok(())
}

/// Reads transactions, and checks each before the next is read.
fn decode_all(
    texts: &[Value],
    check: impl Fn(&Transaction) -> CallResult<()>,
) -> CallResult<Vec<Arc<Transaction>>> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(index, text)| {
            let decoded = deserialize_hex::<Transaction>(params::text(text)?);
            let transaction = decoded.map_err(|_| {
                CallError::new(
                    code::DESERIALIZATION_ERROR,
                    format!(
                        "TX decode failed for tx {index}. Make sure the tx has at least one input."
                    ),
                )
            })?;
            check(&transaction)?;
            Ok(Arc::new(transaction))
        })
        .collect()
}

/// Whether the last transaction spends each of the others, and none of those spends another (Bitcoin Core's
/// `IsChildWithParentsTree`); one alone will do.
fn is_child_with_parents(transactions: &[Arc<Transaction>]) -> bool {
    let Some((child, parents)) = transactions.split_last() else {
        return false;
    };
    let ids: HashSet<Txid> = parents.iter().map(|tx| tx.compute_txid()).collect();
    let spent = |tx: &Transaction| -> HashSet<Txid> {
        let inputs = tx.input.iter();
        inputs.map(|input| input.previous_output.txid).collect()
    };
    ids.is_subset(&spent(child)) && parents.iter().all(|tx| ids.is_disjoint(&spent(tx)))
}

/// An accepted transaction, unless it pays more than the caller wants to.
fn within(accepted: Accepted, max_fee_rate: Option<FeeRate>) -> Result<Accepted, MempoolError> {
    match max_fee_rate.map(|rate| rate.fee_for(accepted.vsize)) {
        Some(max) if accepted.fee > max => Err(MempoolError::MaxFeeExceeded {
            fee: satoshis(accepted.fee),
            max: satoshis(max),
        }),
        _ => Ok(accepted),
    }
}

/// An amount in the type of fees that an operator can change.
fn satoshis(amount: Amount) -> i64 {
    i64::try_from(amount.to_sat()).unwrap_or(i64::MAX)
}

/// One entry of `testmempoolaccept`; without an outcome it only names the transaction.
fn test_json(
    transaction: &Transaction,
    package_error: Option<&str>,
    outcome: Option<Result<Accepted, MempoolError>>,
) -> CallResult<Value> {
    let txid = transaction.compute_txid().to_string();
    let wtxid = transaction.compute_wtxid().to_string();
    let mut form = json!({ "txid": txid, "wtxid": wtxid });
    if let Some(error) = package_error {
        form["package-error"] = error.into();
    }
    match outcome {
        None => {}
        Some(Ok(accepted)) => {
            form["allowed"] = true.into();
            form["vsize"] = accepted.vsize.into();
            form["fees"] = accepted_fees(&accepted);
        }
        Some(Err(MempoolError::Machine(error))) => return Err(error.into()),
        Some(Err(error)) => {
            form["allowed"] = false.into();
            match &error {
                MempoolError::MissingInputs(_) => form["reject-reason"] = "missing-inputs".into(),
                MempoolError::MaxFeeExceeded { .. } => {
                    form["reject-reason"] = "max-fee-exceeded".into();
                }
                error => {
                    form["reject-reason"] = error.reject_reason().into();
                    form["reject-details"] = error.reject_string().into();
                }
            }
        }
    }
    Ok(form)
}

/// The answer of `submitpackage`.
fn package_json(transactions: &[Arc<Transaction>], outcome: &PackageOutcome) -> CallResult<Value> {
    let mut results = Map::new();
    for (transaction, member) in transactions.iter().zip(&outcome.members) {
        let wtxid = transaction.compute_wtxid().to_string();
        results.insert(wtxid, member_json(transaction, member));
    }
    let message = outcome
        .error
        .as_ref()
        .map_or_else(|| "success".to_owned(), ToString::to_string);
    let replaced: BTreeSet<&Txid> = outcome.replaced.iter().collect();
    let replaced = replaced
        .into_iter()
        .map(|txid| Value::from(txid.to_string()));
    Ok(json!({
        "package_msg": message,
        "tx-results": results,
        "replaced-transactions": replaced.collect::<Vec<_>>(),
    }))
}

/// What became of one transaction.
fn member_json(transaction: &Transaction, member: &PackageMember) -> Value {
    let mut form = json!({ "txid": transaction.compute_txid().to_string() });
    match member {
        PackageMember::Taken(accepted) => {
            form["vsize"] = accepted.vsize.into();
            form["fees"] = accepted_fees(accepted);
        }
        PackageMember::Known { fee, vsize } => {
            form["vsize"] = (*vsize).into();
            // By which rate it was judged when it came is not known any more.
            form["fees"] = json!({ "base": Btc::from(*fee) });
        }
        PackageMember::OtherWitness(wtxid) => form["other-wtxid"] = wtxid.to_string().into(),
        PackageMember::Refused(error) => form["error"] = error.reject_string().into(),
        PackageMember::NotJudged => form["error"] = "package-not-validated".into(),
    }
    form
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
