//! Private keys, found by what a script says of them.

use pyrite_consensus::bitcoin::hashes::{Hash, hash160};
use pyrite_consensus::bitcoin::key::{Keypair, TapTweak};
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1, XOnlyPublicKey};
use pyrite_consensus::bitcoin::taproot::TapNodeHash;
use pyrite_consensus::bitcoin::{PrivateKey, PublicKey, Script, ScriptBuf};

use super::code::pushes;

/// Keys and scripts that a caller gave.
pub(crate) struct Keyring {
    keys: Vec<Entry>,
    scripts: Vec<ScriptBuf>,
    secp: Secp256k1<All>,
}

struct Entry {
    private: PrivateKey,
    public: PublicKey,
    hash: [u8; 20],
}

impl Keyring {
    /// A keyring of these keys.
    pub(crate) fn new(keys: impl IntoIterator<Item = PrivateKey>) -> Self {
        let secp = Secp256k1::new();
        let keys: Vec<Entry> = keys
            .into_iter()
            .map(|private| {
                let public = private.public_key(&secp);
                Entry {
                    private,
                    public,
                    hash: hash160::Hash::hash(&public.to_bytes()).to_byte_array(),
                }
            })
            .collect();
        // The witness program of a key needs no more than the key.
        let scripts = keys
            .iter()
            .filter_map(|key| key.public.wpubkey_hash().ok())
            .map(|hash| ScriptBuf::new_p2wpkh(&hash))
            .collect();
        Self {
            keys,
            scripts,
            secp,
        }
    }

    /// Adds a script that may be behind a hash.
    pub(crate) fn add_script(&mut self, script: ScriptBuf) {
        self.scripts.push(script);
    }

    /// The script of which this is the script hash output.
    pub(crate) fn redeem_script(&self, output: &Script) -> Option<&ScriptBuf> {
        self.scripts
            .iter()
            .find(|script| script.to_p2sh().as_script() == output)
    }

    /// The script of which this is the witness program.
    pub(crate) fn witness_script(&self, output: &Script) -> Option<&ScriptBuf> {
        self.scripts
            .iter()
            .find(|script| script.to_p2wsh().as_script() == output)
    }

    /// What signs.
    pub(crate) fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }

    /// The keys that a script names, by themselves or by their hash.
    pub(super) fn named_in(&self, script: &Script) -> Vec<(PrivateKey, PublicKey)> {
        let named = pushes(script);
        let is_named = |entry: &Entry| {
            let key = entry.public.to_bytes();
            named
                .iter()
                .any(|push| *push == key.as_slice() || *push == entry.hash.as_slice())
        };
        self.keys
            .iter()
            .filter(|entry| is_named(entry))
            .map(|entry| (entry.private, entry.public))
            .collect()
    }

    /// The keys that a tapscript names.
    pub(super) fn named_in_leaf(&self, script: &Script) -> Vec<(Keypair, XOnlyPublicKey)> {
        let named = pushes(script);
        self.keys
            .iter()
            .map(|entry| {
                let pair = Keypair::from_secret_key(&self.secp, &entry.private.inner);
                (pair, pair.x_only_public_key().0)
            })
            .filter(|(_, key)| named.iter().any(|push| *push == key.serialize()))
            .collect()
    }

    /// The key that signs for a taproot output: tweaked, or the output key itself.
    pub(super) fn output_key(&self, output: &[u8], root: Option<TapNodeHash>) -> Option<Keypair> {
        let is_output = |pair: &Keypair| pair.x_only_public_key().0.serialize() == output;
        self.keys
            .iter()
            .flat_map(|entry| {
                let plain = Keypair::from_secret_key(&self.secp, &entry.private.inner);
                let tweaked = plain.tap_tweak(&self.secp, root).to_keypair();
                [tweaked, plain]
            })
            .find(is_output)
    }
}
