//! What the tasks and the handles share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libp2p::{Multiaddr, PeerId};
use tokio::sync::Notify;

use crate::bandwidth::Meter;
use crate::peer_table::{Peer, PeerTable};

/// What the tasks and the handles share. Locks are held for moments and never over an await.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) local_peer_id: PeerId,
    pub(crate) meter: Arc<Meter>,
    table: Mutex<PeerTable>,
    listening: Mutex<Vec<Multiaddr>>,
    active: AtomicBool,
    /// Many blocks are missing: announcing the tip would only bother others.
    catching_up: AtomicBool,
    /// Wakes the sync task when peers come or go.
    pub(crate) peers_changed: Notify,
    /// Wakes the sync task when our tip moved.
    pub(crate) tip_changed: Notify,
}

impl Shared {
    pub(crate) fn new(local_peer_id: PeerId, meter: Arc<Meter>) -> Self {
        Self {
            local_peer_id,
            meter,
            table: Mutex::default(),
            listening: Mutex::default(),
            active: AtomicBool::new(true),
            catching_up: AtomicBool::new(false),
            peers_changed: Notify::new(),
            tip_changed: Notify::new(),
        }
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, PeerTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn listening(&self) -> MutexGuard<'_, Vec<Multiaddr>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a peer's entry, if it is connected.
    pub(crate) fn update_peer(&self, peer: &PeerId, change: impl FnOnce(&mut Peer)) {
        if let Some(entry) = self.table().peers.get_mut(peer) {
            change(entry);
        }
    }

    /// The number of a peer; 0 for one that is not admitted yet, or gone.
    pub(crate) fn number_of(&self, peer: &PeerId) -> u64 {
        self.table().peers.get(peer).map_or(0, |entry| entry.id)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Relaxed);
    }

    pub(crate) fn is_catching_up(&self) -> bool {
        self.catching_up.load(Ordering::Relaxed)
    }

    pub(crate) fn set_catching_up(&self, catching_up: bool) {
        self.catching_up.store(catching_up, Ordering::Relaxed);
    }
}
