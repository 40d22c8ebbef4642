//! The OpenCL devices of this machine.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::open_cl;
use crate::GpuError;

/// How long a list is waited for: drivers start when they are first asked.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let (answer, answered) = sync_channel(1);
    std::thread::Builder::new()
        .name("opencl-list".to_owned())
        .spawn(move || {
            let _ = answer.send(open_cl::list());
        })
        .map_err(|source| GpuError::Thread {
            reason: source.to_string(),
        })?;
    answered.recv_timeout(PATIENCE).map_err(|error| {
        let device = "OpenCL".to_owned();
        match error {
            RecvTimeoutError::Timeout => GpuError::Hangs {
                device,
                waited_s: PATIENCE.as_secs(),
            },
            RecvTimeoutError::Disconnected => GpuError::Gone { device },
        }
    })?
}
