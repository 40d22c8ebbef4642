//! Carrying requests out: single ones and batches, through jsonrpsee's methods.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::http::Extensions;
use jsonrpsee::types::{Id, Params};
use jsonrpsee::{ConnectionId, MethodCallback, Methods};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::active::ActiveCalls;
use super::json_text::{JsonText, ReadyResult, TextBuilder};
use super::reply::{Form, MethodResult, Reply, push_answer};
use super::request::{Body, Call, Members, Request};
use super::under_way::UnderWay;
use crate::auth::{Caller, Permission};
use crate::call::{CallError, CallResult, code};
use crate::catalogue::{Catalogue, Family, MethodSpec};
use crate::params;
use crate::places::{Place, TooManyWait};

/// The most requests of a batch.
const MAX_BATCH: usize = 10_000;

/// The most bytes that the answers of a batch may have together, one answer aside.
const MAX_BATCH_ANSWER_BYTES: usize = 256 << 20;

/// A body above this length is read off the runtime's threads.
const MAX_INLINE_BYTES: usize = 64 << 10;

/// The most commas and opening brackets of a body. Each may stand for a value, which takes far more
/// memory than its text.
const MAX_STRUCTURE: usize = 500_000;

/// A key with a meaning of its own to serde_json: the text under it is read as JSON in its place. What is
/// in the text would be beyond the limits on structure and on depth, and deep enough it overflows the stack.
const RAW_VALUE_KEY: &str = "$serde_json::private::RawValue";

/// What jsonrpsee's answer to a call that succeeded begins with; the result and a closing brace follow.
const SUCCESS: &str = r#"{"jsonrpc":"2.0","id":0,"result":"#;

/// What clients are told before the node has said anything else.
const STARTED: &str = "RPC server started";

/// What jsonrpsee says when a value doesn't fit the type of a parameter.
const MISFIT: &str = "Invalid params";

/// Where a request came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/`, which means the node's wallet.
    Node,
    /// `/wallet/{name}`.
    Wallet(String),
}

/// Carries requests out.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    /// The methods, once the node has started.
    table: OnceLock<Table>,
    /// How far its start is, until then.
    warm_up: Mutex<String>,
    active: Arc<ActiveCalls>,
}

/// The methods.
#[derive(Debug)]
struct Table {
    methods: HashMap<&'static str, Method>,
    wallet_names: Vec<String>,
}

/// A method and what is known of it.
#[derive(Debug)]
struct Method {
    spec: &'static MethodSpec,
    callback: MethodCallback,
}

impl Dispatcher {
    /// A dispatcher without methods: every call is told that the node is starting.
    pub(crate) fn starting() -> Self {
        Self {
            table: OnceLock::new(),
            warm_up: Mutex::new(STARTED.to_owned()),
            active: Arc::default(),
        }
    }

    /// One that has its methods.
    #[cfg(test)]
    pub(crate) fn new(methods: Methods, catalogue: Catalogue, wallet_names: Vec<String>) -> Self {
        let dispatcher = Self::starting();
        dispatcher.start(methods, catalogue, wallet_names);
        dispatcher
    }

    /// What calls are told while there are no methods.
    pub(crate) fn warm_up(&self, text: &str) {
        let mut warm_up = self.warm_up.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone_into(&mut warm_up);
    }

    /// Gives it its methods, described by `catalogue`; `wallet_names` are those that
    /// `/wallet/{name}` may have. The first ones count.
    pub(crate) fn start(&self, methods: Methods, catalogue: Catalogue, wallet_names: Vec<String>) {
        let known = catalogue.methods().filter_map(|spec| {
            let callback = methods.method(spec.name)?.clone();
            Some((spec.name, Method { spec, callback }))
        });
        let _ = self.table.set(Table {
            methods: known.collect(),
            wallet_names,
        });
    }

    /// The calls that are under way.
    pub(crate) fn active(&self) -> Arc<ActiveCalls> {
        Arc::clone(&self.active)
    }

