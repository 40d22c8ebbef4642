use pyrite_chain::PruneMode;
use pyrite_index::IndexKind;
use pyrite_node::Reindex;

use super::*;

fn mapped(arguments: &[&str], chain: BitcoinChain) -> Result<NodeConfig> {
    let directory = tempfile::tempdir().unwrap();
    let mut all = vec![format!("-datadir={}", directory.path().display())];
    all.extend(arguments.iter().map(ToString::to_string));
    let mut settings = Settings::parse(&all).unwrap();
    settings.select_network(chain.section());
    imply(&mut settings);
    check_refused(&settings)?;
    node_config(&settings, chain)
}

fn regtest(arguments: &[&str]) -> NodeConfig {
    mapped(arguments, BitcoinChain::Regtest).unwrap()
}

#[test]
fn defaults_are_bitcoin_cores_but_on_this_machine() {
    let config = regtest(&[]);
    let loopback = ["127.0.0.1:18443", "[::1]:18443"];
    assert_eq!(config.rpc_bind, loopback.map(|bind| bind.parse().unwrap()));
    let listen: Vec<String> = config.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["/ip4/127.0.0.1/tcp/18444"]);
    assert_eq!(config.spec.name, "regtest");
    assert!(config.data_dir.chain().ends_with("regtest"));
    assert_eq!(config.dialing, Dialing::NamedOnly);
    assert!(config.rpc_access.users.is_empty());
    assert_eq!(config.rpc_cookie, RpcCookie::InPlace);
    let main = mapped(&[], BitcoinChain::Main).unwrap();
    assert_eq!(main.rpc_bind[0].port(), 8332);
    assert_eq!(main.data_dir.chain(), main.data_dir.root());
}

#[test]
fn flags_are_settings_of_the_node() {
    let config = regtest(&[
        "-txindex",
        "-blockfilterindex=basic",
        "-coinstatsindex=0",
        "-maxmempool=20",
        "-mempoolexpiry=1",
        "-minrelaytxfee=0.00002",
        "-datacarrier=0",
        "-acceptnonstdtxn=1",
        "-blockmaxweight=3000000",
        "-blockmintxfee=0.00001",
        "-dbcache=4",
        "-persistmempool=0",
        "-reindex-chainstate",
        "-addnode=127.0.0.1:5",
        "-uacomment=here",
        "-rpcuser=me",
        "-rpcpassword=secret",
        "-rpccookiefile=c",
        "-par=2",
        "-networkactive=0",
    ]);
    assert_eq!(
        config.indexes,
        [IndexKind::Transactions, IndexKind::Filters]
    );
    assert_eq!(config.mempool.max_bytes, 20_000_000);
    assert_eq!(config.mempool.expiry_s, 3_600);
    assert_eq!(config.mempool.min_relay_fee.0, 2_000);
    assert_eq!(config.mempool.max_data_carrier_bytes, 0);
    assert!(config.mempool.accept_nonstandard);
    assert_eq!(config.block_template.max_weight, 3_000_000);
    assert_eq!(config.block_template.min_fee_rate_sat_per_kvb, 1_000);
    assert_eq!(config.coins_cache_bytes, 4 << 20);
    assert_eq!(config.reindex, Reindex::Coins);
    assert_eq!(config.peers.len(), 1);
    assert!(config.user_agent.contains("(here)"));
    let users = &config.rpc_access.users;
    assert_eq!(
        users.iter().map(|user| user.name()).collect::<Vec<_>>(),
        ["me"]
    );
    assert_eq!(config.rpc_cookie, RpcCookie::None);
    let elsewhere = regtest(&["-rpccookiefile=c", "-rpcpassword="]);
    let path = elsewhere.data_dir.chain().join("c");
    assert_eq!(elsewhere.rpc_cookie, RpcCookie::At(path));
    assert_eq!(config.script_threads, 2);
    assert_eq!(config.network_activity, NetworkActivity::Off);
    assert_eq!(regtest(&["-prune=1"]).pruning, PruneMode::ByHand);
}

#[test]
fn the_cookie_is_where_and_for_whom_the_operator_says() {
    let cookie = |arguments: &[&str]| {
        let config = regtest(arguments);
        (config.rpc_cookie, config.rpc_cookie_mode)
    };
    assert_eq!(cookie(&[]), (RpcCookie::InPlace, None));
    assert_eq!(cookie(&["-norpccookiefile"]), (RpcCookie::None, None));
    for (who, mode) in [("owner", 0o600), ("group", 0o640), ("all", 0o644)] {
        let flag = format!("-rpccookieperms={who}");
        assert_eq!(cookie(&[&flag]), (RpcCookie::InPlace, Some(mode)));
    }
}

#[test]
fn the_clock_and_the_height_are_the_operators() {
    let config = regtest(&["-mocktime=1600000000", "-stopatheight=7"]);
    assert_eq!(config.mock_time, Some(1_600_000_000));
    assert_eq!(config.stop_at_height, Some(7));
    let config = regtest(&["-mocktime=0", "-stopatheight=0"]);
    assert_eq!((config.mock_time, config.stop_at_height), (None, None));
    let error = mapped(&["-mocktime=1"], BitcoinChain::Main).unwrap_err();
    assert_eq!(error.to_string(), "-mocktime is for regtest alone.");
}

