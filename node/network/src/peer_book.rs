//! The addresses we know, and when to dial which. Pure: time and jitter are arguments.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

/// Most peers that a user may add.
pub(crate) const MAX_ADDED: usize = 256;
/// Most addresses that are learnt from others.
const MAX_DISCOVERED: usize = 1024;
/// A learnt address is forgotten after so many failures in a row.
const MAX_FAILURES: u32 = 10;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Configuration or the user: we stay connected to it.
    Added,
    /// mDNS or other peers: we connect to it when we want more peers.
    Discovered,
}

/// A dial that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dial {
    /// Without the peer's id.
    pub(crate) address: Multiaddr,
    /// The peer that must answer there; `None` for any.
    pub(crate) expected: Option<PeerId>,
}

#[derive(Clone, Debug)]
struct Entry {
    source: Source,
    /// Whom the address was given or learnt with.
    expected: Option<PeerId>,
    /// Who answered there last.
    seen: Option<PeerId>,
    failures: u32,
    next_attempt: Instant,
    dialing: bool,
    /// It is our own.
    own: bool,
}

impl Entry {
    fn peer(&self) -> Option<PeerId> {
        self.expected.or(self.seen)
    }
}

/// The addresses we know.
#[derive(Debug, Default)]
pub(crate) struct PeerBook {
    entries: HashMap<Multiaddr, Entry>,
}

/// What came of adding a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addition {
    /// It is in the book.
    Done,
    /// It was there already, as an added one.
    Known,
    /// There is no room.
    Full,
}

impl PeerBook {
    /// Adds a peer to stay connected to.
    pub(crate) fn add(
        &mut self,
        address: Multiaddr,
        expected: Option<PeerId>,
        now: Instant,
    ) -> Addition {
        if self
            .entries
            .get(&address)
            .is_some_and(|entry| entry.source == Source::Added)
        {
            return Addition::Known;
        }
        if self.count(Source::Added) >= MAX_ADDED {
            return Addition::Full;
        }
        let seen = self.entries.remove(&address).and_then(|entry| entry.peer());
        let mut entry = new_entry(Source::Added, expected, now);
        entry.seen = seen;
        self.entries.insert(address, entry);
        Addition::Done
    }

