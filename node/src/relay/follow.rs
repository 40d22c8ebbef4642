//! Following mempool and chain: whoever brought a parent, its children that wait are tried. Step by step, a bounded number in each,
//! so that no family of transactions holds up the others.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pyrite_chain::ChainError;
use pyrite_consensus::bitcoin::{BlockHash, Wtxid};
use pyrite_mempool::PeerNumber;
use pyrite_network::NetworkHandle;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::{Relay, RelayEvent};

/// How often to look for what waited too long, and for peers that are gone.
const TICK: Duration = Duration::from_secs(1);
/// How long to leave the mempool alone while there are no orphans.
const REST: Duration = Duration::from_millis(10);
/// Orphans that are tried in one step.
const MAX_RETRIES: usize = 32;
/// Blocks that are read for the orphans' sake; after more, all orphans are tried.
const MAX_BLOCKS: usize = 32;

/// Follows mempool and chain with the orphans.
pub(crate) struct RelayFollower {
    relay: Arc<Relay>,
    cursor: BlockHash,
    /// The mempool's sequence number up to which its changes were looked at.
    sequence: u64,
    /// Orphans to be tried, each once.
    waiting: VecDeque<Wtxid>,
    queued: HashSet<Wtxid>,
}

impl RelayFollower {
    /// Follows from now on.
    pub(crate) fn new(relay: Arc<Relay>) -> Self {
        let cursor = relay.chain.tip().hash;
        let sequence = *relay.mempool.watch().borrow();
        Self {
            relay,
            cursor,
            sequence,
            waiting: VecDeque::new(),
            queued: HashSet::new(),
        }
    }

    /// Follows until the chain stops, and tells the network what the relay has to tell.
    pub(crate) async fn run(
        mut self,
        mut events: mpsc::Receiver<RelayEvent>,
        network: NetworkHandle,
    ) {
        let mut changes = self.relay.mempool.watch();
        let mut tip = self.relay.chain.watch_tip();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                changed = changes.changed() => if changed.is_err() { return } else { None },
                changed = tip.changed() => if changed.is_err() { return } else { None },
                _ = tick.tick() => {
                    self.drop_old(&network.peer_numbers());
                    None
                }
            };
            if let Some(event) = event {
                tell(&network, event);
                continue;
            }
            if self.passes_over() {
                tokio::time::sleep(REST).await;
                continue;
            }
            loop {
                let step = tokio::task::spawn_blocking(move || {
                    self.step();
                    self
                });
                let Ok(follower) = step.await else {
                    return; // it panicked, which the panic hook has told
                };
                self = follower;
                while let Ok(event) = events.try_recv() {
                    tell(&network, event);
                }
                if self.waiting.is_empty() {
                    break;
                }
            }
        }
    }

    /// Passes over what is new, if there is no orphan whom it could concern: mostly so, and payments come by the thousand.
    fn passes_over(&mut self) -> bool {
        // First where they stand: what becomes an orphan after it looks for its parents itself.
        let tip = self.relay.chain.tip().hash;
        let sequence = *self.relay.mempool.watch().borrow();
        let is_over = self.waiting.is_empty() && self.relay.orphans.lock().is_empty();
        if is_over {
            (self.cursor, self.sequence) = (tip, sequence);
        }
        is_over
    }

    /// Looks at what is new, and tries some of the orphans that it may concern.
    pub(super) fn step(&mut self) {
        if let Err(error) = self.follow_chain() {
            tracing::error!(%error, "a block can't be read for the orphans");
            self.queue_all();
        }
        self.follow_mempool();
        for _ in 0..MAX_RETRIES {
            let Some(wtxid) = self.waiting.pop_front() else {
                break;
            };
            self.queued.remove(&wtxid);
            self.relay.retry(&wtxid);
        }
    }

    /// Whether nothing waits to be tried.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Drops what waited too long, and what only peers gave that are gone.
    pub(super) fn drop_old(&self, connected: &[u64]) {
        let mut orphans = self.relay.orphans.lock();
        orphans.expire(self.relay.clock.now());
        // Numbers only rise: a higher one is of a peer that has just come.
        let newest = connected.iter().max().copied().unwrap_or(0);
        let connected: HashSet<PeerNumber> = connected.iter().copied().map(PeerNumber).collect();
        orphans.keep_peers(|peer| peer.0 > newest || connected.contains(&peer));
    }

    /// Drops what blocks contain or make impossible, and queues what spends their outputs.
    fn follow_chain(&mut self) -> Result<(), ChainError> {
        let tip = self.relay.chain.tip().hash;
        let from = std::mem::replace(&mut self.cursor, tip);
        if from == tip {
            return Ok(());
        }
        let path = self.relay.chain.path(&from, &tip);
        let Some(path) = path.filter(|path| path.connect.len() <= MAX_BLOCKS) else {
            self.queue_all();
            return Ok(());
        };
        for hash in &path.connect {
            let Some(block) = self.relay.chain.hashed_block(hash)? else {
                self.queue_all();
                continue;
            };
            let children: Vec<Wtxid> = {
                let mut orphans = self.relay.orphans.lock();
                orphans.remove_spenders(block.block().txdata.iter());
                let txids = block.txids().iter();
                txids.flat_map(|txid| orphans.children_of(txid)).collect()
            };
            self.queue(children);
        }
        Ok(())
    }

    /// Queues what spends outputs of transactions that came to the mempool.
    fn follow_mempool(&mut self) {
        // First the number: what becomes an orphan after it looks for its parents itself.
        let sequence = *self.relay.mempool.watch().borrow();
        if sequence == self.sequence {
            return;
        }
        let changes = self.relay.mempool.changes_since(self.sequence);
        self.sequence = changes.sequence;
        if !changes.complete {
            self.queue_all();
            return;
        }
        let children: Vec<Wtxid> = {
            let mut orphans = self.relay.orphans.lock();
            let mut children = Vec::new();
            for (tx, _) in &changes.added {
                orphans.remove(&tx.compute_wtxid());
                children.extend(orphans.children_of(&tx.compute_txid()));
            }
            children
        };
        self.queue(children);
    }

    fn queue_all(&mut self) {
        let all = self.relay.orphans.lock().list();
        self.queue(all.into_iter().map(|orphan| orphan.wtxid).collect());
    }

    fn queue(&mut self, orphans: Vec<Wtxid>) {
        for wtxid in orphans {
            if self.queued.insert(wtxid) {
                self.waiting.push_back(wtxid);
            }
        }
    }
}

fn tell(network: &NetworkHandle, event: RelayEvent) {
    match event {
        RelayEvent::Taken(tx) => network.announce_late_transaction(tx),
        RelayEvent::Blame(peer, reason) => network.blame(peer.0, reason),
    }
}
