//! Devices that misbehave, and the calibration, on made-up queues.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_consensus::bitcoin::{CompactTarget, Network, ScriptBuf};

use super::calibrate::{Shape, calibrate, self_test};
use super::driver::Driver;
use super::fake_queue::{FakeQueue, NAME, Trouble, call_error, fake};
use super::info::GpuKind;
use super::queue::{Candidates, Found, Launch, Queue};
use super::tuning::{Majority, Tuning, Unroll};
use crate::device::cpu;
use crate::test_chain::TestChain;
use crate::{
    Cancel, Extranonce, GpuError, Job, MiningDevice, PreparedHeader, SearchOutcome, TemplateTip,
    build_template,
};

/// Far beyond what a loaded machine needs.
const PATIENT: Duration = Duration::from_secs(120);

/// A header of which one hash in so many has a top word below the target's.
fn header(bits: u32, time: u32, versions: u16) -> PreparedHeader {
    let mut header = genesis_block(Network::Regtest).header;
    header.bits = CompactTarget::from_consensus(bits);
    header.time = time;
    PreparedHeader::with_versions(&header, versions)
}

/// Nobody finds it.
fn hard(time: u32) -> PreparedHeader {
    header(0x0300_0001, time, 1)
}

fn outcome_of(trouble: Trouble, header: &PreparedHeader) -> Result<SearchOutcome, GpuError> {
    let mut fake = fake(std::slice::from_ref(header), trouble, PATIENT);
    let outcome = fake
        .device
        .search_header(header, 5..=2_000_000, &Cancel::never());
    if let Err(error) = &outcome {
        let again = fake.device.search_header(header, 5..=6, &Cancel::never());
        assert_eq!(again.as_ref(), Err(error), "it stays out of order");
    }
    outcome
}

/// Of easy targets (more candidates than an answer has room for) and harder ones, the first solution, as the processor has it.
#[test]
fn the_first_solution_is_found() {
    for (bits, versions) in [
        (0x207f_ffff, 1),
        (0x2000_ffff, 1),
        (0x1f0f_ffff, 1),
        (0x1f0f_ffff, 5),
    ] {
        let header = header(bits, 7, versions);
        let mut fake = fake(std::slice::from_ref(&header), Trouble::None, PATIENT);
        let mut first = u32::MAX - 60_000;
        for _ in 0..5 {
            let found = fake
                .device
                .search_header(&header, first..=u32::MAX, &Cancel::never())
                .unwrap()
                .found;
            let expected = cpu::search(&cpu::Reference, &header, first..=u32::MAX, || false).found;
            assert_eq!(found, expected, "{bits:x}");
            let Some(found) = found else { break };
            first = found.nonce + 1;
        }
    }
}

#[test]
fn a_range_is_covered_exactly_and_the_device_never_waits() {
    let header = hard(1);
    let mut fake = fake(std::slice::from_ref(&header), Trouble::None, PATIENT);
    let first = u32::MAX - 200_000;
    let outcome = fake
        .device
        .search_header(&header, first..=u32::MAX, &Cancel::never())
        .unwrap();
    assert_eq!(
        outcome,
        SearchOutcome {
            found: None,
            hashes: 200_001
        }
    );
    let launched = fake.launched.lock().unwrap().clone();
    assert!(launched.len() > 5, "{launched:?}");
    assert_eq!(launched[0], first);
    assert!(launched.is_sorted_by(|a, b| a < b));
    // Only behind the last launch of the range there is none.
    assert_eq!(fake.starved.load(Ordering::Relaxed), 1);
}

