//! TCP listeners that serve a bounded number of connections at a time, and end those on which
//! nothing happens, so that they don't keep others out.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep};

/// How long accepting pauses when the system has no room for another connection.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(100);

/// Accepts connections while fewer than a limit are open; the others wait in the system's queues.
pub(crate) struct LimitedListener {
    inner: Vec<TcpListener>,
    /// The one that is asked first next time, so that each has its turn.
    next: usize,
    places: Arc<Semaphore>,
    idle_limit: Duration,
}

impl LimitedListener {
    /// Listeners with that many places together. A connection ends when for `idle_limit` no request is under
    /// way, the head of one included, and no byte of an answer is taken.
    pub(crate) fn new(
        inner: Vec<TcpListener>,
        max_connections: usize,
        idle_limit: Duration,
    ) -> Self {
        Self {
            inner,
            next: 0,
            places: Arc::new(Semaphore::new(max_connections)),
            idle_limit,
        }
    }

    /// The next connection, for whoever serves it.
    pub(crate) async fn accept(&mut self) -> Accepted {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let (stream, peer) = loop {
            let accepted = poll_fn(|context| self.poll_accept(context)).await;
            match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok(accepted) => break accepted,
                // That connection has gone; the others have not.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept RPC connections");
                    tokio::time::sleep(PAUSE_WHEN_FULL).await;
                }
            }
        };
        // Answers are small and written at once: waiting to fill a segment only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        Accepted {
            stream,
            activity: Activity::new(peer, place),
            idle_limit: self.idle_limit,
        }
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        for step in 0..self.inner.len() {
            let index = (self.next + step) % self.inner.len();
            if let Poll::Ready(accepted) = self.inner[index].poll_accept(context) {
                self.next = index + 1;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// What happens on a connection; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    peer: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Requests that are carried out.
    requests: usize,
    /// When something happened last.
    last: Instant,
    /// The connection's place, until it ends or takes one elsewhere.
    place: Option<OwnedSemaphorePermit>,
}

impl Activity {
    fn new(peer: SocketAddr, place: OwnedSemaphorePermit) -> Self {
        let state = State {
            requests: 0,
            last: Instant::now(),
            place: Some(place),
        };
        Self {
            peer,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// A request is under way until the guard is dropped.
    pub(crate) fn begin(&self) -> RequestGuard {
        self.change(|state| state.requests += 1);
        RequestGuard(self.clone())
    }

    /// Takes the connection's place for another kind, and gives the one that it had to others.
    pub(crate) fn move_to(&self, place: OwnedSemaphorePermit) {
        self.change(|state| state.place = Some(place));
    }

    fn touch(&self) {
        self.change(|_| ());
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.last = Instant::now();
    }

    /// Since when nothing happens; `None` while a request is under way.
    fn idle_since(&self) -> Option<Instant> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.requests == 0).then_some(state.last)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct RequestGuard(Activity);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.change(|state| state.requests -= 1);
    }
}

/// A connection that no runtime has a hold of.
pub(crate) struct Accepted {
    stream: std::net::TcpStream,
    activity: Activity,
    idle_limit: Duration,
}

/// A connection that gives its place back when it ends.
pub(crate) struct LimitedStream {
    stream: TcpStream,
    /// Gone when the stream is closed, whoever had it then.
    _open: mpsc::Sender<Infallible>,
    activity: Activity,
    idle_limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl LimitedStream {
    /// Opens a connection on the runtime that this is called on. `open` is kept as long as the stream.
    ///
    /// # Errors
    /// What the system says when it can't watch the connection.
    pub(crate) fn open(accepted: Accepted, open: mpsc::Sender<Infallible>) -> io::Result<Self> {
        Ok(Self {
            stream: TcpStream::from_std(accepted.stream)?,
            _open: open,
            activity: accepted.activity,
            idle_limit: accepted.idle_limit,
            alarm: Box::pin(tokio::time::sleep(accepted.idle_limit)),
        })
    }

    /// What happens on it.
    pub(crate) fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// What a read or write that must wait ends with when nothing has happened for too long.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        // The alarm is seldom set: when it goes off too early, for as long as is left.
        while self.alarm.as_mut().poll(context).is_ready() {
            let deadline = match self.activity.idle_since() {
                Some(since) => since + self.idle_limit,
                None => Instant::now() + self.idle_limit,
            };
            if deadline <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// The outcome of a write: bytes that were taken are activity.
    fn written(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Ok(count)) => {
                self.activity.touch();
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_idle(context).map(Err),
        }
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Bytes of a request's head are no activity: one that comes too slowly does not come.
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => self.poll_idle(context).map(Err),
        }
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(outcome, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
