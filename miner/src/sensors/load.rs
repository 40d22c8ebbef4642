//! How much of the processors other programs take: what `/proc/stat` counts, less what this program took.

use std::path::Path;

use super::files::text;

/// Ticks since the start, of all processors together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    busy: u64,
    total: u64,
    own: u64,
}

impl Ticks {
    pub(super) fn read(root: &Path) -> Option<Self> {
        let stat = text(&root.join("proc/stat"))?;
        let own = text(&root.join("proc/self/stat"))?;
        let (busy, total) = machine(&stat)?;
        Some(Self {
            busy,
            total,
            own: program(&own)?,
        })
    }

    /// The share of all processors that others took since `before`, in percent.
    pub(super) fn other_load_percent(self, before: Self) -> Option<f64> {
        let total = self
            .total
            .checked_sub(before.total)
            .filter(|ticks| *ticks > 0)?;
        let busy = self.busy.saturating_sub(before.busy);
        let others = busy.saturating_sub(self.own.saturating_sub(before.own));
        // Differences of ticks are far below 2^53.
        Some((100.0 * others as f64 / total as f64).min(100.0))
    }
}

/// Busy and all ticks of the line `cpu  user nice system idle iowait irq softirq steal …`. What a hypervisor gave to others is not
/// this machine's.
fn machine(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [user, nice, system, idle, rest @ ..] = &ticks[..] else {
        return None;
    };
    let at = |index: usize| rest.get(index).copied().unwrap_or(0);
    let busy = [*user, *nice, *system, at(1), at(2)];
    let busy = busy.into_iter().fold(0, u64::saturating_add);
    let quiet = [*idle, at(0), at(3)]
        .into_iter()
        .fold(0, u64::saturating_add);
    Some((busy, busy.saturating_add(quiet)))
}

/// User's and system's ticks of a process: fields 14 and 15, after the name in brackets, which may hold anything.
fn program(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user.saturating_add(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_ticks_are_busy_or_quiet() {
        let stat = "cpu  10 20 30 400 50 6 7 80 9 9\ncpu0 1 1 1 1\n";
        assert_eq!(machine(stat), Some((73, 603)));
        assert_eq!(machine("cpu 1 2 3 4\n"), Some((6, 10)));
        assert_eq!(machine("cpu 1 2 3\n"), None);
        assert_eq!(machine("cpu a b c d\n"), None);
        assert_eq!(machine(""), None);
    }

    #[test]
    fn a_programs_name_may_look_like_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 250 50 0 0 20 0 9 0";
        assert_eq!(program(stat), Some(300));
        assert_eq!(program("7 (a"), None);
    }

    #[test]
    fn what_others_take_is_without_this_program() {
        let before = Ticks {
            busy: 1_000,
            total: 10_000,
            own: 500,
        };
        let after = Ticks {
            busy: 1_150,
            total: 10_200,
            own: 600,
        };
        assert_eq!(after.other_load_percent(before), Some(25.0));
        assert_eq!(after.other_load_percent(after), None, "no time passed");
        let mine_alone = Ticks { own: 700, ..after };
        assert_eq!(mine_alone.other_load_percent(before), Some(0.0));
    }
}
