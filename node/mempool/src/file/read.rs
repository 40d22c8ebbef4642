//! Reading a mempool file from front to back. Nothing is allocated for a number that the file states, and a transaction is
//! no larger than a block.

use std::io::{self, Read};
use std::sync::Arc;

use pyrite_consensus::bitcoin::consensus::Decodable;
use pyrite_consensus::bitcoin::consensus::encode::{self, VarInt};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Transaction, Txid, io as bitcoin_io};

use super::{KEY_BYTES, VERSION_OBFUSCATED, VERSION_PLAIN, obfuscate};

/// The most bytes of a transaction: no block holds more.
const MAX_TRANSACTION_BYTES: u64 = 4_000_000;

/// The most fee changes, and the most ids of transactions that no peer has, that a file may list.
const MAX_LISTED: u64 = 1_000_000;

/// Why a file can't be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("version {0} is not known")]
    UnknownVersion(u64),
    #[error("the file ends early, at byte {0}")]
    EndsEarly(u64),
    #[error("before byte {position}: {detail}")]
    Damaged { position: u64, detail: &'static str },
    #[error("before byte {position}: no transaction: {error}")]
    Transaction { position: u64, error: encode::Error },
    #[error(transparent)]
    Io(io::Error),
}

/// A transaction of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SavedTransaction {
    pub(super) tx: Arc<Transaction>,
    /// When it came, in Unix seconds.
    pub(super) time: i64,
    /// What the operator added to its fee, in satoshis.
    pub(super) delta: i64,
}

/// A mempool file that is being read: its transactions, then what else it lists.
pub(super) struct FileReader<R> {
    bytes: Obfuscated<R>,
    /// Transactions that follow.
    remaining: u64,
}

/// What follows the transactions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lists {
    /// Fee changes of transactions that were not in the mempool.
    pub(super) deltas: Vec<(Txid, i64)>,
    /// Transactions that no peer is known to have.
    pub(super) unbroadcast: Vec<Txid>,
}

impl<R: Read> FileReader<R> {
    /// Reads a file's head.
    pub(super) fn new(input: R) -> Result<Self, ReadError> {
        let mut bytes = Obfuscated {
            input,
            position: 0,
            key: None,
        };
        match bytes.u64()? {
            VERSION_PLAIN => {}
            VERSION_OBFUSCATED => {
                if bytes.compact_size()? != KEY_BYTES as u64 {
                    return Err(bytes.damaged("the key has not eight bytes"));
                }
                bytes.key = Some(bytes.array()?);
            }
            version => return Err(ReadError::UnknownVersion(version)),
        }
        let remaining = bytes.u64()?;
        Ok(Self { bytes, remaining })
    }

    /// How many transactions follow, as the file says.
    pub(super) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next transaction; `None` after the last.
    pub(super) fn next_transaction(&mut self) -> Result<Option<SavedTransaction>, ReadError> {
        if self.remaining == 0 {
            return Ok(None);
        }
        let mut bounded = bitcoin_io::Read::take(&mut self.bytes, MAX_TRANSACTION_BYTES);
        let tx = match Transaction::consensus_decode(&mut bounded) {
            Ok(tx) => Arc::new(tx),
            Err(error) => return Err(self.bytes.no_transaction(error)),
        };
        let (time, delta) = (self.bytes.i64()?, self.bytes.i64()?);
        self.remaining -= 1;
        Ok(Some(SavedTransaction { tx, time, delta }))
    }

    /// What follows the last transaction.
    pub(super) fn lists(&mut self) -> Result<Lists, ReadError> {
        let mut lists = Lists::default();
        for _ in 0..self.bytes.count()? {
            lists.deltas.push((self.bytes.txid()?, self.bytes.i64()?));
        }
        for _ in 0..self.bytes.count()? {
            lists.unbroadcast.push(self.bytes.txid()?);
        }
        Ok(lists)
    }
}

/// Bytes of a file, with the obfuscation undone.
struct Obfuscated<R> {
    input: R,
    /// How many were read.
    position: u64,
    key: Option<[u8; KEY_BYTES]>,
}

impl<R: Read> bitcoin_io::Read for Obfuscated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> bitcoin_io::Result<usize> {
        let count = self.input.read(buffer)?;
        if let Some(key) = self.key {
            obfuscate(&mut buffer[..count], key, self.position);
        }
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl<R: Read> Obfuscated<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut bytes = [0; N];
        match bitcoin_io::Read::read_exact(self, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(self.failed(error.into())),
        }
    }

    fn u64(&mut self) -> Result<u64, ReadError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, ReadError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn txid(&mut self) -> Result<Txid, ReadError> {
        Ok(Txid::from_byte_array(self.array()?))
    }

    fn compact_size(&mut self) -> Result<u64, ReadError> {
        match VarInt::consensus_decode(self) {
            Ok(VarInt(number)) => Ok(number),
            Err(encode::Error::Io(error)) => Err(self.failed(error.into())),
            Err(_) => Err(self.damaged("a number is not encoded in the shortest way")),
        }
    }

    /// The length of a list.
    fn count(&mut self) -> Result<u64, ReadError> {
        match self.compact_size()? {
            count @ ..=MAX_LISTED => Ok(count),
            _ => Err(self.damaged("a list is too long")),
        }
    }

    fn failed(&self, error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::EndsEarly(self.position),
            _ => ReadError::Io(error),
        }
    }

    fn no_transaction(&self, error: encode::Error) -> ReadError {
        match error {
            encode::Error::Io(error) => self.failed(error.into()),
            error => ReadError::Transaction {
                position: self.position,
                error,
            },
        }
    }

    fn damaged(&self, detail: &'static str) -> ReadError {
        ReadError::Damaged {
            position: self.position,
            detail,
        }
    }
}
