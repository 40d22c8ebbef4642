//! Transactions, as `decoderawtransaction`, `getrawtransaction` and `getblock` show them.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::{Amount, Network, Transaction, TxIn, TxOut};
use serde::Serialize;

use super::number::Btc;
use super::raw_transaction::{total_size, transaction_hex, wtxid};
use super::script::{ScriptPubKeyJson, SignatureHashes, asm, script_pub_key_json};

/// What to show of a transaction beside its own content.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TransactionView<'a> {
    /// The coins that it spends, in the order of its inputs, where they are known: gives the fee.
    pub(crate) spent: Option<&'a [Coin]>,
    /// Shows those coins at the inputs.
    pub(crate) with_prevouts: bool,
    /// Shows the bytes.
    pub(crate) with_hex: bool,
}

/// A transaction.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TransactionJson {
    txid: String,
    hash: String,
    version: u32,
    size: usize,
    vsize: u64,
    weight: u64,
    locktime: u32,
    vin: Vec<InputJson>,
    vout: Vec<OutputJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Btc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct InputJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    coinbase: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vout: Option<u32>,
    #[serde(rename = "scriptSig", skip_serializing_if = "Option::is_none")]
    script_sig: Option<ScriptSigJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    txinwitness: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevout: Option<PrevoutJson>,
    sequence: u32,
}

#[derive(Clone, Debug, Serialize)]
struct ScriptSigJson {
    asm: String,
    hex: String,
}

#[derive(Clone, Debug, Serialize)]
struct PrevoutJson {
    generated: bool,
    height: u32,
    value: Btc,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: ScriptPubKeyJson,
}

#[derive(Clone, Debug, Serialize)]
struct OutputJson {
    value: Btc,
    n: usize,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: ScriptPubKeyJson,
}

/// The form of a transaction.
pub(crate) fn transaction_json(
    transaction: &Transaction,
    network: Network,
    view: TransactionView<'_>,
) -> TransactionJson {
    // Coins that don't match the inputs one to one say nothing of this transaction.
    let spent = view
        .spent
        .filter(|coins| coins.len() == transaction.input.len());
    let input = |(index, input): (usize, &TxIn)| {
        let coin = spent
            .filter(|_| view.with_prevouts)
            .map(|coins| &coins[index]);
        input_json(input, transaction.is_coinbase(), coin, network)
    };
    let size = total_size(transaction);
    let weight = (3 * transaction.base_size() + size) as u64;
    TransactionJson {
        txid: transaction.compute_txid().to_string(),
        hash: wtxid(transaction).to_string(),
        version: transaction.version.0.cast_unsigned(),
        size,
        vsize: weight.div_ceil(4),
        weight,
        locktime: transaction.lock_time.to_consensus_u32(),
        vin: transaction.input.iter().enumerate().map(input).collect(),
        vout: transaction
            .output
            .iter()
            .enumerate()
            .map(|(n, output)| output_json(n, output, network))
            .collect(),
        fee: spent
            .and_then(|coins| fee(transaction, coins))
            .map(Btc::from),
        hex: view.with_hex.then(|| transaction_hex(transaction)),
    }
}

fn input_json(input: &TxIn, is_coinbase: bool, coin: Option<&Coin>, network: Network) -> InputJson {
    let script_hex = hex::encode(input.script_sig.as_bytes());
    let (coinbase, script_sig) = if is_coinbase {
        (Some(script_hex), None)
    } else {
        let asm = asm(&input.script_sig, SignatureHashes::Decode);
        (
            None,
            Some(ScriptSigJson {
                asm,
                hex: script_hex,
            }),
        )
    };
    InputJson {
        coinbase,
        txid: (!is_coinbase).then(|| input.previous_output.txid.to_string()),
        vout: (!is_coinbase).then_some(input.previous_output.vout),
        script_sig,
        txinwitness: input.witness.iter().map(hex::encode).collect(),
        prevout: coin.map(|coin| PrevoutJson {
            generated: coin.is_coinbase,
            height: coin.height.0,
            value: coin.output.value.into(),
            script_pub_key: script_pub_key_json(&coin.output.script_pubkey, network),
        }),
        sequence: input.sequence.0,
    }
}

fn output_json(n: usize, output: &TxOut, network: Network) -> OutputJson {
    OutputJson {
        value: output.value.into(),
        n,
        script_pub_key: script_pub_key_json(&output.script_pubkey, network),
    }
}

/// What the inputs have more than the outputs.
fn fee(transaction: &Transaction, spent: &[Coin]) -> Option<Amount> {
    let input = total(spent.iter().map(|coin| coin.output.value))?;
    let output = total(transaction.output.iter().map(|output| output.value))?;
    input.checked_sub(output)
}

/// A sum of amounts, `None` when there is no such amount.
fn total(mut amounts: impl Iterator<Item = Amount>) -> Option<Amount> {
    amounts.try_fold(Amount::ZERO, Amount::checked_add)
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
