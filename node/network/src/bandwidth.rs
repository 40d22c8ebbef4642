//! Counting the bytes of each connection, below encryption and multiplexing.
//!
//! The transport wraps each TCP stream before it is upgraded. When the swarm then reports the
//! connection, its counters are found by the remote address.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::{AsyncRead, AsyncWrite};
use libp2p::Multiaddr;
use libp2p::core::ConnectedPoint;

use crate::address::split_peer_id;

/// Seconds since the Unix epoch.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Bytes of one connection, or of all.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Unix seconds of the last bytes; 0 before the first.
    pub(crate) last_sent: AtomicU64,
    pub(crate) last_received: AtomicU64,
}

impl Traffic {
    fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.last_sent.store(unix_time(), Ordering::Relaxed);
    }

    fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.last_received.store(unix_time(), Ordering::Relaxed);
    }
}

/// Counters of all connections, and of those that the swarm has not reported yet.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    total: Arc<Traffic>,
    unclaimed: Mutex<HashMap<Multiaddr, Arc<Traffic>>>,
}

impl Meter {
    pub(crate) fn total(&self) -> &Traffic {
        &self.total
    }

    /// Wraps the stream of a new connection.
    pub(crate) fn wrap<S>(&self, stream: S, endpoint: &ConnectedPoint) -> Counted<S> {
        let traffic = Arc::new(Traffic::default());
        let (address, _) = split_peer_id(endpoint.get_remote_address().clone());
        let mut unclaimed = self
            .unclaimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // What failed before the swarm reported it is held by nobody else.
        unclaimed.retain(|_, traffic| Arc::strong_count(traffic) > 1);
        unclaimed.insert(address, Arc::clone(&traffic));
        Counted {
            stream,
            traffic,
            total: Arc::clone(&self.total),
        }
    }

    /// The counters of a connection that the swarm reports.
    pub(crate) fn claim(&self, endpoint: &ConnectedPoint) -> Arc<Traffic> {
        let (address, _) = split_peer_id(endpoint.get_remote_address().clone());
        let mut unclaimed = self
            .unclaimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unclaimed.remove(&address).unwrap_or_default()
    }
}

/// A stream that counts.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    traffic: Arc<Traffic>,
    total: Arc<Traffic>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.traffic.count_received(bytes);
        self.total.count_received(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.stream).poll_write(context, buffer))?;
        self.traffic.count_sent(bytes);
        self.total.count_sent(bytes);
        Poll::Ready(Ok(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, buffers))?;
        self.traffic.count_sent(bytes);
        self.total.count_sent(bytes);
        Poll::Ready(Ok(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}
