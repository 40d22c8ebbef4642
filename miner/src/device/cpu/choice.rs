//! Which kernels this processor can run, and which of them is the fastest.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use super::kernel::Kernel;
use super::reference::{self, Reference};
#[cfg(target_arch = "aarch64")]
use super::sha2_arm::Sha2Arm;
#[cfg(target_arch = "x86_64")]
use super::{
    avx2::Avx2,
    avx512::Avx512,
    sha_ni::{Plain, RegisterFile, Rolled, ShaNi},
};
use crate::PreparedHeader;

/// How long a kernel is measured, and how often: rates change with what else the processor does, and the best of several says
/// most about the kernel.
const SPELL: Duration = Duration::from_millis(4);
const SPELLS: u32 = 3;

/// Hashes between two looks at the clock.
const HASHES_PER_LOOK: u32 = 1 << 12;

/// How much faster another kernel must be to take the place of the present one.
const CLEARLY_FASTER: f64 = 1.02;

/// Headers that each kernel is compared with the reference on before it is used, and nonces of each.
const CHECKED_HEADERS: u32 = 16;
const CHECKED_NONCES: u32 = 64;

/// All kernels that this processor can run and that hash right; the first is the plain one.
pub fn kernels() -> &'static [Box<dyn Kernel>] {
    static KERNELS: OnceLock<Vec<Box<dyn Kernel>>> = OnceLock::new();
    KERNELS.get_or_init(|| {
        let mut kernels = known_kernels();
        kernels.retain(|kernel| {
            let is_right = hashes_right(kernel.as_ref());
            if !is_right {
                tracing::error!(
                    kernel = kernel.name(),
                    "a kernel hashes wrong on this processor and is left out"
                );
            }
            is_right
        });
        kernels
    })
}

fn known_kernels() -> Vec<Box<dyn Kernel>> {
    let mut kernels: Vec<Box<dyn Kernel>> = vec![Box::new(Reference)];
    #[cfg(target_arch = "x86_64")]
    {
        let mut add = |kernel: Option<Box<dyn Kernel>>| kernels.extend(kernel);
        add(Avx2::new().map(|kernel| Box::new(kernel) as _));
        add(Avx512::new().map(|kernel| Box::new(kernel) as _));
        add(Avx512::rolled().map(|kernel| Box::new(kernel) as _));
        add(ShaNi::<1>::new().map(|kernel| Box::new(kernel) as _));
        add(ShaNi::<2>::new().map(|kernel| Box::new(kernel) as _));
        add(ShaNi::<3>::new().map(|kernel| Box::new(kernel) as _));
        for registers in [RegisterFile::Sixteen, RegisterFile::ThirtyTwo] {
            add(Plain::new(registers).map(|kernel| Box::new(kernel) as _));
            add(Rolled::new(registers).map(|kernel| Box::new(kernel) as _));
        }
    }
    #[cfg(target_arch = "aarch64")]
    kernels.extend(Sha2Arm::new().map(|kernel| Box::new(kernel) as Box<dyn Kernel>));
    kernels
}

/// Whether a kernel names what the reference finds, on a few thousand headers of which one in some tens has a low hash.
pub(super) fn hashes_right(kernel: &dyn Kernel) -> bool {
    (0..CHECKED_HEADERS).all(|number| {
        let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9);
        let byte = |index: usize| mixed.rotate_left(index as u32).to_le_bytes()[index % 4];
        let header = Header {
            version: Version::from_consensus(mixed.cast_signed()),
            prev_blockhash: BlockHash::from_byte_array(std::array::from_fn(byte)),
            merkle_root: TxMerkleNode::from_byte_array(std::array::from_fn(|index| {
                byte(index + 32)
            })),
            time: mixed.rotate_left(7),
            bits: CompactTarget::from_consensus(0x2008_0000),
            nonce: 0,
        };
        // Versions that fill no step of any kernel, and a range that goes up to the last nonce.
        let versions = [1, 4, 49][number as usize % 3];
        let header = PreparedHeader::with_versions(&header, versions);
        let first = match number {
            0 => u32::MAX - (CHECKED_NONCES - 1),
            _ => mixed >> 1,
        };
        let solved = |kernel: &dyn Kernel| {
            let mut found = Vec::new();
            kernel.scan(&header, first, CHECKED_NONCES, &mut found);
            found.retain(|candidate| {
                candidate.nonce.wrapping_sub(first) < CHECKED_NONCES
                    && candidate.nonce >= first
                    && reference::is_solved(&header, *candidate)
            });
            found.sort_unstable();
            found
        };
        solved(kernel) == solved(&Reference)
    })
}

