//! Fuzz target: the REST interface of a small chain, with every path, query and body.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::http::{Method, Uri};
use bolero::{TypeGenerator, check, produce};
use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::{OutPoint, VarInt};
use pyrite_fuzzing::{Damage, TextDamage};
use pyrite_index::IndexKind;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::harness::TestNode;
use super::rest::RestNode;

/// The resources, and some that are none.
const RESOURCES: [&str; 17] = [
    "tx/",
    "block/",
    "block/notxdetails/",
    "blockpart/",
    "blockfilter/",
    "blockfilterheaders/",
    "chaininfo",
    "mempool/",
    "headers/",
    "getutxos",
    "getutxos/checkmempool/",
    "deploymentinfo",
    "deploymentinfo/",
    "blockhashbyheight/",
    "spenttxouts/",
    "nothing/",
    "",
];

/// What a path ends with.
const ENDINGS: [&str; 7] = [".bin", ".hex", ".json", ".xml", ".", "", ".json.bin"];

/// Words of paths and queries.
const WORDS: [&str; 32] = [
    "/",
    "?",
    "&",
    "=",
    "+",
    "%",
    "%30",
    "%zz",
    "-",
    ".",
    "0",
    "1",
    "5",
    "109",
    "110",
    "111",
    "80",
    "2000",
    "2001",
    "info",
    "contents",
    "basic",
    "count",
    "offset",
    "size",
    "verbose",
    "mempool_sequence",
    "true",
    "false",
    "checkmempool",
    ".bin",
    ".json",
];

/// The keys of queries.
const KEYS: [&str; 6] = [
    "count",
    "offset",
    "size",
    "verbose",
    "mempool_sequence",
    "none",
];

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::HEAD,
    Method::PUT,
    Method::DELETE,
];

/// How long an answer may take on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(60);

/// More than any answer of the chain below is long.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A request. What it names is counted from the front, and beyond the end from the front again.
#[derive(Clone, Debug, TypeGenerator)]
struct Question {
    resource: u8,
    #[generator(produce::<Vec<u16>>().with().len(0..4_usize))]
    parts: Vec<u16>,
    ending: u8,
    #[generator(produce::<Vec<(u8, u16)>>().with().len(0..3_usize))]
    query: Vec<(u8, u16)>,
    damage: TextDamage,
    method: u8,
    body: Body,
}

#[derive(Clone, Debug, TypeGenerator)]
enum Body {
    None,
    Any(#[generator(produce::<Vec<u8>>().with().len(0..100_usize))] Vec<u8>),
    Outpoints {
        with_mempool: bool,
        #[generator(produce::<Vec<(u8, u8)>>().with().len(0..20_usize))]
        outpoints: Vec<(u8, u8)>,
        is_hex: bool,
        damage: Damage,
    },
}

struct Target {
    runtime: Runtime,
    rest: RestNode,
    /// Parts of paths, and values of queries: hashes of the chain, transactions, outpoints, and `WORDS`.
    parts: Vec<String>,
    outpoints: Vec<OutPoint>,
}

fn pick<T>(values: &[T], which: impl Into<usize>) -> &T {
    &values[which.into() % values.len()]
}

impl Target {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let rest = runtime.block_on(RestNode::start(&IndexKind::ALL));
        let (parts, outpoints) = runtime.block_on(palette(&rest.node));
        Self {
            runtime,
            rest,
            parts,
            outpoints,
        }
    }

    fn path(&self, question: &Question) -> String {
        let resource = pick(&RESOURCES, question.resource);
        let parts: Vec<&str> = question
            .parts
            .iter()
            .map(|which| pick(&self.parts, *which).as_str())
            .collect();
        let ending = pick(&ENDINGS, question.ending);
        let query = question
            .query
            .iter()
            .map(|(key, value)| format!("{}={}", pick(&KEYS, *key), pick(&self.parts, *value)));
        let query: Vec<String> = query.collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!(
            "/rest/{resource}{}{ending}{mark}{}",
            parts.join("/"),
            query.join("&")
        )
    }

    fn body(&self, body: &Body) -> Vec<u8> {
        match body {
            Body::None => Vec::new(),
            Body::Any(bytes) => bytes.clone(),
            Body::Outpoints {
                with_mempool,
                outpoints,
                is_hex,
                damage,
            } => {
                let mut bytes = vec![u8::from(*with_mempool)];
                put(&VarInt::from(outpoints.len()), &mut bytes);
                for (which, vout) in outpoints {
                    let mut outpoint = *pick(&self.outpoints, *which);
                    if *vout > 1 {
                        outpoint.vout = u32::from(*vout);
                    }
                    put(&outpoint, &mut bytes);
                }
                let bytes = damage.apply(bytes);
                if *is_hex {
                    hex::encode(bytes).into_bytes()
                } else {
                    bytes
                }
            }
        }
    }

