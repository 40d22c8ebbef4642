//! The HTTP server: its start, at first without methods, and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::auth::Cookie;
use crate::catalogue::Catalogue;
use crate::config::{BindRule, RpcConfig};
use crate::connections::ConnectionThreads;
use crate::context::RpcContext;
use crate::dialect::Dispatcher;
use crate::error::RpcError;
use crate::handler::{self, Handler};
use crate::http::Shared;
use crate::listener::LimitedListener;
use crate::stop::{StopSender, stop_signal};

/// How long [`RpcServer::shutdown`] waits for calls that are under way.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

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
/// [`RpcError::Bind`] when an address that is needed can't be listened on, [`RpcError::Cookie`] when the cookie
/// can't be written, [`RpcError::Threads`] when the system has no room for a thread.
pub async fn listen(config: RpcConfig) -> Result<RpcServer, RpcError> {
    // First the addresses: the cookie of a server that has one of them must stay.
    let (listeners, addresses) = bind(&config).await?;
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
    let listener = LimitedListener::new(listeners, &config);
    let threads = ConnectionThreads::start(&shared, &stop).map_err(RpcError::Threads)?;
    let task = tokio::spawn(threads.serve(listener, stop));
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

/// Listens on the addresses of the configuration; which they are, with their ports.
async fn bind(config: &RpcConfig) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), RpcError> {
    let (mut listeners, mut addresses, mut failure) = (Vec::new(), Vec::new(), None);
    for address in &config.bind {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            Ok((listener.local_addr()?, listener))
        };
        match bound.await {
            Ok((address, listener)) => {
                addresses.push(address);
                listeners.push(listener);
            }
            Err(source) => {
                let address = *address;
                let error = RpcError::Bind { address, source };
                if config.bind_rule == BindRule::All {
                    return Err(error);
                }
                tracing::warn!(%error, "RPC is not served at one of its addresses");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok((listeners, addresses)),
    }
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
        // Before the REST interface, which calls methods.
        let methods = handler::methods(handler.clone());
        let dispatcher = &self.shared.dispatcher;
        dispatcher.start(methods, catalogue, wallet_names);
        self.shared.serve_rest(handler);
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

#[cfg(test)]
#[path = "server_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
