//! The minimum fee rate that an eviction leaves behind, and how it fades.

use crate::FeeRate;

/// How long it takes the minimum to halve while the mempool is at least half full.
const HALF_LIFE_S: f64 = 12.0 * 60.0 * 60.0;

/// The shortest time between two steps of fading.
const STEP_S: u64 = 10;

/// The minimum that evictions left (Bitcoin Core's `CTxMemPool::GetMinFee`).
///
/// It stands until a block came: only then is there room again. From then on it halves every twelve
/// hours, faster in a mempool that is rather empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RollingFee {
    rate_sat_per_kvb: f64,
    block_since_bump: bool,
    updated_at: u64,
}

/// How full the mempool is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fullness {
    /// Bytes in use.
    pub(crate) usage: usize,
    /// The bound.
    pub(crate) max: usize,
}

impl RollingFee {
    /// A package of this rate was evicted: what comes now pays `incremental` more.
    pub(crate) fn evicted(&mut self, package: FeeRate, incremental: FeeRate) {
        let rate = package.saturating_add(incremental).0 as f64;
        if rate > self.rate_sat_per_kvb {
            self.rate_sat_per_kvb = rate;
            self.block_since_bump = false;
        }
    }

    /// A block came: the minimum begins to fade.
    pub(crate) fn block_connected(&mut self, now: u64) {
        self.block_since_bump = true;
        self.updated_at = now;
    }

    /// The minimum at `now`; zero when no eviction is remembered.
    pub(crate) fn minimum(&self, fullness: Fullness, incremental: FeeRate, now: u64) -> FeeRate {
        self.faded(fullness, incremental, now).rate(incremental)
    }

    /// Remembers how far it has faded. How fast depends on the fullness, so this is called at each
    /// change of the mempool.
    pub(crate) fn advance(&mut self, fullness: Fullness, incremental: FeeRate, now: u64) {
        *self = self.faded(fullness, incremental, now);
    }

    fn rate(&self, incremental: FeeRate) -> FeeRate {
        // From a non-negative finite float; `as` saturates.
        let rate = FeeRate(self.rate_sat_per_kvb.round() as u64);
        if rate == FeeRate::ZERO || !self.block_since_bump {
            rate
        } else {
            rate.max(incremental)
        }
    }

    fn faded(&self, fullness: Fullness, incremental: FeeRate, now: u64) -> Self {
        let elapsed_s = now.saturating_sub(self.updated_at);
        if !self.block_since_bump || self.rate_sat_per_kvb == 0.0 || elapsed_s <= STEP_S {
            return *self;
        }
        let half_life_s = if fullness.usage < fullness.max / 4 {
            HALF_LIFE_S / 4.0
        } else if fullness.usage < fullness.max / 2 {
            HALF_LIFE_S / 2.0
        } else {
            HALF_LIFE_S
        };
        let mut rate = self.rate_sat_per_kvb / 2_f64.powf(elapsed_s as f64 / half_life_s);
        if rate < incremental.0 as f64 / 2.0 {
            rate = 0.0;
        }
        Self {
            rate_sat_per_kvb: rate,
            updated_at: now,
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Fullness = Fullness {
        usage: 100,
        max: 100,
    };
    const INCREMENTAL: FeeRate = FeeRate(100);
    const HOUR: u64 = 3_600;

    #[test]
    fn nothing_evicted_asks_for_nothing() {
        assert_eq!(
            RollingFee::default().minimum(FULL, INCREMENTAL, 1_000_000),
            FeeRate::ZERO
        );
    }

    #[test]
    fn it_stands_until_a_block_comes() {
        let mut fee = RollingFee::default();
        fee.evicted(FeeRate(900), INCREMENTAL);
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 1_000 * HOUR), FeeRate(1_000));
        fee.evicted(FeeRate(100), INCREMENTAL);
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 1_000 * HOUR), FeeRate(1_000));
    }

    #[test]
    fn it_halves_in_twelve_hours_and_sooner_when_there_is_room() {
        let mut fee = RollingFee::default();
        fee.evicted(FeeRate(900), INCREMENTAL);
        fee.block_connected(0);
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 12 * HOUR), FeeRate(500));
        let half = Fullness {
            usage: 49,
            max: 100,
        };
        assert_eq!(fee.minimum(half, INCREMENTAL, 6 * HOUR), FeeRate(500));
        let quarter = Fullness {
            usage: 24,
            max: 100,
        };
        assert_eq!(fee.minimum(quarter, INCREMENTAL, 3 * HOUR), FeeRate(500));
        assert_eq!(fee.minimum(quarter, INCREMENTAL, 10), FeeRate(1_000));
    }

    #[test]
    fn it_ends_below_half_of_the_increment() {
        let mut fee = RollingFee::default();
        fee.evicted(FeeRate(900), INCREMENTAL);
        fee.block_connected(0);
        // 1000 / 2^4 is 62.5: the increment is the least that is asked for.
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 48 * HOUR), INCREMENTAL);
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 60 * HOUR), FeeRate::ZERO);
    }

    #[test]
    fn advancing_in_steps_fades_as_one() {
        let mut fee = RollingFee::default();
        fee.evicted(FeeRate(9_900), INCREMENTAL);
        fee.block_connected(0);
        for hour in 1..=12 {
            fee.advance(FULL, INCREMENTAL, hour * HOUR);
        }
        assert_eq!(fee.minimum(FULL, INCREMENTAL, 12 * HOUR), FeeRate(5_000));
    }
}
