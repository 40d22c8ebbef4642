//! How many nonces to ask a device for at once, so that a batch lasts one spell of work.

use std::time::Duration;

/// A first batch, and the smallest: well below a millisecond for a processor.
const MIN_BATCH: u32 = 1 << 12;

/// How much a batch may grow at once: one measurement may be wrong.
const MAX_GROWTH: u64 = 8;

/// The size of the next batch.
#[derive(Clone, Debug)]
pub(super) struct BatchSize {
    nonces: u32,
}

impl BatchSize {
    pub(super) fn new() -> Self {
        Self { nonces: MIN_BATCH }
    }

    /// The last nonce of a batch that starts at `first`.
    pub(super) fn last_from(&self, first: u32) -> u32 {
        first.saturating_add(self.nonces - 1)
    }

    /// Learns from a batch: `hashes` took `worked`, and the next batch should take `spell`.
    pub(super) fn learn(&mut self, hashes: u64, worked: Duration, spell: Duration) {
        if hashes < u64::from(MIN_BATCH) {
            return; // cancelled or solved at once: too little to measure
        }
        let wanted = u128::from(hashes) * spell.as_nanos() / worked.as_nanos().max(1);
        let most = u64::from(self.nonces).saturating_mul(MAX_GROWTH);
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(most);
        self.nonces = u32::try_from(wanted).unwrap_or(u32::MAX).max(MIN_BATCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPELL: Duration = Duration::from_millis(20);

    #[test]
    fn approaches_the_spell() {
        let mut batch = BatchSize::new();
        // A device that does 10 million hashes a second.
        for _ in 0..10 {
            let hashes = u64::from(batch.last_from(0)) + 1;
            batch.learn(hashes, Duration::from_nanos(hashes * 100), SPELL);
        }
        assert_eq!(batch.last_from(0), 199_999);
        assert_eq!(batch.last_from(1_000), 200_999);
    }

    #[test]
    fn grows_step_by_step_and_shrinks_at_once() {
        let mut batch = BatchSize::new();
        batch.learn(4_096, Duration::from_nanos(1), SPELL);
        assert_eq!(batch.last_from(0), 8 * 4_096 - 1);
        batch.learn(8 * 4_096, Duration::from_secs(10), SPELL);
        assert_eq!(batch.last_from(0), 4_095);
    }

    #[test]
    fn stays_in_the_nonce_space() {
        let mut batch = BatchSize::new();
        for _ in 0..20 {
            batch.learn(u64::MAX, Duration::ZERO, SPELL);
        }
        assert_eq!(batch.last_from(0), u32::MAX - 1);
        assert_eq!(batch.last_from(7), u32::MAX);
    }

    #[test]
    fn ignores_what_is_too_short_to_measure() {
        let mut batch = BatchSize::new();
        batch.learn(1, Duration::from_secs(1), SPELL);
        assert_eq!(batch.last_from(0), 4_095);
    }
}
