//! The work of several nodes as one source: the first counts among those that are furthest, the next ones stand ready with templates
//! of their own, so that a node that fails or lags behind is replaced at once, and comes back when it is up again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::{Amount, Block, BlockHash, Script, ScriptBuf};
use pyrite_miner::{Template, TemplateOptions, WorkError, WorkSource};
use tokio::sync::watch;

use super::event::{Event, Events, Verdict};
use super::offer::Offer;
use super::server::Server;
use super::stop::Stop;
use super::submission::{Pending, Sent};
use super::trouble::{Remedy, Trouble};

/// How long to mine on when no node answers: a block that is found then is kept until one does.
const HOLD: Duration = Duration::from_secs(120);

/// How long to wait for work on a block of ours that a node has judged. What it gives on the same parent until then is of
/// before.
const NEXT_WORK_WITHIN: Duration = Duration::from_secs(10);

/// Work over JSON-RPC.
pub(super) struct RemoteWork {
    pub(super) servers: Vec<Server>,
    /// Whom blocks pay, as it was given.
    pub(super) address: String,
    pub(super) payout: ScriptBuf,
    pub(super) events: Events,
    pub(super) stop: Stop,
    /// Blocks that no node has judged yet.
    pub(super) pending: Mutex<VecDeque<Pending>>,
    state: Mutex<State>,
    templates: watch::Sender<Option<Arc<Template>>>,
    /// The nodes' clock less ours, in seconds.
    clock_offset_s: AtomicI64,
}

struct State {
    slots: Vec<Slot>,
    /// The server that is worked for.
    current: Option<usize>,
    /// Since when no server gives work.
    none_since: Option<Instant>,
    /// A block on this parent was found and waits for a node: a second one would only be its sibling.
    solved: Option<BlockHash>,
    /// A block on this parent was judged at that time.
    judged: Option<(BlockHash, Instant)>,
    figures: Figures,
}

/// What became of the blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) found: u64,
    pub(super) accepted: u64,
    pub(super) stale: u64,
    pub(super) rejected: u64,
    pub(super) lost: u64,
    /// What the accepted ones pay.
    pub(super) earned: Amount,
}

/// What is known of a server.
#[derive(Default)]
struct Slot {
    state: SlotState,
    work_id: Option<(BlockHash, String)>,
    was_ever_up: bool,
}

#[derive(Default)]
enum SlotState {
    #[default]
    Asking,
    Up(Arc<Template>),
    Down(Trouble),
}

/// A server, for the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerView {
    pub(super) url: String,
    pub(super) is_current: bool,
    /// `None` while it gives work.
    pub(super) trouble: Option<String>,
}

