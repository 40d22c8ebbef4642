//! Verifies the scripts of a transaction's inputs, on any thread and at any time.

use std::sync::Arc;

use bitcoin::{Transaction, TxOut, Txid, Wtxid};

use super::checker::{InputChecker, Secp256k1Verifier, SignatureVerifier};
use super::sighash::SpendingTransaction;
use super::{ScriptFlags, verify_script};
use crate::ScriptError;

/// The scripts of one transaction, ready to be verified on any thread.
#[derive(Clone, Debug)]
pub struct ScriptCheck {
    txid: Txid,
    spending: SpendingTransaction,
    flags: ScriptFlags,
}

impl ScriptCheck {
    /// `spent_outputs` are the outputs that the inputs spend, in their order.
    #[must_use]
    pub fn new(transaction: &Transaction, spent_outputs: Vec<TxOut>, flags: ScriptFlags) -> Self {
        let transaction = Arc::new(transaction.clone());
        Self::shared(transaction, spent_outputs, flags)
    }

    /// As [`ScriptCheck::new`], for a caller that shares the transaction already.
    #[must_use]
    pub fn shared(
        transaction: Arc<Transaction>,
        spent_outputs: Vec<TxOut>,
        flags: ScriptFlags,
    ) -> Self {
        Self {
            txid: transaction.compute_txid(),
            spending: SpendingTransaction::new(transaction, spent_outputs),
            flags,
        }
    }

    /// As [`ScriptCheck::new`], for a caller that has computed the id already.
    pub(crate) fn with_txid(
        transaction: &Transaction,
        txid: Txid,
        spent_outputs: Vec<TxOut>,
        flags: ScriptFlags,
    ) -> Self {
        let transaction = Arc::new(transaction.clone());
        Self {
            txid,
            spending: SpendingTransaction::new(transaction, spent_outputs),
            flags,
        }
    }

    /// The transaction's id.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.txid
    }

    /// The transaction's id with its witnesses.
    #[must_use]
    pub fn wtxid(&self) -> Wtxid {
        self.spending.transaction().compute_wtxid()
    }

    /// How many inputs it has.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.spending.transaction().input.len()
    }

    /// The transaction, with the outputs that it spends.
    #[must_use]
    pub fn spending(&self) -> &SpendingTransaction {
        &self.spending
    }

    /// The same transaction, to be verified under other rules.
    #[must_use]
    pub fn under(&self, flags: ScriptFlags) -> Self {
        Self {
            flags,
            ..self.clone()
        }
    }

    /// The rules that it is verified under.
    #[must_use]
    pub fn flags(&self) -> ScriptFlags {
        self.flags
    }

    /// Verifies every input.
    ///
    /// # Errors
    /// The first input that fails; or that there is not one spent output for each input.
    pub fn verify(&self) -> Result<(), ScriptError> {
        self.verify_with(&Secp256k1Verifier)
    }

    /// As [`ScriptCheck::verify`], with another way to verify signatures.
    ///
    /// # Errors
    /// Those of [`ScriptCheck::verify`].
    pub fn verify_with<V: SignatureVerifier>(&self, verifier: &V) -> Result<(), ScriptError> {
        (0..self.inputs()).try_for_each(|input| self.verify_input(input, verifier))
    }

    /// Verifies one input. Threads may share the inputs of a transaction.
    ///
    /// # Errors
    /// Its scripts fail; or there is not one spent output for each input.
    ///
    /// # Panics
    /// When the transaction has no such input.
    pub fn verify_input<V: SignatureVerifier>(
        &self,
        input: usize,
        verifier: &V,
    ) -> Result<(), ScriptError> {
        let own = &self.spending.transaction().input[input];
        let Some(checker) = InputChecker::new(&self.spending, input, verifier) else {
            return Err(ScriptError::SpentOutputsMismatch {
                txid: self.txid,
                inputs: self.inputs(),
                spent: self.spending.spent_outputs().len(),
            });
        };
        let spent_script = &self.spending.spent_outputs()[input].script_pubkey;
        verify_script(
            &own.script_sig,
            spent_script,
            &own.witness,
            self.flags,
            &checker,
        )
        .map_err(|failure| ScriptError::Failed {
            txid: self.txid,
            input,
            failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, Witness, absolute, transaction};

    use super::super::ScriptFailure;
    use super::*;

    fn transaction(inputs: u32) -> Transaction {
        let input = (0..inputs).map(|vout| TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array([1; 32]),
                vout,
            },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        });
        Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: input.collect(),
            output: vec![TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::new(),
            }],
        }
    }

    fn output(script: &[u8]) -> TxOut {
        let script_pubkey = ScriptBuf::from_bytes(script.to_vec());
        TxOut {
            value: Amount::from_sat(5),
            script_pubkey,
        }
    }

    #[test]
    fn reports_the_input_that_fails() {
        let spend = transaction(2);
        let check = |second: &[u8]| {
            let spent = vec![output(&[0x51]), output(second)];
            ScriptCheck::new(&spend, spent, ScriptFlags::ALL).verify()
        };
        assert_eq!(check(&[0x51]), Ok(()));
        let failed = ScriptError::Failed {
            txid: spend.compute_txid(),
            input: 1,
            failure: ScriptFailure::EvalFalse,
        };
        assert_eq!(check(&[0x00]), Err(failed.clone()));
        // An empty script leaves an empty stack.
        assert_eq!(check(&[]), Err(failed));
    }

    #[test]
    fn wants_one_output_for_each_input() {
        let spend = transaction(2);
        let check = ScriptCheck::new(&spend, vec![output(&[0x51])], ScriptFlags::ALL);
        let txid = spend.compute_txid();
        assert_eq!(
            check.verify(),
            Err(ScriptError::SpentOutputsMismatch {
                txid,
                inputs: 2,
                spent: 1
            })
        );
    }

    #[test]
    fn flags_decide() {
        // An unknown spend of P2SH is anyone's before BIP-0016: OP_HASH160 <hash of ""> OP_EQUAL,
        // redeemed with an empty script, whose stack is empty under BIP-0016.
        let mut script = vec![0xa9, 20];
        script.extend(bitcoin::hashes::hash160::Hash::hash(&[]).to_byte_array());
        script.push(0x87);
        let mut spend = transaction(1);
        spend.input[0].script_sig = ScriptBuf::from_bytes(vec![0x00]);
        let check = |flags| ScriptCheck::new(&spend, vec![output(&script)], flags).verify();
        assert_eq!(check(ScriptFlags::NONE), Ok(()));
        let failed = ScriptError::Failed {
            txid: spend.compute_txid(),
            input: 0,
            failure: ScriptFailure::EvalFalse,
        };
        assert_eq!(check(ScriptFlags::P2SH), Err(failed));
    }
}
