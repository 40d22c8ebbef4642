//! Descriptors and their scripts, with those of Bitcoin Core's test of `scantxoutset` first.

use pyrite_consensus::bitcoin::{Address, Network};
use pyrite_consensus::spec::AddressKind;
use serde_json::{Value, json};

use super::{Needle, read_scan_object};
use crate::call::CallError;
use crate::stop::stop_signal;

/// The master key of Bitcoin Core's test.
pub(super) const XPRV: &str = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK";
/// Its public key.
pub(super) const XPUB: &str = "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B";
/// The public key of the secret key 1, and the one of 2.
pub(super) const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
pub(super) const KEY_2: &str = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";

fn read(object: &Value) -> Result<Vec<Needle>, CallError> {
    let (_sender, stop) = stop_signal();
    read_scan_object(object, AddressKind::Regtest, &stop)
}

fn needles(descriptor: &str) -> Vec<Needle> {
    read(&json!(descriptor)).unwrap()
}

/// Whether one of the scripts is that of the address.
fn has_address(needles: &[Needle], address: &str) -> bool {
    let address: Address<_> = address.parse().unwrap();
    let script = address
        .require_network(Network::Regtest)
        .unwrap()
        .script_pubkey();
    needles.iter().any(|needle| needle.script == script)
}

#[test]
fn keys_are_derived_as_by_bitcoin_core() {
    for (key, address) in [
        (
            format!("{XPRV}/0'/0h/0h"),
            "mkHV1C6JLheLoUSSZYk7x3FH5tnx9bu7yc",
        ),
        (
            format!("{XPRV}/0'/0'/1h"),
            "mipUSRmJAj2KrjSvsPQtnP8ynUon7FhpCR",
        ),
        (
            format!("{XPRV}/0h/0'/1500'"),
            "n37dAGe6Mq1HGM9t4b6rFEEsDGq7Fcgfqg",
        ),
        (
            format!("{XPRV}/0h/0h/0"),
            "mqS9Rpg8nNLAzxFExsgFLCnzHBsoQ3PRM6",
        ),
        (
            format!("{XPRV}/0'/0h/1"),
            "mnTg5gVWr3rbhHaKjJv7EEEc76ZqHgSj4S",
        ),
        (
            format!("{XPRV}/0h/0'/1500"),
            "mketCd6B9U9Uee1iCsppDJJBHfvi6U6ukC",
        ),
        (
            format!("{XPRV}/1/1/0'"),
            "mj8zFzrbBcdaWXowCQ1oPZ4qioBVzLzAp7",
        ),
        (
            format!("{XPRV}/1/1/1'"),
            "mfnKpKQEftniaoE1iXuMMePQU3PUpcNisA",
        ),
        (
            format!("{XPRV}/1/1/1500h"),
            "mou6cB1kaP1nNJM1sryW6YRwnd4shTbXYQ",
        ),
        (
            format!("{XPRV}/1/1/0"),
            "mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ",
        ),
        (
            format!("{XPUB}/1/1/0"),
            "mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ",
        ),
        (
            format!("[abcdef88/1/2'/3/4h]{XPUB}/1/1/1"),
            "mxp7w7j8S1Aq6L8StS2PqVvtt4HGxXEvdy",
        ),
        (
            format!("{XPUB}/1/1/1500"),
            "mpQ8rokAhp1TAtJQR6F6TaUmjAWkAWYYBq",
        ),
    ] {
        let needles = needles(&format!("combo({key})"));
        assert_eq!(needles.len(), 4, "{key}");
        assert!(has_address(&needles, address), "{key}");
    }
}

#[test]
fn a_range_has_its_ends() {
    let wildcard = |range: Value, path: &str| {
        read(&json!({ "desc": format!("pkh({path})"), "range": range })).unwrap()
    };
    let hardened = format!("{XPRV}/0'/0h/*h");
    let last = "n37dAGe6Mq1HGM9t4b6rFEEsDGq7Fcgfqg";
    assert!(!has_address(&wildcard(json!(1_499), &hardened), last));
    let needles = wildcard(json!(1_500), &hardened);
    assert_eq!(needles.len(), 1_501);
    assert!(has_address(&needles, last));
    let public = format!("{XPUB}/1/1/*");
    let needles = wildcard(json!([1_500, 1_500]), &public);
    assert_eq!(needles.len(), 1);
    assert!(has_address(&needles, "mpQ8rokAhp1TAtJQR6F6TaUmjAWkAWYYBq"));
    // By default up to 1,000; and a descriptor without a wildcard has one index whatever is asked.
    assert_eq!(
        read(&json!(format!("wpkh({public})"))).unwrap().len(),
        1_001
    );
    assert_eq!(wildcard(json!(7), &format!("{XPUB}/1")).len(), 1);
    let ends = json!([i32::MAX, i32::MAX]);
    assert_eq!(wildcard(ends, &public).len(), 1);
}

