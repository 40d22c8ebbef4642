//! A request over HTTP: who may call, its body, and the way to the methods and back.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::{Accounts, AllowedAddresses, Caller};
use crate::config::RpcConfig;
use crate::dialect::{Dispatcher, Endpoint, JsonText, Reply};
use crate::handler::Handler;
use crate::listener::Activity;
use crate::percent::{self, Plus};
use crate::places::{Client, Place, Places};
use crate::request_body::{BodyError, BodyReader};
use crate::rest::{self, Rest, RestMode};
use crate::stop::Stop;
use crate::subscriptions::{self, Feed};

/// How long the answer to a wrong password waits, so that guessing is slow.
const WRONG_PASSWORD_DELAY: Duration = Duration::from_millis(250);

/// A body above this length is a large one.
const LARGE_BODY_BYTES: usize = 64 << 10;

/// How long a request stands in line for a place.
const PLACE_PATIENCE: Duration = Duration::from_secs(1);

/// Requests with large bodies that are carried out at a time, because they take much memory.
pub(crate) const MAX_LARGE_REQUESTS: usize = 4;

/// Methods that cost little and control the node, or tell what it does.
const CONTROL_METHODS: [&str; 4] = ["stop", "getrpcinfo", "help", "uptime"];

/// The longest request that is looked at for one of them.
const MAX_CONTROL_BYTES: usize = 1 << 10;

/// Where WebSockets are opened.
const WEBSOCKET_PATH: &str = "/ws";

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) dispatcher: Dispatcher,
    /// Nothing until the node has started, and after that if it is asked for.
    rest: OnceLock<Rest>,
    rest_mode: RestMode,
    pub(crate) feed: Feed,
    pub(crate) stop: Stop,
    accounts: Accounts,
    allowed: AllowedAddresses,
    places: Places,
    large_places: Arc<Semaphore>,
    subscriber_places: Arc<Semaphore>,
    /// The node's, where subscribers are served: there may be ten thousand of them, and none of them waits for an answer.
    runtime: Handle,
    max_request_bytes: usize,
    request_timeout: Duration,
}

