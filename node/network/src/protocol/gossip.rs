//! Gossip: a byte for kind and version, then the block or transaction in Bitcoin's encoding.

use libp2p::gossipsub::MessageId;
use pyrite_consensus::bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use pyrite_consensus::bitcoin::{Block, Transaction, consensus};

use super::message::MAX_BLOCK_BYTES;

/// What a message holds. The value is its first byte; a new encoding takes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Block = 1,
    Transaction = 2,
    /// A transaction that may have gone round before, when it could not be taken: gossipsub passes no message on twice.
    LateTransaction = 3,
}

/// Largest message.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1 + MAX_BLOCK_BYTES;
/// Largest frame: gossipsub's own fields, and what its reader may have buffered of the next frame.
pub(crate) const MAX_FRAME_BYTES: usize = MAX_MESSAGE_BYTES + 64 * 1024;

pub(crate) fn encode_block(block: &Block) -> Vec<u8> {
    encode(Kind::Block, block)
}

pub(crate) fn encode_transaction(transaction: &Transaction) -> Vec<u8> {
    encode(Kind::Transaction, transaction)
}

pub(crate) fn encode_late_transaction(transaction: &Transaction) -> Vec<u8> {
    encode(Kind::LateTransaction, transaction)
}

fn encode(kind: Kind, content: &impl consensus::Encodable) -> Vec<u8> {
    let mut bytes = vec![kind as u8];
    content
        .consensus_encode(&mut bytes)
        .expect("a vector takes what is written to it");
    bytes
}

/// The content of a message of that kind; `None` when it is of another kind or too long.
pub(crate) fn content(kind: Kind, message: &[u8]) -> Option<&[u8]> {
    match message.split_first() {
        Some((&byte, content)) if byte == kind as u8 && content.len() <= MAX_BLOCK_BYTES => {
            Some(content)
        }
        _ => None,
    }
}

/// A message's id is the hash of its topic and content: who sends it does not matter.
pub(crate) fn message_id(topic: &str, data: &[u8]) -> MessageId {
    let mut engine = sha256::Hash::engine();
    engine.input(topic.as_bytes());
    engine.input(&[0]);
    engine.input(data);
    MessageId::new(sha256::Hash::from_engine(engine).as_byte_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_kind() {
        assert_eq!(content(Kind::Block, &[1, 5, 6]), Some(&[5, 6][..]));
        assert_eq!(content(Kind::Transaction, &[2]), Some(&[][..]));
        assert_eq!(content(Kind::Transaction, &[3]), None);
        assert_eq!(content(Kind::LateTransaction, &[3, 4]), Some(&[4][..]));
        assert_eq!(content(Kind::Block, &[2, 5]), None);
        assert_eq!(content(Kind::Block, &[]), None);
        assert_eq!(content(Kind::Block, &vec![1; MAX_MESSAGE_BYTES + 1]), None);
        assert!(content(Kind::Block, &vec![1; MAX_MESSAGE_BYTES]).is_some());
    }

    #[test]
    fn ids_depend_on_topic_and_content() {
        assert_eq!(message_id("a", b"x"), message_id("a", b"x"));
        assert_ne!(message_id("a", b"x"), message_id("b", b"x"));
        assert_ne!(message_id("a", b"x"), message_id("a", b"y"));
    }
}
