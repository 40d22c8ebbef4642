//! Places: how many requests are carried out at a time, and how many of them for one client. A call that only waits, for a
//! block or for a new template, has no place for work meanwhile: any number of patient clients must not keep the others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that wait without a place for work. As many connections are left for others at least.
const MAX_WAITING: usize = 256;

/// Requests that are carried out beside the others, because they control the node and cost little.
const MAX_CONTROL: usize = 4;

/// When the table of clients has so many, those that have gone are taken out.
const MANY_CLIENTS: usize = 1_024;

/// Of an address of IPv6, these bits tell the network: all others are its owner's to choose.
const NETWORK_BITS: u32 = 64;

/// The places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    control: Arc<Semaphore>,
    shares: Shares,
    patience: Duration,
}

/// Who shares places with himself alone: an address, and the user there, if one is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    network: IpAddr,
    user: Option<usize>,
}

impl Client {
    /// A user, given by a number, at an address.
    pub(crate) fn new(address: IpAddr, user: Option<usize>) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (u128::BITS - NETWORK_BITS);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            address @ IpAddr::V4(_) => address,
        };
        Self { network, user }
    }
}

/// The places that one client may have.
#[derive(Debug)]
struct Shares {
    most: usize,
    clients: Mutex<HashMap<Client, Arc<Semaphore>>>,
}

impl Shares {
    fn of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MANY_CLIENTS {
            // Whoever holds or awaits a place has a share in his semaphore.
            clients.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let share = clients.entry(client);
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(self.most))))
    }
}

/// The place of one request.
#[derive(Debug)]
pub(crate) struct Place {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    share: Arc<Semaphore>,
    held: Arc<Held>,
}

/// What a place holds until the last who shares it is done: the work of a call may go on for a moment when its client has gone.
#[derive(Debug, Default)]
pub(crate) struct Held {
    kind: Kind,
    permits: Vec<OwnedSemaphorePermit>,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Work.
    #[default]
    Work,
    /// Waiting.
    Wait,
}

/// There are too many who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyWait;

impl Places {
    /// So many places for work. A request stands in line for `patience` before it is turned away.
    pub(crate) fn new(working: usize, patience: Duration) -> Self {
        Self {
            working: Arc::new(Semaphore::new(working)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            control: Arc::new(Semaphore::new(MAX_CONTROL)),
            shares: Shares {
                // A quarter is for others.
                most: working - working / 4,
                clients: Mutex::default(),
            },
            patience,
        }
    }

    /// How many places are free, for work and for waiting.
    #[cfg(test)]
    pub(crate) fn free(&self) -> (usize, usize) {
        (
            self.working.available_permits(),
            self.waiting.available_permits(),
        )
    }

    /// A place for a client's request; `None` when there was none for a while. Connections are bounded, so those who stand in
    /// line are too.
    pub(crate) async fn take(&self, client: Client) -> Option<Place> {
        if let Some(place) = self.take_free(client) {
            return Some(place);
        }
        let share = self.shares.of(client);
        let permits = permits_of(&share, &self.working);
        let permits = tokio::time::timeout(self.patience, permits).await.ok()??;
        Some(self.place(share, permits))
    }

    /// A place that is free; `None` when there is none for this client.
    pub(crate) fn take_free(&self, client: Client) -> Option<Place> {
        let share = self.shares.of(client);
        let own = Arc::clone(&share).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.working).try_acquire_owned().ok()?;
        Some(self.place(share, vec![own, all]))
    }

    /// A place beside all others, for what controls the node; `None` when too many ask for one.
    pub(crate) fn take_for_control(&self, client: Client) -> Option<Place> {
        let permit = Arc::clone(&self.control).try_acquire_owned().ok()?;
        Some(self.place(self.shares.of(client), vec![permit]))
    }

    fn place(&self, share: Arc<Semaphore>, permits: Vec<OwnedSemaphorePermit>) -> Place {
        Place {
            working: Arc::clone(&self.working),
            waiting: Arc::clone(&self.waiting),
            share,
            held: Arc::new(Held {
                kind: Kind::Work,
                permits,
            }),
        }
    }
}

/// A client's own permit and one of all, when both are there; `None` never happens, because no semaphore is closed.
async fn permits_of(
    share: &Arc<Semaphore>,
    working: &Arc<Semaphore>,
) -> Option<Vec<OwnedSemaphorePermit>> {
    // His own first: who has too much under way stands in nobody's way.
    let own = Arc::clone(share).acquire_owned().await.ok()?;
    let all = Arc::clone(working).acquire_owned().await.ok()?;
    Some(vec![own, all])
}

impl Place {
    /// The place of a request that is the only one.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        let semaphore = || Arc::new(Semaphore::new(1));
        Self {
            working: semaphore(),
            waiting: semaphore(),
            share: semaphore(),
            held: Arc::default(),
        }
    }

    /// Holds something else too, until the request waits or ends.
    pub(crate) fn with(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        if let Some(held) = Arc::get_mut(&mut self.held) {
            held.permits.extend(permit);
        }
        self
    }

    /// A share of what is held, for work that does not end with the request.
    pub(crate) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }

    /// The request is going to wait for something: its place for work is free for others.
    ///
    /// # Errors
    /// Too many wait. It must not wait then.
    pub(crate) fn give_up_to_wait(&mut self) -> Result<(), TooManyWait> {
        let permit = Arc::clone(&self.waiting).try_acquire_owned();
        let permit = permit.map_err(|_| TooManyWait)?;
        self.held = Arc::new(Held {
            kind: Kind::Wait,
            permits: vec![permit],
        });
        Ok(())
    }

    /// The request does not wait any more, and goes on when there is a place for work.
    pub(crate) async fn work_again(&mut self) {
        if self.held.kind == Kind::Wait
            && let Some(permits) = permits_of(&self.share, &self.working).await
        {
            self.held = Arc::new(Held {
                kind: Kind::Work,
                permits,
            });
        }
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
