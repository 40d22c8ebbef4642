//! The verdicts of Bitcoin Core's engine.

use bitcoinkernel::core::TxOutExt;
use bitcoinkernel::{
    KernelError, PrecomputedTransactionData, ScriptPubkey, ScriptVerifyError, Transaction, TxOut,
    verify,
};
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::script::ScriptFlags;

use crate::differential::spend::Case;

/// Whether it accepts a case under each set of flags.
///
/// # Panics
/// When it can't say, as for flags that it does not know.
pub(crate) fn verdicts(case: &Case, flag_sets: &[ScriptFlags]) -> Vec<bool> {
    let transaction =
        Transaction::new(&serialize(&case.transaction)).expect("a transaction is well-formed");
    let spent: Vec<_> = case
        .spent_outputs
        .iter()
        .map(|output| {
            let script = ScriptPubkey::new(output.script_pubkey.as_bytes());
            let script = script.expect("any bytes are a script");
            TxOut::new(
                &script,
                i64::try_from(output.value.to_sat()).expect("little money"),
            )
        })
        .collect();
    let data = PrecomputedTransactionData::new(&transaction, &spent)
        .expect("one spent output for each input");
    let own = &spent[case.input];
    flag_sets
        .iter()
        .map(|flags| {
            let verdict = verify(
                &own.script_pubkey(),
                Some(own.value()),
                &transaction,
                case.input,
                Some(flags.bits()),
                &data,
            );
            match verdict {
                Ok(()) => true,
                Err(KernelError::ScriptVerify(ScriptVerifyError::Invalid)) => false,
                Err(error) => panic!("the kernel can't work on a case: {error:?}"),
            }
        })
        .collect()
}
