//! AVX2: eight nonces at a time, one in each 32-bit lane.

#![expect(
    unsafe_code,
    reason = "the processor's instructions are called by name"
)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_castsi256_ps,
    _mm256_cmpeq_epi32, _mm256_min_epu32, _mm256_movemask_ps, _mm256_or_si256, _mm256_set_epi32,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi32,
    _mm256_srli_epi32, _mm256_xor_si256,
};

use super::kernel::{Candidate, Kernel};
use super::sha256::{HASH_BITS, HEADER_BITS, K, PADDING, SecondBlock};
use crate::PreparedHeader;
use crate::job::SHA256_INITIAL_STATE;

/// Nonces at a time.
const LANES: u32 = 8;

/// AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2 {
    /// Only made where the processor has the instructions.
    _supported: (),
}

impl Avx2 {
    /// The kernel, where the processor has the instructions.
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self { _supported: () })
    }
}

impl Kernel for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        let target_top = header.target_words()[0];
        for version in 0..header.versions() {
            let block = SecondBlock::new(header, version);
            let mut add = |nonce| found.push(Candidate { nonce, version });
            // SAFETY: `new` found the instructions that the function is compiled for.
            unsafe { scan(&block, target_top, first, count, &mut add) }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_srli_epi32(x, RIGHT), _mm256_slli_epi32(x, LEFT))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

#[inline]
#[target_feature(enable = "avx2")]
fn small_sigma0(x: __m256i) -> __m256i {
    xor3(
        rotate::<7, 25>(x),
        rotate::<18, 14>(x),
        _mm256_srli_epi32(x, 3),
    )
}

#[inline]
#[target_feature(enable = "avx2")]
fn small_sigma1(x: __m256i) -> __m256i {
    xor3(
        rotate::<17, 15>(x),
        rotate::<19, 13>(x),
        _mm256_srli_epi32(x, 10),
    )
}

/// Where a word of the state is before a round: the words change places by the round's number instead of being moved.
const fn place(word: usize, round: usize) -> usize {
    (word + 64 - round) % 8
}

/// One round.
#[inline]
#[target_feature(enable = "avx2")]
fn round(state: &mut [__m256i; 8], number: usize, message: __m256i) {
    let at = |word: usize| place(word, number);
    let [a, b, c, e, f, g, h] = [0, 1, 2, 4, 5, 6, 7].map(|word| state[at(word)]);
    let sum1 = xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e));
    let choice = _mm256_xor_si256(_mm256_and_si256(e, f), _mm256_andnot_si256(e, g));
    let t1 = _mm256_add_epi32(
        _mm256_add_epi32(h, message),
        _mm256_add_epi32(_mm256_add_epi32(sum1, choice), all(K[number])),
    );
    let sum0 = xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a));
    let majority = _mm256_or_si256(
        _mm256_and_si256(a, b),
        _mm256_and_si256(c, _mm256_or_si256(a, b)),
    );
    state[at(3)] = _mm256_add_epi32(state[at(3)], t1);
    state[at(7)] = _mm256_add_epi32(t1, _mm256_add_epi32(sum0, majority));
}

/// The message word of a round from the sixteenth on, in place of the one sixteen before it.
#[inline]
#[target_feature(enable = "avx2")]
fn schedule(w: &mut [__m256i; 16], number: usize) -> __m256i {
    let ago = |rounds: usize| w[(number + 16 - rounds) % 16];
    let word = _mm256_add_epi32(
        _mm256_add_epi32(small_sigma1(ago(2)), ago(7)),
        _mm256_add_epi32(small_sigma0(ago(15)), ago(16)),
    );
    w[number % 16] = word;
    word
}

/// Rounds from `FROM` up to `TO`.
#[inline]
#[target_feature(enable = "avx2")]
fn rounds<const FROM: usize, const TO: usize>(state: &mut [__m256i; 8], w: &mut [__m256i; 16]) {
    for number in FROM..TO {
        let word = if number < 16 {
            w[number]
        } else {
            schedule(w, number)
        };
        round(state, number, word);
    }
}

/// The eighth words of the double hashes of eight headers.
#[inline]
#[target_feature(enable = "avx2")]
fn top_words(block: &SecondBlock, nonces: __m256i) -> __m256i {
    let mut w = [all(0); 16];
    for (word, shared) in w.iter_mut().zip(block.words) {
        *word = all(shared);
    }
    w[3] = nonces;
    w[4] = all(PADDING);
    w[15] = all(HEADER_BITS);
    let mut state = [all(0); 8];
    for (word, shared) in block.after_four.into_iter().enumerate() {
        state[place(word, 4)] = all(shared);
    }
    for word in [0, 4] {
        let at = place(word, 4);
        state[at] = _mm256_add_epi32(state[at], nonces);
    }
    rounds::<4, 64>(&mut state, &mut w);
    let mut message = [all(0); 16];
    for (word, before) in block.midstate.into_iter().enumerate() {
        message[word] = _mm256_add_epi32(state[word], all(before));
    }
    message[8] = all(PADDING);
    message[15] = all(HASH_BITS);
    let mut state = SHA256_INITIAL_STATE.map(|word| all(word));
    rounds::<0, 61>(&mut state, &mut message);
    // The fifth word after round 60 is the eighth after round 63.
    _mm256_add_epi32(state[place(4, 61)], all(SHA256_INITIAL_STATE[7]))
}

/// Calls `add` with each candidate among `count` nonces from `first` on.
#[target_feature(enable = "avx2")]
fn scan(block: &SecondBlock, target_top: u32, first: u32, count: u32, add: &mut impl FnMut(u32)) {
    let lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    // Reverses the bytes of each word.
    let swap = _mm256_or_si256(
        _mm256_set1_epi64x(0x0405_0607_0001_0203),
        _mm256_set_epi32(
            0x0808_0808,
            0x0808_0808,
            0,
            0,
            0x0808_0808,
            0x0808_0808,
            0,
            0,
        ),
    );
    let target = all(target_top);
    let mut offset = 0;
    while offset < count {
        // Beyond the end of the range, which may be that of all nonces, the result does not matter.
        let start = first.wrapping_add(offset);
        let nonces = _mm256_add_epi32(all(start), lanes);
        let tops = top_words(block, _mm256_shuffle_epi8(nonces, swap));
        let tops = _mm256_shuffle_epi8(tops, swap);
        let not_above = _mm256_cmpeq_epi32(_mm256_min_epu32(tops, target), tops);
        let mut mask = _mm256_movemask_ps(_mm256_castsi256_ps(not_above));
        while mask != 0 {
            add(start.wrapping_add(mask.trailing_zeros()));
            mask &= mask - 1;
        }
        offset = offset.saturating_add(LANES);
    }
}
