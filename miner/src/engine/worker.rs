//! The thread of a device: makes jobs from the newest template, searches them, and submits what it
//! finds.

use std::sync::Arc;
use std::time::Instant;

use super::batch_size::BatchSize;
use super::board::Work;
use super::duty_cycle::DutyCycle;
use super::run::{DeviceRecord, Environment, Run, count};
use crate::{DeviceError, Extranonce, Finder, Job, MiningDevice, Solution, Template, WorkError};

pub(super) struct Worker {
    device: Box<dyn MiningDevice>,
    index: usize,
    run: Arc<Run>,
    environment: Arc<Environment>,
    extranonces: Extranonces,
    batch: BatchSize,
    duty: DutyCycle,
}

/// A supply of extranonces that no other thread has.
struct Extranonces {
    prefix: u32,
    counter: u32,
}

impl Extranonces {
    fn next(&mut self) -> Extranonce {
        // It comes round after 2^32 jobs, which are on another template by then.
        self.counter = self.counter.wrapping_add(1);
        Extranonce::new(self.prefix, self.counter)
    }
}

impl Worker {
    pub(super) fn new(
        device: Box<dyn MiningDevice>,
        index: usize,
        prefix: u32,
        run: Arc<Run>,
        environment: Arc<Environment>,
    ) -> Self {
        let duty = DutyCycle::new(run.settings.intensity_percent);
        Self {
            device,
            index,
            run,
            environment,
            extranonces: Extranonces { prefix, counter: 0 },
            batch: BatchSize::new(),
            duty,
        }
    }

    /// Mines until the run ends.
    ///
    /// # Errors
    /// The device's.
    pub(super) fn run(mut self) -> Result<(), DeviceError> {
        while let Some(work) = self.run.board.next_work() {
            self.mine(&work)?;
        }
        Ok(())
    }

    /// Mines on one template until it is out of date or solved.
    fn mine(&mut self, work: &Work) -> Result<(), DeviceError> {
        let mut job = self.job(&work.template);
        let mut next_nonce = Some(0);
        while !work.cancel.is_cancelled() {
            let time = work.template.time_at((self.environment.now)());
            if time > job.time() {
                job.set_time(time);
                next_nonce = Some(0);
            }
            let first = next_nonce.unwrap_or_else(|| {
                job = self.job(&work.template);
                0
            });
            let last = self.batch.last_from(first, job.versions());
            let started = Instant::now();
            let outcome = self.device.search(&job, first..=last, &work.cancel)?;
            self.account(outcome.hashes, started);
            let done = outcome.found.map_or(last, |solution| solution.nonce);
            next_nonce = done.checked_add(1);
            if let Some(solution) = outcome.found
                && self.is_true(&job, solution)
            {
                self.submit(&job, solution);
                return Ok(());
            }
            self.rest(started);
        }
        Ok(())
    }

    fn job(&mut self, template: &Arc<Template>) -> Job {
        let time = template.time_at((self.environment.now)());
        let extranonce = self.extranonces.next();
        Job::new(
            Arc::clone(template),
            extranonce,
            time,
            self.device.versions(),
        )
    }

    fn record(&self) -> &DeviceRecord {
        &self.run.devices[self.index]
    }

    fn account(&mut self, hashes: u64, started: Instant) {
        self.batch
            .learn(hashes, started.elapsed(), self.duty.spell());
        self.record().record(&self.run, hashes);
        count(&self.environment.counters.hashes, hashes);
    }

    /// Rests after work that began at `started`, for its share of the time.
    fn rest(&mut self, started: Instant) {
        let rest = self.duty.after_work(started.elapsed());
        if !rest.is_zero() {
            let started = Instant::now();
            self.run.board.rest(rest);
            self.duty.after_rest(started.elapsed());
        }
    }

    /// A device is hardware and may err: what it reports is checked.
    fn is_true(&self, job: &Job, solution: Solution) -> bool {
        let is_solved = job.prepared().is_solved_by(solution);
        // One line says it; the status has the count.
        if !is_solved && self.record().record_false_nonce() == 1 {
            tracing::warn!(
                device = self.device.name(),
                nonce = solution.nonce,
                "the device reported a false nonce"
            );
        }
        is_solved
    }

    fn submit(&self, job: &Job, solution: Solution) {
        let counters = &self.environment.counters;
        count(&counters.found, 1);
        let height = job.template().height;
        let hash = job.header(solution).block_hash();
        let Some(claim) = self.run.board.claim(job.template().previous) else {
            tracing::debug!(%height, %hash, "dropped a block that came too late");
            count(&counters.stale, 1);
            return;
        };
        let block = Arc::new(job.block(solution));
        let finder = Finder::named(self.device.name());
        match self.environment.source.submit_found(block, finder) {
            Ok(()) => {
                tracing::info!(%height, %hash, device = self.device.name(), "mined a block");
                count(&counters.accepted, 1);
            }
            Err(WorkError::Stale) => {
                tracing::info!(%height, %hash, "mined a block that is stale");
                count(&counters.stale, 1);
            }
            Err(error) => {
                tracing::warn!(%height, %hash, %error, "a mined block was not taken");
                count(&counters.rejected, 1);
            }
        }
        drop(claim);
    }
}
