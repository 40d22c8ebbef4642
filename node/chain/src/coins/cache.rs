//! Coins in memory, over those of the database. What changed since the last flush is kept until the
//! next one; what was read or flushed is kept as long as there is room.

use std::collections::hash_map::Entry;

use pyrite_consensus::bitcoin::OutPoint;
use pyrite_consensus::{Coin, OutPointMap};
use pyrite_storage::Batch;

use super::CoinsTable;

/// At least, and at most, so many bytes of changes wait for a flush: it is one batch, which is in memory
/// a second time while it is written.
const CHANGES_BYTES: std::ops::RangeInclusive<usize> = (4 << 20)..=(64 << 20);

/// What a script's bytes take beside themselves, about.
const ALLOCATION_BYTES: usize = 16;

/// What is known of a coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lookup<'a> {
    /// It exists.
    Unspent(&'a Coin),
    /// It does not exist.
    Absent,
    /// The database knows.
    NotCached,
}

/// A coin that is not as it is in the database.
#[derive(Debug)]
struct Change {
    /// `None`: spent.
    coin: Option<Coin>,
    /// Whether the database has no coin at this place: spent before the flush, the coin never gets there.
    is_new: bool,
}

/// The cache. The writer changes it; whoever reads takes what is not here from the database as it was at
/// the last flush.
#[derive(Debug)]
pub(crate) struct CoinsCache {
    table: CoinsTable,
    changes: Coins<Change>,
    /// Coins as they are in the database, those used last…
    recent: Coins<Coin>,
    /// …and those before. Dropped as a whole when there is no room.
    older: Coins<Coin>,
    changes_bound: usize,
    generation_bound: usize,
}

impl CoinsCache {
    /// An empty cache over the first table that takes `bytes` of memory at most, about.
    #[cfg(test)]
    pub(crate) fn new(bytes: usize) -> Self {
        Self::over(CoinsTable::First, bytes)
    }

    /// An empty cache over a table that takes `bytes` of memory at most, about.
    pub(crate) fn over(table: CoinsTable, bytes: usize) -> Self {
        let changes_bound = (bytes / 4).clamp(*CHANGES_BYTES.start(), *CHANGES_BYTES.end());
        Self {
            table,
            changes: Coins::default(),
            recent: Coins::default(),
            older: Coins::default(),
            changes_bound,
            generation_bound: bytes.saturating_sub(changes_bound) / 2,
        }
    }

    /// The table that has what is not here.
    pub(crate) fn table(&self) -> CoinsTable {
        self.table
    }

    /// Lets it take more memory than before.
    pub(crate) fn grow(&mut self, bytes: usize) {
        let grown = Self::over(self.table, bytes);
        self.changes_bound = grown.changes_bound;
        self.generation_bound = grown.generation_bound;
    }

