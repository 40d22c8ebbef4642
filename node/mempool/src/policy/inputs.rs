//! Standardness of what a transaction spends (Bitcoin Core's `AreInputsStandard` and
//! `IsWitnessStandard`): bounds on the work and the space that unlocking may take.

use std::borrow::Cow;

use pyrite_consensus::CoinView;
use pyrite_consensus::bitcoin::script::Instruction;
use pyrite_consensus::bitcoin::{Script, ScriptBuf, Transaction, TxIn, Witness};
use pyrite_consensus::script::taproot::{ANNEX_TAG, LEAF_VERSION_MASK, TAPSCRIPT_LEAF_VERSION};

use super::output_type::{OutputType, output_type, witness_program};
use crate::NonStandard;

/// The most sigops of a P2SH redeem script.
const MAX_P2SH_SIGOPS: usize = 15;

/// The most sigops outside of witnesses that a transaction may execute (BIP-0054).
const MAX_LEGACY_SIGOPS: usize = 2_500;

/// The longest witness script of a P2WSH input.
const MAX_WITNESS_SCRIPT_SIZE: usize = 3_600;

/// The most items below the witness script.
const MAX_WITNESS_SCRIPT_ITEMS: usize = 100;

/// The longest of these items, for P2WSH and tapscript.
const MAX_WITNESS_ITEM_SIZE: usize = 80;

/// Checks that every spent output is of a known form and takes few sigops. All coins are in `coins`.
pub(crate) fn check_inputs_standard(
    transaction: &Transaction,
    coins: &impl CoinView,
) -> Result<(), NonStandard> {
    let mut legacy_sigops: usize = 0;
    for input in &transaction.input {
        let script = spent_script(input, coins)?;
        let spent_sigops = match output_type(script) {
            OutputType::NonStandard | OutputType::WitnessUnknown => {
                return Err(NonStandard::Inputs);
            }
            OutputType::ScriptHash => {
                let redeem = last_push(&input.script_sig).ok_or(NonStandard::Inputs)?;
                let sigops = redeem.count_sigops();
                if sigops > MAX_P2SH_SIGOPS {
                    return Err(NonStandard::Inputs);
                }
                sigops
            }
            _ => script.count_sigops(),
        };
        legacy_sigops = legacy_sigops
            .saturating_add(spent_sigops)
            .saturating_add(input.script_sig.count_sigops());
    }
    if legacy_sigops > MAX_LEGACY_SIGOPS {
        return Err(NonStandard::Inputs);
    }
    Ok(())
}

/// Checks that every witness belongs to a witness program and is within the limits. All coins are in
/// `coins`.
pub(crate) fn check_witness_standard(
    transaction: &Transaction,
    coins: &impl CoinView,
) -> Result<(), NonStandard> {
    for input in transaction
        .input
        .iter()
        .filter(|input| !input.witness.is_empty())
    {
        let spent = spent_script(input, coins)?;
        let nested = spent.is_p2sh();
        let script: Cow<'_, Script> = if nested {
            Cow::Owned(last_push(&input.script_sig).ok_or(NonStandard::Witness)?)
        } else {
            Cow::Borrowed(spent)
        };
        let within = match (output_type(&script), witness_program(&script)) {
            // A witness that nothing commits to would only be ballast.
            (OutputType::Anchor, _) | (_, None) => false,
            (OutputType::WitnessScriptHash, _) => is_script_hash_witness_standard(&input.witness),
            (OutputType::Taproot, _) if !nested => is_taproot_witness_standard(&input.witness),
            _ => true,
        };
        if !within {
            return Err(NonStandard::Witness);
        }
    }
    Ok(())
}

fn is_script_hash_witness_standard(witness: &Witness) -> bool {
    let items = witness.len().saturating_sub(1);
    witness
        .last()
        .is_none_or(|script| script.len() <= MAX_WITNESS_SCRIPT_SIZE)
        && items <= MAX_WITNESS_SCRIPT_ITEMS
        && witness
            .iter()
            .take(items)
            .all(|item| item.len() <= MAX_WITNESS_ITEM_SIZE)
}

fn is_taproot_witness_standard(witness: &Witness) -> bool {
    let has_annex = witness.len() >= 2
        && witness
            .last()
            .and_then(|item| item.first())
            .is_some_and(|tag| *tag == ANNEX_TAG);
    if has_annex {
        return false;
    }
    if witness.len() < 2 {
        return true; // a key spend: one signature
    }
    let leaf = witness
        .last()
        .and_then(|control_block| control_block.first());
    match leaf {
        // An empty control block is invalid anyway.
        None => false,
        Some(leaf) if leaf & LEAF_VERSION_MASK == TAPSCRIPT_LEAF_VERSION => {
            let items = witness.len() - 2;
            witness
                .iter()
                .take(items)
                .all(|item| item.len() <= MAX_WITNESS_ITEM_SIZE)
        }
        Some(_) => true,
    }
}

fn spent_script<'a>(input: &TxIn, coins: &'a impl CoinView) -> Result<&'a Script, NonStandard> {
    coins
        .coin(&input.previous_output)
        .map(|coin| coin.output.script_pubkey.as_script())
        .ok_or(NonStandard::Inputs)
}

/// What a script of pushes leaves on top of the stack; `None` when it leaves nothing or fails.
fn last_push(script: &Script) -> Option<ScriptBuf> {
    let mut top = None;
    for instruction in script.instructions() {
        top = Some(match instruction.ok()? {
            Instruction::PushBytes(bytes) => ScriptBuf::from_bytes(bytes.as_bytes().to_vec()),
            Instruction::Op(op) => match op.to_u8() {
                0x4f => ScriptBuf::from_bytes(vec![0x81]), // OP_1NEGATE
                code @ 0x51..=0x60 => ScriptBuf::from_bytes(vec![code - 0x50]),
                _ => return None,
            },
        });
    }
    top
}
