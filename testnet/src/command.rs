//! `pyrite testnet`: the launcher.

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use pyrite_node::{BlockSchedule, BlockTiming, parse_duration};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{Cluster, MiningShare, NetworkOptions, PortChoice, TestnetError, live, table};

const DEFAULT_DIR: &str = "pyrite-testnet";
const DEFAULT_NODES: usize = 3;

/// Subcommands of `pyrite testnet`.
#[derive(Subcommand)]
pub enum TestnetCommand {
    /// Make a network (or go on with the one in DIR), start its nodes and show them; Ctrl-C stops them
    Up(UpArgs),
    /// Show how the nodes are
    Status {
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Stop every node cleanly
    Down {
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
    },
    /// Kill node N at once, as a crash would
    Kill {
        /// The node's number, from 1
        #[arg(value_name = "N")]
        node: usize,
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
    },
    /// Start node N again
    Start {
        /// The node's number, from 1
        #[arg(value_name = "N")]
        node: usize,
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
    },
    /// Print the log of node N
    Logs {
        /// The node's number, from 1
        #[arg(value_name = "N")]
        node: usize,
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
        /// Go on printing what is added, until Ctrl-C
        #[arg(long, short)]
        follow: bool,
    },
    /// Cut the network into groups that can't reach each other, such as: partition 1 2,3
    Partition {
        /// Numbers of nodes with commas between them, one group each; a node in no group is alone
        #[arg(required = true, value_name = "GROUP")]
        groups: Vec<String>,
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
    },
    /// Make a network that was cut apart whole again
    Heal {
        /// Where the network is
        #[command(flatten)]
        dir: DirArg,
    },
}

/// Where the network is.
#[derive(Args)]
pub struct DirArg {
    /// The network's directory
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR, env = "PYRITE_TESTNET_DIR")]
    dir: PathBuf,
}

/// Arguments of `pyrite testnet up`.
#[derive(Args)]
pub struct UpArgs {
    #[command(flatten)]
    dir: DirArg,
    /// How many nodes a new network has [default: 3]
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,
    /// The chain that a new network takes its parameters from: built in, or the path of a spec
    #[arg(long, value_name = "SPEC", default_value = "pyrite")]
    chain: String,
    /// Don't mine: blocks come when a client asks for them
    #[arg(long)]
    no_mining: bool,
    /// Node 1 makes a block every so often, and nobody mines: 2s, 500ms, 1m. A new network only; its difficulty is
    /// fixed at its chain's easiest
    #[arg(long, value_name = "TIME", conflicts_with = "no_mining")]
    block_every: Option<String>,
    /// How the blocks of --block-every are spread
    #[arg(long, value_enum, default_value_t = Timing::Exact, requires = "block_every")]
    block_timing: Timing,
    /// Return when the nodes answer, and leave them running
    #[arg(long)]
    detach: bool,
}

/// How blocks by the clock are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Timing {
    /// At equal distances
    Exact,
    /// As mining spreads them
    Poisson,
}

/// Runs a subcommand.
///
/// # Errors
/// What went wrong, in one line.
pub fn run(command: TestnetCommand) -> Result<()> {
    let binary = std::env::current_exe().context("can't find this program's own file")?;
    let open = |dir: DirArg| Cluster::open(&dir.dir, binary.clone());
    match command {
        TestnetCommand::Up(args) => up(&args, binary),
        TestnetCommand::Status { dir, json } => status(&open(dir)?, json),
        TestnetCommand::Down { dir } => {
            let stopped = open(dir)?.stop_all()?;
            println!("{stopped} nodes stopped");
            Ok(())
        }
        TestnetCommand::Kill { node, dir } => {
            open(dir)?.kill(node)?;
            println!("node{node} killed");
            Ok(())
        }
        TestnetCommand::Start { node, dir } => {
            open(dir)?.start(node)?;
            println!("node{node} started");
            Ok(())
        }
        TestnetCommand::Logs { node, dir, follow } => logs(&open(dir)?, node, follow),
        TestnetCommand::Partition { groups, dir } => {
            let groups = groups
                .iter()
                .map(|group| parse_group(group))
                .collect::<Result<Vec<_>, _>>()?;
            open(dir)?.partition(&groups)?;
            println!("the network is cut apart: `pyrite testnet heal` makes it whole");
            Ok(())
        }
        TestnetCommand::Heal { dir } => {
            open(dir)?.heal()?;
            println!("the network is whole");
            Ok(())
        }
    }
}

