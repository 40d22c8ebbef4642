use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Amount, Network, ScriptBuf};
use pyrite_consensus::{HeaderChain, Height};
use pyrite_miner::{Candidate, TemplateTip, build_template};

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
        mode(json!({"longpollid": format!("{tip}42")})),
        Ok(plain(
            &[],
            Some(LongPoll {
                watched: Some((tip, 42))
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

/// A chain in memory.
struct Headers(Vec<Header>);

impl HeaderChain for Headers {
    fn tip_height(&self) -> Height {
        self.0.tip_height()
    }

    fn header(&self, height: Height) -> Header {
        self.0.header(height)
    }
}

#[test]
fn a_template_has_bitcoins_fields() {
    let spec = ChainSpec::regtest();
    let genesis = spec.genesis_block();
    let headers = Headers(vec![genesis.header]);
    let parent = genesis.txdata[0].clone();
    let mut child = parent.clone();
    child.input[0].previous_output.txid = parent.compute_txid();
    let candidate = |tx: &pyrite_consensus::bitcoin::Transaction, depends| Candidate {
        tx: Arc::new(tx.clone()),
        txid: tx.compute_txid(),
        fee: Amount::from_sat(1_000),
        weight: tx.weight().to_wu(),
        sigop_cost: 4,
        depends,
    };
    let candidates = [
        candidate(&parent, Vec::new()),
        candidate(&child, vec![parent.compute_txid()]),
    ];
    let tip = TemplateTip {
        parent: &headers,
        hash: genesis.block_hash(),
    };
    let template = build_template(&spec, &tip, &candidates, &ScriptBuf::new(), 2_000_000_000);
    let form = template_json(&spec, &template, 7, 2_000_000_100);
    let keys: Vec<_> = form
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "capabilities",
            "version",
            "rules",
            "vbavailable",
            "vbrequired",
            "previousblockhash",
            "transactions",
            "coinbaseaux",
            "coinbasevalue",
            "longpollid",
            "target",
            "mintime",
            "mutable",
            "noncerange",
            "sigoplimit",
            "sizelimit",
            "weightlimit",
            "curtime",
            "bits",
            "height",
            "default_witness_commitment",
        ]
    );
    assert_eq!(form["rules"], json!(["csv", "!segwit", "taproot"]));
    assert_eq!(form["coinbasevalue"], 5_000_002_000_u64);
    assert_eq!(form["longpollid"], format!("{}7", genesis.block_hash()));
    assert_eq!(form["curtime"], 2_000_000_100);
    assert_eq!(form["bits"], "207fffff");
    assert_eq!(form["height"], 1);
    assert_eq!(form["sizelimit"], 4_000_000);
    assert_eq!(form["transactions"][0]["depends"], json!([]));
    assert_eq!(form["transactions"][1]["depends"], json!([1]));
    assert_eq!(form["transactions"][1]["fee"], 1_000);
    assert_eq!(
        form["transactions"][1]["txid"],
        child.compute_txid().to_string()
    );
}
