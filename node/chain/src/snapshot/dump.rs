//! Writes all coins of a block of the best chain to a file.

use std::io::{Seek, SeekFrom, Write};

use pyrite_consensus::bitcoin::{BlockHash, OutPoint};
use pyrite_consensus::coin_stats::{CoinSetHash, CoinStatsBuilder, HashKind};
use pyrite_consensus::{Coin, Height};

use super::SnapshotHead;
use super::format::CoinWriter;
use super::rollback::RolledBackCoins;
use crate::coins::CoinsTable;
use crate::shared::Shared;
use crate::{ChainError, SnapshotError};

/// Bytes that are gathered before they are written.
const WRITE_BYTES: usize = 1 << 20;
/// How often the caller is asked whether to go on, in coins.
const ASK_EVERY: u64 = 1_000;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotDump {
    /// Coins.
    pub coins: u64,
    /// The block whose coins they are.
    pub base: BlockHash,
    /// Its height.
    pub height: Height,
    /// The coins' hash (`hash_serialized_3`).
    pub coins_hash: CoinSetHash,
    /// Transactions of the chain that the block ends.
    pub chain_tx_count: u64,
}

/// Writes the coins of a block of the best chain, of the tip by default, as of one instant. The chain stays as
/// it is, and goes on.
pub(crate) fn dump_snapshot(
    shared: &Shared,
    target: Option<BlockHash>,
    output: &mut (impl Write + Seek),
    is_interrupted: &dyn Fn() -> bool,
) -> Result<SnapshotDump, SnapshotError> {
    let database = shared.database()?;
    let (snapshot, tip) = shared.snapshot(&database)?;
    let table = CoinsTable::of_tip(&snapshot)?;
    let (base, node) = {
        let tree = shared.tree();
        let base = match target {
            None => tip,
            Some(hash) => tree.find(&hash).ok_or(SnapshotError::UnknownBlock(hash))?,
        };
        let node = tree.node(base).clone();
        if tree.ancestor(tip, node.height) != Some(base) {
            return Err(SnapshotError::NotInBestChain(node.hash));
        }
        (base, node)
    };
    let mut dump = Dump::new(output, is_interrupted);
    let head = |coins| SnapshotHead {
        magic: shared.spec.magic,
        base: node.hash,
        coins,
    };
    // Not a count: it is written again when the coins are counted.
    dump.write(&head(0).encode())?;
    if base == tip {
        for record in table.scan(&snapshot) {
            let (outpoint, coin) = record.map_err(ChainError::from)?;
            dump.add(&outpoint, &coin)?;
        }
    } else {
        let _turn = shared.take_snapshot_turn()?;
        let coins = RolledBackCoins::new(&database, &snapshot, table);
        coins.roll_back(shared, tip, base, is_interrupted)?;
        let result = coins.for_each(|outpoint, coin| dump.add(outpoint, coin));
        coins.clear()?;
        result?;
    }
    let (coins, coins_hash) = dump.finish(|coins| head(coins).encode())?;
    Ok(SnapshotDump {
        coins,
        base: node.hash,
        height: node.height,
        coins_hash,
        chain_tx_count: node.chain_tx_count.unwrap_or_default(),
    })
}

/// A file in the making.
struct Dump<'a, W> {
    output: &'a mut W,
    is_interrupted: &'a dyn Fn() -> bool,
    writer: CoinWriter,
    bytes: Vec<u8>,
    stats: CoinStatsBuilder,
    coins: u64,
}

impl<'a, W: Write + Seek> Dump<'a, W> {
    fn new(output: &'a mut W, is_interrupted: &'a dyn Fn() -> bool) -> Self {
        Self {
            output,
            is_interrupted,
            writer: CoinWriter::default(),
            bytes: Vec::new(),
            stats: CoinStatsBuilder::new(HashKind::Serialized),
            coins: 0,
        }
    }

    fn add(&mut self, outpoint: &OutPoint, coin: &Coin) -> Result<(), SnapshotError> {
        self.stats.add(outpoint, coin);
        self.writer.add(outpoint, coin, &mut self.bytes);
        self.coins += 1;
        if self.coins.is_multiple_of(ASK_EVERY) && (self.is_interrupted)() {
            return Err(SnapshotError::Interrupted);
        }
        if self.bytes.len() >= WRITE_BYTES {
            self.write_gathered()?;
        }
        Ok(())
    }

    fn write_gathered(&mut self) -> Result<(), SnapshotError> {
        let bytes = std::mem::take(&mut self.bytes);
        self.write(&bytes)?;
        self.bytes = bytes;
        self.bytes.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.output
            .write_all(bytes)
            .map_err(|error| SnapshotError::Write(error.to_string()))
    }

    /// Writes what is left, and the head again.
    fn finish<const N: usize>(
        mut self,
        head: impl FnOnce(u64) -> [u8; N],
    ) -> Result<(u64, CoinSetHash), SnapshotError> {
        let mut writer = std::mem::take(&mut self.writer);
        writer.finish(&mut self.bytes);
        self.write_gathered()?;
        self.output
            .seek(SeekFrom::Start(0))
            .map_err(|error| SnapshotError::Write(error.to_string()))?;
        self.write(&head(self.coins))?;
        self.output
            .flush()
            .map_err(|error| SnapshotError::Write(error.to_string()))?;
        let hash = self.stats.finish().hash.unwrap_or(CoinSetHash::ZERO);
        Ok((self.coins, hash))
    }
}
