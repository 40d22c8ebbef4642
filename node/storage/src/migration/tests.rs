use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{CompactTarget, TxMerkleNode};

use super::*;
use crate::fault::FaultPoints;
use crate::schema::{Blocks, CHAIN_SCHEMA, Coins, Heights, Memory, TableInfo, UndoData};

/// The chain's database as version 1 had it.
const SCHEMA_V1: Schema = Schema {
    version: 1,
    tables: &[
        TableInfo::of::<HeadersV1>(1),
        TableInfo::of::<Blocks>(1),
        TableInfo::of::<UndoData>(1),
        TableInfo::of::<Coins>(1),
        TableInfo::of::<Heights>(1),
    ],
    migrations: &[],
    memory: Memory::CHAIN,
};

/// More than two steps.
const HEADERS: u32 = 25_000;

fn record(number: u32) -> (BlockHash, HeaderRecord) {
    let header = Header {
        version: Version::ONE,
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: number,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    let record = HeaderRecord {
        header,
        height: Height(number),
        arrival: u64::from(number),
        sequence: -i64::from(number),
        tx_count: number % 3,
        flags: HeaderFlags {
            connected: number.is_multiple_of(2),
            failed: number.is_multiple_of(5),
            pruned: false,
        },
    };
    (header.block_hash(), record)
}

fn genesis() -> BlockHash {
    BlockHash::from_byte_array([7; 32])
}

fn make_version_1(path: &Path) {
    let database = Database::open(path, &SCHEMA_V1, "regtest", genesis()).expect("opens");
    let mut batch = database.batch();
    for (hash, record) in (0..HEADERS).map(record) {
        batch.put::<HeadersV1>(&hash, &HeaderRecordV1(record));
    }
    database.commit(batch, Durability::Synced).expect("commits");
}

fn open(path: &Path, faults: FaultPoints) -> Result<Database, StorageError> {
    Database::open_with_faults(
        path,
        &CHAIN_SCHEMA,
        Memory::CHAIN,
        ("regtest", genesis()),
        faults,
    )
}

fn assert_migrated(database: &Database) {
    let mut found: Vec<_> = database
        .scan::<Headers>()
        .collect::<Result<_, _>>()
        .expect("all are of the new version");
    found.sort_unstable_by_key(|(_, record)| record.arrival);
    let expected: Vec<_> = (0..HEADERS).map(record).collect();
    assert!(found == expected);
    let version = database.get::<Meta>(&MetaKey::SchemaVersion);
    assert_eq!(version, Ok(Some(MetaValue::Number(CHAIN_SCHEMA.version))));
    assert_eq!(database.get::<Meta>(&MetaKey::MigrationCursor), Ok(None));
}

#[test]
fn an_old_database_becomes_a_new_one_and_stays_it() {
    let directory = tempfile::tempdir().expect("makes a directory");
    make_version_1(directory.path());
    for _ in 0..2 {
        assert_migrated(&open(directory.path(), FaultPoints::none()).expect("opens"));
    }
    // And is not opened by the program of old.
    let error = Database::open(directory.path(), &SCHEMA_V1, "regtest", genesis());
    let error = error.expect_err("is refused");
    assert!(
        matches!(
            error,
            StorageError::UnknownSchema {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_migration_that_is_cut_off_at_any_write_goes_on_there() {
    for end in 0.. {
        let directory = tempfile::tempdir().expect("makes a directory");
        make_version_1(directory.path());
        let writes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&writes);
        let faults = FaultPoints::new(move |_| {
            if counted.fetch_add(1, Ordering::Relaxed) < end {
                return Ok(());
            }
            Err(StorageError::Full {
                detail: "a test".to_owned(),
            })
        });
        let is_whole = open(directory.path(), faults).is_ok();
        let steps = usize::try_from(HEADERS)
            .expect("fits")
            .div_ceil(STEP_RECORDS);
        // Each step, and the last that finds nothing more.
        assert_eq!(is_whole, end > steps);
        assert_migrated(&open(directory.path(), FaultPoints::none()).expect("opens"));
        if is_whole {
            break;
        }
    }
}

#[test]
fn a_version_without_a_way_to_this_one_is_refused() {
    static OLD: Schema = Schema {
        version: 0,
        ..SCHEMA_V1
    };
    let directory = tempfile::tempdir().expect("makes a directory");
    drop(Database::open(directory.path(), &OLD, "regtest", genesis()).expect("opens"));
    let error = open(directory.path(), FaultPoints::none()).expect_err("is refused");
    assert!(
        matches!(error, StorageError::UnknownSchema { found: 0, .. }),
        "{error}"
    );
}
