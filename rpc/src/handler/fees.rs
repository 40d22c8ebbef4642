//! Estimates of fees.

use pyrite_mempool::{BucketRange, EstimateMode, FeeHorizon, RawEstimate};
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::fees::FeesServer;
use crate::call::{CallError, CallResult};
use crate::json::{Btc, float};
use crate::params;

/// The furthest target that may be asked for, in blocks.
const MAX_TARGET: u32 = FeeHorizon::Long.max_target();

/// The part of transactions that must be confirmed in time where the caller names none.
const DEFAULT_THRESHOLD: f64 = 0.95;

impl FeesServer for Handler {
    fn estimate_smart_fee(
        &self,
        conf_target: i64,
        estimate_mode: Option<String>,
    ) -> CallResult<Value> {
        let target = target_blocks(conf_target)?;
        let mode = mode_from_name(estimate_mode.as_deref())?;
        let estimate = self.mempool_at_tip()?.estimate_smart_fee(target, mode);
        Ok(match estimate.rate {
            Some(rate) => json!({
                "feerate": Btc::from_sat(rate.0),
                "blocks": estimate.blocks,
            }),
            None => json!({
                "errors": ["Insufficient data or no feerate found"],
                "blocks": estimate.blocks,
            }),
        })
    }

    fn estimate_raw_fee(&self, conf_target: i64, threshold: Option<Value>) -> CallResult<Value> {
        let target = target_blocks(conf_target)?;
        let threshold = threshold_of(threshold.as_ref())?;
        let mempool = self.mempool_at_tip()?;
        let mut horizons = Map::new();
        for horizon in FeeHorizon::ALL {
            let estimate = mempool.estimate_raw_fee(target, threshold, horizon);
            if let Some(estimate) = estimate {
                horizons.insert(horizon.name().to_owned(), raw_json(horizon, &estimate));
            }
        }
        Ok(Value::Object(horizons))
    }
}

/// Reads a target (Bitcoin Core's `ParseConfirmTarget`).
pub(super) fn target_blocks(conf_target: i64) -> CallResult<u32> {
    u32::try_from(params::int(conf_target)?)
        .ok()
        .filter(|target| (1..=MAX_TARGET).contains(target))
        .ok_or_else(|| {
            CallError::invalid_parameter(format!(
                "Invalid conf_target, must be between 1 and {MAX_TARGET}"
            ))
        })
}

/// Reads a mode, in any case of letters.
pub(super) fn mode_from_name(name: Option<&str>) -> CallResult<EstimateMode> {
    match name.map(str::to_ascii_lowercase).as_deref() {
        None | Some("unset" | "economical") => Ok(EstimateMode::Economical),
        Some("conservative") => Ok(EstimateMode::Conservative),
        Some(_) => Err(CallError::invalid_parameter(
            "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \
             \"conservative\"",
        )),
    }
}

fn threshold_of(value: Option<&Value>) -> CallResult<f64> {
    match value {
        None | Some(Value::Null) => Ok(DEFAULT_THRESHOLD),
        Some(value) => value
            .as_f64()
            .filter(|threshold| (0.0..=1.0).contains(threshold))
            .ok_or_else(|| CallError::invalid_parameter("Invalid threshold")),
    }
}

/// One horizon's answer. Without a rate its failed range stands there even if there is none, as in Bitcoin
/// Core.
fn raw_json(horizon: FeeHorizon, estimate: &RawEstimate) -> Value {
    let mut form = Map::new();
    let mut set = |name: &str, value: Value| form.insert(name.to_owned(), value);
    if let Some(rate) = estimate.rate {
        set("feerate", Btc::from_sat(rate.0).value());
    }
    set("decay", float(horizon.decay()));
    set("scale", horizon.scale().into());
    if estimate.rate.is_some() {
        set("pass", range_json(estimate.pass.as_ref()));
        if estimate.fail.is_some() {
            set("fail", range_json(estimate.fail.as_ref()));
        }
    } else {
        set("fail", range_json(estimate.fail.as_ref()));
        let error = "Insufficient data or no feerate found which meets threshold";
        set("errors", json!([error]));
    }
    Value::Object(form)
}

fn range_json(range: Option<&BucketRange>) -> Value {
    let hundredths = |number: f64| float((number * 100.0).round() / 100.0);
    let none = BucketRange {
        start_sat_per_kvb: -1.0,
        end_sat_per_kvb: -1.0,
        within_target: 0.0,
        total_confirmed: 0.0,
        in_mempool: 0.0,
        left_mempool: 0.0,
    };
    let range = range.unwrap_or(&none);
    json!({
        "startrange": float(range.start_sat_per_kvb.round()),
        "endrange": float(range.end_sat_per_kvb.round()),
        "withintarget": hundredths(range.within_target),
        "totalconfirmed": hundredths(range.total_confirmed),
        "inmempool": hundredths(range.in_mempool),
        "leftmempool": hundredths(range.left_mempool),
    })
}

#[cfg(test)]
#[path = "fees_tests.rs"]
mod tests;