    /// Answers the body of an HTTP request, which has a place. Requests of a batch are carried out one after another.
    pub(crate) async fn answer(
        &self,
        body: Bytes,
        endpoint: &Endpoint,
        caller: &Caller,
        place: &mut Place,
    ) -> Reply {
        let read: CallResult<Body> = if body.len() <= MAX_INLINE_BYTES {
            read_json(&body)
        } else {
            let read = off_runtime(move || read_json(&body)).await;
            read.and_then(|read| read)
        };
        let request = match read {
            Ok(request) => request,
            Err(error) => return Reply::unreadable(error),
        };
        if caller.permission == Permission::Nothing {
            tracing::warn!(user = caller.name, "an RPC user may not call anything");
            return Reply::forbidden();
        }
        match request {
            Body::One(request) => self.answer_single(request, endpoint, caller, place).await,
            Body::Many(requests) => match check_batch(&requests, caller) {
                Some(refusal) => refusal,
                None => self.answer_batch(requests, endpoint, place).await,
            },
            Body::Other => Reply::unreadable(parse_error("Top-level object parse error")),
        }
    }

    async fn answer_single(
        &self,
        request: Members,
        endpoint: &Endpoint,
        caller: &Caller,
        place: &mut Place,
    ) -> Reply {
        let mut request = Request::read(request);
        if let Ok(call) = &request.call
            && !may_call(caller, &call.method)
        {
            return Reply::forbidden();
        }
        let form = request.form();
        let outcome = self.carry_out(&mut request, endpoint, place).await;
        if outcome.as_ref().is_err_and(|error| *error == busy()) {
            return Reply::busy();
        }
        if request.is_notification() && form == Form::Good {
            return Reply::nothing();
        }
        Reply::single(&request, outcome, form)
    }

    async fn answer_batch(
        &self,
        requests: Vec<Members>,
        endpoint: &Endpoint,
        place: &mut Place,
    ) -> Reply {
        if requests.len() > MAX_BATCH {
            return Reply::unreadable(CallError::new(
                code::INVALID_REQUEST,
                format!(
                    "Batch of {} requests, at most {MAX_BATCH} are allowed",
                    requests.len()
                ),
            ));
        }
        let is_empty = requests.is_empty();
        let (mut answers, mut count) = (TextBuilder::default(), 0);
        answers.push(b"[");
        for request in requests {
            // The one before may have waited.
            place.work_again().await;
            // Other connections have their turn during a long batch of short calls.
            tokio::task::coop::consume_budget().await;
            let mut request = Request::read(request);
            let outcome = if answers.len() > MAX_BATCH_ANSWER_BYTES {
                Err(CallError::misc(
                    "The answers of the batch are too long: this call was not carried out",
                ))
            } else {
                self.carry_out(&mut request, endpoint, place).await
            };
            if !request.is_notification() {
                if count > 0 {
                    answers.push(b",");
                }
                count += 1;
                push_answer(&mut answers, request.version, request.id.as_ref(), outcome);
            }
        }
        if count == 0 && !is_empty {
            return Reply::nothing();
        }
        Reply::batch(answers)
    }

    /// What a method gives for these parameters, for whoever shows it in another way.
    pub(crate) async fn result_of(
        &self,
        method: &str,
        params: Vec<Value>,
        place: &mut Place,
    ) -> CallResult<JsonText> {
        let call = Call {
            method: method.to_owned(),
            params: Value::Array(params),
        };
        let result = self.call(call, &Endpoint::Node, place).await?;
        Ok(result.into())
    }

    async fn carry_out(
        &self,
        request: &mut Request,
        endpoint: &Endpoint,
        place: &mut Place,
    ) -> CallResult<MethodResult> {
        let empty = Call {
            method: String::new(),
            params: Value::Null,
        };
        let call = std::mem::replace(&mut request.call, Ok(empty))?;
        self.call(call, endpoint, place).await
    }

