//! ZMTP 3.0, the protocol between ZMQ sockets (RFC 23), as far as a publisher without security needs it. The `zeromq`
//! crate is not used here because its publisher queues 100,000 messages for each subscriber, whatever their size, and can't be told to
//! queue fewer.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The length of a greeting.
const GREETING_BYTES: usize = 64;

/// The longest frame that a subscriber may send: names of topics, or what it says of itself.
const MAX_FRAME_BYTES: u64 = 4 << 10;

/// Bits of a frame's first byte.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A part of a message, or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    flags: u8,
    body: Vec<u8>,
}

/// What a subscriber says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FromSubscriber {
    /// It wants messages whose topics begin so.
    Subscribe(Vec<u8>),
    /// It wants them no longer.
    Cancel(Vec<u8>),
    /// It asks whether the publisher is there, and for this context back.
    Ping(Vec<u8>),
    /// Nothing that matters here.
    Other,
}

/// Exchanges greetings and what the sockets are, as a publisher.
///
/// # Errors
/// The connection ended, or the peer is no subscriber that speaks ZMTP 3 without security.
pub(super) async fn shake_hands(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> io::Result<()> {
    stream.write_all(&greeting()).await?;
    let mut theirs = [0; GREETING_BYTES];
    stream.read_exact(&mut theirs).await?;
    check_greeting(&theirs)?;
    let metadata = [
        &b"\x05READY\x0bSocket-Type"[..],
        &3_u32.to_be_bytes(),
        b"PUB",
    ]
    .concat();
    stream.write_all(&command(&metadata)).await?;
    let ready = read_frame(stream).await?;
    let kind = socket_type(&ready).ok_or_else(|| refused("no READY"))?;
    if !kind.eq_ignore_ascii_case(b"SUB") && !kind.eq_ignore_ascii_case(b"XSUB") {
        return Err(refused("not a subscriber"));
    }
    Ok(())
}

fn greeting() -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn check_greeting(greeting: &[u8; GREETING_BYTES]) -> io::Result<()> {
    if greeting[0] != 0xff || greeting[9] & 1 == 0 {
        return Err(refused("not ZMTP"));
    }
    if greeting[10] < 3 {
        return Err(refused("ZMTP below version 3"));
    }
    if greeting[12..32] != self::greeting()[12..32] {
        return Err(refused("a security mechanism that is not supported"));
    }
    Ok(())
}

/// What a `READY` command says the peer's socket is.
fn socket_type(ready: &Frame) -> Option<&[u8]> {
    let mut rest = ready.body.strip_prefix(b"\x05READY")?;
    if ready.flags & COMMAND == 0 {
        return None;
    }
    loop {
        let (&length, tail) = rest.split_first()?;
        let (name, tail) = tail.split_at_checked(usize::from(length))?;
        let (length, tail) = tail.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, tail) = tail.split_at_checked(length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return Some(value);
        }
        rest = tail;
    }
}

/// Reads a frame.
///
/// # Errors
/// The connection ended, or the frame is longer than any that a subscriber needs.
pub(super) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let flags = stream.read_u8().await?;
    let length = if flags & LONG == 0 {
        u64::from(stream.read_u8().await?)
    } else {
        stream.read_u64().await?
    };
    let length = Some(length)
        .filter(|length| *length <= MAX_FRAME_BYTES)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or_else(|| refused("a frame that is too long"))?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Frame { flags, body })
}

impl Frame {
    /// What a subscriber means by it. Subscriptions are messages in ZMTP 3.0, and commands from 3.1 on.
    pub(super) fn meaning(self) -> FromSubscriber {
        let body = self.body;
        if self.flags & COMMAND == 0 {
            return match body.split_first() {
                Some((1, topic)) => FromSubscriber::Subscribe(topic.to_vec()),
                Some((0, topic)) => FromSubscriber::Cancel(topic.to_vec()),
                _ => FromSubscriber::Other,
            };
        }
        if let Some(topic) = body.strip_prefix(b"\x09SUBSCRIBE") {
            FromSubscriber::Subscribe(topic.to_vec())
        } else if let Some(topic) = body.strip_prefix(b"\x06CANCEL") {
            FromSubscriber::Cancel(topic.to_vec())
        } else if let Some(context) = body.strip_prefix(b"\x04PING") {
            // Two bytes say how long the peer would wait.
            FromSubscriber::Ping(context.get(2..).unwrap_or_default().to_vec())
        } else {
            FromSubscriber::Other
        }
    }
}

/// The answer to a ping.
pub(super) fn pong(context: &[u8]) -> Vec<u8> {
    command(&[b"\x04PONG", context].concat())
}

fn command(body: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(COMMAND, body.len());
    bytes.extend(body);
    bytes
}

