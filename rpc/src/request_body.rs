//! The body of a request, read piece by piece within a bound.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};

/// Why a body can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It ends too early, or is not encoded as it should be.
    Broken,
    /// It is longer than it may be.
    TooLong,
}

/// Reads a body.
pub(crate) struct BodyReader {
    body: Body,
    max_bytes: usize,
    /// What was read: the only piece as it came, several in one.
    first: Option<Bytes>,
    joined: Vec<u8>,
}

impl BodyReader {
    /// Of a body that has at most so many bytes.
    pub(crate) fn new(body: Body, max_bytes: usize) -> Self {
        Self {
            body,
            max_bytes,
            first: None,
            joined: Vec::new(),
        }
    }

    /// Reads until there is more than so much, or the body has ended. Whether it has.
    ///
    /// # Errors
    /// The body is broken or too long.
    pub(crate) async fn read_to(&mut self, bytes: usize) -> Result<bool, BodyError> {
        while self.len() <= bytes {
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
            match frame {
                None => return Ok(true),
                Some(Err(_)) => return Err(BodyError::Broken),
                // Trailers say nothing here.
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.push(piece)?;
                    }
                }
            }
        }
        Ok(false)
    }

    /// What was read.
    pub(crate) fn finish(self) -> Bytes {
        self.first.unwrap_or_else(|| self.joined.into())
    }

    fn len(&self) -> usize {
        self.joined.len() + self.first.as_ref().map_or(0, Bytes::len)
    }

    fn push(&mut self, piece: Bytes) -> Result<(), BodyError> {
        if self.len().saturating_add(piece.len()) > self.max_bytes {
            return Err(BodyError::TooLong);
        }
        if self.len() == 0 {
            self.first = Some(piece);
            return Ok(());
        }
        self.joined.extend(self.first.take().into_iter().flatten());
        self.joined.extend_from_slice(&piece);
        Ok(())
    }
}
