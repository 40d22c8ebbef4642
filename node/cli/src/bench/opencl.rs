//! The OpenCL devices' part of `pyrite bench mine`.

use std::time::Duration;

use anyhow::Result;
use pyrite_miner::device::gpu;
use pyrite_miner::{MiningDevice, OpenClDevice};
use serde::Serialize;

/// Hashes in a megahash.
const MEGA: f64 = 1e6;

/// What an OpenCL device did.
#[derive(Serialize)]
pub(super) struct OpenClMeasured {
    /// As `opencl0`.
    name: String,
    /// What its driver calls it.
    device: String,
    kernel: String,
    /// How the kernel was built.
    tuning: String,
    mh_s: f64,
}

/// Measures each OpenCL device by itself.
pub(super) fn measure(time: Duration) -> Result<Vec<OpenClMeasured>> {
    let listed = gpu::list()?;
    let opened = listed.iter().enumerate().map(|(index, info)| {
        let mut device = OpenClDevice::open(info, index)?;
        let hashes_per_s = device.measure(time)?;
        Ok(OpenClMeasured {
            name: device.name().to_owned(),
            device: info.name.clone(),
            kernel: device.kernel().to_owned(),
            tuning: device.tuning(),
            mh_s: hashes_per_s / MEGA,
        })
    });
    opened.collect()
}

/// Prints what was measured, as a table.
pub(super) fn print_table(measured: &[OpenClMeasured], baseline_mh_s: f64) {
    println!(
        "{:<12} {:<12} {:>10} {:>10}  device",
        "OpenCL", "kernel", "MH/s", "x sha2"
    );
    for device in measured {
        println!(
            "{:<12} {:<12} {:>10.2} {:>10.2}  {} ({})",
            device.name,
            device.kernel,
            device.mh_s,
            device.mh_s / baseline_mh_s,
            device.device,
            device.tuning
        );
    }
    if measured.is_empty() {
        println!("none: OpenCL is installed, and has no device");
    }
}
