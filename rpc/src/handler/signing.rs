//! Signatures of messages and of transactions, by keys that the caller gives.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonrpsee::core::async_trait;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::secp256k1::{Message, Secp256k1};
use pyrite_consensus::bitcoin::sign_message::{MessageSignature, signed_msg_hash};
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, PrivateKey, Psbt, ScriptBuf, Transaction, TxIn, TxOut, Txid, Witness, psbt,
};
use pyrite_consensus::script::ScriptFailure;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::signing::SigningServer;
use crate::call::{CallError, CallResult, code};
use crate::json::{SignatureHashes, TransactionForms, asm, decode_transaction, transaction_hex};
use crate::params;
use crate::signing::{HashType, Keyring, Spending, assemble, known_of_input, sign_input};

/// The first byte of a message's signature, less what it says of the key.
const MESSAGE_SIGNATURE_BASE: u8 = 27;

#[async_trait]
impl SigningServer for Handler {
    fn sign_message_with_private_key(
        &self,
        privkey: String,
        message: String,
    ) -> CallResult<String> {
        let key = self.private_key(&privkey)?;
        let digest = Message::from_digest(signed_msg_hash(&message).to_byte_array());
        let signature = Secp256k1::signing_only().sign_ecdsa_recoverable(&digest, &key.inner);
        let signature = MessageSignature::new(signature, key.compressed);
        Ok(BASE64_STANDARD.encode(signature.serialize()))
    }

    fn verify_message(
        &self,
        address: String,
        signature: String,
        message: String,
    ) -> CallResult<bool> {
        let wrong = |message| CallError::new(code::TYPE_ERROR, message);
        let address = self
            .parse_address(&address)
            .ok_or_else(|| CallError::not_found("Invalid address"))?;
        let hash = address
            .pubkey_hash()
            .ok_or_else(|| wrong("Address does not refer to key"))?;
        let mut bytes = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| wrong("Malformed base64 encoding"))?;
        // Bitcoin Core looks at the lowest three bits of what the first byte says.
        if let Some(first) = bytes.first_mut() {
            *first = MESSAGE_SIGNATURE_BASE + (first.wrapping_sub(MESSAGE_SIGNATURE_BASE) & 7);
        }
        let digest = signed_msg_hash(&message);
        let key = MessageSignature::from_slice(&bytes).and_then(|signature| {
            signature.recover_pubkey(&Secp256k1::verification_only(), digest)
        });
        Ok(key.is_ok_and(|key| key.pubkey_hash() == hash))
    }

    async fn sign_raw_transaction_with_key(
        &self,
        hexstring: String,
        privkeys: Vec<Value>,
        prevtxs: Option<Vec<Value>>,
        sighashtype: Option<String>,
    ) -> CallResult<Value> {
        self.long_work(move |handler, end| {
            let forms = TransactionForms::WithWitnesses;
            let transaction = decode_transaction(&hexstring, forms).ok_or_else(|| {
                CallError::new(
                    code::DESERIALIZATION_ERROR,
                    "TX decode failed. Make sure the tx has at least one input.",
                )
            })?;
            let mut keys = Vec::with_capacity(privkeys.len());
            for key in &privkeys {
                keys.push(handler.private_key(params::text(key)?)?);
            }
            let mut keys = Keyring::new(keys);
            let mut coins = handler.outputs_spent_by(&transaction)?;
            for previous in prevtxs.unwrap_or_default() {
                read_previous(&previous, &mut coins, &mut keys)?;
            }
            let hash_type = HashType::read(sighashtype.as_deref())?;
            sign_transaction(transaction, &coins, &keys, hash_type, || end.go_on())
        })
        .await
    }

    async fn combine_raw_transaction(&self, txs: Vec<Value>) -> CallResult<String> {
        self.long_work(move |handler, end| {
            let mut variants: Vec<Transaction> = Vec::with_capacity(txs.len());
            for (index, text) in txs.iter().enumerate() {
                let forms = TransactionForms::WithWitnesses;
                let transaction = decode_transaction(params::text(text)?, forms).ok_or_else(|| {
                    CallError::new(
                        code::DESERIALIZATION_ERROR,
                        format!(
                            "TX decode failed for tx {index}. Make sure the tx has at least one \
                             input."
                        ),
                    )
                })?;
                variants.push(transaction);
            }
            let Some(merged) = variants.first().cloned() else {
                return Err(CallError::invalid_parameter("Missing transactions"));
            };
            let coins = handler.outputs_spent_by(&merged)?;
            combine(merged, variants, &coins, || end.go_on())
        })
        .await
    }
}

