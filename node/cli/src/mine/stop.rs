//! Tells threads that wait that the program ends.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Stop {
    is_stopping: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn stop(&self) {
        *self
            .is_stopping
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self
            .is_stopping
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, or until the end.
    pub(super) fn wait(&self, duration: Duration) {
        let guard = self
            .is_stopping
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Whether it was the end, the caller asks.
        let _ = self
            .changed
            .wait_timeout_while(guard, duration, |is_stopping| !*is_stopping);
    }
}
