//! Working a share of the time: short spells of work, and rests in proportion.

use std::time::Duration;

use super::DeviceKind;

/// The longest spell of work of a processor's thread: short against what a user of the machine notices.
const MAX_SPELL: Duration = Duration::from_millis(20);

/// How many times as long the spell of an OpenCL device is: it takes its work in bigger pieces, and has to fill a queue each time.
const OPENCL_FACTOR: u32 = 10;

/// The longest rest, whatever a spell on a busy machine took.
const MAX_REST: Duration = Duration::from_secs(1);

/// How much less than planned the next rest may be after one that was too long.
const MAX_CREDIT: Duration = Duration::from_millis(100);

/// Keeps the balance of work and rest.
#[derive(Clone, Debug)]
pub(super) struct DutyCycle {
    factor: u32,
    intensity_percent: u32,
    owed: Duration,
    credit: Duration,
}

impl DutyCycle {
    pub(super) fn new(kind: DeviceKind) -> Self {
        Self {
            factor: match kind {
                DeviceKind::Processor => 1,
                DeviceKind::OpenClProcessor | DeviceKind::Card => OPENCL_FACTOR,
            },
            intensity_percent: 100,
            owed: Duration::ZERO,
            credit: Duration::ZERO,
        }
    }

    /// From now on works this share of the time, 1 to 100 percent.
    pub(super) fn set_intensity(&mut self, intensity_percent: u8) {
        self.intensity_percent = u32::from(intensity_percent.clamp(1, 100));
    }

    /// How long to work between two rests: so that both together last at most a tenth of a second, a second with a card.
    pub(super) fn spell(&self) -> Duration {
        MAX_SPELL.min(Duration::from_millis(u64::from(self.intensity_percent))) * self.factor
    }

    /// Takes note of work, and says how long to rest now.
    pub(super) fn after_work(&mut self, worked: Duration) -> Duration {
        let rest = worked.saturating_mul(100 - self.intensity_percent) / self.intensity_percent;
        let owed = self.owed.saturating_add(rest);
        let paid = owed.min(self.credit);
        self.credit -= paid;
        self.owed = (owed - paid).min(MAX_REST);
        self.owed
    }

    /// Takes note of a rest, which may have been longer than planned.
    pub(super) fn after_rest(&mut self, rested: Duration) {
        self.credit = (self.credit + rested.saturating_sub(self.owed)).min(MAX_CREDIT);
        self.owed = self.owed.saturating_sub(rested);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(intensity_percent: u8) -> DutyCycle {
        let mut duty = DutyCycle::new(DeviceKind::Processor);
        duty.set_intensity(intensity_percent);
        duty
    }

    #[test]
    fn a_card_works_in_longer_spells() {
        let mut card = DutyCycle::new(DeviceKind::Card);
        assert_eq!(card.spell(), 200 * MS);
        card.set_intensity(50);
        assert_eq!(card.after_work(card.spell()), 200 * MS);
        card.set_intensity(10);
        assert_eq!(card.spell(), 100 * MS);
    }

    /// The share of work in percent over many spells; `overshoot` is how much too long rests are.
    fn share(intensity: u8, work_factor: u32, overshoot: Duration) -> f64 {
        let mut duty = at(intensity);
        let (mut work, mut rest) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..1_000 {
            let worked = duty.spell() * work_factor;
            work += worked;
            let planned = duty.after_work(worked);
            let rested = if planned.is_zero() {
                planned
            } else {
                planned + overshoot
            };
            duty.after_rest(rested);
            rest += rested;
        }
        100.0 * work.as_secs_f64() / (work + rest).as_secs_f64()
    }

    #[test]
    fn full_intensity_never_rests() {
        let mut duty = at(100);
        assert_eq!(duty.spell(), 20 * MS);
        assert_eq!(duty.after_work(20 * MS), Duration::ZERO);
        assert_eq!(duty.after_work(Duration::from_secs(100)), Duration::ZERO);
    }

    #[test]
    fn rests_in_proportion() {
        assert_eq!(at(50).after_work(20 * MS), 20 * MS);
        assert_eq!(at(25).after_work(20 * MS), 60 * MS);
        assert_eq!(at(1).after_work(MS), 99 * MS);
    }

    #[test]
    fn a_spell_and_its_rest_last_at_most_a_tenth_of_a_second() {
        for intensity in 1..=100 {
            let mut duty = at(intensity);
            let spell = duty.spell();
            assert!(
                spell >= MS && spell + duty.after_work(spell) <= 100 * MS,
                "{intensity}%"
            );
        }
    }

    #[test]
    fn holds_its_share() {
        for intensity in [1, 5, 34, 50, 75, 99, 100] {
            let exact = share(intensity, 1, Duration::ZERO);
            assert!(
                (exact - f64::from(intensity)).abs() < 0.01,
                "{exact} for {intensity}"
            );
            let with_long_sleeps = share(intensity, 1, 2 * MS);
            let error = (with_long_sleeps - f64::from(intensity)).abs();
            assert!(error < 0.2, "{with_long_sleeps} for {intensity}");
        }
        let with_long_spells = share(34, 3, MS);
        assert!((with_long_spells - 34.0).abs() < 0.2, "{with_long_spells}");
    }

    #[test]
    fn an_interrupted_rest_is_made_up_for() {
        let mut duty = at(50);
        assert_eq!(duty.after_work(20 * MS), 20 * MS);
        duty.after_rest(5 * MS);
        assert_eq!(duty.after_work(10 * MS), 25 * MS);
    }

    #[test]
    fn neither_debt_nor_credit_grows_without_bound() {
        let mut duty = at(1);
        assert_eq!(duty.after_work(Duration::from_secs(3_600)), MAX_REST);
        duty.after_rest(Duration::from_secs(3_600));
        assert_eq!(duty.after_work(2 * MS), 98 * MS);
    }
}
