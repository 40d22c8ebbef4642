//! The HTTP server: its start, at first without methods, its connections, and its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::auth::Cookie;
use crate::catalogue::Catalogue;
use crate::config::RpcConfig;
use crate::context::RpcContext;
use crate::dialect::Dispatcher;
use crate::error::RpcError;
use crate::handler::{self, Handler};
use crate::http::Shared;
use crate::listener::{LimitedListener, LimitedStream};
use crate::stop::{Stop, StopSender, stop_signal};

/// How long [`RpcServer::shutdown`] waits for calls that are under way.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// The most that is read of a request ahead of its being taken, its head included.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// A running server.
pub struct RpcServer {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    stop: StopSender,
    task: JoinHandle<()>,
    /// Deletes its file when dropped.
    cookie: Option<Cookie>,
}

/// Tells clients how far the node's start is.
#[derive(Clone)]
pub struct StartProgress(Arc<Shared>);

impl StartProgress {
    /// From now on, calls fail with this text and Bitcoin Core's code for a node that starts, -28.
    pub fn tell(&self, text: &str) {
        self.0.dispatcher.warm_up(text);
    }
}

/// Starts a server that has its methods at once.
///
/// # Errors
/// As [`listen`].
pub async fn serve(config: RpcConfig, context: RpcContext) -> Result<RpcServer, RpcError> {
    let server = listen(config).await?;
    server.serve(context);
    Ok(server)
}

/// Starts a server that answers every call that the node is starting, until it is given what to [serve](RpcServer::serve).
///
/// # Errors
/// [`RpcError::Bind`] when an address can't be listened on, [`RpcError::Cookie`] when the cookie
/// can't be written.
pub async fn listen(config: RpcConfig) -> Result<RpcServer, RpcError> {
    // First the addresses: the cookie of a server that has one of them must stay.
    let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
    for address in &config.bind {
        let bind_error = |source| RpcError::Bind {
            address: *address,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        addresses.push(listener.local_addr().map_err(bind_error)?);
        listeners.push(listener);
    }
    let cookie = config.cookie_path.as_deref();
    let cookie = cookie
        .map(|path| Cookie::create(path, config.cookie_mode))
        .transpose()?;

    let (sender, stop) = stop_signal();
    let shared = Arc::new(Shared::new(
        &config,
        cookie.as_ref().map(Cookie::text),
        Dispatcher::starting(),
        stop.clone(),
    ));
    let listener = LimitedListener::new(listeners, config.max_connections, config.request_timeout);
    let task = tokio::spawn(accept(listener, Arc::clone(&shared), stop));
    for address in &addresses {
        tracing::info!(%address, "RPC server listens");
        if config.allowed.is_empty() && !address.ip().is_loopback() {
            tracing::warn!(%address, "other machines are refused: no address is allowed to use RPC");
        }
    }
    Ok(RpcServer {
        addresses,
        shared,
        stop: sender,
        task,
        cookie,
    })
}

impl RpcServer {
    /// Gives it the node's methods: it answers calls from now on.
    pub fn serve(&self, context: RpcContext) {
        let wallet_names = vec![String::new(), context.wallet.info().name];
        let catalogue = Catalogue::node();
        self.shared.feed.open(&context);
        let (stop, active) = (self.shared.stop.clone(), self.shared.dispatcher.active());
        let handler = Handler::new(context, stop, catalogue).telling_of(active);
        tokio::spawn(handler.clone().render_ahead());
        self.shared.serve_rest(handler.clone());
        self.shared
            .dispatcher
            .start(handler::methods(handler), catalogue, wallet_names);
    }

    /// What its requests share, for tests.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where to tell how far the node's start is.
    #[must_use]
    pub fn progress(&self) -> StartProgress {
        StartProgress(Arc::clone(&self.shared))
    }

    /// Where it listens; the first address, if there are several.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
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

/// Serves connections until the server stops and the last one has ended.
async fn accept(mut listener: LimitedListener, shared: Arc<Shared>, stop: Stop) {
    // Every connection has a sender; none is left when the last connection has ended.
    let (open, mut ended) = mpsc::channel::<Infallible>(1);
    let mut stopped = pin!(stop.wait());
    loop {
        let stream = tokio::select! {
            () = &mut stopped => break,
            stream = listener.accept() => stream,
        };
        let (shared, stop, open) = (Arc::clone(&shared), stop.clone(), open.clone());
        tokio::spawn(async move {
            serve_connection(stream, shared, stop).await;
            drop(open);
        });
    }
    drop((listener, open));
    ended.recv().await;
}

/// Serves the requests of one connection, one after the other, in one task.
async fn serve_connection(stream: LimitedStream, shared: Arc<Shared>, stop: Stop) {
    let activity = stream.activity();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (shared, activity) = (Arc::clone(&shared), activity.clone());
        async move {
            let request = request.map(Body::new);
            Ok::<_, Infallible>(shared.handle(activity, request).await)
        }
    });
    let connection = http1::Builder::new()
        // The stream has a limit of its own for connections on which nothing happens.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an RPC connection ended");
    }
}

#[cfg(test)]
#[path = "server_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
