//! The engine with made-up work sources and devices.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pyrite_consensus::bitcoin::block::Header;

use super::fakes::{
    FakeChain, FakeDevice, ManualSource, NOW, accept, clock, devices, hard_template_on,
    late_devices, settings, template_on, wait_for_cancel, wait_until,
};
use super::lock::lock;
use super::{DeviceState, MinerHandle, MinerSettings, MinerStatus, UnixClock};
use crate::{
    Cancel, CpuDevice, DeviceError, Extranonce, Job, KernelChoice, MinerError, MiningDevice,
    SearchOutcome, Solution, WorkError, WorkSource,
};

fn first_header(job: &Job) -> Header {
    job.header(Solution {
        version: job.version(0),
        nonce: 0,
    })
}

fn is_mining(status: &MinerStatus) -> bool {
    !status.devices.is_empty()
        && status
            .devices
            .iter()
            .all(|device| device.state == DeviceState::Mining)
}

#[test]
fn mines_block_after_block() {
    let chain = FakeChain::new(30);
    let miner = MinerHandle::new(Arc::clone(&chain) as Arc<dyn WorkSource>, clock());
    miner.start(settings(2)).unwrap();
    wait_until("30 blocks", || chain.height() == 30);
    miner.stop();
    let status = miner.status();
    assert_eq!(status.blocks_accepted, 30);
    assert_eq!(status.blocks_rejected, 0);
    assert_eq!(status.blocks_found, 30 + status.blocks_stale);
    assert!(status.hashes_total >= 30);
    let mut coinbases: Vec<_> = lock(&chain.blocks)
        .iter()
        .map(|block| block.txdata[0].compute_txid())
        .collect();
    coinbases.sort_unstable();
    coinbases.dedup();
    assert_eq!(coinbases.len(), 31);
}

#[test]
fn stops_and_starts_again() {
    let chain = FakeChain::new(5);
    let miner = MinerHandle::new(Arc::clone(&chain) as Arc<dyn WorkSource>, clock());
    assert_eq!(miner.status(), MinerStatus::default());
    miner.start(settings(1)).unwrap();
    wait_until("5 blocks", || chain.height() == 5);
    miner.stop();
    let stopped = miner.status();
    assert!(!stopped.running);
    assert_eq!((stopped.threads, stopped.intensity_percent), (0, 0));
    assert_eq!(
        (
            stopped.hash_rate_10s,
            stopped.hash_rate_1m,
            stopped.hash_rate_15m
        ),
        (0., 0., 0.)
    );
    assert_eq!(stopped.started_at, None);
    assert!(stopped.devices.is_empty());
    chain.grow_to(8);
    assert_eq!(miner.status(), stopped, "a stopped miner does nothing");
    miner
        .start(MinerSettings {
            threads: 3,
            intensity_percent: 50,
            ..MinerSettings::default()
        })
        .unwrap();
    wait_until("8 blocks", || chain.height() == 8);
    let status = miner.status();
    assert!(status.running);
    assert_eq!((status.threads, status.intensity_percent), (3, 50));
    assert_eq!(status.devices.len(), 3);
    assert_eq!(status.started_at, Some(NOW));
    miner.stop();
    assert_eq!(miner.status().blocks_accepted, 8);
}

#[test]
fn starting_with_the_same_settings_changes_nothing() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let factory = devices(move |index| {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::new(CpuDevice::new(index, &KernelChoice::Fastest))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock(), factory);
    miner.start(settings(2)).unwrap();
    miner.start(settings(2)).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 2);
    miner.start(settings(3)).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 5);
    assert_eq!(miner.status().threads, 3);
    assert!(matches!(
        miner.start(settings(0)),
        Err(MinerError::NoThreads)
    ));
    assert_eq!(
        miner.status().threads,
        3,
        "bad settings leave the miner as it was"
    );
    miner.stop();
}

