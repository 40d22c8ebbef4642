//! The engine: one thread per device, fed from the newest template.

mod affinity;
mod batch_size;
mod board;
mod duty_cycle;
#[cfg(test)]
mod fakes;
mod follower;
mod handle;
mod lock;
mod pinning;
mod run;
mod selection;
mod settings;
mod status;
#[cfg(test)]
mod tests;
mod worker;

pub use handle::{DeviceFactory, MinerHandle, UnixClock};
pub use pinning::{CoreList, Pinning};
pub use selection::{DeviceName, DeviceSelection};
pub use settings::{MAX_THREADS, MinerSettings, MiningLimits, OnBattery};
pub use status::{DeviceState, DeviceStatus, MinerStatus};
