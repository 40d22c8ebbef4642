//! Private keys, found by what a script says of them.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use pyrite_consensus::bitcoin::hashes::{Hash, hash160};
use pyrite_consensus::bitcoin::key::{Keypair, TapTweak};
use pyrite_consensus::bitcoin::secp256k1::{All, Secp256k1, XOnlyPublicKey};
use pyrite_consensus::bitcoin::taproot::TapNodeHash;
use pyrite_consensus::bitcoin::{PrivateKey, PublicKey, Script, ScriptBuf};

use super::code::pushes;

/// Keys and scripts that a caller gave.
pub(crate) struct Keyring {
    keys: Vec<Entry>,
    /// Places of keys, by what scripts name them by: the key or its hash.
    by_name: HashMap<Vec<u8>, usize>,
    /// Places of keys, by the form that tapscripts name them by.
    by_x_only: HashMap<[u8; 32], usize>,
    /// Keys by the taproot output that they sign for, with and without a tweak; made when the first is asked for.
    by_output: OnceCell<HashMap<[u8; 32], Keypair>>,
    /// Scripts by the script hash output that they are behind.
    by_script_hash: HashMap<ScriptBuf, ScriptBuf>,
    /// Scripts by their witness program.
    by_program: HashMap<ScriptBuf, ScriptBuf>,
    secp: Secp256k1<All>,
}

#[derive(Clone, Copy)]
struct Entry {
    private: PrivateKey,
    public: PublicKey,
}

impl Keyring {
    /// A keyring of these keys.
    pub(crate) fn new(keys: impl IntoIterator<Item = PrivateKey>) -> Self {
        let mut keyring = Self {
            keys: Vec::new(),
            by_name: HashMap::new(),
            by_x_only: HashMap::new(),
            by_output: OnceCell::new(),
            by_script_hash: HashMap::new(),
            by_program: HashMap::new(),
            secp: Secp256k1::new(),
        };
        for private in keys {
            keyring.add_key(private);
        }
        keyring
    }

    fn add_key(&mut self, private: PrivateKey) {
        let public = private.public_key(&self.secp);
        let name = public.to_bytes();
        let hash = hash160::Hash::hash(&name).to_byte_array();
        let place = self.keys.len();
        if self.by_name.insert(name, place).is_some() {
            return; // the same key again
        }
        self.by_name.insert(hash.to_vec(), place);
        let (x_only, _) = public.inner.x_only_public_key();
        self.by_x_only.insert(x_only.serialize(), place);
        self.keys.push(Entry { private, public });
        // The witness program of a key needs no more than the key.
        if let Ok(hash) = public.wpubkey_hash() {
            self.add_script(ScriptBuf::new_p2wpkh(&hash));
        }
    }

    /// Adds a script that may be behind a hash.
    pub(crate) fn add_script(&mut self, script: ScriptBuf) {
        self.by_script_hash.insert(script.to_p2sh(), script.clone());
        self.by_program.insert(script.to_p2wsh(), script);
    }

    /// The script of which this is the script hash output.
    pub(crate) fn redeem_script(&self, output: &Script) -> Option<&ScriptBuf> {
        self.by_script_hash.get(output)
    }

    /// The script of which this is the witness program.
    pub(crate) fn witness_script(&self, output: &Script) -> Option<&ScriptBuf> {
        self.by_program.get(output)
    }

    /// What signs.
    pub(crate) fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }

    /// The keys that a script names, by themselves or by their hash; each once.
    pub(super) fn named_in(&self, script: &Script) -> Vec<(PrivateKey, PublicKey)> {
        let mut seen = HashSet::new();
        pushes(script)
            .into_iter()
            .filter_map(|push| self.by_name.get(push).copied())
            .filter(|place| seen.insert(*place))
            .map(|place| (self.keys[place].private, self.keys[place].public))
            .collect()
    }

    /// The keys that a tapscript names; each once.
    pub(super) fn named_in_leaf(&self, script: &Script) -> Vec<(Keypair, XOnlyPublicKey)> {
        let mut seen = HashSet::new();
        pushes(script)
            .into_iter()
            .filter_map(|push| self.by_x_only.get(push).copied())
            .filter(|place| seen.insert(*place))
            .map(|place| {
                let pair = self.pair(&self.keys[place]);
                (pair, pair.x_only_public_key().0)
            })
            .collect()
    }

    /// The key that signs for a taproot output: the internal key, if that is told, with its tweak, or a key that is the output
    /// key, with the tweak of no scripts or without any.
    pub(super) fn output_key(
        &self,
        output: &[u8; 32],
        internal: Option<XOnlyPublicKey>,
        root: Option<TapNodeHash>,
    ) -> Option<Keypair> {
        let by_internal = internal
            .and_then(|internal| self.by_x_only.get(&internal.serialize()))
            .map(|place| self.tweaked(&self.keys[*place], root))
            .filter(|pair| pair.x_only_public_key().0.serialize() == *output);
        by_internal.or_else(|| self.outputs().get(output).copied())
    }

    fn outputs(&self) -> &HashMap<[u8; 32], Keypair> {
        self.by_output.get_or_init(|| {
            let pairs = self
                .keys
                .iter()
                .flat_map(|entry| [self.pair(entry), self.tweaked(entry, None)]);
            pairs
                .map(|pair| (pair.x_only_public_key().0.serialize(), pair))
                .collect()
        })
    }

    fn pair(&self, entry: &Entry) -> Keypair {
        Keypair::from_secret_key(&self.secp, &entry.private.inner)
    }

    fn tweaked(&self, entry: &Entry, root: Option<TapNodeHash>) -> Keypair {
        self.pair(entry).tap_tweak(&self.secp, root).to_keypair()
    }
}
