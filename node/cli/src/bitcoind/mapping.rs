//! From Bitcoin Core's settings to the node's.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use pyrite_node::{
    Dialing, NetworkActivity, NodeConfig, NodeError, NodeOptions, NotificationOptions, RpcCookie,
};
use pyrite_rpc::{BindRule, OwnFields};

use super::addresses::{listen_addresses, peer_addresses, rpc_addresses};
use super::amount::fee_rate;
use super::chain::BitcoinChain;
use super::directory::chain_directory;
use super::flags::{self, Fate};
use super::logging::log_file;
use super::settings::Settings;
use super::user_agent::user_agent;

/// Bitcoin Core's bound of the transactions that are linked, forty times which a mempool holds at least, in megabytes.
const MIN_MEMPOOL_MB: i64 = 5;
/// Most threads that verify scripts (`MAX_SCRIPTCHECK_THREADS`), and the one that waits for them.
const MAX_SCRIPT_THREADS: i64 = 16;
const MIN_PRUNE_MIB: i64 = 550;
/// More peers than a node can have. Bitcoin Core, too, takes fewer than were asked for where it can't have as many.
const MAX_PEERS: i64 = 10_000;
/// Bitcoin Core's bound of the connections to nodes that are named (`MAX_ADDNODE_CONNECTIONS`).
const MAX_NAMED_PEERS: usize = 8;

/// Settings that follow from others, as Bitcoin Core's `InitParameterInteraction` has it.
pub(crate) fn imply(settings: &mut Settings) {
    if !settings.list("bind").is_empty() || !settings.list("whitebind").is_empty() {
        settings.imply("listen", "1");
    }
    let connects = !settings.list("connect").is_empty() || settings.is_negated("connect");
    if connects
        || settings
            .number("maxconnections")
            .is_some_and(|most| most <= 0)
    {
        settings.imply("dnsseed", "0");
        settings.imply("listen", "0");
    }
    if !settings.switch("listen").unwrap_or(true) {
        settings.imply("listenonion", "0");
    }
}

/// Refuses what can't be had.
///
/// # Errors
/// The first flag that is set and has no place here, with the reason.
pub(crate) fn check_refused(settings: &Settings) -> Result<()> {
    for flag in flags::all() {
        if let Fate::Refused(reason) = flag.fate
            && settings.text(flag.name).is_some_and(|text| text != "0")
        {
            bail!("-{} is not supported by Pyrite: {reason}.", flag.name);
        }
    }
    if settings.switch("server") == Some(false) {
        bail!("-server=0 is not supported by Pyrite: JSON-RPC is always served.");
    }
    Ok(())
}

/// The node's configuration.
///
/// # Errors
/// A value that can't be: Bitcoin Core's text where it has one.
pub(crate) fn node_config(settings: &Settings, chain: BitcoinChain) -> Result<NodeConfig> {
    check_combinations(settings, chain)?;
    let options = node_options(settings, chain)?;
    let mut config = options.resolve().map_err(named_by_flag)?;
    let takes_peers = settings.number("maxconnections") != Some(0);
    let is_listening = takes_peers && settings.switch("listen").unwrap_or(true);
    config.data_dir = chain_directory(settings, chain)?;
    if !is_listening {
        config.listen.clear();
    }
    config.dialing = Dialing::NamedOnly;
    config.network_activity = match settings.switch("networkactive") {
        Some(false) => NetworkActivity::Off,
        Some(true) | None => NetworkActivity::On,
    };
    config.user_agent = user_agent(&settings.list("uacomment"))?;
    config.deprecated_rpc = settings.list("deprecatedrpc");
    config.own_fields = OwnFields::Hidden;
    config.rpc_bind_rule = BindRule::Any;
    config.log_file = Some(log_file(settings, config.data_dir.chain()));
    config.rpc_cookie = rpc_cookie(settings, config.data_dir.chain());
    config.rpc_cookie_mode = cookie_mode(settings)?;
    config.mock_time = mock_time(settings, chain)?;
    config.stop_at_height = settings
        .number("stopatheight")
        .and_then(|height| u32::try_from(height).ok())
        .filter(|height| *height > 0);
    Ok(config)
}

