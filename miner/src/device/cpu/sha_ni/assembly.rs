//! The kernels in assembly, as `generator` wrote them: three headers' second blocks beside three second hashes, six chains of
//! rounds in all. `Rolled` tries each nonce with many versions, whose second blocks have the same message words.

#![expect(
    unsafe_code,
    reason = "the kernels are assembly and the processor's instructions are called by name"
)]

use std::arch::naked_asm;
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_set_epi32, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_storeu_si128,
};
use std::mem::offset_of;

use super::layout as at;
use crate::PreparedHeader;
use crate::device::cpu::kernel::{Candidate, Kernel};
use crate::device::cpu::sha256::{
    HASH_BITS, HEADER_BITS, K, PADDING, SecondBlock, may_meet, small_sigma0, small_sigma1,
};
use crate::job::SHA256_INITIAL_STATE;

/// Headers in a step.
const STREAMS: usize = 3;

/// Nonces with each of which `Rolled` goes through all versions at once. The schedules and results of so many stay in the first
/// cache.
const NONCES: usize = 8;

/// Groups of versions that `Rolled` goes through at once; more are done one lot after the other.
const MOST_GROUPS: usize = 64;

/// Steps of `Plain` at once.
const STEPS: usize = 128;

/// Versions that are enough to make little of what is done once for each nonce.
const VERSIONS: u16 = 48;

/// Words that all headers share.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Constants {
    k: [u32; 64],
    block_sums: [u32; 12],
    hash_sums: [u32; 8],
    initial: [u32; 8],
    padding: [u32; 4],
    length: [u32; 4],
    nonce_places: [u32; 4],
    rest: [u32; 8],
}

const _: () = assert!(
    offset_of!(Constants, k) == at::K
        && offset_of!(Constants, block_sums) == at::BLOCK_SUMS
        && offset_of!(Constants, hash_sums) == at::HASH_SUMS
        && offset_of!(Constants, initial) == at::INITIAL
        && offset_of!(Constants, padding) == at::PADDING
        && offset_of!(Constants, length) == at::LENGTH
        && offset_of!(Constants, nonce_places) == at::NONCE_PLACES
);

pub(super) static CONSTANTS: Constants = constants();

const fn constants() -> Constants {
    let (mut block_sums, mut hash_sums) = ([0; 12], [0; 8]);
    let mut index = 0;
    while index < 12 {
        block_sums[index] = K[4 + index];
        index += 1;
    }
    block_sums[0] = block_sums[0].wrapping_add(PADDING);
    block_sums[11] = block_sums[11].wrapping_add(HEADER_BITS);
    index = 0;
    while index < 8 {
        hash_sums[index] = K[8 + index];
        index += 1;
    }
    hash_sums[0] = hash_sums[0].wrapping_add(PADDING);
    hash_sums[7] = hash_sums[7].wrapping_add(HASH_BITS);
    Constants {
        k: K,
        block_sums,
        hash_sums,
        initial: state(SHA256_INITIAL_STATE),
        padding: [PADDING, 0, 0, 0],
        length: [0, 0, 0, HASH_BITS],
        nonce_places: [0, u32::MAX, 0, u32::MAX],
        rest: [0; 8],
    }
}

/// A state in the order in which the instructions take it.
const fn state([a, b, c, d, e, f, g, h]: [u32; 8]) -> [u32; 8] {
    [f, e, b, a, h, g, d, c]
}

/// A version of the header.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct VersionTable {
    after_four: [u32; 8],
    midstate: [u32; 8],
}

const _: () = assert!(
    offset_of!(VersionTable, after_four) == at::AFTER_FOUR
        && offset_of!(VersionTable, midstate) == at::MIDSTATE
        && size_of::<VersionTable>() == at::VERSION
);

impl VersionTable {
    fn new(block: &SecondBlock) -> Self {
        Self {
            after_four: state(block.after_four),
            midstate: state(block.midstate),
        }
    }

