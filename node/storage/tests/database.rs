//! Opening, reading, committing; what is refused, and with which words.

use std::fs;
use std::path::{Path, PathBuf};

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, TxOut, Txid};
use pyrite_consensus::{Coin, Height};
use pyrite_storage::schema::{Blocks, Coins, Heights, Meta, SecondCoins};
use pyrite_storage::{
    CHAIN_SCHEMA, Database, Durability, MetaKey, MetaValue, RawBlock, StorageError, check_database,
};

fn genesis() -> BlockHash {
    BlockHash::from_byte_array([7; 32])
}

fn hash(n: u8) -> BlockHash {
    BlockHash::from_byte_array([n; 32])
}

fn open(path: &Path) -> Database {
    Database::open(path, &CHAIN_SCHEMA, "regtest", genesis()).expect("opens")
}

fn outpoint(n: u32) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([3; 32]),
        vout: n,
    }
}

fn coin(n: u32) -> Coin {
    Coin {
        output: TxOut {
            value: Amount::from_sat(u64::from(n)),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51; 40]),
        },
        height: Height(n),
        is_coinbase: n.is_multiple_of(2),
    }
}

/// Commits coins 0 to `count` and as many heights.
fn fill(database: &Database, count: u32) {
    let mut batch = database.batch();
    for n in 0..count {
        batch.put::<Coins>(&outpoint(n), &coin(n));
        batch.put::<Heights>(&Height(n), &hash(1));
    }
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory)
        .expect("is a directory")
        .map(|entry| entry.expect("is readable").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

#[test]
fn a_batch_is_read_back_and_survives_reopening() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 10);
    assert_eq!(database.get::<Coins>(&outpoint(4)), Ok(Some(coin(4))));
    assert_eq!(database.get::<Coins>(&outpoint(10)), Ok(None));
    drop(database);

    let database = open(directory.path());
    let found = database.multi_get::<Coins>(&[outpoint(9), outpoint(99), outpoint(0)]);
    assert_eq!(found, Ok(vec![Some(coin(9)), None, Some(coin(0))]));
    let heights: Result<Vec<_>, _> = database.scan::<Heights>().collect();
    let heights: Vec<_> = heights
        .expect("scans")
        .into_iter()
        .map(|(height, _)| height.0)
        .collect();
    assert_eq!(heights, (0..10).collect::<Vec<_>>());
}

#[test]
fn heights_are_scanned_in_order_past_a_byte() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 300);
    database.flush().expect("flushes");
    let heights: Result<Vec<_>, _> = database.scan::<Heights>().collect();
    let heights: Vec<_> = heights
        .expect("scans")
        .into_iter()
        .map(|(height, _)| height.0)
        .collect();
    assert_eq!(heights, (0..300).collect::<Vec<_>>());
}

#[test]
fn a_delete_and_a_put_in_one_batch_go_together() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 1);
    let mut batch = database.batch();
    assert!(batch.is_empty());
    batch.delete::<Coins>(&outpoint(0));
    batch.put::<Coins>(&outpoint(1), &coin(1));
    assert!(!batch.is_empty());
    database.commit(batch, Durability::Synced).expect("commits");
    let found = database.multi_get::<Coins>(&[outpoint(0), outpoint(1)]);
    assert_eq!(found, Ok(vec![None, Some(coin(1))]));
}

#[test]
fn a_batch_that_is_not_committed_changes_nothing() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    let mut batch = database.batch();
    batch.put::<Coins>(&outpoint(0), &coin(0));
    drop(batch);
    assert_eq!(database.get::<Coins>(&outpoint(0)), Ok(None));
}

#[test]
fn a_snapshot_does_not_see_later_batches() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 1);
    let snapshot = database.snapshot();
    let mut batch = database.batch();
    batch.delete::<Coins>(&outpoint(0));
    batch.put::<Coins>(&outpoint(1), &coin(1));
    batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(hash(2)));
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");

    assert_eq!(snapshot.get::<Coins>(&outpoint(0)), Ok(Some(coin(0))));
    assert_eq!(snapshot.get::<Meta>(&MetaKey::Tip), Ok(None));
    let found = snapshot.multi_get::<Coins>(&[outpoint(0), outpoint(1)]);
    assert_eq!(found, Ok(vec![Some(coin(0)), None]));
    assert_eq!(snapshot.scan::<Coins>().count(), 1);
    let tip = database
        .get::<Meta>(&MetaKey::Tip)
        .expect("reads")
        .and_then(|tip| tip.as_block());
    assert_eq!(tip, Some(hash(2)));
}

