//! What a partly signed transaction tells of an input (Bitcoin Core's `DataFromTransaction`).

use pyrite_consensus::bitcoin::script::Instruction;
use pyrite_consensus::bitcoin::secp256k1::{Secp256k1, Verification};
use pyrite_consensus::bitcoin::{PublicKey, Script, ScriptBuf, ecdsa, psbt};

use super::code::Version;
use super::spending::Spending;
use crate::json::{OutputKind, output_kind};

/// What an input of a transaction tells, of which the spent output is known: scripts, the signatures of a multisig, or all of
/// it when it is complete.
pub(crate) fn known_of_input<C: Verification>(
    spending: &Spending,
    index: usize,
    secp: &Secp256k1<C>,
) -> psbt::Input {
    let input = &spending.transaction().input[index];
    let Some(output) = spending.output(index) else {
        return psbt::Input::default();
    };
    let mut known = psbt::Input {
        witness_utxo: Some(output.clone()),
        ..psbt::Input::default()
    };
    if input.script_sig.is_empty() && input.witness.is_empty() {
        return known;
    }
    if spending
        .verify(index, &input.script_sig, &input.witness)
        .is_ok()
    {
        known.final_script_sig = Some(input.script_sig.clone());
        known.final_script_witness = Some(input.witness.clone());
        return known;
    }
    let mut stack = pushed(&input.script_sig);
    let mut script = output.script_pubkey.clone();
    let mut version = Version::Legacy;
    if script.is_p2sh() {
        let Some(redeem) = stack.pop().filter(|redeem| !redeem.is_empty()) else {
            return known;
        };
        script = ScriptBuf::from_bytes(redeem);
        known.redeem_script = Some(script.clone());
    }
    if script.is_p2wsh() {
        stack = input.witness.iter().map(<[u8]>::to_vec).collect();
        let Some(inner) = stack.pop().filter(|inner| !inner.is_empty()) else {
            return known;
        };
        script = ScriptBuf::from_bytes(inner);
        known.witness_script = Some(script.clone());
        version = Version::Witness;
    }
    let search = SignerSearch {
        spending,
        index,
        version,
        script: &script,
        secp,
    };
    known.partial_sigs.extend(search.signatures(&stack));
    known
}

/// Looks for who made the signatures of a multisig.
struct SignerSearch<'a, C: Verification> {
    spending: &'a Spending,
    index: usize,
    version: Version,
    script: &'a Script,
    secp: &'a Secp256k1<C>,
}

impl<C: Verification> SignerSearch<'_, C> {
    /// The signatures on a stack, each with the key that made it. Both are in the same order.
    fn signatures(&self, stack: &[Vec<u8>]) -> Vec<(PublicKey, ecdsa::Signature)> {
        let OutputKind::Multisig { keys, .. } = output_kind(self.script) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut next = 0;
        // One element more than there may be signatures, for `OP_CHECKMULTISIG` takes it.
        for signature in stack.iter().take(keys.len() + 1) {
            let Ok(signature) = ecdsa::Signature::from_slice(signature) else {
                continue;
            };
            let kind = signature.sighash_type;
            let digest = self
                .spending
                .ecdsa_digest(self.index, self.version, self.script, kind);
            let signer = keys[next..].iter().enumerate().find_map(|(place, key)| {
                let key = PublicKey::from_slice(key).ok()?;
                let is_signed = self
                    .secp
                    .verify_ecdsa(&digest, &signature.signature, &key.inner)
                    .is_ok();
                is_signed.then_some((place, key))
            });
            if let Some((place, key)) = signer {
                next += place;
                found.push((key, signature));
            }
        }
        found
    }
}

/// What an input script pushes; nothing if it does more than that.
fn pushed(script: &Script) -> Vec<Vec<u8>> {
    let elements: Option<Vec<_>> = script
        .instructions()
        .map(|instruction| match instruction {
            Ok(Instruction::PushBytes(bytes)) => Some(bytes.as_bytes().to_vec()),
            Ok(Instruction::Op(opcode)) => match opcode.to_u8() {
                0x4f => Some(vec![0x81]),
                number @ 0x51..=0x60 => Some(vec![number - 0x50]),
                _ => None,
            },
            Err(_) => None,
        })
        .collect();
    elements.unwrap_or_default()
}
