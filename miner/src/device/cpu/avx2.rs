//! AVX2: eight nonces at a time.

#![expect(
    unsafe_code,
    reason = "the processor's instructions are called by name"
)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::kernel::{Candidate, Kernel};
use super::lanes::{Lanes, scan};
use crate::PreparedHeader;

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
        #[target_feature(enable = "avx2")]
        fn with_avx2(header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
            scan::<Eight>(header, first, count, found);
        }
        // SAFETY: `new` found the instructions.
        unsafe { with_avx2(header, first, count, found) }
    }
}

/// A vector of AVX2. It is made in `Avx2` alone, which exists only where the processor has the instructions.
#[derive(Clone, Copy)]
struct Eight(__m256i);

// SAFETY, of all blocks in it: see the type.
impl Lanes for Eight {
    const COUNT: usize = 8;

    #[inline(always)]
    fn all(word: u32) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm256_set1_epi32(word.cast_signed()) })
    }

    #[inline(always)]
    fn from_words(words: &[u32; 16]) -> Self {
        // SAFETY: the processor has the instructions, and there are more than eight words.
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_words(self) -> [u32; 16] {
        let mut words = [0; 16];
        // SAFETY: the processor has the instructions, and there is room for more than eight words.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32, const LEFT: i32>(self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe {
            _mm256_or_si256(
                _mm256_srli_epi32::<BITS>(self.0),
                _mm256_slli_epi32::<LEFT>(self.0),
            )
        })
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm256_srli_epi32::<BITS>(self.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm256_xor_si256(_mm256_xor_si256(self.0, b.0), c.0) })
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm256_xor_si256(c.0, _mm256_and_si256(self.0, _mm256_xor_si256(b.0, c.0))) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe {
            _mm256_xor_si256(
                b.0,
                _mm256_and_si256(_mm256_xor_si256(self.0, b.0), _mm256_xor_si256(b.0, c.0)),
            )
        })
    }
}
