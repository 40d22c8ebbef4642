//! A PSBT as `decodepsbt` shows it.

use std::collections::{BTreeMap, BTreeSet};

use pyrite_consensus::bitcoin::hashes::{Hash, hash160};
use pyrite_consensus::bitcoin::psbt::{Input, Output};
use pyrite_consensus::bitcoin::{Amount, Network, Psbt, Script, SignedAmount};
use serde_json::{Map, Value, json};

use super::keys_form::{
    bip32_json, musig2_input, musig2_participants, path_text, proprietary_json, tap_bip32_json,
    unknown_json,
};
use crate::call::CallResult;
use crate::json::{
    Btc, SignatureHashes, TransactionView, asm, output_kind, script_pub_key_json, transaction_json,
};
use crate::signing::spent_output;

/// Key types of BIP-0373 among those that the `bitcoin` crate does not know.
pub(super) const IN_MUSIG2: [u8; 3] = [0x1a, 0x1b, 0x1c];
pub(super) const OUT_MUSIG2: [u8; 1] = [0x08];

/// The form of a PSBT.
pub(crate) fn psbt_json(psbt: &Psbt, network: Network) -> CallResult<Value> {
    let view = TransactionView::default();
    let mut form = Map::new();
    form.insert(
        "tx".into(),
        transaction_json(&psbt.unsigned_tx, network, view),
    );
    let xpubs = psbt.xpub.iter().map(|(xpub, (fingerprint, path))| {
        json!({
            "xpub": xpub.to_string(),
            "master_fingerprint": fingerprint.to_string(),
            "path": path_text(path),
        })
    });
    form.insert("global_xpubs".into(), xpubs.collect());
    form.insert("psbt_version".into(), psbt.version.into());
    form.insert("proprietary".into(), proprietary_json(&psbt.proprietary));
    form.insert("unknown".into(), unknown_json(&psbt.unknown, &[]));
    let inputs: CallResult<Vec<Value>> = psbt
        .inputs
        .iter()
        .map(|input| input_json(input, network))
        .collect();
    form.insert("inputs".into(), inputs?.into());
    let outputs = psbt.outputs.iter().map(output_json);
    form.insert("outputs".into(), outputs.collect());
    if let Some(fee) = fee(psbt) {
        form.insert("fee".into(), Btc::from(fee).value());
    }
    Ok(form.into())
}

/// What the inputs have more than the outputs, which may be less than nothing, if all of them are known and possible.
fn fee(psbt: &Psbt) -> Option<SignedAmount> {
    let add = |sum: Amount, more: Amount| {
        sum.checked_add(more)
            .filter(|sum| *sum <= Amount::MAX_MONEY)
    };
    let mut inputs = (0..psbt.inputs.len()).map(|index| spent_output(psbt, index));
    let all = inputs.try_fold(Amount::ZERO, |sum, output| add(sum, output?.value))?;
    let mut outputs = psbt.unsigned_tx.output.iter();
    let paid = outputs.try_fold(Amount::ZERO, |sum, output| add(sum, output.value))?;
    Some(all.to_signed().ok()? - paid.to_signed().ok()?)
}

fn input_json(input: &Input, network: Network) -> CallResult<Value> {
    let mut form = Map::new();
    if let Some(output) = &input.witness_utxo {
        let utxo = json!({
            "amount": Btc::from(output.value),
            "scriptPubKey": script_pub_key_json(&output.script_pubkey, network),
        });
        form.insert("witness_utxo".into(), utxo);
    }
    if let Some(parent) = &input.non_witness_utxo {
        let view = TransactionView::default();
        let parent = transaction_json(parent, network, view);
        form.insert("non_witness_utxo".into(), parent);
    }
    if !input.partial_sigs.is_empty() {
        form.insert("partial_signatures".into(), partial_signatures(input));
    }
    if let Some(kind) = input.sighash_type {
        form.insert("sighash".into(), sighash_name(kind.to_u32()).into());
    }
    scripts_json(
        &mut form,
        input.redeem_script.as_deref(),
        input.witness_script.as_deref(),
    );
    if !input.bip32_derivation.is_empty() {
        form.insert("bip32_derivs".into(), bip32_json(&input.bip32_derivation));
    }
    if let Some(script) = input
        .final_script_sig
        .as_ref()
        .filter(|script| !script.is_empty())
    {
        let script = json!({
            "asm": asm(script, SignatureHashes::AsData),
            "hex": hex::encode(script.as_bytes()),
        });
        form.insert("final_scriptSig".into(), script);
    }
    if let Some(witness) = input
        .final_script_witness
        .as_ref()
        .filter(|witness| !witness.is_empty())
    {
        let elements = witness.iter().map(hex::encode);
        form.insert("final_scriptwitness".into(), elements.collect());
    }
    preimages_json(&mut form, input);
    taproot_json(&mut form, input);
    musig2_input(&mut form, &input.unknown);
    if !input.proprietary.is_empty() {
        form.insert("proprietary".into(), proprietary_json(&input.proprietary));
    }
    let unknown = unknown_json(&input.unknown, &IN_MUSIG2);
    if unknown
        .as_object()
        .is_some_and(|unknown| !unknown.is_empty())
    {
        form.insert("unknown".into(), unknown);
    }
    Ok(form.into())
}

/// The signatures, in the order of their keys' hashes.
fn partial_signatures(input: &Input) -> Value {
    let by_hash: BTreeMap<[u8; 20], (String, String)> = input
        .partial_sigs
        .iter()
        .map(|(key, signature)| {
            let hash = hash160::Hash::hash(&key.to_bytes()).to_byte_array();
            (hash, (key.to_string(), hex::encode(signature.to_vec())))
        })
        .collect();
    let forms = by_hash
        .into_values()
        .map(|(key, signature)| (key, Value::from(signature)));
    Value::Object(forms.collect())
}

