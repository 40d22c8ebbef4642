//! The values of the tables and their encodings.

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::consensus::encode::{VarInt, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint, TxOut};
use pyrite_consensus::{Coin, Height};
use serde::{Deserialize, Serialize};

use crate::codec::take_consensus;
use crate::codec::{CodecError, KeyCodec, ValueCodec, decode_record, encode_record, finish};

/// The smallest encoded entry of undo data: outpoint, coin code, value, empty script.
const MIN_UNDO_ENTRY_BYTES: usize = 36 + 1 + 8 + 1;
/// What most entries take: a script of up to 34 bytes, and a height in 5.
const USUAL_UNDO_ENTRY_BYTES: usize = 36 + 5 + 8 + 35;

/// What is known of a header and of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRecord {
    /// The header.
    pub header: Header,
    /// Its height.
    pub height: Height,
    /// Its place in the order in which headers became known, so that a restart keeps the order.
    pub arrival: u64,
    /// Among blocks of equal work the one with the smallest number is the best: its chain was complete
    /// first, or it was made precious. Zero until the body is stored.
    pub sequence: i64,
    /// Transactions of the block; zero until the body is stored.
    pub tx_count: u32,
    /// What was found out about it.
    pub flags: HeaderFlags,
}

/// What was found out about a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderFlags {
    /// It was connected once: it and all before it are valid, but for scripts that were assumed to be.
    pub connected: bool,
    /// It is invalid by itself, or was invalidated by hand. Its descendants don't carry the flag.
    pub failed: bool,
    /// Its body and its undo data were deleted to save room.
    pub pruned: bool,
}

/// The part of a header record that is our own; `F` are the flags of a version of the schema.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeaderState<F> {
    height: Height,
    arrival: u64,
    sequence: i64,
    tx_count: u32,
    pub(crate) flags: F,
}

impl<F> HeaderState<F> {
    pub(crate) fn record(&self, header: Header, flags: HeaderFlags) -> HeaderRecord {
        HeaderRecord {
            header,
            height: self.height,
            arrival: self.arrival,
            sequence: self.sequence,
            tx_count: self.tx_count,
            flags,
        }
    }
}

impl HeaderRecord {
    pub(crate) fn state<F>(&self, flags: F) -> HeaderState<F> {
        HeaderState {
            height: self.height,
            arrival: self.arrival,
            sequence: self.sequence,
            tx_count: self.tx_count,
            flags,
        }
    }
}

/// A block in Bitcoin's encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlock(pub Vec<u8>);

impl RawBlock {
    /// The encoded block.
    #[must_use]
    pub fn new(block: &Block) -> Self {
        let mut bytes = Vec::with_capacity(block.total_size());
        put_consensus(block, &mut bytes);
        Self(bytes)
    }
}

/// The coins that a block spent, in the order of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undo(pub Vec<(OutPoint, Coin)>);

impl Undo {
    /// The record of these coins.
    #[must_use]
    pub fn encode_spent(spent: &[(OutPoint, Coin)]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(spent.len() * USUAL_UNDO_ENTRY_BYTES);
        put_consensus(&VarInt::from(spent.len()), &mut bytes);
        for (outpoint, coin) in spent {
            put_consensus(outpoint, &mut bytes);
            put_coin(coin, &mut bytes);
        }
        bytes
    }
}

/// What became of a coin: `None` where there is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinChange(pub Option<Coin>);

/// The single values that are not a table of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaKey {
    /// The version of the tables.
    SchemaVersion,
    /// The genesis block that the database was made for.
    Genesis,
    /// The name of the chain that the database was made for.
    ChainName,
    /// The last block whose effects are in the coins, or in an index.
    Tip,
    /// The last key of a table that a migration under way has dealt with.
    MigrationCursor,
    /// Which table has the coins of the best chain: 0 (or nothing) for `Coins`, 1 for `SecondCoins`.
    CoinsTable,
    /// The block whose coins came from a file, while the blocks up to it are validated.
    SnapshotBase,
    /// The last block whose effects are in the coins of the validation in the background.
    BackgroundTip,
}

/// The value of a `MetaKey`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetaValue {
    /// A number.
    Number(u32),
    /// A block's hash, in its internal byte order.
    Hash([u8; 32]),
    /// Text.
    Text(String),
    /// A key of another table.
    Key(Vec<u8>),
}

