use serde_json::json;

use super::*;
use crate::catalogue::{Family, optional, required};

const SAMPLE: MethodSpec = MethodSpec {
    name: "sample",
    family: Family::Util,
    summary: "Does nothing.",
    params: &[
        required("text", Kind::Text, "A text."),
        optional("count|number", Kind::Number, "1", "A count."),
        optional("flag", Kind::Boolean, "false", "A flag."),
    ],
    result: "null",
};

fn failure(params: Value) -> CallError {
    arrange(&SAMPLE, params).unwrap_err()
}

#[test]
fn positions_and_names_give_the_same() {
    let expected = vec![json!("a"), json!(2), json!(true)];
    for params in [
        json!(["a", 2, true]),
        json!({"flag": true, "text": "a", "count": 2}),
        json!({"text": "a", "number": 2, "flag": true}),
        json!({"args": ["a"], "count": 2, "flag": true}),
        json!({"args": ["a", 2], "flag": true}),
    ] {
        assert_eq!(arrange(&SAMPLE, params).unwrap(), expected);
    }
}

#[test]
fn gaps_between_named_parameters_are_null() {
    let values = arrange(&SAMPLE, json!({"text": "a", "flag": true})).unwrap();
    assert_eq!(values, [json!("a"), Value::Null, json!(true)]);
}

#[test]
fn an_optional_parameter_may_be_null() {
    assert!(arrange(&SAMPLE, json!(["a", null, null])).is_ok());
}

#[test]
fn no_parameters_may_be_written_in_three_ways() {
    let method = MethodSpec {
        params: &[],
        ..SAMPLE
    };
    for params in [Value::Null, json!([]), json!({})] {
        assert_eq!(arrange(&method, params).unwrap(), Vec::<Value>::new());
    }
}

#[test]
fn unknown_names_are_refused() {
    let error = failure(json!({"text": "a", "colour": 1}));
    assert_eq!(error, CallError::new(-8, "Unknown named parameter colour"));
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let error = failure(json!({"args": ["a"], "text": "b"}));
    assert_eq!(
        error,
        CallError::new(
            -8,
            "Parameter text specified twice both as positional and named argument"
        )
    );
    let error = failure(json!({"text": "a", "count": 1, "number": 2}));
    assert_eq!(
        error,
        CallError::new(-8, "Parameter number specified multiple times")
    );
}

#[test]
fn a_wrong_number_of_parameters_gives_the_help() {
    for params in [json!([]), Value::Null, json!(["a", 1, true, 4]), json!({})] {
        let error = failure(params);
        assert_eq!(error.code, -1);
        assert!(
            error
                .message
                .starts_with("sample \"text\" ( count flag )\n"),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_wrong_type_is_named_with_its_position() {
    let error = failure(json!(["a", "2"]));
    assert_eq!(error.code, -3);
    assert_eq!(
        error.message,
        "Wrong type passed:\n{\n    \"Position 2 (count)\": \"JSON value of type string is not of \
         expected type number\"\n}"
    );
    assert_eq!(
        failure(json!([1, "2"])).message,
        "Wrong type passed:\n{\n    \"Position 1 (text)\": \"JSON value of type number is not of \
         expected type string\",\n    \"Position 2 (count)\": \"JSON value of type string is not of \
         expected type number\"\n}"
    );
    assert!(
        failure(json!([null]))
            .message
            .contains("type null is not of expected type string")
    );
    assert!(
        failure(json!(["a", 1, 1]))
            .message
            .contains("type number is not of expected type bool")
    );
}

#[test]
fn parameters_of_another_type_are_no_request() {
    assert_eq!(failure(json!("a")).code, -32600);
}

#[test]
fn amounts_are_exact() {
    for (text, sat) in [
        ("0", 0),
        ("0.00000001", 1),
        ("1", 100_000_000),
        ("1.0", 100_000_000),
        ("1.10000000", 110_000_000),
        ("0.1000000000000", 10_000_000),
        ("1e-8", 1),
        ("1E2", 10_000_000_000),
        ("1.5e1", 1_500_000_000),
        ("20999999.99999999", 2_099_999_999_999_999),
        ("21000000", 2_100_000_000_000_000),
    ] {
        let number: Value = serde_json::from_str(text).unwrap();
        assert_eq!(amount(&number).unwrap().to_sat(), sat, "{text}");
        assert_eq!(amount(&json!(text)).unwrap().to_sat(), sat, "\"{text}\"");
    }
}

#[test]
fn amounts_that_are_none_are_refused() {
    for text in [
        "0.000000001",
        "1e-9",
        "",
        ".",
        "1.",
        ".5",
        "+1",
        "01",
        "1e",
        "a",
        "1e99",
        "0x1",
        " 1",
    ] {
        assert_eq!(
            amount(&json!(text)).unwrap_err(),
            CallError::new(-3, "Invalid amount"),
            "{text}"
        );
    }
    for text in ["-1", "21000000.00000001", "-0.00000001"] {
        assert_eq!(
            amount(&json!(text)).unwrap_err(),
            CallError::new(-3, "Amount out of range"),
            "{text}"
        );
    }
    assert_eq!(
        amount(&json!([1])).unwrap_err(),
        CallError::new(-3, "Amount is not a number or string")
    );
}

#[test]
fn fee_rates_have_their_units() {
    assert_eq!(fee_rate_sat_per_kvb(&json!("0.10")).unwrap(), 10_000_000);
    assert_eq!(fee_rate_sat_per_kvb(&json!(1)).unwrap_err().code, -8);
    assert_eq!(fee_rate_from_sat_per_vb(&json!("1.5")).unwrap(), 1_500);
    assert_eq!(
        fee_rate_from_sat_per_vb(&json!("0.0001")).unwrap_err().code,
        -3
    );
}

#[test]
fn hashes_are_64_hexadecimal_digits() {
    use pyrite_consensus::bitcoin::Txid;
    let digits = "ab".repeat(32);
    assert_eq!(hash::<Txid>("txid", &digits).unwrap().to_string(), digits);
    assert_eq!(
        hash::<Txid>("txid", "abc").unwrap_err(),
        CallError::new(-8, "txid must be of length 64 (not 3, for 'abc')")
    );
    let wrong = "zz".repeat(32);
    assert_eq!(
        hash::<Txid>("txid", &wrong).unwrap_err(),
        CallError::new(
            -8,
            format!("txid must be hexadecimal string (not '{wrong}')")
        )
    );
}

#[test]
fn verbosity_is_a_number_or_a_boolean() {
    assert_eq!(verbosity(None, 1), Ok(1));
    assert_eq!(verbosity(Some(&json!(false)), 1), Ok(0));
    assert_eq!(verbosity(Some(&json!(true)), 0), Ok(1));
    assert_eq!(verbosity(Some(&json!(2)), 1), Ok(2));
    assert_eq!(verbosity(Some(&json!(9)), 1), Ok(3));
    assert_eq!(verbosity(Some(&json!("2")), 1).unwrap_err().code, -3);
}
