//! Subscribers: what they are told, and how they go on after they were away.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::harness::TestNode;
use crate::{RpcConfig, RpcServer, listen};

const DEADLINE: Duration = Duration::from_secs(60);

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(server: &RpcServer, password: &str) -> Result<Self, Box<Error>> {
        let address = server.local_addr();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        let authorization = format!("Basic {}", STANDARD.encode(password));
        let headers = request.headers_mut();
        headers.insert("authorization", authorization.parse().unwrap());
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(request, stream).await.map_err(Box::new)?;
        Ok(Self(socket))
    }

    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.0.next()).await;
            match message.expect("a message in time").unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other}"),
            }
        }
    }

    /// The next event, which is of this topic.
    async fn event(&mut self, topic: &str, event: &str) -> Value {
        let message = self.next().await;
        assert_eq!(message["method"], "event", "{message}");
        let params = &message["params"];
        assert_eq!(
            (&params["topic"], &params["event"]),
            (&json!(topic), &json!(event)),
            "{params}"
        );
        params.clone()
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        self.0
            .send(Message::text(request.to_string()))
            .await
            .unwrap();
        let answer = self.next().await;
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }
}

/// A node with a server, and the cookie.
async fn serve(node: &TestNode) -> (tempfile::TempDir, RpcServer, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".cookie");
    let bind = "127.0.0.1:0".parse().unwrap();
    let server = listen(RpcConfig::new(bind, path.clone())).await.unwrap();
    server.serve(node.context.clone());
    let cookie = std::fs::read_to_string(path).unwrap();
    (directory, server, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_told_and_a_client_that_was_away_misses_none() {
    let node = TestNode::start().await;
    let (_directory, server, cookie) = serve(&node).await;
    let mut client = Client::open(&server, &cookie).await.unwrap();
    let genesis = node.get("getbestblockhash", json!([])).await;
    let answer = client.call("subscribe", json!(["block"])).await;
    assert_eq!(
        answer["result"],
        json!({"topic": "block", "cursor": genesis})
    );

    let hashes = node.mine(2).await;
    for (height, hash) in [(1, &hashes[0]), (2, &hashes[1])] {
        let event = client.event("block", "connected").await;
        assert_eq!(event["cursor"], json!(hash));
        assert_eq!(
            (&event["hash"], &event["height"]),
            (&json!(hash), &json!(height))
        );
    }
    drop(client);

    // While it is away, one block leaves the chain and two come.
    node.get("invalidateblock", json!([hashes[1]])).await;
    let others = node.mine(2).await;
    let mut client = Client::open(&server, &cookie).await.unwrap();
    client
        .call("subscribe", json!({"topic": "block", "cursor": hashes[1]}))
        .await;
    let event = client.event("block", "disconnected").await;
    assert_eq!(
        (&event["hash"], &event["cursor"]),
        (&json!(hashes[1]), &json!(hashes[0]))
    );
    for hash in &others {
        assert_eq!(
            client.event("block", "connected").await["hash"],
            json!(hash)
        );
    }
    let answer = client.call("subscribe", json!(["block", "00"])).await;
    assert_eq!(answer["error"]["code"], -5);

    // Nothing is told of what nobody wants.
    let answer = client.call("unsubscribe", json!(["block"])).await;
    assert_eq!(answer["result"], true);
    node.mine(1).await;
    let answer = client.call("unsubscribe", json!(["block"])).await;
    assert_eq!(answer["result"], false);
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mempool_is_told_and_a_gap_is_said_to_be_one() {
    let node = TestNode::start().await;
    let (_directory, server, cookie) = serve(&node).await;
    node.mine(101).await;
    let mut client = Client::open(&server, &cookie).await.unwrap();
    let answer = client.call("subscribe", json!(["mempool"])).await;
    let start = answer["result"]["cursor"].clone();
    let address = node.get("getnewaddress", json!([])).await;
    let txid = node.get("sendtoaddress", json!([address, 1])).await;
    let event = client.event("mempool", "changed").await;
    assert_eq!(
        (&event["added"], &event["removed"]),
        (&json!([txid]), &json!([]))
    );
    client.call("unsubscribe", json!(["mempool"])).await;

    client
        .call("subscribe", json!(["transaction", start]))
        .await;
    let event = client.event("transaction", "added").await;
    assert_eq!(event["txid"], txid);

    // A cursor of another run of the node.
    client
        .call("subscribe", json!(["mempool", "00000000-1"]))
        .await;
    let gap = client.event("mempool", "gap").await;
    client
        .call("subscribe", json!(["mempool", gap["cursor"]]))
        .await;
    let answer = client.call("subscribe", json!(["mempool", "x"])).await;
    assert_eq!(answer["error"]["code"], -8);
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_while_nobody_listened_is_told() {
    let node = TestNode::start().await;
    let (_directory, server, cookie) = serve(&node).await;
    node.mine(101).await;
    let mut client = Client::open(&server, &cookie).await.unwrap();
    let answer = client.call("subscribe", json!(["mempool"])).await;
    let start = answer["result"]["cursor"].clone();
    client.call("unsubscribe", json!(["mempool"])).await;
    let address = node.get("getnewaddress", json!([])).await;
    let txid = node.get("sendtoaddress", json!([address, 1])).await;
    node.mine(1).await;
    assert_eq!(node.get("getrawmempool", json!([])).await, json!([]));

    client
        .call("subscribe", json!(["transaction", start]))
        .await;
    assert_eq!(client.event("transaction", "added").await["txid"], txid);
    client.call("unsubscribe", json!(["transaction"])).await;
    client.call("subscribe", json!(["mempool", start])).await;
    let came = client.event("mempool", "changed").await;
    assert_eq!(
        (&came["added"], &came["removed"]),
        (&json!([txid]), &json!([]))
    );
    let went = client.event("mempool", "changed").await;
    let removed = json!([{"txid": txid, "reason": "block"}]);
    assert_eq!((&went["added"], &went["removed"]), (&json!([]), &removed));
    // Who had been told half of it goes on from there.
    client
        .call("subscribe", json!(["mempool", came["cursor"]]))
        .await;
    assert_eq!(client.event("mempool", "changed").await["removed"], removed);
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_and_stops_of_mining_are_told() {
    let node = TestNode::start().await;
    let (_directory, server, cookie) = serve(&node).await;
    let mut client = Client::open(&server, &cookie).await.unwrap();
    client.call("subscribe", json!(["mining"])).await;
    let event = client.event("mining", "status").await;
    assert_eq!(event["miner"]["running"], false);
    // Nobody publishes a template in this node: what is told is the miner.
    for is_mining in [true, false] {
        node.get("setgenerate", json!([is_mining, 1])).await;
        while client.event("mining", "status").await["miner"]["running"] != is_mining {}
    }
    server.shutdown().await;
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mining_is_told_at_once_and_strangers_are_told_nothing() {
    let node = TestNode::start().await;
    let (_directory, server, cookie) = serve(&node).await;
    let error = Client::open(&server, "__cookie__:wrong")
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&*error, Error::Http(response) if response.status() == 401),
        "{error}"
    );
    let mut client = Client::open(&server, &cookie).await.unwrap();
    client.call("subscribe", json!(["mining"])).await;
    let event = client.event("mining", "status").await;
    assert_eq!(event["miner"]["running"], false);
    server.shutdown().await;
    // The server says why it goes.
    let end = tokio::time::timeout(DEADLINE, client.0.next())
        .await
        .unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = end else {
        panic!("{end:?}");
    };
    assert_eq!(frame.reason.as_str(), "the node is stopping");
    node.finish().await;
}
