//! What a simulation shows: figures of each phase, as a table or as JSON.

use std::fmt::Write as _;

use pyrite_consensus::pow::difficulty;
use serde_json::{Value, json};

use super::profile::{Phase, Profile};
use super::run::SimulatedBlock;

/// The difficulty has recovered when the blocks of a window take this much more or less than intended, on average.
const TOLERANCE: f64 = 1.25;

/// Blocks of that window.
const RECOVERY_WINDOW: usize = 60;

/// Figures of a phase, or of all phases of a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PhaseFigures {
    pub(super) name: &'static str,
    pub(super) blocks: usize,
    /// Mean hash power, in hashes a second.
    pub(super) hash_rate: f64,
    /// Mean seconds between blocks.
    pub(super) mean_s: f64,
    /// 95 of 100 blocks took at most so many seconds.
    pub(super) percentile_95_s: f64,
    pub(super) recovery: Recovery,
    /// Difficulty of the last block.
    pub(super) difficulty: f64,
}

/// How many blocks the difficulty took to follow the hash power of a phase; of several phases, the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Recovery {
    /// The hash power changes all the time.
    Changing,
    /// It took so many blocks.
    After(usize),
    /// The phase ended before.
    Never,
}

/// The figures of a simulation's phases, those of one name together.
pub(super) fn figures(
    phases: &[Phase],
    blocks: &[SimulatedBlock],
    spacing_s: f64,
) -> Vec<PhaseFigures> {
    let mut names: Vec<&'static str> = Vec::new();
    for phase in phases {
        if !names.contains(&phase.name) {
            names.push(phase.name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let parts: Vec<(&Phase, &[SimulatedBlock])> = phases
                .iter()
                .filter(|phase| phase.name == name)
                .map(|phase| {
                    let range = phase.blocks.start as usize..phase.blocks.end as usize;
                    (phase, &blocks[range])
                })
                .collect();
            phase_figures(name, &parts, spacing_s)
        })
        .collect()
}

fn phase_figures(
    name: &'static str,
    parts: &[(&Phase, &[SimulatedBlock])],
    spacing_s: f64,
) -> PhaseFigures {
    let blocks: Vec<&SimulatedBlock> = parts.iter().flat_map(|(_, blocks)| *blocks).collect();
    let mut solve_times: Vec<f64> = blocks.iter().map(|block| block.solve_s).collect();
    solve_times.sort_by(f64::total_cmp);
    let recovery = parts
        .iter()
        .map(|(phase, blocks)| recovery(phase, blocks, spacing_s))
        .max();
    PhaseFigures {
        name,
        blocks: blocks.len(),
        hash_rate: mean(blocks.iter().map(|block| block.hash_rate)),
        mean_s: mean(solve_times.iter().copied()),
        percentile_95_s: percentile_95(&solve_times),
        recovery: recovery.unwrap_or(Recovery::Never),
        difficulty: blocks
            .last()
            .map_or(0.0, |block| difficulty(block.header.bits)),
    }
}

/// The first block from which on a window of blocks takes about as long as intended: not as they happened to
/// be found, but as their difficulty and the hash power say, so that luck has no part in it.
fn recovery(phase: &Phase, blocks: &[SimulatedBlock], spacing_s: f64) -> Recovery {
    if !phase.is_flat() {
        return Recovery::Changing;
    }
    let length = RECOVERY_WINDOW.min(blocks.len()).max(1);
    let recovered = blocks.windows(length).position(|window| {
        let mean_s = mean(window.iter().map(|block| block.expected_s));
        (spacing_s / TOLERANCE..=spacing_s * TOLERANCE).contains(&mean_s)
    });
    recovered.map_or(Recovery::Never, Recovery::After)
}

/// Zero of nothing.
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1);
    values.sum::<f64>() / count as f64
}

/// The nearest rank of sorted values; zero of nothing.
fn percentile_95(sorted: &[f64]) -> f64 {
    let rank = (sorted.len() * 95).div_ceil(100);
    rank.checked_sub(1).map_or(0.0, |index| sorted[index])
}

/// The table's head.
pub(super) fn table_head() -> String {
    format!(
        "{:<10} {:<7} {:>7} {:>12} {:>9} {:>9} {:>9} {:>12}\n",
        "hash power", "phase", "blocks", "H/s", "mean s", "95 % s", "recovery", "difficulty"
    )
}

/// A simulation's rows of the table.
pub(super) fn table_rows(profile: Profile, figures: &[PhaseFigures]) -> String {
    let mut rows = String::new();
    let mut title = profile.name();
    for phase in figures {
        let recovery = match phase.recovery {
            Recovery::Changing => "-".to_owned(),
            Recovery::After(blocks) => blocks.to_string(),
            Recovery::Never => "never".to_owned(),
        };
        writeln!(
            rows,
            "{title:<10} {:<7} {:>7} {:>12} {:>9} {:>9} {recovery:>9} {:>12}",
            phase.name,
            phase.blocks,
            number(phase.hash_rate),
            number(phase.mean_s),
            number(phase.percentile_95_s),
            number(phase.difficulty),
        )
        .expect("a string takes it");
        title = "";
    }
    rows
}

/// Four significant digits.
fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        100_000_000.0.. => format!("{value:.3e}"),
        1_000.0.. => format!("{value:.0}"),
        100.0.. => format!("{value:.1}"),
        10.0.. => format!("{value:.2}"),
        1.0.. => format!("{value:.3}"),
        0.1.. => format!("{value:.4}"),
        0.01.. => format!("{value:.5}"),
        _ => format!("{value:.3e}"),
    }
}

/// A simulation as JSON.
pub(super) fn to_json(profile: Profile, figures: &[PhaseFigures]) -> Value {
    let phases: Vec<Value> = figures
        .iter()
        .map(|phase| {
            json!({
                "phase": phase.name,
                "blocks": phase.blocks,
                "hash_rate": phase.hash_rate,
                "mean_s": phase.mean_s,
                "percentile_95_s": phase.percentile_95_s,
                "recovery_blocks": match phase.recovery {
                    Recovery::After(blocks) => Some(blocks),
                    Recovery::Changing | Recovery::Never => None,
                },
                "recovered": match phase.recovery {
                    Recovery::After(_) => Some(true),
                    Recovery::Never => Some(false),
                    Recovery::Changing => None,
                },
                "difficulty": phase.difficulty,
            })
        })
        .collect();
    json!({ "profile": profile.name(), "phases": phases })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (9.99999e-6, "1.000e-5"),
            (0.012345, "0.01235"),
            (0.5, "0.5000"),
            (9.994, "9.994"),
            (29.944, "29.94"),
            (123.45, "123.5"),
            (104_857.7, "104858"),
            (2.5e9, "2.500e9"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(percentile_95(&[]), 0.0);
        assert_eq!(percentile_95(&[7.0]), 7.0);
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile_95(&values), 95.0);
    }
}
