//! A publisher: its listening socket, and the counters of its topics.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

use super::subscriber::{Message, Subscribers};
use super::{PublisherConfig, Topic, ZmqAddress, zmtp};
use crate::NodeError;

/// How long to wait when no connection can be taken: the process may have too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection may be silent before the system asks whether the other side is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// How often it asks again.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);

/// A publisher of some topics at one address. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Publisher {
    topics: Vec<(Topic, AtomicU32)>,
    subscribers: Arc<Subscribers>,
    task: JoinHandle<()>,
    /// Where it listens; port 0 has become a real one.
    address: ZmqAddress,
}

impl Publisher {
    /// Listens for subscribers.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub(super) async fn start(config: &PublisherConfig) -> Result<Self, NodeError> {
        // Topics of one address share its queues.
        let high_water_mark = config.topics.iter().map(|(_, mark)| *mark).max();
        let subscribers = Arc::new(Subscribers::new(high_water_mark.unwrap_or_default()));
        let listening = Self::listen(&config.address, Arc::clone(&subscribers)).await;
        let (task, address) = listening.map_err(|source| NodeError::Zmq {
            address: config.text.clone(),
            source,
        })?;
        tracing::info!(%address, "ZMQ publisher listens");
        let topics = config.topics.iter();
        Ok(Self {
            topics: topics
                .map(|(topic, _)| (*topic, AtomicU32::new(0)))
                .collect(),
            subscribers,
            task,
            address,
        })
    }

    async fn listen(
        address: &ZmqAddress,
        subscribers: Arc<Subscribers>,
    ) -> io::Result<(JoinHandle<()>, ZmqAddress)> {
        Ok(match address {
            ZmqAddress::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = ZmqAddress::Tcp(listener.local_addr()?);
                let task = tokio::spawn(accept(subscribers, async move || {
                    let (stream, _) = listener.accept().await?;
                    stream.set_nodelay(true)?;
                    // Who subscribes says nothing for long: whether it is there has to be asked.
                    SockRef::from(&stream).set_tcp_keepalive(&keepalive())?;
                    Ok(stream)
                }));
                (task, address)
            }
            ZmqAddress::Ipc(path) => {
                remove_socket(path);
                let listener = UnixListener::bind(path)?;
                let task = tokio::spawn(accept(subscribers, async move || {
                    listener.accept().await.map(|(stream, _)| stream)
                }));
                (task, ZmqAddress::Ipc(path.clone()))
            }
        })
    }

    /// Whether it has a topic.
    pub(super) fn has(&self, topic: Topic) -> bool {
        self.topics.iter().any(|(own, _)| *own == topic)
    }

    /// Sends a message to all who want it, if the topic is one of its own. Never waits.
    pub(super) fn publish(&self, topic: Topic, body: &Arc<Vec<u8>>) {
        let Some((_, counter)) = self.topics.iter().find(|(own, _)| *own == topic) else {
            return;
        };
        let counter = counter.fetch_add(1, Ordering::Relaxed);
        let (head, tail) = zmtp::around(topic.name(), body.len(), counter);
        self.subscribers.send(&Arc::new(Message {
            topic: topic.name(),
            head,
            body: Arc::clone(body),
            tail,
        }));
    }

    /// Counts messages of a topic that are not sent, if it is one of its own.
    pub(super) fn skip(&self, topic: Topic, count: u64) {
        if let Some((_, counter)) = self.topics.iter().find(|(own, _)| *own == topic) {
            // The counter has 32 bits, and begins anew after the last number.
            counter.fetch_add(count as u32, Ordering::Relaxed);
        }
    }

    /// Its subscribers, for tests that wait for one.
    #[cfg(test)]
    pub(super) fn subscribers(&self) -> &Arc<Subscribers> {
        &self.subscribers
    }

    /// Where it listens.
    #[cfg(test)]
    pub(super) fn address(&self) -> &ZmqAddress {
        &self.address
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
        if let ZmqAddress::Ipc(path) = &self.address {
            remove_socket(path);
        }
    }
}

/// How a connection on which nothing happens is found to be dead: after some minutes.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
}

/// Takes connections; they end with this.
async fn accept<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    subscribers: Arc<Subscribers>,
    next: impl AsyncFn() -> io::Result<S>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            stream = next() => match stream {
                Ok(stream) => {
                    connections.spawn(Arc::clone(&subscribers).serve(stream));
                }
                Err(error) => {
                    tracing::debug!(%error, "a ZMQ subscriber can't connect");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Ok(Err(error)) = ended {
                    tracing::debug!(%error, "a ZMQ subscriber is gone");
                }
            }
        }
    }
}

/// Removes a socket that an earlier process left, and nothing else.
fn remove_socket(path: &Path) {
    let is_socket = std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "a socket can't be removed");
    }
}