    /// All versions, the last of them again as often as it takes to fill a step.
    pub(super) fn all(header: &PreparedHeader) -> Vec<Self> {
        let count = usize::from(header.versions()).next_multiple_of(STREAMS);
        let last = header.versions() - 1;
        (0..count)
            .map(|index| {
                let version = u16::try_from(index).map_or(last, |index| index.min(last));
                Self::new(&SecondBlock::new(header, version))
            })
            .collect()
    }
}

/// A header whose version does not change.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct HeaderTable {
    version: VersionTable,
    words: [[u32; 4]; 4],
}

const _: () = assert!(offset_of!(HeaderTable, words) == at::WORDS);

impl HeaderTable {
    pub(super) fn new(header: &PreparedHeader, version: u16) -> Self {
        let block = SecondBlock::new(header, version);
        let [w0, w1, w2] = block.words;
        let w16 = w0.wrapping_add(small_sigma0(w1));
        let length = small_sigma1(HEADER_BITS);
        let w17 = w1.wrapping_add(small_sigma0(w2)).wrapping_add(length);
        let w31 = HEADER_BITS.wrapping_add(small_sigma0(w16));
        Self {
            version: VersionTable::new(&block),
            words: [
                [w0, w1, w2, 0],
                [0, length, small_sigma1(w16), small_sigma1(w17)],
                [PADDING, 0, HEADER_BITS, w16],
                [0, 0, small_sigma0(HEADER_BITS), w31],
            ],
        }
    }
}

/// What the second blocks of all versions share for one nonce: 48 message words, each with its round's constant.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(super) struct Schedule {
    sums: [[u32; 4]; 12],
    nonce: [u32; 4],
}

const _: () =
    assert!(offset_of!(Schedule, nonce) == at::NONCE && size_of::<Schedule>() == at::SCHEDULE);

impl Schedule {
    const EMPTY: Self = Self {
        sums: [[0; 4]; 12],
        nonce: [0; 4],
    };

    /// Without any special instruction.
    #[cfg(test)]
    pub(super) fn plain(header: &PreparedHeader, nonce: u32) -> Self {
        let [w0, w1, w2] = SecondBlock::new(header, 0).words;
        let nonce = nonce.swap_bytes();
        let mut w = [0_u32; 64];
        w[..5].copy_from_slice(&[w0, w1, w2, nonce, PADDING]);
        w[15] = HEADER_BITS;
        for t in 16..64 {
            w[t] = small_sigma1(w[t - 2])
                .wrapping_add(w[t - 7])
                .wrapping_add(small_sigma0(w[t - 15]))
                .wrapping_add(w[t - 16]);
        }
        Self {
            sums: std::array::from_fn(|group| {
                std::array::from_fn(|lane| {
                    let t = 16 + 4 * group + lane;
                    w[t].wrapping_add(K[t])
                })
            }),
            nonce: [0, nonce, 0, nonce],
        }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1,avx")]
    fn fill(&mut self, words: [u32; 3], nonce: u32) {
        let nonce = nonce.swap_bytes();
        self.nonce = [0, nonce, 0, nonce];
        let [w0, w1, w2] = words;
        let mut window = [
            vector([w0, w1, w2, nonce]),
            vector([PADDING, 0, 0, 0]),
            _mm_setzero_si128(),
            vector([0, 0, 0, HEADER_BITS]),
        ];
        for group in 0..12 {
            let [a, b, c, d] = window;
            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));
            let next = _mm_sha256msg2_epu32(sum, d);
            let round = 16 + 4 * group;
            let constants = vector([K[round], K[round + 1], K[round + 2], K[round + 3]]);
            let place = self.sums[group].as_mut_ptr().cast();
            // SAFETY: there are four words at the place.
            unsafe { _mm_storeu_si128(place, _mm_add_epi32(next, constants)) };
            window = [b, c, d, next];
        }
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn vector(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

/// Which registers a kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device::cpu) enum RegisterFile {
    /// Those of AVX.
    Sixteen,
    /// Those of AVX-512, which hold more message words.
    ThirtyTwo,
}

impl RegisterFile {
    fn is_here(self) -> bool {
        let has_all = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("avx2");
        let has_high = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw");
        has_all && (self == Self::Sixteen || has_high)
    }
}

/// Each nonce with many versions.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Rolled {
    registers: RegisterFile,
}

