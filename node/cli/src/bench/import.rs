//! `pyrite bench import`: how fast a file of blocks is imported, where the time goes, and in how much memory.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_chain::{Chain, ChainConfig, Clock};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_node::{db_cache_bytes, import_block_files, import_headers_up_to, load_chain_spec};
use serde_json::json;

use super::load::{Process, memory};
use crate::progress::{Amount, ProgressBar};

/// Arguments of `pyrite bench import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The chain: pyrite, regtest, mainnet, or the path of a chain spec
    #[arg(long, value_name = "SPEC", default_value = "regtest")]
    chain: String,
    /// Where to make the database; it must not exist, and is removed in the end
    #[arg(long, value_name = "DIR", default_value = "pyrite-bench")]
    dir: PathBuf,
    /// Bound of the coins in memory, in MiB [default: 450]
    #[arg(long, value_name = "MIB")]
    db_cache: Option<usize>,
    /// A block of the file, up to which scripts are not verified
    #[arg(long, value_name = "HASH")]
    assume_valid: Option<BlockHash>,
    /// Threads that verify scripts [default: all processors]
    #[arg(long, value_name = "N")]
    script_threads: Option<usize>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// The file: magic, length and block, one after the other, as in Bitcoin's block files
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What was measured.
struct Figures {
    blocks: u64,
    transactions: u64,
    seconds: f64,
    /// Time in which scripts were verified.
    script_seconds: f64,
    /// The most memory that the process had, in bytes; `None` where the system does not say.
    peak_bytes: Option<u64>,
}

pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    if args.dir.exists() {
        bail!("{}: exists already", args.dir.display());
    }
    let measured = measure(args);
    let removed = std::fs::remove_dir_all(&args.dir);
    let figures = measured?;
    removed.with_context(|| args.dir.display().to_string())?;
    if args.json {
        println!("{}", figures.json());
    } else {
        println!("{}", figures.text());
    }
    Ok(())
}

fn measure(args: &ImportArgs) -> Result<Figures> {
    let spec = Arc::new(load_chain_spec(&args.chain)?);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let chain = Chain::open(ChainConfig {
        spec: Arc::clone(&spec),
        path: args.dir.clone(),
        script_threads: args.script_threads.unwrap_or(processors),
        coins_cache_bytes: db_cache_bytes(args.db_cache)?,
        assume_valid: args.assume_valid,
        clock: Clock::system(),
    })?;
    let reader = chain.reader.clone();
    let mut bar = ProgressBar::new("importing");
    let start = Instant::now();
    let files = std::slice::from_ref(&args.file);
    if let Some(hash) = &args.assume_valid
        && !import_headers_up_to(&spec, &chain.handle, &reader, files, hash)?
    {
        bail!("{}: no block {hash}", args.file.display());
    }
    import_block_files(&spec, &chain.handle, &reader, files, &mut |progress| {
        bar.show(Amount {
            done: progress.done_bytes,
            total: progress.total_bytes,
            blocks: progress.blocks,
        });
        ControlFlow::Continue(())
    })?;
    bar.clear();
    let script_seconds = reader.scripts().time_in_blocks().as_secs_f64();
    let (tip, genesis) = (reader.tip(), reader.hash_at(Height::GENESIS));
    let count = |hash| reader.header(&hash).and_then(|info| info.chain_tx_count);
    let transactions = count(tip.hash).unwrap_or(0) - genesis.and_then(count).unwrap_or(0);
    chain.shutdown()?;
    Ok(Figures {
        blocks: tip.height.0.into(),
        transactions,
        seconds: start.elapsed().as_secs_f64(),
        script_seconds,
        peak_bytes: Process::own().memory(memory::PEAK),
    })
}

impl Figures {
    fn text(&self) -> String {
        let memory = self
            .peak_bytes
            .map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        format!(
            "{} blocks with {} transactions in {:.1} s: {:.0} blocks and {:.0} transactions a second\n\
             verifying scripts: {:.1} s, {:.0} % of the time\n\
             most memory: {memory}",
            self.blocks,
            self.transactions,
            self.seconds,
            self.blocks as f64 / self.seconds,
            self.transactions as f64 / self.seconds,
            self.script_seconds,
            100.0 * self.script_seconds / self.seconds,
        )
    }

    fn json(&self) -> String {
        json!({
            "blocks": self.blocks,
            "transactions": self.transactions,
            "seconds": self.seconds,
            "script_seconds": self.script_seconds,
            "peak_bytes": self.peak_bytes,
        })
        .to_string()
    }
}
