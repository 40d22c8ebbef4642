//! What an index holds, as one hash for each table.

use pyrite_consensus::bitcoin::hashes::{Hash, HashEngine, sha256};
use pyrite_storage::{KeyCodec, Snapshot, Table, ValueCodec};

use crate::IndexError;

/// The content of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableDigest {
    pub(crate) table: &'static str,
    pub(crate) records: u64,
    pub(crate) hash: sha256::Hash,
}

/// A digest in the making.
pub(crate) struct Digester {
    engine: sha256::HashEngine,
    records: u64,
}

impl Digester {
    pub(crate) fn new() -> Self {
        Self {
            engine: sha256::Hash::engine(),
            records: 0,
        }
    }

    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        // Lengths first, so that no two records run into each other.
        for part in [key, value] {
            self.engine.input(&part.len().to_be_bytes());
            self.engine.input(part);
        }
        self.records += 1;
    }

    pub(crate) fn finish<T: Table>(self) -> TableDigest {
        TableDigest {
            table: T::NAME,
            records: self.records,
            hash: sha256::Hash::from_engine(self.engine),
        }
    }
}

/// The digest of all records of a table.
pub(crate) fn table_digest<T: Table>(snapshot: &Snapshot<'_>) -> Result<TableDigest, IndexError> {
    let mut digester = Digester::new();
    for record in snapshot.scan::<T>() {
        let (key, value) = record?;
        digester.add(key.encode().as_ref(), &value.encode());
    }
    Ok(digester.finish::<T>())
}

/// The digest of those records of a table that belong to a chain.
pub(crate) fn chain_digest<T: Table>(
    snapshot: &Snapshot<'_>,
    chain: &[T::Key],
) -> Result<TableDigest, IndexError> {
    let mut digester = Digester::new();
    for key in chain {
        if let Some(value) = snapshot.get::<T>(key)? {
            digester.add(key.encode().as_ref(), &value.encode());
        }
    }
    Ok(digester.finish::<T>())
}
