//! The mempool's handle: it feeds the estimator and answers from it.

use std::sync::{MutexGuard, PoisonError};

use super::next_blocks::{BlockRoom, rate_of_next_blocks};
use super::{
    EstimateMode, EstimatesError, FeeEstimator, FeeEvent, FeeFollower, FeeHorizon, FeeReason,
    RawEstimate, SmartEstimate, SyncState,
};
use crate::{FeeFallback, FeeRate, MempoolHandle};

/// What is kept free in a block for the coinbase, in weight units, as in templates.
const RESERVED_WEIGHT: u64 = 8_000;

/// A tip older than this, in seconds, may not be the latest (Bitcoin Core's `MAX_FEE_ESTIMATION_TIP_AGE`).
const MAX_TIP_AGE_S: u64 = 3 * 60 * 60;

impl MempoolHandle {
    /// What a transaction should pay to be confirmed within `target` blocks: at least what the mempool asks
    /// for now. Where the estimator has seen too little, the configuration says what to answer.
    #[must_use]
    pub fn estimate_smart_fee(&self, target: u32, mode: EstimateMode) -> SmartEstimate {
        let estimate = self.fees().estimator.estimate_smart_fee(target, mode);
        let minimum = self.info().min_fee;
        match estimate.rate {
            Some(rate) if rate < minimum => SmartEstimate {
                rate: Some(minimum),
                reason: FeeReason::MempoolMin,
                ..estimate
            },
            None if self.inner.config.fee_fallback == FeeFallback::NextBlocks => SmartEstimate {
                rate: Some(self.rate_of_next_blocks(target, minimum)),
                reason: FeeReason::Fallback,
                blocks: target,
            },
            _ => estimate,
        }
    }

    /// What it takes to be among the transactions of the next blocks by what waits now.
    fn rate_of_next_blocks(&self, blocks: u32, minimum: FeeRate) -> FeeRate {
        let limit = self.inner.chain.spec().limits.max_block_weight;
        let room = BlockRoom {
            blocks,
            weight: limit.saturating_sub(RESERVED_WEIGHT),
        };
        let state = self.state();
        let chunks = state.pool.best_chunks().map(|(_, rate)| rate);
        rate_of_next_blocks(chunks, room, minimum)
    }

    /// What one horizon of the estimator says; `None` for a target that it does not track.
    #[must_use]
    pub fn estimate_raw_fee(
        &self,
        target: u32,
        threshold: f64,
        horizon: FeeHorizon,
    ) -> Option<RawEstimate> {
        self.fees()
            .estimator
            .estimate_raw_fee(target, threshold, horizon)
    }

    /// Goes on with the estimates of an earlier run. Transactions that came before are not watched.
    ///
    /// # Errors
    /// They are of blocks above the one that the mempool has followed.
    pub fn restore_fee_estimates(&self, mut estimator: FeeEstimator) -> Result<(), EstimatesError> {
        // No block is followed in between.
        let _writer = self.writer();
        let followed = self.state().cursor.height;
        estimator.check_below(followed)?;
        estimator.advance_to(followed);
        *self.fees() = FeeFollower::new(estimator);
        Ok(())
    }

    /// The estimates as bytes, to be kept. `saved_at` is the time, in Unix seconds.
    #[must_use]
    pub fn encode_fee_estimates(&self, saved_at: u64) -> Vec<u8> {
        let estimator = self.fees().estimator.clone();
        estimator.encode(saved_at)
    }

    /// Counts what still waits as left. Before the estimates are saved for the last time.
    pub fn finish_fee_estimates(&self) {
        self.fees().estimator.forget_unconfirmed();
    }

    /// Tells the estimator of changes of the mempool, in their order.
    pub(crate) fn learn(&self, events: Vec<FeeEvent>) {
        if events.is_empty() {
            return;
        }
        let has_arrivals = events
            .iter()
            .any(|event| matches!(event, FeeEvent::Added { .. }));
        let sync = if has_arrivals {
            self.sync_state()
        } else {
            SyncState::Behind // nobody asks
        };
        self.fees().observe(events, sync);
    }

    /// Bitcoin Core's `IsCurrentForFeeEstimation`.
    fn sync_state(&self) -> SyncState {
        let tip = self.inner.chain.tip();
        let oldest = self.inner.clock.now().saturating_sub(MAX_TIP_AGE_S);
        let best_header = self.inner.chain.best_header().height;
        if u64::from(tip.header.time) >= oldest && tip.height.next() >= best_header {
            SyncState::Current
        } else {
            SyncState::Behind
        }
    }

    fn fees(&self) -> MutexGuard<'_, FeeFollower> {
        self.inner
            .fees
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