#[test]
fn wrong_results_are_noticed() {
    let what = |trouble| match outcome_of(trouble, &hard(2)) {
        Err(GpuError::TooManyErrors {
            device,
            errors,
            what,
            ..
        }) => {
            assert_eq!((device.as_str(), errors), (NAME, 16));
            what
        }
        outcome => panic!("{trouble:?}: {outcome:?}"),
    };
    let low = "the hash is not as low as the device said";
    assert_eq!(what(Trouble::WrongNonce), low);
    assert_eq!(what(Trouble::BeyondTheRange), "not in the range");
    assert_eq!(what(Trouble::UnknownVersion), "not in the range");
    let many = "far too many nonces are said to be good";
    assert_eq!(what(Trouble::FindsAll), many);
    assert!(matches!(
        outcome_of(Trouble::FindsNothing, &hard(2)),
        Err(GpuError::FindsNothing { hashes, .. }) if hashes > 32 * 4_096
    ));
}

/// One in some thirty results is wrong: that is counted, and the device goes on.
#[test]
fn a_few_wrong_results_are_dropped() {
    let header = hard(8);
    let headers = std::slice::from_ref(&header);
    let mut fake = fake(headers, Trouble::WrongNow, PATIENT);
    let outcome = fake
        .device
        .search_header(&header, 0..=4_000_000, &Cancel::never())
        .unwrap();
    assert_eq!((outcome.found, outcome.hashes), (None, 4_000_001));
    let aside = fake.device.side_results();
    assert!(
        aside.errors > 5 && aside.good > 20 * aside.errors,
        "{aside:?}"
    );
    let nothing = fake.device.side_results();
    assert_eq!((nothing.errors, nothing.good), (0, 0), "it is told once");
}

#[test]
fn what_the_driver_says_is_told() {
    assert_eq!(
        outcome_of(Trouble::LaunchFails, &hard(3)),
        Err(call_error())
    );
    assert_eq!(
        outcome_of(Trouble::KernelFails, &hard(3)),
        Err(call_error())
    );
    assert_eq!(
        call_error().to_string(),
        "opencl7: clEnqueueNDRangeKernel failed: CL_OUT_OF_RESOURCES (-5)"
    );
    let gone = GpuError::Gone {
        device: NAME.to_owned(),
    };
    assert_eq!(outcome_of(Trouble::Panics, &hard(3)), Err(gone));
}

#[test]
fn a_driver_that_hangs_is_given_up() {
    let header = hard(4);
    let headers = std::slice::from_ref(&header);
    let mut fake = fake(headers, Trouble::Waits, Duration::from_millis(20));
    let outcome = fake
        .device
        .search_header(&header, 0..=u32::MAX, &Cancel::never());
    assert!(
        matches!(outcome, Err(GpuError::Hangs { .. })),
        "{outcome:?}"
    );
    // It hangs still, and nobody waits for it.
    drop(fake.device);
    drop(fake.release);
}

/// A job that anybody solves in some ten thousand hashes.
fn job() -> Job {
    let spec = ChainSpec::regtest();
    let chain = TestChain::at_height(&spec, 3);
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let payout = ScriptBuf::from_bytes(vec![0x51]);
    let mut template = build_template(&spec, &tip, &[], &payout, 1_700_000_000);
    template.bits = CompactTarget::from_consensus(0x1f0f_ffff);
    Job::new(Arc::new(template), Extranonce::new(1, 2), 1_700_000_000, 1)
}