/// A message of three parts, as bytes around its body.
pub(super) fn around(topic: &str, body_length: usize, counter: u32) -> (Vec<u8>, Vec<u8>) {
    let mut head = frame_head(MORE, topic.len());
    head.extend(topic.as_bytes());
    head.extend(frame_head(MORE, body_length));
    let mut tail = frame_head(0, 4);
    tail.extend(counter.to_le_bytes());
    (head, tail)
}

/// What stands before a frame's body.
fn frame_head(flags: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(length) => vec![flags, length],
        Err(_) => {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            [&[flags | LONG][..], &length.to_be_bytes()].concat()
        }
    }
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_messages_or_commands() {
        let frame = |flags, body: &[u8]| Frame {
            flags,
            body: body.to_vec(),
        };
        for (frame, meaning) in [
            (
                frame(0, b"\x01raw"),
                FromSubscriber::Subscribe(b"raw".to_vec()),
            ),
            (frame(0, b"\x01"), FromSubscriber::Subscribe(Vec::new())),
            (
                frame(0, b"\x00raw"),
                FromSubscriber::Cancel(b"raw".to_vec()),
            ),
            (
                frame(COMMAND, b"\x09SUBSCRIBEraw"),
                FromSubscriber::Subscribe(b"raw".to_vec()),
            ),
            (
                frame(COMMAND, b"\x06CANCELraw"),
                FromSubscriber::Cancel(b"raw".to_vec()),
            ),
            (
                frame(COMMAND, b"\x04PING\x00\x01me"),
                FromSubscriber::Ping(b"me".to_vec()),
            ),
            (
                frame(COMMAND, b"\x04PING"),
                FromSubscriber::Ping(Vec::new()),
            ),
            (frame(0, b""), FromSubscriber::Other),
            (frame(0, b"\x02raw"), FromSubscriber::Other),
            (frame(COMMAND, b"\x05OTHER"), FromSubscriber::Other),
        ] {
            assert_eq!(frame.meaning(), meaning);
        }
    }

    #[test]
    fn a_message_has_three_frames() {
        let (head, tail) = around("rawtx", 3, 258);
        assert_eq!(head, b"\x01\x05rawtx\x01\x03");
        assert_eq!(tail, b"\x00\x04\x02\x01\x00\x00");
        let (head, _) = around("rawtx", 256, 0);
        assert_eq!(head, b"\x01\x05rawtx\x03\x00\x00\x00\x00\x00\x00\x01\x00");
    }

    #[test]
    fn the_kind_of_socket_is_in_the_metadata() {
        let ready = |flags, body: &[u8]| Frame {
            flags,
            body: body.to_vec(),
        };
        let body = b"\x05READY\x08Identity\0\0\0\x01x\x0bsocket-type\0\0\0\x03SUB";
        assert_eq!(socket_type(&ready(COMMAND, body)), Some(&b"SUB"[..]));
        assert_eq!(socket_type(&ready(0, body)), None);
        for end in 0..body.len() {
            assert_eq!(socket_type(&ready(COMMAND, &body[..end])), None, "{end}");
        }
    }

    #[tokio::test]
    async fn who_is_no_subscriber_is_refused() {
        let ready = |kind: &[u8]| {
            let length = u32::try_from(kind.len()).unwrap().to_be_bytes();
            command(&[&b"\x05READY\x0bSocket-Type"[..], &length, kind].concat())
        };
        let with = |index: usize, byte| {
            let mut greeting = greeting();
            greeting[index] = byte;
            greeting
        };
        for (bytes, refusal) in [
            ([&greeting()[..], &ready(b"SUB")].concat(), None),
            ([&with(11, 1)[..], &ready(b"XSUB")].concat(), None),
            (
                [&greeting()[..], &ready(b"PULL")].concat(),
                Some("not a subscriber"),
            ),
            ([&greeting()[..], b"\x04\x02ab"].concat(), Some("no READY")),
            (with(0, b'G').to_vec(), Some("not ZMTP")),
            (with(10, 1).to_vec(), Some("ZMTP below version 3")),
            (
                with(12, b'P').to_vec(),
                Some("a security mechanism that is not supported"),
            ),
            (
                [&greeting()[..], &[LONG], &u64::MAX.to_be_bytes()].concat(),
                Some("a frame that is too long"),
            ),
        ] {
            let (mut ours, mut theirs) = tokio::io::duplex(1 << 10);
            theirs.write_all(&bytes).await.unwrap();
            let outcome = shake_hands(&mut ours)
                .await
                .map_err(|error| error.to_string());
            assert_eq!(outcome.err().as_deref(), refusal);
        }
    }
}

#[cfg(test)]
#[path = "zmtp_fuzz.rs"]
mod fuzz;
