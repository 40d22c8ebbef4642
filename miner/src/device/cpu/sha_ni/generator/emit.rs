//! Writes the kernels: the second block of some headers beside the second hash of those before them, so that the chains of
//! one fill the gaps of the other.

use super::instruction::{Direction, Gpr, Instruction as I, Mem, Source, Xmm};
use crate::device::cpu::sha_ni::layout as at;

/// Headers in a step; as many chains of rounds again belong to the step before.
pub(super) const STREAMS: usize = 3;

/// Where a chain keeps sixteen message words, as four groups.
type Homes = [Source; 4];

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

/// The state of a chain.
#[derive(Clone, Copy)]
struct State {
    abef: Xmm,
    cdgh: Xmm,
}

/// Register 0, which the rounds take their words from.
const SUMS: Xmm = Xmm(0);

struct Writer {
    code: Vec<I>,
    /// Registers for what is needed for a moment.
    scratch: Vec<Xmm>,
    next_scratch: usize,
    /// The one of them that the present piece needs to its end.
    kept: Option<Xmm>,
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
    let mut writer = Writer {
        code: Vec::new(),
        scratch: (1 + 4 * STREAMS as u8..16).map(Xmm).collect(),
        next_scratch: 0,
        kept: None,
    };
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

fn constant(offset: usize) -> Mem {
    Mem {
        base: Gpr::Constants,
        offset,
    }
}

/// The round constants of four rounds.
fn k(group: usize) -> Mem {
    constant(at::K + 16 * group)
}

impl Writer {
    /// A register for a moment: two of them at a time are not the same.
    fn scratch(&mut self) -> Xmm {
        loop {
            self.next_scratch += 1;
            let register = self.scratch[self.next_scratch % self.scratch.len()];
            if self.kept != Some(register) {
                return register;
            }
        }
    }

    /// A register up to the end of the piece.
    fn keep(&mut self) -> Xmm {
        let register = self.scratch();
        self.kept = Some(register);
        register
    }

    fn keep_home(&mut self, home: Source) -> Xmm {
        let to = self.keep();
        self.load(home, to);
        to
    }

    fn piece(&mut self, write: impl FnOnce(&mut Self)) -> Vec<I> {
        let before = std::mem::take(&mut self.code);
        self.kept = None;
        write(self);
        std::mem::replace(&mut self.code, before)
    }

    fn push(&mut self, instruction: I) {
        self.code.push(instruction);
    }

    fn load(&mut self, from: impl Into<Source>, to: Xmm) {
        self.push(I::Load {
            from: from.into(),
            to,
        });
    }

    fn load_home(&mut self, home: Source) -> Xmm {
        let to = self.scratch();
        self.load(home, to);
        to
    }

    fn store_home(&mut self, from: Xmm, home: Source) {
        self.push(match home {
            Source::Xmm(to) => I::Load {
                from: from.into(),
                to,
            },
            Source::Mem(to) => I::Store { from, to },
        });
    }

    /// What a SHA instruction can take instead of a home.
    fn sha_source(&mut self, home: Source) -> Source {
        match home {
            Source::Xmm(register) if register.is_high() => self.load_home(home).into(),
            _ => home,
        }
    }

    /// A register in place of a home.
    fn register(&mut self, home: Source) -> Xmm {
        match home {
            Source::Xmm(register) => register,
            Source::Mem(_) => self.load_home(home),
        }
    }

    /// Two rounds of some chains with words from memory.
    fn half_rounds(&mut self, states: &[State], words: Mem, half: usize) {
        let at = Mem {
            offset: words.offset + 8 * half,
            ..words
        };
        match half {
            0 => self.load(at, SUMS),
            _ => self.push(I::LoadHalf { from: at, to: SUMS }),
        }
        for State { abef, cdgh } in states {
            self.push(match half {
                0 => I::Rounds {
                    from: *abef,
                    to: *cdgh,
                },
                _ => I::Rounds {
                    from: *cdgh,
                    to: *abef,
                },
            });
        }
    }

    /// Four rounds with a chain's own words.
    fn rounds(&mut self, State { abef, cdgh }: State, home: Source, group: usize) {
        self.first_rounds(State { abef, cdgh }, home, group);
        self.push(I::Shuffle {
            order: 0x0e,
            from: SUMS,
            to: SUMS,
        });
        self.push(I::Rounds {
            from: cdgh,
            to: abef,
        });
    }

    fn first_rounds(&mut self, State { abef, cdgh }: State, home: Source, group: usize) {
        match home {
            Source::Xmm(register) => self.push(I::Add {
                a: register,
                b: k(group).into(),
                to: SUMS,
            }),
            Source::Mem(_) => {
                self.load(home, SUMS);
                self.push(I::Add {
                    a: SUMS,
                    b: k(group).into(),
                    to: SUMS,
                });
            }
        }
        self.push(I::Rounds {
            from: abef,
            to: cdgh,
        });
    }

