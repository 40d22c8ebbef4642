//! Which devices a run will have: each is opened on its own thread, so that none waits for another.

use std::sync::Arc;

use super::MinerSettings;
use crate::device::cpu;
use crate::{CpuDevice, DeviceError, KernelChoice, MiningDevice};

/// What a device is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A thread of the processor, which gives way to everybody else.
    Processor,
    /// Threads of the processor behind OpenCL, which take their work in bigger pieces.
    OpenClProcessor,
    /// Something with a processor of its own: its thread has next to nothing to do, and what it does is urgent.
    Card,
}

impl DeviceKind {
    /// One word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processor | Self::OpenClProcessor => "processor",
            Self::Card => "card",
        }
    }
}

/// How a device is made, on the thread that will own it.
pub type OpenDevice = Box<dyn FnOnce() -> Result<Box<dyn MiningDevice>, DeviceError> + Send>;

/// A device that a run will have.
pub struct PlannedDevice {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub kind: DeviceKind,
    /// Opens it. If that fails it is set aside with the reason, and the others go on.
    pub open: OpenDevice,
}

/// Plans the devices of a run; the threads of the processor come first.
pub type DeviceFactory = Arc<dyn Fn(&MinerSettings) -> Vec<PlannedDevice> + Send + Sync>;

/// The devices of this machine that the settings choose.
pub(super) fn plan_devices(settings: &MinerSettings) -> Vec<PlannedDevice> {
    let kernel = settings.kernel.as_deref().and_then(cpu::kernel);
    let choice = kernel.map_or(KernelChoice::Fastest, KernelChoice::Named);
    let threads = (0..settings.processor_threads()).map(|index| PlannedDevice {
        name: format!("cpu{index}"),
        kind: DeviceKind::Processor,
        open: Box::new(move || Ok(Box::new(CpuDevice::new(index, &choice)))),
    });
    threads.chain(open_cl_devices(settings)).collect()
}

/// Those of OpenCL. A name that stands for none is a device that can't be opened, so that the reason is told with the others'.
fn open_cl_devices(settings: &MinerSettings) -> Vec<PlannedDevice> {
    let names = settings.devices.names().iter();
    names
        .filter(|name| **name != super::DeviceName::Cpu)
        .map(|name| absent(name.to_string(), "this program has no OpenCL".to_owned()))
        .collect()
}

fn absent(name: String, reason: String) -> PlannedDevice {
    PlannedDevice {
        name,
        kind: DeviceKind::Card,
        open: Box::new(|| Err(DeviceError::Failed { reason })),
    }
}
