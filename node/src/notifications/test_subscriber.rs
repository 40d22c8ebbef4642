//! A subscriber for tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::ZmqAddress;
use super::publisher::Publisher;
use super::subscriber::Subscribers;

const DEADLINE: Duration = Duration::from_secs(60);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection to a publisher.
pub(super) struct TestSubscriber(Box<dyn Stream>);

/// A message: topic, body, counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) topic: String,
    pub(super) body: Vec<u8>,
    pub(super) counter: u32,
}

impl TestSubscriber {
    /// Connects and subscribes, and returns when the publisher knows.
    pub(super) async fn connect(publisher: &Publisher, topics: &[&str]) -> Self {
        let stream: Box<dyn Stream> = match publisher.address() {
            ZmqAddress::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
            ZmqAddress::Ipc(path) => Box::new(UnixStream::connect(path).await.unwrap()),
        };
        Self::over(stream, publisher.subscribers(), topics).await
    }

    /// The same over any stream.
    pub(super) async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        subscribers: &Arc<Subscribers>,
        topics: &[&str],
    ) -> Self {
        let mut own = Self(Box::new(stream));
        let mut greeting = [0; 64];
        greeting[..12].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01");
        greeting[12..16].copy_from_slice(b"NULL");
        own.0.write_all(&greeting).await.unwrap();
        own.0
            .write_all(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB")
            .await
            .unwrap();
        let mut theirs = [0; 64];
        own.0.read_exact(&mut theirs).await.unwrap();
        assert_eq!((theirs[0], theirs[9], theirs[10]), (0xff, 0x7f, 3));
        let (flags, ready) = own.frame().await;
        assert_eq!(flags, 4);
        assert_eq!(ready, b"\x05READY\x0bSocket-Type\0\0\0\x03PUB");
        for topic in topics {
            own.say(1, topic).await;
        }
        let deadline = Instant::now() + DEADLINE;
        while !topics.iter().all(|topic| subscribers.has(topic)) {
            assert!(Instant::now() < deadline, "not subscribed in time");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        own
    }

    /// Subscribes (1) or cancels (0).
    pub(super) async fn say(&mut self, what: u8, topic: &str) {
        let length = u8::try_from(topic.len() + 1).unwrap();
        let bytes = [&[0, length, what][..], topic.as_bytes()].concat();
        self.0.write_all(&bytes).await.unwrap();
    }

    /// Sends anything.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next message.
    pub(super) async fn receive(&mut self) -> Received {
        let (first, topic) = self.frame().await;
        let (second, body) = self.frame().await;
        let (third, counter) = self.frame().await;
        assert_eq!((first & 1, second & 1, third & 1), (1, 1, 0));
        Received {
            topic: String::from_utf8(topic).unwrap(),
            body,
            counter: u32::from_le_bytes(counter.try_into().unwrap()),
        }
    }

    /// The next frame: its flags and its body.
    pub(super) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let flags = self.0.read_u8().await.unwrap();
            let length = if flags & 2 == 0 {
                u64::from(self.0.read_u8().await.unwrap())
            } else {
                self.0.read_u64().await.unwrap()
            };
            let mut body = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut body).await.unwrap();
            (flags, body)
        };
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("a frame in time")
    }

    /// Waits for the end of the connection.
    pub(super) async fn ended(&mut self) {
        let read = async { while self.0.read_u8().await.is_ok() {} };
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("the end in time");
    }
}
