//! The engine under limits, over new tips, and what it logs.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::CompactTarget;

use super::fakes::{
    FakeDevice, ManualSource, NOW, accept, clock, devices, hard_template_on, settings, solution,
    template_on, wait_until,
};
use super::lock::lock;
use super::{
    DeviceFactory, DeviceKind, DeviceState, HoldBack, MinerHandle, MinerParts, MinerSettings,
    MinerStatus, MiningLimits, OnBattery, PlannedDevice, SearchedRange, UnixClock,
};
use crate::{
    Cancel, CpuDevice, DeviceError, Job, KernelChoice, MinerError, MiningDevice, SearchOutcome,
    Sensors, SideResults, Solution, Template,
};

fn is_mining(status: &MinerStatus) -> bool {
    status.devices[0].state == DeviceState::Mining
}

fn fake_machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Sensors) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        set_sensor(&root, path, text);
    }
    let sensors = Sensors::at(root.path());
    (root, sensors)
}

fn set_sensor(root: &tempfile::TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_limit_pauses_and_resumes_the_devices() {
    let (root, sensors) = fake_machine(&[
        ("sys/class/power_supply/BAT0/type", "Battery"),
        ("sys/class/power_supply/BAT0/status", "Discharging"),
    ]);
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let parts = MinerParts {
        sensors,
        ..MinerParts::default()
    };
    let miner = MinerHandle::with_parts(source, clock(), parts);
    let limits = MiningLimits {
        on_battery: OnBattery::Pause,
        ..MiningLimits::default()
    };
    let settings = MinerSettings {
        limits,
        ..settings(1)
    };
    miner.start(settings).unwrap();
    wait_until("a pause", || {
        miner.status().devices[0].state == DeviceState::Paused
    });
    let status = miner.status();
    assert_eq!(status.held_back, [HoldBack::Battery]);
    assert_eq!(status.allowed_percent, 0);
    assert_eq!(status.sensors.on_battery, Some(true));
    set_sensor(&root, "sys/class/power_supply/BAT0/status", "Charging");
    wait_until("mining", || is_mining(&miner.status()));
    let before = miner.status().hashes_total;
    wait_until("hashes", || miner.status().hashes_total > before);
    let status = miner.status();
    assert_eq!((status.allowed_percent, status.held_back), (100, vec![]));
    miner.stop();
}

#[test]
fn energy_is_counted_over_a_run() {
    const COUNTER: &str = "sys/class/powercap/intel-rapl:0/energy_uj";
    let (root, sensors) = fake_machine(&[
        ("sys/class/powercap/intel-rapl:0/name", "package-0"),
        (COUNTER, "1000000"),
    ]);
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let parts = MinerParts {
        sensors,
        ..MinerParts::default()
    };
    let miner = MinerHandle::with_parts(Arc::clone(&source) as _, clock(), parts);
    miner.start(settings(1)).unwrap();
    wait_until("a first reading", || {
        miner.status().energy_joules == Some(0.0)
    });
    set_sensor(&root, COUNTER, "3500000");
    wait_until("a second reading", || {
        miner.status().energy_joules == Some(2.5)
    });
    wait_until("hashes", || miner.status().hashes_total > 0);
    assert!(miner.status().joules_per_mh.unwrap() > 0.0);
    // A block's is what was used since the one before.
    for tip in 2..=3 {
        source.publish(Some(template_on(tip)));
        let blocks = u64::from(tip) - 1;
        wait_until("a block", || miner.status().blocks_accepted == blocks);
        source.publish(Some(hard_template_on(tip + 10)));
    }
    assert_eq!(*lock(&source.energies), [Some(2_500), Some(0)]);
    miner.stop();
    assert_eq!(miner.status().energy_joules, None);
}

#[test]
fn new_tips_are_measured_and_what_rests_is_not() {
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::new(Arc::clone(&source) as _, clock());
    miner.start(settings(2)).unwrap();
    wait_until("both devices", || {
        let status = miner.status();
        status.devices.iter().all(|device| device.hashes > 0)
    });
    // Whether the first template came before or after a device was open is a matter of luck.
    let first = miner.status().tip_latency.samples;
    for tip in 2..=11_u64 {
        let template = hard_template_on(u8::try_from(tip).unwrap());
        miner.tip_moved(template.previous);
        source.publish(Some(template));
        let samples = first + 2 * (tip - 1);
        wait_until("both devices' samples", || {
            miner.status().tip_latency.samples == samples
        });
    }
    // The same tip again is no new tip.
    let hashes = miner.status().hashes_total;
    source.publish(Some(hard_template_on(11)));
    wait_until("more hashes", || miner.status().hashes_total > hashes);
    let latency = miner.status().tip_latency;
    assert_eq!(latency.samples, first + 20);
    assert!(latency.median <= latency.p99 && latency.p99 <= latency.max);
    miner.stop();
}

/// A device that claims to have searched everything at once, so that whole spaces of nonces run dry.
struct Hasty(usize);

impl MiningDevice for Hasty {
    fn name(&self) -> &str {
        "hasty"
    }
    fn kernel(&self) -> &str {
        "none"
    }
    fn versions(&self) -> u16 {
        [1, 4, 48][self.0 % 3]
    }
    fn search(
        &mut self,
        job: &Job,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError> {
        std::thread::yield_now();
        let nonces = u64::from(nonces.end() - nonces.start()) + 1;
        let hashes = if cancel.is_cancelled() { 0 } else { nonces };
        Ok(SearchOutcome {
            found: None,
            hashes: hashes * u64::from(job.versions()),
        })
    }
}

/// No header is ever searched twice: over several devices of several kinds, times, templates and tips, and over a restart.
#[test]
fn no_work_is_done_twice() {
    /// What was searched, by which devices, and whether a whole space of nonces was.
    #[derive(Default)]
    struct Searched {
        ranges: Vec<SearchedRange>,
        devices: HashSet<String>,
        ran_dry: bool,
    }
    let searched: Arc<Mutex<Searched>> = Arc::default();
    let time = Arc::new(Mutex::new(NOW));
    let (log, clock_time) = (Arc::clone(&searched), Arc::clone(&time));
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let parts = MinerParts {
        devices: devices(|index| match index {
            0 | 1 => Box::new(CpuDevice::new(index, &KernelChoice::Fastest)),
            _ => Box::new(Hasty(index)),
        }),
        range_log: Some(Arc::new(move |range| {
            let mut log = lock(&log);
            log.ran_dry |= *range.nonces.end() == u32::MAX;
            log.devices.insert(range.device.clone());
            log.ranges.push(range);
        })),
        ..MinerParts::default()
    };
    let clock: UnixClock = Arc::new(move || *lock(&clock_time));
    let miner = MinerHandle::with_parts(Arc::clone(&source) as _, clock, parts);
    for threads in [5, 4] {
        miner.start(settings(threads)).unwrap();
        for round in 1..=20_u8 {
            // Every second template is on the tip of the one before, and differs from it in nothing.
            source.publish(Some(hard_template_on(round / 2)));
            *lock(&time) += u64::from(round % 3);
            let before = lock(&searched).ranges.len();
            wait_until("searches", || lock(&searched).ranges.len() >= before + 50);
        }
        wait_until("every device, and a space that ran dry", || {
            let searched = lock(&searched);
            searched.devices.len() == 3 && searched.ran_dry
        });
        miner.stop();
    }
    let mut ranges = std::mem::take(&mut lock(&searched).ranges);
    let key = |range: &SearchedRange| {
        let versions: HashSet<_> = range.versions.iter().collect();
        assert_eq!(versions.len(), range.versions.len());
        (
            range.previous,
            range.merkle_root,
            range.time,
            *range.nonces.start(),
        )
    };
    ranges.sort_by_cached_key(key);
    for pair in ranges.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        let same = (one.previous, one.merkle_root, one.time)
            == (next.previous, next.merkle_root, next.time);
        assert!(
            !same || one.nonces.end() < next.nonces.start(),
            "{one:?} and {next:?}"
        );
    }
}

#[test]
fn a_device_with_many_false_nonces_is_set_aside() {
    let factory = devices(|_| {
        Box::new(FakeDevice(|job: &Job, _: &Cancel| SearchOutcome {
            found: Some(Solution {
                version: job.version(0),
                nonce: 7,
            }),
            hashes: 1,
        }))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock(), factory);
    miner.start(settings(1)).unwrap();
    let failed = DeviceState::Failed {
        reason: "16 of its last 16 results solve nothing".to_owned(),
    };
    wait_until("the end of its patience", || {
        miner.status().devices[0].state == failed
    });
    let status = miner.status();
    assert_eq!(
        (status.false_nonces, status.devices[0].false_nonces),
        (16, 16)
    );
    assert_eq!(
        (status.devices[0].recent_errors, status.devices[0].results),
        (16, 16)
    );
    miner.stop();
}

/// A device that tells something beside its outcomes: `aside` makes it from the job and the number of the search.
struct Aside<F>(F, u64, SideResults);

impl<F: FnMut(&Job, u64) -> SideResults + Send> MiningDevice for Aside<F> {
    fn name(&self) -> &str {
        "aside"
    }
    fn kernel(&self) -> &str {
        "none"
    }
    fn search(
        &mut self,
        job: &Job,
        _: RangeInclusive<u32>,
        _: &Cancel,
    ) -> Result<SearchOutcome, DeviceError> {
        std::thread::yield_now();
        self.1 += 1;
        self.2 = (self.0)(job, self.1);
        Ok(SearchOutcome::default())
    }
    fn side_results(&mut self) -> SideResults {
        std::mem::take(&mut self.2)
    }
}

#[test]
fn errors_now_and_then_are_counted_and_set_nothing_aside() {
    let factory = devices(|_| {
        let aside = |_: &Job, number| SideResults {
            good: 9,
            errors: number % 2,
            ..SideResults::default()
        };
        Box::new(Aside(aside, 0, SideResults::default()))
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(source, clock(), factory);
    miner.start(settings(1)).unwrap();
    wait_until("a hundred errors", || miner.status().false_nonces >= 100);
    let device = &miner.status().devices[0];
    assert_eq!(device.state, DeviceState::Mining);
    assert!(device.false_nonces >= 100 && device.results > 1_000);
    assert!((6..=7).contains(&device.recent_errors), "{device:?}");
    miner.stop();
}

/// What a launch found that a new template of the same tip left on its way is a block; on a new tip it is a stale one.
#[test]
fn a_former_template_is_solved_late() {
    for (next_tip, accepted, stale) in [(1, 1, 0), (2, 0, 1)] {
        let factory = devices(move |_| {
            let mut former: Option<Job> = None;
            let aside = move |job: &Job, _: u64| {
                let mut aside = SideResults::default();
                let earlier = former.replace(job.clone());
                let is_new = |earlier: &Job| !Arc::ptr_eq(earlier.template(), job.template());
                if let Some(earlier) = earlier.filter(is_new) {
                    let found = solution(&earlier).unwrap();
                    aside.hashes = 1_000;
                    aside.solutions.push((earlier, found));
                }
                aside
            };
            Box::new(Aside(aside, 0, SideResults::default()))
        });
        let source = ManualSource::new(Some(template_on(1)), accept);
        let miner = MinerHandle::with_devices(Arc::clone(&source) as _, clock(), factory);
        miner.start(settings(1)).unwrap();
        wait_until("work", || is_mining(&miner.status()));
        source.publish(Some(template_on(next_tip)));
        wait_until("the late block", || miner.status().blocks_found == 1);
        miner.stop();
        let status = miner.status();
        assert_eq!(
            (status.blocks_accepted, status.blocks_stale),
            (accepted, stale)
        );
        assert!(status.hashes_total >= 1_000);
        assert_eq!(lock(&source.submitted).len() as u64, accepted);
    }
}

/// Stops a miner whose driver hangs until the test ends.
#[track_caller]
fn stop_in_time(miner: &MinerHandle) {
    let miner = miner.clone();
    let stop = std::thread::spawn(move || miner.stop());
    wait_until("the stop", || stop.is_finished());
}

/// A driver that hangs while it lists or opens its devices: whoever stops mining does not wait for it.
#[test]
fn a_stop_waits_for_no_driver() {
    let (release, hung) = channel::<()>();
    let hung = Arc::new(Mutex::new(hung));
    let opened = Arc::new(AtomicUsize::new(0));
    let (driver, count) = (Arc::clone(&hung), Arc::clone(&opened));
    let opens_slowly: DeviceFactory = Arc::new(move |_| {
        let (driver, count) = (Arc::clone(&driver), Arc::clone(&count));
        let open = move || -> Result<Box<dyn MiningDevice>, DeviceError> {
            let _ = lock(&driver).recv();
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Hasty(0)))
        };
        vec![PlannedDevice {
            name: "slow".to_owned(),
            kind: DeviceKind::Card,
            open: Box::new(open),
        }]
    });
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::with_devices(Arc::clone(&source) as _, clock(), opens_slowly);
    miner.start(settings(1)).unwrap();
    assert_eq!(miner.status().devices[0].state, DeviceState::Opening);
    stop_in_time(&miner);
    assert_eq!(opened.load(Ordering::SeqCst), 0, "it is not open yet");
    drop(release);
    wait_until("the end of the opening", || {
        opened.load(Ordering::SeqCst) == 1
    });
    assert_eq!(miner.status().hashes_total, 0, "nobody mines on it");

    let (release, hung) = channel::<()>();
    let hung = Mutex::new(hung);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lists_slowly: DeviceFactory = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = lock(&hung).recv();
        Vec::new()
    });
    let miner = MinerHandle::with_devices(source, clock(), lists_slowly);
    let starting = miner.clone();
    let start = std::thread::spawn(move || starting.start(settings(1)));
    wait_until("the question", || asked.load(Ordering::SeqCst) == 1);
    stop_in_time(&miner);
    let stopped = start.join().unwrap();
    assert!(matches!(stopped, Err(MinerError::Stopped)), "{stopped:?}");
    assert!(!miner.status().running);
    drop(release);
}