impl Shared {
    /// The state of a server that no request has reached. `cookie` is the text of the cookie's file.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(
        config: &RpcConfig,
        cookie: Option<&str>,
        dispatcher: Dispatcher,
        stop: Stop,
    ) -> Self {
        Self {
            dispatcher,
            rest: OnceLock::new(),
            rest_mode: config.rest,
            feed: Feed::default(),
            stop,
            accounts: Accounts::new(cookie, &config.users, &config.whitelists),
            allowed: AllowedAddresses::new(config.allowed.clone()),
            places: Places::new(config.max_requests, PLACE_PATIENCE),
            large_places: Arc::new(Semaphore::new(MAX_LARGE_REQUESTS)),
            subscriber_places: Arc::new(Semaphore::new(config.max_subscribers)),
            runtime: Handle::current(),
            max_request_bytes: config.max_request_bytes,
            request_timeout: config.request_timeout,
        }
    }

    /// The places, for tests.
    #[cfg(test)]
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Gives the REST interface its parts, if the node has one.
    pub(crate) fn serve_rest(&self, handler: Handler) {
        if let Some(rest) = Rest::new(self.rest_mode, handler, self.request_timeout) {
            // A server is given its methods once.
            let _ = self.rest.set(rest);
        }
    }

    async fn answer_rest(&self, peer: IpAddr, request: Request) -> Response {
        match (self.rest_mode, self.rest.get()) {
            (RestMode::Off, _) => empty(StatusCode::NOT_FOUND),
            (RestMode::On, Some(rest)) => {
                let client = Client::new(peer, None);
                let answer = rest.answer(request, client, &self.dispatcher, &self.places);
                answer.await
            }
            (RestMode::On, None) => rest::starting(&request, &self.dispatcher),
        }
    }

    /// Handles an HTTP request, in the order in which Bitcoin Core looks at one.
    pub(crate) async fn handle(self: Arc<Self>, activity: Activity, request: Request) -> Response {
        let under_way = activity.begin();
        let peer = activity.peer().ip();
        if !self.allowed.contain(peer) {
            return forbidden();
        }
        if request.uri().path() == WEBSOCKET_PATH && request.method() == Method::GET {
            return self.open_websocket(&activity, request, under_way).await;
        }
        if request.uri().path().starts_with(Rest::PREFIX) {
            return self.answer_rest(peer, request).await;
        }
        let Some(endpoint) = endpoint(request.uri().path()) else {
            return empty(StatusCode::NOT_FOUND);
        };
        if request.method() != Method::POST {
            return only_post();
        }
        let caller = match self.authenticate(&activity, request.headers()).await {
            Ok(caller) => caller,
            Err(response) => return response,
        };
        let length = declared_length(request.headers());
        let (body, large_place) = match self.body(length, request.into_body()).await {
            Ok(read) => read,
            Err(response) => return response,
        };
        // Not before the body is there: who sends it slowly keeps nobody out.
        let client = Client::new(peer, Some(caller.number));
        match self.place(client, &body).await {
            Some(place) => {
                let mut place = place.with(large_place);
                let answer = self.dispatcher.answer(body, &endpoint, caller, &mut place);
                json(answer.await)
            }
            None => busy(),
        }
    }

    /// A place for a request; one beside the others for what controls the node, when they are taken.
    async fn place(&self, client: Client, body: &[u8]) -> Option<Place> {
        if let Some(place) = self.places.take_free(client) {
            return Some(place);
        }
        if is_control(body)
            && let Some(place) = self.places.take_for_control(client)
        {
            return Some(place);
        }
        self.places.take(client).await
    }

    /// Reads a body, with the place that a large one has.
    async fn body(
        &self,
        length: Option<usize>,
        body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Response> {
        if length.is_some_and(|length| length > self.max_request_bytes) {
            return Err(too_large());
        }
        let mut body = BodyReader::new(body, self.max_request_bytes);
        let is_declared_large = length.is_some_and(|length| length > LARGE_BODY_BYTES);
        // Of one whose length is not known, the start: most are short.
        if !is_declared_large && self.in_time(body.read_to(LARGE_BODY_BYTES)).await? {
            return Ok((body.finish(), None));
        }
        let place = Arc::clone(&self.large_places).acquire_owned();
        let place = tokio::time::timeout(self.request_timeout, place).await;
        let Ok(Ok(place)) = place else {
            return Err(busy());
        };
        self.in_time(body.read_to(self.max_request_bytes)).await?;
        Ok((body.finish(), Some(place)))
    }

    /// The outcome of reading a body, unless that takes too long.
    async fn in_time<T>(
        &self,
        reading: impl Future<Output = Result<T, BodyError>>,
    ) -> Result<T, Response> {
        match tokio::time::timeout(self.request_timeout, reading).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(BodyError::Broken)) => {
                Err(plain(StatusCode::BAD_REQUEST, "Request body is broken"))
            }
            Ok(Err(BodyError::TooLong)) => Err(too_large()),
            Err(_) => Err(plain(
                StatusCode::REQUEST_TIMEOUT,
                "Request body took too long",
            )),
        }
    }

    /// Lets only those in who are known.
    async fn authenticate(
        &self,
        activity: &Activity,
        headers: &HeaderMap,
    ) -> Result<&Caller, Response> {
        let presented = headers.get(header::AUTHORIZATION);
        let known = presented.and_then(|value| self.accounts.identify(value.to_str().ok()?));
        if let Some(caller) = known {
            return Ok(caller);
        }
        if presented.is_some() {
            let client = activity.peer();
            tracing::warn!(%client, "an RPC client presented a wrong password");
            tokio::time::sleep(WRONG_PASSWORD_DELAY).await;
        }
        let mut response = empty(StatusCode::UNAUTHORIZED);
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"jsonrpc\""),
        );
        Err(response)
    }

    /// Makes a connection a WebSocket, which has a place of its own kind.
    async fn open_websocket(
        self: &Arc<Self>,
        activity: &Activity,
        request: Request,
        under_way: crate::listener::RequestGuard,
    ) -> Response {
        let caller = match self.authenticate(activity, request.headers()).await {
            Ok(caller) => caller,
            Err(response) => return response,
        };
        if !subscriptions::may_subscribe(caller) {
            return empty(StatusCode::FORBIDDEN);
        }
        let Ok(place) = Arc::clone(&self.subscriber_places).try_acquire_owned() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "Too many subscribers");
        };
        let (feed, stop) = (self.feed.clone(), self.stop.clone());
        let activity = activity.clone();
        let (runtime, send_limit) = (&self.runtime, self.request_timeout);
        subscriptions::upgrade(request, runtime, feed, stop, send_limit, move || {
            activity.move_to(place);
            // A WebSocket may be silent for long.
            under_way
        })
        .await
    }
}

/// How long a body is going to be, as far as the head tells.
fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
}

fn too_large() -> Response {
    plain(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large")
}

/// Whoever asks may not connect: the connection ends.
fn forbidden() -> Response {
    let mut response = empty(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Too many requests are under way.
fn busy() -> Response {
    tracing::warn!("an RPC request was turned away: too many are under way");
    plain(StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded")
}

fn only_post() -> Response {
    let mut response = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "JSONRPC server handles only POST requests",
    );
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// What a path names; `None` when nothing is there.
pub(crate) fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/" | "" => Some(Endpoint::Node),
        _ => path
            .strip_prefix("/wallet/")
            .map(|name| Endpoint::Wallet(percent::decode(name, Plus::Plus))),
    }
}

/// An answer in JSON. Some clients compare the content type as a whole, so it has no charset.
fn json(reply: Reply) -> Response {
    if reply.status == StatusCode::SERVICE_UNAVAILABLE {
        return busy();
    }
    let status = StatusCode::from_u16(reply.status).expect("the dialect's statuses are valid");
    let has_body = reply.body.is_some();
    let mut response = Response::new(reply.body.map_or_else(Body::empty, JsonText::into_body));
    *response.status_mut() = status;
    if has_body {
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    response
}

/// Whether a request is one that controls the node: it has a place also when all are taken.
fn is_control(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Method {
        method: String,
    }
    body.len() <= MAX_CONTROL_BYTES
        && serde_json::from_slice::<Method>(body)
            .is_ok_and(|request| CONTROL_METHODS.contains(&request.method.as_str()))
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    plain(status, "")
}

/// An answer in plain text.
fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
#[path = "held.rs"]
pub(crate) mod held;
