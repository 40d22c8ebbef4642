//! The built-in miner's state, as `getminingstatus` tells it. Unknown readings are null.

use std::time::Duration;

use pyrite_miner::{DeviceState, DeviceStatus, HoldBack, MinerSettings, MinerStatus, OnBattery};
use serde_json::{Value, json};

use super::float;

/// The whole state.
pub(crate) fn miner_json(status: &MinerStatus) -> Value {
    let latency = &status.tip_latency;
    let sensors = &status.sensors;
    let names =
        |limits: &[HoldBack]| -> Vec<_> { limits.iter().map(|limit| limit.name()).collect() };
    json!({
        "running": status.running,
        "paused": status.running && status.allowed_percent == 0,
        "held_back": names(&status.held_back),
        "limits_unknown": names(&status.limits_unknown),
        "allowed_percent": status.allowed_percent,
        "threads": status.threads,
        "intensity": status.intensity_percent,
        "settings": status.settings.as_ref().map(settings_json),
        "hash_rate": float(status.hash_rate),
        "hash_rate_10s": float(status.hash_rate_10s),
        "hash_rate_1m": float(status.hash_rate_1m),
        "hash_rate_15m": float(status.hash_rate_15m),
        "hashes": status.hashes_total,
        "blocks_found": status.blocks_found,
        "blocks_accepted": status.blocks_accepted,
        "blocks_stale": status.blocks_stale,
        "blocks_rejected": status.blocks_rejected,
        "false_nonces": status.false_nonces,
        "started_at": status.started_at,
        "tip_latency": {
            "samples": latency.samples,
            "median_ms": millis(latency.median),
            "p99_ms": millis(latency.p99),
            "max_ms": millis(latency.max),
        },
        "temperature": number(sensors.temperature_c),
        "power": number(sensors.power_w),
        "on_battery": sensors.on_battery,
        "other_load": number(sensors.other_load_percent),
        "energy": number(status.energy_joules),
        "joules_per_mh": number(status.joules_per_mh),
        "devices": status.devices.iter().map(device_json).collect::<Vec<_>>(),
    })
}

fn settings_json(settings: &MinerSettings) -> Value {
    let limits = &settings.limits;
    json!({
        "devices": settings.devices.to_string(),
        "threads": settings.threads,
        "kernel": settings.kernel,
        "intensity": settings.intensity_percent,
        "pin_cores": settings.pinning.to_string(),
        "pause_when_busy": limits.max_other_load_percent,
        "pause_on_battery": limits.on_battery == OnBattery::Pause,
        "max_temperature": limits.max_temperature_c,
        "max_power": limits.max_power_w,
    })
}

fn device_json(device: &DeviceStatus) -> Value {
    let (state, reason) = match &device.state {
        DeviceState::Opening => ("opening", None),
        DeviceState::Waiting => ("waiting", None),
        DeviceState::Mining => ("mining", None),
        DeviceState::Paused => ("paused", None),
        DeviceState::Failed { reason } => ("failed", Some(reason)),
    };
    let mut form = json!({
        "name": device.name,
        "kind": device.kind.name(),
        "kernel": device.kernel,
        "state": state,
    });
    if let Some(reason) = reason {
        form["reason"] = reason.as_str().into();
    }
    form["hash_rate_10s"] = float(device.hash_rates.ten_seconds);
    form["hash_rate_1m"] = float(device.hash_rates.one_minute);
    form["hash_rate_15m"] = float(device.hash_rates.fifteen_minutes);
    form["hashes"] = device.hashes.into();
    form["blocks_found"] = device.blocks_found.into();
    form["blocks_accepted"] = device.blocks_accepted.into();
    form["blocks_stale"] = device.blocks_stale.into();
    form["blocks_rejected"] = device.blocks_rejected.into();
    form["false_nonces"] = device.false_nonces.into();
    form["recent_errors"] = device.recent_errors.into();
    form["results"] = device.results.into();
    form
}

fn number(number: Option<f64>) -> Value {
    number.map_or(Value::Null, float)
}

fn millis(duration: Option<Duration>) -> Value {
    number(duration.map(|duration| duration.as_secs_f64() * 1_000.0))
}

#[cfg(test)]
mod tests {
    use pyrite_miner::{DeviceKind, HashRates, LatencySummary, SensorReadings};

    use super::*;

    #[test]
    fn a_stopped_miner_has_its_fields() {
        let form = miner_json(&MinerStatus::default());
        assert_eq!(
            (&form["running"], &form["paused"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(form["hash_rate"].as_f64(), Some(0.0));
        for unknown in [
            "settings",
            "started_at",
            "temperature",
            "power",
            "on_battery",
            "energy",
        ] {
            assert_eq!(form.get(unknown), Some(&Value::Null), "{unknown}");
        }
        assert_eq!(form["tip_latency"]["median_ms"], Value::Null);
        assert_eq!(form["devices"], json!([]));
    }

    #[test]
    fn a_running_miner_tells_everything() {
        let form = miner_json(&MinerStatus {
            running: true,
            settings: Some(MinerSettings::default()),
            held_back: vec![HoldBack::Busy, HoldBack::Temperature],
            limits_unknown: vec![HoldBack::Power],
            tip_latency: LatencySummary {
                samples: 3,
                median: Some(Duration::from_micros(1_500)),
                p99: Some(Duration::from_millis(9)),
                max: Some(Duration::from_millis(10)),
            },
            sensors: SensorReadings {
                temperature_c: Some(71.5),
                on_battery: Some(false),
                ..SensorReadings::default()
            },
            energy_joules: Some(12.0),
            devices: vec![DeviceStatus {
                name: "opencl0".to_owned(),
                kind: DeviceKind::Card,
                kernel: Some("opencl-v16".to_owned()),
                state: DeviceState::Failed {
                    reason: "no power".to_owned(),
                },
                hash_rates: HashRates::default(),
                hashes: 7,
                blocks_found: 3,
                blocks_accepted: 1,
                blocks_stale: 2,
                blocks_rejected: 0,
                false_nonces: 4,
                recent_errors: 2,
                results: 9,
            }],
            ..MinerStatus::default()
        });
        assert_eq!(form["paused"], true);
        assert_eq!(form["held_back"], json!(["busy", "temperature"]));
        assert_eq!(form["limits_unknown"], json!(["power"]));
        assert_eq!(form["settings"]["devices"], "cpu");
        assert_eq!(form["settings"]["pin_cores"], "off");
        assert_eq!(form["tip_latency"]["median_ms"].as_f64(), Some(1.5));
        assert_eq!(form["temperature"].as_f64(), Some(71.5));
        assert_eq!(
            (&form["power"], &form["on_battery"]),
            (&Value::Null, &json!(false))
        );
        let device = &form["devices"][0];
        assert_eq!(
            (&device["state"], &device["reason"]),
            (&json!("failed"), &json!("no power"))
        );
        assert_eq!(
            (&device["kind"], &device["blocks_stale"]),
            (&json!("card"), &json!(2))
        );
        assert_eq!(
            (&device["recent_errors"], &device["results"]),
            (&json!(2), &json!(9))
        );
    }
}
