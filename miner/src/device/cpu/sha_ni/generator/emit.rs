//! Writes the kernels: the second block of some headers beside the second hash of those before them, so that the chains of
//! one fill the gaps of the other.

use super::instruction::{Direction, Gpr, Instruction as I, Mem, Source, Xmm};
use super::writer::{Homes, State, Writer};
use crate::device::cpu::sha_ni::layout as at;

/// Headers in a step; as many chains of rounds again belong to the step before.
pub(super) const STREAMS: usize = 3;

/// Which vector registers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registers {
    /// Those of AVX.
    Sixteen,
    /// Those of AVX-512.
    ThirtyTwo,
}

/// What the headers of a step have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The nonce, and with it the message words of the second block, which come from memory.
    Rolled,
    /// The version.
    Plain,
}

/// A kernel as a list of instructions.
pub(super) fn kernel(step: Step, registers: Registers) -> Vec<I> {
    let state = |index: usize| State {
        abef: Xmm(1 + 2 * index as u8),
        cdgh: Xmm(2 + 2 * index as u8),
    };
    let second_hash: Vec<State> = (0..STREAMS).map(state).collect();
    let second_block: Vec<State> = (STREAMS..2 * STREAMS).map(state).collect();
    let homes: Vec<Homes> = (0..2 * STREAMS)
        .map(|chain| homes(chain, registers))
        .collect();
    let (hash_homes, block_homes) = homes.split_at(STREAMS);
    let mut writer = Writer::new((1 + 4 * STREAMS as u8..16).map(Xmm).collect());
    let hash = writer.second_hash(&second_hash, hash_homes);
    let block = match step {
        Step::Rolled => writer.shared_block(&second_block),
        Step::Plain => writer.own_block(&second_block, block_homes),
    };
    let mut code = vec![I::Enter(16 * 4 * 2 * STREAMS)];
    if step == Step::Rolled {
        code.push(I::Copy {
            from: Gpr::Versions,
            to: Gpr::Group,
        });
        code.push(I::Copy {
            from: Gpr::Groups,
            to: Gpr::GroupsLeft,
        });
    }
    code.push(I::Label(2));
    interleave(&mut code, hash, block);
    for (index, state) in second_hash.iter().enumerate() {
        let to = Mem {
            base: Gpr::Results,
            offset: 4 * index,
        };
        code.push(I::StoreWord {
            from: state.cdgh,
            to,
        });
    }
    for index in 0..STREAMS {
        let middle = match step {
            Step::Rolled => Mem {
                base: Gpr::Group,
                offset: at::VERSION * index + at::MIDSTATE,
            },
            Step::Plain => Mem {
                base: Gpr::Versions,
                offset: at::MIDSTATE,
            },
        };
        code.extend(writer.hand_over(second_block[index], middle, &hash_homes[index]));
    }
    code.extend(end_of_step(step));
    code
}

/// The high registers, as far as there are some, then the stack.
fn homes(chain: usize, registers: Registers) -> Homes {
    std::array::from_fn(|group| {
        let index = 4 * chain + group;
        match registers {
            Registers::ThirtyTwo if index < 16 => Source::Xmm(Xmm(16 + index as u8)),
            _ => Source::Mem(Mem {
                base: Gpr::Stack,
                offset: 16 * index,
            }),
        }
    })
}

/// Merges two lists of pieces evenly.
fn interleave(code: &mut Vec<I>, one: Vec<Vec<I>>, other: Vec<Vec<I>>) {
    let (count, other_count) = (one.len(), other.len());
    let mut rest = other.into_iter();
    let mut taken = 0;
    for (index, piece) in one.into_iter().enumerate() {
        code.extend(piece);
        while taken * count < (index + 1) * other_count {
            code.extend(rest.next().into_iter().flatten());
            taken += 1;
        }
    }
}

fn end_of_step(step: Step) -> Vec<I> {
    let advance = |register, by| I::Advance { register, by };
    let mut code = vec![advance(Gpr::Results, 4 * STREAMS)];
    match step {
        Step::Rolled => code.extend([
            advance(Gpr::Group, STREAMS * at::VERSION),
            I::Decrement(Gpr::GroupsLeft),
            I::JumpUnlessZero {
                label: 3,
                direction: Direction::Ahead,
            },
            advance(Gpr::Nonces, at::SCHEDULE),
            I::Copy {
                from: Gpr::Versions,
                to: Gpr::Group,
            },
            I::Copy {
                from: Gpr::Groups,
                to: Gpr::GroupsLeft,
            },
            I::Label(3),
        ]),
        Step::Plain => code.push(advance(Gpr::Nonces, 4 * STREAMS)),
    }
    code.extend([
        I::Decrement(Gpr::Steps),
        I::JumpUnlessZero {
            label: 2,
            direction: Direction::Back,
        },
        I::Return,
    ]);
    code
}
