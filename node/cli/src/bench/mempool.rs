//! `pyrite bench mempool`: how many payments a second a node takes through `sendrawtransaction`, over one connection
//! and over several, while it shares the processors with this client.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, ScriptBuf, TxOut, WPubkeyHash};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::load::{
    Answer, BenchNode, CoinsOfOneOwner, Connection, Endpoint, Latencies, Payer, Process, post,
};
use super::owner::Kind;

/// What a payment gives to its receiver.
const PAID: Amount = Amount::from_sat(10_000);
/// What it leaves to the miner, in satoshi: different for each, as in life.
const FEES: std::ops::Range<u64> = 200..5_000;

/// Arguments of `pyrite bench mempool`.
#[derive(Args)]
pub(crate) struct MempoolArgs {
    /// How many payments are sent in each round
    #[arg(long, value_name = "N", default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    transactions: u32,
    /// Rounds, by how many connections send at the same time; each begins with an empty mempool
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 8], value_parser = clap::value_parser!(u32).range(1..=64))]
    connections: Vec<u32>,
    /// What the coins that are spent are locked with
    #[arg(long, value_enum, default_value_t = Script::Wpkh)]
    script: Script,
    /// Where to make the databases; it must not exist, and is removed in the end
    #[arg(long, value_name = "DIR", default_value = "pyrite-bench")]
    dir: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// A way to lock coins.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Script {
    /// P2WPKH: an ECDSA signature
    Wpkh,
    /// P2TR, key path: a Schnorr signature
    Taproot,
}

impl Script {
    fn kind(self) -> Kind {
        match self {
            Self::Wpkh => Kind::P2wpkh,
            Self::Taproot => Kind::P2trKey,
        }
    }
}

/// What was measured in a round.
struct Round {
    connections: u32,
    transactions: u32,
    seconds: f64,
    latencies: Latencies,
    /// Processor time of the node and of this client; `None` where the system does not say.
    node_cpu_s: Option<f64>,
    client_cpu_s: Option<f64>,
}

pub(crate) fn run(args: &MempoolArgs) -> Result<()> {
    let mut rounds = Vec::new();
    for connections in &args.connections {
        let round = measure(args, *connections)?;
        if !args.json {
            println!("{}", round.text());
        }
        rounds.push(round);
    }
    if args.json {
        let rounds: Vec<Value> = rounds.iter().map(Round::json).collect();
        println!("{}", json!({ "rounds": rounds }));
    }
    Ok(())
}

fn measure(args: &MempoolArgs, connections: u32) -> Result<Round> {
    let spec = Arc::new(ChainSpec::regtest());
    let payer = Payer::new(args.script.kind());
    let mut node = BenchNode::create(&args.dir)?;
    let data_dir = node.data_dir(&spec);
    data_dir.create()?;
    let database: &Path = &data_dir.database();
    let coins = CoinsOfOneOwner::make(&spec, database, &payer, args.transactions)?;
    node.start(&spec, &[])?;
    let requests = sign_all(&payer, &coins, node.endpoint()?);

    let node_process = node.process()?;
    let cpu = || (node_process.cpu_seconds(), Process::own().cpu_seconds());
    let cpu_before = cpu();
    let (took, latencies) = send_all(&requests, connections, node.endpoint()?)?;
    let cpu_after = cpu();

    let info = Connection::open(node.endpoint()?)?.call("getmempoolinfo", "[]")?;
    let size = info.result.as_ref().and_then(|info| info["size"].as_u64());
    ensure!(
        size == Some(args.transactions.into()),
        "{} payments were taken, and the mempool has {size:?}",
        args.transactions
    );
    node.stop()?;
    let between = |before: Option<f64>, after: Option<f64>| Some(after? - before?);
    Ok(Round {
        connections,
        transactions: args.transactions,
        seconds: took.as_secs_f64(),
        latencies,
        node_cpu_s: between(cpu_before.0, cpu_after.0),
        client_cpu_s: between(cpu_before.1, cpu_after.1),
    })
}

