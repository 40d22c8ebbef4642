//! A script as `decodescript` shows it, with the addresses that it can be paid by.

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::key::PublicKey;
use pyrite_consensus::bitcoin::{Address, Network, Script, ScriptBuf, WPubkeyHash};
use pyrite_wallet::miniscript::{Descriptor, Miniscript, Segwitv0};
use serde::Serialize;

use super::descriptor::{infer_descriptor, with_checksum};
use super::script::{Instructions, OutputKind, SignatureHashes, asm, output_kind};

/// A script.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DecodedScriptJson {
    asm: String,
    desc: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    p2sh: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segwit: Option<SegwitJson>,
}

/// The witness program that stands for a script.
#[derive(Clone, Debug, Serialize)]
struct SegwitJson {
    asm: String,
    desc: String,
    hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "p2sh-segwit")]
    p2sh_segwit: String,
}

/// The form of a script. One that can never run has no addresses.
pub(crate) fn decoded_script_json(
    script: &Script,
    network: Network,
    is_unspendable: bool,
) -> DecodedScriptJson {
    let kind = output_kind(script);
    let can_wrap = !is_unspendable && can_be_in_script_hash(&kind) && !has_success(script);
    DecodedScriptJson {
        asm: asm(script, SignatureHashes::AsData),
        desc: infer_descriptor(script, network),
        address: address(script, network),
        kind: kind.name(),
        p2sh: can_wrap.then(|| script_hash_address(script, network)),
        segwit: witness_program(script, &kind)
            .filter(|_| can_wrap)
            .map(|program| segwit_json(&program, script, network)),
    }
}

fn segwit_json(program: &Script, script: &Script, network: Network) -> SegwitJson {
    let desc = if program.is_p2wsh() {
        witness_script_descriptor(script)
    } else {
        None
    };
    SegwitJson {
        asm: asm(program, SignatureHashes::AsData),
        desc: desc.unwrap_or_else(|| infer_descriptor(program, network)),
        hex: hex::encode(program.as_bytes()),
        address: address(program, network),
        kind: output_kind(program).name(),
        p2sh_segwit: script_hash_address(program, network),
    }
}

/// The descriptor of a witness script whose keys all show.
pub(crate) fn witness_script_descriptor(script: &Script) -> Option<String> {
    if let OutputKind::Multisig { required, keys } = output_kind(script) {
        let is_valid = |key: &&[u8]| key.len() == 33 && PublicKey::from_slice(key).is_ok();
        let shown: Vec<String> = keys.iter().map(hex::encode).collect();
        let text = format!("wsh(multi({required},{}))", shown.join(","));
        return keys.iter().all(is_valid).then(|| with_checksum(&text));
    }
    let inner = Miniscript::<PublicKey, Segwitv0>::parse(script).ok()?;
    let descriptor = Descriptor::new_wsh(inner).ok()?;
    let text = format!("{descriptor:#}");
    (!text.contains("expr_raw")).then(|| with_checksum(&text))
}

fn address(script: &Script, network: Network) -> Option<String> {
    let address = Address::from_script(script, network).ok()?;
    Some(address.to_string())
}

fn script_hash_address(script: &Script, network: Network) -> String {
    Address::from_script(&script.to_p2sh(), network)
        .map(|address| address.to_string())
        .unwrap_or_default()
}

/// Whether such a script is put behind its hash.
fn can_be_in_script_hash(kind: &OutputKind<'_>) -> bool {
    matches!(
        kind,
        OutputKind::Multisig { .. }
            | OutputKind::NonStandard
            | OutputKind::PublicKey(_)
            | OutputKind::PublicKeyHash
            | OutputKind::WitnessKeyHash
            | OutputKind::WitnessScriptHash
    )
}

/// The witness program that stands for a script, if one may.
fn witness_program(script: &Script, kind: &OutputKind<'_>) -> Option<ScriptBuf> {
    let is_compressed = |key: &[u8]| key.len() == 33;
    match kind {
        OutputKind::PublicKey(key) if is_compressed(key) => {
            let key = PublicKey::from_slice(key).ok();
            let hash = key.and_then(|key| key.wpubkey_hash().ok());
            hash.map(|hash| ScriptBuf::new_p2wpkh(&hash))
        }
        OutputKind::PublicKeyHash => {
            let hash: &[u8; 20] = script.as_bytes().get(3..23)?.try_into().ok()?;
            let hash = WPubkeyHash::from_byte_array(*hash);
            Some(ScriptBuf::new_p2wpkh(&hash))
        }
        OutputKind::Multisig { keys, .. } if keys.iter().all(|key| is_compressed(key)) => {
            Some(script.to_p2wsh())
        }
        OutputKind::NonStandard => Some(script.to_p2wsh()),
        _ => None,
    }
}

/// Whether a script has an opcode that tapscript alone knows (Bitcoin Core's `IsOpSuccess`, and
/// `OP_CHECKSIGADD`).
fn has_success(script: &Script) -> bool {
    Instructions(script.as_bytes()).any(|item| {
        item.is_ok_and(|item| {
            matches!(
                item.opcode,
                80 | 98
                    | 126..=129
                    | 131..=134
                    | 137..=138
                    | 141..=142
                    | 149..=153
                    | 186..=254
            )
        })
    })
}
