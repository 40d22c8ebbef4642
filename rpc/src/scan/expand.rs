//! From a descriptor to its scripts.

use std::ops::RangeInclusive;

use pyrite_consensus::bitcoin::opcodes::all::OP_PUSHNUM_1;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{Network, NetworkKind, ScriptBuf};
use pyrite_consensus::spec::AddressKind;
use pyrite_wallet::miniscript::descriptor::{DescriptorSecretKey, KeyMap};
use pyrite_wallet::miniscript::{Descriptor, DescriptorPublicKey, ForEachKey};

use super::Needle;
use super::checksum::without_checksum;
use super::derive::{KeyForm, at_index, definite};
use super::name::{name, named};
use super::paths::{check_indexes, single_paths};
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::json::infer_descriptor;
use crate::stop::Stop;

/// The functions that can be at a descriptor's start and that miniscript knows.
const FUNCTIONS: [&str; 7] = ["pk", "pkh", "wpkh", "sh", "wsh", "tr", "multi"];

/// What a descriptor is expanded to.
pub(super) struct Expansion<'a> {
    /// The indexes of a wildcard.
    pub(super) range: RangeInclusive<u32>,
    /// Whose addresses and extended keys it may have.
    pub(super) addresses: AddressKind,
    /// Tells when to give up.
    pub(super) stop: &'a Stop,
}

impl Expansion<'_> {
    /// The network of the addresses.
    pub(super) fn network(&self) -> Network {
        self.addresses.network()
    }
}

/// The scripts of a descriptor.
///
/// # Errors
/// Code −5 when it is none, or has no keys for the range; code −9 when the server stops.
pub(super) fn expand(text: &str, expansion: &Expansion<'_>) -> CallResult<Vec<Needle>> {
    let paths = single_paths(without_checksum(text)?)?;
    check_indexes(&paths, &expansion.range)?;
    let mut needles = Vec::new();
    for path in paths {
        needles.extend(expand_path(&path, expansion)?);
    }
    Ok(needles)
}

/// The scripts of a descriptor without several paths.
fn expand_path(text: &str, expansion: &Expansion<'_>) -> CallResult<Vec<Needle>> {
    let (function, argument) = split(text);
    match function {
        "addr" => {
            let address = expansion
                .addresses
                .parse_address(argument)
                .map_err(|_| CallError::not_found("Address is not valid"))?;
            Ok(vec![as_it_is(address.script_pubkey(), expansion.network())])
        }
        "raw" => {
            let bytes =
                hex::decode(argument).map_err(|_| CallError::not_found("Raw script is not hex"))?;
            Ok(vec![as_it_is(ScriptBuf::from(bytes), expansion.network())])
        }
        "combo" => expand_combo(argument, expansion),
        "rawtr" => {
            let tr = Parsed::read(&format!("tr({argument})"), expansion.network())?;
            tr.expand(expansion, output_key)
        }
        // Miniscript knows it inside of `sh` alone.
        "sortedmulti" => {
            let sh = Parsed::read(&format!("sh({text})"), expansion.network())?;
            sh.expand(expansion, redeem_script)
        }
        _ if FUNCTIONS.contains(&function) => {
            Parsed::read(text, expansion.network())?.expand(expansion, whole)
        }
        _ => Err(CallError::not_found(format!(
            "'{text}' is not a valid descriptor function"
        ))),
    }
}

/// A descriptor's function and what is in its parentheses; without them, no function.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .unwrap_or_default()
}

/// A script about which nothing more is known.
fn as_it_is(script: ScriptBuf, network: Network) -> Needle {
    Needle {
        descriptor: infer_descriptor(&script, network),
        script,
    }
}

/// A key's own output, the output of its hash, and, for a compressed key, its segwit outputs.
fn expand_combo(key: &str, expansion: &Expansion<'_>) -> CallResult<Vec<Needle>> {
    let pkh = Parsed::read(&format!("pkh({key})"), expansion.network())?;
    let mut forms = vec!["pk", "pkh"];
    if !pkh.has_uncompressed_key() {
        forms.extend(["wpkh", "sh(wpkh"]);
    }
    let mut needles = Vec::new();
    for form in forms {
        let end = ")".repeat(form.split('(').count());
        let one = Parsed::read(&format!("{form}({key}{end}"), expansion.network())?;
        needles.extend(one.expand(expansion, whole)?);
    }
    Ok(needles)
}

