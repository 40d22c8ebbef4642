//! The mempool over a restart.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{Transaction, Txid};

use super::fixture::{Fixture, NOW, child};
use crate::{
    ImportOptions, MempoolConfig, MempoolFile, MempoolFileError, MempoolHandle, Persistence,
    SaveOutcome, SubmitOptions,
};

struct Restart {
    fixture: Fixture,
    directory: tempfile::TempDir,
}

impl Restart {
    fn new() -> Self {
        Self {
            fixture: Fixture::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mempool.dat")
    }

    fn file(&self, mempool: &MempoolHandle) -> MempoolFile {
        MempoolFile::new(mempool.clone(), self.path(), Persistence::On, [3; 8])
    }

    /// Saves what the node has.
    fn save(&self) {
        let file = self.file(&self.fixture.mempool);
        file.load(&|| false);
        file.save().unwrap();
    }

    /// A mempool of the same chain as it is after a restart.
    fn mempool(&self) -> MempoolHandle {
        self.fixture.empty_mempool(MempoolConfig::default())
    }

    fn submit_aged(&self, tx: &Transaction, age: u64) {
        let options = SubmitOptions {
            max_fee_rate: None,
            time: Some(NOW - age),
        };
        self.fixture
            .mempool
            .submit_with(Arc::new(tx.clone()), options)
            .unwrap();
    }
}

fn ids(mempool: &MempoolHandle) -> Vec<Txid> {
    let snapshot = mempool.snapshot();
    snapshot.entries.iter().map(|entry| entry.txid).collect()
}

#[test]
fn a_restart_finds_what_was_there() {
    let restart = Restart::new();
    let fixture = &restart.fixture;
    // A chain of transactions, the best paid last, and some by themselves.
    let mut link = fixture.spend(0, 1_000);
    restart.submit_aged(&link, 100);
    for fee in 2_000..2_020 {
        link = child(&link, fee);
        restart.submit_aged(&link, 90);
    }
    for number in 1..6 {
        restart.submit_aged(&fixture.spend(number, 500), 80);
    }
    let unknown = fixture.spend(9, 1).compute_txid();
    fixture.mempool.prioritise(unknown, 12);
    fixture.mempool.prioritise(link.compute_txid(), -700);
    restart.save();

    let mempool = restart.mempool();
    let file = restart.file(&mempool);
    assert!(!file.is_loaded());
    let restored = file.load(&|| false);
    assert!(file.is_loaded());
    assert_eq!((restored.succeeded, restored.failed), (26, 0));
    assert_eq!(mempool.prioritised(), fixture.mempool.prioritised());
    let mut expected = ids(&fixture.mempool);
    let mut found = ids(&mempool);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    for txid in found {
        let time = |mempool: &MempoolHandle| mempool.get(&txid).unwrap().time;
        assert_eq!(time(&mempool), time(&fixture.mempool));
    }
    // A second time there is nothing new.
    let again = file
        .import(&restart.path(), ImportOptions::OWN, &|| false)
        .unwrap();
    assert_eq!((again.succeeded, again.already_there), (0, 26));
}

#[test]
fn a_child_pays_for_its_parent_again() {
    let restart = Restart::new();
    let fixture = &restart.fixture;
    let mut parent = fixture.spend(0, 0);
    parent.version = Version::non_standard(3);
    let mut paying = child(&parent, 5_000);
    paying.version = Version::non_standard(3);
    let package = [Arc::new(parent.clone()), Arc::new(paying.clone())];
    let outcome = fixture.mempool.submit_package(&package, None).unwrap();
    assert!(outcome.error.is_none(), "{outcome:?}");
    restart.save();

    let mempool = restart.mempool();
    let restored = restart.file(&mempool).load(&|| false);
    assert_eq!((restored.succeeded, restored.failed), (2, 0));
    assert!(mempool.contains(&parent.compute_txid()) && mempool.contains(&paying.compute_txid()));
}

#[test]
fn what_waited_too_long_and_what_became_invalid_stays_away() {
    let restart = Restart::new();
    let fixture = &restart.fixture;
    let expiry = MempoolConfig::default().expiry_s;
    restart.submit_aged(&fixture.spend(0, 1_000), expiry - 1);
    let confirmed = fixture.spend(1, 1_000);
    restart.submit_aged(&confirmed, 1);
    let rival = fixture.spend(2, 1_000);
    restart.submit_aged(&rival, 1);
    restart.save();
    fixture.mine(&[confirmed, fixture.spend(2, 2_000)]);

    let options = MempoolConfig {
        expiry_s: expiry / 2,
        ..MempoolConfig::default()
    };
    let mempool = fixture.empty_mempool(options);
    let restored = restart.file(&mempool).load(&|| false);
    assert_eq!((restored.expired, restored.failed), (1, 2));
    assert_eq!(mempool.info().size, 0);
}

#[test]
fn options_say_what_of_a_file_counts() {
    let restart = Restart::new();
    let fixture = &restart.fixture;
    let tx = fixture.spend(0, 1_000);
    restart.submit_aged(&tx, 100);
    fixture.mempool.prioritise(tx.compute_txid(), 50);
    fixture
        .mempool
        .prioritise(fixture.spend(1, 1).compute_txid(), 60);
    restart.save();

    let mempool = restart.mempool();
    let options = ImportOptions {
        use_current_time: true,
        apply_fee_deltas: false,
        apply_unbroadcast: false,
    };
    let file = restart.file(&mempool);
    let restored = file.import(&restart.path(), options, &|| false).unwrap();
    assert_eq!(restored.succeeded, 1);
    assert_eq!(mempool.get(&tx.compute_txid()).unwrap().time, NOW);
    assert!(mempool.prioritised().is_empty());
}

#[test]
fn a_damaged_file_counts_as_far_as_it_is_read() {
    let restart = Restart::new();
    for number in 0..3 {
        restart.submit_aged(&restart.fixture.spend(number, 1_000), 1);
    }
    restart.save();
    let bytes = fs::read(restart.path()).unwrap();
    fs::write(restart.path(), &bytes[..bytes.len() - 30]).unwrap();

    let mempool = restart.mempool();
    let file = restart.file(&mempool);
    let error = file
        .import(&restart.path(), ImportOptions::OWN, &|| false)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("mempool.dat: the file ends early"),
        "{error}"
    );
    assert_eq!(mempool.info().size, 2);
    // At the start that is no reason to stop, and the next file is whole.
    file.load(&|| false);
    file.save().unwrap();
    assert_eq!(
        restart.file(&restart.mempool()).load(&|| false).succeeded,
        2
    );
    assert!(matches!(
        file.import(&restart.path().join("no"), ImportOptions::OWN, &|| false),
        Err(MempoolFileError::Io { .. })
    ));
}

