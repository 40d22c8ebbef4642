//! Methods over the indexes.

use pyrite_consensus::Height;
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::harness::TestNode;

/// A node with indexes, 101 blocks of its wallet's, and a payment of 10 coins: the address, and the block
/// and the transaction that pay it.
struct Paid {
    node: TestNode,
    address: String,
    block: String,
    txid: String,
    /// A coinbase's transaction that it spends.
    spent: (String, u64),
}

async fn paid(kinds: &[IndexKind]) -> Paid {
    let node = TestNode::start_with(kinds).await;
    node.mine(101).await;
    // Not the wallet's: the payment would come back as its own.
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".to_owned();
    let txid = node.get("sendtoaddress", json!([address, 10])).await;
    let txid = txid.as_str().unwrap().to_owned();
    let raw = node.get("getrawtransaction", json!([txid, 1])).await;
    let input = &raw["vin"][0];
    let spent = (
        input["txid"].as_str().unwrap().to_owned(),
        input["vout"].as_u64().unwrap(),
    );
    let block = node.mine(1).await.remove(0);
    Paid {
        node,
        address,
        block,
        txid,
        spent,
    }
}

/// Waits until an index is at the tip.
async fn wait(node: &TestNode, kind: IndexKind) {
    let indexes = node.context.indexes.clone();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let waited = tokio::task::spawn_blocking(move || {
        while !indexes.wait_until_current(kind) {
            assert!(std::time::Instant::now() < deadline, "{kind} is late");
            std::thread::yield_now();
        }
    });
    waited.await.unwrap();
}

#[tokio::test]
async fn without_indexes_bitcoin_cores_errors_say_what_is_missing() {
    let Paid {
        node,
        address,
        block,
        txid,
        spent,
    } = paid(&[]).await;
    assert_eq!(node.get("getindexinfo", json!([])).await, json!({}));
    let spent = json!({ "txid": spent.0, "vout": spent.1 });
    for (method, params, code, message) in [
        (
            "getrawtransaction",
            json!([txid]),
            -5,
            "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain \
             transaction queries. Use gettransaction for wallet transactions."
                .to_owned(),
        ),
        (
            "getblockfilter",
            json!([block]),
            -1,
            "Index is not enabled for filtertype basic".to_owned(),
        ),
        (
            "getblockfilter",
            json!([block, "extended"]),
            -5,
            "Unknown filtertype".to_owned(),
        ),
        (
            "scanblocks",
            json!(["start", []]),
            -1,
            "Index is not enabled for filtertype basic".to_owned(),
        ),
        (
            "gettxoutsetinfo",
            json!(["muhash", 1]),
            -8,
            "Querying specific block heights requires coinstatsindex".to_owned(),
        ),
        (
            "gettxspendingprevout",
            json!([[spent], { "mempool_only": false }]),
            -1,
            format!(
                "No spending tx for the outpoint {}:{} in mempool, and txospenderindex is unavailable.",
                spent["txid"].as_str().unwrap(),
                spent["vout"]
            ),
        ),
        (
            "getaddressbalance",
            json!([{ "addresses": [address] }]),
            -1,
            "Address index is not enabled. Use --addressindex".to_owned(),
        ),
    ] {
        assert_eq!(node.refusal(method, params).await, (code, message), "{method}");
    }
    // Without the index the mempool alone is asked.
    let answer = node.get("gettxspendingprevout", json!([[spent]])).await;
    assert_eq!(answer, json!([spent]));
    node.finish().await;
}

#[tokio::test]
async fn getindexinfo_tells_how_far_each_index_is() {
    let node = TestNode::start_with(&[IndexKind::Transactions, IndexKind::Filters]).await;
    node.mine(3).await;
    wait(&node, IndexKind::Transactions).await;
    wait(&node, IndexKind::Filters).await;
    let form = json!({ "synced": true, "best_block_height": 3 });
    let all = node.get("getindexinfo", json!([])).await;
    assert_eq!(
        all.to_string(),
        json!({ "txindex": form, "basic block filter index": form }).to_string()
    );
    let one = node.get("getindexinfo", json!(["txindex"])).await;
    assert_eq!(one, json!({ "txindex": form }));
    assert_eq!(node.get("getindexinfo", json!(["nope"])).await, json!({}));
    node.finish().await;
}

