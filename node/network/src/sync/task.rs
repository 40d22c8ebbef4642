//! The task that drives the synchronisation: it tells the scheduler what happened, and starts the
//! exchanges that the scheduler wants.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use libp2p::PeerId;
use pyrite_consensus::bitcoin::{BlockHash, Txid};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::exchange::{Event, Net};
use super::scheduler::{Action, Scheduler, WINDOW};
use crate::TipSummary;
use crate::service::Command;

/// How often the scheduler looks at the time.
const TICK: Duration = Duration::from_millis(200);
/// How often our chain is looked at when nothing is known to have changed.
const REFRESH: Duration = Duration::from_secs(1);
/// Fetches of orphans' parents at a time; more are dropped, the exchange of mempools finds them.
const MAX_PARENT_FETCHES: usize = 8;

/// What the swarm task tells this one. Hints may be lost: the periodic exchanges find out the same.
#[derive(Debug)]
pub(crate) enum Hint {
    /// A peer told its tip.
    Tip(PeerId, TipSummary),
    /// A peer sent a block whose parent we do not know.
    ParentMissing(PeerId),
    /// A peer sent a transaction whose parents we do not have.
    FetchParents(PeerId, Vec<Txid>),
}

/// How our chain stands.
struct Snapshot {
    tip: TipSummary,
    missing: Vec<BlockHash>,
    background: Vec<BlockHash>,
    /// Of each tip that was looked up: whether we have the header, and the block.
    tips: HashMap<BlockHash, (bool, bool)>,
}

type Running<T> = FuturesUnordered<Pin<Box<dyn Future<Output = T> + Send>>>;

/// The state of the task.
pub(crate) struct SyncTask {
    net: Net,
    scheduler: Scheduler,
    /// The connection numbers of the peers that the scheduler knows.
    sessions: HashMap<PeerId, u64>,
    exchanges: Running<Event>,
    parent_fetches: usize,
    refreshes: Running<Option<Snapshot>>,
    refresh_wanted: bool,
    last_refresh: Instant,
    warned_catching_up: bool,
}

impl SyncTask {
    pub(crate) fn new(net: Net, tip: TipSummary) -> Self {
        Self {
            net,
            scheduler: Scheduler::new(tip),
            sessions: HashMap::new(),
            exchanges: FuturesUnordered::new(),
            parent_fetches: 0,
            refreshes: FuturesUnordered::new(),
            refresh_wanted: true,
            last_refresh: Instant::now(),
            warned_catching_up: false,
        }
    }

