//! A generator of malformed requests: each gets the right error, and the server lives. `PYRITE_MALFORMED_REQUESTS` says how many.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::*;

/// How many requests are sent when nobody says.
const REQUESTS: usize = 3_000;

/// After so many a good request is sent, too.
const CHECK_EVERY: usize = 100;

/// A request in JSON, and what it is answered.
struct Bad {
    body: Vec<u8>,
    /// The error's code.
    code: i64,
    /// The status of an answer in the old form, where the new one has 200.
    legacy_status: u16,
    /// Whether even the new form has that status.
    always: bool,
    /// Whether the request could be read far enough to have an id.
    has_id: bool,
    is_new: bool,
}

impl Bad {
    fn status(&self) -> u16 {
        match self.is_new && !self.always {
            true => 200,
            false => self.legacy_status,
        }
    }
}

/// A text of random letters that is no method's name.
fn word(random: &mut StdRng) -> String {
    let letters = (0..random.gen_range(1..20)).map(|_| random.gen_range(b'a'..=b'z') as char);
    format!("x{}", letters.collect::<String>())
}

/// A value that is neither an array nor an object.
fn scalar(random: &mut StdRng) -> Value {
    let values = [
        json!(1),
        json!(-1.5),
        json!("text"),
        json!(true),
        json!(false),
    ];
    values.choose(random).unwrap().clone()
}

/// A request that can be read as JSON and is wrong otherwise.
fn bad_request(random: &mut StdRng) -> Bad {
    let is_new = random.gen_bool(0.5);
    let mut request = json!({"id": random.gen_range(0..1_000), "method": "echo", "params": []});
    if is_new {
        request["jsonrpc"] = json!("2.0");
    }
    let fields = request.as_object_mut().unwrap();
    let (code, legacy_status, always) = match random.gen_range(0..10) {
        0 => {
            fields.remove("method");
            (-32600, 400, true)
        }
        1 => {
            fields.insert("method".to_owned(), json!(random.gen_range(0..9)));
            (-32600, 400, true)
        }
        2 => {
            fields.insert("params".to_owned(), scalar(random));
            (-32600, 400, true)
        }
        3 => {
            let versions = [json!("3.0"), json!("1.1"), json!(2), json!([]), json!("")];
            let version = versions.choose(random).unwrap().clone();
            fields.insert("jsonrpc".to_owned(), version);
            (-32600, 400, true)
        }
        4 | 5 => {
            fields.insert("method".to_owned(), json!(word(random)));
            (-32601, 404, false)
        }
        6 | 7 => {
            let many = vec![Value::Null; random.gen_range(2..20)];
            fields.insert("params".to_owned(), json!(many));
            (-1, 500, false)
        }
        8 => {
            let mut named = json!({});
            named[word(random)] = scalar(random);
            fields.insert("params".to_owned(), named);
            (-8, 500, false)
        }
        _ => {
            fields.insert("params".to_owned(), json!({"args": [1], "value": 2}));
            (-8, 500, false)
        }
    };
    Bad {
        body: request.to_string().into_bytes(),
        code,
        legacy_status,
        always,
        has_id: true,
        is_new,
    }
}

