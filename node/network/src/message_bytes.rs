//! Bytes by kind of message, under the names that Bitcoin's protocol has for what does the same.

use std::collections::BTreeMap;

use crate::protocol::message::{Request, Response};

/// The bytes of an identifier.
const HASH_BYTES: usize = 32;
/// The bytes of a tip: hash, height and work.
const TIP_BYTES: usize = 68;
/// What libp2p's ping carries in each direction.
pub(crate) const PING_BYTES: usize = 32;
/// The part of a handshake that is counted as its acknowledgement: a message of Bitcoin's without content.
const ACKNOWLEDGEMENT_BYTES: u64 = 24;

/// Bytes by message. The names are few and fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageBytes(BTreeMap<&'static str, u64>);

impl MessageBytes {
    /// Those of which there were any, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, bytes)| (*name, *bytes))
    }

    pub(crate) fn add(&mut self, name: &'static str, bytes: usize) {
        let total = self.0.entry(name).or_default();
        *total = total.saturating_add(bytes as u64);
    }

    /// Counts what a connection took before its peer was known to be of our chain.
    pub(crate) fn add_handshake(&mut self, bytes: u64) {
        let rest = bytes.saturating_sub(ACKNOWLEDGEMENT_BYTES);
        self.0.insert("version", rest);
        self.0.insert("verack", ACKNOWLEDGEMENT_BYTES);
    }
}

impl Request {
    /// Its name among Bitcoin's messages, and the bytes of its content.
    pub(crate) fn name_and_bytes(&self) -> (&'static str, usize) {
        match self {
            Self::Tip(_) => ("inv", TIP_BYTES),
            Self::Headers { locator, stop } => {
                let hashes = locator.len() + usize::from(stop.is_some());
                ("getheaders", hashes * HASH_BYTES)
            }
            Self::Blocks(hashes) | Self::Transactions(hashes) => {
                ("getdata", hashes.len() * HASH_BYTES)
            }
            Self::Mempool { .. } => ("mempool", HASH_BYTES),
            Self::Peers => ("getaddr", 0),
        }
    }
}

impl Response {
    /// Its name among Bitcoin's messages, and the bytes of its content.
    pub(crate) fn name_and_bytes(&self) -> (&'static str, usize) {
        match self {
            Self::Tip(_) => ("inv", TIP_BYTES),
            Self::Headers(headers) => ("headers", headers.iter().map(|header| header.len()).sum()),
            Self::Blocks(blocks) => ("block", blocks.iter().flatten().map(Vec::len).sum()),
            Self::Mempool(txids) => {
                let count = txids.as_ref().map_or(0, Vec::len);
                ("inv", count * HASH_BYTES)
            }
            Self::Transactions(transactions) => ("tx", transactions.iter().map(Vec::len).sum()),
            Self::Peers(peers) => ("addr", peers.len() * HASH_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_add_up_by_name() {
        let mut bytes = MessageBytes::default();
        bytes.add_handshake(100);
        bytes.add("ping", PING_BYTES);
        bytes.add("ping", PING_BYTES);
        let (name, size) = Response::Blocks(vec![Some(vec![0; 5]), None]).name_and_bytes();
        bytes.add(name, size);
        let all: Vec<_> = bytes.iter().collect();
        let expected = [("block", 5), ("ping", 64), ("verack", 24), ("version", 76)];
        assert_eq!(all, expected);
    }
}