/// The kernel of this name, if this processor can run it.
pub fn kernel(name: &str) -> Option<&'static dyn Kernel> {
    kernels()
        .iter()
        .map(AsRef::as_ref)
        .find(|kernel| kernel.name() == name)
}

/// The fastest kernel for headers of one version, measured once for a few hundredths of a second: one that tries several
/// versions at a time would waste the others.
pub fn fastest_kernel() -> &'static dyn Kernel {
    static FASTEST: OnceLock<&'static dyn Kernel> = OnceLock::new();
    *FASTEST.get_or_init(|| {
        let kernels = kernels().iter().map(AsRef::as_ref);
        let kernels: Vec<_> = kernels.filter(|kernel| kernel.versions() == 1).collect();
        let first = kernels[0];
        fastest_of(&kernels, first, || false).unwrap_or(first)
    })
}

/// The kernel that is the fastest on the calling thread now, `present` unless another one is clearly faster; `None` when
/// `is_cancelled` said so, which is asked every few milliseconds.
pub(super) fn fastest_kernel_now(
    present: &'static dyn Kernel,
    is_cancelled: impl Fn() -> bool,
) -> Option<&'static dyn Kernel> {
    let kernels: Vec<_> = kernels().iter().map(AsRef::as_ref).collect();
    fastest_of(&kernels, present, is_cancelled)
}

fn fastest_of(
    kernels: &[&'static dyn Kernel],
    present: &'static dyn Kernel,
    is_cancelled: impl Fn() -> bool,
) -> Option<&'static dyn Kernel> {
    let mut rates = vec![0.0_f64; kernels.len()];
    // Round by round, so that a disturbance meets all of them.
    for _ in 0..SPELLS {
        for (rate, kernel) in rates.iter_mut().zip(kernels) {
            if is_cancelled() {
                return None;
            }
            *rate = rate.max(hash_rate(*kernel, SPELL));
        }
    }
    let mut best = (present, 0.0);
    for (rate, kernel) in rates.iter().zip(kernels) {
        tracing::debug!(kernel = kernel.name(), rate_mh_s = rate / 1e6, "measured");
        if kernel.name() == present.name() {
            best.1 = rate * CLEARLY_FASTER;
        }
    }
    for (rate, kernel) in rates.iter().zip(kernels) {
        if *rate > best.1 {
            best = (*kernel, *rate);
        }
    }
    Some(best.0)
}

/// Hashes per second of a kernel on the calling thread, measured for about `time`.
pub fn hash_rate(kernel: &dyn Kernel, time: Duration) -> f64 {
    // No hash is below its target.
    let header = Header {
        version: Version::TWO,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 0,
        bits: CompactTarget::from_consensus(0),
        nonce: 0,
    };
    let versions = kernel.versions();
    let header = PreparedHeader::with_versions(&header, versions);
    let nonces = (HASHES_PER_LOOK / u32::from(versions)).max(1);
    let mut candidates = Vec::new();
    let started = Instant::now();
    let mut first = 0_u32;
    let mut hashes = 0_u64;
    while started.elapsed() < time {
        kernel.scan(&header, first, nonces, &mut candidates);
        std::hint::black_box(&mut candidates).clear();
        first = first.wrapping_add(nonces);
        hashes += u64::from(nonces) * u64::from(versions);
    }
    hashes as f64 / started.elapsed().as_secs_f64()
}
