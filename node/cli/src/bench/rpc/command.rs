//! `pyrite bench rpc`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::beside::{COINS, while_blocks_connect};
use super::full_blocks::{FullBlocks, Tip, submit};
use super::generator::{Load, Outcome, millis, read_frame, request, send, subscribers};
use super::node::BenchNode;

/// Requests of a batch.
const BATCH: usize = 1_000;

/// Payments of the block that is shown in full.
const SHOWN_PAYMENTS: u32 = 4_000;

/// Blocks below the tip among which the one with the most transactions is looked for.
const RECENT_BLOCKS: u64 = 20;

/// How often the block is asked for.
const BLOCK_CALLS: usize = 20;

/// Arguments of `pyrite bench rpc`.
#[derive(Args)]
pub(crate) struct RpcBenchArgs {
    /// A data directory of regtest to measure on, for a block of your own; it is kept, and no blocks are added [default: a new one with
    /// blocks of payments, which is deleted]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How long each load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
    /// WebSocket clients that subscribe to blocks and say nothing; each takes two open files of this machine
    #[arg(long, value_name = "N", default_value_t = 0)]
    subscribers: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Starts a node and measures it.
pub(crate) fn run(args: &RpcBenchArgs) -> Result<()> {
    let Some(dir) = &args.data_dir else {
        let dir = std::env::temp_dir().join(format!("pyrite-bench-rpc-{}", std::process::id()));
        let measured = FullBlocks::prepare(&dir, COINS + SHOWN_PAYMENTS)
            .and_then(|blocks| measure(args, &dir, Some(blocks)));
        let removed = std::fs::remove_dir_all(&dir);
        measured?;
        return removed.with_context(|| dir.display().to_string());
    };
    measure(args, dir, None)
}

/// Measures a node on a directory; `blocks` are for its chain, where it is one of ours.
fn measure(args: &RpcBenchArgs, dir: &Path, mut blocks: Option<FullBlocks>) -> Result<()> {
    let node = BenchNode::start(dir)?;
    let time = Duration::from_secs(args.seconds.max(1));
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"getblockcount","params":[]}"#;
    let batch = format!("[{}]", vec![call; BATCH].join(","));
    let mut lines = Vec::new();
    for (name, body, connections, depth, calls) in [
        ("calls, 8 connections", call, 8, 1, 1),
        ("calls, 64 connections", call, 64, 1, 1),
        ("calls, 1 connection", call, 1, 1, 1),
        ("calls, 1 connection, 64 at a time", call, 1, 64, 1),
        (
            "calls in batches of 1,000, 1 connection",
            &batch,
            1,
            1,
            BATCH,
        ),
    ] {
        let load = Load {
            address: node.address,
            request: request(&node.authorization, body),
            connections,
            depth,
            time,
            span: None,
        };
        let outcome = send(&load).with_context(|| name.to_owned())?;
        lines.push(line(name, &outcome, calls));
    }
    if let Some(blocks) = &mut blocks {
        let shown = blocks.of_payments(Tip::of(&node.client)?, SHOWN_PAYMENTS)?;
        submit(&node.client, &shown)?;
    }
    lines.push(block(&node)?);
    if let Some(blocks) = &mut blocks {
        lines.extend(while_blocks_connect(&node, blocks, call)?);
    }
    if args.subscribers > 0 {
        lines.push(idle_subscribers(&node, args.subscribers)?);
    }
    drop(node);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        for line in &lines {
            println!("{}", text(line));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
fn line(name: &str, outcome: &Outcome, calls: usize) -> Value {
    json!({
        "name": name,
        "calls_per_second": (outcome.per_second() * calls as f64).round(),
        "median_ms": millis(outcome.percentile(50)),
        "p99_ms": millis(outcome.percentile(99)),
    })
}

/// A line of figures for people.
fn text(line: &Value) -> String {
    let figures = line.as_object().into_iter().flatten();
    let figures = figures.filter(|(key, _)| *key != "name");
    let figures: Vec<_> = figures
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    let name = line["name"].as_str().unwrap_or_default();
    format!("{name:42} {}", figures.join("  "))
}

/// How long the block with the most transactions takes in full detail.
fn block(node: &BenchNode) -> Result<Value> {
    let number = |value: Value| value.as_u64().context("no number");
    let tip = number(node.client.call("getblockcount", json!([]))?)?;
    let mut largest = (0, Value::Null);
    for height in tip.saturating_sub(RECENT_BLOCKS)..=tip {
        let hash = node.client.call("getblockhash", json!([height]))?;
        let mut header = node.client.call("getblockheader", json!([hash]))?;
        let count = number(header["nTx"].take())?;
        if count > largest.0 {
            largest = (count, hash);
        }
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "getblock", "params": [largest.1, 2]});
    // One request at a time.
    let load = Load {
        address: node.address,
        request: request(&node.authorization, &body.to_string()),
        connections: 1,
        depth: 1,
        time: Duration::ZERO,
        span: None,
    };
    let mut times = Vec::new();
    for _ in 0..=BLOCK_CALLS {
        times.push(send(&load)?.percentile(50));
    }
    // The first one may read the block from disk.
    let first = times.remove(0);
    times.sort_unstable();
    Ok(json!({
        "name": format!("getblock in full, {} transactions", largest.0),
        "first_ms": millis(first),
        "median_ms": millis(times[times.len() / 2]),
    }))
}

/// What subscribers that say nothing cost, and how soon all of them know of a block.
fn idle_subscribers(node: &BenchNode, count: usize) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the subscribers")?;
    runtime.block_on(async {
        let before = node.memory()?;
        let mut streams = subscribers(node.address, &node.authorization, count).await?;
        let bytes = node.memory()?.saturating_sub(before);
        let client = node.client.clone();
        let start = Instant::now();
        let mined = tokio::task::spawn_blocking(move || {
            let address = client.call("getnewaddress", json!([]))?;
            client.call("generatetoaddress", json!([1, address]))
        });
        told(&mut streams).await?;
        let all_told = start.elapsed();
        mined.await??;
        Ok(json!({
            "name": format!("{count} subscribers"),
            "megabytes": bytes / 1_000_000,
            "bytes_each": bytes / u64::try_from(count)?,
            "all_told_of_a_block_ms": millis(all_told),
        }))
    })
}

async fn told(streams: &mut [TcpStream]) -> Result<()> {
    for stream in streams {
        let text = read_frame(stream).await?;
        if !text.contains("\"connected\"") {
            bail!("a subscriber is told {text}");
        }
    }
    Ok(())
}