    async fn call(
        &self,
        call: Call,
        endpoint: &Endpoint,
        place: &mut Place,
    ) -> CallResult<MethodResult> {
        let table = self.table.get().ok_or_else(|| self.in_warm_up())?;
        let unknown = || CallError::new(code::METHOD_NOT_FOUND, "Method not found");
        let Method { spec, callback } = table
            .methods
            .get(call.method.as_str())
            .ok_or_else(unknown)?;
        if spec.family == Family::Wallet {
            table.check_wallet(endpoint)?;
        }
        let active = self.active.begin(spec.name);
        let values = params::arrange(spec, call.params)?;
        if waits(spec.name, &values) {
            place.give_up_to_wait().map_err(|TooManyWait| busy())?;
        }
        // A block, for instance.
        let is_long = is_longer_than(&values, MAX_INLINE_BYTES);
        let text = if is_long {
            off_runtime(move || positional(&values)).await?
        } else {
            positional(&values)
        };
        match callback {
            MethodCallback::Sync(callback) if is_long => {
                let (callback, held) = (Arc::clone(callback), (active, place.held()));
                let response = off_runtime(move || {
                    let _held = held;
                    let params = Params::new(text.as_deref());
                    callback(Id::Number(0), params, usize::MAX, Extensions::new())
                });
                outcome(response.await?.into_json())
            }
            MethodCallback::Sync(callback) => {
                let params = Params::new(text.as_deref());
                let response = callback(Id::Number(0), params, usize::MAX, Extensions::new());
                outcome(response.into_json())
            }
            MethodCallback::Async(callback) => {
                let params = Params::new(text.as_deref()).into_owned();
                let (id, connection) = (Id::Number(0), ConnectionId::default());
                let (ready, mut extensions) = (ReadyResult::default(), Extensions::new());
                extensions.insert(ready.clone());
                // Without its client the call ends, and its work on another thread as soon as it can.
                let (under_way, _gone) = UnderWay::begin(active, place.held());
                extensions.insert(under_way.clone());
                let answer = callback(id, params, connection, usize::MAX, extensions);
                let response = under_way.carry_out(answer).await;
                let outcome = outcome(response.into_json())?;
                Ok(ready.take().map_or(outcome, MethodResult::Ready))
            }
            MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_) => Err(unknown()),
        }
    }

    /// What clients are told while the node starts.
    pub(crate) fn start_status(&self) -> String {
        let text = self.warm_up.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }

    fn in_warm_up(&self) -> CallError {
        CallError::new(code::IN_WARMUP, self.start_status())
    }
}

impl Table {
    fn check_wallet(&self, endpoint: &Endpoint) -> CallResult<()> {
        match endpoint {
            Endpoint::Wallet(name) if !self.wallet_names.contains(name) => Err(CallError::new(
                code::WALLET_NOT_FOUND,
                "Requested wallet does not exist or is not loaded",
            )),
            _ => Ok(()),
        }
    }
}

/// Too many calls wait.
fn busy() -> CallError {
    CallError::misc("Work queue depth exceeded")
}

/// Whether somebody may call a method.
fn may_call(caller: &Caller, method: &str) -> bool {
    match &caller.permission {
        Permission::All => true,
        Permission::Only(methods) if methods.contains(method) => true,
        Permission::Only(_) | Permission::Nothing => {
            tracing::warn!(user = caller.name, method, "an RPC user may not call this");
            false
        }
    }
}

/// What a batch is answered as a whole because somebody may not call all of it.
fn check_batch(requests: &[Members], caller: &Caller) -> Option<Reply> {
    if caller.permission == Permission::All {
        return None;
    }
    for request in requests {
        let Some(method) = request.method() else {
            let error = CallError::new(code::INVALID_REQUEST, "Invalid Request object");
            return Some(Reply::unreadable(error));
        };
        match method {
            Value::String(method) if may_call(caller, method) => {}
            Value::String(_) => return Some(Reply::forbidden()),
            other => {
                let kind = params::type_name(other);
                return Some(Reply::unreadable(parse_error(&format!(
                    "JSON value of type {kind} is not of expected type string"
                ))));
            }
        }
    }
    None
}

/// Runs what takes a moment off the runtime's threads.
async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> CallResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| CallError::new(code::INTERNAL_ERROR, "Internal error"))
}

