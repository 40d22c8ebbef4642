//! PSBTs over a node, and what happened to the outputs of descriptors.

use pyrite_consensus::bitcoin::{Amount, ScriptBuf, TxOut};
use serde_json::{Value, json};

use super::harness::TestNode;
use crate::json::with_checksum;
use crate::psbt::{read_psbt, write_psbt};

/// An extended private key of Bitcoin Core's functional tests.
const KEY: &str = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";
const ADDRESS: &str = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB";

/// A block that pays each descriptor its coinbase, all of them mature, and the outpoints.
async fn paid(node: &TestNode, descriptors: &[String]) -> Vec<Value> {
    let mut outpoints = Vec::new();
    for descriptor in descriptors {
        let made = node
            .get(
                "generatetodescriptor",
                json!([1, with_checksum(descriptor)]),
            )
            .await;
        let block = node.get("getblock", json!([made[0], 1])).await;
        outpoints.push(json!({ "txid": block["tx"][0], "vout": 0 }));
    }
    node.mine(100).await;
    outpoints
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psbt_is_updated_signed_and_sent() {
    let node = TestNode::start_with(&[pyrite_index::IndexKind::Transactions]).await;
    let descriptors: Vec<String> = [
        "pkh(K/0)",
        "wpkh(K/1)",
        "sh(wpkh(K/2))",
        "tr(K/3)",
        "wsh(multi(2,K/4,K/5))",
        "sh(wsh(and_v(v:pk(K/6),older(1))))",
        "tr(K/7,pk(K/8))",
    ]
    .iter()
    .map(|form| form.replace('K', KEY))
    .collect();
    let outpoints = paid(&node, &descriptors).await;
    let mut inputs = outpoints.clone();
    for input in &mut inputs {
        input["sequence"] = 1.into();
    }
    let psbt = node
        .get("createpsbt", json!([inputs, { ADDRESS: 349.9 }]))
        .await;
    let analysis = node.get("analyzepsbt", json!([psbt])).await;
    assert_eq!(analysis["next"], "updater");
    let scanned: Vec<String> = descriptors.iter().map(|text| with_checksum(text)).collect();
    let updated = node.get("utxoupdatepsbt", json!([psbt, scanned])).await;
    let decoded = node.get("decodepsbt", json!([updated])).await;
    assert_eq!(decoded["fee"].to_string(), "0.10000000");
    assert!(decoded["inputs"][0].get("non_witness_utxo").is_some());
    assert!(decoded["inputs"][0].get("witness_utxo").is_none());
    assert!(decoded["inputs"][1].get("witness_utxo").is_some());
    assert_eq!(decoded["inputs"][1]["bip32_derivs"][0]["path"], "m/1");
    assert!(decoded["inputs"][2].get("redeem_script").is_some());
    assert!(decoded["inputs"][3].get("taproot_internal_key").is_some());
    assert!(decoded["inputs"][4].get("witness_script").is_some());
    assert!(decoded["inputs"][6].get("taproot_scripts").is_some());

    let signed = node
        .get(
            "descriptorprocesspsbt",
            json!([psbt, scanned, null, true, false]),
        )
        .await;
    assert_eq!(signed["complete"], false);
    let finalized = node
        .get("finalizepsbt", json!([signed["psbt"], false]))
        .await;
    assert_eq!(finalized["complete"], true, "{finalized}");
    let whole = node
        .get("descriptorprocesspsbt", json!([psbt, scanned]))
        .await;
    assert_eq!(whole["complete"], true);
    assert_eq!(
        node.get("analyzepsbt", json!([whole["psbt"]])).await["next"],
        "extractor"
    );
    let extracted = node.get("finalizepsbt", json!([finalized["psbt"]])).await;
    assert_eq!(extracted["hex"], whole["hex"]);
    let accepted = node
        .get("testmempoolaccept", json!([[whole["hex"]], 0]))
        .await;
    assert_eq!(accepted[0]["allowed"], true, "{accepted}");

    node.get("sendrawtransaction", json!([whole["hex"], 0]))
        .await;
    let activity = node
        .get("getdescriptoractivity", json!([[], scanned]))
        .await;
    let activity = activity["activity"].as_array().unwrap();
    assert_eq!(activity.len(), 7);
    assert_eq!(activity[0]["type"], "spend");
    assert!(activity[0].get("blockhash").is_none());
    let hash = node.mine(1).await.remove(0);
    let mined = node
        .get(
            "getdescriptoractivity",
            json!([[hash], [scanned[1]], false]),
        )
        .await;
    assert_eq!(mined["activity"][0]["blockhash"], hash);
    assert_eq!(mined["activity"][0]["prevout_txid"], outpoints[1]["txid"]);
    let first = node.get("getblockhash", json!([2])).await;
    let received = node
        .get("getdescriptoractivity", json!([[first], [scanned[1]]]))
        .await;
    assert_eq!(received["activity"][0]["type"], "receive");
    assert_eq!(received["activity"][0]["amount"].to_string(), "50.00000000");
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn psbts_are_joined_and_made_of_transactions() {
    let node = TestNode::start().await;
    let input = |byte: &str| json!([{ "txid": byte.repeat(32), "vout": 0 }]);
    let one = node
        .get("createpsbt", json!([input("aa"), { ADDRESS: 1 }]))
        .await;
    let two = node
        .get("createpsbt", json!([input("bb"), { ADDRESS: 2 }]))
        .await;
    let joined = node.get("joinpsbts", json!([[one, two]])).await;
    let joined = node.get("decodepsbt", json!([joined])).await;
    assert_eq!(joined["tx"]["vin"].as_array().unwrap().len(), 2);
    assert_eq!(joined["tx"]["vout"].as_array().unwrap().len(), 2);
    assert_eq!(node.get("combinepsbt", json!([[one, one]])).await, one);
    let raw = node
        .get("createrawtransaction", json!([input("aa"), { ADDRESS: 1 }]))
        .await;
    assert_eq!(node.get("converttopsbt", json!([raw])).await, one);
    let unfinished = node.get("finalizepsbt", json!([one])).await;
    assert_eq!(unfinished, json!({ "psbt": one, "complete": false }));
    let refusals = [
        (
            "joinpsbts",
            json!([[one]]),
            -8,
            "At least two PSBTs are required to join PSBTs.".to_owned(),
        ),
        (
            "joinpsbts",
            json!([[one, one]]),
            -8,
            format!("Input {}:0 exists in multiple PSBTs", "aa".repeat(32)),
        ),
        (
            "combinepsbt",
            json!([[]]),
            -8,
            "Parameter 'txs' cannot be empty".to_owned(),
        ),
        (
            "combinepsbt",
            json!([[one, two]]),
            -8,
            "PSBTs not compatible (different transactions)".to_owned(),
        ),
        (
            "decodepsbt",
            json!(["?"]),
            -22,
            "TX decode failed invalid base64".to_owned(),
        ),
        (
            "converttopsbt",
            json!(["00"]),
            -22,
            "TX decode failed".to_owned(),
        ),
    ];
    for (method, params, code, message) in refusals {
        assert_eq!(node.refusal(method, params).await, (code, message));
    }
    let unknown = "00".repeat(32);
    assert_eq!(
        node.refusal("getdescriptoractivity", json!([[unknown], []]))
            .await,
        (-5, "Block not found".to_owned())
    );
    node.finish().await;
}

/// A PSBT with what is said of the output that its only input spends.
fn with_witness_utxo(psbt: &Value, output: TxOut) -> String {
    let mut psbt = read_psbt(psbt.as_str().unwrap()).unwrap();
    psbt.inputs[0].witness_utxo = Some(output);
    write_psbt(&psbt)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_without_its_transaction_is_believed_where_a_witness_unlocks_it() {
    // Without an index, the coins tell of the outputs alone.
    let node = TestNode::start().await;
    let descriptors: Vec<String> = [
        "pkh(K/0)",
        "sh(multi(1,K/1,K/2))",
        "sh(wpkh(K/3))",
        "wpkh(K/4)",
    ]
    .iter()
    .map(|form| form.replace('K', KEY))
    .collect();
    let outpoints = paid(&node, &descriptors).await;
    let scanned: Vec<String> = descriptors.iter().map(|text| with_checksum(text)).collect();
    let psbt = node
        .get("createpsbt", json!([outpoints, { ADDRESS: 199.9 }]))
        .await;
    let updated = node.get("utxoupdatepsbt", json!([psbt, scanned])).await;
    let processed = node
        .get(
            "descriptorprocesspsbt",
            json!([psbt, scanned, null, true, false]),
        )
        .await;
    assert_eq!(processed["complete"], false);
    for text in [&updated, &processed["psbt"]] {
        let decoded = node.get("decodepsbt", json!([text])).await;
        for index in [0, 1] {
            assert_eq!(decoded["inputs"][index], json!({}), "{decoded}");
        }
        for index in [2, 3] {
            assert!(decoded["inputs"][index].get("witness_utxo").is_some());
        }
    }

    // Nor is it believed when the caller says so.
    let psbt = node
        .get("createpsbt", json!([[outpoints[0]], { ADDRESS: 49.9 }]))
        .await;
    let script = node
        .get("deriveaddresses", json!([with_checksum(&descriptors[0])]))
        .await;
    let script = node.get("validateaddress", json!([script[0]])).await;
    let script = script["scriptPubKey"].as_str().unwrap();
    let output = TxOut {
        value: Amount::from_sat(1),
        script_pubkey: ScriptBuf::from_hex(script).unwrap(),
    };
    let told = with_witness_utxo(&psbt, output);
    let processed = node
        .get("descriptorprocesspsbt", json!([told, scanned]))
        .await;
    assert_eq!(processed, json!({ "psbt": told, "complete": false }));
    node.finish().await;
}
