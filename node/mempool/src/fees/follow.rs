//! What the mempool tells the estimator. Whoever changes the mempool notes events; they are taken in
//! afterwards, in their order, when the mempool's own lock is free again.

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;

use super::FeeEstimator;
use crate::{FeeRate, RemovalReason};

/// Something that the estimator learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeeEvent {
    /// A transaction came by itself: with no parents in the mempool, in no package, and not back from a
    /// block.
    Added {
        /// Its id.
        txid: Txid,
        /// The height of the mempool's block.
        height: Height,
        /// What it pays.
        rate: FeeRate,
    },
    /// A transaction left. Those that left for a block come before their block's `Followed`.
    Removed(Txid, RemovalReason),
    /// The mempool followed the chain to the block at this height.
    Followed(Height),
}

/// Whether the node has the blocks that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncState {
    /// It has: what comes now waits for the next block.
    Current,
    /// It is behind: what comes now may be in a block already.
    Behind,
}

/// An estimator that follows the mempool.
#[derive(Debug)]
pub(crate) struct FeeFollower {
    pub(crate) estimator: FeeEstimator,
    /// Transactions that left for the block that is being followed.
    confirmed: Vec<Txid>,
}

impl FeeFollower {
    pub(crate) fn new(estimator: FeeEstimator) -> Self {
        Self {
            estimator,
            confirmed: Vec::new(),
        }
    }

    /// Takes events in, oldest first.
    pub(crate) fn observe(&mut self, events: impl IntoIterator<Item = FeeEvent>, sync: SyncState) {
        for event in events {
            match event {
                FeeEvent::Added { txid, height, rate } if sync == SyncState::Current => {
                    self.estimator.transaction_added(txid, height, rate);
                }
                FeeEvent::Added { .. } => {}
                FeeEvent::Removed(txid, RemovalReason::Block) => self.confirmed.push(txid),
                FeeEvent::Removed(txid, _) => self.estimator.transaction_removed(&txid),
                FeeEvent::Followed(height) => {
                    self.estimator.block_connected(height, &self.confirmed);
                    self.confirmed.clear();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::hashes::Hash;

    use super::*;

    fn txid(number: u64) -> Txid {
        Txid::hash(&number.to_le_bytes())
    }

    fn added(number: u64, height: u32) -> FeeEvent {
        FeeEvent::Added {
            txid: txid(number),
            height: Height(height),
            rate: FeeRate(1_000),
        }
    }

    fn confirmed(follower: &FeeFollower) -> f64 {
        follower.estimator.horizons()[0]
            .averages()
            .confirmed
            .iter()
            .sum()
    }

    fn left(follower: &FeeFollower) -> f64 {
        follower.estimator.horizons()[0]
            .averages()
            .left
            .iter()
            .sum()
    }

    fn removed(number: u64, reason: RemovalReason) -> FeeEvent {
        FeeEvent::Removed(txid(number), reason)
    }

    #[test]
    fn a_block_confirms_what_left_for_it() {
        let mut follower = FeeFollower::new(FeeEstimator::new(Height(7)));
        follower.observe([added(1, 7), added(2, 7), added(3, 6)], SyncState::Current);
        // The third came before the last block.
        assert_eq!(follower.estimator.tracked_count(), 2);
        let events = [
            removed(1, RemovalReason::Block),
            removed(9, RemovalReason::Block),
            FeeEvent::Followed(Height(8)),
        ];
        follower.observe(events, SyncState::Current);
        assert_eq!(confirmed(&follower), 1.0);
        assert_eq!(follower.estimator.best_height(), Height(8));
        assert_eq!(follower.estimator.tracked_count(), 1);
        assert_eq!(left(&follower), 0.0);
    }

    #[test]
    fn what_leaves_otherwise_counts_against_its_rate_after_a_block() {
        let mut follower = FeeFollower::new(FeeEstimator::new(Height(7)));
        follower.observe([added(1, 7), added(2, 7)], SyncState::Current);
        follower.observe([removed(1, RemovalReason::Replaced)], SyncState::Current);
        assert_eq!(left(&follower), 0.0);
        let events = [
            FeeEvent::Followed(Height(8)),
            removed(2, RemovalReason::SizeLimit),
        ];
        follower.observe(events, SyncState::Current);
        assert_eq!(left(&follower), 1.0);
        assert_eq!(follower.estimator.tracked_count(), 0);
    }

    #[test]
    fn what_comes_while_the_chain_is_behind_does_not_count() {
        let mut follower = FeeFollower::new(FeeEstimator::new(Height(7)));
        follower.observe([added(1, 7)], SyncState::Behind);
        assert_eq!(follower.estimator.tracked_count(), 0);
    }

    #[test]
    fn a_block_that_is_not_above_all_others_teaches_nothing() {
        let mut follower = FeeFollower::new(FeeEstimator::new(Height(7)));
        follower.observe([added(1, 7)], SyncState::Current);
        let events = [
            removed(1, RemovalReason::Block),
            FeeEvent::Followed(Height(7)),
        ];
        follower.observe(events, SyncState::Current);
        assert_eq!((confirmed(&follower), left(&follower)), (0.0, 0.0));
        assert_eq!(follower.estimator.tracked_count(), 0);
    }
}