/// An output that a transaction spends.
#[derive(Clone, Debug)]
struct Spent {
    output: TxOut,
    /// Whether the caller did not say how much it is.
    is_amount_unknown: bool,
}

/// Outputs by their place.
type SpentOutputs = HashMap<OutPoint, Spent>;

impl Handler {
    /// Reads a private key.
    pub(super) fn private_key(&self, text: &str) -> CallResult<PrivateKey> {
        self.context
            .spec
            .address_kind
            .parse_private_key(text)
            .map_err(|_| CallError::not_found("Invalid private key"))
    }

    /// An output of the mempool or of the chain's coins.
    pub(super) fn unspent_outputs(
        &self,
        outpoints: &[OutPoint],
    ) -> CallResult<HashMap<OutPoint, TxOut>> {
        let mut found = HashMap::new();
        let mempool = self.mempool_at_tip()?;
        for outpoint in outpoints {
            let Some(entry) = mempool.get(&outpoint.txid) else {
                continue;
            };
            let place = usize::try_from(outpoint.vout).ok();
            if let Some(output) = place.and_then(|place| entry.tx.output.get(place)) {
                found.insert(*outpoint, output.clone());
            }
        }
        let coins = self.context.reader.coins(outpoints)?.coins;
        for (outpoint, coin) in coins {
            found.entry(outpoint).or_insert(coin.output);
        }
        Ok(found)
    }

    fn outputs_spent_by(&self, transaction: &Transaction) -> CallResult<SpentOutputs> {
        let spent = transaction.input.iter().map(|input| input.previous_output);
        let outputs = self.unspent_outputs(&spent.collect::<Vec<_>>())?;
        let known = |(outpoint, output)| {
            let spent = Spent {
                output,
                is_amount_unknown: false,
            };
            (outpoint, spent)
        };
        Ok(outputs.into_iter().map(known).collect())
    }
}

/// The transaction as a PSBT, without its signatures.
fn unsigned(transaction: &Transaction) -> Psbt {
    let mut bare = transaction.clone();
    for input in &mut bare.input {
        input.script_sig = ScriptBuf::new();
        input.witness = Witness::new();
    }
    Psbt::from_unsigned_tx(bare).expect("the signatures were taken off")
}

/// Puts what unlocks an output into the input that spends it.
fn unlock(input: &mut TxIn, psbt: &Psbt, index: usize) {
    let known = &psbt.inputs[index];
    if known.final_script_sig.is_some() || known.final_script_witness.is_some() {
        input.script_sig = known.final_script_sig.clone().unwrap_or_default();
        input.witness = known.final_script_witness.clone().unwrap_or_default();
        return;
    }
    let assembly = assemble(psbt, index);
    input.script_sig = assembly.script_sig;
    input.witness = assembly.witness;
}

/// What several copies of a transaction know, in one.
fn combine(
    mut merged: Transaction,
    variants: Vec<Transaction>,
    coins: &SpentOutputs,
    go_on: impl Fn() -> CallResult<()>,
) -> CallResult<String> {
    let mut spent = Vec::with_capacity(merged.input.len());
    for input in &merged.input {
        let coin = coins.get(&input.previous_output).ok_or_else(|| {
            CallError::new(code::VERIFY_ERROR, "Input not found or already spent")
        })?;
        spent.push(Some(coin.output.clone()));
    }
    let mut psbt = unsigned(&merged);
    for (known, output) in psbt.inputs.iter_mut().zip(&spent) {
        known.witness_utxo.clone_from(output);
    }
    let secp = Secp256k1::verification_only();
    for variant in variants {
        // Copies of another transaction tell nothing of this one.
        if variant.input.len() != spent.len() {
            continue;
        }
        let variant = Spending::new(variant, spent.clone());
        for index in 0..spent.len() {
            go_on()?;
            psbt.inputs[index].combine(known_of_input(&variant, index, &secp));
        }
    }
    for (index, input) in merged.input.iter_mut().enumerate() {
        go_on()?;
        unlock(input, &psbt, index);
    }
    Ok(transaction_hex(&merged))
}

