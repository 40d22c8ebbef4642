//! A log of what was searched, to prove that no work is done twice.
//!
//! Besides the hook for tests, every range is a trace of the target `pyrite_miner::ranges`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::TxMerkleNode;

use crate::{Job, Solution};

/// The target of the traces.
const TARGET: &str = "pyrite_miner::ranges";

/// What one search was asked for: all that its headers have in common, and their nonces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchedRange {
    /// The device.
    pub device: String,
    /// The headers' parent.
    pub previous: BlockHash,
    /// Their merkle root, in which the extranonce is.
    pub merkle_root: TxMerkleNode,
    /// Their time.
    pub time: u32,
    /// Their versions, as the whole field.
    pub versions: Vec<i32>,
    /// Their nonces, the first and the last.
    pub nonces: RangeInclusive<u32>,
}

/// Is told of every search when it has ended.
pub type RangeLog = Arc<dyn Fn(SearchedRange) + Send + Sync>;

/// Takes note of a search, if anybody wants to know.
pub(super) fn note(log: Option<&RangeLog>, device: &str, job: &Job, nonces: RangeInclusive<u32>) {
    if log.is_none() && !tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        return;
    }
    let version = job.version(0);
    let header = job.header(Solution { version, nonce: 0 });
    let range = SearchedRange {
        device: device.to_owned(),
        previous: header.prev_blockhash,
        merkle_root: header.merkle_root,
        time: header.time,
        versions: (0..job.versions())
            .map(|index| job.version(index).to_consensus())
            .collect(),
        nonces,
    };
    tracing::trace!(
        target: TARGET,
        device,
        previous = %range.previous,
        merkle_root = %range.merkle_root,
        time = range.time,
        version = version.to_consensus(),
        versions = job.versions(),
        first = range.nonces.start(),
        last = range.nonces.end(),
        "searched"
    );
    if let Some(log) = log {
        log(range);
    }
}
