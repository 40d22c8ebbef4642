//! One subscriber: what it wants, what waits for it, and its connection.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::{Semaphore, mpsc};

use super::zmtp::{self, FromSubscriber};

/// Subscribers of one publisher.
const MAX_SUBSCRIBERS: usize = 1_000;

/// Subscriptions of one subscriber.
const MAX_SUBSCRIPTIONS: usize = 100;

/// Bytes that wait for one subscriber, whatever the number of messages.
const MAX_WAITING_BYTES: usize = 256 << 20;

/// How long a handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Handshakes that are under way at a time.
const MAX_HANDSHAKES: usize = 64;

/// A message, which all subscribers share.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: &'static str,
    pub(super) head: Vec<u8>,
    pub(super) body: Arc<Vec<u8>>,
    pub(super) tail: Vec<u8>,
}

impl Message {
    fn len(&self) -> usize {
        self.head.len() + self.body.len() + self.tail.len()
    }
}

/// What waits to be sent.
#[derive(Debug)]
enum Outgoing {
    Message(Arc<Message>),
    Bytes(Vec<u8>),
}

/// A subscriber, as the publisher sees it.
#[derive(Debug)]
struct Subscriber {
    number: u64,
    topics: Vec<Vec<u8>>,
    queue: mpsc::Sender<Outgoing>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The subscribers of a publisher.
#[derive(Debug)]
pub(super) struct Subscribers {
    list: Mutex<(u64, Vec<Subscriber>)>,
    /// Messages that wait for each before new ones are left out.
    high_water_mark: usize,
    /// For handshakes.
    handshakes: Semaphore,
}

impl Subscribers {
    pub(super) fn new(high_water_mark: usize) -> Self {
        Self {
            list: Mutex::default(),
            high_water_mark: high_water_mark.max(1),
            handshakes: Semaphore::new(MAX_HANDSHAKES),
        }
    }

    fn list(&self) -> MutexGuard<'_, (u64, Vec<Subscriber>)> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a message to those who want it. It is left out for those who have too much waiting already.
    pub(super) fn send(&self, message: &Arc<Message>) {
        for subscriber in &self.list().1 {
            let wants = |topic: &Vec<u8>| message.topic.as_bytes().starts_with(topic);
            if !subscriber.topics.iter().any(wants) {
                continue;
            }
            let (waiting, length) = (&subscriber.waiting_bytes, message.len());
            if waiting.load(Ordering::Relaxed).saturating_add(length) > MAX_WAITING_BYTES {
                continue;
            }
            let outgoing = Outgoing::Message(Arc::clone(message));
            waiting.fetch_add(length, Ordering::Relaxed);
            if subscriber.queue.try_send(outgoing).is_err() {
                waiting.fetch_sub(length, Ordering::Relaxed);
            }
        }
    }

    /// Whether somebody listens to a topic.
    #[cfg(test)]
    pub(super) fn has(&self, topic: &str) -> bool {
        let wants = |one: &Subscriber| one.topics.iter().any(|own| own == topic.as_bytes());
        self.list().1.iter().any(wants)
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(
        self: Arc<Self>,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let Ok(shaking) = self.handshakes.try_acquire() else {
            return Err(io::Error::other("too many handshakes"));
        };
        let handshake = zmtp::shake_hands(&mut stream);
        tokio::time::timeout(HANDSHAKE_LIMIT, handshake)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        drop(shaking);
        let (sender, queue) = mpsc::channel(self.high_water_mark);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let Some(place) = self.join(sender.clone(), Arc::clone(&waiting_bytes)) else {
            return Err(io::Error::other("too many subscribers"));
        };
        let (reader, writer) = tokio::io::split(stream);
        tokio::select! {
            ended = place.listen(reader, sender) => ended,
            ended = write(writer, queue, &waiting_bytes) => ended,
        }
    }

    fn join(
        self: &Arc<Self>,
        queue: mpsc::Sender<Outgoing>,
        waiting_bytes: Arc<AtomicUsize>,
    ) -> Option<Place> {
        let (next, subscribers) = &mut *self.list();
        if subscribers.len() >= MAX_SUBSCRIBERS {
            return None;
        }
        let number = *next;
        *next += 1;
        subscribers.push(Subscriber {
            number,
            topics: Vec::new(),
            queue,
            waiting_bytes,
        });
        Some(Place {
            subscribers: Arc::clone(self),
            number,
        })
    }
}

/// A subscriber's place among the others, until it is dropped.
struct Place {
    subscribers: Arc<Subscribers>,
    number: u64,
}

impl Place {
    /// Reads what the subscriber says.
    async fn listen(
        &self,
        mut reader: impl AsyncRead + Unpin,
        queue: mpsc::Sender<Outgoing>,
    ) -> io::Result<()> {
        loop {
            match zmtp::read_frame(&mut reader).await?.meaning() {
                FromSubscriber::Subscribe(topic) => self.change(|topics| {
                    let has_room = topics.len() < MAX_SUBSCRIPTIONS;
                    if has_room {
                        topics.push(topic);
                    }
                    has_room
                })?,
                FromSubscriber::Cancel(topic) => self.change(|topics| {
                    if let Some(index) = topics.iter().position(|own| *own == topic) {
                        topics.swap_remove(index);
                    }
                    true
                })?,
                FromSubscriber::Ping(context) => {
                    // If that much is waiting, the subscriber sees by it that the publisher is there.
                    let _ = queue.try_send(Outgoing::Bytes(zmtp::pong(&context)));
                }
                FromSubscriber::Other => {}
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Vec<u8>>) -> bool) -> io::Result<()> {
        let mut list = self.subscribers.list();
        let own = list.1.iter_mut().find(|one| one.number == self.number);
        match own.map(|own| change(&mut own.topics)) {
            Some(true) => Ok(()),
            _ => Err(io::Error::other("too many subscriptions")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut list = self.subscribers.list();
        list.1.retain(|one| one.number != self.number);
    }
}

/// Sends what waits.
async fn write(
    writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Outgoing>,
    waiting_bytes: &AtomicUsize,
) -> io::Result<()> {
    let mut writer = BufWriter::new(writer);
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            match outgoing {
                Outgoing::Message(message) => {
                    writer.write_all(&message.head).await?;
                    writer.write_all(&message.body).await?;
                    writer.write_all(&message.tail).await?;
                    waiting_bytes.fetch_sub(message.len(), Ordering::Relaxed);
                }
                Outgoing::Bytes(bytes) => writer.write_all(&bytes).await?,
            }
            next = queue.try_recv().ok();
        }
        writer.flush().await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "subscriber_tests.rs"]
mod tests;
