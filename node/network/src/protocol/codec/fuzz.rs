//! Fuzz targets: what peers send as requests and responses.

use bolero::{TypeGenerator, check, produce};
use futures::executor::block_on;
use futures::io::Cursor;
use libp2p::multihash::Multihash;
use libp2p::request_response::Codec as _;
use libp2p::{Multiaddr, PeerId};
use pyrite_fuzzing::Damage;

use super::super::message::{Hash256, WirePeer, WireTip, header_bytes, header_from_bytes};
use super::*;
use crate::TipSummary;
use crate::address::{host_and_port, is_believable, split_peer_id};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/test");

/// A message of either kind.
#[derive(Clone, Debug, TypeGenerator)]
struct Message {
    kind: u8,
    number: u32,
    hash: Hash256,
    is_there: bool,
    #[generator(produce::<Vec<Hash256>>().with().len(0..20_usize))]
    hashes: Vec<Hash256>,
    #[generator(produce::<Vec<Vec<u8>>>().with().len(0..20_usize))]
    blobs: Vec<Vec<u8>>,
}

impl Message {
    fn tip(&self) -> WireTip {
        use pyrite_consensus::Height;
        use pyrite_consensus::bitcoin::hashes::Hash as _;
        use pyrite_consensus::bitcoin::{BlockHash, Work};
        TipSummary {
            hash: BlockHash::from_byte_array(self.hash),
            height: Height(self.number),
            work: Work::from_be_bytes(self.hash),
        }
        .into()
    }

    fn request(&self) -> Request {
        let hashes = self.hashes.clone();
        match self.kind % 6 {
            0 => Request::Tip(self.tip()),
            1 => Request::Headers {
                locator: hashes,
                stop: self.is_there.then_some(self.hash),
            },
            2 => Request::Blocks(hashes),
            3 => Request::Mempool { digest: self.hash },
            4 => Request::Transactions(hashes),
            _ => Request::Peers,
        }
    }

    fn response(&self) -> Response {
        match self.kind % 6 {
            0 => Response::Tip(self.tip()),
            1 => Response::Headers(self.hashes.iter().map(header).collect()),
            2 => {
                let blocks = self.blobs.iter();
                Response::Blocks(blocks.map(|b| (!b.is_empty()).then(|| b.clone())).collect())
            }
            3 => Response::Mempool(self.is_there.then(|| self.hashes.clone())),
            4 => Response::Transactions(self.blobs.clone()),
            _ => Response::Peers(self.blobs.iter().map(|blob| self.peer(blob)).collect()),
        }
    }

    /// A peer with some addresses.
    fn peer(&self, bytes: &[u8]) -> WirePeer {
        // Of the codes of multihashes, 0 is the key itself and 0x12 a SHA-256.
        let code = if self.is_there { 0x12 } else { 0 };
        let id = Multihash::wrap(code, &self.hash).expect("32 bytes fit");
        let peer = PeerId::from_multihash(id).unwrap_or_else(|_| PeerId::random());
        let addresses = bytes.chunks(18).map(|bytes| {
            let text = match bytes {
                [a, b, port, ..] if self.is_there => format!("/ip4/10.{a}.{b}.1/tcp/{port}"),
                [a, port, ..] => format!("/dns/node{a}/tcp/{port}/p2p/{peer}"),
                _ => "/ip6/::1/tcp/1".to_owned(),
            };
            text.parse::<Multiaddr>().expect("an address")
        });
        WirePeer::new(&peer, &addresses.collect::<Vec<_>>())
    }
}

fn header(hash: &Hash256) -> [u8; 80] {
    let mut bytes = [7; 80];
    bytes[4..36].copy_from_slice(hash);
    bytes
}

/// The body of a frame, damaged, in a frame that is damaged too.
fn damaged(frame: Vec<u8>, of_body: &Damage, of_frame: &Damage) -> Vec<u8> {
    let body = of_body.apply(frame[4..].to_vec());
    let length = u32::try_from(body.len()).expect("short");
    of_frame.apply([&length.to_be_bytes()[..], &body].concat())
}

fn written(request: Request) -> Vec<u8> {
    let mut io = Cursor::new(Vec::new());
    block_on(SyncCodec::default().write_request(&PROTOCOL, &mut io, Ok(request))).expect("written");
    io.into_inner()
}

