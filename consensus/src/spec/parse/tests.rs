//! Round trips through TOML, and the errors that people get for a wrong file.

use std::collections::BTreeMap;

use bitcoin::hashes::Hash;
use proptest::prelude::*;

use super::*;

fn regtest() -> String {
    ChainSpec::regtest().to_toml()
}

/// The error for regtest's spec with one piece of text replaced.
fn refused(from: &str, to: &str) -> SpecError {
    let text = regtest();
    assert!(text.contains(from), "{from} is in the text");
    ChainSpec::from_toml(&text.replace(from, to)).expect_err("the changed spec is invalid")
}

/// Where regtest's spec has a line that starts so.
fn line_of(start: &str) -> usize {
    let text = regtest();
    let line = text.lines().position(|line| line.starts_with(start));
    line.expect("there is such a line") + 1
}

#[test]
fn the_built_in_chains_round_trip() {
    for name in ChainSpec::BUILTIN {
        let spec = ChainSpec::builtin(name).expect("a built-in chain");
        assert_eq!(ChainSpec::from_toml(&spec.to_toml()), Ok(spec), "{name}");
    }
}

#[test]
fn every_field_has_a_comment() {
    let text = ChainSpec::mainnet().to_toml();
    let lines: Vec<&str> = text.lines().collect();
    let commented =
        |line: usize| lines[line - 1].starts_with('#') || lines[line - 1].contains(" = ");
    for (line, content) in lines.iter().enumerate() {
        if content.contains(" = ") && !content.starts_with('#') {
            assert!(commented(line), "{content}");
        }
    }
}

#[test]
fn blocks_with_known_coins_are_checked_one_by_one() {
    let is_refused = |from: &str, to: &str, field: &str| {
        let error = refused(from, to).to_string();
        assert!(error.contains(field), "{error}");
        assert_eq!(error.lines().count(), 1);
    };
    // Out of order, named twice, fewer transactions than blocks, no hash, and a key too much.
    is_refused("height = 200", "height = 110", "assume_utxo[1].height");
    let first = "6affe030b7965ab538f820a56ef56c8149b7dc1d1c144af57113be080db7c397";
    let second = "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9";
    is_refused(second, first, "assume_utxo[1].block_hash");
    let count = "chain_tx_count = 111";
    is_refused(
        count,
        "chain_tx_count = 110",
        "assume_utxo[0].chain_tx_count",
    );
    is_refused(count, "chain_tx_counts = 111", "chain_tx_counts");
    let block = format!("block_hash = \"{first}\"");
    is_refused(&block, "block_hash = \"6aff\"", "assume_utxo[0].block_hash");
    let coins = "b952555c8ab81fec46f3d4253b7af256d766ceb39fb7752b9d18cdf4a0141327";
    is_refused(coins, &coins.replace('b', "g"), "assume_utxo[0].coins_hash");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let error = refused("halving_interval = 150", "halving_intervall = 150");
    let line = line_of("halving_interval = ");
    let field = "halving_intervall".to_owned();
    assert_eq!(error, SpecError::UnknownField { field, line });
    assert_eq!(error.to_string().lines().count(), 1);
}

#[test]
fn unknown_keys_are_refused_in_every_table() {
    for table in ["[difficulty]", "[limits]", "[deployments]", "[genesis]"] {
        let error = refused(table, &format!("{table}\nsurprise = 1"));
        assert!(error.to_string().contains("surprise"), "{table}: {error}");
    }
    let text = format!(
        "{}\n[[genesis.allocations]]\nscript = \"51\"\nvalue_sat = 1\nsurprise = 1\n",
        regtest()
    );
    let error = ChainSpec::from_toml(&text).expect_err("an unknown key");
    assert!(error.to_string().contains("surprise"), "{error}");
}

#[test]
fn a_missing_key_is_named() {
    let error = refused("coinbase_maturity = 100", "");
    assert!(
        error
            .to_string()
            .contains("missing field `coinbase_maturity`"),
        "{error}"
    );
    let error = refused("csv = 1", "");
    let field = "deployments.csv".to_owned();
    assert_eq!(error, SpecError::MissingField { field });
    let error = refused("algorithm = \"fixed\"", "algorithm = \"asert\"");
    assert!(error.to_string().contains("half_life_s"), "{error}");
}