    /// Asks, and checks what is promised of every answer.
    fn ask(&self, method: Method, path: &str, body: Vec<u8>) {
        // Anything else is refused before it is looked at here.
        if path.parse::<Uri>().is_err() {
            return;
        }
        let began = Instant::now();
        let answer = self.rest.ask(method, path, body);
        let (status, kind, body) = self.runtime.block_on(answer);
        assert!(began.elapsed() < LIMIT, "{path} took {:?}", began.elapsed());
        assert!(
            body.len() < MAX_ANSWER_BYTES,
            "{path}: {} bytes",
            body.len()
        );
        let text = std::str::from_utf8(&body);
        match (status, kind.as_str()) {
            (200, "application/json") => {
                let text = text.expect("JSON is UTF-8");
                assert!(text.ends_with('\n'), "{path}");
                assert!(
                    serde_json::from_str::<Value>(text).is_ok(),
                    "{path}: {text}"
                );
            }
            (200, "text/plain") => {
                let digits = text.expect("hex is UTF-8").strip_suffix('\n');
                let is_hex = digits.is_some_and(|digits| hex::decode(digits).is_ok());
                assert!(is_hex, "{path}");
            }
            (200, "application/octet-stream") => {}
            (400 | 404, "text/plain") => {
                let message = text.expect("a message is UTF-8").strip_suffix("\r\n");
                assert!(message.is_some_and(|message| !message.is_empty()), "{path}");
            }
            // Nothing is there, or it is not to be asked for in this way.
            (404 | 405, "") => assert!(body.is_empty(), "{path}"),
            other => panic!("{path}: {other:?} {body:?}"),
        }
    }
}

/// What to name in requests.
async fn palette(node: &TestNode) -> (Vec<String>, Vec<OutPoint>) {
    let hashes = node.mine(110).await;
    let address = node.get("getnewaddress", json!([])).await;
    let mut txids = Vec::new();
    for amount in ["0.5", "0.6"] {
        let txid = node.get("sendtoaddress", json!([address, amount])).await;
        txids.push(txid.as_str().unwrap().to_owned());
        // The second one stays in the mempool.
        if amount == "0.5" {
            node.mine(1).await;
        }
    }
    let coinbase = node.get("getblock", json!([hashes[0]])).await["tx"][0].take();
    txids.push(coinbase.as_str().unwrap().to_owned());
    let unknown = format!("{:064x}", 255);
    let outpoints: Vec<OutPoint> = txids
        .iter()
        .chain([&unknown])
        .flat_map(|txid| [0, 1].map(|vout| OutPoint::new(txid.parse().unwrap(), vout)))
        .collect();
    let shown = outpoints
        .iter()
        .map(|outpoint| format!("{}-{}", outpoint.txid, outpoint.vout));
    let mut parts: Vec<String> = shown.collect();
    // A few of each kind, so that each is named often.
    for hash in [&hashes[0], &hashes[50], &hashes[109]] {
        parts.extend([hash.clone(), hash.to_uppercase()]);
    }
    parts.extend(txids);
    parts.extend([unknown, "f".repeat(63), "g".repeat(64)]);
    parts.extend(
        [
            "-1",
            "+1",
            "4294967296",
            "18446744073709551615",
            "18446744073709551616",
            "é",
        ]
        .map(str::to_owned),
    );
    parts.extend(WORDS.map(str::to_owned));
    (parts, outpoints)
}

fn put(value: &impl Encodable, bytes: &mut Vec<u8>) {
    value.consensus_encode(bytes).unwrap();
}

#[test]
fn fuzz_rest_request() {
    let target = AssertUnwindSafe(Target::new());
    let words: Vec<&str> = target.parts.iter().map(String::as_str).collect();
    let words = AssertUnwindSafe(words);
    check!().with_type::<Question>().for_each(|question| {
        let path = question.damage.apply(&target.path(question), &words);
        let method = pick(&METHODS, question.method).clone();
        let body = target.body(&question.body);
        target.ask(method, &path, body);
    });
}

#[test]
fn fuzz_any_rest_path() {
    let target = AssertUnwindSafe(Target::new());
    check!().for_each(|bytes: &[u8]| {
        let which = bytes.first().copied().unwrap_or_default();
        let tail: String = bytes
            .iter()
            .skip(1)
            .map(|byte| char::from(byte & 0x7f))
            .collect();
        let path = format!("/rest/{}{tail}", pick(&RESOURCES, which));
        target.ask(Method::GET, &path, Vec::new());
    });
}
