//! How many nonces to ask a device for at once, so that a batch lasts one spell of work.

use std::time::Duration;

/// Hashes of a first batch, and the fewest: well below a millisecond for a processor.
const MIN_BATCH: u64 = 1 << 12;

/// How much a batch may grow at once: one measurement may be wrong.
const MAX_GROWTH: u64 = 8;

/// The size of the next batch.
#[derive(Clone, Debug)]
pub(super) struct BatchSize {
    hashes: u64,
}

impl BatchSize {
    pub(super) fn new() -> Self {
        Self { hashes: MIN_BATCH }
    }

    /// The last nonce of a batch that starts at `first`, where each nonce is tried with so many versions.
    pub(super) fn last_from(&self, first: u32, versions: u16) -> u32 {
        let nonces = (self.hashes / u64::from(versions.max(1))).max(1);
        let nonces = u32::try_from(nonces).unwrap_or(u32::MAX);
        first.saturating_add(nonces - 1)
    }

    /// Learns from a batch: `hashes` took `worked`, and the next batch should take `spell`.
    pub(super) fn learn(&mut self, hashes: u64, worked: Duration, spell: Duration) {
        if hashes < MIN_BATCH / 2 {
            return; // cancelled or solved at once: too little to measure
        }
        let wanted = u128::from(hashes) * spell.as_nanos() / worked.as_nanos().max(1);
        let most = self.hashes.saturating_mul(MAX_GROWTH);
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(most);
        self.hashes = wanted.max(MIN_BATCH);
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
            let hashes = u64::from(batch.last_from(0, 1)) + 1;
            batch.learn(hashes, Duration::from_nanos(hashes * 100), SPELL);
        }
        assert_eq!(batch.last_from(0, 1), 199_999);
        assert_eq!(batch.last_from(1_000, 1), 200_999);
    }

    #[test]
    fn grows_step_by_step_and_shrinks_at_once() {
        let mut batch = BatchSize::new();
        batch.learn(4_096, Duration::from_nanos(1), SPELL);
        assert_eq!(batch.last_from(0, 1), 8 * 4_096 - 1);
        batch.learn(8 * 4_096, Duration::from_secs(10), SPELL);
        assert_eq!(batch.last_from(0, 1), 4_095);
    }

    #[test]
    fn more_versions_take_fewer_nonces() {
        let batch = BatchSize::new();
        assert_eq!(batch.last_from(10, 64), 73);
        assert_eq!(batch.last_from(10, u16::MAX), 10);
        assert_eq!(batch.last_from(10, 0), 4_105);
    }

    #[test]
    fn stays_in_the_nonce_space() {
        let mut batch = BatchSize::new();
        for _ in 0..40 {
            batch.learn(u64::MAX, Duration::ZERO, SPELL);
        }
        assert_eq!(batch.last_from(0, 1), u32::MAX - 1);
        assert_eq!(batch.last_from(7, 1), u32::MAX);
    }

    #[test]
    fn ignores_what_is_too_short_to_measure() {
        let mut batch = BatchSize::new();
        batch.learn(1, Duration::from_secs(1), SPELL);
        assert_eq!(batch.last_from(0, 1), 4_095);
    }
}
