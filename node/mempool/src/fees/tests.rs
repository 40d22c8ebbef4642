//! The estimator over long stretches of blocks: ten fee levels, of which the higher ones are mined more
//! often, lulls, congestion, and what is kept over a restart.

use std::collections::VecDeque;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;
use pyrite_consensus::bitcoin::hashes::{Hash, sha256d};

use super::*;
use crate::FeeRate;

/// The lowest of the ten rates; the others are its multiples.
const BASE: u64 = 10_000;
/// How far an estimate may be off.
const MARGIN: u64 = 100;
const LEVELS: usize = 10;
/// Transactions of each level that come between two blocks.
const PER_LEVEL: usize = 4;

/// An estimator, and the transactions that it knows of.
struct Market {
    estimator: FeeEstimator,
    height: u32,
    made: u64,
    /// By level, the cheapest first.
    waiting: [VecDeque<Txid>; LEVELS],
}

impl Market {
    fn new() -> Self {
        Self {
            estimator: FeeEstimator::new(Height(0)),
            height: 0,
            made: 0,
            waiting: Default::default(),
        }
    }

    /// Some transactions of each level come.
    fn offer(&mut self) {
        for level in 0..LEVELS {
            for _ in 0..PER_LEVEL {
                self.made += 1;
                let txid = Txid::hash(&self.made.to_le_bytes());
                let rate = FeeRate(BASE * (level as u64 + 1));
                self.estimator
                    .transaction_added(txid, Height(self.height), rate);
                self.waiting[level].push_back(txid);
            }
        }
    }

    /// A block takes everything of the `count` highest levels.
    fn mine(&mut self, count: usize) {
        let confirmed: Vec<Txid> = self.waiting[LEVELS - count..]
            .iter_mut()
            .flat_map(|waiting| waiting.drain(..))
            .collect();
        self.height += 1;
        self.estimator
            .block_connected(Height(self.height), &confirmed);
    }

    /// Two hundred blocks: the highest level is in each, the next in nine of ten, and so on.
    fn settled() -> Self {
        let mut market = Self::new();
        for block in 0..200 {
            market.offer();
            market.mine(block % LEVELS + 1);
        }
        market
    }

    /// The rate for which 95 of 100 are confirmed in time, by the medium horizon; 0 for none.
    fn rate(&self, target: u32) -> u64 {
        let raw = self
            .estimator
            .estimate_raw_fee(target, 0.95, FeeHorizon::Medium)
            .unwrap();
        raw.rate.map_or(0, |rate| rate.0)
    }

    fn rates(&self, targets: std::ops::RangeInclusive<u32>) -> Vec<u64> {
        targets.map(|target| self.rate(target)).collect()
    }

    fn smart(&self, target: u32, mode: EstimateMode) -> SmartEstimate {
        self.estimator.estimate_smart_fee(target, mode)
    }
}

#[test]
fn few_transactions_are_judged_together() {
    let mut market = Market::new();
    for block in 0..3 {
        market.offer();
        market.mine(block + 1);
    }
    // Three levels together make enough, and 97 % of them were confirmed: the middle one's rate counts.
    assert!(
        market.rate(2).abs_diff(9 * BASE) < MARGIN,
        "{}",
        market.rate(2)
    );
}

#[test]
fn each_target_has_the_rate_that_was_enough_for_it() {
    let rates = Market::settled().rates(2..=10);
    assert!(rates.is_sorted_by(|near, far| near >= far), "{rates:?}");
    // In periods of two blocks: all of the second-highest level is confirmed within two blocks, all of
    // the fourth-highest within four.
    for target in [2, 4, 6, 8] {
        let expected = BASE * (11 - target);
        let found = rates[target as usize - 2];
        assert!(found.abs_diff(expected) < MARGIN, "{target}: {rates:?}");
    }
}

