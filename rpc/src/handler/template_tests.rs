use pyrite_consensus::bitcoin::Network;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use serde_json::json;

use super::*;

fn mode(value: Value) -> CallResult<Mode> {
    let Value::Object(request) = value else {
        panic!("a request is an object")
    };
    read_mode(request)
}

#[test]
fn requests_are_read() {
    let plain = |rules: &[&str], long_poll| Mode::Template {
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        long_poll,
    };
    assert_eq!(mode(json!({})), Ok(plain(&[], None)));
    assert_eq!(
        mode(json!({"mode": "template", "rules": ["segwit", "taproot"], "capabilities": ["x"]})),
        Ok(plain(&["segwit", "taproot"], None))
    );
    assert_eq!(
        mode(json!({"mode": "proposal", "data": "00"})),
        Ok(Mode::Proposal("00".to_owned()))
    );
    assert_eq!(
        mode(json!({"longpollid": 1})),
        Ok(plain(&[], Some(LongPoll { watched: None })))
    );
    let tip = genesis_block(Network::Regtest).block_hash();
    assert_eq!(
        mode(json!({"longpollid": tip.to_string()})),
        Ok(plain(
            &[],
            Some(LongPoll {
                watched: Some((tip, None))
            })
        ))
    );
    assert_eq!(
        mode(json!({"longpollid": format!("{tip}42")})),
        Ok(plain(
            &[],
            Some(LongPoll {
                watched: Some((tip, Some(42)))
            })
        ))
    );
}

#[test]
fn bad_requests_are_refused() {
    for (request, code) in [
        (json!({"mode": "other"}), -8),
        (json!({"mode": 1}), -8),
        (json!({"mode": "proposal"}), -3),
        (json!({"mode": "proposal", "data": 1}), -3),
        (json!({"rules": [1]}), -3),
        (json!({"longpollid": "short"}), -8),
        (json!({"longpollid": "ä".repeat(40)}), -8),
    ] {
        assert_eq!(mode(request.clone()).unwrap_err().code, code, "{request}");
    }
    assert_eq!(
        decode_block("00").unwrap_err(),
        CallError::new(-22, "Block decode failed")
    );
}

#[test]
fn verdicts_are_those_of_bip_0022() {
    use pyrite_chain::{ChainError, SubmitError};
    let hash = genesis_block(Network::Regtest).block_hash();
    assert_eq!(bip22(Ok(())), Ok(Value::Null));
    assert_eq!(
        bip22(Err(SubmitError::UnknownParent(hash))),
        Ok(json!("prev-blk-not-found"))
    );
    assert_eq!(
        bip22(Err(SubmitError::KnownInvalid(hash))),
        Ok(json!("duplicate-invalid"))
    );
    assert_eq!(
        bip22(Err(SubmitError::Machine(ChainError::Closed)))
            .unwrap_err()
            .code,
        -20
    );
}
