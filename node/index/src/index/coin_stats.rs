//! The figures of the coins after every block, as Bitcoin Core's `coinstatsindex` has them.

use std::sync::Arc;

use pyrite_consensus::bitcoin::{Amount, BlockHash, TxOut};
use pyrite_consensus::coin::is_unspendable;
use pyrite_consensus::coin_stats::{CoinSetHash, MuHash, bogo_size, coin_bytes};
use pyrite_consensus::{ChainSpec, Coin, Height};
use pyrite_storage::schema::Access;
use pyrite_storage::{
    Batch, CodecError, Database, Memory, Schema, Snapshot, Table, TableInfo, ValueCodec,
};

use super::{Index, WayBack};
use crate::IndexError;
use crate::block::IndexedBlock;
use crate::clear::clear_table;
use crate::digest::{TableDigest, chain_digest};
use crate::fields::Fields;

pub(crate) static SCHEMA: Schema = Schema {
    version: 1,
    tables: &[TableInfo::of::<CoinStatsTable>(1)],
    migrations: &[],
    memory: Memory::INDEX,
};

/// The figures after every block. Each has the whole state of its hash, so that a reorganisation loads an
/// earlier one.
pub(crate) enum CoinStatsTable {}

impl Table for CoinStatsTable {
    const NAME: &'static str = "coin_stats";
    const ACCESS: Access = Access::Point;
    type Key = BlockHash;
    type Value = BlockCoinStats;
}

/// The figures of the coins after a block. Totals are of all blocks up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockCoinStats {
    /// The block's height.
    pub height: Height,
    /// The state of the coins' `MuHash`.
    muhash: Box<[u8; MuHash::BYTES]>,
    /// Coins.
    pub outputs: u64,
    /// Bitcoin Core's measure of their size.
    pub bogo_size: u64,
    /// Their value.
    pub total_amount_sat: u64,
    /// Value of all outputs that were spent.
    pub prevout_spent_sat: u128,
    /// Value of all outputs of transactions other than coinbases that became coins.
    pub new_outputs_ex_coinbase_sat: u128,
    /// Value of all outputs of coinbases that became coins.
    pub coinbase_sat: u128,
    /// The genesis block's subsidy, which nobody can spend.
    pub unspendable_genesis_sat: u128,
    /// The subsidies of the two coinbases that were overwritten (BIP-0030).
    pub unspendable_bip30_sat: u128,
    /// Value of all outputs with scripts that nothing can spend.
    pub unspendable_scripts_sat: u128,
    /// Subsidy and fees that miners did not take, as a sum over all blocks.
    pub unclaimed_rewards_sat: i128,
}

impl BlockCoinStats {
    /// The figures before the genesis block.
    fn none() -> Self {
        Self {
            height: Height::GENESIS,
            muhash: Box::new(MuHash::new().to_bytes()),
            outputs: 0,
            bogo_size: 0,
            total_amount_sat: 0,
            prevout_spent_sat: 0,
            new_outputs_ex_coinbase_sat: 0,
            coinbase_sat: 0,
            unspendable_genesis_sat: 0,
            unspendable_bip30_sat: 0,
            unspendable_scripts_sat: 0,
            unclaimed_rewards_sat: 0,
        }
    }

    /// The hash of the coins.
    #[must_use]
    pub fn muhash(&self) -> CoinSetHash {
        MuHash::from_bytes(&self.muhash).hash()
    }

    /// Value that nobody can spend, of all blocks up to this one.
    #[must_use]
    pub fn total_unspendable_sat(&self) -> i128 {
        let certain = self
            .unspendable_genesis_sat
            .saturating_add(self.unspendable_bip30_sat)
            .saturating_add(self.unspendable_scripts_sat);
        i128::try_from(certain)
            .unwrap_or(i128::MAX)
            .saturating_add(self.unclaimed_rewards_sat)
    }
}