#[tokio::test]
async fn transactions_of_blocks_are_found_without_their_block() {
    let Paid {
        node, block, txid, ..
    } = paid(&[IndexKind::Transactions]).await;
    wait(&node, IndexKind::Transactions).await;
    let named = node.get("getrawtransaction", json!([txid, 2, block])).await;
    let mut found = node.get("getrawtransaction", json!([txid, 2])).await;
    assert_eq!(found.get("in_active_chain"), None);
    assert_eq!(found["confirmations"], 1);
    assert_eq!(found["blockhash"], json!(block));
    found["in_active_chain"] = true.into();
    assert_eq!(found, named);
    assert_eq!(
        node.get("getrawtransaction", json!([txid])).await,
        found["hex"]
    );
    let unknown = "11".repeat(32);
    assert_eq!(
        node.refusal("getrawtransaction", json!([unknown])).await,
        (
            -5,
            "No such mempool or blockchain transaction. Use gettransaction for wallet transactions."
                .to_owned()
        )
    );
    // Its coinbase was spent whole, so only the index knows the block.
    let inputs = found["vin"].as_array().unwrap();
    let spent = inputs[0]["txid"].as_str().unwrap();
    let proof = node.get("gettxoutproof", json!([[spent]])).await;
    let proven = node.get("verifytxoutproof", json!([proof])).await;
    assert_eq!(proven, json!([spent]));
    assert_eq!(
        node.refusal("gettxoutproof", json!([[unknown]])).await,
        (-5, "Transaction not yet in block".to_owned())
    );
    // Back in the mempool, and in no block.
    node.get("invalidateblock", json!([block])).await;
    wait(&node, IndexKind::Transactions).await;
    assert_eq!(
        node.context.indexes.transaction(txid.parse().unwrap()),
        Ok(None)
    );
    node.finish().await;
}

