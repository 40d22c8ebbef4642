//! How many requests of each peer are worked on. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use libp2p::PeerId;

/// Requests of one peer that are worked on at a time. Ours are fewer.
const MAX_PER_PEER: usize = 16;

/// The requests of peers that are not done with. `I` is a request's id.
///
/// A request is done with once its answer was made and the answer has left, or can't leave any more:
/// answers are large, and a peer that asks without reading must not pile them up here.
#[derive(Debug)]
pub(super) struct Slots<I> {
    peers: HashMap<PeerId, Peer<I>>,
}

#[derive(Debug)]
struct Peer<I> {
    /// Answers that are being made.
    making: usize,
    /// Requests whose answers have not left.
    open: HashSet<I>,
}

impl<I> Default for Slots<I> {
    fn default() -> Self {
        Self {
            peers: HashMap::new(),
        }
    }
}

impl<I: Eq + Hash> Slots<I> {
    /// Takes a request on, unless the peer has too many.
    pub(super) fn start(&mut self, peer: PeerId, id: I) -> bool {
        let entry = self.peers.entry(peer).or_insert_with(|| Peer {
            making: 0,
            open: HashSet::new(),
        });
        let may = entry.making < MAX_PER_PEER && entry.open.len() < MAX_PER_PEER;
        if may {
            entry.making += 1;
            entry.open.insert(id);
        }
        may
    }

    /// An answer was made, or there is none.
    pub(super) fn made(&mut self, peer: &PeerId) {
        self.update(peer, |entry| entry.making = entry.making.saturating_sub(1));
    }

    /// An answer has left, or can't leave any more.
    pub(super) fn left(&mut self, peer: &PeerId, id: &I) {
        self.update(peer, |entry| {
            entry.open.remove(id);
        });
    }

    fn update(&mut self, peer: &PeerId, change: impl FnOnce(&mut Peer<I>)) {
        if let Some(entry) = self.peers.get_mut(peer) {
            change(entry);
            if entry.making == 0 && entry.open.is_empty() {
                self.peers.remove(peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_not_sent_keeps_its_slot() {
        let (mut slots, peer) = (Slots::default(), PeerId::random());
        for id in 0..MAX_PER_PEER {
            assert!(slots.start(peer, id));
            slots.made(&peer);
        }
        assert!(!slots.start(peer, 99));
        assert!(slots.start(PeerId::random(), 99), "others are free to ask");
        slots.left(&peer, &3);
        assert!(slots.start(peer, 99));
        assert!(!slots.start(peer, 100));
    }

    #[test]
    fn an_answer_that_is_still_made_keeps_its_slot() {
        let (mut slots, peer) = (Slots::default(), PeerId::random());
        for id in 0..MAX_PER_PEER {
            assert!(slots.start(peer, id));
            slots.left(&peer, &id);
        }
        assert!(!slots.start(peer, 99));
        slots.made(&peer);
        assert!(slots.start(peer, 99));
    }

    #[test]
    fn a_peer_without_requests_is_forgotten() {
        let (mut slots, peer) = (Slots::default(), PeerId::random());
        assert!(slots.start(peer, 1));
        slots.left(&peer, &1);
        slots.left(&peer, &1);
        slots.made(&peer);
        assert!(slots.peers.is_empty());
    }
}