/// Signs what can be signed, and says what is not complete (Bitcoin Core's `SignTransaction`).
fn sign_transaction(
    mut transaction: Transaction,
    coins: &SpentOutputs,
    keys: &Keyring,
    hash_type: HashType,
    go_on: impl Fn() -> CallResult<()>,
) -> CallResult<Value> {
    let coins: Vec<Option<&Spent>> = transaction
        .input
        .iter()
        .map(|input| coins.get(&input.previous_output))
        .collect();
    let outputs = coins.iter().map(|coin| Some(coin.as_ref()?.output.clone()));
    let spending = Spending::new(transaction.clone(), outputs.collect());
    let secp = Secp256k1::verification_only();
    let mut psbt = unsigned(&transaction);
    let mut errors = Vec::new();
    for (index, coin) in coins.into_iter().enumerate() {
        go_on()?;
        let input = &mut transaction.input[index];
        let Some(coin) = coin else {
            let error = "Input not found or already spent";
            errors.push(input_error(input, error));
            continue;
        };
        let mut known = known_of_input(&spending, index, &secp);
        add_scripts(&mut known, &coin.output, keys);
        sign_input(&mut known, &spending, index, keys, hash_type);
        psbt.inputs[index] = known;
        unlock(input, &psbt, index);
        if coin.is_amount_unknown && !input.witness.is_empty() {
            return Err(missing_amount(&coin.output));
        }
        if let Err(failure) = spending.verify(index, &input.script_sig, &input.witness) {
            errors.push(input_error(input, &failure_text(failure)));
        }
    }
    let mut form = json!({
        "hex": transaction_hex(&transaction),
        "complete": errors.is_empty(),
    });
    if !errors.is_empty() {
        form["errors"] = errors.into();
    }
    Ok(form)
}

/// Gives an input the scripts of the keyring that are behind its hashes.
pub(super) fn add_scripts(input: &mut psbt::Input, output: &TxOut, keys: &Keyring) {
    let mut program = output.script_pubkey.clone();
    if program.is_p2sh() {
        if input.redeem_script.is_none() {
            input.redeem_script = keys.redeem_script(&program).cloned();
        }
        program = input.redeem_script.clone().unwrap_or_default();
    }
    if program.is_p2wsh() && input.witness_script.is_none() {
        input.witness_script = keys.witness_script(&program).cloned();
    }
}

fn failure_text(failure: ScriptFailure) -> String {
    match failure {
        ScriptFailure::InvalidStackOperation => {
            "Unable to sign input, invalid stack size (possibly missing key)".to_owned()
        }
        ScriptFailure::NullFail => "CHECK(MULTI)SIG failing with non-zero signature (possibly \
                                    need more signatures)"
            .to_owned(),
        other => other.to_string(),
    }
}

fn input_error(input: &TxIn, error: &str) -> Value {
    json!({
        "txid": input.previous_output.txid.to_string(),
        "vout": input.previous_output.vout,
        "witness": input.witness.iter().map(hex::encode).collect::<Vec<_>>(),
        "scriptSig": hex::encode(input.script_sig.as_bytes()),
        "sequence": input.sequence.0,
        "error": error,
    })
}

fn missing_amount(output: &TxOut) -> CallError {
    let script = hex::encode(output.script_pubkey.as_bytes());
    let sat = Amount::MAX_MONEY.to_sat();
    CallError::new(
        code::TYPE_ERROR,
        format!(
            "Missing amount for CTxOut(nValue={}.{:08}, scriptPubKey={})",
            sat / Amount::ONE_BTC.to_sat(),
            sat % Amount::ONE_BTC.to_sat(),
            script.get(..30).unwrap_or(&script)
        ),
    )
}

