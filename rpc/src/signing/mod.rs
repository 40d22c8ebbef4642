//! Signing the inputs of transactions with given keys, and making of signatures what unlocks an output, as
//! Bitcoin Core's `ProduceSignature` does. All of it works on a PSBT, whose fields are what is known of an
//! input; a transaction is signed as one. Pure functions.
//!
//! `keyring` holds keys, `code` finds the script that signatures of an input are for, `sign` makes them,
//! `assemble` puts them in their order, `extract` gets them out of a partly signed transaction again.

mod assemble;
mod code;
mod extract;
mod keyring;
mod sign;

pub(crate) use assemble::{Missing, assemble, assemble_with_dummies, verify};
pub(crate) use extract::known_of_input;
pub(crate) use keyring::Keyring;
pub(crate) use sign::{HashType, sign_input};

use pyrite_consensus::bitcoin::{Amount, Psbt, ScriptBuf, TxOut};

/// The output that an input spends, where the PSBT knows it.
pub(crate) fn spent_output(psbt: &Psbt, index: usize) -> Option<&TxOut> {
    let input = psbt.inputs.get(index)?;
    if let Some(output) = &input.witness_utxo {
        return Some(output);
    }
    let outpoint = psbt.unsigned_tx.input.get(index)?.previous_output;
    let parent = input.non_witness_utxo.as_ref()?;
    let place = usize::try_from(outpoint.vout).ok()?;
    parent
        .output
        .get(place)
        .filter(|_| parent.compute_txid() == outpoint.txid)
}

/// The outputs that all inputs spend; an impossible one in the place of each that is not known.
pub(crate) fn spent_outputs(psbt: &Psbt) -> Vec<TxOut> {
    let unknown = || TxOut {
        value: Amount::MAX_MONEY,
        script_pubkey: ScriptBuf::new(),
    };
    (0..psbt.inputs.len())
        .map(|index| spent_output(psbt, index).cloned().unwrap_or_else(unknown))
        .collect()
}
