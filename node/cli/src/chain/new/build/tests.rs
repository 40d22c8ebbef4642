//! Fields over a base chain.

use pyrite_consensus::bitcoin::Amount;
use pyrite_consensus::spec::Limits;

use super::*;
use crate::chain::new::fields::AddressKind as KindField;

const NOW: u64 = 1_800_000_000;

fn built(change: impl FnOnce(&mut Fields)) -> ChainSpec {
    try_built(change).expect("the fields fit together")
}

fn try_built(change: impl FnOnce(&mut Fields)) -> Result<ChainSpec> {
    let mut fields = Fields::default();
    change(&mut fields);
    build(ChainSpec::pyrite(), &fields, NOW)
}

fn bits(value: u32) -> CompactTarget {
    CompactTarget::from_consensus(value)
}

#[test]
fn what_is_not_said_is_the_base_s() {
    let mut expected = ChainSpec::pyrite();
    expected.name = "my-chain".to_owned();
    expected.genesis.time = 1_800_000_000;
    assert_eq!(built(|_| {}), expected);
    // But peers and coins belong to the base chain.
    let mut base = ChainSpec::pyrite();
    base.bootstrap_peers = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
    base.genesis.allocations = vec![Allocation {
        script_pubkey: ScriptBuf::new(),
        value: Amount::from_sat(1),
    }];
    let spec = build(base, &Fields::default(), NOW).expect("the fields fit together");
    assert_eq!(spec, expected);
}

#[test]
fn every_field_can_be_said() {
    let spec = built(|fields| {
        fields.name = Some("mine".to_owned());
        fields.address_kind = Some(KindField::Testnet);
        fields.magic = Some([1, 2, 3, 4]);
        fields.spacing = Some(60);
        fields.subsidy = Some(Amount::from_sat(5));
        fields.halving_interval = Some(6);
        fields.coinbase_maturity = Some(7);
        fields.bootstrap_peers = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
        fields.difficulty.difficulty = Some(Algorithm::Retarget);
        fields.difficulty.interval = Some(144);
        fields.difficulty.bip94 = Some(true);
        fields.difficulty.min_difficulty_after = Some(OrNever(Some(120)));
        fields.difficulty.pow_limit = Some(bits(0x207f_ffff));
        fields.difficulty.genesis_bits = Some(bits(0x200f_ffff));
        fields.rules.max_block_weight = Some(1_000_000);
        fields.rules.max_block_sigop_cost = Some(20_000);
        for (height, field) in [
            &mut fields.rules.bip16,
            &mut fields.rules.bip34,
            &mut fields.rules.bip65,
            &mut fields.rules.bip66,
            &mut fields.rules.csv,
            &mut fields.rules.segwit,
        ]
        .into_iter()
        .enumerate()
        {
            *field = Some(OrNever(u32::try_from(height).ok()));
        }
        fields.rules.taproot = Some(OrNever(None));
        fields.genesis.genesis_version = Some(2);
        fields.genesis.genesis_time = Some(8);
        fields.genesis.genesis_message = Some("hello".to_owned());
        fields.genesis.genesis_output_script = Some(ScriptBuf::from_bytes(vec![0x51]));
        fields.genesis.genesis_output_value = Some(Amount::from_sat(9));
    });
    let forks = spec.deployments;
    let heights = [
        forks.bip16,
        forks.bip34,
        forks.bip65,
        forks.bip66,
        forks.csv,
        forks.segwit,
    ];
    assert_eq!(heights, [0, 1, 2, 3, 4, 5]);
    let base = ChainSpec::pyrite();
    let expected = ChainSpec {
        name: "mine".to_owned(),
        address_kind: AddressKind::Testnet,
        magic: [1, 2, 3, 4],
        genesis: pyrite_consensus::spec::GenesisSpec {
            version: 2,
            time: 8,
            bits: bits(0x200f_ffff),
            nonce: base.genesis.nonce,
            message: "hello".to_owned(),
            output_script: ScriptBuf::from_bytes(vec![0x51]),
            output_value: Amount::from_sat(9),
            allocations: Vec::new(),
        },
        target_spacing_s: 60,
        pow_limit: bits(0x207f_ffff),
        difficulty: Difficulty::Retarget {
            interval: 144,
            bip94: true,
        },
        min_difficulty_after_s: Some(120),
        initial_subsidy: Amount::from_sat(5),
        halving_interval: 6,
        coinbase_maturity: 7,
        limits: Limits {
            max_block_weight: 1_000_000,
            max_block_sigop_cost: 20_000,
        },
        deployments: pyrite_consensus::spec::Deployments {
            taproot: u32::MAX,
            ..forks
        },
        bootstrap_peers: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
        assume_utxo: Vec::new(),
    };
    assert_eq!(spec, expected);
}

