//! The SHA-256 instructions of ARMv8, four nonces side by side, so that one's rounds run while another's wait for theirs.
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

use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vdupq_n_u32, vgetq_lane_u32, vld1q_u32, vsetq_lane_u32, vsha256h2q_u32,
    vsha256hq_u32, vsha256su0q_u32, vsha256su1q_u32,
};
use std::arch::is_aarch64_feature_detected;

use super::kernel::{Candidate, Kernel};
use super::sha256::{HASH_BITS, HEADER_BITS, K, PADDING, SecondBlock, may_meet};
use crate::PreparedHeader;
use crate::job::SHA256_INITIAL_STATE;

/// Nonces at a time.
const STREAMS: usize = 4;

/// ARMv8's SHA-256 instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sha2Arm {
    /// Only made where the processor has the instructions.
    _supported: (),
}

impl Sha2Arm {
    /// The kernel, where the processor has the instructions.
    pub(super) fn new() -> Option<Self> {
        is_aarch64_feature_detected!("sha2").then_some(Self { _supported: () })
    }
}

impl Kernel for Sha2Arm {
    fn name(&self) -> &'static str {
        "armv8-sha2-4"
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        let target_top = header.target_words()[0];
        for version in 0..header.versions() {
            let block = SecondBlock::new(header, version);
            for offset in (0..count).step_by(STREAMS) {
                // Beyond the end of the range, which may be that of all nonces, the result does not matter.
                let start = first.wrapping_add(offset);
                let nonces: [u32; STREAMS] = std::array::from_fn(|n| start.wrapping_add(n as u32));
                // SAFETY: `new` found the instructions that the function is compiled for.
                let tops = unsafe { top_words(&block, nonces.map(u32::swap_bytes)) };
                for (nonce, top) in nonces.into_iter().zip(tops) {
                    if may_meet(top, target_top) {
                        found.push(Candidate { nonce, version });
                    }
                }
            }
        }
    }
}

/// The two halves of the states, the first word in the lowest lane, as the instructions take them.
struct State {
    abcd: [uint32x4_t; STREAMS],
    efgh: [uint32x4_t; STREAMS],
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn words(words: [u32; 4]) -> uint32x4_t {
    // SAFETY: there are four words to read.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn halves([a, b, c, d, e, f, g, h]: [u32; 8]) -> [uint32x4_t; 2] {
    [words([a, b, c, d]), words([e, f, g, h])]
}

/// Four rounds, each nonce's sums of constants and message words by themselves.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn four(state: &mut State, sums: &[uint32x4_t; STREAMS]) {
    for n in 0..STREAMS {
        let before = state.abcd[n];
        state.abcd[n] = vsha256hq_u32(before, state.efgh[n], sums[n]);
        state.efgh[n] = vsha256h2q_u32(state.efgh[n], before, sums[n]);
    }
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn with_constants(round: usize, message: &[uint32x4_t; STREAMS]) -> [uint32x4_t; STREAMS] {
    let constants = words([K[round], K[round + 1], K[round + 2], K[round + 3]]);
    let mut sums = *message;
    for sum in &mut sums {
        *sum = vaddq_u32(*sum, constants);
    }
    sums
}

/// Rounds from `FROM` up to `TO` with the message schedule that goes with them. `window` begins with the words of the rounds
/// `FROM - FROM % 16` on.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn rounds<const FROM: usize, const TO: usize>(
    state: &mut State,
    window: &mut [[uint32x4_t; STREAMS]; 4],
) {
    for group in FROM / 4..TO / 4 {
        if group >= 4 {
            schedule(window, group);
        }
        let sums = with_constants(4 * group, &window[group % 4]);
        four(state, &sums);
    }
}

/// The next four message words, in place of those sixteen before them.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn schedule(window: &mut [[uint32x4_t; STREAMS]; 4], group: usize) {
    for n in 0..STREAMS {
        let ahead = |groups: usize| window[(group + groups) % 4][n];
        let sum = vsha256su0q_u32(ahead(0), ahead(1));
        window[group % 4][n] = vsha256su1q_u32(sum, ahead(2), ahead(3));
    }
}

/// The eighth word of the double hashes with these nonces, given as message words.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn top_words(block: &SecondBlock, nonces: [u32; STREAMS]) -> [u32; STREAMS] {
    let first = first_hash(block, nonces);
    let mut window = [
        first.abcd,
        first.efgh,
        [words([PADDING, 0, 0, 0]); STREAMS],
        [words([0, 0, 0, HASH_BITS]); STREAMS],
    ];
    let [abcd, efgh] = halves(SHA256_INITIAL_STATE);
    let mut state = State {
        abcd: [abcd; STREAMS],
        efgh: [efgh; STREAMS],
    };
    rounds::<0, 60>(&mut state, &mut window);
    schedule(&mut window, 15);
    // The instructions do four rounds at a time; the eighth word after the last is wanted.
    let sums = with_constants(60, &window[3]);
    let mut tops = [0; STREAMS];
    for n in 0..STREAMS {
        let efgh = vsha256h2q_u32(state.efgh[n], state.abcd[n], sums[n]);
        tops[n] = vgetq_lane_u32::<3>(efgh).wrapping_add(SHA256_INITIAL_STATE[7]);
    }
    tops
}

/// The headers' first hashes.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn first_hash(block: &SecondBlock, nonces: [u32; STREAMS]) -> State {
    let [abcd, efgh] = halves(block.after_four);
    let mut state = State {
        abcd: [abcd; STREAMS],
        efgh: [efgh; STREAMS],
    };
    let [w0, w1, w2] = block.words;
    let mut window = [
        [words([w0, w1, w2, 0]); STREAMS],
        [words([PADDING, 0, 0, 0]); STREAMS],
        [vdupq_n_u32(0); STREAMS],
        [words([0, 0, 0, HEADER_BITS]); STREAMS],
    ];
    for n in 0..STREAMS {
        window[0][n] = vsetq_lane_u32::<3>(nonces[n], window[0][n]);
        // The nonce is added to the first and the fifth word of the state.
        let nonce = words([nonces[n], 0, 0, 0]);
        state.abcd[n] = vaddq_u32(abcd, nonce);
        state.efgh[n] = vaddq_u32(efgh, nonce);
    }
    rounds::<4, 64>(&mut state, &mut window);
    let [abcd, efgh] = halves(block.midstate);
    for n in 0..STREAMS {
        state.abcd[n] = vaddq_u32(state.abcd[n], abcd);
        state.efgh[n] = vaddq_u32(state.efgh[n], efgh);
    }
    state
}