impl ValueCodec for BlockCoinStats {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MuHash::BYTES + 160);
        bytes.extend(self.height.0.to_be_bytes());
        bytes.extend(self.muhash.as_slice());
        for number in [self.outputs, self.bogo_size, self.total_amount_sat] {
            bytes.extend(number.to_be_bytes());
        }
        for total in [
            self.prevout_spent_sat,
            self.new_outputs_ex_coinbase_sat,
            self.coinbase_sat,
            self.unspendable_genesis_sat,
            self.unspendable_bip30_sat,
            self.unspendable_scripts_sat,
        ] {
            bytes.extend(total.to_be_bytes());
        }
        bytes.extend(self.unclaimed_rewards_sat.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let stats = Self {
            height: fields.height()?,
            muhash: Box::new(fields.array()?),
            outputs: fields.u64()?,
            bogo_size: fields.u64()?,
            total_amount_sat: fields.u64()?,
            prevout_spent_sat: fields.u128()?,
            new_outputs_ex_coinbase_sat: fields.u128()?,
            coinbase_sat: fields.u128()?,
            unspendable_genesis_sat: fields.u128()?,
            unspendable_bip30_sat: fields.u128()?,
            unspendable_scripts_sat: fields.u128()?,
            unclaimed_rewards_sat: fields.i128()?,
        };
        fields.finish()?;
        Ok(stats)
    }
}

/// The index.
pub(super) struct CoinStatsIndex {
    spec: Arc<ChainSpec>,
    /// Those after the last block.
    stats: BlockCoinStats,
}

impl CoinStatsIndex {
    pub(super) fn new(spec: &Arc<ChainSpec>) -> Self {
        Self {
            spec: Arc::clone(spec),
            stats: BlockCoinStats::none(),
        }
    }

    /// The figures after a block that follows the last one.
    fn after(&self, block: &IndexedBlock) -> Option<BlockCoinStats> {
        let subsidy = self.spec.subsidy(block.height);
        let mut change = Change::of(&self.stats, block.height);
        for transaction in block.transactions() {
            let is_coinbase = transaction.position == 0;
            if !transaction.makes_coins {
                change.lose_coinbase(subsidy)?;
                continue;
            }
            for (vout, output) in (0..).zip(&transaction.transaction.output) {
                let outpoint = pyrite_consensus::bitcoin::OutPoint {
                    txid: transaction.txid,
                    vout,
                };
                let coin = Coin {
                    output: output.clone(),
                    height: block.height,
                    is_coinbase,
                };
                change.create(&outpoint, &coin)?;
            }
            for (outpoint, coin) in transaction.spent {
                change.spend(outpoint, coin)?;
            }
        }
        change.finish(subsidy)
    }
}

/// The figures while a block's changes are added.
struct Change {
    stats: BlockCoinStats,
    muhash: MuHash,
    /// What the block has to give, less what it gave: what is left is unclaimed.
    unclaimed_sat: i128,
    bytes: Vec<u8>,
}

impl Change {
    fn of(before: &BlockCoinStats, height: Height) -> Self {
        Self {
            stats: BlockCoinStats {
                height,
                ..before.clone()
            },
            muhash: MuHash::from_bytes(&before.muhash),
            unclaimed_sat: 0,
            bytes: Vec::new(),
        }
    }

    /// A coinbase whose outputs never become coins, or are overwritten: Bitcoin Core counts its subsidy.
    fn lose_coinbase(&mut self, subsidy: Amount) -> Option<()> {
        let sat = u128::from(subsidy.to_sat());
        let lost = if self.stats.height == Height::GENESIS {
            &mut self.stats.unspendable_genesis_sat
        } else {
            &mut self.stats.unspendable_bip30_sat
        };
        *lost = lost.checked_add(sat)?;
        self.give(subsidy)
    }

    fn give(&mut self, amount: Amount) -> Option<()> {
        self.unclaimed_sat = self
            .unclaimed_sat
            .checked_sub(i128::from(amount.to_sat()))?;
        Some(())
    }

