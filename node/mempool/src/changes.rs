//! A bounded log of what came to the mempool and what left it, for those who follow it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Transaction, Txid};

/// How many events the log holds.
const MAX_EVENTS: usize = 10_000;

/// Why a transaction left the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemovalReason {
    /// A block contains it.
    Block,
    /// A block spends what it, or an ancestor of it, spends.
    Conflict,
    /// A transaction that pays more took its place.
    Replaced,
    /// It waited too long.
    Expired,
    /// The mempool was full and it paid least.
    SizeLimit,
    /// A reorganisation left it without its inputs, or not final any more.
    Reorg,
}

/// What changed after some sequence number: the net effect, so that no transaction is in both lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The sequence number that these changes lead to.
    pub sequence: u64,
    /// Transactions that came and are still there, with the Unix time at which they came; parents first.
    pub added: Vec<(Arc<Transaction>, u64)>,
    /// Transactions that left, oldest event first. One that came and left in between is listed too.
    pub removed: Vec<(Txid, RemovalReason)>,
    /// Whether the log reaches back to the number asked for. If not, take the snapshot.
    pub complete: bool,
}

/// One change of the mempool, for those who tell every single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolEvent {
    /// Its number: higher than those of all events before it.
    pub sequence: u64,
    /// The transaction.
    pub txid: Txid,
    /// What happened.
    pub change: MempoolChange,
}

/// What happened to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MempoolChange {
    /// It came. `None` when it has left since.
    Added(Option<Arc<Transaction>>),
    /// It left.
    Removed(RemovalReason),
}

/// One change of the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A transaction came. It is looked up when someone asks, so that the log keeps no transaction
    /// alive.
    Added(Txid),
    /// A transaction left.
    Removed(Txid, RemovalReason),
}

/// The last events with their sequence numbers.
#[derive(Debug, Default)]
pub(crate) struct ChangeLog {
    events: VecDeque<(u64, Event)>,
    /// The sequence number of the last event that was dropped: the log is complete after it.
    dropped_to: u64,
}

/// The net effect of the events after a sequence number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NetChanges {
    pub(crate) added: Vec<Txid>,
    pub(crate) removed: Vec<(Txid, RemovalReason)>,
}

impl ChangeLog {
    /// Appends an event; `sequence` is above all earlier ones.
    pub(crate) fn push(&mut self, sequence: u64, event: Event) {
        debug_assert!(self.events.back().is_none_or(|(last, _)| *last < sequence));
        if self.events.len() == MAX_EVENTS
            && let Some((dropped, _)) = self.events.pop_front()
        {
            self.dropped_to = dropped;
        }
        self.events.push_back((sequence, event));
    }

    /// All events after `sequence` with their numbers; `None` when the log does not reach back.
    pub(crate) fn events_after(
        &self,
        sequence: u64,
    ) -> Option<impl Iterator<Item = &(u64, Event)>> {
        let start = self
            .events
            .partition_point(|(number, _)| *number <= sequence);
        (sequence >= self.dropped_to).then(|| self.events.iter().skip(start))
    }

    /// The net effect of all events after `sequence`; `None` when the log does not reach back.
    pub(crate) fn after(&self, sequence: u64) -> Option<NetChanges> {
        if sequence < self.dropped_to {
            return None;
        }
        let start = self
            .events
            .partition_point(|(number, _)| *number <= sequence);
        let mut last: HashMap<Txid, usize> = HashMap::new();
        for (index, (_, event)) in self.events.iter().enumerate().skip(start) {
            let (Event::Added(txid) | Event::Removed(txid, _)) = event;
            last.insert(*txid, index);
        }
        let mut net = NetChanges::default();
        for (index, (_, event)) in self.events.iter().enumerate().skip(start) {
            match event {
                Event::Added(txid) if last[txid] == index => net.added.push(*txid),
                Event::Removed(txid, reason) if last[txid] == index => {
                    net.removed.push((*txid, *reason));
                }
                Event::Added(_) | Event::Removed(..) => {}
            }
        }
        Some(net)
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::hashes::Hash;

    use super::*;

    fn txid(number: u64) -> Txid {
        Txid::hash(&number.to_le_bytes())
    }

    #[test]
    fn only_the_last_event_of_a_transaction_counts() {
        let mut log = ChangeLog::default();
        log.push(1, Event::Added(txid(1)));
        log.push(2, Event::Added(txid(2)));
        log.push(4, Event::Removed(txid(1), RemovalReason::Block));
        log.push(5, Event::Removed(txid(2), RemovalReason::Replaced));
        log.push(6, Event::Added(txid(2)));
        let all = log.after(0).unwrap();
        assert_eq!(all.added, [txid(2)]);
        assert_eq!(all.removed, [(txid(1), RemovalReason::Block)]);
        assert_eq!(log.after(4).unwrap().removed, []);
        let numbers = |from| {
            log.events_after(from)
                .map(|events| events.map(|(n, _)| *n).collect())
        };
        assert_eq!(numbers(2), Some(vec![4, 5, 6]));
        assert_eq!(numbers(6), Some(vec![]));
        assert_eq!(log.after(6).unwrap(), NetChanges::default());
    }

    #[test]
    fn the_log_is_bounded_and_says_so() {
        let mut log = ChangeLog::default();
        let count = MAX_EVENTS as u64;
        for number in 1..=count {
            log.push(number, Event::Added(txid(number)));
        }
        assert_eq!(log.after(0).unwrap().added.len(), MAX_EVENTS);
        log.push(count + 1, Event::Added(txid(count + 1)));
        assert_eq!(log.after(0), None);
        assert!(log.events_after(0).is_none());
        assert_eq!(log.after(1).unwrap().added.len(), MAX_EVENTS);
    }
}
