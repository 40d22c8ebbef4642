//! Finalizing a PSBT's inputs, and taking the transaction out.

use pyrite_consensus::bitcoin::psbt::Input;
use pyrite_consensus::bitcoin::{Psbt, Script, Transaction, TxOut};

use crate::signing::{assemble, spent_output, spent_outputs, verify};

/// Whether an input says how it is unlocked.
pub(crate) fn is_signed(input: &Input) -> bool {
    let script = input.final_script_sig.as_ref();
    let witness = input.final_script_witness.as_ref();
    script.is_some_and(|script| !script.is_empty())
        || witness.is_some_and(|witness| !witness.is_empty())
}

/// Whether an input says how it is unlocked, and is right.
pub(crate) fn is_signed_and_verified(psbt: &Psbt, index: usize) -> bool {
    let input = &psbt.inputs[index];
    if !is_signed(input) || spent_output(psbt, index).is_none() {
        return false;
    }
    let mut transaction = psbt.unsigned_tx.clone();
    put_in(&mut transaction, input, index);
    verify(&transaction, spent_outputs(psbt), index).is_ok()
}

/// The output that an input spends, if it is one that a witness unlocks.
pub(crate) fn witness_output(psbt: &Psbt, index: usize) -> Option<TxOut> {
    let output = spent_output(psbt, index)?;
    let is_witness = |script: &Script| script.is_p2wpkh() || script.is_p2wsh();
    let redeem = psbt.inputs[index].redeem_script.as_ref();
    let is_nested =
        output.script_pubkey.is_p2sh() && redeem.is_some_and(|redeem| is_witness(redeem));
    (is_witness(&output.script_pubkey) || output.script_pubkey.is_p2tr() || is_nested)
        .then(|| output.clone())
}

/// Finalizes an input whose signatures are complete; whether it is final now.
pub(crate) fn finalize_input(psbt: &mut Psbt, index: usize) -> bool {
    if is_signed_and_verified(psbt, index) {
        return true;
    }
    let witness_output = witness_output(psbt, index);
    // An output without its transaction is only believed where signatures cover its amount.
    if psbt.inputs[index].non_witness_utxo.is_none() && witness_output.is_none() {
        return false;
    }
    let assembly = assemble(psbt, index);
    if !assembly.is_valid(psbt, index) {
        return false;
    }
    let input = std::mem::take(&mut psbt.inputs[index]);
    psbt.inputs[index] = Input {
        witness_utxo: witness_output.or(input.witness_utxo),
        non_witness_utxo: input.non_witness_utxo,
        final_script_sig: Some(assembly.script_sig).filter(|script| !script.is_empty()),
        final_script_witness: Some(assembly.witness).filter(|witness| !witness.is_empty()),
        proprietary: input.proprietary,
        unknown: input.unknown,
        ..Input::default()
    };
    true
}

/// The transaction of a PSBT whose inputs are final.
pub(crate) fn extract(psbt: &Psbt) -> Transaction {
    let mut transaction = psbt.unsigned_tx.clone();
    for (index, input) in psbt.inputs.iter().enumerate() {
        put_in(&mut transaction, input, index);
    }
    transaction
}

fn put_in(transaction: &mut Transaction, input: &Input, index: usize) {
    let own = &mut transaction.input[index];
    own.script_sig = input.final_script_sig.clone().unwrap_or_default();
    own.witness = input.final_script_witness.clone().unwrap_or_default();
}
