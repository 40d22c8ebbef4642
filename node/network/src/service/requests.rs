//! Requests: sending ours, answering theirs, a bounded number at a time.

use std::sync::Arc;

use libp2p::PeerId;
use libp2p::request_response::{self, InboundRequestId, Message, ResponseChannel};
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::{BlockHash, Txid, consensus};
use tokio::sync::oneshot;

use super::{Done, Service, hint};
use crate::ChainAccess;
use crate::misbehaviour::Offence;
use crate::protocol::codec::Malformed;
use crate::protocol::message::{
    BLOCKS_SOFT_BYTES, MAX_BLOCK_BYTES, MAX_HEADERS, MAX_MEMPOOL_TXIDS, MAX_PEERS, Request,
    Response, TRANSACTIONS_SOFT_BYTES, WirePeer, header_bytes, mempool_digest,
};
use crate::sync::Hint;

/// An answer that is being made.
pub(super) type Answer = Done<Answered>;

/// An answer; there is none when the chain failed.
pub(super) struct Answered {
    peer: PeerId,
    channel: ResponseChannel<Response>,
    response: Option<Response>,
}

impl Service {
    pub(super) fn send_request(
        &mut self,
        peer: PeerId,
        request: Request,
        reply: oneshot::Sender<Option<Response>>,
    ) {
        // The behaviour would dial a peer that is gone.
        if !self.swarm.is_connected(&peer) {
            let _ = reply.send(None);
            return;
        }
        let (name, bytes) = request.name_and_bytes();
        self.shared
            .update_peer(&peer, |entry| entry.sent.add(name, bytes));
        let id = self
            .swarm
            .behaviour_mut()
            .sync
            .send_request(&peer, Ok(request));
        self.waiting.insert(id, reply);
    }

    pub(super) fn on_request_event(
        &mut self,
        event: request_response::Event<Result<Request, Malformed>, Response>,
    ) {
        match event {
            request_response::Event::Message {
                peer,
                message:
                    Message::Request {
                        request_id,
                        request,
                        channel,
                    },
                ..
            } => self.on_request(peer, request_id, request, channel),
            request_response::Event::Message {
                peer,
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } => {
                let (name, bytes) = response.name_and_bytes();
                self.shared
                    .update_peer(&peer, |entry| entry.received.add(name, bytes));
                if let Some(reply) = self.waiting.remove(&request_id) {
                    // Whoever asked may have given up.
                    let _ = reply.send(Some(response));
                }
            }
            request_response::Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                tracing::debug!(%peer, %error, "a request failed");
                if is_malformed(&error) {
                    self.punish(
                        peer,
                        Offence::BadMessage,
                        &format!("malformed answer: {error}"),
                    );
                }
                if let Some(reply) = self.waiting.remove(&request_id) {
                    let _ = reply.send(None);
                }
            }
            request_response::Event::InboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                tracing::debug!(%peer, %error, "a request was not answered");
                self.answering.left(&peer, &request_id);
            }
            request_response::Event::ResponseSent {
                peer, request_id, ..
            } => self.answering.left(&peer, &request_id),
        }
    }

    fn on_request(
        &mut self,
        peer: PeerId,
        id: InboundRequestId,
        request: Result<Request, Malformed>,
        channel: ResponseChannel<Response>,
    ) {
        let request = match request {
            Ok(request) => request,
            Err(Malformed(reason)) => {
                self.punish(
                    peer,
                    Offence::BadMessage,
                    &format!("malformed request: {reason}"),
                );
                return;
            }
        };
        let (name, bytes) = request.name_and_bytes();
        self.shared
            .update_peer(&peer, |entry| entry.received.add(name, bytes));
        if !self.answering.start(peer, id) {
            // The channel is dropped: the peer sees the stream end.
            self.punish(
                peer,
                Offence::TooManyRequests,
                "too many requests at a time",
            );
            return;
        }
        match &request {
            Request::Tip(tip) => hint(&self.hints, Hint::Tip(peer, tip.clone().into())),
            Request::Peers => {
                let response = Some(Response::Peers(self.peers_for(&peer)));
                self.on_answered(Answered {
                    peer,
                    channel,
                    response,
                });
                return;
            }
            _ => {}
        }
        let (chain, permits) = (Arc::clone(&self.chain), Arc::clone(&self.answer_permits));
        self.answers.push(Box::pin(async move {
            let permit = permits.acquire_owned().await;
            let work = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                answer(chain.as_ref(), request)
            });
            let response = work.await.unwrap_or_else(|error| {
                tracing::error!(%error, "an answer failed");
                None
            });
            Answered {
                peer,
                channel,
                response,
            }
        }));
    }

    pub(super) fn on_answered(&mut self, answered: Answered) {
        let Answered {
            peer,
            channel,
            response,
        } = answered;
        self.answering.made(&peer);
        if let Some(response) = response {
            let (name, bytes) = response.name_and_bytes();
            self.shared
                .update_peer(&peer, |entry| entry.sent.add(name, bytes));
            // An error means that the peer is gone.
            let _ = self
                .swarm
                .behaviour_mut()
                .sync
                .send_response(channel, response);
        }
    }

    /// Peers to tell that peer of.
    fn peers_for(&self, asking: &PeerId) -> Vec<WirePeer> {
        let table = self.shared.table();
        table
            .peers
            .iter()
            .filter(|(peer, entry)| *peer != asking && !entry.listens_on.is_empty())
            .take(MAX_PEERS)
            .map(|(peer, entry)| WirePeer::new(peer, &entry.listens_on))
            .collect()
    }
}

