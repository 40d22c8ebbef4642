use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Network, OutPoint, TxIn, Wtxid};
use pyrite_mempool::{EffectiveFee, NonStandard, PackageError};

use super::*;

fn sample() -> Transaction {
    genesis_block(Network::Regtest).txdata.remove(0)
}

fn tested(outcome: Option<Result<Accepted, MempoolError>>) -> Value {
    let transaction = sample();
    let mut form = test_json(&transaction, None, outcome).unwrap();
    for field in ["txid", "wtxid"] {
        assert_eq!(
            form.as_object_mut()
                .unwrap()
                .shift_remove(field)
                .unwrap()
                .as_str()
                .unwrap()
                .len(),
            64
        );
    }
    form
}

/// What the mempool says of a transaction that is judged by itself.
fn accepted(transaction: &Transaction, fee: u64, vsize: u64) -> Accepted {
    Accepted {
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: Amount::from_sat(fee),
        vsize,
        effective: EffectiveFee {
            fee: i64::try_from(fee).unwrap(),
            vsize,
            includes: vec![transaction.compute_wtxid()],
        },
        replaced: Vec::new(),
    }
}

#[test]
fn test_results_have_bitcoins_fields() {
    let transaction = sample();
    let accepted = accepted(&transaction, 282, 141);
    let wtxid = accepted.wtxid;
    assert_eq!(
        tested(Some(Ok(accepted))).to_string(),
        format!(
            "{{\"allowed\":true,\"vsize\":141,\"fees\":{{\"base\":0.00000282,\
             \"effective-feerate\":0.00002000,\"effective-includes\":[\"{wtxid}\"]}}}}"
        )
    );
    assert_eq!(tested(None), json!({}));
    assert_eq!(
        tested(Some(Err(MempoolError::MissingInputs(Vec::new())))),
        json!({ "allowed": false, "reject-reason": "missing-inputs" })
    );
    assert_eq!(
        tested(Some(Err(MempoolError::NonStandard(NonStandard::Dust)))),
        json!({ "allowed": false, "reject-reason": "dust", "reject-details": "dust" })
    );
    let too_high = MempoolError::MaxFeeExceeded { fee: 1, max: 0 };
    assert_eq!(
        tested(Some(Err(too_high))),
        json!({ "allowed": false, "reject-reason": "max-fee-exceeded" })
    );
}

#[test]
fn a_package_error_is_told_of_each_transaction() {
    let form = test_json(&sample(), Some("package-not-sorted"), None).unwrap();
    let keys: Vec<&String> = form.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["txid", "wtxid", "package-error"]);
    assert_eq!(form["package-error"], "package-not-sorted");
}

#[test]
fn more_than_the_callers_fee_rate_is_not_allowed() {
    let accepted = |fee| accepted(&sample(), fee, 100);
    let limit = Some(FeeRate(1_000));
    assert!(within(accepted(100), limit).is_ok());
    assert!(matches!(
        within(accepted(101), limit),
        Err(MempoolError::MaxFeeExceeded { .. })
    ));
    assert!(within(accepted(1_000_000), None).is_ok());
}

/// A transaction that spends these, told apart by a number.
fn spending(parents: &[&Transaction], number: u32) -> Arc<Transaction> {
    let mut transaction = sample();
    transaction.output[0].value = Amount::from_sat(number.into());
    transaction.input = parents
        .iter()
        .map(|parent| TxIn {
            previous_output: OutPoint {
                txid: parent.compute_txid(),
                vout: 0,
            },
            ..TxIn::default()
        })
        .collect();
    Arc::new(transaction)
}

#[test]
fn a_package_is_a_child_with_parents_that_are_strangers() {
    let first = spending(&[], 1);
    let second = spending(&[], 2);
    let child = spending(&[&first, &second], 3);
    let dependent = spending(&[&first], 4);
    let both = spending(&[&first, &dependent], 5);
    let package = |members: &[&Arc<Transaction>]| {
        let members: Vec<_> = members.iter().map(|tx| Arc::clone(tx)).collect();
        is_child_with_parents(&members)
    };
    assert!(package(&[&first]));
    assert!(package(&[&first, &second, &child]));
    assert!(package(&[&first, &child]));
    assert!(!package(&[&child, &first]));
    assert!(!package(&[&first, &second]));
    assert!(!package(&[&first, &dependent, &both]));
}

#[test]
fn the_answer_about_a_package_has_bitcoins_fields() {
    let transactions: Vec<_> = (1..=5).map(|number| spending(&[], number)).collect();
    let mut taken = accepted(&transactions[0], 100, 50);
    taken.effective.fee = 400;
    taken.effective.vsize = 100;
    let other: Wtxid = transactions[0].compute_wtxid();
    let outcome = PackageOutcome {
        error: Some(PackageError::TransactionFailed),
        members: vec![
            PackageMember::Taken(taken),
            PackageMember::Known {
                fee: Amount::from_sat(7),
                vsize: 60,
            },
            PackageMember::OtherWitness(other),
            PackageMember::Refused(MempoolError::MissingInputs(Vec::new())),
            PackageMember::NotJudged,
        ],
        replaced: vec![
            transactions[4].compute_txid(),
            transactions[4].compute_txid(),
        ],
    };
    let form = package_json(&transactions, &outcome).unwrap();
    assert_eq!(form["package_msg"], "transaction failed");
    let own = |index: usize| {
        let mut one = form["tx-results"][transactions[index].compute_wtxid().to_string()].clone();
        let txid = one.as_object_mut().unwrap().shift_remove("txid").unwrap();
        assert_eq!(txid, transactions[index].compute_txid().to_string());
        one.to_string()
    };
    assert_eq!(
        own(0),
        format!(
            "{{\"vsize\":50,\"fees\":{{\"base\":0.00000100,\"effective-feerate\":0.00004000,\
             \"effective-includes\":[\"{other}\"]}}}}"
        )
    );
    assert_eq!(own(1), "{\"vsize\":60,\"fees\":{\"base\":0.00000007}}");
    assert_eq!(own(2), format!("{{\"other-wtxid\":\"{other}\"}}"));
    assert_eq!(own(3), "{\"error\":\"bad-txns-inputs-missingorspent\"}");
    assert_eq!(own(4), "{\"error\":\"package-not-validated\"}");
    assert_eq!(form["replaced-transactions"].as_array().unwrap().len(), 1);
}
