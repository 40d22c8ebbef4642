//! Double SHA-256 of many headers at a time, one in each 32-bit lane of a vector: the same code for all widths.

#![expect(
    clippy::needless_range_loop,
    reason = "rounds are known by their numbers, which find more than the constant"
)]

use std::array::from_fn;

use super::kernel::Candidate;
use super::sha256::{
    HASH_BITS, HEADER_BITS, K, PADDING, SecondBlock, may_meet, round as plain_round, small_sigma0,
    small_sigma1,
};
use crate::PreparedHeader;
use crate::job::SHA256_INITIAL_STATE;

/// More lanes than any vector has.
const MOST_LANES: usize = 16;

/// A vector of 32-bit lanes. All operations are lane by lane, sums wrap around.
///
/// What implements it for a set of instructions must only be used where the processor has them.
pub(super) trait Lanes: Copy {
    /// How many lanes there are: [`MOST_LANES`] at most.
    const COUNT: usize;

    fn all(word: u32) -> Self;
    /// The first words, as many as there are lanes.
    fn from_words(words: &[u32; MOST_LANES]) -> Self;
    fn to_words(self) -> [u32; MOST_LANES];
    fn plus(self, other: Self) -> Self;
    fn rotate_right<const BITS: i32, const LEFT: i32>(self) -> Self;
    fn shift_right<const BITS: i32>(self) -> Self;
    fn xor3(self, b: Self, c: Self) -> Self;
    /// Bits of `b` where this one has a one, of `c` elsewhere.
    fn choose(self, b: Self, c: Self) -> Self;
    fn majority(self, b: Self, c: Self) -> Self;
}

#[inline(always)]
fn schedule0<V: Lanes>(x: V) -> V {
    x.rotate_right::<7, 25>()
        .xor3(x.rotate_right::<18, 14>(), x.shift_right::<3>())
}

#[inline(always)]
fn schedule1<V: Lanes>(x: V) -> V {
    x.rotate_right::<17, 15>()
        .xor3(x.rotate_right::<19, 13>(), x.shift_right::<10>())
}

/// Where a word of the state is before a round: the words change places by the round's number instead of being moved.
const fn place(word: usize, round: usize) -> usize {
    (word + 64 - round % 64) % 8
}

/// The first part of a round, which gives the next fifth word.
#[inline(always)]
fn lower_half<V: Lanes>(state: &mut [V; 8], number: usize, sum: V) -> V {
    let at = |word: usize| place(word, number);
    let [e, f, g, h] = [4, 5, 6, 7].map(|word| state[at(word)]);
    let sigma = e
        .rotate_right::<6, 26>()
        .xor3(e.rotate_right::<11, 21>(), e.rotate_right::<25, 7>());
    let t1 = h.plus(sum).plus(e.choose(f, g).plus(sigma));
    state[at(3)] = state[at(3)].plus(t1);
    t1
}

/// One round, with its constant and message word together.
#[inline(always)]
fn round<V: Lanes>(state: &mut [V; 8], number: usize, sum: V) {
    let t1 = lower_half(state, number, sum);
    let [a, b, c] = [0, 1, 2].map(|word| state[place(word, number)]);
    let sigma = a
        .rotate_right::<2, 30>()
        .xor3(a.rotate_right::<13, 19>(), a.rotate_right::<22, 10>());
    state[place(7, number)] = t1.plus(a.majority(b, c)).plus(sigma);
}

/// A message word from the sixteenth on, in place of the one sixteen before it.
#[inline(always)]
fn next_word<V: Lanes>(w: &mut [V; 16], number: usize) -> V {
    let ago = |rounds: usize| w[(number + 16 - rounds) % 16];
    let word = ago(16)
        .plus(schedule0(ago(15)))
        .plus(ago(7).plus(schedule1(ago(2))));
    w[number % 16] = word;
    word
}

/// A version's state before round 18, up to which no message word but the nonce changes it: constants for rounds 4 to 17.
struct Shared {
    block: SecondBlock,
    /// Constants and words of rounds 4 to 17.
    sums: [u32; 14],
    w16: u32,
    w17: u32,
}

impl Shared {
    fn new(block: SecondBlock) -> Self {
        let [w0, w1, w2] = block.words;
        let w16 = w0.wrapping_add(small_sigma0(w1));
        let w17 = w1
            .wrapping_add(small_sigma0(w2))
            .wrapping_add(small_sigma1(HEADER_BITS));
        let mut sums: [u32; 14] = from_fn(|index| K[4 + index]);
        for (index, word) in [(0, PADDING), (11, HEADER_BITS), (12, w16), (13, w17)] {
            sums[index] = sums[index].wrapping_add(word);
        }
        Self {
            block,
            sums,
            w16,
            w17,
        }
    }

