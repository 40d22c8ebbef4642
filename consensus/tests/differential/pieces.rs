//! Pieces of scripts that leave the stack as they found it: opcodes with their operands and a comparison of
//! what they give.

use pyrite_consensus::bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};

use super::content::{Argument, Author, Dialect};
use super::writer::{number_bytes, op};
use crate::random::Random;

/// How a stack opcode maps the elements that it takes, the lowest first, to those that it leaves.
const STACK_OPS: [(u8, usize, &[usize]); 13] = [
    (op::DROP, 1, &[]),
    (op::TWO_DROP, 2, &[]),
    (op::DUP, 1, &[0, 0]),
    (op::TWO_DUP, 2, &[0, 1, 0, 1]),
    (op::THREE_DUP, 3, &[0, 1, 2, 0, 1, 2]),
    (op::TWO_OVER, 4, &[0, 1, 2, 3, 0, 1]),
    (op::TWO_ROT, 6, &[2, 3, 4, 5, 0, 1]),
    (op::TWO_SWAP, 4, &[2, 3, 0, 1]),
    (op::NIP, 2, &[1]),
    (op::OVER, 2, &[0, 1, 0]),
    (op::ROT, 3, &[1, 2, 0]),
    (op::SWAP, 2, &[1, 0]),
    (op::TUCK, 2, &[1, 0, 1]),
];

const UNARY_OPS: [u8; 6] = [
    op::ONE_ADD,
    op::ONE_SUB,
    op::NEGATE,
    op::ABS,
    op::NOT,
    op::NOT_ZERO,
];

const BINARY_OPS: [u8; 12] = [
    op::ADD,
    op::SUB,
    op::BOOLAND,
    op::BOOLOR,
    op::NUMEQUAL,
    op::NUMNOTEQUAL,
    op::LESSTHAN,
    op::GREATERTHAN,
    op::LESSTHANOREQUAL,
    op::GREATERTHANOREQUAL,
    op::MIN,
    op::MAX,
];

/// Numbers around the limits of their forms; the last has too many bytes for an operand.
pub(crate) const NUMBERS: [i64; 18] = [
    0,
    1,
    -1,
    2,
    16,
    17,
    127,
    128,
    -128,
    255,
    256,
    32_767,
    -32_768,
    0x7f_ffff,
    0x80_0000,
    0x7fff_ffff,
    -0x7fff_ffff,
    0x8000_0000,
];

