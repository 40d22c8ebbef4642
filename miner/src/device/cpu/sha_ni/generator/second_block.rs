//! The second block of headers: with message words of their own, or with those that all versions of a nonce share.

use super::instruction::{Gpr, Instruction as I, Mem};
use super::writer::{Homes, State, Writer, constant};
use crate::device::cpu::sha_ni::layout as at;

impl Writer {
    /// The second block with message words that all nonces share.
    pub(super) fn shared_block(&mut self, states: &[State]) -> Vec<Vec<I>> {
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
    pub(super) fn own_block(&mut self, states: &[State], homes: &[Homes]) -> Vec<Vec<I>> {
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
    pub(super) fn hand_over(
        &mut self,
        State { abef, cdgh }: State,
        middle: Mem,
        homes: &Homes,
    ) -> Vec<I> {
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
}
