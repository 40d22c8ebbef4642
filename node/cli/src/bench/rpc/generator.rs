//! The load: connections on which the same request is sent again and again, all in one thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for an answer's head and, mostly, its body.
const BUFFER_BYTES: usize = 64 << 10;

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) address: SocketAddr,
    /// A whole HTTP request.
    pub(super) request: Vec<u8>,
    pub(super) connections: usize,
    /// Requests that are under way on a connection at a time.
    pub(super) depth: usize,
    pub(super) time: Duration,
    /// Calls count in there alone, if there is one.
    pub(super) span: Option<Arc<Span>>,
}

/// A part of the time.
#[derive(Debug)]
pub(super) struct Span {
    /// It is under way.
    pub(super) counted: AtomicBool,
    /// No more calls are wanted.
    pub(super) ended: AtomicBool,
}

impl Load {
    fn counts(&self) -> bool {
        let span = self.span.as_deref();
        span.is_none_or(|span| span.counted.load(Ordering::Relaxed))
    }

    fn is_over(&self, start: Instant) -> bool {
        let span = self.span.as_deref();
        span.is_some_and(|span| span.ended.load(Ordering::Relaxed)) || start.elapsed() >= self.time
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    elapsed: Duration,
    /// How long each took, in order.
    latencies: Vec<Duration>,
}

impl Outcome {
    pub(super) fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// Adds the calls of another load.
    pub(super) fn merge(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
    }

    pub(super) fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
        let requests = self.requests() as f64;
        requests / self.elapsed.as_secs_f64()
    }

    /// The latency that so many of a hundred stay below.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let index = self.latencies.len() * percent / 100;
        let index = index.min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Milliseconds, to a microsecond.
pub(super) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A call as an HTTP request.
pub(super) fn request(authorization: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends the load and waits for all answers.
pub(super) fn send(load: &Load) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the load")?;
    runtime.block_on(async {
        let start = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..load.connections {
            tasks.spawn(connection(load.clone(), start));
        }
        let mut latencies = Vec::new();
        while let Some(done) = tasks.join_next().await {
            latencies.extend(done??);
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        Ok(Outcome { elapsed, latencies })
    })
}

/// One connection's requests; returns how long each took.
async fn connection(load: Load, begin: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(load.address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut answers = Answers::default();
    let together = load.request.repeat(load.depth);
    loop {
        let (start, counts) = (Instant::now(), load.counts());
        stream.write_all(&together).await?;
        for _ in 0..load.depth {
            answers.next(&mut stream).await?;
            if counts || load.counts() {
                latencies.push(start.elapsed());
            }
        }
        if load.is_over(begin) {
            return Ok(latencies);
        }
    }
}

/// Answers as they come.
#[derive(Default)]
struct Answers {
    bytes: Vec<u8>,
    start: usize,
}

impl Answers {
    /// Reads to the end of an answer, which must be one with status 200.
    async fn next(&mut self, stream: &mut TcpStream) -> Result<()> {
        let (body, length) = loop {
            match head(&self.bytes[self.start..])? {
                Some(head) => break head,
                None => self.read(stream).await?,
            }
        };
        let end = self.start + body + length;
        while self.bytes.len() < end {
            self.read(stream).await?;
        }
        self.start = end;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
        Ok(())
    }

    async fn read(&mut self, stream: &mut TcpStream) -> Result<()> {
        self.bytes.reserve(BUFFER_BYTES);
        match stream.read_buf(&mut self.bytes).await? {
            0 => bail!("the node closed a connection"),
            _ => Ok(()),
        }
    }
}

/// Where the body begins and how long it is; `None` while the head is not whole.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).context("an answer's head")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!(
            "the node answers {}",
            head.lines().next().unwrap_or_default()
        );
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    Ok(Some((
        end + 4,
        length.context("an answer without a length")?,
    )))
}

/// Opens that many WebSockets, which subscribe to blocks, one after another.
pub(super) async fn subscribers(
    address: SocketAddr,
    authorization: &str,
    count: usize,
) -> Result<Vec<TcpStream>> {
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    let subscribe =
        text_frame(r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["block"]}"#);
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await?);
        }
        if !bytes.starts_with(b"HTTP/1.1 101") {
            bail!("no WebSocket: {}", String::from_utf8_lossy(&bytes));
        }
        stream.write_all(&subscribe).await?;
        read_frame(&mut stream).await?;
        streams.push(stream);
    }
    Ok(streams)
}

/// Reads one short message.
pub(super) async fn read_frame(stream: &mut TcpStream) -> Result<String> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await?;
    let length = match head[1] {
        126 => usize::from(stream.read_u16().await?),
        127 => bail!("a message that is too long"),
        length => usize::from(length),
    };
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8(text)?)
}

/// A short message as a client sends it, under a mask of zeroes.
fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("the text is short");
    assert!(length < 126);
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}
