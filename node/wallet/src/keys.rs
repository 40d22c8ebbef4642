//! The accounts' keychains: their descriptors for watching, their private keys for signing.

use std::fmt;

use bdk_wallet::KeychainKind;
use bdk_wallet::miniscript::{Descriptor, DescriptorPublicKey};
use bdk_wallet::template::{Bip84, Bip86, DescriptorTemplate};
use pyrite_consensus::bitcoin::bip32::{ChildNumber, DerivationPath, Xpriv};
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use pyrite_consensus::bitcoin::{Network, NetworkKind};

use crate::{AddressType, Seed, WalletError};

/// A row of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Keychain {
    Bip84External,
    Bip84Change,
    Bip86External,
    Bip86Change,
}

impl Keychain {
    pub(crate) const ALL: [Self; 4] = [
        Self::Bip84External,
        Self::Bip84Change,
        Self::Bip86External,
        Self::Bip86Change,
    ];

    pub(crate) fn external(kind: AddressType) -> Self {
        match kind {
            AddressType::Bech32 => Self::Bip84External,
            AddressType::Bech32m => Self::Bip86External,
        }
    }

    pub(crate) fn change(kind: AddressType) -> Self {
        match kind {
            AddressType::Bech32 => Self::Bip84Change,
            AddressType::Bech32m => Self::Bip86Change,
        }
    }

    pub(crate) fn address_type(self) -> AddressType {
        match self {
            Self::Bip84External | Self::Bip84Change => AddressType::Bech32,
            Self::Bip86External | Self::Bip86Change => AddressType::Bech32m,
        }
    }

    pub(crate) fn is_change(self) -> bool {
        matches!(self, Self::Bip84Change | Self::Bip86Change)
    }

    /// Its key in the database.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Bip84External => 0,
            Self::Bip84Change => 1,
            Self::Bip86External => 2,
            Self::Bip86Change => 3,
        }
    }

    fn kind(self) -> KeychainKind {
        if self.is_change() {
            KeychainKind::Internal
        } else {
            KeychainKind::External
        }
    }

    /// BIP-0044's `change` level.
    fn branch(self) -> ChildNumber {
        ChildNumber::Normal {
            index: u32::from(self.is_change()),
        }
    }
}

/// The private keys of both accounts, and the public descriptors made from them.
pub(crate) struct KeyRing {
    bip84_account: Xpriv,
    bip86_account: Xpriv,
    descriptors: Vec<(Keychain, Descriptor<DescriptorPublicKey>)>,
}

impl KeyRing {
    pub(crate) fn new(
        seed: &Seed,
        network: Network,
        secp: &Secp256k1<All>,
    ) -> Result<Self, WalletError> {
        let master = seed.master(network)?;
        let mut descriptors = Vec::with_capacity(Keychain::ALL.len());
        for keychain in Keychain::ALL {
            descriptors.push((keychain, descriptor(master, keychain, network)?));
        }
        Ok(Self {
            bip84_account: account(master, 84, network, secp)?,
            bip86_account: account(master, 86, network, secp)?,
            descriptors,
        })
    }

    pub(crate) fn descriptors(&self) -> &[(Keychain, Descriptor<DescriptorPublicKey>)] {
        &self.descriptors
    }

    pub(crate) fn secret_key(
        &self,
        keychain: Keychain,
        index: u32,
        secp: &Secp256k1<All>,
    ) -> Result<SecretKey, WalletError> {
        let account = match keychain.address_type() {
            AddressType::Bech32 => &self.bip84_account,
            AddressType::Bech32m => &self.bip86_account,
        };
        let leaf = ChildNumber::from_normal_idx(index).map_err(derivation_error)?;
        let key = account
            .derive_priv(secp, &[keychain.branch(), leaf])
            .map_err(derivation_error)?;
        Ok(key.private_key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(redacted)")
    }
}

/// The public descriptor of `keychain`, with the origin of its key.
pub(crate) fn descriptor(
    master: Xpriv,
    keychain: Keychain,
    network: Network,
) -> Result<Descriptor<DescriptorPublicKey>, WalletError> {
    let kind = NetworkKind::from(network);
    let built = match keychain.address_type() {
        AddressType::Bech32 => Bip84(master, keychain.kind()).build(kind),
        AddressType::Bech32m => Bip86(master, keychain.kind()).build(kind),
    };
    let (descriptor, _private_keys, _networks) = built.map_err(derivation_error)?;
    Ok(descriptor)
}

/// `m/purpose'/coin'/0'`.
fn account(
    master: Xpriv,
    purpose: u32,
    network: Network,
    secp: &Secp256k1<All>,
) -> Result<Xpriv, WalletError> {
    let coin = match NetworkKind::from(network) {
        NetworkKind::Main => 0,
        NetworkKind::Test => 1,
    };
    let path: DerivationPath = [purpose, coin, 0]
        .map(|index| ChildNumber::Hardened { index })
        .as_slice()
        .into();
    master.derive_priv(secp, &path).map_err(derivation_error)
}

pub(crate) fn derivation_error(error: impl fmt::Display) -> WalletError {
    WalletError::Derivation {
        reason: error.to_string(),
    }
}
