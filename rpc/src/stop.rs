//! Tells calls that are under way that the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// The side that stops.
#[derive(Debug)]
pub(crate) struct StopSender {
    flag: Arc<AtomicBool>,
    sender: watch::Sender<bool>,
}

/// The side that is told.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    flag: Arc<AtomicBool>,
    receiver: watch::Receiver<bool>,
}

/// Both sides.
pub(crate) fn stop_signal() -> (StopSender, Stop) {
    let flag = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = watch::channel(false);
    (
        StopSender {
            flag: Arc::clone(&flag),
            sender,
        },
        Stop { flag, receiver },
    )
}

impl StopSender {
    /// Stops.
    pub(crate) fn stop(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.sender.send_replace(true);
    }
}

/// A server that is dropped stops, too.
impl Drop for StopSender {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Stop {
    /// Whether the server stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Returns when the server stops.
    pub(crate) async fn wait(&self) {
        // A sender that is gone can't be waited for: its server has ended.
        let _ = self.receiver.clone().wait_for(|stopping| *stopping).await;
    }
}
