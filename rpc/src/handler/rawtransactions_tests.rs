use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Network, ScriptBuf, TxOut};
use pyrite_mempool::NonStandard;

use super::*;

fn sample() -> Transaction {
    genesis_block(Network::Regtest).txdata.remove(0)
}

#[test]
fn bytes_that_are_no_transaction_do_not_decode() {
    let hex = serialize_hex(&sample());
    assert_eq!(decode_transaction(&hex).unwrap(), sample());
    for text in ["", "00", "zz", &hex[2..], &format!("{hex}00")] {
        let error = decode_transaction(text).unwrap_err();
        assert_eq!(
            error,
            CallError::new(
                -22,
                "TX decode failed. Make sure the tx has at least one input."
            )
        );
    }
}

#[test]
fn the_highest_fee_rate_has_a_default_and_can_be_lifted() {
    assert_eq!(max_fee_rate(None).unwrap(), Some(DEFAULT_MAX_FEE_RATE));
    assert_eq!(
        max_fee_rate(Some(Value::Null)).unwrap(),
        Some(DEFAULT_MAX_FEE_RATE)
    );
    assert_eq!(max_fee_rate(Some(json!(0))).unwrap(), None);
    assert_eq!(
        max_fee_rate(Some(json!("0.00001"))).unwrap(),
        Some(FeeRate(1_000))
    );
    assert_eq!(max_fee_rate(Some(json!(1))).unwrap_err().code, -8);
}

#[test]
fn burning_is_bounded() {
    let mut transaction = sample();
    let value = Amount::from_sat(10);
    transaction.output = vec![TxOut {
        value,
        script_pubkey: ScriptBuf::from(vec![0x6a]),
    }];
    assert!(burns_more_than(&transaction, Amount::ZERO));
    assert!(!burns_more_than(&transaction, value));
    // A push that is cut off can't run either.
    transaction.output[0].script_pubkey = ScriptBuf::from(vec![0x02, 0x00]);
    assert!(burns_more_than(&transaction, Amount::ZERO));
    // Neither can an unknown opcode or a push that is too long.
    for script in [vec![0xba], [&[0x4d, 9, 2][..], &[0; 521]].concat()] {
        transaction.output[0].script_pubkey = ScriptBuf::from(script);
        assert!(burns_more_than(&transaction, Amount::ZERO));
    }
    transaction.output[0].script_pubkey = ScriptBuf::from([&[0x4d, 8, 2][..], &[0; 520]].concat());
    assert!(!burns_more_than(&transaction, Amount::ZERO));
    transaction.output[0].script_pubkey = ScriptBuf::from(vec![0x51]);
    assert!(!burns_more_than(&transaction, Amount::ZERO));
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
