//! What a run came to: counts, coverage, and what is wrong.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use pyrite_consensus::bitcoin::Opcode;
use pyrite_consensus::script::ScriptFailure;

use super::content::Dialect;
use super::feature::Feature;
use super::opcodes::{Place, can_succeed, opcodes};
use super::path::Path;
use super::spend::Kind;
use super::verdicts::Verdicts;

/// How many objections are kept in full.
const MAX_OBJECTIONS: usize = 10;

/// Verdicts.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl Tally {
    fn add(&mut self, is_accepted: bool) {
        self.accepted += u64::from(is_accepted);
        self.refused += u64::from(!is_accepted);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
    }
}

/// How many scripts have an opcode.
#[derive(Clone, Copy, Default)]
pub(crate) struct OpcodeCount {
    pub(crate) scripts: u64,
    /// Of those, in spends that were accepted.
    pub(crate) accepted: u64,
    /// Of those, outside of branches, so that it was executed for certain.
    pub(crate) executed: u64,
}

impl AddAssign for OpcodeCount {
    fn add_assign(&mut self, other: Self) {
        self.scripts += other.scripts;
        self.accepted += other.accepted;
        self.executed += other.executed;
    }
}

/// What the cases came to.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) cases: u64,
    /// Verdicts of both engines.
    pub(crate) executions: u64,
    /// Cases that also keep all rules of policy.
    pub(crate) standard: u64,
    /// Executions by the kind of output that was meant.
    pub(crate) kinds: BTreeMap<Kind, Tally>,
    /// Executions by what ours says.
    pub(crate) failures: BTreeMap<&'static str, u64>,
    /// Cases under every consensus rule, by the way they are verified.
    pub(crate) features: BTreeMap<Feature, Tally>,
    /// Scripts under every consensus rule, by their opcodes.
    pub(crate) opcodes: BTreeMap<(Dialect, u8), OpcodeCount>,
    pub(crate) objection_count: u64,
    /// The first of them.
    pub(crate) objections: Vec<String>,
}

impl Summary {
    pub(crate) fn add(&mut self, verdicts: &Verdicts) {
        self.cases += 1;
        for (ours, oracle) in &verdicts.compared {
            self.executions += 1;
            self.kinds
                .entry(verdicts.case.kind)
                .or_default()
                .add(*oracle);
            let name = ours.map_or_else(ScriptFailure::name, |()| "OK");
            *self.failures.entry(name).or_default() += 1;
        }
        self.standard += u64::from(verdicts.policy[0].is_ok());
        self.add_path(verdicts);
        self.object(verdicts.objections());
    }

    /// Counts the way of the first verdict, which is under every consensus rule.
    fn add_path(&mut self, verdicts: &Verdicts) {
        let (ours, is_accepted) = verdicts.compared[0];
        let path = Path::of(&verdicts.case);
        for feature in path.features {
            self.features.entry(feature).or_default().add(is_accepted);
        }
        if ours == Err(ScriptFailure::TapscriptValidationWeight) {
            let feature = Feature::BudgetExceeded;
            self.features.entry(feature).or_default().add(is_accepted);
        }
        let Some((dialect, script)) = path.script else {
            return;
        };
        for (opcode, place) in opcodes(dialect, script) {
            let is_executed = is_accepted && place == Place::OnTheWay;
            *self.opcodes.entry((dialect, opcode)).or_default() += OpcodeCount {
                scripts: 1,
                accepted: u64::from(is_accepted),
                executed: u64::from(is_executed),
            };
        }
    }

    fn object(&mut self, objections: Vec<String>) {
        self.objection_count += u64::try_from(objections.len()).expect("few");
        let room = MAX_OBJECTIONS.saturating_sub(self.objections.len());
        self.objections.extend(objections.into_iter().take(room));
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.cases += other.cases;
        self.executions += other.executions;
        self.standard += other.standard;
        for (kind, tally) in other.kinds {
            *self.kinds.entry(kind).or_default() += tally;
        }
        for (name, count) in other.failures {
            *self.failures.entry(name).or_default() += count;
        }
        for (feature, tally) in other.features {
            *self.features.entry(feature).or_default() += tally;
        }
        for (opcode, count) in other.opcodes {
            *self.opcodes.entry(opcode).or_default() += count;
        }
        self.objection_count += other.objection_count;
        self.objections.extend(other.objections);
        self.objections.truncate(MAX_OBJECTIONS);
        self
    }

    /// What a run of some ten thousand cases would have reached, and this one did not.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for kind in Kind::ALL {
            let tally = self.kinds.get(&kind).copied().unwrap_or_default();
            if tally.accepted == 0 || tally.refused == 0 {
                gaps.push(format!("{kind:?}: both verdicts"));
            }
        }
        for (feature, name) in Feature::NAMED {
            let tally = self.features.get(&feature).copied().unwrap_or_default();
            if feature.is_acceptable() && tally.accepted == 0 {
                gaps.push(format!("{name}: accepted"));
            } else if !feature.is_acceptable() && tally.refused == 0 {
                gaps.push(format!("{name}: refused"));
            }
        }
        for opcode in 0..=u8::MAX {
            let counts = Dialect::ALL.map(|dialect| self.opcode(dialect, opcode));
            if counts.iter().all(|count| count.scripts == 0) {
                gaps.push(format!("{}: in a script", Opcode::from(opcode)));
            }
        }
        gaps
    }

    /// The same for a run of some hundred thousand cases: each opcode in each dialect, executed in an
    /// accepted spend if it can be.
    #[allow(dead_code, reason = "only a long run can be asked")]
    pub(crate) fn opcode_gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for dialect in Dialect::ALL {
            for opcode in 0..=u8::MAX {
                let count = self.opcode(dialect, opcode);
                let name = Opcode::from(opcode);
                if can_succeed(dialect, opcode) && count.executed == 0 {
                    gaps.push(format!("{dialect:?} {name}: executed in an accepted spend"));
                } else if count.scripts == 0 {
                    gaps.push(format!("{dialect:?} {name}: in a script"));
                }
            }
        }
        gaps
    }

    pub(crate) fn opcode(&self, dialect: Dialect, opcode: u8) -> OpcodeCount {
        let count = self.opcodes.get(&(dialect, opcode));
        count.copied().unwrap_or_default()
    }
}
