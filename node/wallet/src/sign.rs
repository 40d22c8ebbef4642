//! Signs transactions that spend the wallet's coins of either account.
//!
//! ECDSA signatures are ground to a low R value and both kinds are deterministic, so that a transaction's
//! size, and with it the fee, is known before it is signed.

use pyrite_consensus::bitcoin::key::{Keypair, TapTweak, TweakedKeypair, UntweakedKeypair};
use pyrite_consensus::bitcoin::secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};
use pyrite_consensus::bitcoin::sighash::{Prevouts, SighashCache};
use pyrite_consensus::bitcoin::{
    CompressedPublicKey, EcdsaSighashType, ScriptBuf, TapSighashType, Transaction, TxOut, Witness,
    ecdsa, taproot,
};

use crate::keys::KeyRing;
use crate::view::Coin;
use crate::{AddressType, WalletError};

/// Signs every input of `tx`; `coins` are what the inputs spend, in their order.
///
/// # Errors
/// [`WalletError::KeyMismatch`] if a coin is not paid to the key at its index.
pub(crate) fn sign(
    mut tx: Transaction,
    coins: &[Coin],
    keys: &KeyRing,
    secp: &Secp256k1<All>,
) -> Result<Transaction, WalletError> {
    debug_assert_eq!(tx.input.len(), coins.len());
    let spent: Vec<&TxOut> = coins.iter().map(|coin| &coin.output).collect();
    let mut witnesses = Vec::with_capacity(coins.len());
    let mut cache = SighashCache::new(&tx);
    for (input, coin) in coins.iter().enumerate() {
        let key = keys.secret_key(coin.keychain, coin.index, secp)?;
        let witness = match coin.keychain.address_type() {
            AddressType::Bech32 => sign_p2wpkh(&mut cache, input, coin, &key, secp),
            AddressType::Bech32m => sign_p2tr(&mut cache, input, coin, &spent, &key, secp),
        };
        witnesses.push(witness.ok_or(WalletError::KeyMismatch {
            outpoint: coin.outpoint,
        })?);
    }
    for (input, witness) in tx.input.iter_mut().zip(witnesses) {
        input.witness = witness;
    }
    Ok(tx)
}

/// BIP-0143. `None` if the coin is not paid to `key`.
fn sign_p2wpkh(
    cache: &mut SighashCache<&Transaction>,
    input: usize,
    coin: &Coin,
    key: &SecretKey,
    secp: &Secp256k1<All>,
) -> Option<Witness> {
    let public_key = PublicKey::from_secret_key(secp, key);
    let script = ScriptBuf::new_p2wpkh(&CompressedPublicKey(public_key).wpubkey_hash());
    if script != coin.output.script_pubkey {
        return None;
    }
    let sighash = cache
        .p2wpkh_signature_hash(input, &script, coin.output.value, EcdsaSighashType::All)
        .expect("the input exists and the script is P2WPKH");
    let signature = secp.sign_ecdsa_low_r(&Message::from(sighash), key);
    let signature = ecdsa::Signature {
        signature,
        sighash_type: EcdsaSighashType::All,
    };
    Some(Witness::p2wpkh(&signature, &public_key))
}

/// BIP-0341's key path, with BIP-0086's tweak. `None` if the coin is not paid to `key`.
fn sign_p2tr(
    cache: &mut SighashCache<&Transaction>,
    input: usize,
    coin: &Coin,
    spent: &[&TxOut],
    key: &SecretKey,
    secp: &Secp256k1<All>,
) -> Option<Witness> {
    let untweaked: UntweakedKeypair = Keypair::from_secret_key(secp, key);
    let tweaked: TweakedKeypair = untweaked.tap_tweak(secp, None);
    let (output_key, _parity) = tweaked.public_parts();
    if ScriptBuf::new_p2tr_tweaked(output_key) != coin.output.script_pubkey {
        return None;
    }
    let sighash = cache
        .taproot_key_spend_signature_hash(input, &Prevouts::All(spent), TapSighashType::Default)
        .expect("the input exists and has its spent output");
    let signature = secp.sign_schnorr_no_aux_rand(&Message::from(sighash), &tweaked.to_keypair());
    let signature = taproot::Signature {
        signature,
        sighash_type: TapSighashType::Default,
    };
    Some(Witness::p2tr_key_spend(&signature))
}
