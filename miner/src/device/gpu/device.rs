//! An OpenCL device that mines: two launches are always on their way, and the processor checks what they find.

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calibrate::{Calibrated, Shape, blank_header, calibrate, self_test};
use super::driver::{DEPTH, Driver};
use super::info::GpuInfo;
use super::on_its_way::{Checked, OnItsWay, Sought, WrongResult};
use super::open_cl::OpenDevice;
use super::openings::Opening;
use super::patience::Patience;
use super::queue::{Candidates, Found, Launch, Work};
use super::tuning::Tuning;
use crate::device::error_window::{ERROR_WINDOW, ErrorWindow};
use crate::{
    Cancel, DeviceError, GpuError, Job, MiningDevice, PreparedHeader, SearchOutcome, SideResults,
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

/// How long a driver may be silent on a machine that has time for it.
const SILENCE: Duration = Duration::from_secs(20);

/// And as many times what the launch should take.
const SILENT_LAUNCHES: u32 = 50;

/// Solutions of earlier searches that wait to be asked for.
const MOST_LATE: usize = 16;

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
    /// The driver owes the result of the oldest launch, and is waited for so long.
    asked: Option<Patience>,
    /// The search that launches belong to. What those of an earlier one find is told aside.
    search: u64,
    /// The last search that found something: whatever else its launches find is a sibling of that.
    solved: Option<u64>,
    aside: SideResults,
    errors: ErrorWindow,
    /// Launches without a candidate, one after the other, and their hashes.
    empty: u32,
    empty_hashes: u64,
    silence: Duration,
    /// Why it does not work any more.
    failure: Option<GpuError>,
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
        let (handle, kind) = (info.handle, info.kind);
        let for_errors = label.clone();
        let (driver, (tuning, rate)) = Driver::open(&label, OPENING, move || {
            let _turn = Opening::begin(&for_errors, OPENING)?;
            let device = OpenDevice::open(&for_errors, handle)?;
            let mut best = match known_tuning(&key) {
                Some(tuning) => Calibrated::warm(device.build(tuning)?, tuning)?,
                None => {
                    let native_width = device.native_width(kind);
                    let shape = Shape { kind, native_width };
                    calibrate(shape, |tuning| device.build(tuning))?
                }
            };
            self_test(&for_errors, &mut best.queue)?;
            remember_tuning(key, best.tuning);
            Ok((best.queue, (best.tuning, best.rate)))
        })?;
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
            solved: None,
            aside: SideResults::default(),
            errors: ErrorWindow::default(),
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
        sought: Sought,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, GpuError> {
        let mut outcome = SearchOutcome::default();
        let last = *nonces.end();
        let mut next = Some(*nonces.start()).filter(|first| *first <= last);
        if next.is_none() || cancel.is_cancelled() {
            return Ok(outcome);
        }
        let work = Arc::new(Work::new(sought.header()));
        let sought = Arc::new(sought);
        loop {
            while let Some(first) = next.filter(|_| self.on_their_way.len() < DEPTH) {
                let count = self.launch_size(sought.header());
                let count = count.min((last - first).saturating_add(1));
                self.launch(&sought, &work, first, count)?;
                next = first.checked_add(count).filter(|first| *first <= last);
            }
            if next.is_none() && self.on_their_way.iter().all(|l| l.search != self.search) {
                return Ok(outcome);
            }
            let Some((launch, found)) = self.oldest(cancel)? else {
                return Ok(outcome); // cancelled
            };
            self.learn(&launch, found.elapsed);
            let checked = self.check(&launch, &found.candidates, cancel)?;
            if launch.search != self.search {
                if self.note_late(&launch, &checked) {
                    return Ok(outcome); // it is worth more the sooner it is asked for
                }
                continue;
            }
            outcome.hashes += launch.hashes();
            outcome.found = checked.found;
            if outcome.found.is_some() {
                self.solved = Some(self.search);
                return Ok(outcome);
            }
        }
    }

    /// Takes note of a launch of an earlier search, and says whether it solved that one's job.
    fn note_late(&mut self, launch: &OnItsWay, checked: &Checked) -> bool {
        self.aside.hashes += launch.hashes();
        let Some(solution) = checked.found else {
            return false;
        };
        let Sought::Job(job) = launch.sought.as_ref() else {
            return false;
        };
        let is_sibling = self.solved == Some(launch.search);
        if is_sibling || self.aside.solutions.len() == MOST_LATE {
            return false;
        }
        self.solved = Some(launch.search);
        self.aside.solutions.push((job.clone(), solution));
        true
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
        sought: &Arc<Sought>,
        work: &Arc<Work>,
        first: u32,
        count: u32,
    ) -> Result<(), GpuError> {
        let header = sought.header();
        let hashes = u64::from(count) * u64::from(header.versions());
        let probes = u32::try_from((PROBES << 32) / hashes).unwrap_or(u32::MAX);
        let launch = OnItsWay {
            search: self.search,
            sought: Arc::clone(sought),
            first,
            count,
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
        let Some(oldest) = self.on_their_way.front() else {
            return Ok(None);
        };
        if self.asked.is_none() {
            self.driver.ask()?;
            let should_take =
                Duration::try_from_secs_f64(oldest.hashes() as f64 / self.hash_rate().max(1.0));
            let patience = self.silence + should_take.unwrap_or_default() * SILENT_LAUNCHES;
            self.asked = Some(Patience::new(patience, BETWEEN_LOOKS, Instant::now()));
        }
        loop {
            if let Some(found) = self.driver.answer(BETWEEN_LOOKS)? {
                self.asked = None;
                let oldest = self.on_their_way.pop_front();
                return Ok(oldest.map(|launch| (launch, found)));
            }
            let patience = self.asked.as_mut();
            if patience.is_some_and(|patience| patience.is_over(Instant::now())) {
                return Err(GpuError::Hangs {
                    device: self.name.clone(),
                    waited_s: self.silence.as_secs(),
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

    /// Looks whether candidates are what the processor gets. A wrong one is dropped; too many of them are a failure.
    fn check(
        &mut self,
        launch: &OnItsWay,
        candidates: &Candidates,
        cancel: &Cancel,
    ) -> Result<Checked, GpuError> {
        let count = match candidates {
            Candidates::All(candidates) => candidates.len(),
            Candidates::TooMany { .. } => 1,
        };
        self.count_empty(launch, count)?;
        let checked = launch.check(candidates, cancel);
        if let Some(wrong) = checked.wrong {
            self.note_error(wrong)?;
        }
        self.errors.note_good(checked.good);
        self.aside.good += checked.good;
        Ok(checked)
    }

    fn note_error(&mut self, WrongResult { nonce, what }: WrongResult) -> Result<(), GpuError> {
        let now = Instant::now();
        self.errors.note_error(now);
        self.aside.errors += 1;
        let device = &self.name;
        tracing::debug!(device, nonce, what, "the device erred");
        if !self.errors.is_over(now) {
            return Ok(());
        }
        Err(GpuError::TooManyErrors {
            device: self.name.clone(),
            errors: self.errors.recent(now),
            results: ERROR_WINDOW.min(self.errors.results()),
            nonce,
            what,
        })
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
        self.begin_search(Sought::Job(job.clone()), nonces, cancel)
            .map_err(DeviceError::from)
    }

    fn side_results(&mut self) -> SideResults {
        std::mem::take(&mut self.aside)
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
        self.begin_search(Sought::Header(header.clone()), nonces, cancel)
    }

    fn begin_search(
        &mut self,
        sought: Sought,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, GpuError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.search += 1;
        let outcome = self.search_range(sought, nonces, cancel);
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
