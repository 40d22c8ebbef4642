//! The kinds of address that chains use, and reading addresses.

use std::str::FromStr;

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network, NetworkKind, PrivateKey};

use crate::{AddressError, PrivateKeyError};

/// The kind of address, by the network of Bitcoin's that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// `bc1…`
    Mainnet,
    /// `tb1…`
    Testnet,
    /// `bcrt1…`
    Regtest,
}

impl AddressKind {
    /// The `bitcoin` crate's network with these addresses.
    pub fn network(self) -> Network {
        match self {
            Self::Mainnet => Network::Bitcoin,
            Self::Testnet => Network::Testnet,
            Self::Regtest => Network::Regtest,
        }
    }

    /// What `getblockchaininfo` says as `chain`: `main`, `test` or `regtest`.
    pub fn core_name(self) -> &'static str {
        match self {
            Self::Mainnet => "main",
            Self::Testnet => "test",
            Self::Regtest => "regtest",
        }
    }

    /// Reads an address of this kind.
    ///
    /// # Errors
    /// The text is no address, or one of another kind.
    pub fn parse_address(self, text: &str) -> Result<Address, AddressError> {
        Address::<NetworkUnchecked>::from_str(text)?
            .require_network(self.network())
            .map_err(|_| AddressError::OtherKind)
    }

    /// Reads a private key in wallet import format, of chains of this kind.
    ///
    /// # Errors
    /// The text is no key, or one of another kind.
    pub fn parse_private_key(self, text: &str) -> Result<PrivateKey, PrivateKeyError> {
        let key = PrivateKey::from_wif(text)?;
        // The `bitcoin` crate takes any byte for the mark of a compressed key, Bitcoin Core only 1.
        if key.to_wif() != text {
            return Err(PrivateKeyError::CompressionMark);
        }
        if key.network != NetworkKind::from(self.network()) {
            return Err(PrivateKeyError::OtherKind);
        }
        Ok(key)
    }
}
