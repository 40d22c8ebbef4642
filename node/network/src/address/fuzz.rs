//! Fuzz target: addresses as people type them.

use bolero::check;
use pyrite_fuzzing::TextDamage;

use super::*;

const TEXTS: [&str; 6] = [
    "127.0.0.1:18444",
    "[fe80::1]:18444",
    "node-1.example_2.org:9",
    "/ip4/10.0.0.1/tcp/1",
    "/dns4/a/tcp/2/p2p/12D3KooWGQmdpzHXCqLno4mMxWXKNFQHASBeF99gTm2JR8Vu5Bdc",
    "/ip6/::1/tcp/65535",
];

const WORDS: [&str; 12] = [
    "/", ":", "[", ".", "tcp", "udp", "ip4", "ip6", "dns6", "p2p", "65536", "ws",
];

/// What is accepted names a host and a port, and reads back from both of its written forms.
fn check_reading(text: &str) -> Option<Multiaddr> {
    match parse_peer_address(text) {
        Ok(address) => {
            assert!(is_dialable(&address));
            assert!(text.len() <= MAX_TEXT_LENGTH);
            let again = parse_peer_address(&address.to_string());
            assert_eq!(again.ok().as_ref(), Some(&address));
            Some(address)
        }
        Err(error) => {
            let message = error.to_string();
            assert!(matches!(error, NetworkError::Address { .. }), "{message}");
            assert!(!message.contains(char::is_control), "{message:?}");
            assert!(message.len() < 1000, "{message}");
            None
        }
    }
}

#[test]
fn fuzz_peer_address() {
    check!()
        .with_type::<(u8, TextDamage)>()
        .for_each(|(which, damage)| {
            let text = TEXTS[usize::from(*which) % TEXTS.len()];
            let read = check_reading(&damage.apply(text, &WORDS));
            assert!(!damage.is_none() || read.is_some(), "{text}");
        });
}

#[test]
fn fuzz_any_peer_address() {
    check!().for_each(|bytes| {
        check_reading(&String::from_utf8_lossy(bytes));
    });
}
