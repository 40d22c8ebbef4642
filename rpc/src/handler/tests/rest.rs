//! The REST interface: every resource, its formats, and what it says when it can't answer.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use pyrite_chain::PruneMode;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, Transaction, TxOut};
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::harness::TestNode;
use crate::catalogue::Catalogue;
use crate::handler::Handler;
use crate::places::{Client, Places};
use crate::rest::{Rest, RestMode};
use crate::stop::{StopSender, stop_signal};

const UNKNOWN: &str = "00000000000000000000000000000000000000000000000000000000000000ff";
const NO_FORMAT: &str = "output format not found (available: .bin, .hex, .json)";
const NO_JSON: &str = "output format not found (available: json)";

/// A node and its REST interface.
pub(super) struct RestNode {
    pub(super) node: TestNode,
    rest: Rest,
    places: Places,
    _stop: StopSender,
}

fn client() -> Client {
    Client::new(IpAddr::from([127, 0, 0, 1]), None)
}

/// Status, content type and body of an answer.
pub(super) type Answer = (u16, String, Bytes);

impl RestNode {
    pub(super) async fn start(kinds: &[IndexKind]) -> Self {
        Self::over(TestNode::start_with(kinds).await)
    }

    fn over(node: TestNode) -> Self {
        let (stop, told) = stop_signal();
        let handler = Handler::new(node.context.clone(), told, Catalogue::node());
        Self {
            node,
            rest: Rest::new(RestMode::On, handler, Duration::from_secs(30)).unwrap(),
            places: Places::new(4, Duration::from_secs(30)),
            _stop: stop,
        }
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from(body)).unwrap();
        let answer = self
            .rest
            .answer(request, client(), &self.node.dispatcher, &self.places);
        let (head, body) = answer.await.into_parts();
        let kind = head.headers.get("content-type");
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), kind, body)
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Vec::new()).await
    }

    async fn json(&self, path: &str) -> Value {
        let (status, kind, body) = self.get(path).await;
        assert_eq!((status, kind.as_str()), (200, "application/json"), "{path}");
        assert!(body.ends_with(b"\n"));
        serde_json::from_slice(&body).unwrap()
    }

    /// The bytes of a resource, which are the same in both forms.
    async fn bytes(&self, path: &str) -> Bytes {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (status, kind, bytes) = self.get(&format!("{path}.bin?{query}")).await;
        assert_eq!(
            (status, kind.as_str()),
            (200, "application/octet-stream"),
            "{path}"
        );
        let hex = self.get(&format!("{path}.hex?{query}")).await;
        let text = hex::encode(&bytes) + "\n";
        assert_eq!(hex, (200, "text/plain".to_owned(), text.into()), "{path}");
        bytes
    }

    async fn refused(&self, path: &str, status: u16, message: &str) {
        let expected = (
            status,
            "text/plain".to_owned(),
            Bytes::from(format!("{message}\r\n")),
        );
        assert_eq!(self.get(path).await, expected, "{path}");
    }
}

