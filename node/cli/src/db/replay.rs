//! Connects the blocks of a chain to a new database.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use pyrite_chain::{Chain, ChainConfig, Clock};
use pyrite_consensus::coin_stats::CoinStats;
use pyrite_consensus::{ChainSpec, Height};
use pyrite_node::db_cache_bytes;

use super::check::coin_stats;
use crate::progress::ProgressLine;

/// Headers that are submitted together.
const HEADERS: usize = 2_000;

/// The figures of the coins of a chain that gets the best chain's blocks and nothing else. Its database is
/// in `directory`, and removed in the end.
pub(super) fn replay(spec: &Arc<ChainSpec>, chain: &Chain, directory: &Path) -> Result<CoinStats> {
    if directory.exists() {
        // What an earlier replay left that was killed.
        std::fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let coins = connect_all(spec, chain, directory);
    let removed = std::fs::remove_dir_all(directory);
    let coins = coins?;
    removed.with_context(|| directory.display().to_string())?;
    Ok(coins)
}

fn connect_all(spec: &Arc<ChainSpec>, chain: &Chain, directory: &Path) -> Result<CoinStats> {
    let tip = chain.reader.tip();
    let copy = Chain::open(ChainConfig {
        spec: Arc::clone(spec),
        path: directory.to_owned(),
        script_threads: 1,
        coins_cache_bytes: db_cache_bytes(None)?,
        // Their scripts were verified when they were connected first.
        assume_valid: Some(tip.hash),
        clock: Clock::system(),
    })?;
    let hash_at = |height| {
        let hash = chain.reader.hash_at(Height(height));
        hash.with_context(|| format!("there is no block at height {height}"))
    };
    let mut headers = Vec::with_capacity(HEADERS);
    for height in 1..=tip.height.0 {
        let hash = hash_at(height)?;
        let info = chain.reader.header(&hash);
        headers.push(
            info.with_context(|| format!("block {hash} has no header"))?
                .header,
        );
        if headers.len() == HEADERS || height == tip.height.0 {
            copy.handle.submit_headers(std::mem::take(&mut headers))?;
        }
    }
    let mut line = ProgressLine::new();
    for height in 1..=tip.height.0 {
        line.show(|| format!("replaying: block {height} of {}", tip.height));
        let hash = hash_at(height)?;
        let Some(block) = chain.reader.block(&hash)? else {
            bail!("block {hash} at height {height} is not stored: its chain can't be replayed");
        };
        copy.handle
            .submit_block(Arc::new(block))
            .with_context(|| format!("block {hash} at height {height}"))?;
    }
    line.clear();
    let coins = coin_stats(&copy)?;
    copy.shutdown()?;
    Ok(coins)
}
