//! What was measured, and how it is told.

use std::time::Duration;

use serde_json::{Value, json};

/// Times of the same thing.
#[derive(Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    fn sorted_ms(&self) -> Vec<f64> {
        let mut times = self.0.clone();
        times.sort_unstable();
        times
            .iter()
            .map(|time| time.as_secs_f64() * 1_000.0)
            .collect()
    }

    /// Median and greatest, in milliseconds.
    fn summary(&self) -> (f64, f64) {
        let times = self.sorted_ms();
        let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
        (at(times.len() / 2), at(times.len().saturating_sub(1)))
    }

    fn text(&self) -> String {
        let (median, most) = self.summary();
        format!("{median:.2} ms (at most {most:.2})")
    }

    fn json(&self) -> Value {
        let (median, most) = self.summary();
        json!({ "median_ms": median, "max_ms": most, "count": self.0.len() })
    }
}

/// What was measured.
#[derive(Default)]
pub(super) struct Figures {
    /// Transactions in the mempool at first.
    pub(super) transactions: usize,
    /// Transactions of a template, and bytes of its JSON.
    pub(super) template_transactions: usize,
    pub(super) answer_bytes: usize,
    /// From a change of the mempool, the admission included, to a checked template that has it…
    pub(super) change_to_template: Times,
    /// …and until the answer to a call made then begins, and is there.
    pub(super) change_to_answer_begun: Times,
    pub(super) change_to_answer: Times,
    /// A call when nothing changed: until the answer begins, and is there.
    pub(super) unchanged_begun: Times,
    pub(super) unchanged: Times,
    /// From a new tip to a template on it without transactions, and to one with transactions.
    pub(super) tip_to_empty: Times,
    pub(super) tip_to_full: Times,
}

impl Figures {
    pub(super) fn text(&self) -> String {
        format!(
            "{} transactions in the mempool, {} in a template of {:.1} MB of JSON\n\
             from a change of the mempool\n  \
             to a checked template with it: {}\n  \
             to the answer of getblocktemplate: {}, with its transfer {}\n\
             getblocktemplate when nothing changed: {}, with its transfer {}\n\
             from a new tip\n  \
             to an empty template: {}\n  \
             to a full one: {}",
            self.transactions,
            self.template_transactions,
            self.answer_bytes as f64 / 1e6,
            self.change_to_template.text(),
            self.change_to_answer_begun.text(),
            self.change_to_answer.text(),
            self.unchanged_begun.text(),
            self.unchanged.text(),
            self.tip_to_empty.text(),
            self.tip_to_full.text(),
        )
    }

    pub(super) fn json(&self) -> String {
        json!({
            "transactions": self.transactions,
            "template_transactions": self.template_transactions,
            "answer_bytes": self.answer_bytes,
            "change_to_template": self.change_to_template.json(),
            "change_to_answer_begun": self.change_to_answer_begun.json(),
            "change_to_answer": self.change_to_answer.json(),
            "unchanged_begun": self.unchanged_begun.json(),
            "unchanged": self.unchanged.json(),
            "tip_to_empty": self.tip_to_empty.json(),
            "tip_to_full": self.tip_to_full.json(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_greatest_time_are_told() {
        let mut times = Times::default();
        for ms in [5, 1, 9] {
            times.push(Duration::from_millis(ms));
        }
        assert_eq!(times.text(), "5.00 ms (at most 9.00)");
        assert_eq!(
            times.json(),
            json!({"median_ms": 5.0, "max_ms": 9.0, "count": 3})
        );
    }
}
