//! From Bitcoin Core's settings to the node's.

use anyhow::{Result, bail};
use pyrite_node::{
    Dialing, NetworkActivity, NodeConfig, NodeOptions, NotificationOptions, RpcCookie,
};
use pyrite_rpc::{BindRule, OwnFields};

use super::addresses::{listen_addresses, peer_addresses, rpc_addresses};
use super::amount::fee_rate;
use super::chain::BitcoinChain;
use super::directory::chain_directory;
use super::flags::{self, Fate};
use super::settings::Settings;
use super::user_agent::user_agent;

/// Bitcoin Core's bound of the transactions that are linked, forty times which a mempool holds at least, in megabytes.
const MIN_MEMPOOL_MB: i64 = 5;
/// Most threads that verify scripts (`MAX_SCRIPTCHECK_THREADS`), and the one that waits for them.
const MAX_SCRIPT_THREADS: i64 = 16;
const MIN_PRUNE_MIB: i64 = 550;

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
    if settings.switch("blocksonly").unwrap_or(false) {
        settings.imply("maxmempool", "5");
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
    let mut config = options.resolve()?;
    let is_listening = settings.switch("listen").unwrap_or(true);
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
    let cookie = settings
        .text("rpccookiefile")
        .filter(|path| !path.is_empty());
    config.rpc_cookie = match (rpc_password(settings), cookie) {
        (Some(_), _) => RpcCookie::None,
        (None, Some(path)) => RpcCookie::At(config.data_dir.chain().join(path)),
        (None, None) => RpcCookie::InPlace,
    };
    Ok(config)
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
        max_peers: Some(count(settings.number("maxconnections").unwrap_or(125), 1)),
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
