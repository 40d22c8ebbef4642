//! One thread of the processor as a mining device.

use std::ops::RangeInclusive;

use super::portable;
use crate::{Cancel, Job, MiningDevice, SearchOutcome};

/// One thread of the processor.
#[derive(Debug)]
pub struct CpuDevice {
    name: String,
}

impl CpuDevice {
    /// The `index`-th thread, counted from 0.
    pub fn new(index: usize) -> Self {
        Self {
            name: format!("cpu{index}"),
        }
    }
}

impl MiningDevice for CpuDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn search(&mut self, job: &Job, nonces: RangeInclusive<u32>, cancel: &Cancel) -> SearchOutcome {
        portable::search(job.prepared(), nonces, || cancel.is_cancelled())
    }
}
