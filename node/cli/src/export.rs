//! `pyrite export`: the best chain of a data directory that no node is using, as a file of blocks.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use pyrite_chain::{Chain, ChainConfig, ChainReader, Clock};
use pyrite_node::{Existing, ExportEnd, export_blocks};

use crate::data_args::DataArgs;
use crate::interrupt::Interrupt;
use crate::progress::{Amount, ProgressBar};

/// Coins are not needed here.
const COINS_CACHE_BYTES: usize = 4 << 20;

/// Arguments of `pyrite export`.
#[derive(Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The height of the first block
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    from: u32,
    /// The height of the last block [default: the tip's]
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u32>,
    /// Write over the file if it is there
    #[arg(long)]
    force: bool,
    /// The file to write: magic, length and block, one after the other, as in Bitcoin's block files
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Exports, and reports.
pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let interrupt = Interrupt::watch()?;
    let (spec, data_dir) = args.data.resolve()?;
    let path = data_dir.database();
    if !path.exists() {
        bail!("{}: no blocks of chain {} here", path.display(), spec.name);
    }
    let chain = Chain::open(ChainConfig {
        spec,
        path: path.clone(),
        script_threads: 1,
        coins_cache_bytes: COINS_CACHE_BYTES,
        assume_valid: None,
        clock: Clock::system(),
    })
    .with_context(|| path.display().to_string())?;
    let outcome = export(args, &chain.reader, &interrupt);
    chain
        .shutdown()
        .with_context(|| path.display().to_string())?;
    match outcome? {
        ExportEnd::Complete { blocks, bytes } => println!(
            "{}: {blocks} blocks, {:.1} MB",
            args.file.display(),
            bytes as f64 / 1e6
        ),
        ExportEnd::Interrupted => bail!("interrupted: nothing was written"),
    }
    Ok(())
}

fn export(args: &ExportArgs, reader: &ChainReader, interrupt: &Interrupt) -> Result<ExportEnd> {
    let to = args.to.unwrap_or_else(|| reader.tip().height.0);
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let mut bar = ProgressBar::new("exporting");
    let outcome = export_blocks(
        reader,
        args.from..=to,
        &args.file,
        existing,
        &mut |done, total| {
            bar.show(Amount {
                done,
                total,
                blocks: done,
            });
            interrupt.flow()
        },
    );
    bar.clear();
    Ok(outcome?)
}
