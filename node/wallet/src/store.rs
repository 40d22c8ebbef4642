//! The database of a wallet: one SQLite file, BDK's tables and ours, one transaction for each change.
//!
//! Write-ahead logging keeps it consistent through a kill at any instant. What the user was promised
//! (an address, a payment) is also synced to the disk; what the chain can tell again is not.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bdk_wallet::chain::{ConfirmationBlockTime, Merge, keychain_txout, local_chain, tx_graph};
use bdk_wallet::rusqlite::{
    self, Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior,
    named_params,
};
use pyrite_consensus::bitcoin::{BlockHash, Network, ScriptBuf, Txid};

use crate::WalletError;

/// Version of our tables, in SQLite's `user_version`; BDK keeps its own.
const SCHEMA_VERSION: i64 = 1;
/// "PyrW": marks the file as a wallet of ours.
const APPLICATION_ID: i64 = 0x5079_7257;
/// How long a predecessor that is just being killed may hold the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    CREATE TABLE pyrite_wallet (
        id INTEGER PRIMARY KEY NOT NULL CHECK (id = 0),
        network TEXT NOT NULL,
        genesis_hash TEXT NOT NULL,
        birth_time INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE pyrite_descriptors (
        keychain INTEGER PRIMARY KEY NOT NULL,
        descriptor TEXT NOT NULL
    ) STRICT;
    CREATE TABLE pyrite_transactions (
        txid TEXT PRIMARY KEY NOT NULL,
        position INTEGER UNIQUE NOT NULL,
        sent INTEGER NOT NULL,
        comment TEXT NOT NULL,
        comment_to TEXT NOT NULL,
        block_hash TEXT,
        block_index INTEGER
    ) STRICT;
    CREATE TABLE pyrite_labels (
        script BLOB PRIMARY KEY NOT NULL,
        label TEXT NOT NULL
    ) STRICT;
";

/// What a wallet is made for; fixed when it is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) network: String,
    pub(crate) genesis_hash: BlockHash,
    pub(crate) birth_time: u64,
    /// Public descriptors by keychain code.
    pub(crate) descriptors: BTreeMap<u32, String>,
}

/// What the wallet keeps about a transaction beside what BDK keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its place in the order in which the wallet learnt of transactions.
    pub(crate) position: u64,
    /// It was sent by this wallet's owner.
    pub(crate) sent: bool,
    pub(crate) comment: String,
    pub(crate) comment_to: String,
    /// The last block seen with it, and its place there.
    pub(crate) block: Option<(BlockHash, u32)>,
}

/// Changes that are not in the database yet.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) blocks: local_chain::ChangeSet,
    pub(crate) graph: tx_graph::ChangeSet<ConfirmationBlockTime>,
    pub(crate) indexer: keychain_txout::ChangeSet,
    pub(crate) records: BTreeMap<Txid, Record>,
    pub(crate) labels: BTreeMap<ScriptBuf, String>,
}

impl Stage {
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
            && self.graph.is_empty()
            && self.indexer.is_empty()
            && self.records.is_empty()
            && self.labels.is_empty()
    }
}

/// Everything in the database.
pub(crate) struct Content {
    /// `None` in a database that was just created.
    pub(crate) identity: Option<Identity>,
    pub(crate) blocks: local_chain::ChangeSet,
    pub(crate) graph: tx_graph::ChangeSet<ConfirmationBlockTime>,
    pub(crate) indexer: keychain_txout::ChangeSet,
    pub(crate) records: BTreeMap<Txid, Record>,
    pub(crate) labels: BTreeMap<ScriptBuf, String>,
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The end of this process, however sudden.
    Process,
    /// The loss of power too.
    Power,
}

pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    durability: Durability,
}

