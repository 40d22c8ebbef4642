//! How `startmining` wants to mine: what its parameters say, over what the node was configured with.

use pyrite_miner::{MinerSettings, OnBattery};
use serde_json::{Map, Value};

use crate::call::{CallError, CallResult};

/// The parameters of `startmining`, but for the address.
#[derive(Debug, Default)]
pub(super) struct MiningParams {
    pub(super) threads: Option<i64>,
    pub(super) intensity: Option<i64>,
    pub(super) devices: Option<String>,
    pub(super) kernel: Option<String>,
    pub(super) options: Option<Value>,
}

impl MiningParams {
    /// These settings over the configured ones, checked.
    ///
    /// # Errors
    /// What is no setting, of the wrong type or out of range.
    pub(super) fn over(self, defaults: &MinerSettings) -> CallResult<MinerSettings> {
        let mut settings = defaults.clone();
        if let Some(threads) = self.threads {
            settings.threads = in_range(threads)?;
        }
        if let Some(intensity) = self.intensity {
            settings.intensity_percent = in_range(intensity)?;
        }
        if let Some(devices) = self.devices {
            settings.devices = devices.parse()?;
        }
        if let Some(kernel) = self.kernel {
            // The empty name is the fastest again.
            settings.kernel = Some(kernel).filter(|kernel| !kernel.is_empty());
        }
        if let Some(options) = self.options.as_ref().and_then(Value::as_object) {
            apply_options(&mut settings, options)?;
        }
        settings.check()?;
        Ok(settings)
    }
}

fn apply_options(settings: &mut MinerSettings, options: &Map<String, Value>) -> CallResult<()> {
    let limits = &mut settings.limits;
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "pin_cores" => {
                let cores = value.as_str().ok_or_else(|| wrong_type(name, "a string"))?;
                settings.pinning = cores.parse()?;
            }
            "pause_when_busy" => limits.max_other_load_percent = limit(name, value)?,
            "pause_on_battery" => {
                let is_on = value.as_bool();
                limits.on_battery = match is_on.ok_or_else(|| wrong_type(name, "true or false"))? {
                    true => OnBattery::Pause,
                    false => OnBattery::Mine,
                };
            }
            "max_temperature" => limits.max_temperature_c = limit(name, value)?,
            "max_power" => limits.max_power_w = limit(name, value)?,
            _ => {
                let message = format!("{name} is not an option of startmining");
                return Err(CallError::invalid_parameter(message));
            }
        }
    }
    Ok(())
}

/// A limit that 0 switches off.
fn limit<T: TryFrom<i64> + Default + PartialEq>(
    name: &str,
    value: &Value,
) -> CallResult<Option<T>> {
    let number = value
        .as_i64()
        .ok_or_else(|| wrong_type(name, "a whole number"))?;
    Ok(Some(in_range(number)?).filter(|limit| *limit != T::default()))
}

fn wrong_type(name: &str, right: &str) -> CallError {
    CallError::invalid_parameter(format!("{name} must be {right}"))
}

/// A setting of the miner.
fn in_range<T: TryFrom<i64>>(number: i64) -> CallResult<T> {
    T::try_from(number)
        .map_err(|_| CallError::invalid_parameter(format!("{number} is out of range")))
}

#[cfg(test)]
mod tests {
    use pyrite_miner::{MiningLimits, Pinning};
    use serde_json::json;

    use super::*;

    fn over(params: MiningParams) -> Result<MinerSettings, (i32, String)> {
        let defaults = MinerSettings {
            threads: 3,
            limits: MiningLimits {
                max_power_w: Some(65),
                ..MiningLimits::default()
            },
            ..MinerSettings::default()
        };
        params
            .over(&defaults)
            .map_err(|error| (error.code, error.message))
    }

    fn options(options: Value) -> MiningParams {
        MiningParams {
            options: Some(options),
            ..MiningParams::default()
        }
    }

    #[test]
    fn what_is_left_out_stays_as_configured() {
        let settings = over(MiningParams::default()).unwrap();
        assert_eq!(
            (settings.threads, settings.limits.max_power_w),
            (3, Some(65))
        );
        let changed = over(MiningParams {
            threads: Some(2),
            intensity: Some(40),
            devices: Some("cpu,opencl1".to_owned()),
            kernel: Some(String::new()),
            options: Some(json!({
                "pin_cores": "auto", "pause_when_busy": 30, "pause_on_battery": true,
                "max_temperature": 80, "max_power": 0
            })),
        })
        .unwrap();
        assert_eq!((changed.threads, changed.intensity_percent), (2, 40));
        assert_eq!(changed.devices.to_string(), "cpu,opencl1");
        assert_eq!((changed.kernel, changed.pinning), (None, Pinning::Auto));
        let limits = MiningLimits {
            max_other_load_percent: Some(30),
            on_battery: OnBattery::Pause,
            max_temperature_c: Some(80),
            max_power_w: None,
        };
        assert_eq!(changed.limits, limits);
        let nothing = over(options(json!({ "max_power": null }))).unwrap();
        assert_eq!(nothing.limits.max_power_w, Some(65));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (params, message) in [
            (
                options(json!({ "max_heat": 1 })),
                "max_heat is not an option of startmining",
            ),
            (
                options(json!({ "max_temperature": "hot" })),
                "max_temperature must be a whole number",
            ),
            (options(json!({ "max_power": -1 })), "-1 is out of range"),
            (
                options(json!({ "pause_on_battery": 1 })),
                "pause_on_battery must be true or false",
            ),
            (
                options(json!({ "pin_cores": 1 })),
                "pin_cores must be a string",
            ),
            (
                options(json!({ "pause_when_busy": 101 })),
                "a limit of 101% for the load of other programs is out of range, it must be 1 to 100",
            ),
            (
                MiningParams {
                    intensity: Some(256),
                    ..MiningParams::default()
                },
                "256 is out of range",
            ),
            (
                MiningParams {
                    threads: Some(-1),
                    ..MiningParams::default()
                },
                "-1 is out of range",
            ),
            (
                MiningParams {
                    devices: Some("gpu".to_owned()),
                    ..MiningParams::default()
                },
                "gpu is not a device: devices are cpu, opencl, and opencl0 and so on for one of them",
            ),
        ] {
            assert_eq!(over(params), Err((-8, message.to_owned())));
        }
    }
}
