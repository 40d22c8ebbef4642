//! What a script asks of the transaction that spends it: signatures and lock times. The curve's arithmetic
//! sits behind a trait of its own, where a cache of verified signatures can stand in front of it.

use std::cell::{OnceCell, RefCell};
use std::sync::LazyLock;

use bitcoin::Sequence;
use bitcoin::hashes::sha256;
use bitcoin::secp256k1::{
    Message, PublicKey, Secp256k1, VerifyOnly, XOnlyPublicKey, ecdsa, schnorr,
};

use super::failure::ScriptFailure;
use super::sighash::{
    HashType, SpendingTransaction, TaprootContext, finish, legacy_midstate, legacy_signature_hash,
    segwit_v0_midstate, signs_one, taproot_signature_hash,
};

/// Lock times below are heights, from here on Unix seconds.
const LOCK_TIME_THRESHOLD: i64 = 500_000_000;

/// Bits of a sequence number (BIP-0068): whether it is no relative lock time, whether its units are 512
/// seconds and not blocks, and its value.
pub(crate) const SEQUENCE_DISABLE_FLAG: i64 = 1 << 31;
const SEQUENCE_TYPE_FLAG: i64 = 1 << 22;
const SEQUENCE_VALUE_MASK: i64 = 0xffff;

/// The kinds of script with ECDSA signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EcdsaVersion {
    /// Scripts without a witness.
    Legacy,
    /// Witness version 0 (BIP-0143).
    WitnessV0,
}

/// What the input that spends a script gives an account of.
pub trait SignatureChecker {
    /// Whether an ECDSA signature, with its hash type behind it, is valid. The forms of both have been
    /// checked as far as flags ask for it. `script_code` is what the signature signs of the script.
    fn check_ecdsa(
        &self,
        signature: &[u8],
        public_key: &[u8],
        script_code: &[u8],
        version: EcdsaVersion,
    ) -> bool;

    /// Checks a Schnorr signature with or without hash type, which is not empty (BIP-0341).
    ///
    /// # Errors
    /// Its length or its hash type is wrong, or it is not valid.
    fn check_schnorr(
        &self,
        signature: &[u8],
        public_key: &[u8; 32],
        context: &TaprootContext,
    ) -> Result<(), ScriptFailure>;

    /// Whether the transaction's lock time has come to this one (BIP-0065), which is not negative.
    fn check_lock_time(&self, lock_time: i64) -> bool;

    /// Whether the input's relative lock time has come to this one (BIP-0112), which is not negative.
    fn check_sequence(&self, sequence: i64) -> bool;
}

/// Verifies signatures of digests.
pub trait SignatureVerifier {
    /// Whether an ECDSA signature, in DER as loosely as OpenSSL read it, is valid for a key in any of its
    /// forms.
    fn verify_ecdsa(&self, digest: &[u8; 32], signature: &[u8], public_key: &[u8]) -> bool;

    /// Whether a signature is valid after BIP-0340.
    fn verify_schnorr(
        &self,
        digest: &[u8; 32],
        signature: &[u8; 64],
        public_key: &[u8; 32],
    ) -> bool;
}

/// Verifies with libsecp256k1, each time anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secp256k1Verifier;

/// The context for verification, which holds no secret and no state.
pub(super) static SECP256K1: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

impl SignatureVerifier for Secp256k1Verifier {
    fn verify_ecdsa(&self, digest: &[u8; 32], signature: &[u8], public_key: &[u8]) -> bool {
        let Ok(public_key) = PublicKey::from_slice(public_key) else {
            return false;
        };
        let Ok(mut signature) = ecdsa::Signature::from_der_lax(signature) else {
            return false;
        };
        // The library takes only the lower S, Bitcoin's rules both.
        signature.normalize_s();
        let message = Message::from_digest(*digest);
        SECP256K1
            .verify_ecdsa(&message, &signature, &public_key)
            .is_ok()
    }

    fn verify_schnorr(
        &self,
        digest: &[u8; 32],
        signature: &[u8; 64],
        public_key: &[u8; 32],
    ) -> bool {
        let Ok(public_key) = XOnlyPublicKey::from_slice(public_key) else {
            return false;
        };
        let Ok(signature) = schnorr::Signature::from_slice(signature) else {
            return false;
        };
        let message = Message::from_digest(*digest);
        SECP256K1
            .verify_schnorr(&signature, &message, &public_key)
            .is_ok()
    }
}

/// One input of a transaction.
pub struct InputChecker<'a, V = Secp256k1Verifier> {
    spending: &'a SpendingTransaction,
    input: usize,
    verifier: &'a V,
    midstates: RefCell<Midstates>,
    single_output: OnceCell<[u8; 32]>,
}

impl<'a, V: SignatureVerifier> InputChecker<'a, V> {
    /// `None` when the transaction has no such input, or was given another number of spent outputs than
    /// it has inputs.
    #[must_use]
    pub fn new(spending: &'a SpendingTransaction, input: usize, verifier: &'a V) -> Option<Self> {
        let inputs = spending.transaction().input.len();
        if input >= inputs || spending.spent_outputs().len() != inputs {
            return None;
        }
        Some(Self {
            spending,
            input,
            verifier,
            midstates: RefCell::default(),
            single_output: OnceCell::new(),
        })
    }

