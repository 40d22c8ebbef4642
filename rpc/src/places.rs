//! Places: how many requests are carried out at a time. A call that only waits, for a block or for a new template, gives its
//! place up meanwhile: any number of patient clients must not keep the others out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that wait without a place. As many connections are left for others at least.
const MAX_WAITING: usize = 256;

/// The places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    patience: Duration,
}

/// The place of one request.
#[derive(Debug)]
pub(crate) struct Place {
    waiting: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many places for work. A request stands in line for `patience` before it is turned away.
    pub(crate) fn new(working: usize, patience: Duration) -> Self {
        Self {
            working: Arc::new(Semaphore::new(working)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            patience,
        }
    }

    /// A place for a request; `None` when there was none for a while. Connections are bounded, so those who stand in
    /// line are too.
    pub(crate) async fn take(&self) -> Option<Place> {
        let held = match Arc::clone(&self.working).try_acquire_owned() {
            Ok(held) => held,
            Err(_) => {
                let working = Arc::clone(&self.working).acquire_owned();
                let held = tokio::time::timeout(self.patience, working).await;
                held.ok()?.ok()?
            }
        };
        Some(Place {
            waiting: Arc::clone(&self.waiting),
            held: Some(held),
        })
    }
}

impl Place {
    /// The place of a request that is the only one.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(1)),
            held: None,
        }
    }

    /// The request is going to wait for something. If very many do, it keeps its place.
    pub(crate) fn give_up_to_wait(&mut self) {
        if let Ok(permit) = Arc::clone(&self.waiting).try_acquire_owned() {
            self.held = Some(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_LONG: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn who_waits_makes_room_for_another() {
        let places = Places::new(1, NOT_LONG);
        let mut first = places.take().await.unwrap();
        assert!(places.take().await.is_none());
        first.give_up_to_wait();
        let second = places.take().await.unwrap();
        assert!(places.take().await.is_none());
        drop(second);
        assert!(places.take().await.is_some());
    }

    #[tokio::test]
    async fn those_who_wait_are_bounded() {
        let places = Places::new(1, NOT_LONG);
        let mut waiting = Vec::new();
        for _ in 0..MAX_WAITING {
            let mut place = places.take().await.unwrap();
            place.give_up_to_wait();
            waiting.push(place);
        }
        let mut last = places.take().await.unwrap();
        last.give_up_to_wait();
        assert!(places.take().await.is_none());
        drop(last);
        assert!(places.take().await.is_some());
    }

    #[tokio::test]
    async fn a_place_that_becomes_free_goes_to_who_stands_in_line() {
        let places = Arc::new(Places::new(1, LONG));
        let first = places.take().await.unwrap();
        let in_line = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(in_line.await.unwrap());
    }
}
