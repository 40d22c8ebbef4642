//! Builds the database anew from the blocks that are stored: the way back from a damaged one.
//!
//! The new database grows beside the old one and takes its place when it is whole, so that a kill at any
//! instant leaves one or the other. What was begun goes on at the next start, asked for or not: the old
//! database was not trusted any more.

mod source;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use pyrite_chain::{Chain, ChainConfig, ChainError, SubmitError, rebuild_coins};

use crate::{DataDir, NodeError, Reindex, StopHandle};
use source::Source;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Headers that are submitted at once.
const HEADERS_AT_ONCE: usize = 2_000;
/// Blocks that may wait for the chain's verdict.
const MAX_QUEUED: usize = 64;

/// Does what was asked for, and what an earlier start left undone, before the chain is opened.
///
/// # Errors
/// Nothing can be read of the old database, the machine failed, or somebody asked for the end.
pub(crate) fn prepare(
    data_dir: &DataDir,
    asked: Reindex,
    config: &ChainConfig,
    stop: &StopHandle,
) -> Result<(), NodeError> {
    finish_swap(data_dir)?;
    let was_begun = data_dir.new_database().exists();
    match asked {
        Reindex::All => {}
        _ if was_begun => tracing::warn!("an earlier --reindex was interrupted: it goes on"),
        Reindex::Nothing => return Ok(()),
        Reindex::Coins => return rebuild(config, stop),
    }
    if !data_dir.database().exists() {
        if was_begun {
            tracing::warn!("the database is gone: taking what was reindexed of it");
            return rename(&data_dir.new_database(), &data_dir.database());
        }
        tracing::info!("there is nothing to reindex");
        return Ok(());
    }
    match reindex(data_dir, config, stop) {
        Err(NodeError::Chain { path, source })
            if path == data_dir.new_database() && source.is_damage() =>
        {
            tracing::warn!(error = %source, "what an earlier --reindex left is damaged: starting over");
            remove(&path)?;
            reindex(data_dir, config, stop)
        }
        result => result,
    }
}

/// Brings to its end what a kill cut off between two names.
fn finish_swap(data_dir: &DataDir) -> Result<(), NodeError> {
    let (current, new) = (data_dir.database(), data_dir.new_database());
    let old = data_dir.old_database();
    if !old.exists() {
        return Ok(());
    }
    if !current.exists() && new.exists() {
        rename(&new, &current)?;
    }
    if current.exists() {
        tracing::info!("removing the database that --reindex replaced");
        remove(&old)?;
    }
    Ok(())
}

/// Fills a new database, and puts it in the place of the old one.
fn reindex(data_dir: &DataDir, config: &ChainConfig, stop: &StopHandle) -> Result<(), NodeError> {
    let new = data_dir.new_database();
    // From here on the next start goes on with this, whatever is done to the old database.
    fs::create_dir_all(&new).map_err(|source| NodeError::DataDir {
        path: new.clone(),
        source,
    })?;
    let source = match Source::open(&data_dir.database(), &config.spec, stop) {
        Ok(source) => source,
        Err(error) => {
            // Nothing was done: without --reindex, the node shall say what is wrong with the database.
            if !matches!(error, NodeError::Interrupted { .. }) {
                // An error of its own would hide the first.
                let _ = fs::remove_dir(&new);
            }
            return Err(error);
        }
    };
    let chain_error = |source| NodeError::Chain {
        path: new.clone(),
        source,
    };
    let chain = Chain::open(ChainConfig {
        path: new.clone(),
        ..config.clone()
    })
    .map_err(chain_error)?;
    let outcome = fill(&chain, &source, stop);
    drop(source);
    let tip = chain.reader.tip();
    let closed = chain.shutdown();
    let flow = outcome.map_err(chain_error)?;
    closed.map_err(chain_error)?;
    if flow.is_break() {
        return Err(NodeError::Interrupted { work: "reindexing" });
    }
    if data_dir.indexes().exists() {
        remove(&data_dir.indexes())?;
    }
    rename(&data_dir.database(), &data_dir.old_database())?;
    rename(&new, &data_dir.database())?;
    remove(&data_dir.old_database())?;
    tracing::info!(height = %tip.height, hash = %tip.hash, "reindexed");
    Ok(())
}