#[test]
fn a_file_is_written_only_when_it_was_read_and_something_changed() {
    let restart = Restart::new();
    let fixture = &restart.fixture;
    let file = restart.file(&fixture.mempool);
    assert!(matches!(file.save(), Err(MempoolFileError::NotLoaded)));
    assert_eq!(file.save_changes().unwrap(), SaveOutcome::Nothing);
    file.load(&|| false);
    assert_eq!(file.save_changes().unwrap(), SaveOutcome::Written);
    assert_eq!(file.save_changes().unwrap(), SaveOutcome::Nothing);
    fixture.submit(&fixture.spend(0, 1_000)).unwrap();
    assert_eq!(file.save_changes().unwrap(), SaveOutcome::Written);
    assert!(!restart.directory.path().join("mempool.dat.new").exists());

    // A node that is stopped while it reads leaves the file alone.
    let calls = AtomicUsize::new(0);
    let mempool = restart.mempool();
    let interrupted = restart.file(&mempool);
    interrupted.load(&|| calls.fetch_add(1, Ordering::Relaxed) == 0);
    assert!(!interrupted.is_loaded());
    assert_eq!(interrupted.save_changes().unwrap(), SaveOutcome::Nothing);

    // Where nothing is to be kept, the file is neither read nor written unless someone asks.
    let path = restart.path();
    let off = MempoolFile::new(mempool.clone(), path, Persistence::Off, [3; 8]);
    assert_eq!(off.load(&|| false).succeeded, 0);
    assert!(off.is_loaded());
    assert_eq!(off.save_changes().unwrap(), SaveOutcome::Nothing);
    off.save().unwrap();
    assert_eq!(
        restart.file(&restart.mempool()).load(&|| false).succeeded,
        0
    );
}
