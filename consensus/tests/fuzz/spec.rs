//! Chain specs in TOML.

use std::sync::LazyLock;

use bolero::{check, produce};
use pyrite_consensus::bitcoin::{Amount, ScriptBuf};
use pyrite_consensus::spec::{Allocation, Difficulty};
use pyrite_consensus::{ChainSpec, SpecError};
use pyrite_fuzzing::TextDamage;

/// Words of the format itself.
const WORDS: [&str; 14] = [
    "asert",
    "lwma",
    "retarget",
    "fixed",
    "mainnet",
    "testnet",
    "genesis",
    "allocations",
    "difficulty",
    "[genesis]",
    "\n[[genesis.allocations]]\n",
    "never",
    "207fffff",
    "2100000000000000",
];

/// What is damaged: one spec of each algorithm, one with coins in its genesis block.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let allocation = Allocation {
        script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
        value: Amount::from_sat(5),
    };
    let lwma = ChainSpec {
        difficulty: Difficulty::Lwma { window: 60 },
        ..ChainSpec::pyrite()
    };
    let specs = [
        ChainSpec::pyrite(),
        ChainSpec::regtest(),
        ChainSpec::mainnet(),
        ChainSpec::regtest().derive("own", 1_600_000_000, "text", vec![allocation]),
        lwma,
    ];
    specs.iter().map(ChainSpec::to_toml).collect()
});

/// What reading must keep to, whatever the text.
fn check_reading(text: &str) -> Result<ChainSpec, SpecError> {
    let read = ChainSpec::from_toml(text);
    let problems = ChainSpec::check_toml(text);
    match &read {
        Ok(spec) => {
            assert_eq!(problems, []);
            assert_eq!(spec.validate(), Ok(()));
            let again = ChainSpec::from_toml(&spec.to_toml());
            assert_eq!(again.as_ref(), Ok(spec), "{}", spec.to_toml());
        }
        Err(error) => {
            assert_eq!(problems.first(), Some(error));
            assert!(problems.len() <= 100);
            for problem in problems {
                let message = problem.to_string();
                assert_eq!(message.lines().count(), 1, "{message:?}");
                assert!(message.len() < 2000, "{message:?}");
            }
        }
    }
    read
}

#[test]
fn fuzz_damaged_chain_spec() {
    let which = 0..TEXTS.len();
    check!()
        .with_generator((which, produce::<TextDamage>()))
        .for_each(|(which, damage)| {
            let read = check_reading(&damage.apply(&TEXTS[*which], &WORDS));
            assert!(!damage.is_none() || read.is_ok(), "{read:?}");
        });
}

#[test]
fn fuzz_any_chain_spec() {
    check!().for_each(|bytes| {
        let _ = check_reading(&String::from_utf8_lossy(bytes));
    });
}
