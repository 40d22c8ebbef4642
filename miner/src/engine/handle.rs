//! `MinerHandle`: starts, stops and reports.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::BlockHash;
use tokio::sync::watch;

use super::lock::lock;
use super::plan::{DeviceFactory, PlannedDevice, plan_devices};
use super::run::{Counters, Environment, Run, Threads};
use super::{MinerSettings, MinerStatus, RangeLog};
use crate::sensors::Sensors;
use crate::{HashRates, MinerError, WorkSource};

/// Between two looks at whether a start is stopped.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The time, in Unix seconds.
pub type UnixClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a miner works with.
#[derive(Clone)]
pub struct MinerParts {
    /// Plans the devices of a run.
    pub devices: DeviceFactory,
    /// Where the sensors are.
    pub sensors: Sensors,
    /// Who is told of every search.
    pub range_log: Option<RangeLog>,
}

impl Default for MinerParts {
    /// This machine's devices and sensors.
    fn default() -> Self {
        Self {
            devices: Arc::new(plan_devices),
            sensors: Sensors::default(),
            range_log: None,
        }
    }
}

/// The miner. Clones are the same miner; with the last one gone it stops.
#[derive(Clone)]
pub struct MinerHandle {
    miner: Arc<Miner>,
}

struct Miner {
    environment: Arc<Environment>,
    /// Held while the miner starts or stops.
    control: Mutex<Control>,
    /// How often it was stopped. A start that has not come to its end by then does not come to it.
    stops: AtomicU64,
    /// For `status`, which must not wait for a stop.
    run: Mutex<Option<Arc<Run>>>,
    /// How often it was started or stopped.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Control {
    threads: Option<Threads>,
    is_shut_down: bool,
}

impl MinerHandle {
    /// A miner on the devices of this machine that takes its work from `source`, stopped at first. `now` tells the
    /// time for headers, in Unix seconds.
    pub fn new(source: Arc<dyn WorkSource>, now: UnixClock) -> Self {
        Self::with_parts(source, now, MinerParts::default())
    }

    /// A miner on other devices.
    pub fn with_devices(
        source: Arc<dyn WorkSource>,
        now: UnixClock,
        devices: DeviceFactory,
    ) -> Self {
        let parts = MinerParts {
            devices,
            ..MinerParts::default()
        };
        Self::with_parts(source, now, parts)
    }

    /// A miner of other parts.
    pub fn with_parts(source: Arc<dyn WorkSource>, now: UnixClock, parts: MinerParts) -> Self {
        let environment = Arc::new(Environment {
            source,
            now,
            devices: parts.devices,
            sensors: parts.sensors,
            range_log: parts.range_log,
            counters: Counters::default(),
        });
        let miner = Miner {
            environment,
            control: Mutex::default(),
            stops: AtomicU64::new(0),
            run: Mutex::default(),
            changes: watch::Sender::new(0),
        };
        Self {
            miner: Arc::new(miner),
        }
    }

    /// Starts mining, or goes on with other settings. Does nothing when it runs with these already
    /// and no device failed. Blocks for milliseconds, and for as long as a block is being submitted or the devices of OpenCL
    /// are listed: they are opened after this has returned.
    ///
    /// # Errors
    /// Settings out of range; the system refuses a thread; [`MinerError::Stopped`] when somebody stops it meanwhile; after
    /// [`MinerHandle::shutdown`].
    pub fn start(&self, settings: MinerSettings) -> Result<(), MinerError> {
        settings.check()?;
        let stops = self.miner.stops.load(Ordering::Acquire);
        let mut control = lock(&self.miner.control);
        if control.is_shut_down {
            return Err(MinerError::ShutDown);
        }
        let is_running_so = lock(&self.miner.run)
            .as_ref()
            .is_some_and(|run| run.settings == settings && !run.has_failed_device());
        if is_running_so {
            return Ok(());
        }
        let devices = self.miner.plan(&settings, stops)?;
        self.miner.halt(&mut control);
        let (threads, intensity_percent) = (settings.threads, settings.intensity_percent);
        let (run, running) = Run::launch(&self.miner.environment, settings, devices)?;
        tracing::info!(threads, intensity_percent, "mining");
        control.threads = Some(running);
        *lock(&self.miner.run) = Some(run);
        self.miner.tell_change();
        Ok(())
    }

