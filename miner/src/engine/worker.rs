//! The thread of a device: makes jobs from the newest template, searches them, and submits what it
//! finds.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use pyrite_consensus::bitcoin::BlockHash;

use super::batch_size::BatchSize;
use super::board::Work;
use super::duty_cycle::DutyCycle;
use super::ranges;
use super::record::{DeviceRecord, Fate};
use super::run::{Environment, Run, count};
use crate::{
    DeviceError, Extranonce, Finder, Job, MiningDevice, SideResults, Solution, Template, WorkError,
};

pub(super) struct Worker {
    device: Box<dyn MiningDevice>,
    index: usize,
    run: Arc<Run>,
    environment: Arc<Environment>,
    extranonces: Extranonces,
    batch: BatchSize,
    duty: DutyCycle,
    /// The tip that it worked on last.
    tip: Option<BlockHash>,
    /// Since when it works without a rest: a tip that came before found it idle.
    busy_since: Instant,
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
        let duty = DutyCycle::new(run.devices[index].kind());
        Self {
            device,
            index,
            run,
            environment,
            extranonces: Extranonces { prefix, counter: 0 },
            batch: BatchSize::new(),
            duty,
            tip: None,
            busy_since: Instant::now(),
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
        self.note_tip(work);
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
            self.duty.set_intensity(self.run.intensity_percent());
            let started = Instant::now();
            let outcome = self.device.search(&job, first..=last, &work.cancel);
            let aside = self.device.side_results();
            let hashes = outcome.as_ref().map_or(0, |outcome| outcome.hashes);
            self.account(hashes.saturating_add(aside.hashes), started);
            let log = self.environment.range_log.as_ref();
            ranges::note(log, self.record().name(), &job, first..=last);
            if self.take_aside(aside)?.is_break() {
                return Ok(());
            }
            let outcome = outcome?;
            let done = outcome.found.map_or(last, |solution| solution.nonce);
            // A device may have found something faster, which wants other versions.
            let is_fitting = job.versions() == self.device.versions();
            next_nonce = done.checked_add(1).filter(|_| is_fitting);
            if let Some(solution) = outcome.found
                && self.take_solution(&job, solution)?.is_break()
            {
                return Ok(());
            }
            self.rest(started);
        }
        Ok(())
    }

    /// Takes what a device tells besides its outcomes. What an earlier job found stops the search on the present one.
    fn take_aside(&self, aside: SideResults) -> Result<ControlFlow<()>, DeviceError> {
        let counters = &self.environment.counters;
        count(&counters.false_nonces, aside.errors);
        let record = self.record();
        record.record_results(aside.good, aside.errors, Instant::now());
        let mut flow = ControlFlow::Continue(());
        for (job, solution) in &aside.solutions {
            if self.take_solution(job, *solution)?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        Ok(flow)
    }

    /// Submits a solution, if it is one.
    fn take_solution(&self, job: &Job, found: Solution) -> Result<ControlFlow<()>, DeviceError> {
        if job.prepared().is_solved_by(found) {
            self.submit(job, found);
            return Ok(ControlFlow::Break(()));
        }
        // A device is hardware and may err.
        count(&self.environment.counters.false_nonces, 1);
        self.record().record_false_nonce(Instant::now())?;
        Ok(ControlFlow::Continue(()))
    }

    /// Takes note of how long a new tip took to get here.
    fn note_tip(&mut self, work: &Work) {
        let previous = work.template.previous;
        if self.tip.replace(previous) == Some(previous) {
            return;
        }
        let idle_until = work
            .resumed
            .map_or(self.busy_since, |at| at.max(self.busy_since));
        if work.tip_since >= idle_until {
            self.run.record_tip_latency(work.tip_since.elapsed());
        }
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
        let elapsed = self.run.started.elapsed();
        self.record().record(elapsed, hashes, self.device.kernel());
        count(&self.environment.counters.hashes, hashes);
    }

    /// Rests after work that began at `started`, for its share of the time.
    fn rest(&mut self, started: Instant) {
        let rest = self.duty.after_work(started.elapsed());
        if !rest.is_zero() {
            let started = Instant::now();
            self.run.board.rest(rest);
            self.duty.after_rest(started.elapsed());
            self.busy_since = Instant::now();
        }
    }

    fn submit(&self, job: &Job, solution: Solution) {
        let height = job.template().height;
        let hash = job.header(solution).block_hash();
        let Some(claim) = self.run.board.claim(job.template().previous) else {
            tracing::debug!(%height, %hash, "dropped a block that came too late");
            self.record_block(Fate::Stale);
            return;
        };
        let block = Arc::new(job.block(solution));
        let (source, name) = (
            Arc::clone(&self.environment.source),
            self.record().name().to_owned(),
        );
        let energy_mj = self.run.energy_of_block_mj();
        let submit = move || {
            let device = &name;
            source.submit_found(block, Finder { device, energy_mj })
        };
        match self.run.urgent.run(submit) {
            Ok(()) => {
                tracing::info!(%height, %hash, device = self.record().name(), "mined a block");
                self.record_block(Fate::Accepted);
            }
            Err(WorkError::Stale) => {
                tracing::info!(%height, %hash, "mined a block that is stale");
                self.record_block(Fate::Stale);
            }
            Err(error) => {
                tracing::warn!(%height, %hash, %error, "a mined block was not taken");
                self.record_block(Fate::Rejected);
            }
        }
        drop(claim);
    }

    fn record_block(&self, fate: Fate) {
        let counters = &self.environment.counters;
        count(&counters.found, 1);
        count(
            match fate {
                Fate::Accepted => &counters.accepted,
                Fate::Stale => &counters.stale,
                Fate::Rejected => &counters.rejected,
            },
            1,
        );
        self.record().record_block(fate);
    }
}
