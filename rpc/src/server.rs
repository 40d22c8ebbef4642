//! The HTTP server: limits, authentication, and the way of a request to the methods and back.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::auth::{Cookie, Credentials};
use crate::catalogue::Catalogue;
use crate::context::RpcContext;
use crate::dialect::{Dispatcher, Endpoint, JsonText, Reply};
use crate::error::RpcError;
use crate::handler::{self, Handler};
use crate::listener::{Activity, LimitedListener};
use crate::places::Places;
use crate::rest::{Rest, RestMode};
use crate::stop::{StopSender, stop_signal};

/// How long the answer to a wrong password waits, so that guessing is slow.
const WRONG_PASSWORD_DELAY: Duration = Duration::from_millis(250);

/// How long [`RpcServer::shutdown`] waits for calls that are under way.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// A body above this length, or of unknown length, is a large one.
const LARGE_BODY_BYTES: usize = 64 << 10;

/// How long a request stands in line for a place.
const PLACE_PATIENCE: Duration = Duration::from_secs(1);

/// Requests with large bodies that are carried out at a time, because they take much memory.
const MAX_LARGE_REQUESTS: usize = 4;

/// Where the server listens, and its limits.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// The address; port 0 takes any that is free.
    pub bind: SocketAddr,
    /// The cookie file: written, mode 0600, when the server starts, deleted when it stops.
    pub cookie_path: PathBuf,
    /// The one user and the password; then there is no cookie.
    pub user: Option<(String, String)>,
    /// The longest body of a request, in bytes.
    pub max_request_bytes: usize,
    /// How long a body may take to arrive, and how long a connection may be idle.
    pub request_timeout: Duration,
    /// HTTP requests that are carried out at a time, apart from those that only wait. One more stands in line for a second,
    /// and is answered with status 503 then.
    pub max_requests: usize,
    /// Connections that are open at a time; further ones wait.
    pub max_connections: usize,
    /// Whether there is a REST interface beside JSON-RPC.
    pub rest: RestMode,
}

impl RpcConfig {
    /// The default limits: 32 MiB and 30 seconds for a request, 64 requests, 512 connections.
    #[must_use]
    pub fn new(bind: SocketAddr, cookie_path: PathBuf) -> Self {
        Self {
            bind,
            cookie_path,
            user: None,
            max_request_bytes: 32 * 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            max_requests: 64,
            max_connections: 512,
            rest: RestMode::Off,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    stop: StopSender,
    task: JoinHandle<()>,
    /// Deletes its file when dropped.
    cookie: Option<Cookie>,
}

/// Starts the server.
///
/// # Errors
/// [`RpcError::Bind`] when the address can't be listened on, [`RpcError::Cookie`] when the cookie
/// can't be written.
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    let wallet_names = vec![String::new(), context.wallet.info().name];
    let (rest, timeout) = (config.rest, config.request_timeout);
    start(config, |stop| {
        let catalogue = Catalogue::node();
        let handler = Handler::new(context, stop, catalogue);
        tokio::spawn(handler.clone().render_ahead());
        let rest = Rest::new(rest, handler.clone(), timeout);
        let methods = handler::methods(handler);
        (Dispatcher::new(methods, catalogue, wallet_names), rest)
    })
    .await
}

/// Starts a server of any methods, and of a REST interface if there is one.
async fn start(
    config: RpcConfig,
    parts: impl FnOnce(crate::stop::Stop) -> (Dispatcher, Option<Rest>),
) -> Result<RpcServer, RpcError> {
    // First the address: the cookie of a server that has it must stay.
    let bind_error = |source| RpcError::Bind {
        address: config.bind,
        source,
    };
    let listener = TcpListener::bind(config.bind).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let (cookie, credentials) = credentials(&config)?;

    let (sender, stop) = stop_signal();
    let (dispatcher, rest) = parts(stop.clone());
    let shared = Arc::new(Shared {
        dispatcher,
        rest,
        credentials,
        places: Places::new(config.max_requests, PLACE_PATIENCE),
        large_places: Semaphore::new(MAX_LARGE_REQUESTS),
        max_request_bytes: config.max_request_bytes,
        request_timeout: config.request_timeout,
    });
    let router = Router::new()
        .fallback(handle)
        .with_state(shared)
        .into_make_service_with_connect_info::<Activity>();
    let listener = LimitedListener::new(listener, config.max_connections, config.request_timeout);
    let task = tokio::spawn(async move {
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(async move { stop.wait().await });
        if let Err(error) = serving.await {
            tracing::error!(%error, "the RPC server ended");
        }
    });
    tracing::info!(%address, "RPC server listens");
    Ok(RpcServer {
        address,
        stop: sender,
        task,
        cookie,
    })
}

/// Whom to let in: the user, or whoever can read the cookie, which is made.
fn credentials(config: &RpcConfig) -> Result<(Option<Cookie>, Credentials), RpcError> {
    if let Some((user, password)) = &config.user {
        return Ok((None, Credentials::new(user, password)));
    }
    let cookie = Cookie::create(&config.cookie_path)?;
    let credentials = cookie.credentials();
    Ok((Some(cookie), credentials))
}

impl RpcServer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops: takes no more connections, lets calls that are under way finish for a few seconds, and
    /// deletes the cookie.
    pub async fn shutdown(self) {
        let Self {
            stop,
            mut task,
            cookie,
            ..
        } = self;
        stop.stop();
        if tokio::time::timeout(SHUTDOWN_LIMIT, &mut task)
            .await
            .is_err()
        {
            tracing::warn!("some RPC calls did not end in time");
            task.abort();
        }
        drop(cookie);
    }
}

