//! Blocks by the clock, for test networks: when the next one is due, and on which chains that can be kept.

use std::time::Duration;

use pyrite_consensus::spec::Difficulty;
use pyrite_consensus::{ChainSpec, pow};

use crate::ScheduleError;

/// Blocks may come this fast: their times must rise by a second every six blocks, and must not run away from the clock.
const MIN_EVERY: Duration = Duration::from_millis(200);

/// And this slowly.
const MAX_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Hashes a second that any processor manages.
const SURE_HASH_RATE: f64 = 1e6;

/// Hashes that a block of difficulty 1 takes.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

/// Blocks by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSchedule {
    /// The time between two blocks.
    pub every: Duration,
    /// Whether it is always that, or on average.
    pub timing: BlockTiming,
}

/// How scheduled blocks are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTiming {
    /// At equal distances.
    Exact,
    /// As mining spreads them: memoryless.
    Poisson,
}

impl BlockTiming {
    /// Its name in settings and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Poisson => "poisson",
        }
    }
}

impl BlockSchedule {
    /// Checks that a chain's rules let the schedule be kept, whatever the hash power.
    ///
    /// # Errors
    /// The time is out of range; the chain's easiest block takes longer on one thread; or the chain's difficulty would
    /// rise without end, because blocks are to come faster than it wants them.
    pub fn check(&self, spec: &ChainSpec) -> Result<(), ScheduleError> {
        let every = self.every;
        if every < MIN_EVERY || every > MAX_EVERY {
            return Err(ScheduleError::OutOfRange { every });
        }
        let easiest = match spec.difficulty {
            Difficulty::Fixed => spec.genesis.bits,
            _ => spec.pow_limit,
        };
        let hashes = pow::difficulty(easiest) * HASHES_PER_DIFFICULTY;
        if hashes > every.as_secs_f64() * SURE_HASH_RATE {
            return Err(ScheduleError::TooHard {
                chain: spec.name.clone(),
                hashes,
                every,
            });
        }
        let spacing = Duration::from_secs(spec.target_spacing_s.into());
        if spec.difficulty != Difficulty::Fixed && every < spacing {
            return Err(ScheduleError::TooFast {
                chain: spec.name.clone(),
                every,
                spacing,
            });
        }
        Ok(())
    }

    /// When the next block is due, where the last was due at `last` and it is `now`: all since the schedule's start. Blocks
    /// that were missed meanwhile are left out. `uniform` is a random number above 0 and up to 1.
    pub fn next(&self, last: Duration, now: Duration, uniform: f64) -> Duration {
        match self.timing {
            BlockTiming::Exact => {
                let next = last.saturating_add(self.every);
                if next > now {
                    return next;
                }
                let behind = now - last;
                let missed = behind.as_nanos() / self.every.as_nanos().max(1);
                let missed = u32::try_from(missed).unwrap_or(u32::MAX);
                last.saturating_add(self.every.saturating_mul(missed.saturating_add(1)))
            }
            BlockTiming::Poisson => {
                let gap = -uniform.clamp(f64::MIN_POSITIVE, 1.0).ln();
                last.max(now).saturating_add(self.every.mul_f64(gap))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(ms: u64, timing: BlockTiming) -> BlockSchedule {
        BlockSchedule {
            every: Duration::from_millis(ms),
            timing,
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn exact_blocks_keep_their_beat_and_leave_out_what_was_missed() {
        let ten = schedule(10_000, BlockTiming::Exact);
        assert_eq!(ten.next(seconds(10), seconds(11), 0.5), seconds(20));
        assert_eq!(ten.next(seconds(10), seconds(19), 0.5), seconds(20));
        assert_eq!(ten.next(seconds(10), seconds(20), 0.5), seconds(30));
        assert_eq!(ten.next(seconds(10), seconds(57), 0.5), seconds(60));
    }

    #[test]
    fn poisson_blocks_have_no_memory() {
        let ten = schedule(10_000, BlockTiming::Poisson);
        assert_eq!(ten.next(seconds(10), seconds(12), 1.0), seconds(12));
        let median = ten.next(seconds(10), seconds(12), 0.5) - seconds(12);
        assert!((median.as_secs_f64() - 6.931).abs() < 0.001);
        // The mean of many, at equal distances of the distribution's range.
        let sum: f64 = (0..10_000)
            .map(|step| (f64::from(step) + 0.5) / 10_000.0)
            .map(|uniform| ten.next(seconds(0), seconds(0), uniform).as_secs_f64())
            .sum();
        assert!((sum / 10_000.0 - 10.0).abs() < 0.01, "{sum}");
        assert!(ten.next(seconds(0), seconds(0), 0.0) < seconds(10_000));
    }

    #[test]
    fn a_schedule_is_kept_where_difficulty_does_not_rise_by_it() {
        let regtest = ChainSpec::regtest();
        assert_eq!(schedule(200, BlockTiming::Exact).check(&regtest), Ok(()));
        let pyrite = ChainSpec::pyrite();
        assert_eq!(schedule(10_000, BlockTiming::Exact).check(&pyrite), Ok(()));
        assert_eq!(
            schedule(9_000, BlockTiming::Exact).check(&pyrite),
            Err(ScheduleError::TooFast {
                chain: "pyrite".to_owned(),
                every: seconds(9),
                spacing: seconds(10),
            })
        );
    }

    #[test]
    fn what_no_processor_keeps_is_refused() {
        let mainnet = ChainSpec::mainnet();
        let error = schedule(600_000, BlockTiming::Exact).check(&mainnet);
        assert!(
            matches!(error, Err(ScheduleError::TooHard { .. })),
            "{error:?}"
        );
        let text = error.unwrap_err().to_string();
        assert!(text.contains("mainnet") && text.contains("429"), "{text}");
    }

    #[test]
    fn the_time_has_a_range() {
        let regtest = ChainSpec::regtest();
        for every in [0, 199, 24 * 3_600_000 + 1] {
            let error = schedule(every, BlockTiming::Poisson).check(&regtest);
            let every = Duration::from_millis(every);
            assert_eq!(error, Err(ScheduleError::OutOfRange { every }));
        }
    }
}
