use pyrite_consensus::bitcoin::ScriptBuf;

use super::*;

fn script(hex: &str) -> ScriptBuf {
    ScriptBuf::from_hex(hex).unwrap()
}

fn output_asm(hex: &str) -> String {
    asm(&script(hex), SignatureHashes::AsData)
}

const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

#[test]
fn pushes_are_numbers_or_hexadecimal() {
    assert_eq!(output_asm("00"), "0");
    assert_eq!(output_asm("4f51525f60"), "-1 1 2 15 16");
    assert_eq!(output_asm("04ffff001d0104"), "486604799 4");
    assert_eq!(output_asm("0181"), "-1");
    assert_eq!(output_asm("050102030405"), "0102030405");
    assert_eq!(output_asm("4c050102030405"), "0102030405");
    assert_eq!(output_asm("4d05000102030405"), "0102030405");
    assert_eq!(output_asm("4e050000000102030405"), "0102030405");
}

#[test]
fn opcodes_have_bitcoins_names() {
    assert_eq!(
        output_asm("76a914000102030405060708090a0b0c0d0e0f1011121388ac"),
        "OP_DUP OP_HASH160 000102030405060708090a0b0c0d0e0f10111213 OP_EQUALVERIFY OP_CHECKSIG"
    );
    assert_eq!(
        output_asm("50616ab0b1b2b3b9babbfeff"),
        "OP_RESERVED OP_NOP OP_RETURN OP_NOP1 OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4 \
         OP_NOP10 OP_CHECKSIGADD OP_UNKNOWN OP_UNKNOWN OP_INVALIDOPCODE"
    );
    assert_eq!(output_asm("7e87ab"), "OP_CAT OP_EQUAL OP_CODESEPARATOR");
}

#[test]
fn a_cut_off_push_is_an_error() {
    assert_eq!(output_asm("5102ff"), "1 [error]");
    assert_eq!(output_asm("4d01"), "[error]");
}

#[test]
fn signatures_show_their_hash_type_in_inputs_only() {
    let der = "3044022079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
               022079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    for (kind, name) in [("01", "[ALL]"), ("83", "[SINGLE|ANYONECANPAY]")] {
        let input = script(&format!("47{der}{kind}"));
        assert_eq!(asm(&input, SignatureHashes::Decode), format!("{der}{name}"));
        assert_eq!(asm(&input, SignatureHashes::AsData), format!("{der}{kind}"));
    }
    // An undefined type, and a signature that isn't strict.
    let undefined = script(&format!("47{der}05"));
    assert_eq!(asm(&undefined, SignatureHashes::Decode), format!("{der}05"));
    let negative = der.replacen("022079", "0220f9", 1);
    let input = script(&format!("47{negative}01"));
    assert_eq!(
        asm(&input, SignatureHashes::Decode),
        format!("{negative}01")
    );
}

#[test]
fn outputs_have_bitcoins_types() {
    let zeros = |count: usize| "00".repeat(count);
    for (hex, name) in [
        (format!("21{KEY}ac"), "pubkey"),
        (format!("2105{}ac", &KEY[2..]), "nonstandard"),
        (format!("76a914{}88ac", zeros(20)), "pubkeyhash"),
        (format!("a914{}87", zeros(20)), "scripthash"),
        (format!("5121{KEY}21{KEY}52ae"), "multisig"),
        (format!("5321{KEY}21{KEY}52ae"), "nonstandard"),
        (format!("5121{KEY}52ae"), "nonstandard"),
        ("6a".to_owned(), "nulldata"),
        ("6a0461626364".to_owned(), "nulldata"),
        ("6aac".to_owned(), "nonstandard"),
        ("51024e73".to_owned(), "anchor"),
        (format!("0014{}", zeros(20)), "witness_v0_keyhash"),
        (format!("0020{}", zeros(32)), "witness_v0_scripthash"),
        (format!("0010{}", zeros(16)), "nonstandard"),
        (format!("5120{}", zeros(32)), "witness_v1_taproot"),
        (format!("5220{}", zeros(32)), "witness_unknown"),
        ("51".to_owned(), "nonstandard"),
        (String::new(), "nonstandard"),
    ] {
        assert_eq!(output_kind(&script(&hex)).name(), name, "{hex}");
    }
}

#[test]
fn an_output_has_all_its_fields_in_order() {
    let output = script("0014751e76e8199196d454941c45d1b3a323f1433bd6");
    let json = serde_json::to_value(script_pub_key_json(&output, Network::Bitcoin)).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["asm", "desc", "hex", "address", "type"]);
    assert_eq!(json["asm"], "0 751e76e8199196d454941c45d1b3a323f1433bd6");
    assert_eq!(
        json["address"],
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    );
    let none = serde_json::to_value(script_pub_key_json(&script("51"), Network::Bitcoin)).unwrap();
    assert!(none.get("address").is_none());
}
