//! The settings of blocks by the clock.

use std::time::Duration;

use pyrite_consensus::ChainSpec;
use pyrite_miner::{BlockSchedule, BlockTiming};

use super::NodeOptions;
use crate::NodeError;

impl NodeOptions {
    /// The schedule, where there is one: one that the chain can keep.
    pub(super) fn block_schedule(
        &self,
        spec: &ChainSpec,
    ) -> Result<Option<BlockSchedule>, NodeError> {
        let wrong = |setting, detail| Err(NodeError::Setting { setting, detail });
        let timing = match self.block_timing.as_deref() {
            None | Some("exact") => BlockTiming::Exact,
            Some("poisson") => BlockTiming::Poisson,
            Some(other) => {
                let detail = format!("{other} is neither exact nor poisson");
                return wrong("block-timing", detail);
            }
        };
        let Some(text) = self.block_every.as_deref() else {
            return match self.block_timing {
                Some(_) => wrong("block-timing", "it goes with block-every".to_owned()),
                None => Ok(None),
            };
        };
        let Some(every) = parse_duration(text) else {
            let detail = format!("{text} is not a time such as 10s, 500ms or 2m");
            return wrong("block-every", detail);
        };
        let schedule = BlockSchedule { every, timing };
        match schedule.check(spec) {
            Ok(()) => Ok(Some(schedule)),
            Err(error) => wrong("block-every", error.to_string()),
        }
    }
}

/// A whole number and its unit; without one, seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let number: u64 = digits
        .bytes()
        .all(|digit| digit.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    let unit_ms: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(unit_ms).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_a_unit() {
        for (text, ms) in [
            ("10s", 10_000),
            ("10", 10_000),
            ("250ms", 250),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)));
        }
        for text in [
            "",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "1d",
            "+1s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    fn schedule(
        every: Option<&str>,
        timing: Option<&str>,
        spec: &ChainSpec,
    ) -> Result<Option<BlockSchedule>, String> {
        let options = NodeOptions {
            block_every: every.map(str::to_owned),
            block_timing: timing.map(str::to_owned),
            ..NodeOptions::default()
        };
        options
            .block_schedule(spec)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_schedule_is_exact_unless_it_says_otherwise() {
        let regtest = ChainSpec::regtest();
        assert_eq!(schedule(None, None, &regtest), Ok(None));
        let every = Duration::from_secs(2);
        for (text, timing) in [
            (None, BlockTiming::Exact),
            (Some("exact"), BlockTiming::Exact),
            (Some("poisson"), BlockTiming::Poisson),
        ] {
            let expected = BlockSchedule { every, timing };
            assert_eq!(schedule(Some("2s"), text, &regtest), Ok(Some(expected)));
        }
    }

    #[test]
    fn what_is_wrong_names_the_setting() {
        let regtest = ChainSpec::regtest();
        for (every, timing, expected) in [
            (
                Some("soon"),
                None,
                "block-every: soon is not a time such as 10s, 500ms or 2m",
            ),
            (
                Some("2s"),
                Some("random"),
                "block-timing: random is neither exact nor poisson",
            ),
            (
                None,
                Some("exact"),
                "block-timing: it goes with block-every",
            ),
        ] {
            assert_eq!(schedule(every, timing, &regtest), Err(expected.to_owned()));
        }
        let error = schedule(Some("2s"), None, &ChainSpec::pyrite()).unwrap_err();
        assert!(
            error.starts_with("block-every: a block every 2s can't be kept"),
            "{error}"
        );
    }
}
