//! How long calls take while something else keeps the node busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::full_blocks::{FULL, FullBlocks, Tip, submit};
use super::generator::{Load, Outcome, Span, millis, request, send};
use super::node::BenchNode;

/// Connections that call meanwhile.
const CONNECTIONS: usize = 8;
/// Blocks of each kind.
pub(super) const BLOCKS: u32 = 5;
/// Coins that the blocks spend.
pub(super) const COINS: u32 = BLOCKS * (FULL + 1);

/// Calls while full blocks connect: of ordinary payments, then of large witnesses.
pub(super) fn while_blocks_connect(
    node: &BenchNode,
    blocks: &mut FullBlocks,
    call: &str,
) -> Result<[Value; 2]> {
    let mut of_payments = Meanwhile::default();
    for _ in 0..BLOCKS {
        let block = blocks.of_payments(Tip::of(&node.client)?, FULL)?;
        of_payments.measure(node, call, || submit(&node.client, &block))?;
    }
    let mut of_witnesses = Meanwhile::default();
    for _ in 0..BLOCKS {
        let [first, second] = blocks.of_large_witnesses(Tip::of(&node.client)?)?;
        submit(&node.client, &first)?;
        of_witnesses.measure(node, call, || submit(&node.client, &second))?;
    }
    Ok([
        of_payments.line(&format!(
            "{CONNECTIONS} connections, {FULL} payments connect"
        )),
        of_witnesses.line(&format!("{CONNECTIONS} connections, 4 MB connect")),
    ])
}

/// Calls beside some works, and how long these took.
#[derive(Default)]
struct Meanwhile {
    calls: Outcome,
    works: Vec<Duration>,
}

impl Meanwhile {
    /// Calls from before until after a work; those count that ended while it was under way, or began then.
    fn measure(
        &mut self,
        node: &BenchNode,
        call: &str,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let (counted, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        let span = Arc::new(Span { counted, ended });
        let load = Load {
            address: node.address,
            request: request(&node.authorization, call),
            connections: CONNECTIONS,
            depth: 1,
            time: Duration::MAX,
            span: Some(Arc::clone(&span)),
        };
        let calls = thread::spawn(move || send(&load));
        let start = Instant::now();
        span.counted.store(true, Ordering::Relaxed);
        let worked = work();
        span.counted.store(false, Ordering::Relaxed);
        self.works.push(start.elapsed());
        span.ended.store(true, Ordering::Relaxed);
        let calls = calls.join().ok().context("the load ended early")?;
        self.calls.merge(calls?);
        worked
    }

    fn line(mut self, name: &str) -> Value {
        self.works.sort_unstable();
        json!({
            "name": name,
            "calls": self.calls.requests(),
            "median_ms": millis(self.calls.percentile(50)),
            "p99_ms": millis(self.calls.percentile(99)),
            "max_ms": millis(self.calls.percentile(100)),
            "block_ms": millis(self.works[self.works.len() / 2]),
        })
    }
}
