//! Random and mutated spends of every kind of output, verified by Pyrite's script engine and by Bitcoin
//! Core's: the verdicts must agree.
//!
//! The spends and the comparison are those of the test `consensus/tests/script_differential.rs`; here the
//! other engine is `bitcoinkernel`, and there are as many as one has time for.

#[path = "../../tests/differential/mod.rs"]
mod differential;
mod kernel;
mod progress;
#[path = "../../tests/random/mod.rs"]
mod random;

use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};

use differential::flag_sets::COMPARED_SETS;
use differential::run::Run;
use differential::summary::Summary;
use progress::follow;

/// Executions from which on something is wrong if not all was reached that can be.
const ENOUGH: u64 = 1_000_000;

/// Compares the script engine with Bitcoin Core's on random spends.
#[derive(Parser)]
struct Arguments {
    /// How many executions there are: each case is verified under two sets of flags.
    #[arg(long, default_value_t = 10_000_000)]
    count: u64,
    /// The number of the first case; each number is always the same case.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many threads work; all that the machine has unless given.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => thread::available_parallelism()?,
    };
    let cases = arguments.count.div_ceil(COMPARED_SETS);
    let run = Run::new(arguments.seed..arguments.seed.saturating_add(cases));
    for signal in [SIGINT, SIGTERM] {
        // The first asks for an end with a summary, the second does not wait for it.
        signal_hook::flag::register_conditional_shutdown(signal, 1, run.stop())?;
        signal_hook::flag::register(signal, run.stop())?;
    }

    let summary = thread::scope(|scope| {
        let verifying = scope.spawn(|| run.verify(kernel::verdicts, threads));
        follow(&run, cases, || verifying.is_finished());
        verifying.join().expect("the engines do not panic")
    });
    println!("{summary}");
    Ok(conclude(&summary, cases))
}

/// Says what is wrong, if anything, with a run that was to have so many cases.
fn conclude(summary: &Summary, cases: u64) -> ExitCode {
    for objection in &summary.objections {
        eprintln!("{objection}");
    }
    if summary.objection_count > 0 {
        let count = summary.objection_count;
        eprintln!(
            "{count} disagreements, of which at most {} are shown",
            summary.objections.len()
        );
        return ExitCode::FAILURE;
    }
    if summary.cases < cases {
        eprintln!("ended early");
        return ExitCode::FAILURE;
    }
    let gaps = [summary.gaps(), summary.opcode_gaps()].concat();
    if summary.executions >= ENOUGH && !gaps.is_empty() {
        eprintln!("not reached:\n  {}", gaps.join("\n  "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
