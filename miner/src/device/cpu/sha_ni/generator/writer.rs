//! What kernels are made of: loads and stores of message words, rounds, and the message schedule.

use super::instruction::{Gpr, Instruction as I, Mem, Source, Xmm};
use crate::device::cpu::sha_ni::layout as at;

/// Where a chain keeps sixteen message words, as four groups.
pub(super) type Homes = [Source; 4];

/// The state of a chain.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) abef: Xmm,
    pub(super) cdgh: Xmm,
}

/// Register 0, which the rounds take their words from.
const SUMS: Xmm = Xmm(0);

/// Writes the instructions of one piece after the other.
pub(super) struct Writer {
    code: Vec<I>,
    /// Registers for what is needed for a moment.
    scratch: Vec<Xmm>,
    next_scratch: usize,
    /// The one of them that the present piece needs to its end.
    kept: Option<Xmm>,
}

pub(super) fn constant(offset: usize) -> Mem {
    Mem {
        base: Gpr::Constants,
        offset,
    }
}

/// The round constants of four rounds.
pub(super) fn k(group: usize) -> Mem {
    constant(at::K + 16 * group)
}

impl Writer {
    /// A writer that has these registers for what is needed for a moment.
    pub(super) fn new(scratch: Vec<Xmm>) -> Self {
        Self {
            code: Vec::new(),
            scratch,
            next_scratch: 0,
            kept: None,
        }
    }

    /// A register for a moment: two of them at a time are not the same.
    pub(super) fn scratch(&mut self) -> Xmm {
        loop {
            self.next_scratch += 1;
            let register = self.scratch[self.next_scratch % self.scratch.len()];
            if self.kept != Some(register) {
                return register;
            }
        }
    }

    /// A register up to the end of the piece.
    pub(super) fn keep(&mut self) -> Xmm {
        let register = self.scratch();
        self.kept = Some(register);
        register
    }

    pub(super) fn keep_home(&mut self, home: Source) -> Xmm {
        let to = self.keep();
        self.load(home, to);
        to
    }

    pub(super) fn piece(&mut self, write: impl FnOnce(&mut Self)) -> Vec<I> {
        let before = std::mem::take(&mut self.code);
        self.kept = None;
        write(self);
        std::mem::replace(&mut self.code, before)
    }

    pub(super) fn push(&mut self, instruction: I) {
        self.code.push(instruction);
    }

    pub(super) fn load(&mut self, from: impl Into<Source>, to: Xmm) {
        self.push(I::Load {
            from: from.into(),
            to,
        });
    }

    pub(super) fn load_home(&mut self, home: Source) -> Xmm {
        let to = self.scratch();
        self.load(home, to);
        to
    }

    pub(super) fn store_home(&mut self, from: Xmm, home: Source) {
        self.push(match home {
            Source::Xmm(to) => I::Load {
                from: from.into(),
                to,
            },
            Source::Mem(to) => I::Store { from, to },
        });
    }

    /// What a SHA instruction can take instead of a home.
    pub(super) fn sha_source(&mut self, home: Source) -> Source {
        match home {
            Source::Xmm(register) if register.is_high() => self.load_home(home).into(),
            _ => home,
        }
    }

    /// A register in place of a home.
    pub(super) fn register(&mut self, home: Source) -> Xmm {
        match home {
            Source::Xmm(register) => register,
            Source::Mem(_) => self.load_home(home),
        }
    }

    /// Two rounds of some chains with words from memory.
    pub(super) fn half_rounds(&mut self, states: &[State], words: Mem, half: usize) {
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
    pub(super) fn rounds(&mut self, State { abef, cdgh }: State, home: Source, group: usize) {
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

    pub(super) fn first_rounds(&mut self, State { abef, cdgh }: State, home: Source, group: usize) {
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
    pub(super) fn add_across(&mut self, sum: Xmm, low: Source, high: Source) {
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
    pub(super) fn message(&mut self, homes: &Homes, group: usize) {
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
    pub(super) fn middle(&mut self, pieces: &mut Vec<Vec<I>>, states: &[State], homes: &[Homes]) {
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
}
