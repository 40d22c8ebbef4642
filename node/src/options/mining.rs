//! The settings of mining, which `pyrite node` and `pyrite mine` have in common.

use clap::Args;
use pyrite_miner::{
    DeviceSelection, MAX_THREADS, MinerError, MinerSettings, MiningLimits, OnBattery, Pinning,
};
use serde::Deserialize;

use super::{in_range, non_empty_or};
use crate::NodeError;

/// How to mine, and when to hold back. Every one is a flag, an environment variable and a key of the configuration file.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MiningOptions {
    /// Devices to mine on: cpu, opencl (all of OpenCL, but beside cpu none that is the processor again), or opencl0 and so on for
    /// one of them, as `pyrite devices` lists them [default: cpu]
    #[arg(
        long,
        value_name = "LIST",
        env = "PYRITE_DEVICES",
        value_delimiter = ','
    )]
    pub devices: Vec<String>,
    /// Mining threads of the processor [default: half of the processors, at least 1]
    #[arg(long, value_name = "N", env = "PYRITE_THREADS")]
    pub threads: Option<usize>,
    /// What the processor hashes with; `pyrite bench mine` lists the kernels [default: the fastest, by a short measurement]
    #[arg(long, value_name = "NAME", env = "PYRITE_KERNEL")]
    pub kernel: Option<String>,
    /// Percentage of the time that each device works, 1 to 100 [default: 100]
    #[arg(long, value_name = "PERCENT", env = "PYRITE_INTENSITY")]
    pub intensity: Option<u8>,
    /// Keep each mining thread on a core: auto, off, or cores such as 0,2-3, which are taken in turn [default: off]
    #[arg(long, value_name = "CORES", env = "PYRITE_PIN_CORES", num_args = 0..=1, default_missing_value = "auto")]
    pub pin_cores: Option<String>,
    /// Pause while other programs take more than this percentage of all processors; 0 for never [default: 0; 20 if no
    /// number follows]
    #[arg(long, value_name = "PERCENT", env = "PYRITE_PAUSE_WHEN_BUSY", num_args = 0..=1, default_missing_value = "20")]
    pub pause_when_busy: Option<u8>,
    /// Pause while the machine runs on its battery [default: false]
    #[arg(long, value_name = "BOOL", env = "PYRITE_PAUSE_ON_BATTERY", num_args = 0..=1, default_missing_value = "true")]
    pub pause_on_battery: Option<bool>,
    /// Mine less, down to not at all, above this temperature of the processor or the graphics card in degrees Celsius; 0 for no
    /// limit [default: 0]
    #[arg(long, value_name = "CELSIUS", env = "PYRITE_MAX_TEMPERATURE")]
    pub max_temperature: Option<u16>,
    /// Mine less, down to not at all, while processor and graphics card take more than this power in watts; 0 for no limit
    /// [default: 0]
    #[arg(long, value_name = "WATTS", env = "PYRITE_MAX_POWER")]
    pub max_power: Option<u32>,
}

impl MiningOptions {
    /// Fills in defaults and checks all.
    ///
    /// # Errors
    /// The first setting that is wrong, by its name.
    pub fn resolve(&self) -> Result<MinerSettings, NodeError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or((processors / 2).max(1));
        let devices = if self.devices.is_empty() {
            Ok(DeviceSelection::default())
        } else {
            DeviceSelection::parse(&self.devices)
        };
        let pinning = self
            .pin_cores
            .as_deref()
            .map_or(Ok(Pinning::Off), str::parse);
        let settings = MinerSettings {
            devices: devices.map_err(|error| wrong("devices", &error))?,
            threads: in_range("threads", threads, 1, MAX_THREADS)?,
            kernel: self.kernel.clone(),
            intensity_percent: in_range("intensity", self.intensity.unwrap_or(100), 1, 100)?,
            pinning: pinning.map_err(|error| wrong("pin-cores", &error))?,
            limits: MiningLimits {
                max_other_load_percent: limit("pause-when-busy", self.pause_when_busy, 100)?,
                on_battery: match self.pause_on_battery {
                    Some(true) => OnBattery::Pause,
                    Some(false) | None => OnBattery::Mine,
                },
                max_temperature_c: limit(
                    "max-temperature",
                    self.max_temperature,
                    MiningLimits::MAX_TEMPERATURE_C,
                )?,
                max_power_w: limit("max-power", self.max_power, MiningLimits::MAX_POWER_W)?,
            },
        };
        let setting = |error: &MinerError| match error {
            MinerError::UnknownKernel { .. } => "kernel",
            MinerError::NoSuchCore { .. } => "pin-cores",
            _ => "mining",
        };
        settings
            .check()
            .map_err(|error| wrong(setting(&error), &error))?;
        Ok(settings)
    }

    /// These settings, and where they are silent, the other's.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            devices: non_empty_or(self.devices, other.devices),
            threads: self.threads.or(other.threads),
            kernel: self.kernel.or(other.kernel),
            intensity: self.intensity.or(other.intensity),
            pin_cores: self.pin_cores.or(other.pin_cores),
            pause_when_busy: self.pause_when_busy.or(other.pause_when_busy),
            pause_on_battery: self.pause_on_battery.or(other.pause_on_battery),
            max_temperature: self.max_temperature.or(other.max_temperature),
            max_power: self.max_power.or(other.max_power),
        }
    }
}

/// A limit that 0 switches off.
fn limit<T: Copy + Default + PartialOrd + std::fmt::Display>(
    setting: &'static str,
    value: Option<T>,
    most: T,
) -> Result<Option<T>, NodeError> {
    let off = T::default();
    let value = in_range(setting, value.unwrap_or(off), off, most)?;
    Ok(Some(value).filter(|value| *value != off))
}

fn wrong(setting: &'static str, error: &MinerError) -> NodeError {
    NodeError::Setting {
        setting,
        detail: error.to_string(),
    }
}
