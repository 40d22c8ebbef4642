//! The SHA instructions of x86-64 (SHA-NI), several nonces side by side, so that one's rounds run while another's wait for
//! theirs: `sha256rnds2` takes four cycles, and one can begin at every cycle.
//!
//! Of the second hash only what decides is computed: its most significant word is known after 61 rounds.

#![expect(
    unsafe_code,
    reason = "the processor's instructions are called by name"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "what is done for each nonce is written in the order in which it shall run"
)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_cvtsi128_si32, _mm_set_epi32, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
    _mm_unpackhi_epi64, _mm_unpacklo_epi64,
};

use crate::PreparedHeader;
use crate::device::cpu::kernel::{Candidate, Kernel};
use crate::device::cpu::sha256::{HASH_BITS, HEADER_BITS, K, PADDING, SecondBlock, may_meet};
use crate::job::SHA256_INITIAL_STATE;

/// SHA-NI with `STREAMS` nonces at a time.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct ShaNi<const STREAMS: usize> {
    /// Only made where the processor has the instructions.
    _supported: (),
}

impl<const STREAMS: usize> ShaNi<STREAMS> {
    /// The kernel, where the processor has the instructions.
    pub(in crate::device::cpu) fn new() -> Option<Self> {
        let has_all = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("avx");
        has_all.then_some(Self { _supported: () })
    }
}

impl<const STREAMS: usize> Kernel for ShaNi<STREAMS> {
    fn name(&self) -> &'static str {
        match STREAMS {
            1 => "sha-ni-1",
            2 => "sha-ni-2",
            3 => "sha-ni-3",
            _ => "sha-ni",
        }
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        let target_top = header.target_words()[0];
        for version in 0..header.versions() {
            let block = SecondBlock::new(header, version);
            let mut add = |nonce| found.push(Candidate { nonce, version });
            // SAFETY: `new` found the instructions that the function is compiled for.
            unsafe { scan::<STREAMS>(&block, target_top, first, count, &mut add) }
        }
    }
}

/// A state as the instructions take it: two words of each half in one register, the first in the highest lane.
#[derive(Clone, Copy)]
struct State<const N: usize> {
    abef: [__m128i; N],
    cdgh: [__m128i; N],
}

/// Four words, the first in the lowest lane.
#[inline]
#[target_feature(enable = "sse2")]
fn words(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

#[inline]
#[target_feature(enable = "sse2")]
fn state<const N: usize>([a, b, c, d, e, f, g, h]: [u32; 8]) -> State<N> {
    State {
        abef: [words([f, e, b, a]); N],
        cdgh: [words([h, g, d, c]); N],
    }
}

/// The constants of four rounds.
#[inline]
#[target_feature(enable = "sse2")]
fn constants(round: usize) -> __m128i {
    words([K[round], K[round + 1], K[round + 2], K[round + 3]])
}

/// Four rounds with message words.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn rounds<const N: usize>(state: &mut State<N>, round: usize, message: &[__m128i; N]) {
    let constants = constants(round);
    let mut sums = [_mm_setzero_si128(); N];
    for n in 0..N {
        sums[n] = _mm_add_epi32(message[n], constants);
    }
    four(state, &sums);
}

/// Four rounds with message words that all nonces share.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn shared_rounds<const N: usize>(state: &mut State<N>, round: usize, message: [u32; 4]) {
    let sums: [u32; 4] = std::array::from_fn(|index| K[round + index].wrapping_add(message[index]));
    four(state, &[words(sums); N]);
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn four<const N: usize>(state: &mut State<N>, sums: &[__m128i; N]) {
    for n in 0..N {
        state.cdgh[n] = _mm_sha256rnds2_epu32(state.cdgh[n], state.abef[n], sums[n]);
    }
    for n in 0..N {
        let rest = _mm_shuffle_epi32(sums[n], 0x0e);
        state.abef[n] = _mm_sha256rnds2_epu32(state.abef[n], state.cdgh[n], rest);
    }
}

/// The next four message words after sixteen.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn next<const N: usize>(window: [&[__m128i; N]; 4]) -> [__m128i; N] {
    let mut words = [_mm_setzero_si128(); N];
    for n in 0..N {
        let sum = _mm_sha256msg1_epu32(window[0][n], window[1][n]);
        let sum = _mm_add_epi32(sum, _mm_alignr_epi8(window[3][n], window[2][n], 4));
        words[n] = _mm_sha256msg2_epu32(sum, window[3][n]);
    }
    words
}

