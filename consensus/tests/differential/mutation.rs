//! Breaks spends in one place, or seems to.

use pyrite_consensus::bitcoin::{Amount, ScriptBuf, Sequence, TxOut, Witness, absolute};

use super::spend::Case;
use crate::random::Random;

fn byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(256)).expect("a byte")
}

/// Changes, adds or takes a byte: mostly some opcode becomes another.
pub(crate) fn mutate_script(script: &mut Vec<u8>, random: &mut Random) {
    let position = random.below(script.len() + 1);
    let opcode = byte(random);
    match random.below(4) {
        0 => script.insert(position, opcode),
        1 if position < script.len() => {
            script.remove(position);
        }
        2 => script.truncate(position),
        _ if position < script.len() => script[position] = opcode,
        _ => script.push(opcode),
    }
}

/// Changes bytes of no special meaning.
fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() || random.below(8) == 0 {
        bytes.push(byte(random));
    } else if random.below(8) == 0 {
        bytes.pop();
    } else {
        let position = random.below(bytes.len());
        bytes[position] ^= 1 << random.below(8);
    }
}

pub(crate) fn mutate(case: &mut Case, random: &mut Random) {
    if random.below(3) == 0 {
        return mutate_transaction(case, random);
    }
    let input = &mut case.transaction.input[case.input];
    let mut elements = input.witness.to_vec();
    match random.below(9) {
        8 => {
            // One push more in front, which may not matter.
            let mut script = input.script_sig.to_bytes();
            script.insert(0, 0x51);
            input.script_sig = ScriptBuf::from_bytes(script);
        }
        0 => {
            let mut script = input.script_sig.to_bytes();
            mutate_script(&mut script, random);
            input.script_sig = ScriptBuf::from_bytes(script);
        }
        1 => {
            let mut script = case.spent_outputs[case.input].script_pubkey.to_bytes();
            mutate_bytes(&mut script, random);
            case.spent_outputs[case.input].script_pubkey = ScriptBuf::from_bytes(script);
        }
        2 if !elements.is_empty() => {
            elements.remove(random.below(elements.len()));
        }
        3 => {
            let choices = [&[][..], &[1], &[0x50], &[0x50, 7], &[7; 520], &[7; 521]];
            let element = choices[random.below(choices.len())].to_vec();
            elements.insert(random.below(elements.len() + 1), element);
        }
        4 if elements.len() > 1 => {
            let last = elements.len() - 1;
            elements.swap(random.below(last), last);
        }
        _ if elements.is_empty() => {
            let mut script = input.script_sig.to_bytes();
            mutate_bytes(&mut script, random);
            input.script_sig = ScriptBuf::from_bytes(script);
        }
        _ => {
            let index = random.below(elements.len());
            mutate_bytes(&mut elements[index], random);
        }
    }
    let input = &mut case.transaction.input[case.input];
    input.witness = Witness::from_slice(&elements);
}

/// Changes something that a signature may or may not sign.
fn mutate_transaction(case: &mut Case, random: &mut Random) {
    let transaction = &mut case.transaction;
    let input = random.below(transaction.input.len());
    let outputs = transaction.output.len();
    match random.below(9) {
        0 => {
            let lock_time = transaction.lock_time.to_consensus_u32() ^ 1;
            transaction.lock_time = absolute::LockTime::from_consensus(lock_time);
        }
        1 => {
            let sequence = transaction.input[input].sequence.0;
            transaction.input[input].sequence = Sequence(sequence ^ (1 << random.below(32)));
        }
        2 => transaction.version.0 ^= 1,
        3 => transaction.input[input].previous_output.vout ^= 1,
        4 if outputs > 0 => {
            let output = &mut transaction.output[random.below(outputs)];
            output.value = Amount::from_sat(output.value.to_sat() ^ 1);
        }
        5 if outputs > 0 => {
            transaction.output.pop();
        }
        6 => transaction.output.push(TxOut {
            value: Amount::from_sat(5),
            script_pubkey: ScriptBuf::new(),
        }),
        7 => {
            let script = &mut case.spent_outputs[input].script_pubkey;
            let mut bytes = script.to_bytes();
            mutate_bytes(&mut bytes, random);
            *script = ScriptBuf::from_bytes(bytes);
        }
        _ => {
            let value = &mut case.spent_outputs[input].value;
            *value = Amount::from_sat(value.to_sat() ^ 1);
        }
    }
}