fn written_response(response: Response) -> Vec<u8> {
    let mut io = Cursor::new(Vec::new());
    block_on(SyncCodec::default().write_response(&PROTOCOL, &mut io, response)).expect("written");
    io.into_inner()
}

/// Whether an error is one of the two that reading may give.
fn is_reading_error(error: &io::Error) -> bool {
    let named = !error.to_string().is_empty();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => true,
        io::ErrorKind::InvalidData => named,
        _ => false,
    }
}

/// Reads a request. What is accepted is within its limits and was written by the bytes it came in.
fn read_request(frame: &[u8]) -> Option<Request> {
    let mut io = Cursor::new(frame);
    let read = block_on(SyncCodec::default().read_request(&PROTOCOL, &mut io));
    let used = usize::try_from(io.position()).expect("short");
    match read {
        Ok(Ok(request)) => {
            assert!(request.is_bounded());
            assert!(request.response_limit() <= MAX_RESPONSE_BYTES);
            assert_eq!(written(request.clone()), frame[..used]);
            Some(request)
        }
        Ok(Err(Malformed(reason))) => {
            assert!(!reason.is_empty());
            None
        }
        Err(error) => {
            assert!(is_reading_error(&error), "{error}");
            None
        }
    }
}

fn read_response(frame: &[u8]) -> Option<Response> {
    let mut io = Cursor::new(frame);
    let read = block_on(SyncCodec::default().read_response(&PROTOCOL, &mut io));
    let used = usize::try_from(io.position()).expect("short");
    match read {
        Ok(response) => {
            assert!(response.is_bounded());
            assert_eq!(written_response(response.clone()), frame[..used]);
            look_into(&response);
            Some(response)
        }
        Err(error) => {
            assert!(is_reading_error(&error), "{error}");
            None
        }
    }
}

/// Decodes what a response holds in encodings of its own.
fn look_into(response: &Response) {
    match response {
        Response::Headers(headers) => {
            for bytes in headers {
                assert_eq!(header_bytes(&header_from_bytes(bytes)), *bytes);
            }
        }
        Response::Peers(peers) => {
            for (peer, addresses) in peers.iter().filter_map(|peer| peer.clone().read()) {
                assert_eq!(PeerId::from_bytes(&peer.to_bytes()).ok(), Some(peer));
                look_at_addresses(&addresses);
            }
        }
        Response::Tip(tip) => assert_eq!(WireTip::from(TipSummary::from(tip.clone())), *tip),
        Response::Blocks(_) | Response::Mempool(_) | Response::Transactions(_) => {}
    }
}

fn look_at_addresses(addresses: &[Multiaddr]) {
    let teller: Multiaddr = "/ip4/192.168.1.1/tcp/1".parse().expect("an address");
    for address in addresses {
        let again = Multiaddr::try_from(address.to_vec());
        assert_eq!(again.ok().as_ref(), Some(address));
        let (plain, _) = split_peer_id(address.clone());
        assert!(!host_and_port(&plain).is_empty() || plain.is_empty());
        if is_believable(address, &teller) {
            // What is dialled is a machine of the teller's kind of network, and is told to users.
            let text = host_and_port(&plain);
            assert_eq!(crate::parse_peer_address(&text).ok(), Some(plain));
        }
    }
}

#[test]
fn fuzz_request_decoder() {
    check!()
        .with_type::<(Message, Damage, Damage)>()
        .for_each(|(message, of_body, of_frame)| {
            let request = message.request();
            let frame = damaged(written(request.clone()), of_body, of_frame);
            let read = read_request(&frame);
            if of_body.is_none() && of_frame.is_none() && request.is_bounded() {
                assert_eq!(read, Some(request));
            }
        });
}

#[test]
fn fuzz_response_decoder() {
    check!()
        .with_type::<(Message, Damage, Damage)>()
        .for_each(|(message, of_body, of_frame)| {
            let response = message.response();
            let frame = damaged(written_response(response.clone()), of_body, of_frame);
            let read = read_response(&frame);
            if of_body.is_none() && of_frame.is_none() && response.is_bounded() {
                assert_eq!(read, Some(response));
            }
        });
}

#[test]
fn fuzz_any_frame() {
    check!().for_each(|bytes| {
        let _ = (read_request(bytes), read_response(bytes));
        let length = u32::try_from(bytes.len()).expect("short");
        let framed = [&length.to_be_bytes()[..], bytes].concat();
        let _ = (read_request(&framed), read_response(&framed));
    });
}
