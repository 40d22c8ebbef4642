//! The client beside a flood: it asks for this and that, and notes how long the answers take.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::shared::Shared;
use crate::bench::load::{Connection, Endpoint, Latencies};

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(5);
/// As many calls for one template.
const CALLS_PER_TEMPLATE: u64 = 100;
const SAT_PER_COIN: f64 = 1e8;

/// What the client saw.
#[derive(Default)]
pub(super) struct Probed {
    pub(super) latencies: BTreeMap<&'static str, Latencies>,
    /// The most that the mempool said it takes, in bytes, and how many transactions it had then.
    pub(super) most_usage: u64,
    pub(super) most_transactions: u64,
    /// The highest of its minimums.
    pub(super) min_fee_sat_per_kvb: u64,
}

/// Asks until the flood is over.
pub(super) fn probe(endpoint: &Endpoint, shared: &Shared, seed: u64) -> Result<Probed> {
    let mut connection = Connection::open(endpoint)?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut probed = Probed::default();
    while !shared.is_over() {
        let (method, params) = question(shared, &mut random);
        let (answer, took) = connection.timed_call(method, &params)?;
        probed.latencies.entry(method).or_default().add(took);
        if method == "getmempoolinfo"
            && let Some(info) = answer.result
        {
            probed.note(&info, shared);
        }
        shared.wait(PAUSE);
    }
    Ok(probed)
}

/// A method and its parameters.
fn question(shared: &Shared, random: &mut StdRng) -> (&'static str, String) {
    if random.gen_range(0..CALLS_PER_TEMPLATE) == 0 {
        return ("getblocktemplate", r#"[{"rules":["segwit"]}]"#.to_owned());
    }
    let known = shared.any_recent(random);
    match (random.gen_range(0..4), known) {
        (0, _) => ("getblockcount", "[]".to_owned()),
        (1, Some(txid)) => ("getrawtransaction", format!(r#"["{txid}"]"#)),
        (2, Some(txid)) => ("getmempoolentry", format!(r#"["{txid}"]"#)),
        _ => ("getmempoolinfo", "[]".to_owned()),
    }
}

impl Probed {
    fn note(&mut self, info: &Value, shared: &Shared) {
        let number = |name: &str| info[name].as_u64().unwrap_or(0);
        if number("usage") > self.most_usage {
            self.most_usage = number("usage");
            self.most_transactions = number("size");
        }
        let min_fee = info["mempoolminfee"].as_f64().unwrap_or(0.0) * SAT_PER_COIN;
        let min_fee = min_fee.round() as u64;
        self.min_fee_sat_per_kvb = self.min_fee_sat_per_kvb.max(min_fee);
        shared.set_min_fee(min_fee);
    }

    /// All calls together.
    pub(super) fn all(&self) -> Latencies {
        let mut all = Latencies::default();
        self.latencies
            .values()
            .for_each(|latencies| all.merge(latencies));
        all
    }
}
