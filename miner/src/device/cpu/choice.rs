//! Which kernels this processor can run, and which of them is the fastest.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use super::kernel::Kernel;
use super::reference::Reference;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, sha_ni::ShaNi};
use crate::PreparedHeader;

/// How long a kernel is measured, and how often: rates change with what else the processor does, and the best of several says
/// most about the kernel.
const SPELL: Duration = Duration::from_millis(4);
const SPELLS: u32 = 3;

/// Hashes between two looks at the clock.
const HASHES_PER_LOOK: u32 = 1 << 12;

/// All kernels that this processor can run; the first is the plain one.
pub fn kernels() -> &'static [Box<dyn Kernel>] {
    static KERNELS: OnceLock<Vec<Box<dyn Kernel>>> = OnceLock::new();
    KERNELS.get_or_init(|| {
        let mut kernels: Vec<Box<dyn Kernel>> = vec![Box::new(Reference)];
        #[cfg(target_arch = "x86_64")]
        {
            let mut add = |kernel: Option<Box<dyn Kernel>>| kernels.extend(kernel);
            add(Avx2::new().map(|kernel| Box::new(kernel) as _));
            add(ShaNi::<1>::new().map(|kernel| Box::new(kernel) as _));
            add(ShaNi::<2>::new().map(|kernel| Box::new(kernel) as _));
            add(ShaNi::<3>::new().map(|kernel| Box::new(kernel) as _));
        }
        kernels
    })
}

/// The kernel of this name, if this processor can run it.
pub fn kernel(name: &str) -> Option<&'static dyn Kernel> {
    kernels()
        .iter()
        .map(AsRef::as_ref)
        .find(|kernel| kernel.name() == name)
}

/// The fastest kernel, measured once for a few hundredths of a second.
pub fn fastest_kernel() -> &'static dyn Kernel {
    static FASTEST: OnceLock<&'static dyn Kernel> = OnceLock::new();
    *FASTEST.get_or_init(|| {
        let mut best: (&dyn Kernel, f64) = (kernels()[0].as_ref(), 0.0);
        for kernel in kernels() {
            let rates = (0..SPELLS).map(|_| hash_rate(kernel.as_ref(), SPELL));
            let rate = rates.fold(0.0, f64::max);
            tracing::debug!(kernel = kernel.name(), rate_mh_s = rate / 1e6, "measured");
            if rate > best.1 {
                best = (kernel.as_ref(), rate);
            }
        }
        best.0
    })
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