#[test]
fn a_lull_changes_nothing_and_fades_only_slowly() {
    let mut market = Market::settled();
    let before = market.rates(2..=10);
    // What is left is mined, so that nothing waits.
    for _ in 0..50 {
        market.mine(0);
    }
    let after = market.rates(2..=9);
    for (before, after) in before.iter().zip(&after) {
        assert!(before.abs_diff(*after) < MARGIN, "{before} {after}");
    }
    // In the end there is too little left to say anything.
    market.mine(LEVELS);
    market.estimator.advance_to(Height(market.height + 3_000));
    assert_eq!(market.rates(2..=9), [0; 8]);
}

#[test]
fn estimates_rise_when_nothing_is_mined_and_fall_when_everything_is() {
    let mut market = Market::settled();
    for _ in 0..50 {
        market.mine(0);
    }
    let before = market.rates(2..=10);
    for _ in 0..15 {
        market.offer();
        market.mine(0);
    }
    let is_not_below = |market: &Market| {
        let rates = market.rates(2..=9);
        rates
            .iter()
            .zip(&before)
            .all(|(rate, before)| *rate == 0 || *rate + MARGIN > *before)
    };
    assert!(is_not_below(&market), "{:?}", market.rates(2..=9));
    market.mine(LEVELS);
    assert!(is_not_below(&market), "{:?}", market.rates(2..=9));
    for _ in 0..400 {
        market.offer();
        market.mine(LEVELS);
    }
    for (target, before) in (2..=8).zip(&before) {
        let rate = market.rate(target);
        assert!(rate + MARGIN < *before, "{target}: {rate} {before}");
    }
}

#[test]
fn a_new_estimator_knows_nothing() {
    let market = Market::new();
    for target in [1, 2, 6, 1_008] {
        let nothing = SmartEstimate {
            rate: None,
            reason: FeeReason::None,
            blocks: 0,
        };
        assert_eq!(market.smart(target, EstimateMode::Economical), nothing);
    }
    let raw = market
        .estimator
        .estimate_raw_fee(2, 0.95, FeeHorizon::Short)
        .unwrap();
    assert_eq!((raw.rate, raw.pass), (None, None));
    let fail = raw.fail.unwrap();
    assert_eq!((fail.start_sat_per_kvb, fail.end_sat_per_kvb), (0.0, 1e99));
    assert_eq!((fail.total_confirmed, fail.in_mempool), (0.0, 0.0));
}

#[test]
fn targets_outside_of_a_horizon_have_no_raw_estimate() {
    let market = Market::settled();
    for horizon in FeeHorizon::ALL {
        let raw = |target| market.estimator.estimate_raw_fee(target, 0.95, horizon);
        assert!(raw(0).is_none());
        assert!(raw(horizon.max_target()).is_some());
        assert!(raw(horizon.max_target() + 1).is_none());
    }
}

#[test]
fn a_smart_estimate_is_the_highest_of_three() {
    let market = Market::settled();
    let near = market.smart(1, EstimateMode::Economical);
    // The next block alone is not promised.
    assert_eq!(near.blocks, 2);
    assert_eq!(near, market.smart(2, EstimateMode::Economical));
    // A target of one needs 60 %, of two 85 % and of four 95 %: the levels of 6, 8 and 7 of ten blocks;
    // that of the highest answer counts.
    let rate = near.rate.unwrap().0;
    assert!((5 * BASE..=10 * BASE).contains(&rate), "{near:?}");
    let mut last = u64::MAX;
    for target in 2..=100 {
        let economical = market.smart(target, EstimateMode::Economical);
        let conservative = market.smart(target, EstimateMode::Conservative);
        let rate = economical.rate.unwrap().0;
        assert!(rate <= last, "{target}: {rate} {last}");
        assert!(conservative.rate >= economical.rate, "{target}");
        assert_ne!(economical.reason, FeeReason::None);
        // Two hundred blocks are enough for targets up to one hundred.
        assert_eq!(economical.blocks, target.min(99));
        last = rate;
    }
}