fn scripts_json(form: &mut Map<String, Value>, redeem: Option<&Script>, witness: Option<&Script>) {
    let shown = |script: &Script| {
        json!({
            "asm": asm(script, SignatureHashes::AsData),
            "hex": hex::encode(script.as_bytes()),
            "type": output_kind(script).name(),
        })
    };
    for (name, script) in [("redeem_script", redeem), ("witness_script", witness)] {
        if let Some(script) = script {
            form.insert(name.into(), shown(script));
        }
    }
}

fn preimages_json(form: &mut Map<String, Value>, input: &Input) {
    fn all<H: AsRef<[u8]>>(preimages: &BTreeMap<H, Vec<u8>>) -> Map<String, Value> {
        preimages
            .iter()
            .map(|(hash, preimage)| (hex::encode(hash.as_ref()), hex::encode(preimage).into()))
            .collect()
    }
    for (name, preimages) in [
        ("ripemd160_preimages", all(&input.ripemd160_preimages)),
        ("sha256_preimages", all(&input.sha256_preimages)),
        ("hash160_preimages", all(&input.hash160_preimages)),
        ("hash256_preimages", all(&input.hash256_preimages)),
    ] {
        if !preimages.is_empty() {
            form.insert(name.into(), preimages.into());
        }
    }
}

fn taproot_json(form: &mut Map<String, Value>, input: &Input) {
    if let Some(signature) = &input.tap_key_sig {
        let signature = hex::encode(signature.to_vec());
        form.insert("taproot_key_path_sig".into(), signature.into());
    }
    if !input.tap_script_sigs.is_empty() {
        let signatures = input
            .tap_script_sigs
            .iter()
            .map(|((key, leaf), signature)| {
                json!({
                    "pubkey": key.to_string(),
                    "leaf_hash": hex::encode(leaf.as_byte_array()),
                    "sig": hex::encode(signature.to_vec()),
                })
            });
        form.insert("taproot_script_path_sigs".into(), signatures.collect());
    }
    if !input.tap_scripts.is_empty() {
        form.insert("taproot_scripts".into(), tap_scripts_json(input));
    }
    if !input.tap_key_origins.is_empty() {
        let origins = tap_bip32_json(&input.tap_key_origins);
        form.insert("taproot_bip32_derivs".into(), origins);
    }
    if let Some(key) = &input.tap_internal_key {
        form.insert("taproot_internal_key".into(), key.to_string().into());
    }
    if let Some(root) = &input.tap_merkle_root {
        let root = hex::encode(root.as_byte_array());
        form.insert("taproot_merkle_root".into(), root.into());
    }
}

/// Control blocks, each behind its length.
type ControlBlocks = BTreeSet<(usize, Vec<u8>)>;

/// The leaves, each with its control blocks, the shortest first.
fn tap_scripts_json(input: &Input) -> Value {
    let mut leaves: BTreeMap<(&[u8], u8), ControlBlocks> = BTreeMap::new();
    for (block, (script, version)) in &input.tap_scripts {
        let block = block.serialize();
        leaves
            .entry((script.as_bytes(), version.to_consensus()))
            .or_default()
            .insert((block.len(), block));
    }
    let forms = leaves.into_iter().map(|((script, version), blocks)| {
        let blocks = blocks.into_iter().map(|(_, block)| hex::encode(block));
        json!({
            "script": hex::encode(script),
            "leaf_ver": version,
            "control_blocks": blocks.collect::<Vec<_>>(),
        })
    });
    forms.collect()
}

fn output_json(output: &Output) -> Value {
    let mut form = Map::new();
    scripts_json(
        &mut form,
        output.redeem_script.as_deref(),
        output.witness_script.as_deref(),
    );
    if !output.bip32_derivation.is_empty() {
        form.insert("bip32_derivs".into(), bip32_json(&output.bip32_derivation));
    }
    if let Some(key) = &output.tap_internal_key {
        form.insert("taproot_internal_key".into(), key.to_string().into());
    }
    if let Some(tree) = &output.tap_tree {
        let leaves = tree.script_leaves().map(|leaf| {
            json!({
                "depth": leaf.merkle_branch().len(),
                "leaf_ver": leaf.version().to_consensus(),
                "script": hex::encode(leaf.script().as_bytes()),
            })
        });
        form.insert("taproot_tree".into(), leaves.collect());
    }
    if !output.tap_key_origins.is_empty() {
        let origins = tap_bip32_json(&output.tap_key_origins);
        form.insert("taproot_bip32_derivs".into(), origins);
    }
    musig2_participants(&mut form, &output.unknown, OUT_MUSIG2[0]);
    if !output.proprietary.is_empty() {
        form.insert("proprietary".into(), proprietary_json(&output.proprietary));
    }
    let unknown = unknown_json(&output.unknown, &OUT_MUSIG2);
    if unknown
        .as_object()
        .is_some_and(|unknown| !unknown.is_empty())
    {
        form.insert("unknown".into(), unknown);
    }
    form.into()
}

/// Bitcoin Core's name of a hash type; nothing for one without a name.
fn sighash_name(kind: u32) -> &'static str {
    match kind {
        0x01 => "ALL",
        0x02 => "NONE",
        0x03 => "SINGLE",
        0x81 => "ALL|ANYONECANPAY",
        0x82 => "NONE|ANYONECANPAY",
        0x83 => "SINGLE|ANYONECANPAY",
        _ => "",
    }
}
