//! AVX-512: sixteen nonces at a time, each with one version or, in the kernel that rolls them, with many.

#![expect(
    unsafe_code,
    reason = "the processor's instructions are called by name"
)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32,
    _mm512_srlv_epi32, _mm512_storeu_si512, _mm512_ternarylogic_epi32,
};

use super::kernel::{Candidate, Kernel};
use super::lanes::{Lanes, scan};
use crate::PreparedHeader;

/// Versions that are enough to make little of what is done once for each nonce.
const VERSIONS: u16 = 48;

/// AVX-512.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512 {
    versions: u16,
}

impl Avx512 {
    /// The kernel for one version, where the processor has the instructions.
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self { versions: 1 })
    }

    /// The kernel that rolls versions.
    pub(super) fn rolled() -> Option<Self> {
        Self::new().map(|_| Self { versions: VERSIONS })
    }
}

impl Kernel for Avx512 {
    fn name(&self) -> &'static str {
        match self.versions {
            1 => "avx512",
            _ => "avx512-rolled",
        }
    }

    fn versions(&self) -> u16 {
        self.versions
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        #[target_feature(enable = "avx512f")]
        fn with_avx512(
            header: &PreparedHeader,
            first: u32,
            count: u32,
            found: &mut Vec<Candidate>,
        ) {
            scan::<Sixteen>(header, first, count, found);
        }
        // SAFETY: `new` found the instructions.
        unsafe { with_avx512(header, first, count, found) }
    }
}

/// A vector of AVX-512. It is made in `Avx512` alone, which exists only where the processor has the instructions.
#[derive(Clone, Copy)]
struct Sixteen(__m512i);

// SAFETY, of all blocks in it: see the type.
impl Lanes for Sixteen {
    const COUNT: usize = 16;

    #[inline(always)]
    fn all(word: u32) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_set1_epi32(word.cast_signed()) })
    }

    #[inline(always)]
    fn from_words(words: &[u32; 16]) -> Self {
        // SAFETY: the processor has the instructions, and there are sixteen words.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_words(self) -> [u32; 16] {
        let mut words = [0; 16];
        // SAFETY: the processor has the instructions, and there is room for sixteen words.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32, const LEFT: i32>(self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_ror_epi32::<BITS>(self.0) })
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        // A shift by constants, whose type differs from AVX2's; the compiler makes one by a number of it.
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_srlv_epi32(self.0, _mm512_set1_epi32(BITS)) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_ternarylogic_epi32::<0x96>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xca>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: the processor has the instructions.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xe8>(self.0, b.0, c.0) })
    }
}