impl MetaValue {
    /// A block's hash as a value.
    #[must_use]
    pub fn block(hash: BlockHash) -> Self {
        Self::Hash(hash.to_byte_array())
    }

    /// The block's hash, if it is one.
    #[must_use]
    pub fn as_block(&self) -> Option<BlockHash> {
        match self {
            Self::Hash(bytes) => Some(BlockHash::from_byte_array(*bytes)),
            Self::Number(_) | Self::Text(_) | Self::Key(_) => None,
        }
    }
}

impl KeyCodec for MetaKey {
    type Bytes = [u8; 1];

    fn encode(&self) -> [u8; 1] {
        match self {
            Self::SchemaVersion => [0],
            Self::Genesis => [1],
            Self::ChainName => [2],
            Self::Tip => [3],
            Self::MigrationCursor => [4],
            Self::CoinsTable => [16],
            Self::SnapshotBase => [17],
            Self::BackgroundTip => [18],
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes {
            [0] => Ok(Self::SchemaVersion),
            [1] => Ok(Self::Genesis),
            [2] => Ok(Self::ChainName),
            [3] => Ok(Self::Tip),
            [4] => Ok(Self::MigrationCursor),
            [16] => Ok(Self::CoinsTable),
            [17] => Ok(Self::SnapshotBase),
            [18] => Ok(Self::BackgroundTip),
            [other] => Err(CodecError::Record(format!("unknown key {other}"))),
            _ => Err(CodecError::Length {
                expected: 1,
                found: bytes.len(),
            }),
        }
    }
}

impl ValueCodec for MetaValue {
    fn encode(&self) -> Vec<u8> {
        encode_record(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        decode_record(bytes)
    }
}

/// The header in Bitcoin's encoding, then our own part.
impl ValueCodec for HeaderRecord {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = serialize(&self.header);
        bytes.extend(encode_record(&self.state(self.flags)));
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, CodecError> {
        let header = take_consensus(&mut bytes)?;
        let state: HeaderState<HeaderFlags> = decode_record(bytes)?;
        Ok(state.record(header, state.flags))
    }
}

/// The bytes as they are: whoever reads a block decodes it, or passes it on.
impl ValueCodec for RawBlock {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Self(bytes.to_vec()))
    }
}

impl ValueCodec for Coin {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.output.script_pubkey.len());
        put_coin(self, &mut bytes);
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, CodecError> {
        let coin = take_coin(&mut bytes)?;
        finish(bytes)?;
        Ok(coin)
    }
}

/// No bytes at all for a coin that is gone.
impl ValueCodec for CoinChange {
    fn encode(&self) -> Vec<u8> {
        self.0.as_ref().map_or_else(Vec::new, ValueCodec::encode)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Coin::decode(bytes)?)))
    }
}

impl ValueCodec for Undo {
    fn encode(&self) -> Vec<u8> {
        Self::encode_spent(&self.0)
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, CodecError> {
        let VarInt(count) = take_consensus(&mut bytes)?;
        // The bytes that are there bound what a damaged count can make us reserve.
        let possible = bytes.len() / MIN_UNDO_ENTRY_BYTES;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= possible)
            .ok_or_else(|| CodecError::Record(format!("{count} coins in {} bytes", bytes.len())))?;
        let mut spent = Vec::with_capacity(count);
        for _ in 0..count {
            spent.push((take_consensus(&mut bytes)?, take_coin(&mut bytes)?));
        }
        finish(bytes)?;
        Ok(Self(spent))
    }
}

/// Twice the height plus one for a coinbase's output, as a Bitcoin `VarInt`; then the output.
fn put_coin(coin: &Coin, bytes: &mut Vec<u8>) {
    let code = u64::from(coin.height.0) * 2 + u64::from(coin.is_coinbase);
    put_consensus(&VarInt(code), bytes);
    put_consensus(&coin.output, bytes);
}

fn put_consensus(value: &impl Encodable, bytes: &mut Vec<u8>) {
    value
        .consensus_encode(bytes)
        .expect("memory takes all that is written");
}

fn take_coin(bytes: &mut &[u8]) -> Result<Coin, CodecError> {
    let VarInt(code) = take_consensus(bytes)?;
    let height = u32::try_from(code / 2)
        .map_err(|_| CodecError::Record(format!("coin code {code} is out of range")))?;
    let output: TxOut = take_consensus(bytes)?;
    Ok(Coin {
        output,
        height: Height(height),
        is_coinbase: code % 2 == 1,
    })
}
