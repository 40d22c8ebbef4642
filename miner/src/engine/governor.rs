//! Decides how much of the time to mine, by what the sensors say and the limits allow. Pure.
//!
//! Each limit has its hysteresis: mining comes back only when there is some distance to the limit. A reading that fails leaves
//! things as they are for a while; then a limit of temperature or power counts as exceeded, because nobody knows that it is not. A
//! limit whose sensor never told anything holds nothing back.

use std::time::Duration;

use super::settings::{MiningLimits, OnBattery};
use crate::SensorReadings;

/// How long other programs are above their limit before mining pauses, and below before it goes on.
const BUSY_BEFORE_PAUSE: Duration = Duration::from_secs(2);
const QUIET_BEFORE_RESUME: Duration = Duration::from_secs(5);

/// Other programs are quiet below this share of their limit.
const QUIET_SHARE: f64 = 0.75;

/// Mining takes more of the time again when it is cooler than the limit by this, and none of it when it is hotter by that, in
/// degrees Celsius.
const COOL_MARGIN_C: f64 = 3.0;
const HOT_MARGIN_C: f64 = 5.0;

/// Mining takes more of the time again below this share of the limit of power.
const LOW_POWER_SHARE: f64 = 0.95;

/// For how long what a sensor told last is taken for what it would tell, when it can't be read.
const TRUST: Duration = Duration::from_secs(30);

/// How the share of the time changes in a second: by this factor above a limit, by so many percent of all time below it.
const STEP_DOWN: f64 = 0.8;
const STEP_UP_PERCENT: f64 = 4.0;

/// A share below this is not worth it.
const MIN_SHARE_PERCENT: f64 = 4.0;

/// Why mining is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldBack {
    /// Other programs take the processors.
    Busy,
    /// The machine runs on its battery.
    Battery,
    /// It is too hot, or was a moment ago.
    Temperature,
    /// It takes too much power, or did a moment ago.
    Power,
    /// Its temperature can't be read any more.
    TemperatureUnknown,
    /// Its power can't be read any more.
    PowerUnknown,
}

impl HoldBack {
    /// One word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Battery => "battery",
            Self::Temperature => "temperature",
            Self::Power => "power",
            Self::TemperatureUnknown => "temperature_unknown",
            Self::PowerUnknown => "power_unknown",
        }
    }
}

/// How much to mine at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    /// The share of the time that the intensity stands for, in percent; 0 is a pause.
    pub(super) share_percent: u8,
    /// What keeps it below 100.
    pub(super) reasons: Vec<HoldBack>,
    /// Limits whose sensors tell nothing.
    pub(super) blind: Vec<HoldBack>,
}

impl Allowance {
    pub(super) const FULL: Self = Self {
        share_percent: 100,
        reasons: Vec::new(),
        blind: Vec::new(),
    };

    /// At most this share, for a reason.
    fn hold(&mut self, share_percent: f64, reason: HoldBack) {
        // Between 0 and 100.
        let share_percent = share_percent.round() as u8;
        if share_percent < 100 {
            self.reasons.push(reason);
            self.share_percent = self.share_percent.min(share_percent);
        }
    }
}

/// The state of the limits.
#[derive(Clone, Debug)]
pub(super) struct Governor {
    limits: MiningLimits,
    /// Whether the readings are the first: some tell what was since the last ones.
    is_first: bool,
    load: Sense<f64>,
    battery: Sense<bool>,
    temperature: Sense<f64>,
    watts: Sense<f64>,
    busy: Switch,
    heat: Throttle,
    power: Throttle,
}

impl Governor {
    pub(super) fn new(limits: MiningLimits) -> Self {
        Self {
            limits,
            is_first: true,
            load: Sense::default(),
            battery: Sense::default(),
            temperature: Sense::default(),
            watts: Sense::default(),
            busy: Switch::default(),
            heat: Throttle::default(),
            power: Throttle::default(),
        }
    }

