//! Runs a kernel's instructions one by one, as the processor's manual describes them: on any processor, those of AVX-512 too.

use super::instruction::{Gpr, Instruction, Mem, Source, Xmm};
use crate::device::cpu::sha256::{round, small_sigma0, small_sigma1};

/// Bytes of stack.
const STACK: usize = 4_096;

/// More instructions than any of the tests takes.
const MOST_INSTRUCTIONS: usize = 100_000_000;

type Words = [u32; 4];

/// A processor and its memory. Addresses are places in `memory`, the stack is at its end.
pub(super) struct Machine {
    vectors: [Words; 32],
    general: [usize; 9],
    memory: Vec<u8>,
    is_zero: bool,
}

impl Machine {
    /// A machine with nothing but garbage in it.
    pub(super) fn new() -> Self {
        Self {
            vectors: [[0xdead_beef; 4]; 32],
            general: [usize::MAX; 9],
            memory: Vec::new(),
            is_zero: false,
        }
    }

    /// Puts bytes into memory, aligned to 64 bytes, and their address into a register.
    pub(super) fn lay(&mut self, register: Gpr, bytes: &[u8]) -> usize {
        let address = self.memory.len().next_multiple_of(64);
        self.memory.resize(address, 0);
        self.memory.extend_from_slice(bytes);
        self.set(register, address);
        address
    }

    pub(super) fn set(&mut self, register: Gpr, value: usize) {
        self.general[register as usize] = value;
    }

    pub(super) fn word(&self, address: usize) -> u32 {
        u32::from_le_bytes(self.memory[address..address + 4].try_into().unwrap())
    }

    /// Runs until the return.
    pub(super) fn run(&mut self, program: &[Instruction]) {
        let stack = (self.memory.len() + STACK).next_multiple_of(64);
        self.memory.resize(stack, 0xa5);
        self.set(Gpr::Stack, stack);
        let mut at = 0;
        for _ in 0..MOST_INSTRUCTIONS {
            match program[at] {
                Instruction::Return => return,
                Instruction::JumpUnlessZero { label, .. } if !self.is_zero => {
                    let is_label =
                        |instruction: &Instruction| *instruction == Instruction::Label(label);
                    at = program.iter().position(is_label).unwrap();
                }
                instruction => self.execute(instruction),
            }
            at += 1;
        }
        panic!("it does not end");
    }

    fn address(&self, place: Mem) -> usize {
        self.general[place.base as usize] + place.offset
    }

    fn load(&self, from: impl Into<Source>) -> Words {
        match from.into() {
            Source::Xmm(register) => self.vectors[usize::from(register.0)],
            Source::Mem(place) => {
                let address = self.address(place);
                assert_eq!(address % 16, 0, "not aligned: {place}");
                std::array::from_fn(|index| self.word(address + 4 * index))
            }
        }
    }

    fn store(&mut self, address: usize, words: &[u32]) {
        for (index, word) in words.iter().enumerate() {
            let at = address + 4 * index;
            self.memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
    }

    /// A register that the SHA instructions take.
    fn low(&self, register: Xmm) -> Words {
        assert!(!register.is_high(), "no SHA instruction takes {register}");
        self.load(register)
    }

    fn low_or_memory(&self, source: Source) -> Words {
        match source {
            Source::Xmm(register) => self.low(register),
            Source::Mem(_) => self.load(source),
        }
    }

    fn execute(&mut self, instruction: Instruction) {
        let (to, words) = match instruction {
            Instruction::Load { from, to } => (to, self.load(from)),
            Instruction::LoadHalf { from, to } => {
                let address = self.address(from);
                (to, [self.word(address), self.word(address + 4), 0, 0])
            }
            Instruction::LoadToAll { from, to } => (to, [self.word(self.address(from)); 4]),
            Instruction::Add { a, b, to } => {
                (to, zip(self.load(a), self.load(b), u32::wrapping_add))
            }
            Instruction::And { a, b, to } => {
                (to, zip(self.low(a), self.low_or_memory(b), |a, b| a & b))
            }
            Instruction::Shuffle { order, from, to } => {
                let words = self.load(from);
                (
                    to,
                    std::array::from_fn(|index| words[usize::from(order >> (2 * index) & 3)]),
                )
            }
            Instruction::Blend { mask, a, b, to } => {
                let (a, b) = (self.low(a), self.low_or_memory(b));
                let word = |index: usize| {
                    if mask >> index & 1 == 1 {
                        b[index]
                    } else {
                        a[index]
                    }
                };
                (to, std::array::from_fn(word))
            }
            Instruction::Align {
                bytes,
                high,
                low,
                to,
            } => {
                assert_eq!(bytes % 4, 0);
                let both = [self.load(low), self.load(high)].concat();
                (
                    to,
                    std::array::from_fn(|index| both[index + usize::from(bytes) / 4]),
                )
            }
            Instruction::Rounds { from, to } => (
                to,
                two_rounds(self.low(to), self.low(from), self.load(Xmm(0))),
            ),
            Instruction::Message1 { from, to } => {
                (to, message1(self.low(to), self.low_or_memory(from)))
            }
            Instruction::Message2 { from, to } => {
                (to, message2(self.low(to), self.low_or_memory(from)))
            }
            _ => return self.execute_without_result(instruction),
        };
        self.vectors[usize::from(to.0)] = words;
    }

    fn execute_without_result(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::Store { from, to } => {
                let (address, words) = (self.address(to), self.load(from));
                assert_eq!(address % 16, 0, "not aligned: {to}");
                self.store(address, &words);
            }
            Instruction::StoreWord { from, to } => {
                let (address, words) = (self.address(to), self.low(from));
                self.store(address, &words[..1]);
            }
            Instruction::Advance { register, by } => self.general[register as usize] += by,
            Instruction::Copy { from, to } => self.set(to, self.general[from as usize]),
            Instruction::Decrement(register) => {
                self.general[register as usize] -= 1;
                self.is_zero = self.general[register as usize] == 0;
            }
            Instruction::Enter(bytes) => {
                assert!(bytes <= STACK);
                let stack = self.general[Gpr::Stack as usize] - bytes;
                self.set(Gpr::Stack, stack / 64 * 64);
            }
            Instruction::Label(_) | Instruction::JumpUnlessZero { .. } => {}
            _ => unreachable!("{instruction} has a result"),
        }
    }
}

fn zip(a: Words, b: Words, operation: impl Fn(u32, u32) -> u32) -> Words {
    std::array::from_fn(|index| operation(a[index], b[index]))
}

/// `sha256rnds2`: the words C, D, G, H are in `cdgh` from the highest to the lowest, A, B, E, F in `abef`.
fn two_rounds(cdgh: Words, abef: Words, sums: Words) -> Words {
    let ([h, g, d, c], [f, e, b, a]) = (cdgh, abef);
    let after = round(round([a, b, c, d, e, f, g, h], sums[0]), sums[1]);
    let [a, b, _, _, e, f, _, _] = after;
    [f, e, b, a]
}

/// `sha256msg1`.
fn message1(words: Words, next: Words) -> Words {
    let follows = [words[1], words[2], words[3], next[0]];
    zip(words, follows.map(small_sigma0), u32::wrapping_add)
}

/// `sha256msg2`.
fn message2(words: Words, before: Words) -> Words {
    let first = words[0].wrapping_add(small_sigma1(before[2]));
    let second = words[1].wrapping_add(small_sigma1(before[3]));
    let third = words[2].wrapping_add(small_sigma1(first));
    let fourth = words[3].wrapping_add(small_sigma1(second));
    [first, second, third, fourth]
}
