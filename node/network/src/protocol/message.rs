//! Requests and responses, and their limits.
//!
//! The envelope is bincode's; headers, blocks and transactions inside keep Bitcoin's encoding.

use bincode::{Decode, Encode};
use libp2p::{Multiaddr, PeerId};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::{BlockHash, Work, consensus};

use crate::TipSummary;

/// Most hashes of a locator.
pub(crate) const MAX_LOCATOR: usize = 101;
/// Most headers of a response.
pub(crate) const MAX_HEADERS: usize = 2000;
/// Most blocks of a request.
pub(crate) const MAX_BLOCKS: usize = 16;
/// Largest encoded block that the weight limit allows.
pub(crate) const MAX_BLOCK_BYTES: usize = 4_000_000;
/// A response takes no further block once it holds this much, so that it stays under twice as much.
pub(crate) const BLOCKS_SOFT_BYTES: usize = 4_000_000;
/// Most transaction ids of a mempool.
pub(crate) const MAX_MEMPOOL_TXIDS: usize = 50_000;
/// Most transactions of a request.
pub(crate) const MAX_TRANSACTIONS: usize = 1000;
/// A response takes no further transaction once it holds this much.
pub(crate) const TRANSACTIONS_SOFT_BYTES: usize = 2_000_000;
/// Most peers of a response.
pub(crate) const MAX_PEERS: usize = 32;
/// Most addresses of one peer.
pub(crate) const MAX_PEER_ADDRESSES: usize = 4;
/// Longest binary address or peer id.
const MAX_ADDRESS_BYTES: usize = 128;
/// Largest encoded request.
pub(crate) const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// Room for a response's lengths and tags.
const ENVELOPE_BYTES: usize = 64 * 1024;
/// Largest encoded response of any kind.
pub(crate) const MAX_RESPONSE_BYTES: usize = BLOCKS_SOFT_BYTES + MAX_BLOCK_BYTES + ENVELOPE_BYTES;

/// A hash of 32 bytes.
pub(crate) type Hash256 = [u8; 32];

/// A tip on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct WireTip {
    hash: Hash256,
    height: u32,
    /// Big-endian.
    work: Hash256,
}

impl From<TipSummary> for WireTip {
    fn from(tip: TipSummary) -> Self {
        Self {
            hash: tip.hash.to_byte_array(),
            height: tip.height.0,
            work: tip.work.to_be_bytes(),
        }
    }
}

impl From<WireTip> for TipSummary {
    fn from(tip: WireTip) -> Self {
        Self {
            hash: BlockHash::from_byte_array(tip.hash),
            height: Height(tip.height),
            work: Work::from_be_bytes(tip.work),
        }
    }
}

/// A peer and where it listens, on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct WirePeer {
    peer_id: Vec<u8>,
    addresses: Vec<Vec<u8>>,
}

impl WirePeer {
    pub(crate) fn new(peer: &PeerId, addresses: &[Multiaddr]) -> Self {
        Self {
            peer_id: peer.to_bytes(),
            addresses: addresses
                .iter()
                .map(Multiaddr::to_vec)
                .filter(|address| address.len() <= MAX_ADDRESS_BYTES)
                .take(MAX_PEER_ADDRESSES)
                .collect(),
        }
    }

    /// The peer and its addresses; what is malformed is left out.
    pub(crate) fn read(self) -> Option<(PeerId, Vec<Multiaddr>)> {
        let peer = PeerId::from_bytes(&self.peer_id).ok()?;
        let addresses = self
            .addresses
            .into_iter()
            .filter_map(|address| Multiaddr::try_from(address).ok());
        Some((peer, addresses.collect()))
    }
}

/// What one node asks another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Request {
    /// Tells our tip and asks for theirs.
    Tip(WireTip),
    /// Headers after the first known hash of a locator, up to and with `stop`.
    Headers {
        locator: Vec<Hash256>,
        stop: Option<Hash256>,
    },
    /// Blocks by hash.
    Blocks(Vec<Hash256>),
    /// The mempool's transaction ids, unless they are the ones that `digest` stands for.
    Mempool { digest: Hash256 },
    /// Transactions of the mempool by id.
    Transactions(Vec<Hash256>),
    /// Other peers.
    Peers,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Response {
    /// To [`Request::Tip`].
    Tip(WireTip),
    /// To [`Request::Headers`].
    Headers(Vec<[u8; Header::SIZE]>),
    /// To [`Request::Blocks`], in the order of the request; `None` is a block that is not stored. A
    /// shorter answer was cut for its size.
    Blocks(Vec<Option<Vec<u8>>>),
    /// To [`Request::Mempool`]; `None` when the mempools are the same.
    Mempool(Option<Vec<Hash256>>),
    /// To [`Request::Transactions`]: those that were found, cut for its size.
    Transactions(Vec<Vec<u8>>),
    /// To [`Request::Peers`].
    Peers(Vec<WirePeer>),
}

impl Request {
    /// Whether all of its lists are within their limits.
    pub(crate) fn is_bounded(&self) -> bool {
        match self {
            Self::Tip(_) | Self::Mempool { .. } | Self::Peers => true,
            Self::Headers { locator, .. } => locator.len() <= MAX_LOCATOR,
            Self::Blocks(hashes) => hashes.len() <= MAX_BLOCKS,
            Self::Transactions(txids) => txids.len() <= MAX_TRANSACTIONS,
        }
    }

