//! The device on PoCL, or whatever OpenCL there is: its results are the processor's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, CompactTarget, Network, ScriptBuf, TxMerkleNode};

use super::*;
use crate::device::cpu;
use crate::test_chain::TestChain;
use crate::{
    Cancel, Extranonce, GpuError, Job, MiningDevice, PreparedHeader, SearchOutcome, TemplateTip,
    build_template,
};

const GENESIS_NONCE: u32 = 2_083_236_893;

/// Nonces that `make test` compares at length: `PYRITE_GPU_NONCES` for more, 2^32 being all.
const NONCES: u64 = 1 << 21;

/// The first OpenCL device, open, one test at a time. Where there is none the tests say that they were skipped, but not under CI.
fn device() -> Option<MutexGuard<'static, OpenClDevice>> {
    static DEVICE: OnceLock<Option<Mutex<OpenClDevice>>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        let listed = match list() {
            Ok(listed) => listed,
            Err(GpuError::NoLibrary) => Vec::new(),
            Err(error) => panic!("{error}"),
        };
        let Some(info) = listed.first() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "there is no OpenCL device: `make setup` installs PoCL"
            );
            return None;
        };
        Some(Mutex::new(OpenClDevice::open(info, 0).unwrap()))
    });
    if device.is_none() {
        eprintln!("skipped: there is no OpenCL device (`make setup` installs PoCL)");
    }
    device
        .as_ref()
        .map(|device| device.lock().unwrap_or_else(PoisonError::into_inner))
}

fn header(bits: u32, salt: u8, versions: u16) -> PreparedHeader {
    let header = Header {
        version: Version::from_consensus(0x2000_0000 | i32::from(salt)),
        prev_blockhash: BlockHash::from_byte_array([salt; 32]),
        merkle_root: TxMerkleNode::from_byte_array([salt ^ 0x5a; 32]),
        time: u32::from(salt) << 20,
        bits: CompactTarget::from_consensus(bits),
        nonce: 0,
    };
    PreparedHeader::with_versions(&header, versions)
}

/// Searches a range on device and processor, from each solution on to the next, and returns how many there were.
fn compare(device: &mut OpenClDevice, header: &PreparedHeader, first: u32, last: u32) -> usize {
    let mut solutions = 0;
    let mut next = Some(first);
    while let Some(first) = next.filter(|first| *first <= last) {
        let (found, expected) = std::thread::scope(|scope| {
            let processor = scope.spawn(|| {
                let kernel = cpu::fastest_kernel();
                cpu::search(kernel, header, first..=last, || false)
            });
            let found = device.search_header(header, first..=last, &Cancel::never());
            (found.unwrap(), processor.join().unwrap())
        });
        assert_eq!(found.found, expected.found, "{header:?} {first}..={last}");
        if found.found.is_none() {
            assert_eq!(found.hashes, expected.hashes);
        }
        solutions += usize::from(found.found.is_some());
        next = found.found.and_then(|found| found.nonce.checked_add(1));
    }
    solutions
}

#[test]
fn devices_are_described() {
    let Some(_device) = device() else { return };
    for info in list().unwrap() {
        assert!(!info.platform.is_empty() && !info.name.is_empty() && !info.vendor.is_empty());
        assert!(!info.driver_version.is_empty() && info.opencl_version.starts_with("OpenCL"));
        assert!(info.memory_bytes > 1 << 20 && info.compute_units > 0);
    }
}

#[test]
fn finds_the_genesis_nonce() {
    let Some(mut device) = device() else { return };
    let header = PreparedHeader::new(&genesis_block(Network::Bitcoin).header);
    let first = GENESIS_NONCE - 1_000_000;
    let SearchOutcome { found, hashes } = device
        .search_header(&header, first..=u32::MAX, &Cancel::never())
        .unwrap();
    assert_eq!(found.map(|found| found.nonce), Some(GENESIS_NONCE));
    assert!(hashes > 1_000_000);
}

/// Easy targets, where an answer has no room for all, and harder ones; one version and several.
#[test]
fn all_solutions_of_a_range_are_the_processors() {
    let Some(mut device) = device() else { return };
    let mut all = 0;
    let targets = [0x207f_ffff, 0x2010_0000, 0x2000_ffff, 0x1f0f_ffff];
    for (bits, last) in targets.into_iter().zip([60, 1_500, 20_000, 300_000]) {
        for versions in [1, 3, 16] {
            let salt = u8::try_from(bits >> 16 & 0xff).unwrap();
            let header = header(bits, salt, versions);
            let last = last / u32::from(versions);
            all += compare(&mut device, &header, 0, last);
            all += compare(&mut device, &header, u32::MAX - last, u32::MAX);
        }
    }
    assert!(all > 300, "{all}");
}

