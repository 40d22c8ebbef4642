//! The simulation obeys the node's own rules.

use pyrite_consensus::pow::lwma::recommended_window;
use pyrite_consensus::spec::Difficulty;
use pyrite_consensus::{HeaderError, check_header_in_chain};

use super::*;
use crate::chain::simulate::profile::Profile;
use crate::chain::simulate::report::{Recovery, figures};

/// The hash power with which `pyrite` starts on schedule.
const HASH_RATE: f64 = 104_857.0;

fn specs() -> Vec<ChainSpec> {
    let retarget = |bip94| Difficulty::Retarget {
        interval: 144,
        bip94,
    };
    let lwma = Difficulty::Lwma {
        window: recommended_window(10),
    };
    let asert = ChainSpec::pyrite().difficulty;
    [asert, lwma, retarget(false), retarget(true)]
        .into_iter()
        .flat_map(|difficulty| {
            [None, Some(60)].map(|min_difficulty_after_s| ChainSpec {
                difficulty: difficulty.clone(),
                min_difficulty_after_s,
                ..ChainSpec::pyrite()
            })
        })
        .collect()
}

fn simulate(spec: &ChainSpec, phases: &[Phase], seed: u64) -> Vec<SimulatedBlock> {
    run(&Setting {
        spec,
        hash_rate: HASH_RATE,
        phases,
        seed,
    })
    .expect("the chain is short")
}

/// All but the parent, which the simulation does not name, is as the rules ask for.
#[test]
fn every_header_obeys_the_rules() {
    for spec in specs() {
        let phases = Profile::StepDown.phases(600, 20.0);
        let mut chain = vec![spec.genesis_block().header];
        for block in simulate(&spec, &phases, 7) {
            let mut header = block.header;
            header.prev_blockhash = chain[chain.len() - 1].block_hash();
            let now = u64::from(header.time);
            let result = check_header_in_chain(&spec, &header, &chain[..], now);
            assert_eq!(result, Ok::<(), HeaderError>(()), "{:?}", spec.difficulty);
            chain.push(header);
        }
        assert_eq!(chain.len(), 601);
    }
}

#[test]
fn a_seed_gives_the_same_blocks() {
    let spec = ChainSpec::pyrite();
    let phases = Profile::OnOff.phases(200, 5.0);
    assert_eq!(simulate(&spec, &phases, 3), simulate(&spec, &phases, 3));
    assert_ne!(simulate(&spec, &phases, 3), simulate(&spec, &phases, 4));
}

/// When nearly all hash power leaves, blocks of the least difficulty keep the chain moving.
#[test]
fn the_least_difficulty_keeps_a_chain_moving() {
    let mut spec = ChainSpec::pyrite();
    spec.difficulty = Difficulty::Retarget {
        interval: 2_016,
        bip94: true,
    };
    let phases = Profile::StepDown.phases(400, 100.0);
    let after = |spec: &ChainSpec| {
        let blocks = simulate(spec, &phases, 1);
        figures(&phases, &blocks, 10.0)[1].mean_s
    };
    let without = after(&spec);
    spec.min_difficulty_after_s = Some(60);
    let with = after(&spec);
    // A hundred spacings, against the minute and a block with a sixteenth of the difficulty.
    assert!((700.0..1_300.0).contains(&without), "{without}");
    assert!((60.0..150.0).contains(&with), "{with}");
}

#[test]
fn responsive_algorithms_recover() {
    let phases = Profile::StepUp.phases(3_000, 10.0);
    for spec in &specs()[..4] {
        let figures = figures(&phases, &simulate(spec, &phases, 1), 10.0);
        let Recovery::After(blocks) = figures[1].recovery else {
            panic!("{:?} does not recover", spec.difficulty)
        };
        assert!((100..600).contains(&blocks), "{blocks}");
        assert!((figures[0].mean_s - 10.0).abs() < 1.0);
    }
    let mut fixed = ChainSpec::pyrite();
    fixed.difficulty = Difficulty::Fixed;
    let figures = figures(&phases, &simulate(&fixed, &phases, 1), 10.0);
    assert_eq!(figures[0].recovery, Recovery::After(0));
    assert_eq!(figures[1].recovery, Recovery::Never);
    assert!((figures[1].mean_s - 1.0).abs() < 0.1);
}

#[test]
fn the_end_of_time_is_an_error() {
    let spec = ChainSpec::pyrite();
    let phases = Profile::Steady.phases(20, 10.0);
    let result = run(&Setting {
        spec: &spec,
        hash_rate: 1e-9,
        phases: &phases,
        seed: 1,
    });
    let error = result.expect_err("each block takes millions of years");
    assert!(error.to_string().contains("2106"), "{error}");
}
