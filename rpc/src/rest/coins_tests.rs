use axum::body::Bytes;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, ScriptBuf, Txid};

use super::*;

fn outpoint(number: u8) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([number; 32]),
        vout: u32::from(number),
    }
}

fn question(rest: &str, body: impl Into<Bytes>) -> Result<Question, String> {
    let request = RestRequest::new(rest, body.into());
    read_question(&request).map_err(|error| error.message)
}

fn asked(sources: Sources, numbers: &[u8]) -> Result<Question, String> {
    Ok(Question {
        sources,
        outpoints: numbers.iter().copied().map(outpoint).collect(),
    })
}

/// BIP-0064's request.
fn encoded_question(with_mempool: u8, numbers: &[u8]) -> Vec<u8> {
    let mut bytes = vec![with_mempool, u8::try_from(numbers.len()).unwrap()];
    bytes.extend(
        numbers
            .iter()
            .flat_map(|number| serialize(&outpoint(*number))),
    );
    bytes
}

#[test]
fn a_question_is_in_the_path() {
    let one = format!("{}-1", "01".repeat(32));
    let two = format!("{}-2", "02".repeat(32));
    for (path, expected) in [
        (format!("/{one}.json"), asked(Sources::Chain, &[1])),
        (format!("/{one}/{two}.bin"), asked(Sources::Chain, &[1, 2])),
        (
            format!("/checkmempool/{two}.hex"),
            asked(Sources::ChainAndMempool, &[2]),
        ),
    ] {
        assert_eq!(question(&path, ""), expected, "{path}");
    }
}

#[test]
fn a_question_that_is_none_is_refused() {
    let one = format!("{}-1", "01".repeat(32));
    for (path, body, message) in [
        (".json".to_owned(), "", "Error: empty request"),
        ("/.json".to_owned(), "", "Error: empty request"),
        ("/checkmempool.json".to_owned(), "", "Error: empty request"),
        (".json".to_owned(), "00", "Error: empty request"),
        ("/checkmempool/.json".to_owned(), "", "Parse error"),
        (format!("/{one}/.json"), "", "Parse error"),
        (format!("/{one}-1.json"), "", "Parse error"),
        ("/ab-1.json".to_owned(), "", "Parse error"),
        (format!("/{}-x.json", "01".repeat(32)), "", "Parse error"),
        (format!("/{}--1.json", "01".repeat(32)), "", "Parse error"),
        (format!("/{}.json", "01".repeat(32)), "", "Parse error"),
        (
            format!("/{one}.bin"),
            "\0\0",
            "Combination of URI scheme inputs and raw post data is not allowed",
        ),
        (
            format!("/{one}"),
            "",
            "output format not found (available: .bin, .hex, .json)",
        ),
        (".bin".to_owned(), "\u{1}", "Parse error"),
        (".bin".to_owned(), "\u{1}\u{1}", "Parse error"),
        (".hex".to_owned(), "0101", "Parse error"),
    ] {
        assert_eq!(question(&path, body), Err(message.to_owned()), "{path}");
    }
}

#[test]
fn a_question_is_in_the_body() {
    let body = encoded_question(1, &[1, 2]);
    let expected = asked(Sources::ChainAndMempool, &[1, 2]);
    assert_eq!(question(".bin", body.clone()), expected);
    let hex = hex::encode(&body);
    assert_eq!(question(".hex", format!(" {hex}\n")), expected);
    let longer = [encoded_question(0, &[3]), vec![9; 5]].concat();
    assert_eq!(question(".bin", longer), asked(Sources::Chain, &[3]));
    // Bitcoin Core takes what is no hex for an empty body.
    assert_eq!(question(".hex", "0x"), asked(Sources::Chain, &[]));
}

#[test]
fn a_body_that_claims_too_much_is_refused_at_once() {
    let claims = [vec![0], serialize(&VarInt(u64::MAX))].concat();
    assert_eq!(question(".bin", claims), Err("Parse error".to_owned()));
}

#[test]
fn the_answer_is_that_of_bip64() {
    let output = |sat| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
    };
    let mut outputs = vec![None; 10];
    outputs[0] = Some((7, output(1)));
    outputs[9] = Some((MEMPOOL_HEIGHT, output(2)));
    let hash = BlockHash::from_byte_array([5; 32]);
    let found = Found {
        tip: (Height(9), hash),
        outputs,
    };
    let bytes = found.encode();
    let expected = [
        vec![9, 0, 0, 0],
        vec![5; 32],
        vec![2, 0b0000_0001, 0b0000_0010],
        vec![2],
        vec![0, 0, 0, 0, 7, 0, 0, 0],
        serialize(&output(1)),
        vec![0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f],
        serialize(&output(2)),
    ];
    assert_eq!(bytes, expected.concat());
    let tip: (u32, BlockHash) = deserialize(&bytes[..36]).unwrap();
    assert_eq!(tip, (9, hash));
}