    /// Runs until `stop` turns true; what is under way in the chain has then ended.
    pub(crate) async fn run(
        mut self,
        mut hints: mpsc::Receiver<Hint>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let net = self.net.clone();
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = net.shared().peers_changed.notified() => self.peers_changed(),
                () = net.shared().tip_changed.notified() => self.refresh_wanted = true,
                Some(hint) = hints.recv() => self.on_hint(hint),
                Some(event) = self.exchanges.next() => self.on_event(event),
                Some(snapshot) = self.refreshes.next() => self.on_snapshot(snapshot),
                _ = tick.tick() => self.refresh_wanted |= self.last_refresh.elapsed() >= REFRESH,
            }
            self.refresh();
            self.act().await;
        }
        // A snapshot is short and the last use of the chain here; exchanges end with the other task, which
        // fails their requests, but for what they do in the chain at this moment.
        drop(net);
        while self.refreshes.next().await.is_some() {}
        while self.exchanges.next().await.is_some() {}
    }

    fn peers_changed(&mut self) {
        let now = Instant::now();
        let current: HashMap<PeerId, u64> = {
            let table = self.net.shared().table();
            table
                .peers
                .iter()
                .map(|(peer, entry)| (*peer, entry.id))
                .collect()
        };
        let known: HashSet<PeerId> = self.scheduler.peers().copied().collect();
        for peer in &known {
            if current.get(peer) != self.sessions.get(peer) {
                self.scheduler.remove_peer(peer);
            }
        }
        for (peer, id) in &current {
            if self.sessions.get(peer) != Some(id) {
                self.scheduler.add_peer(*peer, now);
            }
        }
        self.sessions = current;
    }

    fn on_hint(&mut self, hint: Hint) {
        let now = Instant::now();
        match hint {
            Hint::Tip(peer, tip) => self.tip_told(peer, tip, now),
            Hint::ParentMissing(peer) => self.scheduler.parent_missing(&peer, now),
            Hint::FetchParents(peer, txids) => {
                if self.parent_fetches < MAX_PARENT_FETCHES {
                    self.parent_fetches += 1;
                    self.exchanges
                        .push(Box::pin(self.net.clone().fetch_parents(peer, txids)));
                }
            }
        }
    }

    fn tip_told(&mut self, peer: PeerId, tip: TipSummary, now: Instant) {
        self.scheduler.tip_told(&peer, tip, now);
        self.net.shared().update_peer(&peer, |entry| {
            entry.tip = Some(tip);
            entry.start_height.get_or_insert(tip.height.0);
        });
        self.refresh_wanted = true;
    }

    fn on_event(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::Tip(peer, tip) => {
                self.tip_told(peer, tip, now);
                self.scheduler.tip_exchanged(&peer, now);
            }
            Event::Headers(peer, result) => {
                self.scheduler.headers_received(&peer, result, now);
                self.refresh_wanted = true;
            }
            Event::Blocks(peer, results) => {
                self.scheduler.blocks_received(&peer, &results, now);
                self.refresh_wanted = true;
            }
            Event::Mempool(peer) => self.scheduler.mempool_exchanged(&peer, now),
            Event::Peers(peer) => self.scheduler.peers_received(&peer, now),
            Event::Failed(peer, asked) => self.scheduler.failed(&peer, &asked, now),
            Event::Fetched => self.parent_fetches = self.parent_fetches.saturating_sub(1),
        }
    }

    /// Looks at our chain, if something may have changed, once at a time.
    fn refresh(&mut self) {
        if !self.refresh_wanted || !self.refreshes.is_empty() {
            return;
        }
        self.refresh_wanted = false;
        self.last_refresh = Instant::now();
        let tips = self.tips_to_look_up();
        let net = self.net.clone();
        self.refreshes.push(Box::pin(async move {
            net.blocking(move |chain| {
                let missing = chain.missing_blocks(WINDOW);
                Snapshot {
                    tip: chain.tip(),
                    background: chain.background_blocks(WINDOW.saturating_sub(missing.len())),
                    missing,
                    tips: tips
                        .into_iter()
                        .map(|tip| (tip, (chain.has_header(&tip), chain.has_block(&tip))))
                        .collect(),
                }
            })
            .await
        }));
    }

    /// Tips whose headers the scheduler must know of, and those whose blocks we may have by now.
    fn tips_to_look_up(&self) -> HashSet<BlockHash> {
        let mut tips: HashSet<BlockHash> = self.scheduler.tips_to_check().into_iter().collect();
        let table = self.net.shared().table();
        for entry in table.peers.values() {
            let behind = |tip: &TipSummary| entry.synced_blocks != Some(tip.height.0);
            tips.extend(entry.tip.filter(behind).map(|tip| tip.hash));
        }
        tips
    }

    fn on_snapshot(&mut self, snapshot: Option<Snapshot>) {
        let Some(snapshot) = snapshot else { return };
        self.scheduler.set_background(snapshot.background);
        self.scheduler
            .set_local(snapshot.tip, snapshot.missing, Instant::now());
        let has_header = snapshot
            .tips
            .iter()
            .map(|(tip, (header, _))| (*tip, *header))
            .collect();
        self.scheduler.tips_checked(&has_header);
        self.note_progress(&snapshot.tips);
        let is_catching_up = self.scheduler.is_catching_up();
        if is_catching_up != self.warned_catching_up {
            self.warned_catching_up = is_catching_up;
            if is_catching_up {
                tracing::info!(height = %snapshot.tip.height, "behind the best header chain, fetching blocks");
            } else {
                tracing::info!(height = %snapshot.tip.height, "caught up with the best header chain");
            }
        }
        self.net.shared().set_catching_up(is_catching_up);
    }

    /// Notes for people which of the peers' blocks we have.
    fn note_progress(&self, tips: &HashMap<BlockHash, (bool, bool)>) {
        let mut table = self.net.shared().table();
        for entry in table.peers.values_mut() {
            let Some(tip) = entry.tip else { continue };
            if let Some((has_header, has_block)) = tips.get(&tip.hash) {
                if *has_header {
                    entry.synced_headers = Some(tip.height.0);
                }
                if *has_block {
                    entry.synced_blocks = Some(tip.height.0);
                }
            }
        }
    }

    async fn act(&mut self) {
        for action in self.scheduler.poll(Instant::now()) {
            let net = self.net.clone();
            match action {
                Action::ExchangeTip(peer) => self.exchanges.push(Box::pin(net.exchange_tip(peer))),
                Action::GetHeaders(peer, after) => {
                    self.exchanges
                        .push(Box::pin(net.fetch_headers(peer, after)));
                }
                Action::GetBlocks(peer, hashes) => {
                    self.exchanges
                        .push(Box::pin(net.fetch_blocks(peer, hashes)));
                }
                Action::GetMempool(peer) => {
                    self.exchanges.push(Box::pin(net.exchange_mempool(peer)))
                }
                Action::GetPeers(peer) => self.exchanges.push(Box::pin(net.fetch_peers(peer))),
                Action::Disconnect(peer) => {
                    tracing::debug!(%peer, "it does not answer: disconnecting");
                    net.command(Command::Drop(peer)).await;
                }
            }
        }
    }
}
