//! Signatures by given keys, with the values of Bitcoin Core's functional tests.

use serde_json::{Value, json};

use super::harness::TestNode;

const KEYS: [&str; 2] = [
    "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N",
    "cVKpPfVKSJxKqVpE9awvXNWuLHCa5j5tiE7K6zbUSptFpTEtiFrA",
];
const ADDRESS: &str = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB";
const TXIDS: [&str; 2] = [
    "9b907ef1e3c26fc71fe4a4b3580bc75264112f95050014157059c736f0202e71",
    "83a4f6a6b73660e13ee6cb3c6063fa3759c50c9b7521d0536022961898f4fb02",
];

/// The outputs that are spent: of the first key, and of the second.
fn previous() -> Value {
    json!([
        {
            "txid": TXIDS[0],
            "vout": 0,
            "scriptPubKey": "76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac",
        },
        {
            "txid": TXIDS[1],
            "vout": 0,
            "scriptPubKey": "76a914669b857c03a5ed269d5d85a1ffac9ed5d663072788ac",
        },
    ])
}

async fn unsigned(node: &TestNode, txids: &[&str]) -> Value {
    let inputs: Vec<Value> = txids
        .iter()
        .map(|txid| json!({ "txid": txid, "vout": 0 }))
        .collect();
    node.get("createrawtransaction", json!([inputs, { ADDRESS: 0.1 }]))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_message_is_that_of_bitcoin_core() {
    let node = TestNode::start().await;
    let message = "This is just a test message";
    let signature = node
        .get("signmessagewithprivkey", json!([KEYS[0], message]))
        .await;
    assert_eq!(
        signature,
        "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0="
    );
    let verified = |address: &str, message: &str| {
        node.get("verifymessage", json!([address, signature, message]))
    };
    assert_eq!(verified(ADDRESS, message).await, true);
    assert_eq!(verified(ADDRESS, "another").await, false);
    assert_eq!(
        verified("mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ", message).await,
        false
    );
    assert_eq!(
        node.get("verifymessage", json!([ADDRESS, "AAAA", message]))
            .await,
        false
    );
    for (method, params, code, text) in [
        (
            "signmessagewithprivkey",
            json!(["invalid", message]),
            -5,
            "Invalid private key",
        ),
        (
            "verifymessage",
            json!(["invalid", signature, message]),
            -5,
            "Invalid address",
        ),
        (
            "verifymessage",
            json!([
                "bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5",
                signature,
                message
            ]),
            -3,
            "Address does not refer to key",
        ),
        (
            "verifymessage",
            json!([ADDRESS, "invalid_sig!", message]),
            -3,
            "Malformed base64 encoding",
        ),
    ] {
        assert_eq!(node.refusal(method, params).await, (code, text.to_owned()));
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_whose_keys_are_there_are_signed() {
    let node = TestNode::start().await;
    let transaction = unsigned(&node, &TXIDS).await;
    let signed = node
        .get(
            "signrawtransactionwithkey",
            json!([transaction, KEYS, previous()]),
        )
        .await;
    assert_eq!(signed["complete"], true, "{signed}");
    assert!(signed.get("errors").is_none());
    // What is signed stays signed, without the keys.
    let again = node
        .get(
            "signrawtransactionwithkey",
            json!([signed["hex"], [], previous()]),
        )
        .await;
    assert_eq!(again, signed);

    let partly = node
        .get(
            "signrawtransactionwithkey",
            json!([transaction, [KEYS[0]], previous()]),
        )
        .await;
    assert_eq!(partly["complete"], false);
    let errors = partly["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["txid"], TXIDS[1]);
    assert_eq!(
        errors[0]["error"],
        "Unable to sign input, invalid stack size (possibly missing key)"
    );
    let names: Vec<&String> = errors[0].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["txid", "vout", "witness", "scriptSig", "sequence", "error"]
    );
    let unknown = node
        .get("signrawtransactionwithkey", json!([transaction, KEYS]))
        .await;
    assert_eq!(
        unknown["errors"][0]["error"],
        "Input not found or already spent"
    );
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_the_order_of_the_inputs() {
    let node = TestNode::start().await;
    let unknown = "00".repeat(31) + "01";
    let txids = [TXIDS[1], &unknown, TXIDS[0]];
    let transaction = unsigned(&node, &txids).await;
    let signed = node
        .get(
            "signrawtransactionwithkey",
            json!([transaction, [], previous()]),
        )
        .await;
    let errors = signed["errors"].as_array().unwrap();
    let told: Vec<&str> = errors
        .iter()
        .map(|error| error["txid"].as_str().unwrap())
        .collect();
    assert_eq!(told, txids, "{signed}");
    assert_eq!(errors[1]["error"], "Input not found or already spent");
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_output_is_signed() {
    let node = TestNode::start().await;
    let keys = multisig_keys(&node).await;
    let transaction = unsigned(&node, &TXIDS[..1]).await;
    let mut descriptors = Vec::new();
    for key in &keys {
        for form in ["pk", "pkh", "wpkh"] {
            descriptors.push((format!("{form}({key})"), None));
        }
        let program = output_of(&node, &format!("wpkh({key})")).await;
        let program = program.as_str().unwrap().to_owned();
        descriptors.push((format!("sh(wpkh({key}))"), Some(program)));
        descriptors.push((format!("rawtr({})", &key[2..]), None));
        descriptors.push((format!("tr({})", &key[2..]), None));
    }
    let script = format!("5221{}21{}52ae", keys[0], keys[1]);
    let multi = format!("multi(2,{},{})", keys[0], keys[1]);
    for form in ["sh(M)", "wsh(M)", "sh(wsh(M))", "M"] {
        descriptors.push((form.replace('M', &multi), Some(script.clone())));
    }
    for (descriptor, script) in descriptors {
        let output = output_of(&node, &descriptor).await;
        let mut spent = json!({ "txid": TXIDS[0], "vout": 0, "scriptPubKey": output, "amount": 1 });
        if let Some(script) = script {
            spent["witnessScript"] = script.into();
        }
        let signed = node
            .get(
                "signrawtransactionwithkey",
                json!([transaction, KEYS, [spent]]),
            )
            .await;
        assert_eq!(signed["complete"], true, "{descriptor}: {signed}");
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_signatures_of_a_multisig_are_united() {
    let node = TestNode::start().await;
    let keys = multisig_keys(&node).await;
    let multisig = node.get("createmultisig", json!([2, keys])).await;
    node.mine(1).await;
    let paid = node
        .get("generatetoaddress", json!([101, multisig["address"]]))
        .await;
    let block = node.get("getblock", json!([paid[0], 2])).await;
    let coinbase = &block["tx"][0];
    let output = &coinbase["vout"][0]["scriptPubKey"]["hex"];
    let transaction = node
        .get(
            "createrawtransaction",
            json!([[{ "txid": coinbase["txid"], "vout": 0 }], { ADDRESS: 49.9 }]),
        )
        .await;
    let spent = json!([{
        "txid": coinbase["txid"],
        "vout": 0,
        "scriptPubKey": output,
        "redeemScript": multisig["redeemScript"],
    }]);
    let mut halves = Vec::new();
    for key in KEYS {
        let half = node
            .get(
                "signrawtransactionwithkey",
                json!([transaction, [key], spent]),
            )
            .await;
        assert_eq!(half["complete"], false);
        assert_eq!(
            half["errors"][0]["error"],
            "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)"
        );
        halves.push(half["hex"].clone());
    }
    let whole = node.get("combinerawtransaction", json!([halves])).await;
    let accepted = node.get("testmempoolaccept", json!([[whole], 0])).await;
    assert_eq!(accepted[0]["allowed"], true, "{accepted}");
    // One who signs after another comes to the same.
    let other = node
        .get(
            "signrawtransactionwithkey",
            json!([halves[0], [KEYS[1]], spent]),
        )
        .await;
    assert_eq!(other["complete"], true);
    assert_eq!(other["hex"], whole);
    for (params, code, message) in [
        (json!([[]]), -8, "Missing transactions"),
        (
            json!([[whole, "00"]]),
            -22,
            "TX decode failed for tx 1. Make sure the tx has at least one input.",
        ),
        (
            json!([[unsigned(&node, &TXIDS).await]]),
            -25,
            "Input not found or already spent",
        ),
    ] {
        let refusal = node.refusal("combinerawtransaction", params).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_outputs_to_be_spent_are_refused_in_bitcoin_cores_words() {
    let node = TestNode::start().await;
    let transaction = unsigned(&node, &TXIDS[..1]).await;
    let keys = multisig_keys(&node).await;
    let program = output_of(&node, &format!("wpkh({})", keys[0])).await;
    let script_hash = output_of(&node, &format!("sh(pk({}))", keys[0])).await;
    let spent = |script: &Value| json!({ "txid": TXIDS[0], "vout": 0, "scriptPubKey": script });
    let mut mismatch = spent(&script_hash);
    mismatch["redeemScript"] = "51".into();
    for (previous, code, message) in [
        (
            json!(1),
            -22,
            "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}".to_owned(),
        ),
        (json!({ "txid": TXIDS[0] }), -3, "Missing vout".to_owned()),
        (
            json!({ "txid": TXIDS[0], "vout": -1, "scriptPubKey": "51" }),
            -22,
            "vout cannot be negative".to_owned(),
        ),
        (
            spent(&program),
            -3,
            format!(
                "Missing amount for CTxOut(nValue=21000000.00000000, scriptPubKey={})",
                &program.as_str().unwrap()[..30]
            ),
        ),
        (
            spent(&script_hash),
            -8,
            "Missing redeemScript/witnessScript".to_owned(),
        ),
        (
            mismatch,
            -8,
            "redeemScript/witnessScript does not match scriptPubKey".to_owned(),
        ),
    ] {
        let params = json!([transaction, KEYS, [previous]]);
        let refusal = node.refusal("signrawtransactionwithkey", params).await;
        assert_eq!(refusal, (code, message));
    }
    for (params, code, message) in [
        (
            json!(["00", KEYS]),
            -22,
            "TX decode failed. Make sure the tx has at least one input.",
        ),
        (json!([transaction, ["x"]]), -5, "Invalid private key"),
        (
            json!([transaction, KEYS, [], "all"]),
            -8,
            "'all' is not a valid sighash parameter.",
        ),
    ] {
        let refusal = node.refusal("signrawtransactionwithkey", params).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
    node.finish().await;
}

/// The public keys of the private ones.
async fn multisig_keys(node: &TestNode) -> Vec<String> {
    let mut keys = Vec::new();
    for key in KEYS {
        let info = node
            .get("getdescriptorinfo", json!([format!("pk({key})")]))
            .await;
        let shown = info["descriptor"].as_str().unwrap();
        keys.push(shown["pk(".len().."pk(".len() + 66].to_owned());
    }
    keys
}

/// The script of the output that a descriptor stands for.
async fn output_of(node: &TestNode, descriptor: &str) -> Value {
    let made = node
        .get("generateblock", json!([descriptor, [], false]))
        .await;
    let hex = made["hex"].as_str().unwrap();
    let block: pyrite_consensus::bitcoin::Block =
        pyrite_consensus::bitcoin::consensus::encode::deserialize_hex(hex).unwrap();
    hex::encode(block.txdata[0].output[0].script_pubkey.as_bytes()).into()
}
