//! What clients do, from the first block to a payment's confirmation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{Block, Witness};
use pyrite_miner::solve;
use serde_json::{Value, json};

use super::harness::{TestNode, call};
use crate::catalogue::Catalogue;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_method_is_described_and_every_description_has_a_method() {
    let node = TestNode::start().await;
    let mut registered = node.method_names.clone();
    let mut described: Vec<_> = Catalogue::node()
        .methods()
        .map(|method| method.name)
        .collect();
    registered.sort_unstable();
    described.sort_unstable();
    assert_eq!(registered, described);
    assert_eq!(
        node.refusal("sethdseed", json!([])).await,
        (-32601, "Method not found".to_owned())
    );
    node.finish().await;
}

#[tokio::test]
async fn a_new_chain_describes_itself() {
    let node = TestNode::start().await;
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["chain"], "regtest");
    assert_eq!(info["chain_name"], "regtest");
    assert_eq!(info["blocks"], 0);
    assert_eq!(info["initialblockdownload"], false);
    assert_eq!(info["warnings"], json!([]));
    let genesis = node
        .get("getblock", json!([info["bestblockhash"], 2]))
        .await;
    assert_eq!(
        genesis["tx"][0]["vout"][0]["value"].to_string(),
        "50.00000000"
    );
    assert!(genesis.get("previousblockhash").is_none());
    assert_eq!(
        node.get("getdifficulty", json!([])).await.to_string(),
        "4.656542373906925e-10"
    );
    assert_eq!(
        node.get("getchaintips", json!([])).await,
        json!([{ "height": 0, "hash": info["bestblockhash"], "branchlen": 0, "status": "active" }])
    );
    let coinbase = genesis["tx"][0]["txid"].clone();
    let (code, message) = node.refusal("getrawtransaction", json!([coinbase])).await;
    assert_eq!(code, -5);
    assert!(
        message.starts_with("The genesis block coinbase"),
        "{message}"
    );
    assert_eq!(
        node.get("gettxout", json!([coinbase, 0])).await,
        Value::Null
    );
    let network = node.get("getnetworkinfo", json!([])).await;
    assert_eq!(network["subversion"], "/Pyrite:0.0.0/");
    assert_eq!(node.get("getconnectioncount", json!([])).await, 0);
    assert_eq!(node.get("setnetworkactive", json!([false])).await, false);
    node.finish().await;
}

#[tokio::test]
async fn mined_blocks_are_linked_and_counted() {
    let node = TestNode::start().await;
    let hashes = node.mine(3).await;
    assert_eq!(hashes.len(), 3);
    assert_eq!(node.get("getblockcount", json!([])).await, 3);
    assert_eq!(
        node.get("getbestblockhash", json!([])).await,
        hashes[2].as_str()
    );
    assert_eq!(
        node.get("getblockhash", json!([2])).await,
        hashes[1].as_str()
    );
    let header = node.get("getblockheader", json!([hashes[1]])).await;
    assert_eq!(header["confirmations"], 2);
    assert_eq!(header["previousblockhash"], hashes[0].as_str());
    assert_eq!(header["nextblockhash"], hashes[2].as_str());
    assert_eq!(header["nTx"], 1);
    assert_eq!(header["chainwork"], format!("{:064x}", 6));
    let bytes = node.get("getblockheader", json!([hashes[1], false])).await;
    assert_eq!(bytes.as_str().unwrap().len(), 160);
    let block = node
        .get("getblock", json!({ "blockhash": hashes[1], "verbose": 0 }))
        .await;
    assert!(block.as_str().unwrap().starts_with(bytes.as_str().unwrap()));
    let mining = node.get("getmininginfo", json!([])).await;
    assert_eq!(mining["blocks"], 3);
    assert_eq!(mining["next"]["height"], 4);
    assert!(node.get("getnetworkhashps", json!([2])).await.is_number());
    let balances = node.get("getbalances", json!([])).await;
    assert_eq!(balances["mine"]["immature"].to_string(), "150.00000000");
    assert_eq!(balances["lastprocessedblock"]["height"], 3);
    node.finish().await;
}