/// A body that is no JSON, or JSON of a wrong kind.
fn bad_body(random: &mut StdRng) -> Bad {
    let good = r#"{"id":1,"method":"echo","params":["text",{"a":[1,2.5e3]}]}"#;
    let mut body = good.as_bytes().to_vec();
    match random.gen_range(0..7) {
        0 => body.truncate(random.gen_range(0..body.len())),
        1 => body = scalar(random).to_string().into_bytes(),
        2 => {
            let depth = random.gen_range(200..5_000);
            body = format!("{}1{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
        }
        3 => {
            let at = good.find("text").unwrap();
            body[at] = random.gen_range(0x80..=0xff);
        }
        4 => {
            let at = good.find("text").unwrap();
            body[at] = random.gen_range(0..0x20);
        }
        5 => body.extend(word(random).bytes()),
        _ => {
            let key = "$serde_json::private::RawValue";
            body = format!(r#"{{"id":1,"method":"echo","params":[{{"{key}":"1"}}]}}"#).into_bytes();
        }
    }
    Bad {
        body,
        code: -32700,
        legacy_status: 500,
        always: true,
        has_id: false,
        is_new: false,
    }
}

/// A batch of bad requests: each has its answer, in order.
async fn check_batch(stream: &mut TcpStream, headers: &str, random: &mut StdRng) {
    let bad: Vec<_> = (0..random.gen_range(1..20))
        .map(|_| bad_request(random))
        .collect();
    let bodies: Vec<_> = bad
        .iter()
        .map(|bad| String::from_utf8_lossy(&bad.body))
        .collect();
    let body = format!("[{}]", bodies.join(","));
    let answer = exchange(stream, &request("POST", "/", headers, &body)).await;
    assert_eq!(answer.status, 200, "{body}");
    let answers = answer.json();
    assert_eq!(answers.as_array().unwrap().len(), bad.len(), "{body}");
    for (bad, answer) in bad.iter().zip(answers.as_array().unwrap()) {
        assert_eq!(answer["error"]["code"], bad.code, "{body}");
    }
}

async fn check(stream: &mut TcpStream, headers: &str, bad: &Bad) {
    let shown = String::from_utf8_lossy(&bad.body).into_owned();
    let head = request("POST", "/", headers, "");
    let head = head.replace(
        "Content-Length: 0",
        &format!("Content-Length: {}", bad.body.len()),
    );
    // In one piece: the second of two would wait until the first is acknowledged.
    let request = [head.as_bytes(), &bad.body].concat();
    stream.write_all(&request).await.unwrap();
    let answer = read_answer(stream).await;
    assert_eq!(answer.status, bad.status(), "{shown}: {}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["error"]["code"], bad.code, "{shown}: {answer}");
    assert_eq!(answer["id"].is_number(), bad.has_id, "{shown}: {answer}");
}

/// Requests that are wrong as HTTP, and their status. Each has a connection of its own.
async fn check_http(server: &TestServer, random: &mut StdRng) {
    let own = server.authorization();
    let with =
        |line: &str, headers: &str| format!("{line}\r\nHost: localhost\r\n{own}{headers}\r\n");
    let methods = ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"];
    let method = methods.choose(random).unwrap();
    let (text, status) = match random.gen_range(0..10) {
        0 => (with(&format!("{method} / HTTP/1.1"), ""), 405),
        1 => (with(&format!("POST /{} HTTP/1.1", word(random)), ""), 404),
        2 => (
            with(&format!("{method} /{} HTTP/1.1", word(random)), ""),
            404,
        ),
        3 => (request("POST", "/", "", "{}"), 401),
        4 => (with(&word(random), ""), 400),
        5 => (with("POST / HTTP/1.1", "Content-Length: x\r\n"), 400),
        6 => (
            with(
                "POST / HTTP/1.1",
                "Content-Length: 1\r\nContent-Length: 2\r\n",
            ),
            400,
        ),
        7 => (
            with("POST / HTTP/1.1", "Content-Length: 99999999999\r\n"),
            413,
        ),
        8 => (
            with(
                "POST / HTTP/1.1",
                "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            ),
            400,
        ),
        _ => (with("GET /ws HTTP/1.1", "Upgrade: websocket\r\n"), 400),
    };
    let mut stream = server.connect().await;
    let answer = exchange(&mut stream, &text).await;
    assert_eq!(answer.status, status, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_request_gets_the_right_error() {
    let count = match std::env::var("PYRITE_MALFORMED_REQUESTS") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => REQUESTS,
    };
    let server = TestServer::start(|_| ()).await;
    let headers = server.authorization();
    let mut random = StdRng::seed_from_u64(7);
    let mut stream = server.connect().await;
    for number in 0..count {
        match random.gen_range(0..10) {
            0..=3 => check(&mut stream, &headers, &bad_request(&mut random)).await,
            4..=6 => check(&mut stream, &headers, &bad_body(&mut random)).await,
            7 | 8 => check_batch(&mut stream, &headers, &mut random).await,
            _ => check_http(&server, &mut random).await,
        }
        if number % CHECK_EVERY == 0 {
            let good = request(
                "POST",
                "/",
                &headers,
                r#"{"id":1,"method":"echo","params":[5]}"#,
            );
            assert_eq!(exchange(&mut stream, &good).await.json()["result"], 5);
        }
    }
    server.server.shutdown().await;
}
