//! Scripts: assembly text, the kind of an output, and the form of a `scriptPubKey`.

use std::io::Write;

use pyrite_consensus::bitcoin::{Address, Network, Script};
use serde_json::Value;

use super::descriptor::push_descriptor;
use super::text::{in_ascii, push_hex, push_signed, read_back};

/// Longest push that the assembly shows as a number.
const MAX_NUMBER_LEN: usize = 4;

/// The most keys of a bare multisig (`MAX_PUBKEYS_PER_MULTISIG`).
const MAX_MULTISIG_KEYS: usize = 20;

/// Appends the form of an output's script to a JSON text.
pub(super) fn push_script_pub_key(text: &mut Vec<u8>, script: &Script, network: Network) {
    let kind = output_kind(script);
    let address = Address::from_script(script, network).ok();
    text.extend_from_slice(b"{\"asm\":\"");
    push_asm(text, script, SignatureHashes::AsData);
    text.extend_from_slice(b"\",\"desc\":\"");
    let shown = push_descriptor(text, script, &kind, address.as_ref());
    text.extend_from_slice(b"\",\"hex\":\"");
    push_hex(text, script.as_bytes());
    if let Some(address) = address {
        text.extend_from_slice(b"\",\"address\":\"");
        match shown {
            Some(place) => text.extend_from_within(place),
            None => write!(text, "{address}").expect("memory takes every write"),
        }
    }
    text.extend_from_slice(b"\",\"type\":\"");
    text.extend_from_slice(kind.name().as_bytes());
    text.extend_from_slice(b"\"}");
}

/// The form of an output's script.
pub(crate) fn script_pub_key_json(script: &Script, network: Network) -> Value {
    let mut text = Vec::new();
    push_script_pub_key(&mut text, script, network);
    read_back(&text)
}

/// What an output's script is, by Bitcoin Core's `Solver`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputKind<'a> {
    /// Pays a key.
    PublicKey(&'a [u8]),
    /// Pays a key's hash.
    PublicKeyHash,
    /// Pays a script's hash.
    ScriptHash,
    /// Pays some of several keys.
    Multisig {
        /// How many must sign.
        required: usize,
        /// The keys.
        keys: Vec<&'a [u8]>,
    },
    /// Carries data.
    NullData,
    /// Anyone can spend it, to pay more for its transaction.
    Anchor,
    /// Pays a key's hash by witness.
    WitnessKeyHash,
    /// Pays a script's hash by witness.
    WitnessScriptHash,
    /// Pays a taproot output key.
    Taproot(&'a [u8]),
    /// A witness program of a version without rules.
    WitnessUnknown,
    /// None of these.
    NonStandard,
}

impl OutputKind<'_> {
    /// Bitcoin Core's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::PublicKey(_) => "pubkey",
            Self::PublicKeyHash => "pubkeyhash",
            Self::ScriptHash => "scripthash",
            Self::Multisig { .. } => "multisig",
            Self::NullData => "nulldata",
            Self::Anchor => "anchor",
            Self::WitnessKeyHash => "witness_v0_keyhash",
            Self::WitnessScriptHash => "witness_v0_scripthash",
            Self::Taproot(_) => "witness_v1_taproot",
            Self::WitnessUnknown => "witness_unknown",
            Self::NonStandard => "nonstandard",
        }
    }
}

/// What an output's script is.
pub(crate) fn output_kind(script: &Script) -> OutputKind<'_> {
    let bytes = script.as_bytes();
    if script.is_p2sh() {
        return OutputKind::ScriptHash;
    }
    if script.is_witness_program() {
        return match (bytes[0], &bytes[2..]) {
            (0, program) if program.len() == 20 => OutputKind::WitnessKeyHash,
            (0, program) if program.len() == 32 => OutputKind::WitnessScriptHash,
            (0, _) => OutputKind::NonStandard,
            (0x51, program) if program.len() == 32 => OutputKind::Taproot(program),
            (0x51, [0x4e, 0x73]) => OutputKind::Anchor,
            _ => OutputKind::WitnessUnknown,
        };
    }
    if bytes.first() == Some(&0x6a) && Script::from_bytes(&bytes[1..]).is_push_only() {
        return OutputKind::NullData;
    }
    match bytes {
        [33, key @ .., 0xac] if key.len() == 33 && is_key(key) => OutputKind::PublicKey(key),
        [65, key @ .., 0xac] if key.len() == 65 && is_key(key) => OutputKind::PublicKey(key),
        _ if script.is_p2pkh() => OutputKind::PublicKeyHash,
        _ => multisig(bytes).unwrap_or(OutputKind::NonStandard),
    }
}

