//! `pyrite import`: blocks from a file into a data directory that no node is using.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use pyrite_chain::{Chain, ChainConfig, Clock};
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_node::{DataDir, db_cache_bytes, default_data_dir, import_block_file, load_chain_spec};

use crate::progress::ProgressLine;

/// Arguments of `pyrite import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The chain: pyrite, regtest, mainnet, or the path of a chain spec
    #[arg(
        long,
        value_name = "SPEC",
        default_value = "pyrite",
        env = "PYRITE_CHAIN"
    )]
    chain: String,
    /// The data directory; no node may be using it [default: ~/.pyrite]
    #[arg(long, value_name = "DIR", env = "PYRITE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Bound of the coins in memory, in MiB [default: 450]
    #[arg(long, value_name = "MIB", env = "PYRITE_DB_CACHE")]
    db_cache: Option<usize>,
    /// A block of the files that is known to be valid: scripts are not verified up to it
    #[arg(long, value_name = "HASH", env = "PYRITE_ASSUME_VALID")]
    assume_valid: Option<BlockHash>,
    /// The files: magic, length and block, one after the other, as in Bitcoin's block files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Imports every file, in order, and reports.
pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    let spec = Arc::new(load_chain_spec(&args.chain)?);
    let root = match &args.data_dir {
        Some(root) => root.clone(),
        None => default_data_dir()?,
    };
    let data_dir = DataDir::new(root, &spec.name);
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
    let mut outcome = Ok(());
    for file in &args.files {
        let mut line = ProgressLine::new();
        match import_block_file(&spec, &chain.handle, file, |done, of| {
            let percent = done.saturating_mul(100) / of;
            line.show(|| format!("importing: {percent} % of {} MB", of / 1_000_000));
        }) {
            Ok(report) => {
                line.clear();
                println!(
                    "{}: {} blocks imported, {} known already",
                    file.display(),
                    report.imported,
                    report.known
                );
            }
            Err(error) => {
                line.clear();
                outcome = Err(error);
                break;
            }
        }
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
    Ok(outcome?)
}