    fn create(
        &mut self,
        outpoint: &pyrite_consensus::bitcoin::OutPoint,
        coin: &Coin,
    ) -> Option<()> {
        let TxOut {
            value,
            script_pubkey,
        } = &coin.output;
        let sat = value.to_sat();
        self.give(*value)?;
        let stats = &mut self.stats;
        if is_unspendable(script_pubkey) {
            let lost = &mut stats.unspendable_scripts_sat;
            *lost = lost.checked_add(u128::from(sat))?;
            return Some(());
        }
        coin_bytes(outpoint, coin, &mut self.bytes);
        self.muhash.insert(&self.bytes);
        let total = if coin.is_coinbase {
            &mut stats.coinbase_sat
        } else {
            &mut stats.new_outputs_ex_coinbase_sat
        };
        *total = total.checked_add(u128::from(sat))?;
        stats.outputs = stats.outputs.checked_add(1)?;
        stats.bogo_size = stats.bogo_size.checked_add(bogo_size(script_pubkey))?;
        stats.total_amount_sat = stats.total_amount_sat.checked_add(sat)?;
        Some(())
    }

    fn spend(&mut self, outpoint: &pyrite_consensus::bitcoin::OutPoint, coin: &Coin) -> Option<()> {
        coin_bytes(outpoint, coin, &mut self.bytes);
        self.muhash.remove(&self.bytes);
        let sat = coin.output.value.to_sat();
        self.unclaimed_sat = self.unclaimed_sat.checked_add(i128::from(sat))?;
        let stats = &mut self.stats;
        stats.prevout_spent_sat = stats.prevout_spent_sat.checked_add(u128::from(sat))?;
        stats.outputs = stats.outputs.checked_sub(1)?;
        stats.bogo_size = stats
            .bogo_size
            .checked_sub(bogo_size(&coin.output.script_pubkey))?;
        stats.total_amount_sat = stats.total_amount_sat.checked_sub(sat)?;
        Some(())
    }

    fn finish(mut self, subsidy: Amount) -> Option<BlockCoinStats> {
        // The genesis block gives what its spec says: there is nobody who could have claimed more.
        if self.stats.height > Height::GENESIS {
            let left = self
                .unclaimed_sat
                .checked_add(i128::from(subsidy.to_sat()))?;
            let total = &mut self.stats.unclaimed_rewards_sat;
            *total = total.checked_add(left)?;
        }
        self.stats.muhash = Box::new(self.muhash.to_bytes());
        Some(self.stats)
    }
}

impl Index for CoinStatsIndex {
    fn load(&mut self, database: &Database, cursor: Option<BlockHash>) -> Result<(), IndexError> {
        self.stats = match cursor {
            None => BlockCoinStats::none(),
            Some(hash) => database.get::<CoinStatsTable>(&hash)?.ok_or_else(|| {
                IndexError::inconsistent(format!("the figures of block {hash} are missing"))
            })?,
        };
        Ok(())
    }

    fn connect(
        &mut self,
        _database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        self.stats = self.after(block).ok_or_else(|| {
            let hash = block.hash;
            IndexError::inconsistent(format!("the figures of block {hash} do not add up"))
        })?;
        batch.put::<CoinStatsTable>(&block.hash, &self.stats);
        Ok(())
    }

    fn way_back(&self) -> WayBack {
        WayBack::ByRecord
    }

    fn disconnect(
        &mut self,
        _database: &Database,
        _batch: &mut Batch<'_>,
        _block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        Ok(())
    }

    fn finish(&mut self, _batch: &mut Batch<'_>) {}

    fn clear(&self, database: &Database) -> Result<(), IndexError> {
        clear_table::<CoinStatsTable>(database)
    }

    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError> {
        Ok(vec![chain_digest::<CoinStatsTable>(snapshot, chain)?])
    }
}
