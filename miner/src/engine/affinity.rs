//! What the system is asked for on behalf of a device's thread: to stay on a core, and to give way to everybody else.

use crate::error::AffinityError;

/// The cores that this process may run on, by number; empty where the system does not say.
#[cfg(target_os = "linux")]
pub(super) fn available_cores() -> Vec<usize> {
    use nix::sched::{CpuSet, sched_getaffinity};
    use nix::unistd::Pid;

    // The first thread's: mining threads may be pinned already, and what they start inherits it.
    let Ok(set) = sched_getaffinity(Pid::this()) else {
        return Vec::new();
    };
    (0..CpuSet::count())
        .filter(|core| set.is_set(*core).unwrap_or(false))
        .collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn available_cores() -> Vec<usize> {
    Vec::new()
}

/// Keeps the calling thread on a core.
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub(super) fn pin_to(core: usize) -> Result<(), AffinityError> {
    use nix::sched::{CpuSet, sched_setaffinity};
    use nix::unistd::Pid;

    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|error| AffinityError::Refused {
            reason: error.desc().to_owned(),
        })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn pin_to(_core: usize) -> Result<(), AffinityError> {
    Err(AffinityError::Unsupported)
}

/// Lets the calling thread, and those that it will start, run only when nobody else wants the processor (`SCHED_IDLE`).
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub(super) fn give_way() -> Result<(), AffinityError> {
    use thread_priority::unix::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    set_thread_priority_and_policy(
        thread_native_id(),
        thread_priority::ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    )
    .map_err(refused)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() -> Result<(), AffinityError> {
    thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min)
        .map_err(refused)
}

fn refused(error: thread_priority::Error) -> AffinityError {
    AffinityError::Refused {
        reason: format!("{error:?}"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_stays_on_its_core() {
        let cores = available_cores();
        let core = *cores.last().unwrap();
        let allowed = std::thread::spawn(move || {
            pin_to(core).unwrap();
            std::fs::read_to_string("/proc/thread-self/status").unwrap()
        })
        .join()
        .unwrap();
        let line = allowed
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(line.map(str::trim), Some(core.to_string().as_str()));
        assert_eq!(available_cores(), cores, "the others are not pinned");
    }

    #[test]
    fn a_core_that_is_not_there_is_an_error() {
        assert!(
            std::thread::spawn(|| pin_to(1_000))
                .join()
                .unwrap()
                .is_err()
        );
    }

    #[test]
    fn a_thread_that_gives_way_is_idle_to_the_scheduler() {
        let stat = std::thread::spawn(|| {
            give_way().unwrap();
            std::fs::read_to_string("/proc/thread-self/stat").unwrap()
        })
        .join()
        .unwrap();
        // After the name in brackets come field 3 and the following; the policy is field 41.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let policy = fields.split_whitespace().nth(41 - 3);
        assert_eq!(policy, Some("5"), "SCHED_IDLE is 5: {stat}");
    }
}
