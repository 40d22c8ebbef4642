//! Merging copies of a PSBT, and joining several into one.

use std::collections::BTreeMap;
use std::collections::HashSet;

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::psbt::{Input, Output};
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{Psbt, Transaction};
use rand::seq::SliceRandom;

use crate::call::{CallError, CallResult};

/// Adds what another copy knows. What both say stays as it was (Bitcoin Core's `Merge`).
///
/// # Errors
/// Code −8 when it is of another transaction.
pub(crate) fn unite(psbt: &mut Psbt, other: Psbt) -> CallResult<()> {
    if psbt.unsigned_tx.compute_txid() != other.unsigned_tx.compute_txid() {
        return Err(CallError::invalid_parameter(
            "PSBTs not compatible (different transactions)",
        ));
    }
    for (input, other) in psbt.inputs.iter_mut().zip(other.inputs) {
        unite_inputs(input, other);
    }
    for (output, other) in psbt.outputs.iter_mut().zip(other.outputs) {
        unite_outputs(output, other);
    }
    add(&mut psbt.xpub, other.xpub);
    add(&mut psbt.proprietary, other.proprietary);
    add(&mut psbt.unknown, other.unknown);
    Ok(())
}

/// Puts the inputs and the outputs of several PSBTs into one, in random order.
///
/// # Errors
/// Code −8 when two spend the same output.
pub(crate) fn join(psbts: Vec<Psbt>) -> CallResult<Psbt> {
    let mut spent = HashSet::new();
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    let mut version = Version(1);
    let mut lock_time = u32::MAX;
    let mut joined = Psbt::from_unsigned_tx(Transaction {
        version,
        lock_time: LockTime::ZERO,
        input: Vec::new(),
        output: Vec::new(),
    })
    .map_err(|error| CallError::misc(error.to_string()))?;
    for psbt in psbts {
        version = version.max(psbt.unsigned_tx.version);
        lock_time = lock_time.min(psbt.unsigned_tx.lock_time.to_consensus_u32());
        for (spend, input) in psbt.unsigned_tx.input.into_iter().zip(psbt.inputs) {
            let outpoint = spend.previous_output;
            if !spent.insert(outpoint) {
                return Err(CallError::invalid_parameter(format!(
                    "Input {}:{} exists in multiple PSBTs",
                    outpoint.txid, outpoint.vout
                )));
            }
            inputs.push((spend, without_signatures(input)));
        }
        outputs.extend(psbt.unsigned_tx.output.into_iter().zip(psbt.outputs));
        add(&mut joined.xpub, psbt.xpub);
        add(&mut joined.unknown, psbt.unknown);
    }
    // The order would tell who is behind which.
    let mut random = rand::thread_rng();
    inputs.shuffle(&mut random);
    outputs.shuffle(&mut random);
    joined.unsigned_tx.version = version;
    joined.unsigned_tx.lock_time = LockTime::from_consensus(lock_time);
    (joined.unsigned_tx.input, joined.inputs) = inputs.into_iter().unzip();
    (joined.unsigned_tx.output, joined.outputs) = outputs.into_iter().unzip();
    Ok(joined)
}

/// An input without what was signed for another transaction (Bitcoin Core's `AddInput`).
fn without_signatures(input: Input) -> Input {
    Input {
        partial_sigs: BTreeMap::new(),
        final_script_sig: None,
        final_script_witness: None,
        tap_key_sig: None,
        tap_script_sigs: BTreeMap::new(),
        ..input
    }
}

fn unite_inputs(input: &mut Input, other: Input) {
    fill(&mut input.non_witness_utxo, other.non_witness_utxo);
    fill(&mut input.witness_utxo, other.witness_utxo);
    fill(&mut input.sighash_type, other.sighash_type);
    fill(&mut input.redeem_script, other.redeem_script);
    fill(&mut input.witness_script, other.witness_script);
    fill(&mut input.final_script_sig, other.final_script_sig);
    fill(&mut input.final_script_witness, other.final_script_witness);
    fill(&mut input.tap_key_sig, other.tap_key_sig);
    fill(&mut input.tap_internal_key, other.tap_internal_key);
    fill(&mut input.tap_merkle_root, other.tap_merkle_root);
    add(&mut input.partial_sigs, other.partial_sigs);
    add(&mut input.bip32_derivation, other.bip32_derivation);
    add(&mut input.ripemd160_preimages, other.ripemd160_preimages);
    add(&mut input.sha256_preimages, other.sha256_preimages);
    add(&mut input.hash160_preimages, other.hash160_preimages);
    add(&mut input.hash256_preimages, other.hash256_preimages);
    add(&mut input.tap_script_sigs, other.tap_script_sigs);
    add(&mut input.tap_scripts, other.tap_scripts);
    add(&mut input.tap_key_origins, other.tap_key_origins);
    add(&mut input.proprietary, other.proprietary);
    add(&mut input.unknown, other.unknown);
}

fn unite_outputs(output: &mut Output, other: Output) {
    fill(&mut output.redeem_script, other.redeem_script);
    fill(&mut output.witness_script, other.witness_script);
    fill(&mut output.tap_internal_key, other.tap_internal_key);
    fill(&mut output.tap_tree, other.tap_tree);
    add(&mut output.bip32_derivation, other.bip32_derivation);
    add(&mut output.tap_key_origins, other.tap_key_origins);
    add(&mut output.proprietary, other.proprietary);
    add(&mut output.unknown, other.unknown);
}

fn fill<T>(field: &mut Option<T>, other: Option<T>) {
    if field.is_none() {
        *field = other;
    }
}

fn add<K: Ord, V>(fields: &mut BTreeMap<K, V>, other: BTreeMap<K, V>) {
    for (key, value) in other {
        fields.entry(key).or_insert(value);
    }
}
