//! The power of processor packages (RAPL, by powercap) and graphics cards (hwmon), and the energy that they took.
//!
//! A graphics unit of AMD inside the processor's package tells the power of the whole package, so it counts where RAPL can't be read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{entries, name, number, word};

/// hwmon drivers of graphics cards.
const CARDS: [&str; 4] = ["amdgpu", "i915", "nouveau", "xe"];

const MICRO: f64 = 1e-6;

/// Something that tells what it takes.
#[derive(Debug)]
enum Source {
    /// A counter of microjoules that begins again above `range`.
    Counter {
        path: PathBuf,
        range: Option<u64>,
        last: Option<u64>,
    },
    /// Microwatts at the moment.
    Gauge { path: PathBuf },
}

/// All sources of a machine.
#[derive(Debug)]
pub(super) struct PowerMeter {
    sources: Vec<Source>,
}

impl PowerMeter {
    /// Finds the sources that can be read; RAPL's are for the superuser alone on many systems.
    pub(super) fn new(root: &Path) -> Self {
        let can_be_read = |source: &mut Source| source.joules(Duration::ZERO).is_some();
        let mut sources: Vec<Source> = entries(&root.join("sys/class/powercap"))
            .iter()
            .filter(|zone| is_package(zone))
            .map(|zone| Source::counter(zone.join("energy_uj"), &zone.join("max_energy_range_uj")))
            .collect();
        sources.retain_mut(can_be_read);
        let has_packages = !sources.is_empty();
        for device in entries(&root.join("sys/class/hwmon")) {
            let driver = word(&device.join("name")).unwrap_or_default();
            let is_counted = has_packages && is_in_package(&driver, &device);
            if CARDS.contains(&driver.as_str()) && !is_counted {
                sources.extend(Source::of_card(&device));
            }
        }
        sources.retain_mut(can_be_read);
        Self { sources }
    }

    /// The energy since the last call, which was `elapsed` ago, in joules. `None` where nothing tells.
    pub(super) fn joules(&mut self, elapsed: Duration) -> Option<f64> {
        let readings = self.sources.iter_mut().map(|source| source.joules(elapsed));
        readings.flatten().reduce(|sum, joules| sum + joules)
    }
}

impl Source {
    fn counter(path: PathBuf, range: &Path) -> Self {
        Self::Counter {
            path,
            range: number(range),
            last: None,
        }
    }

    fn of_card(device: &Path) -> Option<Self> {
        for gauge in ["power1_average", "power1_input"] {
            let path = device.join(gauge);
            if number::<u64>(&path).is_some() {
                return Some(Self::Gauge { path });
            }
        }
        let path = device.join("energy1_input");
        number::<u64>(&path)?;
        Some(Self::counter(path, Path::new("")))
    }

    fn joules(&mut self, elapsed: Duration) -> Option<f64> {
        match self {
            Self::Gauge { path } => {
                let microwatts: u64 = number(path)?;
                Some(microwatts as f64 * MICRO * elapsed.as_secs_f64())
            }
            Self::Counter { path, range, last } => {
                let now: u64 = number(path)?;
                let before = last.replace(now).unwrap_or(now);
                let microjoules = match now.checked_sub(before) {
                    Some(difference) => difference,
                    // It began again; without a range nothing is known of what was before.
                    None => {
                        now.saturating_add(range.map_or(0, |range| range.saturating_sub(before)))
                    }
                };
                Some(microjoules as f64 * MICRO)
            }
        }
    }
}

/// Whether a graphics unit is a part of the processor: of those of AMD alone, these have the voltage of the package's other half.
fn is_in_package(driver: &str, device: &Path) -> bool {
    driver == "amdgpu" && device.join("in1_input").exists()
}

/// `intel-rapl:0`, which AMD's processors have too: a package and not a part of one, nor the same package again
/// (`intel-rapl-mmio:0`), nor the whole machine (`psys`).
fn is_package(zone: &Path) -> bool {
    let number = name(zone).strip_prefix("intel-rapl:");
    let is_zone = number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    is_zone && word(&zone.join("name")).is_some_and(|name| name.starts_with("package"))
}
