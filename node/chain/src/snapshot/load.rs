//! Begins with the coins of a file: they go into the table beside the chain's, in batches, and only when all of
//! them are there and have the right hash does the writer go over to them. A kill before leaves the chain as it
//! was.

use std::io::Read;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::coin_stats::{CoinSetHash, CoinStatsBuilder, HashKind};
use pyrite_consensus::spec::AssumeUtxo;
use pyrite_consensus::{ChainSpec, Height};
use pyrite_storage::{Batch, Database, Durability};

use super::format::CoinStream;
use super::{FormatError, SnapshotHead};
use crate::coins::CoinsTable;
use crate::shared::Shared;
use crate::tree::NodeId;
use crate::{ChainError, SnapshotError};

/// Bytes of coins that are written together, about.
const BATCH_BYTES: usize = 4 << 20;
/// What a coin takes in a batch beside its script, about.
const COIN_BYTES: usize = 64;
/// How often the caller is asked whether to go on, in coins.
const ASK_EVERY: u64 = 10_000;
/// How often the log tells of progress.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotLoad {
    /// Coins.
    pub coins: u64,
    /// The block whose coins they are: the tip, or an ancestor of it by now.
    pub base: BlockHash,
    /// Its height.
    pub height: Height,
}

/// What the caller knows and the chain does not.
#[derive(Clone, Copy)]
pub struct LoadChecks<'a> {
    /// Whether there is no unconfirmed transaction: asked before the file is read, and after.
    pub is_mempool_empty: &'a dyn Fn() -> bool,
    /// Whether to break off.
    pub is_interrupted: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for LoadChecks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadChecks").finish_non_exhaustive()
    }
}

/// Reads a file's head and its coins, and makes its block the tip with `activate`, which the writer does.
pub(crate) fn load_snapshot(
    shared: &Shared,
    input: &mut impl Read,
    checks: LoadChecks<'_>,
    activate: impl FnOnce(AssumeUtxo) -> Result<(), SnapshotError>,
) -> Result<SnapshotLoad, SnapshotError> {
    let head = SnapshotHead::read(input).map_err(SnapshotError::Head)?;
    check_network(&shared.spec, head.magic)?;
    let _turn = shared.take_snapshot_turn()?;
    let entry = check_snapshot(shared, &head, checks)?;
    tracing::info!(height = %entry.height, hash = %entry.block_hash, coins = head.coins, "loading coins");

    let database = shared.database()?;
    let table = shared.coins_cache().table().other();
    table.clear(&database).map_err(ChainError::from)?;
    let loading = Loading {
        database: &database,
        table,
        head,
        base: entry.height,
        checks,
    };
    let result = loading
        .run(input)
        .and_then(|()| check_content(&database, table, &entry, checks))
        .and_then(|()| check_snapshot(shared, &head, checks))
        .and_then(activate);
    // The writer may have gone over to it and failed then: it is beside the chain only if it did not.
    if result.is_err() && shared.coins_cache().table() != table && shared.failure().is_none() {
        table.clear(&database).map_err(ChainError::from)?;
    }
    result.map(|()| SnapshotLoad {
        coins: head.coins,
        base: entry.block_hash,
        height: entry.height,
    })
}

/// The block of a spec's entry, if the chain may go over to it.
pub(crate) fn find_base(shared: &Shared, entry: &AssumeUtxo) -> Result<NodeId, SnapshotError> {
    let tree = shared.tree();
    if tree.assumed().is_some() {
        return Err(SnapshotError::AlreadyActive);
    }
    let hash = entry.block_hash;
    let base = tree.find(&hash).ok_or(SnapshotError::HeaderMissing(hash))?;
    let node = tree.node(base);
    if node.is_failed() {
        return Err(SnapshotError::InvalidChain(hash));
    }
    if tree.ancestor(tree.best_header(), node.height) != Some(base) {
        return Err(SnapshotError::ForkedHeaders);
    }
    if node.height != entry.height {
        return Err(SnapshotError::Height {
            hash,
            height: node.height,
            expected: entry.height,
        });
    }
    if node.work <= tree.node(tree.tip()).work {
        return Err(SnapshotError::NotMoreWork);
    }
    Ok(base)
}