    /// Takes note of readings that came `elapsed` after those before.
    pub(super) fn step(&mut self, readings: &SensorReadings, elapsed: Duration) -> Allowance {
        let mut allowance = Allowance::FULL;
        self.mind_others(readings.other_load_percent, elapsed, &mut allowance);
        self.mind_battery(readings.on_battery, elapsed, &mut allowance);
        self.mind_heat(readings.temperature_c, elapsed, &mut allowance);
        self.mind_power(readings.power_w, elapsed, &mut allowance);
        if std::mem::take(&mut self.is_first) {
            allowance.blind.clear();
        }
        allowance
    }

    fn mind_others(&mut self, load: Option<f64>, elapsed: Duration, allowance: &mut Allowance) {
        let Some(limit) = self.limits.max_other_load_percent.map(f64::from) else {
            return;
        };
        let is_busy = match self.load.note(load, elapsed) {
            Seen::Now(load) => self.busy.step(load, limit, elapsed),
            Seen::Lately => self.busy.is_on,
            Seen::Never | Seen::Lost => {
                allowance.blind.push(HoldBack::Busy);
                false
            }
        };
        if is_busy {
            allowance.hold(0.0, HoldBack::Busy);
        }
    }

    fn mind_battery(
        &mut self,
        on_battery: Option<bool>,
        elapsed: Duration,
        allowance: &mut Allowance,
    ) {
        if self.limits.on_battery == OnBattery::Mine {
            return;
        }
        let on_battery = match self.battery.note(on_battery, elapsed) {
            Seen::Now(on_battery) => on_battery,
            Seen::Lately => self.battery.last == Some(true),
            Seen::Never | Seen::Lost => {
                allowance.blind.push(HoldBack::Battery);
                false
            }
        };
        if on_battery {
            allowance.hold(0.0, HoldBack::Battery);
        }
    }

    fn mind_heat(
        &mut self,
        temperature: Option<f64>,
        elapsed: Duration,
        allowance: &mut Allowance,
    ) {
        let Some(limit) = self.limits.max_temperature_c.map(f64::from) else {
            return;
        };
        let level = |temperature: f64| match temperature {
            hot if hot >= limit + HOT_MARGIN_C => Level::FarAbove,
            warm if warm > limit => Level::Above,
            cool if cool < limit - COOL_MARGIN_C => Level::Below,
            _ => Level::Near,
        };
        let seen = self.temperature.note(temperature, elapsed);
        let names = (HoldBack::Temperature, HoldBack::TemperatureUnknown);
        self.heat.mind(seen, level, elapsed, names, allowance);
    }

    fn mind_power(&mut self, power: Option<f64>, elapsed: Duration, allowance: &mut Allowance) {
        let Some(limit) = self.limits.max_power_w.map(f64::from) else {
            return;
        };
        let level = |power: f64| match power {
            high if high > limit => Level::Above,
            low if low < limit * LOW_POWER_SHARE => Level::Below,
            _ => Level::Near,
        };
        let seen = self.watts.note(power, elapsed);
        let names = (HoldBack::Power, HoldBack::PowerUnknown);
        self.power.mind(seen, level, elapsed, names, allowance);
    }
}

/// What a sensor told, and since when it tells nothing.
#[derive(Clone, Debug)]
struct Sense<T> {
    last: Option<T>,
    silent: Duration,
}

/// What is known of a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen<T> {
    /// Nothing, ever.
    Never,
    /// This.
    Now(T),
    /// Nothing now, but something not long ago.
    Lately,
    /// Nothing for long.
    Lost,
}

impl<T> Default for Sense<T> {
    fn default() -> Self {
        Self {
            last: None,
            silent: Duration::ZERO,
        }
    }
}

