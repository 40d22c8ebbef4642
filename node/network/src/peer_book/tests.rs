//! The peer book.

use super::*;

fn at(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
}

fn nobody(_: &PeerId) -> bool {
    false
}

#[test]
fn an_added_peer_is_dialed_at_once_and_after_failures() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    assert_eq!(book.add(at(1), None, now), Addition::Done);
    assert_eq!(book.add(at(1), None, now), Addition::Known);
    let dial = Dial {
        address: at(1),
        expected: None,
    };
    assert_eq!(book.due(0, now, nobody), vec![dial.clone()]);
    assert_eq!(book.due(0, now, nobody), vec![], "it is being dialed");
    let mut time = now;
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30] {
        book.failed(&at(1), time, 0.5);
        let wait = Duration::from_secs(seconds);
        assert_eq!(
            book.due(0, time + wait - Duration::from_millis(1), nobody),
            vec![]
        );
        time += wait;
        assert_eq!(book.due(0, time, nobody), vec![dial.clone()]);
    }
    book.succeeded(&at(1));
    book.failed(&at(1), time, 0.5);
    assert_eq!(book.due(0, time + FIRST_DELAY, nobody), vec![dial]);
}

#[test]
fn jitter_spreads_the_delay() {
    assert_eq!(delay(1, 0.0), Duration::from_millis(750));
    assert_eq!(delay(1, 1.0), Duration::from_millis(1250));
    assert_eq!(delay(u32::MAX, 0.5), LONGEST_DELAY);
}

#[test]
fn learnt_addresses_are_dialed_as_wanted_and_forgotten() {
    let (mut book, mut now) = (PeerBook::default(), Instant::now());
    let (a, b) = (PeerId::random(), PeerId::random());
    book.discover(at(1), a, now);
    book.discover(at(2), b, now);
    assert_eq!(book.due(0, now, nobody), vec![]);
    let dials = book.due(1, now, nobody);
    assert_eq!(
        dials,
        vec![Dial {
            address: at(1),
            expected: Some(a)
        }]
    );
    for _ in 0..MAX_FAILURES {
        book.failed(&at(1), now, 0.5);
        now += LONGEST_DELAY;
        book.due(1, now, |peer| *peer == b);
    }
    assert!(!book.entries.contains_key(&at(1)));
    assert!(book.entries.contains_key(&at(2)));
}

#[test]
fn connected_peers_are_skipped_and_one_dial_per_peer() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    let peer = PeerId::random();
    book.discover(at(1), peer, now);
    book.discover(at(2), peer, now);
    assert_eq!(book.due(8, now, |_| true), vec![]);
    assert_eq!(book.due(8, now, nobody).len(), 1);
    assert_eq!(book.due(8, now, nobody).len(), 0);
}

#[test]
fn a_peer_that_answered_is_known_afterwards() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    let peer = PeerId::random();
    book.add(at(1), None, now);
    book.due(0, now, nobody);
    book.answered(&at(1), peer);
    book.succeeded(&at(1));
    assert_eq!(book.due(0, now, |known| *known == peer), vec![]);
    book.disconnected(&peer, now, 0.5);
    assert_eq!(book.due(0, now, nobody), vec![]);
    assert_eq!(book.due(0, now + FIRST_DELAY, nobody).len(), 1);
}

#[test]
fn an_address_is_not_given_up_for_who_was_refused_there() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    let refused = PeerId::random();
    book.add(at(1), None, now);
    book.due(0, now, nobody);
    book.answered(&at(1), refused);
    book.failed(&at(1), now, 0.5);
    assert_eq!(
        book.due(0, now + FIRST_DELAY, |peer| *peer == refused)
            .len(),
        1
    );
}

#[test]
fn our_own_address_is_not_dialed_again() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    book.add(at(1), None, now);
    book.due(0, now, nobody);
    book.is_own(&at(1));
    assert_eq!(book.due(8, now + LONGEST_DELAY, nobody), vec![]);
}

#[test]
fn everything_can_be_made_due() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    book.add(at(1), None, now);
    for _ in 0..6 {
        book.due(0, now + LONGEST_DELAY * 10, nobody);
        book.failed(&at(1), now + LONGEST_DELAY * 10, 0.5);
    }
    assert_eq!(book.due(0, now, nobody).len(), 0);
    book.retry_all(now);
    assert_eq!(book.due(0, now, nobody).len(), 1);
}

#[test]
fn removing_and_bounds() {
    let (mut book, now) = (PeerBook::default(), Instant::now());
    assert!(!book.remove(&at(1)));
    book.add(at(1), None, now);
    assert!(book.remove(&at(1)));
    for port in 1..=u16::try_from(MAX_ADDED).unwrap() {
        assert_eq!(book.add(at(port), None, now), Addition::Done);
    }
    assert_eq!(book.add(at(9999), None, now), Addition::Full);
    for port in 10_000..u16::try_from(10_000 + MAX_DISCOVERED + 5).unwrap() {
        book.discover(at(port), PeerId::random(), now);
    }
    assert_eq!(book.count(Source::Discovered), MAX_DISCOVERED);
}
