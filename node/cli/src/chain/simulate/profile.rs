//! How the hash power changes over the blocks of a simulation.

use std::ops::Range;

use clap::ValueEnum;

/// On and off phases of the profile `on-off`.
const SWITCHES: u32 = 10;

/// A course of the hash power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// The base hash power all the time
    Steady,
    /// The base hash power, and from the middle on the factor times as much
    StepUp,
    /// The base hash power, and from the middle on the factor times less
    StepDown,
    /// The base hash power and the factor times as much by turns, ten turns in all
    OnOff,
    /// From the base hash power to the factor times as much, over the middle half
    Ramp,
}

/// A stretch of blocks with one hash power, or with one that rises evenly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phase {
    /// What it is called in the output; phases of one kind have one name.
    pub(super) name: &'static str,
    /// Its blocks, counted from the first mined one as 0.
    pub(super) blocks: Range<u32>,
    /// Hash power of its first block, relative to the base.
    pub(super) start: f64,
    /// Hash power after its last block, relative to the base.
    pub(super) end: f64,
}

impl Profile {
    /// The name that the command line has for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::StepUp => "step-up",
            Self::StepDown => "step-down",
            Self::OnOff => "on-off",
            Self::Ramp => "ramp",
        }
    }

    /// The phases of so many blocks.
    pub(super) fn phases(self, blocks: u32, factor: f64) -> Vec<Phase> {
        let flat = |name, blocks, power| Phase {
            name,
            blocks,
            start: power,
            end: power,
        };
        let half = blocks / 2;
        match self {
            Self::Steady => vec![flat("steady", 0..blocks, 1.0)],
            Self::StepUp => vec![
                flat("before", 0..half, 1.0),
                flat("after", half..blocks, factor),
            ],
            Self::StepDown => vec![
                flat("before", 0..half, 1.0),
                flat("after", half..blocks, 1.0 / factor),
            ],
            Self::OnOff => (0..SWITCHES)
                .map(|turn| {
                    let at = |turn: u32| {
                        let place = u64::from(blocks) * u64::from(turn) / u64::from(SWITCHES);
                        u32::try_from(place).expect("at most the number of blocks")
                    };
                    let range = at(turn)..at(turn + 1);
                    if turn % 2 == 0 {
                        flat("off", range, 1.0)
                    } else {
                        flat("on", range, factor)
                    }
                })
                .collect(),
            Self::Ramp => vec![
                flat("before", 0..blocks / 4, 1.0),
                Phase {
                    name: "ramp",
                    blocks: blocks / 4..blocks - blocks / 4,
                    start: 1.0,
                    end: factor,
                },
                flat("after", blocks - blocks / 4..blocks, factor),
            ],
        }
    }
}

impl Phase {
    /// Hash power at a block of the phase, relative to the base: equal steps multiply it equally.
    pub(super) fn power(&self, block: u32) -> f64 {
        let length = f64::from(self.blocks.end - self.blocks.start).max(1.0);
        let share = f64::from(block.saturating_sub(self.blocks.start)) / length;
        self.start * (self.end / self.start).powf(share)
    }

    /// Whether the hash power is the same all the time.
    pub(super) fn is_flat(&self) -> bool {
        self.start.total_cmp(&self.end).is_eq()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other_without_gaps() {
        for profile in Profile::value_variants() {
            for blocks in [20, 99, 1_000, 12_001] {
                let phases = profile.phases(blocks, 10.0);
                let mut next = 0;
                for phase in &phases {
                    assert_eq!(phase.blocks.start, next, "{profile:?}");
                    assert!(phase.blocks.end > next, "{profile:?}");
                    next = phase.blocks.end;
                }
                assert_eq!(next, blocks, "{profile:?}");
            }
        }
    }

    #[test]
    fn powers_are_those_of_the_profile() {
        let at = |profile: Profile, block: u32| {
            let phases = profile.phases(1_000, 16.0);
            let phase = phases.iter().find(|phase| phase.blocks.contains(&block));
            phase.expect("a phase has the block").power(block)
        };
        assert_eq!(at(Profile::Steady, 999), 1.0);
        assert_eq!(at(Profile::StepUp, 499), 1.0);
        assert_eq!(at(Profile::StepUp, 500), 16.0);
        assert_eq!(at(Profile::StepDown, 500), 1.0 / 16.0);
        assert_eq!(at(Profile::OnOff, 99), 1.0);
        assert_eq!(at(Profile::OnOff, 100), 16.0);
        assert_eq!(at(Profile::OnOff, 200), 1.0);
        assert_eq!(at(Profile::Ramp, 250), 1.0);
        assert!((at(Profile::Ramp, 500) - 4.0).abs() < 1e-9);
        assert_eq!(at(Profile::Ramp, 750), 16.0);
    }

    #[test]
    fn the_command_line_has_the_same_names() {
        for profile in Profile::value_variants() {
            let value = profile.to_possible_value().expect("no value is skipped");
            assert_eq!(value.get_name(), profile.name());
        }
    }
}
