//! `pyrite import`: blocks from files into a data directory that no node is using.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_chain::{Chain, ChainConfig, Clock};
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_node::{ImportEnd, db_cache_bytes, import_block_files, import_headers_up_to};

use crate::data_args::DataArgs;
use crate::interrupt::Interrupt;
use crate::progress::{Amount, ProgressBar};

/// Arguments of `pyrite import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Bound of the coins in memory, in MiB [default: 450]
    #[arg(long, value_name = "MIB", env = "PYRITE_DB_CACHE")]
    db_cache: Option<usize>,
    /// A block of the files that is known to be valid: scripts are not verified up to it
    #[arg(long, value_name = "HASH", env = "PYRITE_ASSUME_VALID")]
    assume_valid: Option<BlockHash>,
    /// The files: magic, length and block, one after the other, as in Bitcoin's block files. A directory stands
    /// for the files blk*.dat in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Imports the files, and reports.
pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    let interrupt = Interrupt::watch()?;
    let (spec, data_dir) = args.data.resolve()?;
    data_dir.create()?;
    let path = data_dir.database();
    let chain = Chain::open(ChainConfig {
        spec: Arc::clone(&spec),
        path: path.clone(),
        script_threads: std::thread::available_parallelism().map_or(1, usize::from),
        coins_cache_bytes: db_cache_bytes(args.db_cache)?,
        assume_valid: args.assume_valid,
        clock: Clock::system(),
    })
    .with_context(|| path.display().to_string())?;
    if let Some(hash) = &args.assume_valid
        && !import_headers_up_to(&spec, &chain.handle, &chain.reader, &args.files, hash)?
    {
        eprintln!(
            "block {hash}, which is assumed to be valid, is not in the files: all scripts are verified"
        );
    }
    let mut bar = ProgressBar::new("importing");
    let outcome = import_block_files(
        &spec,
        &chain.handle,
        &chain.reader,
        &args.files,
        &mut |progress| {
            bar.show(Amount {
                done: progress.done_bytes,
                total: progress.total_bytes,
                blocks: progress.blocks,
            });
            interrupt.flow()
        },
    );
    bar.clear();
    if let Ok(report) = &outcome {
        println!(
            "{}: {} blocks imported, {} known already",
            name_of(&args.files),
            report.imported,
            report.known
        );
    }
    let tip = chain.reader.tip();
    // Also after a refused block: what came before it is kept.
    chain
        .shutdown()
        .with_context(|| path.display().to_string())?;
    println!(
        "chain {}: height {}, best block {}",
        spec.name, tip.height, tip.hash
    );
    match outcome?.end {
        ImportEnd::Complete => Ok(()),
        ImportEnd::Interrupted => {
            bail!("interrupted: what was imported is kept, and the same command goes on from there")
        }
    }
}

fn name_of(files: &[PathBuf]) -> String {
    match files {
        [file] => file.display().to_string(),
        files => format!("{} files", files.len()),
    }
}
