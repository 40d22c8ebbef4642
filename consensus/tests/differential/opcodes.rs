//! Which opcodes a script has, and which of them can succeed at all.

use std::collections::BTreeMap;

use pyrite_consensus::bitcoin::Script;

use super::content::Dialect;
use super::writer::{SUCCESS_OPCODES, op};

/// Whether an opcode was executed, should its script have succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Perhaps not: it is inside of a conditional.
    InBranch,
    /// For certain.
    OnTheWay,
}

/// The opcodes that decide about a script, each with its best place.
pub(crate) fn opcodes(dialect: Dialect, script: &Script) -> BTreeMap<u8, Place> {
    let mut places = BTreeMap::new();
    let mut depth = 0_usize;
    for (position, _) in script.instruction_indices().map_while(Result::ok) {
        let opcode = script.as_bytes()[position];
        if dialect == Dialect::Tapscript && SUCCESS_OPCODES.contains(&opcode) {
            // Nothing else in the script is looked at.
            return BTreeMap::from([(opcode, Place::OnTheWay)]);
        }
        // The opcodes of a conditional are executed where it stands.
        if matches!(opcode, op::ELSE | op::ENDIF) {
            depth = depth.saturating_sub(1);
        }
        let place = if depth == 0 {
            Place::OnTheWay
        } else {
            Place::InBranch
        };
        let best = places.entry(opcode).or_insert(place);
        *best = place.max(*best);
        if matches!(opcode, op::IF | op::NOTIF | op::ELSE) {
            depth += 1;
        }
    }
    places
}

/// Whether a script in which an opcode is executed can succeed.
pub(crate) fn can_succeed(dialect: Dialect, opcode: u8) -> bool {
    let is_disabled = matches!(opcode, 0x7e..=0x81 | 0x83..=0x86 | 0x8d | 0x8e | 0x95..=0x99);
    let is_reserved = matches!(opcode, 0x50 | 0x62 | 0x89 | 0x8a);
    let is_unknown = opcode > op::NOP10;
    match (dialect, opcode) {
        (_, op::VERIF | op::VERNOTIF | op::RETURN | 0xff) => false,
        (Dialect::Tapscript, op::CHECKMULTISIG | op::CHECKMULTISIGVERIFY) => false,
        (Dialect::Tapscript, _) => true,
        _ => !(is_disabled || is_reserved || is_unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyrite_consensus::bitcoin::ScriptBuf;

    #[test]
    fn what_is_executed_is_outside_of_branches() {
        let script = ScriptBuf::from_bytes(vec![0x51, 0x63, 0x61, 0x67, 0x75, 0x68, 0x75, 0x52]);
        let expected = [
            (0x51, Place::OnTheWay),
            (0x52, Place::OnTheWay),
            (0x61, Place::InBranch),
            (0x63, Place::OnTheWay),
            (0x67, Place::OnTheWay),
            (0x68, Place::OnTheWay),
            (0x75, Place::OnTheWay),
        ];
        assert_eq!(opcodes(Dialect::Legacy, &script), BTreeMap::from(expected));
    }

    #[test]
    fn a_success_opcode_stands_alone() {
        let script = ScriptBuf::from_bytes(vec![0x51, 0x50, 0x75]);
        let alone = BTreeMap::from([(0x50, Place::OnTheWay)]);
        assert_eq!(opcodes(Dialect::Tapscript, &script), alone);
        assert_eq!(opcodes(Dialect::WitnessV0, &script).len(), 3);
    }
}
