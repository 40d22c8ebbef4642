//! Blocks during a flood.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use pyrite_consensus::bitcoin::Address;

use super::shared::Shared;
use crate::bench::load::{Connection, Endpoint, Latencies};

/// Has the node make a block now and then, until the flood is over. Returns how long each took.
pub(super) fn mine(
    endpoint: &Endpoint,
    shared: &Shared,
    payout: &Address,
    every: Duration,
) -> Result<Latencies> {
    let mut connection = Connection::open(endpoint)?;
    let mut latencies = Latencies::default();
    let params = format!(r#"[1,"{payout}"]"#);
    loop {
        shared.wait(every);
        if shared.is_over() {
            return Ok(latencies);
        }
        let start = Instant::now();
        let answer = connection.call("generatetoaddress", &params)?;
        latencies.add(start.elapsed());
        if let Some(error) = answer.error {
            bail!("no block: {} ({})", error.message, error.code);
        }
    }
}
