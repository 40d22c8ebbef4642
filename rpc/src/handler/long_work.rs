//! Work that takes a thread for long, and ends early when nobody waits for it any more.

use super::Handler;
use crate::call::{CallError, CallResult, code};
use crate::dialect::UnderWay;
use crate::work_end::WorkEnd;

impl Handler {
    /// Runs work that blocks off the runtime's threads. What the call holds is held until it is over. It is asked to end when the server stops, and when the call is
    /// given up: the server drops the task of a client that has gone.
    pub(super) async fn long_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &WorkEnd) -> CallResult<T> + Send + 'static,
    ) -> CallResult<T> {
        let end = WorkEnd::default();
        let _gone = end.ask_when_dropped();
        let (handler, told, held) = (self.clone(), end.clone(), UnderWay::current());
        let mut done = tokio::task::spawn_blocking(move || {
            let _held = held;
            work(&handler, &told)
        });
        let done = tokio::select! {
            done = &mut done => done,
            () = self.stop.wait() => {
                end.ask();
                done.await
            }
        };
        done.unwrap_or_else(|_| Err(CallError::new(code::INTERNAL_ERROR, "Internal error")))
    }
}
