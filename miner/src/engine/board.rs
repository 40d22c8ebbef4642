//! What the threads of a run share: the newest template, and who may mine on it.
//!
//! Every change bumps the generation, which running searches watch, and wakes the waiting threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::BlockHash;

use super::lock::lock;
use crate::{Cancel, Template};

/// How long after a submission to wait for a template on another tip, before a second block on the
/// same parent is worth a try.
const TIP_WAIT: Duration = Duration::from_secs(1);

pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
    generation: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    template: Option<Arc<Template>>,
    /// When the template's parent became the tip.
    tip_since: Option<Instant>,
    /// The tip that was announced last, and when.
    announced: Option<(BlockHash, Instant)>,
    hold: Option<Hold>,
    pause: Pause,
    is_stopping: bool,
}

/// Whether all threads wait, whatever there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pause {
    #[default]
    Never,
    Now,
    /// Not any more, since then.
    Over(Instant),
}

/// A block on `previous` was found: until the tip moves, a further one could only be its sibling.
struct Hold {
    previous: BlockHash,
    /// `None` while the block is being submitted.
    until: Option<Instant>,
}

impl Hold {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// A template to mine on, and the ticket that expires with it.
pub(super) struct Work {
    pub(super) template: Arc<Template>,
    pub(super) cancel: Cancel,
    /// When the template's parent became the tip.
    pub(super) tip_since: Instant,
    /// When threads were allowed to mine again, after a pause.
    pub(super) resumed: Option<Instant>,
}

/// What a thread should do.
enum Next {
    Mine(Arc<Template>),
    WaitUntil(Instant),
    Wait,
}

impl State {
    fn next(&self, now: Instant) -> Next {
        let Some(template) = self.template.as_ref().filter(|_| self.pause != Pause::Now) else {
            return Next::Wait;
        };
        match &self.hold {
            Some(hold) if hold.previous == template.previous && !hold.is_over(now) => {
                hold.until.map_or(Next::Wait, Next::WaitUntil)
            }
            _ => Next::Mine(Arc::clone(template)),
        }
    }
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            generation: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Puts up a new template; `None` makes every thread wait.
    pub(super) fn publish(&self, template: Option<Arc<Template>>) {
        self.change(|state| {
            let before = state.template.as_ref().map(|template| template.previous);
            let tip = template.as_ref().map(|template| template.previous);
            if tip != before {
                let announced = state.announced.filter(|(hash, _)| Some(*hash) == tip);
                let since = announced.map_or_else(Instant::now, |(_, at)| at);
                state.tip_since = tip.map(|_| since);
            }
            state.template = template;
        });
    }

    /// Takes note that `tip` became the tip at `at`: its template is on its way.
    pub(super) fn announce_tip(&self, tip: BlockHash, at: Instant) {
        lock(&self.state).announced = Some((tip, at));
    }

    /// Makes every thread wait.
    pub(super) fn pause(&self) {
        if !self.is_paused() {
            self.change(|state| state.pause = Pause::Now);
        }
    }

    /// Ends the pause, if there is one.
    pub(super) fn resume(&self) {
        if self.is_paused() {
            self.change(|state| state.pause = Pause::Over(Instant::now()));
        }
    }

    /// Whether all threads are to wait.
    pub(super) fn is_paused(&self) -> bool {
        lock(&self.state).pause == Pause::Now
    }

    /// Makes every thread end.
    pub(super) fn stop(&self) {
        self.change(|state| state.is_stopping = true);
    }

    pub(super) fn is_stopping(&self) -> bool {
        lock(&self.state).is_stopping
    }

    /// Whether there is something to mine on at the moment.
    pub(super) fn has_work(&self) -> bool {
        matches!(lock(&self.state).next(Instant::now()), Next::Mine(_))
    }

