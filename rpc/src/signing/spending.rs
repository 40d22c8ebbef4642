//! A transaction with the outputs that its inputs spend, as far as these are known. What the signatures of all inputs sign
//! alike is hashed once, so that work on many inputs does not grow with the square of their number.

use std::sync::Arc;

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::secp256k1::Message;
use pyrite_consensus::bitcoin::taproot::TapLeafHash;
use pyrite_consensus::bitcoin::{
    Amount, EcdsaSighashType, Psbt, Script, ScriptBuf, TapSighashType, Transaction, TxOut, Witness,
};
use pyrite_consensus::script::sighash::{
    LeafContext, SpendingTransaction, TaprootContext, legacy_signature_hash,
    segwit_v0_signature_hash, taproot_signature_hash,
};
use pyrite_consensus::script::{
    InputChecker, ScriptFailure, ScriptFlags, Secp256k1Verifier, verify_script,
};

use super::code::Version;

/// A transaction and what it spends.
pub(crate) struct Spending {
    spending: SpendingTransaction,
    /// Which of the spent outputs are known. In the place of each other one is an impossible one.
    known: Vec<bool>,
}

impl Spending {
    /// A transaction and the outputs that its inputs spend, in their order.
    pub(crate) fn new(transaction: Transaction, spent: Vec<Option<TxOut>>) -> Self {
        let unknown = || TxOut {
            value: Amount::MAX_MONEY,
            script_pubkey: ScriptBuf::new(),
        };
        let known = spent.iter().map(Option::is_some).collect();
        let spent = spent
            .into_iter()
            .map(|output| output.unwrap_or_else(unknown))
            .collect();
        Self {
            spending: SpendingTransaction::new(Arc::new(transaction), spent),
            known,
        }
    }

    /// The transaction of a PSBT, and the outputs that the PSBT knows. It stays true as long as the PSBT learns of no other
    /// outputs.
    pub(crate) fn of_psbt(psbt: &Psbt) -> Self {
        let spent = (0..psbt.inputs.len()).map(|index| super::spent_output(psbt, index).cloned());
        Self::new(psbt.unsigned_tx.clone(), spent.collect())
    }

    /// The transaction.
    pub(crate) fn transaction(&self) -> &Transaction {
        self.spending.transaction()
    }

    /// The output that an input spends, where it is known.
    pub(crate) fn output(&self, index: usize) -> Option<&TxOut> {
        let is_known = self.known.get(index).copied().unwrap_or(false);
        is_known.then(|| &self.spending.spent_outputs()[index])
    }

    /// Whether all outputs that are spent are known.
    pub(super) fn knows_all(&self) -> bool {
        self.known.iter().all(|known| *known)
    }

    /// Whether these unlock the output that an input spends, under the rules of policy.
    ///
    /// # Errors
    /// The rule that they break.
    pub(crate) fn verify(
        &self,
        index: usize,
        script_sig: &Script,
        witness: &Witness,
    ) -> Result<(), ScriptFailure> {
        let checker = InputChecker::new(&self.spending, index, &Secp256k1Verifier);
        let (Some(checker), Some(output)) = (checker, self.output(index)) else {
            return Err(ScriptFailure::EvalFalse);
        };
        let flags = ScriptFlags::STANDARD;
        verify_script(script_sig, &output.script_pubkey, witness, flags, &checker)
    }

    /// What an ECDSA signature of an input signs.
    pub(super) fn ecdsa_digest(
        &self,
        index: usize,
        version: Version,
        script: &Script,
        kind: EcdsaSighashType,
    ) -> Message {
        let (code, kind) = (script.as_bytes(), kind.to_u32());
        Message::from_digest(match version {
            Version::Legacy => legacy_signature_hash(self.transaction(), index, code, kind),
            Version::Witness => segwit_v0_signature_hash(&self.spending, index, code, kind),
        })
    }

    /// What a Schnorr signature of an input signs, for the output key or for a leaf.
    pub(super) fn taproot_digest(
        &self,
        index: usize,
        leaf: Option<TapLeafHash>,
        kind: TapSighashType,
    ) -> Option<Message> {
        let leaf = leaf.map(|leaf| LeafContext {
            hash: leaf.to_byte_array(),
            code_separator: u32::MAX,
        });
        let context = TaprootContext::new(None, leaf);
        let digest = taproot_signature_hash(&self.spending, index, kind as u8, &context);
        digest.ok().map(Message::from_digest)
    }
}
