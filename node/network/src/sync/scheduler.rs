//! Who is asked for what, and when. A pure state machine: it is told what happened and what time it
//! is, and says what to ask next.
//!
//! Headers are fetched from any peer whose tip we do not know, once per tip. Blocks that the best header
//! chain lacks are shared out among the peers, lowest first; what fails or stalls goes to another peer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use pyrite_consensus::bitcoin::BlockHash;

use crate::TipSummary;
use crate::protocol::message::MAX_HEADERS;

/// Blocks that one request asks for.
const BLOCKS_PER_REQUEST: usize = 8;
/// Block requests of one peer at a time, so that it is never idle: 16 blocks.
const REQUESTS_PER_PEER: usize = 2;
/// Blocks that are looked at ahead of the lowest missing one. The chain takes bodies up to 1024 above its tip.
pub(crate) const WINDOW: usize = 512;
/// A block that has not come for so long is asked of a second peer, if one is idle.
const SECOND_TRY: Duration = Duration::from_secs(5);
/// Peers that are asked for headers at a time.
const MAX_HEADER_FETCHES: usize = 3;
const TIP_INTERVAL: Duration = Duration::from_secs(5);
/// After our tip moved: by then gossip has done its work, or it never will.
const TIP_DELAY: Duration = Duration::from_secs(1);
const MEMPOOL_INTERVAL: Duration = Duration::from_secs(10);
const MEMPOOL_DELAY: Duration = Duration::from_millis(1500);
const PEERS_INTERVAL: Duration = Duration::from_secs(20);
/// A block that the peer does not have, or that the chain does not take now, is asked for again later.
const LATER: Duration = Duration::from_secs(3);
/// A peer that failed so often in a row is disconnected.
const MAX_FAILURES: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Fewer missing blocks than this are the normal case of a new block on its way.
const CATCHING_UP: usize = 32;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Tell our tip and ask for theirs.
    ExchangeTip(PeerId),
    /// Ask for headers; after that hash, where one is given, else after our locator.
    GetHeaders(PeerId, Option<BlockHash>),
    /// Ask for these blocks.
    GetBlocks(PeerId, Vec<BlockHash>),
    /// Fetch what we lack of their mempool.
    GetMempool(PeerId),
    /// Ask for other peers.
    GetPeers(PeerId),
    /// It does not do its part.
    Disconnect(PeerId),
}

/// What was asked of a peer; for failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Tip,
    Headers,
    Blocks(Vec<BlockHash>),
    Mempool,
    Peers,
}

/// What became of headers that a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadersResult {
    /// How many there were.
    pub(crate) count: usize,
    /// How many were new to us.
    pub(crate) new: usize,
    /// The last one.
    pub(crate) last: Option<BlockHash>,
    /// Whether our chain took them.
    pub(crate) taken: bool,
}

/// What became of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockResult {
    /// Our chain has it now, or found it invalid.
    Done,
    /// The peer does not have it.
    Lacking,
    /// Our chain does not take it now.
    NotNow,
    /// It was cut off from the answer: ask again.
    Cut,
}

/// How we stand to a peer's tip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TipState {
    /// Not told yet.
    #[default]
    Untold,
    /// Told, not looked up yet.
    Unchecked,
    /// We lack its header.
    Unknown,
    /// We have its header.
    Known,
}

/// One exchange that is repeated.
#[derive(Clone, Copy, Debug)]
struct Periodic {
    due: Instant,
    running: bool,
}

impl Periodic {
    fn start(&mut self, now: Instant) -> bool {
        let starts = !self.running && self.due <= now;
        self.running |= starts;
        starts
    }

    fn finish(&mut self, next: Instant) {
        self.running = false;
        self.due = next;
    }

    fn hasten(&mut self, to: Instant) {
        self.due = self.due.min(to);
    }
}

#[derive(Debug)]
struct PeerState {
    tip: Option<TipSummary>,
    tip_state: TipState,
    tip_exchange: Periodic,
    mempool: Periodic,
    peers: Periodic,
    /// Fetch headers even if the tip that it told is known: it sent a block without its parents.
    wants_headers: bool,
    headers_running: bool,
    /// Where the last full answer ended.
    headers_after: Option<BlockHash>,
    fruitless: u32,
    headers_from: Instant,
    block_requests: usize,
    lacks: HashMap<BlockHash, Instant>,
    failures: u32,
    paused_until: Instant,
}