#[test]
fn a_raw_estimate_tells_its_ranges() {
    let market = Market::settled();
    let raw = market
        .estimator
        .estimate_raw_fee(2, 0.95, FeeHorizon::Medium)
        .unwrap();
    let (pass, fail) = (raw.pass.unwrap(), raw.fail.unwrap());
    let rate = raw.rate.unwrap().0 as f64;
    assert!((pass.start_sat_per_kvb..=pass.end_sat_per_kvb).contains(&rate));
    assert!(fail.end_sat_per_kvb <= pass.start_sat_per_kvb);
    let share = |range: &BucketRange| {
        range.within_target / (range.total_confirmed + range.in_mempool + range.left_mempool)
    };
    assert!(share(&pass) >= 0.95 && share(&fail) < 0.95);
}

#[test]
fn what_leaves_unconfirmed_counts_against_its_rate() {
    let mut market = Market::new();
    for _ in 0..100 {
        market.offer();
        market.mine(LEVELS / 2);
        // The cheaper half waits for one more block and gives up.
        market.mine(0);
        market.mine(0);
        for level in &mut market.waiting[..LEVELS / 2] {
            for txid in level.drain(..) {
                market.estimator.transaction_removed(&txid);
            }
        }
    }
    assert_eq!(market.estimator.tracked_count(), 0);
    let raw = market
        .estimator
        .estimate_raw_fee(2, 0.5, FeeHorizon::Medium)
        .unwrap();
    assert!(raw.rate.unwrap().0 > BASE * LEVELS as u64 / 2);
    let fail = raw.fail.unwrap();
    assert!(fail.left_mempool > 100.0, "{fail:?}");
    assert_eq!((fail.total_confirmed, fail.in_mempool), (0.0, 0.0));
}

#[test]
fn blocks_that_pass_at_once_are_as_many_that_pass_one_by_one() {
    let mut market = Market::settled();
    let mut at_once = market.estimator.clone();
    let start = market.height;
    for distance in [1, 2, 11, 12, 13, 47, 48, 100, 1_007, 1_008, 1_500] {
        while market.height < start + distance {
            market.mine(0);
        }
        at_once.advance_to(Height(market.height));
        for horizon in FeeHorizon::ALL {
            for target in [1, 2, 12, 48, 1_000] {
                let one = market.estimator.estimate_raw_fee(target, 0.3, horizon);
                let other = at_once.estimate_raw_fee(target, 0.3, horizon);
                assert_eq!(
                    one.map(|raw| raw.rate),
                    other.map(|raw| raw.rate),
                    "{distance} {target}"
                );
                let waiting = |raw: Option<RawEstimate>| {
                    raw.and_then(|raw| raw.fail).map(|range| range.in_mempool)
                };
                assert_eq!(waiting(one), waiting(other), "{distance} {target}");
            }
        }
    }
}

#[test]
fn a_restart_keeps_what_was_learned() {
    let mut market = Market::settled();
    market.estimator.forget_unconfirmed();
    let bytes = market.estimator.encode(1_700_000_000);
    assert_eq!(bytes.len(), SavedEstimates::encoded_length());
    let saved = SavedEstimates::decode(&bytes).unwrap();
    assert_eq!(saved.saved_at, 1_700_000_000);
    assert_eq!(saved.estimator.best_height(), Height(200));
    for target in 1..=1_008 {
        for mode in [EstimateMode::Economical, EstimateMode::Conservative] {
            let kept = saved.estimator.estimate_smart_fee(target, mode);
            assert_eq!(kept, market.smart(target, mode));
        }
    }
    assert_eq!(saved.estimator.encode(1_700_000_000), bytes);
}

#[test]
fn history_counts_as_long_as_it_is_not_too_old() {
    let market = Market::settled();
    let mut saved = SavedEstimates::decode(&market.estimator.encode(0)).unwrap();
    let reach = |estimator: &FeeEstimator| {
        estimator
            .estimate_smart_fee(1_008, EstimateMode::Economical)
            .blocks
    };
    assert_eq!(reach(&saved.estimator), 99);
    saved.estimator.advance_to(Height(200 + 6_048));
    assert_eq!(reach(&saved.estimator), 99);
    saved.estimator.advance_to(Height(200 + 6_049));
    assert_eq!(reach(&saved.estimator), 0);
}

