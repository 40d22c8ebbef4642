//! Figures of blocks and of the chain, and proofs of inclusion, over a mined payment.

use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::{Value, json};

use super::harness::TestNode;

/// A chain of 102 blocks, the last with one payment; its hash, and the payment's id.
async fn chain_with_payment() -> (TestNode, String, String) {
    let node = TestNode::start().await;
    node.mine(101).await;
    let address = node.get("getnewaddress", json!([])).await;
    let txid = node.get("sendtoaddress", json!([address, 1])).await;
    let hash = node.mine(1).await.remove(0);
    (node, hash, txid.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_blocks_figures_are_those_of_its_transactions() {
    let (node, hash, _) = chain_with_payment().await;
    let block = node.get("getblock", json!([hash, 2])).await;
    let payment = &block["tx"][1];
    let fee = (payment["fee"].as_f64().unwrap() * 1e8).round();
    let stats = node.get("getblockstats", json!([hash])).await;
    assert_eq!(stats, node.get("getblockstats", json!([102])).await);
    let names: Vec<_> = stats.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 31);
    assert_eq!(
        (names[0].as_str(), names[30].as_str()),
        ("avgfee", "utxo_size_inc_actual")
    );
    for (name, value) in [
        ("avgfee", json!(fee as u64)),
        ("totalfee", json!(fee as u64)),
        ("avgtxsize", payment["size"].clone()),
        ("total_weight", payment["weight"].clone()),
        ("swtxs", json!(1)),
        ("txs", json!(2)),
        ("ins", json!(1)),
        ("height", json!(102)),
        ("blockhash", json!(hash)),
        ("mediantime", block["mediantime"].clone()),
        ("time", block["time"].clone()),
        ("subsidy", json!(5_000_000_000_u64)),
        ("total_out", json!(5_000_000_000_u64 - fee as u64)),
        // The coinbase's output and its commitment, payment and change, less the coin spent.
        ("utxo_increase", json!(3)),
        ("utxo_increase_actual", json!(2)),
    ] {
        assert_eq!(stats[name], value, "{name}");
    }
    // In the order of the names, whatever the order asked for.
    let some = node
        .get("getblockstats", json!([hash, ["txs", "avgfee", "txs"]]))
        .await;
    assert_eq!(
        some.to_string(),
        json!({ "avgfee": stats["avgfee"], "txs": 2 }).to_string()
    );
    node.finish().await;
}

#[tokio::test]
async fn a_window_counts_its_transactions() {
    let (node, hash, _) = chain_with_payment().await;
    let header = node.get("getblockheader", json!([hash])).await;
    let tenth = node.get("getblockhash", json!([10])).await;
    let start = node.get("getblockheader", json!([tenth])).await;
    let window = node.get("getchaintxstats", json!([92])).await;
    let interval = header["mediantime"].as_i64().unwrap() - start["mediantime"].as_i64().unwrap();
    let mut expected = json!({
        "time": header["time"], "txcount": 104, "window_final_block_hash": hash,
        "window_final_block_height": 102, "window_block_count": 92, "window_interval": interval,
        "window_tx_count": 93,
    });
    if interval > 0 {
        expected["txrate"] = window["txrate"].clone();
        let rate = window["txrate"].as_f64().unwrap();
        assert!((rate * interval as f64 - 93.0).abs() < 1e-9);
    }
    assert_eq!(window.to_string(), expected.to_string());
    // By default the window has all blocks but the first, if they are fewer than a month's.
    let default = node.get("getchaintxstats", json!([])).await;
    assert_eq!(default["window_block_count"], 101);
    let empty = node.get("getchaintxstats", json!([0, tenth])).await;
    assert_eq!(
        empty.to_string(),
        json!({
            "time": start["time"], "txcount": 11, "window_final_block_hash": tenth,
            "window_final_block_height": 10, "window_block_count": 0,
        })
        .to_string()
    );
    node.finish().await;
}

#[tokio::test]
async fn a_proof_names_the_transactions_that_it_is_for() {
    let (node, hash, txid) = chain_with_payment().await;
    let block = node.get("getblock", json!([hash, 1])).await;
    let coinbase = block["tx"][0].clone();
    for txids in [json!([txid]), json!([coinbase]), json!([coinbase, txid])] {
        // With the block's hash, and by an unspent output.
        let proof = node.get("gettxoutproof", json!([txids])).await;
        assert_eq!(proof, node.get("gettxoutproof", json!([txids, hash])).await);
        assert_eq!(node.get("verifytxoutproof", json!([proof])).await, txids);
    }
    // A block of one transaction: the header, the number of transactions, one hash, one flag byte.
    let (first, header) = {
        let hash = node.get("getblockhash", json!([1])).await;
        let bytes = node.get("getblock", json!([hash, 0])).await;
        let block: Block = deserialize_hex(bytes.as_str().unwrap()).unwrap();
        (block.txdata[0].compute_txid(), block.header)
    };
    let proof = node
        .get(
            "gettxoutproof",
            json!([[first.to_string()], header.block_hash().to_string()]),
        )
        .await;
    let expected = format!(
        "{}0100000001{}0101",
        serialize_hex(&header),
        serialize_hex(&first)
    );
    assert_eq!(proof, expected);
    // What follows a proof is of no account, and one for another root proves nothing.
    let followed = format!("{expected}00");
    assert_eq!(
        node.get("verifytxoutproof", json!([followed])).await,
        json!([first.to_string()])
    );
    let other = format!(
        "{}0100000001{}0101",
        serialize_hex(&header),
        "11".repeat(32)
    );
    assert_eq!(
        node.get("verifytxoutproof", json!([other])).await,
        json!([])
    );
    node.finish().await;
}

#[tokio::test]
async fn a_proof_of_a_block_off_the_best_chain_is_refused() {
    let node = TestNode::start().await;
    let hash = node.mine(1).await.remove(0);
    let block = node.get("getblock", json!([hash])).await;
    let proof = node
        .get("gettxoutproof", json!([[block["tx"][0]], hash]))
        .await;
    node.get("invalidateblock", json!([hash])).await;
    assert_eq!(
        node.refusal("verifytxoutproof", json!([proof])).await,
        (-5, "Block not found in chain".to_owned())
    );
    assert_eq!(
        node.refusal("getchaintxstats", json!([0, hash])).await,
        (-8, "Block is not in main chain".to_owned())
    );
    // Its figures are there all the same, for it was connected once.
    assert_eq!(
        node.get("getblockstats", json!([hash, ["height"]])).await,
        json!({ "height": 1 })
    );
    node.finish().await;
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    let node = TestNode::start().await;
    node.mine(2).await;
    let nowhere = "11".repeat(32);
    let genesis = node.get("getblockhash", json!([0])).await;
    let cases: Vec<(&str, Value, i32, &str)> = vec![
        (
            "getblockstats",
            json!([-1]),
            -8,
            "Target block height -1 is negative",
        ),
        (
            "getblockstats",
            json!([3]),
            -8,
            "Target block height 3 after current tip 2",
        ),
        ("getblockstats", json!([nowhere]), -5, "Block not found"),
        (
            "getblockstats",
            json!(["x"]),
            -8,
            "hash_or_height must be of length 64 (not 1, for 'x')",
        ),
        (
            "getblockstats",
            json!([1, ["txs", "none"]]),
            -8,
            "Invalid selected statistic 'none'",
        ),
        (
            "getblockstats",
            json!([1, [1]]),
            -3,
            "JSON value of type number is not of expected type string",
        ),
        (
            "getchaintxstats",
            json!([null, nowhere]),
            -5,
            "Block not found",
        ),
        (
            "getchaintxstats",
            json!([2]),
            -8,
            "Invalid block count: should be between 0 and the block's height - 1",
        ),
        (
            "getchaintxstats",
            json!([-1]),
            -8,
            "Invalid block count: should be between 0 and the block's height - 1",
        ),
        (
            "gettxoutproof",
            json!([[]]),
            -8,
            "Parameter 'txids' cannot be empty",
        ),
        (
            "gettxoutproof",
            json!([["x"]]),
            -8,
            "txid must be of length 64 (not 1, for 'x')",
        ),
        (
            "gettxoutproof",
            json!([[nowhere]]),
            -5,
            "Transaction not yet in block",
        ),
        (
            "gettxoutproof",
            json!([[nowhere], nowhere]),
            -5,
            "Block not found",
        ),
        (
            "gettxoutproof",
            json!([[nowhere], genesis]),
            -5,
            "Not all transactions found in specified or retrieved block",
        ),
        (
            "verifytxoutproof",
            json!(["xy"]),
            -8,
            "proof must be hexadecimal string (not 'xy')",
        ),
        (
            "verifytxoutproof",
            json!([""]),
            -8,
            "proof must be hexadecimal string (not '')",
        ),
        (
            "verifytxoutproof",
            json!(["00"]),
            -1,
            "SpanReader::read(): end of data: iostream error",
        ),
    ];
    for (method, params, code, message) in cases {
        assert_eq!(
            node.refusal(method, params.clone()).await,
            (code, message.to_owned()),
            "{method} {params}"
        );
    }
    let (code, message) = node
        .refusal("gettxoutproof", json!([[nowhere, nowhere]]))
        .await;
    assert_eq!(
        (code, message),
        (-8, format!("Invalid parameter, duplicated txid: {nowhere}"))
    );
    // The window of a chain that is too short for one is empty.
    let empty = node.get("getchaintxstats", json!([null, genesis])).await;
    assert_eq!(empty["window_block_count"], 0);
    node.finish().await;
}