#[derive(Debug)]
struct InFlight {
    peers: Vec<PeerId>,
    since: Instant,
}

/// The state of the synchronisation.
#[derive(Debug)]
pub(crate) struct Scheduler {
    local: TipSummary,
    peers: HashMap<PeerId, PeerState>,
    missing: Vec<BlockHash>,
    /// Blocks that are asked for after those.
    background: Vec<BlockHash>,
    in_flight: HashMap<BlockHash, InFlight>,
    later: HashMap<BlockHash, Instant>,
}

impl Scheduler {
    pub(crate) fn new(local: TipSummary) -> Self {
        Self {
            local,
            peers: HashMap::new(),
            missing: Vec::new(),
            background: Vec::new(),
            in_flight: HashMap::new(),
            later: HashMap::new(),
        }
    }

    /// A peer is connected.
    pub(crate) fn add_peer(&mut self, peer: PeerId, now: Instant) {
        let at = |delay| Periodic {
            due: now + delay,
            running: false,
        };
        let state = PeerState {
            tip: None,
            tip_state: TipState::Untold,
            tip_exchange: at(Duration::ZERO),
            mempool: at(MEMPOOL_DELAY),
            peers: at(Duration::ZERO),
            wants_headers: false,
            headers_running: false,
            headers_after: None,
            fruitless: 0,
            headers_from: now,
            block_requests: 0,
            lacks: HashMap::new(),
            failures: 0,
            paused_until: now,
        };
        self.peers.insert(peer, state);
    }

    /// A peer is gone: what it was asked for goes to others.
    pub(crate) fn remove_peer(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
        self.in_flight.retain(|_, flight| {
            flight.peers.retain(|asked| asked != peer);
            !flight.peers.is_empty()
        });
    }

