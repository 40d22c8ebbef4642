//! Bitcoin Core's file of a set of coins: a head that names the chain and the block, then the coins of one
//! transaction after the other.
//!
//! Reading never takes more memory than one coin, whatever the bytes say.

use std::io::{ErrorKind, Read};

use pyrite_consensus::bitcoin::consensus::encode::{VarInt, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, BlockHash, OutPoint, TxOut, Txid};
use pyrite_consensus::{Coin, Height};

use super::compress::{compress_amount, decompress_amount, put_script, read_script};
use super::varint::{put_varint, read_array, read_varint};

/// What a file begins with.
const FILE_MAGIC: [u8; 5] = *b"utxo\xff";
/// The version of the format.
const VERSION: u16 = 2;
/// No count and no output's number is larger (Bitcoin Core's `MAX_SIZE`).
const MAX_COMPACT_SIZE: u64 = 0x0200_0000;

/// Bytes of a head.
pub(crate) const HEAD_BYTES: usize = 51;

/// Why bytes are not a file of coins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// They end before the file does.
    #[error("the file ends too early")]
    Truncated,
    /// They can't be read.
    #[error("the file can't be read: {0}")]
    Io(String),
    /// It is no such file.
    #[error(
        "Invalid UTXO set snapshot magic bytes. Please check if this is indeed a snapshot file or if you are using \
         an outdated snapshot format."
    )]
    Magic,
    /// It has another version.
    #[error("Version of snapshot {0} does not match any of the supported versions.")]
    Version(u16),
    /// It belongs to another chain that we know.
    #[error(
        "The network of the snapshot ({found}) does not match the network of this node ({expected})."
    )]
    OtherNetwork {
        /// The chain's name.
        found: String,
        /// Our chain's name.
        expected: String,
    },
    /// It belongs to another chain.
    #[error(
        "This snapshot has been created for an unrecognized network. This could be a custom signet, a new testnet or \
         possibly caused by data corruption."
    )]
    UnknownNetwork,
    /// A number is larger than it may be.
    #[error("a number is too large")]
    NumberTooLarge,
    /// A number has a shorter encoding.
    #[error("a number is not in its shortest form")]
    NotCanonical,
    /// A transaction has no coins.
    #[error("a transaction without coins")]
    NoCoins,
    /// A script is longer than any that can be spent.
    #[error("a script is too long")]
    ScriptTooLong,
    /// What should be a public key's first half is none.
    #[error("a public key that is none")]
    NotAKey,
    /// An amount is above all money.
    #[error("an amount above all money")]
    Amount,
}

impl From<std::io::Error> for FormatError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error.to_string()),
        }
    }
}

/// The head of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The chain's magic.
    pub magic: [u8; 4],
    /// The block whose coins they are.
    pub base: BlockHash,
    /// How many coins there are.
    pub coins: u64,
}

impl SnapshotHead {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..5].copy_from_slice(&FILE_MAGIC);
        bytes[5..7].copy_from_slice(&VERSION.to_le_bytes());
        bytes[7..11].copy_from_slice(&self.magic);
        bytes[11..43].copy_from_slice(self.base.as_byte_array());
        bytes[43..].copy_from_slice(&self.coins.to_le_bytes());
        bytes
    }

    /// Reads a head, of any chain.
    ///
    /// # Errors
    /// It is not the head of such a file, or of another version.
    pub fn read(input: &mut impl Read) -> Result<Self, FormatError> {
        if read_array(input)? != FILE_MAGIC {
            return Err(FormatError::Magic);
        }
        let version = u16::from_le_bytes(read_array(input)?);
        if version != VERSION {
            return Err(FormatError::Version(version));
        }
        Ok(Self {
            magic: read_array(input)?,
            base: BlockHash::from_byte_array(read_array(input)?),
            coins: u64::from_le_bytes(read_array(input)?),
        })
    }
}

/// Puts coins into bytes, a transaction's together.
#[derive(Debug, Default)]
pub(super) struct CoinWriter {
    txid: Option<Txid>,
    coins: Vec<(u32, Coin)>,
}

impl CoinWriter {
    /// Takes a coin; appends those of the transaction before it, if this is one of another. Coins come in
    /// the order of their transactions' ids and of their numbers.
    pub(super) fn add(&mut self, outpoint: &OutPoint, coin: &Coin, bytes: &mut Vec<u8>) {
        if self.txid != Some(outpoint.txid) {
            self.finish(bytes);
            self.txid = Some(outpoint.txid);
        }
        self.coins.push((outpoint.vout, coin.clone()));
    }

