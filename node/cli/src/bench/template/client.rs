//! Asks a node for its template over HTTP, and tells the time until the answer begins from the time until it is
//! there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// More than any answer.
const MAX_ANSWER_BYTES: usize = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"getblocktemplate","params":[{"rules":["segwit"]}]}"#;

/// An answer, and how long it took.
pub(super) struct Answer {
    /// Until its first bytes came.
    pub(super) begun: Duration,
    /// Until all of it was there.
    pub(super) complete: Duration,
    /// The JSON.
    pub(super) body: Vec<u8>,
}

/// A client of one node.
pub(super) struct Client {
    address: SocketAddr,
    request: String,
}

impl Client {
    /// A client of the node at `address` that keeps its password in this file.
    pub(super) fn new(address: SocketAddr, cookie: &Path) -> Result<Self> {
        let cookie =
            std::fs::read_to_string(cookie).with_context(|| cookie.display().to_string())?;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Basic {}\r\n\
             Content-Length: {}\r\n\r\n{REQUEST}",
            STANDARD.encode(cookie.trim()),
            REQUEST.len()
        );
        Ok(Self { address, request })
    }

    /// Asks for the template, on a connection that is open before the time is taken.
    pub(super) fn template(&self) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // Written to before, so that the system has given it its memory.
        let mut buffer = vec![1; 16 << 20];
        let start = Instant::now();
        stream.write_all(self.request.as_bytes())?;
        let mut length = stream.read(&mut buffer)?;
        let begun = start.elapsed();
        loop {
            if length == buffer.len() {
                ensure!(length < MAX_ANSWER_BYTES, "the answer is too long");
                buffer.resize(2 * length, 0);
            }
            match stream.read(&mut buffer[length..])? {
                0 => break,
                count => length += count,
            }
        }
        let complete = start.elapsed();
        buffer.truncate(length);
        let head = buffer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .context("the answer has no head")?;
        ensure!(
            buffer.starts_with(b"HTTP/1.1 200 "),
            "the node answers {}",
            String::from_utf8_lossy(&buffer[..head])
        );
        Ok(Answer {
            begun,
            complete,
            body: buffer.split_off(head + 4),
        })
    }
}
