//! What the engines say about one case.

use std::fmt::{self, Display, Formatter};

use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::script::sighash::SpendingTransaction;
use pyrite_consensus::script::{
    InputChecker, ScriptFailure, ScriptFlags, Secp256k1Verifier, verify_script,
};

use super::flag_sets::{FlagSets, names};
use super::spend::{Case, case};

/// Another engine: whether it accepts a case under each of some sets of flags.
pub(crate) type Oracle = fn(&Case, &[ScriptFlags]) -> Vec<bool>;

/// Our verdict.
pub(crate) type Verdict = Result<(), ScriptFailure>;

/// What the engines say about the case of a number.
pub(crate) struct Verdicts {
    pub(crate) seed: u64,
    pub(crate) case: Case,
    pub(crate) flag_sets: FlagSets,
    /// Ours and the oracle's, for each of the compared sets of flags.
    pub(crate) compared: Vec<(Verdict, bool)>,
    /// Ours, for each set of flags with policy.
    pub(crate) policy: Vec<Verdict>,
}

impl Verdicts {
    pub(crate) fn new(seed: u64, oracle: Oracle) -> Self {
        let case = case(seed);
        let flag_sets = FlagSets::new(seed);
        let spending =
            SpendingTransaction::new(case.transaction.clone().into(), case.spent_outputs.clone());
        let ours = |flags: &ScriptFlags| ours(&case, &spending, *flags);
        let theirs = oracle(&case, &flag_sets.compared);
        let compared = flag_sets.compared.iter().map(ours).zip(theirs).collect();
        let policy = flag_sets.policy.iter().map(ours).collect();
        Self {
            seed,
            case,
            flag_sets,
            compared,
            policy,
        }
    }

    /// What is wrong with them, if anything.
    pub(crate) fn objections(&self) -> Vec<String> {
        let mut objections = self.disagreements();
        objections.extend(self.loosening_flags());
        objections
    }

    fn disagreements(&self) -> Vec<String> {
        let sets = self.flag_sets.compared.iter().zip(&self.compared);
        sets.filter(|(_, (ours, oracle))| ours.is_ok() != *oracle)
            .map(|(flags, (ours, oracle))| {
                let oracle = if *oracle { "accepts" } else { "refuses" };
                let flags = names(*flags);
                format!("the oracle {oracle}, ours is {ours:?}, under {flags}\n{self}")
            })
            .collect()
    }

    /// Flags only restrict: what is accepted under some is accepted under fewer. The node counts on it when
    /// it takes a script that was verified by policy for one that keeps the consensus rules.
    fn loosening_flags(&self) -> Vec<String> {
        let ours = self.compared.iter().map(|(ours, _)| ours);
        let verdicts = ours.chain(&self.policy);
        let flag_sets = self.flag_sets.compared.iter().chain(&self.flag_sets.policy);
        let all: Vec<_> = flag_sets.zip(verdicts).collect();
        let mut objections = Vec::new();
        for (more, verdict) in all.iter().filter(|(_, verdict)| verdict.is_ok()) {
            for (fewer, other) in all.iter().filter(|(flags, _)| more.contains(**flags)) {
                if other.is_err() {
                    let (more, fewer) = (names(**more), names(**fewer));
                    objections.push(format!(
                        "ours is {verdict:?} under {more}, but {other:?} under {fewer}\n{self}"
                    ));
                }
            }
        }
        objections
    }
}

/// The case in full, to repeat it elsewhere.
impl Display for Verdicts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Case {
            kind,
            transaction,
            spent_outputs,
            input,
        } = &self.case;
        writeln!(f, "  seed {}, {kind:?}, input {input}", self.seed)?;
        writeln!(f, "  transaction {}", serialize_hex(transaction))?;
        for output in spent_outputs {
            let (value, script) = (output.value.to_sat(), &output.script_pubkey);
            writeln!(f, "  spends {value} sat, {}", script.to_hex_string())?;
        }
        Ok(())
    }
}

fn ours(case: &Case, spending: &SpendingTransaction, flags: ScriptFlags) -> Verdict {
    let checker = InputChecker::new(spending, case.input, &Secp256k1Verifier);
    let checker = checker.expect("one spent output for each input");
    let input = case.own_input();
    verify_script(
        &input.script_sig,
        case.spent_script(),
        &input.witness,
        flags,
        &checker,
    )
}