/// The cancellation ends the search of a device that is in the middle of a launch. The next search takes nothing of the last one for
/// its own, and begins behind two launches at most; what those find for their own job is told aside.
#[test]
fn a_cancelled_search_ends_at_once_and_its_launches_count_for_its_job() {
    let (old, new) = (job(), hard(6));
    let mut fake = fake(
        &[old.prepared().clone(), new.clone()],
        Trouble::Waits,
        PATIENT,
    );
    let generation = Arc::new(AtomicU64::new(0));
    let cancel = Cancel::new(Arc::clone(&generation), 0);
    let canceller = std::thread::spawn({
        let launched = Arc::clone(&fake.launched);
        move || {
            let deadline = Instant::now() + PATIENT;
            while launched.lock().unwrap().len() < 2 && Instant::now() < deadline {
                std::thread::yield_now();
            }
            generation.store(1, Ordering::Release);
        }
    });
    let expected = cpu::search(&cpu::Reference, old.prepared(), 0..=u32::MAX, || false);
    let expected = expected.found.unwrap();
    // It is in the first launch.
    let first = expected.nonce.saturating_sub(100);
    let outcome = fake.device.search(&old, first..=u32::MAX, &cancel).unwrap();
    assert_eq!(outcome, SearchOutcome::default());
    canceller.join().unwrap();
    assert_eq!(fake.launched.lock().unwrap().len(), 2);
    assert_eq!(fake.device.side_results().hashes, 0);
    // Launches of the old work hold solutions; the device may go on now.
    drop(fake.release.take());
    let never = Cancel::never();
    let range = 1_000_000..=1_050_000;
    let outcome = fake.device.search_header(&new, range.clone(), &never);
    assert_eq!(outcome.unwrap(), SearchOutcome::default());
    let aside = fake.device.side_results();
    assert!(aside.hashes > 100, "{aside:?}");
    let (job, solution) = &aside.solutions[0];
    assert_eq!((aside.solutions.len(), *solution), (1, expected));
    assert_eq!(job.extranonce(), old.extranonce());
    // A further solution of that job could only be a sibling.
    let outcome = fake.device.search_header(&new, range, &never);
    let whole = SearchOutcome {
        found: None,
        hashes: 50_001,
    };
    assert_eq!(outcome.unwrap(), whole);
    assert!(fake.device.side_results().solutions.is_empty());
    assert_eq!(fake.launched.lock().unwrap()[2], 1_000_000);
    // Already cancelled: nothing is launched.
    let before = fake.launched.lock().unwrap().len();
    let outcome = fake.device.search(&old, 0..=u32::MAX, &cancel).unwrap();
    assert_eq!(outcome, SearchOutcome::default());
    assert_eq!(fake.launched.lock().unwrap().len(), before);
}

#[test]
fn an_opening_that_hangs_or_breaks_down_is_an_error() {
    let (keep, kept) = channel::<()>();
    let hung = Driver::open(NAME, Duration::from_millis(20), move || {
        let _ = kept.recv();
        Err::<(FakeQueue, ()), _>(call_error())
    });
    assert!(matches!(hung, Err(GpuError::Hangs { .. })));
    drop(keep);
    let failed = Driver::open(NAME, PATIENT, || Err::<(FakeQueue, ()), _>(call_error()));
    assert_eq!(failed.err(), Some(call_error()));
    let gone = Driver::open(NAME, PATIENT, || -> Result<(FakeQueue, ()), _> {
        panic!("a made-up driver breaks down")
    });
    assert!(matches!(gone.err(), Some(GpuError::Gone { .. })));
}

/// A queue that says how long a build takes for a hash, and finds what it is told to.
struct Timed {
    rate: f64,
    counts: std::collections::VecDeque<u32>,
}

impl Queue for Timed {
    fn launch(&mut self, launch: &Launch) -> Result<(), GpuError> {
        self.counts.push_back(launch.count);
        Ok(())
    }

    fn collect(&mut self) -> Result<Found, GpuError> {
        let count = self.counts.pop_front().unwrap();
        Ok(Found {
            candidates: Candidates::All(Vec::new()),
            elapsed: Duration::from_secs_f64(f64::from(count) / self.rate),
        })
    }
}

fn refusal(tuning: Tuning) -> GpuError {
    GpuError::Build {
        device: NAME.to_owned(),
        tuning: tuning.to_string(),
        log: "no".to_owned(),
    }
}

