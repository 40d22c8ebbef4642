//! Limits on requests and connections, and clients that go away.

use super::*;

/// How long anything may take on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(60);

const ECHO: &str = r#"{"id":1,"method":"echo"}"#;

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl TestServer {
    fn active(&self) -> usize {
        self.server.shared.dispatcher.active().list().len()
    }

    /// Begins a call, and returns when it is under way.
    async fn begin(&self, body: &str) -> TcpStream {
        let before = self.active();
        let request = request("POST", "/", &self.authorization(), body);
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        until("the call does not begin", || self.active() > before).await;
        stream
    }
}

/// The bytes of a request whose length is not told.
fn chunked(headers: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    )
}

#[tokio::test]
async fn requests_beyond_the_limit_are_turned_away() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    let waiting = request(
        "POST",
        "/",
        &server.authorization(),
        r#"{"id":1,"method":"wait"}"#,
    );
    let mut first = server.connect().await;
    first.write_all(waiting.as_bytes()).await.unwrap();
    // The first request has its place once another one is turned away.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let answer = server.post("/", r#"{"id":1,"method":"echo"}"#).await;
        if answer.status == 503 {
            assert_eq!(answer.body, "Work queue depth exceeded");
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "no request was turned away"
        );
    }
    server.gate.send_replace(true);
    assert_eq!(read_answer(&mut first).await.status, 200);
    assert_eq!(
        server.post("/", r#"{"id":1,"method":"echo"}"#).await.status,
        200
    );
}

#[tokio::test]
async fn calls_that_wait_and_bodies_that_are_slow_keep_nobody_out() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    let headers = server.authorization();
    let wait = request(
        "POST",
        "/",
        &headers,
        r#"{"id":1,"method":"waitfornewblock"}"#,
    );
    let echo = r#"{"id":1,"method":"echo"}"#;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut stream = server.connect().await;
        stream.write_all(wait.as_bytes()).await.unwrap();
        waiting.push(stream);
        let slow = request("POST", "/", &headers, echo);
        let mut stream = server.connect().await;
        let (most, _) = slow.as_bytes().split_at(slow.len() - 1);
        stream.write_all(most).await.unwrap();
        assert_eq!(server.post("/", echo).await.status, 200);
        stream.write_all(b"}").await.unwrap();
        assert_eq!(read_answer(&mut stream).await.status, 200);
    }
    server.gate.send_replace(true);
    for stream in &mut waiting {
        assert_eq!(read_answer(stream).await.status, 200);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = TestServer::start(|config| config.max_connections = 1).await;
    let echo = request(
        "POST",
        "/",
        &server.authorization(),
        r#"{"id":1,"method":"echo"}"#,
    );
    let mut first = server.connect().await;
    assert_eq!(exchange(&mut first, &echo).await.status, 200);
    let mut second = server.connect().await;
    second.write_all(echo.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), second.readable()).await;
    assert!(
        early.is_err(),
        "the second connection was served beside the first"
    );
    drop(first);
    assert_eq!(read_answer(&mut second).await.status, 200);
}