/// Where the cookie is: with a password there is none.
fn rpc_cookie(settings: &Settings, chain: &Path) -> RpcCookie {
    if settings.is_negated("rpccookiefile") || rpc_password(settings).is_some() {
        return RpcCookie::None;
    }
    let path = settings.text("rpccookiefile");
    match path.filter(|path| !path.is_empty()) {
        Some(path) => RpcCookie::At(chain.join(path)),
        None => RpcCookie::InPlace,
    }
}

/// Who may read the cookie, as the mode of its file.
fn cookie_mode(settings: &Settings) -> Result<Option<u32>> {
    Ok(match settings.text("rpccookieperms").as_deref() {
        None => None,
        Some("owner") => Some(0o600),
        Some("group") => Some(0o640),
        Some("all") => Some(0o644),
        Some(other) => {
            bail!("Invalid -rpccookieperms={other}; must be one of 'owner', 'group', or 'all'.")
        }
    })
}

/// The time at which the clock stands still.
fn mock_time(settings: &Settings, chain: BitcoinChain) -> Result<Option<u64>> {
    let Some(time) = settings.number("mocktime").filter(|time| *time != 0) else {
        return Ok(None);
    };
    if chain != BitcoinChain::Regtest {
        bail!("-mocktime is for regtest alone.");
    }
    match u64::try_from(time) {
        Ok(time) => Ok(Some(time)),
        Err(_) => bail!("-mocktime must not be negative."),
    }
}

/// Bitcoin Core's names of those settings of a node that have other names here.
const NAMES: [(&str, &str); 21] = [
    ("block-max-weight", "blockmaxweight"),
    ("block-min-fee-rate", "blockmintxfee"),
    ("block-reserved-weight", "blockreservedweight"),
    ("bytes-per-sigop", "bytespersigop"),
    ("cluster-count", "limitclustercount"),
    ("cluster-kvb", "limitclustersize"),
    ("data-carrier-bytes", "datacarriersize"),
    ("db-cache", "dbcache"),
    ("dust-relay-fee", "dustrelayfee"),
    ("incremental-relay-fee", "incrementalrelayfee"),
    ("listen", "bind"),
    ("max-peers", "maxconnections"),
    ("mempool-expiry-hours", "mempoolexpiry"),
    ("mempool-mb", "maxmempool"),
    ("min-relay-fee", "minrelaytxfee"),
    ("peer", "addnode"),
    ("rpc-allow-ip", "rpcallowip"),
    ("rpc-auth", "rpcauth"),
    ("rpc-bind", "rpcbind"),
    ("rpc-user", "rpcuser"),
    ("script-threads", "par"),
];

/// The error of a setting, under the name of the flag that was given for it.
fn named_by_flag(error: NodeError) -> anyhow::Error {
    match error {
        NodeError::Setting { setting, detail } => {
            let flag = NAMES.iter().find(|(own, _)| *own == setting);
            let flag = flag.map_or(setting, |(_, flag)| flag);
            anyhow!("Invalid value for -{flag}: {detail}")
        }
        error => error.into(),
    }
}

/// The password of the one user; with an empty one it is the cookie instead, as in Bitcoin Core.
fn rpc_password(settings: &Settings) -> Option<String> {
    let password = settings.text("rpcpassword");
    password.filter(|password| !password.is_empty())
}

fn notifications(settings: &Settings) -> NotificationOptions {
    let list = |name| settings.list(name);
    let mark = |name| settings.number(name).map(|number| count(number, 0));
    NotificationOptions {
        zmqpubhashblock: list("zmqpubhashblock"),
        zmqpubhashtx: list("zmqpubhashtx"),
        zmqpubrawblock: list("zmqpubrawblock"),
        zmqpubrawtx: list("zmqpubrawtx"),
        zmqpubsequence: list("zmqpubsequence"),
        zmqpubhashblockhwm: mark("zmqpubhashblockhwm"),
        zmqpubhashtxhwm: mark("zmqpubhashtxhwm"),
        zmqpubrawblockhwm: mark("zmqpubrawblockhwm"),
        zmqpubrawtxhwm: mark("zmqpubrawtxhwm"),
        zmqpubsequencehwm: mark("zmqpubsequencehwm"),
        blocknotify: settings.text("blocknotify"),
        alertnotify: settings.text("alertnotify"),
        startupnotify: settings.text("startupnotify"),
        shutdownnotify: list("shutdownnotify"),
    }
}