impl Store {
    /// Opens the database, creating it if need be, and reads all of it.
    pub(crate) fn open(path: &Path) -> Result<(Self, Content), WalletError> {
        // SQLite would create it with the process's default mode.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|source| WalletError::Io {
                path: path.to_owned(),
                source,
            })?;
        let fail = |error| database_error(path, error);
        let mut connection = connect(path).map_err(fail)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        check_integrity(&transaction, path)?;
        migrate(&transaction, path)?;
        let content = read(&transaction).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        let store = Self {
            connection,
            path: path.to_owned(),
            durability: Durability::Process,
        };
        Ok((store, content))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Fixes what a new wallet is made for.
    pub(crate) fn initialise(&mut self, identity: &Identity) -> Result<(), WalletError> {
        self.write(Durability::Power, |transaction| {
            transaction.execute(
                "INSERT INTO pyrite_wallet(id, network, genesis_hash, birth_time)
                 VALUES(0, :network, :genesis_hash, :birth_time)",
                named_params! {
                    ":network": identity.network,
                    ":genesis_hash": identity.genesis_hash.to_string(),
                    ":birth_time": identity.birth_time,
                },
            )?;
            for (keychain, descriptor) in &identity.descriptors {
                transaction.execute(
                    "INSERT INTO pyrite_descriptors(keychain, descriptor) VALUES(:keychain, :descriptor)",
                    named_params! { ":keychain": keychain, ":descriptor": descriptor },
                )?;
            }
            Ok(())
        })
    }

    /// Writes all of `stage` or nothing.
    pub(crate) fn commit(
        &mut self,
        stage: &Stage,
        durability: Durability,
    ) -> Result<(), WalletError> {
        self.write(durability, |transaction| {
            stage.blocks.persist_to_sqlite(transaction)?;
            if !stage.graph.is_empty() {
                stage.graph.persist_to_sqlite(transaction)?;
            }
            if !stage.indexer.is_empty() {
                stage.indexer.persist_to_sqlite(transaction)?;
            }
            write_records(transaction, &stage.records)?;
            write_labels(transaction, &stage.labels)
        })
    }

    fn write(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), WalletError> {
        let result = self.try_write(durability, work);
        result.map_err(|error| database_error(&self.path, error))
    }

    fn try_write(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        if self.durability != durability {
            let level = match durability {
                Durability::Process => "NORMAL",
                Durability::Power => "FULL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durability = durability;
        }
        let transaction = self.connection.transaction()?;
        work(&transaction)?;
        transaction.commit()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // One process at a time: a second one is told so, and no shared-memory file is needed.
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn check_integrity(transaction: &Transaction<'_>, path: &Path) -> Result<(), WalletError> {
    let verdict: String = transaction
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| database_error(path, error))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(WalletError::Corrupt {
            path: path.to_owned(),
            reason: verdict,
        })
    }
}

/// Creates what is missing; refuses what it does not know.
fn migrate(transaction: &Transaction<'_>, path: &Path) -> Result<(), WalletError> {
    let fail = |error| database_error(path, error);
    let pragma = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let version = pragma("user_version").map_err(fail)?;
    let application = pragma("application_id").map_err(fail)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fail)?;
    if application != APPLICATION_ID && tables != 0 {
        let reason = "it is another program's database".to_owned();
        return Err(WalletError::Corrupt {
            path: path.to_owned(),
            reason,
        });
    }
    if !(0..=SCHEMA_VERSION).contains(&version) {
        return Err(WalletError::UnsupportedVersion {
            path: path.to_owned(),
            found: version,
            known: SCHEMA_VERSION,
        });
    }
    let create = || -> rusqlite::Result<()> {
        local_chain::ChangeSet::init_sqlite_tables(transaction)?;
        tx_graph::ChangeSet::<ConfirmationBlockTime>::init_sqlite_tables(transaction)?;
        keychain_txout::ChangeSet::init_sqlite_tables(transaction)?;
        if version == 0 {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        Ok(())
    };
    create().map_err(fail)
}

fn read(transaction: &Transaction<'_>) -> rusqlite::Result<Content> {
    Ok(Content {
        identity: read_identity(transaction)?,
        blocks: local_chain::ChangeSet::from_sqlite(transaction)?,
        graph: tx_graph::ChangeSet::from_sqlite(transaction)?,
        indexer: keychain_txout::ChangeSet::from_sqlite(transaction)?,
        records: read_records(transaction)?,
        labels: read_labels(transaction)?,
    })
}

