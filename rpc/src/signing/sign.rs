//! Making signatures.

use std::borrow::Borrow;

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::secp256k1::{Message, XOnlyPublicKey};
use pyrite_consensus::bitcoin::sighash::{Prevouts, SighashCache};
use pyrite_consensus::bitcoin::taproot::TapLeafHash;
use pyrite_consensus::bitcoin::{
    Amount, EcdsaSighashType, Psbt, Script, TapSighashType, Transaction, TxOut, ecdsa, taproot,
};

use super::code::{Code, Version, code};
use super::keyring::Keyring;
use super::{spent_output, spent_outputs};
use crate::call::{CallError, CallResult};

/// What signatures are to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashType {
    /// Everything; in taproot's shorter form where there is one.
    Default,
    /// What this says.
    Of(EcdsaSighashType),
}

impl HashType {
    /// Reads its name.
    ///
    /// # Errors
    /// Code −8 when there is none of that name.
    pub(crate) fn read(name: Option<&str>) -> CallResult<Self> {
        Ok(match name {
            None | Some("DEFAULT") => Self::Default,
            Some("ALL") => Self::Of(EcdsaSighashType::All),
            Some("NONE") => Self::Of(EcdsaSighashType::None),
            Some("SINGLE") => Self::Of(EcdsaSighashType::Single),
            Some("ALL|ANYONECANPAY") => Self::Of(EcdsaSighashType::AllPlusAnyoneCanPay),
            Some("NONE|ANYONECANPAY") => Self::Of(EcdsaSighashType::NonePlusAnyoneCanPay),
            Some("SINGLE|ANYONECANPAY") => Self::Of(EcdsaSighashType::SinglePlusAnyoneCanPay),
            Some(other) => {
                return Err(CallError::invalid_parameter(format!(
                    "'{other}' is not a valid sighash parameter."
                )));
            }
        })
    }

    /// The hash type of that byte.
    pub(crate) fn from_u32(byte: u32) -> Option<Self> {
        match byte {
            0 => Some(Self::Default),
            byte => EcdsaSighashType::from_standard(byte).ok().map(Self::Of),
        }
    }

    /// Its byte.
    pub(crate) fn to_u32(self) -> u32 {
        match self {
            Self::Default => 0,
            Self::Of(kind) => kind.to_u32(),
        }
    }

    fn ecdsa(self) -> EcdsaSighashType {
        match self {
            Self::Default => EcdsaSighashType::All,
            Self::Of(kind) => kind,
        }
    }

    fn taproot(self) -> TapSighashType {
        match self {
            Self::Default => TapSighashType::Default,
            Self::Of(kind) => kind.into(),
        }
    }

    /// Whether it covers the output at the place of the input alone.
    fn is_single(self) -> bool {
        matches!(
            self.ecdsa(),
            EcdsaSighashType::Single | EcdsaSighashType::SinglePlusAnyoneCanPay
        )
    }
}

/// Adds the signatures that the keys can make for an input. What is not known of it is not signed.
pub(crate) fn sign_input(psbt: &mut Psbt, index: usize, keys: &Keyring, hash_type: HashType) {
    let Some(output) = spent_output(psbt, index).cloned() else {
        return;
    };
    // There is no such output to be covered.
    if hash_type.is_single() && index >= psbt.unsigned_tx.output.len() {
        return;
    }
    match code(&output.script_pubkey, &psbt.inputs[index]) {
        Code::Script(version, script) => {
            for (private, public) in keys.named_in(&script) {
                if version == Version::Witness && !public.compressed {
                    continue;
                }
                let kind = hash_type.ecdsa();
                let digest = ecdsa_digest(
                    &psbt.unsigned_tx,
                    index,
                    version,
                    &script,
                    output.value,
                    kind,
                );
                let Some(digest) = digest else { continue };
                let signature = ecdsa::Signature {
                    signature: keys.secp().sign_ecdsa_low_r(&digest, &private.inner),
                    sighash_type: kind,
                };
                psbt.inputs[index]
                    .partial_sigs
                    .entry(public)
                    .or_insert(signature);
            }
        }
        Code::Taproot(key) => sign_taproot(psbt, index, &key, keys, hash_type),
        Code::Unknown => {}
    }
}

fn sign_taproot(
    psbt: &mut Psbt,
    index: usize,
    output_key: &[u8],
    keys: &Keyring,
    hash_type: HashType,
) {
    // Taproot's signatures cover what the other inputs spend.
    if (0..psbt.inputs.len()).any(|other| spent_output(psbt, other).is_none()) {
        return;
    }
    let spent = spent_outputs(psbt);
    let kind = hash_type.taproot();
    let digest = |leaf| taproot_digest(&psbt.unsigned_tx, index, &spent, leaf, kind);
    let input = &psbt.inputs[index];
    let key_signature = keys
        .output_key(output_key, input.tap_merkle_root)
        .zip(digest(None))
        .map(|(pair, digest)| keys.secp().sign_schnorr_no_aux_rand(&digest, &pair));
    let mut leaf_signatures = Vec::new();
    for (script, leaf_version) in input.tap_scripts.values() {
        let leaf = TapLeafHash::from_script(script, *leaf_version);
        let Some(digest) = digest(Some(leaf)) else {
            continue;
        };
        for (pair, key) in keys.named_in_leaf(script) {
            let signature = keys.secp().sign_schnorr_no_aux_rand(&digest, &pair);
            leaf_signatures.push(((key, leaf), signature));
        }
    }
    let form = |signature| taproot::Signature {
        signature,
        sighash_type: kind,
    };
    let input = &mut psbt.inputs[index];
    if input.tap_key_sig.is_none() {
        input.tap_key_sig = key_signature.map(form);
    }
    let leaf_signatures: Vec<((XOnlyPublicKey, TapLeafHash), _)> = leaf_signatures;
    for (place, signature) in leaf_signatures {
        input
            .tap_script_sigs
            .entry(place)
            .or_insert_with(|| form(signature));
    }
}

/// What an ECDSA signature signs.
pub(super) fn ecdsa_digest(
    transaction: &Transaction,
    index: usize,
    version: Version,
    script: &Script,
    value: Amount,
    kind: EcdsaSighashType,
) -> Option<Message> {
    let mut cache = SighashCache::new(transaction);
    let digest = match version {
        Version::Legacy => cache
            .legacy_signature_hash(index, script, kind.to_u32())
            .ok()?
            .to_byte_array(),
        Version::Witness => cache
            .p2wsh_signature_hash(index, script, value, kind)
            .ok()?
            .to_byte_array(),
    };
    Some(Message::from_digest(digest))
}

/// What a Schnorr signature signs, for the output key or for a leaf.
fn taproot_digest<T: Borrow<TxOut>>(
    transaction: &Transaction,
    index: usize,
    spent: &[T],
    leaf: Option<TapLeafHash>,
    kind: TapSighashType,
) -> Option<Message> {
    let mut cache = SighashCache::new(transaction);
    let all = Prevouts::All(spent);
    let digest = match leaf {
        None => cache.taproot_key_spend_signature_hash(index, &all, kind),
        Some(leaf) => cache.taproot_script_spend_signature_hash(index, &all, leaf, kind),
    };
    Some(Message::from_digest(digest.ok()?.to_byte_array()))
}
