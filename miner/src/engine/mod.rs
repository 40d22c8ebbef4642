//! The engine: one thread per device, fed from the newest template.
//!
//! `run` starts the threads: a `follower` of the work source, a `guard` that reads the sensors, a `worker` for each device, and one for
//! what is `urgent`. They share the `board`: the newest template, and whether to mine on it.

mod affinity;
mod batch_size;
mod board;
mod duty_cycle;
#[cfg(test)]
mod fakes;
mod follower;
mod governor;
mod guard;
mod handle;
mod latency;
#[cfg(test)]
mod limit_tests;
mod lock;
mod pinning;
mod plan;
mod ranges;
mod record;
mod run;
mod selection;
mod settings;
mod status;
#[cfg(test)]
mod tests;
mod urgent;
mod worker;

pub use governor::HoldBack;
pub use handle::{MinerHandle, MinerParts, UnixClock};
pub use latency::LatencySummary;
pub use pinning::{CoreList, Pinning};
pub use plan::{DeviceFactory, DeviceKind, OpenDevice, PlannedDevice};
pub use ranges::{RangeLog, SearchedRange};
pub use selection::{DeviceName, DeviceSelection};
pub use settings::{MAX_THREADS, MinerSettings, MiningLimits, OnBattery};
pub use status::{DeviceState, DeviceStatus, MinerStatus};
