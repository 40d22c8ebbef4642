//! Fuzz target: the bytes of a connection, through everything that reads them: HTTP, access, JSON-RPC, REST and WebSockets.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bolero::{TypeGenerator, check, produce};
use pyrite_fuzzing::{Damage, TextDamage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::harness::TestNode;
use crate::auth::RpcUser;
use crate::rest::RestMode;
use crate::{RpcConfig, RpcServer, listen};

/// Requests, each with its end: `AUTH` is who calls.
const REQUESTS: [&str; 12] = [
    "POST / HTTP/1.1\r\nHost: a\r\nAUTH\r\nContent-Length: 35\r\n\r\n{\"id\":1,\"method\":\"getblockcount\"}  ",
    "POST / HTTP/1.1\r\nHost: a\r\nAUTH\r\nConnection: close\r\nContent-Length: 49\r\n\r\n\
     {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getdifficulty\"}",
    "POST /wallet/default HTTP/1.1\r\nAUTH\r\nTransfer-Encoding: chunked\r\n\r\n\
     4\r\n[{\"i\r\n1f\r\nd\":1,\"method\":\"getnetworkinfo\"}\r\n1\r\n]\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nAUTH\r\nExpect: 100-continue\r\nContent-Length: 28\r\n\r\n{\"id\":[],\"method\":\"uptime\"} ",
    "POST / HTTP/1.0\r\nAUTH\r\nContent-Length: 28\r\n\r\n{\"id\":{},\"method\":\"uptime\"} ",
    "GET /rest/chaininfo.json HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /rest/headers/0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206.hex?count=9 HTTP/1.1\r\n\r\n",
    "HEAD /rest/blockhashbyheight/0.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST /rest/getutxos.bin HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\u{1}\u{0}\u{0}",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nAUTH\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "\r\n",
];

/// What a token may be replaced with.
const WORDS: [&str; 20] = [
    "GET",
    "POST",
    "HTTP",
    "chunked",
    "gzip",
    "close",
    "keep-alive",
    "Upgrade",
    "Content-Length",
    "Transfer-Encoding",
    "Authorization: Basic",
    "Expect: 100-continue",
    "\r\n",
    "\r\n\r\n",
    "\n\n",
    "ws",
    "rest",
    "/",
    "%00",
    "18446744073709551615",
];

/// Every status that an answer may have.
const STATUSES: [u16; 16] = [
    100, 101, 200, 204, 400, 401, 403, 404, 405, 408, 413, 414, 426, 431, 500, 503,
];

/// After so long without a byte, the client says that it is done.
const QUIET: Duration = Duration::from_millis(4);

/// How long a connection may last after that, on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(60);

/// The name of the server's threads, by which their panics are known.
const THREADS: &str = "connection-fuzz";

/// Panics of the server's threads: each ends a connection alone, so it is not seen otherwise.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What a client sends.
#[derive(Clone, Debug, TypeGenerator)]
struct Sent {
    #[generator(produce::<Vec<u8>>().with().len(1..4_usize))]
    requests: Vec<u8>,
    is_known: bool,
    damage: TextDamage,
    bytes: Damage,
    /// Frames of a WebSocket, or anything else.
    #[generator(produce::<Vec<Frame>>().with().len(0..4_usize))]
    frames: Vec<Frame>,
}

/// A frame of a WebSocket, short and masked with zeros.
#[derive(Clone, Debug, TypeGenerator)]
struct Frame {
    head: u8,
    is_masked: bool,
    text: u8,
    damage: TextDamage,
}

const MESSAGES: [&str; 4] = [
    "",
    r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["block"]}"#,
    r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["mining"]}"#,
    r#"{"jsonrpc":"2.0","id":1,"method":"unsubscribe","params":["block"]}"#,
];

