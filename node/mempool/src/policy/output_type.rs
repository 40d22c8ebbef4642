//! The forms of output scripts that wallets use (Bitcoin Core's `Solver`).

use pyrite_consensus::bitcoin::Script;
use pyrite_consensus::bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CHECKSIG, OP_PUSHNUM_1, OP_PUSHNUM_16, OP_RETURN,
};
use pyrite_consensus::bitcoin::script::{Instruction, Instructions};

/// The most keys of a bare multisig script that consensus allows.
const MAX_MULTISIG_KEYS: u8 = 20;

/// The form of an output script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputType {
    /// A public key and `OP_CHECKSIG`.
    PublicKey,
    /// The hash of a public key.
    PublicKeyHash,
    /// BIP-0016.
    ScriptHash,
    /// Bare multisig.
    Multisig {
        /// Signatures that it asks for.
        required: u8,
        /// Keys that it lists.
        keys: u8,
    },
    /// `OP_RETURN` and pushes.
    Data,
    /// BIP-0141, 20 bytes.
    WitnessKeyHash,
    /// BIP-0141, 32 bytes.
    WitnessScriptHash,
    /// BIP-0341.
    Taproot,
    /// Pay to anchor: anyone may spend it, to add a fee.
    Anchor,
    /// A witness program that no rule gives a meaning yet.
    WitnessUnknown,
    /// None of these.
    NonStandard,
}

/// The version and program of a witness output script (BIP-0141).
pub(super) fn witness_program(script: &Script) -> Option<(u8, &[u8])> {
    let bytes = script.as_bytes();
    let [first, length, program @ ..] = bytes else {
        return None;
    };
    if !(2..=40).contains(&program.len()) || usize::from(*length) != program.len() {
        return None;
    }
    match *first {
        0 => Some((0, program)),
        code @ 0x51..=0x60 => Some((code - 0x50, program)),
        _ => None,
    }
}

/// The form of `script`.
pub(super) fn output_type(script: &Script) -> OutputType {
    if script.is_p2sh() {
        return OutputType::ScriptHash;
    }
    if let Some((version, program)) = witness_program(script) {
        return match (version, program.len()) {
            (0, 20) => OutputType::WitnessKeyHash,
            (0, 32) => OutputType::WitnessScriptHash,
            (0, _) => OutputType::NonStandard,
            (1, 32) => OutputType::Taproot,
            (1, 2) if program == [0x4e, 0x73] => OutputType::Anchor,
            _ => OutputType::WitnessUnknown,
        };
    }
    if let Some((&first, rest)) = script.as_bytes().split_first()
        && first == OP_RETURN.to_u8()
        && Script::from_bytes(rest).is_push_only()
    {
        return OutputType::Data;
    }
    if is_pay_to_public_key(script) {
        return OutputType::PublicKey;
    }
    if script.is_p2pkh() {
        return OutputType::PublicKeyHash;
    }
    match multisig(script) {
        Some((required, keys)) => OutputType::Multisig { required, keys },
        None => OutputType::NonStandard,
    }
}

fn is_pay_to_public_key(script: &Script) -> bool {
    let mut instructions = script.instructions();
    matches!(instructions.next(), Some(Ok(Instruction::PushBytes(key))) if is_public_key(key.as_bytes()))
        && is_op(instructions.next(), OP_CHECKSIG.to_u8())
        && instructions.next().is_none()
}

/// Whether the length is right for the first byte, as consensus asks of a public key.
fn is_public_key(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(2 | 3) => bytes.len() == 33,
        Some(4 | 6 | 7) => bytes.len() == 65,
        _ => false,
    }
}

fn multisig(script: &Script) -> Option<(u8, u8)> {
    if script.as_bytes().last() != Some(&OP_CHECKMULTISIG.to_u8()) {
        return None;
    }
    let mut instructions = script.instructions();
    let required = next_count(&mut instructions)?;
    let mut keys: u8 = 0;
    let listed = loop {
        match instructions.next()?.ok()? {
            Instruction::PushBytes(push) if is_public_key(push.as_bytes()) => {
                keys = keys
                    .checked_add(1)
                    .filter(|keys| *keys <= MAX_MULTISIG_KEYS)?;
            }
            instruction => break count(instruction)?,
        }
    };
    let ends =
        is_op(instructions.next(), OP_CHECKMULTISIG.to_u8()) && instructions.next().is_none();
    (ends && listed == keys && (1..=keys).contains(&required)).then_some((required, keys))
}

fn next_count(instructions: &mut Instructions<'_>) -> Option<u8> {
    count(instructions.next()?.ok()?)
}

/// A number from 1 to 20, pushed in the shortest way.
fn count(instruction: Instruction<'_>) -> Option<u8> {
    match instruction {
        Instruction::Op(op) => {
            let code = op.to_u8();
            (OP_PUSHNUM_1.to_u8()..=OP_PUSHNUM_16.to_u8())
                .contains(&code)
                .then(|| code - 0x50)
        }
        Instruction::PushBytes(push) => match push.as_bytes() {
            [number @ 17..=MAX_MULTISIG_KEYS] => Some(*number),
            _ => None,
        },
    }
}

fn is_op<E>(instruction: Option<Result<Instruction<'_>, E>>, code: u8) -> bool {
    matches!(instruction, Some(Ok(Instruction::Op(op))) if op.to_u8() == code)
}
