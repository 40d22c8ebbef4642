//! What each script received and spent: its history, its unspent outputs and its sums.
//!
//! Outputs that never become coins are left out: nobody has them.

use std::collections::HashMap;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Script, Txid};
use pyrite_consensus::coin::is_unspendable;
use pyrite_storage::schema::Access;
use pyrite_storage::{
    Batch, CodecError, Database, KeyCodec, Memory, Schema, Snapshot, Table, TableInfo, ValueCodec,
};

use super::{Index, WayBack};
use crate::IndexError;
use crate::block::{IndexedBlock, IndexedTransaction};
use crate::clear::clear_table;
use crate::digest::{TableDigest, table_digest};
use crate::fields::{Fields, key_of};
use crate::script_id::ScriptId;

pub(crate) static SCHEMA: Schema = Schema {
    version: 1,
    tables: &[
        TableInfo::of::<History>(1),
        TableInfo::of::<UnspentOutputs>(1),
        TableInfo::of::<Summaries>(1),
    ],
    migrations: &[],
    memory: Memory::INDEX,
};

/// Every output that a script received, and every input that spent one.
pub(crate) enum History {}

impl Table for History {
    const NAME: &'static str = "history";
    const ACCESS: Access = Access::Scan;
    type Key = HistoryKey;
    type Value = HistoryValue;
}

/// The unspent outputs of each script.
pub(crate) enum UnspentOutputs {}

impl Table for UnspentOutputs {
    const NAME: &'static str = "unspent";
    const ACCESS: Access = Access::Scan;
    type Key = UnspentKey;
    type Value = UnspentValue;
}

/// The sums of each script.
pub(crate) enum Summaries {}

impl Table for Summaries {
    const NAME: &'static str = "summaries";
    const ACCESS: Access = Access::Point;
    type Key = ScriptId;
    type Value = Summary;
}

/// Whether an entry of a history is an input or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Input,
    Output,
}

