use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{Network, ScriptBuf, TxOut};
use serde_json::json;

use super::*;

fn sample() -> Transaction {
    genesis_block(Network::Regtest).txdata.remove(0)
}

#[test]
fn bytes_that_are_no_transaction_do_not_decode() {
    let hex = serialize_hex(&sample());
    assert_eq!(read_transaction(&hex).unwrap(), sample());
    for text in ["", "00", "zz", &hex[2..], &format!("{hex}00")] {
        let error = read_transaction(text).unwrap_err();
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