/// Waits until an index is at the tip.
async fn wait(node: &TestNode, kind: IndexKind) {
    let indexes = node.context.indexes.clone();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    let waited = tokio::task::spawn_blocking(move || {
        while !indexes.wait_until_current(kind) {
            assert!(std::time::Instant::now() < deadline, "{kind} is late");
            std::thread::yield_now();
        }
    });
    waited.await.unwrap();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_those_of_getblock() {
    let rest = RestNode::start(&[]).await;
    let hash = rest.node.mine(2).await.remove(0);
    let raw = text(&rest.node.get("getblock", json!([hash, 0])).await);
    let bytes = rest.bytes(&format!("/rest/block/{hash}")).await;
    assert_eq!(hex::encode(&bytes), raw);
    assert_eq!(
        rest.bytes(&format!("/rest/block/notxdetails/{hash}")).await,
        bytes
    );
    for (path, verbosity) in [("block", 3), ("block/notxdetails", 1)] {
        let shown = rest.json(&format!("/rest/{path}/{hash}.json")).await;
        let expected = rest.node.get("getblock", json!([hash, verbosity])).await;
        assert_eq!(shown.to_string(), expected.to_string());
    }
    let part = rest
        .bytes(&format!("/rest/blockpart/{hash}?offset=3&size=80"))
        .await;
    assert_eq!(part, bytes[3..83]);
    let whole = format!("/rest/blockpart/{hash}?offset=0&size={}", bytes.len());
    assert_eq!(rest.bytes(&whole).await, bytes);

    for path in ["block", "block/notxdetails"] {
        let path = format!("/rest/{path}");
        rest.refused(&format!("{path}/{hash}"), 404, NO_FORMAT)
            .await;
        let message = format!("Invalid hash: {hash}.xml");
        rest.refused(&format!("{path}/{hash}.xml"), 400, &message)
            .await;
        rest.refused(&format!("{path}/ab.bin"), 400, "Invalid hash: ab")
            .await;
        let message = format!("{UNKNOWN} not found");
        rest.refused(&format!("{path}/{UNKNOWN}.bin"), 404, &message)
            .await;
    }
    let no_offset = "Block part offset missing or invalid";
    let no_size = "Block part size missing or invalid";
    let length = bytes.len();
    for (query, message) in [
        (String::new(), no_offset),
        ("?size=1".to_owned(), no_offset),
        ("?offset=-1&size=1".to_owned(), no_offset),
        ("?offset=1".to_owned(), no_size),
        ("?offset=1&size=x".to_owned(), no_size),
        (
            format!("?offset=1&size={length}"),
            &format!("Bad block part offset/size 1/{length} for {hash}"),
        ),
        (
            "?offset=0&size=0".to_owned(),
            &format!("Bad block part offset/size 0/0 for {hash}"),
        ),
    ] {
        let path = format!("/rest/blockpart/{hash}.bin{query}");
        rest.refused(&path, 400, message).await;
    }
    let path = format!("/rest/blockpart/{hash}.json?offset=0&size=1");
    let no_json = "JSON output is not supported for this request type";
    rest.refused(&path, 400, no_json).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_not_there_say_why() {
    let rest = RestNode::over(TestNode::start_pruning(PruneMode::ByHand).await);
    // Shorter chains are not pruned.
    let blocks = rest.node.mine(1_100).await;
    rest.node.get("pruneblockchain", json!([5])).await;
    let pruned = &blocks[0];
    let message = format!("{pruned} not available (pruned data)");
    rest.refused(&format!("/rest/block/{pruned}.json"), 404, &message)
        .await;
    let message = format!("{pruned} undo not available");
    rest.refused(&format!("/rest/spenttxouts/{pruned}.bin"), 404, &message)
        .await;

    let header = rest.node.solved_block(1).header;
    let bytes = hex::encode(serialize(&header));
    rest.node.get("submitheader", json!([bytes])).await;
    let hash = header.block_hash();
    let message = format!("{hash} not available (not fully downloaded)");
    rest.refused(&format!("/rest/block/{hash}.hex"), 404, &message)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_follow_the_best_chain() {
    let rest = RestNode::start(&[]).await;
    let blocks = rest.node.mine(10).await;
    let all = rest
        .bytes(&format!("/rest/headers/{}?count=3", blocks[1]))
        .await;
    assert_eq!(all.len(), 3 * 80);
    let old = rest.bytes(&format!("/rest/headers/3/{}", blocks[1])).await;
    assert_eq!(old, all);
    let five = rest
        .json(&format!("/rest/headers/{}.json", blocks[1]))
        .await;
    let five = five.as_array().unwrap();
    assert_eq!(five.len(), 5);
    for (index, header) in five.iter().enumerate() {
        let expected = rest
            .node
            .get("getblockheader", json!([blocks[1 + index]]))
            .await;
        assert_eq!(header.to_string(), expected.to_string());
    }
    // The chain ends before the count, and a block that is not in it begins nothing.
    let last = rest
        .json(&format!("/rest/headers/{}.json?count=2000", blocks[8]))
        .await;
    assert_eq!(last.as_array().unwrap().len(), 2);
    let none = rest.json(&format!("/rest/headers/{UNKNOWN}.json")).await;
    assert_eq!(none, json!([]));

    let hash = &blocks[0];
    let range = "Header count is invalid or out of acceptable range (1-2000)";
    for (path, status, message) in [
        (format!("{hash}.bin?count=0"), 400, format!("{range}: 0")),
        (format!("2001/{hash}.bin"), 400, format!("{range}: 2001")),
        (format!("{hash}.bin?count=x"), 400, format!("{range}: x")),
        ("ab.bin".to_owned(), 400, "Invalid hash: ab".to_owned()),
        (hash.clone(), 404, NO_FORMAT.to_owned()),
        (
            format!("1/2/{hash}.bin"),
            400,
            "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>".to_owned(),
        ),
    ] {
        let path = format!("/rest/headers/{path}");
        rest.refused(&path, status, &message).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_told() {
    let rest = RestNode::start(&[]).await;
    let blocks = rest.node.mine(2).await;
    let hash: BlockHash = blocks[1].parse().unwrap();
    let (status, _, bytes) = rest.get("/rest/blockhashbyheight/2.bin").await;
    assert_eq!(
        (status, bytes.as_ref()),
        (200, hash.as_byte_array().as_slice())
    );
    let shown = rest.get("/rest/blockhashbyheight/2.hex").await;
    assert_eq!(
        shown,
        (200, "text/plain".to_owned(), format!("{hash}\n").into())
    );
    let shown = rest.json("/rest/blockhashbyheight/2.json").await;
    assert_eq!(shown, json!({ "blockhash": blocks[1] }));
    for (path, status, message) in [
        ("3.bin", 404, "Block height out of range"),
        ("-1.bin", 400, "Invalid height: -1"),
        ("+1.bin", 400, "Invalid height: +1"),
        ("2147483648.bin", 400, "Invalid height: 2147483648"),
        ("2.xml", 400, "Invalid height: 2.xml"),
        ("2", 404, NO_FORMAT),
    ] {
        let path = format!("/rest/blockhashbyheight/{path}");
        rest.refused(&path, status, message).await;
    }

    let shown = rest.json("/rest/chaininfo.json").await;
    let expected = rest.node.get("getblockchaininfo", json!([])).await;
    assert_eq!(shown["bestblockhash"], expected["bestblockhash"]);
    let names = |value: &Value| Vec::from_iter(value.as_object().unwrap().keys().cloned());
    assert_eq!(names(&shown), names(&expected));
    rest.refused("/rest/chaininfo.bin", 404, NO_JSON).await;
    rest.refused("/rest/deploymentinfo.hex", 404, NO_JSON).await;
    rest.refused("/rest/deploymentinfo/ab.json", 400, "Invalid hash: ab")
        .await;
    let path = format!("/rest/deploymentinfo/{UNKNOWN}.json");
    rest.refused(&path, 400, "Block not found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_of_the_mempool_or_of_the_index() {
    let rest = RestNode::start(&[IndexKind::Transactions]).await;
    let node = &rest.node;
    node.mine(101).await;
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let txid = text(&node.get("sendtoaddress", json!([address, 10])).await);
    let raw = text(&node.get("getrawtransaction", json!([txid])).await);
    let path = format!("/rest/tx/{txid}");
    assert_eq!(hex::encode(rest.bytes(&path).await), raw);
    let shown = rest.json(&format!("{path}.json")).await;
    let expected = node.get("getrawtransaction", json!([txid, 1])).await;
    assert_eq!(shown.to_string(), expected.to_string());

    let block = node.mine(1).await.remove(0);
    wait(node, IndexKind::Transactions).await;
    assert_eq!(hex::encode(rest.bytes(&path).await), raw);
    let shown = rest.json(&format!("{path}.json")).await;
    assert_eq!(shown["blockhash"], block);
    let names: Vec<_> = shown.as_object().unwrap().keys().collect();
    assert_eq!(names[names.len() - 3..], ["vout", "blockhash", "hex"]);

    rest.refused(&path, 404, NO_FORMAT).await;
    rest.refused("/rest/tx/ab.bin", 400, "Invalid hash: ab")
        .await;
    let message = format!("{UNKNOWN} not found");
    rest.refused(&format!("/rest/tx/{UNKNOWN}.bin"), 404, &message)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_index_there_are_the_mempools_transactions() {
    let rest = RestNode::start(&[]).await;
    let hash = rest.node.mine(1).await.remove(0);
    let block = rest.node.get("getblock", json!([hash])).await;
    let coinbase = text(&block["tx"][0]);
    let message = format!("{coinbase} not found");
    rest.refused(&format!("/rest/tx/{coinbase}.json"), 404, &message)
        .await;
    let no_index = "Index is not enabled for filtertype basic";
    for path in ["blockfilter", "blockfilterheaders"] {
        let path = format!("/rest/{path}/basic/{hash}.bin");
        rest.refused(&path, 400, no_index).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mempool_is_that_of_the_methods() {
    let rest = RestNode::start(&[]).await;
    let node = &rest.node;
    node.mine(101).await;
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let txid = text(&node.get("sendtoaddress", json!([address, 10])).await);
    let shown = rest.json("/rest/mempool/info.json").await;
    let expected = node.get("getmempoolinfo", json!([])).await;
    assert_eq!(shown.to_string(), expected.to_string());
    let contents = "/rest/mempool/contents.json";
    for (query, params) in [
        ("", json!([true])),
        ("?verbose=true", json!([true])),
        ("?verbose=false", json!([false])),
        ("?verbose=false&mempool_sequence=true", json!([false, true])),
    ] {
        let shown = rest.json(&format!("{contents}{query}")).await;
        let expected = node.get("getrawmempool", params).await;
        assert_eq!(shown.to_string(), expected.to_string(), "{query}");
        assert!(shown.to_string().contains(&txid));
    }
    for (query, message) in [
        (
            "?verbose=1",
            "The \"verbose\" query parameter must be either \"true\" or \"false\".",
        ),
        (
            "?verbose=false&mempool_sequence=yes",
            "The \"mempool_sequence\" query parameter must be either \"true\" or \"false\".",
        ),
        (
            "?mempool_sequence=true",
            "Verbose results cannot contain mempool sequence values. (hint: set \"verbose=false\")",
        ),
    ] {
        rest.refused(&format!("{contents}{query}"), 400, message)
            .await;
    }
    rest.refused("/rest/mempool/info.bin", 404, NO_JSON).await;
    let message = "Invalid URI format. Expected /rest/mempool/<info|contents>.json";
    rest.refused("/rest/mempool/other.json", 400, message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_those_of_getblockfilter() {
    let rest = RestNode::start(&[IndexKind::Filters]).await;
    let blocks = rest.node.mine(4).await;
    wait(&rest.node, IndexKind::Filters).await;
    let hash = &blocks[1];
    let expected = rest.node.get("getblockfilter", json!([hash])).await;
    let shown = rest
        .json(&format!("/rest/blockfilter/basic/{hash}.json"))
        .await;
    assert_eq!(shown, json!({ "filter": expected["filter"] }));
    let bytes = rest.bytes(&format!("/rest/blockfilter/basic/{hash}")).await;
    let filter = hex::decode(text(&expected["filter"])).unwrap();
    let block: BlockHash = hash.parse().unwrap();
    let encoded = [vec![0], serialize(&block), serialize(&filter)].concat();
    assert_eq!(bytes, encoded);

    let path = format!("/rest/blockfilterheaders/basic/{hash}");
    let shown = rest.json(&format!("{path}.json?count=2")).await;
    assert_eq!(shown.as_array().unwrap().len(), 2);
    assert_eq!(shown[0], expected["header"]);
    let old = format!("/rest/blockfilterheaders/basic/2/{hash}");
    let bytes = rest.bytes(&old).await;
    assert_eq!(bytes.len(), 2 * 32);
    let mut first = bytes[..32].to_vec();
    first.reverse();
    assert_eq!(hex::encode(first), text(&expected["header"]));

    for (path, status, message) in [
        (
            format!("blockfilter/other/{hash}.bin"),
            400,
            "Unknown filtertype other",
        ),
        (
            format!("blockfilterheaders/other/{hash}.bin"),
            400,
            "Unknown filtertype other",
        ),
        (
            "blockfilter/basic/ab.bin".to_owned(),
            400,
            "Invalid hash: ab",
        ),
        (
            format!("blockfilter/{hash}.bin"),
            400,
            "Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>",
        ),
        (
            format!("blockfilterheaders/{hash}.bin"),
            400,
            "Invalid URI format. Expected \
             /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>",
        ),
        (
            format!("blockfilter/basic/{UNKNOWN}.bin"),
            404,
            &format!("{UNKNOWN} not found"),
        ),
        (format!("blockfilter/basic/{hash}"), 404, NO_FORMAT),
    ] {
        rest.refused(&format!("/rest/{path}"), status, message)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spent_outputs_are_listed_by_transaction() {
    let rest = RestNode::start(&[]).await;
    let node = &rest.node;
    node.mine(101).await;
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    node.get("sendtoaddress", json!([address, 10])).await;
    let hash = node.mine(1).await.remove(0);
    let path = format!("/rest/spenttxouts/{hash}");
    let shown = rest.json(&format!("{path}.json")).await;
    let block = node.get("getblock", json!([hash, 3])).await;
    let prevout = &block["tx"][1]["vin"][0]["prevout"];
    let spent = json!({ "value": prevout["value"], "scriptPubKey": prevout["scriptPubKey"] });
    assert_eq!(shown.to_string(), json!([[], [spent]]).to_string());
    let bytes = rest.bytes(&path).await;
    assert_eq!(bytes[..3], [2, 0, 1]);
    let output: TxOut = deserialize(&bytes[3..]).unwrap();
    let script = hex::encode(output.script_pubkey.as_bytes());
    assert_eq!(script, text(&prevout["scriptPubKey"]["hex"]));

    let genesis = node.context.spec.genesis_hash();
    let path = format!("/rest/spenttxouts/{genesis}");
    assert_eq!(rest.json(&format!("{path}.json")).await, json!([[]]));
    assert_eq!(rest.bytes(&path).await, [1, 0][..]);
    let message = format!("{UNKNOWN} not found");
    rest.refused(&format!("/rest/spenttxouts/{UNKNOWN}.bin"), 404, &message)
        .await;
    let message = "Invalid URI format. Expected /rest/spenttxouts/<hash>.<ext>";
    rest.refused(&format!("/rest/spenttxouts/1/{hash}.bin"), 400, message)
        .await;
    rest.refused(&path, 404, NO_FORMAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unspent_outputs_are_found_in_the_chain_and_in_the_mempool() {
    let rest = RestNode::start(&[]).await;
    let node = &rest.node;
    let hash = node.mine(101).await.remove(0);
    let raw = hex::decode(text(&node.get("getblock", json!([hash, 0])).await)).unwrap();
    let block: Block = deserialize(&raw).unwrap();
    let coinbase = block.txdata[0].compute_txid();
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let paid = text(&node.get("sendtoaddress", json!([address, 10])).await);
    let raw = hex::decode(text(&node.get("getrawtransaction", json!([paid])).await)).unwrap();
    let payment: Transaction = deserialize(&raw).unwrap();
    // The only coin that is mature.
    assert_eq!(payment.input[0].previous_output.txid, coinbase);
    let tip = node.get("getbestblockhash", json!([])).await;

    let chain = format!("/rest/getutxos/{coinbase}-0/{paid}-0");
    let shown = rest.json(&format!("{chain}.json")).await;
    assert_eq!(shown["chainHeight"], 101);
    assert_eq!(shown["chaintipHash"], tip);
    assert_eq!(shown["bitmap"], "10");
    assert_eq!(shown["utxos"][0]["height"], 1);
    assert_eq!(shown["utxos"][0]["value"].to_string(), "50.00000000");
    let both = format!("/rest/getutxos/checkmempool/{coinbase}-0/{paid}-0");
    let shown = rest.json(&format!("{both}.json")).await;
    assert_eq!(shown["bitmap"], "01");
    assert_eq!(shown["utxos"][0]["height"], 0x7fff_ffff);
    let names: Vec<_> = shown["utxos"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["height", "value", "scriptPubKey"]);

    // The same as a body, in either form.
    let bytes = rest.bytes(&both).await;
    let mut body = vec![1, 2];
    for outpoint in [(coinbase, 0), (payment.compute_txid(), 0)] {
        body.extend(serialize(&outpoint.0));
        body.extend(u32::to_le_bytes(outpoint.1));
    }
    let path = "/rest/getutxos.bin";
    let (status, _, answer) = rest.ask(Method::POST, path, body.clone()).await;
    assert_eq!((status, answer), (200, bytes.clone()));
    let hex = hex::encode(body).into_bytes();
    let (status, _, answer) = rest.ask(Method::POST, "/rest/getutxos.hex", hex).await;
    assert_eq!(answer, hex::encode(bytes) + "\n");
    assert_eq!(status, 200);

    let many = format!("/{UNKNOWN}-0").repeat(16);
    let message = "Error: max outpoints exceeded (max: 15, tried: 16)";
    rest.refused(&format!("/rest/getutxos{many}.json"), 400, message)
        .await;
    rest.refused("/rest/getutxos.json", 400, "Error: empty request")
        .await;
    rest.refused(&chain, 404, NO_FORMAT).await;
    let (status, ..) = rest.ask(Method::POST, path, vec![0; (16 << 10) + 1]).await;
    assert_eq!(status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_resource_is_not_there() {
    let rest = RestNode::start(&[]).await;
    for path in ["/rest/", "/rest/other", "/rest/block", "/rest/Tx/ab.bin"] {
        assert_eq!(
            rest.get(path).await,
            (404, String::new(), Bytes::new()),
            "{path}"
        );
    }
    let answer = rest
        .ask(Method::DELETE, "/rest/chaininfo.json", Vec::new())
        .await;
    assert_eq!(answer, (405, String::new(), Bytes::new()));
    let path = "/rest/blockhashbyheight/0.json";
    assert_eq!(rest.ask(Method::POST, path, Vec::new()).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_above_the_bound_are_turned_away() {
    let mut rest = RestNode::start(&[]).await;
    rest.places = Places::new(1, Duration::from_millis(1));
    let path = "/rest/blockhashbyheight/0.json";
    let place = rest.places.take(client()).await.unwrap();
    rest.refused(path, 503, "Work queue depth exceeded").await;
    drop(place);
    assert_eq!(rest.get(path).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_told() {
    let node = TestNode::start().await;
    let told = node.get("getzmqnotifications", json!([])).await;
    let expected = json!([{
        "type": "pubrawtx",
        "address": "tcp://127.0.0.1:28332",
        "hwm": 7,
    }]);
    assert_eq!(told.to_string(), expected.to_string());
}
