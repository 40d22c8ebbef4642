//! Answers: the envelope around an outcome, and the HTTP status.

use std::ops::Range;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::json_text::{JsonText, LARGE_PIECE_BYTES, TextBuilder};
use super::request::{Request, Version};
use crate::call::{CallError, CallResult, code};

/// What goes back over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The JSON, `None` for an empty body.
    pub(crate) body: Option<JsonText>,
}

impl Reply {
    /// The answer to a single request that isn't a notification. Only version 2.0 knows errors that HTTP
    /// knows nothing of, and only those of requests that could be read.
    pub(super) fn single(request: &Request, outcome: CallResult<MethodResult>, form: Form) -> Self {
        let status = match (request.version, &outcome) {
            (_, Ok(_)) => 200,
            (Version::Two, Err(_)) if form == Form::Good => 200,
            (_, Err(error)) => status(error),
        };
        let mut text = TextBuilder::default();
        push_answer(&mut text, request.version, request.id.as_ref(), outcome);
        Self::of_line(status, text)
    }

    /// The answer to a batch: an array, but for its end.
    pub(super) fn batch(mut answers: TextBuilder) -> Self {
        answers.push(b"]");
        Self::of_line(200, answers)
    }

    fn of_line(status: u16, mut text: TextBuilder) -> Self {
        text.push(b"\n");
        Self {
            status,
            body: Some(text.finish()),
        }
    }

    /// The body as one text, for tests.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.body.as_ref().map_or_else(String::new, JsonText::text)
    }

    /// No answer: all there was were notifications.
    pub(super) fn nothing() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }

    /// No answer: the caller may not call that.
    pub(super) fn forbidden() -> Self {
        Self {
            status: 403,
            body: None,
        }
    }

    /// No answer: too many requests are under way.
    pub(super) fn busy() -> Self {
        Self {
            status: 503,
            body: None,
        }
    }

    /// The answer to a body that holds no request.
    pub(super) fn unreadable(error: CallError) -> Self {
        let mut text = TextBuilder::default();
        let status = status(&error);
        push_answer(&mut text, Version::Legacy, Some(&Value::Null), Err(error));
        Self::of_line(status, text)
    }
}

/// Whether a request could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It could.
    Good,
    /// It has no method, or the like.
    Bad,
}

/// What a method gave.
#[derive(Debug)]
pub(super) enum MethodResult {
    /// It left its result as text.
    Ready(JsonText),
    /// Its result is that part of jsonrpsee's answer.
    Answered(Box<str>, Range<usize>),
}

impl MethodResult {
    fn append_to(self, text: &mut TextBuilder) {
        match self {
            Self::Ready(result) => text.append(result),
            // As long as it is short it is copied, and not kept.
            Self::Answered(answer, place) if place.len() < LARGE_PIECE_BYTES => {
                text.push(answer[place].as_bytes());
            }
            answered @ Self::Answered(..) => text.append(answered.into()),
        }
    }
}

impl From<MethodResult> for JsonText {
    fn from(result: MethodResult) -> Self {
        match result {
            MethodResult::Ready(result) => result,
            MethodResult::Answered(answer, place) => {
                Self::of_pieces([Bytes::from(String::from(answer)).slice(place)])
            }
        }
    }
}

/// Appends an outcome as an answer. A request without an id has an answer without.
pub(super) fn push_answer(
    text: &mut TextBuilder,
    version: Version,
    id: Option<&Value>,
    outcome: CallResult<MethodResult>,
) {
    text.push(match version {
        Version::Legacy => b"{",
        Version::Two => b"{\"jsonrpc\":\"2.0\",",
    });
    match (outcome, version) {
        (Ok(result), version) => {
            text.push(b"\"result\":");
            result.append_to(text);
            if version == Version::Legacy {
                text.push(b",\"error\":null");
            }
        }
        (Err(error), version) => {
            if version == Version::Legacy {
                text.push(b"\"result\":null,");
            }
            text.push(b"\"error\":");
            let error = json!({ "code": error.code, "message": error.message });
            push_value(text, &error);
        }
    }
    if let Some(id) = id {
        text.push(b",\"id\":");
        push_value(text, id);
    }
    text.push(b"}");
}

fn push_value(text: &mut TextBuilder, value: &Value) {
    text.write(|text| serde_json::to_writer(text, value).expect("values are JSON"));
}

/// The HTTP status that legacy clients get with an error.
fn status(error: &CallError) -> u16 {
    match error.code {
        code::INVALID_REQUEST => 400,
        code::METHOD_NOT_FOUND => 404,
        _ => 500,
    }
}
