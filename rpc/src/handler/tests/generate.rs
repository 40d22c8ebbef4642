//! Blocks on demand, the old switches of the miner, and work that nobody waits for.

use std::time::Duration;

use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::{Block, Script};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::harness::TestNode;
use crate::catalogue::Catalogue;
use crate::handler::Handler;
use crate::stop::stop_signal;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A key, compressed and not.
const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const FULL_KEY: &str = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                        483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

async fn block(node: &TestNode, hash: &Value) -> Block {
    let hex = node.get("getblock", json!([hash, 0])).await;
    deserialize_hex(hex.as_str().unwrap()).unwrap()
}

fn pays(block: &Block) -> &Script {
    &block.txdata[0].output[0].script_pubkey
}

/// Mines coins for the wallet, and sends some: the payments' ids.
async fn payments(node: &TestNode, count: usize) -> Vec<String> {
    node.mine(100 + u32::try_from(count).unwrap()).await;
    let mut txids = Vec::new();
    for _ in 0..count {
        let address = node.get("getnewaddress", json!([])).await;
        let txid = node.get("sendtoaddress", json!([address, 1])).await;
        txids.push(txid.as_str().unwrap().to_owned());
    }
    txids
}

#[tokio::test]
async fn blocks_pay_a_descriptor() {
    let node = TestNode::start().await;
    for (descriptor, is_right) in [
        (
            "raw(51)".to_owned(),
            Script::is_witness_program as fn(&Script) -> bool,
        ),
        (format!("pkh({KEY})"), Script::is_p2pkh),
        (format!("combo({KEY})"), Script::is_p2wpkh),
        (format!("combo({FULL_KEY})"), Script::is_p2pkh),
    ] {
        let params = json!([2, descriptor]);
        let hashes = node.get("generatetodescriptor", params).await;
        assert_eq!(hashes.as_array().unwrap().len(), 2);
        let block = block(&node, &hashes[1]).await;
        assert_eq!(
            is_right(pays(&block)),
            descriptor != "raw(51)",
            "{descriptor}"
        );
    }
    assert_eq!(node.get("getblockcount", json!([])).await, 8);
    assert_eq!(
        node.get("generatetodescriptor", json!([-1, "raw(51)"]))
            .await,
        json!([])
    );
    assert_eq!(
        node.get("generatetodescriptor", json!([5, "raw(51)", 0]))
            .await,
        json!([])
    );
    // No limit.
    let hashes = node
        .get("generatetodescriptor", json!([1, "raw(51)", -1]))
        .await;
    assert_eq!(hashes.as_array().unwrap().len(), 1);
    node.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_as_in_bitcoin_core() {
    let node = TestNode::start().await;
    let key = "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B";
    let ranged = format!("wpkh({key}/*)");
    let multipath = format!("wpkh({key}/<0;1>)");
    let unknown = "11".repeat(32);
    let address = node.get("getnewaddress", json!([])).await;
    let not_in_mempool = format!("Transaction {unknown} not in mempool.");
    for (method, params, code, message) in [
        (
            "generatetodescriptor",
            json!([1, ranged]),
            -8,
            "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?",
        ),
        (
            "generatetodescriptor",
            json!([1, multipath]),
            -8,
            "Multipath descriptor not accepted",
        ),
        (
            "generateblock",
            json!([ranged, []]),
            -8,
            "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?",
        ),
        (
            "generateblock",
            json!(["x*", []]),
            -5,
            "Error: Invalid address or descriptor",
        ),
        (
            "generateblock",
            json!([address, [unknown]]),
            -5,
            not_in_mempool.as_str(),
        ),
        (
            "generateblock",
            json!([address, ["00"]]),
            -22,
            "Transaction decode failed for 00. Make sure the tx has at least one input.",
        ),
        (
            "generateblock",
            json!([address, [1]]),
            -3,
            "JSON value of type number is not of expected type string",
        ),
        (
            "generatetoaddress",
            json!([1_i64 << 40, address]),
            -1,
            "JSON integer out of range",
        ),
    ] {
        let refusal = node.refusal(method, params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{method} {params}");
    }
    let (code, _) = node.refusal("generatetodescriptor", json!([1, "x"])).await;
    assert_eq!(code, -5);
    let (code, message) = node.refusal("generate", json!([])).await;
    assert_eq!(code, -32601);
    assert!(
        message.contains("has been replaced by the -generate"),
        "{message}"
    );
    assert_eq!(node.get("getblockcount", json!([])).await, 0);
    node.finish().await;
}

#[tokio::test]
async fn a_block_has_the_transactions_that_are_named_in_their_order() {
    let node = TestNode::start().await;
    let txids = payments(&node, 3).await;
    let raw = node.get("getrawtransaction", json!([txids[2]])).await;
    let address = node.get("getnewaddress", json!([])).await;
    let answer = node
        .get("generateblock", json!([address, [raw, txids[0]]]))
        .await;
    assert!(answer.get("hex").is_none());
    let mined = block(&node, &answer["hash"]).await;
    let found: Vec<String> = mined.txdata[1..]
        .iter()
        .map(|tx| tx.compute_txid().to_string())
        .collect();
    assert_eq!(found, [txids[2].clone(), txids[0].clone()]);
    // Its coinbase takes no fees.
    assert_eq!(mined.txdata[0].output[0].value.to_sat(), 5_000_000_000);
    assert_eq!(
        node.get("getbestblockhash", json!([])).await,
        answer["hash"]
    );
    // What the block has is no longer the mempool's; what it leaves out still is.
    node.context.mempool.sync().unwrap();
    assert_eq!(
        node.get("getrawmempool", json!([])).await,
        json!([txids[1]])
    );
    node.finish().await;
}

#[tokio::test]
async fn a_block_that_is_not_submitted_is_returned() {
    let node = TestNode::start().await;
    let txids = payments(&node, 1).await;
    let before = node.get("getblockcount", json!([])).await;
    let params = json!(["raw(51)", txids, false]);
    let answer = node.get("generateblock", params).await;
    assert_eq!(node.get("getblockcount", json!([])).await, before);
    let block: Block = deserialize_hex(answer["hex"].as_str().unwrap()).unwrap();
    assert_eq!(block.block_hash().to_string(), answer["hash"]);
    assert_eq!(
        node.get("submitblock", json!([answer["hex"]])).await,
        Value::Null
    );
    assert_eq!(
        node.get("getbestblockhash", json!([])).await,
        answer["hash"]
    );
    node.finish().await;
}

#[tokio::test]
async fn transactions_that_no_block_can_have_are_refused_before_the_search() {
    let node = TestNode::start().await;
    let txids = payments(&node, 1).await;
    let twice = json!(["raw(51)", [txids[0], txids[0]]]);
    let (code, message) = node.refusal("generateblock", twice).await;
    assert_eq!(code, -25);
    assert!(
        message.starts_with("TestBlockValidity failed: bad-"),
        "{message}"
    );
    // A child before its parent.
    let unspent = node.get("listunspent", json!([0])).await;
    let change = unspent
        .as_array()
        .unwrap()
        .iter()
        .find(|coin| coin["txid"] == txids[0].as_str())
        .unwrap();
    let mut child: pyrite_consensus::bitcoin::Transaction = {
        let raw = node.get("getrawtransaction", json!([txids[0]])).await;
        deserialize_hex(raw.as_str().unwrap()).unwrap()
    };
    child.input[0].previous_output = format!("{}:{}", txids[0], change["vout"]).parse().unwrap();
    let order = json!(["raw(51)", [serialize_hex(&child), txids[0]]]);
    let (_, message) = node.refusal("generateblock", order).await;
    assert_eq!(
        message,
        "TestBlockValidity failed: bad-txns-inputs-missingorspent"
    );
    node.finish().await;
}

#[tokio::test]
async fn the_old_switches_start_and_stop_the_miner() {
    let node = TestNode::start().await;
    assert_eq!(node.get("getgenerate", json!([])).await, false);
    assert_eq!(node.get("gethashespersec", json!([])).await, 0);
    assert_eq!(node.get("setgenerate", json!([true, 2])).await, Value::Null);
    assert_eq!(node.get("getgenerate", json!([])).await, true);
    let status = node.get("getminingstatus", json!([])).await;
    assert_eq!(status["threads"], 2);
    node.get("setgenerate", json!([true, 0])).await;
    assert_eq!(node.get("getgenerate", json!([])).await, false);
    node.get("setgenerate", json!([true, -1])).await;
    assert_eq!(node.get("getgenerate", json!([])).await, true);
    node.get("setgenerate", json!([false])).await;
    assert_eq!(node.get("getgenerate", json!([])).await, false);
    node.finish().await;
}

#[tokio::test]
async fn work_ends_when_nobody_waits_for_it_and_when_the_server_stops() {
    let node = TestNode::start().await;
    let (sender, stop) = stop_signal();
    let handler = Handler::new(node.context.clone(), stop, Catalogue::node());
    let start = || {
        let handler = handler.clone();
        let (started, has_started) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let work = handler.long_work(move |_, end| {
                started.send(()).unwrap();
                while !end.is_asked_for() {
                    std::thread::yield_now();
                }
                ended.send(()).unwrap();
                Ok(())
            });
            work.await
        });
        (task, has_started, has_ended)
    };
    let (task, has_started, has_ended) = start();
    has_started.await.unwrap();
    task.abort();
    tokio::time::timeout(DEADLINE, has_ended)
        .await
        .unwrap()
        .unwrap();

    let (task, has_started, has_ended) = start();
    has_started.await.unwrap();
    sender.stop();
    tokio::time::timeout(DEADLINE, has_ended)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(task.await.unwrap(), Ok(()));
    drop(handler);
    node.finish().await;
}