#[test]
fn as_many_peers_as_there_can_be() {
    let most = |number: &str| regtest(&[&format!("-maxconnections={number}")]).max_peers;
    assert_eq!(most("20000"), 10_000);
    assert_eq!(most("3"), 3);
    assert_eq!(most("0"), 8);
    assert!(regtest(&["-maxconnections=0", "-listen"]).listen.is_empty());
}

#[test]
fn a_flag_without_a_meaning_implies_nothing() {
    assert_eq!(
        regtest(&["-blocksonly"]).mempool.max_bytes,
        regtest(&[]).mempool.max_bytes
    );
}

#[test]
fn who_connects_only_does_not_listen() {
    assert!(regtest(&["-connect=0"]).listen.is_empty());
    assert!(regtest(&["-listen=0"]).listen.is_empty());
    assert!(regtest(&["-maxconnections=0"]).listen.is_empty());
    assert_eq!(regtest(&["-connect=a", "-bind=127.0.0.1"]).listen.len(), 1);
    assert_eq!(regtest(&["-connect=a", "-listen"]).listen.len(), 1);
}

#[test]
fn what_can_not_be_has_bitcoin_cores_errors() {
    for (arguments, error) in [
        (
            &["-prune=-1"][..],
            "Prune cannot be configured with a negative value.",
        ),
        (
            &["-prune=2"],
            "Prune configured below the minimum of 550 MiB.  Please use a higher number.",
        ),
        (
            &["-prune=550", "-txindex"],
            "Prune mode is incompatible with -txindex.",
        ),
        (
            &["-prune=1", "-reindex-chainstate"],
            "Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.",
        ),
        (&["-maxmempool=4"], "-maxmempool must be at least 5 MB"),
        (
            &["-maxmempool=2000000"],
            "Invalid value for -maxmempool: 2000000 is not between 1 and 1000000",
        ),
        (
            &["-limitclustercount=65"],
            "Invalid value for -limitclustercount: 65 is not between 1 and 64",
        ),
        (
            &["-rpccookieperms=me"],
            "Invalid -rpccookieperms=me; must be one of 'owner', 'group', or 'all'.",
        ),
        (&["-mocktime=-1"], "-mocktime must not be negative."),
        (
            &["-listen=0", "-bind=127.0.0.1"],
            "Cannot set -bind or -whitebind together with -listen=0",
        ),
        (
            &["-listen=0", "-listenonion=1"],
            "Cannot set -listen=0 together with -listenonion=1",
        ),
        (
            &["-blockfilterindex=x"],
            "Unknown -blockfilterindex value x.",
        ),
        (
            &["-peerblockfilters"],
            "Cannot set -peerblockfilters without -blockfilterindex.",
        ),
        (
            &["-blockmaxweight=4000001"],
            "Specified -blockmaxweight (4000001) exceeds consensus maximum block weight (4000000)",
        ),
        (
            &["-minrelaytxfee=a"],
            "Invalid amount for -minrelaytxfee=<amount>: 'a'",
        ),
        (
            &["-assumevalid=x"],
            "Invalid assumevalid block hash specified (x), must be up to 64 hex digits (or 0 to disable)",
        ),
        (
            &["-maxconnections=-1"],
            "-maxconnections must be greater or equal than zero",
        ),
        (
            &["-server=0"],
            "-server=0 is not supported by Pyrite: JSON-RPC is always served.",
        ),
        (
            &["-blocksdir=x"],
            "-blocksdir is not supported by Pyrite: blocks are in the database, which is inside chainstate/.",
        ),
    ] {
        let found = mapped(arguments, BitcoinChain::Regtest).unwrap_err();
        assert_eq!(found.to_string(), error, "{arguments:?}");
    }
    let found = mapped(&["-acceptnonstdtxn"], BitcoinChain::Main).unwrap_err();
    assert_eq!(
        found.to_string(),
        "acceptnonstdtxn is not currently supported for main chain"
    );
}

/// What the programs that start a `bitcoind` in their tests say.
#[test]
fn harnesses_flags_are_taken() {
    for arguments in [
        &[
            "-regtest",
            "-fallbackfee=0.0001",
            "-rpcport=1",
            "-port=2",
            "-txindex",
            "-server",
        ][..],
        &[
            "-regtest",
            "-listen=0",
            "-connect=0",
            "-rpcport=1",
            "-fallbackfee=0.0001",
        ],
        &[
            "-logtimemicros",
            "-debug",
            "-debugexclude=libevent",
            "-debugexclude=leveldb",
            "-debugexclude=rand",
            "-uacomment=testnode0",
            "-logthreadnames",
            "-logsourcelocations",
            "-loglevel=trace",
            "-v2transport=0",
            "-keypool=1",
            "-discover=0",
            "-dnsseed=0",
            "-fixedseeds=0",
            "-listenonion=0",
            "-peertimeout=999999999",
            "-printtoconsole=0",
            "-natpmp=0",
            "-shrinkdebugfile=0",
            "-unsafesqlitesync=1",
            "-rpcdoccheck=1",
            "-disablewallet",
            "-rpcthreads=4",
            "-rpcservertimeout=99000",
        ],
    ] {
        regtest(arguments);
    }
}
