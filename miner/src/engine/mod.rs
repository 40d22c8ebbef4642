//! The engine: one thread per device, fed from the newest template.

mod batch_size;
mod board;
mod duty_cycle;
#[cfg(test)]
mod fakes;
mod follower;
mod handle;
mod lock;
mod run;
mod settings;
mod status;
#[cfg(test)]
mod tests;
mod worker;

pub use handle::{DeviceFactory, MinerHandle, UnixClock};
pub use settings::{MAX_THREADS, MinerSettings};
pub use status::{DeviceState, DeviceStatus, MinerStatus};
