//! The settings of the mempool: each within what makes sense, the defaults Bitcoin Core's.

use pyrite_consensus::ChainSpec;
use pyrite_mempool::{ClusterLimits, FeeFallback, FeeRate, MempoolConfig, Persistence};

use super::{NodeOptions, in_range};
use crate::NodeError;

/// The highest fee rate to set, in satoshi per 1,000 virtual bytes: a coin.
const MAX_FEE_RATE: u64 = 100_000_000;

/// The longest that a transaction may wait, in hours: ten years.
const MAX_EXPIRY_HOURS: u64 = 10 * 365 * 24;

/// The most bytes of data in outputs: no block holds more.
const MAX_DATA_CARRIER_BYTES: usize = 1_000_000;

/// The most virtual bytes that a sigop may count for.
const MAX_BYTES_PER_SIGOP: u64 = 1_000;

/// The largest cluster, in 1,000 virtual bytes: a block.
const MAX_CLUSTER_KVB: u64 = 1_000;

impl NodeOptions {
    /// Checks the settings of the mempool.
    pub(super) fn mempool(&self, spec: &ChainSpec) -> Result<MempoolConfig, NodeError> {
        let default = MempoolConfig::default();
        let rate = |setting, value: Option<u64>, default: FeeRate| {
            in_range(setting, value.unwrap_or(default.0), 0, MAX_FEE_RATE).map(FeeRate)
        };
        let megabytes = self.mempool_mb.unwrap_or(default.max_bytes / 1_000_000);
        let hours = self
            .mempool_expiry_hours
            .unwrap_or(default.expiry_s / 3_600);
        let data = self.data_carrier_bytes;
        let data = data.unwrap_or(default.max_data_carrier_bytes);
        let sigop = self.bytes_per_sigop.unwrap_or(default.bytes_per_sigop);
        Ok(MempoolConfig {
            max_bytes: in_range("mempool-mb", megabytes, 1, 1_000_000)? * 1_000_000,
            expiry_s: in_range("mempool-expiry-hours", hours, 1, MAX_EXPIRY_HOURS)? * 3_600,
            min_relay_fee: rate("min-relay-fee", self.min_relay_fee, default.min_relay_fee)?,
            incremental_relay_fee: rate(
                "incremental-relay-fee",
                self.incremental_relay_fee,
                default.incremental_relay_fee,
            )?,
            dust_relay_fee: rate(
                "dust-relay-fee",
                self.dust_relay_fee,
                default.dust_relay_fee,
            )?,
            max_data_carrier_bytes: in_range(
                "data-carrier-bytes",
                data,
                0,
                MAX_DATA_CARRIER_BYTES,
            )?,
            permit_bare_multisig: self
                .permit_bare_multisig
                .unwrap_or(default.permit_bare_multisig),
            bytes_per_sigop: in_range("bytes-per-sigop", sigop, 0, MAX_BYTES_PER_SIGOP)?,
            limits: self.cluster_limits(default.limits)?,
            accept_nonstandard: self.accept_nonstandard(spec)?,
            fee_fallback: match self.fee_fallback {
                Some(true) => FeeFallback::NextBlocks,
                Some(false) | None => FeeFallback::Off,
            },
        })
    }

    /// Whether the mempool outlives the node.
    pub(super) fn mempool_persistence(&self) -> Persistence {
        if self.persist_mempool.unwrap_or(true) {
            Persistence::On
        } else {
            Persistence::Off
        }
    }

    fn cluster_limits(&self, default: ClusterLimits) -> Result<ClusterLimits, NodeError> {
        let count = self.cluster_count.unwrap_or(default.count);
        let size = self.cluster_kvb.unwrap_or(default.vsize / 1_000);
        Ok(ClusterLimits {
            // What is put into the best order together is bounded by the default.
            count: in_range("cluster-count", count, 1, ClusterLimits::default().count)?,
            vsize: in_range("cluster-kvb", size, 1, MAX_CLUSTER_KVB)? * 1_000,
        })
    }

    /// What is not standard is no danger to a chain that is there for tests.
    fn accept_nonstandard(&self, spec: &ChainSpec) -> Result<bool, NodeError> {
        let accept = self.accept_nonstandard.unwrap_or(false);
        if accept && spec.name == "mainnet" {
            return Err(NodeError::Setting {
                setting: "accept-nonstandard",
                detail: "chain mainnet takes standard transactions only".to_owned(),
            });
        }
        Ok(accept)
    }
}