#[test]
fn waits_while_there_is_no_template() {
    let source = ManualSource::new(None, accept);
    let searches = Arc::new(AtomicUsize::new(0));
    let miner =
        MinerHandle::with_devices(Arc::clone(&source) as _, clock(), late_devices(&searches));
    miner.start(settings(1)).unwrap();
    wait_until("an open device", || {
        miner.status().devices[0].state == DeviceState::Waiting
    });
    source.publish(Some(template_on(1)));
    wait_until("a search", || searches.load(Ordering::SeqCst) == 1);
    assert!(is_mining(&miner.status()));
    source.publish(None);
    wait_until("the late block", || miner.status().blocks_stale == 1);
    assert_eq!(miner.status().devices[0].state, DeviceState::Waiting);
    assert_eq!(searches.load(Ordering::SeqCst), 1);
    source.publish(Some(template_on(2)));
    wait_until("another search", || searches.load(Ordering::SeqCst) == 2);
    source.close();
    wait_until("the end of the source", || {
        miner.status().devices[0].state == DeviceState::Waiting
    });
    miner.stop();
    assert!(lock(&source.submitted).is_empty());
}

#[test]
fn drops_what_was_found_on_a_former_tip() {
    let source = ManualSource::new(Some(template_on(1)), accept);
    let searches = Arc::new(AtomicUsize::new(0));
    let miner =
        MinerHandle::with_devices(Arc::clone(&source) as _, clock(), late_devices(&searches));
    miner.start(settings(1)).unwrap();
    wait_until("a search", || searches.load(Ordering::SeqCst) == 1);
    source.publish(Some(template_on(2)));
    wait_until("a search on the new tip", || {
        searches.load(Ordering::SeqCst) == 2
    });
    let status = miner.status();
    assert_eq!(
        (
            status.blocks_found,
            status.blocks_stale,
            status.blocks_accepted
        ),
        (1, 1, 0)
    );
    assert!(lock(&source.submitted).is_empty());
    miner.stop();
}

#[test]
fn submits_what_was_found_on_a_former_template_of_the_same_tip() {
    let source = ManualSource::new(Some(template_on(1)), accept);
    let searches = Arc::new(AtomicUsize::new(0));
    let miner =
        MinerHandle::with_devices(Arc::clone(&source) as _, clock(), late_devices(&searches));
    miner.start(settings(1)).unwrap();
    wait_until("a search", || searches.load(Ordering::SeqCst) == 1);
    source.publish(Some(template_on(1)));
    wait_until("the block", || miner.status().blocks_accepted == 1);
    let submitted = lock(&source.submitted).clone();
    assert_eq!(submitted.len(), 1);
    assert_eq!(submitted[0].header.prev_blockhash, template_on(1).previous);
    assert!(submitted[0].check_merkle_root());
    miner.stop();
}

#[test]
fn a_block_found_at_the_last_moment_is_submitted() {
    let source = ManualSource::new(Some(template_on(1)), accept);
    let searches = Arc::new(AtomicUsize::new(0));
    let miner =
        MinerHandle::with_devices(Arc::clone(&source) as _, clock(), late_devices(&searches));
    miner.start(settings(1)).unwrap();
    wait_until("a search", || searches.load(Ordering::SeqCst) == 1);
    miner.stop();
    assert_eq!(miner.status().blocks_accepted, 1);
}

#[test]
fn one_block_a_tip_is_submitted_and_the_others_are_stale() {
    let source = ManualSource::new(Some(template_on(1)), accept);
    let searches = Arc::new(AtomicUsize::new(0));
    let miner =
        MinerHandle::with_devices(Arc::clone(&source) as _, clock(), late_devices(&searches));
    miner.start(settings(4)).unwrap();
    wait_until("four searches", || searches.load(Ordering::SeqCst) == 4);
    miner.stop();
    let status = miner.status();
    assert_eq!(
        (
            status.blocks_found,
            status.blocks_accepted,
            status.blocks_stale
        ),
        (4, 1, 3)
    );
    assert_eq!(lock(&source.submitted).len(), 1);
}