    /// Adds to `sum` the words that end one word after `low` does.
    fn add_across(&mut self, sum: Xmm, low: Source, high: Source) {
        let across = self.scratch();
        let high = self.register(high);
        self.push(I::Align {
            bytes: 4,
            high,
            low,
            to: across,
        });
        self.push(I::Add {
            a: sum,
            b: across.into(),
            to: sum,
        });
    }

    /// The next four message words from the sixteen before them, in place of the first of these.
    fn message(&mut self, homes: &Homes, group: usize) {
        let home = |ahead: usize| homes[(group + ahead) % 4];
        let sum = self.keep_home(home(0));
        let next = self.sha_source(home(1));
        self.push(I::Message1 {
            from: next,
            to: sum,
        });
        self.add_across(sum, home(2), home(3));
        let last = self.sha_source(home(3));
        self.push(I::Message2 {
            from: last,
            to: sum,
        });
        self.store_home(sum, home(0));
    }

    /// Rounds 24 to 55 with the message words that go with them, then those up to the last four.
    fn middle(&mut self, pieces: &mut Vec<Vec<I>>, states: &[State], homes: &[Homes]) {
        for group in 6..14 {
            for (state, homes) in states.iter().zip(homes) {
                pieces.push(self.piece(|w| w.rounds(*state, homes[group % 4], group)));
                pieces.push(self.piece(|w| w.message(homes, group + 2)));
            }
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[14 % 4], 14)));
        }
    }

    /// The second block with message words that all nonces share.
    fn shared_block(&mut self, states: &[State]) -> Vec<Vec<I>> {
        let mut pieces = vec![self.piece(|w| {
            for (index, State { abef, cdgh }) in states.iter().enumerate() {
                let version = |offset| Mem {
                    base: Gpr::Group,
                    offset: at::VERSION * index + offset,
                };
                let nonce = Mem {
                    base: Gpr::Nonces,
                    offset: at::NONCE,
                };
                w.load(nonce, *abef);
                w.push(I::Add {
                    a: *abef,
                    b: version(at::AFTER_FOUR).into(),
                    to: *abef,
                });
                w.load(version(at::AFTER_FOUR + 16), *cdgh);
            }
        })];
        for group in 1..16 {
            let words = match group {
                1..=3 => constant(at::BLOCK_SUMS + 16 * (group - 1)),
                _ => Mem {
                    base: Gpr::Nonces,
                    offset: 16 * (group - 4),
                },
            };
            for half in 0..2 {
                pieces.push(self.piece(|w| w.half_rounds(states, words, half)));
            }
        }
        pieces
    }

    /// The second block, each with a nonce of its own.
    fn own_block(&mut self, states: &[State], homes: &[Homes]) -> Vec<Vec<I>> {
        let header = |offset| Mem {
            base: Gpr::Versions,
            offset,
        };
        let mut pieces = Vec::new();
        for (index, (State { abef, cdgh }, homes)) in states.iter().zip(homes).enumerate() {
            pieces.push(self.piece(|w| {
                let (nonce, places) = (w.scratch(), w.scratch());
                let from = Mem {
                    base: Gpr::Nonces,
                    offset: 4 * index,
                };
                w.push(I::LoadToAll { from, to: nonce });
                w.push(I::And {
                    a: nonce,
                    b: constant(at::NONCE_PLACES).into(),
                    to: places,
                });
                w.push(I::Add {
                    a: places,
                    b: header(at::AFTER_FOUR).into(),
                    to: *abef,
                });
                w.load(header(at::AFTER_FOUR + 16), *cdgh);
                w.load(header(at::WORDS), places);
                w.push(I::Blend {
                    mask: 8,
                    a: places,
                    b: nonce.into(),
                    to: nonce,
                });
                w.push(I::Message1 {
                    from: constant(at::PADDING).into(),
                    to: nonce,
                });
                w.push(I::Add {
                    a: nonce,
                    b: header(at::WORDS + 16).into(),
                    to: nonce,
                });
                w.store_home(nonce, homes[0]);
            }));
        }
        let constants = |w: &mut Self, group: usize, half| {
            let words = constant(at::BLOCK_SUMS + 16 * (group - 1));
            w.piece(|w| w.half_rounds(states, words, half))
        };
        for half in 0..2 {
            pieces.push(constants(self, 1, half));
        }
        for homes in homes {
            pieces.push(self.piece(|w| {
                let sum = w.keep();
                w.load(header(at::WORDS + 32), sum);
                let last = w.sha_source(homes[0]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[1]);
            }));
        }
        for half in 0..2 {
            pieces.push(constants(self, 2, half));
        }
        for homes in homes {
            pieces.push(self.piece(|w| {
                let sum = w.keep();
                let high = w.register(homes[1]);
                w.push(I::Align {
                    bytes: 4,
                    high,
                    low: homes[0],
                    to: sum,
                });
                let last = w.sha_source(homes[1]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[2]);
            }));
        }
        for half in 0..2 {
            pieces.push(constants(self, 3, half));
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[0], 4)));
            pieces.push(self.piece(|w| {
                let sum = w.keep();
                w.load(header(at::WORDS + 48), sum);
                w.add_across(sum, homes[1], homes[2]);
                let last = w.sha_source(homes[2]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[3]);
            }));
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[1], 5)));
        }
        self.middle(&mut pieces, states, homes);
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[3], 15)));
        }
        pieces
    }

    /// The first hash is the message of the second one.
    fn hand_over(&mut self, State { abef, cdgh }: State, middle: Mem, homes: &Homes) -> Vec<I> {
        let lower = Mem {
            offset: middle.offset + 16,
            ..middle
        };
        self.piece(|w| {
            w.push(I::Add {
                a: abef,
                b: middle.into(),
                to: abef,
            });
            w.push(I::Add {
                a: cdgh,
                b: lower.into(),
                to: cdgh,
            });
            let (high, low, first) = (w.scratch(), w.scratch(), w.scratch());
            w.push(I::Shuffle {
                order: 0x1b,
                from: abef,
                to: high,
            });
            w.push(I::Shuffle {
                order: 0xb1,
                from: cdgh,
                to: low,
            });
            w.push(I::Blend {
                mask: 0xc,
                a: high,
                b: low.into(),
                to: first,
            });
            w.store_home(first, homes[0]);
            w.push(I::Align {
                bytes: 8,
                high: low,
                low: high.into(),
                to: first,
            });
            w.store_home(first, homes[1]);
        })
    }

    /// The second hash, up to the round that decides.
    fn second_hash(&mut self, states: &[State], homes: &[Homes]) -> Vec<Vec<I>> {
        let (padding, length) = (constant(at::PADDING), constant(at::LENGTH));
        let mut pieces = Vec::new();
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| {
                w.load(constant(at::INITIAL), state.abef);
                w.load(constant(at::INITIAL + 16), state.cdgh);
                w.rounds(*state, homes[0], 0);
                let sum = w.keep_home(homes[0]);
                let next = w.sha_source(homes[1]);
                w.push(I::Message1 {
                    from: next,
                    to: sum,
                });
                w.push(I::Message2 {
                    from: length.into(),
                    to: sum,
                });
                w.store_home(sum, homes[0]);
            }));
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| {
                w.rounds(*state, homes[1], 1);
                let sum = w.keep_home(homes[1]);
                w.push(I::Message1 {
                    from: padding.into(),
                    to: sum,
                });
                w.add_across(sum, length.into(), homes[0]);
                let last = w.sha_source(homes[0]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[1]);
            }));
        }
        let sums = |group: usize| constant(at::HASH_SUMS + 16 * group);
        for half in 0..2 {
            pieces.push(self.piece(|w| w.half_rounds(states, sums(0), half)));
        }
        for homes in homes {
            pieces.push(self.piece(|w| {
                let sum = w.keep();
                let high = w.register(homes[1]);
                w.push(I::Align {
                    bytes: 4,
                    high,
                    low: homes[0],
                    to: sum,
                });
                w.push(I::Add {
                    a: sum,
                    b: padding.into(),
                    to: sum,
                });
                let last = w.sha_source(homes[1]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[2]);
            }));
        }
        for half in 0..2 {
            pieces.push(self.piece(|w| w.half_rounds(states, sums(1), half)));
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[0], 4)));
            pieces.push(self.piece(|w| {
                let sum = w.keep();
                w.load(length, sum);
                let next = w.sha_source(homes[0]);
                w.push(I::Message1 {
                    from: next,
                    to: sum,
                });
                w.add_across(sum, homes[1], homes[2]);
                let last = w.sha_source(homes[2]);
                w.push(I::Message2 {
                    from: last,
                    to: sum,
                });
                w.store_home(sum, homes[3]);
            }));
        }
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.rounds(*state, homes[1], 5)));
        }
        self.middle(&mut pieces, states, homes);
        for (state, homes) in states.iter().zip(homes) {
            pieces.push(self.piece(|w| w.first_rounds(*state, homes[3], 15)));
        }
        pieces
    }
}