#[test]
fn parameters_follow_the_spacing() {
    let half_life = |spec: &ChainSpec| match spec.difficulty {
        Difficulty::Asert { half_life_s, .. } => half_life_s,
        _ => panic!("ASERT"),
    };
    assert_eq!(
        half_life(&built(|fields| fields.spacing = Some(600))),
        36_000
    );
    let said = built(|fields| {
        fields.spacing = Some(600);
        fields.difficulty.half_life = Some(7_200);
    });
    assert_eq!(half_life(&said), 7_200);
    for (spacing, expected) in [(10, 120), (600, 60)] {
        let spec = built(|fields| {
            fields.spacing = Some(spacing);
            fields.difficulty.difficulty = Some(Algorithm::Lwma);
        });
        assert_eq!(spec.difficulty, Difficulty::Lwma { window: expected });
    }
}

#[test]
fn parameters_of_another_algorithm_are_refused() {
    let error =
        try_built(|fields| fields.difficulty.window = Some(60)).expect_err("ASERT has none");
    assert!(error.to_string().contains("--difficulty lwma"), "{error}");
    let error = try_built(|fields| {
        fields.difficulty.difficulty = Some(Algorithm::Fixed);
        fields.difficulty.half_life = Some(60);
    });
    let error = error.expect_err("a fixed difficulty has none");
    assert!(error.to_string().contains("--half-life"), "{error}");
}

#[test]
fn the_start_difficulty_may_be_a_hash_power() {
    // A million hashes every ten seconds is about what the base chain starts with.
    let spec = built(|fields| fields.difficulty.start_hashrate = Some(104_857.7));
    let difference = spec.genesis.bits.to_consensus().abs_diff(0x1e0f_ffff);
    assert!(difference < 16, "{:08x}", spec.genesis.bits);
    let harder = built(|fields| {
        fields.spacing = Some(20);
        fields.difficulty.start_hashrate = Some(104_857.7);
    });
    assert!(harder.genesis.bits.to_consensus().abs_diff(0x1e07_ffff) < 16);
}

/// With the base's limit a network of little hash power could not start.
#[test]
fn an_easy_start_makes_the_limit_easier() {
    let base = ChainSpec::pyrite();
    let spec = built(|fields| fields.difficulty.start_hashrate = Some(100_000.0));
    assert_eq!(spec.pow_limit, base.pow_limit);
    // 1,600 hashes for a block, 100 at the limit: 2^256 / 100 is 0x028f5c….
    let spec = built(|fields| fields.difficulty.start_hashrate = Some(160.0));
    assert_eq!(spec.genesis.bits, bits(0x1f28_f5c2));
    assert_eq!(spec.pow_limit, bits(0x2002_8f5c));
    let said = built(|fields| {
        fields.difficulty.start_hashrate = Some(160.0);
        fields.difficulty.pow_limit = Some(base.pow_limit);
    });
    assert_eq!(said.pow_limit, base.pow_limit);
}

#[test]
fn recipients_are_addresses_of_the_chain_or_scripts() {
    let allocate = |recipient: &str| {
        try_built(|fields| {
            fields.genesis.allocations = vec![AllocationField {
                recipient: recipient.to_owned(),
                value: Amount::from_sat(7),
            }];
        })
        .map(|spec| spec.genesis.allocations[0].script_pubkey.to_hex_string())
    };
    let program = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    assert_eq!(allocate(address).expect("an address"), program);
    assert_eq!(allocate(program).expect("a script"), program);
    let mainnet = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let error = allocate(mainnet).expect_err("an address of another kind");
    assert!(error.to_string().contains("kind"), "{error}");
    let error = allocate("alice").expect_err("a name");
    assert!(error.to_string().contains("neither"), "{error}");
}
