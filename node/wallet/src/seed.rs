//! The seed that all keys of a wallet come from, and the file that keeps it.
//!
//! The file holds the BIP-0039 mnemonic in the clear and is readable by its owner alone. It is written
//! once, completely or not at all, and is on the disk before anything that depends on it exists.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bdk_wallet::bip39;
use pyrite_consensus::bitcoin::bip32::Xpriv;
use pyrite_consensus::bitcoin::{Address, Network};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::keys::{Keychain, derivation_error, descriptor};
use crate::{AddressType, WalletError};

/// The wallet directory used when no name is given.
const DEFAULT_NAME: &str = "default";
const SEED_FILE: &str = "seed.json";
const SEED_FILE_VERSION: u32 = 1;
/// A mnemonic has at most 24 words of 8 letters.
const MAX_SEED_FILE_BYTES: u64 = 4096;
/// BIP-0039 entropy of a new seed: 12 words.
const NEW_ENTROPY_BYTES: usize = 16;

/// A BIP-0039 seed without a passphrase.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    mnemonic: bip39::Mnemonic,
}

impl Seed {
    /// A new seed from the operating system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        let mut entropy = [0; NEW_ENTROPY_BYTES];
        OsRng.fill_bytes(&mut entropy);
        let mnemonic =
            bip39::Mnemonic::from_entropy(&entropy).expect("16 bytes are a valid length");
        Self { mnemonic }
    }

    /// The seed of BIP-0039 entropy.
    ///
    /// # Errors
    /// [`WalletError::InvalidEntropy`] unless it has 16, 20, 24, 28 or 32 bytes.
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, WalletError> {
        bip39::Mnemonic::from_entropy(entropy)
            .map(|mnemonic| Self { mnemonic })
            .map_err(|_| WalletError::InvalidEntropy {
                length: entropy.len(),
            })
    }

    /// The seed of a BIP-0039 mnemonic in English.
    ///
    /// # Errors
    /// [`WalletError::InvalidMnemonic`]
    pub fn from_mnemonic(words: &str) -> Result<Self, WalletError> {
        bip39::Mnemonic::parse_in(bip39::Language::English, words)
            .map(|mnemonic| Self { mnemonic })
            .map_err(|error| WalletError::InvalidMnemonic {
                reason: match error {
                    bip39::Error::BadWordCount(_) => "not 12, 15, 18, 21 or 24 words",
                    bip39::Error::UnknownWord(_) => "a word is not in the English list",
                    bip39::Error::InvalidChecksum => "the checksum does not fit",
                    _ => "not BIP-0039",
                },
            })
    }

    /// The words. Whoever has them has the coins.
    #[must_use]
    pub fn mnemonic(&self) -> String {
        self.mnemonic.to_string()
    }

    /// The address at `index` of the account for `kind`, as `network` writes it.
    ///
    /// # Errors
    /// [`WalletError::Derivation`] if `index` is 2³¹ or more.
    pub fn address(
        &self,
        network: Network,
        kind: AddressType,
        index: u32,
    ) -> Result<Address, WalletError> {
        let descriptor = descriptor(self.master(network)?, Keychain::external(kind), network)?;
        descriptor
            .at_derivation_index(index)
            .map_err(derivation_error)?
            .address(network)
            .map_err(derivation_error)
    }

    pub(crate) fn master(&self, network: Network) -> Result<Xpriv, WalletError> {
        Xpriv::new_master(network, &self.mnemonic.to_seed("")).map_err(derivation_error)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(redacted)")
    }
}

/// Where the seed of a new wallet comes from. A wallet that has a seed file keeps that.
#[derive(Clone)]
pub enum SeedSource {
    /// The operating system's random numbers.
    Random,
    /// BIP-0039 entropy. A wallet that exists must have been made from the same.
    Entropy(Vec<u8>),
    /// A seed. A wallet that exists must have been made from the same.
    Seed(Seed),
}

impl fmt::Debug for SeedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Random => "Random",
            Self::Entropy(_) => "Entropy(redacted)",
            Self::Seed(_) => "Seed(redacted)",
        })
    }
}