/// What all requests share.
struct Shared {
    dispatcher: Dispatcher,
    rest: Option<Rest>,
    credentials: Credentials,
    places: Places,
    large_places: Semaphore,
    max_request_bytes: usize,
    request_timeout: Duration,
}

/// Handles an HTTP request.
async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(activity): ConnectInfo<Activity>,
    request: Request,
) -> Response {
    let _under_way = activity.begin();
    if request.uri().path().starts_with(Rest::PREFIX) {
        return match &shared.rest {
            Some(rest) => {
                let answer = rest.answer(request, &shared.dispatcher, &shared.places);
                answer.await
            }
            None => plain(StatusCode::NOT_FOUND, ""),
        };
    }
    if request.method() != Method::POST {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "JSONRPC server handles only POST requests",
        );
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let Some(endpoint) = endpoint(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "");
    };
    if let Err(response) = shared.authenticate(request.headers()).await {
        return response;
    }
    let _large_place = if is_large(request.headers()) {
        match tokio::time::timeout(shared.request_timeout, shared.large_places.acquire()).await {
            Ok(Ok(place)) => Some(place),
            _ => return busy(),
        }
    } else {
        None
    };
    let body = axum::body::to_bytes(request.into_body(), shared.max_request_bytes);
    let body = match tokio::time::timeout(shared.request_timeout, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "Request body took too long"),
    };
    // Not before the body is there: who sends it slowly keeps nobody out.
    match shared.places.take().await {
        Some(mut place) => {
            let answer = shared.dispatcher.answer(body, &endpoint, &mut place);
            json(answer.await)
        }
        None => busy(),
    }
}

/// Whether a body is a large one, as far as the head tells.
fn is_large(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .is_none_or(|length| length > LARGE_BODY_BYTES)
}

/// Too many requests are under way.
fn busy() -> Response {
    plain(StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded")
}

impl Shared {
    /// Lets only those in who know the cookie.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<(), Response> {
        let presented = headers.get(header::AUTHORIZATION);
        if self
            .credentials
            .accept(presented.and_then(|value| value.to_str().ok()))
        {
            return Ok(());
        }
        if presented.is_some() {
            tracing::warn!("an RPC client presented a wrong password");
            tokio::time::sleep(WRONG_PASSWORD_DELAY).await;
        }
        let mut response = plain(StatusCode::UNAUTHORIZED, "");
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"jsonrpc\""),
        );
        Err(response)
    }
}

/// What a path names; `None` when nothing is there.
fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/" | "" => Some(Endpoint::Node),
        _ => path
            .strip_prefix("/wallet/")
            .map(|name| Endpoint::Wallet(percent_decode(name))),
    }
}

/// Decodes `%41` and the like; what isn't UTF-8 then names no wallet.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| byte == b'%');
        match digits.and_then(|digits| hex::decode(digits).ok()) {
            Some(decoded) => {
                bytes.extend(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer in JSON. Some clients compare the content type as a whole, so it has no charset.
fn json(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).expect("the dialect's statuses are valid");
    let mut response = Response::new(reply.body.map_or_else(Body::empty, JsonText::into_body));
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    response
}

/// An answer in plain text.
fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
#[path = "server_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
