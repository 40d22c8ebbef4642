//! Clients that go away in the middle of a call: what they held is free again.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::harness::TestNode;
use crate::{RpcConfig, RpcServer, listen};

/// How long anything may take on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(60);

/// The methods that the server is carrying out.
fn active(server: &RpcServer) -> Vec<&'static str> {
    let calls = server.shared().dispatcher.active().list();
    calls.into_iter().map(|(method, _)| method).collect()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Begins a call, and goes away while it is under way.
async fn leave(server: &RpcServer, cookie: &str, method: &str, params: &Value) {
    let body = json!({"id": 1, "method": method, "params": params}).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\nContent-Length: {}\r\n\r\n{body}",
        STANDARD.encode(cookie),
        body.len()
    );
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    until(&format!("{method} does not begin"), || {
        active(server) == [method]
    })
    .await;
    drop(stream);
    until(&format!("{method} goes on without its client"), || {
        active(server).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_frees_what_it_held() {
    let node = TestNode::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".cookie");
    let bind = "127.0.0.1:0".parse().unwrap();
    let server = listen(RpcConfig::new(bind, path.clone())).await.unwrap();
    server.serve(node.context.clone());
    let cookie = std::fs::read_to_string(path).unwrap();

    let hash = "00".repeat(32);
    let request = json!({"rules": ["segwit"]});
    let mut long_poll = node.get("getblocktemplate", json!([request])).await;
    let request = json!({"rules": ["segwit"], "longpollid": long_poll["longpollid"].take()});
    for (method, params) in [
        ("waitfornewblock", json!([])),
        ("waitforblock", json!([hash])),
        ("waitforblockheight", json!([1_000_000])),
        ("getblocktemplate", json!([request])),
    ] {
        leave(&server, &cookie, method, &params).await;
    }

    let address = node.get("getnewaddress", json!([])).await;
    leave(
        &server,
        &cookie,
        "generatetoaddress",
        &json!([1_000_000, address]),
    )
    .await;
    // Nobody else makes blocks any more.
    let deadline = Instant::now() + DEADLINE;
    let mut alone = 0;
    while alone < 3 {
        assert!(Instant::now() < deadline, "blocks are made for nobody");
        let before = node.get("getblockcount", json!([])).await.as_u64().unwrap();
        node.mine(1).await;
        let after = node.get("getblockcount", json!([])).await.as_u64().unwrap();
        alone = if after == before + 1 { alone + 1 } else { 0 };
    }
    server.shutdown().await;
    node.finish().await;
}
