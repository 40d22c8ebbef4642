//! Counts signature operations as Bitcoin does: from the bytes of scripts, without running them.

use bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY, OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_PUSHNUM_16,
};
use bitcoin::{Script, TxIn, Witness};

use super::instruction::{Instructions, small_number};

/// What a multisig counts for when the number of its keys is not known.
const MAX_PUBKEYS_PER_MULTISIG: u64 = 20;

/// How a multisig is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// Always as 20.
    Legacy,
    /// By the small number in front of it, when there is one.
    Accurate,
}

/// Signature operations of an input's or an output's script (Bitcoin Core's `GetSigOpCount(false)`).
pub(crate) fn legacy_sigops(script: &Script) -> u64 {
    // Most scripts by far: nothing, or a number and one push.
    if script.is_empty() || script.is_witness_program() {
        return 0;
    }
    count(script.as_bytes(), Counting::Legacy)
}

/// Signature operations of the redeem script, when `input` spends a P2SH output.
pub(crate) fn p2sh_sigops(input: &TxIn, spent_script: &Script) -> u64 {
    if !spent_script.is_p2sh() {
        return 0;
    }
    redeem_script(&input.script_sig).map_or(0, |script| count(script, Counting::Accurate))
}

/// Signature operations of the witness program that `input` spends, also one inside of P2SH (Bitcoin
/// Core's `CountWitnessSigOps`).
pub(crate) fn witness_sigops(input: &TxIn, spent_script: &Script) -> u64 {
    if spent_script.is_p2sh() {
        redeem_script(&input.script_sig).map_or(0, |script| {
            witness_program_sigops(Script::from_bytes(script), &input.witness)
        })
    } else {
        witness_program_sigops(spent_script, &input.witness)
    }
}

fn witness_program_sigops(program: &Script, witness: &Witness) -> u64 {
    if program.is_p2wpkh() {
        1
    } else if program.is_p2wsh() {
        witness
            .last()
            .map_or(0, |script| count(script, Counting::Accurate))
    } else {
        // Taproot has a budget for each input instead (BIP-0342).
        0
    }
}

/// What a P2SH input's script pushes last; `None` unless it only pushes. A number's opcode pushes no
/// bytes of the script, so it leaves an empty one.
fn redeem_script(script_sig: &Script) -> Option<&[u8]> {
    let mut last: &[u8] = &[];
    for instruction in Instructions::new(script_sig.as_bytes()) {
        let instruction = instruction.ok()?;
        if instruction.opcode.to_u8() > OP_PUSHNUM_16.to_u8() {
            return None;
        }
        last = instruction.data;
    }
    Some(last)
}

fn count(script: &[u8], counting: Counting) -> u64 {
    let mut total = 0;
    let mut previous = None;
    // What precedes a malformed push counts.
    for instruction in Instructions::new(script).map_while(Result::ok) {
        total += match instruction.opcode {
            OP_CHECKSIG | OP_CHECKSIGVERIFY => 1,
            OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => {
                match (counting, previous.and_then(small_number)) {
                    (Counting::Accurate, Some(keys)) => u64::from(keys),
                    _ => MAX_PUBKEYS_PER_MULTISIG,
                }
            }
            _ => 0,
        };
        previous = Some(instruction.opcode);
    }
    total
}

#[cfg(test)]
mod tests {
    use bitcoin::{OutPoint, ScriptBuf, Sequence};

    use super::*;

    fn accurate(script: &[u8]) -> u64 {
        count(script, Counting::Accurate)
    }

    fn legacy(script: &[u8]) -> u64 {
        count(script, Counting::Legacy)
    }

    fn input(script_sig: &[u8], witness: &[&[u8]]) -> TxIn {
        TxIn {
            previous_output: OutPoint::null(),
            script_sig: ScriptBuf::from_bytes(script_sig.to_vec()),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(witness),
        }
    }

