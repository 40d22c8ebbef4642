//! The way of a REST request: its resource, a place, and the answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::answer::{
    Answer, RestError, bytes_response, hex_response, json_response, text_response,
};
use super::request::RestRequest;
use super::routes;
use crate::dialect::Dispatcher;
use crate::handler::Handler;
use crate::places::Places;

/// The longest body: the outpoints of `getutxos`, of which far fewer are allowed.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Whether the node has a REST interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestMode {
    /// It has none.
    #[default]
    Off,
    /// Whoever reaches the RPC server's port may read.
    On,
}

/// The REST interface of a node.
pub(crate) struct Rest {
    handler: Handler,
    /// How long a body may take to arrive.
    timeout: Duration,
}

impl Rest {
    /// The start of every path.
    pub(crate) const PREFIX: &str = "/rest/";

    /// The interface over these parts, or none.
    pub(crate) fn new(mode: RestMode, handler: Handler, timeout: Duration) -> Option<Self> {
        (mode == RestMode::On).then_some(Self { handler, timeout })
    }

    /// How many share the parts of the node, for tests.
    #[cfg(test)]
    pub(crate) fn sharers(&self) -> usize {
        std::sync::Arc::strong_count(&self.handler.context)
    }

    /// Answers a request whose path begins with [`PREFIX`](Self::PREFIX).
    pub(crate) async fn answer(
        &self,
        request: Request,
        dispatcher: &Dispatcher,
        places: &Places,
    ) -> Response {
        let answered = self.try_answer(request, dispatcher, places).await;
        answered.unwrap_or_else(RestError::into_response)
    }

    async fn try_answer(
        &self,
        request: Request,
        dispatcher: &Dispatcher,
        places: &Places,
    ) -> Result<Response, RestError> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("", |path| path.as_str());
        let found = path.strip_prefix(Self::PREFIX).and_then(routes::find);
        let Some((resource, rest)) = found else {
            return Ok(empty(StatusCode::NOT_FOUND));
        };
        if ![Method::GET, Method::POST, Method::HEAD, Method::PUT].contains(&head.method) {
            return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        let body = axum::body::to_bytes(body, MAX_BODY_BYTES);
        let body: Bytes = match tokio::time::timeout(self.timeout, body).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE)),
            Err(_) => return Ok(empty(StatusCode::REQUEST_TIMEOUT)),
        };
        let request = RestRequest::new(rest, body);
        let Some(place) = places.take().await else {
            return Err(RestError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: "Work queue depth exceeded".to_owned(),
            });
        };
        let handler = self.handler.clone();
        // The place goes with the work, which does not end when the client goes.
        let work = tokio::task::spawn_blocking(move || (resource(&handler, &request), place));
        let (answer, mut place) = work.await.map_err(|_| RestError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: "Internal error".to_owned(),
        })?;
        Ok(match answer? {
            Answer::Binary(bytes) => bytes_response(bytes),
            Answer::Hex(bytes) => hex_response(bytes),
            Answer::Text(text) => text_response(text),
            Answer::Json(text) => json_response(text),
            Answer::Method(method, params) => {
                json_response(dispatcher.result_of(method, params, &mut place).await?)
            }
        })
    }
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