    /// The state before round 18.
    #[inline(always)]
    fn state<V: Lanes>(&self, nonces: V) -> [V; 8] {
        let mut state = [V::all(0); 8];
        for (word, shared) in self.block.after_four.into_iter().enumerate() {
            state[place(word, 4)] = V::all(shared);
        }
        for word in [0, 4] {
            let at = place(word, 4);
            state[at] = state[at].plus(nonces);
        }
        for number in 4..18 {
            round(&mut state, number, V::all(self.sums[number - 4]));
        }
        state
    }

    /// Message words 18 to 31 and, in their places, 16 and 17; terms that no nonce changes are one constant.
    #[inline(always)]
    fn words<V: Lanes>(&self, nonces: V) -> [V; 16] {
        let constant = |word: u32| V::all(word);
        let (w16, w17) = (self.w16, self.w17);
        let mut w = [constant(0); 16];
        w[0] = constant(w16);
        w[1] = constant(w17);
        w[2] =
            constant(self.block.words[2].wrapping_add(small_sigma1(w16))).plus(schedule0(nonces));
        w[3] = constant(small_sigma0(PADDING).wrapping_add(small_sigma1(w17))).plus(nonces);
        w[4] = constant(PADDING).plus(schedule1(w[2]));
        w[5] = schedule1(w[3]);
        w[6] = constant(HEADER_BITS).plus(schedule1(w[4]));
        w[7] = constant(w16).plus(schedule1(w[5]));
        w[8] = constant(w17).plus(schedule1(w[6]));
        for index in 9..14 {
            w[index] = w[index - 7].plus(schedule1(w[index - 2]));
        }
        w[14] = constant(small_sigma0(HEADER_BITS))
            .plus(w[7])
            .plus(schedule1(w[12]));
        w[15] = constant(HEADER_BITS.wrapping_add(small_sigma0(w16)))
            .plus(w[8])
            .plus(schedule1(w[13]));
        w
    }

    /// The first hash.
    #[inline(always)]
    fn hash<V: Lanes>(&self, state: [V; 8]) -> [V; 8] {
        from_fn(|word| state[word].plus(V::all(self.block.midstate[word])))
    }
}

/// The eighth word of the hash of a hash, but for the initial state.
#[inline(always)]
fn second_hash<V: Lanes>(hash: [V; 8]) -> V {
    // Of the first round all but the message word is constant.
    let after_first = plain_round(SHA256_INITIAL_STATE, K[0]);
    let mut state = [V::all(0); 8];
    for (word, shared) in after_first.into_iter().enumerate() {
        state[place(word, 1)] = V::all(shared);
    }
    for word in [0, 4] {
        let at = place(word, 1);
        state[at] = state[at].plus(hash[0]);
    }
    for number in 1..8 {
        round(&mut state, number, hash[number].plus(V::all(K[number])));
    }
    round(&mut state, 8, V::all(K[8].wrapping_add(PADDING)));
    for number in 9..15 {
        round(&mut state, number, V::all(K[number]));
    }
    round(&mut state, 15, V::all(K[15].wrapping_add(HASH_BITS)));
    let mut w = second_words(hash);
    for number in 16..32 {
        round(&mut state, number, w[number % 16].plus(V::all(K[number])));
    }
    for number in 32..57 {
        let word = next_word(&mut w, number);
        round(&mut state, number, word.plus(V::all(K[number])));
    }
    // The fifth word after round 60 is the eighth after round 63, and the first four are not needed for it any more.
    for number in 57..61 {
        let word = next_word(&mut w, number);
        lower_half(&mut state, number, word.plus(V::all(K[number])));
    }
    state[place(4, 61)]
}

/// Message words 16 to 31 of the second hash.
#[inline(always)]
fn second_words<V: Lanes>(hash: [V; 8]) -> [V; 16] {
    let mut w = [V::all(0); 16];
    w[..8].copy_from_slice(&hash);
    w[0] = w[0].plus(schedule0(w[1]));
    w[1] = w[1]
        .plus(V::all(small_sigma1(HASH_BITS)))
        .plus(schedule0(w[2]));
    for index in 2..6 {
        w[index] = w[index]
            .plus(schedule1(w[index - 2]))
            .plus(schedule0(w[index + 1]));
    }
    w[6] = w[6]
        .plus(V::all(HASH_BITS))
        .plus(schedule1(w[4]))
        .plus(schedule0(w[7]));
    w[7] = w[7]
        .plus(V::all(small_sigma0(PADDING)))
        .plus(w[0])
        .plus(schedule1(w[5]));
    w[8] = w[1].plus(V::all(PADDING)).plus(schedule1(w[6]));
    for index in 9..14 {
        w[index] = w[index - 7].plus(schedule1(w[index - 2]));
    }
    w[14] = w[7]
        .plus(V::all(small_sigma0(HASH_BITS)))
        .plus(schedule1(w[12]));
    w[15] = w[8]
        .plus(V::all(HASH_BITS))
        .plus(schedule0(w[0]))
        .plus(schedule1(w[13]));
    w
}

