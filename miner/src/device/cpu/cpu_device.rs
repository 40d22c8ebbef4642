//! One thread of the processor as a mining device.

use std::ops::RangeInclusive;

use super::choice::fastest_kernel;
use super::kernel::{Kernel, search};
use crate::{Cancel, DeviceError, Job, MiningDevice, SearchOutcome};

/// Which kernel a thread uses.
#[derive(Clone, Copy, Default)]
pub enum KernelChoice {
    /// The one that is found to be the fastest.
    #[default]
    Fastest,
    /// This one ([`super::kernel`] finds it by name).
    Named(&'static dyn Kernel),
}

impl std::fmt::Debug for KernelChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fastest => f.write_str("Fastest"),
            Self::Named(kernel) => f.debug_tuple("Named").field(&kernel.name()).finish(),
        }
    }
}

/// Two choices are the same when they name the same kernel.
impl PartialEq for KernelChoice {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fastest, Self::Fastest) => true,
            (Self::Named(one), Self::Named(other)) => one.name() == other.name(),
            _ => false,
        }
    }
}

impl Eq for KernelChoice {}

/// One thread of the processor.
pub struct CpuDevice {
    name: String,
    kernel: &'static dyn Kernel,
}

impl CpuDevice {
    /// The `index`-th thread, counted from 0.
    pub fn new(index: usize, choice: &KernelChoice) -> Self {
        Self {
            name: format!("cpu{index}"),
            kernel: match choice {
                KernelChoice::Fastest => fastest_kernel(),
                KernelChoice::Named(kernel) => *kernel,
            },
        }
    }
}

impl std::fmt::Debug for CpuDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuDevice")
            .field("name", &self.name)
            .field("kernel", &self.kernel.name())
            .finish()
    }
}

impl MiningDevice for CpuDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn kernel(&self) -> &str {
        self.kernel.name()
    }

    fn versions(&self) -> u16 {
        self.kernel.versions()
    }

    fn search(
        &mut self,
        job: &Job,
        nonces: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError> {
        Ok(search(self.kernel, job.prepared(), nonces, || {
            cancel.is_cancelled()
        }))
    }
}
