//! Each check refuses a spec that is changed in one place.

use bitcoin::ScriptBuf;

use super::*;
use crate::spec::Allocation;

/// A chain whose genesis block takes two tries, so that the changes below can be mined.
fn valid() -> ChainSpec {
    ChainSpec::regtest()
}

fn refused(change: impl FnOnce(&mut ChainSpec)) -> SpecError {
    let mut spec = valid();
    change(&mut spec);
    spec.validate().expect_err("the changed spec is invalid")
}

fn out_of_range(field: &str, value: u64, min: u64, max: u64) -> SpecError {
    SpecError::OutOfRange {
        field: field.to_owned(),
        value,
        min,
        max,
    }
}

fn retarget(interval: u32) -> Difficulty {
    Difficulty::Retarget {
        interval,
        bip94: false,
    }
}

fn bits(value: u32) -> CompactTarget {
    CompactTarget::from_consensus(value)
}

const ALL_U32: u64 = u32::MAX as u64;
const MONEY: u64 = 2_100_000_000_000_000;

#[test]
fn the_built_in_chains_are_valid() {
    for name in ChainSpec::BUILTIN {
        let spec = ChainSpec::builtin(name).expect("a built-in chain");
        assert_eq!(spec.validate(), Ok(()), "{name}");
        assert_eq!(spec.name, name);
    }
    assert_eq!(ChainSpec::builtin("testnet5"), None);
}

