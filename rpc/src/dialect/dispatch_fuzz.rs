//! Fuzz targets: the bodies of requests, from bytes to the answer.

use std::panic::AssertUnwindSafe;

use bolero::check;
use pyrite_fuzzing::TextDamage;
use tokio::runtime::Runtime;

use super::tests::{caller, dispatcher};
use super::*;

/// How deep serde_json reads.
const MAX_DEPTH: usize = 128;

const BODIES: [&str; 8] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"text":"a"}}"#,
    r#"{"id":"x","method":"echo","params":["a",1]}"#,
    r#"{"jsonrpc":"1.0","id":-1.5,"method":"fail","params":[]}"#,
    r#"[{"jsonrpc":"2.0","id":1,"method":"nothing"},{"jsonrpc":"2.0","method":"fail"}]"#,
    r#"{"id":null,"method":"coins"}"#,
    r#"{"id":2,"method":"echo","params":{"args":["a"],"number":12345678901234567890}}"#,
    r#"{"id":1,"method":"echo","params":["a",{"$serde_json::private::Number":"1"}]}"#,
    r#"{"id":1,"method":"echo","params":[{"$serde_json::private::RawValue":"[0\u002c0\u002c0\u002c0]"}]}"#,
];

const WORDS: [&str; 18] = [
    "\"jsonrpc\"",
    "\"2.0\"",
    "\"id\"",
    "\"method\"",
    "\"params\"",
    "\"args\"",
    "\"number\"",
    "\"echo\"",
    "\"fail\"",
    "\"nothing\"",
    "\"coins\"",
    "\"$serde_json::private::RawValue\"",
    "\"$serde_json::private::Number\"",
    "\"[0\\u002c0\\u002c0]\"",
    "{\"a\":",
    "[[[[",
    "]]",
    "\\u0024",
];

/// How many values there are, and how deep they lie.
fn extent(value: &Value) -> (usize, usize) {
    let inner: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().fold((1, 0), |(count, depth), value| {
        let (inner_count, inner_depth) = extent(value);
        (count + inner_count, depth.max(inner_depth + 1))
    })
}

/// What is promised of an answer, whatever the body.
fn check_answer(body: &[u8], reply: &Reply) {
    assert!([200, 204, 400, 404, 500].contains(&reply.status));
    if reply.body.is_none() {
        assert_eq!(reply.status, 204);
        return;
    }
    let answer: Value = serde_json::from_str(&reply.text()).expect("JSON");
    if let Ok(Value::Object(request)) = read_json(body) {
        assert_eq!(answer.get("id"), request.get("id"));
    }
    let Value::Object(answer) = answer else {
        return;
    };
    let error = answer.get("error").filter(|error| !error.is_null());
    match error {
        None => assert!(answer.contains_key("result")),
        Some(error) => {
            assert!(error["code"].is_i64() && error["message"].is_string());
            assert!(answer.get("result").is_none_or(Value::is_null));
        }
    }
}

struct Server {
    runtime: Runtime,
    dispatcher: Dispatcher,
}

impl Server {
    /// One that keeps nothing of a request, so that a panic leaves it whole.
    fn new() -> AssertUnwindSafe<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        AssertUnwindSafe(Self {
            runtime: runtime.expect("a runtime"),
            dispatcher: dispatcher(),
        })
    }

    fn check_body(&self, body: &[u8]) {
        if let Ok(value) = read_json(body) {
            let structure = body.iter().filter(|byte| b",[{".contains(byte)).count();
            let (count, depth) = extent(&value);
            assert!(
                count <= structure + 1,
                "{count} values of {structure} marks"
            );
            assert!(depth <= MAX_DEPTH);
        }
        let request = Bytes::copy_from_slice(body);
        let mut place = Place::alone();
        let accounts = caller(&[]);
        let caller = accounts.first();
        let answer = self
            .dispatcher
            .answer(request, &Endpoint::Node, caller, &mut place);
        check_answer(body, &self.runtime.block_on(answer));
    }
}

#[test]
fn fuzz_request_body() {
    let server = Server::new();
    check!()
        .with_type::<(u8, TextDamage)>()
        .for_each(|(which, damage)| {
            let body = BODIES[usize::from(*which) % BODIES.len()];
            server.check_body(damage.apply(body, &WORDS).as_bytes());
        });
}

#[test]
fn fuzz_any_request_body() {
    let server = Server::new();
    check!().for_each(|bytes| server.check_body(bytes));
}