#[test]
fn the_fastest_build_is_taken() {
    let shape = Shape {
        kind: GpuKind::Gpu,
        native_width: 1,
    };
    let mut tried = Vec::new();
    let best = calibrate(shape, |tuning| {
        tried.push(tuning);
        if tuning.width == 16 || tuning.group == 256 {
            return Err(refusal(tuning));
        }
        let mut rate = 1e8 * f64::from(8_u32.abs_diff(tuning.width * 2) + 1).recip();
        if tuning.majority == Majority::Carry {
            rate *= 1.2;
        }
        if tuning.unroll == Unroll::Sixteen {
            rate *= 0.5;
        }
        Ok(Timed {
            rate: rate * f64::from(tuning.group),
            counts: std::collections::VecDeque::new(),
        })
    })
    .unwrap();
    let expected = Tuning {
        width: 4,
        group: 128,
        unroll: Unroll::All,
        majority: Majority::Carry,
    };
    assert_eq!(best.tuning, expected);
    assert!(
        (best.rate / (1.2e8 * 128.0) - 1.0).abs() < 1e-3,
        "{}",
        best.rate
    );
    let widths: Vec<u32> = tried.iter().map(|tuning| tuning.width).collect();
    assert_eq!(widths[..5], [1, 2, 4, 8, 16]);
    assert_eq!(tried.len(), 10);
}

/// A card that did nothing has a low clock, and gets to its full one only after some work: what is measured first is not slower for
/// that.
#[test]
fn a_cold_device_is_warmed_up_before_it_is_measured() {
    struct Cold {
        rate: f64,
        worked: Arc<Mutex<Duration>>,
        counts: std::collections::VecDeque<u32>,
    }
    impl Queue for Cold {
        fn launch(&mut self, launch: &Launch) -> Result<(), GpuError> {
            self.counts.push_back(launch.count);
            Ok(())
        }
        fn collect(&mut self) -> Result<Found, GpuError> {
            let count = self.counts.pop_front().unwrap();
            let mut worked = self.worked.lock().unwrap();
            let clock = if *worked < Duration::from_millis(200) {
                0.2
            } else {
                1.0
            };
            let elapsed = Duration::from_secs_f64(f64::from(count) / (self.rate * clock));
            *worked += elapsed;
            Ok(Found {
                candidates: Candidates::All(Vec::new()),
                elapsed,
            })
        }
    }
    let shape = Shape {
        kind: GpuKind::Gpu,
        native_width: 1,
    };
    let worked = Arc::new(Mutex::new(Duration::ZERO));
    let best = calibrate(shape, |tuning| {
        let is_best = tuning == Tuning::FIRST;
        Ok(Cold {
            rate: if is_best { 1e9 } else { 9e8 },
            worked: Arc::clone(&worked),
            counts: std::collections::VecDeque::new(),
        })
    })
    .unwrap();
    assert_eq!(best.tuning, Tuning::FIRST);
    assert!((best.rate / 1e9 - 1.0).abs() < 1e-3, "{}", best.rate);
}

#[test]
fn a_device_that_takes_no_build_says_why() {
    let shape = Shape {
        kind: GpuKind::Processor,
        native_width: 8,
    };
    let mut tried = Vec::new();
    let refused = calibrate(shape, |tuning| -> Result<Timed, _> {
        tried.push(tuning.width);
        Err(refusal(tuning))
    });
    assert!(matches!(refused.err(), Some(GpuError::Build { log, .. }) if log == "no"));
    assert_eq!(tried, [8]);
    let odd = Shape {
        native_width: 3,
        ..shape
    };
    tried.clear();
    let refused = calibrate(odd, |tuning| -> Result<Timed, _> {
        tried.push(tuning.width);
        Err(refusal(tuning))
    });
    assert!(refused.is_err());
    assert_eq!(tried, [1, 2, 4, 8, 16]);
    let broken = calibrate(shape, |_| -> Result<Timed, _> { Err(call_error()) });
    assert_eq!(broken.err(), Some(call_error()));
}

#[test]
fn the_self_test_notices_a_device_that_finds_nothing() {
    let mut queue = Timed {
        rate: 1e6,
        counts: std::collections::VecDeque::new(),
    };
    assert!(matches!(
        self_test(NAME, &mut queue),
        Err(GpuError::WrongResult {
            what: "missed in the self-test",
            ..
        })
    ));
}