#[test]
fn keys_of_another_algorithm_are_refused() {
    let error = refused(
        "algorithm = \"fixed\"",
        "algorithm = \"fixed\"\ninterval = 2016",
    );
    assert!(error.to_string().contains("interval"), "{error}");
    let error = refused("algorithm = \"fixed\"", "algorithm = \"lottery\"");
    assert!(error.to_string().contains("lottery"), "{error}");
}

#[test]
fn wrong_types_and_sizes_name_the_line() {
    for (from, to) in [
        ("target_spacing_s = 600", "target_spacing_s = -1"),
        ("target_spacing_s = 600", "target_spacing_s = 4294967296"),
        ("target_spacing_s = 600", "target_spacing_s = \"600\""),
        ("target_spacing_s = 600", "target_spacing_s = 600.5"),
        ("csv = 1", "csv = -1"),
        ("csv = 1", "csv = 4294967296"),
        ("csv = 1", "csv = \"soon\""),
        ("address_kind = \"regtest\"", "address_kind = \"signet\""),
    ] {
        let error = refused(from, to);
        let (key, written) = to.split_once(" = ").expect("a key and a value");
        let SpecError::WrongType {
            field, line, value, ..
        } = &error
        else {
            panic!("{to}: {error:?}")
        };
        assert_eq!(field.rsplit('.').next(), Some(key));
        assert_eq!(*line, line_of(from));
        assert_eq!(value, written);
    }
}

#[test]
fn what_is_not_toml_names_the_line() {
    let error = refused("target_spacing_s = 600", "target_spacing_s");
    let SpecError::Syntax { line, text, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*line, line_of("target_spacing_s"));
    assert_eq!(text, "target_spacing_s");
    // A key that is there twice is no TOML either.
    let error = refused("nonce = 2", "nonce = 2\nnonce = 2");
    assert!(matches!(error, SpecError::Syntax { .. }), "{error:?}");
}

#[test]
fn wrong_hex_names_the_field() {
    for (field, from, to) in [
        ("magic", "magic = \"fabfb5da\"", "magic = \"fabfb5\""),
        (
            "pow_limit",
            "pow_limit = \"207fffff\"",
            "pow_limit = \"0x207fffff\"",
        ),
        (
            "genesis.bits",
            "\nbits = \"207fffff\"",
            "\nbits = \"207ffffg\"",
        ),
        (
            "genesis.output_script",
            "output_script = \"41",
            "output_script = \"4",
        ),
        ("genesis.hash", "hash = \"0f91", "hash = \"0f9"),
    ] {
        let error = refused(from, to);
        let SpecError::Malformed { field: actual, .. } = &error else {
            panic!("{to}: {error:?}")
        };
        assert_eq!(actual, field);
    }
}

#[test]
fn ranges_are_checked() {
    let error = refused("halving_interval = 150", "halving_interval = 0");
    let expected = SpecError::OutOfRange {
        field: "halving_interval".to_owned(),
        value: 0,
        min: 1,
        max: u32::MAX.into(),
    };
    assert_eq!(error, expected);
}

#[test]
fn the_genesis_block_is_checked() {
    // Nonce 3 meets the bits or it does not; either way the file is wrong and says why.
    let error = refused("nonce = 2", "nonce = 3");
    let mut changed = ChainSpec::regtest();
    changed.genesis.nonce = 3;
    let actual = changed.genesis_hash();
    let expected = if changed.validate().is_ok() {
        SpecError::GenesisHash {
            expected: ChainSpec::regtest().genesis_hash(),
            actual,
        }
    } else {
        SpecError::GenesisProofOfWork {
            hash: actual,
            bits: changed.genesis.bits,
        }
    };
    assert_eq!(error, expected);

    let wrong = "0000000000000000000000000000000000000000000000000000000000000001";
    let hash = ChainSpec::regtest().genesis_hash();
    let error = refused(&hash.to_string(), wrong);
    let expected = wrong.parse().expect("a hash");
    assert_eq!(
        error,
        SpecError::GenesisHash {
            expected,
            actual: hash
        }
    );
}

#[test]
fn the_hash_and_the_lists_may_be_left_out() {
    let hash = ChainSpec::regtest().genesis_hash();
    let text = regtest()
        .replace(&format!("hash = \"{hash}\""), "")
        .replace("bootstrap_peers = []", "");
    assert!(!text.contains(&hash.to_string()));
    assert_eq!(ChainSpec::from_toml(&text), Ok(ChainSpec::regtest()));
}

