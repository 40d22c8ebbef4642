use jsonrpsee::RpcModule;
use serde_json::json;

use super::*;
use crate::auth::{Accounts, Whitelists};
use crate::catalogue::{Kind, MethodSpec, optional, required};

const METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "echo",
        family: Family::Util,
        summary: "Returns its parameters.",
        params: &[
            required("text", Kind::Text, "A text."),
            optional("number", Kind::Number, "0", "A number."),
        ],
        result: "an array",
    },
    MethodSpec {
        name: "nothing",
        family: Family::Util,
        summary: "Returns null.",
        params: &[],
        result: "null",
    },
    MethodSpec {
        name: "fail",
        family: Family::Util,
        summary: "Fails.",
        params: &[],
        result: "nothing",
    },
    MethodSpec {
        name: "coins",
        family: Family::Wallet,
        summary: "Asks the wallet.",
        params: &[],
        result: "a number",
    },
    MethodSpec {
        name: "ready",
        family: Family::Util,
        summary: "Leaves its result.",
        params: &[],
        result: "an array",
    },
    MethodSpec {
        name: "panic",
        family: Family::Util,
        summary: "Panics.",
        params: &[],
        result: "nothing",
    },
];

pub(super) fn dispatcher() -> Dispatcher {
    let mut module = RpcModule::new(());
    module
        .register_method::<CallResult<Value>, _>("echo", |params, (), _| {
            let mut sequence = params.sequence();
            let text: String = sequence.next().unwrap();
            let number = match sequence.optional_next::<i64>() {
                Ok(number) => number,
                Err(_) => return Err(params::integer_out_of_range()),
            };
            Ok(json!([text, number]))
        })
        .unwrap();
    module
        .register_async_method("nothing", |_, _, _| async { CallResult::Ok(Value::Null) })
        .unwrap();
    module
        .register_blocking_method::<CallResult<Value>, _>("fail", |_, _, _| {
            Err(CallError::not_found("Block not found"))
        })
        .unwrap();
    module
        .register_method("coins", |_, (), _| CallResult::Ok(json!(1)))
        .unwrap();
    module
        .register_blocking_method("ready", |_, _, extensions| {
            let pieces = ["[1", ",2]"].map(|piece| Bytes::from_static(piece.as_bytes()));
            ReadyResult::of(&extensions).set(JsonText::of_pieces(pieces));
            CallResult::Ok(Value::Null)
        })
        .unwrap();
    module
        .register_blocking_method::<CallResult<Value>, _>("panic", |_, _, _| panic!("on purpose"))
        .unwrap();
    let wallets = vec![String::new(), "default".to_owned()];
    Dispatcher::new(module.into(), Catalogue::new(&[METHODS]), wallets)
}

/// Somebody with these lists of methods.
pub(super) fn caller(lists: &[&str]) -> Accounts {
    let mut whitelists = Whitelists::default();
    for list in lists {
        whitelists.add(list);
    }
    Accounts::new(Some("ann:secret"), &[], &whitelists)
}

async fn answer_to(body: &str, lists: &[&str]) -> (u16, String) {
    let accounts = caller(lists);
    let body = Bytes::copy_from_slice(body.as_bytes());
    let (answer, mut place) = (dispatcher(), Place::alone());
    let reply = answer.answer(body, &Endpoint::Node, accounts.first(), &mut place);
    let reply = reply.await;
    (reply.status, reply.text())
}

