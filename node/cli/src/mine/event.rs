//! What happens while mining, for people and programs: a queue of bounded length between those who see it happen and
//! the view.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use pyrite_consensus::bitcoin::{Amount, BlockHash};

/// Older events go when nobody looks.
const MAX_EVENTS: usize = 1_000;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A server gives work.
    ServerUp { url: String },
    /// It does not any more.
    ServerDown { url: String, reason: String },
    /// The miner works for this server now.
    Working { url: String },
    /// There is another tip.
    NewTip { height: u32, previous: BlockHash },
    /// What became of a block that was found here.
    Block {
        hash: BlockHash,
        height: u32,
        value: Amount,
        verdict: Verdict,
    },
}

/// What became of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in the chain.
    Accepted,
    /// Another came first.
    Stale,
    /// It is refused.
    Rejected { reason: String },
    /// No node could be asked; it is kept, and brought again.
    Kept { reason: String },
    /// It was kept too long, or there were too many.
    Lost { reason: String },
}

/// Events that nobody has taken yet.
#[derive(Default)]
pub(super) struct Events(Mutex<VecDeque<Event>>);

impl Events {
    pub(super) fn push(&self, event: Event) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Takes all.
    pub(super) fn take(&self) -> VecDeque<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_once_and_bounded() {
        let events = Events::default();
        for number in 0..1_005 {
            events.push(Event::ServerUp {
                url: number.to_string(),
            });
        }
        let taken = events.take();
        assert_eq!(taken.len(), 1_000);
        assert_eq!(
            taken[0],
            Event::ServerUp {
                url: "5".to_owned()
            }
        );
        assert!(events.take().is_empty());
    }
}
