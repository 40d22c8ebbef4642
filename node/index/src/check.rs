//! Compares an index with a fresh build of the same chain.

use std::fs;
use std::path::Path;

use pyrite_chain::{ChainReader, Tip};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use tokio::sync::watch;

use crate::digest::TableDigest;
use crate::follower::{Follower, Stopping, Walk};
use crate::indexes::open_database;
use crate::{IndexError, IndexKind};

/// A comparison that found no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The last block of both.
    pub height: Height,
    /// Records that were compared.
    pub records: u64,
}

/// Brings the index in its folder under `directory` to the chain's tip, as opening it does, builds it afresh
/// in a folder beside it, compares the two, and removes the fresh one. The index must not be open, and the
/// chain must not move meanwhile. `None` when there is no such index.
///
/// # Errors
/// They differ; or one of them can't be read, written or built.
pub fn check(
    kind: IndexKind,
    directory: &Path,
    chain: &ChainReader,
) -> Result<Option<Comparison>, IndexError> {
    let kept = directory.join(kind.option());
    if !kept.is_dir() {
        return Ok(None);
    }
    let fresh = directory.join(format!("{}.check", kind.option()));
    remove(&fresh)?;
    let tip = chain.watch_tip().borrow().clone();
    let result = compare(kind, &kept, &fresh, chain, &tip);
    remove(&fresh)?;
    result.map(Some)
}

fn compare(
    kind: IndexKind,
    kept: &Path,
    fresh: &Path,
    chain: &ChainReader,
    tip: &Tip,
) -> Result<Comparison, IndexError> {
    let blocks: Vec<BlockHash> = (0..=tip.height.0)
        .map(|height| {
            chain.hash_at(Height(height)).ok_or_else(|| {
                IndexError::inconsistent(format!("the best chain has no block at height {height}"))
            })
        })
        .collect::<Result<_, _>>()?;
    let fresh = digests(kind, fresh, chain, tip, &blocks)?;
    let kept = digests(kind, kept, chain, tip, &blocks)?;
    for (fresh, kept) in fresh.iter().zip(&kept) {
        if fresh != kept {
            return Err(IndexError::Differs {
                index: kind,
                table: fresh.table,
            });
        }
    }
    Ok(Comparison {
        height: tip.height,
        records: fresh.iter().map(|table| table.records).sum(),
    })
}

/// What the index in a folder holds at the tip.
fn digests(
    kind: IndexKind,
    path: &Path,
    chain: &ChainReader,
    tip: &Tip,
    blocks: &[BlockHash],
) -> Result<Vec<TableDigest>, IndexError> {
    let database = open_database(kind, path, chain)?;
    let (_stop, told) = watch::channel(Stopping::No);
    let mut follower = Follower::open(kind, database, chain, told)?;
    if let Walk::Waiting(height) = follower.walk_to(tip)? {
        return Err(IndexError::MissingBlock {
            index: kind,
            hash: chain.hash_at(height).unwrap_or(tip.hash),
            height,
        });
    }
    let slot = follower.slot().clone();
    let database = slot.open()?;
    kind.index(chain).digests(&database.snapshot(), blocks)
}

fn remove(path: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(IndexError::Storage(pyrite_storage::StorageError::Io {
                detail: format!("{}: {error}", path.display()),
            }))
        }
        _ => Ok(()),
    }
}
