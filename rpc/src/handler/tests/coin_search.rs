//! Searches through all coins.

use serde_json::{Value, json};

use super::harness::TestNode;

#[tokio::test]
async fn a_search_finds_the_coins_of_descriptors() {
    let node = TestNode::start().await;
    let address = node.get("getnewaddress", json!([])).await;
    let address = address.as_str().unwrap();
    let hashes = node.get("generatetoaddress", json!([2, address])).await;
    node.mine(1).await;
    let found = node
        .get(
            "scantxoutset",
            json!(["start", [format!("addr({address})")]]),
        )
        .await;
    assert_eq!(found["success"], true);
    assert_eq!((&found["txouts"], &found["height"]), (&json!(3), &json!(3)));
    assert_eq!(
        found["bestblock"],
        node.get("getbestblockhash", json!([])).await
    );
    assert_eq!(found["total_amount"].to_string(), "100.00000000");
    let unspents = found["unspents"].as_array().unwrap();
    assert_eq!(unspents.len(), 2);
    for unspent in unspents {
        let height = unspent["height"].as_u64().unwrap();
        let hash = &hashes[usize::try_from(height).unwrap() - 1];
        let block = node.get("getblock", json!([hash])).await;
        let output = node.get("gettxout", json!([block["tx"][0], 0])).await;
        assert_eq!(
            unspent.to_string(),
            json!({
                "txid": block["tx"][0], "vout": 0, "scriptPubKey": output["scriptPubKey"]["hex"],
                "desc": output["scriptPubKey"]["desc"], "amount": output["value"],
                "coinbase": true, "height": height, "blockhash": hash,
                "confirmations": output["confirmations"],
            })
            .to_string()
        );
    }
    let nothing = node.get("scantxoutset", json!(["start", []])).await;
    let info = node.get("gettxoutsetinfo", json!(["none"])).await;
    assert_eq!(nothing["txouts"], info["txouts"]);
    assert_eq!(nothing["unspents"], json!([]));
    assert_eq!(nothing["total_amount"].to_string(), "0.00000000");
    node.finish().await;
}

#[tokio::test]
async fn without_a_search_there_is_no_status_and_nothing_to_abort() {
    let node = TestNode::start().await;
    assert_eq!(
        node.get("scantxoutset", json!(["status"])).await,
        Value::Null
    );
    assert_eq!(node.get("scantxoutset", json!(["abort"])).await, false);
    for (params, code, message) in [
        (
            json!(["start"]),
            -1,
            "scanobjects argument is required for the start action",
        ),
        (json!(["look"]), -8, "Invalid action 'look'"),
        (
            json!(["start", [1]]),
            -8,
            "Scan object needs to be either a string or an object",
        ),
        (
            json!(["start", [{ "desc": "desc", "range": -1 }]]),
            -8,
            "End of range is too high",
        ),
        (
            json!(["start", ["desc"]]),
            -5,
            "'desc' is not a valid descriptor function",
        ),
    ] {
        assert_eq!(
            node.refusal("scantxoutset", params.clone()).await,
            (code, message.to_owned()),
            "{params}"
        );
    }
    // A refused call leaves nothing behind.
    assert_eq!(
        node.get("scantxoutset", json!(["start", []])).await["success"],
        true
    );
    node.finish().await;
}
