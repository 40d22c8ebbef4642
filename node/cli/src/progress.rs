//! Progress of long work, for people.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(200);
/// The time over which speed is measured: what was passed over fast at the start soon counts no more.
const SPEED_SPAN: Duration = Duration::from_secs(20);
/// How often a point is kept for that.
const SPEED_STEP: Duration = Duration::from_millis(500);
/// Characters of a bar.
const BAR_WIDTH: u64 = 24;

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

    /// Whether there is a terminal to see it on.
    pub(crate) fn is_visible(&self) -> bool {
        self.on_terminal
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

/// A bar with percent, speed and the time left.
pub(crate) struct ProgressBar {
    line: ProgressLine,
    what: &'static str,
    speed: Speed,
}

/// How far work is.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    /// In the unit in which the work is even, such as bytes.
    pub(crate) done: u64,
    /// Of how many.
    pub(crate) total: u64,
    pub(crate) blocks: u64,
}

impl ProgressBar {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            line: ProgressLine::new(),
            what,
            speed: Speed::default(),
        }
    }

    /// Shows how far the work is, if it is time for that.
    pub(crate) fn show(&mut self, amount: Amount) {
        self.speed.note(Instant::now(), amount);
        let (what, speed) = (self.what, &self.speed);
        self.line.show(|| bar_text(what, amount, speed));
    }

    pub(crate) fn clear(&self) {
        self.line.clear();
    }
}

/// The points of the last seconds.
#[derive(Default)]
struct Speed(VecDeque<(Instant, Amount)>);

impl Speed {
    fn note(&mut self, now: Instant, amount: Amount) {
        let is_due = self
            .0
            .back()
            .is_none_or(|(last, _)| now.duration_since(*last) >= SPEED_STEP);
        if !is_due {
            return;
        }
        self.0.push_back((now, amount));
        while self.0.len() > 2 && now.duration_since(self.0[0].0) > SPEED_SPAN {
            self.0.pop_front();
        }
    }

    /// Blocks a second, and seconds that are left; `None` before there is a measure.
    fn measure(&self) -> Option<(f64, f64)> {
        let ((start, first), (end, last)) = (self.0.front()?, self.0.back()?);
        let seconds = end.duration_since(*start).as_secs_f64();
        let done = last.done.saturating_sub(first.done);
        if seconds <= 0.0 || done == 0 {
            return None;
        }
        let blocks = last.blocks.saturating_sub(first.blocks) as f64 / seconds;
        let left = last.total.saturating_sub(last.done) as f64 / (done as f64 / seconds);
        Some((blocks, left))
    }
}

fn bar_text(what: &str, amount: Amount, speed: &Speed) -> String {
    let done = amount.done.min(amount.total);
    let full = done.saturating_mul(BAR_WIDTH) / amount.total.max(1);
    let percent = done.saturating_mul(100) / amount.total.max(1);
    let bar: String = (0..BAR_WIDTH)
        .map(|place| if place < full { '#' } else { '.' })
        .collect();
    let mut text = format!("{what} [{bar}] {percent:3} %  {} blocks", amount.blocks);
    if let Some((blocks, left)) = speed.measure() {
        text = format!("{text}, {blocks:.0} a second, {} left", duration_text(left));
    }
    text
}

/// A length of time, as exact as people want to know it.
fn duration_text(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(done: u64) -> Amount {
        Amount {
            done,
            total: 1_000,
            blocks: done / 10,
        }
    }

    #[test]
    fn the_time_left_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut speed = Speed::default();
        assert!(speed.measure().is_none());
        // A jump, as over what is known, then ten a second.
        speed.note(start, amount(0));
        speed.note(start + Duration::from_secs(1), amount(500));
        for second in 2..=40 {
            let now = start + Duration::from_secs(second);
            speed.note(now, amount(500 + 10 * (second - 1)));
        }
        let (blocks, left) = speed.measure().unwrap();
        assert!((blocks - 1.0).abs() < 0.2, "{blocks}");
        assert!((left - 11.0).abs() < 0.5, "{left}");
    }

    #[test]
    fn a_bar_says_how_far_it_is() {
        let text = bar_text("importing", amount(500), &Speed::default());
        assert_eq!(
            text,
            "importing [############............]  50 %  50 blocks"
        );
        let text = bar_text("importing", amount(1_000), &Speed::default());
        assert!(text.contains("100 %") && !text.contains('.'), "{text}");
    }

    #[test]
    fn lengths_of_time_are_for_people() {
        assert_eq!(duration_text(0.4), "0 s");
        assert_eq!(duration_text(89.0), "89 s");
        assert_eq!(duration_text(90.0), "2 min");
        assert_eq!(duration_text(7200.0), "2.0 h");
        assert_eq!(duration_text(200_000.0), "2.3 days");
    }
}
