//! Whoever owns coins: the scripts that lock them, and the signatures that unlock them.

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::key::TapTweak;
use pyrite_consensus::bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_CHECKSIG};
use pyrite_consensus::bitcoin::script::{Builder, PushBytesBuf};
use pyrite_consensus::bitcoin::secp256k1::{All, Keypair, Message, Secp256k1, SecretKey};
use pyrite_consensus::bitcoin::sighash::{
    EcdsaSighashType, Prevouts, SighashCache, TapSighashType,
};
use pyrite_consensus::bitcoin::taproot::{
    LeafVersion, TapLeafHash, TaprootBuilder, TaprootSpendInfo,
};
use pyrite_consensus::bitcoin::{
    CompressedPublicKey, ScriptBuf, Transaction, TxOut, Witness, ecdsa,
};

/// A usual way to lock a coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    P2pkh,
    P2shP2wpkh,
    P2wpkh,
    P2wshMultisig,
    P2trKey,
    P2trScript,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::P2pkh,
        Self::P2shP2wpkh,
        Self::P2wpkh,
        Self::P2wshMultisig,
        Self::P2trKey,
        Self::P2trScript,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P2pkh => "P2PKH",
            Self::P2shP2wpkh => "P2SH-P2WPKH",
            Self::P2wpkh => "P2WPKH",
            Self::P2wshMultisig => "P2WSH, two of three",
            Self::P2trKey => "P2TR, key path",
            Self::P2trScript => "P2TR, script path",
        }
    }
}

/// The keys of an owner, and what follows from them.
pub(super) struct Owner {
    pair: Keypair,
    /// Two others, for coins that two of three may spend.
    partners: [Keypair; 2],
    leaf: ScriptBuf,
    taproot: TaprootSpendInfo,
}

impl Owner {
    pub(super) fn new(secp: &Secp256k1<All>, number: u32) -> Self {
        let pair = |place: u32| {
            let mut secret = [1; 32];
            secret[..4].copy_from_slice(&number.to_be_bytes());
            secret[4..8].copy_from_slice(&place.to_be_bytes());
            let secret = SecretKey::from_slice(&secret).expect("below the group's order");
            Keypair::from_secret_key(secp, &secret)
        };
        let own = pair(0);
        let leaf = Builder::new()
            .push_x_only_key(&own.x_only_public_key().0)
            .push_opcode(OP_CHECKSIG)
            .into_script();
        let taproot = TaprootBuilder::new()
            .add_leaf(0, leaf.clone())
            .expect("one leaf at the root")
            .finalize(secp, own.x_only_public_key().0)
            .expect("the tree is complete");
        Self {
            pair: own,
            partners: [pair(1), pair(2)],
            leaf,
            taproot,
        }
    }

    /// The script that locks a coin of a kind.
    pub(super) fn lock(&self, kind: Kind) -> ScriptBuf {
        let key = self.key();
        match kind {
            Kind::P2pkh => ScriptBuf::new_p2pkh(&key.pubkey_hash()),
            Kind::P2shP2wpkh => ScriptBuf::new_p2sh(&self.witness_program().script_hash()),
            Kind::P2wpkh => self.witness_program(),
            Kind::P2wshMultisig => self.multisig().to_p2wsh(),
            Kind::P2trKey | Kind::P2trScript => {
                ScriptBuf::new_p2tr_tweaked(self.taproot.output_key())
            }
        }
    }

    /// Puts into an input of `transaction` what unlocks a coin of a kind. `spent` are the outputs that all
    /// inputs spend.
    pub(super) fn unlock(
        &self,
        secp: &Secp256k1<All>,
        kind: Kind,
        transaction: &mut Transaction,
        input: usize,
        spent: &[TxOut],
    ) {
        match kind {
            Kind::P2pkh => self.unlock_legacy(secp, transaction, input, spent),
            Kind::P2shP2wpkh | Kind::P2wpkh => {
                let signature = self.sign_program(secp, transaction, input, spent);
                let own = &mut transaction.input[input];
                own.witness = Witness::p2wpkh(&signature, &self.pair.public_key());
                if kind == Kind::P2shP2wpkh {
                    own.script_sig = push(self.witness_program().into_bytes());
                }
            }
            Kind::P2wshMultisig => self.unlock_multisig(secp, transaction, input, spent),
            Kind::P2trKey | Kind::P2trScript => {
                self.unlock_taproot(secp, kind, transaction, input, spent);
            }
        }
    }

