//! Reads the sensors every second and holds the devices back as the limits say, on a thread of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::board::Board;
use super::governor::{Allowance, Governor};
use super::lock::lock;
use super::{MiningLimits, OnBattery};
use crate::SensorReadings;
use crate::sensors::{Sampler, Sensors};

/// How often the sensors are read.
const TICK: Duration = Duration::from_secs(1);

/// What the guard found last.
pub(super) struct Guarded {
    share_percent: AtomicU8,
    latest: Mutex<Latest>,
}

#[derive(Clone)]
pub(super) struct Latest {
    pub(super) readings: SensorReadings,
    pub(super) allowance: Allowance,
    pub(super) energy_joules: Option<f64>,
}

impl Default for Guarded {
    fn default() -> Self {
        Self {
            share_percent: AtomicU8::new(100),
            latest: Mutex::new(Latest {
                readings: SensorReadings::default(),
                allowance: Allowance::FULL,
                energy_joules: None,
            }),
        }
    }
}

impl Guarded {
    /// The share of the time that the limits leave.
    pub(super) fn share_percent(&self) -> u8 {
        self.share_percent.load(Ordering::Relaxed)
    }

    pub(super) fn latest(&self) -> Latest {
        lock(&self.latest).clone()
    }
}

/// Runs until the board stops.
pub(super) fn guard(board: &Board, guarded: &Guarded, limits: &MiningLimits, sensors: &Sensors) {
    let mut last = Instant::now();
    let mut sampler = Sampler::new(sensors, last);
    let mut governor = Governor::new(limits.clone());
    let mut is_first = true;
    while !board.is_stopping() {
        let now = Instant::now();
        let readings = sampler.sample(now);
        let allowance = governor.step(&readings, now.saturating_duration_since(last));
        last = now;
        if is_first {
            warn_of_missing_sensors(limits, &readings);
            is_first = false;
        }
        publish(
            board,
            guarded,
            Latest {
                readings,
                allowance,
                energy_joules: sampler.energy_joules(),
            },
        );
        board.rest(TICK);
    }
}

fn publish(board: &Board, guarded: &Guarded, latest: Latest) {
    let share = latest.allowance.share_percent;
    guarded.share_percent.store(share, Ordering::Relaxed);
    let reasons = latest.allowance.reasons.clone();
    let before = std::mem::replace(&mut *lock(&guarded.latest), latest);
    if before.allowance.reasons != reasons {
        let reasons: Vec<_> = reasons.iter().map(|reason| reason.name()).collect();
        let by = reasons.join(", ");
        if by.is_empty() {
            tracing::info!("mining is not held back any more");
        } else {
            tracing::info!(%by, allowed_percent = share, "mining is held back");
        }
    }
    if share == 0 {
        board.pause();
    } else {
        board.resume();
    }
}

/// The load is not known before the second reading, and there always where it is at all.
fn warn_of_missing_sensors(limits: &MiningLimits, readings: &SensorReadings) {
    let without = |what: &str| {
        tracing::warn!(
            limit = what,
            "no sensor that this program may read: the limit holds nothing back"
        );
    };
    if limits.max_temperature_c.is_some() && readings.temperature_c.is_none() {
        without("temperature");
    }
    if limits.max_power_w.is_some() && readings.power_w.is_none() {
        without("power");
    }
    if limits.on_battery == OnBattery::Pause && readings.on_battery.is_none() {
        without("battery");
    }
}
