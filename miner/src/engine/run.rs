//! One run of the miner, from a start to the next stop: its threads and what they share.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::affinity;
use super::board::Board;
use super::follower::follow;
use super::guard::{Guarded, guard};
use super::latency::{LatencyHistogram, LatencySummary};
use super::lock::lock;
use super::plan::{DeviceKind, OpenDevice, PlannedDevice};
use super::record::DeviceRecord;
use super::status::{DeviceState, DeviceStatus};
use super::urgent::{Urgent, UrgentTasks};
use super::worker::Worker;
use super::{DeviceFactory, MinerSettings, RangeLog, UnixClock};
use crate::sensors::Sensors;
use crate::{DeviceError, MinerError, MiningDevice, WorkSource};

/// Between two looks at whether a device is open, or the run has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What lasts over the runs of a miner.
pub(super) struct Environment {
    pub(super) source: Arc<dyn WorkSource>,
    pub(super) now: UnixClock,
    pub(super) devices: DeviceFactory,
    pub(super) sensors: Sensors,
    pub(super) range_log: Option<RangeLog>,
    pub(super) counters: Counters,
}

/// Counts since the miner was made.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) found: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) false_nonces: AtomicU64,
    pub(super) hashes: AtomicU64,
}

/// What the threads of one run share.
pub(super) struct Run {
    pub(super) settings: MinerSettings,
    pub(super) board: Board,
    pub(super) started: Instant,
    pub(super) started_at: u64,
    pub(super) devices: Vec<DeviceRecord>,
    pub(super) guarded: Guarded,
    pub(super) urgent: Urgent,
    /// The energy that was used up to the last block, in joules.
    joules_before: Mutex<f64>,
    tip_latency: Mutex<LatencyHistogram>,
    /// The core of each thread of the processor; empty when they are not pinned.
    cores: Vec<usize>,
}

impl Run {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses one; those started before have ended then.
    pub(super) fn launch(
        environment: &Arc<Environment>,
        settings: MinerSettings,
        devices: Vec<PlannedDevice>,
    ) -> Result<(Arc<Self>, Threads), MinerError> {
        let cores = settings
            .pinning
            .plan(settings.processor_threads(), environment.sensors.root());
        let (urgent, urgent_tasks) = Urgent::new();
        let run = Arc::new(Self {
            settings,
            board: Board::new(),
            started: Instant::now(),
            started_at: (environment.now)(),
            devices: devices
                .iter()
                .map(|device| DeviceRecord::new(&device.name, device.kind))
                .collect(),
            guarded: Guarded::default(),
            urgent,
            joules_before: Mutex::default(),
            tip_latency: Mutex::default(),
            cores,
        });
        let mut threads = Threads {
            run: Arc::clone(&run),
            handles: Vec::new(),
            submitter: None,
        };
        threads
            .spawn_all(environment, devices, urgent_tasks)
            .inspect_err(|_| threads.stop())?;
        Ok((run, threads))
    }

    /// Whether a device failed.
    pub(super) fn has_failed_device(&self) -> bool {
        self.devices.iter().any(DeviceRecord::has_failed)
    }

    pub(super) fn device_statuses(&self) -> Vec<DeviceStatus> {
        let state = if self.board.is_paused() {
            DeviceState::Paused
        } else if self.board.has_work() {
            DeviceState::Mining
        } else {
            DeviceState::Waiting
        };
        let elapsed = self.started.elapsed();
        let devices = self.devices.iter();
        devices
            .map(|device| device.status(elapsed, &state))
            .collect()
    }

    /// The share of the time that each device works at the moment, in percent: 1 to 100.
    pub(super) fn intensity_percent(&self) -> u8 {
        let intensity = u16::from(self.settings.intensity_percent);
        let share = intensity * u16::from(self.guarded.share_percent()) / 100;
        u8::try_from(share).unwrap_or(100).max(1)
    }

    /// The energy that was used for a block that was found just now: that since the one before, or since the start, in
    /// millijoules; `None` where no sensor tells.
    pub(super) fn energy_of_block_mj(&self) -> Option<u64> {
        let joules = self.guarded.latest().energy_joules?;
        let mut before = lock(&self.joules_before);
        let used = joules - std::mem::replace(&mut *before, joules);
        // Sums of sensors don't fall, and are far below 2^64.
        Some((used * 1_000.0).round() as u64)
    }

    /// Takes note of how long after a new tip a device began to work on it.
    pub(super) fn record_tip_latency(&self, latency: Duration) {
        lock(&self.tip_latency).record(latency);
    }

    pub(super) fn tip_latency(&self) -> LatencySummary {
        lock(&self.tip_latency).summary()
    }

