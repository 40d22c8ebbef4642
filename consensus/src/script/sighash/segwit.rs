//! The digest of witness version 0 (BIP-0143). What the inputs have in common is hashed once.

use std::cell::OnceCell;

use bitcoin::hashes::{Hash, HashEngine, sha256};

use super::digests::SpendingTransaction;
use super::hash_type::{HashType, SignedOutputs};
use super::write::{finish, outpoint_bytes, write_bytes, write_output};

/// The digest that a signature of `input` signs in witness version 0 (BIP-0143).
///
/// # Panics
/// When the transaction has no such input, or it was given no output that the input spends.
#[must_use]
pub fn segwit_v0_signature_hash(
    spending: &SpendingTransaction,
    input: usize,
    script_code: &[u8],
    hash_type: u32,
) -> [u8; 32] {
    let kind = HashType(hash_type);
    let midstate = segwit_v0_midstate(spending, input, script_code, kind, &OnceCell::new());
    finish(midstate, hash_type)
}

/// All that is hashed in front of the hash type. `single_output` keeps the double SHA-256 of the output
/// with the input's index, which may be long, for other signatures of the input.
pub(crate) fn segwit_v0_midstate(
    spending: &SpendingTransaction,
    input: usize,
    script_code: &[u8],
    hash_type: HashType,
    single_output: &OnceCell<[u8; 32]>,
) -> sha256::HashEngine {
    let transaction = spending.transaction();
    let signed = &transaction.input[input];
    let outputs = hash_type.outputs();
    let common = spending.common_digests();

    let mut engine = sha256::HashEngine::default();
    engine.input(&transaction.version.0.to_le_bytes());
    if hash_type.anyone_can_pay() {
        engine.input(&[0; 32]);
    } else {
        engine.input(&common.double_prevouts);
    }
    if hash_type.anyone_can_pay() || outputs != SignedOutputs::All {
        engine.input(&[0; 32]);
    } else {
        engine.input(&common.double_sequences);
    }
    engine.input(&outpoint_bytes(&signed.previous_output));
    write_bytes(&mut engine, script_code);
    let value = spending.spent_outputs()[input].value;
    engine.input(&value.to_sat().to_le_bytes());
    engine.input(&signed.sequence.0.to_le_bytes());
    match (outputs, transaction.output.get(input)) {
        (SignedOutputs::All, _) => engine.input(&common.double_outputs),
        (SignedOutputs::Single, Some(output)) => {
            engine.input(single_output.get_or_init(|| {
                let mut single = sha256::HashEngine::default();
                write_output(&mut single, output);
                let hash = sha256::Hash::from_engine(single);
                hash.hash_again().to_byte_array()
            }));
        }
        (SignedOutputs::Single, None) | (SignedOutputs::None, _) => engine.input(&[0; 32]),
    }
    engine.input(&transaction.lock_time.to_consensus_u32().to_le_bytes());
    engine
}
