//! A transaction with the outputs that it spends, and what signatures of all of its inputs have in common,
//! hashed once when the first of them asks.

use std::sync::{Arc, OnceLock};

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{Transaction, TxOut};

use super::write::{outpoint_bytes, sha256, write_bytes, write_output};

/// SHA-256 of parts of a transaction (BIP-0341), and the same hashed again (BIP-0143).
#[derive(Clone, Debug)]
pub struct CommonDigests {
    /// All outpoints.
    pub prevouts: [u8; 32],
    /// All sequence numbers.
    pub sequences: [u8; 32],
    /// All outputs.
    pub outputs: [u8; 32],
    pub(super) double_prevouts: [u8; 32],
    pub(super) double_sequences: [u8; 32],
    pub(super) double_outputs: [u8; 32],
}

/// SHA-256 of parts of the outputs that a transaction spends (BIP-0341).
#[derive(Clone, Debug)]
pub struct TaprootDigests {
    /// All values.
    pub amounts: [u8; 32],
    /// All scripts.
    pub scripts: [u8; 32],
}

/// A transaction with the outputs that it spends.
///
/// Threads that verify different inputs share it.
#[derive(Clone, Debug)]
pub struct SpendingTransaction {
    transaction: Arc<Transaction>,
    spent_outputs: Vec<TxOut>,
    common: OnceLock<CommonDigests>,
    taproot: OnceLock<TaprootDigests>,
}

impl SpendingTransaction {
    /// `spent_outputs` are the outputs that the inputs spend, in their order.
    #[must_use]
    pub fn new(transaction: Arc<Transaction>, spent_outputs: Vec<TxOut>) -> Self {
        Self {
            transaction,
            spent_outputs,
            common: OnceLock::new(),
            taproot: OnceLock::new(),
        }
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The outputs that its inputs spend.
    #[must_use]
    pub fn spent_outputs(&self) -> &[TxOut] {
        &self.spent_outputs
    }

    /// The digests of the transaction's own parts.
    pub fn common_digests(&self) -> &CommonDigests {
        self.common
            .get_or_init(|| CommonDigests::new(&self.transaction))
    }

    /// The digests of the outputs that it spends.
    pub fn taproot_digests(&self) -> &TaprootDigests {
        self.taproot
            .get_or_init(|| TaprootDigests::new(&self.spent_outputs))
    }
}

impl CommonDigests {
    fn new(transaction: &Transaction) -> Self {
        let prevouts = sha256(|engine| {
            for input in &transaction.input {
                engine.input(&outpoint_bytes(&input.previous_output));
            }
        });
        let sequences = sha256(|engine| {
            for input in &transaction.input {
                engine.input(&input.sequence.0.to_le_bytes());
            }
        });
        let outputs = sha256(|engine| {
            for output in &transaction.output {
                write_output(engine, output);
            }
        });
        let again = |hash: &[u8; 32]| sha256::Hash::hash(hash).to_byte_array();
        Self {
            double_prevouts: again(&prevouts),
            double_sequences: again(&sequences),
            double_outputs: again(&outputs),
            prevouts,
            sequences,
            outputs,
        }
    }
}

impl TaprootDigests {
    fn new(spent_outputs: &[TxOut]) -> Self {
        let amounts = sha256(|engine| {
            for output in spent_outputs {
                engine.input(&output.value.to_sat().to_le_bytes());
            }
        });
        let scripts = sha256(|engine| {
            for output in spent_outputs {
                write_bytes(engine, output.script_pubkey.as_bytes());
            }
        });
        Self { amounts, scripts }
    }
}
