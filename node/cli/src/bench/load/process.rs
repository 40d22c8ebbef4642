//! What Linux knows of a process: memory and processor time.

use std::path::PathBuf;

/// Ticks of a second in `/proc`: the same on every Linux, whatever the kernel counts with.
const TICKS_PER_SECOND: f64 = 100.0;

/// Some process's folder in `/proc`.
pub(in crate::bench) struct Process(PathBuf);

/// What is asked of a process's memory.
pub(in crate::bench) mod memory {
    /// The most that it had.
    pub(in crate::bench) const PEAK: &str = "VmHWM:";
    /// What it has.
    pub(in crate::bench) const NOW: &str = "VmRSS:";
}

impl Process {
    /// This one.
    pub(in crate::bench) fn own() -> Self {
        Self(PathBuf::from("/proc/self"))
    }

    pub(in crate::bench) fn of(pid: u32) -> Self {
        Self(PathBuf::from(format!("/proc/{pid}")))
    }

    /// Memory in bytes, as one of the names in [`memory`]; `None` where the system does not say.
    pub(in crate::bench) fn memory(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(self.0.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    }

    /// Seconds of processor time so far; `None` where the system does not say.
    pub(in crate::bench) fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(self.0.join("stat")).ok()?;
        // The name, in parentheses, may hold anything. Then the state is field 3, the times are fields 14 and 15.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let (user, system) = (ticks()?, ticks()?);
        Some((user + system) as f64 / TICKS_PER_SECOND)
    }
}
