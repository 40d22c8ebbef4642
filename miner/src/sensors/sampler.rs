//! All sensors, read together.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::load::Ticks;
use super::power::PowerMeter;
use super::{battery, temperature};

/// Where the sensors are: the root of the file system, or another folder in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensors {
    root: PathBuf,
}

impl Default for Sensors {
    /// The system's.
    fn default() -> Self {
        Self::at("/")
    }
}

impl Sensors {
    /// Those in `sys` and `proc` below a folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// What the sensors say; `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SensorReadings {
    /// The hottest of processor and graphics cards, in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// What processor and graphics cards take together, in watts, for mining and everything else.
    pub power_w: Option<f64>,
    /// Whether the machine runs on its battery.
    pub on_battery: Option<bool>,
    /// The share of all processors that other programs take, in percent.
    pub other_load_percent: Option<f64>,
}

/// The power is the mean over this time at least: counters of energy change by steps, which over a moment are nothing or very much.
const LEAST_FOR_POWER: Duration = Duration::from_millis(500);

/// Reads the sensors again and again, and knows what changed since.
#[derive(Debug)]
pub(crate) struct Sampler {
    root: PathBuf,
    temperatures: Vec<PathBuf>,
    power: PowerMeter,
    ticks: Option<Ticks>,
    last: Instant,
    energy_joules: Option<f64>,
    /// What the power is made of next: the energy of how long.
    since_power: (f64, Duration),
    power_w: Option<f64>,
}

impl Sampler {
    pub(crate) fn new(sensors: &Sensors, now: Instant) -> Self {
        let root = sensors.root.clone();
        Self {
            temperatures: temperature::find(&root),
            power: PowerMeter::new(&root),
            ticks: Ticks::read(&root),
            last: now,
            energy_joules: None,
            since_power: (0.0, Duration::ZERO),
            power_w: None,
            root,
        }
    }

    /// The readings, the load and the power since the last time.
    pub(crate) fn sample(&mut self, now: Instant) -> SensorReadings {
        let elapsed = now.saturating_duration_since(self.last);
        self.last = now;
        let ticks = Ticks::read(&self.root);
        let other_load_percent = ticks
            .zip(self.ticks)
            .and_then(|(now, before)| now.other_load_percent(before));
        self.ticks = ticks;
        let joules = self.power.joules(elapsed);
        if let Some(joules) = joules {
            *self.energy_joules.get_or_insert(0.0) += joules;
        }
        SensorReadings {
            temperature_c: temperature::hottest(&self.temperatures),
            power_w: self.power_w(joules, elapsed),
            on_battery: battery::on_battery(&self.root),
            other_load_percent,
        }
    }

    /// The power, where the last `elapsed` took so much.
    fn power_w(&mut self, joules: Option<f64>, elapsed: Duration) -> Option<f64> {
        let Some(joules) = joules else {
            self.since_power = (0.0, Duration::ZERO);
            self.power_w = None;
            return None;
        };
        let (energy, time) = &mut self.since_power;
        *energy += joules;
        *time += elapsed;
        if *time >= LEAST_FOR_POWER {
            self.power_w = Some(*energy / time.as_secs_f64());
            self.since_power = (0.0, Duration::ZERO);
        }
        self.power_w
    }

    /// The energy of processor and graphics cards since the beginning, in joules, whatever they took it for.
    pub(crate) fn energy_joules(&self) -> Option<f64> {
        self.energy_joules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine {
        root: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            Self {
                root: tempfile::tempdir().unwrap(),
            }
        }

        fn set(&self, path: &str, text: &str) -> &Self {
            let path = self.root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
            self
        }

        fn sampler(&self, now: Instant) -> Sampler {
            Sampler::new(&Sensors::at(self.root.path()), now)
        }

        /// What is read after a second.
        fn read(&self) -> SensorReadings {
            let now = Instant::now();
            self.sampler(now).sample(now + Duration::from_secs(1))
        }
    }

    #[test]
    fn a_machine_without_sensors_is_unknown() {
        let machine = Machine::new();
        let now = Instant::now();
        let mut sampler = machine.sampler(now);
        assert_eq!(
            sampler.sample(now + Duration::from_secs(1)),
            SensorReadings::default()
        );
        assert_eq!(sampler.energy_joules(), None);
    }

    #[test]
    fn the_hottest_of_processor_and_card_counts() {
        let machine = Machine::new();
        machine
            .set("sys/class/hwmon/hwmon0/name", "nvme")
            .set("sys/class/hwmon/hwmon0/temp1_input", "99000")
            .set("sys/class/hwmon/hwmon1/name", "k10temp")
            .set("sys/class/hwmon/hwmon1/temp1_input", "61500")
            .set("sys/class/hwmon/hwmon1/temp1_max", "90000")
            .set("sys/class/hwmon/hwmon1/temp2_input", "-274000")
            .set("sys/class/hwmon/hwmon2/name", "amdgpu")
            .set("sys/class/hwmon/hwmon2/temp1_input", "55000")
            .set("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp")
            .set("sys/class/thermal/thermal_zone0/temp", "97000");
        assert_eq!(machine.read().temperature_c, Some(61.5));
        machine.set("sys/class/hwmon/hwmon2/temp1_input", "71000");
        assert_eq!(machine.read().temperature_c, Some(71.0));
    }

    #[test]
    fn a_board_without_hwmon_has_thermal_zones() {
        let machine = Machine::new();
        machine
            .set("sys/class/thermal/thermal_zone0/type", "battery")
            .set("sys/class/thermal/thermal_zone0/temp", "30000")
            .set("sys/class/thermal/thermal_zone1/type", "cpu-thermal")
            .set("sys/class/thermal/thermal_zone1/temp", "52250");
        assert_eq!(machine.read().temperature_c, Some(52.25));
    }