#[test]
fn counts_stale_verdicts() {
    let source = ManualSource::new(Some(template_on(1)), || Err(WorkError::Stale));
    let miner = MinerHandle::new(Arc::clone(&source) as _, clock());
    miner.start(settings(1)).unwrap();
    wait_until("a verdict", || miner.status().blocks_stale > 0);
    miner.stop();
    let status = miner.status();
    assert_eq!((status.blocks_accepted, status.blocks_rejected), (0, 0));
    assert_eq!(status.blocks_stale, status.blocks_found);
}

#[test]
fn counts_rejections() {
    let reject = || {
        Err(WorkError::Rejected {
            reason: "bad-cb-amount".to_owned(),
        })
    };
    let source = ManualSource::new(Some(template_on(1)), reject);
    let miner = MinerHandle::new(Arc::clone(&source) as _, clock());
    miner.start(settings(1)).unwrap();
    wait_until("a verdict", || miner.status().blocks_rejected > 0);
    miner.stop();
    let status = miner.status();
    assert_eq!((status.blocks_accepted, status.blocks_stale), (0, 0));
    assert_eq!(status.blocks_rejected, status.blocks_found);
}

#[test]
fn measures_hash_rates() {
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::new(source, clock());
    miner.start(settings(2)).unwrap();
    wait_until("hashes of both devices", || {
        miner
            .status()
            .devices
            .iter()
            .all(|device| device.hashes > 0)
    });
    let status = miner.status();
    let sum: f64 = status
        .devices
        .iter()
        .map(|device| device.hash_rates.ten_seconds)
        .sum();
    assert!(sum > 0.0);
    assert_eq!(status.hash_rate_10s, sum);
    assert_eq!(status.hash_rate, sum);
    assert!(status.hash_rate_1m > 0.0 && status.hash_rate_15m > 0.0);
    assert!(is_mining(&status));
    assert_eq!(status.devices[1].name, "cpu1");
    miner.stop();
    let total = miner.status().hashes_total;
    assert!(total >= status.devices.iter().map(|device| device.hashes).sum());
}

#[test]
fn jobs_never_repeat() {
    let seen: Arc<Mutex<Vec<Header>>> = Arc::default();
    let log = Arc::clone(&seen);
    let factory = devices(move |_| {
        let log = Arc::clone(&log);
        Box::new(FakeDevice(move |job: &Job, cancel: &Cancel| {
            lock(&log).push(first_header(job));
            wait_for_cancel(cancel);
            SearchOutcome::default()
        }))
    });
    let source = ManualSource::new(None, accept);
    let miner = MinerHandle::with_devices(Arc::clone(&source) as _, clock(), factory);
    miner.start(settings(3)).unwrap();
    for round in 1..=5 {
        source.publish(Some(hard_template_on(1)));
        wait_until("every thread's job", || lock(&seen).len() >= 3 * round);
    }
    miner.stop();
    let mut hashes: Vec<_> = lock(&seen).iter().map(Header::block_hash).collect();
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn exhausted_nonces_and_new_seconds_make_new_headers() {
    let time = Arc::new(Mutex::new(NOW));
    let clock_time = Arc::clone(&time);
    let clock: UnixClock = Arc::new(move || *lock(&clock_time));
    /// What was searched: each call's job and nonces.
    type Searches = Vec<(Job, RangeInclusive<u32>)>;
    let seen: Arc<Mutex<Searches>> = Arc::default();
    /// Claims to have hashed a whole range in no time, so that ranges grow fast.
    struct Instantly(Arc<Mutex<Searches>>);
    impl MiningDevice for Instantly {
        fn name(&self) -> &str {
            "instantly"
        }
        fn kernel(&self) -> &str {
            "none"
        }
        fn search(
            &mut self,
            job: &Job,
            nonces: RangeInclusive<u32>,
            cancel: &Cancel,
        ) -> Result<SearchOutcome, DeviceError> {
            let mut seen = lock(&self.0);
            seen.push((job.clone(), nonces.clone()));
            let count = seen.len();
            drop(seen);
            if count >= 200 {
                wait_for_cancel(cancel);
            }
            Ok(SearchOutcome {
                found: None,
                hashes: 1 << 40,
            })
        }
    }
    let log = Arc::clone(&seen);
    let factory = devices(move |_| Box::new(Instantly(Arc::clone(&log))));
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock, factory);
    miner.start(settings(1)).unwrap();
    wait_until("some searches", || lock(&seen).len() >= 100);
    *lock(&time) = NOW + 1;
    wait_until("all searches", || lock(&seen).len() >= 200);
    miner.stop();
    let seen = lock(&seen).clone();
    for pair in seen.windows(2) {
        let ((before, done), (after, todo)) = (&pair[0], &pair[1]);
        if *todo.start() == 0 {
            assert_ne!(
                first_header(before),
                first_header(after),
                "nonces start again on a new header"
            );
        } else {
            assert_eq!(first_header(before), first_header(after));
            assert_eq!(*todo.start(), *done.end() + 1);
        }
    }
    assert!(
        seen.iter().any(|(_, nonces)| *nonces.end() == u32::MAX),
        "a space was exhausted"
    );
    let extranonces = seen.iter().map(|(job, _)| job.extranonce());
    assert!(extranonces.collect::<HashSet<_>>().len() > 1);
}

