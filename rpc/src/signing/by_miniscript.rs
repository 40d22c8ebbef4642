//! What unlocks an output whose script is a miniscript, or a leaf of taproot. What comes out is not verified.

use std::collections::BTreeMap;

use pyrite_consensus::bitcoin::hashes::hash160;
use pyrite_consensus::bitcoin::key::XOnlyPublicKey;
use pyrite_consensus::bitcoin::taproot::LeafVersion;
use pyrite_consensus::bitcoin::{Psbt, PublicKey, Script, psbt};
use pyrite_wallet::miniscript::psbt::PsbtInputSatisfier;
use pyrite_wallet::miniscript::{
    BareCtx, ExtParams, Legacy, Miniscript, ScriptContext, Segwitv0, SigType, Tap, ToPublicKey,
};

/// Elements of an input script or of a witness.
type Elements = Vec<Vec<u8>>;

/// The elements of the input script and of the witness that unlock the output, if the signatures for it are there.
pub(super) fn by_miniscript(
    psbt: &Psbt,
    index: usize,
    output: &Script,
) -> Option<(Elements, Elements)> {
    let input = &psbt.inputs[index];
    // Without signatures there is nothing to do, and reading scripts takes its time.
    if input.partial_sigs.is_empty() && input.tap_script_sigs.is_empty() {
        return None;
    }
    if output.is_p2tr() {
        return Some((Vec::new(), leaf(psbt, index)?));
    }
    if output.is_p2wsh() {
        return Some((Vec::new(), witness_script(psbt, index, output)?));
    }
    if !output.is_p2sh() {
        return Some((satisfy::<BareCtx>(psbt, index, output)?, Vec::new()));
    }
    let redeem = input
        .redeem_script
        .as_ref()
        .filter(|redeem| redeem.to_p2sh().as_script() == output)?;
    if redeem.is_p2wsh() {
        let witness = witness_script(psbt, index, redeem)?;
        return Some((vec![redeem.to_bytes()], witness));
    }
    let mut script_sig = satisfy::<Legacy>(psbt, index, redeem)?;
    script_sig.push(redeem.to_bytes());
    Some((script_sig, Vec::new()))
}

/// What goes before the script behind a witness program, and it.
fn witness_script(psbt: &Psbt, index: usize, program: &Script) -> Option<Elements> {
    let script = psbt.inputs[index]
        .witness_script
        .as_ref()
        .filter(|script| script.to_p2wsh().as_script() == program)?;
    let mut witness = satisfy::<Segwitv0>(psbt, index, script)?;
    witness.push(script.to_bytes());
    Some(witness)
}

fn satisfy<Ctx: ScriptContext<Key = PublicKey>>(
    psbt: &Psbt,
    index: usize,
    script: &Script,
) -> Option<Elements> {
    Miniscript::<PublicKey, Ctx>::parse_with_ext(script, &ExtParams::allow_all())
        .ok()?
        .substitute_raw_pkh(&keys_by_hash(&psbt.inputs[index]))
        .satisfy(PsbtInputSatisfier::new(psbt, index))
        .ok()
}

/// The keys that are known of an input: a script may have their hashes alone.
fn keys_by_hash(input: &psbt::Input) -> BTreeMap<hash160::Hash, PublicKey> {
    let derived = input.bip32_derivation.keys().copied().map(PublicKey::new);
    let signers = input.partial_sigs.keys().copied();
    derived
        .chain(signers)
        .map(|key| (key.to_pubkeyhash(SigType::Ecdsa), key))
        .collect()
}

/// The shortest witness of a leaf.
fn leaf(psbt: &Psbt, index: usize) -> Option<Elements> {
    let input = &psbt.inputs[index];
    let origins = input.tap_key_origins.keys().copied();
    let signers = input.tap_script_sigs.keys().map(|(key, _)| *key);
    let keys: BTreeMap<hash160::Hash, XOnlyPublicKey> = origins
        .chain(signers)
        .map(|key| (key.to_pubkeyhash(SigType::Schnorr), key))
        .collect();
    let witnesses = input
        .tap_scripts
        .iter()
        .filter_map(|(block, (script, version))| {
            if *version != LeafVersion::TapScript {
                return None;
            }
            let mut witness =
                Miniscript::<XOnlyPublicKey, Tap>::parse_with_ext(script, &ExtParams::allow_all())
                    .ok()?
                    .substitute_raw_pkh(&keys)
                    .satisfy(PsbtInputSatisfier::new(psbt, index))
                    .ok()?;
            witness.push(script.to_bytes());
            witness.push(block.serialize());
            Some(witness)
        });
    witnesses.min_by_key(|witness| witness.iter().map(Vec::len).sum::<usize>())
}