impl RemoteWork {
    pub(super) fn new(servers: Vec<Server>, address: String, payout: ScriptBuf) -> Arc<Self> {
        let slots = servers.iter().map(|_| Slot::default()).collect();
        Arc::new(Self {
            servers,
            address,
            payout,
            events: Events::default(),
            stop: Stop::default(),
            pending: Mutex::default(),
            state: Mutex::new(State {
                slots,
                current: None,
                none_since: None,
                solved: None,
                judged: None,
                figures: Figures::default(),
            }),
            templates: watch::Sender::new(None),
            clock_offset_s: AtomicI64::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server gives work.
    pub(super) fn take_offer(&self, index: usize, offer: Offer, now: u64) {
        let mut state = self.state();
        let slot = &mut state.slots[index];
        if !matches!(slot.state, SlotState::Up(_)) {
            let url = self.servers[index].url.clone();
            self.events.push(Event::ServerUp { url });
        }
        slot.was_ever_up = true;
        slot.work_id = offer.work_id.map(|id| (offer.template.previous, id));
        slot.state = SlotState::Up(Arc::new(offer.template));
        self.choose(&mut state);
        if state.current == Some(index) {
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            let offset = i64::from(offer.time).saturating_sub(now);
            self.clock_offset_s.store(offset, Ordering::Relaxed);
        }
    }

    /// A server gives none.
    pub(super) fn note_trouble(&self, index: usize, trouble: Trouble) {
        let mut state = self.state();
        let slot = &mut state.slots[index];
        if !matches!(&slot.state, SlotState::Down(known) if *known == trouble) {
            self.events.push(Event::ServerDown {
                url: self.servers[index].url.clone(),
                reason: trouble.reason.clone(),
            });
        }
        slot.state = SlotState::Down(trouble);
        self.choose(&mut state);
    }

    /// Publishes the template of the first server among those that are furthest: a block on a lower tip would be stale.
    fn choose(&self, state: &mut State) {
        let up = |(index, slot): (usize, &Slot)| match &slot.state {
            SlotState::Up(template) => Some((index, Arc::clone(template))),
            SlotState::Asking | SlotState::Down(_) => None,
        };
        let templates = || state.slots.iter().enumerate().filter_map(up);
        let highest = templates().map(|(_, template)| template.height).max();
        let first = templates().find(|(_, template)| Some(template.height) == highest);
        let Some((index, template)) = first else {
            let since = *state.none_since.get_or_insert_with(Instant::now);
            state.current = None;
            if since.elapsed() >= HOLD {
                self.publish(None);
            }
            return;
        };
        state.none_since = None;
        if state.current.replace(index) != Some(index) {
            let url = self.servers[index].url.clone();
            self.events.push(Event::Working { url });
        }
        let is_past = state.judged.is_some_and(|(parent, at)| {
            parent == template.previous && at.elapsed() < NEXT_WORK_WITHIN
        });
        if is_past || state.solved == Some(template.previous) {
            self.publish(None);
        } else {
            self.publish(Some(template));
        }
    }

    fn publish(&self, template: Option<Arc<Template>>) {
        let earlier = self.templates.borrow().clone();
        if let Some(template) = &template
            && earlier.as_ref().map(|earlier| earlier.previous) != Some(template.previous)
        {
            self.events.push(Event::NewTip {
                height: template.height.0,
                previous: template.previous,
            });
        }
        let is_same = match (&earlier, &template) {
            (Some(earlier), Some(template)) => Arc::ptr_eq(earlier, template),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            self.templates.send_replace(template);
        }
    }

    /// A block on this parent waits for a node, or none does any more.
    pub(super) fn set_solved(&self, parent: Option<BlockHash>) {
        let mut state = self.state();
        state.solved = parent;
        if parent.is_some() && self.templates.borrow().as_ref().map(|t| t.previous) == parent {
            self.publish(None);
        }
        self.choose(&mut state);
    }

    /// A node has judged a block on this parent: another one would only be its sibling.
    pub(super) fn set_judged(&self, parent: BlockHash) {
        let mut state = self.state();
        state.judged = Some((parent, Instant::now()));
        if self.templates.borrow().as_ref().map(|t| t.previous) == Some(parent) {
            self.publish(None);
        }
    }

    /// The servers, the one that is worked for first.
    pub(super) fn server_order(&self) -> Vec<usize> {
        let current = self.state().current;
        let others = (0..self.servers.len()).filter(|index| Some(*index) != current);
        current.into_iter().chain(others).collect()
    }

    /// What a server wants to have back with a block on this parent.
    pub(super) fn work_id(&self, index: usize, parent: &BlockHash) -> Option<String> {
        let state = self.state();
        let (of, id) = state.slots[index].work_id.as_ref()?;
        (of == parent).then(|| id.clone())
    }

    /// Counts what became of a block, and tells it.
    pub(super) fn record(&self, block: &Sent, verdict: Verdict) {
        let mut state = self.state();
        let figures = &mut state.figures;
        match &verdict {
            Verdict::Accepted => {
                figures.accepted += 1;
                figures.earned = figures
                    .earned
                    .checked_add(block.value)
                    .unwrap_or(Amount::MAX);
            }
            Verdict::Stale => figures.stale += 1,
            Verdict::Rejected { .. } => figures.rejected += 1,
            Verdict::Lost { .. } => figures.lost += 1,
            Verdict::Kept { .. } => {}
        }
        self.events.push(Event::Block {
            hash: block.hash,
            height: block.height,
            value: block.value,
            verdict,
        });
    }

    /// Counts a block.
    pub(super) fn count_found(&self) {
        self.state().figures.found += 1;
    }

    pub(super) fn figures(&self) -> Figures {
        self.state().figures
    }

    pub(super) fn server_views(&self) -> Vec<ServerView> {
        let state = self.state();
        let slots = state.slots.iter().zip(&self.servers).enumerate();
        let view = |(index, (slot, server)): (usize, (&Slot, &Server))| ServerView {
            url: server.url.clone(),
            is_current: state.current == Some(index),
            trouble: match &slot.state {
                SlotState::Asking => Some("asking".to_owned()),
                SlotState::Up(_) => None,
                SlotState::Down(trouble) => Some(trouble.reason.clone()),
            },
        };
        slots.map(view).collect()
    }

    /// Why this can't ever work, if nothing but a change of the command or of the nodes helps.
    pub(super) fn hopeless(&self) -> Option<String> {
        let state = self.state();
        let reason = |(slot, server): (&Slot, &Server)| match &slot.state {
            SlotState::Down(trouble) if trouble.remedy == Remedy::Somebody && !slot.was_ever_up => {
                Some(format!("{}: {}", server.url, trouble.reason))
            }
            _ => None,
        };
        let reasons: Option<Vec<_>> = state.slots.iter().zip(&self.servers).map(reason).collect();
        reasons.map(|reasons| reasons.join("; "))
    }

    /// The time of the node that is worked for, Unix seconds.
    pub(super) fn node_time(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.clock_offset_s.load(Ordering::Relaxed))
    }
}

impl WorkSource for RemoteWork {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        let template = self.templates.borrow().clone();
        template.ok_or_else(|| WorkError::Unavailable {
            reason: "no node gives work".to_owned(),
        })
    }

    fn build(&self, _payout: &Script) -> Result<Arc<Template>, WorkError> {
        Err(WorkError::Unavailable {
            reason: "the nodes build the templates".to_owned(),
        })
    }

    /// Whom blocks pay is settled at the start.
    fn set_payout(&self, _payout: ScriptBuf) {}

    fn options(&self) -> TemplateOptions {
        TemplateOptions::default()
    }

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        self.submit_block(&block)
    }
}

#[cfg(test)]
#[path = "remote_work_tests.rs"]
mod tests;
