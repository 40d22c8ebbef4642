//! Reads records field by field. Numbers are big-endian, so that the order of keys is theirs.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use pyrite_storage::CodecError;

/// What is left of a record.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(CodecError::Length {
            expected: N,
            found: self.0.len(),
        })?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn u128(&mut self) -> Result<u128, CodecError> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    pub(crate) fn i128(&mut self) -> Result<i128, CodecError> {
        Ok(i128::from_be_bytes(self.array()?))
    }

    pub(crate) fn height(&mut self) -> Result<Height, CodecError> {
        Ok(Height(self.u32()?))
    }

    pub(crate) fn txid(&mut self) -> Result<Txid, CodecError> {
        Ok(Txid::from_byte_array(self.array()?))
    }

    pub(crate) fn block_hash(&mut self) -> Result<BlockHash, CodecError> {
        Ok(BlockHash::from_byte_array(self.array()?))
    }

    pub(crate) fn outpoint(&mut self) -> Result<OutPoint, CodecError> {
        Ok(OutPoint {
            txid: self.txid()?,
            vout: self.u32()?,
        })
    }

    /// A flag: a byte that is zero or one.
    pub(crate) fn flag(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(CodecError::Record(format!(
                "{other} where a flag should be"
            ))),
        }
    }

    /// Refuses left-over bytes.
    pub(crate) fn finish(self) -> Result<(), CodecError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(CodecError::TrailingBytes(left)),
        }
    }
}

/// Fills a key of fixed size from its parts.
///
/// # Panics
/// The parts are not as long as the key: a fault of the caller's.
pub(crate) fn key_of<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut key = [0; N];
    let mut rest = key.as_mut_slice();
    for part in parts {
        let (first, others) = rest.split_at_mut(part.len());
        first.copy_from_slice(part);
        rest = others;
    }
    assert!(rest.is_empty(), "the parts fill the key");
    key
}