/// Whether bytes have a public key's length for their first byte.
fn is_key(bytes: &[u8]) -> bool {
    matches!(
        (bytes.first(), bytes.len()),
        (Some(2 | 3), 33) | (Some(4 | 6 | 7), 65)
    )
}

/// A bare multisig: the number required, the keys, their number, `OP_CHECKMULTISIG`.
fn multisig(script: &[u8]) -> Option<OutputKind<'_>> {
    let (0xae, body) = script.split_last()? else {
        return None;
    };
    let mut items = Instructions(body);
    let required = small_number(&items.next()?.ok()?)?;
    let mut keys = Vec::new();
    loop {
        let item = items.next()?.ok()?;
        if let Some(key) = item.push.filter(|push| is_key(push)) {
            keys.push(key);
            continue;
        }
        let total = small_number(&item)?;
        let fits = items.next().is_none() && total == keys.len() && total <= MAX_MULTISIG_KEYS;
        return (fits && (1..=total).contains(&required))
            .then_some(OutputKind::Multisig { required, keys });
    }
}

/// The number that an instruction pushes, from 1 to 20.
fn small_number(item: &Instruction<'_>) -> Option<usize> {
    match (item.opcode, item.push) {
        (0x51..=0x60, _) => Some(usize::from(item.opcode - 0x50)),
        (1, Some([number @ 17..=20])) => Some(usize::from(*number)),
        _ => None,
    }
}

/// Whether the assembly shows the signature hash type of what looks like a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureHashes {
    /// Shows it, as `[ALL]`: for input scripts.
    Decode,
    /// Shows the bytes as they are: for output scripts.
    AsData,
}

/// A script as text, one word for each instruction.
pub(crate) fn asm(script: &Script, signature_hashes: SignatureHashes) -> String {
    let mut text = Vec::new();
    push_asm(&mut text, script, signature_hashes);
    in_ascii(text)
}

/// Appends the same to a text.
pub(super) fn push_asm(text: &mut Vec<u8>, script: &Script, signature_hashes: SignatureHashes) {
    // In a script that can't be spent, data only looks like a signature.
    let decode = signature_hashes == SignatureHashes::Decode && !script.is_op_return();
    let start = text.len();
    for item in Instructions(script.as_bytes()) {
        if text.len() > start {
            text.push(b' ');
        }
        let Ok(item) = item else {
            text.extend_from_slice(b"[error]");
            break;
        };
        match item.push {
            Some(data) if data.len() <= MAX_NUMBER_LEN => push_signed(text, script_number(data)),
            Some(data) => match signature_type(data).filter(|_| decode) {
                Some(name) => {
                    push_hex(text, &data[..data.len() - 1]);
                    text.push(b'[');
                    text.extend_from_slice(name.as_bytes());
                    text.push(b']');
                }
                None => push_hex(text, data),
            },
            None => text.extend_from_slice(opcode_name(item.opcode).as_bytes()),
        }
    }
}

/// The hash type of what looks like a signature.
pub(super) fn signature_type(data: &[u8]) -> Option<&'static str> {
    let name = match data.last()? {
        0x01 => "ALL",
        0x02 => "NONE",
        0x03 => "SINGLE",
        0x81 => "ALL|ANYONECANPAY",
        0x82 => "NONE|ANYONECANPAY",
        0x83 => "SINGLE|ANYONECANPAY",
        _ => return None,
    };
    is_strict_signature(data).then_some(name)
}

/// Whether bytes are a strict DER signature with a hash type byte behind it (BIP-0066).
fn is_strict_signature(bytes: &[u8]) -> bool {
    let [0x30, total, 0x02, r_len, rest @ ..] = bytes else {
        return false;
    };
    let r_len = usize::from(*r_len);
    if !(9..=73).contains(&bytes.len()) || usize::from(*total) != bytes.len() - 3 {
        return false;
    }
    let Some((r, [0x02, s_len, s_and_type @ ..])) = rest.split_at_checked(r_len) else {
        return false;
    };
    let Some((s, [_])) = s_and_type.split_at_checked(usize::from(*s_len)) else {
        return false;
    };
    // Neither is empty, negative, or longer than it needs to be.
    [r, s].into_iter().all(|integer| match integer {
        [] => false,
        [0] => true,
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
    })
}

/// A push of at most four bytes as the number it stands for.
pub(super) fn script_number(bytes: &[u8]) -> i64 {
    let Some((last, lower)) = bytes.split_last() else {
        return 0;
    };
    let magnitude = lower
        .iter()
        .chain(std::iter::once(&(last & 0x7f)))
        .rev()
        .fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
    if last & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// An instruction of a script.
pub(super) struct Instruction<'a> {
    /// The opcode.
    pub(super) opcode: u8,
    /// What it pushes of the script.
    pub(super) push: Option<&'a [u8]>,
}

