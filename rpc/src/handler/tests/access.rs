//! Who gets in, over real connections: addresses, passwords, lists of methods, and subscribers that do not keep up.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::harness::TestNode;
use crate::auth::RpcUser;
use crate::http::held::Held;
use crate::rest::RestMode;
use crate::{RpcConfig, RpcServer, listen};

const DEADLINE: Duration = Duration::from_secs(60);

/// The password of every user.
const PASSWORD: &str = "word";

/// A server of a node, without a cookie.
async fn serve(node: &TestNode, adjust: impl FnOnce(&mut RpcConfig)) -> RpcServer {
    let mut config = RpcConfig::new("127.0.0.1:0".parse().unwrap(), "unused".into());
    config.cookie_path = None;
    config.rest = RestMode::On;
    config.users = ["ann", "bob", "eve"]
        .map(|name| RpcUser::new(name, PASSWORD))
        .to_vec();
    adjust(&mut config);
    let server = listen(config).await.unwrap();
    server.serve(node.context.clone());
    server
}

fn authorization(user: &str, password: &str) -> String {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {encoded}\r\n")
}

/// Status and body of an answer.
async fn ask(address: SocketAddr, head: &str, headers: &str, body: &str) -> (u16, String) {
    let request = format!(
        "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn call(server: &RpcServer, user: &str, password: &str, body: &Value) -> (u16, String) {
    let headers = authorization(user, password);
    ask(server.local_addr(), "POST /", &headers, &body.to_string()).await
}

fn method(name: &str) -> Value {
    json!({"id": 1, "method": name, "params": []})
}

/// This machine's address in a network, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Loopback addresses may always connect, as in Bitcoin Core, so that this takes another one.
#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_are_refused_unless_they_are_allowed() {
    let Some(own) = own_address() else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    let node = TestNode::start().await;
    let requests = [
        ("POST /", method("getblockcount").to_string()),
        ("GET /rest/chaininfo.json", String::new()),
        ("GET /nothing", String::new()),
    ];
    let headers = authorization("ann", PASSWORD);
    for (allowed, expected) in [
        ("10.9.8.7/32".to_owned(), [403, 403, 403]),
        (own.to_string(), [200, 200, 404]),
    ] {
        let server = serve(&node, |config| {
            config.bind = vec![SocketAddr::new(own, 0), "127.0.0.1:0".parse().unwrap()];
            config.allowed = vec![allowed.parse().unwrap()];
        })
        .await;
        for ((head, body), expected) in requests.iter().zip(expected) {
            let (status, text) = ask(server.local_addr(), head, &headers, body).await;
            assert_eq!(status, expected, "{head} {allowed}");
            assert_eq!(text.is_empty(), status != 200, "{head} {allowed}");
        }
        server.shutdown().await;
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_is_let_in_whatever_is_allowed() {
    let node = TestNode::start().await;
    let server = serve(&node, |config| {
        config.bind = vec!["127.0.0.2:0".parse().unwrap()];
        config.allowed = vec!["10.9.8.7/32".parse().unwrap()];
    })
    .await;
    let (status, _) = call(&server, "ann", PASSWORD, &method("getblockcount")).await;
    assert_eq!(status, 200);
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_methods_holds_for_calls_batches_and_websockets() {
    let node = TestNode::start().await;
    let server = serve(&node, |config| {
        config.whitelists.add("ann:getblockcount,subscribe");
        config.whitelists.add("bob:getblockcount");
    })
    .await;
    for (user, body, expected) in [
        ("ann", method("getblockcount"), 200),
        ("ann", method("stop"), 403),
        ("ann", json!([method("getblockcount")]), 200),
        ("ann", json!([method("getblockcount"), method("stop")]), 403),
        ("ann", method("nothing"), 403),
        // Who has no list may call nothing once there is one.
        ("eve", method("getblockcount"), 403),
    ] {
        let (status, text) = call(&server, user, PASSWORD, &body).await;
        assert_eq!(status, expected, "{user} {body}: {text}");
        assert_eq!(text.is_empty(), status == 403, "{user} {body}: {text}");
    }
    assert!(!node.stopped.load(std::sync::atomic::Ordering::SeqCst));
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let headers = authorization("bob", PASSWORD) + upgrade;
    let (status, _) = ask(server.local_addr(), "GET /ws", &headers, "").await;
    assert_eq!(status, 403);
    let mut client = subscriber(&server, "ann", 1 << 20).await;
    let subscribe = json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": ["block"]});
    let subscribe = Message::text(subscribe.to_string());
    client.send(subscribe).await.unwrap();
    let answer = client.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(answer.contains("\"cursor\""), "{answer}");
    drop(client);
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_answered_late_and_keeps_nobody_out() {
    let node = TestNode::start().await;
    let server = serve(&node, |config| config.max_requests = 1).await;
    let delay = Duration::from_millis(250);
    let wrong = async {
        let began = Instant::now();
        let (status, _) = call(&server, "ann", "Word", &method("getblockcount")).await;
        assert_eq!(status, 401);
        assert!(began.elapsed() >= delay, "{:?}", began.elapsed());
    };
    let right = async {
        for _ in 0..10 {
            let (status, _) = call(&server, "ann", PASSWORD, &method("getblockcount")).await;
            assert_eq!(status, 200);
        }
    };
    tokio::join!(wrong, right);
    let headers = authorization("nobody", PASSWORD);
    let began = Instant::now();
    let (status, _) = ask(server.local_addr(), "GET /ws", &headers, "").await;
    assert_eq!(status, 401);
    assert!(began.elapsed() >= delay, "{:?}", began.elapsed());
    server.shutdown().await;
    node.finish().await;
}

/// A WebSocket whose client has a window of so many bytes.
async fn subscriber(
    server: &RpcServer,
    user: &str,
    window: u32,
) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let address = server.local_addr();
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")));
    let headers = request.headers_mut();
    headers.insert("authorization", authorization.parse().unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(window).unwrap();
    let stream = socket.connect(address).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_is_cut_off() {
    let node = TestNode::start().await;
    let server = serve(&node, |config| {
        config.request_timeout = Duration::from_millis(200);
    })
    .await;
    let free = || Held::by(server.shared()).free_subscriber_places();
    let idle = free();
    let mut other = subscriber(&server, "ann", 1 << 20).await;
    let subscribe = |id: &str| {
        let request =
            json!({"jsonrpc": "2.0", "id": id, "method": "subscribe", "params": ["block"]});
        Message::text(request.to_string())
    };
    other.send(subscribe("x")).await.unwrap();
    let answer = other.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(answer.contains("\"cursor\""), "{answer}");

    // Answers, long ones, are read as little as events.
    let mut slow = subscriber(&server, "bob", 4 << 10).await;
    let long_id = "a".repeat(15_000);
    let mut sent = 0;
    let flood = async {
        while slow.send(subscribe(&long_id)).await.is_ok() {
            sent += 1;
        }
    };
    tokio::time::timeout(DEADLINE, flood)
        .await
        .expect("the slow subscriber is cut off");
    let deadline = Instant::now() + DEADLINE;
    while free() != idle - 1 {
        assert!(Instant::now() < deadline, "a place is held for nobody");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // More than a window of answers was on its way, and all that waited for the client was one of them.
    assert!(sent > 1, "{sent} requests");

    // The other one goes on.
    let hash = node.mine(1).await.remove(0);
    let event = other.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(event.contains(&hash), "{event}");
    drop(other);
    while free() != idle {
        assert!(Instant::now() < deadline, "a place is held for nobody");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.shutdown().await;
    node.finish().await;
}
