//! The second hash, of the first one.

use super::instruction::Instruction as I;
use super::writer::{Homes, State, Writer, constant};
use crate::device::cpu::sha_ni::layout as at;

impl Writer {
    /// The second hash, up to the round that decides.
    pub(super) fn second_hash(&mut self, states: &[State], homes: &[Homes]) -> Vec<Vec<I>> {
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
