//! The estimate that wallets ask for: three questions to the horizons, of which the highest answer
//! counts (Bitcoin Core's `estimateSmartFee`).

use std::fmt;

use super::FeeHorizon;
use super::estimator::{FeeEstimator, rounded};
use crate::FeeRate;

/// What share of a range's transactions must have been confirmed within half of the target, within the
/// target, and within twice the target.
const HALF_TARGET_THRESHOLD: f64 = 0.6;
const TARGET_THRESHOLD: f64 = 0.85;
const DOUBLE_TARGET_THRESHOLD: f64 = 0.95;

/// How much an estimate follows short lulls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EstimateMode {
    /// It follows them.
    #[default]
    Economical,
    /// The longer horizons must agree.
    Conservative,
}

/// Where a fee rate comes from. Written as Bitcoin Core writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeReason {
    /// From nowhere: nothing was found, or the caller names the rate.
    None,
    /// Enough are confirmed within half of the target.
    HalfTarget,
    /// Enough are confirmed within the target.
    Target,
    /// Enough are confirmed within twice the target.
    DoubleTarget,
    /// Enough are confirmed within twice the target, on the longer horizons too.
    Conservative,
    /// The mempool's minimum, which is higher than what was found.
    MempoolMin,
    /// Nothing is known of earlier blocks: from what waits in the mempool now, or by default.
    Fallback,
    /// The least that the wallet pays.
    Required,
}

impl fmt::Display for FeeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::HalfTarget => "Half Target 60% Threshold",
            Self::Target => "Target 85% Threshold",
            Self::DoubleTarget => "Double Target 95% Threshold",
            Self::Conservative => "Conservative Double Target longer horizon",
            Self::MempoolMin => "Mempool Min Fee",
            Self::Fallback => "Fallback fee",
            Self::Required => "Minimum Required Fee",
        })
    }
}

/// What a wallet should pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmartEstimate {
    /// The rate; `None` when too little is known.
    pub rate: Option<FeeRate>,
    /// Where it comes from.
    pub reason: FeeReason,
    /// The target that it holds for, in blocks: not the one that was asked for where that is out of
    /// reach yet.
    pub blocks: u32,
}

/// Whether horizons that don't reach the target may lower the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShorterHorizons {
    /// Each is asked for its furthest target. Estimates then never rise with the target.
    Count,
    Ignored,
}

impl FeeEstimator {
    /// The rate at which a transaction should be confirmed within `target` blocks. The rate is the
    /// highest of those that 60 % of transactions needed for half of the target, 85 % for the target,
    /// and 95 % for twice the target.
    #[must_use]
    pub fn estimate_smart_fee(&self, target: u32, mode: EstimateMode) -> SmartEstimate {
        let nothing = |blocks| SmartEstimate {
            rate: None,
            reason: FeeReason::None,
            blocks,
        };
        if !(1..=FeeHorizon::Long.max_target()).contains(&target) {
            return nothing(target);
        }
        // Nothing is known of the next block alone.
        let blocks = target.max(2).min(self.max_usable_target());
        if blocks <= 1 {
            return nothing(blocks);
        }
        let (median, reason) = self.highest_answer(blocks, mode);
        let rate = median.map(rounded).filter(|rate| *rate != FeeRate::ZERO);
        SmartEstimate {
            rate,
            reason: rate.map_or(FeeReason::None, |_| reason),
            blocks,
        }
    }

    fn highest_answer(&self, target: u32, mode: EstimateMode) -> (Option<f64>, FeeReason) {
        // Conservative estimates take the longer horizons' word, whatever the shorter ones say.
        let shorter = match mode {
            EstimateMode::Economical => ShorterHorizons::Count,
            EstimateMode::Conservative => ShorterHorizons::Ignored,
        };
        let mut highest = self.combined(target / 2, HALF_TARGET_THRESHOLD, ShorterHorizons::Count);
        let mut reason = FeeReason::HalfTarget;
        let mut take = |answer: Option<f64>, its_reason| {
            // Nothing is lower than any rate.
            if answer > highest {
                (highest, reason) = (answer, its_reason);
            }
            highest
        };
        take(
            self.combined(target, TARGET_THRESHOLD, ShorterHorizons::Count),
            FeeReason::Target,
        );
        let so_far = take(
            self.combined(2 * target, DOUBLE_TARGET_THRESHOLD, shorter),
            FeeReason::DoubleTarget,
        );
        if mode == EstimateMode::Conservative || so_far.is_none() {
            take(self.conservative(2 * target), FeeReason::Conservative);
        }
        (highest, reason)
    }

    /// The answer of the shortest horizon that reaches the target.
    fn combined(&self, target: u32, threshold: f64, shorter: ShorterHorizons) -> Option<f64> {
        let reaching = FeeHorizon::ALL
            .into_iter()
            .find(|horizon| target <= horizon.max_target())?;
        let mut lowest = self.median(reaching, target, threshold);
        if shorter == ShorterHorizons::Ignored {
            return lowest;
        }
        let too_short = FeeHorizon::ALL
            .into_iter()
            .filter(|horizon| target > horizon.max_target());
        for horizon in too_short {
            let answer = self
                .median(horizon, horizon.max_target(), threshold)
                .filter(|rate| *rate > 0.0);
            lowest = match (lowest, answer) {
                (Some(lowest), Some(answer)) => Some(lowest.min(answer)),
                (lowest, answer) => lowest.or(answer),
            };
        }
        lowest
    }

    /// The highest answer of the horizons above the shortest that reaches the target.
    fn conservative(&self, target: u32) -> Option<f64> {
        let mut highest = None;
        if target <= FeeHorizon::Short.max_target() {
            highest = self.median(FeeHorizon::Medium, target, DOUBLE_TARGET_THRESHOLD);
        }
        if target <= FeeHorizon::Medium.max_target() {
            let answer = self.median(FeeHorizon::Long, target, DOUBLE_TARGET_THRESHOLD);
            if answer > highest {
                highest = answer;
            }
        }
        highest
    }
}
