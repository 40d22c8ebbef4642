//! Mining devices: what searches a job's nonces.

mod cancel;
pub mod cpu;
pub(crate) mod error_window;
pub mod gpu;
mod mining_device;

pub use cancel::Cancel;
pub use cpu::{CpuDevice, KernelChoice};
pub use gpu::{GpuInfo, GpuKind, OpenClDevice};
pub use mining_device::{MiningDevice, SearchOutcome, SideResults, Solution};
