//! The temperature of processor and graphics cards: hwmon's sensors of their drivers, or else the thermal zones.

use std::path::{Path, PathBuf};

use super::files::{entries, name, number, word};

/// hwmon drivers of processors and graphics cards.
const DRIVERS: [&str; 15] = [
    "amdgpu",
    "coretemp",
    "cpu_thermal",
    "cpu0_thermal",
    "cpu-thermal",
    "i915",
    "k10temp",
    "k8temp",
    "nouveau",
    "radeon",
    "scpi_sensors",
    "soc_thermal",
    "via_cputemp",
    "xe",
    "zenpower",
];

/// Parts of the names of thermal zones that belong to the processor.
const ZONES: [&str; 4] = ["x86_pkg_temp", "cpu", "soc", "bigcore"];

/// What a sensor of the processor may say, in thousandths of a degree Celsius: others are not connected.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = 1_000..=150_000;

/// The files with temperatures, in thousandths of a degree Celsius.
pub(super) fn find(root: &Path) -> Vec<PathBuf> {
    let mut inputs = Vec::new();
    for device in entries(&root.join("sys/class/hwmon")) {
        let driver = word(&device.join("name")).unwrap_or_default();
        if DRIVERS.contains(&driver.as_str()) {
            let is_input =
                |path: &PathBuf| name(path).starts_with("temp") && name(path).ends_with("_input");
            inputs.extend(entries(&device).into_iter().filter(is_input));
        }
    }
    if inputs.is_empty() {
        for zone in entries(&root.join("sys/class/thermal")) {
            let kind = word(&zone.join("type")).unwrap_or_default();
            if name(&zone).starts_with("thermal_zone")
                && ZONES.iter().any(|part| kind.contains(part))
            {
                inputs.push(zone.join("temp"));
            }
        }
    }
    inputs
}

/// The hottest, in degrees Celsius.
pub(super) fn hottest(inputs: &[PathBuf]) -> Option<f64> {
    let readings = inputs.iter().filter_map(|input| number::<i64>(input));
    readings
        .filter(|reading| PLAUSIBLE.contains(reading))
        .max()
        .map(|millidegrees| millidegrees as f64 / 1_000.0)
}