impl Author<'_> {
    /// Opcodes that leave the stack as it was.
    pub(crate) fn balanced(&mut self) {
        match self.random.below(12) {
            0 => self.unary(),
            1 | 2 => self.binary(),
            3 => self.within(),
            4 => self.hash(),
            5 | 6 => self.stack_op(),
            7 => self.pick_or_roll(),
            8 => self.lock_time(),
            9 => self.empty_signature(),
            10 => self.small_pieces(),
            _ => {
                let nop = self.pick(&[op::NOP, op::NOP1, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9]);
                self.script.op(nop);
            }
        }
    }

    /// Compares the top element with what it should be; seldom with something else.
    fn expect(&mut self, number: i64) {
        let number = if self.chance(4) {
            self.pick(&NUMBERS)
        } else {
            number
        };
        self.script.number(number);
        match self.random.below(4) {
            // A result may be too long for an operand.
            0 if number.abs() < 0x8000_0000 => self.script.op(op::NUMEQUALVERIFY),
            1 => self.script.ops(&[op::EQUAL, op::VERIFY]),
            _ => self.script.op(op::EQUALVERIFY),
        }
    }

    fn operand(&mut self) -> i64 {
        let choices = if self.chance(3) {
            NUMBERS.len()
        } else {
            NUMBERS.len() - 1
        };
        let number = NUMBERS[self.random.below(choices)];
        if self.chance(5) {
            // A form that is longer than it needs to be.
            let mut bytes = number_bytes(number.abs());
            bytes.push(0);
            self.script.push(&bytes);
            return number.abs();
        }
        self.script.number(number);
        number
    }

    fn unary(&mut self) {
        let number = self.operand();
        let opcode = self.pick(&UNARY_OPS);
        self.script.op(opcode);
        self.expect(match opcode {
            op::ONE_ADD => number + 1,
            op::ONE_SUB => number - 1,
            op::NEGATE => -number,
            op::ABS => number.abs(),
            op::NOT => i64::from(number == 0),
            _ => i64::from(number != 0),
        });
    }

    fn binary(&mut self) {
        let (left, right) = (self.operand(), self.operand());
        let opcode = self.pick(&BINARY_OPS);
        self.script.op(opcode);
        self.expect(match opcode {
            op::ADD => left + right,
            op::SUB => left - right,
            op::BOOLAND => i64::from(left != 0 && right != 0),
            op::BOOLOR => i64::from(left != 0 || right != 0),
            op::NUMEQUAL => i64::from(left == right),
            op::NUMNOTEQUAL => i64::from(left != right),
            op::LESSTHAN => i64::from(left < right),
            op::GREATERTHAN => i64::from(left > right),
            op::LESSTHANOREQUAL => i64::from(left <= right),
            op::GREATERTHANOREQUAL => i64::from(left >= right),
            op::MIN => left.min(right),
            _ => left.max(right),
        });
    }

    fn within(&mut self) {
        let (number, least, end) = (self.operand(), self.operand(), self.operand());
        self.script.op(op::WITHIN);
        self.expect(i64::from(least <= number && number < end));
    }

    pub(crate) fn data(&mut self) -> Vec<u8> {
        let length = match self.random.below(10) {
            0 => self.pick(&[75, 76, 255, 256, 519, 520]),
            1 => 521 - usize::from(self.chance(90)),
            2..=4 => self.random.below(76),
            _ => self.random.below(40),
        };
        (0..length)
            .map(|_| u8::try_from(self.random.below(256)).expect("a byte"))
            .collect()
    }

    fn hash(&mut self) {
        let data = self.data();
        self.script.push_somehow(&data, self.random);
        self.hash_of(&data);
    }

    /// Hashes the top element and compares.
    fn hash_of(&mut self, data: &[u8]) {
        let opcode = self.pick(&[
            op::RIPEMD160,
            op::SHA1,
            op::SHA256,
            op::HASH160,
            op::HASH256,
        ]);
        let mut hash = match opcode {
            op::RIPEMD160 => ripemd160::Hash::hash(data).to_byte_array().to_vec(),
            op::SHA1 => sha1::Hash::hash(data).to_byte_array().to_vec(),
            op::SHA256 => sha256::Hash::hash(data).to_byte_array().to_vec(),
            op::HASH160 => hash160::Hash::hash(data).to_byte_array().to_vec(),
            _ => sha256d::Hash::hash(data).to_byte_array().to_vec(),
        };
        if self.chance(3) {
            hash[0] ^= 1;
        }
        self.script.op(opcode);
        self.script.push(&hash);
        self.script.op(op::EQUALVERIFY);
    }

    /// A hash of an argument.
    pub(crate) fn hash_lock(&mut self) {
        let data = self.data();
        self.wants.push(vec![Argument::Data(data.clone())]);
        self.hash_of(&data);
    }

    fn stack_op(&mut self) {
        let (opcode, takes, leaves) = self.pick(&STACK_OPS);
        let first = self.pick(&[1, 20, 1000]);
        for number in (first..).take(takes) {
            self.script.number(number);
        }
        self.script.op(opcode);
        for index in leaves.iter().rev() {
            self.expect(first + i64::try_from(*index).expect("small"));
        }
    }

    fn pick_or_roll(&mut self) {
        let count = 1 + self.random.below(5);
        let depth = self.random.below(count);
        for number in 0..count {
            self.script.number(i64::try_from(number).expect("small"));
        }
        let shift = i64::from(self.chance(3)) * self.pick(&NUMBERS);
        self.script
            .number(i64::try_from(depth).expect("small") + shift);
        let opcode = self.pick(&[op::PICK, op::ROLL]);
        self.script.op(opcode);
        self.expect(i64::try_from(count - 1 - depth).expect("small"));
        let left = if opcode == op::PICK { count } else { count - 1 };
        self.script.ops(&vec![op::DROP; left]);
    }

    fn lock_time(&mut self) {
        let (opcode, own) = if self.chance(50) {
            (op::CHECKLOCKTIMEVERIFY, self.locks.lock_time)
        } else {
            (op::CHECKSEQUENCEVERIFY, self.locks.sequence)
        };
        let own = i64::from(own);
        let lock = self.pick(&[
            own,
            own,
            own,
            own - 1,
            own & 0xffff,
            0,
            own + 1,
            1 << 31,
            -1,
            1 << 39,
        ]);
        self.script.number(lock);
        self.script.ops(&[opcode, op::DROP]);
    }

    fn small_pieces(&mut self) {
        match self.random.below(6) {
            0 => {
                self.script.number(7);
                self.script.op(op::TOALTSTACK);
                self.script.op(op::FROMALTSTACK);
                self.expect(7);
            }
            1 => {
                self.script.number(0);
                self.script.ops(&[op::IFDUP, op::DROP]);
            }
            2 => {
                self.script.number(5);
                self.script.ops(&[op::IFDUP, op::TWO_DROP]);
            }
            3 => self.script.ops(&[op::DEPTH, op::DROP]),
            4 => {
                let data = self.data();
                self.script.push_somehow(&data, self.random);
                self.script.op(op::SIZE);
                self.expect(i64::try_from(data.len()).expect("short"));
                self.script.op(op::DROP);
            }
            _ => {
                self.script.number(3);
                self.script.op(op::VERIFY);
            }
        }
    }

    /// Checks without a signature, which are false.
    fn empty_signature(&mut self) {
        self.script.number(0);
        let key = self.key();
        if self.dialect == Dialect::Tapscript {
            if self.chance(50) {
                self.script.number(4);
                self.script.push(&key.bytes());
                self.script.op(op::CHECKSIGADD);
                self.expect(4);
                return;
            }
        } else if self.chance(50) {
            // No signatures of no keys.
            self.script.ops(&[0, 0, op::CHECKMULTISIG]);
            self.expect(1);
            return;
        }
        self.script.push(&key.bytes());
        self.script.op(op::CHECKSIG);
        self.expect(0);
    }

    /// Checks of a short signature that any key of another kind takes, each with its share of the budget for
    /// signatures (BIP-0342); which may be too small.
    pub(crate) fn budget(&mut self) {
        // A longer witness has a larger budget.
        let padding = self.random.below(400);
        self.script.push(&vec![7; padding]);
        self.script.op(op::DROP);
        for _ in 0..self.random.below(12) {
            self.script.number(1);
            self.script.push(&[7; 2]);
            self.script.ops(&[op::CHECKSIG, op::VERIFY]);
        }
    }

    /// Pieces around the limits of scripts and stacks.
    pub(crate) fn limits(&mut self) {
        let around = |random: &mut Random, limit: usize| limit - 4 + random.below(8);
        match self.random.below(8) {
            0 => {
                let count = around(self.random, 200);
                self.script.ops(&vec![op::NOP; count]);
            }
            1 => {
                // Elements that are taken away again, two by two.
                let count = around(self.random, 999);
                self.script.ops(&vec![0; count]);
                self.script.ops(&vec![op::TWO_DROP; count / 2]);
                self.script.ops(&vec![op::DROP; count % 2]);
            }
            2 => {
                let size = around(self.random, 10_000).saturating_sub(self.script.bytes.len());
                let mut left = size;
                while left > 523 + 1 {
                    self.script.push(&[7; 520]);
                    self.script.op(op::DROP);
                    left -= 524;
                }
                self.script.ops(&vec![op::NOP; left.min(150)]);
            }
            3 => {
                let length = self.pick(&[520, 521]);
                self.script.push(&vec![7; length]);
                self.script.op(op::DROP);
            }
            _ => self.balanced(),
        }
    }
}
