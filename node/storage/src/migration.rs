//! Turns databases of older schemas into those of today, in steps that a kill may interrupt.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::consensus::encode::serialize;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Durability};
use crate::codec::{KeyCodec, ValueCodec, decode_record, encode_record, take_consensus};
use crate::database::Database;
use crate::records::{HeaderFlags, HeaderRecord, HeaderState, MetaKey, MetaValue};
use crate::schema::{Access, Headers, Meta, Schema, Table};
use crate::{CodecError, StorageError};

/// Records that one step deals with at most, which bounds its memory.
const STEP_RECORDS: usize = 10_000;

/// Adds to the batch what has to change behind a key, from the table's beginning where there is none, and
/// returns the last key that it dealt with; `None` at the end.
pub type MigrationStep =
    fn(&Database, Option<&[u8]>, &mut Batch<'_>) -> Result<Option<Vec<u8>>, StorageError>;

/// How a version of a schema becomes the next one.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version that it starts from.
    pub from: u32,
    /// One of its steps.
    pub step: MigrationStep,
}

/// Brings a database of the version `found` to the schema's. Each step is one synced batch, with the key
/// that it came to: a kill loses one step.
pub(crate) fn migrate(
    database: &Database,
    schema: &Schema,
    found: u32,
) -> Result<(), StorageError> {
    let mut version = found;
    while version != schema.version {
        let migration = schema
            .migrations
            .iter()
            .find(|migration| migration.from == version)
            .ok_or_else(|| StorageError::UnknownSchema {
                path: database.path().to_owned(),
                found,
                supported: schema.version,
            })?;
        tracing::info!(from = version, to = version + 1, "migrating the database");
        run(database, migration)?;
        version += 1;
    }
    Ok(())
}

fn run(database: &Database, migration: &Migration) -> Result<(), StorageError> {
    let mut cursor = match database.get::<Meta>(&MetaKey::MigrationCursor)? {
        None => None,
        Some(MetaValue::Key(key)) => Some(key),
        Some(other) => {
            return Err(StorageError::Corrupt {
                detail: format!("{other:?} where a migration's last key should be"),
            });
        }
    };
    loop {
        let mut batch = database.batch();
        cursor = (migration.step)(database, cursor.as_deref(), &mut batch)?;
        match &cursor {
            Some(key) => {
                batch.put::<Meta>(&MetaKey::MigrationCursor, &MetaValue::Key(key.clone()));
            }
            None => {
                let version = MetaValue::Number(migration.from + 1);
                batch.put::<Meta>(&MetaKey::SchemaVersion, &version);
                batch.delete::<Meta>(&MetaKey::MigrationCursor);
            }
        }
        database.commit(batch, Durability::Synced)?;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// From 1 to 2: headers say whether their block was pruned.
pub(crate) fn add_pruned_flag(
    database: &Database,
    cursor: Option<&[u8]>,
    batch: &mut Batch<'_>,
) -> Result<Option<Vec<u8>>, StorageError> {
    let done = cursor
        .map(<BlockHash as KeyCodec>::decode)
        .transpose()
        .map_err(|error| StorageError::undecodable(Meta::NAME, &error))?;
    let records = match &done {
        None => database.scan::<HeadersV1>(),
        Some(hash) => database.scan_after::<HeadersV1>(hash),
    };
    let mut last = None;
    for record in records.take(STEP_RECORDS) {
        let (hash, HeaderRecordV1(record)) = record?;
        batch.put::<Headers>(&hash, &record);
        last = Some(hash);
    }
    Ok(last.map(|hash| KeyCodec::encode(&hash).to_vec()))
}

/// The table of headers in version 1.
enum HeadersV1 {}

impl Table for HeadersV1 {
    const NAME: &'static str = Headers::NAME;
    const ACCESS: Access = Headers::ACCESS;
    type Key = BlockHash;
    type Value = HeaderRecordV1;
}

struct HeaderRecordV1(HeaderRecord);

#[derive(Serialize, Deserialize)]
struct HeaderFlagsV1 {
    connected: bool,
    failed: bool,
}

impl ValueCodec for HeaderRecordV1 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = serialize(&self.0.header);
        let HeaderFlags {
            connected, failed, ..
        } = self.0.flags;
        let flags = HeaderFlagsV1 { connected, failed };
        bytes.extend(encode_record(&self.0.state(flags)));
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, CodecError> {
        let header = take_consensus(&mut bytes)?;
        let state: HeaderState<HeaderFlagsV1> = decode_record(bytes)?;
        let flags = HeaderFlags {
            connected: state.flags.connected,
            failed: state.flags.failed,
            pruned: false,
        };
        Ok(Self(state.record(header, flags)))
    }
}

#[cfg(test)]
mod tests;
