//! One thread of the processor as a mining device.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::choice::{fastest_kernel, fastest_kernel_now};
use super::kernel::{Kernel, search};
use crate::{Cancel, DeviceError, Job, MiningDevice, SearchOutcome};

/// How long a choice holds: which kernel is the fastest depends on what else the core does, which changes.
const CHOICE_HOLDS: Duration = Duration::from_secs(300);

/// How long the present one holds when new work came in the middle of the choice. Where work comes all the time there must be
/// time left to mine.
const CHOICE_PUT_OFF: Duration = Duration::from_secs(10);

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
    /// The `index`-th thread, counted from 0. It begins with a fast kernel, and looks for the fastest in the first search, on the
    /// thread that does it.
    pub fn new(index: usize, choice: &KernelChoice) -> Self {
        let (kernel, choose_at) = match choice {
            KernelChoice::Fastest => (fastest_kernel(), Some(Instant::now())),
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
        let fastest = fastest_kernel_now(self.kernel, || cancel.is_cancelled());
        let holds = fastest.map_or(CHOICE_PUT_OFF, |_| CHOICE_HOLDS);
        self.choose_at = Some(Instant::now() + holds);
        if let Some(kernel) = fastest {
            if kernel.name() != self.kernel.name() {
                tracing::debug!(device = self.name, kernel = kernel.name(), "another kernel");
            }
            self.kernel = kernel;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn a_choice_that_new_work_cancels_is_put_off() {
        let mut device = CpuDevice::new(0, &KernelChoice::Fastest);
        let before = Instant::now();
        device.choose(&Cancel::new(Arc::new(AtomicU64::new(1)), 0));
        let at = device.choose_at.unwrap();
        assert!(at >= before + CHOICE_PUT_OFF);
        assert!(at < Instant::now() + CHOICE_HOLDS);
        device.choose(&Cancel::never());
        assert_eq!(device.choose_at, Some(at), "there is time to mine");
    }
}