/// Ranges of one nonce and those just beside a work group's size; the last nonce, behind which it begins again at zero.
#[test]
fn ends_of_ranges_are_exact() {
    let Some(mut device) = device() else { return };
    let easy = header(0x2010_0000, 9, 1);
    let solution = |range| {
        let outcome = cpu::search(&cpu::Reference, &easy, range, || false);
        outcome.found.unwrap().nonce
    };
    let never = Cancel::never();
    for nonce in [solution(0..=u32::MAX), solution(u32::MAX - 100..=u32::MAX)] {
        for (first, last) in [(nonce, nonce), (nonce - 1, nonce), (nonce, nonce + 1)] {
            let outcome = device.search_header(&easy, first..=last, &never).unwrap();
            assert_eq!(outcome.found.map(|found| found.nonce), Some(nonce));
        }
        let before = device.search_header(&easy, nonce - 1..=nonce - 1, &never);
        let outcome = SearchOutcome {
            found: None,
            hashes: 1,
        };
        assert_eq!(before.unwrap(), outcome);
    }
    let hard = header(0x0300_0001, 9, 1);
    for length in [1, 63, 64, 65, 511, 513, 4_097, 70_001] {
        for first in [0, 0x8000_0000 - length, u32::MAX - (length - 1)] {
            let outcome = device.search_header(&hard, first..=first + (length - 1), &never);
            let expected = SearchOutcome {
                found: None,
                hashes: u64::from(length),
            };
            assert_eq!(outcome.unwrap(), expected);
        }
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "an empty range is what is tested"
    )]
    let empty = device.search_header(&hard, 5..=4, &never).unwrap();
    assert_eq!(empty, SearchOutcome::default());
}

#[test]
fn mines_a_block_of_a_template() {
    let Some(mut device) = device() else { return };
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 3);
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let payout = ScriptBuf::from_bytes(vec![0x51]);
    let now = u64::from(chain.tip().time) + 60;
    let template = Arc::new(build_template(&spec, &tip, &[], &payout, now));
    let job = Job::new(template, Extranonce::new(1, 2), 1_700_000_000, 4);
    assert_eq!((device.name(), device.versions()), ("opencl0", 1));
    assert!(device.kernel().starts_with("opencl-v"));
    let found = device.search(&job, 0..=u32::MAX, &Cancel::never()).unwrap();
    let block = job.block(found.found.unwrap());
    assert!(block.header.target().is_met_by(block.block_hash()));
}

/// A search over the whole space ends when it is cancelled, and the device is ready for the next one.
#[test]
fn stops_when_cancelled() {
    let Some(mut device) = device() else { return };
    let hard = header(0x0300_0001, 11, 1);
    let generation = Arc::new(AtomicU64::new(0));
    let cancel = Cancel::new(Arc::clone(&generation), 0);
    let searching = &mut *device;
    let outcome = std::thread::scope(|scope| {
        let search = scope.spawn(|| searching.search_header(&hard, 0..=u32::MAX, &cancel));
        generation.store(1, Ordering::Release);
        search.join().unwrap().unwrap()
    });
    assert!(outcome.hashes < 1 << 31, "{outcome:?}");
    let easy = header(0x2010_0000, 12, 1);
    assert!(compare(&mut device, &easy, 0, 300) > 5);
}

/// Over many nonces, with some solutions to compare whatever the number. All 2^32 with `make gpu-compare`.
#[test]
fn agrees_with_the_processor_at_length() {
    let Some(mut device) = device() else { return };
    let nonces: u64 =
        std::env::var("PYRITE_GPU_NONCES").map_or(NONCES, |nonces| nonces.parse().unwrap());
    assert!(
        (1..=1 << 32).contains(&nonces),
        "PYRITE_GPU_NONCES is from 1 to 2^32"
    );
    // One nonce solves in four million, or in 65,536 where there are few.
    let (bits, odds) = match nonces {
        0x0100_0000.. => (0x1e04_0000, 1 << 22),
        _ => (0x1f01_0000, 1 << 16),
    };
    let header = header(bits, 13, 1);
    let started = std::time::Instant::now();
    let last = u32::try_from(nonces - 1).unwrap();
    let solutions = compare(&mut device, &header, 0, last);
    println!(
        "{nonces} nonces, {solutions} solutions, the same on {} and {}, in {:.0?}",
        device.kernel(),
        cpu::fastest_kernel().name(),
        started.elapsed()
    );
    assert!(solutions as u64 >= nonces / odds / 2, "{solutions}");
}