/// A descriptor that miniscript has read, with the private keys that were in it.
pub(super) struct Parsed {
    /// It.
    pub(super) descriptor: Descriptor<DescriptorPublicKey>,
    /// The private keys.
    pub(super) keys: KeyMap,
    secp: Secp256k1<All>,
}

impl Parsed {
    /// Reads one.
    pub(super) fn read(text: &str, network: Network) -> CallResult<Self> {
        let secp = Secp256k1::new();
        let (descriptor, keys) = Descriptor::parse_descriptor(&secp, text)
            .map_err(|error| CallError::not_found(error.to_string()))?;
        let kind = NetworkKind::from(network);
        let is_foreign = descriptor.for_any_key(|key| is_foreign(key, kind))
            || keys.values().any(|key| is_foreign_secret(key, kind));
        if is_foreign {
            return Err(CallError::not_found(
                "A key of the descriptor is of another network",
            ));
        }
        Ok(Self {
            descriptor,
            keys,
            secp,
        })
    }

    /// How its keys are written.
    pub(super) fn key_form(&self) -> KeyForm {
        match self.descriptor {
            Descriptor::Tr(_) => KeyForm::XOnly,
            _ => KeyForm::Full,
        }
    }

    /// What derives its keys.
    pub(super) fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }

    fn has_uncompressed_key(&self) -> bool {
        use pyrite_wallet::miniscript::MiniscriptKey;
        self.descriptor
            .for_any_key(DescriptorPublicKey::is_uncompressed)
    }

    /// The scripts of each index, made by `form` of the descriptor with its keys in place.
    fn expand(
        self,
        expansion: &Expansion<'_>,
        form: fn(&Descriptor<DescriptorPublicKey>) -> CallResult<Needle>,
    ) -> CallResult<Vec<Needle>> {
        let keys = self.key_form();
        let range = if self.descriptor.has_wildcard() {
            expansion.range.clone()
        } else {
            0..=0
        };
        let branches = self
            .descriptor
            .into_single_descriptors()
            .map_err(|error| CallError::not_found(error.to_string()))?;
        let mut needles = Vec::new();
        for branch in branches {
            for index in range.clone() {
                if expansion.stop.is_stopping() {
                    return Err(stopping());
                }
                needles.push(form(&at_index(
                    &branch, &self.keys, index, keys, &self.secp,
                )?)?);
            }
        }
        Ok(needles)
    }
}

/// The output of a descriptor.
fn whole(descriptor: &Descriptor<DescriptorPublicKey>) -> CallResult<Needle> {
    Ok(Needle {
        script: definite(descriptor)?.script_pubkey(),
        descriptor: name(descriptor),
    })
}

/// What is inside of `sh`, as an output of its own.
fn redeem_script(descriptor: &Descriptor<DescriptorPublicKey>) -> CallResult<Needle> {
    let script = definite(descriptor)?
        .explicit_script()
        .map_err(|error| CallError::not_found(error.to_string()))?;
    let inner = name(descriptor);
    let (_, inner) = split(inner.split('#').next().unwrap_or_default());
    Ok(Needle {
        script,
        descriptor: named(inner),
    })
}

/// A taproot output with the key as its output key, which is not tweaked.
fn output_key(descriptor: &Descriptor<DescriptorPublicKey>) -> CallResult<Needle> {
    let (Descriptor::Tr(tr), Descriptor::Tr(named_keys)) = (&definite(descriptor)?, descriptor)
    else {
        return Err(CallError::not_found("rawtr(): a key is expected"));
    };
    if tr.tap_tree().is_some() {
        return Err(CallError::not_found("rawtr(): only one key expected."));
    }
    let key = tr.spend_info().internal_key().serialize();
    Ok(Needle {
        script: Builder::new()
            .push_opcode(OP_PUSHNUM_1)
            .push_slice(key)
            .into_script(),
        descriptor: named(&format!("rawtr({})", named_keys.internal_key())),
    })
}

fn is_foreign(key: &DescriptorPublicKey, network: NetworkKind) -> bool {
    match key {
        DescriptorPublicKey::Single(_) => false,
        DescriptorPublicKey::XPub(key) => key.xkey.network != network,
        DescriptorPublicKey::MultiXPub(key) => key.xkey.network != network,
    }
}

fn is_foreign_secret(key: &DescriptorSecretKey, network: NetworkKind) -> bool {
    match key {
        DescriptorSecretKey::Single(key) => key.key.network != network,
        DescriptorSecretKey::XPrv(key) => key.xkey.network != network,
        DescriptorSecretKey::MultiXPrv(key) => key.xkey.network != network,
    }
}
