//! The digest of scripts without a witness: a copy of the transaction with one input script, hashed
//! without making the copy.

use bitcoin::hashes::{HashEngine, sha256};
use bitcoin::opcodes::all::OP_CODESEPARATOR;
use bitcoin::{Sequence, Transaction};

use super::super::instruction::Instructions;
use super::hash_type::{HashType, SignedOutputs};
use super::write::{finish, outpoint_bytes, write_compact_size, write_output};

/// What an input signs with SINGLE when there is no output with its index: the number one, by an old bug
/// that is a rule.
const ONE: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

/// The digest that a signature of `input` signs in a script without a witness (Bitcoin Core's
/// `SignatureHash`, version `BASE`); the bytes in the order in which they are signed.
///
/// `script_code` is the script from its last executed `OP_CODESEPARATOR` on, without the signature.
///
/// # Panics
/// When the transaction has no such input.
#[must_use]
pub fn legacy_signature_hash(
    transaction: &Transaction,
    input: usize,
    script_code: &[u8],
    hash_type: u32,
) -> [u8; 32] {
    assert!(input < transaction.input.len(), "there is such an input");
    if signs_one(transaction, input, HashType(hash_type)) {
        return ONE;
    }
    let midstate = legacy_midstate(transaction, input, script_code, HashType(hash_type));
    finish(midstate, hash_type)
}

/// Whether the digest is the number one.
pub(crate) fn signs_one(transaction: &Transaction, input: usize, hash_type: HashType) -> bool {
    hash_type.outputs() == SignedOutputs::Single && input >= transaction.output.len()
}

/// All that is hashed in front of the hash type, for a digest that is not the number one.
pub(crate) fn legacy_midstate(
    transaction: &Transaction,
    input: usize,
    script_code: &[u8],
    hash_type: HashType,
) -> sha256::HashEngine {
    let mut engine = sha256::HashEngine::default();
    engine.input(&transaction.version.0.to_le_bytes());
    write_inputs(&mut engine, transaction, input, script_code, hash_type);
    write_outputs(&mut engine, transaction, input, hash_type);
    engine.input(&transaction.lock_time.to_consensus_u32().to_le_bytes());
    engine
}

fn write_inputs(
    engine: &mut sha256::HashEngine,
    transaction: &Transaction,
    input: usize,
    script_code: &[u8],
    hash_type: HashType,
) {
    let signed = &transaction.input[input];
    let write_signed = |engine: &mut sha256::HashEngine| {
        engine.input(&outpoint_bytes(&signed.previous_output));
        write_script_code(engine, script_code);
        engine.input(&signed.sequence.0.to_le_bytes());
    };
    if hash_type.anyone_can_pay() {
        write_compact_size(engine, 1);
        write_signed(engine);
        return;
    }
    write_compact_size(engine, transaction.input.len());
    let signs_sequences = hash_type.outputs() == SignedOutputs::All;
    for (index, other) in transaction.input.iter().enumerate() {
        if index == input {
            write_signed(engine);
            continue;
        }
        let sequence = if signs_sequences {
            other.sequence
        } else {
            Sequence::ZERO
        };
        // Outpoint, empty script, sequence, in one piece.
        let mut bytes = [0; 41];
        bytes[..36].copy_from_slice(&outpoint_bytes(&other.previous_output));
        bytes[37..].copy_from_slice(&sequence.0.to_le_bytes());
        engine.input(&bytes);
    }
}

fn write_outputs(
    engine: &mut sha256::HashEngine,
    transaction: &Transaction,
    input: usize,
    hash_type: HashType,
) {
    match hash_type.outputs() {
        SignedOutputs::None => write_compact_size(engine, 0),
        SignedOutputs::Single => {
            write_compact_size(engine, input + 1);
            for _ in 0..input {
                // A value of -1 and an empty script.
                engine.input(&[0xff; 8]);
                engine.input(&[0]);
            }
            write_output(engine, &transaction.output[input]);
        }
        SignedOutputs::All => {
            write_compact_size(engine, transaction.output.len());
            for output in &transaction.output {
                write_output(engine, output);
            }
        }
    }
}

/// The script without its `OP_CODESEPARATOR`s. Of a push that is cut off only the header is written,
/// though its length counts: a script that comes to it fails, so nobody is to sign that.
fn write_script_code(engine: &mut sha256::HashEngine, script_code: &[u8]) {
    let is_separator = |opcode| opcode == OP_CODESEPARATOR;
    let separators = Instructions::new(script_code)
        .map_while(Result::ok)
        .filter(|instruction| is_separator(instruction.opcode))
        .count();
    write_compact_size(engine, script_code.len() - separators);

    let mut instructions = Instructions::new(script_code);
    let mut start = 0;
    while let Some(instruction) = instructions.next() {
        if instruction.is_ok_and(|instruction| is_separator(instruction.opcode)) {
            engine.input(&script_code[start..instructions.position() - 1]);
            start = instructions.position();
        }
    }
    engine.input(&script_code[start..instructions.position()]);
}
