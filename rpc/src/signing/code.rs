//! The script that the signatures of an input are for.

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::script::Instruction;
use pyrite_consensus::bitcoin::{PubkeyHash, Script, ScriptBuf, psbt};

use crate::json::{OutputKind, output_kind};

/// Which rules say what a signature signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Bitcoin's first.
    Legacy,
    /// Witness version 0 (BIP-0143).
    Witness,
}

/// What signatures of an input are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A script.
    Script(Version, ScriptBuf),
    /// A taproot output key.
    Taproot([u8; 32]),
    /// Not known, or nothing can be signed.
    Unknown,
}

/// What the signatures of an input that spends an output with this script are for.
pub(super) fn code(output: &Script, input: &psbt::Input) -> Code {
    match output_kind(output) {
        OutputKind::ScriptHash => {
            let redeem = input
                .redeem_script
                .as_ref()
                .filter(|redeem| redeem.to_p2sh().as_script() == output);
            match redeem {
                Some(redeem) if redeem.is_p2sh() || redeem.is_p2tr() => Code::Unknown,
                Some(redeem) if redeem.is_witness_program() => witness_code(redeem, input),
                Some(redeem) => Code::Script(Version::Legacy, redeem.clone()),
                None => Code::Unknown,
            }
        }
        OutputKind::Taproot(key) => key.try_into().map_or(Code::Unknown, Code::Taproot),
        _ if output.is_witness_program() => witness_code(output, input),
        _ => Code::Script(Version::Legacy, output.to_owned()),
    }
}

fn witness_code(program: &Script, input: &psbt::Input) -> Code {
    let script = match output_kind(program) {
        OutputKind::WitnessKeyHash => {
            let hash = <[u8; 20]>::try_from(&program.as_bytes()[2..]).ok();
            hash.map(|hash| ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)))
        }
        OutputKind::WitnessScriptHash => input
            .witness_script
            .clone()
            .filter(|script| script.to_p2wsh().as_script() == program),
        _ => None,
    };
    script.map_or(Code::Unknown, |script| {
        Code::Script(Version::Witness, script)
    })
}

/// What a script pushes; nothing of one that is cut off.
pub(super) fn pushes(script: &Script) -> Vec<&[u8]> {
    let instructions: Result<Vec<_>, _> = script.instructions().collect();
    instructions
        .unwrap_or_default()
        .into_iter()
        .filter_map(|instruction| match instruction {
            Instruction::PushBytes(bytes) => Some(bytes.as_bytes()),
            Instruction::Op(_) => None,
        })
        .collect()
}
