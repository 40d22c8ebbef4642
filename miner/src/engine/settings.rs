//! What a user chooses about mining: on what, how hard, and when to hold back.

use super::selection::DeviceSelection;
use super::{CoreList, Pinning};
use crate::MinerError;
use crate::device::cpu;

/// The most threads that the miner runs.
pub const MAX_THREADS: usize = 1_024;

/// How to mine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerSettings {
    /// What to mine on.
    pub devices: DeviceSelection,
    /// Threads of the processor, each of which is a device: 1 to [`MAX_THREADS`].
    pub threads: usize,
    /// The processor's kernel by its name; `None` for the fastest.
    pub kernel: Option<String>,
    /// The share of the time in which each device works: 1 to 100.
    pub intensity_percent: u8,
    /// Where the processor's threads run.
    pub pinning: Pinning,
    /// When to hold back.
    pub limits: MiningLimits,
}

/// What to do while the machine runs on its battery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBattery {
    /// Mine as always.
    #[default]
    Mine,
    /// Wait for the mains.
    Pause,
}

/// When to hold back, by what the system's sensors say. A limit whose sensor is missing holds nothing back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MiningLimits {
    /// Pause while other programs take more than this share of all processors, in percent: 1 to 100.
    pub max_other_load_percent: Option<u8>,
    /// What to do while the machine runs on its battery.
    pub on_battery: OnBattery,
    /// Mine less, down to not at all, above this temperature in degrees Celsius: 1 to 150.
    pub max_temperature_c: Option<u16>,
    /// Mine less, down to not at all, above this power in watts: 1 to 100,000.
    pub max_power_w: Option<u32>,
}

impl Default for MinerSettings {
    /// One thread of the processor, all the time.
    fn default() -> Self {
        Self {
            devices: DeviceSelection::default(),
            threads: 1,
            kernel: None,
            intensity_percent: 100,
            pinning: Pinning::Off,
            limits: MiningLimits::default(),
        }
    }
}

impl MinerSettings {
    /// Checks ranges and names.
    ///
    /// # Errors
    /// [`MinerError::NoThreads`], [`MinerError::TooManyThreads`], [`MinerError::IntensityOutOfRange`],
    /// [`MinerError::UnknownKernel`], [`MinerError::LimitOutOfRange`] or [`MinerError::NoSuchCore`].
    pub fn check(&self) -> Result<(), MinerError> {
        let threads = self.threads;
        if threads == 0 {
            return Err(MinerError::NoThreads);
        }
        if threads > MAX_THREADS {
            let max = MAX_THREADS;
            return Err(MinerError::TooManyThreads { threads, max });
        }
        let intensity_percent = self.intensity_percent;
        if !(1..=100).contains(&intensity_percent) {
            return Err(MinerError::IntensityOutOfRange { intensity_percent });
        }
        if let Some(name) = &self.kernel {
            check_kernel(name)?;
        }
        if let Pinning::Cores(cores) = &self.pinning {
            cores.check()?;
        }
        self.limits.check()
    }

    /// Threads of the processor that a run with these settings has.
    pub fn processor_threads(&self) -> usize {
        if self.devices.has_cpu() {
            self.threads
        } else {
            0
        }
    }
}

impl MiningLimits {
    /// The hottest limit to set, in degrees Celsius: no processor gets there.
    pub const MAX_TEMPERATURE_C: u16 = 150;

    /// The highest limit of power to set, in watts: a rack.
    pub const MAX_POWER_W: u32 = 100_000;

    fn check(&self) -> Result<(), MinerError> {
        in_range(
            "load of other programs",
            "%",
            self.max_other_load_percent.map(u32::from),
            100,
        )?;
        in_range(
            "temperature",
            " degrees Celsius",
            self.max_temperature_c.map(u32::from),
            u32::from(Self::MAX_TEMPERATURE_C),
        )?;
        in_range("power", " W", self.max_power_w, Self::MAX_POWER_W)
    }
}

