//! A key whose coins the tests can spend, without any wallet.

use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, Secp256k1, TapTweak};
use bitcoin::secp256k1::{All, Message, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::{
    Address, EcdsaSighashType, KnownHrp, PrivateKey, PublicKey, ScriptBuf, TapSighashType,
    Transaction, TxOut, Witness,
};

/// One key of `regtest`, and its addresses.
#[derive(Debug)]
pub struct Key {
    secp: Secp256k1<All>,
    pair: Keypair,
}

impl Key {
    /// The key with this number.
    ///
    /// # Panics
    /// The number is zero.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let secp = Secp256k1::new();
        let secret = SecretKey::from_slice(&[number; 32]).expect("not zero, below the order");
        let pair = Keypair::from_secret_key(&secp, &secret);
        Self { secp, pair }
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.pair.public_key())
    }

    /// Its private key, as methods that sign want it.
    #[must_use]
    pub fn private(&self) -> PrivateKey {
        PrivateKey::new(self.pair.secret_key(), bitcoin::NetworkKind::Test)
    }

    /// Its version 0 address, P2WPKH.
    ///
    /// # Panics
    /// Never: its public key is compressed.
    #[must_use]
    pub fn segwit(&self) -> Address {
        let public = self.public().try_into().expect("compressed");
        Address::p2wpkh(&public, KnownHrp::Regtest)
    }

    /// Its taproot address, without scripts.
    #[must_use]
    pub fn taproot(&self) -> Address {
        let (internal, _) = self.pair.x_only_public_key();
        Address::p2tr(&self.secp, internal, None, KnownHrp::Regtest)
    }

    /// Signs every input whose coin has one of its two addresses.
    ///
    /// # Panics
    /// Not one coin for each input is given.
    pub fn sign(&self, transaction: &mut Transaction, coins: &[TxOut]) {
        assert_eq!(transaction.input.len(), coins.len());
        for (index, coin) in coins.iter().enumerate() {
            let witness = if coin.script_pubkey == self.segwit().script_pubkey() {
                self.segwit_witness(transaction, index, coin)
            } else if coin.script_pubkey == self.taproot().script_pubkey() {
                self.taproot_witness(transaction, index, coins)
            } else {
                continue;
            };
            transaction.input[index].witness = witness;
        }
    }

    fn segwit_witness(&self, transaction: &Transaction, index: usize, coin: &TxOut) -> Witness {
        let kind = EcdsaSighashType::All;
        let hash = SighashCache::new(transaction)
            .p2wpkh_signature_hash(index, &coin.script_pubkey, coin.value, kind)
            .expect("the input is there");
        let message = Message::from_digest(hash.to_byte_array());
        let signature = bitcoin::ecdsa::Signature {
            signature: self.secp.sign_ecdsa(&message, &self.pair.secret_key()),
            sighash_type: kind,
        };
        Witness::p2wpkh(&signature, &self.pair.public_key())
    }

    fn taproot_witness(&self, transaction: &Transaction, index: usize, coins: &[TxOut]) -> Witness {
        let kind = TapSighashType::Default;
        let hash = SighashCache::new(transaction)
            .taproot_key_spend_signature_hash(index, &Prevouts::All(coins), kind)
            .expect("the input is there");
        let message = Message::from_digest(hash.to_byte_array());
        let tweaked = self.pair.tap_tweak(&self.secp, None).to_keypair();
        let signature = bitcoin::taproot::Signature {
            signature: self.secp.sign_schnorr(&message, &tweaked),
            sighash_type: kind,
        };
        Witness::p2tr_key_spend(&signature)
    }

    /// A script that this key and another have to sign for, or either of them with a third.
    #[must_use]
    pub fn two_of_three(&self, others: [&Key; 2]) -> ScriptBuf {
        multisig(2, &[self.public(), others[0].public(), others[1].public()])
    }

    /// A script that this key or another one signs for.
    #[must_use]
    pub fn one_of_two(&self, other: &Key) -> ScriptBuf {
        multisig(1, &[self.public(), other.public()])
    }
}

fn multisig(needed: i64, keys: &[PublicKey]) -> ScriptBuf {
    let mut script = bitcoin::script::Builder::new().push_int(needed);
    for key in keys {
        script = script.push_key(key);
    }
    let count = i64::try_from(keys.len()).expect("a few keys");
    script
        .push_int(count)
        .push_opcode(bitcoin::opcodes::all::OP_CHECKMULTISIG)
        .into_script()
}