#[test]
fn names_have_a_pattern() {
    for name in ["", "Upper", "a b", "a/b", "..", "ä", &"a".repeat(33)] {
        let error = refused(|spec| spec.name = name.to_owned());
        let SpecError::Malformed { field, value, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((field.as_str(), value.as_str()), ("name", name));
    }
    let mut spec = valid();
    spec.name = "0-9a-z".to_owned();
    assert_eq!(spec.validate(), Ok(()));
    spec.name = "a".repeat(32);
    assert_eq!(spec.validate(), Ok(()));
}

#[test]
fn numbers_have_ranges() {
    assert_eq!(
        refused(|spec| spec.target_spacing_s = 0),
        out_of_range("target_spacing_s", 0, 1, MAX_SPACING_S)
    );
    assert_eq!(
        refused(|spec| spec.halving_interval = 0),
        out_of_range("halving_interval", 0, 1, ALL_U32)
    );
    assert_eq!(
        refused(|spec| spec.coinbase_maturity = 0),
        out_of_range("coinbase_maturity", 0, 1, ALL_U32)
    );
    assert_eq!(
        refused(|spec| spec.initial_subsidy = Amount::from_sat(MONEY + 1)),
        out_of_range("initial_subsidy_sat", MONEY + 1, 0, MONEY)
    );
    assert_eq!(
        refused(|spec| spec.genesis.output_value = Amount::MAX),
        out_of_range("genesis.output_value_sat", u64::MAX, 0, MONEY)
    );
    assert_eq!(
        refused(|spec| spec.limits.max_block_weight = 4_000_001),
        out_of_range("limits.max_block_weight", 4_000_001, 4_000, 4_000_000)
    );
    assert_eq!(
        refused(|spec| spec.limits.max_block_weight = 3_999),
        out_of_range("limits.max_block_weight", 3_999, 4_000, 4_000_000)
    );
    assert_eq!(
        refused(|spec| spec.limits.max_block_sigop_cost = 0),
        out_of_range("limits.max_block_sigop_cost", 0, 1, 80_000)
    );
    assert_eq!(
        refused(|spec| spec.limits.max_block_sigop_cost = 80_001),
        out_of_range("limits.max_block_sigop_cost", 80_001, 1, 80_000)
    );
    assert_eq!(
        refused(|spec| spec.genesis.message = "m".repeat(92)),
        out_of_range("the length of genesis.message", 92, 0, 91)
    );
}

#[test]
fn the_longest_message_fills_the_coinbase_s_script() {
    let spec = valid().derive("long", 1, &"m".repeat(91), Vec::new());
    assert_eq!(spec.validate(), Ok(()));
    assert_eq!(spec.genesis.coinbase_script().len(), 100);
    let spec = valid().derive("short", 1, "", Vec::new());
    assert_eq!(spec.validate(), Ok(()));
}

#[test]
fn difficulty_parameters_have_ranges() {
    assert_eq!(
        refused(|spec| spec.difficulty = retarget(1)),
        out_of_range("difficulty.interval", 1, 2, ALL_U32)
    );
    assert_eq!(
        refused(|spec| {
            spec.target_spacing_s = 1;
            spec.difficulty = retarget(3);
        }),
        SpecError::TimespanTooShort {
            timespan_s: 3,
            min_s: 4
        }
    );
    assert_eq!(
        refused(|spec| {
            spec.difficulty = Difficulty::Asert {
                half_life_s: 0,
                anchor_height: 1,
            };
        }),
        out_of_range("difficulty.half_life_s", 0, 1, MAX_HALF_LIFE_S)
    );
    assert_eq!(
        refused(|spec| {
            spec.difficulty = Difficulty::Asert {
                half_life_s: 600,
                anchor_height: 0,
            };
        }),
        out_of_range("difficulty.anchor_height", 0, 1, ALL_U32)
    );
}

#[test]
fn the_window_of_an_average_has_a_range() {
    for window in [0, 2, 10_001] {
        assert_eq!(
            refused(|spec| spec.difficulty = Difficulty::Lwma { window }),
            out_of_range("difficulty.window", window.into(), 3, 10_000)
        );
    }
    for window in [3, 60, 10_000] {
        let mut spec = valid();
        spec.difficulty = Difficulty::Lwma { window };
        assert_eq!(spec.validate(), Ok(()));
    }
}

#[test]
fn the_least_difficulty_is_an_exception() {
    let with_rule = |after_s: u32, difficulty: Difficulty| {
        let mut spec = valid();
        spec.difficulty = difficulty;
        spec.min_difficulty_after_s = Some(after_s);
        spec.validate()
    };
    assert_eq!(with_rule(601, retarget(2_016)), Ok(()));
    assert_eq!(
        with_rule(600, retarget(2_016)),
        Err(SpecError::MinDifficultyTooEarly {
            after_s: 600,
            spacing_s: 600
        })
    );
    assert_eq!(
        with_rule(1_200, Difficulty::Fixed),
        Err(SpecError::MinDifficultyWithoutEffect)
    );
    // With bits that are harder than the limit it has one.
    let mut spec = valid();
    spec.genesis.bits = bits(0x200f_ffff);
    spec.min_difficulty_after_s = Some(1_200);
    spec.mine_genesis(|_| {});
    assert_eq!(spec.validate(), Ok(()));
}

#[test]
fn all_problems_are_found() {
    let mut spec = valid();
    spec.name = String::new();
    spec.target_spacing_s = 0;
    spec.deployments.bip16 = 1;
    spec.bootstrap_peers = vec!["one".to_owned(), "/two".to_owned(), "three".to_owned()];
    let problems = spec.problems();
    assert_eq!(problems.len(), 5, "{problems:#?}");
    assert_eq!(spec.validate(), Err(problems[0].clone()));
}

#[test]
fn bits_are_targets_within_the_limit() {
    for value in [0, 0x1d80_ffff, 0xff12_3456] {
        assert_eq!(
            refused(|spec| spec.pow_limit = bits(value)),
            SpecError::InvalidBits {
                field: "pow_limit",
                bits: bits(value)
            }
        );
        assert_eq!(
            refused(|spec| spec.genesis.bits = bits(value)),
            SpecError::InvalidBits {
                field: "genesis.bits",
                bits: bits(value)
            }
        );
    }
    assert_eq!(
        refused(|spec| spec.pow_limit = bits(0x207f_fffe)),
        SpecError::BitsAboveLimit {
            bits: bits(0x207f_ffff),
            pow_limit: bits(0x207f_fffe)
        }
    );
}

#[test]
fn the_genesis_block_meets_its_bits() {
    let mut spec = valid();
    // Half of the nonces fail.
    while spec.validate().is_ok() {
        spec.genesis.nonce += 1;
    }
    let error = SpecError::GenesisProofOfWork {
        hash: spec.genesis_hash(),
        bits: spec.genesis.bits,
    };
    assert_eq!(spec.validate(), Err(error));
}

#[test]
fn soft_forks_build_on_each_other() {
    assert_eq!(
        refused(|spec| {
            spec.deployments.segwit = 9;
            spec.deployments.taproot = 8;
        }),
        SpecError::DeploymentOrder {
            fork: "taproot",
            base: "segwit"
        }
    );
    assert_eq!(
        refused(|spec| spec.deployments.bip16 = 1),
        SpecError::DeploymentOrder {
            fork: "segwit",
            base: "bip16"
        }
    );
    let mut spec = valid();
    spec.deployments.segwit = u32::MAX;
    spec.deployments.taproot = u32::MAX;
    assert_eq!(spec.validate(), Ok(()));
}

#[test]
fn allocations_stay_within_all_money() {
    let derive = |values: &[u64]| {
        let allocations = values
            .iter()
            .map(|sat| Allocation {
                script_pubkey: ScriptBuf::from(vec![0x51]),
                value: Amount::from_sat(*sat),
            })
            .collect();
        valid().derive("money", 1, "", allocations)
    };
    assert_eq!(derive(&[MONEY - 1, 1]).validate(), Ok(()));
    assert_eq!(
        derive(&[MONEY, 1]).validate(),
        Err(SpecError::AllocationsTooLarge {
            total_sat: MONEY + 1,
            limit_sat: MONEY
        })
    );
    assert_eq!(
        derive(&[1, MONEY + 1]).validate(),
        Err(out_of_range(
            "genesis.allocations[1].value_sat",
            MONEY + 1,
            1,
            MONEY
        ))
    );
    assert_eq!(
        derive(&[0]).validate(),
        Err(out_of_range(
            "genesis.allocations[0].value_sat",
            0,
            1,
            MONEY
        ))
    );
}

#[test]
fn the_genesis_block_stays_within_the_weight() {
    let allocation = Allocation {
        script_pubkey: ScriptBuf::from(vec![0x51; 800]),
        value: Amount::from_sat(1),
    };
    let mut spec = valid().derive("heavy", 1, "", vec![allocation]);
    assert_eq!(spec.validate(), Ok(()));
    spec.limits.max_block_weight = 4_000;
    let weight = spec.genesis_block().weight().to_wu();
    assert_eq!(
        spec.validate(),
        Err(SpecError::GenesisTooHeavy {
            weight,
            limit: 4_000
        })
    );
}

#[test]
fn peers_are_multiaddrs() {
    let peer = |peer: &str| refused(|spec| spec.bootstrap_peers = vec![peer.to_owned()]);
    for wrong in ["", "127.0.0.1:9333", &format!("/{}", "a".repeat(256))] {
        let error = peer(wrong);
        let SpecError::Malformed { field, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(field, "bootstrap_peers[0]");
    }
    assert_eq!(
        refused(|spec| spec.bootstrap_peers = vec!["/ip4/127.0.0.1/tcp/1".to_owned(); 257]),
        out_of_range("the number of bootstrap_peers", 257, 0, 256)
    );
}