#[test]
fn scripts_are_called_as_by_bitcoin_core() {
    let name_of = |descriptor: String, address: &str| {
        let needles = needles(&descriptor);
        needles
            .into_iter()
            .find(|needle| has_address(std::slice::from_ref(needle), address))
            .unwrap()
            .descriptor
    };
    assert_eq!(
        name_of(
            format!("combo({XPRV}/1/1/0)"),
            "mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ"
        ),
        "pkh([0c5f9a1e/1/1/0]03e1c5b6e650966971d7e71ef2674f80222752740fc1dfd63bbbd220d2da9bd0fb)#cxmct4w8"
    );
    assert_eq!(
        name_of(
            format!("combo({XPUB}/1/1/*)"),
            "mxp7w7j8S1Aq6L8StS2PqVvtt4HGxXEvdy"
        ),
        "pkh([0c5f9a1e/1/1/1]030d820fc9e8211c4169be8530efbc632775d8286167afd178caaf1089b77daba7)#z2t3ypsa"
    );
    // Hardened steps are written with an h, and so have another checksum than with an apostrophe.
    assert_eq!(
        name_of(
            format!("combo({XPRV}/0h/0'/*)"),
            "mqS9Rpg8nNLAzxFExsgFLCnzHBsoQ3PRM6"
        ),
        "pkh([0c5f9a1e/0h/0h/0]026dbd8b2315f296d36e6b6920b1579ca75569464875c7ebe869b536a7d9503c8c)#rthll0rg"
    );
}

/// The script and the name, without its checksum, of a descriptor of one script.
fn one(descriptor: &str) -> (String, String) {
    let needles = needles(descriptor);
    assert_eq!(needles.len(), 1, "{descriptor}");
    let (name, _) = needles[0].descriptor.split_once('#').unwrap();
    (hex::encode(needles[0].script.as_bytes()), name.to_owned())
}

#[test]
fn every_function_makes_its_script() {
    let x_only = &KEY[2..];
    let hash = "751e76e8199196d454941c45d1b3a323f1433bd6";
    for (descriptor, script, name) in [
        (
            format!("pk({KEY})"),
            format!("21{KEY}ac"),
            format!("pk([751e76e8]{KEY})"),
        ),
        (
            format!("pkh({KEY})"),
            format!("76a914{hash}88ac"),
            format!("pkh([751e76e8]{KEY})"),
        ),
        (
            format!("wpkh({KEY})"),
            format!("0014{hash}"),
            format!("wpkh([751e76e8]{KEY})"),
        ),
        (
            format!("multi(1,{KEY_2},{KEY})"),
            format!("5121{KEY_2}21{KEY}52ae"),
            format!("multi(1,[06afd46b]{KEY_2},[751e76e8]{KEY})"),
        ),
        (
            format!("sortedmulti(1,{KEY_2},{KEY})"),
            format!("5121{KEY}21{KEY_2}52ae"),
            format!("multi(1,[751e76e8]{KEY},[06afd46b]{KEY_2})"),
        ),
        (
            format!("rawtr({x_only})"),
            format!("5120{x_only}"),
            format!("rawtr([751e76e8]{x_only})"),
        ),
        (
            format!("raw(21{KEY}ac)"),
            format!("21{KEY}ac"),
            format!("pk({KEY})"),
        ),
        (
            "raw(6a01ff)".to_owned(),
            "6a01ff".to_owned(),
            "raw(6a01ff)".to_owned(),
        ),
        (
            "addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)".to_owned(),
            "76a914".to_owned()
                + &{
                    let (script, _) = one(&format!("pkh({XPUB}/1/1/0)"));
                    script[6..].to_owned()
                },
            "addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)".to_owned(),
        ),
    ] {
        assert_eq!(one(&descriptor), (script, name), "{descriptor}");
    }
}

