//! Descriptors as what is known of their outputs, and the private keys that they give, for those who sign.

use pyrite_consensus::bitcoin::bip32::{ChildNumber, DerivationPath, Xpriv};
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_consensus::bitcoin::{PrivateKey, ScriptBuf};
use pyrite_consensus::spec::AddressKind;
use pyrite_wallet::miniscript::Descriptor;
use pyrite_wallet::miniscript::descriptor::{DefiniteDescriptorKey, DescriptorSecretKey, Wildcard};
use serde_json::Value;

use super::checksum::without_checksum;
use super::derive::{at_index, definite};
use super::expand::{Expansion, Parsed, expand, split};
use super::object::{check_total, read_descriptor};
use super::paths::{check_indexes, single_paths};
use crate::call::{CallError, CallResult};
use crate::error::stopping;
use crate::stop::Stop;

/// What descriptors tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Solutions {
    /// Outputs, and how they are spent.
    pub(crate) outputs: Vec<(ScriptBuf, Descriptor<DefiniteDescriptorKey>)>,
    /// Private keys.
    pub(crate) keys: Vec<PrivateKey>,
}

/// Adds what a descriptor, or an object of desc and range, tells.
///
/// # Errors
/// It is none, has no keys for the range, or the server stops.
pub(crate) fn solve(
    value: &Value,
    addresses: AddressKind,
    stop: &Stop,
    found: &mut Solutions,
) -> CallResult<()> {
    let (text, range) = read_descriptor(value)?;
    let expansion = Expansion {
        range,
        addresses,
        stop,
    };
    let paths = single_paths(without_checksum(text)?)?;
    check_indexes(&paths, &expansion.range)?;
    for path in paths {
        solve_path(&path, &expansion, found)?;
        check_total(found.outputs.len())?;
    }
    Ok(())
}

/// Adds what a descriptor without several paths tells.
fn solve_path(inner: &str, expansion: &Expansion<'_>, found: &mut Solutions) -> CallResult<()> {
    let (function, argument) = split(inner);
    let forms = match function {
        // How these are spent is not known.
        "addr" | "raw" => return expand(inner, expansion).map(drop),
        "combo" => vec![
            format!("pk({argument})"),
            format!("pkh({argument})"),
            format!("wpkh({argument})"),
            format!("sh(wpkh({argument}))"),
        ],
        "rawtr" => vec![format!("tr({argument})")],
        "sortedmulti" => vec![format!("sh({inner})")],
        _ => vec![inner.to_owned()],
    };
    let is_combo = function == "combo";
    for (place, form) in forms.iter().enumerate() {
        match Parsed::read(form, expansion.network()) {
            Ok(parsed) => parsed.solve(expansion, found)?,
            // A key that is not compressed has no segwit outputs.
            Err(_) if is_combo && place >= 2 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Parsed {
    fn solve(self, expansion: &Expansion<'_>, found: &mut Solutions) -> CallResult<()> {
        let range = if self.descriptor.has_wildcard() {
            expansion.range.clone()
        } else {
            0..=0
        };
        let form = self.key_form();
        for secret in self.keys.values() {
            for index in range.clone() {
                private_keys(secret, index, self.secp(), &mut found.keys);
            }
        }
        let branches = self
            .descriptor
            .clone()
            .into_single_descriptors()
            .map_err(|error| CallError::not_found(error.to_string()))?;
        for branch in branches {
            for index in range.clone() {
                if expansion.stop.is_stopping() {
                    return Err(stopping());
                }
                let single = at_index(&branch, &self.keys, index, form, self.secp())?;
                let descriptor = definite(&single)?;
                found.outputs.push((descriptor.script_pubkey(), descriptor));
            }
        }
        Ok(())
    }
}

/// The private keys at an index.
fn private_keys(
    secret: &DescriptorSecretKey,
    index: u32,
    secp: &Secp256k1<All>,
    keys: &mut Vec<PrivateKey>,
) {
    let mut derived = |key: &Xpriv, path: &DerivationPath, wildcard: Wildcard| {
        let step = match wildcard {
            Wildcard::None => None,
            Wildcard::Unhardened => ChildNumber::from_normal_idx(index).ok(),
            Wildcard::Hardened => ChildNumber::from_hardened_idx(index).ok(),
        };
        let path = path.extend(step.into_iter().collect::<Vec<_>>());
        if let Ok(key) = key.derive_priv(secp, &path) {
            keys.push(key.to_priv());
        }
    };
    match secret {
        DescriptorSecretKey::XPrv(key) => {
            derived(&key.xkey, &key.derivation_path, key.wildcard);
        }
        DescriptorSecretKey::MultiXPrv(key) => {
            for path in key.derivation_paths.paths() {
                derived(&key.xkey, path, key.wildcard);
            }
        }
        DescriptorSecretKey::Single(key) => keys.push(key.key),
    }
}
