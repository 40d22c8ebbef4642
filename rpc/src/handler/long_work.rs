//! Work that takes a thread for long, and ends early when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Handler;
use crate::call::{CallError, CallResult, code};
use crate::error::stopping;

/// Tells work on a thread that it should end.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkEnd(Arc<AtomicBool>);

impl WorkEnd {
    /// The flag, for whoever looks often.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Whether to end.
    pub(super) fn is_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Nothing, as long as the work may go on.
    ///
    /// # Errors
    /// Code −9 when it should end.
    pub(super) fn go_on(&self) -> CallResult<()> {
        match self.is_asked_for() {
            true => Err(stopping()),
            false => Ok(()),
        }
    }

    fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks for the end when it is dropped.
struct AskWhenDropped(WorkEnd);

impl Drop for AskWhenDropped {
    fn drop(&mut self) {
        self.0.ask();
    }
}

impl Handler {
    /// Runs work that blocks off the runtime's threads. It is asked to end when the server stops, and when the call is
    /// given up: the server drops the task of a client that has gone.
    pub(super) async fn long_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &WorkEnd) -> CallResult<T> + Send + 'static,
    ) -> CallResult<T> {
        let end = WorkEnd::default();
        let _gone = AskWhenDropped(end.clone());
        let (handler, told) = (self.clone(), end.clone());
        let mut done = tokio::task::spawn_blocking(move || work(&handler, &told));
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
