//! Verifies the scripts of a transaction's inputs. The engine behind it is `bitcoinconsensus`.

use bitcoin::{Transaction, TxOut, Txid, consensus};
use bitcoinconsensus::Utxo;

use super::ScriptFlags;
use crate::ScriptError;

/// The scripts of one transaction, ready to be verified on any thread.
#[derive(Clone, Debug)]
pub struct ScriptCheck {
    txid: Txid,
    transaction: Vec<u8>,
    inputs: usize,
    spent_outputs: Vec<TxOut>,
    flags: ScriptFlags,
}

impl ScriptCheck {
    /// `spent_outputs` are the outputs that the inputs spend, in their order.
    #[must_use]
    pub fn new(transaction: &Transaction, spent_outputs: Vec<TxOut>, flags: ScriptFlags) -> Self {
        Self::with_txid(
            transaction,
            transaction.compute_txid(),
            spent_outputs,
            flags,
        )
    }

    /// As [`ScriptCheck::new`], for a caller that has computed the id already.
    pub(crate) fn with_txid(
        transaction: &Transaction,
        txid: Txid,
        spent_outputs: Vec<TxOut>,
        flags: ScriptFlags,
    ) -> Self {
        Self {
            txid,
            transaction: consensus::serialize(transaction),
            inputs: transaction.input.len(),
            spent_outputs,
            flags,
        }
    }

    /// The transaction.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.txid
    }

    /// Verifies every input.
    ///
    /// # Errors
    /// The first input that fails; or that there is not one spent output for each input.
    pub fn verify(&self) -> Result<(), ScriptError> {
        if self.spent_outputs.len() != self.inputs {
            return Err(ScriptError::SpentOutputsMismatch {
                txid: self.txid,
                inputs: self.inputs,
                spent: self.spent_outputs.len(),
            });
        }
        // The engine reads through these pointers: `self.spent_outputs`, which they point into,
        // stays borrowed and unchanged until the last call below has returned.
        let spent = self
            .spent_outputs
            .iter()
            .enumerate()
            .map(|(input, output)| self.engine_output(input, output))
            .collect::<Result<Vec<_>, _>>()?;
        (0..self.inputs).try_for_each(|input| self.verify_input(input, &spent))
    }

    fn verify_input(&self, input: usize, spent: &[Utxo]) -> Result<(), ScriptError> {
        let output = &self.spent_outputs[input];
        bitcoinconsensus::verify_with_flags(
            output.script_pubkey.as_bytes(),
            output.value.to_sat(),
            &self.transaction,
            Some(spent),
            input,
            self.flags.bits(),
        )
        .map_err(|error| self.explain(input, error))
    }

    fn engine_output(&self, input: usize, output: &TxOut) -> Result<Utxo, ScriptError> {
        let unverifiable = |reason| ScriptError::Unverifiable {
            txid: self.txid,
            input,
            reason,
        };
        let script = output.script_pubkey.as_bytes();
        Ok(Utxo {
            script_pubkey: script.as_ptr(),
            script_pubkey_len: u32::try_from(script.len())
                .map_err(|_| unverifiable("the spent script is too long"))?,
            value: i64::try_from(output.value.to_sat())
                .map_err(|_| unverifiable("the spent value is negative"))?,
        })
    }

    fn explain(&self, input: usize, error: bitcoinconsensus::Error) -> ScriptError {
        use bitcoinconsensus::Error;
        let reason = match error {
            Error::ERR_SCRIPT => {
                return ScriptError::Failed {
                    txid: self.txid,
                    input,
                };
            }
            Error::ERR_TX_INDEX => "the transaction has no such input",
            Error::ERR_TX_SIZE_MISMATCH => "the transaction has bytes left over",
            Error::ERR_TX_DESERIALIZE => "the transaction can't be decoded",
            Error::ERR_AMOUNT_REQUIRED => "the spent value is missing",
            Error::ERR_INVALID_FLAGS => "the engine does not know a flag",
            Error::ERR_SPENT_OUTPUTS_REQUIRED => "the spent outputs are missing",
            Error::ERR_SPENT_OUTPUTS_MISMATCH => "the number of spent outputs is wrong",
        };
        ScriptError::Unverifiable {
            txid: self.txid,
            input,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, Witness, absolute, transaction};

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
    fn refuses_a_value_that_is_negative_to_the_engine() {
        let spend = transaction(1);
        let spent = TxOut {
            value: Amount::from_sat(u64::MAX),
            script_pubkey: ScriptBuf::new(),
        };
        let check = ScriptCheck::new(&spend, vec![spent], ScriptFlags::ALL);
        assert!(matches!(
            check.verify(),
            Err(ScriptError::Unverifiable { input: 0, .. })
        ));
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
        };
        assert_eq!(check(ScriptFlags::P2SH), Err(failed));
    }
}
