//! Progress of long work, for people.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(200);

/// One line on a terminal that is written over; nothing elsewhere.
pub(crate) struct ProgressLine {
    shown: Option<Instant>,
    on_terminal: bool,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self {
            shown: None,
            on_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows what `text` says, if it is time for that.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let due = self.shown.is_none_or(|shown| shown.elapsed() >= EVERY);
        if !self.on_terminal || !due {
            return;
        }
        self.shown = Some(Instant::now());
        eprint!("\r{}\x1b[K", text());
        // Only a display.
        let _ = std::io::stderr().flush();
    }

    pub(crate) fn clear(&self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
