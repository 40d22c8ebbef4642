//! Makes scripts that mostly succeed, from pieces that each leave the stack as they found it, for every
//! opcode; together with what they want to find on the stack.

use super::keys::{Key, KeyForm};
use super::pieces::NUMBERS;
use super::writer::{SUCCESS_OPCODES, Writer, op};
use crate::random::Random;

/// The rules that a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    Legacy,
    WitnessV0,
    Tapscript,
}

impl Dialect {
    pub(crate) const ALL: [Self; 3] = [Self::Legacy, Self::WitnessV0, Self::Tapscript];
}

/// Something that a script wants to find on the stack.
#[derive(Clone)]
pub(crate) enum Argument {
    Data(Vec<u8>),
    Signature(Wanted),
}

/// A signature that is to be made once the script is complete.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    /// Where the bytes start that it signs.
    pub(crate) code_start: usize,
    /// The index of the last `OP_CODESEPARATOR`.
    pub(crate) code_separator: u32,
    pub(crate) hash_type: u8,
}

/// A script with its arguments, the lowest first.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) script: Vec<u8>,
    pub(crate) arguments: Vec<Argument>,
}

/// What the pieces may want to know of the transaction.
#[derive(Clone, Copy)]
pub(crate) struct Locks {
    pub(crate) lock_time: u32,
    pub(crate) sequence: u32,
}

/// A hash type. For ECDSA each has a meaning: what is not defined is signed as it is.
pub(crate) fn hash_type(random: &mut Random, dialect: Dialect) -> u8 {
    const DEFINED: [u8; 7] = [1, 2, 3, 0x81, 0x82, 0x83, 0];
    if dialect != Dialect::Tapscript && random.below(16) == 0 {
        return u8::try_from(random.below(256)).expect("a byte");
    }
    DEFINED[random.below(DEFINED.len())]
}

/// Writes the pieces of one script.
pub(crate) struct Author<'r> {
    pub(crate) random: &'r mut Random,
    pub(crate) dialect: Dialect,
    pub(crate) locks: Locks,
    pub(crate) script: Writer,
    /// What each piece wants on the stack, in the order of the pieces.
    pub(crate) wants: Vec<Vec<Argument>>,
    code_start: usize,
    code_separator: u32,
}

/// A script of some pieces.
pub(crate) fn content(random: &mut Random, dialect: Dialect, locks: Locks) -> Content {
    let mut author = Author {
        random,
        dialect,
        locks,
        script: Writer::default(),
        wants: Vec::new(),
        code_start: 0,
        code_separator: u32::MAX,
    };
    for _ in 0..author.random.below(4) {
        author.piece();
    }
    author.end();
    let arguments = author.wants.into_iter().rev().flatten().collect();
    Content {
        script: author.script.bytes,
        arguments,
    }
}

