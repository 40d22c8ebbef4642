//! A peer of our chain that sends raw bytes: what is malformed or too large is refused, and in the end
//! so is the peer.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, identify, noise, tcp, yamux};

use crate::support::*;

/// Writes what it is given, and reads anything.
#[derive(Clone, Default)]
struct RawCodec;

impl request_response::Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(
        &mut self,
        protocol: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_request(protocol, io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(
        &mut self,
        protocol: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(protocol, io, bytes).await
    }
}

#[derive(NetworkBehaviour)]
struct Raw {
    identify: identify::Behaviour,
    requests: request_response::Behaviour<RawCodec>,
}

fn raw_swarm() -> Swarm<Raw> {
    let name = format!("/pyrite/regtest/{}", &IDENTITY[..16]);
    let protocol = StreamProtocol::try_from_owned(format!("{name}/sync/1")).unwrap();
    SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|key| Raw {
            identify: identify::Behaviour::new(identify::Config::new(name, key.public())),
            requests: request_response::Behaviour::new(
                [(protocol, ProtocolSupport::Full)],
                request_response::Config::default(),
            ),
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}

/// Sends the requests one after another; returns how many were refused before the connection ended.
async fn send(node: &Node, request: Vec<u8>, times: usize) -> usize {
    let mut swarm = raw_swarm();
    swarm.dial(node.address()).unwrap();
    let mut refused = 0;
    let run = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                    swarm
                        .behaviour_mut()
                        .requests
                        .send_request(&peer_id, request.clone());
                }
                SwarmEvent::Behaviour(RawEvent::Requests(event)) => {
                    let peer = match event {
                        request_response::Event::OutboundFailure { peer, .. } => peer,
                        request_response::Event::Message {
                            peer,
                            message: request_response::Message::Response { response, .. },
                            ..
                        } if response.is_empty() => peer,
                        // Its own requests are not answered.
                        _ => continue,
                    };
                    refused += 1;
                    if refused >= times || !swarm.is_connected(&peer) {
                        return;
                    }
                    swarm
                        .behaviour_mut()
                        .requests
                        .send_request(&peer, request.clone());
                }
                SwarmEvent::ConnectionClosed { .. } => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, run)
        .await
        .expect("the requests are refused in time");
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversize_message_is_refused_and_its_sender_in_the_end() {
    let node = Node::start(1, &[]).await;
    let mut oversize = u32::MAX.to_be_bytes().to_vec();
    oversize.extend([0; 100]);
    let refused = send(&node, oversize, 50).await;
    assert!(
        (4..=6).contains(&refused),
        "five offences of twenty points end it: {refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_its_sender_in_the_end() {
    let node = Node::start(1, &[]).await;
    let mut garbage = 9_u32.to_be_bytes().to_vec();
    garbage.extend([0xff; 9]);
    let refused = send(&node, garbage, 50).await;
    assert!(
        (4..=6).contains(&refused),
        "five offences of twenty points end it: {refused}"
    );
    // The node is none the worse.
    let other = Node::start(2, &[node.address()]).await;
    wait("others connect", || other.network.connection_count() == 1).await;
}
