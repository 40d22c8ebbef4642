//! The file with the fee estimates: read at the start, written every hour and at the end, whole or not at
//! all. Without it, or with one that can't be used, the node learns anew.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pyrite_chain::Clock;
use pyrite_mempool::{EstimatesError, MempoolHandle, SavedEstimates};

/// How often the file is written.
const SAVE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Estimates that are older than this, in seconds, are of another market (Bitcoin Core's `MAX_FILE_AGE`).
const MAX_AGE_S: u64 = 60 * 60 * 60;

/// What to do with estimates that are old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleEstimates {
    /// They are not used.
    Ignore,
    /// They are used all the same.
    Accept,
}

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeeFileError {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Read(#[from] io::Error),
    /// It does not hold estimates that can be used.
    #[error(transparent)]
    Estimates(#[from] EstimatesError),
    /// It was written too long ago.
    #[error(
        "it was written {} hours ago, and {} are the most; --accept-stale-fee-estimates uses it all the same",
        age_s / 3600,
        MAX_AGE_S / 3600
    )]
    Stale {
        /// How long ago, in seconds.
        age_s: u64,
    },
}

/// The file, and the mempool whose estimates it keeps.
#[derive(Clone, Debug)]
pub(crate) struct FeeEstimatesFile {
    path: PathBuf,
    mempool: MempoolHandle,
    clock: Clock,
}

impl FeeEstimatesFile {
    pub(crate) fn new(path: PathBuf, mempool: MempoolHandle, clock: Clock) -> Self {
        Self {
            path,
            mempool,
            clock,
        }
    }

    /// Gives the file's estimates to the mempool. A file that can't be used is named in the log, and
    /// written anew later. Blocking.
    pub(crate) fn load(&self, stale: StaleEstimates) {
        let path = self.path.display();
        match self.try_load(stale) {
            Ok(true) => tracing::debug!(%path, "fee estimates are read"),
            Ok(false) => tracing::debug!(%path, "there are no fee estimates yet"),
            Err(reason) => {
                tracing::warn!(%path, %reason, "the file of fee estimates is not used");
            }
        }
    }

    /// Whether there is a file.
    fn try_load(&self, stale: StaleEstimates) -> Result<bool, FeeFileError> {
        let Some(bytes) = read_bounded(&self.path)? else {
            return Ok(false);
        };
        let saved = SavedEstimates::decode(&bytes)?;
        let age_s = self.clock.now().saturating_sub(saved.saved_at);
        if age_s > MAX_AGE_S && stale == StaleEstimates::Ignore {
            return Err(FeeFileError::Stale { age_s });
        }
        self.mempool.restore_fee_estimates(saved.estimator)?;
        Ok(true)
    }

    /// Writes the file every hour, until the task is dropped.
    pub(crate) async fn save_hourly(self) {
        loop {
            tokio::time::sleep(SAVE_INTERVAL).await;
            let file = self.clone();
            if tokio::task::spawn_blocking(move || file.save())
                .await
                .is_err()
            {
                tracing::error!("saving the fee estimates failed");
            }
        }
    }

    /// Writes the file for the last time. Blocking.
    pub(crate) fn save_last(&self) {
        self.mempool.finish_fee_estimates();
        self.save();
    }

    fn save(&self) {
        let bytes = self.mempool.encode_fee_estimates(self.clock.now());
        if let Err(error) = write_whole(&self.path, &bytes) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "the fee estimates can't be saved");
        }
    }
}

/// The file's bytes, and one more than it should have if it is too long; `None` without a file.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let most = SavedEstimates::encoded_length() + 1;
    let mut bytes = Vec::with_capacity(most);
    file.take(u64::try_from(most).unwrap_or(u64::MAX))
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a file beside the old one and puts it in its place when it is on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("dat.new");
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests;
