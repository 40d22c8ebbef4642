//! The figures of a set of coins, gathered coin by coin.

use std::fmt;
use std::str::FromStr;

use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::hex::{FromHex, HexToArrayError};
use bitcoin::{Amount, OutPoint, Script, Txid};

use super::{MuHash, coin_bytes};
use crate::Coin;

/// Bytes that `bogo_size` counts for a coin beside its script: transaction id, output number, height and
/// coinbase flag, amount, and the script's length.
const BOGO_BYTES: u64 = 32 + 4 + 4 + 8 + 2;

/// What a coin with this script adds to `CoinStats::bogo_size` (Bitcoin Core's `GetBogoSize`).
#[must_use]
pub fn bogo_size(script_pubkey: &Script) -> u64 {
    u64::try_from(script_pubkey.len())
        .unwrap_or(u64::MAX)
        .saturating_add(BOGO_BYTES)
}

/// Which hash of the set is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashKind {
    /// None.
    None,
    /// The double SHA-256 of all coins in the order of their outpoints (`hash_serialized_3`).
    Serialized,
    /// MuHash3072, which no order matters to.
    MuHash,
}

/// A hash of a set of coins. Shown as Bitcoin shows hashes: the last byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoinSetHash([u8; 32]);

impl CoinSetHash {
    /// All bits zero: no set's hash.
    pub const ZERO: Self = Self([0; 32]);

    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for CoinSetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .rev()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for CoinSetHash {
    type Err = HexToArrayError;

    /// Reads 64 hex digits, as they are shown.
    fn from_str(text: &str) -> Result<Self, HexToArrayError> {
        let mut bytes: [u8; 32] = FromHex::from_hex(text)?;
        bytes.reverse();
        Ok(Self(bytes))
    }
}

/// The figures of a set of coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoinStats {
    /// Coins.
    pub outputs: u64,
    /// Transactions that have any.
    pub transactions: u64,
    /// A measure of size that no database has a part in: 50 bytes and the script for each coin.
    pub bogo_size: u64,
    /// Their value; `None` when no amount can hold it.
    pub total_amount: Option<Amount>,
    /// Their hash, if one was asked for.
    pub hash: Option<CoinSetHash>,
}

/// Gathers the figures.
pub struct CoinStatsBuilder {
    stats: CoinStats,
    hasher: Hasher,
    last: Option<Txid>,
    /// The present coin's bytes.
    bytes: Vec<u8>,
}

enum Hasher {
    None,
    Serialized(<sha256d::Hash as Hash>::Engine),
    MuHash(Box<MuHash>),
}

impl CoinStatsBuilder {
    /// The figures of no coins.
    #[must_use]
    pub fn new(kind: HashKind) -> Self {
        Self {
            stats: CoinStats {
                outputs: 0,
                transactions: 0,
                bogo_size: 0,
                total_amount: Some(Amount::ZERO),
                hash: None,
            },
            hasher: match kind {
                HashKind::None => Hasher::None,
                HashKind::Serialized => Hasher::Serialized(sha256d::Hash::engine()),
                HashKind::MuHash => Hasher::MuHash(Box::default()),
            },
            last: None,
            bytes: Vec::new(),
        }
    }

    /// Adds a coin. They come in the order of the bytes of their transactions' ids, and within a
    /// transaction in that of their numbers.
    pub fn add(&mut self, outpoint: &OutPoint, coin: &Coin) {
        let stats = &mut self.stats;
        stats.outputs = stats.outputs.saturating_add(1);
        if self.last != Some(outpoint.txid) {
            stats.transactions = stats.transactions.saturating_add(1);
            self.last = Some(outpoint.txid);
        }
        stats.bogo_size = stats
            .bogo_size
            .saturating_add(bogo_size(&coin.output.script_pubkey));
        stats.total_amount = stats
            .total_amount
            .and_then(|total| total.checked_add(coin.output.value));
        match &mut self.hasher {
            Hasher::None => {}
            Hasher::Serialized(engine) => {
                coin_bytes(outpoint, coin, &mut self.bytes);
                engine.input(&self.bytes);
            }
            Hasher::MuHash(set) => {
                coin_bytes(outpoint, coin, &mut self.bytes);
                set.insert(&self.bytes);
            }
        }
    }

    /// The figures of the coins that were added.
    #[must_use]
    pub fn finish(self) -> CoinStats {
        let hash = match self.hasher {
            Hasher::None => None,
            Hasher::Serialized(engine) => Some(CoinSetHash::new(
                sha256d::Hash::from_engine(engine).to_byte_array(),
            )),
            Hasher::MuHash(set) => Some(set.hash()),
        };
        CoinStats { hash, ..self.stats }
    }
}

impl fmt::Debug for CoinStatsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoinStatsBuilder")
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
