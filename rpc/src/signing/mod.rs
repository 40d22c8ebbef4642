//! Signing the inputs of transactions with given keys, and making of signatures what unlocks an output, as
//! Bitcoin Core's `ProduceSignature` does. All of it works on a PSBT, whose fields are what is known of an
//! input; a transaction is signed as one. Pure functions.
//!
//! `keyring` holds keys, `code` finds the script that signatures of an input are for, `sign` makes them,
//! `assemble` puts them in their order, with `by_miniscript` for scripts that are none of the usual ones, `spending` is the
//! transaction with what it spends, `extract` gets them out of a partly signed transaction again.

mod assemble;
mod by_miniscript;
mod code;
mod extract;
mod keyring;
mod sign;
mod spending;

pub(crate) use assemble::{Missing, assemble, assemble_with_dummies};
pub(crate) use extract::known_of_input;
pub(crate) use keyring::Keyring;
pub(crate) use sign::{HashType, sign_input};
pub(crate) use spending::Spending;

use pyrite_consensus::bitcoin::{Psbt, TxOut};

/// The output that an input spends, where the PSBT knows it: from the transaction that has it, and only without that from what
/// is said of the output alone, which nobody has checked. That the transaction is the one that the input names was checked
/// when the PSBT was read.
pub(crate) fn spent_output(psbt: &Psbt, index: usize) -> Option<&TxOut> {
    let input = psbt.inputs.get(index)?;
    let Some(parent) = &input.non_witness_utxo else {
        return input.witness_utxo.as_ref();
    };
    let outpoint = psbt.unsigned_tx.input.get(index)?.previous_output;
    parent.output.get(usize::try_from(outpoint.vout).ok()?)
}
