//! Fuzz target: saved estimates, with a checksum that fits, so that the other checks are reached.

use bolero::{TypeGenerator, check};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_fuzzing::Damage;

use super::*;
use crate::FeeRate;

/// What happened before the estimates were saved.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Step {
    Add { number: u8, rate: u32 },
    Remove { number: u8 },
    Confirm { number: u8 },
    Blocks { count: u8 },
}

fn txid(number: u8) -> Txid {
    Txid::hash(&[number])
}

fn estimator(steps: &[Step]) -> FeeEstimator {
    let mut estimator = FeeEstimator::new(Height(1));
    for step in steps {
        let height = estimator.best_height();
        match step {
            Step::Add { number, rate } => {
                estimator.transaction_added(txid(*number), height, FeeRate((*rate).into()));
            }
            Step::Remove { number } => estimator.transaction_removed(&txid(*number)),
            Step::Confirm { number } => {
                estimator.block_connected(height.next(), &[txid(*number)]);
            }
            Step::Blocks { count } => {
                estimator.advance_to(Height(height.0 + u32::from(*count)));
            }
        }
    }
    estimator
}

/// Asks everything that may be asked.
fn ask(estimator: &FeeEstimator) {
    for target in [0, 1, 2, 12, 13, 48, 1_008, 1_009, u32::MAX] {
        for mode in [EstimateMode::Economical, EstimateMode::Conservative] {
            let smart = estimator.estimate_smart_fee(target, mode);
            assert_eq!(smart.rate.is_none(), smart.reason == FeeReason::None);
        }
        for horizon in FeeHorizon::ALL {
            let _ = estimator.estimate_raw_fee(target, 0.0, horizon);
        }
    }
}

#[test]
fn fuzz_saved_estimates() {
    check!()
        .with_type::<(Vec<Step>, u64, Damage, bool)>()
        .for_each(|(steps, saved_at, damage, is_sealed)| {
            let mut bytes = estimator(steps).encode(*saved_at);
            if *is_sealed {
                bytes.truncate(bytes.len() - 32);
                bytes = codec::seal(damage.apply(bytes));
            } else {
                bytes = damage.apply(bytes);
            }
            match SavedEstimates::decode(&bytes) {
                Ok(saved) => {
                    assert_eq!(saved.estimator.encode(saved.saved_at), bytes);
                    let mut estimator = saved.estimator;
                    ask(&estimator);
                    // It goes on from there.
                    let height = estimator.best_height();
                    estimator.transaction_added(txid(0), height, FeeRate(5));
                    if height.0 < u32::MAX {
                        estimator.block_connected(height.next(), &[txid(0)]);
                    }
                    ask(&estimator);
                }
                Err(error) => assert!(!damage.is_none(), "{error}"),
            }
        });
}