/// Submits the headers, then the blocks in the order of their heights.
fn fill(chain: &Chain, source: &Source, stop: &StopHandle) -> Result<ControlFlow<()>, ChainError> {
    for headers in source.headers().chunks(HEADERS_AT_ONCE) {
        let refused = chain.handle.submit_headers(headers.to_vec());
        if let Err(error) = judged(refused)? {
            tracing::debug!(%error, "a stored header is refused");
            for header in headers {
                let verdict = chain.handle.submit_headers(vec![*header]);
                if let Err(error) = judged(verdict)? {
                    tracing::warn!(hash = %header.block_hash(), %error, "a stored header is refused");
                }
            }
        }
    }
    let blocks = source.blocks();
    let mut progress = Progress::new("reindexing");
    let mut queued = std::collections::VecDeque::new();
    let mut unreadable = 0_u64;
    for (done, hash) in blocks.iter().enumerate() {
        if stop.flow().is_break() {
            break;
        }
        progress.tell(done, blocks.len());
        if chain.reader.has_block(hash) {
            continue;
        }
        let block = match source.block(hash) {
            Ok(block) => block,
            Err(reason) => {
                unreadable += 1;
                tracing::warn!(%hash, reason, "a stored block can't be read");
                continue;
            }
        };
        if queued.len() >= MAX_QUEUED
            && let Some((hash, verdict)) = queued.pop_front()
        {
            settle(hash, verdict)?;
        }
        match judged(chain.handle.queue_stored_block(block))? {
            Ok(verdict) => queued.push_back((*hash, verdict)),
            Err(error) => tracing::warn!(%hash, %error, "a stored block is refused"),
        }
    }
    for (hash, verdict) in queued {
        settle(hash, verdict)?;
    }
    if unreadable + source.damaged_places() > 0 {
        tracing::warn!(
            places = source.damaged_places(),
            blocks = unreadable,
            "damaged places and blocks could not be read: peers are asked for what is missing"
        );
    }
    Ok(stop.flow())
}

fn settle(
    hash: pyrite_consensus::bitcoin::BlockHash,
    verdict: pyrite_chain::Pending<pyrite_chain::Submitted>,
) -> Result<(), ChainError> {
    if let Err(error) = judged(verdict.wait())? {
        tracing::warn!(%hash, %error, "a stored block is refused");
    }
    Ok(())
}

/// Tells a failure of the machine from a verdict.
fn judged<T>(result: Result<T, SubmitError>) -> Result<Result<T, SubmitError>, ChainError> {
    match result {
        Err(SubmitError::Machine(error)) => Err(error),
        Err(SubmitError::Stopped) => Err(ChainError::Closed),
        verdict => Ok(verdict),
    }
}

/// Builds the coins anew.
fn rebuild(config: &ChainConfig, stop: &StopHandle) -> Result<(), NodeError> {
    let mut progress = Progress::new("rebuilding the coins");
    let result = rebuild_coins(config.clone(), &mut |tip, target| {
        progress.tell(tip.0 as usize, target.0 as usize);
        stop.flow()
    });
    match result {
        Ok(ControlFlow::Continue(())) => Ok(()),
        Ok(ControlFlow::Break(())) => Err(NodeError::Interrupted {
            work: "rebuilding the coins",
        }),
        Err(source) => Err(NodeError::Chain {
            path: config.path.clone(),
            source,
        }),
    }
}

/// Tells the log how far long work is.
struct Progress {
    work: &'static str,
    start: Instant,
    told: Instant,
    /// What was told last, for the speed since.
    before: usize,
}

impl Progress {
    fn new(work: &'static str) -> Self {
        let now = Instant::now();
        Self {
            work,
            start: now,
            told: now,
            before: 0,
        }
    }

    fn tell(&mut self, done: usize, total: usize) {
        let seconds = self.told.elapsed().as_secs_f64();
        if self.told.elapsed() < TELL_EVERY {
            return;
        }
        let speed = done.saturating_sub(self.before) as f64 / seconds;
        let left = total.saturating_sub(done) as f64 / speed.max(0.1);
        tracing::info!(
            percent = done * 100 / total.max(1),
            blocks = done,
            of = total,
            blocks_per_s = speed.round(),
            seconds_left = left.round(),
            seconds = self.start.elapsed().as_secs(),
            "{}",
            self.work
        );
        self.told = Instant::now();
        self.before = done;
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), NodeError> {
    fs::rename(from, to)
        .and_then(|()| match to.parent() {
            // The name must be on the disk before something else is deleted.
            Some(parent) => fs::File::open(parent)?.sync_all(),
            None => Ok(()),
        })
        .map_err(|source| NodeError::DataDir {
            path: from.to_owned(),
            source,
        })
}

fn remove(path: &Path) -> Result<(), NodeError> {
    fs::remove_dir_all(path).map_err(|source| NodeError::DataDir {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
