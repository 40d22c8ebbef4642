//! A made-up queue: it computes on the processor, and misbehaves as a test wants.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::calibrate::top_word;
use super::driver::Driver;
use super::queue::{Candidates, Found, Launch, Queue, ROOM, Work};
use super::tuning::Tuning;
use crate::{GpuError, OpenClDevice, PreparedHeader};

/// What the queue does to an answer or instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// The first candidate is the nonce after the right one.
    WrongNonce,
    /// So it is in every sixteenth launch.
    WrongNow,
    /// A candidate stands behind the end of the range.
    BeyondTheRange,
    /// And one has a version that there is not.
    UnknownVersion,
    FindsNothing,
    /// Every nonce is called good.
    FindsAll,
    LaunchFails,
    KernelFails,
    Panics,
    /// Launches end when the test lets them: see [`Fake::release`].
    Waits,
}

/// The test's end of a made-up device.
pub(super) struct Fake {
    pub(super) device: OpenClDevice,
    /// Ends one launch of a queue that waits; dropped, it ends them all.
    pub(super) release: Option<Sender<()>>,
    /// First nonces of the launches, in order.
    pub(super) launched: Arc<Mutex<Vec<u32>>>,
    /// How often the queue held nothing else when a launch ended.
    pub(super) starved: Arc<AtomicU32>,
}

pub(super) struct FakeQueue {
    headers: Vec<PreparedHeader>,
    trouble: Trouble,
    waiting: VecDeque<Launch>,
    collected: u32,
    released: Receiver<()>,
    launched: Arc<Mutex<Vec<u32>>>,
    starved: Arc<AtomicU32>,
}

pub(super) const NAME: &str = "opencl7";

/// A rate at which a launch has some ten thousand hashes.
const RATE: f64 = 1e6;

/// A device that is given work on these headers alone, and is silent for so long before it counts as hung.
pub(super) fn fake(headers: &[PreparedHeader], trouble: Trouble, silence: Duration) -> Fake {
    let (release, released) = channel();
    let launched = Arc::new(Mutex::new(Vec::new()));
    let starved = Arc::new(AtomicU32::new(0));
    let queue = FakeQueue {
        headers: headers.to_vec(),
        trouble,
        waiting: VecDeque::new(),
        collected: 0,
        released,
        launched: Arc::clone(&launched),
        starved: Arc::clone(&starved),
    };
    let (driver, ()) = Driver::open(NAME, Duration::from_secs(60), || Ok((queue, ()))).unwrap();
    Fake {
        device: OpenClDevice::with_driver(NAME.to_owned(), Tuning::FIRST, RATE, silence, driver),
        release: Some(release),
        launched,
        starved,
    }
}

pub(super) fn call_error() -> GpuError {
    GpuError::Call {
        device: NAME.to_owned(),
        call: "clEnqueueNDRangeKernel",
        reason: "CL_OUT_OF_RESOURCES (-5)".to_owned(),
    }
}

impl FakeQueue {
    fn honest(&self, launch: &Launch) -> Vec<(u32, u32)> {
        let header = self
            .headers
            .iter()
            .find(|header| Work::new(header) == *launch.work)
            .expect("the work is that of one of the headers");
        let mut found = Vec::new();
        for offset in 0..launch.count {
            for version in 0..header.versions() {
                if top_word(header, launch.first + offset, version) <= launch.threshold {
                    found.push((offset, u32::from(version)));
                }
            }
        }
        found
    }
}

impl Queue for FakeQueue {
    fn launch(&mut self, launch: &Launch) -> Result<(), GpuError> {
        self.launched.lock().unwrap().push(launch.first);
        if self.trouble == Trouble::LaunchFails {
            return Err(call_error());
        }
        self.waiting.push_back(launch.clone());
        Ok(())
    }

    fn collect(&mut self) -> Result<Found, GpuError> {
        if self.waiting.len() < 2 {
            self.starved.fetch_add(1, Ordering::Relaxed);
        }
        let launch = self.waiting.pop_front().expect("something was launched");
        self.collected += 1;
        let mut found = self.honest(&launch);
        match self.trouble {
            Trouble::None | Trouble::LaunchFails => {}
            Trouble::WrongNow if !self.collected.is_multiple_of(16) => {}
            Trouble::WrongNonce | Trouble::WrongNow => {
                if let Some((offset, _)) = found.first_mut() {
                    *offset = (*offset + 1) % launch.count;
                }
            }
            Trouble::BeyondTheRange => found.push((launch.count, 0)),
            Trouble::UnknownVersion => found.push((0, 1)),
            Trouble::FindsNothing => found.clear(),
            Trouble::FindsAll => found = (0..launch.count).map(|offset| (offset, 0)).collect(),
            Trouble::KernelFails => return Err(call_error()),
            Trouble::Panics => panic!("a made-up driver breaks down"),
            Trouble::Waits => {
                let _ = self.released.recv();
            }
        }
        let candidates = match found.first() {
            Some((lowest, _)) if found.len() > ROOM => Candidates::TooMany { lowest: *lowest },
            _ => Candidates::All(found),
        };
        Ok(Found {
            candidates,
            elapsed: Duration::from_secs_f64(f64::from(launch.count) / RATE),
        })
    }
}
