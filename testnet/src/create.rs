//! Making a network: a chain of its own whose genesis block funds every node's wallet and a faucet.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::Amount;
use pyrite_consensus::spec::{Allocation, Difficulty};

use pyrite_node::{BlockSchedule, DataDir, load_chain_spec};
use pyrite_wallet::{AddressType, Seed};
use serde::{Deserialize, Serialize};

use crate::layout::{Layout, create_dir, write_whole};
use crate::ports::{PortChoice, choose_ports};
use crate::{NetworkFile, NodeEntry, TestnetError};

/// Coins of each node's wallet.
const NODE_FUNDS: Amount = Amount::from_int_btc(1_000);
/// Coins of the faucet.
const FAUCET_FUNDS: Amount = Amount::from_int_btc(1_000_000);
/// Name of the faucet's account and of its wallet's folder.
const FAUCET: &str = "faucet";
/// More processes than this one machine would not carry.
const MAX_NODES: usize = 50;

/// How to make a network.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// How many nodes.
    pub nodes: usize,
    /// The chain that it takes its parameters from: built in, or the path of a spec.
    pub chain: String,
    /// Where its ports come from.
    pub ports: PortChoice,
    /// Whether and how much each node mines.
    pub mining: MiningShare,
}

/// How much of the machine mining takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MiningShare {
    /// The network as a whole takes half of the processors.
    HalfOfMachine,
    /// Nothing: blocks come when a client asks for them.
    None,
    /// These threads and this percentage of their time, for each node.
    PerNode {
        /// Threads.
        threads: usize,
        /// 1 to 100.
        intensity_percent: u8,
    },
    /// The first node makes blocks by the clock, and nobody mines.
    Scheduled(BlockSchedule),
}

/// Someone who has coins from the genesis block on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// A node's name, or `faucet`.
    pub name: String,
    /// The address.
    pub address: String,
    /// The coins, in satoshi.
    pub balance_sat: u64,
}

/// Makes a network in `layout`'s directory. `network.json` is written last.
pub(crate) fn create(
    layout: &Layout,
    options: &NetworkOptions,
) -> Result<NetworkFile, TestnetError> {
    if options.nodes == 0 || options.nodes > MAX_NODES {
        return Err(TestnetError::Argument {
            argument: "--nodes",
            detail: format!("{} is not between 1 and {MAX_NODES}", options.nodes),
        });
    }
    create_dir(layout.dir())?;
    let mut base = load_chain_spec(&options.chain)?;
    if let MiningShare::Scheduled(schedule) = options.mining {
        fit_to_schedule(&mut base, schedule)?;
    }
    let names: Vec<String> = (1..=options.nodes)
        .map(|number| format!("node{number}"))
        .collect();
    let seeds: Vec<Seed> = names.iter().map(|_| Seed::random()).collect();
    let faucet = Seed::random();
    let (accounts, allocations) = fund(&base, &names, &seeds, &faucet)?;
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let time = u32::try_from(time).unwrap_or(u32::MAX);
    let message = format!("Pyrite testnet {time}");
    let spec = base.derive(&base.name, time, &message, allocations);
    write_whole(&layout.chain_spec(), &spec.to_toml())?;
    pyrite_wallet::write_seed(layout.dir(), FAUCET, &faucet)?;

    let ports = choose_ports(options.nodes, options.ports)?;
    let nodes: Vec<NodeEntry> = names
        .iter()
        .zip(ports)
        .map(|(name, (rpc_port, p2p_port))| NodeEntry {
            name: name.clone(),
            rpc_port,
            p2p_port,
        })
        .collect();
    for (index, (node, seed)) in nodes.iter().zip(&seeds).enumerate() {
        let blocks = match options.mining {
            MiningShare::Scheduled(schedule) if index == 0 => NodeBlocks::Scheduled(schedule),
            _ => mining_settings(options, &spec),
        };
        let data_dir = DataDir::new(layout.node(&node.name), &spec.name);
        create_dir(&data_dir.wallets())?;
        pyrite_wallet::write_seed(&data_dir.wallets(), "default", seed)?;
        let config = node_config(&layout.chain_spec(), data_dir.root(), &nodes, node, blocks);
        write_whole(&layout.node_config(&node.name), &config)?;
    }
    let network = NetworkFile {
        chain: spec.name.clone(),
        nodes,
        accounts,
        partition: Vec::new(),
    };
    layout.write_network(&network)?;
    Ok(network)
}

