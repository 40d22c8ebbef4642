//! Mining devices: what searches a job's nonces.

mod cancel;
pub mod cpu;
mod mining_device;

pub use cancel::Cancel;
pub use cpu::{CpuDevice, KernelChoice};
pub use mining_device::{MiningDevice, SearchOutcome, Solution};
