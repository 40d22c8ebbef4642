//! `pyrite bench mine`: the hash rate of every kernel that this processor can run, on one thread and on all, beside the `sha2` crate
//! used plainly.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use pyrite_miner::device::cpu::{Kernel, Reference, clock_rate, hash_rate, kernel, kernels};
use serde::Serialize;

use super::opencl::{self, OpenClMeasured};

/// Looks at the clock beside each measurement.
const CLOCK_LOOKS: usize = 8;

/// Hashes in a megahash.
const MEGA: f64 = 1e6;

#[derive(Args)]
pub(crate) struct MineArgs {
    /// How long each kernel is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    seconds: f64,
    /// Measure this kernel alone
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Measure on this many threads, instead of on one and on as many as there are processors
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// What to measure: cpu, opencl, or both with a comma between them
    #[arg(
        long,
        value_enum,
        value_name = "DEVICES",
        value_delimiter = ',',
        default_value = "cpu"
    )]
    devices: Vec<Devices>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Devices {
    /// The processor, with our kernels
    Cpu,
    /// Each OpenCL device
    #[value(name = "opencl")]
    OpenCl,
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    /// The `sha2` crate on one thread.
    baseline_mh_s: f64,
    kernels: Vec<Measured>,
    /// Where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    opencl: Option<Vec<OpenClMeasured>>,
}

#[derive(Serialize)]
struct Measured {
    name: &'static str,
    threads: usize,
    mh_s: f64,
    /// Of one thread; `null` where the clock is not known.
    cycles_per_hash: Option<f64>,
}

pub(crate) fn run(args: &MineArgs) -> Result<()> {
    if !(0.01..=3_600.0).contains(&args.seconds) {
        bail!("--seconds is from 0.01 to 3600, not {}", args.seconds);
    }
    let time = Duration::from_secs_f64(args.seconds);
    let chosen: Vec<&dyn Kernel> = match &args.kernel {
        None => kernels().iter().map(AsRef::as_ref).collect(),
        Some(name) => match kernel(name) {
            Some(kernel) => vec![kernel],
            None => bail!(
                "no kernel {name:?} on this processor; there are {}",
                names().join(", ")
            ),
        },
    };
    let threads = thread_counts(args.threads)?;
    let baseline_mh_s = hash_rate(&Reference, time) / MEGA;
    let mut measured = Vec::new();
    let asked = |devices| args.devices.contains(&devices);
    for count in threads.into_iter().filter(|_| asked(Devices::Cpu)) {
        for kernel in &chosen {
            measured.push(measure(*kernel, count, time));
        }
    }
    let report = Report {
        baseline_mh_s,
        kernels: measured,
        opencl: match asked(Devices::OpenCl) {
            true => Some(opencl::measure(time)?),
            false => None,
        },
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_table(&report);
    }
    Ok(())
}

fn names() -> Vec<&'static str> {
    kernels().iter().map(|kernel| kernel.name()).collect()
}

fn thread_counts(asked: Option<usize>) -> Result<Vec<usize>> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    match asked {
        Some(count) if !(1..=pyrite_miner::MAX_THREADS).contains(&count) => bail!(
            "--threads is from 1 to {}, not {count}",
            pyrite_miner::MAX_THREADS
        ),
        Some(count) => Ok(vec![count]),
        None if processors == 1 => Ok(vec![1]),
        None => Ok(vec![1, processors]),
    }
}

/// Measures a kernel on some threads that begin together.
fn measure(kernel: &dyn Kernel, threads: usize, time: Duration) -> Measured {
    let start = Barrier::new(threads);
    let on_thread = || {
        start.wait();
        let rate = hash_rate(kernel, time);
        let looks = (0..CLOCK_LOOKS).filter_map(|_| clock_rate());
        (rate, looks.reduce(f64::max))
    };
    let results: Vec<(f64, Option<f64>)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(on_thread)).collect();
        let joined = handles.into_iter().map(|handle| handle.join());
        joined.filter_map(Result::ok).collect()
    });
    let rate: f64 = results.iter().map(|(rate, _)| rate).sum();
    let clock: Option<f64> = results.iter().map(|(_, clock)| *clock).sum();
    Measured {
        name: kernel.name(),
        threads,
        mh_s: rate / MEGA,
        cycles_per_hash: clock.map(|clock| clock / rate),
    }
}

fn print_table(report: &Report) {
    println!(
        "the sha2 crate on one thread: {:.2} MH/s",
        report.baseline_mh_s
    );
    if !report.kernels.is_empty() {
        println!(
            "{:<17} {:>7} {:>10} {:>14} {:>10}",
            "kernel", "threads", "MH/s", "cycles/hash", "x sha2"
        );
    }
    for measured in &report.kernels {
        let cycles = measured
            .cycles_per_hash
            .map_or_else(|| "unknown".to_owned(), |cycles| format!("{cycles:.0}"));
        println!(
            "{:<17} {:>7} {:>10.2} {:>14} {:>10.2}",
            measured.name,
            measured.threads,
            measured.mh_s,
            cycles,
            measured.mh_s / report.baseline_mh_s
        );
    }
    if let Some(devices) = &report.opencl {
        opencl::print_table(devices, report.baseline_mh_s);
    }
}
