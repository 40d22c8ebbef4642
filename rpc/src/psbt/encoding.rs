//! Reading and writing PSBTs in base 64.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pyrite_consensus::bitcoin::Psbt;
use pyrite_consensus::bitcoin::psbt::raw::Key;

use super::form::{IN_MUSIG2, OUT_MUSIG2};
use super::keys_form::is_musig2;
use crate::call::{CallError, CallResult, code};

/// Reads a PSBT.
///
/// # Errors
/// Code −22 when it is none, or an input does not fit the transaction that it spends.
pub(crate) fn read_psbt(text: &str) -> CallResult<Psbt> {
    let failed = |detail: &str| {
        CallError::new(
            code::DESERIALIZATION_ERROR,
            format!("TX decode failed {detail}"),
        )
    };
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|_| failed("invalid base64"))?;
    let mut rest = bytes.as_slice();
    let psbt =
        Psbt::deserialize_from_reader(&mut rest).map_err(|error| failed(&error.to_string()))?;
    if !rest.is_empty() {
        return Err(failed("extra data after PSBT"));
    }
    for (spend, input) in psbt.unsigned_tx.input.iter().zip(&psbt.inputs) {
        let Some(parent) = &input.non_witness_utxo else {
            continue;
        };
        if parent.compute_txid() != spend.previous_output.txid {
            return Err(failed("Non-witness UTXO does not match outpoint hash"));
        }
        let place = usize::try_from(spend.previous_output.vout).ok();
        if place.is_none_or(|place| place >= parent.output.len()) {
            return Err(failed("Input specifies output index that does not exist"));
        }
    }
    if !musig2_is_valid(&psbt) {
        return Err(failed(
            "MuSig2 field of a wrong size, or with an invalid key",
        ));
    }
    Ok(psbt)
}

/// Whether the fields of BIP-0373, which the `bitcoin` crate does not know, are right.
fn musig2_is_valid(psbt: &Psbt) -> bool {
    let are_valid = |fields: &BTreeMap<Key, Vec<u8>>, types: &[u8]| {
        fields
            .iter()
            .filter(|(key, _)| types.contains(&key.type_value))
            .all(|(key, value)| is_musig2(key, value))
    };
    psbt.inputs
        .iter()
        .all(|input| are_valid(&input.unknown, &IN_MUSIG2))
        && psbt
            .outputs
            .iter()
            .all(|output| are_valid(&output.unknown, &OUT_MUSIG2))
}

/// Writes a PSBT.
pub(crate) fn write_psbt(psbt: &Psbt) -> String {
    BASE64_STANDARD.encode(psbt.serialize())
}