/// The requests that send a payment of each coin.
fn sign_all(payer: &Payer, coins: &CoinsOfOneOwner, endpoint: &Endpoint) -> Vec<Vec<u8>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let numbers: Vec<u32> = (0..coins.len()).collect();
    let sign = |numbers: &[u32]| -> Vec<Vec<u8>> {
        numbers
            .iter()
            .map(|number| request(payer, coins, endpoint, *number))
            .collect()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = numbers
            .chunks(numbers.len().div_ceil(threads))
            .map(|part| scope.spawn(move || sign(part)))
            .collect();
        let joined = parts.into_iter().map(|part| part.join());
        joined
            .flat_map(|part| part.expect("signing does not panic"))
            .collect()
    })
}

fn request(payer: &Payer, coins: &CoinsOfOneOwner, endpoint: &Endpoint, number: u32) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number.into());
    let receiver = WPubkeyHash::from_byte_array(random.r#gen());
    let fee = Amount::from_sat(random.gen_range(FEES));
    let outputs = vec![
        TxOut {
            value: PAID,
            script_pubkey: ScriptBuf::new_p2wpkh(&receiver),
        },
        TxOut {
            value: coins.value() - PAID - fee,
            script_pubkey: payer.script(),
        },
    ];
    let mut payment = payer.unsigned(coins.outpoint(number), outputs);
    payer.sign(&mut payment, coins.value());
    let hex = serialize_hex(&payment);
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"sendrawtransaction","params":["{hex}"]}}"#);
    post(endpoint, &body)
}

/// Sends the requests over so many connections at the same time. Returns how long that took.
fn send_all(
    requests: &[Vec<u8>],
    connections: u32,
    endpoint: &Endpoint,
) -> Result<(Duration, Latencies)> {
    let share = requests.len().div_ceil(connections as usize);
    let mut open = Vec::new();
    for part in requests.chunks(share) {
        open.push((Connection::open(endpoint)?, part));
    }
    let start = Instant::now();
    let sent = thread::scope(|scope| {
        let senders: Vec<_> = open
            .into_iter()
            .map(|(connection, part)| scope.spawn(move || send(connection, part)))
            .collect();
        let joined = senders.into_iter().map(|sender| sender.join());
        joined
            .map(|sent| sent.expect("sending does not panic"))
            .collect::<Result<Vec<_>>>()
    });
    let took = start.elapsed();
    let mut latencies = Latencies::default();
    sent?.iter().for_each(|sent| latencies.merge(sent));
    Ok((took, latencies))
}

fn send(mut connection: Connection, requests: &[Vec<u8>]) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    for request in requests {
        let start = Instant::now();
        let answer = connection.send(request)?;
        latencies.add(start.elapsed());
        let answer: Answer<&str> = serde_json::from_slice(answer).context("an answer")?;
        if let Some(error) = answer.error {
            bail!("a payment was refused: {} ({})", error.message, error.code);
        }
    }
    Ok(latencies)
}

impl Round {
    fn text(&self) -> String {
        let cpu = |seconds: Option<f64>| {
            seconds.map_or("unknown".to_owned(), |seconds| {
                let micros = seconds * 1e6 / f64::from(self.transactions);
                format!("{seconds:.1} s, {micros:.0} µs each")
            })
        };
        format!(
            "{} payments over {} connections in {:.1} s: {:.0} a second\n  {}\n  \
             processor time: node {}; client {}",
            self.transactions,
            self.connections,
            self.seconds,
            f64::from(self.transactions) / self.seconds,
            self.latencies.text(),
            cpu(self.node_cpu_s),
            cpu(self.client_cpu_s),
        )
    }

    fn json(&self) -> Value {
        json!({
            "connections": self.connections,
            "transactions": self.transactions,
            "seconds": self.seconds,
            "per_second": f64::from(self.transactions) / self.seconds,
            "latency": self.latencies.json(),
            "node_cpu_seconds": self.node_cpu_s,
            "client_cpu_seconds": self.client_cpu_s,
        })
    }
}