/// Rounds 16 to 59 with the message schedule that goes with them; `window` has the first sixteen words. Returns the
/// last four words.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn middle_rounds<const N: usize>(state: &mut State<N>, window: [[__m128i; N]; 4]) -> [__m128i; N] {
    let [mut a, mut b, mut c, mut d] = window;
    a = next([&a, &b, &c, &d]);
    rounds(state, 16, &a);
    b = next([&b, &c, &d, &a]);
    rounds(state, 20, &b);
    c = next([&c, &d, &a, &b]);
    rounds(state, 24, &c);
    d = next([&d, &a, &b, &c]);
    rounds(state, 28, &d);
    a = next([&a, &b, &c, &d]);
    rounds(state, 32, &a);
    b = next([&b, &c, &d, &a]);
    rounds(state, 36, &b);
    c = next([&c, &d, &a, &b]);
    rounds(state, 40, &c);
    d = next([&d, &a, &b, &c]);
    rounds(state, 44, &d);
    a = next([&a, &b, &c, &d]);
    rounds(state, 48, &a);
    b = next([&b, &c, &d, &a]);
    rounds(state, 52, &b);
    c = next([&c, &d, &a, &b]);
    rounds(state, 56, &c);
    next([&d, &a, &b, &c])
}

/// Calls `add` with each candidate among `count` nonces from `first` on.
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn scan<const N: usize>(
    block: &SecondBlock,
    target_top: u32,
    first: u32,
    count: u32,
    add: &mut impl FnMut(u32),
) {
    let mut offset = 0;
    while offset < count {
        let nonces: [u32; N] = std::array::from_fn(|n| {
            // Beyond the end of the range, which may be that of all nonces, the result does not matter.
            first.wrapping_add(offset).wrapping_add(n as u32)
        });
        let tops = top_words(block, nonces.map(u32::swap_bytes));
        for n in 0..N {
            if may_meet(tops[n], target_top) {
                add(nonces[n]);
            }
        }
        offset = offset.saturating_add(N as u32);
    }
}

/// The eighth word of the double hashes with these nonces, given as message words.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn top_words<const N: usize>(block: &SecondBlock, nonces: [u32; N]) -> [u32; N] {
    let hash = first_hash(block, nonces);
    let mut message = [[_mm_setzero_si128(); N]; 4];
    for n in 0..N {
        let high = _mm_shuffle_epi32(hash.abef[n], 0x1b);
        let low = _mm_shuffle_epi32(hash.cdgh[n], 0x1b);
        message[0][n] = _mm_unpacklo_epi64(high, low);
        message[1][n] = _mm_unpackhi_epi64(high, low);
    }
    message[2] = [words([PADDING, 0, 0, 0]); N];
    message[3] = [words([0, 0, 0, HASH_BITS]); N];
    let mut state = state(SHA256_INITIAL_STATE);
    rounds(&mut state, 0, &message[0]);
    rounds(&mut state, 4, &message[1]);
    shared_rounds(&mut state, 8, [PADDING, 0, 0, 0]);
    shared_rounds(&mut state, 12, [0, 0, 0, HASH_BITS]);
    let last = middle_rounds(&mut state, message);
    let constants = constants(60);
    let mut tops = [0; N];
    for n in 0..N {
        let sums = _mm_add_epi32(last[n], constants);
        let abef = _mm_sha256rnds2_epu32(state.cdgh[n], state.abef[n], sums);
        // After round 61 its lowest word is what the eighth is after round 63.
        let eighth = _mm_cvtsi128_si32(abef).cast_unsigned();
        tops[n] = eighth.wrapping_add(SHA256_INITIAL_STATE[7]);
    }
    tops
}

/// The headers' first hashes.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1,avx")]
fn first_hash<const N: usize>(block: &SecondBlock, nonces: [u32; N]) -> State<N> {
    let mut state: State<N> = state(block.after_four);
    let mut message = [[_mm_setzero_si128(); N]; 4];
    let [w0, w1, w2] = block.words;
    for n in 0..N {
        let nonce = nonces[n];
        message[0][n] = words([w0, w1, w2, nonce]);
        // The nonce is added to the first and the fifth word of the state.
        state.abef[n] = _mm_add_epi32(state.abef[n], words([0, nonce, 0, nonce]));
    }
    message[1] = [words([PADDING, 0, 0, 0]); N];
    message[3] = [words([0, 0, 0, HEADER_BITS]); N];
    shared_rounds(&mut state, 4, [PADDING, 0, 0, 0]);
    shared_rounds(&mut state, 8, [0; 4]);
    shared_rounds(&mut state, 12, [0, 0, 0, HEADER_BITS]);
    let last = middle_rounds(&mut state, message);
    rounds(&mut state, 60, &last);
    let before = self::state::<N>(block.midstate);
    for n in 0..N {
        state.abef[n] = _mm_add_epi32(state.abef[n], before.abef[n]);
        state.cdgh[n] = _mm_add_epi32(state.cdgh[n], before.cdgh[n]);
    }
    state
}
