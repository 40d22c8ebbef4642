//! Random and mutated spends of every kind of output, verified here and by Bitcoin Core's
//! `bitcoinconsensus`: the verdicts must agree.
//!
//! `PYRITE_DIFFERENTIAL_COUNT` says how many executions there are, `PYRITE_DIFFERENTIAL_SEED` where the
//! numbers of the cases begin.

mod differential;
mod random;

use std::collections::BTreeMap;

use bitcoinconsensus::Utxo;
use differential::spend::{Case, Kind, case};
use pyrite_consensus::bitcoin::consensus::serialize;
use pyrite_consensus::script::sighash::SpendingTransaction;
use pyrite_consensus::script::{
    InputChecker, ScriptFailure, ScriptFlags, Secp256k1Verifier, verify_script,
};
use random::Random;

/// Executions when nobody says how many: some seconds' worth.
const DEFAULT_COUNT: u64 = 50_000;

/// Each case is verified under these many sets of flags.
const FLAG_SETS: u64 = 2;

/// The verdict of Bitcoin Core.
fn oracle(case: &Case, transaction: &[u8], flags: ScriptFlags) -> bool {
    let spent: Vec<_> = case
        .spent_outputs
        .iter()
        .map(|output| Utxo {
            script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(output.script_pubkey.len()).expect("short"),
            value: i64::try_from(output.value.to_sat()).expect("little money"),
        })
        .collect();
    let own = &case.spent_outputs[case.input];
    let verdict = bitcoinconsensus::verify_with_flags(
        own.script_pubkey.as_bytes(),
        own.value.to_sat(),
        transaction,
        Some(&spent),
        case.input,
        flags.bits(),
    );
    match verdict {
        Ok(()) => true,
        Err(bitcoinconsensus::Error::ERR_SCRIPT) => false,
        Err(error) => panic!("the oracle can't work on a case: {error:?}"),
    }
}

fn ours(
    case: &Case,
    spending: &SpendingTransaction,
    flags: ScriptFlags,
) -> Result<(), ScriptFailure> {
    let checker = InputChecker::new(spending, case.input, &Secp256k1Verifier);
    let checker = checker.expect("one spent output for each input");
    let input = &case.transaction.input[case.input];
    let spent_script = &case.spent_outputs[case.input].script_pubkey;
    verify_script(
        &input.script_sig,
        spent_script,
        &input.witness,
        flags,
        &checker,
    )
}

/// Every consensus rule, and some of them.
fn flag_sets(seed: u64) -> [ScriptFlags; FLAG_SETS as usize] {
    let mut random = Random::new(!seed);
    let named = ScriptFlags::NAMED.iter().map(|(_, flag)| *flag);
    let some = named
        .filter(|flag| ScriptFlags::ALL.contains(*flag) && random.below(3) != 0)
        .fold(ScriptFlags::NONE, |flags, flag| flags | flag);
    // WITNESS does not go without P2SH.
    let some = if some.contains(ScriptFlags::WITNESS) {
        some | ScriptFlags::P2SH
    } else {
        some
    };
    [ScriptFlags::ALL, some]
}

/// What the cases came to.
#[derive(Default)]
struct Summary {
    executions: u64,
    /// For each kind how many were accepted and refused.
    verdicts: BTreeMap<Kind, [u64; 2]>,
    failures: BTreeMap<&'static str, u64>,
    /// For each opcode in how many scripts it was, and in how many that were accepted.
    opcodes: BTreeMap<u8, [u64; 2]>,
    disagreements: Vec<String>,
}

impl Summary {
    fn run(seeds: impl Iterator<Item = u64>) -> Self {
        let mut summary = Self::default();
        for seed in seeds {
            summary.add(seed, &case(seed));
        }
        summary
    }

    fn add(&mut self, seed: u64, case: &Case) {
        let transaction = serialize(&case.transaction);
        let spending =
            SpendingTransaction::new(case.transaction.clone().into(), case.spent_outputs.clone());
        for flags in flag_sets(seed) {
            let (ours, oracle) = (
                ours(case, &spending, flags),
                oracle(case, &transaction, flags),
            );
            if ours.is_ok() != oracle {
                self.disagreements.push(format!(
                    "case {seed} ({:?}) with {:x}: {ours:?}, oracle {oracle}\n  {}\n  input {} {:?}",
                    case.kind,
                    flags.bits(),
                    hex::encode(&transaction),
                    case.input,
                    case.spent_outputs,
                ));
            }
            self.executions += 1;
            self.verdicts.entry(case.kind).or_default()[usize::from(!oracle)] += 1;
            let name = ours.map_or_else(ScriptFailure::name, |()| "OK");
            *self.failures.entry(name).or_default() += 1;
            for opcode in opcodes(&case.script) {
                let count = self.opcodes.entry(opcode).or_default();
                count[0] += 1;
                count[1] += u64::from(oracle);
            }
        }
    }

    fn merge(mut self, other: Self) -> Self {
        fn add<const N: usize>(sums: &mut [u64; N], counts: [u64; N]) {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        self.executions += other.executions;
        for (kind, counts) in other.verdicts {
            add(self.verdicts.entry(kind).or_default(), counts);
        }
        for (name, count) in other.failures {
            *self.failures.entry(name).or_default() += count;
        }
        for (opcode, counts) in other.opcodes {
            add(self.opcodes.entry(opcode).or_default(), counts);
        }
        self.disagreements.extend(other.disagreements);
        self
    }
}

/// The different opcodes of a script.
fn opcodes(script: &[u8]) -> Vec<u8> {
    let script = pyrite_consensus::bitcoin::Script::from_bytes(script);
    let mut opcodes: Vec<_> = script
        .instruction_indices()
        .map_while(Result::ok)
        .map(|(position, _)| script.as_bytes()[position])
        .collect();
    opcodes.sort_unstable();
    opcodes.dedup();
    opcodes
}

fn number_from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}")))
}

#[test]
fn verdicts_are_bitcoin_core_s() {
    let count = number_from_environment("PYRITE_DIFFERENTIAL_COUNT").unwrap_or(DEFAULT_COUNT);
    let first = number_from_environment("PYRITE_DIFFERENTIAL_SEED").unwrap_or(0);
    let seeds = first..first + count.div_ceil(FLAG_SETS);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let summary = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let seeds = seeds.clone().skip(worker).step_by(threads);
                scope.spawn(move || Summary::run(seeds))
            })
            .collect();
        let summaries = workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"));
        summaries.fold(Summary::default(), Summary::merge)
    });

    let accepted = summary.opcodes.values().filter(|counts| counts[1] > 0);
    println!(
        "{} executions agree but for {}; {} opcodes, {} in accepted scripts",
        summary.executions,
        summary.disagreements.len(),
        summary.opcodes.len(),
        accepted.count(),
    );
    println!("accepted and refused: {:?}", summary.verdicts);
    println!("failures: {:?}", summary.failures);
    println!(
        "scripts with each opcode, all and accepted: {:x?}",
        summary.opcodes
    );
    assert!(
        summary.disagreements.is_empty(),
        "{}",
        summary.disagreements[..summary.disagreements.len().min(5)].join("\n")
    );
    if count < DEFAULT_COUNT {
        return;
    }
    assert_eq!(summary.opcodes.len(), 256, "every opcode");
    for (kind, [accepted, refused]) in summary.verdicts {
        assert!(accepted > 0 && refused > 0, "{kind:?}");
    }
}
