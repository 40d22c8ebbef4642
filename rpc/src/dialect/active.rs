//! The calls that are under way, for `getrpcinfo`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The calls that are under way, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct ActiveCalls(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    next: u64,
    under_way: BTreeMap<u64, (&'static str, Instant)>,
}

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveCall {
    calls: Arc<ActiveCalls>,
    number: u64,
}

impl ActiveCalls {
    /// A call of this method begins.
    pub(crate) fn begin(self: &Arc<Self>, method: &'static str) -> ActiveCall {
        let mut calls = self.lock();
        let number = calls.next;
        calls.next += 1;
        calls.under_way.insert(number, (method, Instant::now()));
        ActiveCall {
            calls: Arc::clone(self),
            number,
        }
    }

    /// The methods, and how long each has been at work.
    pub(crate) fn list(&self) -> Vec<(&'static str, Duration)> {
        let calls = self.lock();
        let under_way = calls.under_way.values();
        under_way
            .map(|(method, since)| (*method, since.elapsed()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveCall {
    fn drop(&mut self) {
        self.calls.lock().under_way.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_listed_until_they_end() {
        let calls = Arc::new(ActiveCalls::default());
        let names = || -> Vec<_> { calls.list().into_iter().map(|(name, _)| name).collect() };
        let first = calls.begin("a");
        let second = calls.begin("b");
        assert_eq!(names(), ["a", "b"]);
        drop(first);
        assert_eq!(names(), ["b"]);
        drop(second);
        assert!(names().is_empty());
    }
}