/// What a call does for a client that has gone ends: its task is dropped.
#[tokio::test]
async fn a_client_that_disconnects_ends_its_call() {
    let server = TestServer::start(|_| ()).await;
    let idle = server.gate.receiver_count();
    let body = r#"{"id":1,"method":"wait","params":[]}"#;
    let request = request("POST", "/", &server.authorization(), body);
    let mut stream = server.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let is_over = || tokio::time::Instant::now() > deadline;
    // Who waits for the gate holds a receiver of it.
    while server.gate.receiver_count() == idle {
        assert!(!is_over(), "the call did not begin");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    while server.gate.receiver_count() > idle {
        assert!(!is_over(), "the call goes on without its client");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_a_thread_keeps_its_place_when_its_client_has_gone() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    drop(server.begin(r#"{"id":1,"method":"work"}"#).await);
    // The work can't be ended: until it is over, nobody else works.
    assert_eq!(server.post("/", ECHO).await.status, 503);
    assert_eq!(server.active(), 1);
    server.gate.send_replace(true);
    until("the call is never over", || server.active() == 0).await;
    assert_eq!(server.post("/", ECHO).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_with_its_client() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    drop(server.begin(r#"{"id":1,"method":"search"}"#).await);
    until("the search goes on", || server.active() == 0).await;
    assert_eq!(server.post("/", ECHO).await.status, 200);
}

#[tokio::test]
async fn a_client_that_goes_away_behind_another_byte_is_noticed() {
    let server = TestServer::start(|_| ()).await;
    let mut stream = server.begin(r#"{"id":1,"method":"wait"}"#).await;
    stream.write_all(b"P").await.unwrap();
    drop(stream);
    until("the call goes on without its client", || {
        server.active() == 0
    })
    .await;
}

#[tokio::test]
async fn patient_clients_keep_nobody_out_however_many_they_are() {
    let server = TestServer::start(|config| config.max_requests = 4).await;
    let wait = r#"{"id":1,"method":"waitfornewblock"}"#;
    let mut waiting = Vec::new();
    while server.server.shared.places().free().1 > 0 {
        waiting.push(server.begin(wait).await);
    }
    for _ in 0..8 {
        let answer = server.post("/", wait).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (503, "Work queue depth exceeded")
        );
    }
    let batch = format!("[{wait},{ECHO}]");
    let answer = server.post("/", &batch).await.json();
    assert_eq!(answer[0]["error"]["message"], "Work queue depth exceeded");
    assert_eq!(answer[1]["error"], json!(null));
    assert_eq!(server.post("/", ECHO).await.status, 200);
    server.gate.send_replace(true);
    for stream in &mut waiting {
        assert_eq!(read_answer(stream).await.status, 200);
    }
}

#[tokio::test]
async fn a_batch_works_in_a_place_after_it_has_waited() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    let batch = r#"[{"id":1,"method":"waitfornewblock"},{"id":2,"method":"work"}]"#;
    let mut waiting = server.begin(batch).await;
    let free = || server.server.shared.places().free().0;
    until("the wait keeps its place", || free() == 1).await;
    let (mut other, is_working) = (
        server.begin(r#"{"id":1,"method":"work"}"#).await,
        free() == 0,
    );
    assert!(is_working);
    server.gate.send_replace(true);
    assert_eq!(read_answer(&mut other).await.status, 200);
    assert_eq!(read_answer(&mut waiting).await.status, 200);
    until("a place is lost", || free() == 1).await;
}

#[tokio::test]
async fn short_bodies_of_unknown_length_have_no_place_of_large_ones() {
    let server = TestServer::start(|_| ()).await;
    let headers = server.authorization();
    let wait = chunked(&headers, r#"{"id":1,"method":"wait"}"#);
    let mut waiting = Vec::new();
    for _ in 0..MAX_LARGE_REQUESTS {
        let mut stream = server.connect().await;
        stream.write_all(wait.as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    let begun = || server.active() == MAX_LARGE_REQUESTS;
    until("the calls do not begin", begun).await;
    let text = "a".repeat(100_000);
    let large = format!(r#"{{"id":1,"method":"echo","params":["{text}"]}}"#);
    let mut stream = server.connect().await;
    for request in [
        request("POST", "/", &headers, &large),
        chunked(&headers, &large),
    ] {
        assert_eq!(exchange(&mut stream, &request).await.json()["result"], text);
    }
    server.gate.send_replace(true);
    for stream in &mut waiting {
        assert_eq!(read_answer(stream).await.status, 200);
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_has_a_limit() {
    let server = TestServer::start(|config| config.max_request_bytes = 64).await;
    let chunked = chunked(&server.authorization(), &" ".repeat(65));
    let answer = exchange(&mut server.connect().await, &chunked).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn one_user_leaves_places_for_the_others() {
    let server = TestServer::start(|config| {
        config.max_requests = 4;
        config.users = vec![RpcUser::new("ann", "word")];
    })
    .await;
    let wait = r#"{"id":1,"method":"wait"}"#;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(server.begin(wait).await);
    }
    assert_eq!(server.post("/", ECHO).await.status, 503);
    let ann = format!("Authorization: Basic {}\r\n", STANDARD.encode("ann:word"));
    let of_ann = request("POST", "/", &ann, ECHO);
    let answer = exchange(&mut server.connect().await, &of_ann).await;
    assert_eq!(answer.status, 200);
    server.gate.send_replace(true);
    for stream in &mut waiting {
        assert_eq!(read_answer(stream).await.status, 200);
    }
}

#[tokio::test]
async fn the_node_is_controlled_when_all_places_are_taken() {
    let server = TestServer::start(|config| config.max_requests = 1).await;
    let _working = server.begin(r#"{"id":1,"method":"wait"}"#).await;
    assert_eq!(server.post("/", ECHO).await.status, 503);
    let answer = server.post("/", r#"{"id":1,"method":"uptime"}"#).await;
    assert_eq!(answer.json()["result"], 7);
}

#[tokio::test]
async fn calls_that_do_not_end_are_cut_off_by_a_stop() {
    let server = TestServer::start(|_| ()).await;
    let idle = server.gate.receiver_count();
    let _waiting = server.begin(r#"{"id":1,"method":"wait"}"#).await;
    until("the call does not wait", || {
        server.gate.receiver_count() > idle
    })
    .await;
    let shutdown = server.server.shutdown();
    tokio::time::timeout(DEADLINE, shutdown).await.unwrap();
    let gate = server.gate;
    until("the call goes on", || gate.receiver_count() < idle + 1).await;
}

#[tokio::test]
async fn rest_says_how_far_the_start_is() {
    let directory = tempfile::tempdir().unwrap();
    let bind = "127.0.0.1:0".parse().unwrap();
    let mut config = RpcConfig::new(bind, directory.path().join(".cookie"));
    config.rest = crate::RestMode::On;
    let server = listen(config).await.unwrap();
    server.progress().tell("Verifying blocks…");
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let chain_info = request("GET", "/rest/chaininfo.json", "", "");
    let answer = exchange(&mut stream, &chain_info).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        "Service temporarily unavailable: Verifying blocks…\r\n"
    );
    assert!(
        answer.has_header("content-type: text/plain"),
        "{}",
        answer.head
    );
    let other = request("GET", "/rest/other", "", "");
    assert_eq!(exchange(&mut stream, &other).await.status, 404);
}
