use pyrite_mempool::FeeRate;

use super::*;

#[test]
fn targets_are_bounded() {
    for target in [1, 2, 1_008] {
        assert_eq!(target_blocks(target).map(i64::from), Ok(target));
    }
    let message = "Invalid conf_target, must be between 1 and 1008";
    for target in [0, -1, 1_009, i64::from(i32::MAX)] {
        assert_eq!(
            target_blocks(target),
            Err(CallError::invalid_parameter(message))
        );
    }
    assert_eq!(target_blocks(1 << 31).unwrap_err().code, -1);
}

#[test]
fn modes_are_read_in_any_case() {
    for name in [None, Some("unset"), Some("UNSET"), Some("Economical")] {
        assert_eq!(mode_from_name(name), Ok(EstimateMode::Economical));
    }
    assert_eq!(
        mode_from_name(Some("CONSERVATIVE")),
        Ok(EstimateMode::Conservative)
    );
    assert_eq!(mode_from_name(Some("")).unwrap_err().code, -8);
}

#[test]
fn a_threshold_is_a_part() {
    let read = |value: Value| threshold_of(Some(&value));
    assert_eq!(threshold_of(None), Ok(0.95));
    assert_eq!(read(Value::Null), Ok(0.95));
    assert_eq!(read(json!(0)), Ok(0.0));
    assert_eq!(read(json!(1)), Ok(1.0));
    for wrong in [json!(-0.01), json!(1.01)] {
        assert_eq!(
            read(wrong),
            Err(CallError::invalid_parameter("Invalid threshold"))
        );
    }
    let huge: Value = serde_json::from_str("1e400").unwrap();
    assert_eq!(read(huge).unwrap_err().code, -8);
}

#[test]
fn a_horizon_has_bitcoin_cores_form() {
    let range = BucketRange {
        start_sat_per_kvb: 104.999_999,
        end_sat_per_kvb: 1e99,
        within_target: 1.234_5,
        total_confirmed: 2.0,
        in_mempool: 3.0,
        left_mempool: 0.005,
    };
    let found = RawEstimate {
        rate: Some(FeeRate(1_234)),
        pass: Some(range),
        fail: None,
    };
    assert_eq!(
        raw_json(FeeHorizon::Short, &found).to_string(),
        "{\"feerate\":0.00001234,\"decay\":0.962,\"scale\":1,\"pass\":{\"startrange\":105,\
         \"endrange\":1e+99,\"withintarget\":1.23,\"totalconfirmed\":2,\"inmempool\":3,\
         \"leftmempool\":0.01}}"
    );
    let nothing = RawEstimate {
        rate: None,
        pass: None,
        fail: None,
    };
    assert_eq!(
        raw_json(FeeHorizon::Long, &nothing).to_string(),
        "{\"decay\":0.99931,\"scale\":24,\"fail\":{\"startrange\":-1,\"endrange\":-1,\
         \"withintarget\":0,\"totalconfirmed\":0,\"inmempool\":0,\"leftmempool\":0},\
         \"errors\":[\"Insufficient data or no feerate found which meets threshold\"]}"
    );
}