#[test]
fn large_blocks_are_read_back_from_blob_files() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    let block = RawBlock((0..100_000_u32).flat_map(u32::to_le_bytes).collect());
    let mut batch = database.batch();
    batch.put::<Blocks>(&hash(1), &block);
    batch.put_encoded::<Blocks>(&hash(2), &block.0);
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");
    database.flush().expect("flushes");
    assert_eq!(files(directory.path(), "blob").len(), 1);
    let found = database.multi_get::<Blocks>(&[hash(1), hash(2)]);
    assert_eq!(found, Ok(vec![Some(block.clone()), Some(block)]));
}

#[test]
fn a_flipped_byte_in_a_blob_file_is_an_error() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    let block = RawBlock((0..100_000_u32).flat_map(u32::to_le_bytes).collect());
    let mut batch = database.batch();
    batch.put::<Blocks>(&hash(1), &block);
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");
    database.flush().expect("flushes");
    drop(database);
    let blob = files(directory.path(), "blob").remove(0);
    let mut bytes = fs::read(&blob).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blob, &bytes).expect("writes");
    let error = open(directory.path())
        .get::<Blocks>(&hash(1))
        .expect_err("is refused");
    assert!(matches!(&error, StorageError::Corrupt { .. }), "{error:?}");
}

#[test]
fn another_chains_directory_is_refused() {
    let directory = tempfile::tempdir().expect("makes a directory");
    drop(open(directory.path()));
    for (name, genesis) in [("pyrite", genesis()), ("regtest", hash(8))] {
        let error =
            Database::open(directory.path(), &CHAIN_SCHEMA, name, genesis).expect_err("is refused");
        assert!(
            matches!(&error, StorageError::OtherChain { .. }),
            "{error:?}"
        );
        let message = error.to_string();
        assert!(
            message.contains("belongs to the chain `regtest`"),
            "{message}"
        );
        assert!(message.contains(&format!("not to `{name}`")), "{message}");
    }
    drop(open(directory.path()));
}

#[test]
fn an_unknown_schema_is_refused() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    let mut batch = database.batch();
    batch.put::<Meta>(
        &MetaKey::SchemaVersion,
        &MetaValue::Number(CHAIN_SCHEMA.version + 1),
    );
    database.commit(batch, Durability::Synced).expect("commits");
    drop(database);
    let error = Database::open(directory.path(), &CHAIN_SCHEMA, "regtest", genesis())
        .expect_err("is refused");
    let expected = StorageError::UnknownSchema {
        path: directory.path().to_owned(),
        found: CHAIN_SCHEMA.version + 1,
        supported: CHAIN_SCHEMA.version,
    };
    assert_eq!(error, expected);
}

#[test]
fn a_second_opening_is_refused_while_the_first_lasts() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    let error = Database::open(directory.path(), &CHAIN_SCHEMA, "regtest", genesis())
        .expect_err("is refused");
    assert_eq!(
        error,
        StorageError::Locked {
            path: directory.path().to_owned()
        }
    );
    drop(database);
    drop(open(directory.path()));
}

#[test]
fn a_path_that_is_a_file_is_refused() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let path = directory.path().join("file");
    fs::write(&path, b"not a directory").expect("writes");
    let error = Database::open(&path, &CHAIN_SCHEMA, "regtest", genesis()).expect_err("is refused");
    assert!(
        matches!(&error, StorageError::Io { detail } if detail.contains("file")),
        "{error:?}"
    );
}

#[test]
fn a_lost_current_file_is_not_taken_for_a_new_database() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 10);
    database.flush().expect("flushes");
    drop(database);
    fs::remove_file(directory.path().join("CURRENT")).expect("removes");
    let error = Database::open(directory.path(), &CHAIN_SCHEMA, "regtest", genesis())
        .expect_err("is refused");
    assert!(
        matches!(&error, StorageError::Corrupt { detail } if detail.contains("CURRENT")),
        "{error:?}"
    );
}

