//! A connection to a node's JSON-RPC: HTTP kept alive, one request at a time, and little work on this side, because
//! the client shares the processors with the node that it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where a node answers, and what it wants to be shown.
#[derive(Clone)]
pub(in crate::bench) struct Endpoint {
    address: SocketAddr,
    /// The head of a request, up to the length of its body.
    head: String,
}

impl Endpoint {
    /// The node at `url` whose cookie this is.
    pub(in crate::bench) fn new(url: &str, cookie: &str) -> Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let address = host.parse().with_context(|| format!("{url}: no address"))?;
        let credentials = STANDARD.encode(cookie.trim());
        Ok(Self {
            address,
            head: format!(
                "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n\
                 Content-Type: application/json\r\nContent-Length: "
            ),
        })
    }
}

/// A request as it goes over the connection.
pub(in crate::bench) fn post(endpoint: &Endpoint, body: &str) -> Vec<u8> {
    format!("{}{}\r\n\r\n{body}", endpoint.head, body.len()).into_bytes()
}

/// The answer to a call.
#[derive(Debug, Deserialize)]
pub(in crate::bench) struct Answer<T> {
    pub(in crate::bench) result: Option<T>,
    pub(in crate::bench) error: Option<Refusal>,
}

/// Why a call was refused.
#[derive(Debug, Deserialize)]
pub(in crate::bench) struct Refusal {
    pub(in crate::bench) code: i64,
    pub(in crate::bench) message: String,
}

/// A connection.
pub(in crate::bench) struct Connection {
    endpoint: Endpoint,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(in crate::bench) fn open(endpoint: &Endpoint) -> Result<Self> {
        let stream = TcpStream::connect(endpoint.address)
            .with_context(|| format!("{}", endpoint.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self {
            endpoint: endpoint.clone(),
            stream,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// Calls a method; `params` is a JSON array.
    pub(in crate::bench) fn call(&mut self, method: &str, params: &str) -> Result<Answer<Value>> {
        self.timed_call(method, params).map(|(answer, _)| answer)
    }

    /// Calls a method, and tells how long it took until the whole answer was there: reading what it says is the
    /// client's own time.
    pub(in crate::bench) fn timed_call(
        &mut self,
        method: &str,
        params: &str,
    ) -> Result<(Answer<Value>, Duration)> {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let request = post(&self.endpoint, &body);
        let start = Instant::now();
        let answer = self.send(&request)?;
        let took = start.elapsed();
        let answer = serde_json::from_slice(answer);
        Ok((
            answer.with_context(|| format!("the answer to {method}"))?,
            took,
        ))
    }

    /// Sends the body of several calls, and returns their answers.
    pub(in crate::bench) fn call_batch(&mut self, body: &str) -> Result<Vec<Answer<Value>>> {
        let request = post(&self.endpoint, body);
        let answer = self.send(&request)?;
        serde_json::from_slice(answer).context("the answer to a batch")
    }

    /// Sends a request that `post` made, and returns the body of the answer.
    pub(in crate::bench) fn send(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).context("sending")?;
        self.buffer.clear();
        let (start, length) = loop {
            self.read()?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break (end + 4, answer_length(&self.buffer[..end])?);
            }
            ensure!(self.buffer.len() <= MAX_HEAD_BYTES, "the head is too long");
        };
        ensure!(length <= MAX_ANSWER_BYTES, "{length} bytes of an answer");
        let known = self.buffer.len();
        if known < start + length {
            self.buffer.resize(start + length, 0);
            let rest = &mut self.buffer[known..];
            self.stream.read_exact(rest).context("no whole answer")?;
        }
        Ok(&self.buffer[start..start + length])
    }

    fn read(&mut self) -> Result<()> {
        let mut piece = [0; 16 << 10];
        let count = self.stream.read(&mut piece).context("no answer")?;
        ensure!(count > 0, "the node closed the connection");
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(())
    }
}

/// The length of the body that follows a head. An answer that carries no JSON is an error.
fn answer_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head).context("the head is no text")?;
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let (mut length, mut is_json) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("content-type") {
            is_json = value.trim() == "application/json";
        }
    }
    match length {
        Some(length) if is_json => Ok(length),
        _ => bail!("the node answers {status}"),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_tells_its_length() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 12";
        assert_eq!(answer_length(head).unwrap(), 12);
        let busy = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 25";
        let error = answer_length(busy).unwrap_err().to_string();
        assert!(error.contains("503 Service Unavailable"), "{error}");
    }

    #[test]
    fn a_request_has_the_length_of_its_body() {
        let endpoint = Endpoint::new("http://127.0.0.1:1", "user:word").unwrap();
        let request = String::from_utf8(post(&endpoint, "{}")).unwrap();
        assert!(
            request.ends_with("Content-Length: 2\r\n\r\n{}"),
            "{request}"
        );
        assert!(request.contains("Host: 127.0.0.1:1\r\n"), "{request}");
    }
}
