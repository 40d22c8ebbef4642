//! The way of a REST request: its resource, a place, and the answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;

use super::answer::{
    Answer, RestError, bytes_response, hex_response, json_response, text_response,
};
use super::answer_memory::AnswerMemory;
use super::request::RestRequest;
use super::routes;
use crate::dialect::Dispatcher;
use crate::handler::Handler;
use crate::http::empty;
use crate::places::{Client, Places};

/// The longest body: the outpoints of `getutxos`, of which far fewer are allowed.
const MAX_BODY_BYTES: usize = 16 << 10;

/// How long an answer waits for memory.
const MEMORY_PATIENCE: Duration = Duration::from_secs(1);

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
    memory: AnswerMemory,
}

impl Rest {
    /// The start of every path.
    pub(crate) const PREFIX: &str = "/rest/";

    /// The interface over these parts, or none.
    pub(crate) fn new(mode: RestMode, handler: Handler, timeout: Duration) -> Option<Self> {
        (mode == RestMode::On).then(|| Self {
            handler,
            timeout,
            memory: AnswerMemory::default(),
        })
    }

    /// How many share the parts of the node, for tests.
    #[cfg(test)]
    pub(crate) fn sharers(&self) -> usize {
        std::sync::Arc::strong_count(&self.handler.context)
    }

    /// Answers a client's request whose path begins with [`PREFIX`](Self::PREFIX).
    pub(crate) async fn answer(
        &self,
        request: Request,
        client: Client,
        dispatcher: &Dispatcher,
        places: &Places,
    ) -> Response {
        let answered = self.try_answer(request, client, dispatcher, places).await;
        answered.unwrap_or_else(RestError::into_response)
    }

    async fn try_answer(
        &self,
        request: Request,
        client: Client,
        dispatcher: &Dispatcher,
        places: &Places,
    ) -> Result<Response, RestError> {
        let (head, body) = request.into_parts();
        let Some((resource, rest)) = find(&head.uri) else {
            return Ok(empty(StatusCode::NOT_FOUND));
        };
        if ![Method::GET, Method::POST, Method::HEAD, Method::PUT].contains(&head.method) {
            return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        let body = if routes::takes_body(path(&head.uri)) {
            let body = axum::body::to_bytes(body, MAX_BODY_BYTES);
            match tokio::time::timeout(self.timeout, body).await {
                Ok(Ok(body)) => body,
                Ok(Err(_)) => return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE)),
                Err(_) => return Ok(empty(StatusCode::REQUEST_TIMEOUT)),
            }
        } else {
            Bytes::new()
        };
        let request = RestRequest::new(rest, body);
        let Some(place) = places.take(client).await else {
            return Err(unavailable("Work queue depth exceeded".to_owned()));
        };
        let handler = self.handler.clone();
        // The place goes with the work, which does not end when the client goes.
        let work = tokio::task::spawn_blocking(move || (resource(&handler, &request), place));
        let (answer, mut place) = work.await.map_err(|_| RestError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: "Internal error".to_owned(),
        })?;
        let response = match answer? {
            Answer::Binary(bytes) => bytes_response(bytes),
            Answer::Hex(bytes) => hex_response(bytes),
            Answer::Text(text) => text_response(text),
            Answer::Json(text) => json_response(text),
            Answer::Method(method, params) => {
                json_response(dispatcher.result_of(method, params, &mut place).await?)
            }
        };
        let held = self.memory.hold(response, MEMORY_PATIENCE).await;
        held.ok_or_else(|| unavailable("Too many answers are under way".to_owned()))
    }
}

/// The answer of a node that is starting.
pub(crate) fn starting(request: &Request, dispatcher: &Dispatcher) -> Response {
    if find(request.uri()).is_none() {
        return empty(StatusCode::NOT_FOUND);
    }
    let status = dispatcher.start_status();
    unavailable(format!("Service temporarily unavailable: {status}")).into_response()
}

/// The request can't be carried out now.
fn unavailable(message: String) -> RestError {
    RestError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message,
    }
}

/// The path behind the prefix, with the query.
fn path(uri: &Uri) -> &str {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    path.strip_prefix(Rest::PREFIX).unwrap_or_default()
}

fn find(uri: &Uri) -> Option<(routes::Resource, &str)> {
    routes::find(path(uri))
}
