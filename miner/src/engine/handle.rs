//! `MinerHandle`: starts, stops and reports.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::lock::lock;
use super::run::{Counters, Environment, Run, Threads};
use super::{MinerSettings, MinerStatus};
use crate::{CpuDevice, HashRates, KernelChoice, MinerError, MiningDevice, WorkSource};

/// The time, in Unix seconds.
pub type UnixClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Makes the device of the thread with this index.
pub type DeviceFactory = Arc<dyn Fn(usize) -> Box<dyn MiningDevice> + Send + Sync>;

/// The miner. Clones are the same miner; with the last one gone it stops.
#[derive(Clone)]
pub struct MinerHandle {
    miner: Arc<Miner>,
}

struct Miner {
    environment: Arc<Environment>,
    /// Held while the miner starts or stops.
    control: Mutex<Control>,
    /// For `status`, which must not wait for a stop.
    run: Mutex<Option<Arc<Run>>>,
}

#[derive(Default)]
struct Control {
    threads: Option<Threads>,
    is_shut_down: bool,
}

impl MinerHandle {
    /// A miner on the processor that takes its work from `source`, stopped at first. `now` tells the
    /// time for headers, in Unix seconds.
    pub fn new(source: Arc<dyn WorkSource>, now: UnixClock) -> Self {
        Self::with_devices(
            source,
            now,
            Arc::new(|index| Box::new(CpuDevice::new(index, &KernelChoice::Fastest))),
        )
    }

    /// A miner on other devices.
    pub fn with_devices(
        source: Arc<dyn WorkSource>,
        now: UnixClock,
        devices: DeviceFactory,
    ) -> Self {
        let counters = Counters::default();
        let environment = Arc::new(Environment {
            source,
            now,
            devices,
            counters,
        });
        let miner = Miner {
            environment,
            control: Mutex::default(),
            run: Mutex::default(),
        };
        Self {
            miner: Arc::new(miner),
        }
    }

    /// Starts mining, or goes on with other settings. Does nothing when it runs with these already
    /// and no device failed. Blocks for milliseconds, and for as long as a block is being submitted.
    ///
    /// # Errors
    /// Settings out of range; the system refuses a thread; after [`MinerHandle::shutdown`].
    pub fn start(&self, settings: MinerSettings) -> Result<(), MinerError> {
        settings.check()?;
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
        self.miner.halt(&mut control);
        let (threads, intensity_percent) = (settings.threads, settings.intensity_percent);
        let (run, running) = Run::launch(&self.miner.environment, settings)?;
        tracing::info!(threads, intensity_percent, "mining");
        control.threads = Some(running);
        *lock(&self.miner.run) = Some(run);
        Ok(())
    }

    /// Stops mining and returns when all threads have ended: after milliseconds, and after a block
    /// that is being submitted.
    pub fn stop(&self) {
        self.miner.halt(&mut lock(&self.miner.control));
    }

    /// Stops mining for good.
    pub fn shutdown(&self) {
        let mut control = lock(&self.miner.control);
        control.is_shut_down = true;
        self.miner.halt(&mut control);
    }

    /// What the miner is doing.
    pub fn status(&self) -> MinerStatus {
        let counters = &self.miner.environment.counters;
        let mut status = MinerStatus {
            blocks_found: counters.found.load(Ordering::Relaxed),
            blocks_accepted: counters.accepted.load(Ordering::Relaxed),
            blocks_stale: counters.stale.load(Ordering::Relaxed),
            blocks_rejected: counters.rejected.load(Ordering::Relaxed),
            hashes_total: counters.hashes.load(Ordering::Relaxed),
            ..MinerStatus::default()
        };
        let run = lock(&self.miner.run).clone();
        if let Some(run) = run {
            status.running = true;
            status.threads = run.settings.threads;
            status.intensity_percent = run.settings.intensity_percent;
            status.started_at = Some(run.started_at);
            status.devices = run.device_statuses();
            let rates = status.devices.iter().map(|device| device.hash_rates);
            let total = rates.fold(HashRates::default(), HashRates::plus);
            status.hash_rate = total.ten_seconds;
            status.hash_rate_10s = total.ten_seconds;
            status.hash_rate_1m = total.one_minute;
            status.hash_rate_15m = total.fifteen_minutes;
        }
        status
    }
}

impl Miner {
    fn halt(&self, control: &mut Control) {
        // First the status, so that it never tells of threads that are gone.
        lock(&self.run).take();
        if let Some(mut threads) = control.threads.take() {
            threads.stop();
            tracing::info!("mining stopped");
        }
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        let mut control = std::mem::take(&mut *lock(&self.control));
        self.halt(&mut control);
    }
}
