//! Questions to the index of addresses: balances, histories and unspent outputs, page by page.
//!
//! Answers about several scripts are in one order, that of the chain. A page names the place of its last
//! entry, and the next page begins behind it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Script, Txid};
use pyrite_storage::schema::Meta;
use pyrite_storage::{KeyCodec, MetaKey, Snapshot, StorageError, Table};

use crate::index::{History, HistoryKey, Summaries, UnspentKey, UnspentOutputs};
use crate::script_id::ScriptId;
use crate::{IndexError, Indexes};

/// What scripts received and have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What they have.
    pub balance_sat: u128,
    /// What they received, spent since or not.
    pub received_sat: u128,
    /// The last block that it takes account of; `None` before the genesis block.
    pub at: Option<(Height, BlockHash)>,
}

/// An output that a script received, or an input that spent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Which of the scripts that were asked for, by its place among them.
    pub script: usize,
    /// The transaction.
    pub txid: Txid,
    /// The height of its block.
    pub height: Height,
    /// Its place among the block's transactions.
    pub position: u32,
    /// The number of the output, or of the input.
    pub number: u32,
    /// What was received; negative for what was spent.
    pub amount_sat: i128,
}

/// An unspent output of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unspent {
    /// Which of the scripts that were asked for, by its place among them.
    pub script: usize,
    /// The output.
    pub outpoint: OutPoint,
    /// The height of its block.
    pub height: Height,
    /// Its value.
    pub amount_sat: u64,
    /// Whether it is a coinbase's.
    pub is_coinbase: bool,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<PageCursor>,
    /// The last block that it takes account of; `None` before the genesis block.
    pub at: Option<(Height, BlockHash)>,
}

/// A place between two entries of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor(Vec<u8>);

impl PageCursor {
    /// Reads what `as_bytes` gave. Whether it fits the question shows when it is used.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes that stand for the place.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key at this place, if it were the script's.
    fn key<K: KeyCodec>(&self, script: ScriptId) -> Result<K, IndexError> {
        let bytes = [&script.0[..], &self.0].concat();
        K::decode(&bytes).map_err(|_| IndexError::BadCursor)
    }

    /// The place of a key.
    fn of<K: KeyCodec>(key: &K) -> Self {
        let bytes = key.encode();
        Self(bytes.as_ref().iter().skip(32).copied().collect())
    }
}

/// A key that begins with a script, and orders what belongs to it.
trait ScriptKey: KeyCodec + Ord + Copy {
    fn first(script: ScriptId, height: Height) -> Self;
    fn script(&self) -> ScriptId;
    fn height(&self) -> Height;
    /// The same for every script, so that it orders the entries of several.
    fn place(&self) -> Self;
}

impl ScriptKey for HistoryKey {
    fn first(script: ScriptId, height: Height) -> Self {
        Self {
            script,
            height,
            position: 0,
            side: crate::index::Side::Input,
            number: 0,
        }
    }

    fn script(&self) -> ScriptId {
        self.script
    }

    fn height(&self) -> Height {
        self.height
    }

    fn place(&self) -> Self {
        Self {
            script: ScriptId([0; 32]),
            ..*self
        }
    }
}

impl ScriptKey for UnspentKey {
    fn first(script: ScriptId, height: Height) -> Self {
        Self {
            script,
            height,
            outpoint: OutPoint {
                txid: Txid::from_raw_hash(pyrite_consensus::bitcoin::hashes::Hash::all_zeros()),
                vout: 0,
            },
        }
    }

    fn script(&self) -> ScriptId {
        self.script
    }

    fn height(&self) -> Height {
        self.height
    }

    fn place(&self) -> Self {
        Self {
            script: ScriptId([0; 32]),
            ..*self
        }
    }
}

impl Indexes {
    /// What scripts received and have together. A script that is named twice counts once.
    ///
    /// # Errors
    /// The index of addresses is off, or can't be read.
    pub fn balance(&self, scripts: &[&Script]) -> Result<Balance, IndexError> {
        let database = self.addresses()?.open()?;
        let snapshot = database.snapshot();
        let (mut received, mut spent) = (0_u128, 0_u128);
        let ids: BTreeSet<ScriptId> = scripts.iter().map(|script| ScriptId::of(script)).collect();
        for id in ids {
            if let Some(summary) = snapshot.get::<Summaries>(&id)? {
                received = received.saturating_add(summary.received_sat);
                spent = spent.saturating_add(summary.spent_sat);
            }
        }
        Ok(Balance {
            balance_sat: received
                .checked_sub(spent)
                .ok_or_else(|| IndexError::inconsistent("a script spent more than it received"))?,
            received_sat: received,
            at: self.seen(&snapshot)?,
        })
    }

