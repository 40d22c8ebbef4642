//! Finalizing a PSBT's inputs, and taking the transaction out.

use pyrite_consensus::bitcoin::psbt::Input;
use pyrite_consensus::bitcoin::{Psbt, Script, ScriptBuf, Transaction, TxOut, Witness};

use crate::signing::{Spending, assemble, spent_output};

/// Whether an input says how it is unlocked.
pub(crate) fn is_signed(input: &Input) -> bool {
    let script = input.final_script_sig.as_ref();
    let witness = input.final_script_witness.as_ref();
    script.is_some_and(|script| !script.is_empty())
        || witness.is_some_and(|witness| !witness.is_empty())
}

/// Whether an input says how it is unlocked, and is right.
pub(crate) fn is_signed_and_verified(psbt: &Psbt, spending: &Spending, index: usize) -> bool {
    let input = &psbt.inputs[index];
    let (no_script, no_witness) = (ScriptBuf::new(), Witness::new());
    let script_sig = input.final_script_sig.as_ref().unwrap_or(&no_script);
    let witness = input.final_script_witness.as_ref().unwrap_or(&no_witness);
    is_signed(input) && spending.verify(index, script_sig, witness).is_ok()
}

/// The output that an input spends, if it is one that a witness unlocks.
pub(crate) fn witness_output(psbt: &Psbt, index: usize) -> Option<TxOut> {
    let output = spent_output(psbt, index)?;
    let redeem = psbt.inputs[index].redeem_script.as_deref();
    is_unlocked_by_witness(&output.script_pubkey, redeem).then(|| output.clone())
}

/// Whether a witness unlocks an output, as far as that can be told; `redeem` is the script behind its hash, where that is known.
pub(crate) fn is_unlocked_by_witness(output: &Script, redeem: Option<&Script>) -> bool {
    let is_witness = |script: &Script| script.is_p2wpkh() || script.is_p2wsh();
    let is_nested = |redeem: &Script| redeem.to_p2sh().as_script() == output && is_witness(redeem);
    is_witness(output) || output.is_p2tr() || redeem.is_some_and(is_nested)
}

/// Whether what is known of the output that an input spends may be signed: an output without its transaction is believed only
/// where signatures cover its amount.
pub(crate) fn may_be_signed(psbt: &Psbt, index: usize) -> bool {
    psbt.inputs[index].non_witness_utxo.is_some() || witness_output(psbt, index).is_some()
}

/// Finalizes an input whose signatures are complete; whether it is final now.
pub(crate) fn finalize_input(psbt: &mut Psbt, spending: &Spending, index: usize) -> bool {
    if is_signed_and_verified(psbt, spending, index) {
        return true;
    }
    if !may_be_signed(psbt, index) {
        return false;
    }
    let assembly = assemble(psbt, index);
    if !assembly.is_valid(spending, index) {
        return false;
    }
    let witness_output = witness_output(psbt, index);
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