/// Reads an output that the caller tells of, and the scripts behind its hash (Bitcoin Core's `ParsePrevouts`).
fn read_previous(previous: &Value, coins: &mut SpentOutputs, keys: &mut Keyring) -> CallResult<()> {
    let not_decoded = |message: String| CallError::new(code::DESERIALIZATION_ERROR, message);
    let Some(fields) = previous.as_object() else {
        return Err(not_decoded(
            "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}".to_owned(),
        ));
    };
    for (name, kind) in [
        ("txid", "string"),
        ("vout", "number"),
        ("scriptPubKey", "string"),
    ] {
        check_field(fields, name, kind)?;
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let txid: Txid = params::hash("txid", text("txid"))?;
    let vout = params::int(params::int64(&fields["vout"])?)?;
    let vout =
        u32::try_from(vout).map_err(|_| not_decoded("vout cannot be negative".to_owned()))?;
    let outpoint = OutPoint { txid, vout };
    let script_pubkey =
        ScriptBuf::from_bytes(params::hex_bytes("scriptPubKey", text("scriptPubKey"))?);
    if let Some(known) = coins.get(&outpoint)
        && known.output.script_pubkey != script_pubkey
    {
        let shown = |script| asm(script, SignatureHashes::AsData);
        return Err(not_decoded(format!(
            "Previous output scriptPubKey mismatch:\n{}\nvs:\n{}",
            shown(&known.output.script_pubkey),
            shown(&script_pubkey)
        )));
    }
    let amount = fields.get("amount").map(params::amount).transpose()?;
    read_scripts(fields, &script_pubkey, keys)?;
    let output = TxOut {
        value: amount.unwrap_or(Amount::MAX_MONEY),
        script_pubkey,
    };
    let spent = Spent {
        output,
        is_amount_unknown: amount.is_none(),
    };
    coins.insert(outpoint, spent);
    Ok(())
}

fn check_field(fields: &Map<String, Value>, name: &str, kind: &str) -> CallResult<()> {
    let wrong = |message| Err(CallError::new(code::TYPE_ERROR, message));
    match fields.get(name) {
        None | Some(Value::Null) => wrong(format!("Missing {name}")),
        Some(value) if params::type_name(value) != kind => wrong(format!(
            "JSON value of type {} for field {name} is not of expected type {kind}",
            params::type_name(value)
        )),
        Some(_) => Ok(()),
    }
}

/// Reads the scripts behind the hash of an output.
fn read_scripts(
    fields: &Map<String, Value>,
    output: &ScriptBuf,
    keys: &mut Keyring,
) -> CallResult<()> {
    if !output.is_p2sh() && !output.is_p2wsh() {
        return Ok(());
    }
    let script = |name: &str| -> CallResult<Option<ScriptBuf>> {
        match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let bytes = params::hex_bytes(name, params::text(value)?)?;
                Ok(Some(ScriptBuf::from_bytes(bytes)))
            }
        }
    };
    let (redeem, witness) = (script("redeemScript")?, script("witnessScript")?);
    let Some(inner) = witness.as_ref().or(redeem.as_ref()) else {
        return Err(CallError::invalid_parameter(
            "Missing redeemScript/witnessScript",
        ));
    };
    let program = inner.to_p2wsh();
    // Callers may give the script itself, or its witness program, as the redeem script.
    if let (Some(redeem), Some(witness)) = (&redeem, &witness)
        && redeem != witness
        && *redeem != program
    {
        return Err(CallError::invalid_parameter(
            "redeemScript does not correspond to witnessScript",
        ));
    }
    let fits = if output.is_p2sh() {
        *output == inner.to_p2sh() || *output == program.to_p2sh()
    } else {
        *output == program
    };
    if !fits {
        return Err(CallError::invalid_parameter(
            "redeemScript/witnessScript does not match scriptPubKey",
        ));
    }
    keys.add_script(inner.clone());
    keys.add_script(program);
    Ok(())
}