impl Frame {
    fn put(&self, bytes: &mut Vec<u8>) {
        let text = MESSAGES[usize::from(self.text) % MESSAGES.len()];
        let text = self
            .damage
            .apply(text, &["\"subscribe\"", "\"mempool\"", "null"]);
        // Mostly text, complete.
        let head = if self.head < 0xc0 { 0x81 } else { self.head };
        let length = u8::try_from(text.len()).unwrap_or(125).min(125);
        bytes.extend([head, length | if self.is_masked { 0x80 } else { 0 }]);
        if self.is_masked {
            bytes.extend([0; 4]);
        }
        bytes.extend(text.bytes());
    }
}

struct Target {
    runtime: Runtime,
    _node: TestNode,
    server: RpcServer,
    address: SocketAddr,
}

impl Target {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(THREADS)
            .enable_all()
            .build()
            .unwrap();
        let (node, server) = runtime.block_on(async {
            let node = TestNode::start().await;
            let mut config = RpcConfig::new("127.0.0.1:0".parse().unwrap(), "unused".into());
            config.cookie_path = None;
            config.users = vec![RpcUser::new("ann", "word")];
            config.rest = RestMode::On;
            config.request_timeout = Duration::from_secs(1);
            let server = listen(config).await.unwrap();
            server.serve(node.context.clone());
            (node, server)
        });
        Self {
            runtime,
            _node: node,
            address: server.local_addr(),
            server,
        }
    }

    /// Sends bytes, and checks what is promised of every answer.
    fn send(&self, bytes: &[u8]) {
        let answer = self.runtime.block_on(self.exchange(bytes));
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a thread panicked");
        let shown = String::from_utf8_lossy(&answer);
        let Some(line) = shown.lines().next() else {
            return;
        };
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .or(line.strip_prefix("HTTP/1.0 "));
        let status = status.and_then(|rest| rest.get(..3)?.parse().ok());
        assert!(
            status.is_some_and(|status| STATUSES.contains(&status)),
            "{line}"
        );
    }

    /// All that the server says to these bytes.
    async fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut answer = Vec::new();
        // A server that has seen enough closes the connection.
        let _ = stream.write_all(bytes).await;
        let mut is_done = false;
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < LIMIT, "the connection stays open");
            let wait = if is_done { LIMIT } else { QUIET };
            match timeout(wait, stream.read_buf(&mut answer)).await {
                Ok(Ok(0) | Err(_)) => return answer,
                Ok(Ok(_)) => {}
                Err(_) => {
                    assert!(!is_done, "the connection stays open");
                    is_done = true;
                    let _ = stream.shutdown().await;
                }
            }
        }
    }

    /// Whether it still answers.
    fn check_it_lives(&self) {
        let request = REQUESTS[1].replace("AUTH", &authorization(true));
        let answer = self.runtime.block_on(self.exchange(request.as_bytes()));
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }

    fn finish(self) {
        self.check_it_lives();
        self.runtime.block_on(self.server.shutdown());
    }
}

fn authorization(is_known: bool) -> String {
    // Nobody waits for the answer to a wrong password.
    match is_known {
        true => format!("Authorization: Basic {}", STANDARD.encode("ann:word")),
        false => "Accept: a".to_owned(),
    }
}

/// Counts panics of the server's threads.
fn count_panics() {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some(THREADS) {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        former(panic);
    }));
}

#[test]
fn fuzz_connection() {
    count_panics();
    let target = AssertUnwindSafe(Target::new());
    target.check_it_lives();
    check!().with_type::<Sent>().for_each(|sent| {
        let requests = sent.requests.iter();
        let requests = requests.map(|which| REQUESTS[usize::from(*which) % REQUESTS.len()]);
        let text = sent.damage.apply(&requests.collect::<String>(), &WORDS);
        let text = text.replace("AUTH", &authorization(sent.is_known));
        let mut bytes = sent.bytes.apply(text.into_bytes());
        for frame in &sent.frames {
            frame.put(&mut bytes);
        }
        target.send(&bytes);
    });
    target.0.finish();
}

#[test]
fn fuzz_any_connection() {
    count_panics();
    let target = AssertUnwindSafe(Target::new());
    check!().for_each(|bytes: &[u8]| target.send(bytes));
    target.0.finish();
}
