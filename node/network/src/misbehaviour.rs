//! Who misbehaved, how much, and who is refused for it. Pure: the time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Points at which a peer is banned.
const BAN_SCORE: u32 = 100;
/// How long a banned peer is refused.
const BAN_TIME: Duration = Duration::from_secs(600);
/// How long a peer of another chain is refused before it is asked again.
const OTHER_CHAIN_TIME: Duration = Duration::from_secs(300);
/// A point is forgiven after this time.
const FORGIVENESS: Duration = Duration::from_secs(6);
/// Most peers that are remembered; the ones that would be forgotten first go first.
const MAX_REMEMBERED: usize = 4096;

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offence {
    /// A block, header or transaction that breaks a rule.
    InvalidData,
    /// A malformed request, or an answer that is malformed or to another question.
    BadMessage,
    /// More requests at once than are allowed.
    TooManyRequests,
}

impl Offence {
    fn points(self) -> u32 {
        match self {
            Self::InvalidData => 100,
            Self::BadMessage => 20,
            Self::TooManyRequests => 5,
        }
    }
}

/// What follows from an offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Noted.
    Tolerated,
    /// Disconnect it; it is refused for a while.
    Banned,
}

#[derive(Clone, Copy, Debug)]
struct Score {
    points: u32,
    since: Instant,
}

/// The record of peers' offences.
#[derive(Debug, Default)]
pub(crate) struct Misbehaviour {
    scores: HashMap<PeerId, Score>,
    refused: HashMap<PeerId, Instant>,
}

impl Misbehaviour {
    /// Notes an offence.
    pub(crate) fn punish(&mut self, peer: PeerId, offence: Offence, now: Instant) -> Judgement {
        let before = self
            .scores
            .get(&peer)
            .map_or(0, |score| forgiven(*score, now));
        let points = before.saturating_add(offence.points());
        if points >= BAN_SCORE {
            self.scores.remove(&peer);
            self.refuse(peer, BAN_TIME, now);
            return Judgement::Banned;
        }
        if self.scores.len() >= MAX_REMEMBERED {
            self.scores.retain(|_, score| forgiven(*score, now) > 0);
        }
        if self.scores.len() < MAX_REMEMBERED {
            self.scores.insert(peer, Score { points, since: now });
        }
        Judgement::Tolerated
    }

    /// Refuses a peer of another chain for a while.
    pub(crate) fn refuse_other_chain(&mut self, peer: PeerId, now: Instant) {
        self.refuse(peer, OTHER_CHAIN_TIME, now);
    }

    fn refuse(&mut self, peer: PeerId, time: Duration, now: Instant) {
        if self.refused.len() >= MAX_REMEMBERED {
            self.refused.retain(|_, until| *until > now);
        }
        if self.refused.len() >= MAX_REMEMBERED {
            let first = self
                .refused
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(peer, _)| *peer);
            if let Some(first) = first {
                self.refused.remove(&first);
            }
        }
        self.refused.insert(peer, now + time);
    }

    /// Whether the peer is refused at that time.
    pub(crate) fn is_refused(&self, peer: &PeerId, now: Instant) -> bool {
        self.refused.get(peer).is_some_and(|until| *until > now)
    }
}

fn forgiven(score: Score, now: Instant) -> u32 {
    let elapsed = now.saturating_duration_since(score.since).as_secs() / FORGIVENESS.as_secs();
    score
        .points
        .saturating_sub(u32::try_from(elapsed).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_data_bans_for_ten_minutes() {
        let (mut record, peer, now) = (Misbehaviour::default(), PeerId::random(), Instant::now());
        assert!(!record.is_refused(&peer, now));
        assert_eq!(
            record.punish(peer, Offence::InvalidData, now),
            Judgement::Banned
        );
        assert!(record.is_refused(&peer, now + BAN_TIME - Duration::from_secs(1)));
        assert!(!record.is_refused(&peer, now + BAN_TIME));
        assert!(!record.is_refused(&PeerId::random(), now));
    }

    #[test]
    fn small_offences_add_up() {
        let (mut record, peer, now) = (Misbehaviour::default(), PeerId::random(), Instant::now());
        for _ in 0..4 {
            assert_eq!(
                record.punish(peer, Offence::BadMessage, now),
                Judgement::Tolerated
            );
        }
        assert_eq!(
            record.punish(peer, Offence::BadMessage, now),
            Judgement::Banned
        );
    }

    #[test]
    fn small_offences_are_forgiven_with_time() {
        let (mut record, peer, mut now) =
            (Misbehaviour::default(), PeerId::random(), Instant::now());
        for _ in 0..50 {
            assert_eq!(
                record.punish(peer, Offence::BadMessage, now),
                Judgement::Tolerated
            );
            now += FORGIVENESS * 20;
        }
    }

    #[test]
    fn the_record_is_bounded() {
        let (mut record, now) = (Misbehaviour::default(), Instant::now());
        let last = PeerId::random();
        for peer in (0..MAX_REMEMBERED + 10)
            .map(|_| PeerId::random())
            .chain([last])
        {
            record.punish(peer, Offence::InvalidData, now);
            record.punish(peer, Offence::TooManyRequests, now);
        }
        assert!(record.refused.len() <= MAX_REMEMBERED && record.scores.len() <= MAX_REMEMBERED);
        assert!(record.is_refused(&last, now));
    }
}
