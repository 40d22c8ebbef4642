use pyrite_mempool::FeeFallback;
use pyrite_miner::{MiningLimits, OnBattery, Pinning};

use super::*;

fn with_file(text: &str) -> (tempfile::TempDir, NodeOptions) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pyrite.toml");
    std::fs::write(&path, text).unwrap();
    let options = NodeOptions {
        config: Some(path),
        data_dir: Some(directory.path().join("data")),
        ..NodeOptions::default()
    };
    (directory, options)
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let (_directory, mut options) = with_file("chain = \"regtest\"\nthreads = 3\nintensity = 50\n");
    options.mining.threads = Some(2);
    let config = options.resolve().unwrap();
    assert_eq!(config.spec.name, "regtest");
    assert_eq!(config.mining.threads, 2);
    assert_eq!(config.mining.intensity_percent, 50);
    assert_eq!(config.max_peers, DEFAULT_MAX_PEERS);
}

#[test]
fn indexes_are_off_unless_they_are_switched_on() {
    let (_directory, options) = with_file("");
    assert_eq!(options.resolve().unwrap().indexes, []);
    let (_directory, mut options) =
        with_file("txindex = true\ncoinstatsindex = true\naddressindex = false\n");
    options.coinstatsindex = Some(false);
    options.txospenderindex = Some(true);
    assert_eq!(
        options.resolve().unwrap().indexes,
        [IndexKind::Transactions, IndexKind::Spenders]
    );
}