#[test]
fn a_device_that_does_not_open_is_set_aside() {
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::new(source, clock());
    let settings = MinerSettings {
        devices: "cpu,opencl200".parse().unwrap(),
        ..settings(1)
    };
    miner.start(settings).unwrap();
    wait_until("one to fail and one to mine", || {
        let devices = miner.status().devices;
        let failed = matches!(devices[1].state, DeviceState::Failed { .. });
        failed && devices[0].hashes > 0
    });
    assert_eq!(miner.status().devices[1].name, "opencl200");
    miner.stop();
}

/// Processor and OpenCL on one chain: whatever they find is a block, and nothing they report is wrong. `PYRITE_HYBRID_S` is for
/// how many seconds, above a handful of blocks of each.
#[test]
fn processor_and_opencl_mine_side_by_side() {
    if crate::device::gpu::list().map_or(true, |devices| devices.is_empty()) {
        // The device's own tests insist on one under CI.
        eprintln!("skipped: there is no OpenCL device (`make setup` installs PoCL)");
        return;
    }
    let seconds = std::env::var("PYRITE_HYBRID_S").map_or(0, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let source = ManualSource::new(Some(hard_template_on(1)), accept);
    let miner = MinerHandle::new(Arc::clone(&source) as _, clock());
    let settings = MinerSettings {
        devices: "cpu,opencl0".parse().unwrap(),
        ..settings(1)
    };
    miner.start(settings).unwrap();
    wait_until("both devices", || {
        let devices = miner.status().devices;
        assert!(
            devices
                .iter()
                .all(|device| !matches!(device.state, DeviceState::Failed { .. })),
            "{devices:?}"
        );
        devices.iter().all(|device| device.hashes > 0)
    });
    let mut tip = 1_u8;
    let are_done = || {
        let devices = miner.status().devices;
        devices.iter().all(|device| device.blocks_found >= 3) && Instant::now() >= until
    };
    let mut found = 0;
    while !are_done() {
        // Work of the former template is on its way when the next one of the same tip comes, and when the tip moves.
        tip = tip.wrapping_add(1);
        for template in [harder(template_on(tip)), harder(template_on(tip))] {
            source.publish(Some(template));
            std::thread::yield_now();
        }
        wait_until("a block", || {
            let status = miner.status();
            assert_eq!(
                (status.false_nonces, status.blocks_rejected),
                (0, 0),
                "{status:?}"
            );
            status.blocks_accepted > found
        });
        found = miner.status().blocks_accepted;
    }
    let status = miner.status();
    miner.stop();
    println!(
        "{} blocks, {} of them stale",
        status.blocks_found, status.blocks_stale
    );
    for device in &status.devices {
        println!("{device:?}");
    }
    for block in &*lock(&source.submitted) {
        assert!(block.header.target().is_met_by(block.block_hash()));
        assert!(block.check_merkle_root());
    }
}

/// Solved after some hundred thousand hashes.
fn harder(template: Arc<Template>) -> Arc<Template> {
    let mut template = (*template).clone();
    template.bits = CompactTarget::from_consensus(0x1e3f_ffff);
    Arc::new(template)
}