    /// The peers that it knows of.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.keys()
    }

    /// Our own tip, and the lowest blocks that the best header chain lacks.
    pub(crate) fn set_local(&mut self, tip: TipSummary, missing: Vec<BlockHash>, now: Instant) {
        if tip != self.local {
            self.local = tip;
            for peer in self.peers.values_mut() {
                peer.tip_exchange.hasten(now + TIP_DELAY);
            }
        }
        self.missing = missing;
        self.later.retain(|_, until| *until > now);
    }

    /// The lowest blocks that are wanted when none of the best header chain is left to ask for.
    pub(crate) fn set_background(&mut self, background: Vec<BlockHash>) {
        self.background = background;
    }

    /// Whether so many blocks are missing that we are of no use to others.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.missing.len() > CATCHING_UP
    }

    /// Tips of peers that must be looked up in our chain.
    pub(crate) fn tips_to_check(&self) -> Vec<BlockHash> {
        self.peers
            .values()
            .filter(|peer| matches!(peer.tip_state, TipState::Unchecked | TipState::Unknown))
            .filter_map(|peer| peer.tip.map(|tip| tip.hash))
            .collect()
    }

    /// The answer to `tips_to_check`: which headers we have.
    pub(crate) fn tips_checked(&mut self, is_known: &HashMap<BlockHash, bool>) {
        for peer in self.peers.values_mut() {
            if let Some(known) = peer.tip.and_then(|tip| is_known.get(&tip.hash)) {
                peer.tip_state = if *known {
                    TipState::Known
                } else {
                    TipState::Unknown
                };
            }
        }
    }

    /// A peer told its tip, asked or not.
    pub(crate) fn tip_told(&mut self, peer: &PeerId, tip: TipSummary, now: Instant) {
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        if state.tip == Some(tip) && state.tip_state == TipState::Known {
            return;
        }
        // A tip that moved by more than one block comes of a reorganisation or a sync, after which its
        // mempool holds what we may not have.
        let step = state
            .tip
            .map(|before| tip.height.0.checked_sub(before.height.0));
        if step.is_some_and(|step| step != Some(1) && step != Some(0)) || state.tip.is_none() {
            state.mempool.hasten(now + MEMPOOL_DELAY);
        }
        if state.tip != Some(tip) {
            state.headers_after = None;
        }
        state.tip = Some(tip);
        state.tip_state = TipState::Unchecked;
    }

    /// A tip exchange ended.
    pub(crate) fn tip_exchanged(&mut self, peer: &PeerId, now: Instant) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.tip_exchange.finish(now + TIP_INTERVAL);
            state.failures = 0;
        }
    }

    /// A mempool exchange ended.
    pub(crate) fn mempool_exchanged(&mut self, peer: &PeerId, now: Instant) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.mempool.finish(now + MEMPOOL_INTERVAL);
        }
    }

    /// It answered with other peers.
    pub(crate) fn peers_received(&mut self, peer: &PeerId, now: Instant) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.peers.finish(now + PEERS_INTERVAL);
        }
    }

    /// A peer sent a block whose parent we do not know.
    pub(crate) fn parent_missing(&mut self, peer: &PeerId, now: Instant) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.wants_headers = true;
            state.tip_exchange.hasten(now);
        }
    }

    /// A peer answered with headers, and our chain has looked at them.
    pub(crate) fn headers_received(&mut self, peer: &PeerId, result: HeadersResult, now: Instant) {
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        state.headers_running = false;
        state.failures = 0;
        let is_full = result.count >= MAX_HEADERS;
        let is_same = result.last.is_some() && result.last == state.headers_after;
        if result.taken && is_full && !is_same {
            state.headers_after = result.last;
            state.wants_headers = true;
        } else {
            state.headers_after = None;
            state.wants_headers = false;
        }
        if result.new > 0 && result.taken {
            state.fruitless = 0;
        } else if !state.wants_headers {
            // Its chain may have changed meanwhile: ask for the tip, and do not ask in circles.
            state.fruitless = state.fruitless.saturating_add(1);
            state.tip_exchange.hasten(now);
            state.headers_from = now + pause(state.fruitless);
        }
        if state.tip_state == TipState::Unknown {
            state.tip_state = TipState::Unchecked;
        }
    }

    /// A peer answered with blocks, and our chain has looked at them.
    pub(crate) fn blocks_received(
        &mut self,
        peer: &PeerId,
        results: &[(BlockHash, BlockResult)],
        now: Instant,
    ) {
        for (hash, result) in results {
            self.land(hash, peer);
            match result {
                BlockResult::Done => {
                    self.in_flight.remove(hash);
                    self.missing.retain(|missing| missing != hash);
                    self.background.retain(|missing| missing != hash);
                }
                BlockResult::NotNow => {
                    self.later.insert(*hash, now + LATER);
                }
                BlockResult::Lacking => {
                    if let Some(state) = self.peers.get_mut(peer) {
                        state.lacks.insert(*hash, now + LATER);
                    }
                }
                BlockResult::Cut => {}
            }
        }
        if let Some(state) = self.peers.get_mut(peer) {
            state.block_requests = state.block_requests.saturating_sub(1);
            state.failures = 0;
        }
    }

    /// A request failed or was not answered in time.
    pub(crate) fn failed(&mut self, peer: &PeerId, asked: &Asked, now: Instant) {
        if let Asked::Blocks(hashes) = asked {
            for hash in hashes {
                self.land(hash, peer);
            }
        }
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        match asked {
            Asked::Tip => state.tip_exchange.finish(now + TIP_INTERVAL),
            Asked::Headers => state.headers_running = false,
            Asked::Blocks(_) => state.block_requests = state.block_requests.saturating_sub(1),
            Asked::Mempool => state.mempool.finish(now + MEMPOOL_INTERVAL),
            Asked::Peers => state.peers.finish(now + PEERS_INTERVAL),
        }
        state.failures = state.failures.saturating_add(1);
        state.paused_until = now + pause(state.failures);
    }

    /// What to do now. Everything it returns counts as under way.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut order: Vec<PeerId> = self.peers.keys().copied().collect();
        order.sort_unstable();
        self.poll_exchanges(&order, now, &mut actions);
        self.poll_headers(&order, now, &mut actions);
        self.poll_blocks(&order, now, &mut actions);
        actions
    }

    fn poll_exchanges(&mut self, order: &[PeerId], now: Instant, actions: &mut Vec<Action>) {
        let is_catching_up = self.is_catching_up();
        for peer in order {
            let Some(state) = self.peers.get_mut(peer) else {
                continue;
            };
            if state.failures >= MAX_FAILURES {
                actions.push(Action::Disconnect(*peer));
                self.remove_peer(peer);
                continue;
            }
            if state.tip_exchange.start(now) {
                actions.push(Action::ExchangeTip(*peer));
            }
            if state.peers.start(now) {
                actions.push(Action::GetPeers(*peer));
            }
            let tip_is_known = state.tip_state == TipState::Known;
            if tip_is_known && !is_catching_up && state.mempool.start(now) {
                actions.push(Action::GetMempool(*peer));
            }
        }
    }

    fn poll_headers(&mut self, order: &[PeerId], now: Instant, actions: &mut Vec<Action>) {
        let running = self.peers.values().filter(|peer| peer.headers_running);
        let mut fetched: Vec<Option<BlockHash>> =
            running.map(|peer| peer.tip.map(|tip| tip.hash)).collect();
        for peer in order {
            let Some(state) = self.peers.get_mut(peer) else {
                continue;
            };
            let tip = state.tip.map(|tip| tip.hash);
            let wants = state.wants_headers || state.tip_state == TipState::Unknown;
            let may = !state.headers_running
                && state.headers_from <= now
                && state.paused_until <= now
                && fetched.len() < MAX_HEADER_FETCHES
                && !(tip.is_some() && fetched.contains(&tip));
            if wants && may {
                state.headers_running = true;
                fetched.push(tip);
                actions.push(Action::GetHeaders(*peer, state.headers_after));
            }
        }
    }

    fn poll_blocks(&mut self, order: &[PeerId], now: Instant, actions: &mut Vec<Action>) {
        if self.missing.is_empty() && self.background.is_empty() {
            return;
        }
        for state in self.peers.values_mut() {
            state.lacks.retain(|_, until| *until > now);
        }
        // Peers take turns, so that the lowest blocks are spread over all of them.
        loop {
            let before = actions.len();
            for peer in order
                .iter()
                .filter(|peer| self.may_give_blocks(peer, now))
                .copied()
                .collect::<Vec<_>>()
            {
                let hashes = self.blocks_for(&peer, now);
                let Some(state) = self.peers.get_mut(&peer) else {
                    continue;
                };
                if hashes.is_empty() {
                    continue;
                }
                state.block_requests += 1;
                for hash in &hashes {
                    let flight = self.in_flight.entry(*hash).or_insert_with(|| InFlight {
                        peers: Vec::new(),
                        since: now,
                    });
                    flight.peers.push(peer);
                    flight.since = now;
                }
                actions.push(Action::GetBlocks(peer, hashes));
            }
            if actions.len() == before {
                return;
            }
        }
    }

    fn may_give_blocks(&self, peer: &PeerId, now: Instant) -> bool {
        let Some(state) = self.peers.get(peer) else {
            return false;
        };
        if state.block_requests >= REQUESTS_PER_PEER || state.paused_until > now {
            return false;
        }
        let has_more = |state: &PeerState| state.tip.is_some_and(|tip| tip.work > self.local.work);
        // Where nobody claims to have more than we, each may still have something.
        has_more(state) || !self.peers.values().any(has_more)
    }

    /// The lowest blocks to ask that peer for; where all are asked for, those that take too long.
    fn blocks_for(&self, peer: &PeerId, now: Instant) -> Vec<BlockHash> {
        let Some(state) = self.peers.get(peer) else {
            return Vec::new();
        };
        let window = || {
            self.missing
                .iter()
                .chain(&self.background)
                .take(WINDOW)
                .filter(|hash| !self.later.contains_key(*hash) && !state.lacks.contains_key(*hash))
        };
        let free: Vec<BlockHash> = window()
            .filter(|hash| !self.in_flight.contains_key(*hash))
            .take(BLOCKS_PER_REQUEST)
            .copied()
            .collect();
        if !free.is_empty() || state.block_requests > 0 {
            return free;
        }
        let is_late = |hash: &&BlockHash| {
            self.in_flight.get(*hash).is_some_and(|flight| {
                flight.peers.len() == 1
                    && flight.peers[0] != *peer
                    && now.saturating_duration_since(flight.since) >= SECOND_TRY
            })
        };
        window()
            .filter(is_late)
            .take(BLOCKS_PER_REQUEST)
            .copied()
            .collect()
    }

    /// The peer is not asked for that block any more.
    fn land(&mut self, hash: &BlockHash, peer: &PeerId) {
        if let Some(flight) = self.in_flight.get_mut(hash) {
            flight.peers.retain(|asked| asked != peer);
            if flight.peers.is_empty() {
                self.in_flight.remove(hash);
            }
        }
    }
}

/// Doubles from one second to thirty.
fn pause(times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(5);
    (Duration::from_secs(1) * (1 << doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