    /// Appends what is left.
    pub(super) fn finish(&mut self, bytes: &mut Vec<u8>) {
        let Some(txid) = self.txid.take() else {
            return;
        };
        // Bitcoin Core has them in the order of their keys' bytes. It is that of the numbers but for
        // transactions with more than 16,511 outputs.
        let mut coins: Vec<_> = std::mem::take(&mut self.coins)
            .into_iter()
            .map(|(vout, coin)| {
                let mut key = Vec::new();
                put_varint(vout.into(), &mut key);
                (key, vout, coin)
            })
            .collect();
        coins.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));

        bytes.extend(txid.to_byte_array());
        bytes.extend(serialize(&VarInt::from(coins.len())));
        for (_, vout, coin) in &coins {
            bytes.extend(serialize(&VarInt::from(*vout)));
            put_coin(coin, bytes);
        }
    }
}

fn put_coin(coin: &Coin, bytes: &mut Vec<u8>) {
    let code = u64::from(coin.height.0) * 2 + u64::from(coin.is_coinbase);
    put_varint(code, bytes);
    put_varint(compress_amount(coin.output.value.to_sat()), bytes);
    put_script(&coin.output.script_pubkey, bytes);
}

/// Reads coins one by one.
#[derive(Debug)]
pub(super) struct CoinStream<R> {
    input: R,
    txid: Txid,
    /// Coins that the transaction still has.
    left: u64,
}

impl<R: Read> CoinStream<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            txid: Txid::all_zeros(),
            left: 0,
        }
    }

    /// Coins that the present transaction still has.
    pub(super) fn left_of_transaction(&self) -> u64 {
        self.left
    }

    /// Begins the next transaction, where the present one has no more coins.
    pub(super) fn begin(&mut self) -> Result<(), FormatError> {
        if self.left == 0 {
            self.txid = Txid::from_byte_array(read_array(&mut self.input)?);
            self.left = read_compact_size(&mut self.input)?;
            if self.left == 0 {
                return Err(FormatError::NoCoins);
            }
        }
        Ok(())
    }

    /// The next coin of the transaction.
    pub(super) fn coin(&mut self) -> Result<(OutPoint, Coin), FormatError> {
        let vout = read_compact_size(&mut self.input)?;
        let vout = u32::try_from(vout).map_err(|_| FormatError::NumberTooLarge)?;
        let coin = read_coin(&mut self.input)?;
        self.left = self.left.saturating_sub(1);
        let txid = self.txid;
        Ok((OutPoint { txid, vout }, coin))
    }

    /// Whether there are no more bytes.
    pub(super) fn is_at_end(&mut self) -> Result<bool, FormatError> {
        match read_array::<1>(&mut self.input) {
            Ok(_) => Ok(false),
            Err(FormatError::Truncated) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn read_coin(input: &mut impl Read) -> Result<Coin, FormatError> {
    let code = read_varint(input, u32::MAX.into())?;
    let height = u32::try_from(code / 2).map_err(|_| FormatError::NumberTooLarge)?;
    let number = read_varint(input, u64::MAX)?;
    let script_pubkey = read_script(input)?;
    let value = decompress_amount(number)
        .map(Amount::from_sat)
        .filter(|value| *value <= Amount::MAX_MONEY)
        .ok_or(FormatError::Amount)?;
    Ok(Coin {
        output: TxOut {
            value,
            script_pubkey,
        },
        height: Height(height),
        is_coinbase: code % 2 == 1,
    })
}

/// Reads a number in Bitcoin's `CompactSize`, bounded as Bitcoin Core's `ReadCompactSize`.
fn read_compact_size(input: &mut impl Read) -> Result<u64, FormatError> {
    let (number, least) = match read_array::<1>(input)?[0] {
        small @ 0..0xfd => (small.into(), 0),
        0xfd => (u16::from_le_bytes(read_array(input)?).into(), 0xfd),
        0xfe => (u32::from_le_bytes(read_array(input)?).into(), 0x1_0000),
        0xff => (u64::from_le_bytes(read_array(input)?), 0x1_0000_0000),
    };
    if number < least {
        return Err(FormatError::NotCanonical);
    }
    if number > MAX_COMPACT_SIZE {
        return Err(FormatError::NumberTooLarge);
    }
    Ok(number)
}

#[cfg(test)]
mod tests;
