//! Answers of the REST interface: their content types, and errors as Bitcoin Core words them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use pyrite_chain::ChainError;
use serde_json::Value;

use super::request::{Format, RestRequest};
use crate::call::{CallError, code};
use crate::dialect::JsonText;
use crate::json::hex_text;

/// Bytes that are made hex at a time, while they are sent.
const HEX_STEP_BYTES: usize = 32 << 10;

/// A successful answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// Bytes as they are.
    Binary(Bytes),
    /// The same in hex, and a new line.
    Hex(Bytes),
    /// A line of text.
    Text(String),
    /// JSON.
    Json(JsonText),
    /// What a method of this name gives for these parameters.
    Method(&'static str, Vec<Value>),
}

/// A refusal: the status and the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestError {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

/// What is asked for can't be meant.
pub(super) fn bad_request(message: impl Into<String>) -> RestError {
    RestError {
        status: StatusCode::BAD_REQUEST,
        message: message.into(),
    }
}

/// What is asked for is not there.
pub(super) fn not_found(message: impl Into<String>) -> RestError {
    RestError {
        status: StatusCode::NOT_FOUND,
        message: message.into(),
    }
}

/// The format is none that the resource has.
pub(super) fn no_such_format(available: &str) -> RestError {
    not_found(format!("output format not found (available: {available})"))
}

/// The formats of most resources.
pub(super) const ALL_FORMATS: &str = ".bin, .hex, .json";

/// The format of those that are JSON alone.
pub(super) const JSON_ONLY: &str = "json";

/// What the same bytes are in the format that was asked for, or the JSON form.
pub(super) fn encoded(
    request: &RestRequest,
    bytes: impl FnOnce() -> Vec<u8>,
    json: impl FnOnce() -> Result<Answer, RestError>,
) -> Result<Answer, RestError> {
    match request.format {
        Format::Binary => Ok(Answer::Binary(bytes().into())),
        Format::Hex => Ok(Answer::Hex(bytes().into())),
        Format::Json => json(),
        Format::Unknown => Err(no_such_format(ALL_FORMATS)),
    }
}

/// A value as an answer.
pub(super) fn json_answer(value: &impl serde::Serialize) -> Result<Answer, RestError> {
    let text = serde_json::to_string(value).map_err(|error| RestError {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        message: error.to_string(),
    })?;
    Ok(Answer::Json(text.into()))
}

impl From<CallError> for RestError {
    fn from(error: CallError) -> Self {
        let status = match error.code {
            code::METHOD_NOT_FOUND | code::INVALID_ADDRESS_OR_KEY => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            message: error.message,
        }
    }
}

impl From<ChainError> for RestError {
    fn from(error: ChainError) -> Self {
        CallError::from(error).into()
    }
}

impl RestError {
    pub(super) fn into_response(self) -> Response {
        let mut response = typed("text/plain", Body::from(self.message + "\r\n"));
        *response.status_mut() = self.status;
        response
    }
}

/// An answer that is complete.
pub(super) fn bytes_response(bytes: Bytes) -> Response {
    typed("application/octet-stream", Body::from(bytes))
}

/// Bytes in hex, which are made as they are sent: a block's hex is never in memory whole.
pub(super) fn hex_response(bytes: Bytes) -> Response {
    typed(
        "text/plain",
        Body::new(HexBody {
            bytes,
            is_ended: false,
        }),
    )
}

/// A line.
pub(super) fn text_response(text: String) -> Response {
    typed("text/plain", Body::from(text + "\n"))
}

/// JSON and a new line.
pub(super) fn json_response(text: JsonText) -> Response {
    typed("application/json", text.between("", "\n").into_body())
}

fn typed(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The hex of bytes, and a new line.
struct HexBody {
    bytes: Bytes,
    is_ended: bool,
}

impl http_body::Body for HexBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let step = self.bytes.len().min(HEX_STEP_BYTES);
        let mut text = hex_text(&self.bytes.split_to(step));
        if self.bytes.is_empty() {
            text.push('\n');
            self.is_ended = true;
        }
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }

    /// Exact, so that the answer has a `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        let line_end = usize::from(!self.is_ended);
        let length = self.bytes.len().saturating_mul(2).saturating_add(line_end);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hex_is_made_in_steps_and_its_length_is_known() {
        for length in [0, 1, HEX_STEP_BYTES, HEX_STEP_BYTES + 1, 3 * HEX_STEP_BYTES] {
            let bytes = Bytes::from(vec![0xa5; length]);
            let response = hex_response(bytes.clone());
            assert_eq!(response.headers()["content-type"], "text/plain");
            let body = response.into_body();
            let exact = http_body::Body::size_hint(&body).exact();
            let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            assert_eq!(text, hex::encode(bytes) + "\n");
            assert_eq!(exact, Some(text.len() as u64));
        }
    }
}