/// Adds the candidates among `count` nonces from `first` on, with all versions.
#[inline(always)]
pub(super) fn scan<V: Lanes>(
    header: &PreparedHeader,
    first: u32,
    count: u32,
    found: &mut Vec<Candidate>,
) {
    let target_top = header.target_words()[0];
    let versions: Vec<Shared> = (0..header.versions())
        .map(|version| Shared::new(SecondBlock::new(header, version)))
        .collect();
    // Words 18 to 63 with their constants, which all versions share.
    let mut sums = [V::all(0); 64];
    for offset in (0..count).step_by(V::COUNT) {
        // Beyond the end of the range, which may be that of all nonces, the result does not matter.
        let start = first.wrapping_add(offset);
        let nonces = from_fn(|lane| start.wrapping_add(lane as u32).swap_bytes());
        let nonces = V::from_words(&nonces);
        let mut w = versions[0].words(nonces);
        for number in 18..32 {
            sums[number] = w[number % 16].plus(V::all(K[number]));
        }
        for number in 32..64 {
            sums[number] = next_word(&mut w, number).plus(V::all(K[number]));
        }
        for (version, shared) in (0_u16..).zip(&versions) {
            let mut state = shared.state(nonces);
            for number in 18..64 {
                round(&mut state, number, sums[number]);
            }
            let tops = second_hash(shared.hash(state)).to_words();
            for (lane, top) in (0_u32..).zip(&tops[..V::COUNT]) {
                if may_meet(top.wrapping_add(SHA256_INITIAL_STATE[7]), target_top) {
                    found.push(Candidate {
                        nonce: start.wrapping_add(lane),
                        version,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::choice::hashes_right;
    use crate::device::cpu::kernel::Kernel;

    /// Lanes without any special instruction.
    #[derive(Clone, Copy)]
    struct Portable<const N: usize>([u32; MOST_LANES]);

    impl<const N: usize> Portable<N> {
        fn lanes(operation: impl Fn(usize) -> u32) -> Self {
            Self(from_fn(|lane| if lane < N { operation(lane) } else { 0 }))
        }
    }

    impl<const N: usize> Lanes for Portable<N> {
        const COUNT: usize = N;

        fn all(word: u32) -> Self {
            Self::lanes(|_| word)
        }
        fn from_words(words: &[u32; MOST_LANES]) -> Self {
            Self::lanes(|lane| words[lane])
        }
        fn to_words(self) -> [u32; MOST_LANES] {
            self.0
        }
        fn plus(self, other: Self) -> Self {
            Self::lanes(|lane| self.0[lane].wrapping_add(other.0[lane]))
        }
        fn rotate_right<const BITS: i32, const LEFT: i32>(self) -> Self {
            assert_eq!(BITS + LEFT, 32);
            Self::lanes(|lane| self.0[lane].rotate_right(BITS as u32))
        }
        fn shift_right<const BITS: i32>(self) -> Self {
            Self::lanes(|lane| self.0[lane] >> BITS)
        }
        fn xor3(self, b: Self, c: Self) -> Self {
            Self::lanes(|lane| self.0[lane] ^ b.0[lane] ^ c.0[lane])
        }
        fn choose(self, b: Self, c: Self) -> Self {
            Self::lanes(|lane| (self.0[lane] & b.0[lane]) | (!self.0[lane] & c.0[lane]))
        }
        fn majority(self, b: Self, c: Self) -> Self {
            let [a, b, c] = [self.0, b.0, c.0];
            Self::lanes(|lane| (a[lane] & b[lane]) | (a[lane] & c[lane]) | (b[lane] & c[lane]))
        }
    }

    impl<const N: usize> Kernel for Portable<N> {
        fn name(&self) -> &'static str {
            "portable"
        }

        fn scan(
            &self,
            header: &PreparedHeader,
            first: u32,
            count: u32,
            found: &mut Vec<Candidate>,
        ) {
            scan::<Self>(header, first, count, found);
        }
    }

    #[test]
    fn every_width_hashes_right() {
        assert!(hashes_right(&Portable::<1>([0; MOST_LANES])));
        assert!(hashes_right(&Portable::<8>([0; MOST_LANES])));
        assert!(hashes_right(&Portable::<16>([0; MOST_LANES])));
    }
}
