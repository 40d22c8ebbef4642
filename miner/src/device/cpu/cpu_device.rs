//! One thread of the processor as a mining device.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::choice::fastest_kernel_now;
use super::kernel::{Kernel, search};
use crate::{Cancel, DeviceError, Job, MiningDevice, SearchOutcome};

/// How long a choice holds: which kernel is the fastest depends on what else the core does, which changes.
const CHOICE_HOLDS: Duration = Duration::from_secs(300);

/// Which kernel a thread uses.
#[derive(Clone, Copy, Default)]
pub enum KernelChoice {
    /// The one that is found to be the fastest, on the thread itself and every few minutes again.
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
    /// When the kernel is chosen again; `None` for one that was named.
    choose_at: Option<Instant>,
}

impl CpuDevice {
    /// The `index`-th thread, counted from 0. The fastest kernel is looked for in the first search, on the thread that does it.
    pub fn new(index: usize, choice: &KernelChoice) -> Self {
        let (kernel, choose_at) = match choice {
            KernelChoice::Fastest => (super::choice::fastest_kernel(), Some(Instant::now())),
            KernelChoice::Named(kernel) => (*kernel, None),
        };
        Self {
            name: format!("cpu{index}"),
            kernel,
            choose_at,
        }
    }

    fn choose(&mut self, cancel: &Cancel) {
        if self.choose_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        // New work does not wait for the measurement: it is done another time.
        if let Some(kernel) = fastest_kernel_now(self.kernel, || cancel.is_cancelled()) {
            if kernel.name() != self.kernel.name() {
                tracing::debug!(device = self.name, kernel = kernel.name(), "another kernel");
            }
            self.kernel = kernel;
            self.choose_at = Some(Instant::now() + CHOICE_HOLDS);
        }
    }
}

impl std::fmt::Debug for CpuDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuDevice")
            .field("name", &self.name)
            .field("kernel", &self.kernel.name())
            .finish_non_exhaustive()
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
        self.choose(cancel);
        Ok(search(self.kernel, job.prepared(), nonces, || {
            cancel.is_cancelled()
        }))
    }
}
