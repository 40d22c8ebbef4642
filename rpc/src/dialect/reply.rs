//! Answers: the envelope around an outcome, and the HTTP status.

use serde_json::{Value, json};

use super::json_text::JsonText;
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
    pub(super) fn single(request: &Request, outcome: CallResult<JsonText>, form: Form) -> Self {
        let status = match (request.version, &outcome) {
            (_, Ok(_)) => 200,
            (Version::Two, Err(_)) if form == Form::Good => 200,
            (_, Err(error)) => status(error),
        };
        Self {
            status,
            body: Some(envelope(
                request.version,
                request.id.as_ref(),
                outcome,
                "\n",
            )),
        }
    }

    /// The answer to a batch.
    pub(super) fn batch(answers: Vec<JsonText>) -> Self {
        let punctuation = |text: &'static str| JsonText::of_pieces([text.into()]);
        let mut texts = vec![punctuation("[")];
        for answer in answers {
            if texts.len() > 1 {
                texts.push(punctuation(","));
            }
            texts.push(answer);
        }
        texts.push(punctuation("]\n"));
        let body = JsonText::concat(texts);
        Self {
            status: 200,
            body: Some(body),
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
        Self {
            status: status(&error),
            body: Some(envelope(
                Version::Legacy,
                Some(&Value::Null),
                Err(error),
                "\n",
            )),
        }
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

/// An outcome as an answer, with `end` behind it. A request without an id has an answer without.
pub(super) fn envelope(
    version: Version,
    id: Option<&Value>,
    outcome: CallResult<JsonText>,
    end: &str,
) -> JsonText {
    let id = id.map_or_else(String::new, |id| format!(",\"id\":{id}"));
    let error = |error: &CallError| json!({ "code": error.code, "message": error.message });
    match (version, outcome) {
        (Version::Legacy, Ok(result)) => {
            result.between("{\"result\":", &format!(",\"error\":null{id}}}{end}"))
        }
        (Version::Legacy, Err(reason)) => {
            format!("{{\"result\":null,\"error\":{}{id}}}{end}", error(&reason)).into()
        }
        (Version::Two, Ok(result)) => {
            result.between("{\"jsonrpc\":\"2.0\",\"result\":", &format!("{id}}}{end}"))
        }
        (Version::Two, Err(reason)) => format!(
            "{{\"jsonrpc\":\"2.0\",\"error\":{}{id}}}{end}",
            error(&reason)
        )
        .into(),
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