#[test]
fn the_header_follows_the_clock() {
    let time = Arc::new(Mutex::new(NOW));
    let clock_time = Arc::clone(&time);
    let clock: UnixClock = Arc::new(move || *lock(&clock_time));
    let last_time: Arc<Mutex<u32>> = Arc::default();
    let log = Arc::clone(&last_time);
    let factory = devices(move |_| {
        let log = Arc::clone(&log);
        Box::new(FakeDevice(move |job: &Job, _: &Cancel| {
            *lock(&log) = job.time();
            std::thread::yield_now();
            SearchOutcome::default()
        }))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock, factory);
    miner.start(settings(1)).unwrap();
    wait_until("the first time", || u64::from(*lock(&last_time)) == NOW);
    *lock(&time) = NOW + 7;
    wait_until("the later time", || u64::from(*lock(&last_time)) == NOW + 7);
    miner.stop();
}

#[test]
fn a_panicking_device_is_reported_and_the_others_go_on() {
    let factory = devices(|index| match index {
        0 => Box::new(FakeDevice(|_: &Job, _: &Cancel| panic!("the fan fell off"))),
        _ => Box::new(CpuDevice::new(index, &KernelChoice::Fastest)),
    });
    let chain = FakeChain::new(usize::MAX);
    let miner = MinerHandle::with_devices(Arc::clone(&chain) as _, clock(), factory);
    miner.start(settings(2)).unwrap();
    let failed = DeviceState::Failed {
        reason: "the fan fell off".to_owned(),
    };
    wait_until("the report", || miner.status().devices[0].state == failed);
    let height = chain.height();
    wait_until("blocks of the other device", || chain.height() > height);
    // The same settings again give the device another chance.
    chain.grow_to(0);
    miner.start(settings(2)).unwrap();
    wait_until("an open device", || {
        miner.status().devices[0].state == DeviceState::Waiting
    });
    miner.stop();
}

#[test]
fn a_device_with_an_error_is_set_aside_with_its_reason() {
    struct Broken;
    impl MiningDevice for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        fn kernel(&self) -> &str {
            "none"
        }
        fn search(
            &mut self,
            _: &Job,
            _: RangeInclusive<u32>,
            _: &Cancel,
        ) -> Result<SearchOutcome, DeviceError> {
            Err(DeviceError::Failed {
                reason: "no power".to_owned(),
            })
        }
    }
    let factory = devices(|index| match index {
        0 => Box::new(Broken),
        _ => Box::new(CpuDevice::new(index, &KernelChoice::Fastest)),
    });
    let chain = FakeChain::new(usize::MAX);
    let miner = MinerHandle::with_devices(Arc::clone(&chain) as _, clock(), factory);
    miner.start(settings(2)).unwrap();
    let failed = DeviceState::Failed {
        reason: "the device failed: no power".to_owned(),
    };
    wait_until("the report", || miner.status().devices[0].state == failed);
    let height = chain.height();
    wait_until("blocks of the other device", || chain.height() > height);
    miner.stop();
}

