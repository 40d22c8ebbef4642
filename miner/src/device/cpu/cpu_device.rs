//! One thread of the processor as a mining device.

use std::ops::RangeInclusive;

use super::choice::fastest_kernel;
use super::kernel::{Kernel, search};
use crate::{Cancel, Job, MiningDevice, SearchOutcome};

/// One thread of the processor.
pub struct CpuDevice {
    name: String,
    kernel: &'static dyn Kernel,
}

impl CpuDevice {
    /// The `index`-th thread, counted from 0, with the fastest kernel.
    pub fn new(index: usize) -> Self {
        Self {
            name: format!("cpu{index}"),
            kernel: fastest_kernel(),
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

    fn search(&mut self, job: &Job, nonces: RangeInclusive<u32>, cancel: &Cancel) -> SearchOutcome {
        search(self.kernel, job.prepared(), nonces, || {
            cancel.is_cancelled()
        })
    }
}
