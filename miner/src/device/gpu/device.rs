//! An OpenCL device that mines: two launches are always on their way, and the processor checks what they find.

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calibrate::{Calibrated, Shape, blank_header, calibrate, self_test, top_word};
use super::driver::{DEPTH, Driver};
use super::info::GpuInfo;
use super::open_cl::OpenDevice;
use super::queue::{Candidates, Found, Launch, ROOM, Work};
use super::tuning::Tuning;
use crate::device::cpu;
use crate::{
    Cancel, DeviceError, GpuError, Job, MiningDevice, PreparedHeader, SearchOutcome, Solution,
};

/// How long opening is waited for: compilers of kernels take their time.
const OPENING: Duration = Duration::from_secs(180);

/// How long a launch should take. A new tip's work waits for two of them at most.
const LAUNCH: Duration = Duration::from_millis(20);

/// In so many seconds of work what was measured before counts half.
const FADING: f64 = 0.25;

/// Hashes that a launch has at least, even where a solution needs fewer: so many cost a card nothing.
const LEAST_HASHES: u64 = 1 << 12;

/// Launches of an easy target have so many times the hashes that a solution needs on the average.
const EASY_LAUNCH: u64 = 4;

/// Candidates that a launch has on the average, whatever the target: what shows that the device works.
const PROBES: u64 = 2;

/// A device that works has no candidate in so many launches once in 10^27 times.
const MOST_EMPTY: u32 = 32;

/// How long one search of a measurement takes.
const MEASURED: Duration = Duration::from_millis(250);

/// Between two looks at the cancellation.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// How long a driver may be silent. A busy machine may keep PoCL waiting for seconds.
const SILENCE: Duration = Duration::from_secs(20);

/// And as many times what the launch should take.
const SILENT_LAUNCHES: u32 = 50;

/// Tunings that were found before, by device, so that mining starts at once the next time.
static TUNINGS: Mutex<Option<HashMap<String, Tuning>>> = Mutex::new(None);

/// An OpenCL device that mines.
pub struct OpenClDevice {
    name: String,
    kernel: String,
    tuning: Tuning,
    driver: Driver,
    /// What the last launches did in which time, each counting less than the one after it. A single one may seem short, when it had
    /// ended long before somebody looked.
    recent_hashes: f64,
    recent_seconds: f64,
    on_their_way: VecDeque<OnItsWay>,
    /// Since when the driver owes the result of the oldest launch.
    asked: Option<Instant>,
    /// Which search launches belong to: those of an earlier one count for nothing.
    search: u64,
    /// Launches without a candidate, one after the other, and their hashes.
    empty: u32,
    empty_hashes: u64,
    silence: Duration,
    /// Why it does not work any more.
    failure: Option<GpuError>,
}

/// A launch that was not answered yet.
struct OnItsWay {
    search: u64,
    first: u32,
    count: u32,
    versions: u16,
    threshold: u32,
}

impl OnItsWay {
    fn hashes(&self) -> u64 {
        u64::from(self.count) * u64::from(self.versions)
    }

    /// How many candidates to expect.
    fn expected(&self) -> f64 {
        self.hashes() as f64 * (f64::from(self.threshold) + 1.0) / 2.0_f64.powi(32)
    }
}

impl OpenClDevice {
    /// Opens a device of [`super::list`], finds the fastest build of the kernel for it in a few seconds, the first time, and tests
    /// it. Its name gets the number `index`.
    ///
    /// # Errors
    /// What OpenCL said; [`GpuError::WrongResult`] when it can't count; [`GpuError::Hangs`] when it takes minutes.
    pub fn open(info: &GpuInfo, index: usize) -> Result<Self, GpuError> {
        let name = format!("opencl{index}");
        let label = format!("{name} ({})", info.name);
        let key = format!("{} {} {}", info.platform, info.name, info.driver_version);
        let known = known_tuning(&key);
        let (handle, kind) = (info.handle, info.kind);
        let for_errors = label.clone();
        let (driver, (tuning, rate)) = Driver::open(&label, OPENING, move || {
            let device = OpenDevice::open(&for_errors, handle)?;
            let mut best = match known {
                Some(tuning) => Calibrated::measured(device.build(tuning)?, tuning)?,
                None => {
                    let native_width = device.native_width(kind);
                    let shape = Shape { kind, native_width };
                    calibrate(shape, |tuning| device.build(tuning))?
                }
            };
            self_test(&for_errors, &mut best.queue)?;
            Ok((best.queue, (best.tuning, best.rate)))
        })?;
        remember_tuning(key, tuning);
        tracing::info!(device = label, %tuning, rate_mh_s = rate / 1e6, "an OpenCL device is ready");
        Ok(Self::with_driver(name, tuning, rate, SILENCE, driver))
    }

