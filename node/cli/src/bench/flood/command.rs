//! Starts the node and all clients of a flood, waits, and prints the figures.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::Address;

use super::figures::{Figures, total};
use super::lanes::Lane;
use super::miner::mine;
use super::probe::{Probed, probe};
use super::shared::Shared;
use super::worker::{Sent, Worker};
use crate::bench::load::{BenchNode, CoinsOfOneOwner, Endpoint, Latencies, Payer, Process, memory};
use crate::bench::owner::Kind;
use crate::progress::ProgressLine;

/// How often it is looked whether a client has failed.
const POLL: Duration = Duration::from_millis(200);

/// Arguments of `pyrite bench flood`.
#[derive(Args)]
pub(crate) struct FloodArgs {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seconds: u64,
    /// Connections that send payments, as fast as the node takes them
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=60))]
    connections: u32,
    /// The bound of the node's mempool, in MB
    #[arg(long, value_name = "MB", default_value_t = 300)]
    mempool_mb: u64,
    /// The node's cache of coins, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32)]
    db_cache: u32,
    /// Coins that the payments begin with; up to four payments wait on top of each
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(100..=900_000))]
    coins: u32,
    /// Seconds between blocks
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    block_every: u64,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where to make the database; it must not exist, and is removed in the end
    #[arg(long, value_name = "DIR", default_value = "pyrite-bench")]
    dir: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// What the clients saw.
struct Seen {
    sent: Sent,
    probed: Probed,
    blocks: Latencies,
    seconds: f64,
}

pub(crate) fn run(args: &FloodArgs) -> Result<()> {
    let spec = Arc::new(ChainSpec::regtest());
    let payer = Payer::new(Kind::P2wpkh);
    let mut node = BenchNode::create(&args.dir)?;
    let data_dir = node.data_dir(&spec);
    data_dir.create()?;
    let coins = CoinsOfOneOwner::make(&spec, &data_dir.database(), &payer, args.coins)?;
    let bounds = [
        format!("--mempool-mb={}", args.mempool_mb),
        format!("--db-cache={}", args.db_cache),
    ];
    node.start(&spec, &bounds)?;

    let process = node.process()?;
    let memory_before = process.memory(memory::NOW);
    let cpu_before = (process.cpu_seconds(), Process::own().cpu_seconds());
    let payout = payer.address(&spec)?;
    let seen = flood(args, node.endpoint()?, &payer, lanes(args, &coins), &payout)?;
    let cpu = |process: &Process, before: Option<f64>| Some(process.cpu_seconds()? - before?);
    let figures = Figures {
        seconds: seen.seconds,
        connections: args.connections,
        mempool_bound: args.mempool_mb.saturating_mul(1_000_000),
        sent: seen.sent,
        probed: seen.probed,
        blocks: seen.blocks,
        memory_before,
        memory_peak: process.memory(memory::PEAK),
        client_memory_peak: Process::own().memory(memory::PEAK),
        node_cpu_s: cpu(&process, cpu_before.0),
        client_cpu_s: cpu(&Process::own(), cpu_before.1),
    };
    node.stop()?;
    if args.json {
        println!("{}", figures.json());
    } else {
        println!("{}", figures.text());
    }
    Ok(())
}

/// The lanes of each connection.
fn lanes(args: &FloodArgs, coins: &CoinsOfOneOwner) -> Vec<Vec<Lane>> {
    let connections = args.connections as usize;
    let mut lanes: Vec<Vec<Lane>> = vec![Vec::new(); connections];
    for number in 0..coins.len() {
        let lane = Lane::new(coins.outpoint(number), coins.value());
        lanes[number as usize % connections].push(lane);
    }
    lanes
}

fn flood(
    args: &FloodArgs,
    endpoint: &Endpoint,
    payer: &Payer,
    lanes: Vec<Vec<Lane>>,
    payout: &Address,
) -> Result<Seen> {
    let shared = Shared::default();
    let mut workers = Vec::new();
    for (seed, lanes) in (args.seed..).zip(lanes) {
        workers.push(Worker::new(endpoint, payer, &shared, lanes, seed)?);
    }
    let every = Duration::from_secs(args.block_every);
    let start = Instant::now();
    let shared = &shared;
    thread::scope(|scope| {
        let workers: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(move || ended(shared, worker.run())))
            .collect();
        let probe = scope.spawn(|| ended(shared, probe(endpoint, shared, args.seed)));
        let miner = scope.spawn(|| ended(shared, mine(endpoint, shared, payout, every)));
        wait(args, shared, start);
        shared.stop();
        let seconds = start.elapsed().as_secs_f64();
        let sent = workers.into_iter().map(join).collect::<Result<Vec<_>>>();
        Ok(Seen {
            sent: total(sent?),
            probed: join(probe)?,
            blocks: join(miner)?,
            seconds,
        })
    })
}

/// A client that fails ends the flood.
fn ended<T>(shared: &Shared, outcome: Result<T>) -> Result<T> {
    if outcome.is_err() {
        shared.stop();
    }
    outcome
}

fn join<T>(client: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    client.join().expect("clients do not panic")
}

/// Waits until the time is over, or a client fails.
fn wait(args: &FloodArgs, shared: &Shared, start: Instant) {
    let mut line = ProgressLine::new();
    let length = Duration::from_secs(args.seconds);
    while start.elapsed() < length && !shared.is_over() {
        let elapsed = start.elapsed().as_secs();
        line.show(|| format!("flooding: {elapsed} of {} s", args.seconds));
        shared.wait(POLL.min(length.saturating_sub(start.elapsed())));
    }
    line.clear();
}
