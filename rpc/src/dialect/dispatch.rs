//! Carrying requests out: single ones and batches, through jsonrpsee's methods.

use axum::http::Extensions;
use jsonrpsee::types::{Id, Params};
use jsonrpsee::{ConnectionId, MethodCallback, Methods};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::reply::{Reply, envelope};
use super::request::{Call, Request};
use crate::call::{CallError, CallResult, code};
use crate::catalogue::{Catalogue, Family};
use crate::params;

/// The most requests of a batch.
const MAX_BATCH: usize = 10_000;

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
    methods: Methods,
    catalogue: Catalogue,
    wallet_names: Vec<String>,
}

impl Dispatcher {
    /// A dispatcher of `methods`, described by `catalogue`; `wallet_names` are those that
    /// `/wallet/{name}` may have.
    pub(crate) fn new(methods: Methods, catalogue: Catalogue, wallet_names: Vec<String>) -> Self {
        Self {
            methods,
            catalogue,
            wallet_names,
        }
    }

    /// Answers the body of an HTTP request. Requests of a batch are carried out one after another.
    pub(crate) async fn answer(&self, body: &[u8], endpoint: &Endpoint) -> Reply {
        match serde_json::from_slice(body) {
            Ok(request @ Value::Object(_)) => self.answer_single(request, endpoint).await,
            Ok(Value::Array(requests)) => self.answer_batch(requests, endpoint).await,
            Ok(_) => Reply::unreadable("Top-level object parse error"),
            Err(_) => Reply::unreadable("Parse error"),
        }
    }

    async fn answer_single(&self, request: Value, endpoint: &Endpoint) -> Reply {
        let mut request = Request::read(request);
        let outcome = self.carry_out(&mut request, endpoint).await;
        if request.is_notification() {
            return Reply::nothing();
        }
        Reply::single(request.version, request.id.as_ref(), &outcome)
    }

    async fn answer_batch(&self, requests: Vec<Value>, endpoint: &Endpoint) -> Reply {
        if requests.len() > MAX_BATCH {
            let error = CallError::new(
                code::INVALID_REQUEST,
                format!(
                    "Batch of {} requests, at most {MAX_BATCH} are allowed",
                    requests.len()
                ),
            );
            return Reply::single(super::request::Version::Legacy, None, &Err(error));
        }
        let is_empty = requests.is_empty();
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let mut request = Request::read(request);
            let outcome = self.carry_out(&mut request, endpoint).await;
            if !request.is_notification() {
                answers.push(envelope(request.version, request.id.as_ref(), &outcome));
            }
        }
        if answers.is_empty() && !is_empty {
            return Reply::nothing();
        }
        Reply::batch(&answers)
    }

    async fn carry_out(&self, request: &mut Request, endpoint: &Endpoint) -> CallResult<Box<str>> {
        let empty = Call {
            method: String::new(),
            params: Value::Null,
        };
        let call = std::mem::replace(&mut request.call, Ok(empty))?;
        self.call(call, endpoint).await
    }

    async fn call(&self, call: Call, endpoint: &Endpoint) -> CallResult<Box<str>> {
        let unknown = || CallError::new(code::METHOD_NOT_FOUND, "Method not found");
        let method = self.catalogue.method(&call.method).ok_or_else(unknown)?;
        if method.family == Family::Wallet {
            self.check_wallet(endpoint)?;
        }
        let values = Value::Array(params::arrange(method, call.params)?).to_string();
        let params = Params::new(Some(&values));
        let response = match self.methods.method(method.name) {
            Some(MethodCallback::Sync(callback)) => {
                callback(Id::Number(0), params, usize::MAX, Extensions::new())
            }
            Some(MethodCallback::Async(callback)) => {
                let id = Id::Number(0);
                let connection = ConnectionId::default();
                callback(
                    id,
                    params.into_owned(),
                    connection,
                    usize::MAX,
                    Extensions::new(),
                )
                .await
            }
            _ => return Err(unknown()),
        };
        outcome(response.as_json())
    }

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
fn outcome(answer: &RawValue) -> CallResult<Box<str>> {
    let answer: Answer<'_> = serde_json::from_str(answer.get())
        .map_err(|error| CallError::new(code::INTERNAL_ERROR, error.to_string()))?;
    match answer.error {
        // The types were checked before; what is left is a number that doesn't fit.
        Some(AnswerError {
            code: code::INVALID_PARAMS,
            message,
        }) if message == MISFIT => Err(params::integer_out_of_range()),
        Some(AnswerError { code, message }) => Err(CallError { code, message }),
        None => Ok(answer.result.map_or("null", RawValue::get).into()),
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
