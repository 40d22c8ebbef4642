//! `pyrite db check`: is the database whole?

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use pyrite_chain::{
    Chain, ChainConfig, ChainError, Clock, Verification, VerifyLevel, VerifyOptions, check_files,
};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::coin_stats::{CoinStats, CoinStatsBuilder, HashKind};
use pyrite_index::{Comparison, IndexKind, check as check_index};
use pyrite_node::{DataDir, db_cache_bytes};

use super::replay::replay;
use crate::data_args::DataArgs;
use crate::progress::ProgressLine;

/// What is left when a database is damaged.
const WAY_BACK: &str = "start the node with --reindex to build the database anew from its blocks";

/// Arguments of `pyrite db check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    data: DataArgs,
    /// How thoroughly blocks are verified, as by verifychain: 0 reads them, 1 checks them, 2 reads what
    /// they spent, 3 disconnects them in memory, 4 connects them again with their scripts
    #[arg(long, value_name = "LEVEL", default_value_t = 2, value_parser = clap::value_parser!(i32).range(0..=4))]
    level: i32,
    /// Verify so many blocks below the tip [default: all]
    #[arg(long, value_name = "N")]
    blocks: Option<u32>,
    /// Build each index that is there anew, in a temporary folder, and compare; takes as much room
    #[arg(long)]
    indexes: bool,
    /// Connect all blocks to a new, temporary database as well, without their scripts, and compare the
    /// coins; takes as much room as the database
    #[arg(long)]
    replay: bool,
}

pub(super) fn check(args: &CheckArgs) -> Result<()> {
    let (spec, data_dir) = args.data.resolve()?;
    let path = data_dir.database();
    if !path.is_dir() {
        bail!("{}: there is no database", path.display());
    }
    check_database(args, &spec, &data_dir).map_err(|error| {
        let error = error.context(path.display().to_string());
        if is_damage(&error) {
            anyhow!("{}; {WAY_BACK}", crate::one_line(&error))
        } else {
            error
        }
    })
}

/// Whether the database is damaged, and not just out of reach.
fn is_damage(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(ChainError::is_damage)
}

fn check_database(args: &CheckArgs, spec: &Arc<ChainSpec>, data_dir: &DataDir) -> Result<()> {
    let path = data_dir.database();
    let mut line = ProgressLine::new();
    let counts = check_files(spec, &path, &mut |count| {
        line.show(|| format!("reading: {} {}", count.records, count.name));
    });
    line.clear();
    for count in counts? {
        println!("table {}: {} records, whole", count.name, count.records);
    }

    let chain = Chain::open(ChainConfig {
        spec: Arc::clone(spec),
        path,
        script_threads: std::thread::available_parallelism().map_or(1, usize::from),
        coins_cache_bytes: db_cache_bytes(None)?,
        assume_valid: None,
        clock: Clock::system(),
    })?;
    verify_blocks(args, &chain)?;
    let coins = coin_stats(&chain)?;
    let hash = coins.hash.map(|hash| hash.to_string()).unwrap_or_default();
    println!("coins: {}, muhash {hash}", coins.outputs);
    if args.indexes {
        compare_indexes(&chain, &data_dir.indexes())?;
    }
    if args.replay {
        let directory = data_dir.chain().join("replay");
        let again = replay(spec, &chain, &directory)?;
        if again != coins {
            bail!(
                "the coins are not those of a replay, which has {}, muhash {}; {WAY_BACK}",
                again.outputs,
                again.hash.map(|hash| hash.to_string()).unwrap_or_default()
            );
        }
        println!("coins: those of a replay of the chain");
    }
    let tip = chain.reader.tip();
    chain.shutdown()?;
    println!(
        "chain {}: height {}, best block {}",
        spec.name, tip.height, tip.hash
    );
    Ok(())
}

fn verify_blocks(args: &CheckArgs, chain: &Chain) -> Result<()> {
    let options = VerifyOptions {
        level: VerifyLevel::from_number(args.level),
        blocks: args.blocks,
    };
    match chain.handle.verify_chain(options, &|| false)? {
        Verification::Passed => {
            let height = chain.reader.tip().height.0;
            let blocks = args.blocks.map_or(height, |blocks| blocks.min(height));
            println!(
                "blocks: the last {blocks} are whole at level {}",
                args.level
            );
            Ok(())
        }
        Verification::Failed {
            hash,
            height,
            detail,
        } => bail!("block {hash} at height {height}: {detail}; {WAY_BACK}"),
        Verification::TooManyCoins => bail!(
            "level {} disconnects too many blocks to hold their coins in memory: give fewer with --blocks",
            args.level
        ),
        Verification::Pruned => {
            println!(
                "blocks: those that were not pruned are whole at level {}",
                args.level
            );
            Ok(())
        }
        Verification::Interrupted => bail!("interrupted"),
    }
}

fn compare_indexes(chain: &Chain, directory: &Path) -> Result<()> {
    for kind in IndexKind::ALL {
        let name = kind.option();
        let found = check_index(kind, directory, &chain.reader).with_context(|| {
            let folder = directory.join(name);
            format!("delete {} to have it built anew", folder.display())
        })?;
        if let Some(Comparison { height, records }) = found {
            println!("index {name}: {records} records up to height {height}, as if built anew");
        }
    }
    Ok(())
}

/// Figures and MuHash of all coins.
pub(super) fn coin_stats(chain: &Chain) -> Result<CoinStats> {
    let mut builder = CoinStatsBuilder::new(HashKind::MuHash);
    chain.handle.scan_coins(|outpoint, coin| {
        builder.add(outpoint, coin);
        ControlFlow::Continue(())
    })?;
    Ok(builder.finish())
}