/// Whether values are longer than so many bytes as JSON, about.
fn is_longer_than(values: &[Value], bytes: usize) -> bool {
    /// What is left of the bytes behind a value.
    fn behind(left: usize, value: &Value) -> Option<usize> {
        let left = left.checked_sub(1)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(left),
            Value::String(text) => left.checked_sub(text.len()),
            Value::Array(values) => values.iter().try_fold(left, behind),
            Value::Object(fields) => fields.iter().try_fold(left, |left, (key, value)| {
                behind(left.checked_sub(key.len())?, value)
            }),
        }
    }
    values.iter().try_fold(bytes, behind).is_none()
}

/// Whether a call may wait long for something to happen, without any work meanwhile.
fn waits(method: &str, values: &[Value]) -> bool {
    match method {
        "waitfornewblock" | "waitforblock" | "waitforblockheight" => true,
        "getblocktemplate" => values
            .first()
            .is_some_and(|request| request.get("longpollid").is_some()),
        _ => false,
    }
}

/// Parameters as JSON; `None` for none.
fn positional(values: &[Value]) -> Option<String> {
    (!values.is_empty()).then(|| serde_json::to_string(values).expect("values are JSON"))
}

/// Reads a body as JSON, within bounds.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> CallResult<T> {
    let count = |is: fn(u8) -> bool| body.iter().filter(|byte| is(**byte)).count();
    if count(|byte| matches!(byte, b',' | b'[' | b'{')) > MAX_STRUCTURE {
        return Err(parse_error("Parse error: too many values"));
    }
    // Few bodies have a character that the key has, as it is or in an escape.
    let may_have_key = count(|byte| matches!(byte, b'$' | b'\\')) > 0;
    if may_have_key && string_literals(body).any(is_raw_value_key) {
        return Err(parse_error("Parse error: reserved key"));
    }
    serde_json::from_slice(body).map_err(|_| parse_error("Parse error"))
}

/// The strings of a JSON text, in their quotes. Behind an error in the text they may be anything.
fn string_literals(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| *byte == b'"')?;
        let mut end = start + 1;
        while *rest.get(end)? != b'"' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        let literal = &rest[start..=end];
        rest = &rest[end + 1..];
        Some(literal)
    })
}

/// Whether a string is that key, however it is escaped.
fn is_raw_value_key(literal: &[u8]) -> bool {
    let may_be = literal.starts_with(b"\"$") || literal.starts_with(b"\"\\");
    // An escaped character takes up to six bytes.
    may_be
        && literal.len() <= 6 * RAW_VALUE_KEY.len() + 2
        && serde_json::from_slice::<String>(literal).is_ok_and(|key| key == RAW_VALUE_KEY)
}

fn parse_error(message: &str) -> CallError {
    CallError::new(code::PARSE_ERROR, message)
}

/// jsonrpsee's answer, an envelope of version 2.0.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    code: i32,
    message: String,
}

/// What is in jsonrpsee's answer.
fn outcome(answer: Box<RawValue>) -> CallResult<MethodResult> {
    if answer.get().starts_with(SUCCESS) {
        // A result may be long: it is not read, and not copied.
        let answer = Box::<str>::from(answer);
        let place = SUCCESS.len()..answer.len() - 1;
        return Ok(MethodResult::Answered(answer, place));
    }
    let answer: Answer<'_> = serde_json::from_str(answer.get())
        .map_err(|error| CallError::new(code::INTERNAL_ERROR, error.to_string()))?;
    match answer.error {
        // The types were checked before; what is left is a number that doesn't fit.
        Some(AnswerError {
            code: code::INVALID_PARAMS,
            message,
        }) if message == MISFIT => Err(params::integer_out_of_range()),
        Some(AnswerError { code, message }) => Err(CallError { code, message }),
        None => {
            let result = answer.result.map_or("null", RawValue::get);
            Ok(MethodResult::Ready(result.to_owned().into()))
        }
    }
}

#[cfg(test)]
#[path = "dispatch_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
