//! Writes scripts byte by byte, and remembers where its instructions are.

use std::sync::LazyLock;

use pyrite_consensus::bitcoin::Opcode;
use pyrite_consensus::bitcoin::opcodes::{Class, ClassifyContext};

use crate::random::Random;

/// Opcodes, where they have no name that says more.
pub(crate) mod op {
    pub(crate) const PUSHDATA1: u8 = 0x4c;
    pub(crate) const PUSHDATA2: u8 = 0x4d;
    pub(crate) const PUSHDATA4: u8 = 0x4e;
    pub(crate) const NEGATIVE_1: u8 = 0x4f;
    pub(crate) const RESERVED: u8 = 0x50;
    pub(crate) const NOP: u8 = 0x61;
    pub(crate) const IF: u8 = 0x63;
    pub(crate) const NOTIF: u8 = 0x64;
    pub(crate) const VERIF: u8 = 0x65;
    pub(crate) const VERNOTIF: u8 = 0x66;
    pub(crate) const ELSE: u8 = 0x67;
    pub(crate) const ENDIF: u8 = 0x68;
    pub(crate) const VERIFY: u8 = 0x69;
    pub(crate) const RETURN: u8 = 0x6a;
    pub(crate) const TOALTSTACK: u8 = 0x6b;
    pub(crate) const FROMALTSTACK: u8 = 0x6c;
    pub(crate) const TWO_DROP: u8 = 0x6d;
    pub(crate) const TWO_DUP: u8 = 0x6e;
    pub(crate) const THREE_DUP: u8 = 0x6f;
    pub(crate) const TWO_OVER: u8 = 0x70;
    pub(crate) const TWO_ROT: u8 = 0x71;
    pub(crate) const TWO_SWAP: u8 = 0x72;
    pub(crate) const IFDUP: u8 = 0x73;
    pub(crate) const DEPTH: u8 = 0x74;
    pub(crate) const DROP: u8 = 0x75;
    pub(crate) const DUP: u8 = 0x76;
    pub(crate) const NIP: u8 = 0x77;
    pub(crate) const OVER: u8 = 0x78;
    pub(crate) const PICK: u8 = 0x79;
    pub(crate) const ROLL: u8 = 0x7a;
    pub(crate) const ROT: u8 = 0x7b;
    pub(crate) const SWAP: u8 = 0x7c;
    pub(crate) const TUCK: u8 = 0x7d;
    pub(crate) const SIZE: u8 = 0x82;
    pub(crate) const EQUAL: u8 = 0x87;
    pub(crate) const EQUALVERIFY: u8 = 0x88;
    pub(crate) const ONE_ADD: u8 = 0x8b;
    pub(crate) const ONE_SUB: u8 = 0x8c;
    pub(crate) const NEGATE: u8 = 0x8f;
    pub(crate) const ABS: u8 = 0x90;
    pub(crate) const NOT: u8 = 0x91;
    pub(crate) const NOT_ZERO: u8 = 0x92;
    pub(crate) const ADD: u8 = 0x93;
    pub(crate) const SUB: u8 = 0x94;
    pub(crate) const BOOLAND: u8 = 0x9a;
    pub(crate) const BOOLOR: u8 = 0x9b;
    pub(crate) const NUMEQUAL: u8 = 0x9c;
    pub(crate) const NUMEQUALVERIFY: u8 = 0x9d;
    pub(crate) const NUMNOTEQUAL: u8 = 0x9e;
    pub(crate) const LESSTHAN: u8 = 0x9f;
    pub(crate) const GREATERTHAN: u8 = 0xa0;
    pub(crate) const LESSTHANOREQUAL: u8 = 0xa1;
    pub(crate) const GREATERTHANOREQUAL: u8 = 0xa2;
    pub(crate) const MIN: u8 = 0xa3;
    pub(crate) const MAX: u8 = 0xa4;
    pub(crate) const WITHIN: u8 = 0xa5;
    pub(crate) const RIPEMD160: u8 = 0xa6;
    pub(crate) const SHA1: u8 = 0xa7;
    pub(crate) const SHA256: u8 = 0xa8;
    pub(crate) const HASH160: u8 = 0xa9;
    pub(crate) const HASH256: u8 = 0xaa;
    pub(crate) const CODESEPARATOR: u8 = 0xab;
    pub(crate) const CHECKSIG: u8 = 0xac;
    pub(crate) const CHECKSIGVERIFY: u8 = 0xad;
    pub(crate) const CHECKMULTISIG: u8 = 0xae;
    pub(crate) const CHECKMULTISIGVERIFY: u8 = 0xaf;
    pub(crate) const NOP1: u8 = 0xb0;
    pub(crate) const CHECKLOCKTIMEVERIFY: u8 = 0xb1;
    pub(crate) const CHECKSEQUENCEVERIFY: u8 = 0xb2;
    pub(crate) const NOP10: u8 = 0xb9;
    pub(crate) const CHECKSIGADD: u8 = 0xba;
}

/// The opcodes that make a tapscript succeed (BIP-0342).
pub(crate) static SUCCESS_OPCODES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let succeeds = |opcode: &u8| {
        Opcode::from(*opcode).classify(ClassifyContext::TapScript) == Class::SuccessOp
    };
    (0..=u8::MAX).filter(succeeds).collect()
});

/// A script that is written.
#[derive(Clone, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    /// How many instructions there are.
    pub(crate) instructions: u32,
}

impl Writer {
    pub(crate) fn op(&mut self, opcode: u8) {
        self.bytes.push(opcode);
        self.instructions += 1;
    }

    pub(crate) fn ops(&mut self, opcodes: &[u8]) {
        for opcode in opcodes {
            self.op(*opcode);
        }
    }

    /// A push in its shortest form, but for opcodes of numbers.
    pub(crate) fn push(&mut self, data: &[u8]) {
        self.bytes.extend(push_header(data.len()));
        self.bytes.extend(data);
        self.instructions += 1;
    }

    /// A push in some form.
    pub(crate) fn push_somehow(&mut self, data: &[u8], random: &mut Random) {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        let (opcode, width) = match random.below(12) {
            0 if data.len() < 256 => (op::PUSHDATA1, 1),
            1 => (op::PUSHDATA2, 2),
            2 => (op::PUSHDATA4, 4),
            _ => return self.push(data),
        };
        self.bytes.push(opcode);
        self.bytes.extend(&length[..width]);
        self.bytes.extend(data);
        self.instructions += 1;
    }

    /// A number, by its opcode where it has one.
    pub(crate) fn number(&mut self, number: i64) {
        match number {
            0 => self.op(0),
            -1 => self.op(op::NEGATIVE_1),
            1..=16 => self.op(op::RESERVED + u8::try_from(number).expect("at most 16")),
            _ => self.push(&number_bytes(number)),
        }
    }
}

fn push_header(length: usize) -> Vec<u8> {
    let bytes = u32::try_from(length).expect("short").to_le_bytes();
    match length {
        0..76 => vec![bytes[0]],
        76..0x100 => vec![op::PUSHDATA1, bytes[0]],
        _ => vec![op::PUSHDATA2, bytes[0], bytes[1]],
    }
}

/// The shortest form of a number.
pub(crate) fn number_bytes(number: i64) -> Vec<u8> {
    let mut bytes = number.unsigned_abs().to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.last().is_some_and(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if number < 0
        && let Some(last) = bytes.last_mut()
    {
        *last |= 0x80;
    }
    bytes
}