    pub(super) fn with_driver(
        name: String,
        tuning: Tuning,
        rate: f64,
        silence: Duration,
        driver: Driver,
    ) -> Self {
        Self {
            name,
            kernel: format!("opencl-v{}", tuning.width),
            tuning,
            driver,
            recent_hashes: rate * FADING,
            recent_seconds: FADING,
            on_their_way: VecDeque::with_capacity(DEPTH),
            asked: None,
            search: 0,
            empty: 0,
            empty_hashes: 0,
            silence,
            failure: None,
        }
    }

    /// How the kernel was built, for people.
    pub fn tuning(&self) -> String {
        self.tuning.to_string()
    }

    /// Hashes per second, as measured last.
    pub fn hash_rate(&self) -> f64 {
        self.recent_hashes / self.recent_seconds
    }

    fn search_range(
        &mut self,
        header: &PreparedHeader,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, GpuError> {
        let mut outcome = SearchOutcome::default();
        let last = *nonces.end();
        let mut next = Some(*nonces.start()).filter(|first| *first <= last);
        if next.is_none() || cancel.is_cancelled() {
            return Ok(outcome);
        }
        let work = Arc::new(Work::new(header));
        loop {
            while let Some(first) = next.filter(|_| self.on_their_way.len() < DEPTH) {
                let count = self.launch_size(header);
                let count = count.min((last - first).saturating_add(1));
                self.launch(header, &work, first, count)?;
                next = first.checked_add(count).filter(|first| *first <= last);
            }
            if next.is_none() && self.on_their_way.iter().all(|l| l.search != self.search) {
                return Ok(outcome);
            }
            let Some((launch, found)) = self.oldest(cancel)? else {
                return Ok(outcome); // cancelled
            };
            if launch.search != self.search {
                continue;
            }
            outcome.hashes += launch.hashes();
            self.learn(&launch, found.elapsed);
            outcome.found = self.check(header, &launch, &found.candidates, cancel)?;
            if outcome.found.is_some() {
                return Ok(outcome);
            }
        }
    }

    /// Nonces of the next launch.
    fn launch_size(&self, header: &PreparedHeader) -> u32 {
        let target_top = u64::from(header.target_words()[0]);
        let easy = (EASY_LAUNCH << 32) / (target_top + 1);
        // A float that is too large becomes the largest integer.
        let in_time = (self.hash_rate() * LAUNCH.as_secs_f64()) as u64;
        let hashes = in_time.min(easy).max(LEAST_HASHES);
        let nonces = (hashes / u64::from(header.versions())).clamp(1, 1 << 31);
        u32::try_from(nonces).unwrap_or(u32::MAX)
    }

    fn launch(
        &mut self,
        header: &PreparedHeader,
        work: &Arc<Work>,
        first: u32,
        count: u32,
    ) -> Result<(), GpuError> {
        let versions = header.versions();
        let hashes = u64::from(count) * u64::from(versions);
        let probes = u32::try_from((PROBES << 32) / hashes).unwrap_or(u32::MAX);
        let launch = OnItsWay {
            search: self.search,
            first,
            count,
            versions,
            threshold: header.target_words()[0].max(probes),
        };
        self.driver.launch(Launch {
            work: Arc::clone(work),
            first,
            count,
            threshold: launch.threshold,
        })?;
        self.on_their_way.push_back(launch);
        Ok(())
    }

    /// The oldest launch and what it found, or nothing when the work was cancelled before.
    fn oldest(&mut self, cancel: &Cancel) -> Result<Option<(OnItsWay, Found)>, GpuError> {
        let asked = match self.asked {
            Some(asked) => asked,
            None => {
                self.driver.ask()?;
                *self.asked.insert(Instant::now())
            }
        };
        let Some(oldest) = self.on_their_way.front() else {
            return Ok(None);
        };
        let should_take =
            Duration::try_from_secs_f64(oldest.hashes() as f64 / self.hash_rate().max(1.0));
        let patience = self.silence + should_take.unwrap_or_default() * SILENT_LAUNCHES;
        loop {
            if let Some(found) = self.driver.answer(BETWEEN_LOOKS)? {
                self.asked = None;
                let oldest = self.on_their_way.pop_front();
                return Ok(oldest.map(|launch| (launch, found)));
            }
            if asked.elapsed() > patience {
                return Err(GpuError::Hangs {
                    device: self.name.clone(),
                    waited_s: patience.as_secs(),
                });
            }
            if cancel.is_cancelled() {
                return Ok(None);
            }
        }
    }

    fn learn(&mut self, launch: &OnItsWay, elapsed: Duration) {
        // A launch that took long counts for more: what was counted before fades with the time.
        let kept = FADING / (FADING + elapsed.as_secs_f64());
        self.recent_hashes = self.recent_hashes * kept + launch.hashes() as f64;
        self.recent_seconds = self.recent_seconds * kept + elapsed.as_secs_f64();
    }

    /// The first candidate that solves the header, after a look at whether they are what the processor gets.
    fn check(
        &mut self,
        header: &PreparedHeader,
        launch: &OnItsWay,
        candidates: &Candidates,
        cancel: &Cancel,
    ) -> Result<Option<Solution>, GpuError> {
        match candidates {
            Candidates::All(candidates) => {
                self.count_empty(launch, candidates.len())?;
                for (offset, version) in candidates {
                    let solution = self.candidate(header, launch, *offset, *version)?;
                    if header.is_solved_by(solution) {
                        return Ok(Some(solution));
                    }
                }
                Ok(None)
            }
            Candidates::TooMany { lowest } => {
                self.empty = 0;
                let first = self.lowest(header, launch, *lowest)?;
                // The target is easy, so this is short.
                let last = launch.first + (launch.count - 1);
                let kernel = cpu::fastest_kernel();
                let outcome = cpu::search(kernel, header, first..=last, || cancel.is_cancelled());
                Ok(outcome.found)
            }
        }
    }

    fn count_empty(&mut self, launch: &OnItsWay, candidates: usize) -> Result<(), GpuError> {
        if candidates > 0 || launch.expected() < 1.0 {
            self.empty = 0;
            self.empty_hashes = 0;
            return Ok(());
        }
        self.empty += 1;
        self.empty_hashes += launch.hashes();
        if self.empty <= MOST_EMPTY {
            return Ok(());
        }
        Err(GpuError::FindsNothing {
            device: self.name.clone(),
            hashes: self.empty_hashes,
        })
    }

    /// A candidate, if it is in the range and its hash as low as it should be.
    fn candidate(
        &self,
        header: &PreparedHeader,
        launch: &OnItsWay,
        offset: u32,
        version: u32,
    ) -> Result<Solution, GpuError> {
        let version = u16::try_from(version).ok();
        let version = version.filter(|version| *version < launch.versions);
        let Some(version) = version.filter(|_| offset < launch.count) else {
            return Err(self.wrong(launch.first.wrapping_add(offset), "not in the range"));
        };
        let nonce = launch.first + offset;
        if top_word(header, nonce, version) > launch.threshold {
            return Err(self.wrong(nonce, "the hash is not as low as the device said"));
        }
        Ok(Solution {
            version: header.version(version),
            nonce,
        })
    }

    /// The lowest nonce of too many candidates.
    fn lowest(
        &self,
        header: &PreparedHeader,
        launch: &OnItsWay,
        lowest: u32,
    ) -> Result<u32, GpuError> {
        let nonce = launch.first.wrapping_add(lowest);
        // Twice as many as expected is nothing that chance does at this number.
        if launch.expected() < ROOM as f64 / 2.0 {
            return Err(self.wrong(nonce, "far too many nonces are said to be good"));
        }
        if lowest >= launch.count {
            return Err(self.wrong(nonce, "not in the range"));
        }
        let good = |version| top_word(header, nonce, version) <= launch.threshold;
        if !(0..launch.versions).any(good) {
            return Err(self.wrong(nonce, "the hash is not as low as the device said"));
        }
        Ok(nonce)
    }

    fn wrong(&self, nonce: u32, what: &'static str) -> GpuError {
        GpuError::WrongResult {
            device: self.name.clone(),
            nonce,
            what,
        }
    }
}

impl std::fmt::Debug for OpenClDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenClDevice")
            .field("name", &self.name)
            .field("kernel", &self.kernel)
            .field("hash_rate", &self.hash_rate())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl MiningDevice for OpenClDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn kernel(&self) -> &str {
        &self.kernel
    }

