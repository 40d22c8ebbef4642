use std::str::FromStr;

use pyrite_consensus::bitcoin::{OutPoint, TxOut};

use super::*;

fn coin(sat: u64) -> Unspent {
    let address = Address::from_str("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
        .unwrap()
        .assume_checked();
    Unspent {
        outpoint: OutPoint::null(),
        output: TxOut {
            value: Amount::from_sat(sat),
            script_pubkey: address.script_pubkey(),
        },
        address,
        label: None,
        confirmations: 1,
        height: None,
        coinbase: false,
        is_change: false,
        spendable: true,
        safe: true,
        descriptor: String::new(),
        parent_descriptor: String::new(),
    }
}

fn query(options: Value) -> CallResult<Query> {
    let Value::Object(options) = options else {
        panic!("options are an object")
    };
    Query::read(options)
}

fn selected(options: Value) -> Vec<u64> {
    let coins = [1, 2, 3, 4].map(coin).to_vec();
    let query = query(options).unwrap();
    query
        .select(coins)
        .iter()
        .map(|coin| coin.output.value.to_sat())
        .collect()
}

#[test]
fn coins_are_selected() {
    assert_eq!(selected(json!({})), [1, 2, 3, 4]);
    assert_eq!(selected(json!({"minimumAmount": "0.00000003"})), [3, 4]);
    assert_eq!(selected(json!({"maximumAmount": "0.00000002"})), [1, 2]);
    assert_eq!(selected(json!({"maximumCount": 2})), [1, 2]);
    assert_eq!(selected(json!({"maximumCount": 0})), [1, 2, 3, 4]);
    assert_eq!(selected(json!({"minimumSumAmount": "0.00000003"})), [1, 2]);
    assert_eq!(
        selected(json!({"include_immature_coinbase": false})),
        [1, 2, 3, 4]
    );
}

#[test]
fn unknown_options_are_refused() {
    assert_eq!(
        query(json!({"colour": 1})).unwrap_err(),
        CallError::new(-3, "Unexpected key colour")
    );
    assert_eq!(query(json!({"maximumCount": -1})).unwrap_err().code, -1);
    assert_eq!(
        query(json!({"include_immature_coinbase": true}))
            .unwrap_err()
            .code,
        -8
    );
}

#[test]
fn estimation_parameters_exclude_a_fee_rate() {
    let economical = EstimateMode::Economical;
    for (target, mode, has_fee_rate, read) in [
        (None, None, true, (6, economical)),
        (None, Some("Unset"), true, (6, economical)),
        (Some(3), Some("ECONOMICAL"), false, (3, economical)),
        (
            Some(1_008),
            Some("conservative"),
            false,
            (1_008, EstimateMode::Conservative),
        ),
    ] {
        assert_eq!(check_estimate(target, mode, has_fee_rate), Ok(read));
    }
    for (target, mode, has_fee_rate, message) in [
        (
            Some(6),
            None,
            true,
            "Cannot specify both conf_target and fee_rate.",
        ),
        (
            None,
            Some("economical"),
            true,
            "Cannot specify both estimate_mode and fee_rate",
        ),
        (None, Some("fast"), false, "Invalid estimate_mode parameter"),
        (
            Some(0),
            None,
            false,
            "Invalid conf_target, must be between 1 and 1008",
        ),
        (
            Some(1_009),
            None,
            false,
            "Invalid conf_target, must be between 1 and 1008",
        ),
    ] {
        let error = check_estimate(target, mode, has_fee_rate).unwrap_err();
        assert_eq!(error.code, -8);
        assert!(error.message.starts_with(message), "{}", error.message);
    }
}

#[test]
fn address_types_that_are_not_made_are_refused() {
    assert_eq!(
        unknown_type("cash"),
        CallError::new(-5, "Unknown address type 'cash'")
    );
    assert!(unknown_type("legacy").message.contains("is not supported"));
}

#[test]
fn options_have_types() {
    for (options, message) in [
        (
            json!({"maximumCount": "1"}),
            "JSON value of type string for field maximumCount is not of expected type number",
        ),
        (
            json!({"include_immature_coinbase": 1}),
            "JSON value of type number for field include_immature_coinbase is not of expected type \
             bool",
        ),
    ] {
        assert_eq!(query(options).unwrap_err(), CallError::new(-3, message));
    }
}

#[test]
fn a_rate_is_raised_to_what_is_asked_for() {
    let found = |rate| (FeeRate(rate), FeeReason::Target);
    for (rate, minimum, expected) in [
        (5_000, 100, found(5_000)),
        (5_000, 5_001, (FeeRate(5_001), FeeReason::MempoolMin)),
        (999, 100, (FeeRate(1_000), FeeReason::Required)),
        (100, 999, (FeeRate(1_000), FeeReason::Required)),
        (100, 1_000, (FeeRate(1_000), FeeReason::MempoolMin)),
        (1_000, 1_000, found(1_000)),
    ] {
        assert_eq!(at_least(found(rate), FeeRate(minimum)), expected, "{rate}");
    }
}

#[test]
fn a_fee_rate_that_is_too_low_is_named() {
    assert_eq!(
        fee_rate_too_low(50, 1_100),
        CallError::new(
            -6,
            "Fee rate (0.050 sat/vB) is lower than the minimum fee rate setting (1.100 sat/vB)"
        )
    );
}

#[test]
fn addresses_can_be_used_again() {
    assert_eq!(check_avoid_reuse(None), Ok(()));
    assert_eq!(check_avoid_reuse(Some(false)), Ok(()));
    assert_eq!(check_avoid_reuse(Some(true)).unwrap_err().code, -4);
}
