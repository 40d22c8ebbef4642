use pyrite_chain::Chain;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_mempool::{EstimateMode, FeeEstimator, FeeRate, MempoolConfig};

use super::*;
use crate::test_chain;

const NOW: u64 = 1_700_000_000;

/// A node's mempool on a chain of thirty blocks, and its file.
struct Fixture {
    _chain: Chain,
    mempool: MempoolHandle,
    path: PathBuf,
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chain = test_chain::open(&directory.path().join("database"));
        test_chain::extend(&chain, 30, 0);
        let clock = Clock::new(|| NOW);
        let mempool = MempoolHandle::new(chain.reader.clone(), clock, MempoolConfig::default());
        Self {
            _chain: chain,
            mempool,
            path: directory.path().join("fee_estimates.dat"),
            directory,
        }
    }

    fn file_at(&self, now: u64) -> FeeEstimatesFile {
        FeeEstimatesFile::new(
            self.path.clone(),
            self.mempool.clone(),
            Clock::new(move || now),
        )
    }

    fn estimate(&self) -> Option<FeeRate> {
        self.mempool
            .estimate_smart_fee(6, EstimateMode::Economical)
            .rate
    }
}

/// What an estimator learned from a payment in each block up to `height`.
fn learned(height: u32) -> FeeEstimator {
    let mut estimator = FeeEstimator::new(Height(0));
    for height in 1..=height {
        let txid = Txid::hash(&height.to_le_bytes());
        estimator.transaction_added(txid, estimator.best_height(), FeeRate(4_321));
        estimator.block_connected(Height(height), &[txid]);
    }
    estimator
}

#[test]
fn a_restart_keeps_the_estimates() {
    let fixture = Fixture::new();
    let file = fixture.file_at(NOW);
    // There is none yet.
    assert!(!file.try_load(StaleEstimates::Ignore).unwrap());
    assert_eq!(fixture.estimate(), None);
    fs::write(&fixture.path, learned(30).encode(NOW)).unwrap();
    assert!(file.try_load(StaleEstimates::Ignore).unwrap());
    assert_eq!(fixture.estimate(), Some(FeeRate(4_321)));
    file.save_last();

    let restarted = Fixture::new();
    fs::copy(&fixture.path, &restarted.path).unwrap();
    restarted.file_at(NOW).load(StaleEstimates::Ignore);
    assert_eq!(restarted.estimate(), Some(FeeRate(4_321)));
    // Nothing but the file and the database is there.
    assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 2);
}

#[test]
fn old_estimates_are_used_only_if_that_is_asked_for() {
    let fixture = Fixture::new();
    fs::write(&fixture.path, learned(30).encode(NOW)).unwrap();
    let late = fixture.file_at(NOW + MAX_AGE_S + 1);
    let error = late.try_load(StaleEstimates::Ignore).unwrap_err();
    assert!(matches!(error, FeeFileError::Stale { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("60 hours ago"), "{message}");
    assert_eq!(fixture.estimate(), None);
    assert!(late.try_load(StaleEstimates::Accept).unwrap());
    assert_eq!(fixture.estimate(), Some(FeeRate(4_321)));
    let in_time = fixture.file_at(NOW + MAX_AGE_S);
    assert!(in_time.try_load(StaleEstimates::Ignore).unwrap());
    // A clock that was set back does no harm.
    let early = fixture.file_at(NOW - 1);
    assert!(early.try_load(StaleEstimates::Ignore).unwrap());
}

#[test]
fn a_file_that_cannot_be_used_is_ignored() {
    let fixture = Fixture::new();
    let file = fixture.file_at(NOW);
    let good = learned(30).encode(NOW);
    let damaged = [&good[..1_000], &[good[1_000] ^ 1], &good[1_001..]].concat();
    let longer = [&good[..], &vec![0; 1 << 20]].concat();
    for (bytes, reason) in [
        (damaged, "its checksum is wrong: it is damaged"),
        (longer, "bytes instead of"),
        (b"something else".to_vec(), "it does not hold fee estimates"),
        (
            learned(31).encode(NOW),
            "it is of block 31, and the chain ends at 30",
        ),
    ] {
        fs::write(&fixture.path, bytes).unwrap();
        let message = file
            .try_load(StaleEstimates::Ignore)
            .unwrap_err()
            .to_string();
        assert!(message.contains(reason), "{message}");
        file.load(StaleEstimates::Ignore);
        assert_eq!(fixture.estimate(), None);
    }
    // It is written anew.
    file.save_last();
    assert!(file.try_load(StaleEstimates::Ignore).unwrap());
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let fixture = Fixture::new();
    // A directory is in its place.
    fs::create_dir(&fixture.path).unwrap();
    fixture.file_at(NOW).save_last();
    assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 2);
    assert!(fixture.path.is_dir());
}
