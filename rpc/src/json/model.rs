//! What blocks and transactions look like, said by the plainest means: structures of their fields. What the node writes is
//! held to it.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::key::PublicKey;
use pyrite_consensus::bitcoin::secp256k1::XOnlyPublicKey;
use pyrite_consensus::bitcoin::{Address, Amount, Network, Script, Transaction, TxIn, TxOut};
use serde::Serialize;

use super::descriptor::with_checksum;
use super::number::Btc;
use super::raw_transaction::{total_size, transaction_hex, wtxid};
use super::script::{
    Instructions, OutputKind, SignatureHashes, opcode_name, output_kind, script_number,
    signature_type,
};
use super::transaction::TransactionView;

/// A transaction.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TransactionJson {
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
pub(super) fn transaction_json(
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

/// A `scriptPubKey`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ScriptPubKeyJson {
    asm: String,
    desc: String,
    hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The form of an output's script.
pub(super) fn script_pub_key_json(script: &Script, network: Network) -> ScriptPubKeyJson {
    let kind = output_kind(script);
    let address = Address::from_script(script, network).ok();
    ScriptPubKeyJson {
        asm: asm(script, SignatureHashes::AsData),
        desc: with_checksum(&infer(script, &kind, address.as_ref())),
        hex: hex::encode(script.as_bytes()),
        address: address.map(|address| address.to_string()),
        kind: kind.name(),
    }
}

fn infer(script: &Script, kind: &OutputKind<'_>, address: Option<&Address>) -> String {
    let valid = |key: &[u8]| PublicKey::from_slice(key).is_ok();
    match kind {
        OutputKind::PublicKey(key) if valid(key) => return format!("pk({})", hex::encode(key)),
        OutputKind::Multisig { required, keys } if keys.iter().all(|key| valid(key)) => {
            let keys: Vec<String> = keys.iter().map(hex::encode).collect();
            return format!("multi({required},{})", keys.join(","));
        }
        OutputKind::Taproot(key) if XOnlyPublicKey::from_slice(key).is_ok() => {
            return format!("rawtr({})", hex::encode(key));
        }
        _ => {}
    }
    match address {
        Some(address) => format!("addr({address})"),
        None => format!("raw({})", hex::encode(script.as_bytes())),
    }
}

/// A script as text, one word for each instruction.
fn asm(script: &Script, signature_hashes: SignatureHashes) -> String {
    // In a script that can't be spent, data only looks like a signature.
    let decode = signature_hashes == SignatureHashes::Decode && !script.is_op_return();
    let mut words = Vec::new();
    for item in Instructions(script.as_bytes()) {
        let Ok(item) = item else {
            words.push("[error]".to_owned());
            break;
        };
        words.push(match item.push {
            Some(data) if data.len() <= 4 => script_number(data).to_string(),
            Some(data) => match signature_type(data).filter(|_| decode) {
                Some(name) => format!("{}[{name}]", hex::encode(&data[..data.len() - 1])),
                None => hex::encode(data),
            },
            None => opcode_name(item.opcode).to_owned(),
        });
    }
    words.join(" ")
}

#[cfg(test)]
#[path = "model_fuzz.rs"]
mod fuzz;
