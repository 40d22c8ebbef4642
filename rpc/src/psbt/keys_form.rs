//! Where a PSBT's keys come from, MuSig2's fields (BIP-0373), and fields that nobody knows.

use std::collections::BTreeMap;

use pyrite_consensus::bitcoin::bip32::{ChildNumber, DerivationPath, KeySource};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::psbt::raw::{Key, ProprietaryKey};
use pyrite_consensus::bitcoin::secp256k1::{PublicKey, XOnlyPublicKey};
use pyrite_consensus::bitcoin::taproot::TapLeafHash;
use serde_json::{Map, Value, json};

use super::form::IN_MUSIG2;

/// Bytes of a key that is not taproot's.
const KEY_BYTES: usize = 33;

/// A path from the master key, as Bitcoin Core writes it.
pub(super) fn path_text(path: &DerivationPath) -> String {
    let mut text = String::from("m");
    for step in path {
        text.push('/');
        text.push_str(&match step {
            ChildNumber::Normal { index } => index.to_string(),
            ChildNumber::Hardened { index } => format!("{index}h"),
        });
    }
    text
}

/// Where keys come from.
pub(super) fn bip32_json(derivations: &BTreeMap<PublicKey, KeySource>) -> Value {
    let forms = derivations.iter().map(|(key, (fingerprint, path))| {
        json!({
            "pubkey": key.to_string(),
            "master_fingerprint": fingerprint.to_string(),
            "path": path_text(path),
        })
    });
    forms.collect()
}

/// Where taproot's keys come from, and in which leaves they are.
pub(super) fn tap_bip32_json(
    origins: &BTreeMap<XOnlyPublicKey, (Vec<TapLeafHash>, KeySource)>,
) -> Value {
    let forms = origins.iter().map(|(key, (leaves, (fingerprint, path)))| {
        let leaves = leaves.iter().map(|leaf| hex::encode(leaf.as_byte_array()));
        json!({
            "pubkey": key.to_string(),
            "master_fingerprint": fingerprint.to_string(),
            "path": path_text(path),
            "leaf_hashes": leaves.collect::<Vec<_>>(),
        })
    });
    forms.collect()
}

/// Fields of others than Bitcoin.
pub(super) fn proprietary_json(fields: &BTreeMap<ProprietaryKey, Vec<u8>>) -> Value {
    let forms = fields.iter().map(|(key, value)| {
        let raw = key.to_key();
        json!({
            "identifier": hex::encode(&key.prefix),
            "subtype": key.subtype,
            "key": format!("{:02x}{}", raw.type_value, hex::encode(&raw.key)),
            "value": hex::encode(value),
        })
    });
    forms.collect()
}

/// Fields that nobody knows, but for those of the types that are shown elsewhere.
pub(super) fn unknown_json(fields: &BTreeMap<Key, Vec<u8>>, shown: &[u8]) -> Value {
    let forms = fields
        .iter()
        .filter(|(key, _)| !shown.contains(&key.type_value))
        .map(|(key, value)| {
            let name = format!("{:02x}{}", key.type_value, hex::encode(&key.key));
            (name, Value::from(hex::encode(value)))
        });
    Value::Object(forms.collect())
}

/// Whether a field of one of MuSig2's types has the lengths that BIP-0373 gives it, and valid keys.
pub(super) fn is_musig2(key: &Key, value: &[u8]) -> bool {
    let are_keys = |bytes: &[u8]| {
        bytes
            .chunks(KEY_BYTES)
            .all(|key| PublicKey::from_slice(key).is_ok() && key.len() == KEY_BYTES)
    };
    let are_signers =
        matches!(key.key.len(), 66 | 98) && key.key.get(..2 * KEY_BYTES).is_some_and(are_keys);
    match key.type_value {
        0x1b => are_signers && value.len() == 66,
        0x1c => are_signers && value.len() == 32,
        _ => key.key.len() == KEY_BYTES && are_keys(&key.key) && are_keys(value),
    }
}

/// The keys that make up MuSig2's aggregate keys.
pub(super) fn musig2_participants(
    form: &mut Map<String, Value>,
    fields: &BTreeMap<Key, Vec<u8>>,
    type_value: u8,
) {
    let forms: Vec<Value> = of_type(fields, type_value)
        .map(|(key, value)| {
            let participants = value.chunks(KEY_BYTES).map(hex::encode);
            json!({
                "aggregate_pubkey": hex::encode(&key.key),
                "participant_pubkeys": participants.collect::<Vec<_>>(),
            })
        })
        .collect();
    if !forms.is_empty() {
        form.insert("musig2_participant_pubkeys".into(), forms.into());
    }
}

/// MuSig2's fields of an input.
pub(super) fn musig2_input(form: &mut Map<String, Value>, fields: &BTreeMap<Key, Vec<u8>>) {
    let [participants, nonces, signatures] = IN_MUSIG2;
    musig2_participants(form, fields, participants);
    for (type_value, all, one) in [
        (nonces, "musig2_pubnonces", "pubnonce"),
        (signatures, "musig2_partial_sigs", "partial_sig"),
    ] {
        let forms: Vec<Value> = of_type(fields, type_value)
            .map(|(key, value)| {
                let (participant, rest) = key.key.split_at(KEY_BYTES);
                let (aggregate, leaf) = rest.split_at(KEY_BYTES);
                let mut form = json!({
                    "participant_pubkey": hex::encode(participant),
                    "aggregate_pubkey": hex::encode(aggregate),
                });
                if !leaf.is_empty() {
                    form["leaf_hash"] = hex::encode(leaf).into();
                }
                form[one] = hex::encode(value).into();
                form
            })
            .collect();
        if !forms.is_empty() {
            form.insert(all.into(), forms.into());
        }
    }
}

fn of_type(
    fields: &BTreeMap<Key, Vec<u8>>,
    type_value: u8,
) -> impl Iterator<Item = (&Key, &Vec<u8>)> {
    fields
        .iter()
        .filter(move |(key, _)| key.type_value == type_value)
}
