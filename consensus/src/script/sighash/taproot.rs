//! The digest of taproot's key path and of tapscript (BIP-0341, BIP-0342).

use std::cell::OnceCell;

use bitcoin::hashes::sha256t::Tag;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::sighash::TapSighashTag;

use super::digests::SpendingTransaction;
use super::write::{outpoint_bytes, sha256, write_bytes, write_output};

const EPOCH: u8 = 0;
/// The version of the keys that tapscript knows.
const KEY_VERSION: u8 = 0;

const DEFAULT: u8 = 0;
const ALL: u8 = 1;
const SINGLE: u8 = 3;
const OUTPUT_BITS: u8 = 3;
const ANYONE_CAN_PAY: u8 = 0x80;

/// What a taproot signature signs beside the transaction.
#[derive(Clone, Debug, Default)]
pub struct TaprootContext {
    /// SHA-256 of the annex with its length in front, where there is one.
    pub annex_hash: Option<[u8; 32]>,
    /// The script; none on the key path.
    pub leaf: Option<LeafContext>,
    /// SHA-256 of the output with the input's index, once a signature has asked for it, because a
    /// script may hold many that do.
    single_output: OnceCell<[u8; 32]>,
}

impl TaprootContext {
    /// The context of an input with this annex and, on the script path, this script.
    #[must_use]
    pub fn new(annex_hash: Option<[u8; 32]>, leaf: Option<LeafContext>) -> Self {
        Self {
            annex_hash,
            leaf,
            single_output: OnceCell::new(),
        }
    }
}

/// The tapscript that is executed.
#[derive(Clone, Copy, Debug)]
pub struct LeafContext {
    /// The leaf's hash.
    pub hash: [u8; 32],
    /// The index, in instructions, of the last executed `OP_CODESEPARATOR`; `u32::MAX` when there is none.
    pub code_separator: u32,
}

/// A hash type that BIP-0341 does not define, or SINGLE without an output of the input's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature's hash type is undefined or its output is missing")]
pub struct UndefinedHashType;

/// The digest that a Schnorr signature of `input` signs (BIP-0341); hash type 0 is the default, where the
/// signature has no byte for it.
///
/// # Errors
/// The hash type is undefined, or asks for an output that is missing.
///
/// # Panics
/// When the transaction has no such input, or it was given no output that the input spends.
pub fn taproot_signature_hash(
    spending: &SpendingTransaction,
    input: usize,
    hash_type: u8,
    context: &TaprootContext,
) -> Result<[u8; 32], UndefinedHashType> {
    if !matches!(hash_type, 0..=3 | 0x81..=0x83) {
        return Err(UndefinedHashType);
    }
    let outputs = if hash_type == DEFAULT {
        ALL
    } else {
        hash_type & OUTPUT_BITS
    };
    let transaction = spending.transaction();

    let mut engine = TapSighashTag::engine();
    engine.input(&[EPOCH, hash_type]);
    engine.input(&transaction.version.0.to_le_bytes());
    engine.input(&transaction.lock_time.to_consensus_u32().to_le_bytes());
    if !anyone_can_pay(hash_type) {
        let (common, spent) = (spending.common_digests(), spending.taproot_digests());
        engine.input(&common.prevouts);
        engine.input(&spent.amounts);
        engine.input(&spent.scripts);
        engine.input(&common.sequences);
    }
    if outputs == ALL {
        engine.input(&spending.common_digests().outputs);
    }
    write_input(&mut engine, spending, input, hash_type, context);
    if outputs == SINGLE {
        let output = transaction.output.get(input).ok_or(UndefinedHashType)?;
        let hash = context
            .single_output
            .get_or_init(|| sha256(|engine| write_output(engine, output)));
        engine.input(hash);
    }
    if let Some(leaf) = &context.leaf {
        engine.input(&leaf.hash);
        engine.input(&[KEY_VERSION]);
        engine.input(&leaf.code_separator.to_le_bytes());
    }
    Ok(sha256::Hash::from_engine(engine).to_byte_array())
}

fn anyone_can_pay(hash_type: u8) -> bool {
    hash_type & ANYONE_CAN_PAY != 0
}

/// The input that signs, in full where the others are not signed.
fn write_input(
    engine: &mut sha256::HashEngine,
    spending: &SpendingTransaction,
    input: usize,
    hash_type: u8,
    context: &TaprootContext,
) {
    let script_path = u8::from(context.leaf.is_some());
    let annex = u8::from(context.annex_hash.is_some());
    engine.input(&[script_path << 1 | annex]);
    if anyone_can_pay(hash_type) {
        let signed = &spending.transaction().input[input];
        engine.input(&outpoint_bytes(&signed.previous_output));
        write_output(engine, &spending.spent_outputs()[input]);
        engine.input(&signed.sequence.0.to_le_bytes());
    } else {
        let index = u32::try_from(input).expect("inputs are counted in 32 bits");
        engine.input(&index.to_le_bytes());
    }
    if let Some(hash) = &context.annex_hash {
        engine.input(hash);
    }
}

/// The hash of an annex, as signatures sign it.
#[must_use]
pub fn annex_hash(annex: &[u8]) -> [u8; 32] {
    sha256(|engine| write_bytes(engine, annex))
}