#[test]
fn a_fork_may_be_never() {
    let text = regtest().replace("taproot = 0", "taproot = \"never\"");
    let spec = ChainSpec::from_toml(&text).expect("a valid spec");
    assert_eq!(spec.deployments.taproot, u32::MAX);
    assert!(spec.to_toml().contains("taproot = \"never\""));
}

#[test]
fn allocations_go_to_addresses_of_the_chain_s_kind() {
    // BIP-0173's program, with the prefix of each kind.
    let program = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
    let regtest_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let allocation = |recipient: &str| {
        let script = ScriptBuf::from_hex(program).expect("hex");
        let allocations = vec![Allocation {
            script_pubkey: script,
            value: Amount::from_sat(7),
        }];
        let spec = ChainSpec::regtest().derive("funded", 1, "", allocations);
        let text = spec.to_toml();
        let written = format!("address = \"{regtest_address}\"");
        assert!(text.contains(&written), "{text}");
        (
            ChainSpec::from_toml(&text.replace(&written, recipient)),
            spec,
        )
    };
    let (parsed, spec) = allocation(&format!("address = \"{regtest_address}\""));
    assert_eq!(parsed, Ok(spec));
    let (parsed, spec) = allocation(&format!("script = \"{program}\""));
    assert_eq!(parsed, Ok(spec));

    let mainnet_address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let (parsed, _) = allocation(&format!("address = \"{mainnet_address}\""));
    let expected = SpecError::Malformed {
        field: "genesis.allocations[0].address".to_owned(),
        value: mainnet_address.to_owned(),
        expected: "an address of the kind regtest (bcrt1…)",
    };
    assert_eq!(parsed, Err(expected));
    let both = format!("address = \"{regtest_address}\"\nscript = \"{program}\"");
    for recipient in ["", &both] {
        let (parsed, _) = allocation(recipient);
        let field = "genesis.allocations[0]".to_owned();
        assert_eq!(parsed, Err(SpecError::AllocationRecipient { field }));
    }
}