/// What can't be together.
fn check_combinations(settings: &Settings, chain: BitcoinChain) -> Result<()> {
    let is_on = |name| settings.switch(name).unwrap_or(false);
    if settings.number("prune").unwrap_or(0) != 0 {
        for (name, hint) in [
            ("txindex", ""),
            ("txospenderindex", ""),
            ("reindex-chainstate", " Use full -reindex instead."),
        ] {
            if is_on(name) {
                bail!("Prune mode is incompatible with -{name}.{hint}");
            }
        }
    }
    if is_on("forcednsseed") && !settings.switch("dnsseed").unwrap_or(true) {
        bail!("Cannot set -forcednsseed to true when setting -dnsseed to false.");
    }
    let is_listening = settings.switch("listen").unwrap_or(true);
    let binds = settings.list("bind").len() + settings.list("whitebind").len();
    if binds > 0 && !is_listening {
        bail!("Cannot set -bind or -whitebind together with -listen=0");
    }
    if !is_listening && settings.switch("listenonion").unwrap_or(true) {
        bail!("Cannot set -listen=0 together with -listenonion=1");
    }
    if settings
        .number("maxconnections")
        .is_some_and(|most| most < 0)
    {
        bail!("-maxconnections must be greater or equal than zero");
    }
    if settings.number("peertimeout").is_some_and(|time| time <= 0) {
        bail!("peertimeout must be a positive integer.");
    }
    if is_on("acceptnonstdtxn") && chain == BitcoinChain::Main {
        bail!("acceptnonstdtxn is not currently supported for main chain");
    }
    if is_on("acceptstalefeeestimates") && chain != BitcoinChain::Regtest {
        bail!("acceptstalefeeestimates is not supported on main chain.");
    }
    if is_on("peerblockfilters") && block_filters(settings)? != Some(true) {
        bail!("Cannot set -peerblockfilters without -blockfilterindex.");
    }
    Ok(())
}

/// Those settings that are options of a node, too.
fn node_options(settings: &Settings, chain: BitcoinChain) -> Result<NodeOptions> {
    let rate = |name| fee_rate(settings, name);
    Ok(NodeOptions {
        chain: Some(chain.spec().to_owned()),
        listen: listen_addresses(settings, chain)?,
        peer: peer_addresses(settings, chain)?,
        rpc_bind: rpc_addresses(settings, chain)?,
        rpc_auth: settings.list("rpcauth"),
        rpc_user: rpc_password(settings).map(|_| settings.text("rpcuser").unwrap_or_default()),
        rpc_password: rpc_password(settings)
            .map(|password| password.parse())
            .transpose()?,
        rpc_whitelist: settings.list("rpcwhitelist"),
        rpc_whitelist_default: settings.switch("rpcwhitelistdefault"),
        rpc_allow_ip: settings.list("rpcallowip"),
        rest: settings.switch("rest"),
        notifications: notifications(settings),
        max_peers: Some(max_peers(settings)),
        mempool_mb: mempool_megabytes(settings)?,
        mempool_expiry_hours: settings
            .number("mempoolexpiry")
            .map(|hours| at_least(hours, 1)),
        persist_mempool: settings.switch("persistmempool"),
        min_relay_fee: rate("minrelaytxfee")?,
        incremental_relay_fee: rate("incrementalrelayfee")?,
        dust_relay_fee: rate("dustrelayfee")?,
        data_carrier_bytes: data_carrier_bytes(settings),
        permit_bare_multisig: settings.switch("permitbaremultisig"),
        bytes_per_sigop: settings
            .number("bytespersigop")
            .map(|bytes| at_least(bytes, 0)),
        cluster_count: settings
            .number("limitclustercount")
            .map(|number| count(number, 0)),
        cluster_kvb: settings
            .number("limitclustersize")
            .map(|size| at_least(size, 0)),
        accept_nonstandard: settings.switch("acceptnonstdtxn"),
        accept_stale_fee_estimates: settings.switch("acceptstalefeeestimates"),
        block_max_weight: block_weight(settings, "blockmaxweight")?,
        block_reserved_weight: block_weight(settings, "blockreservedweight")?,
        block_min_fee_rate: rate("blockmintxfee")?,
        db_cache: settings
            .number("dbcache")
            .map(|mib| count(mib.min(65_536), 4)),
        assume_valid: assume_valid(settings)?,
        prune: prune(settings)?,
        reindex: settings.switch("reindex").unwrap_or(false),
        reindex_chainstate: settings.switch("reindex-chainstate").unwrap_or(false),
        script_threads: settings.number("par").map(script_threads),
        txindex: settings.switch("txindex"),
        blockfilterindex: block_filters(settings)?,
        coinstatsindex: settings.switch("coinstatsindex"),
        txospenderindex: settings.switch("txospenderindex"),
        ..NodeOptions::default()
    })
}

