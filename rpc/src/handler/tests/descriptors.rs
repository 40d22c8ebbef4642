//! Descriptors and multisig addresses, with the values of Bitcoin Core's functional tests.

use serde_json::json;

use super::harness::TestNode;
use crate::json::with_checksum;

/// An extended private key of those tests.
const KEY: &str = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";

/// The keys of BIP-0067's first vector, in their order.
const KEYS: [&str; 2] = [
    "02fe6f0a5a297eb38c391581c4413e084773ea23954d93f7753db7dc0adc188b2f",
    "02ff12471208c14bd580709cb2358d98975247d8765f92bc25eab3b2763ed605f8",
];

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_derived_in_the_order_of_their_indexes() {
    let node = TestNode::start().await;
    let one = format!("wpkh({KEY}/1/1/0)#t6wfjs64");
    let address = "bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5";
    assert_eq!(
        node.get("deriveaddresses", json!([one])).await,
        json!([address])
    );
    let ranged = format!("wpkh({KEY}/1/1/*)#kft60nuy");
    assert_eq!(
        node.get("deriveaddresses", json!([ranged, [1, 2]])).await,
        json!([
            "bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy",
            "bcrt1qpgptk2gvshyl0s9lqshsmx932l9ccsv265tvaq",
        ])
    );
    let combo = with_checksum(&format!("combo({KEY}/1/1/*)"));
    let all = node.get("deriveaddresses", json!([combo, 1])).await;
    assert_eq!(all.as_array().unwrap().len(), 6);
    assert_eq!(
        json!([all[0], all[1], all[2]]),
        json!([
            "mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ",
            address,
            "2NDvEwGfpEqJWfybzpKPHF2XH3jwoQV3D7x",
        ])
    );
    assert_eq!(all[4], "bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy");
    let two = with_checksum(&format!("wpkh({KEY}/<1;2>/1/*)"));
    let paths = node.get("deriveaddresses", json!([two, [0, 1]])).await;
    assert_eq!(paths[0][0], address);
    assert_eq!(paths[1].as_array().unwrap().len(), 2);
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_addresses_is_refused_in_bitcoin_cores_words() {
    let node = TestNode::start().await;
    let one = format!("wpkh({KEY}/1/1/0)#t6wfjs64");
    let ranged = format!("wpkh({KEY}/1/1/*)#kft60nuy");
    let bare = with_checksum("raw(51)");
    for (params, code, message) in [
        (json!([&one[..one.len() - 9]]), -5, "Missing checksum"),
        (
            json!([one, [0, 2]]),
            -8,
            "Range should not be specified for an un-ranged descriptor",
        ),
        (
            json!([ranged]),
            -8,
            "Range must be specified for a ranged descriptor",
        ),
        (
            json!([ranged, 10_000_000_000_u64]),
            -8,
            "End of range is too high",
        ),
        (json!([ranged, [0, 1_000_001]]), -8, "Range is too large"),
        (
            json!([ranged, [2, 0]]),
            -8,
            "Range specified as [begin,end] must not have begin after end",
        ),
        (
            json!([bare]),
            -5,
            "Descriptor does not have a corresponding address",
        ),
    ] {
        let refusal = node.refusal("deriveaddresses", params).await;
        assert_eq!(refusal, (code, message.to_owned()));
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_descriptor_is_shown_without_private_keys() {
    let node = TestNode::start().await;
    let info = node
        .get("getdescriptorinfo", json!([format!("wpkh({KEY}/1/*)")]))
        .await;
    assert_eq!(info["isrange"], true);
    assert_eq!(info["issolvable"], true);
    assert_eq!(info["hasprivatekeys"], true);
    let shown = info["descriptor"].as_str().unwrap();
    assert!(shown.starts_with("wpkh(tpub"), "{shown}");
    let shown = node.get("getdescriptorinfo", json!([shown])).await;
    assert_eq!(shown["descriptor"], info["descriptor"]);
    assert_eq!(shown["hasprivatekeys"], false);
    assert_ne!(shown["checksum"], info["checksum"]);
    let key = KEYS[0];
    let info = node
        .get("getdescriptorinfo", json!([format!("pk({key})")]))
        .await;
    let descriptor = with_checksum(&format!("pk({key})"));
    assert_eq!(
        info.to_string(),
        json!({
            "descriptor": descriptor,
            "checksum": &descriptor[descriptor.len() - 8..],
            "isrange": false,
            "issolvable": true,
            "hasprivatekeys": false,
        })
        .to_string()
    );
    let info = node
        .get("getdescriptorinfo", json!(["raw(DEADBEEF)"]))
        .await;
    assert_eq!(info["descriptor"], "raw(deadbeef)#89f8spxm");
    assert_eq!(info["issolvable"], false);
    let two = format!("wpkh({KEY}/<1;2>/*)");
    let info = node.get("getdescriptorinfo", json!([two])).await;
    assert_eq!(info["multipath_expansion"].as_array().unwrap().len(), 2);
    assert_eq!(
        node.refusal("getdescriptorinfo", json!(["pk(00)#aaaaaaaa"]))
            .await
            .0,
        -5
    );
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multisig_has_the_address_of_its_descriptor() {
    let node = TestNode::start().await;
    for (kind, start) in [
        ("legacy", "sh(multi("),
        ("p2sh-segwit", "sh(wsh(multi("),
        ("bech32", "wsh(multi("),
    ] {
        let multisig = node.get("createmultisig", json!([2, KEYS, kind])).await;
        assert_eq!(
            multisig["redeemScript"],
            format!("5221{}21{}52ae", KEYS[0], KEYS[1])
        );
        let descriptor = multisig["descriptor"].as_str().unwrap();
        assert!(descriptor.starts_with(start), "{descriptor}");
        assert_eq!(
            node.get("deriveaddresses", json!([descriptor])).await,
            json!([multisig["address"]])
        );
        assert!(multisig.get("warnings").is_none());
    }
    let uncompressed = "04b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb25e01fc8fde47c96c98a4f3a8123e33a38a50cf9025cc8c4494a518f991792bb7";
    let multisig = node
        .get("createmultisig", json!([1, [uncompressed], "bech32"]))
        .await;
    assert_eq!(
        multisig["warnings"],
        json!([
            "Unable to make chosen address type, please ensure no uncompressed public keys are present."
        ])
    );
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_multisigs_are_refused_in_bitcoin_cores_words() {
    let node = TestNode::start().await;
    let sixteen = vec![KEYS[0]; 16];
    let many = vec![KEYS[0]; 21];
    let off_curve = format!("02{}", "ff".repeat(32));
    for (params, code, message) in [
        (
            json!([0, KEYS]),
            -8,
            "a multisignature address must require at least one key to redeem".to_owned(),
        ),
        (
            json!([3, KEYS]),
            -8,
            "not enough keys supplied (got 2 keys, but need at least 3 to redeem)".to_owned(),
        ),
        (
            json!([1, many]),
            -8,
            "Number of keys involved in the multisignature address creation > 20\nReduce the number"
                .to_owned(),
        ),
        (
            json!([1, sixteen]),
            -8,
            "redeemScript exceeds size limit: 547 > 520".to_owned(),
        ),
        (
            json!([1, ["zz"]]),
            -5,
            "Pubkey \"zz\" must be a hex string".to_owned(),
        ),
        (
            json!([1, ["02"]]),
            -5,
            "Pubkey \"02\" must have a length of either 33 or 65 bytes".to_owned(),
        ),
        (
            json!([1, [off_curve]]),
            -5,
            format!("Pubkey \"{off_curve}\" must be cryptographically valid."),
        ),
        (
            json!([1, KEYS, "bech32m"]),
            -5,
            "createmultisig cannot create bech32m multisig addresses".to_owned(),
        ),
        (json!([1, KEYS, "x"]), -5, "Unknown address type 'x'".to_owned()),
    ] {
        assert_eq!(node.refusal("createmultisig", params).await, (code, message));
    }
    node.finish().await;
}