impl<T: Copy> Sense<T> {
    fn note(&mut self, reading: Option<T>, elapsed: Duration) -> Seen<T> {
        if let Some(reading) = reading {
            self.last = Some(reading);
            self.silent = Duration::ZERO;
            return Seen::Now(reading);
        }
        if self.last.is_none() {
            return Seen::Never;
        }
        self.silent = self.silent.saturating_add(elapsed);
        if self.silent < TRUST {
            Seen::Lately
        } else {
            Seen::Lost
        }
    }
}

/// On and off, each after a while.
#[derive(Clone, Debug, Default)]
struct Switch {
    is_on: bool,
    /// For how long the opposite has been true.
    contrary: Duration,
}

impl Switch {
    /// Whether the load pauses mining.
    fn step(&mut self, load: f64, limit: f64, elapsed: Duration) -> bool {
        let (is_contrary, patience) = if self.is_on {
            (load < limit * QUIET_SHARE, QUIET_BEFORE_RESUME)
        } else {
            (load > limit, BUSY_BEFORE_PAUSE)
        };
        self.contrary = if is_contrary {
            self.contrary.saturating_add(elapsed)
        } else {
            Duration::ZERO
        };
        if self.contrary >= patience {
            self.is_on = !self.is_on;
            self.contrary = Duration::ZERO;
        }
        self.is_on
    }
}

/// Where a reading is to its limit.
enum Level {
    FarAbove,
    Above,
    Near,
    Below,
}

/// Falls fast and rises slowly.
#[derive(Clone, Debug)]
struct Throttle {
    share_percent: f64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            share_percent: 100.0,
        }
    }
}

impl Throttle {
    fn step(&mut self, level: Level, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64().min(10.0);
        let share = match level {
            Level::FarAbove => 0.0,
            Level::Above => self.share_percent * STEP_DOWN.powf(seconds),
            Level::Near => self.share_percent,
            Level::Below => {
                (self.share_percent + STEP_UP_PERCENT * seconds).clamp(MIN_SHARE_PERCENT, 100.0)
            }
        };
        self.share_percent = if share < MIN_SHARE_PERCENT {
            0.0
        } else {
            share
        };
    }