    /// The most bytes that its response can have.
    pub(crate) fn response_limit(&self) -> usize {
        ENVELOPE_BYTES
            + match self {
                Self::Tip(_) => 0,
                Self::Peers => MAX_PEERS * (MAX_PEER_ADDRESSES + 1) * (MAX_ADDRESS_BYTES + 8),
                Self::Headers { .. } => MAX_HEADERS * Header::SIZE,
                Self::Blocks(_) => BLOCKS_SOFT_BYTES + MAX_BLOCK_BYTES,
                Self::Mempool { .. } => MAX_MEMPOOL_TXIDS * size_of::<Hash256>(),
                Self::Transactions(_) => TRANSACTIONS_SOFT_BYTES + MAX_BLOCK_BYTES,
            }
    }
}

impl Response {
    /// Whether all of its lists are within their limits.
    pub(crate) fn is_bounded(&self) -> bool {
        match self {
            Self::Tip(_) | Self::Mempool(None) => true,
            Self::Headers(headers) => headers.len() <= MAX_HEADERS,
            Self::Blocks(blocks) => {
                blocks.len() <= MAX_BLOCKS
                    && blocks
                        .iter()
                        .flatten()
                        .all(|block| block.len() <= MAX_BLOCK_BYTES)
            }
            Self::Mempool(Some(txids)) => txids.len() <= MAX_MEMPOOL_TXIDS,
            Self::Transactions(transactions) => transactions.len() <= MAX_TRANSACTIONS,
            Self::Peers(peers) => {
                peers.len() <= MAX_PEERS
                    && peers.iter().all(|peer| {
                        peer.peer_id.len() <= MAX_ADDRESS_BYTES
                            && peer.addresses.len() <= MAX_PEER_ADDRESSES
                            && peer.addresses.iter().all(|a| a.len() <= MAX_ADDRESS_BYTES)
                    })
            }
        }
    }
}

/// A header in its 80 bytes.
pub(crate) fn header_bytes(header: &Header) -> [u8; Header::SIZE] {
    let bytes = consensus::serialize(header);
    bytes.try_into().expect("a header has 80 bytes")
}

/// The header in 80 bytes.
pub(crate) fn header_from_bytes(bytes: &[u8; Header::SIZE]) -> Header {
    consensus::deserialize(bytes).expect("any 80 bytes are a header")
}

/// A digest of a set of transaction ids that does not depend on their order.
pub(crate) fn mempool_digest(txids: impl IntoIterator<Item = Hash256>) -> Hash256 {
    let mut digest = [0; 32];
    for txid in txids {
        for (sum, byte) in digest.iter_mut().zip(txid) {
            *sum ^= byte;
        }
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_accept_the_limit_and_no_more() {
        let hash = [1; 32];
        for (good, request) in [
            (
                true,
                Request::Headers {
                    locator: vec![hash; 101],
                    stop: None,
                },
            ),
            (
                false,
                Request::Headers {
                    locator: vec![hash; 102],
                    stop: None,
                },
            ),
            (true, Request::Blocks(vec![hash; 16])),
            (false, Request::Blocks(vec![hash; 17])),
            (true, Request::Transactions(vec![hash; 1000])),
            (false, Request::Transactions(vec![hash; 1001])),
        ] {
            assert_eq!(request.is_bounded(), good, "{request:?}");
        }
        for (good, response) in [
            (true, Response::Headers(vec![[0; 80]; 2000])),
            (false, Response::Headers(vec![[0; 80]; 2001])),
            (true, Response::Blocks(vec![None; 16])),
            (false, Response::Blocks(vec![None; 17])),
            (false, Response::Blocks(vec![Some(vec![0; 4_000_001])])),
            (true, Response::Mempool(Some(vec![hash; 50_000]))),
            (false, Response::Mempool(Some(vec![hash; 50_001]))),
            (false, Response::Transactions(vec![vec![]; 1001])),
            (
                false,
                Response::Peers(vec![
                    WirePeer {
                        peer_id: vec![],
                        addresses: vec![]
                    };
                    33
                ]),
            ),
            (
                false,
                Response::Peers(vec![WirePeer {
                    peer_id: vec![],
                    addresses: vec![vec![]; 5],
                }]),
            ),
            (
                false,
                Response::Peers(vec![WirePeer {
                    peer_id: vec![0; 129],
                    addresses: vec![],
                }]),
            ),
        ] {
            assert_eq!(response.is_bounded(), good);
        }
    }

    #[test]
    fn peers_survive_the_wire() {
        let peer = PeerId::random();
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/5".parse().unwrap();
        let wire = WirePeer::new(&peer, std::slice::from_ref(&address));
        assert_eq!(wire.read(), Some((peer, vec![address])));
        assert_eq!(
            WirePeer {
                peer_id: vec![1, 2],
                addresses: vec![]
            }
            .read(),
            None
        );
    }

    #[test]
    fn the_digest_ignores_order() {
        let (a, b) = ([1; 32], [2; 32]);
        assert_eq!(mempool_digest([a, b]), mempool_digest([b, a]));
        assert_ne!(mempool_digest([a]), mempool_digest([a, b]));
    }
}
