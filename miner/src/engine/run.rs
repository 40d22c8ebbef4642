//! One run of the miner, from a start to the next stop: its threads and what they share.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::affinity;
use super::board::Board;
use super::follower::follow;
use super::lock::lock;
use super::status::{DeviceState, DeviceStatus};
use super::worker::Worker;
use super::{DeviceFactory, MinerSettings, UnixClock};
use crate::{HashMeter, MinerError, MiningDevice, WorkSource};

/// What lasts over the runs of a miner.
pub(super) struct Environment {
    pub(super) source: Arc<dyn WorkSource>,
    pub(super) now: UnixClock,
    pub(super) devices: DeviceFactory,
    pub(super) counters: Counters,
}

/// Counts since the miner was made.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) found: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) hashes: AtomicU64,
}

/// What the threads of one run share.
pub(super) struct Run {
    pub(super) settings: MinerSettings,
    pub(super) board: Board,
    pub(super) started: Instant,
    pub(super) started_at: u64,
    pub(super) devices: Vec<DeviceRecord>,
    /// The core of each thread; empty when they are not pinned.
    cores: Vec<usize>,
}

/// What is known of a device.
pub(super) struct DeviceRecord {
    name: String,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    meter: HashMeter,
    false_nonces: u64,
    failure: Option<String>,
}

impl DeviceRecord {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            account: Mutex::default(),
        }
    }

    pub(super) fn record(&self, run: &Run, hashes: u64) {
        lock(&self.account)
            .meter
            .record(run.started.elapsed(), hashes);
    }

    /// Counts a false nonce and returns how many there were.
    pub(super) fn record_false_nonce(&self) -> u64 {
        let mut account = lock(&self.account);
        account.false_nonces += 1;
        account.false_nonces
    }

    fn fail(&self, reason: String) {
        tracing::error!(device = %self.name, %reason, "mining device failed");
        lock(&self.account).failure = Some(reason);
    }

    fn has_failed(&self) -> bool {
        lock(&self.account).failure.is_some()
    }

    fn status(&self, run: &Run, idle_state: &DeviceState) -> DeviceStatus {
        let elapsed = run.started.elapsed();
        let account = lock(&self.account);
        let state = match &account.failure {
            Some(reason) => DeviceState::Failed {
                reason: reason.clone(),
            },
            None => idle_state.clone(),
        };
        DeviceStatus {
            name: self.name.clone(),
            state,
            hash_rates: account.meter.rates(elapsed),
            hashes: account.meter.total(),
            false_nonces: account.false_nonces,
        }
    }
}

impl Run {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses one; those started before have ended then.
    pub(super) fn launch(
        environment: &Arc<Environment>,
        settings: MinerSettings,
    ) -> Result<(Arc<Self>, Threads), MinerError> {
        let devices: Vec<Box<dyn MiningDevice>> = (0..settings.threads)
            .map(|index| (environment.devices)(index))
            .collect();
        let cores = settings
            .pinning
            .plan(settings.processor_threads(), Path::new("/"));
        let run = Arc::new(Self {
            cores,
            settings,
            board: Board::new(),
            started: Instant::now(),
            started_at: (environment.now)(),
            devices: devices
                .iter()
                .map(|device| DeviceRecord::new(device.name()))
                .collect(),
        });
        let mut threads = Threads {
            run: Arc::clone(&run),
            handles: Vec::new(),
        };
        threads
            .spawn_all(environment, devices)
            .inspect_err(|_| threads.stop())?;
        Ok((run, threads))
    }

    /// Whether a device failed.
    pub(super) fn has_failed_device(&self) -> bool {
        self.devices.iter().any(DeviceRecord::has_failed)
    }

    pub(super) fn device_statuses(&self) -> Vec<DeviceStatus> {
        let state = if self.board.has_work() {
            DeviceState::Mining
        } else {
            DeviceState::Waiting
        };
        self.devices
            .iter()
            .map(|device| device.status(self, &state))
            .collect()
    }

    /// Works until the end; an error or a panic is reported and ends this device alone.
    fn work(self: Arc<Self>, worker: Worker, index: usize) {
        self.settle(index);
        let reason = match catch_unwind(AssertUnwindSafe(|| worker.run())) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic_message(panic.as_ref()),
        };
        self.devices[index].fail(reason);
    }
}

impl Run {
    /// Lets the calling thread give way to all others, and puts it on its core. Neither is worth not to mine.
    fn settle(&self, index: usize) {
        if let Err(reason) = affinity::give_way() {
            tracing::warn!(%reason, "mining threads have no low priority");
        }
        if let Some(core) = self.cores.get(index)
            && let Err(reason) = affinity::pin_to(*core)
        {
            tracing::warn!(core, %reason, "a mining thread does not stay on its core");
        }
    }
}

/// The threads of a run.
pub(super) struct Threads {
    run: Arc<Run>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    fn spawn_all(
        &mut self,
        environment: &Arc<Environment>,
        devices: Vec<Box<dyn MiningDevice>>,
    ) -> Result<(), MinerError> {
        let run = Arc::clone(&self.run);
        let templates = environment.source.templates();
        self.spawn("miner-work", move || follow(&run.board, templates))?;
        // Threads of one run differ in the prefix, runs and nodes by chance; it wraps around.
        let first_prefix: u32 = rand::random();
        for (index, device) in devices.into_iter().enumerate() {
            let offset = u32::try_from(index).expect("settings bound the count of threads");
            let name = format!("miner-{}", device.name());
            let prefix = first_prefix.wrapping_add(offset);
            let run = Arc::clone(&self.run);
            let worker = Worker::new(
                device,
                index,
                prefix,
                Arc::clone(&run),
                Arc::clone(environment),
            );
            self.spawn(&name, move || run.work(worker, index))?;
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
            if handle.join().is_err() {
                tracing::error!("a mining thread panicked outside of its device");
            }
        }
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