#[test]
fn what_faded_away_can_be_kept_too() {
    let mut market = Market::settled();
    for blocks in [1_u32, 500, 5_000, 30_000, 400_000] {
        let height = Height(market.height + blocks);
        market.estimator.advance_to(height);
        let saved = SavedEstimates::decode(&market.estimator.encode(0)).unwrap();
        assert_eq!(saved.estimator.best_height(), height);
    }
}

/// The encoding with other bytes at a place, and a checksum that fits.
fn altered(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut content = Market::settled().estimator.encode(0);
    content.truncate(content.len() - 32);
    content[at..at + bytes.len()].copy_from_slice(bytes);
    codec::seal(content)
}

fn refusal(bytes: &[u8]) -> EstimatesError {
    SavedEstimates::decode(bytes).unwrap_err()
}

#[test]
fn damage_is_refused_with_its_reason() {
    let good = Market::settled().estimator.encode(0);
    assert_eq!(refusal(b""), EstimatesError::NotEstimates);
    assert_eq!(refusal(&good[..11]), EstimatesError::NotEstimates);
    assert_eq!(refusal(&altered(0, b"P")), EstimatesError::NotEstimates);
    let (found, known) = (2, 1);
    let version = EstimatesError::Version { found, known };
    assert_eq!(refusal(&altered(8, &[2])), version);
    let expected = good.len();
    for bytes in [&good[..expected - 1], &[&good[..], &[0]].concat()] {
        let found = bytes.len();
        assert_eq!(refusal(bytes), EstimatesError::Length { found, expected });
    }
    let mut flipped = good;
    flipped[1_000] ^= 1;
    assert_eq!(refusal(&flipped), EstimatesError::Checksum);
}

#[test]
fn contradictions_are_refused() {
    let blocks = |best: u32, first: u32, last: u32| {
        let heights = [best, first, last].map(u32::to_le_bytes).concat();
        SavedEstimates::decode(&altered(20, &heights)).map(|_| ())
    };
    assert_eq!(blocks(5, 0, 0), Ok(()));
    assert_eq!(blocks(5, 1, 5), Ok(()));
    for (best, first, last) in [(5, 1, 6), (5, 4, 3), (5, 0, 3)] {
        let error = EstimatesError::Blocks {
            first: Height(first),
            last: Height(last),
            best: Height(best),
        };
        assert_eq!(blocks(best, first, last), Err(error));
    }
    // The first horizon's sums of rates, and then its confirmed transactions.
    let horizon = "short";
    let sums = 32;
    let confirmed = sums + 8 * buckets::COUNT;
    for number in [-1.0, f64::NAN, f64::INFINITY, 1e13, -0.0] {
        let error = refusal(&altered(confirmed, &number.to_le_bytes()));
        assert_eq!(error, EstimatesError::OutOfRange { horizon }, "{number}");
    }
    for at in [sums, confirmed + 8] {
        let error = refusal(&altered(at, &1e6_f64.to_le_bytes()));
        assert_eq!(error, EstimatesError::Contradiction { horizon });
    }
    // Confirmed within one block, but not within two; left after two blocks, but not after one.
    let within = confirmed + 8 * buckets::COUNT;
    let left = within + 8 * buckets::COUNT * FeeHorizon::Short.periods();
    for at in [within, left + 8 * buckets::COUNT] {
        let error = refusal(&altered(at, &1_f64.to_le_bytes()));
        assert_eq!(error, EstimatesError::Contradiction { horizon });
    }
}

#[test]
fn estimates_of_a_longer_chain_are_noticed() {
    let estimator = Market::settled().estimator;
    assert_eq!(estimator.check_below(Height(200)), Ok(()));
    let error = EstimatesError::AboveTip {
        height: Height(200),
        tip: Height(199),
    };
    assert_eq!(estimator.check_below(Height(199)), Err(error));
}

#[test]
fn the_checksum_is_bitcoins_hash() {
    let bytes = Market::new().estimator.encode(7);
    let (content, checksum) = bytes.split_at(bytes.len() - 32);
    assert_eq!(sha256d::Hash::hash(content).to_byte_array(), checksum);
}