fn read_identity(transaction: &Transaction<'_>) -> rusqlite::Result<Option<Identity>> {
    let identity = transaction
        .query_row(
            "SELECT network, genesis_hash, birth_time FROM pyrite_wallet",
            [],
            |row| {
                Ok(Identity {
                    network: row.get(0)?,
                    genesis_hash: parse(row.get(1)?, 1)?,
                    birth_time: row.get(2)?,
                    descriptors: BTreeMap::new(),
                })
            },
        )
        .optional()?;
    let Some(mut identity) = identity else {
        return Ok(None);
    };
    let mut statement =
        transaction.prepare("SELECT keychain, descriptor FROM pyrite_descriptors")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    identity.descriptors = rows.collect::<rusqlite::Result<_>>()?;
    Ok(Some(identity))
}

fn read_records(transaction: &Transaction<'_>) -> rusqlite::Result<BTreeMap<Txid, Record>> {
    let mut statement = transaction.prepare(
        "SELECT txid, position, sent, comment, comment_to, block_hash, block_index
         FROM pyrite_transactions",
    )?;
    let rows = statement.query_map([], |row| {
        let block_hash = row
            .get::<_, Option<String>>(5)?
            .map(|text| parse(text, 5))
            .transpose()?;
        let record = Record {
            position: row.get(1)?,
            sent: row.get(2)?,
            comment: row.get(3)?,
            comment_to: row.get(4)?,
            block: block_hash.zip(row.get(6)?),
        };
        Ok((parse(row.get(0)?, 0)?, record))
    })?;
    rows.collect()
}

fn read_labels(transaction: &Transaction<'_>) -> rusqlite::Result<BTreeMap<ScriptBuf, String>> {
    let mut statement = transaction.prepare("SELECT script, label FROM pyrite_labels")?;
    let rows = statement.query_map([], |row| {
        Ok((
            ScriptBuf::from_bytes(row.get::<_, Vec<u8>>(0)?),
            row.get(1)?,
        ))
    })?;
    rows.collect()
}

fn write_records(
    transaction: &Transaction<'_>,
    records: &BTreeMap<Txid, Record>,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "REPLACE INTO pyrite_transactions
             (txid, position, sent, comment, comment_to, block_hash, block_index)
         VALUES(:txid, :position, :sent, :comment, :comment_to, :block_hash, :block_index)",
    )?;
    for (txid, record) in records {
        statement.execute(named_params! {
            ":txid": txid.to_string(),
            ":position": record.position,
            ":sent": record.sent,
            ":comment": record.comment,
            ":comment_to": record.comment_to,
            ":block_hash": record.block.map(|(hash, _)| hash.to_string()),
            ":block_index": record.block.map(|(_, index)| index),
        })?;
    }
    Ok(())
}

fn write_labels(
    transaction: &Transaction<'_>,
    labels: &BTreeMap<ScriptBuf, String>,
) -> rusqlite::Result<()> {
    let mut statement = transaction
        .prepare_cached("REPLACE INTO pyrite_labels(script, label) VALUES(:script, :label)")?;
    for (script, label) in labels {
        statement.execute(named_params! { ":script": script.as_bytes(), ":label": label })?;
    }
    Ok(())
}

fn parse<T>(text: String, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// Compares what the database was made for with what is asked for.
pub(crate) fn check_identity(
    path: &Path,
    found: &Identity,
    network: Network,
    genesis_hash: BlockHash,
    descriptors: &BTreeMap<u32, String>,
) -> Result<(), WalletError> {
    let path = path.to_owned();
    if found.network != network.to_string() {
        return Err(WalletError::WrongNetwork {
            path,
            found: found.network.clone(),
            expected: network,
        });
    }
    if found.genesis_hash != genesis_hash {
        return Err(WalletError::WrongGenesis {
            path,
            found: found.genesis_hash,
            expected: genesis_hash,
        });
    }
    if found.descriptors != *descriptors {
        return Err(WalletError::WrongSeed { path });
    }
    Ok(())
}

fn database_error(path: &Path, error: rusqlite::Error) -> WalletError {
    let path = path.to_owned();
    let corrupt = |error: rusqlite::Error, path| WalletError::Corrupt {
        path,
        reason: error.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => WalletError::InUse { path },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => corrupt(error, path),
        Some(_) => WalletError::Database {
            path,
            source: error,
        },
        None => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => corrupt(error, path),
            error => WalletError::Database {
                path,
                source: error,
            },
        },
    }
}