fn is_malformed(error: &request_response::OutboundFailure) -> bool {
    matches!(error, request_response::OutboundFailure::Io(error)
        if error.kind() == std::io::ErrorKind::InvalidData)
}

/// Answers a request from our chain and mempool.
fn answer(chain: &dyn ChainAccess, request: Request) -> Option<Response> {
    Some(match request {
        Request::Tip(_) => Response::Tip(chain.tip().into()),
        Request::Headers { locator, stop } => headers(chain, &locator, stop),
        Request::Blocks(hashes) => blocks(chain, &hashes),
        Request::Mempool { digest } => {
            let txids = chain.mempool_txids(MAX_MEMPOOL_TXIDS);
            let txids: Vec<[u8; 32]> = txids
                .iter()
                .take(MAX_MEMPOOL_TXIDS)
                .map(|txid| txid.to_byte_array())
                .collect();
            let is_same = mempool_digest(txids.iter().copied()) == digest;
            Response::Mempool((!is_same).then_some(txids))
        }
        Request::Transactions(txids) => transactions(chain, &txids),
        // Answered from the table of peers.
        Request::Peers => return None,
    })
}

fn headers(chain: &dyn ChainAccess, locator: &[[u8; 32]], stop: Option<[u8; 32]>) -> Response {
    let locator: Vec<BlockHash> = locator
        .iter()
        .map(|hash| BlockHash::from_byte_array(*hash))
        .collect();
    let stop = stop.map(BlockHash::from_byte_array);
    let mut headers = chain.headers_after(&locator, MAX_HEADERS);
    headers.truncate(MAX_HEADERS);
    if let Some(end) = headers
        .iter()
        .position(|header| Some(header.block_hash()) == stop)
    {
        headers.truncate(end + 1);
    }
    Response::Headers(headers.iter().map(header_bytes).collect())
}

fn blocks(chain: &dyn ChainAccess, hashes: &[[u8; 32]]) -> Response {
    let (mut blocks, mut bytes) = (Vec::new(), 0_usize);
    for hash in hashes {
        if bytes >= BLOCKS_SOFT_BYTES {
            break;
        }
        let block = chain.block(&BlockHash::from_byte_array(*hash));
        let block = block.filter(|block| block.len() <= MAX_BLOCK_BYTES);
        bytes += block.as_ref().map_or(0, Vec::len);
        blocks.push(block);
    }
    Response::Blocks(blocks)
}

fn transactions(chain: &dyn ChainAccess, txids: &[[u8; 32]]) -> Response {
    let (mut transactions, mut bytes) = (Vec::new(), 0_usize);
    for txid in txids {
        if bytes >= TRANSACTIONS_SOFT_BYTES {
            break;
        }
        if let Some(transaction) = chain.transaction(&Txid::from_byte_array(*txid)) {
            let encoded = consensus::serialize(transaction.as_ref());
            bytes += encoded.len();
            transactions.push(encoded);
        }
    }
    Response::Transactions(transactions)
}