/// The most peers; as in Bitcoin Core, where none may come of themselves, nodes that are named are connected to all the same.
fn max_peers(settings: &Settings) -> usize {
    match settings.number("maxconnections").unwrap_or(125) {
        ..=0 => MAX_NAMED_PEERS,
        number => count(number.min(MAX_PEERS), 1),
    }
}

/// A number, or the least that makes sense.
fn at_least(number: i64, least: u64) -> u64 {
    u64::try_from(number).unwrap_or(0).max(least)
}

/// As [`at_least`], of things in memory.
fn count(number: i64, least: u64) -> usize {
    usize::try_from(at_least(number, least)).unwrap_or(usize::MAX)
}

fn mempool_megabytes(settings: &Settings) -> Result<Option<usize>> {
    let Some(megabytes) = settings.number("maxmempool") else {
        return Ok(None);
    };
    if megabytes < MIN_MEMPOOL_MB {
        bail!("-maxmempool must be at least {MIN_MEMPOOL_MB} MB");
    }
    Ok(Some(count(megabytes, 0)))
}

fn data_carrier_bytes(settings: &Settings) -> Option<usize> {
    if settings.switch("datacarrier") == Some(false) {
        return Some(0);
    }
    settings
        .number("datacarriersize")
        .map(|bytes| count(bytes.min(1_000_000), 0))
}

fn block_weight(settings: &Settings, name: &str) -> Result<Option<u64>> {
    const MAX_BLOCK_WEIGHT: i64 = 4_000_000;
    const MIN_RESERVED_WEIGHT: i64 = 2_000;
    let Some(weight) = settings.number(name) else {
        return Ok(None);
    };
    if weight > MAX_BLOCK_WEIGHT {
        bail!(
            "Specified -{name} ({weight}) exceeds consensus maximum block weight ({MAX_BLOCK_WEIGHT})"
        );
    }
    if name == "blockreservedweight" && weight < MIN_RESERVED_WEIGHT {
        bail!(
            "Specified -{name} ({weight}) is lower than minimum safety value of ({MIN_RESERVED_WEIGHT})"
        );
    }
    Ok(Some(at_least(weight, 2_000)))
}

fn assume_valid(settings: &Settings) -> Result<Option<pyrite_consensus::bitcoin::BlockHash>> {
    let Some(text) = settings.text("assumevalid").filter(|text| {
        !text
            .trim_start_matches("0x")
            .chars()
            .all(|digit| digit == '0')
    }) else {
        return Ok(None);
    };
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    match format!("{digits:0>64}").parse() {
        Ok(hash) => Ok(Some(hash)),
        Err(_) => bail!(
            "Invalid assumevalid block hash specified ({text}), must be up to 64 hex digits (or 0 to disable)"
        ),
    }
}

fn prune(settings: &Settings) -> Result<Option<i64>> {
    match settings.number("prune") {
        Some(..0) => bail!("Prune cannot be configured with a negative value."),
        Some(2..MIN_PRUNE_MIB) => bail!(
            "Prune configured below the minimum of {MIN_PRUNE_MIB} MiB.  Please use a higher number."
        ),
        number => Ok(number),
    }
}

fn script_threads(number: i64) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let all = i64::try_from(processors).unwrap_or(1);
    let threads = if number <= 0 { all + number } else { number };
    count(threads.min(MAX_SCRIPT_THREADS), 1)
}

/// Whether to keep the index of filters, of which there is one type.
fn block_filters(settings: &Settings) -> Result<Option<bool>> {
    let Some(value) = settings.text("blockfilterindex") else {
        return Ok(None);
    };
    match value.as_str() {
        "" | "1" => return Ok(Some(true)),
        "0" => return Ok(Some(false)),
        _ => {}
    }
    for name in settings.list("blockfilterindex") {
        if name != "basic" {
            bail!("Unknown -blockfilterindex value {name}.");
        }
    }
    Ok(Some(true))
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
