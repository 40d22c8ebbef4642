//! The keys of a descriptor at one index, each with where it comes from.

use pyrite_consensus::bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, Xpriv};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::key::PublicKey;
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1};
use pyrite_wallet::miniscript::descriptor::{
    DefiniteDescriptorKey, DescriptorSecretKey, DescriptorXKey, KeyMap, SinglePub, SinglePubKey,
    Wildcard,
};
use pyrite_wallet::miniscript::{
    Descriptor, DescriptorPublicKey, TranslateErr, TranslatePk, Translator, translate_hash_clone,
};

use crate::call::{CallError, CallResult};

/// How keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyForm {
    /// As points.
    Full,
    /// As taproot writes them: without the sign.
    XOnly,
}

/// The descriptor with single keys in the place of extended ones.
///
/// # Errors
/// Code −5 when a hardened step needs a private key that is not there.
pub(super) fn at_index(
    descriptor: &Descriptor<DescriptorPublicKey>,
    keys: &KeyMap,
    index: u32,
    form: KeyForm,
    secp: &Secp256k1<All>,
) -> CallResult<Descriptor<DescriptorPublicKey>> {
    let mut derivation = Derivation {
        keys,
        index,
        form,
        secp,
    };
    descriptor
        .translate_pk(&mut derivation)
        .map_err(|error| match error {
            TranslateErr::TranslatorErr(error) => error,
            TranslateErr::OuterError(error) => CallError::not_found(error.to_string()),
        })
}

/// A descriptor of single keys, as scripts are made of.
pub(super) fn definite(
    descriptor: &Descriptor<DescriptorPublicKey>,
) -> CallResult<Descriptor<DefiniteDescriptorKey>> {
    descriptor
        .at_derivation_index(0)
        .map_err(|error| CallError::not_found(error.to_string()))
}

struct Derivation<'a> {
    keys: &'a KeyMap,
    index: u32,
    form: KeyForm,
    secp: &'a Secp256k1<All>,
}

impl Translator<DescriptorPublicKey, DescriptorPublicKey, CallError> for Derivation<'_> {
    fn pk(&mut self, key: &DescriptorPublicKey) -> CallResult<DescriptorPublicKey> {
        let (origin, public) = match self.keys.get(key) {
            Some(DescriptorSecretKey::XPrv(secret)) if secret.wildcard == Wildcard::Hardened => {
                self.derive_hardened(secret)?
            }
            _ => self.derive(key)?,
        };
        let key = match self.form {
            KeyForm::Full => SinglePubKey::FullKey(public),
            KeyForm::XOnly => SinglePubKey::XOnly(public.inner.into()),
        };
        Ok(DescriptorPublicKey::Single(SinglePub {
            origin: Some(origin),
            key,
        }))
    }

    translate_hash_clone!(DescriptorPublicKey, DescriptorPublicKey, CallError);
}

/// Where a key comes from.
type Origin = (Fingerprint, DerivationPath);

impl Derivation<'_> {
    fn derive(&self, key: &DescriptorPublicKey) -> CallResult<(Origin, PublicKey)> {
        if !is_derivable(key) {
            return Err(missing_key());
        }
        let definite = key
            .clone()
            .at_derivation_index(self.index)
            .map_err(|_| missing_key())?;
        let public = definite
            .derive_public_key(self.secp)
            .map_err(|_| missing_key())?;
        // A key without an origin is its own; miniscript would hash the short form of taproot's keys.
        let fingerprint = match key {
            DescriptorPublicKey::Single(SinglePub { origin: None, .. }) => {
                let [a, b, c, d, ..] = public.pubkey_hash().to_byte_array();
                Fingerprint::from([a, b, c, d])
            }
            _ => definite.master_fingerprint(),
        };
        let path = definite.full_derivation_path().unwrap_or_default();
        Ok(((fingerprint, path), public))
    }

    /// Derives with the private key, for only that can take the hardened step.
    fn derive_hardened(&self, key: &DescriptorXKey<Xpriv>) -> CallResult<(Origin, PublicKey)> {
        let step = ChildNumber::from_hardened_idx(self.index).map_err(|_| missing_key())?;
        let path = key.derivation_path.child(step);
        let derived = key
            .xkey
            .derive_priv(self.secp, &path)
            .map_err(|_| missing_key())?;
        let public = PublicKey::new(derived.private_key.public_key(self.secp));
        let origin = match &key.origin {
            Some((fingerprint, before)) => (*fingerprint, before.extend(&path)),
            None => (key.xkey.fingerprint(self.secp), path),
        };
        Ok((origin, public))
    }
}

/// Whether there is a public key for each index: miniscript takes that for granted, and panics where a
/// step is hardened or the depth of the key has no number.
fn is_derivable(key: &DescriptorPublicKey) -> bool {
    match key {
        DescriptorPublicKey::XPub(key_and_path) => {
            let depth = usize::from(key_and_path.xkey.depth) + key_and_path.derivation_path.len();
            key_and_path.wildcard != Wildcard::Hardened
                && depth < usize::from(u8::MAX)
                && !key.has_hardened_step()
        }
        DescriptorPublicKey::Single(_) => true,
        DescriptorPublicKey::MultiXPub(_) => false,
    }
}

fn missing_key() -> CallError {
    CallError::not_found("Cannot derive script without private keys")
}
