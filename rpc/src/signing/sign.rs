//! Making signatures.

use std::cell::OnceCell;

use pyrite_consensus::bitcoin::taproot::TapLeafHash;
use pyrite_consensus::bitcoin::{EcdsaSighashType, TapSighashType, ecdsa, psbt, taproot};

use super::code::{Code, Version, code};
use super::keyring::Keyring;
use super::spending::Spending;
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
pub(crate) fn sign_input(
    input: &mut psbt::Input,
    spending: &Spending,
    index: usize,
    keys: &Keyring,
    hash_type: HashType,
) {
    let Some(output) = spending.output(index) else {
        return;
    };
    // There is no such output to be covered.
    if hash_type.is_single() && index >= spending.transaction().output.len() {
        return;
    }
    match code(&output.script_pubkey, input) {
        Code::Script(version, script) => {
            let kind = hash_type.ecdsa();
            // It is the same for all keys, and long to make for a transaction of many inputs.
            let digest = OnceCell::new();
            for (private, public) in keys.named_in(&script) {
                let is_fit = version == Version::Legacy || public.compressed;
                if !is_fit || input.partial_sigs.contains_key(&public) {
                    continue;
                }
                let digest =
                    digest.get_or_init(|| spending.ecdsa_digest(index, version, &script, kind));
                let signature = ecdsa::Signature {
                    signature: keys.secp().sign_ecdsa_low_r(digest, &private.inner),
                    sighash_type: kind,
                };
                input.partial_sigs.insert(public, signature);
            }
        }
        Code::Taproot(key) => sign_taproot(input, spending, index, &key, keys, hash_type),
        Code::Unknown => {}
    }
}

fn sign_taproot(
    input: &mut psbt::Input,
    spending: &Spending,
    index: usize,
    output_key: &[u8; 32],
    keys: &Keyring,
    hash_type: HashType,
) {
    // Taproot's signatures cover what the other inputs spend.
    if !spending.knows_all() {
        return;
    }
    let kind = hash_type.taproot();
    let form = |signature| taproot::Signature {
        signature,
        sighash_type: kind,
    };
    if input.tap_key_sig.is_none() {
        input.tap_key_sig = keys
            .output_key(output_key, input.tap_internal_key, input.tap_merkle_root)
            .zip(spending.taproot_digest(index, None, kind))
            .map(|(pair, digest)| form(keys.secp().sign_schnorr_no_aux_rand(&digest, &pair)));
    }
    let mut signatures = Vec::new();
    for (script, leaf_version) in input.tap_scripts.values() {
        let signers = keys.named_in_leaf(script);
        if signers.is_empty() {
            continue;
        }
        let leaf = TapLeafHash::from_script(script, *leaf_version);
        let Some(digest) = spending.taproot_digest(index, Some(leaf), kind) else {
            continue;
        };
        for (pair, key) in signers {
            let signature = keys.secp().sign_schnorr_no_aux_rand(&digest, &pair);
            signatures.push(((key, leaf), form(signature)));
        }
    }
    for (place, signature) in signatures {
        input.tap_script_sigs.entry(place).or_insert(signature);
    }
}
