//! Descriptors, and the addresses of scripts.

use pyrite_consensus::bitcoin::opcodes::all::OP_CHECKMULTISIG;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{Address, Network, PublicKey, ScriptBuf};
use serde_json::{Value, json};

use super::Handler;
use crate::api::descriptors::DescriptorsServer;
use crate::call::{CallError, CallResult};
use crate::json::{OutputKind, checksum, output_kind, with_checksum, witness_script_descriptor};
use crate::params;
use crate::scan::{describe, is_combo, outputs_of_paths, read_range, require_checksum};

/// The most keys of a multisig (`MAX_PUBKEYS_PER_MULTISIG`).
const MAX_KEYS: usize = 20;

/// The longest script behind a script hash (`MAX_SCRIPT_ELEMENT_SIZE`).
const MAX_REDEEM_SCRIPT: usize = 520;

/// What is said when a multisig can't have the address type that was asked for.
const OTHER_TYPE: &str =
    "Unable to make chosen address type, please ensure no uncompressed public keys are present.";

impl DescriptorsServer for Handler {
    fn create_multisig(
        &self,
        nrequired: i64,
        keys: Vec<Value>,
        address_type: Option<String>,
    ) -> CallResult<Value> {
        let required = params::int(nrequired)?;
        let keys = keys
            .iter()
            .map(public_key)
            .collect::<CallResult<Vec<_>>>()?;
        let asked = MultisigType::read(address_type.as_deref().unwrap_or("legacy"))?;
        let script = multisig_script(required, &keys)?;
        let made = if keys.iter().all(|key| key.compressed) {
            asked
        } else {
            MultisigType::Legacy
        };
        if made == MultisigType::Legacy && script.len() > MAX_REDEEM_SCRIPT {
            return Err(CallError::invalid_parameter(format!(
                "redeemScript exceeds size limit: {} > {MAX_REDEEM_SCRIPT}",
                script.len()
            )));
        }
        let mut form = json!({
            "address": made.address(&script, self.address_network())?.to_string(),
            "redeemScript": hex::encode(script.as_bytes()),
            "descriptor": made.descriptor(&script, required, &keys),
        });
        if made != asked {
            form["warnings"] = json!([OTHER_TYPE]);
        }
        Ok(form)
    }

    fn derive_addresses(&self, descriptor: String, range: Option<Value>) -> CallResult<Value> {
        let indexes = range
            .as_ref()
            .filter(|range| !range.is_null())
            .map(read_range)
            .transpose()?;
        require_checksum(&descriptor)?;
        let kind = self.context.spec.address_kind;
        let description = describe(&descriptor, kind, &self.stop)?;
        if !description.is_range && range.is_some() {
            return Err(CallError::invalid_parameter(
                "Range should not be specified for an un-ranged descriptor",
            ));
        }
        if description.is_range && range.is_none() {
            return Err(CallError::invalid_parameter(
                "Range must be specified for a ranged descriptor",
            ));
        }
        let paths = description.canonical.len();
        let indexes = indexes.unwrap_or(0..=0);
        let outputs = outputs_of_paths(&descriptor, paths, indexes, kind, &self.stop)?;
        let skips_keys = is_combo(&descriptor);
        let mut of_paths = Vec::with_capacity(paths);
        for scripts in outputs {
            of_paths.push(self.addresses_of(&scripts, skips_keys)?);
        }
        match <[Value; 1]>::try_from(of_paths) {
            Ok([only]) => Ok(only),
            Err(of_paths) => Ok(of_paths.into()),
        }
    }

    fn get_descriptor_info(&self, descriptor: String) -> CallResult<Value> {
        let kind = self.context.spec.address_kind;
        let description = describe(&descriptor, kind, &self.stop)?;
        let mut form = json!({ "descriptor": description.canonical.first() });
        if description.canonical.len() > 1 {
            form["multipath_expansion"] = description.canonical.into();
        }
        let given = descriptor.split('#').next().unwrap_or_default();
        form["checksum"] = checksum(given).into();
        form["isrange"] = description.is_range.into();
        form["issolvable"] = description.is_solvable.into();
        form["hasprivatekeys"] = description.has_private_keys.into();
        Ok(form)
    }
}

