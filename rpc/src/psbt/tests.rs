//! The test vectors of BIP-0174, BIP-0371 and BIP-0373, which `testdata/psbt.json` holds.

use std::str::FromStr;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, Network, OutPoint, PrivateKey, Psbt, ScriptBuf, Transaction, TxIn, TxOut, WPubkeyHash,
};
use serde_json::Value;

use super::*;
use crate::call::CallError;
use crate::scan::Solutions;
use crate::signing::{HashType, Keyring, Spending, sign_input, spent_output};

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
    sign_all(&mut psbt, &keys);
    psbt
}

fn sign_all(psbt: &mut Psbt, keys: &Keyring) {
    let spending = Spending::of_psbt(psbt);
    for (index, input) in psbt.inputs.iter_mut().enumerate() {
        sign_input(input, &spending, index, keys, HashType::Default);
    }
}

/// Finalizes each input; whether it is final now.
fn finalize_all(psbt: &mut Psbt) -> Vec<bool> {
    let spending = Spending::of_psbt(psbt);
    (0..psbt.inputs.len())
        .map(|index| finalize_input(psbt, &spending, index))
        .collect()
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
        sign_all(&mut psbt, &keys);
        assert!(finalize_all(&mut psbt).contains(&false), "{text}");
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
    assert!(finalize_all(&mut own).iter().all(|is_final| *is_final));

    let mut united = read_psbt(text("signed_by_first")).unwrap();
    unite(&mut united, read_psbt(text("signed_by_second")).unwrap()).unwrap();
    // The BIP's own has two signatures in another order.
    assert_eq!(united, read_psbt(text("combined")).unwrap());
    assert!(finalize_all(&mut united).iter().all(|is_final| *is_final));
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
            || Ok(()),
        )
        .unwrap()
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

/// A PSBT that spends a P2WPKH output of 5 satoshi, whose transaction it has.
fn with_parent() -> Psbt {
    let parent = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn::default()],
        output: vec![TxOut {
            value: Amount::from_sat(5),
            script_pubkey: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([7; 20])),
        }],
    };
    let spend = TxIn {
        previous_output: OutPoint::new(parent.compute_txid(), 0),
        ..TxIn::default()
    };
    let mut psbt = Psbt::from_unsigned_tx(Transaction {
        input: vec![spend],
        output: Vec::new(),
        ..parent.clone()
    })
    .unwrap();
    psbt.inputs[0].non_witness_utxo = Some(parent);
    psbt
}

#[test]
fn a_transaction_is_believed_over_what_is_said_of_its_output() {
    let mut psbt = with_parent();
    let parent = psbt.inputs[0].non_witness_utxo.clone().unwrap();
    psbt.inputs[0].witness_utxo = Some(TxOut {
        value: Amount::from_sat(5_000_000),
        script_pubkey: ScriptBuf::new(),
    });
    assert_eq!(spent_output(&psbt, 0), Some(&parent.output[0]));
    let form = psbt_json(&psbt, Network::Regtest).unwrap();
    assert_eq!(form["fee"].to_string(), "0.00000005");
    let knowledge = Knowledge::new(Solutions::default(), Origins::Shown);
    update_input(&mut psbt, 0, &knowledge);
    assert_eq!(
        psbt.inputs[0].witness_utxo.as_ref(),
        Some(&parent.output[0])
    );
}

#[test]
fn a_fee_may_be_negative_but_not_impossible() {
    let mut psbt = with_parent();
    let pays = |psbt: &mut Psbt, sat: &[u64]| {
        let output = |sat: &u64| TxOut {
            value: Amount::from_sat(*sat),
            script_pubkey: ScriptBuf::new(),
        };
        psbt.unsigned_tx.output = sat.iter().map(output).collect();
        psbt.outputs = vec![Default::default(); sat.len()];
        let form = psbt_json(psbt, Network::Regtest).unwrap();
        form.get("fee").map(ToString::to_string)
    };
    assert_eq!(pays(&mut psbt, &[7]).as_deref(), Some("-0.00000002"));
    let most = Amount::MAX_MONEY.to_sat();
    assert_eq!(
        pays(&mut psbt, &[most]).as_deref(),
        Some("-20999999.99999995")
    );
    assert_eq!(pays(&mut psbt, &[most, 1]), None);
    assert_eq!(pays(&mut psbt, &[u64::MAX]), None);
}

#[test]
fn what_was_signed_for_one_transaction_is_not_kept_for_another() {
    let vectors = vectors();
    let text = vectors["bip174"]["roles"]["combined"].as_str().unwrap();
    let signed = read_psbt(text).unwrap();
    assert!(
        signed
            .inputs
            .iter()
            .all(|input| !input.partial_sigs.is_empty())
    );
    let text = vectors["bip174"]["roles"]["finalized"].as_str().unwrap();
    let mut finalized = read_psbt(text).unwrap();
    for (number, spend) in (7..).zip(&mut finalized.unsigned_tx.input) {
        spend.previous_output.vout = number;
    }
    let joined = join(vec![signed.clone(), finalized]).unwrap();
    assert_eq!(joined.inputs.len(), 4);
    for input in &joined.inputs {
        assert!(input.partial_sigs.is_empty());
        assert_eq!(
            (&input.final_script_sig, &input.final_script_witness),
            (&None, &None)
        );
    }
    // What is known of the outputs that are spent is as true as before.
    for input in signed.inputs {
        let kept = joined.inputs.iter().find(|own| {
            own.witness_script == input.witness_script && own.redeem_script == input.redeem_script
        });
        assert_eq!(kept.unwrap().bip32_derivation, input.bip32_derivation);
    }
}

#[test]
fn an_analysis_ends_when_it_is_told_to() {
    let ended = || CallError::misc("the end");
    let analysis = analyze(&with_parent(), |_| false, || Err(ended()));
    assert_eq!(analysis, Err(ended()));
}