    /// Opens a device and works until the end; an error or a panic is reported and ends this device alone.
    fn work(self: &Arc<Self>, environment: &Arc<Environment>, index: usize, seat: Seat) {
        self.settle(index);
        let work = || -> Result<(), DeviceError> {
            let Some(device) = self.open(index, seat.open)? else {
                return Ok(());
            };
            self.devices[index].open(device.kernel());
            let (run, environment) = (Arc::clone(self), Arc::clone(environment));
            Worker::new(device, index, seat.prefix, run, environment).run()
        };
        let reason = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic_message(panic.as_ref()),
        };
        self.devices[index].fail(reason);
    }

    /// Opens a device; none when the run ends before. What OpenCL opens may take minutes, so it does that on a thread of its own, which
    /// is left behind at the end: it drops the device when it is open.
    fn open(
        &self,
        index: usize,
        open: OpenDevice,
    ) -> Result<Option<Box<dyn MiningDevice>>, DeviceError> {
        let record = &self.devices[index];
        if record.kind() == DeviceKind::Processor {
            return open().map(Some);
        }
        let (opened, opening) = sync_channel(1);
        thread::Builder::new()
            .name(format!("{}-open", record.name()))
            .spawn(move || {
                // Nobody may wait for it any more.
                let _ = opened.send(catch_unwind(AssertUnwindSafe(open)));
            })
            .map_err(|source| DeviceError::Thread {
                reason: source.to_string(),
            })?;
        while !self.board.is_stopping() {
            match opening.recv_timeout(BETWEEN_LOOKS) {
                Ok(Ok(device)) => return device.map(Some),
                Ok(Err(panic)) => resume_unwind(panic),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break, // not before it has sent
            }
        }
        tracing::debug!(
            device = record.name(),
            "mining ends while it is being opened"
        );
        Ok(None)
    }

    /// Lets the calling thread give way to all others, and puts it on its core. Neither is worth not to mine.
    fn settle(&self, index: usize) {
        if self.devices[index].kind() != DeviceKind::Card
            && let Err(error) = affinity::give_way()
        {
            tracing::warn!(%error, "mining threads have no low priority");
        }
        if let Some(core) = self.cores.get(index)
            && let Err(error) = affinity::pin_to(*core)
        {
            tracing::warn!(core, %error, "a mining thread does not stay on its core");
        }
    }
}

/// What a device's thread starts with.
struct Seat {
    open: OpenDevice,
    /// The first half of its extranonces.
    prefix: u32,
}

/// The threads of a run.
pub(super) struct Threads {
    run: Arc<Run>,
    handles: Vec<JoinHandle<()>>,
    /// Outlives the devices, which ask it to submit what they find.
    submitter: Option<JoinHandle<()>>,
}

impl Threads {
    fn spawn_all(
        &mut self,
        environment: &Arc<Environment>,
        devices: Vec<PlannedDevice>,
        urgent_tasks: UrgentTasks,
    ) -> Result<(), MinerError> {
        let submitter = thread::Builder::new().name("miner-submit".to_owned());
        self.submitter = Some(submitter.spawn(move || urgent_tasks.run())?);
        let run = Arc::clone(&self.run);
        let templates = environment.source.templates();
        self.spawn("miner-work", move || follow(&run.board, templates))?;
        let run = Arc::clone(&self.run);
        let sensors = environment.sensors.clone();
        self.spawn("miner-guard", move || {
            guard(&run.board, &run.guarded, &run.settings.limits, &sensors);
        })?;
        // Threads of one run differ in the prefix, runs and nodes by chance; it wraps around.
        let first_prefix: u32 = rand::random();
        for (index, device) in devices.into_iter().enumerate() {
            let offset = u32::try_from(index).expect("settings bound the count of threads");
            let seat = Seat {
                open: device.open,
                prefix: first_prefix.wrapping_add(offset),
            };
            let (run, environment) = (Arc::clone(&self.run), Arc::clone(environment));
            let name = format!("miner-{}", device.name);
            self.spawn(&name, move || run.work(&environment, index, seat))?;
        }
        Ok(())
    }

    fn spawn(
        &mut self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), MinerError> {
        self.handles
            .push(thread::Builder::new().name(name.to_owned()).spawn(body)?);
        Ok(())
    }

    /// Ends all threads and waits for them: milliseconds, and as long as a submission takes.
    pub(super) fn stop(&mut self) {
        self.run.board.stop();
        for handle in self.handles.drain(..) {
            handle.thread().unpark(); // the follower may be parked
            join(handle);
        }
        self.run.urgent.close();
        if let Some(submitter) = self.submitter.take() {
            join(submitter);
        }
    }
}

fn join(handle: JoinHandle<()>) {
    if handle.join().is_err() {
        tracing::error!("a mining thread panicked outside of its device");
    }
}

/// Adds to a counter that is only ever read as a figure for people.
pub(super) fn count(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked".to_owned())
}