impl Handler {
    fn addresses_of(&self, scripts: &[ScriptBuf], skips_keys: bool) -> CallResult<Value> {
        let mut addresses = Vec::with_capacity(scripts.len());
        for script in scripts {
            match Address::from_script(script, self.address_network()) {
                Ok(address) => addresses.push(address.to_string()),
                Err(_) if skips_keys && matches!(output_kind(script), OutputKind::PublicKey(_)) => {
                }
                Err(_) => {
                    return Err(CallError::not_found(
                        "Descriptor does not have a corresponding address",
                    ));
                }
            }
        }
        Ok(addresses.into())
    }
}

/// What the address of a multisig is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MultisigType {
    /// The hash of the script.
    Legacy,
    /// The hash of the script's witness program.
    ScriptHashWitness,
    /// The script's witness program.
    Witness,
}

impl MultisigType {
    fn read(name: &str) -> CallResult<Self> {
        match name {
            "legacy" => Ok(Self::Legacy),
            "p2sh-segwit" => Ok(Self::ScriptHashWitness),
            "bech32" => Ok(Self::Witness),
            "bech32m" => Err(CallError::not_found(
                "createmultisig cannot create bech32m multisig addresses",
            )),
            _ => Err(CallError::not_found(format!(
                "Unknown address type '{name}'"
            ))),
        }
    }

    fn output(self, script: &ScriptBuf) -> ScriptBuf {
        match self {
            Self::Legacy => script.to_p2sh(),
            Self::ScriptHashWitness => script.to_p2wsh().to_p2sh(),
            Self::Witness => script.to_p2wsh(),
        }
    }

    fn address(self, script: &ScriptBuf, network: Network) -> CallResult<Address> {
        Address::from_script(&self.output(script), network)
            .map_err(|error| CallError::misc(error.to_string()))
    }

    fn descriptor(self, script: &ScriptBuf, required: i32, keys: &[PublicKey]) -> String {
        let keys_text: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let multi = format!("multi({required},{})", keys_text.join(","));
        match self {
            Self::Legacy => with_checksum(&format!("sh({multi})")),
            Self::ScriptHashWitness => with_checksum(&format!("sh(wsh({multi}))")),
            Self::Witness => witness_script_descriptor(script)
                .unwrap_or_else(|| with_checksum(&format!("wsh({multi})"))),
        }
    }
}

/// Reads a public key (Bitcoin Core's `HexToPubKey`).
fn public_key(value: &Value) -> CallResult<PublicKey> {
    let text = params::text(value)?;
    let bytes = params::hex_digits(text)
        .ok_or_else(|| CallError::not_found(format!("Pubkey \"{text}\" must be a hex string")))?;
    if !matches!(bytes.len(), 33 | 65) {
        return Err(CallError::not_found(format!(
            "Pubkey \"{text}\" must have a length of either 33 or 65 bytes"
        )));
    }
    PublicKey::from_slice(&bytes).map_err(|_| {
        CallError::not_found(format!(
            "Pubkey \"{text}\" must be cryptographically valid."
        ))
    })
}

/// The script that some of these keys must sign.
fn multisig_script(required: i32, keys: &[PublicKey]) -> CallResult<ScriptBuf> {
    if required < 1 {
        return Err(CallError::invalid_parameter(
            "a multisignature address must require at least one key to redeem",
        ));
    }
    if usize::try_from(required).is_ok_and(|required| keys.len() < required) {
        return Err(CallError::invalid_parameter(format!(
            "not enough keys supplied (got {} keys, but need at least {required} to redeem)",
            keys.len()
        )));
    }
    if keys.len() > MAX_KEYS {
        return Err(CallError::invalid_parameter(format!(
            "Number of keys involved in the multisignature address creation > {MAX_KEYS}\nReduce \
             the number"
        )));
    }
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    Ok(keys
        .iter()
        .fold(Builder::new().push_int(required.into()), Builder::push_key)
        .push_int(count)
        .push_opcode(OP_CHECKMULTISIG)
        .into_script())
}