#[test]
fn the_least_difficulty_may_be_a_number_never_or_left_out() {
    let mainnet = ChainSpec::mainnet().to_toml();
    let never = "min_difficulty_after_s = \"never\"";
    assert!(mainnet.contains(never));
    let parse = |written: &str| ChainSpec::from_toml(&mainnet.replace(never, written));
    assert_eq!(parse(""), Ok(ChainSpec::mainnet()));
    let with_rule = ChainSpec {
        min_difficulty_after_s: Some(1_200),
        ..ChainSpec::mainnet()
    };
    assert_eq!(parse("min_difficulty_after_s = 1200"), Ok(with_rule));
    for wrong in ["\"soon\"", "-1", "1.5", "true"] {
        let error = parse(&format!("min_difficulty_after_s = {wrong}")).expect_err("wrong");
        let SpecError::WrongType { field, value, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(field, "difficulty.min_difficulty_after_s");
        assert_eq!(value, wrong);
    }
}

#[test]
fn bip94_is_off_where_it_is_left_out() {
    let mainnet = ChainSpec::mainnet().to_toml();
    let parse = |written: &str| ChainSpec::from_toml(&mainnet.replace("bip94 = false", written));
    assert_eq!(parse(""), Ok(ChainSpec::mainnet()));
    let spec = parse("bip94 = true").expect("a valid spec");
    let expected = Difficulty::Retarget {
        interval: 2_016,
        bip94: true,
    };
    assert_eq!(spec.difficulty, expected);
    assert!(matches!(
        parse("bip94 = 1"),
        Err(SpecError::WrongType { .. })
    ));
}

/// The errors' texts for regtest's spec with pieces of text replaced.
fn all_refused(changes: &[(&str, &str)]) -> Vec<String> {
    let text = changes.iter().fold(regtest(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is in the text");
        text.replace(from, to)
    });
    let errors = ChainSpec::check_toml(&text);
    let first = ChainSpec::from_toml(&text).expect_err("the changed spec is invalid");
    assert_eq!(errors.first(), Some(&first));
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let errors = all_refused(&[
        ("name = \"regtest\"", "name = \"Reg Test\""),
        ("magic = \"fabfb5da\"", "magic = \"fabf\""),
        ("halving_interval = 150", "halving_intervall = 150"),
        ("target_spacing_s = 600", "target_spacing_s = 0"),
        ("coinbase_maturity = 100", "coinbase_maturity = \"100\""),
        ("bip16 = 0", "bip16 = 10"),
        ("segwit = 0", "segwit = 8"),
        ("taproot = 0", "taproot = 7"),
        ("max_block_weight = 4000000", "max_block_weight = 5000000"),
        ("nonce = 2", "nonce = 2\nnonse = 3"),
        ("algorithm = \"fixed\"", "algorithm = \"lwma\"\nwindow = 2"),
        ("\"never\"", "600"),
        (" = \"0f91", " = \"0f92"),
    ]);
    let expected = [
        "halving_intervall",
        "genesis.nonse",
        "magic",
        "halving_interval`",
        "coinbase_maturity is \"100\"",
        "name",
        "target_spacing_s is 0",
        "difficulty.window is 2",
        "limits.max_block_weight is 5000000",
        "deployments.segwit is below deployments.bip16",
        "deployments.taproot is below deployments.segwit",
        "genesis.hash",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for part in expected {
        let told = errors.iter().filter(|error| error.contains(part)).count();
        assert_eq!(told, 1, "{part}: {errors:#?}");
    }
}

/// A value that can't be read says nothing about others: one mistake is told once.
#[test]
fn a_mistake_is_told_once() {
    for change in [
        ("bip16 = 0", "bip16 = \"soon\""),
        ("segwit = 0", ""),
        ("[deployments]", "[deployment]"),
        ("[limits]", "[limit]"),
        ("[genesis]", "[gnesis]"),
        ("\nbits = \"207fffff\"", "\nbits = 545259519"),
        ("message = \"The", "message = 1 # \"The"),
        ("pow_limit = \"207fffff\"", "pow_limit = \"00000000\""),
        ("algorithm = \"fixed\"", "algorithm = \"fxed\""),
        ("address_kind = \"regtest\"", "address_kind = \"signet\""),
    ] {
        let errors = all_refused(&[change]);
        // A table under another name is unknown, and missing.
        let told = if change.0.starts_with('[') { 2 } else { 1 };
        assert_eq!(errors.len(), told, "{}: {errors:#?}", change.1);
    }
}

#[test]
fn the_number_of_errors_is_bounded() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..100_000 {
        writeln!(text, "key{number} = 1").expect("a string takes it");
    }
    assert_eq!(ChainSpec::check_toml(&text).len(), MAX_ERRORS);
    assert_eq!(
        ChainSpec::check_toml(&"=\n".repeat(1_000)).len(),
        MAX_ERRORS
    );
}

#[test]
fn a_valid_spec_has_no_errors() {
    for name in ChainSpec::BUILTIN {
        let spec = ChainSpec::builtin(name).expect("a built-in chain");
        assert_eq!(ChainSpec::check_toml(&spec.to_toml()), [], "{name}");
        assert_eq!(spec.problems(), [], "{name}");
    }
}

#[test]
fn a_huge_text_is_not_parsed() {
    let text = "#".repeat(MAX_TOML_BYTES + 1);
    let expected = SpecError::TooLong {
        bytes: MAX_TOML_BYTES + 1,
        limit: MAX_TOML_BYTES,
    };
    assert_eq!(ChainSpec::from_toml(&text), Err(expected));
}

fn any_difficulty() -> impl Strategy<Value = Difficulty> {
    prop_oneof![
        Just(Difficulty::Fixed),
        (4u32.., any::<bool>())
            .prop_map(|(interval, bip94)| Difficulty::Retarget { interval, bip94 }),
        (3u32..=10_000).prop_map(|window| Difficulty::Lwma { window }),
        (1u32..100_000_000, 1u32..).prop_map(|(half_life_s, anchor_height)| Difficulty::Asert {
            half_life_s,
            anchor_height
        }),
    ]
}

fn any_script() -> impl Strategy<Value = ScriptBuf> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60).prop_map(ScriptBuf::from),
        // Witness programs of every version and length, most of which have an address.
        (0u8..=16, prop::collection::vec(any::<u8>(), 0..42)).prop_map(|(version, program)| {
            let mut script = vec![if version == 0 { 0 } else { 0x50 + version }];
            script.push(u8::try_from(program.len()).expect("below 42"));
            script.extend(program);
            ScriptBuf::from(script)
        }),
        any::<[u8; 20]>()
            .prop_map(|hash| ScriptBuf::new_p2sh(&bitcoin::ScriptHash::from_byte_array(hash))),
        any::<[u8; 20]>()
            .prop_map(|hash| ScriptBuf::new_p2pkh(&bitcoin::PubkeyHash::from_byte_array(hash))),
    ]
}

