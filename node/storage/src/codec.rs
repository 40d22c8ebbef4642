//! How keys and values become bytes.
//!
//! Consensus data keeps Bitcoin's encoding. Records of our own use `bincode` with its legacy
//! layout and a size limit; this is the only module that knows it. Numbers in keys are big-endian,
//! so that RocksDB's byte order is their order.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::consensus::encode;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest record of our own, in bytes.
const MAX_RECORD_BYTES: usize = 1024;

/// The length of an encoded outpoint.
const OUTPOINT_BYTES: usize = 36;

/// Why bytes are not a key or value of their table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A fixed-size part has another length.
    #[error("{found} bytes where {expected} are expected")]
    Length {
        /// Bytes needed.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
    /// Bitcoin's decoder refused them.
    #[error("not in Bitcoin's encoding: {0}")]
    Consensus(String),
    /// The decoder of our own records refused them.
    #[error("not a record: {0}")]
    Record(String),
    /// Bytes were left over.
    #[error("{0} bytes too many")]
    TrailingBytes(usize),
}

/// A table's key.
pub trait KeyCodec: Sized {
    /// The encoded form.
    type Bytes: AsRef<[u8]>;

    /// The bytes that stand for the key; their order is the order of a scan.
    fn encode(&self) -> Self::Bytes;

    /// Reads a key.
    ///
    /// # Errors
    /// The bytes are not a key.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;
}

/// A table's value.
pub trait ValueCodec: Sized {
    /// The bytes that stand for the value.
    fn encode(&self) -> Vec<u8>;

    /// Reads a value.
    ///
    /// # Errors
    /// The bytes are not a value.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;
}

impl KeyCodec for BlockHash {
    type Bytes = [u8; 32];

    fn encode(&self) -> [u8; 32] {
        self.to_byte_array()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Self::from_byte_array(fixed(bytes)?))
    }
}

impl KeyCodec for Height {
    type Bytes = [u8; 4];

    fn encode(&self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Ok(Self(u32::from_be_bytes(fixed(bytes)?)))
    }
}

/// The transaction's hash, then the output's index: the outputs of a transaction lie together.
impl KeyCodec for OutPoint {
    type Bytes = [u8; OUTPOINT_BYTES];

    fn encode(&self) -> Self::Bytes {
        let mut bytes = [0; OUTPOINT_BYTES];
        bytes[..32].copy_from_slice(self.txid.as_byte_array());
        bytes[32..].copy_from_slice(&self.vout.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let bytes: [u8; OUTPOINT_BYTES] = fixed(bytes)?;
        let (txid, vout) = bytes.split_at(32);
        Ok(Self {
            txid: Txid::from_byte_array(fixed(txid)?),
            vout: u32::from_be_bytes(fixed(vout)?),
        })
    }
}

/// A block's hash as a value.
impl ValueCodec for BlockHash {
    fn encode(&self) -> Vec<u8> {
        self.to_byte_array().to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        <Self as KeyCodec>::decode(bytes)
    }
}

/// An array out of a slice of exactly its length.
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], CodecError> {
    bytes.try_into().map_err(|_| CodecError::Length {
        expected: N,
        found: bytes.len(),
    })
}

/// Encodes a record of our own.
///
/// # Panics
/// Never for the records of this crate: none of them can fail to serialise, and all are far below
/// the limit.
pub(crate) fn encode_record<T: Serialize>(record: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(record, record_config())
        .expect("a record of ours has a fixed shape, which always serialises")
}

/// Decodes a record of our own that fills `bytes`.
pub(crate) fn decode_record<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(CodecError::Length {
            expected: MAX_RECORD_BYTES,
            found: bytes.len(),
        });
    }
    let (record, used) = bincode::serde::decode_from_slice(bytes, record_config())
        .map_err(|error| CodecError::Record(error.to_string()))?;
    match bytes.len() - used {
        0 => Ok(record),
        left => Err(CodecError::TrailingBytes(left)),
    }
}

fn record_config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<MAX_RECORD_BYTES>()
}

/// Decodes something in Bitcoin's encoding from the front of `bytes`, and moves them past it.
pub(crate) fn take_consensus<T: encode::Decodable>(bytes: &mut &[u8]) -> Result<T, CodecError> {
    let (value, used) = encode::deserialize_partial(bytes)
        .map_err(|error| CodecError::Consensus(error.to_string()))?;
    *bytes = &bytes[used..];
    Ok(value)
}

/// Refuses left-over bytes.
pub(crate) fn finish(bytes: &[u8]) -> Result<(), CodecError> {
    match bytes.len() {
        0 => Ok(()),
        left => Err(CodecError::TrailingBytes(left)),
    }
}
