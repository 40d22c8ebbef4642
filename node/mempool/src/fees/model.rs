//! The estimator against a model that keeps every transaction and counts anew for each question.

use proptest::prelude::*;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::Txid;
use pyrite_consensus::bitcoin::hashes::Hash;

use super::buckets::{COUNT, bucket_of};
use super::search::Tally;
use super::*;
use crate::FeeRate;

/// Something that happens. Transactions are counted from the oldest, and beyond the last from there again.
#[derive(Clone, Copy, Debug)]
enum Step {
    Come { rate: u64 },
    Leave { which: usize },
    Block { first: usize, count: usize },
    Blocks { count: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Waits,
    Confirmed { height: u32 },
    Left { height: u32 },
}

/// A transaction, all that is known of it.
#[derive(Clone, Copy, Debug)]
struct Known {
    came: u32,
    rate: FeeRate,
    fate: Fate,
}

#[derive(Debug, Default)]
struct Model {
    best: u32,
    known: Vec<Known>,
}

impl Model {
    fn waiting(&self) -> Vec<usize> {
        let known = self.known.iter().enumerate();
        known
            .filter(|(_, known)| known.fate == Fate::Waits)
            .map(|(number, _)| number)
            .collect()
    }

    /// What became of a bucket's transactions, by a horizon.
    fn tally(&self, horizon: FeeHorizon, target: u32, bucket: usize) -> Tally {
        let mut tally = Tally::default();
        let scale = horizon.scale();
        let periods = target.div_ceil(scale);
        let in_bucket = self
            .known
            .iter()
            .filter(|known| bucket_of(known.rate) == bucket);
        for known in in_bucket {
            let faded = |height: u32| {
                horizon
                    .decay()
                    .powi(i32::try_from(self.best - height).unwrap())
            };
            match known.fate {
                Fate::Waits if self.best - known.came >= target => tally.waiting += 1.0,
                Fate::Waits => {}
                Fate::Confirmed { height } => {
                    tally.confirmed += faded(height);
                    if (height - known.came).div_ceil(scale) <= periods {
                        tally.within += faded(height);
                    }
                }
                Fate::Left { height } if (height - known.came) / scale >= periods => {
                    tally.left += faded(height);
                }
                Fate::Left { .. } => {}
            }
        }
        tally
    }
}

fn txid(number: usize) -> Txid {
    Txid::hash(&number.to_le_bytes())
}

fn take(estimator: &mut FeeEstimator, model: &mut Model, step: Step) {
    let waiting = model.waiting();
    let pick = |which: usize| waiting.get(which % waiting.len().max(1)).copied();
    match step {
        Step::Come { rate } => {
            let rate = FeeRate(rate);
            let height = Height(model.best);
            estimator.transaction_added(txid(model.known.len()), height, rate);
            model.known.push(Known {
                came: model.best,
                rate,
                fate: Fate::Waits,
            });
        }
        Step::Leave { which } => {
            if let Some(number) = pick(which) {
                estimator.transaction_removed(&txid(number));
                model.known[number].fate = Fate::Left { height: model.best };
            }
        }
        Step::Block { first, count } => {
            model.best += 1;
            let numbers: Vec<usize> = waiting.iter().copied().skip(first).take(count).collect();
            for number in &numbers {
                model.known[*number].fate = Fate::Confirmed { height: model.best };
            }
            let txids: Vec<Txid> = numbers.into_iter().map(txid).collect();
            estimator.block_connected(Height(model.best), &txids);
        }
        Step::Blocks { count } => {
            model.best += count;
            estimator.advance_to(Height(model.best));
        }
    }
}

fn is_close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6
}

fn check(estimator: &FeeEstimator, model: &Model) -> Result<(), TestCaseError> {
    for (stats, horizon) in estimator.horizons().iter().zip(FeeHorizon::ALL) {
        for target in [1, 2, 5, 12, 13, 48, 500, 1_008] {
            let Some(tallies) = stats.tallies(target, Height(model.best)) else {
                prop_assert!(target > horizon.max_target());
                continue;
            };
            prop_assert_eq!(tallies.len(), COUNT);
            for (bucket, found) in tallies.into_iter().enumerate() {
                let counted = model.tally(horizon, target, bucket);
                let agrees = is_close(found.confirmed, counted.confirmed)
                    && is_close(found.within, counted.within)
                    && is_close(found.left, counted.left)
                    && is_close(found.waiting, counted.waiting);
                prop_assert!(
                    agrees,
                    "{horizon:?} {target} {bucket}: {found:?} {counted:?}"
                );
            }
        }
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    // Few buckets, so that they fill.
    let rate = prop_oneof![Just(0_u64), 100..130_u64, Just(20_000_000)];
    prop_oneof![
        8 => rate.prop_map(|rate| Step::Come { rate }),
        2 => any::<usize>().prop_map(|which| Step::Leave { which }),
        4 => (0..3_usize, 0..6_usize).prop_map(|(first, count)| Step::Block { first, count }),
        2 => prop_oneof![1..30_u32, 900..1_100_u32].prop_map(|count| Step::Blocks { count }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_estimator_counts_as_the_model_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut estimator = FeeEstimator::new(Height(0));
        let mut model = Model::default();
        for step in steps {
            take(&mut estimator, &mut model, step);
        }
        prop_assert_eq!(estimator.best_height(), Height(model.best));
        prop_assert_eq!(estimator.tracked_count(), model.waiting().len());
        check(&estimator, &model)?;
        // What is read back says the same of what does not wait any more.
        estimator.forget_unconfirmed();
        let saved = SavedEstimates::decode(&estimator.encode(0)).unwrap();
        for known in &mut model.known {
            if known.fate == Fate::Waits {
                known.fate = Fate::Left { height: model.best };
            }
        }
        check(&saved.estimator, &model)?;
    }
}
