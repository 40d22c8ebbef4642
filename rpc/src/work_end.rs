//! Tells work on a thread that it should end, because nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::CallResult;
use crate::error::stopping;

/// Tells work on a thread that it should end.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkEnd(Arc<AtomicBool>);

impl WorkEnd {
    /// The flag, for whoever looks often.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Whether to end.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Nothing, as long as the work may go on.
    ///
    /// # Errors
    /// Code −9 when it should end.
    pub(crate) fn go_on(&self) -> CallResult<()> {
        match self.is_asked_for() {
            true => Err(stopping()),
            false => Ok(()),
        }
    }

    /// Asks for the end.
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Asks for the end when the guard is dropped.
    pub(crate) fn ask_when_dropped(&self) -> AskWhenDropped {
        AskWhenDropped(self.clone())
    }
}

/// Asks for the end when it is dropped.
#[derive(Debug)]
pub(crate) struct AskWhenDropped(WorkEnd);

impl Drop for AskWhenDropped {
    fn drop(&mut self) {
        self.0.ask();
    }
}
