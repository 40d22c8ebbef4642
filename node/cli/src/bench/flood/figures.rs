//! What a flood showed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::probe::Probed;
use super::worker::Sent;
use crate::bench::load::Latencies;

/// The figures of a flood.
pub(super) struct Figures {
    pub(super) seconds: f64,
    pub(super) connections: u32,
    pub(super) mempool_bound: u64,
    pub(super) sent: Sent,
    pub(super) probed: Probed,
    pub(super) blocks: Latencies,
    /// The node's memory before the flood and the most that it had; `None` where the system does not say.
    pub(super) memory_before: Option<u64>,
    pub(super) memory_peak: Option<u64>,
    pub(super) client_memory_peak: Option<u64>,
    pub(super) node_cpu_s: Option<f64>,
    pub(super) client_cpu_s: Option<f64>,
}

/// Adds up what the connections saw.
pub(super) fn total(parts: Vec<Sent>) -> Sent {
    let mut total = Sent::default();
    for part in parts {
        total.accepted += part.accepted;
        total.latencies.merge(&part.latencies);
        for (reason, count) in part.refused {
            *total.refused.entry(reason).or_default() += count;
        }
    }
    total
}

impl Figures {
    pub(super) fn text(&self) -> String {
        let mib = |bytes: Option<u64>| {
            bytes.map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
        };
        let cpu = |seconds: Option<f64>| {
            seconds.map_or("unknown".to_owned(), |seconds| format!("{seconds:.0} s"))
        };
        let count = self.sent.latencies.count();
        let mut lines = vec![
            format!(
                "{:.0} s, {} connections: {count} payments, {:.0} a second; {} were taken, {:.0} a second",
                self.seconds,
                self.connections,
                count as f64 / self.seconds,
                self.sent.accepted,
                self.sent.accepted as f64 / self.seconds,
            ),
            format!("  sendrawtransaction: {}", self.sent.latencies.text()),
        ];
        let refusals = self.sent.refused.iter();
        lines.extend(refusals.map(|(reason, count)| format!("  {count:>9} refused: {reason}")));
        lines.push(format!(
            "{} blocks: {}",
            self.blocks.count(),
            self.blocks.text()
        ));
        lines.push(format!(
            "mempool: at most {:.1} MB of {:.1} MB, {} transactions; minimum fee rate up to {} sat/kvB",
            self.probed.most_usage as f64 / 1e6,
            self.mempool_bound as f64 / 1e6,
            self.probed.most_transactions,
            self.probed.min_fee_sat_per_kvb,
        ));
        lines.push(format!(
            "memory: node {} before, {} at most; client {} at most",
            mib(self.memory_before),
            mib(self.memory_peak),
            mib(self.client_memory_peak),
        ));
        lines.push(format!(
            "processor time: node {}, client {}",
            cpu(self.node_cpu_s),
            cpu(self.client_cpu_s)
        ));
        let all = self.probed.all();
        lines.push(format!("beside it: {} calls, {}", all.count(), all.text()));
        let methods = self.probed.latencies.iter();
        lines.extend(methods.map(|(method, latencies)| {
            format!(
                "  {method}: {} calls, {}",
                latencies.count(),
                latencies.text()
            )
        }));
        lines.join("\n")
    }

    pub(super) fn json(&self) -> Value {
        let methods: BTreeMap<&str, Value> = self
            .probed
            .latencies
            .iter()
            .map(|(method, latencies)| (*method, latencies.json()))
            .collect();
        json!({
            "seconds": self.seconds,
            "connections": self.connections,
            "sent": self.sent.latencies.count(),
            "accepted": self.sent.accepted,
            "refused": self.sent.refused,
            "sendrawtransaction": self.sent.latencies.json(),
            "blocks": self.blocks.json(),
            "mempool_bound_bytes": self.mempool_bound,
            "mempool_peak_bytes": self.probed.most_usage,
            "mempool_peak_transactions": self.probed.most_transactions,
            "min_fee_sat_per_kvb": self.probed.min_fee_sat_per_kvb,
            "node_memory_before_bytes": self.memory_before,
            "node_memory_peak_bytes": self.memory_peak,
            "client_memory_peak_bytes": self.client_memory_peak,
            "node_cpu_seconds": self.node_cpu_s,
            "client_cpu_seconds": self.client_cpu_s,
            "calls": self.probed.all().json(),
            "calls_by_method": methods,
        })
    }
}
