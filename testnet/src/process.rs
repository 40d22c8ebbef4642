//! Node processes: started in a group of their own, known by process id and start time, so that a reused
//! process id is never signalled.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process that a pid file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeProcess {
    pid: i32,
    /// Clock ticks after boot at which it started (field 22 of `/proc/PID/stat`).
    started: u64,
}

impl NodeProcess {
    /// Starts `binary node --config CONFIG` in a process group of its own: Ctrl-C in the terminal is
    /// the launcher's, who stops the nodes in order. The pid file is written before this returns.
    pub(crate) fn spawn(
        binary: &Path,
        config: &Path,
        output: &Path,
        pid_file: &Path,
    ) -> io::Result<(Self, Child)> {
        let output = File::create(output)?;
        let child = Command::new(binary)
            .arg("node")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        let process = Self {
            pid,
            started: start_time(pid).unwrap_or(0),
        };
        fs::write(pid_file, format!("{} {}\n", process.pid, process.started))?;
        Ok((process, child))
    }

    /// The process that a pid file names, if it is alive.
    pub(crate) fn read(pid_file: &Path) -> Option<Self> {
        let text = fs::read_to_string(pid_file).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let process = Self {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        };
        process.is_alive().then_some(process)
    }

    pub(crate) fn pid(self) -> i32 {
        self.pid
    }

    pub(crate) fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Sends a signal; one to a process that is gone is no error.
    pub(crate) fn signal(self, signal: Signal) -> Result<(), nix::Error> {
        if !self.is_alive() {
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Err(nix::Error::ESRCH) => Ok(()),
            result => result,
        }
    }
}

/// When a process started; `None` when there is none or it is only waiting to be reaped.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows the last one is regular.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // The state is field 3, the number of threads field 20, the start time field 22.
    let state = fields.next()?;
    let threads: u64 = fields.nth(16)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // A process whose first thread has ended is there as long as others write: it holds its files.
    let has_ended = matches!(state, "Z" | "X") && threads <= 1;
    (!has_ended).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start_time_too() {
        let directory = tempfile::tempdir().unwrap();
        let pid_file = directory.path().join("pid");
        let pid = i32::try_from(std::process::id()).unwrap();
        let started = start_time(pid).unwrap();
        fs::write(&pid_file, format!("{pid} {started}\n")).unwrap();
        assert_eq!(NodeProcess::read(&pid_file).unwrap().pid(), pid);
        // The same id with another start time is another process.
        fs::write(&pid_file, format!("{pid} {}\n", started + 1)).unwrap();
        assert_eq!(NodeProcess::read(&pid_file), None);
        fs::write(&pid_file, "nonsense").unwrap();
        assert_eq!(NodeProcess::read(&pid_file), None);
    }

    #[test]
    fn a_process_that_waits_to_be_reaped_has_ended() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while start_time(pid).is_some() {
            assert!(
                std::time::Instant::now() < deadline,
                "it has ended by itself"
            );
            std::thread::yield_now();
        }
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        child.wait().unwrap();
    }
}
