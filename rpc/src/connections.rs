//! The threads that serve connections. Each keeps the connections that it is given, on a runtime of its own: what takes no
//! time is read, carried out and answered without another thread being woken, and whatever else the node does has no part in it.
//! What takes time is done elsewhere, as everywhere.

use std::convert::Infallible;
use std::io;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use crate::http::Shared;
use crate::listener::{Accepted, LimitedListener, LimitedStream, closed_by_client};
use crate::stop::Stop;

/// The most threads. One answers some hundred thousand calls a second; there are several so that no call waits for a long
/// batch of others.
const MAX_THREADS: usize = 4;

/// Connections that wait for their thread.
const QUEUE: usize = 64;

/// The most that is read of a request ahead of its being taken, its head included.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// How long a thread that ends waits for work that is still under way for clients that are gone.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The threads.
pub(crate) struct ConnectionThreads {
    queues: Vec<mpsc::Sender<Accepted>>,
    /// The one that is given the next connection.
    next: usize,
    /// Every thread has a sender; none is left when the last one has ended.
    ended: mpsc::Receiver<Infallible>,
    /// When this is gone the threads end, whatever they do.
    _alive: Vec<oneshot::Sender<Infallible>>,
}

impl ConnectionThreads {
    /// Starts as many as the machine has use for.
    ///
    /// # Errors
    /// What the system says when it has no room for a thread.
    pub(crate) fn start(shared: &Arc<Shared>, stop: &Stop) -> io::Result<Self> {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let (mut queues, mut alive) = (Vec::new(), Vec::new());
        let (running, ended) = mpsc::channel(1);
        for _ in 0..processors.div_ceil(2).min(MAX_THREADS) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (queue, accepted) = mpsc::channel(QUEUE);
            let (sender, gone) = oneshot::channel();
            let (shared, stop, running) = (Arc::clone(shared), stop.clone(), running.clone());
            thread::Builder::new()
                .name("rpc".to_owned())
                .spawn(move || {
                    runtime.block_on(async {
                        tokio::select! {
                            () = serve_queue(accepted, &shared, &stop) => {}
                            _ = gone => {}
                        }
                    });
                    runtime.shutdown_timeout(END_LIMIT);
                    // First what holds parts of the node.
                    drop(shared);
                    drop(running);
                })?;
            queues.push(queue);
            alive.push(sender);
        }
        Ok(Self {
            queues,
            next: 0,
            ended,
            _alive: alive,
        })
    }

    /// Gives them connections until the server stops and the last connection has ended.
    pub(crate) async fn serve(mut self, mut listener: LimitedListener, stop: Stop) {
        let mut stopped = pin!(stop.wait());
        loop {
            let accepted = tokio::select! {
                () = &mut stopped => break,
                accepted = listener.accept() => accepted,
            };
            // A thread ends before this does only if it panicked.
            let _ = self.queues[self.next].send(accepted).await;
            self.next = (self.next + 1) % self.queues.len();
        }
        drop(listener);
        self.queues.clear();
        self.ended.recv().await;
    }
}

/// Serves what comes out of the queue, until that is closed and the connections have ended.
async fn serve_queue(mut queue: mpsc::Receiver<Accepted>, shared: &Arc<Shared>, stop: &Stop) {
    // Every stream has a sender; none is left when the last one is closed.
    let (open, mut ended) = mpsc::channel(1);
    while let Some(accepted) = queue.recv().await {
        match LimitedStream::open(accepted, open.clone()) {
            Ok(stream) => {
                tokio::spawn(serve_connection(stream, Arc::clone(shared), stop.clone()));
            }
            Err(error) => tracing::error!(%error, "cannot serve an RPC connection"),
        }
    }
    drop(open);
    ended.recv().await;
}

/// Serves the requests of one connection, one after the other, in one task.
async fn serve_connection(stream: LimitedStream, shared: Arc<Shared>, stop: Stop) {
    let (activity, socket) = (stream.activity(), stream.socket());
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
        biased;
        outcome = connection.as_mut() => outcome,
        // With more bytes to read, hyper does not see that the client has gone as long as a request is under way.
        () = closed_by_client(&socket) => {
            tracing::debug!("an RPC client has gone");
            return;
        }
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an RPC connection ended");
    }
}