#[test]
fn a_lost_table_file_is_named() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 10);
    database.flush().expect("flushes");
    drop(database);
    let lost = files(directory.path(), "sst").remove(0);
    fs::remove_file(&lost).expect("removes");
    let name = lost
        .file_name()
        .and_then(|name| name.to_str())
        .expect("has a name")
        .to_owned();
    let error = read_everything(directory.path()).expect_err("is refused");
    assert!(
        matches!(&error, StorageError::Corrupt { detail } if detail.contains(&name)),
        "{error:?} does not name {name}"
    );
}

/// Opens the database and reads all of its coins, one by one and in a walk.
fn read_everything(path: &Path) -> Result<Vec<(OutPoint, Coin)>, StorageError> {
    let database = Database::open(path, &CHAIN_SCHEMA, "regtest", genesis())?;
    for n in 0..200 {
        if let Some(found) = database.get::<Coins>(&outpoint(n))? {
            assert_eq!(found, coin(n), "a wrong answer");
        }
    }
    database.scan::<Coins>().collect()
}

#[test]
fn a_flipped_byte_in_a_table_file_is_an_error_or_harmless() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 200);
    database.flush().expect("flushes");
    drop(database);
    let original = read_everything(directory.path()).expect("reads");
    assert_eq!(original.len(), 200);

    let mut refused = 0;
    for file in files(directory.path(), "sst") {
        let bytes = fs::read(&file).expect("reads");
        for position in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            fs::write(&file, &damaged).expect("writes");
            // Opening may move files: each damage is tried on a copy.
            let copy = tempfile::tempdir().expect("makes a directory");
            copy_directory(directory.path(), copy.path());
            match read_everything(copy.path()) {
                Ok(found) => assert_eq!(found, original, "{} at {position}", file.display()),
                Err(StorageError::Corrupt { .. }) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        fs::write(&file, &bytes).expect("writes");
    }
    assert!(refused > 0, "no damage was noticed");
}

#[test]
fn damage_inside_the_log_is_an_error_and_a_torn_end_is_not() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    for n in 0..50 {
        let mut batch = database.batch();
        batch.put::<Coins>(&outpoint(n), &coin(n));
        database.commit(batch, Durability::Synced).expect("commits");
    }
    drop(database);
    let log = files(directory.path(), "log")
        .pop()
        .expect("there is a log");
    let bytes = fs::read(&log).expect("reads");

    // Torn at any place: the batches before it are there, all of them in order.
    for length in (0..bytes.len()).step_by(97) {
        let copy = tempfile::tempdir().expect("makes a directory");
        copy_directory(directory.path(), copy.path());
        fs::write(
            copy.path().join(log.file_name().expect("has a name")),
            &bytes[..length],
        )
        .expect("writes");
        let found = read_everything(copy.path()).expect("opens");
        let expected: Vec<_> = (0..50)
            .take(found.len())
            .map(|n| (outpoint(n), coin(n)))
            .collect();
        assert_eq!(found, expected, "torn at {length}");
    }

    // Damaged in a record's contents, with more records behind it.
    let mut damaged = bytes.clone();
    let middle = bytes.len() / 2;
    let script = bytes[middle..]
        .windows(8)
        .position(|bytes| bytes == [0x51; 8]);
    damaged[middle + script.expect("a coin's script follows")] ^= 1;
    fs::write(&log, &damaged).expect("writes");
    let error = read_everything(directory.path()).expect_err("is refused");
    assert!(matches!(&error, StorageError::Corrupt { .. }), "{error:?}");
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("is a directory") {
        let path = entry.expect("is readable").path();
        let name = path.file_name().expect("has a name");
        fs::copy(&path, to.join(name)).expect("copies");
    }
}