impl SeedSource {
    /// The seed that it demands, `None` if any will do.
    pub(crate) fn demanded(&self) -> Result<Option<Seed>, WalletError> {
        match self {
            Self::Random => Ok(None),
            Self::Entropy(entropy) => Seed::from_entropy(entropy).map(Some),
            Self::Seed(seed) => Ok(Some(seed.clone())),
        }
    }
}

/// The first `count` default addresses (BIP-0084) of a wallet made from `entropy`.
///
/// # Errors
/// [`WalletError::InvalidEntropy`]
pub fn account_addresses(
    entropy: &[u8],
    network: Network,
    count: u32,
) -> Result<Vec<Address>, WalletError> {
    let seed = Seed::from_entropy(entropy)?;
    (0..count)
        .map(|index| seed.address(network, AddressType::Bech32, index))
        .collect()
}

/// Writes the seed of the wallet `name` under `directory`, so that opening the wallet later uses it. Does
/// nothing if that very seed is there already.
///
/// # Errors
/// [`WalletError::SeedExists`] if another seed is there, [`WalletError::InvalidName`], [`WalletError::Io`], and
/// [`WalletError::SeedInvalid`] if what is there can't be read.
pub fn write_seed(directory: &Path, name: &str, seed: &Seed) -> Result<(), WalletError> {
    let wallet_directory = create_wallet_directory(directory, name)?;
    let path = seed_path(&wallet_directory);
    match read_seed(&path)? {
        Some(present) if present == *seed => return Ok(()),
        Some(_) => return Err(WalletError::SeedExists { path }),
        None => {}
    }
    let content = SeedFile {
        version: SEED_FILE_VERSION,
        mnemonic: seed.mnemonic(),
    };
    let mut text = serde_json::to_string_pretty(&content).expect("plain strings and numbers");
    text.push('\n');
    write_new_file(&path, text.as_bytes())
}

/// The wallet's directory, made if need be.
pub(crate) fn create_wallet_directory(
    directory: &Path,
    name: &str,
) -> Result<PathBuf, WalletError> {
    let name = if name.is_empty() { DEFAULT_NAME } else { name };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.len() > 64 || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(WalletError::InvalidName {
            name: name.to_owned(),
        });
    }
    let path = directory.join(name);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .and_then(|()| sync_directory(directory))
        .map_err(|source| WalletError::Io {
            path: path.clone(),
            source,
        })?;
    Ok(path)
}

pub(crate) fn seed_path(wallet_directory: &Path) -> PathBuf {
    wallet_directory.join(SEED_FILE)
}

/// The seed in the file, `None` if there is no file.
pub(crate) fn read_seed(path: &Path) -> Result<Option<Seed>, WalletError> {
    let io_error = |source| WalletError::Io {
        path: path.to_owned(),
        source,
    };
    let invalid = |reason: String| WalletError::SeedInvalid {
        path: path.to_owned(),
        reason,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    if file.metadata().map_err(io_error)?.mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the wallet seed is readable by other users");
    }
    let mut bytes = Vec::new();
    file.take(MAX_SEED_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error)?;
    parse_seed(&bytes).map(Some).map_err(invalid)
}

/// The seed in a file's content, or what is wrong. Not even the file's own text goes into a message: it is
/// the key.
fn parse_seed(bytes: &[u8]) -> Result<Seed, String> {
    let content: SeedFile = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("not a seed file (line {line}, column {column})")
    })?;
    if content.version != SEED_FILE_VERSION {
        return Err(format!(
            "version {}, this program knows {SEED_FILE_VERSION}",
            content.version
        ));
    }
    Seed::from_mnemonic(&content.mnemonic).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedFile {
    version: u32,
    mnemonic: String,
}

/// Writes a file that must not exist: a kill at any instant leaves all of it or none.
fn write_new_file(path: &Path, content: &[u8]) -> Result<(), WalletError> {
    let temporary = path.with_extension("json.new");
    let write = || -> io::Result<()> {
        match fs::remove_file(&temporary) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        // A link, unlike a rename, does not replace a file that has come to be meanwhile.
        fs::hard_link(&temporary, path)?;
        fs::remove_file(&temporary)?;
        sync_directory(path.parent().unwrap_or(Path::new(".")))
    };
    write().map_err(|source| WalletError::Io {
        path: path.to_owned(),
        source,
    })
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod fuzz;