    /// Takes note of what is known of a reading, and holds mining back by it; for the second reason where it is not known any more.
    fn mind(
        &mut self,
        seen: Seen<f64>,
        level: impl Fn(f64) -> Level,
        elapsed: Duration,
        (known, unknown): (HoldBack, HoldBack),
        allowance: &mut Allowance,
    ) {
        match seen {
            Seen::Never => allowance.blind.push(known),
            Seen::Now(reading) => self.step(level(reading), elapsed),
            Seen::Lately => {}
            Seen::Lost => {
                allowance.blind.push(known);
                self.step(Level::Above, elapsed);
                return allowance.hold(self.share_percent, unknown);
            }
        }
        allowance.hold(self.share_percent, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(change: impl FnOnce(&mut MiningLimits)) -> Governor {
        let mut limits = MiningLimits::default();
        change(&mut limits);
        Governor::new(limits)
    }

    fn load(percent: f64) -> SensorReadings {
        SensorReadings {
            other_load_percent: Some(percent),
            ..SensorReadings::default()
        }
    }

    fn heat(celsius: f64) -> SensorReadings {
        SensorReadings {
            temperature_c: Some(celsius),
            ..SensorReadings::default()
        }
    }

    fn power(watts: f64) -> SensorReadings {
        SensorReadings {
            power_w: Some(watts),
            ..SensorReadings::default()
        }
    }

    #[test]
    fn without_limits_or_without_sensors_nothing_holds_back() {
        let everything = SensorReadings {
            temperature_c: Some(200.0),
            power_w: Some(1e6),
            on_battery: Some(true),
            other_load_percent: Some(100.0),
        };
        assert_eq!(limits(|_| {}).step(&everything, SECOND), Allowance::FULL);
        let mut governor = limits(|limits| {
            limits.max_other_load_percent = Some(1);
            limits.on_battery = OnBattery::Pause;
            limits.max_temperature_c = Some(1);
            limits.max_power_w = Some(1);
        });
        let unknown = SensorReadings::default();
        assert_eq!(governor.step(&unknown, SECOND), Allowance::FULL);
        for _ in 0..100 {
            let allowance = governor.step(&unknown, SECOND);
            assert_eq!(
                (allowance.share_percent, &allowance.reasons[..]),
                (100, &[][..])
            );
            let all = [
                HoldBack::Busy,
                HoldBack::Battery,
                HoldBack::Temperature,
                HoldBack::Power,
            ];
            assert_eq!(allowance.blind, all);
        }
    }

    #[test]
    fn a_reading_that_fails_changes_nothing_for_a_while() {
        let mut governor = limits(|limits| {
            limits.max_other_load_percent = Some(20);
            limits.on_battery = OnBattery::Pause;
            limits.max_temperature_c = Some(80);
            limits.max_power_w = Some(65);
        });
        let trouble = SensorReadings {
            temperature_c: Some(81.0),
            power_w: Some(66.0),
            on_battery: Some(true),
            other_load_percent: Some(90.0),
        };
        governor.step(&trouble, SECOND);
        let before = governor.step(&trouble, SECOND);
        assert_eq!(before.share_percent, 0);
        assert_eq!(before.reasons.len(), 4);
        let unknown = SensorReadings::default();
        for _ in 0..29 {
            assert_eq!(governor.step(&unknown, SECOND), before);
        }
    }

    #[test]
    fn what_is_not_known_any_more_may_be_too_much() {
        let mut governor = limits(|limits| {
            limits.max_temperature_c = Some(80);
            limits.max_power_w = Some(65);
        });
        let fine = SensorReadings {
            temperature_c: Some(60.0),
            power_w: Some(40.0),
            ..SensorReadings::default()
        };
        assert_eq!(governor.step(&fine, SECOND), Allowance::FULL);
        let unknown = SensorReadings::default();
        for _ in 0..29 {
            assert_eq!(governor.step(&unknown, SECOND), Allowance::FULL);
        }
        let lost = governor.step(&unknown, SECOND);
        assert_eq!(lost.share_percent, 80);
        let reasons = [HoldBack::TemperatureUnknown, HoldBack::PowerUnknown];
        assert_eq!(lost.reasons, reasons);
        assert_eq!(lost.blind, [HoldBack::Temperature, HoldBack::Power]);
        let shares = (0..30).map(|_| governor.step(&unknown, SECOND).share_percent);
        assert_eq!(shares.last(), Some(0), "it ends in a pause");
        // The sensors tell again.
        let back = governor.step(&fine, SECOND);
        assert_eq!(back.share_percent, 4);
        assert_eq!(back.reasons, [HoldBack::Temperature, HoldBack::Power]);
        assert!(back.blind.is_empty());
    }

    #[test]
    fn load_and_battery_that_are_not_known_any_more_hold_nothing_back() {
        let mut governor = limits(|limits| {
            limits.max_other_load_percent = Some(20);
            limits.on_battery = OnBattery::Pause;
        });
        let busy = SensorReadings {
            on_battery: Some(true),
            other_load_percent: Some(90.0),
            ..SensorReadings::default()
        };
        for _ in 0..3 {
            governor.step(&busy, SECOND);
        }
        let unknown = SensorReadings::default();
        for _ in 0..29 {
            assert_eq!(governor.step(&unknown, SECOND).share_percent, 0);
        }
        let lost = governor.step(&unknown, SECOND);
        assert_eq!((lost.share_percent, &lost.reasons[..]), (100, &[][..]));
        assert_eq!(lost.blind, [HoldBack::Busy, HoldBack::Battery]);
    }

    #[test]
    fn a_busy_machine_pauses_after_two_seconds_and_a_quiet_one_resumes_after_five() {
        let mut governor = limits(|limits| limits.max_other_load_percent = Some(20));
        let mut paused = |percent, elapsed| {
            let allowance = governor.step(&load(percent), elapsed);
            assert_eq!(allowance.share_percent == 0, !allowance.reasons.is_empty());
            allowance.reasons == [HoldBack::Busy]
        };
        assert!(!paused(90.0, SECOND));
        assert!(!paused(19.0, SECOND), "a peak does not count");
        assert!(!paused(90.0, SECOND));
        assert!(paused(21.0, SECOND));
        for _ in 0..20 {
            assert!(paused(16.0, SECOND), "not quiet enough to go on");
        }
        for _ in 0..4 {
            assert!(paused(14.0, SECOND));
        }
        assert!(!paused(14.0, SECOND));
    }

    #[test]
    fn the_battery_pauses_if_asked() {
        let on_battery = |on_battery| SensorReadings {
            on_battery: Some(on_battery),
            ..SensorReadings::default()
        };
        let mut governor = limits(|limits| limits.on_battery = OnBattery::Pause);
        let allowance = governor.step(&on_battery(true), SECOND);
        assert_eq!(allowance.share_percent, 0);
        assert_eq!(allowance.reasons, [HoldBack::Battery]);
        assert_eq!(governor.step(&on_battery(false), SECOND), Allowance::FULL);
    }

    #[test]
    fn heat_takes_time_away_and_gives_it_back_when_it_is_cool() {
        let mut governor = limits(|limits| limits.max_temperature_c = Some(80));
        assert_eq!(governor.step(&heat(80.0), SECOND), Allowance::FULL);
        let first = governor.step(&heat(81.0), SECOND);
        assert_eq!(
            (first.share_percent, &first.reasons[..]),
            (80, &[HoldBack::Temperature][..])
        );
        assert_eq!(governor.step(&heat(81.0), SECOND).share_percent, 64);
        assert_eq!(governor.step(&heat(78.0), SECOND).share_percent, 64, "near");
        assert_eq!(governor.step(&heat(76.0), SECOND).share_percent, 68);
        assert_eq!(
            governor.step(&heat(85.0), SECOND).share_percent,
            0,
            "far above"
        );
        assert_eq!(governor.step(&heat(79.0), SECOND).share_percent, 0);
        for _ in 0..24 {
            assert!(governor.step(&heat(70.0), SECOND).share_percent < 100);
        }
        assert_eq!(governor.step(&heat(70.0), SECOND), Allowance::FULL);
    }

    #[test]
    fn lasting_heat_ends_in_a_pause() {
        let mut governor = limits(|limits| limits.max_temperature_c = Some(80));
        let shares = (0..30).map(|_| governor.step(&heat(82.0), SECOND).share_percent);
        assert_eq!(shares.last(), Some(0));
    }

    #[test]
    fn power_settles_below_its_limit() {
        let mut governor = limits(|limits| limits.max_power_w = Some(65));
        // A machine that takes 20 W when it does nothing and 100 W when it mines all the time.
        let mut share = 100.0;
        let mut total = 0.0;
        for second in 0..300 {
            let watts = 20.0 + 0.8 * share;
            share = f64::from(governor.step(&power(watts), SECOND).share_percent);
            if second >= 100 {
                total += watts / 200.0;
            }
        }
        assert!((50.0..=66.0).contains(&total), "{total}");
    }

    #[test]
    fn the_strictest_limit_counts_and_all_are_named() {
        let mut governor = limits(|limits| {
            limits.max_temperature_c = Some(80);
            limits.max_power_w = Some(65);
        });
        governor.step(&heat(81.0), SECOND);
        let both = SensorReadings {
            temperature_c: Some(81.0),
            power_w: Some(66.0),
            ..SensorReadings::default()
        };
        let allowance = governor.step(&both, SECOND);
        assert_eq!(allowance.share_percent, 64);
        assert_eq!(allowance.reasons, [HoldBack::Temperature, HoldBack::Power]);
    }
}
