//! The block of every transaction.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{BlockHash, Txid};
use pyrite_storage::schema::Access;
use pyrite_storage::{
    Batch, CodecError, Database, KeyCodec, Memory, Schema, Snapshot, Table, TableInfo, ValueCodec,
};

use super::{Index, WayBack, last_of};
use crate::IndexError;
use crate::block::{IndexedBlock, IndexedTransaction};
use crate::clear::clear_table;
use crate::digest::{TableDigest, table_digest};
use crate::fields::{Fields, key_of};

pub(crate) static SCHEMA: Schema = Schema {
    version: 1,
    tables: &[TableInfo::of::<Transactions>(1)],
    migrations: &[],
    memory: Memory::INDEX,
};

/// Where transactions are.
pub(super) enum Transactions {}

impl Table for Transactions {
    const NAME: &'static str = "transactions";
    const ACCESS: Access = Access::Point;
    type Key = TransactionKey;
    type Value = TransactionPlace;
}

/// A transaction's id, then its height: two blocks can hold the same transaction, if all outputs of the
/// first were spent before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransactionKey {
    txid: Txid,
    height: Height,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionPlace {
    /// Its block.
    pub block: BlockHash,
    /// Its place among the block's transactions.
    pub position: u32,
}

impl KeyCodec for TransactionKey {
    type Bytes = [u8; 36];

    fn encode(&self) -> Self::Bytes {
        key_of(&[self.txid.as_ref(), &self.height.0.to_be_bytes()])
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let key = Self {
            txid: fields.txid()?,
            height: fields.height()?,
        };
        fields.finish()?;
        Ok(key)
    }
}

impl ValueCodec for TransactionPlace {
    fn encode(&self) -> Vec<u8> {
        [self.block.as_ref(), &self.position.to_be_bytes()[..]].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let place = Self {
            block: fields.block_hash()?,
            position: fields.u32()?,
        };
        fields.finish()?;
        Ok(place)
    }
}

/// The place of the last transaction of that id.
pub(crate) fn find_transaction(
    snapshot: &Snapshot<'_>,
    txid: Txid,
) -> Result<Option<TransactionPlace>, IndexError> {
    let first = TransactionKey {
        txid,
        height: Height::GENESIS,
    };
    last_of::<Transactions>(snapshot, &first, |key| key.txid == txid)
}

/// The index.
pub(super) struct TransactionIndex;

impl Index for TransactionIndex {
    fn load(&mut self, _database: &Database, _cursor: Option<BlockHash>) -> Result<(), IndexError> {
        Ok(())
    }

    fn connect(
        &mut self,
        _database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        for transaction in entries(block) {
            let place = TransactionPlace {
                block: block.hash,
                position: transaction.position,
            };
            batch.put::<Transactions>(&key(block, &transaction), &place);
        }
        Ok(())
    }

    fn way_back(&self) -> WayBack {
        WayBack::ByBlock
    }

    fn disconnect(
        &mut self,
        _database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        for transaction in entries(block) {
            batch.delete::<Transactions>(&key(block, &transaction));
        }
        Ok(())
    }

    fn finish(&mut self, _batch: &mut Batch<'_>) {}

    fn clear(&self, database: &Database) -> Result<(), IndexError> {
        clear_table::<Transactions>(database)
    }

    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        _chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError> {
        Ok(vec![table_digest::<Transactions>(snapshot)?])
    }
}

/// The transactions that can be found: all but the genesis block's coinbase, which Bitcoin Core does not
/// give either.
fn entries(block: &IndexedBlock) -> impl Iterator<Item = IndexedTransaction<'_>> {
    let skipped = usize::from(block.height == Height::GENESIS);
    block.transactions().skip(skipped)
}

fn key(block: &IndexedBlock, transaction: &IndexedTransaction<'_>) -> TransactionKey {
    TransactionKey {
        txid: transaction.txid,
        height: block.height,
    }
}