#[test]
fn fee_estimates_are_bitcoin_cores_unless_the_fallback_is_switched_on() {
    let (_directory, options) = with_file("");
    let config = options.resolve().unwrap();
    assert_eq!(config.mempool.fee_fallback, FeeFallback::Off);
    assert_eq!(config.stale_fee_estimates, StaleEstimates::Ignore);
    let (_directory, mut options) =
        with_file("fee-fallback = true\naccept-stale-fee-estimates = true\n");
    options.accept_stale_fee_estimates = Some(false);
    let config = options.resolve().unwrap();
    assert_eq!(config.mempool.fee_fallback, FeeFallback::NextBlocks);
    assert_eq!(config.stale_fee_estimates, StaleEstimates::Ignore);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let (_directory, options) = with_file("threads = 1\nthread = 2\n");
    let message = options.resolve().unwrap_err().to_string();
    assert!(
        message.contains("line 2") && message.contains("`thread`"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn values_out_of_range_are_named() {
    let wrong = |options: NodeOptions| options.resolve().unwrap_err().to_string();
    let base = NodeOptions {
        data_dir: Some("d".into()),
        ..NodeOptions::default()
    };
    assert_eq!(
        wrong(NodeOptions {
            mining: MiningOptions {
                intensity: Some(0),
                ..MiningOptions::default()
            },
            ..base.clone()
        }),
        "intensity: 0 is not between 1 and 100"
    );
    assert!(
        wrong(NodeOptions {
            rpc_bind: vec!["x".into()],
            ..base.clone()
        })
        .starts_with("rpc-bind: x")
    );
    assert!(
        wrong(NodeOptions {
            listen: vec!["x".into()],
            ..base.clone()
        })
        .starts_with("listen: x")
    );
    assert!(
        wrong(NodeOptions {
            mine: Some("bc1q".into()),
            ..base.clone()
        })
        .starts_with("mine: bc1q")
    );
    assert!(
        wrong(NodeOptions {
            chain: Some("nope".into()),
            ..base
        })
        .starts_with("chain nope")
    );
}

#[test]
fn prune_is_read_as_bitcoin_core_reads_it() {
    assert_eq!(parse_prune(0).unwrap(), PruneMode::Off);
    assert_eq!(parse_prune(1).unwrap(), PruneMode::ByHand);
    let target_bytes = 550 << 20;
    assert_eq!(
        parse_prune(550).unwrap(),
        PruneMode::Automatic { target_bytes }
    );
    for (number, reason) in [
        (-1, "prune: -1 is negative"),
        (2, "prune: 2 is below the minimum of 550 MiB"),
        (549, "prune: 549 is below the minimum of 550 MiB"),
        (i64::MAX, "prune: 9223372036854775807 MiB is too much"),
    ] {
        assert_eq!(parse_prune(number).unwrap_err().to_string(), reason);
    }
}

#[test]
fn an_address_of_another_chain_is_refused() {
    let options = NodeOptions {
        data_dir: Some("d".into()),
        mine: Some("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".into()),
        ..NodeOptions::default()
    };
    assert!(matches!(
        options.resolve(),
        Err(NodeError::Setting {
            setting: "mine",
            ..
        })
    ));
}

#[test]
fn the_mempool_has_bitcoin_cores_defaults() {
    let (_directory, options) = with_file("");
    let config = options.resolve().unwrap();
    assert_eq!(config.mempool, MempoolConfig::default());
    assert_eq!(config.mempool_persistence, Persistence::On);
}

#[test]
fn every_limit_of_the_mempool_is_a_setting() {
    let (_directory, mut options) = with_file(
        "chain = \"regtest\"\nmempool-mb = 5\nmempool-expiry-hours = 2\nmin-relay-fee = 1000\n\
         incremental-relay-fee = 200\ndust-relay-fee = 0\ndata-carrier-bytes = 83\n\
         permit-bare-multisig = false\nbytes-per-sigop = 50\ncluster-count = 25\ncluster-kvb = 50\n\
         accept-nonstandard = true\npersist-mempool = false\n",
    );
    options.cluster_count = Some(3);
    let config = options.resolve().unwrap();
    assert_eq!(config.mempool_persistence, Persistence::Off);
    let mempool = config.mempool;
    assert_eq!((mempool.max_bytes, mempool.expiry_s), (5_000_000, 7_200));
    assert_eq!(
        [
            mempool.min_relay_fee.0,
            mempool.incremental_relay_fee.0,
            mempool.dust_relay_fee.0
        ],
        [1_000, 200, 0]
    );
    assert_eq!(
        (mempool.max_data_carrier_bytes, mempool.bytes_per_sigop),
        (83, 50)
    );
    assert_eq!((mempool.limits.count, mempool.limits.vsize), (3, 50_000));
    assert!(!mempool.permit_bare_multisig && mempool.accept_nonstandard);
}

#[test]
fn limits_of_the_mempool_that_make_no_sense_are_named() {
    for (text, message) in [
        (
            "mempool-mb = 0",
            "mempool-mb: 0 is not between 1 and 1000000",
        ),
        (
            "cluster-count = 65",
            "cluster-count: 65 is not between 1 and 64",
        ),
        (
            "cluster-kvb = 0",
            "cluster-kvb: 0 is not between 1 and 1000",
        ),
        (
            "min-relay-fee = 100000001",
            "min-relay-fee: 100000001 is not between 0 and 100000000",
        ),
        (
            "mempool-expiry-hours = 0",
            "mempool-expiry-hours: 0 is not between 1 and 87600",
        ),
        (
            "data-carrier-bytes = 1000001",
            "data-carrier-bytes: 1000001 is not between 0 and 1000000",
        ),
        (
            "bytes-per-sigop = 1001",
            "bytes-per-sigop: 1001 is not between 0 and 1000",
        ),
        (
            "chain = \"mainnet\"\naccept-nonstandard = true",
            "accept-nonstandard: chain mainnet takes standard transactions only",
        ),
    ] {
        let (_directory, options) = with_file(text);
        assert_eq!(options.resolve().unwrap_err().to_string(), message);
    }
}

#[test]
fn blocks_are_built_as_the_options_say() {
    let resolve = |text: &str| {
        let (_directory, options) = with_file(text);
        options.resolve().map(|config| config.block_template)
    };
    assert_eq!(resolve("").unwrap(), TemplateOptions::default());
    let chosen = resolve(
        "block-max-weight = 400000\nblock-reserved-weight = 2000\nblock-min-fee-rate = 1000\n",
    );
    let expected = TemplateOptions {
        max_weight: 400_000,
        reserved_weight: 2_000,
        min_fee_rate_sat_per_kvb: 1_000,
    };
    assert_eq!(chosen.unwrap(), expected);
    // A light block has no more to keep free than it may weigh.
    assert_eq!(
        resolve("block-max-weight = 5000").unwrap().reserved_weight,
        5_000
    );
    for (text, reason) in [
        (
            "block-max-weight = 4000001",
            "block-max-weight: 4000001 is not between 2000 and 4000000",
        ),
        (
            "block-reserved-weight = 1999",
            "block-reserved-weight: 1999 is not between 2000 and 4000000",
        ),
        (
            "block-max-weight = 9000\nblock-reserved-weight = 9001",
            "block-reserved-weight: 9001 is not between 2000 and 9000",
        ),
        (
            "block-min-fee-rate = 2100000000000001",
            "block-min-fee-rate: 2100000000000001 is not between 0 and 2100000000000000",
        ),
    ] {
        assert_eq!(resolve(text).unwrap_err().to_string(), reason);
    }
}

#[test]
fn every_setting_of_mining_is_a_key() {
    let (_directory, mut options) = with_file(
        "devices = [\"cpu\", \"opencl1\"]\nthreads = 3\nintensity = 40\npin-cores = \"auto\"\n\
         pause-when-busy = 30\npause-on-battery = true\nmax-temperature = 85\nmax-power = 65\n",
    );
    options.mining.max_power = Some(0);
    options.mining.kernel = Some("abacus".to_owned());
    let error = options.clone().resolve().unwrap_err().to_string();
    assert!(
        error.starts_with("kernel: abacus is not a kernel of this processor"),
        "{error}"
    );
    options.mining.kernel = Some(pyrite_miner::device::cpu::kernels()[0].name().to_owned());
    let mining = options.resolve().unwrap().mining;
    assert_eq!(mining.devices.to_string(), "cpu,opencl1");
    assert_eq!((mining.threads, mining.intensity_percent), (3, 40));
    assert_eq!(mining.pinning, Pinning::Auto);
    let limits = MiningLimits {
        max_other_load_percent: Some(30),
        on_battery: OnBattery::Pause,
        max_temperature_c: Some(85),
        max_power_w: None,
    };
    assert_eq!(mining.limits, limits);
}

#[test]
fn settings_of_mining_that_make_no_sense_are_named() {
    for (text, message) in [
        (
            "devices = [\"gpu\"]",
            "devices: gpu is not a device: devices are cpu, opencl, and opencl0 and so on for one of them",
        ),
        ("threads = 0", "threads: 0 is not between 1 and 1024"),
        (
            "pin-cores = \"3-1\"",
            "pin-cores: 3-1 is not a list of cores such as 0,2-3, nor auto, nor off",
        ),
        (
            "max-temperature = 151",
            "max-temperature: 151 is not between 0 and 150",
        ),
        (
            "pause-when-busy = 101",
            "pause-when-busy: 101 is not between 0 and 100",
        ),
        (
            "max-power = 100001",
            "max-power: 100001 is not between 0 and 100000",
        ),
    ] {
        let (_directory, options) = with_file(text);
        assert_eq!(options.resolve().unwrap_err().to_string(), message);
    }
}