/// An entry of a history. What is behind the script is the order of histories: by height, then by the
/// transaction's place in its block, inputs before outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HistoryKey {
    pub(crate) script: ScriptId,
    pub(crate) height: Height,
    pub(crate) position: u32,
    pub(crate) side: Side,
    /// The input's or output's number.
    pub(crate) number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HistoryValue {
    pub(crate) txid: Txid,
    pub(crate) amount_sat: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnspentKey {
    pub(crate) script: ScriptId,
    pub(crate) height: Height,
    pub(crate) outpoint: OutPoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnspentValue {
    pub(crate) amount_sat: u64,
    pub(crate) is_coinbase: bool,
}

/// The sums of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) received_sat: u128,
    pub(crate) spent_sat: u128,
    /// Entries of its history; a script without any has no record.
    pub(crate) entries: u64,
}

impl KeyCodec for ScriptId {
    type Bytes = [u8; 32];

    fn encode(&self) -> Self::Bytes {
        self.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let id = Self(fields.array()?);
        fields.finish()?;
        Ok(id)
    }
}

impl KeyCodec for HistoryKey {
    type Bytes = [u8; 45];

    fn encode(&self) -> Self::Bytes {
        key_of(&[
            &self.script.0,
            &self.height.0.to_be_bytes(),
            &self.position.to_be_bytes(),
            &[u8::from(self.side == Side::Output)],
            &self.number.to_be_bytes(),
        ])
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let key = Self {
            script: ScriptId(fields.array()?),
            height: fields.height()?,
            position: fields.u32()?,
            side: if fields.flag()? {
                Side::Output
            } else {
                Side::Input
            },
            number: fields.u32()?,
        };
        fields.finish()?;
        Ok(key)
    }
}

impl ValueCodec for HistoryValue {
    fn encode(&self) -> Vec<u8> {
        [self.txid.as_ref(), &self.amount_sat.to_be_bytes()[..]].concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let value = Self {
            txid: fields.txid()?,
            amount_sat: fields.u64()?,
        };
        fields.finish()?;
        Ok(value)
    }
}

impl KeyCodec for UnspentKey {
    type Bytes = [u8; 72];

    fn encode(&self) -> Self::Bytes {
        key_of(&[
            &self.script.0,
            &self.height.0.to_be_bytes(),
            self.outpoint.txid.as_ref(),
            &self.outpoint.vout.to_be_bytes(),
        ])
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let key = Self {
            script: ScriptId(fields.array()?),
            height: fields.height()?,
            outpoint: fields.outpoint()?,
        };
        fields.finish()?;
        Ok(key)
    }
}

impl ValueCodec for UnspentValue {
    fn encode(&self) -> Vec<u8> {
        [
            &self.amount_sat.to_be_bytes()[..],
            &[u8::from(self.is_coinbase)],
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let value = Self {
            amount_sat: fields.u64()?,
            is_coinbase: fields.flag()?,
        };
        fields.finish()?;
        Ok(value)
    }
}

impl ValueCodec for Summary {
    fn encode(&self) -> Vec<u8> {
        [
            &self.received_sat.to_be_bytes()[..],
            &self.spent_sat.to_be_bytes(),
            &self.entries.to_be_bytes(),
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::new(bytes);
        let summary = Self {
            received_sat: fields.u128()?,
            spent_sat: fields.u128()?,
            entries: fields.u64()?,
        };
        fields.finish()?;
        Ok(summary)
    }
}

impl Summary {
    /// Counts an entry of a history, or counts it no more.
    fn count(&mut self, side: Side, amount_sat: u64, direction: Direction) -> Option<()> {
        let amount = u128::from(amount_sat);
        let sum = match side {
            Side::Output => &mut self.received_sat,
            Side::Input => &mut self.spent_sat,
        };
        match direction {
            Direction::Forward => {
                *sum = sum.checked_add(amount)?;
                self.entries = self.entries.checked_add(1)?;
            }
            Direction::Back => {
                *sum = sum.checked_sub(amount)?;
                self.entries = self.entries.checked_sub(1)?;
            }
        }
        Some(())
    }
}

/// Whether a block is added or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Back,
}

/// The index.
#[derive(Default)]
pub(super) struct AddressIndex {
    /// The sums that the batch changes.
    changed: HashMap<ScriptId, Summary>,
}

impl AddressIndex {
    fn apply(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
        direction: Direction,
    ) -> Result<(), IndexError> {
        // Later puts and deletes of a batch win, so what a block creates and spends itself must be met
        // in its order, or against it on the way back.
        let mut transactions: Vec<_> = block.transactions().collect();
        if direction == Direction::Back {
            transactions.reverse();
        }
        for transaction in &transactions {
            match direction {
                Direction::Forward => {
                    self.apply_inputs(database, batch, block, transaction, direction)?;
                    self.apply_outputs(database, batch, block, transaction, direction)?;
                }
                Direction::Back => {
                    self.apply_outputs(database, batch, block, transaction, direction)?;
                    self.apply_inputs(database, batch, block, transaction, direction)?;
                }
            }
        }
        Ok(())
    }

    fn apply_inputs(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
        transaction: &IndexedTransaction<'_>,
        direction: Direction,
    ) -> Result<(), IndexError> {
        for (number, (outpoint, coin)) in (0..).zip(transaction.spent) {
            let script = ScriptId::of(&coin.output.script_pubkey);
            let entry = Entry::new(block, transaction, script, Side::Input, number);
            let amount_sat = coin.output.value.to_sat();
            self.note(database, batch, &entry, amount_sat, direction)?;
            let key = UnspentKey {
                script,
                height: coin.height,
                outpoint: *outpoint,
            };
            match direction {
                Direction::Forward => batch.delete::<UnspentOutputs>(&key),
                Direction::Back => batch.put::<UnspentOutputs>(
                    &key,
                    &UnspentValue {
                        amount_sat,
                        is_coinbase: coin.is_coinbase,
                    },
                ),
            }
        }
        Ok(())
    }

    fn apply_outputs(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
        transaction: &IndexedTransaction<'_>,
        direction: Direction,
    ) -> Result<(), IndexError> {
        if !transaction.makes_coins {
            return Ok(());
        }
        for (number, output) in (0..).zip(&transaction.transaction.output) {
            if is_unspendable(&output.script_pubkey) {
                continue;
            }
            let script = ScriptId::of(script_of(output));
            let entry = Entry::new(block, transaction, script, Side::Output, number);
            let amount_sat = output.value.to_sat();
            self.note(database, batch, &entry, amount_sat, direction)?;
            let key = UnspentKey {
                script,
                height: block.height,
                outpoint: OutPoint {
                    txid: transaction.txid,
                    vout: number,
                },
            };
            match direction {
                Direction::Forward => batch.put::<UnspentOutputs>(
                    &key,
                    &UnspentValue {
                        amount_sat,
                        is_coinbase: transaction.position == 0,
                    },
                ),
                Direction::Back => batch.delete::<UnspentOutputs>(&key),
            }
        }
        Ok(())
    }

    /// Adds an entry to the history and the sums of its script, or removes it.
    fn note(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        entry: &Entry,
        amount_sat: u64,
        direction: Direction,
    ) -> Result<(), IndexError> {
        let Entry { key, txid } = *entry;
        match direction {
            Direction::Forward => batch.put::<History>(&key, &HistoryValue { txid, amount_sat }),
            Direction::Back => batch.delete::<History>(&key),
        }
        let summary = match self.changed.get_mut(&key.script) {
            Some(summary) => summary,
            None => {
                let stored = database.get::<Summaries>(&key.script)?.unwrap_or_default();
                self.changed.entry(key.script).or_insert(stored)
            }
        };
        summary
            .count(key.side, amount_sat, direction)
            .ok_or_else(|| {
                IndexError::inconsistent(format!("the sums of an output of {txid} do not add up"))
            })
    }
}

/// An entry of a history, with its transaction.
struct Entry {
    key: HistoryKey,
    txid: Txid,
}

impl Entry {
    fn new(
        block: &IndexedBlock,
        transaction: &IndexedTransaction<'_>,
        script: ScriptId,
        side: Side,
        number: u32,
    ) -> Self {
        Self {
            key: HistoryKey {
                script,
                height: block.height,
                position: transaction.position,
                side,
                number,
            },
            txid: transaction.txid,
        }
    }
}

fn script_of(output: &pyrite_consensus::bitcoin::TxOut) -> &Script {
    output.script_pubkey.as_script()
}

impl Index for AddressIndex {
    fn load(&mut self, _database: &Database, _cursor: Option<BlockHash>) -> Result<(), IndexError> {
        self.changed.clear();
        Ok(())
    }

    fn connect(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        self.apply(database, batch, block, Direction::Forward)
    }

    fn way_back(&self) -> WayBack {
        WayBack::ByBlock
    }

    fn disconnect(
        &mut self,
        database: &Database,
        batch: &mut Batch<'_>,
        block: &IndexedBlock,
    ) -> Result<(), IndexError> {
        self.apply(database, batch, block, Direction::Back)
    }

    fn finish(&mut self, batch: &mut Batch<'_>) {
        for (script, summary) in self.changed.drain() {
            if summary.entries == 0 {
                batch.delete::<Summaries>(&script);
            } else {
                batch.put::<Summaries>(&script, &summary);
            }
        }
    }

    fn clear(&self, database: &Database) -> Result<(), IndexError> {
        clear_table::<History>(database)?;
        clear_table::<UnspentOutputs>(database)?;
        clear_table::<Summaries>(database)
    }

    fn digests(
        &self,
        snapshot: &Snapshot<'_>,
        _chain: &[BlockHash],
    ) -> Result<Vec<TableDigest>, IndexError> {
        Ok(vec![
            table_digest::<History>(snapshot)?,
            table_digest::<UnspentOutputs>(snapshot)?,
            table_digest::<Summaries>(snapshot)?,
        ])
    }
}