    fn get(&self, outpoint: &OutPoint) -> Lookup<'_> {
        if let Some(change) = self.changes.map.get(outpoint) {
            return change.coin.as_ref().map_or(Lookup::Absent, Lookup::Unspent);
        }
        let known = self
            .recent
            .map
            .get(outpoint)
            .or_else(|| self.older.map.get(outpoint));
        known.map_or(Lookup::NotCached, Lookup::Unspent)
    }

    /// Those of the coins that exist as far as is known here, and what only the database knows.
    pub(crate) fn look_up(&self, outpoints: &[OutPoint]) -> (OutPointMap<Coin>, Vec<OutPoint>) {
        let mut known = OutPointMap::default();
        known.reserve(outpoints.len());
        let mut missing = Vec::new();
        for outpoint in outpoints {
            match self.get(outpoint) {
                Lookup::Unspent(coin) => {
                    known.insert(*outpoint, coin.clone());
                }
                Lookup::Absent => {}
                Lookup::NotCached => missing.push(*outpoint),
            }
        }
        (known, missing)
    }

    /// Notes a coin that was read from the database.
    pub(crate) fn insert_read(&mut self, outpoint: OutPoint, coin: Coin) {
        if self.recent.is_full(self.generation_bound) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(outpoint, coin);
    }

    /// Makes room for so many more changes at once.
    pub(crate) fn reserve(&mut self, changes: usize) {
        self.changes.map.reserve(changes);
    }

    /// Adds a coin.
    pub(crate) fn create(&mut self, outpoint: OutPoint, coin: Coin) {
        // Only a coinbase can overwrite a coin that exists: those of Bitcoin that BIP-0030 lets stand.
        let is_new = !coin.is_coinbase;
        if !is_new {
            self.forget_read(&outpoint);
        }
        let Coins { map, heap_bytes } = &mut self.changes;
        *heap_bytes += coin.heap_bytes();
        match map.entry(outpoint) {
            Entry::Occupied(mut change) => {
                *heap_bytes -= change.get().heap_bytes();
                change.get_mut().coin = Some(coin);
            }
            Entry::Vacant(place) => {
                place.insert(Change {
                    is_new,
                    coin: Some(coin),
                });
            }
        }
    }

    /// Removes a coin.
    pub(crate) fn spend(&mut self, outpoint: &OutPoint) {
        self.forget_read(outpoint);
        let Coins { map, heap_bytes } = &mut self.changes;
        match map.entry(*outpoint) {
            Entry::Occupied(mut change) => {
                *heap_bytes -= change.get().heap_bytes();
                if change.get().is_new {
                    change.remove();
                } else {
                    change.get_mut().coin = None;
                }
            }
            Entry::Vacant(place) => {
                place.insert(Change {
                    coin: None,
                    is_new: false,
                });
            }
        }
    }

    /// Whether so much has changed that it should be flushed.
    pub(crate) fn is_full(&self) -> bool {
        self.changes.is_full(self.changes_bound)
    }

    /// Adds what has changed since the last flush to a batch.
    pub(crate) fn put_changes(&self, batch: &mut Batch<'_>) {
        for (outpoint, coin) in self.changes() {
            match coin {
                Some(coin) => self.table.put(batch, outpoint, coin),
                None => self.table.delete(batch, outpoint),
            }
        }
    }

    /// What has changed since the last flush: each coin as it is now, `None` for one that is gone.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&OutPoint, Option<&Coin>)> {
        self.changes
            .map
            .iter()
            .map(|(outpoint, change)| (outpoint, change.coin.as_ref()))
    }

    /// The database has taken the changes.
    pub(crate) fn flushed(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        for (outpoint, change) in changes.map {
            if let Some(coin) = change.coin {
                self.insert_read(outpoint, coin);
            }
        }
    }

    /// Bytes in memory, about.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.changes.bytes() + self.recent.bytes() + self.older.bytes()
    }

    fn forget_read(&mut self, outpoint: &OutPoint) {
        self.recent.remove(outpoint);
        self.older.remove(outpoint);
    }
}

/// A map that knows how much memory it takes.
#[derive(Debug)]
struct Coins<T> {
    map: OutPointMap<T>,
    /// What the values take beside the map's own places.
    heap_bytes: usize,
}

impl<T> Default for Coins<T> {
    fn default() -> Self {
        Self {
            map: OutPointMap::default(),
            heap_bytes: 0,
        }
    }
}

impl<T: HeapBytes> Coins<T> {
    fn insert(&mut self, outpoint: OutPoint, value: T) {
        self.heap_bytes += value.heap_bytes();
        if let Some(former) = self.map.insert(outpoint, value) {
            self.heap_bytes -= former.heap_bytes();
        }
    }

    fn remove(&mut self, outpoint: &OutPoint) {
        if let Some(former) = self.map.remove(outpoint) {
            self.heap_bytes -= former.heap_bytes();
        }
    }

    /// Whether one more entry may need more than `bound` bytes.
    fn is_full(&self, bound: usize) -> bool {
        let growth = if self.map.len() < self.map.capacity() {
            1
        } else {
            2
        };
        self.table_bytes() * growth + self.heap_bytes >= bound
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.table_bytes() + self.heap_bytes
    }

    fn table_bytes(&self) -> usize {
        // Seven of eight places are used, and each has a byte of its own beside the entry.
        let places = self.map.capacity().div_ceil(7) * 8;
        places * (size_of::<(OutPoint, T)>() + 1)
    }
}

trait HeapBytes {
    fn heap_bytes(&self) -> usize;
}

impl HeapBytes for Coin {
    fn heap_bytes(&self) -> usize {
        match self.output.script_pubkey.len() {
            0 => 0,
            bytes => bytes + ALLOCATION_BYTES,
        }
    }
}

impl HeapBytes for Change {
    fn heap_bytes(&self) -> usize {
        self.coin.as_ref().map_or(0, Coin::heap_bytes)
    }
}

#[cfg(test)]
mod tests;