/// The accounts and the genesis block's allocations to them.
fn fund(
    base: &ChainSpec,
    names: &[String],
    seeds: &[Seed],
    faucet: &Seed,
) -> Result<(Vec<Account>, Vec<Allocation>), TestnetError> {
    let network = base.address_kind.network();
    let holders = names
        .iter()
        .map(String::as_str)
        .zip(seeds)
        .map(|(name, seed)| (name, seed, NODE_FUNDS));
    let mut accounts = Vec::new();
    let mut allocations = Vec::new();
    for (name, seed, value) in holders.chain([(FAUCET, faucet, FAUCET_FUNDS)]) {
        let address = seed.address(network, AddressType::Bech32, 0)?;
        accounts.push(Account {
            name: name.to_owned(),
            address: address.to_string(),
            balance_sat: value.to_sat(),
        });
        allocations.push(Allocation {
            script_pubkey: address.script_pubkey(),
            value,
        });
    }
    Ok((accounts, allocations))
}

/// What makes a node's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeBlocks {
    /// Nothing: it makes none by itself.
    None,
    /// Its miner.
    Mined {
        threads: usize,
        intensity_percent: u8,
    },
    /// The clock.
    Scheduled(BlockSchedule),
}

/// Gives a chain a spacing that is the schedule's and its easiest difficulty for ever, so that the schedule is kept on any
/// machine.
fn fit_to_schedule(spec: &mut ChainSpec, schedule: BlockSchedule) -> Result<(), TestnetError> {
    let seconds = schedule.every.as_millis().div_ceil(1_000);
    spec.target_spacing_s = u32::try_from(seconds).unwrap_or(u32::MAX).max(1);
    spec.difficulty = Difficulty::Fixed;
    spec.min_difficulty_after_s = None;
    spec.genesis.bits = spec.pow_limit;
    schedule
        .check(spec)
        .map_err(|error| TestnetError::Argument {
            argument: "--block-every",
            detail: error.to_string(),
        })
}

/// How each node mines.
fn mining_settings(options: &NetworkOptions, spec: &ChainSpec) -> NodeBlocks {
    match options.mining {
        MiningShare::None | MiningShare::Scheduled(_) => NodeBlocks::None,
        // Nothing would slow the miners down: blocks come when a client asks for them.
        _ if spec.difficulty == Difficulty::Fixed => NodeBlocks::None,
        MiningShare::PerNode {
            threads,
            intensity_percent,
        } => NodeBlocks::Mined {
            threads,
            intensity_percent,
        },
        MiningShare::HalfOfMachine => {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            let (threads, intensity_percent) = share_of_half(processors, options.nodes);
            NodeBlocks::Mined {
                threads,
                intensity_percent,
            }
        }
    }
}

/// Threads and intensity for each of `nodes` nodes, so that together they take at most half of the processors.
fn share_of_half(processors: usize, nodes: usize) -> (usize, u8) {
    // In hundredths of a processor.
    let each = (processors * 50 / nodes).max(1);
    let threads = each.div_ceil(100);
    let intensity = u8::try_from(each / threads).unwrap_or(100).clamp(1, 100);
    (threads, intensity)
}

