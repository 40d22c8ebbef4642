//! A bounded log of what came to the mempool and what left it, for those who follow it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Transaction, Txid};

/// How many events the log holds.
const MAX_EVENTS: usize = 10_000;

/// The transactions that the log keeps, in bytes: those that came last.
const MAX_KEPT_BYTES: usize = 32 << 20;

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

/// The events after a sequence number, for those who tell every single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolEvents {
    /// The first of those that the log still has, in order.
    pub events: Vec<MempoolEvent>,
    /// How many events there were before these, since the node started.
    pub before: u64,
    /// The sequence number that these events lead to.
    pub sequence: u64,
    /// Whether the log reaches back to the number asked for. If not, the first ones are missing.
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
    /// It came. `None` when it has left since, and the log does not keep it any more.
    Added(Option<Arc<Transaction>>),
    /// It left.
    Removed(RemovalReason),
}

/// One change of the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A transaction came.
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
    /// How many were dropped.
    dropped: u64,
    kept: KeptTransactions,
}

/// The transactions that came last: one may have left the mempool before anybody asks for it.
#[derive(Debug, Default)]
struct KeptTransactions {
    /// With the sequence numbers of their events.
    transactions: VecDeque<(u64, Arc<Transaction>)>,
    bytes: usize,
}

impl KeptTransactions {
    fn push(&mut self, sequence: u64, transaction: Arc<Transaction>) {
        self.bytes += transaction.total_size();
        self.transactions.push_back((sequence, transaction));
        while self.bytes > MAX_KEPT_BYTES {
            self.pop();
        }
    }

    /// Forgets those that came with this event or before it.
    fn drop_to(&mut self, sequence: u64) {
        while self
            .transactions
            .front()
            .is_some_and(|(number, _)| *number <= sequence)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, transaction)) = self.transactions.pop_front() {
            self.bytes -= transaction.total_size();
        }
    }

    fn get(&self, sequence: u64) -> Option<&Arc<Transaction>> {
        let found = self
            .transactions
            .binary_search_by_key(&sequence, |(number, _)| *number);
        found.ok().map(|index| &self.transactions[index].1)
    }
}

/// The net effect of the events after a sequence number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NetChanges {
    pub(crate) added: Vec<Txid>,
    pub(crate) removed: Vec<(Txid, RemovalReason)>,
}

impl ChangeLog {
    /// Appends the event that a transaction came; `sequence` is above all earlier ones.
    pub(crate) fn push_added(&mut self, sequence: u64, txid: Txid, transaction: Arc<Transaction>) {
        self.push(sequence, Event::Added(txid));
        self.kept.push(sequence, transaction);
    }

    /// Appends an event; `sequence` is above all earlier ones.
    pub(crate) fn push(&mut self, sequence: u64, event: Event) {
        debug_assert!(self.events.back().is_none_or(|(last, _)| *last < sequence));
        if self.events.len() == MAX_EVENTS
            && let Some((dropped, _)) = self.events.pop_front()
        {
            self.dropped_to = dropped;
            self.dropped += 1;
            self.kept.drop_to(dropped);
        }
        self.events.push_back((sequence, event));
    }

    /// The first `max` of the events after `sequence` that the log has, and whether it has all before them. `transaction`
    /// finds one that is still there.
    pub(crate) fn events_after(
        &self,
        sequence: u64,
        max: usize,
        transaction: impl Fn(&Txid) -> Option<Arc<Transaction>>,
    ) -> MempoolEvents {
        let start = self
            .events
            .partition_point(|(number, _)| *number <= sequence);
        let event = |(number, event): &(u64, Event)| {
            let (txid, change) = match event {
                Event::Added(txid) => {
                    let kept = self.kept.get(*number).cloned();
                    let transaction = kept.or_else(|| transaction(txid));
                    (txid, MempoolChange::Added(transaction))
                }
                Event::Removed(txid, reason) => (txid, MempoolChange::Removed(*reason)),
            };
            MempoolEvent {
                sequence: *number,
                txid: *txid,
                change,
            }
        };
        let events: Vec<_> = self
            .events
            .iter()
            .skip(start)
            .take(max)
            .map(event)
            .collect();
        let last = events.last().map_or(sequence, |event| event.sequence);
        MempoolEvents {
            events,
            before: self.dropped + start as u64,
            sequence: last,
            complete: sequence >= self.dropped_to,
        }
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
    use pyrite_consensus::bitcoin::absolute::LockTime;
    use pyrite_consensus::bitcoin::hashes::Hash;
    use pyrite_consensus::bitcoin::transaction::Version;
    use pyrite_consensus::bitcoin::{Amount, ScriptBuf, TxOut};

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
        let numbers = |from, max| {
            let events = log.events_after(from, max, |_| None);
            let numbers: Vec<_> = events.events.iter().map(|event| event.sequence).collect();
            (events.before, numbers, events.sequence)
        };
        assert_eq!(numbers(2, 9), (2, vec![4, 5, 6], 6));
        assert_eq!(numbers(2, 2), (2, vec![4, 5], 5));
        assert_eq!(numbers(3, 1), (2, vec![4], 4));
        assert_eq!(numbers(6, 9), (5, vec![], 6));
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
        let events = log.events_after(0, 1, |_| None);
        assert_eq!((events.complete, events.before), (false, 1));
        assert_eq!(events.events[0].txid, txid(2));
        assert!(log.events_after(1, 1, |_| None).complete);
        assert_eq!(log.after(1).unwrap().added.len(), MAX_EVENTS);
    }

    fn transaction(number: u32, script_bytes: usize) -> Arc<Transaction> {
        Arc::new(Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(number),
            input: Vec::new(),
            output: vec![TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(vec![0; script_bytes]),
            }],
        })
    }

    #[test]
    fn transactions_that_came_last_are_kept_within_a_bound() {
        const LARGE: usize = MAX_KEPT_BYTES / 4;
        let mut log = ChangeLog::default();
        let added = |log: &ChangeLog, from| {
            let events = log.events_after(from, 1, |_| None).events;
            match &events[0].change {
                MempoolChange::Added(transaction) => transaction.clone(),
                MempoolChange::Removed(_) => panic!("removed"),
            }
        };
        let first = transaction(1, 0);
        log.push_added(1, txid(1), Arc::clone(&first));
        log.push(2, Event::Removed(txid(1), RemovalReason::Replaced));
        assert_eq!(added(&log, 0), Some(first));
        for number in 3..8 {
            log.push_added(number, txid(number), transaction(0, LARGE));
        }
        assert_eq!(added(&log, 0), None);
        assert_eq!(added(&log, 3), None);
        assert!(added(&log, 5).is_some());
        assert!(log.kept.bytes <= MAX_KEPT_BYTES);
        // What is not kept may still be in the mempool.
        let events = log.events_after(0, 1, |_| Some(transaction(9, 0))).events;
        let found = MempoolChange::Added(Some(transaction(9, 0)));
        assert_eq!(events[0].change, found);
        for number in 8..8 + MAX_EVENTS as u64 {
            log.push(number, Event::Removed(txid(number), RemovalReason::Block));
        }
        assert_eq!((log.kept.bytes, log.kept.transactions.len()), (0, 0));
    }
}