prop_compose! {
    fn any_genesis()(
        version: i32,
        time in 0u32..4_000_000_000,
        message in any::<String>().prop_map(|text| text.chars().take(20).collect::<String>()),
        output_script in any_script(),
        output_sat in 0u64..1_000_000,
        allocations in prop::collection::vec((any_script(), 1u64..1_000_000), 0..5),
    ) -> GenesisSpec {
        GenesisSpec {
            version,
            time,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: 0,
            message,
            output_script,
            output_value: Amount::from_sat(output_sat),
            allocations: allocations
                .into_iter()
                .map(|(script_pubkey, sat)| Allocation { script_pubkey, value: Amount::from_sat(sat) })
                .collect(),
        }
    }
}

prop_compose! {
    fn any_spec()(
        name in "[a-z0-9-]{1,32}",
        address_kind in prop::sample::select(vec![
            AddressKind::Mainnet,
            AddressKind::Testnet,
            AddressKind::Regtest,
        ]),
        magic: [u8; 4],
        genesis in any_genesis(),
        target_spacing_s in 1u32..2_000_000,
        difficulty in any_difficulty(),
        min_difficulty_after_s in prop::option::of(2_000_000u32..),
        subsidy in 0u64..=2_100_000_000_000_000,
        halving_interval in 1u32..,
        coinbase_maturity in 1u32..,
        weight in 10_000u64..=4_000_000,
        sigop_cost in 1u64..=80_000,
        forks: [u32; 4],
        mut order: [u32; 3],
        peers in prop::collection::vec("/[^\\PC]{0,40}", 0..4),
        coins in prop::collection::btree_map(1u32.., any::<[u8; 32]>(), 0..4),
    ) -> ChainSpec {
        order.sort_unstable();
        ChainSpec {
            name: name.clone(),
            address_kind,
            magic,
            target_spacing_s,
            pow_limit: CompactTarget::from_consensus(0x207f_ffff),
            // It would have no effect with fixed bits at the limit.
            min_difficulty_after_s: min_difficulty_after_s
                .filter(|_| difficulty != Difficulty::Fixed),
            difficulty,
            initial_subsidy: Amount::from_sat(subsidy),
            halving_interval,
            coinbase_maturity,
            limits: Limits { max_block_weight: weight, max_block_sigop_cost: sigop_cost },
            deployments: Deployments {
                bip16: order[0],
                bip34: forks[0],
                bip65: forks[1],
                bip66: forks[2],
                csv: forks[3],
                segwit: order[1],
                taproot: order[2],
            },
            bootstrap_peers: Vec::new(),
            assume_utxo: Vec::new(),
            genesis: genesis.clone(),
        }
        .derive(&name, genesis.time, &genesis.message, genesis.allocations)
        .with_peers(peers)
        .with_coins(coins)
    }
}

impl ChainSpec {
    fn with_peers(mut self, peers: Vec<String>) -> Self {
        self.bootstrap_peers = peers;
        self
    }

    fn with_coins(mut self, coins: BTreeMap<u32, [u8; 32]>) -> Self {
        self.assume_utxo = coins
            .into_iter()
            .map(|(height, hash)| AssumeUtxo {
                height: Height(height),
                block_hash: BlockHash::from_byte_array(hash),
                coins_hash: BlockHash::from_byte_array(hash)
                    .to_string()
                    .parse()
                    .expect("64 hex digits"),
                chain_tx_count: u64::from(height) + u64::from(hash[0]) + 1,
            })
            .collect();
        self
    }
}

proptest! {
    #[test]
    fn any_spec_round_trips(spec in any_spec()) {
        prop_assert_eq!(spec.validate(), Ok(()));
        let text = spec.to_toml();
        prop_assert_eq!(ChainSpec::from_toml(&text), Ok(spec), "{}", text);
    }

    #[test]
    fn any_text_gives_a_verdict_of_one_line(text in "\\PC{0,200}") {
        let error = ChainSpec::from_toml(&text).expect_err("not a spec");
        prop_assert_eq!(error.to_string().lines().count(), 1);
    }
}
