//! What the mempool's lock guards: the pool, the block that it is valid on, and the log of changes.

use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Block, BlockHash, Transaction, Txid};

use crate::admission::Plan;
use crate::changes::{ChangeLog, Changes, Event, NetChanges, RemovalReason};
use crate::fees::FeeEvent;
use crate::pool::Pool;
use crate::rolling_fee::{Fullness, RollingFee};
use crate::{FeeRate, MempoolConfig, MempoolInfo};

/// The last block that the mempool has followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) hash: BlockHash,
    pub(crate) height: Height,
}

/// The pool and what belongs to it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) cursor: Cursor,
    /// Rises at every change, also when only the cursor moves.
    pub(crate) sequence: u64,
    log: ChangeLog,
    /// What the fee estimator has not been told yet.
    fee_events: Vec<FeeEvent>,
    rolling: RollingFee,
}

impl State {
    pub(crate) fn new(cursor: Cursor) -> Self {
        Self {
            pool: Pool::default(),
            cursor,
            sequence: 0,
            log: ChangeLog::default(),
            fee_events: Vec::new(),
            rolling: RollingFee::default(),
        }
    }

    /// The minimum fee rate that evictions left.
    pub(crate) fn mempool_min_fee(&self, config: &MempoolConfig, now: u64) -> FeeRate {
        self.rolling
            .minimum(self.fullness(config), config.incremental_relay_fee, now)
    }

    pub(crate) fn info(&self, config: &MempoolConfig, now: u64) -> MempoolInfo {
        MempoolInfo {
            size: self.pool.len(),
            bytes: self.pool.vsize(),
            usage: self.pool.usage(),
            total_fee: self.pool.fees(),
            max_bytes: config.max_bytes,
            min_fee: self.mempool_min_fee(config, now).max(config.min_relay_fee),
            min_relay_fee: config.min_relay_fee,
            incremental_relay_fee: config.incremental_relay_fee,
            sequence: self.sequence,
        }
    }

    pub(crate) fn changes_since(&self, sequence: u64) -> Changes {
        let net = if sequence > self.sequence {
            None
        } else {
            self.log.after(sequence)
        };
        let complete = net.is_some();
        let NetChanges { added, removed } = net.unwrap_or_default();
        let entries = added.iter().filter_map(|txid| self.pool.get(txid));
        let added = entries
            .map(|entry| (Arc::clone(&entry.tx), entry.time))
            .collect();
        Changes {
            sequence: self.sequence,
            added,
            removed,
            complete,
        }
    }

    /// Takes a transaction in, in place of those that its plan evicts. Returns the replaced ones.
    pub(crate) fn accept(&mut self, tx: Arc<Transaction>, plan: &Plan, now: u64) -> Vec<Txid> {
        let mut replaced = Vec::with_capacity(plan.evicted.len());
        for conflict in &plan.conflicts {
            replaced.extend(self.remove(conflict, RemovalReason::Replaced));
        }
        self.sequence += 1;
        self.pool
            .insert(plan.entry(tx, now, self.cursor.height, self.sequence));
        self.log.push(self.sequence, Event::Added(plan.txid));
        self.note_arrival(plan);
        replaced
    }

    /// Removes what a block confirms and what it makes impossible, and moves the cursor to it.
    pub(crate) fn connect_block(&mut self, block: &Block, cursor: Cursor, now: u64) {
        for transaction in &block.txdata {
            let txid = transaction.compute_txid();
            if self.pool.remove_confirmed(&txid).is_some() {
                self.record(Event::Removed(txid, RemovalReason::Block));
            }
            for input in &transaction.input {
                if let Some(spender) = self.pool.spender(&input.previous_output) {
                    self.remove(&spender, RemovalReason::Conflict);
                }
            }
        }
        self.move_cursor(cursor, now);
    }

    /// Moves the cursor over blocks that change nothing in the pool.
    pub(crate) fn move_cursor(&mut self, cursor: Cursor, now: u64) {
        self.cursor = cursor;
        self.sequence += 1;
        self.rolling.block_connected(now);
        self.fee_events.push(FeeEvent::Followed(cursor.height));
    }

    /// What happened since the last call, for the fee estimator.
    pub(crate) fn take_fee_events(&mut self) -> Vec<FeeEvent> {
        std::mem::take(&mut self.fee_events)
    }

    /// Takes a pool that was built anew for `cursor`. `left` are the earlier entries that it does
    /// not have; its new ones have the sequence numbers after the present one.
    pub(crate) fn replace_pool(
        &mut self,
        pool: Pool,
        cursor: Cursor,
        left: &[(Txid, RemovalReason)],
        now: u64,
    ) {
        let mut came: Vec<(u64, Txid)> = pool
            .txids()
            .filter_map(|txid| pool.get(&txid).map(|entry| (entry.sequence, txid)))
            .filter(|(sequence, _)| *sequence > self.sequence)
            .collect();
        came.sort_unstable();
        self.pool = pool;
        for (sequence, txid) in came {
            self.sequence = sequence;
            self.log.push(sequence, Event::Added(txid));
        }
        for (txid, reason) in left {
            self.record(Event::Removed(*txid, *reason));
        }
        self.move_cursor(cursor, now);
    }

    /// Drops what waited too long, and then what pays least, until the bounds are kept.
    pub(crate) fn keep_bounds(&mut self, config: &MempoolConfig, now: u64) {
        while let Some(txid) = self.pool.oldest_before(now.saturating_sub(config.expiry_s)) {
            self.remove(&txid, RemovalReason::Expired);
        }
        while self.pool.usage() > config.max_bytes {
            let Some((fees, vsize, entries)) = self.pool.evict_lowest() else {
                break;
            };
            self.rolling
                .evicted(FeeRate::of(fees, vsize), config.incremental_relay_fee);
            for entry in entries {
                self.record(Event::Removed(entry.txid, RemovalReason::SizeLimit));
            }
        }
        let fullness = self.fullness(config);
        self.rolling
            .advance(fullness, config.incremental_relay_fee, now);
    }

    /// Remembers the rate of a package that was evicted from a pool that is still being built.
    pub(crate) fn evicted(&mut self, rate: FeeRate, config: &MempoolConfig) {
        self.rolling.evicted(rate, config.incremental_relay_fee);
    }

    /// Removes an entry and its descendants. Returns their ids, parents first.
    fn remove(&mut self, txid: &Txid, reason: RemovalReason) -> Vec<Txid> {
        let mut removed = Vec::new();
        for entry in self.pool.remove_with_descendants(txid) {
            self.record(Event::Removed(entry.txid, reason));
            removed.push(entry.txid);
        }
        removed.reverse();
        removed
    }

    /// Tells the fee estimator of a transaction, unless its parents wait too: it is mined with them,
    /// whatever it pays itself.
    fn note_arrival(&mut self, plan: &Plan) {
        let has_parents = self
            .pool
            .get(&plan.txid)
            .is_none_or(|entry| !entry.depends.is_empty());
        if !has_parents {
            self.fee_events.push(FeeEvent::Added {
                txid: plan.txid,
                height: self.cursor.height,
                rate: FeeRate::of(plan.fee, plan.vsize),
            });
        }
    }

    fn record(&mut self, event: Event) {
        if let Event::Removed(txid, reason) = event {
            self.fee_events.push(FeeEvent::Removed(txid, reason));
        }
        self.sequence += 1;
        self.log.push(self.sequence, event);
    }

    fn fullness(&self, config: &MempoolConfig) -> Fullness {
        Fullness {
            usage: self.pool.usage(),
            max: config.max_bytes,
        }
    }
}