#[tokio::test]
async fn a_payment_goes_its_way() {
    let node = TestNode::start().await;
    node.mine(101).await;
    assert_eq!(
        node.get("getbalance", json!([])).await.to_string(),
        "50.00000000"
    );
    let coin = node.get("listunspent", json!([])).await[0].clone();
    let address = node.get("getnewaddress", json!(["shop", "bech32m"])).await;
    let txid = node
        .get(
            "sendtoaddress",
            json!({ "address": address, "amount": 1.5, "comment": "bread" }),
        )
        .await;

    assert_eq!(node.get("getrawmempool", json!([])).await, json!([txid]));
    let entry = node.get("getmempoolentry", json!([txid])).await;
    assert_eq!(entry["bip125-replaceable"], true);
    assert_eq!(entry["chunkweight"], entry["weight"]);
    assert_eq!(entry["fees"]["chunk"], entry["fees"]["base"]);
    assert_eq!(
        node.get("getrawmempool", json!([true])).await[txid.as_str().unwrap()],
        entry
    );
    assert_eq!(node.get("getmempoolinfo", json!([])).await["size"], 1);
    // The coin that it spends is gone, but not for those who ignore the mempool.
    assert_eq!(
        node.get("gettxout", json!([coin["txid"], coin["vout"]]))
            .await,
        Value::Null
    );
    let old = node
        .get("gettxout", json!([coin["txid"], coin["vout"], false]))
        .await;
    assert_eq!(
        (&old["coinbase"], &old["confirmations"]),
        (&json!(true), &json!(101))
    );

    let listed = node.get("listtransactions", json!(["*", 2])).await;
    assert_eq!(listed[1]["category"], "send");
    assert_eq!(listed[1]["amount"].to_string(), "-1.50000000");
    assert_eq!(listed[1]["comment"], "bread");
    assert_eq!(listed[0]["category"], "receive");
    let labelled = node.get("listtransactions", json!(["shop"])).await;
    assert_eq!(labelled.as_array().unwrap().len(), 1);
    let bytes = node.get("getrawtransaction", json!([txid])).await;
    assert_eq!(node.get("sendrawtransaction", json!([bytes])).await, txid);
    let tested = node.get("testmempoolaccept", json!([[bytes]])).await;
    assert_eq!(tested[0]["reject-reason"], "txn-already-in-mempool");

    let hash = node.mine(1).await.remove(0);
    let block = node.get("getblock", json!([hash, 3])).await;
    let mined = &block["tx"][1];
    assert_eq!(mined["txid"], txid);
    assert_eq!(mined["fee"], entry["fees"]["base"]);
    assert_eq!(
        mined["vin"][0]["prevout"]["value"].to_string(),
        "50.00000000"
    );
    assert!(block["tx"][0].get("fee").is_none());
    let located = node.get("getrawtransaction", json!([txid, 2, hash])).await;
    assert_eq!(located["in_active_chain"], true);
    assert_eq!(located["confirmations"], 1);
    assert_eq!(located["fee"], mined["fee"]);
    let own = node.get("gettransaction", json!([txid, true, true])).await;
    assert_eq!(
        (&own["confirmations"], &own["blockindex"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(own["decoded"]["txid"], txid);
    assert_eq!(own["hex"], bytes);
    let (code, message) = node.refusal("sendrawtransaction", json!([bytes])).await;
    assert_eq!(
        (code, message.as_str()),
        (-27, "Transaction outputs already in utxo set")
    );
    let (code, message) = node.refusal("getrawtransaction", json!([txid])).await;
    assert_eq!(code, -5);
    assert!(
        message.starts_with("No such mempool transaction."),
        "{message}"
    );
    node.finish().await;
}

#[tokio::test]
async fn wrong_calls_are_refused_with_bitcoins_codes() {
    let node = TestNode::start().await;
    let address = node.get("getnewaddress", json!([])).await;
    let nowhere = "11".repeat(32);
    for (method, params, code, message) in [
        ("getblockhash", json!([1]), -8, "Block height out of range"),
        ("getblockhash", json!([-1]), -8, "Block height out of range"),
        ("getblock", json!([nowhere]), -5, "Block not found"),
        (
            "getblock",
            json!(["xy"]),
            -8,
            "blockhash must be of length 64 (not 2, for 'xy')",
        ),
        (
            "getblockheader",
            json!(["xy"]),
            -8,
            "hash must be of length 64 (not 2, for 'xy')",
        ),
        (
            "sendtoaddress",
            json!({ "address": address, "amount": 1, "fee_rate": "0.099" }),
            -6,
            "Fee rate (0.099 sat/vB) is lower than the minimum fee rate setting (0.100 sat/vB)",
        ),
        (
            "testmempoolaccept",
            json!([[]]),
            -8,
            "Array must contain between 1 and 25 transactions.",
        ),
        (
            "decoderawtransaction",
            json!(["00"]),
            -22,
            "TX decode failed",
        ),
        (
            "getmempoolentry",
            json!([nowhere]),
            -5,
            "Transaction not in mempool",
        ),
        (
            "getrawtransaction",
            json!([nowhere, 0, nowhere]),
            -5,
            "Block hash not found",
        ),
        (
            "gettransaction",
            json!([nowhere]),
            -5,
            "Invalid or non-wallet transaction id",
        ),
        (
            "gettxout",
            json!([nowhere, -1]),
            -1,
            "JSON integer out of range",
        ),
        (
            "sendtoaddress",
            json!([address, 1]),
            -6,
            "Insufficient funds",
        ),
        (
            "sendtoaddress",
            json!(["x", 1]),
            -5,
            "Invalid Bitcoin address: x",
        ),
        ("sendtoaddress", json!([address, "x"]), -3, "Invalid amount"),
        (
            "getnewaddress",
            json!(["", "x"]),
            -5,
            "Unknown address type 'x'",
        ),
        (
            "generatetoaddress",
            json!([1, "x"]),
            -5,
            "Error: Invalid address",
        ),
        ("submitblock", json!(["00"]), -22, "Block decode failed"),
        ("listtransactions", json!(["*", -1]), -8, "Negative count"),
        (
            "disconnectnode",
            json!(["", 77]),
            -29,
            "Node not found in connected nodes",
        ),
        (
            "startmining",
            json!([null, 0]),
            -8,
            "mining needs at least one thread",
        ),
        (
            "startmining",
            json!({ "devices": "gpu" }),
            -8,
            "gpu is not a device: devices are cpu, opencl, and opencl0 and so on for one of them",
        ),
    ] {
        let refusal = node.refusal(method, params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{method} {params}");
    }
    node.finish().await;
}

#[tokio::test]
async fn templates_are_solved_and_submitted() {
    let node = TestNode::start().await;
    let rules = json!([{ "rules": ["segwit"] }]);
    let template = node.get("getblocktemplate", rules.clone()).await;
    assert_eq!(template["height"], 1);
    assert_eq!(template["coinbasevalue"], 5_000_000_000_u64);
    let (code, _) = node
        .refusal("getblocktemplate", json!([{ "rules": [] }]))
        .await;
    assert_eq!(code, -8);

    let block = node.solved_block(9);
    let proposal = |block: &Block| json!([{ "mode": "proposal", "data": serialize_hex(block) }]);
    assert_eq!(
        node.get("getblocktemplate", proposal(&block)).await,
        Value::Null
    );
    let mut wrong = block.clone();
    wrong.txdata[0].output[0].value += pyrite_consensus::bitcoin::Amount::ONE_SAT;
    wrong.header.merkle_root = wrong.compute_merkle_root().unwrap();
    assert_eq!(
        node.get("getblocktemplate", proposal(&wrong)).await,
        "bad-cb-amount"
    );

    // Some miners leave the coinbase's witness out.
    let mut bare = block.clone();
    bare.txdata[0].input[0].witness = Witness::new();
    let submit = json!([serialize_hex(&bare)]);
    assert_eq!(node.get("submitblock", submit.clone()).await, Value::Null);
    assert_eq!(node.get("submitblock", submit).await, "duplicate");
    assert_eq!(
        node.get("getblocktemplate", proposal(&block)).await,
        "duplicate"
    );
    assert_eq!(node.get("getblocktemplate", rules).await["height"], 2);
    let mut orphan = node.solved_block(9);
    orphan.header.prev_blockhash = wrong.block_hash();
    let orphan = solve(
        Block {
            header: orphan.header,
            ..orphan
        },
        1_000,
        &AtomicBool::new(false),
    );
    let submit = json!([serialize_hex(&orphan.unwrap())]);
    assert_eq!(node.get("submitblock", submit).await, "prev-blk-not-found");
    node.finish().await;
}

#[tokio::test]
async fn a_long_poll_ends_with_a_new_tip_or_the_server() {
    let node = TestNode::start().await;
    let template = node
        .get("getblocktemplate", json!([{ "rules": ["segwit"] }]))
        .await;
    let poll = |id: &Value| {
        let dispatcher = Arc::clone(&node.dispatcher);
        let request = json!([{ "rules": ["segwit"], "longpollid": id }]);
        tokio::spawn(async move { call(&dispatcher, "getblocktemplate", request).await })
    };
    let waiting = poll(&template["longpollid"]);
    node.mine(1).await;
    let next = tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(next["height"], 2);
    // An id of the past is answered at once.
    let late = tokio::time::timeout(DEADLINE, poll(&template["longpollid"]))
        .await
        .unwrap();
    assert_eq!(late.unwrap().unwrap()["height"], 2);
    // So is one of a template that was only a stopgap: its id is the tip alone.
    let stopgap = tokio::time::timeout(DEADLINE, poll(&next["previousblockhash"]))
        .await
        .unwrap();
    assert_eq!(stopgap.unwrap().unwrap()["height"], 2);
    let waiting = poll(&next["longpollid"]);
    node.stop.stop();
    let ended = tokio::time::timeout(DEADLINE, waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.unwrap_err().code, -9);
    node.finish().await;
}

#[tokio::test]
async fn the_miner_is_started_and_stopped() {
    let node = TestNode::start().await;
    let kernel = pyrite_miner::device::cpu::kernels()[0].name();
    let params = json!({ "intensity": 20, "kernel": kernel, "max_temperature": 150 });
    let status = node.get("startmining", params).await;
    assert_eq!(status["running"], true);
    assert_eq!(status["settings"]["kernel"], kernel);
    assert_eq!(status["settings"]["max_temperature"], 150);
    assert_eq!(status["devices"][0]["name"], "cpu0");
    assert_eq!(
        (&status["threads"], &status["intensity"]),
        (&json!(1), &json!(20))
    );
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let mut tip = node.context.reader.watch_tip();
    tokio::time::timeout_at(deadline, tip.wait_for(|tip| tip.height.0 > 0))
        .await
        .unwrap()
        .unwrap();
    let status = node.get("stopmining", json!([])).await;
    assert_eq!(status["running"], false);
    assert!(status["blocks_found"].as_u64().unwrap() >= 1);
    node.finish().await;
}

#[tokio::test]
async fn help_uptime_and_stop() {
    let node = TestNode::start().await;
    let all = node.get("help", json!([])).await;
    assert!(
        all.as_str()
            .unwrap()
            .contains("\nsendtoaddress \"address\" amount ("),
        "{all}"
    );
    let one = node.get("help", json!(["getblock"])).await;
    assert!(
        one.as_str()
            .unwrap()
            .starts_with("getblock \"blockhash\" ( verbosity )\n"),
        "{one}"
    );
    assert_eq!(
        node.get("help", json!(["none"])).await,
        "help: unknown command: none"
    );
    assert!(node.get("uptime", json!([])).await.as_u64().unwrap() < 3_600);
    assert!(!node.stopped.load(Ordering::SeqCst));
    assert_eq!(node.get("stop", json!([])).await, "Pyrite stopping");
    assert!(node.stopped.load(Ordering::SeqCst));
    node.finish().await;
}