    fn unlock_legacy(
        &self,
        secp: &Secp256k1<All>,
        transaction: &mut Transaction,
        input: usize,
        spent: &[TxOut],
    ) {
        let script = &spent[input].script_pubkey;
        let all = EcdsaSighashType::All.to_u32();
        let hash = SighashCache::new(&*transaction)
            .legacy_signature_hash(input, script, all)
            .expect("there is such an input");
        let signature = sign(secp, &self.pair, hash.to_byte_array());
        let script_sig = Builder::new()
            .push_slice(signature.serialize())
            .push_key(&self.pair.public_key().into());
        transaction.input[input].script_sig = script_sig.into_script();
    }

    fn sign_program(
        &self,
        secp: &Secp256k1<All>,
        transaction: &Transaction,
        input: usize,
        spent: &[TxOut],
    ) -> ecdsa::Signature {
        let program = self.witness_program();
        let value = spent[input].value;
        let hash = SighashCache::new(transaction)
            .p2wpkh_signature_hash(input, &program, value, EcdsaSighashType::All)
            .expect("there is such an input");
        sign(secp, &self.pair, hash.to_byte_array())
    }

    fn unlock_multisig(
        &self,
        secp: &Secp256k1<All>,
        transaction: &mut Transaction,
        input: usize,
        spent: &[TxOut],
    ) {
        let script = self.multisig();
        let value = spent[input].value;
        let hash = SighashCache::new(&*transaction)
            .p2wsh_signature_hash(input, &script, value, EcdsaSighashType::All)
            .expect("there is such an input");
        let mut witness = Witness::from_slice(&[[0_u8; 0]]);
        for pair in [&self.pair, &self.partners[1]] {
            witness.push(sign(secp, pair, hash.to_byte_array()).to_vec());
        }
        witness.push(script.into_bytes());
        transaction.input[input].witness = witness;
    }

    fn unlock_taproot(
        &self,
        secp: &Secp256k1<All>,
        kind: Kind,
        transaction: &mut Transaction,
        input: usize,
        spent: &[TxOut],
    ) {
        let leaf = TapLeafHash::from_script(&self.leaf, LeafVersion::TapScript);
        let mut cache = SighashCache::new(&*transaction);
        let (prevouts, hash_type) = (Prevouts::All(spent), TapSighashType::Default);
        let hash = if kind == Kind::P2trKey {
            cache.taproot_key_spend_signature_hash(input, &prevouts, hash_type)
        } else {
            cache.taproot_script_spend_signature_hash(input, &prevouts, leaf, hash_type)
        };
        let message = Message::from(hash.expect("an output for each input"));
        let tweaked = self.pair.tap_tweak(secp, self.taproot.merkle_root());
        let pair = if kind == Kind::P2trKey {
            tweaked.to_keypair()
        } else {
            self.pair
        };
        let signature = secp.sign_schnorr_no_aux_rand(&message, &pair);
        let mut witness = Witness::from_slice(&[signature.serialize()]);
        if kind == Kind::P2trScript {
            let place = (self.leaf.clone(), LeafVersion::TapScript);
            let control = self.taproot.control_block(&place);
            witness.push(self.leaf.as_bytes());
            witness.push(control.expect("the leaf is in the tree").serialize());
        }
        transaction.input[input].witness = witness;
    }

    fn key(&self) -> CompressedPublicKey {
        CompressedPublicKey(self.pair.public_key())
    }

    fn witness_program(&self) -> ScriptBuf {
        ScriptBuf::new_p2wpkh(&self.key().wpubkey_hash())
    }

    fn multisig(&self) -> ScriptBuf {
        let [second, third] = &self.partners;
        let keys = [&self.pair, second, third];
        let script = keys
            .iter()
            .fold(Builder::new().push_int(2), |script, pair| {
                script.push_key(&pair.public_key().into())
            });
        script
            .push_int(3)
            .push_opcode(OP_CHECKMULTISIG)
            .into_script()
    }
}

fn sign(secp: &Secp256k1<All>, pair: &Keypair, hash: [u8; 32]) -> ecdsa::Signature {
    let message = Message::from_digest(hash);
    ecdsa::Signature::sighash_all(secp.sign_ecdsa(&message, &pair.secret_key()))
}

fn push(bytes: Vec<u8>) -> ScriptBuf {
    let bytes = PushBytesBuf::try_from(bytes).expect("a short script");
    Builder::new().push_slice(bytes).into_script()
}
