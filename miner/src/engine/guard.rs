//! Reads the sensors every second and holds the devices back as the limits say, on a thread of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::MiningLimits;
use super::board::Board;
use super::governor::{Allowance, Governor};
use super::lock::lock;
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
    while !board.is_stopping() {
        let now = Instant::now();
        let readings = sampler.sample(now);
        let allowance = governor.step(&readings, now.saturating_duration_since(last));
        last = now;
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
    let Allowance { reasons, blind, .. } = latest.allowance.clone();
    let before = std::mem::replace(&mut *lock(&guarded.latest), latest);
    for limit in blind {
        if !before.allowance.blind.contains(&limit) {
            let limit = limit.name();
            tracing::warn!(limit, "{}", without_reading());
        }
    }
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

/// What to say of a limit that is blind.
fn without_reading() -> &'static str {
    if cfg!(target_os = "linux") {
        "no sensor that this program can read tells of what is limited"
    } else {
        "no sensors are read on this system: the limit holds nothing back"
    }
}