fn up(args: &UpArgs, binary: PathBuf) -> Result<()> {
    // From here on, so that Ctrl-C while nodes start stops those that run.
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .context("can't watch for signals")?;
    }
    let options = NetworkOptions {
        nodes: args.nodes.unwrap_or(DEFAULT_NODES),
        chain: args.chain.clone(),
        ports: PortChoice::Fixed,
        mining: mining_share(args)?,
    };
    if args.block_every.is_some() && Cluster::open(&args.dir.dir, binary.clone()).is_ok() {
        bail!(
            "the network in {} is there already: its blocks come as block-every in node1/node.toml says",
            args.dir.dir.display()
        );
    }
    let mut cluster = Cluster::open_or_create(&args.dir.dir, binary, &options)?;
    let found = cluster.network().nodes.len();
    if let Some(asked) = args.nodes
        && asked != found
    {
        let dir = cluster.dir().to_owned();
        return Err(TestnetError::OtherShape { dir, found, asked }.into());
    }
    println!(
        "network of {found} nodes in {}, with coins from the start:",
        cluster.dir().display()
    );
    print!("{}", table::accounts(cluster.network()));
    println!(
        "the faucet's seed is in {}",
        cluster.faucet_seed().display()
    );
    if let Err(error) = cluster.start_all() {
        // Half a network is not what was asked for.
        cluster
            .stop_all()
            .context("stopping the nodes that did start")?;
        return Err(error.into());
    }
    if args.detach && !stop.load(Ordering::Relaxed) {
        let dir = cluster.dir().display().to_string();
        print!("{}", table::text(&cluster.status().nodes));
        println!(
            "running: `pyrite testnet status --dir {dir}` shows it, `pyrite testnet down --dir {dir}` stops it"
        );
        return Ok(());
    }
    let shown = live::show(&cluster, &stop);
    println!("stopping {found} nodes");
    cluster.stop_all()?;
    println!(
        "stopped: `pyrite testnet up --dir {}` goes on where it was",
        cluster.dir().display()
    );
    shown.context("can't draw on this terminal")
}

/// What makes the blocks of a new network.
fn mining_share(args: &UpArgs) -> Result<MiningShare, TestnetError> {
    let Some(text) = &args.block_every else {
        return Ok(if args.no_mining {
            MiningShare::None
        } else {
            MiningShare::HalfOfMachine
        });
    };
    let every = parse_duration(text).ok_or_else(|| TestnetError::Argument {
        argument: "--block-every",
        detail: format!("{text} is not a time such as 2s, 500ms or 1m"),
    })?;
    let timing = match args.block_timing {
        Timing::Exact => BlockTiming::Exact,
        Timing::Poisson => BlockTiming::Poisson,
    };
    Ok(MiningShare::Scheduled(BlockSchedule { every, timing }))
}

fn status(cluster: &Cluster, json: bool) -> Result<()> {
    let status = cluster.status();
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print!("{}", table::text(&status.nodes));
    }
    Ok(())
}

fn parse_group(text: &str) -> Result<Vec<usize>, TestnetError> {
    text.split(',')
        .map(|number| {
            number.trim().parse().map_err(|_| TestnetError::Argument {
                argument: "GROUP",
                detail: format!("{text} is not a list of node numbers such as 1,2"),
            })
        })
        .collect()
}

/// Prints a node's log files, oldest first, and on demand what is added to the newest.
fn logs(cluster: &Cluster, number: usize, follow: bool) -> Result<()> {
    let node = cluster.node(number)?;
    let mut files = log_files(&cluster.data_dir(node).logs())?;
    // Empty but for a start that failed or a panic.
    files.push(cluster.layout().output(&node.name));
    let mut out = std::io::stdout().lock();
    for path in &files {
        if let Ok(file) = fs::File::open(path) {
            std::io::copy(&mut BufReader::new(file), &mut out)?;
        }
    }
    if !follow {
        return Ok(());
    }
    files.pop();
    let Some(newest) = files.pop() else {
        bail!("{} has no log yet", node.name)
    };
    let mut file = fs::File::open(&newest).with_context(|| newest.display().to_string())?;
    file.seek(SeekFrom::End(0))?;
    let mut reader = BufReader::new(file);
    loop {
        if reader.fill_buf()?.is_empty() {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        }
        let mut added = Vec::new();
        reader.by_ref().take(1 << 20).read_to_end(&mut added)?;
        out.write_all(&added)?;
        out.flush()?;
    }
}

fn log_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    // Their names hold the date.
    files.sort();
    Ok(files)
}
