//! The processor as a mining device.

mod cpu_device;
mod portable;

pub use cpu_device::CpuDevice;
pub use portable::search;