#[test]
fn hashed_scripts_keep_what_is_inside_in_their_name() {
    let sorted = format!("multi(1,[751e76e8]{KEY},[06afd46b]{KEY_2})");
    for (descriptor, name) in [
        (
            format!("sh(wpkh({KEY}))"),
            format!("sh(wpkh([751e76e8]{KEY}))"),
        ),
        (
            format!("sh(sortedmulti(1,{KEY_2},{KEY}))"),
            format!("sh({sorted})"),
        ),
        (
            format!("wsh(sortedmulti(1,{KEY_2},{KEY}))"),
            format!("wsh({sorted})"),
        ),
        (
            format!("sh(wsh(sortedmulti(1,{KEY_2},{KEY})))"),
            format!("sh(wsh({sorted}))"),
        ),
        (
            format!("wsh(and_v(v:pk({KEY}),after(2)))"),
            format!("wsh(and_v(v:pk([751e76e8]{KEY}),after(2)))"),
        ),
        (
            format!("tr({KEY},pk({KEY_2}))"),
            format!("tr([751e76e8]{},pk([06afd46b]{}))", &KEY[2..], &KEY_2[2..]),
        ),
    ] {
        assert_eq!(one(&descriptor).1, name, "{descriptor}");
    }
    // BIP-0086's first vector is on another network; its output key is the same on all.
    let internal = "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115";
    assert_eq!(
        one(&format!("tr({internal})")).0,
        "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"
    );
}

#[test]
fn an_uncompressed_key_has_no_segwit_outputs() {
    let key = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
               483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    assert_eq!(needles(&format!("combo({key})")).len(), 2);
}

#[test]
fn a_descriptor_of_two_paths_has_the_scripts_of_both() {
    let both = needles(&format!("pkh({XPUB}/1/<0;1>/0)"));
    let (first, second) = (
        needles(&format!("pkh({XPUB}/1/0/0)")),
        needles(&format!("pkh({XPUB}/1/1/0)")),
    );
    assert_eq!(both, [first, second].concat());
}

#[test]
fn what_is_no_descriptor_is_refused() {
    let mainnet = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8";
    for (object, code, message) in [
        (json!("addr(x)"), -5, "Address is not valid".to_owned()),
        (
            json!("addr(12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S)"),
            -5,
            "Address is not valid".to_owned(),
        ),
        (json!("raw(x)"), -5, "Raw script is not hex".to_owned()),
        (
            json!("older(5)"),
            -5,
            "'older(5)' is not a valid descriptor function".to_owned(),
        ),
        (
            json!("raw(51)#abcdefgh"),
            -5,
            "Provided checksum 'abcdefgh' does not match computed checksum '8lvh9jxk'".to_owned(),
        ),
        (
            json!("raw(51)#ab"),
            -5,
            "Expected 8 character checksum, not 2 characters".to_owned(),
        ),
        (json!("raw(51)#a#b"), -5, "Multiple '#' symbols".to_owned()),
        (
            json!("raw(\u{e9})"),
            -5,
            "Invalid characters in payload".to_owned(),
        ),
        (
            json!(format!("pkh({mainnet})")),
            -5,
            "A key of the descriptor is of another network".to_owned(),
        ),
        (
            json!(format!("pkh({XPUB}/*h)")),
            -5,
            "Cannot derive script without private keys".to_owned(),
        ),
        (
            json!(format!("pkh({XPUB}/0h/1)")),
            -5,
            "Cannot derive script without private keys".to_owned(),
        ),
        (
            json!({ "range": 5 }),
            -8,
            "Descriptor needs to be provided in scan object".to_owned(),
        ),
        (
            json!(7),
            -8,
            "Scan object needs to be either a string or an object".to_owned(),
        ),
    ] {
        assert_eq!(
            read(&object),
            Err(CallError::new(code, message)),
            "{object}"
        );
    }
    for descriptor in [
        "pk()",
        "pkh(x)",
        "wsh(pk)",
        "multi(3,02)",
        "rawtr(x)",
        "tr(,)",
    ] {
        assert_eq!(
            read(&json!(descriptor)).unwrap_err().code,
            -5,
            "{descriptor}"
        );
    }
}

#[test]
fn the_end_of_the_server_ends_a_long_derivation() {
    let (sender, stop) = stop_signal();
    sender.stop();
    let object = json!(format!("pkh({XPUB}/*)"));
    let error = read_scan_object(&object, AddressKind::Regtest, &stop).unwrap_err();
    assert_eq!(error.code, -9);
}