#[test]
fn a_flipped_bit_in_the_manifest_is_an_error_or_harmless() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 200);
    database.flush().expect("flushes");
    drop(database);
    let original = read_everything(directory.path()).expect("reads");
    let current = fs::read_to_string(directory.path().join("CURRENT")).expect("reads");

    for file in ["CURRENT", current.trim()] {
        let bytes = fs::read(directory.path().join(file)).expect("reads");
        let mut refused = 0;
        for position in 0..bytes.len() {
            // The third bit among them, which makes a record's type that of a reused log.
            let bit = if position.is_multiple_of(2) {
                0x04
            } else {
                1 << (position % 7)
            };
            let copy = tempfile::tempdir().expect("makes a directory");
            copy_directory(directory.path(), copy.path());
            let mut damaged = bytes.clone();
            damaged[position] ^= bit;
            fs::write(copy.path().join(file), &damaged).expect("writes");
            match read_everything(copy.path()) {
                Ok(found) => assert_eq!(found, original, "{file} at {position}"),
                Err(StorageError::Corrupt { .. }) => refused += 1,
                Err(other) => panic!("{file} at {position}: {other:?}"),
            }
        }
        assert!(
            refused > bytes.len() / 2,
            "{file}: {refused} damages were noticed"
        );
    }
}

#[test]
fn a_table_is_cleared_whole_and_alone() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    // Some of it in files, some in memory.
    fill(&database, 10);
    database.flush().expect("flushes");
    let mut batch = database.batch();
    let last = OutPoint {
        txid: Txid::from_byte_array([0xff; 32]),
        vout: u32::MAX,
    };
    batch.put::<Coins>(&last, &coin(1));
    batch.put::<SecondCoins>(&last, &coin(2));
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");
    database.clear::<Coins>().expect("clears");
    assert!(database.scan::<Coins>().next().is_none());
    assert_eq!(database.get::<SecondCoins>(&last), Ok(Some(coin(2))));
    assert_eq!(database.scan::<Heights>().count(), 10);
    assert_eq!(database.table_bytes::<Coins>(), Ok(0));
    // It can be filled again.
    fill(&database, 2);
    drop(database);
    let database = open(directory.path());
    assert_eq!(database.scan::<Coins>().count(), 2);
}

fn check(path: &Path) -> Result<(), StorageError> {
    check_database(path, &CHAIN_SCHEMA, "regtest", genesis(), &mut |_| ()).map(|_| ())
}

/// Whether a file holds something that is read, now or at the next opening.
fn holds_data(path: &Path) -> bool {
    let name = path.file_name().expect("has a name").to_string_lossy();
    !(name.starts_with("LOG")
        || name.starts_with("OPTIONS-")
        || name == "LOCK"
        || name == "IDENTITY")
}

#[test]
fn a_flipped_byte_in_any_file_is_found_and_its_file_named() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let database = open(directory.path());
    fill(&database, 200);
    let mut batch = database.batch();
    let block = RawBlock((0..5_000_u32).flat_map(u32::to_le_bytes).collect());
    batch.put::<Blocks>(&hash(1), &block);
    batch.put::<Blocks>(&hash(2), &block);
    database
        .commit(batch, Durability::Buffered)
        .expect("commits");
    database.flush().expect("flushes");
    drop(database);
    check(directory.path()).expect("is whole");
    // What a kill leaves that comes while a file is written is not in use.
    let blob = fs::read(files(directory.path(), "blob").remove(0)).expect("reads");
    for length in [0, 20, blob.len() / 2] {
        let copy = tempfile::tempdir().expect("makes a directory");
        copy_directory(directory.path(), copy.path());
        fs::write(copy.path().join("999999.blob"), &blob[..length]).expect("writes");
        check(copy.path()).expect("is whole");
    }

    let all = fs::read_dir(directory.path()).expect("is a directory");
    let all = all.map(|entry| entry.expect("is readable").path());
    let (mut found, mut missed) = (0, Vec::new());
    for file in all.filter(|path| holds_data(path)) {
        let bytes = fs::read(&file).expect("reads");
        let name = file
            .file_name()
            .expect("has a name")
            .to_string_lossy()
            .into_owned();
        let coarse = (0..bytes.len()).step_by(bytes.len() / 40 + 1);
        let ends = (0..30.min(bytes.len())).chain(bytes.len().saturating_sub(60)..bytes.len());
        for position in coarse.chain(ends) {
            let copy = tempfile::tempdir().expect("makes a directory");
            copy_directory(directory.path(), copy.path());
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            fs::write(copy.path().join(&name), &damaged).expect("writes");
            match check(copy.path()) {
                Ok(()) => missed.push(format!("{name} at {position} of {}", bytes.len())),
                Err(error) if error.to_string().contains(&name) => found += 1,
                Err(error) => missed.push(format!("{name} at {position}: {error}")),
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(found > 500, "{found} flips were tried");
}
