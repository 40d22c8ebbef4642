//! What a server holds for its clients, for tests that ask whether it is free again.

use std::sync::Arc;

use super::Shared;

/// Counts that are the same whenever no client holds anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Calls that are carried out.
    calls: Vec<&'static str>,
    /// Places of requests that work, and of those that wait.
    free_places: (usize, usize),
    free_large_places: usize,
    free_subscriber_places: usize,
    /// Connections and requests: each shares the server's state.
    shares: usize,
    /// Threads that work for calls: each has the parts of the node.
    workers: usize,
}

impl Held {
    /// As of now.
    pub(crate) fn by(shared: &Arc<Shared>) -> Self {
        let calls = shared.dispatcher.active().list();
        Self {
            calls: calls.into_iter().map(|(method, _)| method).collect(),
            free_places: shared.places.free(),
            free_large_places: shared.large_places.available_permits(),
            free_subscriber_places: shared.subscriber_places.available_permits(),
            shares: Arc::strong_count(shared),
            workers: shared.rest.get().map_or(0, |rest| rest.sharers()),
        }
    }

    /// Places of subscribers that are free.
    pub(crate) fn free_subscriber_places(&self) -> usize {
        self.free_subscriber_places
    }

    /// The methods that are carried out.
    pub(crate) fn calls(&self) -> &[&'static str] {
        &self.calls
    }
}
