use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonrpsee::RpcModule;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::*;
use crate::auth::RpcUser;
use crate::call::CallResult;
use crate::catalogue::{Family, Kind, MethodSpec, optional};
use crate::client::{ClientError, Credentials, RpcClient};
use crate::dialect::{Endpoint, UnderWay};
use crate::http::{MAX_LARGE_REQUESTS, endpoint};

const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "echo",
        family: Family::Util,
        summary: "Returns its parameter.",
        params: &[optional("value", Kind::Any, "null", "A value.")],
        result: "the value",
    },
    MethodSpec {
        name: "wait",
        family: Family::Util,
        summary: "Returns when the gate opens.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "waitfornewblock",
        family: Family::Util,
        summary: "Returns when the gate opens, without a place meanwhile.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "work",
        family: Family::Util,
        summary: "Works on a thread until the gate opens.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "search",
        family: Family::Util,
        summary: "Works on a thread until nobody waits for it.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "uptime",
        family: Family::Util,
        summary: "Controls the node, so to say.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "coins",
        family: Family::Wallet,
        summary: "Asks the wallet.",
        params: &[],
        result: "a number",
    },
];

fn methods(opened: watch::Receiver<bool>) -> jsonrpsee::Methods {
    let mut module = RpcModule::new(opened);
    module
        .register_method("echo", |params, _, _| {
            CallResult::Ok(params.sequence().optional_next::<Value>().unwrap())
        })
        .unwrap();
    for name in ["wait", "waitfornewblock"] {
        module
            .register_async_method(name, |_, opened, _| async move {
                let mut opened = opened.as_ref().clone();
                opened.wait_for(|open| *open).await.unwrap();
                CallResult::Ok(Value::Null)
            })
            .unwrap();
    }
    module
        .register_blocking_method("work", |_, opened, _| {
            while !*opened.borrow() {
                std::thread::sleep(Duration::from_millis(1));
            }
            CallResult::Ok(Value::Null)
        })
        .unwrap();
    module
        .register_blocking_method("search", |_, _, extensions| {
            let end = UnderWay::end_of(&extensions);
            while !end.is_asked_for() {
                std::thread::sleep(Duration::from_millis(1));
            }
            CallResult::Ok(Value::Null)
        })
        .unwrap();
    module
        .register_method("uptime", |_, _, _| CallResult::Ok(json!(7)))
        .unwrap();
    module
        .register_method("coins", |_, _, _| CallResult::Ok(json!(1)))
        .unwrap();
    module.into()
}

#[path = "limits_tests.rs"]
mod limits;
#[path = "malformed_tests.rs"]
mod malformed;

struct TestServer {
    server: RpcServer,
    directory: tempfile::TempDir,
    gate: watch::Sender<bool>,
}

impl TestServer {
    async fn start(adjust: impl FnOnce(&mut RpcConfig)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = RpcConfig::new(
            "127.0.0.1:0".parse().unwrap(),
            directory.path().join(".cookie"),
        );
        adjust(&mut config);
        let (gate, opened) = watch::channel(false);
        let server = listen(config).await.unwrap();
        server.shared.dispatcher.start(
            methods(opened),
            Catalogue::new(&[METHODS]),
            vec![String::new()],
        );
        Self {
            server,
            directory,
            gate,
        }
    }

    fn authorization(&self) -> String {
        let cookie = fs::read_to_string(self.directory.path().join(".cookie")).unwrap();
        format!("Authorization: Basic {}\r\n", STANDARD.encode(cookie))
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.local_addr()).await.unwrap()
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        let request = request("POST", path, &self.authorization(), body);
        exchange(&mut self.connect().await, &request).await
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn has_header(&self, line: &str) -> bool {
        self.head.lines().any(|own| own.eq_ignore_ascii_case(line))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request and reads its answer, leaving the connection open.
async fn exchange(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await
}

async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        bytes.push(byte[0]);
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse().unwrap())
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head,
        body: String::from_utf8(body).unwrap(),
    }
}

#[tokio::test]
async fn a_call_is_answered_as_bitcoin_core_answers() {
    let server = TestServer::start(|_| ()).await;
    let answer = server
        .post("/", r#"{"id":"a","method":"echo","params":[{"x":1.50}]}"#)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        "{\"result\":{\"x\":1.50},\"error\":null,\"id\":\"a\"}\n"
    );
    assert!(
        answer.has_header("content-type: application/json"),
        "{}",
        answer.head
    );
    let answer = server.post("/", r#"{"id":1,"method":"none"}"#).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.has_header("content-type: application/json"),
        "{}",
        answer.head
    );
    let answer = server
        .post("/", r#"{"jsonrpc":"2.0","method":"echo"}"#)
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    server.server.shutdown().await;
}

#[tokio::test]
async fn a_connection_is_used_again_and_any_content_type_is_taken() {
    let server = TestServer::start(|_| ()).await;
    let mut stream = server.connect().await;
    for (index, kind) in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let headers = format!("{}{kind}", server.authorization());
        let body = format!(r#"{{"id":{index},"method":"echo","params":[{index}]}}"#);
        let answer = exchange(&mut stream, &request("POST", "/", &headers, &body)).await;
        assert_eq!(answer.json()["result"], index);
    }
}

#[tokio::test]
async fn only_post_is_handled() {
    let server = TestServer::start(|_| ()).await;
    let mut stream = server.connect().await;
    let answer = exchange(&mut stream, &request("GET", "/", "", "")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.body, "JSONRPC server handles only POST requests");
}

#[tokio::test]
async fn without_the_cookie_nothing_is_done() {
    let server = TestServer::start(|_| ()).await;
    let wrong = format!(
        "Authorization: Basic {}\r\n",
        STANDARD.encode("__cookie__:wrong")
    );
    for headers in ["", "Authorization: nonsense\r\n", &wrong] {
        let body = r#"{"id":1,"method":"echo"}"#;
        let mut stream = server.connect().await;
        let answer = exchange(&mut stream, &request("POST", "/", headers, body)).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, ""));
        assert!(
            answer.has_header("www-authenticate: Basic realm=\"jsonrpc\""),
            "{}",
            answer.head
        );
    }
}