    /// Waits for a template to mine on; `None` means the end.
    pub(super) fn next_work(&self) -> Option<Work> {
        let mut state = lock(&self.state);
        while !state.is_stopping {
            let now = Instant::now();
            state = match state.next(now) {
                Next::Mine(template) => {
                    // Changes happen under the lock, so this is the template's generation.
                    let generation = self.generation.load(Ordering::Acquire);
                    let cancel = Cancel::new(Arc::clone(&self.generation), generation);
                    let resumed = match state.pause {
                        Pause::Over(since) => Some(since),
                        Pause::Never | Pause::Now => None,
                    };
                    return Some(Work {
                        template,
                        cancel,
                        tip_since: state.tip_since.unwrap_or(now),
                        resumed,
                    });
                }
                Next::WaitUntil(until) => {
                    let timeout = until.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(state, timeout);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Next::Wait => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
        None
    }

    /// Sleeps; only the end wakes it early.
    pub(super) fn rest(&self, duration: Duration) {
        let state = lock(&self.state);
        // The outcome does not matter: the caller measures how long it was.
        let _ = self
            .changed
            .wait_timeout_while(state, duration, |state| !state.is_stopping);
    }

    /// Claims the right to submit a block on `previous`. `None`: the block is stale, because the tip
    /// moved or because another thread was first. All threads hold until the claim is dropped and the
    /// tip had time to move.
    pub(super) fn claim(&self, previous: BlockHash) -> Option<Claim<'_>> {
        let mut state = lock(&self.state);
        let is_current = state
            .template
            .as_ref()
            .is_some_and(|now| now.previous == previous);
        let is_held = state
            .hold
            .as_ref()
            .is_some_and(|hold| hold.previous == previous && !hold.is_over(Instant::now()));
        if !is_current || is_held {
            return None;
        }
        state.hold = Some(Hold {
            previous,
            until: None,
        });
        self.announce();
        Some(Claim {
            board: self,
            previous,
        })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        change(&mut state);
        self.announce();
    }

    /// Tells the threads of a change; called with the state locked.
    fn announce(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        self.changed.notify_all();
    }
}

/// The right to submit a block, until it is dropped.
pub(super) struct Claim<'a> {
    board: &'a Board,
    previous: BlockHash,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.board.change(|state| {
            if let Some(hold) = state
                .hold
                .as_mut()
                .filter(|hold| hold.previous == self.previous)
            {
                hold.until = Some(Instant::now() + TIP_WAIT);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fakes::template_on;

    fn board_on(tip: u8) -> Board {
        let board = Board::new();
        board.publish(Some(template_on(tip)));
        board
    }

    fn hash(tip: u8) -> BlockHash {
        template_on(tip).previous
    }

    #[test]
    fn every_change_expires_the_tickets() {
        let board = board_on(1);
        let work = board.next_work().unwrap();
        assert_eq!(work.template.previous, hash(1));
        assert!(!work.cancel.is_cancelled());
        board.publish(Some(template_on(1)));
        assert!(work.cancel.is_cancelled());
        let work = board.next_work().unwrap();
        board.publish(None);
        assert!(work.cancel.is_cancelled());
        assert!(!board.has_work());
    }

    #[test]
    fn a_pause_expires_the_tickets_and_lasts_until_it_is_over() {
        let board = board_on(1);
        let work = board.next_work().unwrap();
        assert_eq!(work.resumed, None);
        board.pause();
        assert!(work.cancel.is_cancelled());
        assert!(board.is_paused() && !board.has_work());
        board.publish(Some(template_on(2)));
        assert!(!board.has_work());
        let before = Instant::now();
        board.resume();
        let work = board.next_work().unwrap();
        assert_eq!(work.template.previous, hash(2));
        assert!(work.resumed.unwrap() >= before);
    }

    #[test]
    fn a_tip_is_as_old_as_its_announcement() {
        let board = board_on(1);
        let first = board.next_work().unwrap().tip_since;
        board.publish(Some(template_on(1)));
        assert_eq!(board.next_work().unwrap().tip_since, first, "the same tip");
        let announced = Instant::now();
        board.announce_tip(hash(2), announced);
        board.publish(Some(template_on(2)));
        assert_eq!(board.next_work().unwrap().tip_since, announced);
        board.publish(Some(template_on(3)));
        assert!(
            board.next_work().unwrap().tip_since > announced,
            "nobody announced this one"
        );
    }

    #[test]
    fn the_first_block_on_a_tip_is_claimed_and_the_others_are_stale() {
        let board = board_on(1);
        let claim = board.claim(hash(1));
        assert!(claim.is_some());
        assert!(board.claim(hash(1)).is_none());
        assert!(!board.has_work());
        drop(claim);
        assert!(!board.has_work(), "the tip has a moment to move");
        assert!(board.claim(hash(1)).is_none());
    }

    #[test]
    fn a_new_tip_ends_the_wait_at_once() {
        let board = board_on(1);
        let claim = board.claim(hash(1));
        board.publish(Some(template_on(1)));
        assert!(
            !board.has_work(),
            "another template on the same tip does not count"
        );
        board.publish(Some(template_on(2)));
        assert!(board.has_work());
        drop(claim);
        assert!(board.has_work());
        assert!(board.claim(hash(2)).is_some());
    }

    #[test]
    fn without_a_new_tip_mining_goes_on_after_a_while() {
        let board = board_on(1);
        let started = Instant::now();
        drop(board.claim(hash(1)));
        assert!(board.next_work().is_some());
        assert!(started.elapsed() >= TIP_WAIT);
        assert!(board.claim(hash(1)).is_some());
    }

    #[test]
    fn a_block_on_a_former_tip_is_stale() {
        let board = board_on(1);
        board.publish(Some(template_on(2)));
        assert!(board.claim(hash(1)).is_none());
        board.publish(None);
        assert!(board.claim(hash(2)).is_none());
    }

    #[test]
    fn the_end_wakes_who_waits() {
        let board = Board::new();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| board.next_work().is_none());
            let resting = scope.spawn(|| board.rest(Duration::from_secs(3_600)));
            board.stop();
            assert!(waiting.join().unwrap());
            resting.join().unwrap();
        });
        assert!(board.is_stopping());
    }
}
