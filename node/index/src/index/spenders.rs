//! The transaction that spends an output.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use pyrite_storage::schema::Access;
use pyrite_storage::{
    Batch, CodecError, Database, KeyCodec, Memory, Schema, Snapshot, Table, TableInfo, ValueCodec,
};

use super::{Index, WayBack, last_of};
use crate::IndexError;
use crate::block::IndexedBlock;
use crate::clear::clear_table;
use crate::digest::{TableDigest, table_digest};
use crate::fields::{Fields, key_of};

pub(crate) static SCHEMA: Schema = Schema {
    version: 1,
    tables: &[TableInfo::of::<Spenders>(1)],
    migrations: &[],
    memory: Memory::INDEX,
};

/// Who spent outputs.
pub(super) enum Spenders {}

impl Table for Spenders {
    const NAME: &'static str = "spenders";
    const ACCESS: Access = Access::Point;
    type Key = SpenderKey;
    type Value = Spender;
}

/// An output, then the height at which it was spent: a transaction that is in two blocks has its outputs
/// spent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpenderKey {
    outpoint: OutPoint,
    height: Height,
}

/// The transaction that spent an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spender {
    /// Its id.
    pub txid: Txid,
    /// Its block.
    pub block: BlockHash,
    /// Its place among the block's transactions.
    pub position: u32,
}

impl KeyCodec for SpenderKey {
    type Bytes = [u8; 40];

    fn encode(&self) -> Self::Bytes {
        key_of(&[
            self.outpoint.txid.as_ref(),
            &self.outpoint.vout.to_be_bytes(),
            &self.height.0.to_be_bytes(),
        ])
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let key = Self {
            outpoint: fields.outpoint()?,
            height: fields.height()?,
        };
        fields.finish()?;
        Ok(key)
    }
}

impl ValueCodec for Spender {
    fn encode(&self) -> Vec<u8> {
        [
            self.txid.as_ref(),
            self.block.as_ref(),
            &self.position.to_be_bytes()[..],
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let spender = Self {
            txid: fields.txid()?,
            block: fields.block_hash()?,
            position: fields.u32()?,
        };
        fields.finish()?;
        Ok(spender)
    }
}

/// The last transaction that spent an output.
pub(crate) fn find_spender(
    snapshot: &Snapshot<'_>,
    outpoint: OutPoint,
) -> Result<Option<Spender>, IndexError> {
    let first = SpenderKey {
        outpoint,
        height: Height::GENESIS,
    };
    last_of::<Spenders>(snapshot, &first, |key| key.outpoint == outpoint)
}

/// The index.
pub(super) struct SpenderIndex;

impl Index for SpenderIndex {
    fn load(&mut self, _database: &Database, _cursor: Option<BlockHash>) -> Result<(), IndexError> {
        Ok(())
    }

    fn connect(
        &mut self,
        _database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        for transaction in block.transactions() {
            let spender = Spender {
                txid: transaction.txid,
                block: block.hash,
                position: transaction.position,
            };
            for (outpoint, _) in transaction.spent {
                batch.put::<Spenders>(&key(block, outpoint), &spender);
            }
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
        for (outpoint, _) in &block.spent {
            batch.delete::<Spenders>(&key(block, outpoint));
        }
        Ok(())
    }

    fn finish(&mut self, _batch: &mut Batch<'_>) {}

    fn clear(&self, database: &Database) -> Result<(), IndexError> {
        clear_table::<Spenders>(database)
    }

    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        _chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError> {
        Ok(vec![table_digest::<Spenders>(snapshot)?])
    }
}

fn key(block: &IndexedBlock, outpoint: &OutPoint) -> SpenderKey {
    SpenderKey {
        outpoint: *outpoint,
        height: block.height,
    }
}