    fn p2sh() -> ScriptBuf {
        let mut bytes = vec![0xa9, 20];
        bytes.extend([7; 20]);
        bytes.push(0x87);
        ScriptBuf::from_bytes(bytes)
    }

    #[test]
    fn checksig_counts_once_and_multisig_by_its_keys_or_as_twenty() {
        assert_eq!(legacy(&[0xac, 0xad]), 2);
        // OP_3 OP_CHECKMULTISIG
        assert_eq!(legacy(&[0x53, 0xae]), 20);
        assert_eq!(accurate(&[0x53, 0xae]), 3);
        assert_eq!(accurate(&[0x60, 0xaf]), 16);
        assert_eq!(accurate(&[0x00, 0xae]), 20);
        assert_eq!(accurate(&[0xae]), 20);
        // The number has to be right in front: OP_2 OP_CHECKSIG OP_CHECKMULTISIG.
        assert_eq!(accurate(&[0x52, 0xac, 0xae]), 21);
    }

    #[test]
    fn pushed_bytes_do_not_count_and_a_cut_off_push_ends_the_count() {
        assert_eq!(legacy(&[0x02, 0xac, 0xac]), 0);
        assert_eq!(legacy(&[0xac, 0x02, 0xac]), 1);
        assert_eq!(legacy(&[0x4c, 0x01, 0xac, 0xac]), 1);
        assert_eq!(legacy(&[0x4d, 0x01, 0x00, 0xac, 0xac]), 1);
        assert_eq!(legacy(&[0x4e, 0x01, 0x00, 0x00, 0x00, 0xac, 0xac]), 1);
        assert_eq!(legacy(&[0xac, 0x4c]), 1);
        assert_eq!(legacy(&[0xac, 0x4e, 0xff, 0xff, 0xff, 0xff, 0xac]), 1);
    }

    #[test]
    fn redeem_script_counts_only_below_p2sh_and_only_if_all_is_pushed() {
        // A push of OP_2 OP_CHECKMULTISIG.
        let spend = input(&[0x00, 0x02, 0x52, 0xae], &[]);
        assert_eq!(p2sh_sigops(&spend, &p2sh()), 2);
        assert_eq!(p2sh_sigops(&spend, Script::from_bytes(&[0x51])), 0);
        // OP_NOP in front.
        assert_eq!(
            p2sh_sigops(&input(&[0x61, 0x02, 0x52, 0xae], &[]), &p2sh()),
            0
        );
        assert_eq!(
            p2sh_sigops(&input(&[0x02, 0x52, 0xae, 0x05], &[]), &p2sh()),
            0
        );
        // OP_1 pushes no bytes of the script.
        assert_eq!(p2sh_sigops(&input(&[0x01, 0xac, 0x51], &[]), &p2sh()), 0);
    }

    #[test]
    fn witness_programs_count_by_version_and_length() {
        let mut p2wpkh = vec![0x00, 20];
        p2wpkh.extend([7; 20]);
        let mut p2wsh = vec![0x00, 32];
        p2wsh.extend([7; 32]);
        let mut p2tr = p2wsh.clone();
        p2tr[0] = 0x51;
        let script_witness: &[&[u8]] = &[&[], &[0x52, 0xae]];

        assert_eq!(
            witness_sigops(&input(&[], &[]), Script::from_bytes(&p2wpkh)),
            1
        );
        assert_eq!(
            witness_sigops(&input(&[], script_witness), Script::from_bytes(&p2wsh)),
            2
        );
        assert_eq!(
            witness_sigops(&input(&[], &[]), Script::from_bytes(&p2wsh)),
            0
        );
        assert_eq!(
            witness_sigops(&input(&[], script_witness), Script::from_bytes(&p2tr)),
            0
        );

        let mut nested = vec![34];
        nested.extend(&p2wsh);
        assert_eq!(witness_sigops(&input(&nested, script_witness), &p2sh()), 2);
        nested.insert(0, 0x61);
        assert_eq!(witness_sigops(&input(&nested, script_witness), &p2sh()), 0);
    }
}
