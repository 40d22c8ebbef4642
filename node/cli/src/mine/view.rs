//! What a person sees: one line that changes on a terminal, lines now and then elsewhere, and a line for what happens.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Result;
use pyrite_consensus::bitcoin::{Amount, BlockHash};
use pyrite_consensus::pow;
use pyrite_miner::{DeviceState, DeviceStatus, MinerStatus, WorkSource};

use super::command::verdict_text;
use super::event::Event;
use super::remote_work::RemoteWork;
use crate::progress::ProgressLine;

/// Shows what happens.
pub(super) trait View {
    /// Something happened.
    fn event(&mut self, event: &Event) -> Result<()>;

    /// Shows the state, if it is time for that; breaks when the user wants the end.
    fn show(
        &mut self,
        status: &MinerStatus,
        work: &RemoteWork,
        now: Instant,
    ) -> Result<ControlFlow<()>>;

    /// The last words.
    fn end(&mut self, status: &MinerStatus, work: &RemoteWork) -> Result<()>;
}

/// One line.
pub(super) struct LineView {
    line: ProgressLine,
    every: Duration,
    printed: Option<Instant>,
}

impl LineView {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            line: ProgressLine::new(),
            every,
            printed: None,
        }
    }
}

impl View for LineView {
    fn event(&mut self, event: &Event) -> Result<()> {
        if matches!(event, Event::NewTip { .. }) {
            return Ok(());
        }
        self.line.clear();
        print_line(&event_text(event))
    }