/// The instructions of a script; the first that is cut off ends it with an error.
pub(super) struct Instructions<'a>(pub(super) &'a [u8]);

/// A push reaches past the script's end.
pub(super) struct CutOff;

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, CutOff>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&opcode, rest) = self.0.split_first()?;
        let length = match opcode {
            0..=0x4b => Some((usize::from(opcode), rest)),
            0x4c => little_endian::<1>(rest),
            0x4d => little_endian::<2>(rest),
            0x4e => little_endian::<4>(rest),
            _ => {
                self.0 = rest;
                return Some(Ok(Instruction { opcode, push: None }));
            }
        };
        let Some((push, rest)) = length.and_then(|(len, rest)| rest.split_at_checked(len)) else {
            self.0 = &[];
            return Some(Err(CutOff));
        };
        self.0 = rest;
        Some(Ok(Instruction {
            opcode,
            push: Some(push),
        }))
    }
}

/// A length of `N` bytes, and what follows.
fn little_endian<const N: usize>(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(N)?;
    Some((
        length
            .iter()
            .rev()
            .fold(0, |number, byte| (number << 8) | usize::from(*byte)),
        rest,
    ))
}

/// Bitcoin Core's name of an opcode that pushes no bytes of the script.
pub(super) fn opcode_name(opcode: u8) -> &'static str {
    const NUMBERS: [&str; 16] = [
        "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    ];
    const FROM_RESERVED: [&str; 0xba - 0x61 + 1] = [
        "OP_NOP",
        "OP_VER",
        "OP_IF",
        "OP_NOTIF",
        "OP_VERIF",
        "OP_VERNOTIF",
        "OP_ELSE",
        "OP_ENDIF",
        "OP_VERIFY",
        "OP_RETURN",
        "OP_TOALTSTACK",
        "OP_FROMALTSTACK",
        "OP_2DROP",
        "OP_2DUP",
        "OP_3DUP",
        "OP_2OVER",
        "OP_2ROT",
        "OP_2SWAP",
        "OP_IFDUP",
        "OP_DEPTH",
        "OP_DROP",
        "OP_DUP",
        "OP_NIP",
        "OP_OVER",
        "OP_PICK",
        "OP_ROLL",
        "OP_ROT",
        "OP_SWAP",
        "OP_TUCK",
        "OP_CAT",
        "OP_SUBSTR",
        "OP_LEFT",
        "OP_RIGHT",
        "OP_SIZE",
        "OP_INVERT",
        "OP_AND",
        "OP_OR",
        "OP_XOR",
        "OP_EQUAL",
        "OP_EQUALVERIFY",
        "OP_RESERVED1",
        "OP_RESERVED2",
        "OP_1ADD",
        "OP_1SUB",
        "OP_2MUL",
        "OP_2DIV",
        "OP_NEGATE",
        "OP_ABS",
        "OP_NOT",
        "OP_0NOTEQUAL",
        "OP_ADD",
        "OP_SUB",
        "OP_MUL",
        "OP_DIV",
        "OP_MOD",
        "OP_LSHIFT",
        "OP_RSHIFT",
        "OP_BOOLAND",
        "OP_BOOLOR",
        "OP_NUMEQUAL",
        "OP_NUMEQUALVERIFY",
        "OP_NUMNOTEQUAL",
        "OP_LESSTHAN",
        "OP_GREATERTHAN",
        "OP_LESSTHANOREQUAL",
        "OP_GREATERTHANOREQUAL",
        "OP_MIN",
        "OP_MAX",
        "OP_WITHIN",
        "OP_RIPEMD160",
        "OP_SHA1",
        "OP_SHA256",
        "OP_HASH160",
        "OP_HASH256",
        "OP_CODESEPARATOR",
        "OP_CHECKSIG",
        "OP_CHECKSIGVERIFY",
        "OP_CHECKMULTISIG",
        "OP_CHECKMULTISIGVERIFY",
        "OP_NOP1",
        "OP_CHECKLOCKTIMEVERIFY",
        "OP_CHECKSEQUENCEVERIFY",
        "OP_NOP4",
        "OP_NOP5",
        "OP_NOP6",
        "OP_NOP7",
        "OP_NOP8",
        "OP_NOP9",
        "OP_NOP10",
        "OP_CHECKSIGADD",
    ];
    match opcode {
        0x4f => "-1",
        0x50 => "OP_RESERVED",
        0x51..=0x60 => NUMBERS[usize::from(opcode - 0x51)],
        0x61..=0xba => FROM_RESERVED[usize::from(opcode - 0x61)],
        0xff => "OP_INVALIDOPCODE",
        _ => "OP_UNKNOWN",
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
