//! The test vectors of BIP-0174, BIP-0371 and BIP-0373, which `testdata/psbt.json` holds.

use std::str::FromStr;

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{Network, PrivateKey, Psbt};
use serde_json::Value;

use super::*;
use crate::signing::{HashType, Keyring, sign_input};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../testdata/psbt.json")).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    let texts = value.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap()).collect()
}

fn keyring(keys: &Value) -> Keyring {
    let keys = texts(keys);
    Keyring::new(keys.iter().map(|key| PrivateKey::from_str(key).unwrap()))
}

/// A PSBT of the vectors, signed with these keys.
fn signed(text: &Value, keys: &Value) -> Psbt {
    let mut psbt = read_psbt(text.as_str().unwrap()).unwrap();
    let keys = keyring(keys);
    for index in 0..psbt.inputs.len() {
        sign_input(&mut psbt, index, &keys, HashType::Default);
    }
    psbt
}

#[test]
fn invalid_psbts_are_refused() {
    let vectors = vectors();
    for bip in ["bip174", "bip371", "bip373"] {
        let invalid = texts(&vectors[bip]["invalid"]);
        assert!(!invalid.is_empty());
        for text in invalid {
            let refusal = read_psbt(text).unwrap_err();
            assert_eq!(refusal.code, -22, "{bip}: {text}");
            assert!(refusal.message.starts_with("TX decode failed "));
        }
    }
}

#[test]
fn valid_psbts_are_read_written_and_shown() {
    let vectors = vectors();
    for bip in ["bip174", "bip371", "bip373"] {
        let valid = texts(&vectors[bip]["valid"]);
        assert!(!valid.is_empty());
        for text in valid {
            let psbt = read_psbt(text).unwrap();
            let again = read_psbt(&write_psbt(&psbt)).unwrap();
            assert_eq!(again, psbt, "{bip}: {text}");
            let form = psbt_json(&psbt, Network::Regtest).unwrap();
            assert_eq!(
                form["inputs"].as_array().unwrap().len(),
                psbt.unsigned_tx.input.len()
            );
            assert_eq!(form["psbt_version"], 0);
        }
    }
}

#[test]
fn musig2s_fields_are_shown_by_their_names() {
    let vectors = vectors();
    let mut seen = [0; 3];
    for text in texts(&vectors["bip373"]["valid"]) {
        let form = psbt_json(&read_psbt(text).unwrap(), Network::Regtest).unwrap();
        for input in form["inputs"].as_array().unwrap() {
            for (count, name) in seen.iter_mut().zip([
                "musig2_participant_pubkeys",
                "musig2_pubnonces",
                "musig2_partial_sigs",
            ]) {
                *count += usize::from(input.get(name).is_some());
            }
            assert!(input.get("unknown").is_none(), "{input}");
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn what_does_not_fit_is_not_signed() {
    let vectors = vectors();
    let roles = &vectors["bip174"]["roles"];
    // The first tells only the output of an input that no witness unlocks: that it is refused shows when it is finalized.
    for text in &texts(&vectors["bip174"]["unsignable"])[1..] {
        let text = Value::from(*text);
        let both = [&roles["first_keys"], &roles["second_keys"]];
        let mut psbt = signed(&text, both[0]);
        let keys = keyring(both[1]);
        for index in 0..psbt.inputs.len() {
            sign_input(&mut psbt, index, &keys, HashType::Default);
        }
        let finals = (0..psbt.inputs.len()).map(|index| finalize_input(&mut psbt, index));
        assert!(finals.collect::<Vec<_>>().contains(&false), "{text}");
    }
}

#[test]
fn the_roles_make_what_bip_0174_says() {
    let vectors = vectors();
    let roles = &vectors["bip174"]["roles"];
    let text = |name: &str| roles[name].as_str().unwrap();
    // Bitcoin Core's signatures are shorter than the BIP's, so what is compared is who signed.
    for (name, keys) in [
        ("signed_by_first", "first_keys"),
        ("signed_by_second", "second_keys"),
    ] {
        let own = signed(&roles["with_sighash"], &roles[keys]);
        let expected = read_psbt(text(name)).unwrap();
        for (own, expected) in own.inputs.iter().zip(&expected.inputs) {
            assert!(own.partial_sigs.keys().eq(expected.partial_sigs.keys()));
            assert!(!own.partial_sigs.is_empty());
        }
    }
    let mut own = signed(&roles["with_sighash"], &roles["first_keys"]);
    unite(
        &mut own,
        signed(&roles["with_sighash"], &roles["second_keys"]),
    )
    .unwrap();
    for index in 0..own.inputs.len() {
        assert!(finalize_input(&mut own, index));
    }

    let mut united = read_psbt(text("signed_by_first")).unwrap();
    unite(&mut united, read_psbt(text("signed_by_second")).unwrap()).unwrap();
    // The BIP's own has two signatures in another order.
    assert_eq!(united, read_psbt(text("combined")).unwrap());
    for index in 0..united.inputs.len() {
        assert!(finalize_input(&mut united, index));
    }
    let expected = read_psbt(text("finalized")).unwrap();
    for (own, expected) in united.inputs.iter().zip(&expected.inputs) {
        assert_eq!(own.final_script_sig, expected.final_script_sig);
        assert_eq!(own.final_script_witness, expected.final_script_witness);
        assert!(own.partial_sigs.is_empty());
    }
    assert_eq!(serialize_hex(&extract(&united)), text("transaction"));
}

#[test]
fn copies_keep_what_nobody_knows() {
    let vectors = vectors();
    let roles = &vectors["bip174"]["roles"];
    let text = |name: &str| roles[name].as_str().unwrap();
    let mut united = read_psbt(text("unknown_first")).unwrap();
    unite(&mut united, read_psbt(text("unknown_second")).unwrap()).unwrap();
    assert_eq!(write_psbt(&united), text("unknown_combined"));
}

#[test]
fn what_is_missing_is_told() {
    let vectors = vectors();
    let roles = &vectors["bip174"]["roles"];
    let analysis = |name: &str| {
        analyze(
            &read_psbt(roles[name].as_str().unwrap()).unwrap(),
            |script| script.is_op_return(),
        )
    };
    let created = analysis("created");
    assert_eq!(created["next"], "updater");
    assert_eq!(created["inputs"][0]["has_utxo"], false);
    let updated = analysis("updated");
    assert_eq!(updated["next"], "signer", "{updated}");
    assert_eq!(
        updated["inputs"][0]["missing"]["signatures"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(updated["fee"].to_string(), "0.00010000");
    assert_eq!(analysis("combined")["next"], "finalizer");
    let finalized = analysis("finalized");
    assert_eq!(finalized["next"], "extractor");
    assert_eq!(finalized["inputs"][0]["is_final"], true);
    let size = finalized["estimated_vsize"].as_u64().unwrap();
    assert!(updated["estimated_vsize"].as_u64().unwrap().abs_diff(size) <= 4);
}
