//! The OpenCL devices of this machine.

use std::panic::catch_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::open_cl;
use super::patience::Patience;
use crate::GpuError;

/// How long a list is waited for: drivers start when they are first asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at whether it is there.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What an OpenCL device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuKind {
    /// A graphics card.
    Gpu,
    /// The processor, as PoCL offers it: our own kernels for it are faster.
    Processor,
    /// Something else that computes.
    Accelerator,
}

impl GpuKind {
    /// Its name, for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Processor => "processor",
            Self::Accelerator => "accelerator",
        }
    }
}

/// An OpenCL device, as its driver describes it.
#[derive(Clone, Debug)]
pub struct GpuInfo {
    /// The platform that it belongs to.
    pub platform: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// What it is.
    pub kind: GpuKind,
    /// Its memory, in bytes.
    pub memory_bytes: u64,
    /// Its compute units.
    pub compute_units: u32,
    /// Its highest clock rate, in MHz; zero where the driver does not tell.
    pub clock_mhz: u32,
    /// The driver's version.
    pub driver_version: String,
    /// OpenCL's version, as the device has it.
    pub opencl_version: String,
    pub(super) handle: open_cl::Handle,
}

/// The OpenCL devices of this machine, platform by platform. Their order, and so their numbers, is that of the drivers.
///
/// # Errors
/// [`GpuError::NoLibrary`] where there is no OpenCL, which is nothing unusual; [`GpuError::Call`] when it can't tell its platforms;
/// [`GpuError::Hangs`] when a driver keeps it from answering. A platform that can't tell its devices is left out.
pub fn list() -> Result<Vec<GpuInfo>, GpuError> {
    Listing::under_way(open_cl::list)?.wait(PATIENCE)
}

type Listed = Result<Vec<GpuInfo>, GpuError>;

/// A list that is being made, on a thread of its own. There is one at a time, however many wait for it: drivers that hang keep no
/// more than that.
#[derive(Default)]
struct Listing {
    listed: Mutex<Option<Listed>>,
    done: Condvar,
}

/// The one that is being made.
static UNDER_WAY: Mutex<Option<Arc<Listing>>> = Mutex::new(None);

impl Listing {
    /// The list that is being made, or a new one.
    fn under_way(list: fn() -> Listed) -> Result<Arc<Self>, GpuError> {
        let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listing) = under_way.as_ref().filter(|listing| !listing.is_done()) {
            return Ok(Arc::clone(listing));
        }
        let listing = Arc::new(Self::default());
        let answers = Arc::clone(&listing);
        std::thread::Builder::new()
            .name("opencl-list".to_owned())
            .spawn(move || answers.finish(catch_unwind(list).unwrap_or_else(|_| Err(gone()))))
            .map_err(|source| GpuError::Thread {
                reason: source.to_string(),
            })?;
        *under_way = Some(Arc::clone(&listing));
        Ok(listing)
    }

    fn listed(&self) -> MutexGuard<'_, Option<Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_done(&self) -> bool {
        self.listed().is_some()
    }

    fn finish(&self, listed: Listed) {
        *self.listed() = Some(listed);
        self.done.notify_all();
    }

    fn wait(&self, within: Duration) -> Listed {
        let mut patience = Patience::new(within, BETWEEN_LOOKS, Instant::now());
        let mut listed = self.listed();
        loop {
            if let Some(listed) = &*listed {
                return listed.clone();
            }
            let waited = self.done.wait_timeout(listed, BETWEEN_LOOKS);
            listed = waited.unwrap_or_else(PoisonError::into_inner).0;
            if listed.is_none() && patience.is_over(Instant::now()) {
                return Err(GpuError::Hangs {
                    device: "OpenCL".to_owned(),
                    waited_s: within.as_secs(),
                });
            }
        }
    }
}

fn gone() -> GpuError {
    GpuError::Gone {
        device: "OpenCL".to_owned(),
    }
}