    #[test]
    fn power_is_the_change_of_the_packages_energy_and_the_cards_power() {
        let machine = Machine::new();
        for (zone, name) in [
            ("intel-rapl:0", "package-0"),
            ("intel-rapl:0:0", "core"),
            ("intel-rapl:1", "psys"),
            ("intel-rapl-mmio:0", "package-0"),
        ] {
            machine
                .set(&format!("sys/class/powercap/{zone}/name"), name)
                .set(&format!("sys/class/powercap/{zone}/energy_uj"), "9000000")
                .set(
                    &format!("sys/class/powercap/{zone}/max_energy_range_uj"),
                    "10000000",
                );
        }
        let start = Instant::now();
        let mut sampler = machine.sampler(start);
        machine.set("sys/class/powercap/intel-rapl:0/energy_uj", "9500000");
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(sampler.sample(after(2)).power_w, Some(0.25));
        // Around the end of the counter: 0.5 J to it and 1.5 J from its beginning.
        machine.set("sys/class/powercap/intel-rapl:0/energy_uj", "1500000");
        assert_eq!(sampler.sample(after(3)).power_w, Some(2.0));
        assert_eq!(sampler.energy_joules(), Some(2.5));
        machine
            .set("sys/class/hwmon/hwmon0/name", "amdgpu")
            .set("sys/class/hwmon/hwmon0/power1_average", "40000000");
        let mut sampler = machine.sampler(start);
        assert_eq!(sampler.sample(after(1)).power_w, Some(40.0));
        assert_eq!(sampler.energy_joules(), Some(40.0));
    }

    #[test]
    fn a_graphics_unit_in_the_package_is_not_counted_beside_it() {
        let machine = Machine::new();
        machine
            .set("sys/class/hwmon/hwmon0/name", "amdgpu")
            .set("sys/class/hwmon/hwmon0/in1_input", "700")
            .set("sys/class/hwmon/hwmon0/power1_average", "15000000");
        assert_eq!(machine.read().power_w, Some(15.0), "nothing else tells");
        machine
            .set("sys/class/powercap/intel-rapl:0/name", "package-0")
            .set("sys/class/powercap/intel-rapl:0/energy_uj", "0");
        let start = Instant::now();
        let mut sampler = machine.sampler(start);
        machine.set("sys/class/powercap/intel-rapl:0/energy_uj", "14000000");
        let after = start + Duration::from_secs(1);
        assert_eq!(sampler.sample(after).power_w, Some(14.0));
        // A card of its own counts.
        machine
            .set("sys/class/hwmon/hwmon1/name", "amdgpu")
            .set("sys/class/hwmon/hwmon1/power1_average", "40000000");
        let mut sampler = machine.sampler(start);
        assert_eq!(sampler.sample(after).power_w, Some(40.0));
    }

    /// A counter's step just after the beginning is no power of thousands of watts.
    #[test]
    fn power_is_a_mean_over_half_a_second() {
        const COUNTER: &str = "sys/class/powercap/intel-rapl:0/energy_uj";
        let machine = Machine::new();
        machine
            .set("sys/class/powercap/intel-rapl:0/name", "package-0")
            .set(COUNTER, "0");
        let start = Instant::now();
        let mut sampler = machine.sampler(start);
        machine.set(COUNTER, "50000");
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(sampler.sample(at(1)).power_w, None);
        machine.set(COUNTER, "20000000");
        assert_eq!(sampler.sample(at(1_000)).power_w, Some(20.0));
        machine.set(COUNTER, "20100000");
        assert_eq!(sampler.sample(at(1_001)).power_w, Some(20.0), "as before");
        assert_eq!(sampler.energy_joules(), Some(20.1));
    }

    #[test]
    fn a_laptop_is_on_battery_when_it_discharges() {
        let machine = Machine::new();
        machine
            .set("sys/class/power_supply/BAT0/type", "Battery")
            .set("sys/class/power_supply/BAT0/status", "Discharging");
        assert_eq!(machine.read().on_battery, Some(true));
        machine
            .set("sys/class/power_supply/AC/type", "Mains")
            .set("sys/class/power_supply/AC/online", "1");
        assert_eq!(machine.read().on_battery, Some(false));
        machine.set("sys/class/power_supply/AC/online", "0");
        assert_eq!(machine.read().on_battery, Some(true));
        machine.set("sys/class/power_supply/BAT0/status", "Not charging");
        assert_eq!(machine.read().on_battery, Some(false));
    }

    #[test]
    fn a_mouse_is_no_laptop() {
        let machine = Machine::new();
        machine
            .set("sys/class/power_supply/mouse/type", "Battery")
            .set("sys/class/power_supply/mouse/scope", "Device")
            .set("sys/class/power_supply/mouse/status", "Discharging");
        assert_eq!(machine.read().on_battery, None);
        machine
            .set("sys/class/power_supply/AC/type", "Mains")
            .set("sys/class/power_supply/AC/online", "1");
        assert_eq!(machine.read().on_battery, Some(false));
    }

    #[test]
    fn load_is_what_others_took_since_the_last_time() {
        let machine = Machine::new();
        machine
            .set("proc/stat", "cpu  100 0 0 900 0 0 0 0")
            .set("proc/self/stat", "1 (x) R 0 0 0 0 0 0 0 0 0 0 50 0 0");
        let start = Instant::now();
        let mut sampler = machine.sampler(start);
        machine
            .set("proc/stat", "cpu  160 0 0 940 0 0 0 0")
            .set("proc/self/stat", "1 (x) R 0 0 0 0 0 0 0 0 0 0 80 0 0");
        let readings = sampler.sample(start + Duration::from_secs(1));
        assert_eq!(readings.other_load_percent, Some(30.0));
    }
}
