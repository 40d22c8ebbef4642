//! A database is built anew: whole, damaged, and cut off anywhere.

use std::path::PathBuf;

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_storage::schema::Coins;
use pyrite_storage::{CHAIN_SCHEMA, Database};

use super::*;
use crate::test_chain;

const BLOCKS: u32 = 60;

struct Fixture {
    directory: tempfile::TempDir,
    data_dir: DataDir,
    tip: BlockHash,
    coins: usize,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(directory.path().to_owned(), "regtest");
        data_dir.create().unwrap();
        let chain = test_chain::open(&data_dir.database());
        test_chain::extend(&chain, BLOCKS, 1);
        let tip = chain.reader.tip().hash;
        chain.shutdown().unwrap();
        let coins = coins(&data_dir.database());
        Self {
            directory,
            data_dir,
            tip,
            coins,
        }
    }

    fn prepare(&self, asked: Reindex) -> Result<(), NodeError> {
        self.prepare_with(asked, &StopHandle::new())
    }

    fn prepare_with(&self, asked: Reindex, stop: &StopHandle) -> Result<(), NodeError> {
        let config = test_chain::config(&self.data_dir.database());
        prepare(&self.data_dir, asked, &config, stop)
    }

    fn assert_is_whole(&self) {
        let chain = test_chain::open(&self.data_dir.database());
        assert_eq!(chain.reader.tip().hash, self.tip);
        chain.shutdown().unwrap();
        assert_eq!(coins(&self.data_dir.database()), self.coins);
        assert!(!self.data_dir.new_database().exists());
        assert!(!self.data_dir.old_database().exists());
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        std::fs::read_dir(self.data_dir.database())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|found| found == extension))
            .collect()
    }
}

fn coins(path: &Path) -> usize {
    let spec = ChainSpec::regtest();
    let database = Database::open(path, &CHAIN_SCHEMA, &spec.name, spec.genesis_hash()).unwrap();
    database.scan::<Coins>().map(Result::unwrap).count()
}

#[test]
fn a_whole_database_is_built_anew() {
    let fixture = Fixture::new();
    let indexes = fixture.data_dir.indexes();
    std::fs::create_dir(&indexes).unwrap();
    fixture.prepare(Reindex::All).unwrap();
    assert!(!indexes.exists(), "they are derived, too");
    fixture.assert_is_whole();
    // Nothing is done when nothing is asked for.
    let manifest = fixture.files("log");
    fixture.prepare(Reindex::Nothing).unwrap();
    assert_eq!(fixture.files("log"), manifest);
    fixture.prepare(Reindex::Coins).unwrap();
    fixture.assert_is_whole();
}

#[test]
fn a_database_without_its_list_of_files_is_built_anew() {
    for lost in ["CURRENT", "MANIFEST"] {
        let fixture = Fixture::new();
        for entry in std::fs::read_dir(fixture.data_dir.database()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(lost) {
                std::fs::write(&path, b"nonsense\n").unwrap();
            }
        }
        fixture.prepare(Reindex::All).unwrap();
        fixture.assert_is_whole();
    }
}

#[test]
fn every_file_may_be_damaged_and_what_is_read_is_right() {
    let whole = Fixture::new();
    for file in whole.files("sst") {
        let fixture = Fixture::new();
        let names: Vec<_> = fixture.files("sst");
        let name = file.file_name().unwrap();
        let Some(path) = names.iter().find(|path| path.file_name() == Some(name)) else {
            continue;
        };
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x10;
        std::fs::write(path, bytes).unwrap();
        match fixture.prepare(Reindex::All) {
            Ok(()) => {
                let chain = test_chain::open(&fixture.data_dir.database());
                assert!(chain.reader.best_header().height.0 <= BLOCKS);
                chain.shutdown().unwrap();
            }
            Err(NodeError::Lost { detail, .. }) => assert!(!detail.is_empty()),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn what_was_interrupted_goes_on_at_the_next_start() {
    let fixture = Fixture::new();
    let stop = StopHandle::new();
    stop.stop();
    let error = fixture.prepare_with(Reindex::All, &stop).unwrap_err();
    assert!(matches!(error, NodeError::Interrupted { .. }), "{error}");
    assert!(fixture.data_dir.new_database().exists());
    fixture.prepare(Reindex::Nothing).unwrap();
    fixture.assert_is_whole();
}

#[test]
fn a_kill_between_the_renames_is_made_good() {
    let fixture = Fixture::new();
    let (current, new, old) = (
        fixture.data_dir.database(),
        fixture.data_dir.new_database(),
        fixture.data_dir.old_database(),
    );
    // Both names are taken: the new one waits for its own.
    std::fs::rename(&current, &new).unwrap();
    std::fs::create_dir(&old).unwrap();
    fixture.prepare(Reindex::Nothing).unwrap();
    fixture.assert_is_whole();
    // It has it, and the old one is still to be deleted.
    std::fs::create_dir(&old).unwrap();
    fixture.prepare(Reindex::Nothing).unwrap();
    fixture.assert_is_whole();
    // Somebody moved the old one aside.
    std::fs::rename(&current, &new).unwrap();
    fixture.prepare(Reindex::Nothing).unwrap();
    fixture.assert_is_whole();
}

#[test]
fn nothing_to_read_is_said_with_what_remains() {
    let fixture = Fixture::new();
    for extension in ["sst", "blob", "log"] {
        for path in fixture.files(extension) {
            std::fs::write(path, b"").unwrap();
        }
    }
    std::fs::write(fixture.data_dir.database().join("CURRENT"), b"x").unwrap();
    let error = fixture.prepare(Reindex::All).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, NodeError::Lost { .. }), "{text}");
    assert!(text.contains("move this directory aside"), "{text}");
    assert!(!fixture.data_dir.new_database().exists());
    let empty = DataDir::new(fixture.directory.path().to_owned(), "empty");
    empty.create().unwrap();
    let config = test_chain::config(&empty.database());
    prepare(&empty, Reindex::All, &config, &StopHandle::new()).unwrap();
}
