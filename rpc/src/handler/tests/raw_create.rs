//! New transactions, and scripts, with the values of Bitcoin Core's functional tests.

use serde_json::{Value, json};

use super::harness::TestNode;
use crate::auth::{Accounts, Whitelists};
use crate::dialect::Endpoint;
use crate::places::Place;

const TXID: &str = "1d1d4e24ed99057e84c3f80fd8fbec79ed9e1acee37da269356ecea000000000";
const KEY: &str = "03b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb2";
const KEY_HASH: &str = "5dd1d3a048119c27b28293056724d9522f26d945";
const ADDRESS: &str = "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_transaction_is_what_was_asked_for() {
    let node = TestNode::start().await;
    let input = json!([{ "txid": TXID, "vout": 9 }]);
    let made = |params: Value| {
        let node = &node;
        async move {
            let hex = node.get("createrawtransaction", params).await;
            node.get("decoderawtransaction", json!([hex])).await
        }
    };
    let decoded = made(json!([input, { ADDRESS: 99, "data": "99aa" }])).await;
    assert_eq!(decoded["version"], 2);
    assert_eq!(decoded["locktime"], 0);
    assert_eq!(decoded["vin"][0]["txid"], TXID);
    assert_eq!(decoded["vin"][0]["vout"], 9);
    assert_eq!(decoded["vin"][0]["sequence"], 0xffff_fffd_u32);
    assert_eq!(decoded["vout"][0]["value"].to_string(), "99.00000000");
    assert_eq!(decoded["vout"][0]["scriptPubKey"]["address"], ADDRESS);
    assert_eq!(decoded["vout"][1]["scriptPubKey"]["hex"], "6a0299aa");
    let decoded = made(json!([input, [{ "data": "aa" }], 500, false, 3])).await;
    assert_eq!(decoded["version"], 3);
    assert_eq!(decoded["locktime"], 500);
    assert_eq!(decoded["vin"][0]["sequence"], 0xffff_fffe_u32);
    let decoded = made(json!([input, [], 0, false])).await;
    assert_eq!(decoded["vin"][0]["sequence"], 0xffff_ffff_u32);
    let own = json!([{ "txid": TXID, "vout": 0, "sequence": 7 }]);
    assert_eq!(made(json!([own, []])).await["vin"][0]["sequence"], 7);
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parts_of_a_transaction_are_refused_in_bitcoin_cores_words() {
    let node = TestNode::start().await;
    let input = json!([{ "txid": TXID, "vout": 9 }]);
    let last = json!([{ "txid": TXID, "vout": 0, "sequence": 0xffff_ffff_u32 }]);
    for (params, code, message) in [
        (
            json!([[{ "txid": "foo", "vout": 0 }], {}]),
            -8,
            "txid must be of length 64 (not 3, for 'foo')",
        ),
        (
            json!([["foo"], {}]),
            -3,
            "JSON value of type string is not of expected type object",
        ),
        (
            json!([[{ "txid": TXID }], {}]),
            -8,
            "Invalid parameter, missing vout key",
        ),
        (
            json!([[{ "txid": TXID, "vout": -1 }], {}]),
            -8,
            "Invalid parameter, vout cannot be negative",
        ),
        (
            json!([[{ "txid": TXID, "vout": 0, "sequence": -1 }], {}]),
            -8,
            "Invalid parameter, sequence number is out of range",
        ),
        (
            json!([[], null]),
            -8,
            "Invalid parameter, output argument must be non-null",
        ),
        (
            json!([[], "foo"]),
            -3,
            "JSON value of type string is not of expected type array",
        ),
        (
            json!([[], ["foo"]]),
            -8,
            "Invalid parameter, key-value pair not an object as expected",
        ),
        (
            json!([[], [{ "a": 1, "b": 2 }]]),
            -8,
            "Invalid parameter, key-value pair must contain exactly one key",
        ),
        (
            json!([[], [{ "data": "aa" }, { "data": "bb" }]]),
            -8,
            "Invalid parameter, duplicate key: data",
        ),
        (
            json!([[], { "data": "foo" }]),
            -8,
            "Data must be hexadecimal string (not 'foo')",
        ),
        (
            json!([[], { "data": "" }]),
            -8,
            "Data must be hexadecimal string (not '')",
        ),
        (
            json!([[], { "foo": 0 }]),
            -5,
            "Invalid Bitcoin address: foo",
        ),
        (
            json!([[], [{ ADDRESS: 1 }, { ADDRESS: 1 }]]),
            -8,
            "Invalid parameter, duplicated address: mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB",
        ),
        (json!([[], { ADDRESS: "foo" }]), -3, "Invalid amount"),
        (json!([[], { ADDRESS: -1 }]), -3, "Amount out of range"),
        (
            json!([[], {}, -1]),
            -8,
            "Invalid parameter, locktime out of range",
        ),
        (
            json!([[], {}, 4_294_967_296_u64]),
            -8,
            "Invalid parameter, locktime out of range",
        ),
        (
            json!([input, {}, 0, true, 4]),
            -8,
            "Invalid parameter, version out of range(1~3)",
        ),
        (
            json!([last, {}, 0, true]),
            -8,
            "Invalid parameter combination: Sequence number(s) contradict replaceable option",
        ),
    ] {
        let refusal = node.refusal("createrawtransaction", params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{params}");
    }
    node.finish().await;
}

/// The refusal of a call whose parameters are this text, for what no `Value` can hold.
async fn refusal_of_text(node: &TestNode, method: &str, params: &str) -> (i32, String) {
    let body =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
    let accounts = Accounts::new(Some("ann:secret"), &[], &Whitelists::default());
    let reply = node
        .dispatcher
        .answer(
            body.into(),
            &Endpoint::Node,
            accounts.first(),
            &mut Place::alone(),
        )
        .await;
    let answer: Value = serde_json::from_str(&reply.text()).unwrap();
    let error = &answer["error"];
    let code = i32::try_from(error["code"].as_i64().unwrap()).unwrap();
    (code, error["message"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_or_a_parameter_that_is_given_twice_is_not_lost() {
    let node = TestNode::start().await;
    for (method, params, message) in [
        (
            "createrawtransaction",
            format!("[[],{{\"{ADDRESS}\":1,\"{ADDRESS}\":2}}]"),
            format!("Invalid parameter, duplicated address: {ADDRESS}"),
        ),
        (
            "createpsbt",
            format!("[[],{{\"{ADDRESS}\":1,\"{ADDRESS}\":1}}]"),
            format!("Invalid parameter, duplicated address: {ADDRESS}"),
        ),
        (
            "createrawtransaction",
            "[[],{\"data\":\"aa\",\"data\":\"bb\"}]".to_owned(),
            "Invalid parameter, duplicate key: data".to_owned(),
        ),
        (
            "createrawtransaction",
            format!("[[],[{{\"{ADDRESS}\":1,\"{ADDRESS}\":2}}]]"),
            "Invalid parameter, key-value pair must contain exactly one key".to_owned(),
        ),
        (
            "createrawtransaction",
            "{\"inputs\":[],\"outputs\":[],\"locktime\":1,\"locktime\":2}".to_owned(),
            "Parameter locktime specified multiple times".to_owned(),
        ),
        (
            "getblockhash",
            "{\"args\":[0],\"args\":[1]}".to_owned(),
            "Parameter args specified multiple times".to_owned(),
        ),
    ] {
        let refusal = refusal_of_text(&node, method, &params).await;
        assert_eq!(refusal, (-8, message), "{method} {params}");
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_without_inputs_has_one_meaning() {
    let node = TestNode::start().await;
    let hex = node
        .get("createrawtransaction", json!([[], { ADDRESS: 1 }]))
        .await;
    assert_eq!(
        hex,
        "02000000000100e1f505000000001976a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac00000000"
    );
    for is_witness in [Value::Null, json!(false)] {
        let decoded = node
            .get("decoderawtransaction", json!([hex, is_witness]))
            .await;
        assert_eq!(decoded["hash"], decoded["txid"]);
        assert_eq!(decoded["size"], 44);
        assert_eq!(decoded["weight"], 176);
        assert_eq!(decoded["vin"], json!([]));
        assert_eq!(decoded["vout"][0]["scriptPubKey"]["address"], ADDRESS);
    }
    for (method, params) in [
        ("decoderawtransaction", json!([hex, true])),
        ("converttopsbt", json!([hex, false, true])),
    ] {
        let failed = (-22, "TX decode failed".to_owned());
        assert_eq!(node.refusal(method, params).await, failed);
    }
    let refusal = node.refusal("sendrawtransaction", json!([hex])).await;
    let message = "TX decode failed. Make sure the tx has at least one input.";
    assert_eq!(refusal, (-22, message.to_owned()));
    let psbt = node.get("createpsbt", json!([[], { ADDRESS: 1 }])).await;
    assert_eq!(node.get("converttopsbt", json!([hex])).await, psbt);
    let decoded = node.get("decodepsbt", json!([psbt])).await;
    assert_eq!(decoded["tx"]["hash"], decoded["tx"]["txid"]);
    assert_eq!(decoded["tx"]["size"], 44);
    assert_eq!(decoded["fee"].to_string(), "-1.00000000");
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_shown_with_what_can_stand_for_it() {
    let node = TestNode::start().await;
    let script = node
        .get("decodescript", json!([format!("21{KEY}ac")]))
        .await;
    assert_eq!(script["asm"], format!("{KEY} OP_CHECKSIG"));
    assert_eq!(script["type"], "pubkey");
    assert!(script.get("hex").is_none());
    assert_eq!(script["segwit"]["asm"], format!("0 {KEY_HASH}"));
    assert_eq!(script["segwit"]["type"], "witness_v0_keyhash");
    assert!(script["p2sh"].as_str().unwrap().starts_with('2'));
    let hash = node
        .get("decodescript", json!([format!("76a914{KEY_HASH}88ac")]))
        .await;
    assert_eq!(hash["segwit"], script["segwit"]);
    let names: Vec<&String> = hash.as_object().unwrap().keys().collect();
    assert_eq!(names, ["asm", "desc", "address", "type", "p2sh", "segwit"]);
    let names: Vec<&String> = hash["segwit"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["asm", "desc", "hex", "address", "type", "p2sh-segwit"]
    );

    let multisig = format!("52{}53ae", format!("21{KEY}").repeat(3));
    let multisig = node.get("decodescript", json!([multisig])).await;
    assert_eq!(multisig["type"], "multisig");
    let descriptor = multisig["segwit"]["desc"].as_str().unwrap();
    assert!(descriptor.starts_with("wsh(multi(2,"), "{descriptor}");
    assert_eq!(
        node.get("deriveaddresses", json!([descriptor])).await[0],
        multisig["segwit"]["address"]
    );
    let conditional = node.get("decodescript", json!([format!("63516851")])).await;
    assert_eq!(conditional["segwit"]["type"], "witness_v0_scripthash");
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_nothing_may_stand_for_is_shown_alone() {
    let node = TestNode::start().await;
    for script in [
        format!("a914{KEY_HASH}87"),
        "6a04deadbeef".to_owned(),
        format!("5120{}", &KEY[2..]),
        "51024e73".to_owned(),
        // Opcodes of tapscript alone, and a push that is cut off.
        "ba".to_owned(),
        "50".to_owned(),
        "bb".to_owned(),
        "02aa".to_owned(),
    ] {
        let shown = node.get("decodescript", json!([script])).await;
        assert!(shown.get("p2sh").is_none(), "{script}: {shown}");
        assert!(shown.get("segwit").is_none(), "{script}: {shown}");
    }
    let uncompressed = "04b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb25e01fc8fde47c96c98a4f3a8123e33a38a50cf9025cc8c4494a518f991792bb7";
    for script in [
        format!("41{uncompressed}ac"),
        format!("0014{KEY_HASH}"),
        format!("5141{uncompressed}51ae"),
    ] {
        let shown = node.get("decodescript", json!([script])).await;
        assert!(shown.get("p2sh").is_some(), "{script}: {shown}");
        assert!(shown.get("segwit").is_none(), "{script}: {shown}");
    }
    assert_eq!(
        node.refusal("decodescript", json!(["xy"])).await,
        (
            -8,
            "argument must be hexadecimal string (not 'xy')".to_owned()
        )
    );
    assert_eq!(node.get("decodescript", json!([""])).await["asm"], "");
    node.finish().await;
}
