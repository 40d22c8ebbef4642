//! Clients that go away in the middle of a call, of an answer or of a subscription: within a second, what they held is free.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::harness::TestNode;
use crate::http::held::Held;
use crate::rest::RestMode;
use crate::{RpcConfig, RpcServer, listen};

/// How long anything else may take on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(60);

/// How soon a client that has gone must hold nothing any more.
const RELEASE: Duration = Duration::from_secs(1);

/// How often that is tried: a busy machine may hold a thread up for as long.
const ATTEMPTS: usize = 3;

/// The window of a client that reads slowly.
const SMALL_WINDOW_BYTES: u32 = 4 << 10;

struct Served {
    node: TestNode,
    server: RpcServer,
    authorization: String,
    /// What is held for nobody.
    idle: Held,
    _directory: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let node = TestNode::start().await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cookie");
        let mut config = RpcConfig::new("127.0.0.1:0".parse().unwrap(), path.clone());
        config.rest = RestMode::On;
        let server = listen(config).await.unwrap();
        server.serve(node.context.clone());
        let cookie = std::fs::read_to_string(path).unwrap();
        Self {
            idle: Held::by(server.shared()),
            authorization: format!("Authorization: Basic {}\r\n", STANDARD.encode(cookie)),
            node,
            server,
            _directory: directory,
        }
    }

    fn held(&self) -> Held {
        Held::by(self.server.shared())
    }

    async fn connect(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_WINDOW_BYTES).unwrap();
        socket.connect(self.server.local_addr()).await.unwrap()
    }

    /// Sends a request over a new connection.
    async fn send(&self, head: &str, body: &str) -> TcpStream {
        let authorization = &self.authorization;
        let request = format!(
            "{head} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Begins a call.
    async fn begin(&self, method: &'static str, params: &Value) -> TcpStream {
        let body = json!({"id": 1, "method": method, "params": params}).to_string();
        let stream = self.send("POST /", &body).await;
        until(&format!("{method} does not begin"), || {
            self.held().calls() == [method]
        })
        .await;
        stream
    }

    /// Begins to read an answer.
    async fn read_some(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = self.send(head, body).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200", "{head}");
        stream
    }

    /// Opens a WebSocket and subscribes to blocks.
    async fn subscribe(&self) -> TcpStream {
        let head = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let mut stream = self.connect().await;
        let authorization = &self.authorization;
        let request = format!("{head}{authorization}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": ["block"]});
        let text = text.to_string();
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend(text.bytes());
        stream.write_all(&frame).await.unwrap();
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains("cursor") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
        stream
    }

    /// A client goes away: what it held is free within a second.
    async fn leaves(&self, what: &str, begin: impl AsyncFn() -> TcpStream) {
        let mut late = Vec::new();
        for _ in 0..ATTEMPTS {
            let stream = begin().await;
            assert_ne!(self.held(), self.idle, "{what} holds nothing");
            drop(stream);
            let left = Instant::now();
            until(&format!("{what} goes on without its client"), || {
                self.held() == self.idle
            })
            .await;
            if left.elapsed() <= RELEASE {
                return;
            }
            late.push(left.elapsed());
        }
        panic!("{what} held its things for {late:?} after its client had gone");
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_a_call_that_waits_frees_what_it_held() {
    let served = Served::start().await;
    let request = json!({"rules": ["segwit"]});
    let get_template = served.node.get("getblocktemplate", json!([request]));
    let long_poll = get_template.await["longpollid"].take();
    let request = json!({"rules": ["segwit"], "longpollid": long_poll});
    for (method, params) in [
        ("waitfornewblock", json!([])),
        ("waitforblock", json!(["00".repeat(32)])),
        ("waitforblockheight", json!([1_000_000])),
        ("getblocktemplate", json!([request])),
    ] {
        served
            .leaves(method, async || served.begin(method, &params).await)
            .await;
    }
    served.server.shutdown().await;
    served.node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_the_making_of_blocks_frees_what_it_held() {
    let served = Served::start().await;
    let address = served.node.get("getnewaddress", json!([])).await;
    let descriptor = format!("addr({})", address.as_str().unwrap());
    for (method, params) in [
        ("generatetoaddress", json!([1_000_000, address])),
        ("generatetodescriptor", json!([1_000_000, descriptor])),
    ] {
        served
            .leaves(method, async || served.begin(method, &params).await)
            .await;
        // Nobody makes blocks any more.
        let height = served.node.get("getblockcount", json!([])).await;
        served.node.mine(3).await;
        let after = served.node.get("getblockcount", json!([])).await;
        assert_eq!(after.as_u64(), height.as_u64().map(|height| height + 3));
    }
    served.server.shutdown().await;
    served.node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_an_answer_or_a_subscription_frees_what_it_held() {
    let served = Served::start().await;
    served.node.mine(200).await;
    let genesis = served.node.get("getblockhash", json!([0])).await;
    let headers = format!(
        "GET /rest/headers/{}.json?count=2000",
        genesis.as_str().unwrap()
    );
    served
        .leaves("a REST answer", async || {
            served.read_some(&headers, "").await
        })
        .await;
    // More than the system's buffers take.
    let long = json!({"id": 1, "method": "echo", "params": ["a".repeat(12 << 20)]}).to_string();
    served
        .leaves("a long answer", async || {
            served.read_some("POST /", &long).await
        })
        .await;
    served
        .leaves("a WebSocket", async || served.subscribe().await)
        .await;
    served.server.shutdown().await;
    served.node.finish().await;
}