#[tokio::test]
async fn users_call_what_they_may() {
    let ann = RpcUser::new("ann", "word");
    let server = TestServer::start(|config| {
        config.users = vec![ann];
        config.whitelists.add("ann:echo");
        config.cookie_path = None;
    })
    .await;
    let url = format!("http://{}", server.server.local_addr());
    let client = |password: &str| {
        let (user, password) = ("ann".to_owned(), password.to_owned());
        let credentials = Credentials::Password { user, password };
        RpcClient::with_credentials(url.clone(), credentials, Duration::from_secs(30))
    };
    let status = |client: RpcClient, method: &'static str| async move {
        let call = tokio::task::spawn_blocking(move || client.call(method, json!([])));
        match call.await.unwrap() {
            Ok(_) => 200,
            Err(ClientError::Status { status, .. }) => status,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(status(client("word"), "echo").await, 200);
    assert_eq!(status(client("word"), "coins").await, 403);
    assert_eq!(status(client("Word"), "echo").await, 401);
    assert!(!server.directory.path().join(".cookie").exists());
}

#[tokio::test]
async fn every_address_is_served() {
    let server = TestServer::start(|config| {
        config.bind.push("127.0.0.1:0".parse().unwrap());
    })
    .await;
    for address in server.server.addresses.clone() {
        let body = r#"{"id":1,"method":"echo"}"#;
        let request = request("POST", "/", &server.authorization(), body);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(exchange(&mut stream, &request).await.status, 200);
    }
}

#[tokio::test]
async fn where_any_address_will_do_one_that_is_taken_is_left_out() {
    let other = TestServer::start(|_| ()).await;
    let taken = other.server.local_addr();
    let server = TestServer::start(|config| {
        config.bind.insert(0, taken);
        config.bind_rule = BindRule::Any;
    })
    .await;
    assert_eq!(server.server.addresses.len(), 1);
    let body = r#"{"id":1,"method":"echo"}"#;
    assert_eq!(server.post("/", body).await.status, 200);
    let mut config = RpcConfig::new(taken, server.directory.path().join("cookie"));
    config.bind_rule = BindRule::Any;
    let Err(RpcError::Bind { address, .. }) = listen(config).await else {
        panic!("two servers have one address");
    };
    assert_eq!(address, taken);
}

#[tokio::test]
async fn a_server_that_starts_says_so_and_then_serves_on_the_same_connection() {
    let directory = tempfile::tempdir().unwrap();
    let bind = "127.0.0.1:0".parse().unwrap();
    let config = RpcConfig::new(bind, directory.path().join(".cookie"));
    let server = listen(config).await.unwrap();
    let (gate, opened) = watch::channel(true);
    let server = TestServer {
        server,
        directory,
        gate,
    };
    let body = r#"{"id":1,"method":"echo"}"#;
    let request = request("POST", "/", &server.authorization(), body);
    let mut stream = server.connect().await;
    let told = exchange(&mut stream, &request).await.json()["error"].clone();
    assert_eq!(told, json!({"code": -28, "message": "RPC server started"}));
    server.server.progress().tell("Verifying blocks…");
    let told = exchange(&mut stream, &request).await.json()["error"].clone();
    assert_eq!(told, json!({"code": -28, "message": "Verifying blocks…"}));
    let dispatcher = &server.server.shared.dispatcher;
    dispatcher.start(methods(opened), Catalogue::new(&[METHODS]), Vec::new());
    assert_eq!(exchange(&mut stream, &request).await.status, 200);
}

/// Requests that come together are answered in their order, each on the heels of the one before.
#[tokio::test]
async fn requests_are_pipelined() {
    let server = TestServer::start(|_| ()).await;
    let one = |id: u32| {
        let body = format!(r#"{{"id":{id},"method":"echo","params":[{id}]}}"#);
        request("POST", "/", &server.authorization(), &body)
    };
    let mut stream = server.connect().await;
    let together: String = (0..100).map(one).collect();
    stream.write_all(together.as_bytes()).await.unwrap();
    for id in 0..100 {
        assert_eq!(read_answer(&mut stream).await.json()["result"], id);
    }
}

#[tokio::test]
async fn wallets_have_paths() {
    let server = TestServer::start(|_| ()).await;
    let coins = r#"{"id":1,"method":"coins"}"#;
    assert_eq!(server.post("/wallet/", coins).await.status, 200);
    let answer = server.post("/wallet/other", coins).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (500, &json!(-18))
    );
    assert_eq!(server.post("/rest/chaininfo.json", coins).await.status, 404);
}

#[test]
fn paths_are_decoded() {
    assert_eq!(endpoint("/"), Some(Endpoint::Node));
    assert_eq!(
        endpoint("/wallet/a%20b"),
        Some(Endpoint::Wallet("a b".to_owned()))
    );
    assert_eq!(
        endpoint("/wallet/%zz%4"),
        Some(Endpoint::Wallet("%zz%4".to_owned()))
    );
    assert_eq!(endpoint("/wallets"), None);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let server = TestServer::start(|config| config.max_request_bytes = 64).await;
    let answer = server.post("/", &" ".repeat(65)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        server.post("/", r#"{"id":1,"method":"echo"}"#).await.status,
        200
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_the_request() {
    let server =
        TestServer::start(|config| config.request_timeout = Duration::from_millis(50)).await;
    let mut stream = server.connect().await;
    let head = request("POST", "/", &server.authorization(), "");
    let head = head.replace("Content-Length: 0", "Content-Length: 10");
    let answer = exchange(&mut stream, &head).await;
    assert_eq!(answer.status, 408);
}

#[tokio::test]
async fn a_connection_on_which_nothing_happens_ends() {
    let limit = Duration::from_millis(100);
    let server = TestServer::start(|config| config.request_timeout = limit).await;
    // One says nothing, one never finishes the head of its request.
    for start in ["", "POST / HTTP/1.1\r\nHost: "] {
        let mut stream = server.connect().await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let end = stream.read_to_end(&mut rest);
        let end = tokio::time::timeout(Duration::from_secs(10), end).await;
        assert!(end.is_ok(), "the connection stays open");
    }
}

#[tokio::test]
async fn a_long_call_does_not_end_its_connection() {
    let limit = Duration::from_millis(50);
    let server = TestServer::start(|config| config.request_timeout = limit).await;
    let body = r#"{"id":1,"method":"wait"}"#;
    let request = request("POST", "/", &server.authorization(), body);
    let mut stream = server.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(limit * 10, stream.readable()).await;
    assert!(early.is_err(), "the connection ended during the call");
    server.gate.send_replace(true);
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn large_bodies_are_taken() {
    let server = TestServer::start(|_| ()).await;
    let text = "ab".repeat(4 << 20);
    let body = format!(r#"{{"id":1,"method":"echo","params":["{text}"]}}"#);
    let answers = together(&server, &body).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(answers[0].json()["result"], text);
}

/// The answers to more large requests at a time than there are places for.
async fn together(server: &TestServer, body: &str) -> Vec<Answer> {
    let request = request("POST", "/", &server.authorization(), body);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..MAX_LARGE_REQUESTS * 2 {
        let (address, request) = (server.server.local_addr(), request.clone());
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            exchange(&mut stream, &request).await
        });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_busy_address_is_named_and_its_cookie_stays() {
    let server = TestServer::start(|_| ()).await;
    let cookie = server.directory.path().join(".cookie");
    let before = fs::read(&cookie).unwrap();
    let address = server.server.local_addr();
    let config = RpcConfig::new(address, cookie.clone());
    let Err(error) = listen(config).await else {
        panic!("two servers have one address");
    };
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert_eq!(fs::read(&cookie).unwrap(), before);
}

#[tokio::test]
async fn a_stop_ends_calls_and_deletes_the_cookie() {
    let server = TestServer::start(|_| ()).await;
    let cookie = server.directory.path().join(".cookie");
    assert!(cookie.exists());
    let address = server.server.local_addr();
    let mut idle = server.connect().await;
    let echo = request(
        "POST",
        "/",
        &server.authorization(),
        r#"{"id":1,"method":"echo"}"#,
    );
    assert_eq!(exchange(&mut idle, &echo).await.status, 200);
    tokio::time::timeout(Duration::from_secs(10), server.server.shutdown())
        .await
        .unwrap();
    assert!(!cookie.exists());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn our_own_client_is_understood() {
    let server = TestServer::start(|_| ()).await;
    let client = RpcClient::new(
        format!("http://{}", server.server.local_addr()),
        server.directory.path().join(".cookie"),
        Duration::from_secs(10),
    );
    let call = move |method: &'static str, params: Value| {
        let client = client.clone();
        tokio::task::spawn_blocking(move || client.call(method, params))
    };
    assert_eq!(
        call("echo", json!(["x"])).await.unwrap().unwrap(),
        json!("x")
    );
    assert_eq!(
        call("echo", json!({"value": [1]})).await.unwrap().unwrap(),
        json!([1])
    );
    let error = call("none", json!([])).await.unwrap().unwrap_err();
    assert!(
        matches!(error, ClientError::Call { code: -32601, .. }),
        "{error}"
    );
}