    /// Up to `limit` entries of the histories of scripts, in blocks of these heights, behind `after`.
    ///
    /// # Errors
    /// The index of addresses is off, or can't be read; or `after` is of another question.
    pub fn history(
        &self,
        scripts: &[&Script],
        heights: RangeInclusive<u32>,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<HistoryEntry>, IndexError> {
        let database = self.addresses()?.open()?;
        let snapshot = database.snapshot();
        let mut entries = Vec::new();
        let mut next = None;
        let mut last = None;
        for record in Merge::<History>::new(&snapshot, scripts, &heights, after)? {
            let (script, key, value) = record?;
            if entries.len() >= limit {
                next = last.as_ref().map(PageCursor::of::<HistoryKey>);
                break;
            }
            let amount = i128::from(value.amount_sat);
            entries.push(HistoryEntry {
                script,
                txid: value.txid,
                height: key.height,
                position: key.position,
                number: key.number,
                amount_sat: match key.side {
                    crate::index::Side::Output => amount,
                    crate::index::Side::Input => -amount,
                },
            });
            last = Some(key);
        }
        Ok(Page {
            entries,
            next,
            at: self.seen(&snapshot)?,
        })
    }

    /// Up to `limit` transactions of the histories of scripts, in blocks of these heights, behind `after`,
    /// each once.
    ///
    /// # Errors
    /// As `history`.
    pub fn history_transactions(
        &self,
        scripts: &[&Script],
        heights: RangeInclusive<u32>,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<(Height, Txid)>, IndexError> {
        let database = self.addresses()?.open()?;
        let snapshot = database.snapshot();
        let mut entries = Vec::new();
        let mut next = None;
        let mut last: Option<HistoryKey> = None;
        for record in Merge::<History>::new(&snapshot, scripts, &heights, after)? {
            let (_, key, value) = record?;
            let is_known =
                last.is_some_and(|last| (last.height, last.position) == (key.height, key.position));
            if !is_known {
                if entries.len() >= limit {
                    next = last.as_ref().map(PageCursor::of::<HistoryKey>);
                    break;
                }
                entries.push((key.height, value.txid));
            }
            last = Some(key);
        }
        Ok(Page {
            entries,
            next,
            at: self.seen(&snapshot)?,
        })
    }

    /// Up to `limit` unspent outputs of scripts, behind `after`.
    ///
    /// # Errors
    /// The index of addresses is off, or can't be read; or `after` is of another question.
    pub fn unspent(
        &self,
        scripts: &[&Script],
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Unspent>, IndexError> {
        let database = self.addresses()?.open()?;
        let snapshot = database.snapshot();
        let mut entries = Vec::new();
        let mut next = None;
        let mut last = None;
        for record in Merge::<UnspentOutputs>::new(&snapshot, scripts, &(0..=u32::MAX), after)? {
            let (script, key, value) = record?;
            if entries.len() >= limit {
                next = last.as_ref().map(PageCursor::of::<UnspentKey>);
                break;
            }
            entries.push(Unspent {
                script,
                outpoint: key.outpoint,
                height: key.height,
                amount_sat: value.amount_sat,
                is_coinbase: value.is_coinbase,
            });
            last = Some(key);
        }
        Ok(Page {
            entries,
            next,
            at: self.seen(&snapshot)?,
        })
    }

    /// The last block that the index of addresses had seen.
    fn seen(&self, snapshot: &Snapshot<'_>) -> Result<Option<(Height, BlockHash)>, IndexError> {
        let hash = snapshot
            .get::<Meta>(&MetaKey::Tip)?
            .and_then(|tip| tip.as_block());
        let info = hash.and_then(|hash| self.chain().header(&hash));
        Ok(info.map(|info| (info.height, info.hash)))
    }
}

type Record<T> = (<T as Table>::Key, <T as Table>::Value);

/// The records of several scripts, in the order of the chain.
struct Merge<'a, T: Table> {
    sources: Vec<Source<'a, T>>,
}

/// The records of one script.
struct Source<'a, T: Table> {
    /// Its place among those that were asked for.
    script: usize,
    records: Box<dyn Iterator<Item = Result<Record<T>, StorageError>> + 'a>,
    head: Option<Record<T>>,
}

impl<'a, T: Table + 'a> Merge<'a, T>
where
    T::Key: ScriptKey,
{
    fn new(
        snapshot: &'a Snapshot<'a>,
        scripts: &[&Script],
        heights: &RangeInclusive<u32>,
        after: Option<&PageCursor>,
    ) -> Result<Self, IndexError> {
        let mut sources = Vec::with_capacity(scripts.len());
        let mut known = BTreeSet::new();
        let last = Height(*heights.end());
        for (script, id) in scripts
            .iter()
            .map(|script| ScriptId::of(script))
            .enumerate()
        {
            if !known.insert(id) {
                continue;
            }
            let first = T::Key::first(id, Height(*heights.start()));
            let behind = after.map(|after| after.key::<T::Key>(id)).transpose()?;
            let from = behind.map_or(first, |key| key.max(first));
            let records = snapshot
                .scan_from::<T>(&from)
                .skip_while(move |record| {
                    record.as_ref().is_ok_and(|(key, _)| Some(*key) == behind)
                })
                .take_while(move |record| {
                    record
                        .as_ref()
                        .map_or(true, |(key, _)| key.script() == id && key.height() <= last)
                });
            let mut source = Source {
                script,
                records: Box::new(records),
                head: None,
            };
            source.advance()?;
            sources.push(source);
        }
        Ok(Self { sources })
    }
}

impl<T: Table> Source<'_, T> {
    fn advance(&mut self) -> Result<(), StorageError> {
        self.head = self.records.next().transpose()?;
        Ok(())
    }
}

impl<T: Table> Iterator for Merge<'_, T>
where
    T::Key: ScriptKey,
{
    type Item = Result<(usize, T::Key, T::Value), IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = self
            .sources
            .iter_mut()
            .filter(|source| source.head.is_some())
            .min_by_key(|source| source.head.as_ref().map(|(key, _)| key.place()))?;
        let (key, value) = source.head.take()?;
        if let Err(error) = source.advance() {
            return Some(Err(error.into()));
        }
        Some(Ok((source.script, key, value)))
    }
}
