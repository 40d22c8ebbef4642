//! Shows on the standard error output how far a run is.

use std::io::{IsTerminal, stderr};
use std::thread;
use std::time::{Duration, Instant};

use crate::differential::flag_sets::COMPARED_SETS;
use crate::differential::run::Run;

/// How often one looks whether the run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Follows a run of so many cases to its end: on one line of a terminal, or line by line and seldom.
pub(crate) fn follow(run: &Run, cases: u64, has_ended: impl Fn() -> bool) {
    let is_terminal = stderr().is_terminal();
    let every = Duration::from_secs(if is_terminal { 1 } else { 60 });
    let start = Instant::now();
    let mut next = every;
    while !has_ended() {
        thread::sleep(LOOK_EVERY);
        if start.elapsed() >= next {
            let line = line(run.done(), cases, start.elapsed());
            if is_terminal {
                // Over what is there.
                eprint!("\r\x1b[K{line}");
            } else {
                eprintln!("{line}");
            }
            next += every;
        }
    }
    if is_terminal {
        eprint!("\r\x1b[K");
    }
    eprintln!("{}", line(run.done(), cases, start.elapsed()));
}

fn line(done: u64, cases: u64, elapsed: Duration) -> String {
    let (done, all) = (done * COMPARED_SETS, cases * COMPARED_SETS);
    let seconds = elapsed.as_secs().max(1);
    let rate = done / seconds;
    let mut line = format!(
        "{done} of {all} executions in {}, {rate} a second",
        clock(seconds)
    );
    if done < all && rate > 0 {
        line += &format!(", {} left", clock((all - done) / rate));
    }
    line
}

fn clock(seconds: u64) -> String {
    format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_long_it_takes() {
        let line = line(1_000, 4_000, Duration::from_secs(100));
        assert_eq!(
            line,
            "2000 of 8000 executions in 0:01:40, 20 a second, 0:05:00 left"
        );
    }

    #[test]
    fn nothing_is_left_at_the_end() {
        let line = line(4_000, 4_000, Duration::from_secs(3_700));
        assert_eq!(line, "8000 of 8000 executions in 1:01:40, 2 a second");
    }
}
