//! What the miner tells about itself.

use super::{DeviceKind, HoldBack, LatencySummary, MinerSettings};
use crate::{HashRates, SensorReadings};

/// What a device is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It is being opened: measured, or its program is compiled.
    Opening,
    /// It waits for a template.
    Waiting,
    /// It searches, or rests between two searches.
    Mining,
    /// It is held back altogether: [`MinerStatus::held_back`] has the reasons.
    Paused,
    /// It failed and is set aside; the others go on.
    Failed {
        /// What it said.
        reason: String,
    },
}

/// One device of a running miner.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceStatus {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub kind: DeviceKind,
    /// What hashes in it; `None` until it is open.
    pub kernel: Option<String>,
    /// What it is doing.
    pub state: DeviceState,
    /// Its hash rates, in hashes per second.
    pub hash_rates: HashRates,
    /// Its hashes since this start of the miner, as all that follows.
    pub hashes: u64,
    /// Blocks that it solved.
    pub blocks_found: u64,
    /// Those of them that became the tip.
    pub blocks_accepted: u64,
    /// Those that came too late.
    pub blocks_stale: u64,
    /// Those that were refused for another reason.
    pub blocks_rejected: u64,
    /// Nonces that it reported and that are not what it said: errors of the hardware.
    pub false_nonces: u64,
    /// How many of its last 128 results were such, as far as that was not an hour ago; 16 set it aside.
    pub recent_errors: usize,
    /// Results of it that were checked. A graphics card has some to check in every launch, other devices blocks alone.
    pub results: u64,
}

/// The miner as a whole. Rates are sums over the devices, in hashes per second; counters last over
/// stops and starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MinerStatus {
    /// Whether it was started and not stopped since.
    pub running: bool,
    /// What it was started with; `None` when stopped.
    pub settings: Option<MinerSettings>,
    /// Threads of the processor that it was started with, 0 when stopped.
    pub threads: usize,
    /// The duty cycle that it was started with, 0 when stopped.
    pub intensity_percent: u8,
    /// The share of that which the limits leave at the moment, in percent: 0 is a pause.
    pub allowed_percent: u8,
    /// What keeps it below 100.
    pub held_back: Vec<HoldBack>,
    /// Limits that are set and whose sensors tell nothing: where one never did, it holds nothing back.
    pub limits_unknown: Vec<HoldBack>,
    /// The best estimate of the present rate: that over 10 seconds.
    pub hash_rate: f64,
    /// The rate over 10 seconds, or since the start.
    pub hash_rate_10s: f64,
    /// The rate over a minute, or since the start.
    pub hash_rate_1m: f64,
    /// The rate over 15 minutes, or since the start.
    pub hash_rate_15m: f64,
    /// Solved blocks.
    pub blocks_found: u64,
    /// Those of them that became the tip.
    pub blocks_accepted: u64,
    /// Those that came too late: dropped here, or stale in the work source's words.
    pub blocks_stale: u64,
    /// Those that were refused for another reason.
    pub blocks_rejected: u64,
    /// Nonces that devices reported and that solve nothing.
    pub false_nonces: u64,
    /// Hashes.
    pub hashes_total: u64,
    /// The devices, none when stopped.
    pub devices: Vec<DeviceStatus>,
    /// When it was started, Unix seconds; `None` when stopped.
    pub started_at: Option<u64>,
    /// How soon devices had new work after new tips, since this start of the miner. Those that rested or were paused when the
    /// tip came are not counted: they did no old work.
    pub tip_latency: LatencySummary,
    /// What the sensors say; all is unknown when stopped.
    pub sensors: SensorReadings,
    /// The energy that processor and graphics cards took since this start of the miner, in joules, whatever for; `None` where no
    /// sensor tells, and when stopped.
    pub energy_joules: Option<f64>,
    /// That by the million hashes since this start.
    pub joules_per_mh: Option<f64>,
}
