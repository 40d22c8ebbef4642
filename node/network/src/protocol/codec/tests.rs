//! The codec: round trips, limits, garbage.

use futures::executor::block_on;
use futures::io::Cursor;
use libp2p::request_response::Codec as _;
use libp2p::{Multiaddr, PeerId};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::message::{Hash256, WirePeer};
use super::*;
use crate::TipSummary;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/test");

fn written(request: Request) -> Vec<u8> {
    let mut io = Cursor::new(Vec::new());
    block_on(SyncCodec::default().write_request(&PROTOCOL, &mut io, Ok(request))).unwrap();
    io.into_inner()
}

fn read(bytes: &[u8]) -> io::Result<Request> {
    let mut io = Cursor::new(bytes);
    let request = block_on(SyncCodec::default().read_request(&PROTOCOL, &mut io))?;
    request.map_err(|Malformed(reason)| invalid(reason))
}

fn written_response(response: Response) -> Vec<u8> {
    let mut io = Cursor::new(Vec::new());
    block_on(SyncCodec::default().write_response(&PROTOCOL, &mut io, response)).unwrap();
    io.into_inner()
}

fn read_response(bytes: &[u8]) -> io::Result<Response> {
    block_on(SyncCodec::default().read_response(&PROTOCOL, &mut Cursor::new(bytes)))
}

fn hash() -> impl Strategy<Value = Hash256> {
    any::<[u8; 32]>()
}

fn tip() -> impl Strategy<Value = super::super::message::WireTip> {
    use pyrite_consensus::Height;
    use pyrite_consensus::bitcoin::hashes::Hash as _;
    use pyrite_consensus::bitcoin::{BlockHash, Work};
    (hash(), any::<u32>(), hash()).prop_map(|(hash, height, work)| {
        TipSummary {
            hash: BlockHash::from_byte_array(hash),
            height: Height(height),
            work: Work::from_be_bytes(work),
        }
        .into()
    })
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        tip().prop_map(Request::Tip),
        (vec(hash(), 0..=101), proptest::option::of(hash()))
            .prop_map(|(locator, stop)| Request::Headers { locator, stop }),
        vec(hash(), 0..=16).prop_map(Request::Blocks),
        hash().prop_map(|digest| Request::Mempool { digest }),
        vec(hash(), 0..=1000).prop_map(Request::Transactions),
        Just(Request::Peers),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    prop_oneof![
        tip().prop_map(Response::Tip),
        vec(vec(any::<u8>(), 80), 0..50).prop_map(|headers| {
            Response::Headers(headers.into_iter().map(|h| h.try_into().unwrap()).collect())
        }),
        vec(proptest::option::of(vec(any::<u8>(), 0..300)), 0..=16).prop_map(Response::Blocks),
        proptest::option::of(vec(hash(), 0..100)).prop_map(Response::Mempool),
        vec(vec(any::<u8>(), 0..300), 0..50).prop_map(Response::Transactions),
        (0_usize..=32).prop_map(|count| {
            let address: Multiaddr = "/ip4/127.0.0.1/tcp/5".parse().unwrap();
            let peer = WirePeer::new(&PeerId::random(), &[address]);
            Response::Peers(vec![peer; count])
        }),
    ]
}

proptest! {
    #[test]
    fn requests_read_back(request in request()) {
        prop_assert_eq!(read(&written(request.clone())).unwrap(), request);
    }

    #[test]
    fn responses_read_back(response in response()) {
        prop_assert_eq!(read_response(&written_response(response.clone())).unwrap(), response);
    }

    #[test]
    fn garbage_is_an_error_or_a_bounded_message(bytes in vec(any::<u8>(), 0..2000)) {
        let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(&bytes);
        if let Ok(request) = read(&framed) {
            prop_assert!(request.is_bounded());
        }
        if let Ok(response) = read_response(&framed) {
            prop_assert!(response.is_bounded());
        }
    }

    #[test]
    fn a_cut_request_is_an_error(request in request(), cut in 1_usize..40) {
        let bytes = written(request);
        let end = bytes.len().saturating_sub(cut);
        prop_assert!(read(&bytes[..end]).is_err());
    }
}

#[test]
fn a_long_frame_is_refused_by_its_length() {
    let mut bytes = u32::try_from(MAX_REQUEST_BYTES + 1)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    assert_eq!(read(&bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
    bytes[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(read(&bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(
        read_response(&bytes).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
}

#[test]
fn a_response_is_held_to_the_limit_of_its_request() {
    let mut codec = SyncCodec::default();
    let mut sent = Cursor::new(Vec::new());
    block_on(codec.write_request(&PROTOCOL, &mut sent, Ok(Request::Peers))).unwrap();
    let large = written_response(Response::Transactions(vec![vec![0; 1_000_000]]));
    let error = block_on(codec.read_response(&PROTOCOL, &mut Cursor::new(&large))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_list_longer_than_its_limit_is_refused() {
    let request = Request::Blocks(vec![[0; 32]; 17]);
    assert_eq!(
        read(&written(request)).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
    let response = Response::Headers(vec![[0; 80]; 2001]);
    let error = read_response(&written_response(response)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn bytes_after_the_message_are_refused() {
    let mut bytes = written(Request::Peers);
    bytes.push(0);
    let length = u32::try_from(bytes.len() - 4).unwrap();
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(read(&bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_count_that_the_frame_cannot_hold_reserves_nothing() {
    // The tag of `Transactions` and a count of 2^60.
    let mut body = 4_u32.to_le_bytes().to_vec();
    body.extend((1_u64 << 60).to_le_bytes());
    let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(body);
    assert!(read(&bytes).is_err());
    assert!(read_response(&bytes).is_err());
}

#[test]
fn the_largest_responses_fit() {
    for response in [
        Response::Headers(vec![[7; 80]; 2000]),
        Response::Mempool(Some(vec![[7; 32]; 50_000])),
        Response::Blocks(vec![Some(vec![7; 4_000_000]), Some(vec![7; 4_000_000])]),
    ] {
        assert_eq!(
            read_response(&written_response(response.clone())).unwrap(),
            response
        );
    }
}