impl Rolled {
    /// The kernel, where the processor has the instructions.
    pub(in crate::device::cpu) fn new(registers: RegisterFile) -> Option<Self> {
        registers.is_here().then_some(Self { registers })
    }

    /// Does `steps` steps; the results of each are those of the step before.
    fn run(&self, schedules: &[Schedule], versions: &[VersionTable], results: &mut [u32]) {
        let groups = versions.len() / STREAMS;
        let steps = results.len() / STREAMS;
        assert!(groups > 0 && steps > 0 && steps <= schedules.len() * groups);
        let kernel = match self.registers {
            RegisterFile::Sixteen => rolled_16,
            RegisterFile::ThirtyTwo => rolled_32,
        };
        // SAFETY: `new` found the instructions. The kernel reads a schedule for each `groups` steps, of which there are enough,
        // `groups` times three versions, and writes three results in each step.
        unsafe {
            kernel(
                &CONSTANTS,
                schedules.as_ptr(),
                versions.as_ptr(),
                groups,
                steps,
                results.as_mut_ptr(),
            );
        }
    }
}

impl Kernel for Rolled {
    fn name(&self) -> &'static str {
        match self.registers {
            RegisterFile::Sixteen => "sha-ni-rolled",
            RegisterFile::ThirtyTwo => "sha-ni-rolled-32",
        }
    }

    fn versions(&self) -> u16 {
        VERSIONS
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        let words = SecondBlock::new(header, 0).words;
        let target_top = header.target_words()[0];
        let versions = VersionTable::all(header);
        let mut schedules = [Schedule::EMPTY; NONCES + 1];
        let mut results = [0; STREAMS * (NONCES * MOST_GROUPS + 1)];
        for offset in (0..count).step_by(NONCES) {
            let nonces = (count - offset).min(NONCES as u32) as usize;
            for (index, schedule) in (0_u32..).zip(&mut schedules[..nonces]) {
                let nonce = first.wrapping_add(offset).wrapping_add(index);
                // SAFETY: `new` found the instructions.
                unsafe { schedule.fill(words, nonce) };
            }
            for (lot, versions) in versions.chunks(MOST_GROUPS * STREAMS).enumerate() {
                let results = &mut results[..STREAMS + nonces * versions.len()];
                self.run(&schedules[..=nonces], versions, results);
                let results = &results[STREAMS..];
                if !any_may_meet(results, target_top) {
                    continue;
                }
                for (index, result) in results.iter().enumerate() {
                    let version = lot * MOST_GROUPS * STREAMS + index % versions.len();
                    if may_meet(hash_word(*result), target_top)
                        && let Ok(version) = u16::try_from(version)
                        && version < header.versions()
                    {
                        let ahead = (index / versions.len()) as u32;
                        let nonce = first.wrapping_add(offset).wrapping_add(ahead);
                        found.push(Candidate { nonce, version });
                    }
                }
            }
        }
    }
}

/// Many nonces with one version.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Plain {
    registers: RegisterFile,
}

impl Plain {
    /// The kernel, where the processor has the instructions.
    pub(in crate::device::cpu) fn new(registers: RegisterFile) -> Option<Self> {
        registers.is_here().then_some(Self { registers })
    }

