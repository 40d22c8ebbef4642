//! Graphics cards, and whatever else speaks OpenCL, as mining devices. The library is loaded at run time: where there is none, [`list`]
//! says so and nothing else changes.
//!
//! `search.cl` is what runs on the device. `open_cl` alone calls OpenCL, on a thread of its own (`driver`), so that a call that
//! never comes back takes down no thread that mines. `device` keeps two launches on their way and checks what they find.

mod calibrate;
mod device;
mod driver;
mod info;
mod on_its_way;
mod open_cl;
mod openings;
mod patience;
mod queue;
mod tuning;

#[cfg(test)]
mod fake_queue;
#[cfg(test)]
mod fake_tests;
#[cfg(test)]
mod tests;

pub use device::OpenClDevice;
pub use info::{GpuInfo, GpuKind, list};
