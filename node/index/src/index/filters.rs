//! The compact filter of every block: BIP-0158's basic filter, and BIP-0157's chain of their headers.

use pyrite_consensus::bitcoin::bip158::{
    BlockFilterReader, BlockFilterWriter, FilterHash, FilterHeader,
};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, Script};
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
    tables: &[
        TableInfo::of::<Filters>(1),
        TableInfo::of::<FilterHeaders>(1),
    ],
    migrations: &[],
    memory: Memory::INDEX,
};

/// The filters.
pub(crate) enum Filters {}

impl Table for Filters {
    const NAME: &'static str = "filters";
    const ACCESS: Access = Access::Large;
    type Key = BlockHash;
    type Value = EncodedFilter;
}

/// What the filters hash to.
pub(crate) enum FilterHeaders {}

impl Table for FilterHeaders {
    const NAME: &'static str = "filter_headers";
    const ACCESS: Access = Access::Point;
    type Key = BlockHash;
    type Value = FilterHashes;
}

/// A filter's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodedFilter(pub(crate) Vec<u8>);

/// A filter's hash, and the header that it has in the chain of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FilterHashes {
    pub(crate) hash: FilterHash,
    pub(crate) header: FilterHeader,
}

/// A block's basic filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The filter: the number of its elements, then the Golomb-coded set.
    pub bytes: Vec<u8>,
    /// The double SHA-256 of `bytes`.
    pub hash: FilterHash,
    /// The double SHA-256 of the hash and the header of the block before.
    pub header: FilterHeader,
}

impl ValueCodec for EncodedFilter {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Self(bytes.to_vec()))
    }
}

impl ValueCodec for FilterHashes {
    fn encode(&self) -> Vec<u8> {
        [self.hash.as_ref(), &self.header[..]].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let hashes = Self {
            hash: FilterHash::from_byte_array(fields.array()?),
            header: FilterHeader::from_byte_array(fields.array()?),
        };
        fields.finish()?;
        Ok(hashes)
    }
}

/// The basic filter of a block (BIP-0158): the scripts of its outputs, those that begin with `OP_RETURN`
/// apart, and of the outputs that it spends. Empty scripts are in no filter, which the `bitcoin` crate
/// leaves to its caller.
#[must_use]
pub fn build_filter<'a>(block: &'a Block, spent: impl Iterator<Item = &'a Script>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = BlockFilterWriter::new(&mut bytes, block);
    let outputs = block.txdata.iter().flat_map(|tx| &tx.output);
    let created = outputs
        .map(|output| output.script_pubkey.as_script())
        .filter(|script| !script.is_op_return());
    for script in created.chain(spent).filter(|script| !script.is_empty()) {
        writer.add_element(script.as_bytes());
    }
    writer.finish().expect("writing to memory succeeds");
    bytes
}

/// Whether the filter of a block matches one of the scripts: always if the block has it, seldom
/// otherwise.
///
/// # Errors
/// The filter's bytes are not a filter.
pub fn filter_matches<'a>(
    filter: &[u8],
    block: &BlockHash,
    mut scripts: impl Iterator<Item = &'a [u8]>,
) -> Result<bool, IndexError> {
    BlockFilterReader::new(block)
        .match_any(&mut &*filter, &mut scripts)
        .map_err(|error| {
            IndexError::inconsistent(format!(
                "the filter of block {block} can't be read: {error}"
            ))
        })
}

/// The index.
pub(super) struct FilterIndex {
    /// That of the last block.
    header: FilterHeader,
}

impl Default for FilterIndex {
    fn default() -> Self {
        Self {
            header: FilterHeader::all_zeros(),
        }
    }
}

impl Index for FilterIndex {
    fn load(&mut self, database: &Database, cursor: Option<BlockHash>) -> Result<(), IndexError> {
        self.header = match cursor {
            None => FilterHeader::all_zeros(),
            Some(hash) => {
                let found = database.get::<FilterHeaders>(&hash)?;
                let found = found.ok_or_else(|| {
                    IndexError::inconsistent(format!("the filter of block {hash} is missing"))
                })?;
                found.header
            }
        };
        Ok(())
    }

    fn connect(
        &mut self,
        _database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        let spent = block.spent.iter();
        let scripts = spent.map(|(_, coin)| coin.output.script_pubkey.as_script());
        let filter = build_filter(block.block.block(), scripts);
        let hash = FilterHash::hash(&filter);
        let header = hash.filter_header(&self.header);
        batch.put::<Filters>(&block.hash, &EncodedFilter(filter));
        batch.put::<FilterHeaders>(&block.hash, &FilterHashes { hash, header });
        self.header = header;
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
        clear_table::<Filters>(database)?;
        clear_table::<FilterHeaders>(database)
    }

    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError> {
        Ok(vec![
            chain_digest::<Filters>(snapshot, chain)?,
            chain_digest::<FilterHeaders>(snapshot, chain)?,
        ])
    }
}