#[tokio::test]
async fn a_user_calls_what_is_on_the_list() {
    let nothing = r#"{"id":1,"method":"nothing"}"#;
    let notification = r#"{"jsonrpc":"2.0","method":"fail"}"#;
    for (lists, body, status) in [
        (&["ann:nothing"][..], nothing, 200),
        (&["ann:fail,none"], nothing, 403),
        (&["bob:nothing"], nothing, 403),
        (&["bob:nothing"], "[]", 403),
        (&["bob:nothing"], "{", 500),
        (&["ann:nothing"], notification, 403),
        (&["ann:nothing"], r#"{"id":1}"#, 400),
        (&["ann:nothing"], "[]", 200),
        (&["ann:nothing"], r#"[{"id":1,"method":"nothing"}]"#, 200),
        (
            &["ann:nothing"],
            r#"[{"id":1,"method":"nothing"},{"method":"fail"}]"#,
            403,
        ),
        (&["ann:nothing"], r#"[{"id":1,"method":"nothing"},5]"#, 400),
        (&["ann:nothing"], r#"[{"id":1,"method":5}]"#, 500),
    ] {
        let (got, text) = answer_to(body, lists).await;
        assert_eq!(got, status, "{lists:?} {body} {text}");
        assert_eq!(text.is_empty(), status == 403);
    }
}

#[tokio::test]
async fn a_node_that_starts_says_how_far_it_is() {
    let accounts = caller(&[]);
    let dispatcher = Dispatcher::starting();
    dispatcher.warm_up("Loading block index…");
    let told = r#""error":{"code":-28,"message":"Loading block index…"}"#;
    for (body, status) in [
        (r#"{"id":1,"method":"nothing"}"#, 500),
        (r#"{"id":1,"method":"unknown"}"#, 500),
        (r#"{"jsonrpc":"2.0","id":1,"method":"nothing"}"#, 200),
        (r#"[{"id":1,"method":"nothing"}]"#, 200),
    ] {
        let bytes = Bytes::from_static(body.as_bytes());
        let mut place = Place::alone();
        let answer = dispatcher.answer(bytes, &Endpoint::Node, accounts.first(), &mut place);
        let reply = answer.await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.text().contains(told), "{}", reply.text());
    }
}

async fn answer_at(body: &str, endpoint: Endpoint) -> (u16, String) {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let mut place = Place::alone();
    let accounts = caller(&[]);
    let reply = dispatcher()
        .answer(body, &endpoint, accounts.first(), &mut place)
        .await;
    (reply.status, reply.text())
}

async fn answer(body: &str) -> (u16, String) {
    answer_at(body, Endpoint::Node).await
}

#[tokio::test]
async fn legacy_requests_get_result_and_error() {
    for version in ["", r#""jsonrpc":"1.0","#, r#""version":"1.1","#] {
        let body = format!(r#"{{{version}"id":"x","method":"echo","params":["a",1]}}"#);
        let expected = "{\"result\":[\"a\",1],\"error\":null,\"id\":\"x\"}\n";
        assert_eq!(answer(&body).await, (200, expected.to_owned()));
    }
}

#[tokio::test]
async fn requests_of_version_2_get_result_or_error_and_always_200() {
    let (status, body) =
        answer(r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"text":"a"}}"#).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        "{\"jsonrpc\":\"2.0\",\"result\":[\"a\",null],\"id\":1}\n"
    );
    let (status, body) = answer(r#"{"jsonrpc":"2.0","id":1,"method":"fail"}"#).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-5,\"message\":\"Block not found\"},\"id\":1}\n"
    );
    let (status, body) = answer(r#"{"jsonrpc":"2.0","id":1,"method":"none"}"#).await;
    assert_eq!((status, body.contains("-32601")), (200, true));
}

#[tokio::test]
async fn a_bad_request_of_version_2_has_a_status_and_an_answer() {
    for (body, expected) in [
        (
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Missing method"},"id":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":1}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Method must be a string"}}"#,
        ),
    ] {
        assert_eq!(answer(body).await, (400, format!("{expected}\n")));
    }
    // In a batch it is an answer like others, and a notification none.
    let batch = r#"[{"jsonrpc":"2.0","id":1},{"jsonrpc":"2.0"}]"#;
    let (status, text) = answer(batch).await;
    let answers: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, answers.as_array().unwrap().len()), (200, 1));
}

#[tokio::test]
async fn a_body_has_a_bounded_number_of_values() {
    for piece in ["[[[[", "{\"a\":[", "1,", ",,,,"] {
        let body = format!("[{}", piece.repeat(MAX_STRUCTURE));
        let (status, text) = answer(&body).await;
        assert_eq!((status, text.contains("too many values")), (500, true));
    }
    // A long text is one value.
    let body = format!(
        r#"{{"id":1,"method":"echo","params":["{}"]}}"#,
        "ab".repeat(1 << 20)
    );
    let (status, text) = answer(&body).await;
    assert_eq!((status, text.len() > 1 << 20), (200, true));
}

/// JSON inside a string, where serde_json would read it none the less.
fn hidden(key: &str, json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character {
            '"' | '\\' | ',' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => text.push(other),
        }
    }
    format!("{{\"{key}\":\"{text}\"}}")
}

#[tokio::test]
async fn nothing_is_hidden_from_the_limits() {
    for key in [
        "$serde_json::private::RawValue",
        "\\u0024serde_json::private::RawValu\\u0065",
    ] {
        let many = hidden(key, &format!("[{}1]", "1,".repeat(MAX_STRUCTURE)));
        let mut deep = "1".to_owned();
        for _ in 0..100 {
            deep = hidden(
                key,
                &format!("{}{deep}{}", "[".repeat(120), "]".repeat(120)),
            );
        }
        for value in [many, deep] {
            let body = format!("{{\"id\":1,\"method\":\"echo\",\"params\":[{value}]}}");
            let (status, text) = answer(&body).await;
            assert_eq!((status, text.contains("reserved key")), (500, true));
        }
    }
    // A text that only has it in it is a text.
    let body = r#"{"id":1,"method":"echo","params":["a \"$serde_json::private::RawValue\""]}"#;
    assert_eq!(answer(body).await.0, 200);
}

#[tokio::test]
async fn legacy_errors_have_http_statuses() {
    for (body, status, code) in [
        (r#"{"id":1,"method":"fail"}"#, 500, -5),
        (r#"{"id":1,"method":"none"}"#, 404, -32601),
        (r#"{"id":1}"#, 400, -32600),
        (r#"{"id":1,"method":"echo","params":[]}"#, 500, -1),
        (r#"{"id":1,"method":"echo","params":[1]}"#, 500, -3),
        (
            r#"{"id":1,"method":"echo","params":{"text":"a","colour":1}}"#,
            500,
            -8,
        ),
        (r#"{"id":1,"method":"echo","params":["a",1.5]}"#, 500, -1),
        (
            r#"{"id":1,"method":"echo","params":["a",18446744073709551616]}"#,
            500,
            -1,
        ),
    ] {
        let (got, text) = answer(body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{body}"
        );
        assert_eq!(answer["result"], Value::Null);
        assert_eq!(answer["id"], 1);
    }
}

#[tokio::test]
async fn what_is_not_json_or_no_request_is_a_parse_error() {
    for (body, message) in [
        ("", "Parse error"),
        ("{", "Parse error"),
        (r#"{"id":1,}"#, "Parse error"),
        ("\"text\"", "Top-level object parse error"),
        ("1", "Top-level object parse error"),
    ] {
        let (status, text) = answer(body).await;
        let expected = json!({
            "result": null, "error": {"code": -32700, "message": message}, "id": null
        });
        assert_eq!((status, text), (500, format!("{expected}\n")), "{body}");
    }
    // Nested deeper than any request.
    let (status, text) = answer(&"[".repeat(100_000)).await;
    assert_eq!((status, text.contains("-32700")), (500, true));
}

#[tokio::test]
async fn ids_come_back_as_they_were() {
    for id in [
        "null",
        "0",
        "-1",
        "1.50",
        "1e+3",
        "\"x\"",
        "[1,{\"a\":2}]",
        "{\"b\":null}",
        "true",
    ] {
        let body = format!(r#"{{"id":{id},"method":"nothing"}}"#);
        let expected = format!("{{\"result\":null,\"error\":null,\"id\":{id}}}\n");
        assert_eq!(answer(&body).await, (200, expected));
    }
    let (_, body) = answer(r#"{"method":"nothing"}"#).await;
    assert_eq!(body, "{\"result\":null,\"error\":null}\n");
}

#[tokio::test]
async fn notifications_are_carried_out_and_not_answered() {
    for method in ["nothing", "fail", "none"] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#);
        assert_eq!(answer(&body).await, (204, String::new()));
    }
    let batch = r#"[{"jsonrpc":"2.0","method":"nothing"},{"jsonrpc":"2.0","method":"fail"}]"#;
    assert_eq!(answer(batch).await, (204, String::new()));
}

#[tokio::test]
async fn a_batch_mixes_versions_and_outcomes() {
    let batch = r#"[
        {"id":1,"method":"nothing"},
        {"jsonrpc":"2.0","id":2,"method":"fail"},
        {"jsonrpc":"2.0","method":"nothing"},
        5,
        {"id":3,"method":"none","params":{}}
    ]"#;
    let (status, text) = answer(batch).await;
    assert_eq!(status, 200);
    let answers: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        answers,
        json!([
            {"result": null, "error": null, "id": 1},
            {"jsonrpc": "2.0", "error": {"code": -5, "message": "Block not found"}, "id": 2},
            {"result": null, "error": {"code": -32600, "message": "Invalid Request object"}, "id": null},
            {"result": null, "error": {"code": -32601, "message": "Method not found"}, "id": 3},
        ])
    );
    assert_eq!(answer("[]").await, (200, "[]\n".to_owned()));
}

/// A result that a method left is in the answer as if it had returned it.
#[tokio::test]
async fn a_ready_result_is_the_result() {
    for (request, expected) in [
        (
            r#"{"id":"x","method":"ready"}"#,
            r#"{"result":[1,2],"error":null,"id":"x"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ready"}"#,
            r#"{"jsonrpc":"2.0","result":[1,2],"id":null}"#,
        ),
        (
            r#"[{"id":1,"method":"ready"},{"id":2,"method":"nothing"},{"id":3,"method":"ready"}]"#,
            concat!(
                r#"[{"result":[1,2],"error":null,"id":1},{"result":null,"error":null,"id":2},"#,
                r#"{"result":[1,2],"error":null,"id":3}]"#
            ),
        ),
    ] {
        assert_eq!(answer(request).await, (200, format!("{expected}\n")));
    }
}

#[tokio::test]
async fn a_batch_has_a_limit() {
    let one = r#"{"id":1,"method":"nothing"}"#;
    let batch = format!("[{}]", vec![one; MAX_BATCH + 1].join(","));
    let (status, text) = answer(&batch).await;
    assert_eq!((status, text.contains("-32600")), (400, true));
}

#[tokio::test]
async fn wallet_methods_need_a_wallet_that_there_is() {
    let coins = r#"{"id":1,"method":"coins"}"#;
    for endpoint in [
        Endpoint::Node,
        Endpoint::Wallet(String::new()),
        Endpoint::Wallet("default".to_owned()),
    ] {
        assert_eq!(answer_at(coins, endpoint).await.0, 200);
    }
    let other = Endpoint::Wallet("other".to_owned());
    let (status, text) = answer_at(coins, other.clone()).await;
    assert_eq!((status, text.contains("\"code\":-18")), (500, true));
    // Other methods don't care.
    assert_eq!(
        answer_at(r#"{"id":1,"method":"nothing"}"#, other).await.0,
        200
    );
}

#[tokio::test]
async fn a_panic_is_an_internal_error() {
    let (status, text) = answer(r#"{"id":1,"method":"panic"}"#).await;
    assert_eq!((status, text.contains("\"code\":-32603")), (500, true));
}

#[test]
fn only_calls_that_may_wait_long_wait() {
    let values = |request: Value| vec![request];
    assert!(waits("waitfornewblock", &[]));
    assert!(waits("waitforblock", &values(json!("00"))));
    assert!(waits("waitforblockheight", &values(json!(1))));
    assert!(!waits("getblockcount", &[]));
    assert!(waits(
        "getblocktemplate",
        &values(json!({"rules": ["segwit"], "longpollid": "00"}))
    ));
    for request in [
        json!({"rules": ["segwit"]}),
        json!(null),
        json!("longpollid"),
    ] {
        assert!(!waits("getblocktemplate", &values(request)));
    }
    assert!(!waits("getblocktemplate", &[]));
}

#[test]
fn long_parameters_are_told_from_short_ones() {
    let is_long = |values: &Value| is_longer_than(values.as_array().unwrap(), 10);
    for short in [
        json!([]),
        json!([1, "abcdefg"]),
        json!([[1, 2, [3]], {"abc": 1}]),
    ] {
        assert!(!is_long(&short), "{short}");
    }
    for long in [
        json!(["abcdefghij"]),
        json!([{"abcdefghi": 1}]),
        json!([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]),
    ] {
        assert!(is_long(&long), "{long}");
    }
}
