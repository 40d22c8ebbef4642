//! How often a device errs: hardware does so now and then, and is set aside only when it does so often.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Of so many results, the last ones,
pub(crate) const ERROR_WINDOW: u64 = 128;

/// so many wrong ones are too many.
pub(crate) const MOST_ERRORS: usize = 16;

/// An error that is older is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// The errors among the last results of a device.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorWindow {
    /// Results so far, right and wrong ones.
    results: u64,
    /// The last errors: the number of the result, and when it came.
    errors: VecDeque<(u64, Instant)>,
}

impl ErrorWindow {
    /// Takes note of right results.
    pub(crate) fn note_good(&mut self, results: u64) {
        self.results = self.results.saturating_add(results);
    }

    /// Takes note of a wrong result.
    pub(crate) fn note_error(&mut self, at: Instant) {
        self.results = self.results.saturating_add(1);
        if self.errors.len() == MOST_ERRORS {
            self.errors.pop_front();
        }
        self.errors.push_back((self.results, at));
    }

    /// How many of the last [`ERROR_WINDOW`] results were wrong, as far as that was not an hour ago; [`MOST_ERRORS`] at most.
    pub(crate) fn recent(&self, now: Instant) -> usize {
        let oldest = (self.results + 1).saturating_sub(ERROR_WINDOW);
        let is_recent = |(number, at): &&(u64, Instant)| {
            *number >= oldest && now.saturating_duration_since(*at) < FORGOTTEN_AFTER
        };
        self.errors.iter().filter(is_recent).count()
    }

    /// Whether there were too many.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.recent(now) >= MOST_ERRORS
    }

    /// Results so far, right and wrong ones.
    pub(crate) fn results(&self) -> u64 {
        self.results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_a_row_are_too_many() {
        let now = Instant::now();
        let mut window = ErrorWindow::default();
        for count in 1..MOST_ERRORS {
            window.note_error(now);
            assert_eq!(window.recent(now), count);
            assert!(!window.is_over(now));
        }
        window.note_error(now);
        assert!(window.is_over(now));
        assert_eq!(window.results(), 16);
    }

    #[test]
    fn one_error_in_ten_results_is_never_too_much() {
        let now = Instant::now();
        let mut window = ErrorWindow::default();
        for _ in 0..1_000 {
            window.note_error(now);
            window.note_good(9);
            assert!(!window.is_over(now));
            assert!(window.recent(now) <= 13, "{}", window.recent(now));
        }
        window.note_good(ERROR_WINDOW);
        assert_eq!(window.recent(now), 0, "they are far back");
    }

    #[test]
    fn errors_are_forgotten_after_an_hour() {
        let start = Instant::now();
        let mut window = ErrorWindow::default();
        for error in 0..100_u32 {
            let now = start + Duration::from_secs(300) * error;
            window.note_error(now);
            assert!(!window.is_over(now), "{error}");
        }
    }
}
