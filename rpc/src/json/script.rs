//! Scripts: assembly text, the kind of an output, and the form of a `scriptPubKey`.

use pyrite_consensus::bitcoin::{Address, Network, Script};
use serde::Serialize;

use super::descriptor::descriptor_of;

/// Longest push that the assembly shows as a number.
const MAX_NUMBER_LEN: usize = 4;

/// The most keys of a bare multisig (`MAX_PUBKEYS_PER_MULTISIG`).
const MAX_MULTISIG_KEYS: usize = 20;

/// A `scriptPubKey`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScriptPubKeyJson {
    asm: String,
    desc: String,
    hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The form of an output's script.
pub(crate) fn script_pub_key_json(script: &Script, network: Network) -> ScriptPubKeyJson {
    let kind = output_kind(script);
    let address = Address::from_script(script, network).ok();
    ScriptPubKeyJson {
        asm: asm(script, SignatureHashes::AsData),
        desc: descriptor_of(script, &kind, address.as_ref()),
        hex: hex::encode(script.as_bytes()),
        address: address.map(|address| address.to_string()),
        kind: kind.name(),
    }
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
    // In a script that can't be spent, data only looks like a signature.
    let decode = signature_hashes == SignatureHashes::Decode && !script.is_op_return();
    let mut words = Vec::new();
    for item in Instructions(script.as_bytes()) {
        let Ok(item) = item else {
            words.push("[error]".to_owned());
            break;
        };
        words.push(match item.push {
            Some(data) if data.len() <= MAX_NUMBER_LEN => script_number(data).to_string(),
            Some(data) if decode => signature_or_data(data),
            Some(data) => hex::encode(data),
            None => opcode_name(item.opcode),
        });
    }
    words.join(" ")
}

/// Data in hexadecimal; of a signature, the hash type as a word.
fn signature_or_data(data: &[u8]) -> String {
    let name = data.last().and_then(|kind| match kind {
        0x01 => Some("ALL"),
        0x02 => Some("NONE"),
        0x03 => Some("SINGLE"),
        0x81 => Some("ALL|ANYONECANPAY"),
        0x82 => Some("NONE|ANYONECANPAY"),
        0x83 => Some("SINGLE|ANYONECANPAY"),
        _ => None,
    });
    match name {
        Some(name) if is_strict_signature(data) => {
            format!("{}[{name}]", hex::encode(&data[..data.len() - 1]))
        }
        _ => hex::encode(data),
    }
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
fn script_number(bytes: &[u8]) -> i64 {
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
fn opcode_name(opcode: u8) -> String {
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
        0x4f => "-1".to_owned(),
        0x50 => "OP_RESERVED".to_owned(),
        0x51..=0x60 => (opcode - 0x50).to_string(),
        0x61..=0xba => FROM_RESERVED[usize::from(opcode - 0x61)].to_owned(),
        0xff => "OP_INVALIDOPCODE".to_owned(),
        _ => "OP_UNKNOWN".to_owned(),
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
