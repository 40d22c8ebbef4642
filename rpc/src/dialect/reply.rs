//! Answers: the envelope around an outcome, and the HTTP status.

use serde_json::{Value, json};

use super::request::Version;
use crate::call::{CallError, CallResult, code};

/// What goes back over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The JSON, `None` for an empty body.
    pub(crate) body: Option<String>,
}

impl Reply {
    /// The answer to a single request that isn't a notification.
    pub(super) fn single(
        version: Version,
        id: Option<&Value>,
        outcome: &CallResult<Box<str>>,
    ) -> Self {
        let status = match (version, outcome) {
            (Version::Two, _) | (_, Ok(_)) => 200,
            (Version::Legacy, Err(error)) => status(error),
        };
        Self {
            status,
            body: Some(envelope(version, id, outcome) + "\n"),
        }
    }

    /// The answer to a batch.
    pub(super) fn batch(answers: &[String]) -> Self {
        Self {
            status: 200,
            body: Some(format!("[{}]\n", answers.join(","))),
        }
    }

    /// No answer: all there was were notifications.
    pub(super) fn nothing() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }

    /// The answer to a body that holds no request.
    pub(super) fn unreadable(message: &str) -> Self {
        let error = CallError::new(code::PARSE_ERROR, message);
        Self::single(Version::Legacy, None, &Err(error))
    }
}

/// An outcome as an answer. A result is JSON already.
pub(super) fn envelope(
    version: Version,
    id: Option<&Value>,
    outcome: &CallResult<Box<str>>,
) -> String {
    let id = id.unwrap_or(&Value::Null);
    let error = |error: &CallError| json!({ "code": error.code, "message": error.message });
    match (version, outcome) {
        (Version::Legacy, Ok(result)) => {
            format!("{{\"result\":{result},\"error\":null,\"id\":{id}}}")
        }
        (Version::Legacy, Err(reason)) => {
            format!(
                "{{\"result\":null,\"error\":{},\"id\":{id}}}",
                error(reason)
            )
        }
        (Version::Two, Ok(result)) => {
            format!("{{\"jsonrpc\":\"2.0\",\"result\":{result},\"id\":{id}}}")
        }
        (Version::Two, Err(reason)) => {
            format!(
                "{{\"jsonrpc\":\"2.0\",\"error\":{},\"id\":{id}}}",
                error(reason)
            )
        }
    }
}

/// The HTTP status that legacy clients get with an error.
fn status(error: &CallError) -> u16 {
    match error.code {
        code::INVALID_REQUEST => 400,
        code::METHOD_NOT_FOUND => 404,
        _ => 500,
    }
}