    fn search(
        &mut self,
        job: &Job,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError> {
        self.search_header(job.prepared(), nonces, cancel)
            .map_err(DeviceError::from)
    }
}

impl OpenClDevice {
    /// Hashes per second, with launches behind each other as when it mines, measured for about `time`.
    ///
    /// # Errors
    /// As [`Self::search_header`].
    pub fn measure(&mut self, time: Duration) -> Result<f64, GpuError> {
        let header = PreparedHeader::new(&blank_header(0));
        let started = Instant::now();
        let mut hashes = 0_u64;
        while started.elapsed() < time {
            // A float that is too large becomes the largest integer.
            let last = (self.hash_rate() * MEASURED.as_secs_f64()) as u32;
            let searched = self.search_header(&header, 0..=last, &Cancel::never())?;
            hashes += searched.hashes;
        }
        Ok(hashes as f64 / started.elapsed().as_secs_f64())
    }

    /// As [`MiningDevice::search`], for a header without a template.
    ///
    /// # Errors
    /// When the device does not work, or not any more. Every search after that fails the same way.
    pub fn search_header(
        &mut self,
        header: &PreparedHeader,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, GpuError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.search += 1;
        let outcome = self.search_range(header, nonces, cancel);
        self.failure = outcome.as_ref().err().cloned();
        outcome
    }
}

fn known_tuning(key: &str) -> Option<Tuning> {
    let tunings = TUNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    tunings.as_ref()?.get(key).copied()
}

fn remember_tuning(key: String, tuning: Tuning) {
    let mut tunings = TUNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    tunings.get_or_insert_default().insert(key, tuning);
}