    /// Stops mining, and a start that is under way, and returns when all threads have ended: after milliseconds, and after a block
    /// that is being submitted. OpenCL may go on with listing or opening its devices, for nobody.
    pub fn stop(&self) {
        self.miner.stops.fetch_add(1, Ordering::AcqRel);
        self.miner.halt(&mut lock(&self.miner.control));
    }

    /// Stops mining for good.
    pub fn shutdown(&self) {
        self.miner.stops.fetch_add(1, Ordering::AcqRel);
        let mut control = lock(&self.miner.control);
        control.is_shut_down = true;
        self.miner.halt(&mut control);
    }

    /// Tells that a block became the tip just now, so that it is known how long new work took to reach the devices. The template
    /// on it comes from the source as always.
    pub fn tip_moved(&self, tip: BlockHash) {
        let now = Instant::now();
        let run = lock(&self.miner.run).clone();
        if let Some(run) = run {
            run.board.announce_tip(tip, now);
        }
    }

    /// A number that changes whenever mining starts or stops, or goes on with other settings.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.miner.changes.subscribe()
    }

    /// What the miner is doing.
    pub fn status(&self) -> MinerStatus {
        let counters = &self.miner.environment.counters;
        let mut status = MinerStatus {
            blocks_found: counters.found.load(Ordering::Relaxed),
            blocks_accepted: counters.accepted.load(Ordering::Relaxed),
            blocks_stale: counters.stale.load(Ordering::Relaxed),
            blocks_rejected: counters.rejected.load(Ordering::Relaxed),
            false_nonces: counters.false_nonces.load(Ordering::Relaxed),
            hashes_total: counters.hashes.load(Ordering::Relaxed),
            ..MinerStatus::default()
        };
        let run = lock(&self.miner.run).clone();
        if let Some(run) = run {
            describe_run(&run, &mut status);
        }
        status
    }
}

/// Adds what is known of the present run.
fn describe_run(run: &Run, status: &mut MinerStatus) {
    status.running = true;
    status.threads = run.settings.processor_threads();
    status.intensity_percent = run.settings.intensity_percent;
    status.settings = Some(run.settings.clone());
    status.started_at = Some(run.started_at);
    status.devices = run.device_statuses();
    let rates = status.devices.iter().map(|device| device.hash_rates);
    let total = rates.fold(HashRates::default(), HashRates::plus);
    status.hash_rate = total.ten_seconds;
    status.hash_rate_10s = total.ten_seconds;
    status.hash_rate_1m = total.one_minute;
    status.hash_rate_15m = total.fifteen_minutes;
    status.tip_latency = run.tip_latency();
    let latest = run.guarded.latest();
    status.allowed_percent = latest.allowance.share_percent;
    status.held_back = latest.allowance.reasons;
    status.limits_unknown = latest.allowance.blind;
    status.sensors = latest.readings;
    status.energy_joules = latest.energy_joules;
    let hashes: u64 = status.devices.iter().map(|device| device.hashes).sum();
    // Past 2^53 hashes a float rounds, which an efficiency may.
    let mega_hashes = hashes as f64 / 1e6;
    status.joules_per_mh = latest
        .energy_joules
        .filter(|_| hashes > 0)
        .map(|joules| joules / mega_hashes);
}

impl Miner {
    /// The devices of a run. A driver may take long to list them, so that is done on a thread that nobody has to wait for.
    fn plan(&self, settings: &MinerSettings, stops: u64) -> Result<Vec<PlannedDevice>, MinerError> {
        let (planned, plan) = sync_channel(1);
        let (devices, settings) = (Arc::clone(&self.environment.devices), settings.clone());
        let planner = thread::Builder::new().name("miner-plan".to_owned());
        let planner = planner.spawn(move || {
            // Nobody may wait for it any more.
            let _ = planned.send(devices(&settings));
        })?;
        while self.stops.load(Ordering::Acquire) == stops {
            match plan.recv_timeout(BETWEEN_LOOKS) {
                Ok(devices) => return Ok(devices),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => match planner.join() {
                    Err(panic) => resume_unwind(panic),
                    Ok(()) => break, // not before it has sent
                },
            }
        }
        Err(MinerError::Stopped)
    }

    fn halt(&self, control: &mut Control) {
        // First the status, so that it never tells of threads that are gone.
        lock(&self.run).take();
        if let Some(mut threads) = control.threads.take() {
            threads.stop();
            tracing::info!("mining stopped");
            self.tell_change();
        }
    }

    fn tell_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        let mut control = std::mem::take(&mut *lock(&self.control));
        self.halt(&mut control);
    }
}
