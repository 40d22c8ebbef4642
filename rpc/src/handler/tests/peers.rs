//! Peers that are added.

use serde_json::json;

use super::harness::TestNode;

#[tokio::test(flavor = "multi_thread")]
async fn an_added_peer_keeps_the_name_that_it_was_added_by() {
    let node = TestNode::start().await;
    // Nothing listens there.
    for name in ["127.0.0.9", "127.0.0.9:18444"] {
        node.get("addnode", json!([name, "add"])).await;
        let added = node.get("getaddednodeinfo", json!([])).await;
        assert_eq!(added[0]["addednode"], name, "{added}");
        let again = node.refusal("addnode", json!([name, "add"])).await;
        assert_eq!(again.0, -23);
        node.get("addnode", json!([name, "remove"])).await;
        assert_eq!(node.get("getaddednodeinfo", json!([])).await, json!([]));
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_traffic_is_the_systems() {
    let node = TestNode::start().await;
    node.get("setmocktime", json!([1_000])).await;
    let totals = node.get("getnettotals", json!([])).await;
    assert!(totals["timemillis"].as_u64().unwrap() > 1_700_000_000_000);
    node.finish().await;
}
