//! `pyrite devices`: what this machine can mine with.

use std::thread;

use anyhow::Result;
use clap::Args;
use pyrite_miner::GpuError;
use pyrite_miner::device::cpu::kernels;
use pyrite_miner::device::gpu::{self, GpuInfo};
use serde::Serialize;

#[derive(Args)]
pub(crate) struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    processor: Processor,
    opencl: OpenCl,
}

#[derive(Serialize)]
struct Processor {
    /// How many it runs at a time.
    threads: usize,
    /// The names that `--kernel` takes.
    kernels: Vec<&'static str>,
}

#[derive(Serialize)]
struct OpenCl {
    devices: Vec<Device>,
    /// Why there are none; `null` where OpenCL works.
    problem: Option<String>,
}

#[derive(Serialize)]
struct Device {
    /// As it is called while it mines.
    name: String,
    device: String,
    vendor: String,
    platform: String,
    kind: &'static str,
    memory_bytes: u64,
    compute_units: u32,
    clock_mhz: u32,
    driver_version: String,
    opencl_version: String,
}

pub(crate) fn run(args: &DevicesArgs) -> Result<()> {
    let report = Report {
        processor: Processor {
            threads: thread::available_parallelism().map_or(1, usize::from),
            kernels: kernels().iter().map(|kernel| kernel.name()).collect(),
        },
        opencl: opencl(gpu::list()),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(())
}

fn opencl(listed: Result<Vec<GpuInfo>, GpuError>) -> OpenCl {
    match listed {
        Ok(listed) => OpenCl {
            devices: listed.into_iter().enumerate().map(device).collect(),
            problem: None,
        },
        Err(error) => OpenCl {
            devices: Vec::new(),
            problem: Some(error.to_string()),
        },
    }
}

fn device((index, info): (usize, GpuInfo)) -> Device {
    Device {
        name: format!("opencl{index}"),
        device: info.name,
        vendor: info.vendor,
        platform: info.platform,
        kind: info.kind.name(),
        memory_bytes: info.memory_bytes,
        compute_units: info.compute_units,
        clock_mhz: info.clock_mhz,
        driver_version: info.driver_version,
        opencl_version: info.opencl_version,
    }
}

fn text(report: &Report) -> String {
    let Report { processor, opencl } = report;
    let mut text = format!(
        "processor: {} threads; kernels: {}\n",
        processor.threads,
        processor.kernels.join(", ")
    );
    match &opencl.problem {
        Some(problem) => text += &format!("OpenCL: {problem}\n"),
        None if opencl.devices.is_empty() => {
            text += "OpenCL: the library is there, and no driver with a device\n";
        }
        None => {}
    }
    for device in &opencl.devices {
        text += &format!(
            "{}: {} ({}, {}), {} MiB, {} compute units, {} MHz\n    {}, driver {}, {}\n",
            device.name,
            device.device,
            device.vendor,
            device.kind,
            device.memory_bytes >> 20,
            device.compute_units,
            device.clock_mhz,
            device.platform,
            device.driver_version,
            device.opencl_version,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_opencl_is_told_plainly() {
        let report = Report {
            processor: Processor {
                threads: 3,
                kernels: vec!["sha2", "avx2"],
            },
            opencl: opencl(Err(GpuError::NoLibrary)),
        };
        let text = text(&report);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "processor: 3 threads; kernels: sha2, avx2");
        assert!(lines[1].starts_with("OpenCL: no OpenCL library (libOpenCL.so.1): install"));
        assert_eq!(lines.len(), 2);
    }
}