    fn show(
        &mut self,
        status: &MinerStatus,
        work: &RemoteWork,
        now: Instant,
    ) -> Result<ControlFlow<()>> {
        if self.line.is_visible() {
            self.line.show(|| status_text(status, work));
            return Ok(ControlFlow::Continue(()));
        }
        let is_due = self
            .printed
            .is_none_or(|printed| now.duration_since(printed) >= self.every);
        if is_due {
            self.printed = Some(now);
            print_line(&status_text(status, work))?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self, _status: &MinerStatus, work: &RemoteWork) -> Result<()> {
        self.line.clear();
        print_line(&blocks_text(work))
    }
}

/// Prints a line. Whoever reads may have read enough.
pub(super) fn print_line(line: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// The state in one line.
pub(super) fn status_text(status: &MinerStatus, work: &RemoteWork) -> String {
    let mut parts = vec![rate_text(status.hash_rate)];
    let working = status
        .devices
        .iter()
        .filter(|device| !matches!(device.state, DeviceState::Failed { .. }));
    parts.push(counted(working.count(), "device"));
    parts.extend(hold_back_text(status));
    parts.extend(sensors_text(status));
    if let Some(template) = work.templates().borrow().as_ref() {
        parts.push(format!(
            "height {}, difficulty {}",
            template.height,
            difficulty_text(pow::difficulty(template.bits))
        ));
    }
    parts.push(blocks_text(work));
    let servers = work.server_views();
    parts.push(match servers.iter().find(|server| server.is_current) {
        Some(server) => server.url.clone(),
        None => servers
            .first()
            .and_then(|server| server.trouble.clone())
            .unwrap_or_else(|| "no server".to_owned()),
    });
    parts.join("  ")
}

/// What holds mining back, if anything does.
fn hold_back_text(status: &MinerStatus) -> Option<String> {
    let reasons: Vec<_> = status
        .held_back
        .iter()
        .map(|reason| reason.name())
        .collect();
    let reasons = reasons.join(", ");
    match status.allowed_percent {
        _ if reasons.is_empty() => None,
        0 => Some(format!("paused ({reasons})")),
        percent => Some(format!("held back to {percent}% ({reasons})")),
    }
}

/// What the sensors say, where there are some.
fn sensors_text(status: &MinerStatus) -> Option<String> {
    let temperature = status.sensors.temperature_c;
    let temperature = temperature.map(|celsius| format!("{celsius:.0} C"));
    let power = status.sensors.power_w.map(|watts| format!("{watts:.1} W"));
    let efficiency = status.joules_per_mh;
    let efficiency = efficiency.map(|joules| format!("{joules:.2} J/MH"));
    let known: Vec<_> = [temperature, power, efficiency]
        .into_iter()
        .flatten()
        .collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// What became of the blocks.
pub(super) fn blocks_text(work: &RemoteWork) -> String {
    let figures = work.figures();
    let mut text = format!(
        "{} accepted, {}",
        counted(figures.accepted, "block"),
        coins(figures.earned)
    );
    for (count, what) in [
        (figures.stale, "stale"),
        (figures.rejected, "rejected"),
        (figures.lost, "lost"),
        (work.pending_count(), "waiting"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// An event in one line.
pub(super) fn event_text(event: &Event) -> String {
    match event {
        Event::ServerUp { url } => format!("{url} gives work"),
        Event::ServerDown { url, reason } => format!("{url}: {reason}"),
        Event::Working { url } => format!("mining for {url}"),
        Event::NewTip { height, previous } => {
            format!("new work at height {height}, on {}", short(previous))
        }
        Event::Block {
            hash,
            height,
            value,
            verdict,
        } => format!(
            "block {hash} at height {height}, {}: {}",
            coins(*value),
            verdict_text(verdict)
        ),
    }
}

/// The state of a device in a word or more.
pub(super) fn device_text(device: &DeviceStatus) -> String {
    match &device.state {
        DeviceState::Failed { reason } => format!("failed: {reason}"),
        state => format!("{state:?}").to_lowercase(),
    }
}

/// Hashes a second.
pub(super) fn rate_text(rate: f64) -> String {
    const UNITS: [&str; 5] = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s"];
    let mut rate = rate;
    let mut unit = 0;
    while rate >= 1000.0 && unit + 1 < UNITS.len() {
        rate /= 1000.0;
        unit += 1;
    }
    format!("{rate:.2} {}", UNITS[unit])
}

fn difficulty_text(difficulty: f64) -> String {
    if difficulty >= 0.001 {
        format!("{difficulty:.3}")
    } else {
        format!("{difficulty:.3e}")
    }
}

/// An amount, short.
pub(super) fn coins(amount: Amount) -> String {
    let sat = amount.to_sat();
    let digits = format!("{}.{:08}", sat / 100_000_000, sat % 100_000_000);
    let short = digits.trim_end_matches('0');
    let short = short.strip_suffix('.').unwrap_or(short);
    format!("{short} BTC")
}

fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The tail of a hash: its head is zeros.
fn short(hash: &BlockHash) -> String {
    let text = hash.to_string();
    format!("…{}", &text[text.len() - 16..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mine::event::Verdict;

    #[test]
    fn figures_are_for_people() {
        assert_eq!(rate_text(12_345_678.0), "12.35 MH/s");
        assert_eq!(coins(Amount::from_sat(5_000_000_000)), "50 BTC");
        assert_eq!(coins(Amount::from_sat(312_500_001)), "3.12500001 BTC");
        assert_eq!(coins(Amount::ZERO), "0 BTC");
        assert_eq!(counted(1_usize, "block"), "1 block");
        assert_eq!(counted(2_u64, "block"), "2 blocks");
        assert_eq!(difficulty_text(0.000_244_140_625), "2.441e-4");
    }

    #[test]
    fn events_are_lines() {
        let hash: BlockHash = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
            .parse()
            .unwrap();
        let block = Event::Block {
            hash,
            height: 7,
            value: Amount::from_sat(5_000_000_000),
            verdict: Verdict::Rejected {
                reason: "high-hash".to_owned(),
            },
        };
        assert_eq!(
            event_text(&block),
            format!("block {hash} at height 7, 50 BTC: rejected: high-hash")
        );
        let tip = Event::NewTip {
            height: 7,
            previous: hash,
        };
        assert_eq!(
            event_text(&tip),
            "new work at height 7, on …590b1a11466e2206"
        );
    }
}