impl Author<'_> {
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.below(choices.len())]
    }

    fn piece(&mut self) {
        match self.random.below(20) {
            0..=8 => self.balanced(),
            9..=11 => self.conditional(),
            12..=14 => self.signature(op::CHECKSIGVERIFY),
            // Tapscript has no multisig, but a budget.
            15 if self.dialect == Dialect::Tapscript && self.chance(80) => self.budget(),
            15 => self.many_signatures(op::CHECKMULTISIGVERIFY),
            16 => self.separator(),
            17 => self.hash_lock(),
            18 => self.limits(),
            _ if self.dialect == Dialect::Tapscript && self.chance(50) => {
                let opcode = SUCCESS_OPCODES[self.random.below(SUCCESS_OPCODES.len())];
                self.script.op(opcode);
            }
            _ => {
                let anything = self.pick(&[0x50, 0x61, 0x62, 0x89, 0xb0, 0xb9, 0xba, 0xff]);
                self.script.op(anything);
            }
        }
    }

    /// What the script leaves.
    fn end(&mut self) {
        match self.random.below(8) {
            0..=2 => self.signature(op::CHECKSIG),
            3 if self.dialect == Dialect::Tapscript && self.chance(80) => {
                self.signature(op::CHECKSIG);
            }
            3 => self.many_signatures(op::CHECKMULTISIG),
            4 => self.wants.push(vec![Argument::Data(vec![1])]),
            5 => {
                let number = self.pick(&NUMBERS);
                self.script.number(number);
            }
            _ => self.script.number(1),
        }
    }

    fn conditional(&mut self) {
        let condition: &[u8] = self.pick(&[
            &[][..],
            &[],
            &[1],
            &[1],
            &[2],
            &[0],
            &[0x80],
            &[1, 0],
            &[0, 0x80],
        ]);
        let condition = if self.chance(70) {
            self.pick(&[&[][..], &[1]])
        } else {
            condition
        };
        if self.chance(40) {
            self.wants.push(vec![Argument::Data(condition.to_vec())]);
        } else {
            self.script.push(condition);
        }
        let is_true = condition
            .split_last()
            .is_some_and(|(last, rest)| last & 0x7f != 0 || rest.iter().any(|byte| *byte != 0));
        let opcode = self.pick(&[op::IF, op::NOTIF]);
        self.script.op(opcode);
        let mut is_taken = is_true == (opcode == op::IF);
        self.branch(is_taken);
        for _ in 0..self.random.below(3) {
            self.script.op(op::ELSE);
            is_taken = !is_taken;
            self.branch(is_taken);
        }
        if !self.chance(2) {
            self.script.op(op::ENDIF);
        }
    }

    fn branch(&mut self, is_taken: bool) {
        if is_taken || self.chance(40) {
            return self.balanced();
        }
        // Anything that is not executed: opcodes without a meaning, or that fail even so.
        for _ in 0..self.random.below(3) {
            let anything = if self.chance(90) {
                self.pick(&[0x50, 0x62, 0x6a, 0x88, 0x89, 0x8a, 0xac, 0xae, 0xba, 0xff])
            } else {
                op::NOP + u8::try_from(self.random.below(0x9f)).expect("a byte")
            };
            self.script.op(anything);
        }
    }

    fn separator(&mut self) {
        self.code_separator = self.script.instructions;
        self.script.op(op::CODESEPARATOR);
        self.code_start = self.script.bytes.len();
    }

    pub(crate) fn key(&mut self) -> Key {
        let form = match self.dialect {
            Dialect::Tapscript => KeyForm::XOnly,
            Dialect::Legacy | Dialect::WitnessV0 => match self.random.below(10) {
                0 => KeyForm::Uncompressed,
                1 => KeyForm::Hybrid,
                _ => KeyForm::Compressed,
            },
        };
        Key {
            index: self.random.below(4),
            form,
        }
    }

    fn wanted(&mut self, key: Key) -> Argument {
        Argument::Signature(Wanted {
            key,
            code_start: self.code_start,
            code_separator: self.code_separator,
            hash_type: hash_type(self.random, self.dialect),
        })
    }

    /// One signature, checked by `opcode` or, in tapscript, added up.
    fn signature(&mut self, opcode: u8) {
        let key = self.key();
        let wanted = self.wanted(key);
        self.wants.push(vec![wanted]);
        let mut key = key.bytes();
        if self.dialect == Dialect::Tapscript {
            if self.chance(6) {
                // A kind of key that any signature is valid for, or none.
                key = self.pick(&[&[][..], &[2; 33], &[7], &[7; 31]]).to_vec();
            }
            if self.chance(40) {
                let number = self.pick(&[0, 1, 127]);
                self.script.number(number);
                self.script.push(&key);
                self.script.op(op::CHECKSIGADD);
                self.script.number(number + 1);
                self.script.op(if opcode == op::CHECKSIG {
                    op::NUMEQUAL
                } else {
                    op::NUMEQUALVERIFY
                });
                return;
            }
        }
        self.script.push(&key);
        self.script.op(opcode);
    }

    fn many_signatures(&mut self, opcode: u8) {
        let most_keys = if self.chance(5) { 20 } else { 4 };
        let key_count = 1 + self.random.below(most_keys);
        let signature_count = self.random.below(key_count + 1).min(4);
        let keys: Vec<_> = (0..key_count).map(|_| self.key()).collect();
        let dummy = if self.chance(5) { vec![1] } else { vec![] };
        let mut group = vec![Argument::Data(dummy)];
        // The signatures are in the order of their keys; seldom in another.
        let skipped = self.random.below(key_count - signature_count + 1);
        let mut signed: Vec<_> = keys[skipped..skipped + signature_count].to_vec();
        if self.chance(5) {
            signed.reverse();
        }
        for key in signed {
            let wanted = self.wanted(key);
            group.push(wanted);
        }
        self.wants.push(group);
        let signature_count = i64::try_from(signature_count).expect("small");
        self.count(signature_count);
        for key in &keys {
            self.script.push(&key.bytes());
        }
        self.count(i64::try_from(key_count).expect("small"));
        self.script.op(opcode);
    }

    /// A multisig's number of keys or signatures; seldom another.
    fn count(&mut self, count: i64) {
        let count = if self.chance(3) {
            self.pick(&[-1, 0, 1, 5, 21])
        } else {
            count
        };
        self.script.number(count);
    }
}