fn check_network(spec: &ChainSpec, magic: [u8; 4]) -> Result<(), SnapshotError> {
    if magic == spec.magic {
        return Ok(());
    }
    let known = ChainSpec::BUILTIN
        .iter()
        .filter_map(|name| ChainSpec::builtin(name))
        .find(|known| known.magic == magic);
    Err(SnapshotError::Head(match known {
        Some(known) => FormatError::OtherNetwork {
            found: known.name,
            expected: spec.name.clone(),
        },
        None => FormatError::UnknownNetwork,
    }))
}

/// What must hold before a file is read, and still afterwards.
fn check_snapshot(
    shared: &Shared,
    head: &SnapshotHead,
    checks: LoadChecks<'_>,
) -> Result<AssumeUtxo, SnapshotError> {
    if shared.tree().assumed().is_some() {
        return Err(SnapshotError::AlreadyActive);
    }
    let entry = shared.spec.assume_utxo_of(&head.base);
    let entry = entry.ok_or_else(|| SnapshotError::UnknownBase {
        hash: head.base,
        heights: shared
            .spec
            .assume_utxo
            .iter()
            .map(|entry| entry.height.0.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    find_base(shared, entry)?;
    if !(checks.is_mempool_empty)() {
        return Err(SnapshotError::MempoolNotEmpty);
    }
    Ok(*entry)
}

/// Coins on their way into a table.
struct Loading<'a> {
    database: &'a Database,
    table: CoinsTable,
    head: SnapshotHead,
    base: Height,
    checks: LoadChecks<'a>,
}

impl Loading<'_> {
    fn run(&self, input: &mut impl Read) -> Result<(), SnapshotError> {
        let mut stream = CoinStream::new(input);
        let mut batch = self.database.batch();
        let mut bytes = 0;
        let mut count = 0_u64;
        let mut last_report = Instant::now();
        while count < self.head.coins {
            let bad = |error| bad_coin(error, count);
            stream.begin().map_err(bad)?;
            if stream.left_of_transaction() > self.head.coins - count {
                return Err(SnapshotError::CoinCount);
            }
            let (outpoint, coin) = stream.coin().map_err(bad)?;
            if coin.height > self.base {
                return Err(SnapshotError::BadCoin(count));
            }
            self.table.put(&mut batch, &outpoint, &coin);
            bytes += COIN_BYTES + coin.output.script_pubkey.len();
            count += 1;
            if bytes >= BATCH_BYTES {
                self.commit(std::mem::replace(&mut batch, self.database.batch()))?;
                bytes = 0;
            }
            if count.is_multiple_of(ASK_EVERY) {
                if (self.checks.is_interrupted)() {
                    return Err(SnapshotError::Interrupted);
                }
                if last_report.elapsed() >= REPORT_EVERY {
                    last_report = Instant::now();
                    tracing::info!(coins = count, of = self.head.coins, "loading coins");
                }
            }
        }
        if !stream.is_at_end().map_err(|error| bad_coin(error, count))? {
            return Err(SnapshotError::LeftOver(count));
        }
        self.commit(batch)
    }

    fn commit(&self, batch: Batch<'_>) -> Result<(), SnapshotError> {
        let committed = self.database.commit(batch, Durability::Buffered);
        Ok(committed.map_err(ChainError::from)?)
    }
}

/// What Bitcoin Core says of bytes that are no coin, after so many that were.
fn bad_coin(error: FormatError, count: u64) -> SnapshotError {
    match error {
        FormatError::Amount => SnapshotError::BadValue(count),
        FormatError::Io(detail) => SnapshotError::Read(detail),
        _ => SnapshotError::Truncated(count),
    }
}

/// Hashes the coins as they are in the table.
fn check_content(
    database: &Database,
    table: CoinsTable,
    entry: &AssumeUtxo,
    checks: LoadChecks<'_>,
) -> Result<(), SnapshotError> {
    tracing::info!("hashing the coins");
    let mut stats = CoinStatsBuilder::new(HashKind::Serialized);
    let snapshot = database.snapshot();
    for (record, count) in table.scan(&snapshot).zip(1_u64..) {
        let (outpoint, coin) = record.map_err(ChainError::from)?;
        stats.add(&outpoint, &coin);
        if count.is_multiple_of(ASK_EVERY) && (checks.is_interrupted)() {
            return Err(SnapshotError::Interrupted);
        }
    }
    let found = stats.finish().hash.unwrap_or(CoinSetHash::ZERO);
    if found == entry.coins_hash {
        return Ok(());
    }
    Err(SnapshotError::ContentHash {
        expected: entry.coins_hash,
        found,
    })
}
