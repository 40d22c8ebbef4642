//! TCP listeners that serve a bounded number of connections at a time, and end those on which
//! nothing happens, so that they don't keep others out.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
#[cfg(any(target_os = "linux", target_os = "android"))]
use tokio::io::Interest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep};

use crate::auth::AllowedAddresses;
use crate::config::RpcConfig;

/// How long accepting pauses when the system has no room for another connection.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(100);

/// Connections of addresses that may not connect: they are told so, and have none of the places.
const MAX_REFUSED: usize = 16;

/// How long such a connection may be idle.
const REFUSED_IDLE_LIMIT: Duration = Duration::from_secs(2);

/// Accepts connections while fewer than a limit are open; the others wait in the system's queues.
pub(crate) struct LimitedListener {
    inner: Vec<TcpListener>,
    /// The one that is asked first next time, so that each has its turn.
    next: usize,
    places: Arc<Semaphore>,
    /// Whether an address may connect.
    allows: Box<dyn Fn(SocketAddr) -> bool + Send>,
    refused_places: Arc<Semaphore>,
    idle_limit: Duration,
}

impl LimitedListener {
    /// Listeners with the configuration's number of places together. A connection ends when for the time that a request may
    /// take none is under way, the head of one included, and no byte of an answer is taken.
    pub(crate) fn new(inner: Vec<TcpListener>, config: &RpcConfig) -> Self {
        let allowed = AllowedAddresses::new(config.allowed.clone());
        Self {
            inner,
            next: 0,
            places: Arc::new(Semaphore::new(config.max_connections)),
            allows: Box::new(move |peer| allowed.contain(peer.ip())),
            refused_places: Arc::new(Semaphore::new(MAX_REFUSED)),
            idle_limit: config.request_timeout,
        }
    }

    /// The next connection, for whoever serves it.
    pub(crate) async fn accept(&mut self) -> Accepted {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        loop {
            let accepted = poll_fn(|context| self.poll_accept(context)).await;
            let (stream, peer) =
                match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                    Ok(accepted) => accepted,
                    // That connection has gone; the others have not.
                    Err(error) if is_of_one_connection(&error) => continue,
                    Err(error) => {
                        tracing::error!(%error, "cannot accept RPC connections");
                        tokio::time::sleep(PAUSE_WHEN_FULL).await;
                        continue;
                    }
                };
            // Answers are small and written at once: waiting to fill a segment only delays them.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
            if (self.allows)(peer) {
                return Accepted {
                    stream,
                    activity: Activity::new(peer, place),
                    idle_limit: self.idle_limit,
                };
            }
            // Who finds no place to be told in is cut off.
            if let Ok(place) = Arc::clone(&self.refused_places).try_acquire_owned() {
                let idle_limit = self.idle_limit.min(REFUSED_IDLE_LIMIT);
                return Accepted {
                    stream,
                    activity: Activity::new(peer, place),
                    idle_limit,
                };
            }
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

/// Returns when the client has closed its side of the connection, whatever of it is still to be read; where the system does
/// not tell that, never.
pub(crate) async fn closed_by_client(socket: &TcpStream) {
    // What is ready then is the end, because nobody sends urgent data.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Ok(ready) = socket.ready(Interest::PRIORITY).await
        && ready.is_read_closed()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A connection that no runtime has a hold of.
pub(crate) struct Accepted {
    stream: std::net::TcpStream,
    activity: Activity,
    idle_limit: Duration,
}

/// A connection that gives its place back when it ends.
pub(crate) struct LimitedStream {
    /// Shared with who watches for its end.
    stream: Arc<TcpStream>,
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
            stream: Arc::new(TcpStream::from_std(accepted.stream)?),
            _open: open,
            activity: accepted.activity,
            idle_limit: accepted.idle_limit,
            alarm: Box::pin(tokio::time::sleep(accepted.idle_limit)),
        })
    }

    /// The socket, to watch for its end.
    pub(crate) fn socket(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
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

/// Tries until it works or has to wait.
fn poll_io<T>(
    mut poll_ready: impl FnMut() -> Poll<io::Result<()>>,
    mut attempt: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        match poll_ready() {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return Poll::Ready(outcome),
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
        let stream = &self.stream;
        let read = poll_io(
            || stream.poll_read_ready(context),
            || stream.try_read_buf(buffer),
        );
        match read {
            Poll::Ready(outcome) => Poll::Ready(outcome.map(drop)),
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
        let stream = &self.stream;
        let outcome = poll_io(
            || stream.poll_write_ready(context),
            || stream.try_write(bytes),
        );
        self.written(outcome, context)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is buffered here.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = SockRef::from(self.stream.as_ref()).shutdown(Shutdown::Write);
        Poll::Ready(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = &self.stream;
        let outcome = poll_io(
            || stream.poll_write_ready(context),
            || stream.try_write_vectored(slices),
        );
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn listener(max_connections: usize) -> LimitedListener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = RpcConfig::new("127.0.0.1:0".parse().unwrap(), "".into());
        config.max_connections = max_connections;
        LimitedListener::new(vec![listener], &config)
    }

    #[tokio::test]
    async fn who_may_not_connect_has_none_of_the_places() {
        let mut listener = listener(1).await;
        let address = listener.inner[0].local_addr().unwrap();
        let connect = || TcpStream::connect(address);
        listener.allows = Box::new(|_| false);
        let (mut clients, mut refused) = (Vec::new(), Vec::new());
        for _ in 0..MAX_REFUSED {
            clients.push(connect().await.unwrap());
            refused.push(listener.accept().await);
        }
        assert_eq!(refused[0].idle_limit, REFUSED_IDLE_LIMIT);
        // One more is cut off, and who may connect has a place.
        let mut cut_off = connect().await.unwrap();
        let _client = connect().await.unwrap();
        let first = cut_off.local_addr().unwrap().port();
        listener.allows = Box::new(move |peer| peer.port() != first);
        let allowed = listener.accept().await;
        assert!(allowed.idle_limit > REFUSED_IDLE_LIMIT);
        assert_eq!(listener.places.available_permits(), 0);
        assert_eq!(cut_off.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_client_that_closes_is_seen_behind_bytes_that_nobody_reads() {
        let mut listener = listener(1).await;
        let address = listener.inner[0].local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        client.try_write(b"POST").unwrap();
        let (open, _closed) = mpsc::channel(1);
        let stream = LimitedStream::open(listener.accept().await, open).unwrap();
        let socket = stream.socket();
        let early = tokio::time::timeout(Duration::from_millis(50), closed_by_client(&socket));
        assert!(early.await.is_err(), "the client has not closed");
        drop(client);
        let end = tokio::time::timeout(Duration::from_secs(60), closed_by_client(&socket));
        assert!(end.await.is_ok(), "the end was not seen");
    }
}
