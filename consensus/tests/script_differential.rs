//! Random and mutated spends of every kind of output, verified here and by Bitcoin Core's
//! `bitcoinconsensus`: the verdicts must agree. `make differential` compares many more with a newer engine.
//!
//! `PYRITE_DIFFERENTIAL_COUNT` says how many executions there are, `PYRITE_DIFFERENTIAL_SEED` where the
//! numbers of the cases begin.

mod differential;
mod random;

use bitcoinconsensus::Utxo;
use differential::flag_sets::COMPARED_SETS;
use differential::run::Run;
use differential::spend::Case;
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::script::ScriptFlags;

/// Executions when nobody says how many: some seconds' worth.
const DEFAULT_COUNT: u64 = 50_000;

/// The verdicts of Bitcoin Core.
fn bitcoin_core(case: &Case, flag_sets: &[ScriptFlags]) -> Vec<bool> {
    let spent: Vec<_> = case
        .spent_outputs
        .iter()
        .map(|output| Utxo {
            script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(output.script_pubkey.len()).expect("short"),
            value: i64::try_from(output.value.to_sat()).expect("little money"),
        })
        .collect();
    let transaction = serialize(&case.transaction);
    let verify = |flags: &ScriptFlags| {
        let verdict = bitcoinconsensus::verify_with_flags(
            case.spent_script().as_bytes(),
            case.spent_outputs[case.input].value.to_sat(),
            &transaction,
            Some(&spent),
            case.input,
            flags.bits(),
        );
        match verdict {
            Ok(()) => true,
            Err(bitcoinconsensus::Error::ERR_SCRIPT) => false,
            Err(error) => panic!("the oracle can't work on a case: {error:?}"),
        }
    };
    flag_sets.iter().map(verify).collect()
}

fn number_from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}")))
}

#[test]
fn verdicts_are_bitcoin_core_s() {
    let count = number_from_environment("PYRITE_DIFFERENTIAL_COUNT").unwrap_or(DEFAULT_COUNT);
    let first = number_from_environment("PYRITE_DIFFERENTIAL_SEED").unwrap_or(0);
    let run = Run::new(first..first + count.div_ceil(COMPARED_SETS));
    let threads = std::thread::available_parallelism().expect("the number of processors");
    let summary = run.verify(bitcoin_core, threads);

    println!("{summary}");
    assert_eq!(
        summary.objection_count,
        0,
        "{}",
        summary.objections.join("\n")
    );
    if count >= DEFAULT_COUNT {
        assert_eq!(summary.gaps(), Vec::<String>::new(), "not reached");
    }
}
