//! Estimates of fees: of a quiet chain, of one with payments, and with the fallback.

use pyrite_mempool::{FeeFallback, MempoolConfig};
use serde_json::{Value, json};

use super::harness::TestNode;

/// A payment to the node itself; returns why it pays what it pays.
async fn pay(node: &TestNode, fee_rate: Value) -> Value {
    let address = node.get("getnewaddress", json!([])).await;
    let payment = json!({
        "address": address, "amount": 1, "fee_rate": fee_rate, "verbose": true,
    });
    node.get("sendtoaddress", payment).await["fee_reason"].take()
}

#[tokio::test]
async fn a_quiet_chain_has_no_estimates() {
    let node = TestNode::start().await;
    node.mine(101).await;
    for params in [
        json!([1]),
        json!([6, "unset"]),
        json!([1_008, "CONSERVATIVE"]),
    ] {
        assert_eq!(
            node.get("estimatesmartfee", params).await.to_string(),
            "{\"errors\":[\"Insufficient data or no feerate found\"],\"blocks\":0}"
        );
    }
    let raw = node.get("estimaterawfee", json!([6])).await;
    let names: Vec<_> = raw.as_object().unwrap().keys().collect();
    assert_eq!(names, ["short", "medium", "long"]);
    let error = "Insufficient data or no feerate found which meets threshold";
    assert_eq!(raw["short"]["errors"], json!([error]));
    assert_eq!(pay(&node, Value::Null).await, "Fallback fee");
    node.finish().await;
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let node = TestNode::start().await;
    let target = "Invalid conf_target, must be between 1 and 1008";
    let mode = "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \
                \"conservative\"";
    for (method, params, code, message) in [
        ("estimatesmartfee", json!([0]), -8, target),
        ("estimatesmartfee", json!([1_009, "fast"]), -8, target),
        ("estimatesmartfee", json!([6, "fast"]), -8, mode),
        ("estimaterawfee", json!([-1]), -8, target),
        ("estimaterawfee", json!([6, 1.5]), -8, "Invalid threshold"),
        (
            "estimaterawfee",
            json!([4_294_967_296_u64]),
            -1,
            "JSON integer out of range",
        ),
    ] {
        assert_eq!(
            node.refusal(method, params).await,
            (code, message.to_owned())
        );
    }
    for (method, params) in [
        ("estimatesmartfee", json!(["6"])),
        ("estimatesmartfee", json!([6, 1])),
        ("estimaterawfee", json!([6, "0.5"])),
    ] {
        assert_eq!(node.refusal(method, params).await.0, -3);
    }
    node.finish().await;
}

#[tokio::test]
async fn payments_in_blocks_give_estimates() {
    let node = TestNode::start().await;
    node.mine(101).await;
    for _ in 0..20 {
        assert_eq!(pay(&node, json!(20)).await, "None");
        node.mine(1).await;
    }
    let estimate = node.get("estimatesmartfee", json!([6])).await;
    assert_eq!(estimate["blocks"], 6);
    let rate = estimate["feerate"].as_f64().unwrap();
    assert!((0.000_2..0.000_202).contains(&rate), "{estimate}");
    let keys: Vec<_> = estimate.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["feerate", "blocks"]);
    // The next block alone is not promised, and twenty blocks reach ten blocks far at most.
    let blocks = |target: u32| {
        let node = &node;
        async move { node.get("estimatesmartfee", json!([target])).await["blocks"].take() }
    };
    assert_eq!(blocks(1).await, 2);
    assert_eq!(blocks(1_008).await, 9);

    let raw = node.get("estimaterawfee", json!([2, 0.5])).await;
    let short = &raw["short"];
    assert_eq!(short["feerate"], estimate["feerate"]);
    let pass = &short["pass"];
    assert_eq!(pass["withintarget"], pass["totalconfirmed"]);
    let bound = |name: &str| pass[name].as_f64().unwrap();
    assert!(bound("startrange") < 20_000.0 && bound("endrange") >= 20_000.0);
    let far = node.get("estimaterawfee", json!([49])).await;
    let names: Vec<_> = far.as_object().unwrap().keys().collect();
    assert_eq!(names, ["long"]);

    // The wallet pays the estimate.
    assert_eq!(pay(&node, Value::Null).await, "Half Target 60% Threshold");
    node.finish().await;
}

#[tokio::test]
async fn the_fallback_answers_from_the_mempool() {
    let node = TestNode::start_with_mempool(MempoolConfig {
        fee_fallback: FeeFallback::NextBlocks,
        ..MempoolConfig::default()
    })
    .await;
    node.mine(101).await;
    for target in [1, 6, 1_008] {
        assert_eq!(
            node.get("estimatesmartfee", json!([target]))
                .await
                .to_string(),
            format!("{{\"feerate\":0.00000100,\"blocks\":{target}}}")
        );
    }
    // One payment leaves much room in the next block.
    assert_eq!(pay(&node, json!(20)).await, "None");
    let estimate = node.get("estimatesmartfee", json!([1])).await;
    assert_eq!(estimate["feerate"].to_string(), "0.00000100");
    // The wallet has a minimum of its own.
    assert_eq!(pay(&node, Value::Null).await, "Minimum Required Fee");
    node.finish().await;
}