/// Blocks come with versions that a device rolled, all of a job's versions differ, and there are as many as it wants now.
#[test]
fn versions_of_a_device_are_those_of_its_jobs() {
    struct Roller(CpuDevice, u16);
    impl MiningDevice for Roller {
        fn name(&self) -> &str {
            "roller"
        }
        fn kernel(&self) -> &str {
            self.0.kernel()
        }
        fn versions(&self) -> u16 {
            self.1
        }
        fn search(
            &mut self,
            job: &Job,
            nonces: RangeInclusive<u32>,
            cancel: &Cancel,
        ) -> Result<SearchOutcome, DeviceError> {
            assert_eq!(job.versions(), self.1);
            self.1 = 8 - self.1;
            self.0.search(job, nonces, cancel)
        }
    }
    let factory =
        devices(|index| Box::new(Roller(CpuDevice::new(index, &KernelChoice::Fastest), 5)));
    let chain = FakeChain::new(60);
    let miner = MinerHandle::with_devices(Arc::clone(&chain) as _, clock(), factory);
    miner.start(settings(1)).unwrap();
    wait_until("60 blocks", || chain.height() == 60);
    miner.stop();
    assert_eq!(miner.status().blocks_rejected, 0);
    let versions: HashSet<i32> = lock(&chain.blocks)[1..]
        .iter()
        .map(|block| block.header.version.to_consensus())
        .collect();
    let job = Job::new(hard_template_on(1), Extranonce::new(0, 0), 0, 5);
    let allowed: HashSet<i32> = (0..5)
        .map(|index| job.version(index).to_consensus())
        .collect();
    assert_eq!(allowed.len(), 5);
    assert!(versions.len() > 1, "{versions:?}");
    assert!(versions.is_subset(&allowed), "{versions:?}");
}

#[test]
fn a_false_nonce_is_not_submitted() {
    let factory = devices(|_| {
        Box::new(FakeDevice(|job: &Job, _: &Cancel| {
            std::thread::yield_now();
            SearchOutcome {
                found: Some(Solution {
                    version: job.version(0),
                    nonce: 7,
                }),
                hashes: 1,
            }
        }))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(Arc::clone(&source) as _, clock(), factory);
    miner.start(settings(1)).unwrap();
    wait_until("false nonces", || {
        miner.status().devices[0].false_nonces > 1
    });
    miner.stop();
    assert_eq!(miner.status().blocks_found, 0);
    assert!(lock(&source.submitted).is_empty());
}

#[test]
fn shuts_down_for_good() {
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::new(source, clock());
    miner.start(settings(1)).unwrap();
    miner.shutdown();
    assert!(!miner.status().running);
    assert!(matches!(
        miner.start(settings(1)),
        Err(MinerError::ShutDown)
    ));
}

#[test]
fn the_last_handle_stops_the_miner() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&alive);
    let factory = devices(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        let counted = Counted(Arc::clone(&counter));
        Box::new(FakeDevice(move |_: &Job, cancel: &Cancel| {
            let _ = &counted;
            wait_for_cancel(cancel);
            SearchOutcome::default()
        }))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock(), factory);
    miner.start(settings(2)).unwrap();
    // A device that is still being opened is dropped when it is open.
    wait_until("both devices", || is_mining(&miner.status()));
    let clone = miner.clone();
    drop(miner);
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(clone);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
