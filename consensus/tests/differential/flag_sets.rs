//! Under which flags a case is verified.

use pyrite_consensus::script::ScriptFlags;

use crate::random::Random;

/// How many sets of flags both engines verify each case under.
pub(crate) const COMPARED_SETS: u64 = 2;

/// The flags for one case.
pub(crate) struct FlagSets {
    /// For both engines: every consensus rule, and some of them.
    pub(crate) compared: [ScriptFlags; COMPARED_SETS as usize],
    /// For ours alone, because they hold rules of policy: those that the node relays by, and some on top
    /// of some consensus rules.
    pub(crate) policy: [ScriptFlags; 2],
}

impl FlagSets {
    /// The flags for the case of a number.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(!seed);
        let mut some_of = |all: &dyn Fn(ScriptFlags) -> bool| {
            let named = ScriptFlags::NAMED.iter().map(|(_, flag)| *flag);
            named
                .filter(|flag| all(*flag) && random.below(3) != 0)
                .fold(ScriptFlags::NONE, |flags, flag| flags | flag)
        };
        let mut consensus = some_of(&|flag| ScriptFlags::ALL.contains(flag));
        // WITNESS does not go without P2SH.
        if consensus.contains(ScriptFlags::WITNESS) {
            consensus = consensus | ScriptFlags::P2SH;
        }
        let mut policy = some_of(&|flag| !ScriptFlags::ALL.contains(flag));
        // CLEANSTACK does not go without both.
        if !consensus.contains(ScriptFlags::WITNESS) {
            policy = policy.without(ScriptFlags::CLEANSTACK);
        }
        Self {
            compared: [ScriptFlags::ALL, consensus],
            policy: [ScriptFlags::STANDARD, consensus | policy],
        }
    }
}

/// The names of flags.
pub(crate) fn names(flags: ScriptFlags) -> String {
    let named = ScriptFlags::NAMED.iter();
    let names: Vec<_> = named
        .filter(|(_, flag)| flags.contains(*flag))
        .map(|(name, _)| *name)
        .collect();
    if names.is_empty() {
        return "NONE".to_owned();
    }
    names.join(",")
}
