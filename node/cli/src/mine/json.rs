//! What a program sees: a line of JSON for everything that happens, and for the state every so often.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Result;
use pyrite_consensus::pow;
use pyrite_miner::{DeviceStatus, MinerStatus, WorkSource};
use serde_json::{Value, json};

use super::event::{Event, Verdict};
use super::remote_work::{RemoteWork, ServerView};
use super::view::{View, device_text, print_line};

/// Lines of JSON.
pub(super) struct JsonView {
    every: Duration,
    printed: Option<Instant>,
}

impl JsonView {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            printed: None,
        }
    }
}

impl View for JsonView {
    fn event(&mut self, event: &Event) -> Result<()> {
        print_line(&event_json(event).to_string())
    }

    fn show(
        &mut self,
        status: &MinerStatus,
        work: &RemoteWork,
        now: Instant,
    ) -> Result<ControlFlow<()>> {
        let is_due = self
            .printed
            .is_none_or(|printed| now.duration_since(printed) >= self.every);
        if is_due {
            self.printed = Some(now);
            print_line(&status_json("status", status, work).to_string())?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self, status: &MinerStatus, work: &RemoteWork) -> Result<()> {
        print_line(&status_json("end", status, work).to_string())
    }
}

fn event_json(event: &Event) -> Value {
    match event {
        Event::ServerUp { url } => json!({ "event": "server_up", "url": url }),
        Event::ServerDown { url, reason } => {
            json!({ "event": "server_down", "url": url, "reason": reason })
        }
        Event::Working { url } => json!({ "event": "working", "url": url }),
        Event::NewTip { height, previous } => {
            json!({ "event": "new_tip", "height": height, "previous": previous.to_string() })
        }
        Event::Block {
            hash,
            height,
            value,
            verdict,
        } => {
            let (name, reason) = match verdict {
                Verdict::Accepted => ("accepted", None),
                Verdict::Stale => ("stale", None),
                Verdict::Rejected { reason } => ("rejected", Some(reason)),
                Verdict::Kept { reason } => ("kept", Some(reason)),
                Verdict::Lost { reason } => ("lost", Some(reason)),
            };
            json!({
                "event": "block",
                "hash": hash.to_string(),
                "height": height,
                "value_sat": value.to_sat(),
                "verdict": name,
                "reason": reason,
            })
        }
    }
}

fn status_json(event: &str, status: &MinerStatus, work: &RemoteWork) -> Value {
    let figures = work.figures();
    let template = work.templates().borrow().clone();
    json!({
        "event": event,
        "height": template.as_ref().map(|template| template.height.0),
        "difficulty": template.as_ref().map(|template| pow::difficulty(template.bits)),
        "hash_rate_10s": status.hash_rate_10s,
        "hash_rate_1m": status.hash_rate_1m,
        "hash_rate_15m": status.hash_rate_15m,
        "hashes": status.hashes_total,
        "held_back": status.held_back.iter().map(|reason| reason.name()).collect::<Vec<_>>(),
        "limits_unknown": status.limits_unknown.iter().map(|limit| limit.name()).collect::<Vec<_>>(),
        "allowed_percent": status.allowed_percent,
        "temperature": status.sensors.temperature_c,
        "power": status.sensors.power_w,
        "energy": status.energy_joules,
        "joules_per_mh": status.joules_per_mh,
        "blocks_found": figures.found,
        "blocks_accepted": figures.accepted,
        "blocks_stale": figures.stale,
        "blocks_rejected": figures.rejected,
        "blocks_lost": figures.lost,
        "blocks_waiting": work.pending_count(),
        "earned_sat": figures.earned.to_sat(),
        "devices": status.devices.iter().map(device_json).collect::<Vec<_>>(),
        "servers": work.server_views().iter().map(server_json).collect::<Vec<_>>(),
    })
}

fn device_json(device: &DeviceStatus) -> Value {
    json!({
        "name": device.name,
        "kernel": device.kernel,
        "state": device_text(device),
        "hash_rate_10s": device.hash_rates.ten_seconds,
        "hash_rate_1m": device.hash_rates.one_minute,
        "hash_rate_15m": device.hash_rates.fifteen_minutes,
        "hashes": device.hashes,
        "false_nonces": device.false_nonces,
        "recent_errors": device.recent_errors,
        "results": device.results,
    })
}

fn server_json(server: &ServerView) -> Value {
    json!({
        "url": server.url,
        "current": server.is_current,
        "trouble": server.trouble,
    })
}