    /// Adds an address that was learnt; one that is known, or for which there is no room, is left out.
    pub(crate) fn discover(&mut self, address: Multiaddr, peer: PeerId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&address) {
            // A node was restarted with another key: the old one does not answer there any more.
            if entry.source == Source::Discovered && !entry.dialing && entry.expected != Some(peer)
            {
                *entry = new_entry(Source::Discovered, Some(peer), now);
            }
            return;
        }
        if self.count(Source::Discovered) < MAX_DISCOVERED {
            self.entries
                .insert(address, new_entry(Source::Discovered, Some(peer), now));
        }
    }

    /// Whether the address was learnt, and nobody said to connect to it.
    pub(crate) fn is_discovered(&self, address: &Multiaddr) -> bool {
        let entry = self.entries.get(address);
        entry.is_some_and(|entry| entry.source == Source::Discovered)
    }

    /// The addresses that were added, in their order, and who answered there last.
    pub(crate) fn added(&self) -> Vec<(Multiaddr, Option<PeerId>)> {
        let of_users = self.entries.iter();
        let of_users = of_users.filter(|(_, entry)| entry.source == Source::Added);
        let mut added: Vec<_> = of_users
            .map(|(address, entry)| (address.clone(), entry.peer()))
            .collect();
        added.sort_unstable();
        added
    }

    /// Removes a peer that was added. Returns whether it was there.
    pub(crate) fn remove(&mut self, address: &Multiaddr) -> bool {
        let is_added = self
            .entries
            .get(address)
            .is_some_and(|entry| entry.source == Source::Added);
        if is_added {
            self.entries.remove(address);
        }
        is_added
    }

    /// The dials that are due: all added peers, and learnt ones while `wanted` lasts. `skip` tells
    /// which peers are connected, blocked or refused. They are marked as being dialed.
    pub(crate) fn due(
        &mut self,
        wanted: usize,
        now: Instant,
        skip: impl Fn(&PeerId) -> bool,
    ) -> Vec<Dial> {
        let mut busy: HashSet<PeerId> = self
            .entries
            .values()
            .filter(|entry| entry.dialing)
            .filter_map(Entry::peer)
            .collect();
        let mut due: Vec<(&Multiaddr, &mut Entry)> = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| !entry.dialing && !entry.own && entry.next_attempt <= now)
            .collect();
        // Those that waited longest come first; the address makes the order definite.
        due.sort_by(|(a, x), (b, y)| (x.next_attempt, a).cmp(&(y.next_attempt, b)));
        let mut left = wanted;
        let mut dials = Vec::new();
        for (address, entry) in due {
            if entry
                .peer()
                .is_some_and(|peer| skip(&peer) || busy.contains(&peer))
            {
                continue;
            }
            if entry.source == Source::Discovered {
                if left == 0 {
                    continue;
                }
                left -= 1;
            }
            entry.dialing = true;
            busy.extend(entry.peer());
            dials.push(Dial {
                address: address.clone(),
                expected: entry.expected,
            });
        }
        dials
    }

    /// A dial was answered by `peer`; whether it is of our chain is not known yet.
    pub(crate) fn answered(&mut self, address: &Multiaddr, peer: PeerId) {
        if let Some(entry) = self.entries.get_mut(address) {
            entry.seen = Some(peer);
        }
    }

    /// The dial led to a peer of our chain.
    pub(crate) fn succeeded(&mut self, address: &Multiaddr) {
        if let Some(entry) = self.entries.get_mut(address) {
            entry.dialing = false;
            entry.failures = 0;
        }
    }

    /// The dial failed, or its connection ended before the peer showed to be of our chain. `jitter` is
    /// 0 to 1 at random.
    pub(crate) fn failed(&mut self, address: &Multiaddr, now: Instant, jitter: f64) {
        let Some(entry) = self.entries.get_mut(address) else {
            return;
        };
        entry.dialing = false;
        // Somebody else may answer there next time: who was refused now does not stand for the address.
        entry.seen = None;
        entry.failures = entry.failures.saturating_add(1);
        if entry.source == Source::Discovered && entry.failures >= MAX_FAILURES {
            self.entries.remove(address);
            return;
        }
        entry.next_attempt = now + delay(entry.failures, jitter);
    }

    /// The connection to a peer ended.
    pub(crate) fn disconnected(&mut self, peer: &PeerId, now: Instant, jitter: f64) {
        for entry in self
            .entries
            .values_mut()
            .filter(|entry| entry.peer() == Some(*peer))
        {
            entry.next_attempt = entry.next_attempt.max(now + delay(1, jitter));
        }
    }

    /// The address is our own.
    pub(crate) fn is_own(&mut self, address: &Multiaddr) {
        if let Some(entry) = self.entries.get_mut(address) {
            entry.own = true;
            entry.dialing = false;
            if entry.source == Source::Discovered {
                self.entries.remove(address);
            }
        }
    }

    /// Makes everything due at once.
    pub(crate) fn retry_all(&mut self, now: Instant) {
        for entry in self.entries.values_mut() {
            entry.failures = 0;
            entry.next_attempt = now;
        }
    }

    fn count(&self, source: Source) -> usize {
        self.entries
            .values()
            .filter(|entry| entry.source == source)
            .count()
    }
}

fn new_entry(source: Source, expected: Option<PeerId>, now: Instant) -> Entry {
    Entry {
        source,
        expected,
        seen: None,
        failures: 0,
        next_attempt: now,
        dialing: false,
        own: false,
    }
}

/// Doubles from one second to thirty, three quarters to five quarters of it.
fn delay(failures: u32, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(5);
    let delay = (FIRST_DELAY * (1 << doublings)).min(LONGEST_DELAY);
    delay.mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests;
