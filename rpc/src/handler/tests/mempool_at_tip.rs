//! What a block took is gone from the mempool for whoever asks, however soon.

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use serde_json::{Value, json};

use super::harness::TestNode;

/// Sends a payment and has a block take it. Nothing follows the chain here but the calls themselves.
async fn mine_payment(node: &TestNode, tag: u8) -> String {
    let address = node.get("getnewaddress", json!([])).await;
    let txid = node.get("sendtoaddress", json!([address, 1])).await;
    assert_eq!(node.get("getrawmempool", json!([])).await, json!([txid]));
    let block = node.solved_block(tag);
    assert_eq!(block.txdata.len(), 2);
    let submitted = node
        .get("submitblock", json!([serialize_hex(&block)]))
        .await;
    assert_eq!(submitted, Value::Null);
    txid.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_figures_are_those_at_the_tip() {
    let node = TestNode::start().await;
    node.mine(101).await;
    for (tag, (method, params, pointer, expected)) in (1..).zip([
        ("getrawmempool", json!([]), "", json!([])),
        ("getrawmempool", json!([true]), "", json!({})),
        ("getmempoolinfo", json!([]), "/size", json!(0)),
        ("getmininginfo", json!([]), "/pooledtx", json!(0)),
        ("getmempoolfeeratediagram", json!([]), "/0/weight", json!(0)),
    ]) {
        mine_payment(&node, tag).await;
        let answer = node.get(method, params).await;
        assert_eq!(answer.pointer(pointer), Some(&expected), "{method}");
        assert_eq!(answer.pointer("/1"), None, "{method}");
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_in_a_block_at_once() {
    let node = TestNode::start().await;
    node.mine(101).await;
    for (tag, method) in (1..).zip([
        "getmempoolentry",
        "getmempoolancestors",
        "getmempooldescendants",
        "getmempoolcluster",
    ]) {
        let txid = mine_payment(&node, tag).await;
        let refusal = node.refusal(method, json!([txid])).await;
        assert_eq!(refusal, (-5, "Transaction not in mempool".to_owned()));
    }
    let txid = mine_payment(&node, 5).await;
    let coin = node.get("gettxout", json!([txid, 0])).await;
    assert_eq!(coin["confirmations"], 1, "{coin}");
    let txid = mine_payment(&node, 6).await;
    let address = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB";
    let refusal = node
        .refusal("generateblock", json!([address, [txid]]))
        .await;
    let message = format!("Transaction {txid} not in mempool.");
    assert_eq!(refusal, (-5, message));
    node.finish().await;
}