    /// A step for each three nonces; the results of each are those of the step before.
    fn run(&self, nonces: &[u32], header: &HeaderTable, results: &mut [u32]) {
        let steps = results.len() / STREAMS;
        assert!(steps > 0 && steps * STREAMS <= nonces.len());
        let kernel = match self.registers {
            RegisterFile::Sixteen => plain_16,
            RegisterFile::ThirtyTwo => plain_32,
        };
        // SAFETY: `new` found the instructions. The kernel reads three nonces and writes three results in each step.
        unsafe {
            kernel(
                &CONSTANTS,
                nonces.as_ptr(),
                header,
                0,
                steps,
                results.as_mut_ptr(),
            );
        }
    }
}

impl Kernel for Plain {
    fn name(&self) -> &'static str {
        match self.registers {
            RegisterFile::Sixteen => "sha-ni-6",
            RegisterFile::ThirtyTwo => "sha-ni-6-32",
        }
    }

    fn scan(&self, header: &PreparedHeader, first: u32, count: u32, found: &mut Vec<Candidate>) {
        const AT_ONCE: usize = STREAMS * STEPS;
        let target_top = header.target_words()[0];
        for version in 0..header.versions() {
            let table = HeaderTable::new(header, version);
            for offset in (0..count).step_by(AT_ONCE) {
                let start = first.wrapping_add(offset);
                let nonces: [u32; AT_ONCE + STREAMS] =
                    std::array::from_fn(|n| start.wrapping_add(n as u32).swap_bytes());
                let mut results = [0; AT_ONCE + STREAMS];
                let wanted = ((count - offset) as usize).min(AT_ONCE);
                let results = &mut results[..wanted.next_multiple_of(STREAMS) + STREAMS];
                self.run(&nonces, &table, results);
                let results = &results[STREAMS..];
                if any_may_meet(results, target_top) {
                    let met = (0_u32..)
                        .zip(results)
                        .filter(|(_, result)| may_meet(hash_word(**result), target_top));
                    let candidates = met.map(|(ahead, _)| Candidate {
                        nonce: start.wrapping_add(ahead),
                        version,
                    });
                    found.extend(candidates);
                }
            }
        }
    }
}

/// The hash's eighth word, of what is left after the round that decides.
const fn hash_word(result: u32) -> u32 {
    result.wrapping_add(SHA256_INITIAL_STATE[7])
}

/// Whether one of the results may meet the target.
fn any_may_meet(results: &[u32], target_top: u32) -> bool {
    // SAFETY: the kernels have these instructions.
    unsafe { least(results) <= target_top }
}

#[target_feature(enable = "avx2")]
fn least(results: &[u32]) -> u32 {
    let tops = results.iter().map(|result| hash_word(*result).swap_bytes());
    tops.fold(u32::MAX, u32::min)
}

#[unsafe(naked)]
unsafe extern "sysv64" fn rolled_16(
    constants: &Constants,
    schedules: *const Schedule,
    versions: *const VersionTable,
    groups: usize,
    steps: usize,
    results: *mut u32,
) {
    naked_asm!(include_str!("rolled_16.s"), options(att_syntax))
}

#[unsafe(naked)]
unsafe extern "sysv64" fn rolled_32(
    constants: &Constants,
    schedules: *const Schedule,
    versions: *const VersionTable,
    groups: usize,
    steps: usize,
    results: *mut u32,
) {
    naked_asm!(include_str!("rolled_32.s"), options(att_syntax))
}

#[unsafe(naked)]
unsafe extern "sysv64" fn plain_16(
    constants: &Constants,
    nonces: *const u32,
    header: *const HeaderTable,
    unused: usize,
    steps: usize,
    results: *mut u32,
) {
    naked_asm!(include_str!("plain_16.s"), options(att_syntax))
}

#[unsafe(naked)]
unsafe extern "sysv64" fn plain_32(
    constants: &Constants,
    nonces: *const u32,
    header: *const HeaderTable,
    unused: usize,
    steps: usize,
    results: *mut u32,
) {
    naked_asm!(include_str!("plain_32.s"), options(att_syntax))
}
