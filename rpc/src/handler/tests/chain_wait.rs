//! Waiting for blocks: until they come, until the time is over, until the server stops.

use std::sync::Arc;
use std::time::Duration;

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::harness::{TestNode, call};
use crate::call::CallResult;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Calls a method from a task of its own.
fn start(node: &TestNode, method: &'static str, params: Value) -> JoinHandle<CallResult<Value>> {
    let dispatcher = Arc::clone(&node.dispatcher);
    tokio::spawn(async move { call(&dispatcher, method, params).await })
}

/// What a call answers in time.
async fn end(call: JoinHandle<CallResult<Value>>) -> Value {
    tokio::time::timeout(DEADLINE, call)
        .await
        .unwrap()
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_wait_ends_with_the_block() {
    let node = TestNode::start().await;
    let genesis = node.get("getbestblockhash", json!([])).await;
    let block = node.solved_block(1);
    let next = json!({ "hash": block.block_hash().to_string(), "height": 1 });
    let waits = [
        start(&node, "waitfornewblock", json!([0, genesis])),
        start(&node, "waitforblockheight", json!([1])),
        start(&node, "waitforblock", json!([next["hash"]])),
    ];
    tokio::task::yield_now().await;
    node.get("submitblock", json!([serialize_hex(&block)]))
        .await;
    for wait in waits {
        assert_eq!(end(wait).await, next);
    }
    node.finish().await;
}

#[tokio::test]
async fn what_is_there_is_not_waited_for() {
    let node = TestNode::start().await;
    let genesis = node.get("getbestblockhash", json!([])).await;
    let tip = json!({ "hash": genesis, "height": 0 });
    for (method, params) in [
        ("waitfornewblock", json!([0, "11".repeat(32)])),
        ("waitforblock", json!([genesis])),
        ("waitforblockheight", json!([0])),
        ("waitforblockheight", json!([-5])),
    ] {
        assert_eq!(end(start(&node, method, params)).await, tip, "{method}");
    }
    node.finish().await;
}

#[tokio::test]
async fn when_the_time_is_over_or_the_server_stops_the_present_tip_is_returned() {
    let node = TestNode::start().await;
    let genesis = node.get("getbestblockhash", json!([])).await;
    let tip = json!({ "hash": genesis, "height": 0 });
    let calls = |timeout_ms: u32| {
        [
            start(&node, "waitfornewblock", json!([timeout_ms])),
            start(&node, "waitforblock", json!(["11".repeat(32), timeout_ms])),
            start(&node, "waitforblockheight", json!([5, timeout_ms])),
        ]
    };
    for wait in calls(1) {
        assert_eq!(end(wait).await, tip);
    }
    let waits = calls(0);
    tokio::task::yield_now().await;
    node.stop.stop();
    for wait in waits {
        assert_eq!(end(wait).await, tip);
    }
    node.finish().await;
}

#[tokio::test]
async fn wrong_waits_are_refused() {
    let node = TestNode::start().await;
    for (method, params, code, message) in [
        ("waitfornewblock", json!([-1]), -1, "Negative timeout"),
        (
            "waitfornewblock",
            json!([0, "x"]),
            -8,
            "current_tip must be of length 64 (not 1, for 'x')",
        ),
        (
            "waitforblock",
            json!(["x"]),
            -8,
            "blockhash must be of length 64 (not 1, for 'x')",
        ),
        ("waitforblockheight", json!([1, -1]), -1, "Negative timeout"),
        (
            "waitforblockheight",
            json!([1_i64 << 31]),
            -1,
            "JSON integer out of range",
        ),
    ] {
        assert_eq!(
            node.refusal(method, params).await,
            (code, message.to_owned()),
            "{method}"
        );
    }
    node.finish().await;
}
