//! Bitcoin Core's vectors for base58 and for the text forms of addresses and private keys
//! (`base58_encode_decode.json`, `key_io_valid.json`, `key_io_invalid.json`).

mod vectors;

use pyrite_consensus::bitcoin::{NetworkKind, base58};
use pyrite_consensus::spec::AddressKind;
use serde_json::Value;

const KINDS: [AddressKind; 3] = [
    AddressKind::Mainnet,
    AddressKind::Testnet,
    AddressKind::Regtest,
];

/// What a vector's chain has for addresses: those of all test networks but regtest are the same.
fn kind(chain: &str) -> AddressKind {
    match chain {
        "main" => AddressKind::Mainnet,
        "test" | "testnet4" | "signet" => AddressKind::Testnet,
        "regtest" => AddressKind::Regtest,
        _ => panic!("no chain is called {chain}"),
    }
}

fn entries(name: &str) -> Option<Vec<Value>> {
    let vectors = vectors::read_json(&format!("bitcoin-core/{name}"))?;
    Some(vectors.as_array().expect("an array").clone())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[test]
fn base58_is_bitcoin_core_s() {
    let Some(entries) = entries("base58_encode_decode.json") else {
        return;
    };
    for entry in &entries {
        let bytes = hex::decode(text(&entry[0])).expect("hex");
        let encoded = text(&entry[1]);
        assert_eq!(base58::encode(&bytes), encoded);
        assert_eq!(base58::decode(encoded).as_ref(), Ok(&bytes), "{encoded}");
    }
    println!(
        "base58_encode_decode: {} of {} entries",
        entries.len(),
        entries.len()
    );
}

#[test]
fn valid_addresses_and_keys_are_read() {
    let Some(entries) = entries("key_io_valid.json") else {
        return;
    };
    let (mut addresses, mut keys) = (0, 0);
    for entry in &entries {
        let (encoded, payload, about) = (text(&entry[0]), text(&entry[1]), &entry[2]);
        let kind = kind(text(&about["chain"]));
        if about["isPrivkey"] == true {
            let key = kind.parse_private_key(encoded).expect("a key");
            assert_eq!(hex::encode(key.to_bytes()), payload);
            assert_eq!(key.compressed, about["isCompressed"] == true, "{encoded}");
            for other in KINDS {
                let is_same = NetworkKind::from(other.network()) == kind.network().into();
                assert_eq!(other.parse_private_key(encoded).is_ok(), is_same);
            }
            assert_eq!(key.to_wif(), encoded);
            assert!(kind.parse_address(encoded).is_err(), "{encoded}");
            keys += 1;
        } else {
            let address = kind.parse_address(encoded).expect("an address");
            assert_eq!(hex::encode(address.script_pubkey()), payload, "{encoded}");
            assert_eq!(address.to_string(), encoded);
            if about["tryCaseFlip"] == true {
                let flipped = encoded.to_uppercase();
                assert_eq!(
                    kind.parse_address(&flipped).as_ref(),
                    Ok(&address),
                    "{flipped}"
                );
            }
            assert!(kind.parse_private_key(encoded).is_err(), "{encoded}");
            addresses += 1;
        }
    }
    assert_eq!(addresses + keys, entries.len());
    println!(
        "key_io_valid: {addresses} addresses and {keys} keys of {} entries",
        entries.len()
    );
}

#[test]
fn invalid_addresses_and_keys_are_refused() {
    let Some(entries) = entries("key_io_invalid.json") else {
        return;
    };
    for entry in &entries {
        let encoded = text(&entry[0]);
        for kind in KINDS {
            let read = kind.parse_address(encoded);
            assert!(read.is_err(), "{encoded} is read as {read:?}");
            let read = kind.parse_private_key(encoded);
            assert!(read.is_err(), "{encoded} is read as a key");
        }
    }
    println!(
        "key_io_invalid: {} of {} entries",
        entries.len(),
        entries.len()
    );
}
