//! The text of a template is rendered when the template is published, as long as somebody asks for templates: who asks next
//! does not wait for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Handler;
use super::template_request::Capabilities;

/// How long after a call another one is expected. Miners ask every few seconds, or keep a long poll open, which ends within a
/// minute or two where there are transactions.
const EXPECTED_WITHIN: Duration = Duration::from_secs(120);

/// When somebody asked for a template last.
#[derive(Debug, Default)]
pub(super) struct LastAsked(Mutex<Option<Instant>>);

impl LastAsked {
    /// Somebody asks.
    pub(super) fn note(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether somebody is going to ask again soon, as far as one can tell.
    fn is_recent(&self, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) < EXPECTED_WITHIN)
    }
}

impl Handler {
    /// Renders templates until the server stops.
    pub(crate) async fn render_ahead(self) {
        let mut published = self.context.work.published();
        loop {
            tokio::select! {
                () = self.stop.wait() => return,
                changed = published.changed() => if changed.is_err() { return },
            }
            if self.last_asked.is_recent(Instant::now()) {
                // Who asks meanwhile waits for this one. What can't be rendered now is told to those who ask.
                let _ = self
                    .blocking(|handler| handler.template(None, None, Capabilities::default()))
                    .await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_recent_for_a_while() {
        let last = LastAsked::default();
        let now = Instant::now();
        assert!(!last.is_recent(now));
        last.note(now);
        assert!(last.is_recent(now + EXPECTED_WITHIN - Duration::from_secs(1)));
        assert!(!last.is_recent(now + EXPECTED_WITHIN));
    }
}