/// A node's `node.toml`.
fn node_config(
    chain: &Path,
    data_dir: &Path,
    nodes: &[NodeEntry],
    node: &NodeEntry,
    blocks: NodeBlocks,
) -> String {
    let mut table = toml::Table::new();
    let mut set = |key: &str, value: toml::Value| table.insert(key.to_owned(), value);
    set("chain", chain.display().to_string().into());
    set("data-dir", data_dir.display().to_string().into());
    set("rpc-bind", format!("127.0.0.1:{}", node.rpc_port).into());
    set("listen", vec![p2p_address(node)].into());
    let peers: Vec<String> = nodes
        .iter()
        .filter(|other| *other != node)
        .map(p2p_address)
        .collect();
    set("peer", peers.into());
    set("quiet", true.into());
    // Nobody else pays fees here: wallets get an answer all the same.
    set("fee-fallback", true.into());
    match blocks {
        NodeBlocks::None => {}
        NodeBlocks::Mined {
            threads,
            intensity_percent,
        } => {
            set("mine", "wallet".into());
            set(
                "threads",
                toml::Value::Integer(i64::try_from(threads).unwrap_or(i64::MAX)),
            );
            set(
                "intensity",
                toml::Value::Integer(i64::from(intensity_percent)),
            );
        }
        NodeBlocks::Scheduled(schedule) => {
            set(
                "block-every",
                format!("{}ms", schedule.every.as_millis()).into(),
            );
            set("block-timing", schedule.timing.name().into());
        }
    }
    format!(
        "# {} of a private network. Written once by `pyrite testnet up`: change it as you like.\n{table}",
        node.name
    )
}

fn p2p_address(node: &NodeEntry) -> String {
    format!("/ip4/127.0.0.1/tcp/{}", node.p2p_port)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pyrite_node::{BlockTiming, NodeOptions};

    use super::*;

    #[test]
    fn the_network_takes_at_most_half_of_the_machine() {
        for processors in 1..=128 {
            for nodes in 1..=50 {
                let (threads, intensity) = share_of_half(processors, nodes);
                assert!(threads >= 1 && (1..=100).contains(&intensity));
                let taken = threads * usize::from(intensity) * nodes;
                // A node can't take less than one hundredth of one thread.
                assert!(
                    taken <= (processors * 50).max(nodes),
                    "{processors} {nodes}: {taken}"
                );
            }
        }
        assert_eq!(share_of_half(2, 3), (1, 33));
        assert_eq!(share_of_half(16, 2), (4, 100));
    }

    #[test]
    fn a_node_config_reads_back() {
        let nodes: Vec<NodeEntry> = (1..=2)
            .map(|number| NodeEntry {
                name: format!("node{number}"),
                rpc_port: number,
                p2p_port: number + 10,
            })
            .collect();
        let text = node_config(
            Path::new("/n/chain.toml"),
            Path::new("/n/node1"),
            &nodes,
            &nodes[0],
            NodeBlocks::Mined {
                threads: 1,
                intensity_percent: 33,
            },
        );
        let options = NodeOptions::from_toml(Path::new("pyrite.toml"), &text).unwrap();
        assert_eq!(options.peer, ["/ip4/127.0.0.1/tcp/12"]);
        assert_eq!(options.rpc_bind, ["127.0.0.1:1"]);
        assert_eq!(options.mining.intensity, Some(33));
        assert_eq!(options.mine.as_deref(), Some("wallet"));
        assert_eq!(options.fee_fallback, Some(true));
    }

    #[test]
    fn any_chain_is_made_to_fit_a_schedule() {
        let schedule = BlockSchedule {
            every: Duration::from_millis(1_500),
            timing: BlockTiming::Exact,
        };
        let mut spec = ChainSpec::pyrite();
        assert!(schedule.check(&spec).is_err());
        fit_to_schedule(&mut spec, schedule).unwrap();
        assert_eq!(spec.target_spacing_s, 2);
        let spec = spec.derive("pyrite", 1_800_000_000, "test", Vec::new());
        assert_eq!(spec.validate(), Ok(()));
        assert_eq!(schedule.check(&spec), Ok(()));
        let error = fit_to_schedule(&mut ChainSpec::mainnet(), schedule).unwrap_err();
        assert!(error.to_string().contains("--block-every"), "{error}");
    }
}