    fn ecdsa_digest(&self, script_code: &[u8], hash_type: u8, version: EcdsaVersion) -> [u8; 32] {
        let transaction = self.spending.transaction();
        let kind = HashType(u32::from(hash_type));
        if version == EcdsaVersion::Legacy && signs_one(transaction, self.input, kind) {
            return legacy_signature_hash(transaction, self.input, script_code, kind.0);
        }
        let mut midstates = self.midstates.borrow_mut();
        let midstate = midstates.get_or_make(kind, script_code, version, || match version {
            EcdsaVersion::Legacy => legacy_midstate(transaction, self.input, script_code, kind),
            EcdsaVersion::WitnessV0 => segwit_v0_midstate(
                self.spending,
                self.input,
                script_code,
                kind,
                &self.single_output,
            ),
        });
        finish(midstate.clone(), kind.0)
    }
}

/// The last midstate of each kind of hash type, because a script of many signatures mostly has them sign
/// the same, which may be long.
#[derive(Default)]
struct Midstates([Option<Midstate>; HashType::KINDS]);

struct Midstate {
    version: EcdsaVersion,
    script_code: Vec<u8>,
    engine: sha256::HashEngine,
}

impl Midstates {
    fn get_or_make(
        &mut self,
        kind: HashType,
        script_code: &[u8],
        version: EcdsaVersion,
        make: impl FnOnce() -> sha256::HashEngine,
    ) -> &sha256::HashEngine {
        let slot = &mut self.0[kind.kind()];
        let is_same =
            |known: &Midstate| known.version == version && known.script_code == script_code;
        if !slot.as_ref().is_some_and(is_same) {
            *slot = None;
        }
        let midstate = slot.get_or_insert_with(|| Midstate {
            version,
            script_code: script_code.to_vec(),
            engine: make(),
        });
        &midstate.engine
    }
}

impl<V: SignatureVerifier> SignatureChecker for InputChecker<'_, V> {
    fn check_ecdsa(
        &self,
        signature: &[u8],
        public_key: &[u8],
        script_code: &[u8],
        version: EcdsaVersion,
    ) -> bool {
        let Some((hash_type, signature)) = signature.split_last() else {
            return false;
        };
        if !has_key_length(public_key) {
            return false;
        }
        let digest = self.ecdsa_digest(script_code, *hash_type, version);
        self.verifier.verify_ecdsa(&digest, signature, public_key)
    }

    fn check_schnorr(
        &self,
        signature: &[u8],
        public_key: &[u8; 32],
        context: &TaprootContext,
    ) -> Result<(), ScriptFailure> {
        let Some((signature, hash_type)) = signature.split_first_chunk::<64>() else {
            return Err(ScriptFailure::SchnorrSigSize);
        };
        let hash_type = match hash_type {
            [] => 0,
            // The default has no byte.
            [0] => return Err(ScriptFailure::SchnorrSigHashType),
            [hash_type] => *hash_type,
            _ => return Err(ScriptFailure::SchnorrSigSize),
        };
        let digest = taproot_signature_hash(self.spending, self.input, hash_type, context)
            .map_err(|_| ScriptFailure::SchnorrSigHashType)?;
        if self.verifier.verify_schnorr(&digest, signature, public_key) {
            Ok(())
        } else {
            Err(ScriptFailure::SchnorrSig)
        }
    }

    fn check_lock_time(&self, lock_time: i64) -> bool {
        let transaction = self.spending.transaction();
        let own = i64::from(transaction.lock_time.to_consensus_u32());
        // An input that is final switches the transaction's lock time off.
        is_height(own) == is_height(lock_time)
            && lock_time <= own
            && transaction.input[self.input].sequence != Sequence::MAX
    }

    fn check_sequence(&self, sequence: i64) -> bool {
        let transaction = self.spending.transaction();
        let own = i64::from(transaction.input[self.input].sequence.0);
        // Bitcoin Core reads the version as an unsigned number.
        let version = transaction.version.0;
        if matches!(version, 0 | 1) || own & SEQUENCE_DISABLE_FLAG != 0 {
            return false;
        }
        let mask = SEQUENCE_TYPE_FLAG | SEQUENCE_VALUE_MASK;
        let (own, sequence) = (own & mask, sequence & mask);
        own & SEQUENCE_TYPE_FLAG == sequence & SEQUENCE_TYPE_FLAG && sequence <= own
    }
}

fn is_height(lock_time: i64) -> bool {
    lock_time < LOCK_TIME_THRESHOLD
}

/// Whether a key is as long as its first byte says (Bitcoin Core's `CPubKey::IsValid`). Without it a
/// digest would be computed for a key that can't be read.
fn has_key_length(key: &[u8]) -> bool {
    match key.first() {
        Some(2 | 3) => key.len() == 33,
        Some(4 | 6 | 7) => key.len() == 65,
        _ => false,
    }
}
