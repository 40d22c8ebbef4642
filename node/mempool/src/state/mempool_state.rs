//! What the mempool's lock guards: the pool, the block that it is valid on, and the log of changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Transaction, Txid};
use pyrite_consensus::{HashedBlock, Height};

use crate::admission::{Draft, plan_return};
use crate::changes::{ChangeLog, Changes, Event, MempoolEvents, NetChanges, RemovalReason};
use crate::fees::FeeEvent;
use crate::pool::{Family, NewEntry, Pool, Slot, Staged, ValidSince};
use crate::rolling_fee::{Fullness, RollingFee};
use crate::{FeeRate, MempoolConfig, MempoolEntry, MempoolError, MempoolInfo};

/// The last block that the mempool has followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) hash: BlockHash,
    pub(crate) height: Height,
}

/// A transaction of a block that left the best chain.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(crate) tx: Arc<Transaction>,
    pub(crate) txid: Txid,
    /// What taking it needs, or why it can't come back.
    pub(crate) draft: Result<Draft, MempoolError>,
}

/// The pool and what belongs to it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) cursor: Cursor,
    /// Rises at every change, also when only the cursor moves.
    pub(crate) sequence: u64,
    /// Entries that have to be looked at again, because the tip is not what they were found valid on.
    doubtful: BTreeSet<Txid>,
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
            doubtful: BTreeSet::new(),
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

    /// The first `max` of the events after `sequence`, as far as the log reaches back.
    pub(crate) fn events_since(&self, sequence: u64, max: usize) -> MempoolEvents {
        let transaction = |txid: &Txid| self.pool.get(txid).map(|entry| Arc::clone(&entry.tx));
        let mut events = self.log.events_after(sequence, max, transaction);
        if events.events.len() < max {
            // The number also rises without an event.
            events.sequence = self.sequence;
        }
        events
    }

    /// Takes transactions in, parents first, in place of those that the plan evicts. Returns the replaced ones, parents first.
    pub(crate) fn accept(
        &mut self,
        drafts: &[&Draft],
        staged: Staged,
        now: u64,
        tip: ValidSince,
    ) -> Vec<Txid> {
        let mut sequence = self.sequence + staged.removals() as u64;
        let entries: Vec<NewEntry> = drafts
            .iter()
            .map(|draft| {
                sequence += 1;
                draft.entry(now, sequence, tip)
            })
            .collect();
        let removed = self.pool.apply(staged, entries);
        let replaced = self.record_removed(&removed, RemovalReason::Replaced);
        for draft in drafts {
            self.sequence += 1;
            let transaction = Arc::clone(&draft.tx);
            self.log.push_added(self.sequence, draft.txid, transaction);
        }
        replaced
    }

    /// Tells the fee estimator of a transaction that came by itself, unless its parents wait too: it is mined with them,
    /// whatever it pays itself.
    pub(crate) fn note_arrival(&mut self, draft: &Draft) {
        if self.pool.parents_of(&draft.tx).is_empty() {
            self.fee_events.push(FeeEvent::Added {
                txid: draft.txid,
                height: self.cursor.height,
                rate: FeeRate::of(draft.fee, draft.vsize),
            });
        }
    }

    /// What happened since the last call, for the fee estimator.
    pub(crate) fn take_fee_events(&mut self) -> Vec<FeeEvent> {
        std::mem::take(&mut self.fee_events)
    }

    /// Removes what blocks confirm and what they make impossible.
    pub(crate) fn connect_block(&mut self, block: &HashedBlock) {
        let mut leaving: BTreeMap<Slot, RemovalReason> = BTreeMap::new();
        for (transaction, txid) in block.block().txdata.iter().zip(block.txids()) {
            self.pool.clear_priority(txid);
            if let Some(slot) = self.pool.slot(txid) {
                leaving.insert(slot, RemovalReason::Block);
                continue;
            }
            let inputs = transaction.input.iter();
            let conflicts = inputs.filter_map(|input| self.pool.spender(&input.previous_output));
            for slot in self.pool.with_family(conflicts, Family::Descendants) {
                leaving.insert(slot, RemovalReason::Conflict);
            }
        }
        self.remove_for(&leaving);
    }

    /// Takes back what blocks that left the best chain contained, oldest first. What stays away takes with it what spends
    /// it, unless a block of the new branch confirms it again.
    pub(crate) fn disconnect_blocks(
        &mut self,
        returning: Vec<Returning>,
        config: &MempoolConfig,
        now: u64,
        tip: ValidSince,
    ) {
        for transaction in returning {
            let Returning { tx, txid, draft } = transaction;
            let came_back = draft.and_then(|draft| self.take_back(&draft, config, now, tip));
            if let Err(error) = came_back {
                tracing::debug!(%txid, %error, "a reorganisation drops a transaction");
                let reason = match error {
                    // The new branch spends what it spends.
                    MempoolError::MissingInputs(_) => RemovalReason::Conflict,
                    _ => RemovalReason::Reorg,
                };
                let spenders = self.pool.children_of(&txid, &tx);
                self.remove_with_descendants(spenders, reason);
            }
        }
    }

    /// Removes what spends these outputs, which are not going to exist any more.
    pub(crate) fn drop_spenders(&mut self, outputs: impl Iterator<Item = OutPoint>) {
        let spenders: Vec<Slot> = outputs
            .filter_map(|outpoint| self.pool.spender(&outpoint))
            .collect();
        self.remove_with_descendants(spenders, RemovalReason::Reorg);
    }

    /// Notes what has to be looked at again on a tip: what it could make invalid, and what spends outputs that were confirmed
    /// elsewhere before.
    pub(crate) fn doubt_at(&mut self, tip: ValidSince, moved: impl Iterator<Item = OutPoint>) {
        let moved = moved.filter_map(|outpoint| self.pool.spender(&outpoint));
        let moved = moved.filter(|slot| self.pool.has_locks(*slot));
        let slots = self.pool.doubtful_at(tip).into_iter().chain(moved);
        let txids: Vec<Txid> = slots.map(|slot| self.pool.entry(slot).txid).collect();
        self.doubtful.extend(txids);
    }

    /// Notes that every entry has to be looked at again.
    pub(crate) fn doubt_all(&mut self) {
        self.doubtful.extend(self.pool.txids());
    }

    /// Some of the entries that have to be looked at again.
    pub(crate) fn doubtful(&self, max: usize) -> Vec<Arc<MempoolEntry>> {
        let entries = self.doubtful.iter().filter_map(|txid| self.pool.get(txid));
        entries.take(max).cloned().collect()
    }

    /// The end of a look at some entries: those that are not valid go, for these reasons. What spends one goes with it, unless
    /// a block confirmed it.
    pub(crate) fn settle(&mut self, checked: &[(Txid, Option<RemovalReason>)], tip: ValidSince) {
        for (txid, reason) in checked {
            self.doubtful.remove(txid);
            let Some(slot) = self.pool.slot(txid) else {
                continue;
            };
            match reason {
                None if self.pool.has_locks(slot) => self.pool.set_valid_since(slot, tip),
                None => {}
                Some(RemovalReason::Block) => {
                    self.remove_for(&BTreeMap::from([(slot, RemovalReason::Block)]));
                }
                Some(reason) => self.remove_with_descendants([slot], *reason),
            }
        }
        if self.pool.is_empty() {
            self.doubtful.clear();
        }
    }

    /// Whether nothing has to be looked at again. Forgets about what has left meanwhile.
    pub(crate) fn is_settled(&mut self) -> bool {
        let pool = &self.pool;
        self.doubtful.retain(|txid| pool.contains(txid));
        self.doubtful.is_empty()
    }

    /// Moves the cursor.
    pub(crate) fn move_cursor(&mut self, cursor: Cursor, now: u64) {
        self.cursor = cursor;
        self.sequence += 1;
        self.rolling.block_connected(now);
        self.fee_events.push(FeeEvent::Followed(cursor.height));
    }

    /// Changes what a transaction pays as far as this node is concerned.
    pub(crate) fn prioritise(&mut self, txid: Txid, delta: i64) {
        self.pool.prioritise(txid, delta);
        self.sequence += 1;
    }

    /// Drops what waited too long, and then what pays least, until the bounds are kept.
    pub(crate) fn keep_bounds(&mut self, config: &MempoolConfig, now: u64) {
        while let Some(slot) = self.pool.oldest_before(now.saturating_sub(config.expiry_s)) {
            self.remove_with_descendants([slot], RemovalReason::Expired);
        }
        while self.pool.usage() > config.max_bytes {
            let Some((slots, rate)) = self.pool.worst_chunk() else {
                break;
            };
            let rate = FeeRate::of_chunk(rate);
            self.rolling.evicted(rate, config.incremental_relay_fee);
            let removed = self.pool.remove(&slots);
            self.record_removed(&removed, RemovalReason::SizeLimit);
        }
        let fullness = self.fullness(config);
        self.rolling
            .advance(fullness, config.incremental_relay_fee, now);
    }

    /// Takes back one transaction. Where the cluster would get too large, entries that spend it make room, from the end of
    /// those clusters that pay least.
    fn take_back(
        &mut self,
        draft: &Draft,
        config: &MempoolConfig,
        now: u64,
        tip: ValidSince,
    ) -> Result<(), MempoolError> {
        loop {
            match plan_return(config, &self.pool, draft) {
                Ok(staged) => {
                    self.accept(&[draft], staged, now, tip);
                    return Ok(());
                }
                Err(MempoolError::TooLargeCluster) => {
                    let children = self.pool.children_of(&draft.txid, &draft.tx);
                    let end = self.pool.worst_end(&children);
                    let parents = self.pool.parents_of(&draft.tx);
                    let Some(end) = end.filter(|end| !parents.contains(end)) else {
                        return Err(MempoolError::TooLargeCluster);
                    };
                    self.remove_with_descendants([end], RemovalReason::SizeLimit);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes entries and their descendants.
    fn remove_with_descendants(
        &mut self,
        slots: impl IntoIterator<Item = Slot>,
        reason: RemovalReason,
    ) {
        let slots = self.pool.with_family(slots, Family::Descendants);
        let removed = self.pool.remove(&slots);
        self.record_removed(&removed, reason);
    }

    /// Removes entries, each for its reason.
    fn remove_for(&mut self, leaving: &BTreeMap<Slot, RemovalReason>) {
        let reasons: BTreeMap<Txid, RemovalReason> = leaving
            .iter()
            .map(|(slot, reason)| (self.pool.entry(*slot).txid, *reason))
            .collect();
        let removed = self.pool.remove(&leaving.keys().copied().collect());
        for entry in removed {
            self.record_removal(entry.txid, reasons[&entry.txid]);
        }
    }

    /// Returns the ids of what was removed, in the same order.
    fn record_removed(
        &mut self,
        removed: &[Arc<MempoolEntry>],
        reason: RemovalReason,
    ) -> Vec<Txid> {
        for entry in removed {
            self.record_removal(entry.txid, reason);
        }
        removed.iter().map(|entry| entry.txid).collect()
    }

    fn record_removal(&mut self, txid: Txid, reason: RemovalReason) {
        self.fee_events.push(FeeEvent::Removed(txid, reason));
        self.sequence += 1;
        self.log.push(self.sequence, Event::Removed(txid, reason));
    }

    fn fullness(&self, config: &MempoolConfig) -> Fullness {
        Fullness {
            usage: self.pool.usage(),
            max: config.max_bytes,
        }
    }
}
