//! The memory of answers on their way to clients, who may read as slowly as they like: bounded for all of them together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which it is counted.
const UNIT_BYTES: u64 = 1 << 10;

/// What all answers may take together, in units.
const MAX_UNITS: u32 = 256 << 10;

/// Answers up to this length are not counted: connections are bounded, so those are too.
const FREE_BYTES: u64 = 64 << 10;

/// The memory of answers.
#[derive(Clone, Debug)]
pub(super) struct AnswerMemory {
    free: Arc<Semaphore>,
    units: u32,
}

impl Default for AnswerMemory {
    fn default() -> Self {
        Self::new(MAX_UNITS)
    }
}

impl AnswerMemory {
    fn new(units: u32) -> Self {
        Self {
            free: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }

    /// An answer that takes its memory from the bound until it is sent; `None` when there was not enough for so long. One that
    /// is larger than the bound takes all.
    pub(super) async fn hold(&self, response: Response, patience: Duration) -> Option<Response> {
        let length = http_body::Body::size_hint(response.body()).lower();
        if length <= FREE_BYTES {
            return Some(response);
        }
        let units = u32::try_from(length.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.free).acquire_many_owned(units.min(self.units));
        let permit = tokio::time::timeout(patience, permit).await.ok()?.ok()?;
        Some(response.map(|body| {
            Body::new(CountedBody {
                body,
                _permit: permit,
            })
        }))
    }
}

/// A body that holds its memory.
struct CountedBody {
    body: Body,
    _permit: OwnedSemaphorePermit,
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_LONG: Duration = Duration::from_millis(5);

    fn answer(bytes: u64) -> Response {
        let length = usize::try_from(bytes).unwrap();
        Response::new(Body::from(vec![b'a'; length]))
    }

    #[tokio::test]
    async fn answers_take_memory_until_they_are_sent() {
        let memory = AnswerMemory::new(300);
        let hold = |bytes| memory.hold(answer(bytes), NOT_LONG);
        let first = hold(200 * UNIT_BYTES).await.unwrap();
        assert_eq!(memory.free.available_permits(), 100);
        assert!(hold(101 * UNIT_BYTES).await.is_none());
        // Short ones always go.
        assert!(hold(FREE_BYTES).await.is_some());
        let second = hold(100 * UNIT_BYTES - 1).await.unwrap();
        assert_eq!(memory.free.available_permits(), 0);
        let body = first.into_body();
        let length = http_body::Body::size_hint(&body).exact();
        assert_eq!(length, Some(200 * UNIT_BYTES));
        let sent = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert_eq!(sent.len() as u64, 200 * UNIT_BYTES);
        assert_eq!(memory.free.available_permits(), 200);
        drop(second);
        // What is larger than all there is waits for all of it.
        let huge = hold(1_000 * UNIT_BYTES).await.unwrap();
        assert_eq!(memory.free.available_permits(), 0);
        drop(huge);
        assert_eq!(memory.free.available_permits(), 300);
    }
}
