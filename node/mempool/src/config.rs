//! What an operator may set. The defaults are those of Bitcoin Core 31.

use crate::{ClusterLimits, FeeRate};

/// Settings of a mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolConfig {
    /// Bound on the estimated memory of all entries, in bytes (`-maxmempool`).
    pub max_bytes: usize,
    /// The lowest fee rate that is relayed (`-minrelaytxfee`).
    pub min_relay_fee: FeeRate,
    /// What a replacement adds for its own bandwidth, and by how much the minimum rises after an
    /// eviction (`-incrementalrelayfee`).
    pub incremental_relay_fee: FeeRate,
    /// The rate at which spending an output must be worth it (`-dustrelayfee`).
    pub dust_relay_fee: FeeRate,
    /// Bytes of all data-carrying output scripts of a transaction together (`-datacarriersize`).
    pub max_data_carrier_bytes: usize,
    /// Takes outputs that list public keys themselves, three at most (`-permitbaremultisig`).
    pub permit_bare_multisig: bool,
    /// Virtual bytes that a sigop counts for at least (`-bytespersigop`).
    pub bytes_per_sigop: u64,
    /// Limits on sets of linked unconfirmed transactions.
    pub limits: ClusterLimits,
    /// Seconds after which an entry is dropped (`-mempoolexpiry`).
    pub expiry_s: u64,
    /// Takes transactions that are valid but not standard (`-acceptnonstdtxn`).
    pub accept_nonstandard: bool,
    /// What to answer when the fee estimator knows too little.
    pub fee_fallback: FeeFallback,
}

/// What to answer when the fee estimator knows too little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeeFallback {
    /// Nothing, as Bitcoin Core does.
    #[default]
    Off,
    /// What it takes to be among the next blocks' transactions by what waits now.
    NextBlocks,
}

impl Default for MempoolConfig {
    fn default() -> Self {
        Self {
            max_bytes: 300_000_000,
            min_relay_fee: FeeRate(100),
            incremental_relay_fee: FeeRate(100),
            dust_relay_fee: FeeRate(3_000),
            max_data_carrier_bytes: 100_000,
            permit_bare_multisig: true,
            bytes_per_sigop: 20,
            limits: ClusterLimits::default(),
            expiry_s: 336 * 60 * 60,
            accept_nonstandard: false,
            fee_fallback: FeeFallback::Off,
        }
    }
}
