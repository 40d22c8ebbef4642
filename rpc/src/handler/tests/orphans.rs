//! Transactions that wait for their parents.

use std::sync::Arc;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{Amount, ScriptBuf, Transaction, TxIn, TxOut};
use pyrite_mempool::PeerNumber;
use serde_json::json;

use super::harness::TestNode;

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_listed_by_verbosity() {
    let node = TestNode::start().await;
    assert_eq!(node.get("getorphantxs", json!([])).await, json!([]));
    let orphan = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn::default()],
        output: vec![TxOut {
            value: Amount::from_sat(5),
            script_pubkey: ScriptBuf::new(),
        }],
    };
    for peer in [7, 3] {
        let mut orphans = node.context.orphans.lock();
        orphans.add(Arc::new(orphan.clone()), PeerNumber(peer), 1);
    }
    let txid = orphan.compute_txid().to_string();
    let mut object = json!({
        "txid": txid,
        "wtxid": orphan.compute_wtxid().to_string(),
        "bytes": 60,
        "vsize": 60,
        "weight": 240,
        "from": [3, 7],
    });
    assert_eq!(node.get("getorphantxs", json!([])).await, json!([txid]));
    assert_eq!(node.get("getorphantxs", json!([0])).await, json!([txid]));
    assert_eq!(node.get("getorphantxs", json!([1])).await, json!([object]));
    object["hex"] = serialize_hex(&orphan).into();
    assert_eq!(node.get("getorphantxs", json!([2])).await, json!([object]));
    for (verbosity, code, message) in [
        (json!(3), -8, "Invalid verbosity value 3"),
        (json!(-1), -8, "Invalid verbosity value -1"),
        (
            json!(true),
            -3,
            "Verbosity was boolean but only integer allowed",
        ),
    ] {
        let error = node.call("getorphantxs", json!([verbosity])).await;
        let error = error.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message));
    }
}