fn check_kernel(name: &str) -> Result<(), MinerError> {
    if cpu::kernel(name).is_some() {
        return Ok(());
    }
    let known: Vec<_> = cpu::kernels().iter().map(|kernel| kernel.name()).collect();
    Err(MinerError::UnknownKernel {
        name: name.to_owned(),
        known: known.join(", "),
    })
}

fn in_range(
    what: &'static str,
    unit: &'static str,
    value: Option<u32>,
    max: u32,
) -> Result<(), MinerError> {
    match value {
        Some(value) if value == 0 || value > max => Err(MinerError::LimitOutOfRange {
            what,
            unit,
            value,
            max,
        }),
        _ => Ok(()),
    }
}

impl CoreList {
    fn check(&self) -> Result<(), MinerError> {
        let available = super::affinity::available_cores();
        match self.cores().iter().find(|core| !available.contains(core)) {
            Some(core) if !available.is_empty() => Err(MinerError::NoSuchCore {
                core: *core,
                available: CoreList::from_cores(available).to_string(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut MinerSettings)) -> Result<(), MinerError> {
        let mut settings = MinerSettings::default();
        change(&mut settings);
        settings.check()
    }

    #[test]
    fn accepts_the_ends_of_the_ranges() {
        assert!(check(|_| {}).is_ok());
        let most = |settings: &mut MinerSettings| {
            settings.threads = 1_024;
            settings.intensity_percent = 1;
            settings.limits = MiningLimits {
                max_other_load_percent: Some(100),
                on_battery: OnBattery::Pause,
                max_temperature_c: Some(150),
                max_power_w: Some(100_000),
            };
        };
        assert!(check(most).is_ok());
    }

    #[test]
    fn refuses_threads_and_intensities_out_of_range() {
        assert!(matches!(
            check(|settings| settings.threads = 0),
            Err(MinerError::NoThreads)
        ));
        assert!(matches!(
            check(|settings| settings.threads = 1_025),
            Err(MinerError::TooManyThreads {
                threads: 1_025,
                max: 1_024
            })
        ));
        for intensity in [0, 101, 255] {
            let error = check(|settings| settings.intensity_percent = intensity).unwrap_err();
            assert!(matches!(
                error,
                MinerError::IntensityOutOfRange { intensity_percent } if intensity_percent == intensity
            ));
        }
    }

    #[test]
    fn refuses_limits_out_of_range() {
        let message = |change: fn(&mut MiningLimits)| {
            check(|settings| change(&mut settings.limits))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message(|limits| limits.max_other_load_percent = Some(101)),
            "a limit of 101% for the load of other programs is out of range, it must be 1 to 100"
        );
        assert_eq!(
            message(|limits| limits.max_temperature_c = Some(151)),
            "a limit of 151 degrees Celsius for the temperature is out of range, it must be 1 to 150"
        );
        assert_eq!(
            message(|limits| limits.max_power_w = Some(0)),
            "a limit of 0 W for the power is out of range, it must be 1 to 100000"
        );
    }

    #[test]
    fn an_unknown_kernel_is_refused_with_those_that_there_are() {
        let error = check(|settings| settings.kernel = Some("abacus".to_owned())).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with("abacus is not a kernel of this processor: it has "),
            "{message}"
        );
        for kernel in cpu::kernels() {
            assert!(message.contains(kernel.name()), "{message}");
            assert!(check(|settings| settings.kernel = Some(kernel.name().to_owned())).is_ok());
        }
    }

    #[test]
    fn without_the_processor_there_are_no_threads_of_it() {
        let mut settings = MinerSettings {
            threads: 3,
            ..MinerSettings::default()
        };
        assert_eq!(settings.processor_threads(), 3);
        settings.devices = "opencl".parse().unwrap();
        assert_eq!(settings.processor_threads(), 0);
    }
}
