//! Which devices a run will have: each is opened on its own thread, so that none waits for another.

use std::sync::Arc;

use super::affinity;
use super::{DeviceName, DeviceSelection, MinerSettings};
use crate::device::cpu;
use crate::device::gpu::{self, GpuInfo, GpuKind, OpenClDevice};
use crate::{CpuDevice, DeviceError, GpuError, KernelChoice, MiningDevice};

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
    if !settings.devices.has_opencl() {
        return Vec::new();
    }
    let infos = match list_giving_way() {
        Ok(infos) => infos,
        Err(error) => {
            let names = settings.devices.names().iter();
            let names = names.filter(|name| **name != DeviceName::Cpu);
            return names
                .map(|name| absent(name.to_string(), error.clone()))
                .collect();
        }
    };
    let kinds: Vec<GpuKind> = infos.iter().map(|info| info.kind).collect();
    let (chosen, missing) = choose(&settings.devices, &kinds);
    let mut infos: Vec<Option<GpuInfo>> = infos.into_iter().map(Some).collect();
    let chosen = chosen
        .into_iter()
        .filter_map(|index| Some(open_cl_device(index, infos[index].take()?)));
    let missing = missing
        .into_iter()
        .map(|name| absent(name.to_string(), why_missing(name, kinds.len())));
    chosen.chain(missing).collect()
}

/// Why a name stands for none of so many devices.
fn why_missing(name: DeviceName, count: usize) -> DeviceError {
    match name {
        DeviceName::OpenClAt(_) => DeviceError::NoSuchNumber { count },
        DeviceName::OpenCl | DeviceName::Cpu if count == 0 => DeviceError::NoOpenClDevice,
        DeviceName::OpenCl | DeviceName::Cpu => DeviceError::ProcessorAlone,
    }
}

/// The numbers of the devices that a selection stands for, and the names that stand for none. OpenCL on the processor is none of
/// all devices where the processor mines already, faster by itself; its number chooses it all the same.
fn choose(selection: &DeviceSelection, kinds: &[GpuKind]) -> (Vec<usize>, Vec<DeviceName>) {
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for name in selection.names() {
        let before = chosen.len();
        match *name {
            DeviceName::Cpu => continue,
            DeviceName::OpenCl => chosen.extend(
                (0..kinds.len())
                    .filter(|index| kinds[*index] != GpuKind::Processor || !selection.has_cpu()),
            ),
            DeviceName::OpenClAt(index) => {
                chosen.extend(Some(index).filter(|index| *index < kinds.len()))
            }
        }
        if chosen.len() == before {
            missing.push(*name);
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    (chosen, missing)
}

/// Lists the devices on a thread that gives way: PoCL's threads, which it starts then, inherit that.
fn list_giving_way() -> Result<Vec<GpuInfo>, DeviceError> {
    let list = || {
        // Where it does not work it is said when a device's thread tries.
        let _ = affinity::give_way();
        gpu::list()
    };
    let listing = std::thread::Builder::new().name("miner-opencl".to_owned());
    let listing = listing.spawn(list).map_err(|error| DeviceError::Thread {
        reason: error.to_string(),
    })?;
    let gone = || GpuError::Gone {
        device: "OpenCL".to_owned(),
    };
    let listed = listing.join().unwrap_or_else(|_| Err(gone()));
    Ok(listed?)
}

fn open_cl_device(index: usize, info: GpuInfo) -> PlannedDevice {
    PlannedDevice {
        name: format!("opencl{index}"),
        kind: match info.kind {
            GpuKind::Processor => DeviceKind::OpenClProcessor,
            GpuKind::Gpu | GpuKind::Accelerator => DeviceKind::Card,
        },
        open: Box::new(move || Ok(Box::new(OpenClDevice::open(&info, index)?))),
    }
}

fn absent(name: String, error: DeviceError) -> PlannedDevice {
    PlannedDevice {
        name,
        kind: DeviceKind::Card,
        open: Box::new(|| Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_the_processor_have_the_chosen_kernel() {
        let kernel = cpu::kernels()[0].name();
        let settings = MinerSettings {
            threads: 2,
            kernel: Some(kernel.to_owned()),
            ..MinerSettings::default()
        };
        let devices = plan_devices(&settings);
        let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["cpu0", "cpu1"]);
        for device in devices {
            assert_eq!(device.kind, DeviceKind::Processor);
            assert_eq!((device.open)().unwrap().kernel(), kernel);
        }
    }

    #[test]
    fn names_choose_among_the_devices_of_open_cl() {
        let kinds = [GpuKind::Processor, GpuKind::Gpu, GpuKind::Gpu];
        let choose = |text: &str| choose(&text.parse().unwrap(), &kinds);
        assert_eq!(choose("opencl"), (vec![0, 1, 2], vec![]));
        assert_eq!(choose("cpu,opencl"), (vec![1, 2], vec![]));
        assert_eq!(choose("cpu,opencl,opencl0"), (vec![0, 1, 2], vec![]));
        assert_eq!(choose("opencl2"), (vec![2], vec![]));
        assert_eq!(
            choose("opencl1,opencl3"),
            (vec![1], vec![DeviceName::OpenClAt(3)])
        );
        assert_eq!(choose("cpu"), (vec![], vec![]));
    }

    #[test]
    fn a_name_that_stands_for_none_says_why() {
        let numbered = why_missing(DeviceName::OpenClAt(3), 2);
        assert_eq!(
            numbered.to_string(),
            "OpenCL's devices here are 2, counted from 0"
        );
        assert_eq!(
            why_missing(DeviceName::OpenCl, 0),
            DeviceError::NoOpenClDevice
        );
        assert_eq!(
            why_missing(DeviceName::OpenCl, 1),
            DeviceError::ProcessorAlone
        );
    }

    #[test]
    fn a_device_that_is_not_there_says_why() {
        let missing = absent("opencl7".to_owned(), DeviceError::NoOpenClDevice);
        assert_eq!((missing.open)().err(), Some(DeviceError::NoOpenClDevice));
    }
}
