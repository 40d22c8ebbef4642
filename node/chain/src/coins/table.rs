//! The two tables of coins. One has those of the best chain's tip. The other is empty, or is being filled from a
//! file, or has the coins of the chain that is validated in the background; one atomic batch swaps them.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::OutPoint;
use pyrite_storage::schema::{Coins, Meta, SecondCoins};
use pyrite_storage::{Batch, Database, MetaKey, MetaValue, Snapshot, StorageError};

use crate::ChainError;

/// What a walk through a table yields.
type Records<'a> = Box<dyn Iterator<Item = Result<(OutPoint, Coin), StorageError>> + 'a>;

/// One of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CoinsTable {
    /// The one that a chain begins with.
    #[default]
    First,
    /// The other one.
    Second,
}

impl CoinsTable {
    /// The table of the best chain's tip, as a snapshot has it.
    pub(crate) fn of_tip(snapshot: &Snapshot<'_>) -> Result<Self, ChainError> {
        match snapshot.get::<Meta>(&MetaKey::CoinsTable)? {
            None | Some(MetaValue::Number(0)) => Ok(Self::First),
            Some(MetaValue::Number(1)) => Ok(Self::Second),
            Some(other) => Err(ChainError::corrupt(format!(
                "{other:?} where the number of the table of coins should be"
            ))),
        }
    }

    /// What the database keeps of the choice.
    pub(crate) fn value(self) -> MetaValue {
        MetaValue::Number(match self {
            Self::First => 0,
            Self::Second => 1,
        })
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    pub(crate) fn multi_get(
        self,
        snapshot: &Snapshot<'_>,
        outpoints: &[OutPoint],
    ) -> Result<Vec<Option<Coin>>, StorageError> {
        match self {
            Self::First => snapshot.multi_get::<Coins>(outpoints),
            Self::Second => snapshot.multi_get::<SecondCoins>(outpoints),
        }
    }

    /// All coins, in the order of the bytes of the transactions' ids and then of the outputs' numbers.
    pub(crate) fn scan<'a>(self, snapshot: &'a Snapshot<'a>) -> Records<'a> {
        match self {
            Self::First => Box::new(snapshot.scan::<Coins>()),
            Self::Second => Box::new(snapshot.scan::<SecondCoins>()),
        }
    }

    /// The coins behind one, or all, as they are now.
    pub(crate) fn scan_after(self, database: &Database, after: Option<OutPoint>) -> Records<'_> {
        match (self, after) {
            (Self::First, None) => Box::new(database.scan::<Coins>()),
            (Self::Second, None) => Box::new(database.scan::<SecondCoins>()),
            (Self::First, Some(outpoint)) => Box::new(database.scan_after::<Coins>(&outpoint)),
            (Self::Second, Some(outpoint)) => {
                Box::new(database.scan_after::<SecondCoins>(&outpoint))
            }
        }
    }

    pub(crate) fn put(self, batch: &mut Batch<'_>, outpoint: &OutPoint, coin: &Coin) {
        match self {
            Self::First => batch.put::<Coins>(outpoint, coin),
            Self::Second => batch.put::<SecondCoins>(outpoint, coin),
        }
    }

    pub(crate) fn delete(self, batch: &mut Batch<'_>, outpoint: &OutPoint) {
        match self {
            Self::First => batch.delete::<Coins>(outpoint),
            Self::Second => batch.delete::<SecondCoins>(outpoint),
        }
    }

    /// Bytes on disk, about.
    pub(crate) fn bytes(self, database: &Database) -> Result<u64, StorageError> {
        match self {
            Self::First => database.table_bytes::<Coins>(),
            Self::Second => database.table_bytes::<SecondCoins>(),
        }
    }

    /// Removes all of its coins, if there are any.
    pub(crate) fn clear(self, database: &Database) -> Result<(), StorageError> {
        if self.scan_after(database, None).next().is_none() {
            return Ok(());
        }
        match self {
            Self::First => database.clear::<Coins>(),
            Self::Second => database.clear::<SecondCoins>(),
        }
    }
}