#[tokio::test]
async fn spending_transactions_are_found_in_the_mempool_and_in_blocks() {
    let Paid {
        node,
        block,
        txid,
        spent,
        ..
    } = paid(&[IndexKind::Spenders]).await;
    wait(&node, IndexKind::Spenders).await;
    let spent = json!({ "txid": spent.0, "vout": spent.1 });
    let unspent = json!({ "txid": txid, "vout": 7 });
    let hex = node.get("getrawtransaction", json!([txid, 0, block])).await;
    let params = json!([[spent, unspent], { "return_spending_tx": true }]);
    let answer = node.get("gettxspendingprevout", params).await;
    let mut expected = spent.clone();
    expected["spendingtxid"] = txid.clone().into();
    expected["spendingtx"] = hex;
    expected["blockhash"] = block.into();
    assert_eq!(answer, json!([expected, unspent]));
    // Options may be named as parameters of their own.
    let named = json!({ "outputs": [spent], "mempool_only": true });
    assert_eq!(
        node.get("gettxspendingprevout", named).await,
        json!([spent])
    );
    for (params, code, message) in [
        (json!([[]]), -8, "Invalid parameter, outputs are missing"),
        (json!([[{ "txid": txid }]]), -3, "Missing vout"),
        (json!([[{ "vout": 3 }]]), -3, "Missing txid"),
        (
            json!([[{ "txid": 42, "vout": 0 }]]),
            -3,
            "JSON value of type number for field txid is not of expected type string",
        ),
        (
            json!([[{ "txid": txid, "vout": 1, "unknown": 42 }]]),
            -3,
            "Unexpected key unknown",
        ),
        (
            json!([[{ "txid": txid, "vout": -1 }]]),
            -8,
            "Invalid parameter, vout cannot be negative",
        ),
        (json!([[unspent], { "x": 1 }]), -3, "Unexpected key x"),
    ] {
        let refusal = node.refusal("gettxspendingprevout", params).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
    node.finish().await;
}

#[tokio::test]
async fn figures_of_the_coins_come_from_the_index_at_every_height() {
    let Paid { node, block, .. } = paid(&[IndexKind::CoinStats]).await;
    wait(&node, IndexKind::CoinStats).await;
    let walked = node
        .get("gettxoutsetinfo", json!(["muhash", null, false]))
        .await;
    let indexed = node.get("gettxoutsetinfo", json!(["muhash"])).await;
    for name in [
        "height",
        "bestblock",
        "txouts",
        "bogosize",
        "muhash",
        "total_amount",
    ] {
        assert_eq!(indexed[name], walked[name], "{name}");
    }
    assert_eq!(indexed.get("transactions"), None);
    assert_eq!(indexed.get("disk_size"), None);
    let by_hash = node.get("gettxoutsetinfo", json!(["muhash", block])).await;
    assert_eq!(by_hash, indexed);
    // The genesis block's subsidy is nobody's.
    let subsidy = indexed["total_unspendable_amount"].to_string();
    assert_eq!(subsidy, "50.00000000");
    let own = &indexed["block_info"];
    let stats = node.get("getblockstats", json!([block])).await;
    let fee = stats["totalfee"].as_u64().unwrap();
    assert!(fee > 0);
    let claimed = 5_000_000_000 + fee;
    assert_eq!(
        own["coinbase"].to_string(),
        format!("{}.{:08}", claimed / 100_000_000, claimed % 100_000_000)
    );
    assert_eq!(
        own["unspendables"]["unclaimed_rewards"].to_string(),
        "0.00000000"
    );
    let genesis = node.get("gettxoutsetinfo", json!(["none", 0])).await;
    assert_eq!(genesis["txouts"], 0);
    assert_eq!(
        genesis["block_info"]["unspendables"]["genesis_block"].to_string(),
        "50.00000000"
    );
    // An earlier height equals what a walk had said when it was the tip.
    node.get("invalidateblock", json!([block])).await;
    wait(&node, IndexKind::CoinStats).await;
    let walked = node
        .get("gettxoutsetinfo", json!(["muhash", null, false]))
        .await;
    let indexed = node.get("gettxoutsetinfo", json!(["muhash", 101])).await;
    assert_eq!(indexed["muhash"], walked["muhash"]);
    // The figures of the stale block stay.
    let stale = node.get("gettxoutsetinfo", json!(["muhash", block])).await;
    assert_eq!(stale, by_hash);
    for (params, message) in [
        (
            json!(["hash_serialized_3", 1]),
            "hash_serialized_3 hash type cannot be queried for a specific block",
        ),
        (
            json!(["muhash", 1, false]),
            "Cannot set use_index to false when querying for a specific block",
        ),
    ] {
        let refusal = node.refusal("gettxoutsetinfo", params).await;
        assert_eq!(refusal, (-8, message.to_owned()));
    }
    node.finish().await;
}

#[tokio::test]
async fn filters_chain_from_the_genesis_block_and_find_blocks() {
    let Paid {
        node,
        address,
        block,
        ..
    } = paid(&[IndexKind::Filters]).await;
    wait(&node, IndexKind::Filters).await;
    // Regtest's genesis block has the coinbase of Bitcoin's: one element.
    let genesis = node.context.reader.hash_at(Height::GENESIS).unwrap();
    let filter = node
        .get("getblockfilter", json!([genesis.to_string()]))
        .await;
    assert_eq!(filter["filter"].as_str().unwrap().get(..2), Some("01"));
    let unknown = "11".repeat(32);
    assert_eq!(
        node.refusal("getblockfilter", json!([unknown])).await,
        (-5, "Block not found".to_owned())
    );
    let descriptor = format!("addr({address})");
    let options = json!({ "filter_false_positives": true });
    let found = node
        .get(
            "scanblocks",
            json!(["start", [descriptor], 0, null, "basic", options]),
        )
        .await;
    assert_eq!(
        found.to_string(),
        json!({
            "from_height": 0, "to_height": 102, "relevant_blocks": [block], "completed": true,
        })
        .to_string()
    );
    let before = node
        .get(
            "scanblocks",
            json!(["start", [descriptor], 5, 101, "basic", options]),
        )
        .await;
    assert_eq!(before["relevant_blocks"], json!([]));
    assert_eq!(
        (&before["from_height"], &before["to_height"]),
        (&json!(5), &json!(101))
    );
    assert_eq!(node.get("scanblocks", json!(["status"])).await, Value::Null);
    assert_eq!(node.get("scanblocks", json!(["abort"])).await, false);
    for (params, code, message) in [
        (json!(["start", [], 103]), -1, "Invalid start_height"),
        (json!(["start", [], 10, 9]), -1, "Invalid stop_height"),
        (json!(["start", [], 0, 103]), -1, "Invalid stop_height"),
        (json!(["start", [], 0, 1, "x"]), -5, "Unknown filtertype"),
        (
            json!(["start"]),
            -1,
            "scanobjects argument is required for the start action",
        ),
        (json!(["stop"]), -8, "Invalid action 'stop'"),
    ] {
        let refusal = node.refusal("scanblocks", params).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
    // The filter of a stale block stays.
    let filter = node.get("getblockfilter", json!([block])).await;
    node.get("invalidateblock", json!([block])).await;
    wait(&node, IndexKind::Filters).await;
    assert_eq!(node.get("getblockfilter", json!([block])).await, filter);
    node.finish().await;
}

#[tokio::test]
async fn addresses_have_histories_balances_and_unspent_outputs() {
    let Paid {
        node,
        address,
        block,
        txid,
        spent,
    } = paid(&[IndexKind::Addresses]).await;
    wait(&node, IndexKind::Addresses).await;
    let script = node.get("validateaddress", json!([address])).await["scriptPubKey"].clone();
    let whose = json!({ "addresses": [address] });
    assert_eq!(
        node.get("getaddressbalance", json!([whose])).await,
        json!({ "balance": 1_000_000_000, "received": 1_000_000_000, "hash": block, "height": 102 })
    );
    let raw = node.get("getrawtransaction", json!([txid, 1, block])).await;
    let output = raw["vout"]
        .as_array()
        .unwrap()
        .iter()
        .position(|output| output["scriptPubKey"]["hex"] == script)
        .unwrap();
    let utxo = json!({
        "address": address, "txid": txid, "outputIndex": output, "script": script,
        "satoshis": 1_000_000_000, "height": 102, "coinbase": false,
    });
    // By address, by address alone, and by script.
    for whose in [
        whose.clone(),
        json!(address),
        json!({ "scripts": [script] }),
    ] {
        let utxos = node.get("getaddressutxos", json!([whose])).await;
        assert_eq!(utxos, json!([utxo]));
    }
    assert_eq!(
        node.get("getaddresstxids", json!([whose])).await,
        json!([txid])
    );
    let deltas = node.get("getaddressdeltas", json!([whose])).await;
    assert_eq!(
        deltas,
        json!([{
            "satoshis": 1_000_000_000, "txid": txid, "index": output, "blockindex": 1, "height": 102,
            "address": address, "script": script,
        }])
    );
    // A coinbase that was received and spent, page by page.
    let coinbase = node.get("gettxoutsetinfo", json!(["none"])).await;
    assert_eq!(coinbase["height"], 102);
    let mined = node.get("getblockhash", json!([1])).await;
    let mined = node.get("getblock", json!([mined, 2])).await;
    assert_eq!(mined["tx"][0]["txid"], json!(spent.0));
    let script = mined["tx"][0]["vout"][0]["scriptPubKey"]["hex"].clone();
    let first = node
        .get(
            "getaddressdeltas",
            json!([{ "scripts": [script], "limit": 1 }]),
        )
        .await;
    assert_eq!(first["deltas"][0]["satoshis"], 5_000_000_000_i64);
    assert_eq!(first["deltas"][0]["height"], 1);
    let after = first["next"].clone();
    assert!(after.is_string());
    let last_height = json!({ "scripts": [script], "start": 102, "end": 102 });
    let spends = node.get("getaddressdeltas", json!([last_height])).await;
    assert_eq!(spends[0]["satoshis"], -5_000_000_000_i64);
    let mut rest = Vec::new();
    let mut next = after;
    while next.is_string() {
        let page = json!([{ "scripts": [script], "limit": 1, "after": next }]);
        let page = node.get("getaddressdeltas", page).await;
        rest.extend(page["deltas"].as_array().unwrap().clone());
        next = page["next"].clone();
    }
    assert_eq!(rest.last(), spends.as_array().unwrap().last());
    assert_refusals(&node, &address).await;
    node.finish().await;
}

async fn assert_refusals(node: &TestNode, address: &str) {
    for (question, code, message) in [
        (json!({ "addresses": ["x"] }), -5, "Invalid address"),
        (
            json!({ "addresses": 1 }),
            -5,
            "Addresses is expected to be an array",
        ),
        (json!({}), -8, "Neither addresses nor scripts are given"),
        (
            json!({ "addresses": [address], "limit": 0 }),
            -8,
            "limit must be between 1 and 10000",
        ),
        (
            json!({ "addresses": [address], "start": 3, "end": 2 }),
            -5,
            "End value is expected to be greater than start",
        ),
        (
            json!({ "addresses": [address], "after": "00" }),
            -8,
            "after is not what an answer gave",
        ),
        (
            json!({ "addresses": [address], "limits": 1 }),
            -3,
            "Unexpected key limits",
        ),
        (
            json!({ "scripts": ["0x"] }),
            -8,
            "script must be hexadecimal string (not '0x')",
        ),
        (
            json!({ "addresses": vec![address; 101] }),
            -8,
            "101 addresses and scripts, where 100 is the most",
        ),
    ] {
        let refusal = node.refusal("getaddressdeltas", json!([question])).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
}
