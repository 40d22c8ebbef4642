//! Partially signed transactions (BIP-0174).

use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::psbt::PsbtSighashType;
use pyrite_consensus::bitcoin::{OutPoint, Psbt, ScriptBuf, Transaction, Witness};
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::Handler;
use super::raw_create::NewTransaction;
use super::rawtransactions::is_unspendable;
use crate::api::psbt::PsbtsServer;
use crate::call::{CallError, CallResult, code};
use crate::params;
use crate::psbt::{
    Knowledge, Origins, analyze, extract, finalize_input, is_signed, join, psbt_json, read_psbt,
    unite, update_input, update_outputs, write_psbt,
};
use crate::scan::{Solutions, solve};
use crate::signing::{HashType, sign_input};

impl PsbtsServer for Handler {
    fn create_psbt(
        &self,
        inputs: Vec<Value>,
        outputs: Value,
        locktime: Option<i64>,
        replaceable: Option<bool>,
        version: Option<i64>,
    ) -> CallResult<String> {
        let transaction = self.new_transaction(&NewTransaction {
            inputs,
            outputs,
            lock_time: locktime,
            replaceable,
            version,
        })?;
        Ok(write_psbt(&blank(transaction)?))
    }

    fn convert_to_psbt(
        &self,
        hexstring: String,
        permitsigdata: Option<bool>,
        iswitness: Option<bool>,
    ) -> CallResult<String> {
        let failed = |message| CallError::new(code::DESERIALIZATION_ERROR, message);
        let mut transaction: Transaction =
            deserialize_hex(&hexstring).map_err(|_| failed("TX decode failed"))?;
        let has_witness = transaction
            .input
            .iter()
            .any(|input| !input.witness.is_empty());
        if iswitness == Some(false) && has_witness {
            return Err(failed("TX decode failed"));
        }
        for input in &mut transaction.input {
            let is_bare = input.script_sig.is_empty() && input.witness.is_empty();
            if !is_bare && !permitsigdata.unwrap_or(false) {
                return Err(failed(
                    "Inputs must not have scriptSigs and scriptWitnesses",
                ));
            }
            input.script_sig = ScriptBuf::new();
            input.witness = Witness::new();
        }
        Ok(write_psbt(&blank(transaction)?))
    }

    fn decode_psbt(&self, psbt: String) -> CallResult<Value> {
        psbt_json(&read_psbt(&psbt)?, self.address_network())
    }

    fn analyze_psbt(&self, psbt: String) -> CallResult<Value> {
        Ok(analyze(&read_psbt(&psbt)?, is_unspendable))
    }

    fn combine_psbt(&self, txs: Vec<Value>) -> CallResult<String> {
        let mut psbts = read_all(&txs)?.into_iter();
        let Some(mut united) = psbts.next() else {
            return Err(CallError::invalid_parameter(
                "Parameter 'txs' cannot be empty",
            ));
        };
        for psbt in psbts {
            unite(&mut united, psbt)?;
        }
        Ok(write_psbt(&united))
    }

    fn join_psbts(&self, txs: Vec<Value>) -> CallResult<String> {
        if txs.len() <= 1 {
            return Err(CallError::invalid_parameter(
                "At least two PSBTs are required to join PSBTs.",
            ));
        }
        Ok(write_psbt(&join(read_all(&txs)?)?))
    }

    fn finalize_psbt(&self, psbt: String, to_extract: Option<bool>) -> CallResult<Value> {
        let mut psbt = read_psbt(&psbt)?;
        let is_complete = finalize(&mut psbt);
        if is_complete && to_extract.unwrap_or(true) {
            return Ok(json!({ "hex": serialize_hex(&extract(&psbt)), "complete": true }));
        }
        Ok(json!({ "psbt": write_psbt(&psbt), "complete": is_complete }))
    }

    fn utxo_update_psbt(
        &self,
        psbt: String,
        descriptors: Option<Vec<Value>>,
    ) -> CallResult<String> {
        let mut psbt = read_psbt(&psbt)?;
        let descriptors = descriptors.unwrap_or_default();
        let knowledge = self.knowledge(&descriptors, Origins::Shown)?;
        self.add_spent_outputs(&mut psbt)?;
        for index in 0..psbt.inputs.len() {
            update_input(&mut psbt, index, &knowledge);
        }
        update_outputs(&mut psbt, &knowledge);
        drop_unneeded_transactions(&mut psbt);
        Ok(write_psbt(&psbt))
    }

    fn descriptor_process_psbt(
        &self,
        psbt: String,
        descriptors: Vec<Value>,
        sighashtype: Option<String>,
        bip32derivs: Option<bool>,
        to_finalize: Option<bool>,
    ) -> CallResult<Value> {
        let mut psbt = read_psbt(&psbt)?;
        let origins = match bip32derivs {
            Some(false) => Origins::Hidden,
            _ => Origins::Shown,
        };
        let knowledge = self.knowledge(&descriptors, origins)?;
        let asked = sighashtype
            .map(|name| HashType::read(Some(&name)))
            .transpose()?;
        self.add_spent_outputs(&mut psbt)?;
        for index in 0..psbt.inputs.len() {
            update_input(&mut psbt, index, &knowledge);
            sign(&mut psbt, index, &knowledge, asked)?;
            if to_finalize.unwrap_or(true) {
                finalize_input(&mut psbt, index);
            }
        }
        update_outputs(&mut psbt, &knowledge);
        drop_unneeded_transactions(&mut psbt);
        let is_complete = psbt.inputs.iter().all(is_signed);
        let mut form = json!({ "psbt": write_psbt(&psbt), "complete": is_complete });
        if is_complete {
            form["hex"] = serialize_hex(&extract(&psbt)).into();
        }
        Ok(form)
    }
}

impl Handler {
    /// What descriptors know.
    fn knowledge(&self, descriptors: &[Value], origins: Origins) -> CallResult<Knowledge> {
        let mut solutions = Solutions::default();
        let kind = self.context.spec.address_kind;
        for descriptor in descriptors {
            solve(descriptor, kind, &self.stop, &mut solutions)?;
        }
        Ok(Knowledge::new(solutions, origins))
    }

    /// Adds the outputs that a PSBT spends: with their whole transaction where it is known, otherwise from
    /// the coins (Bitcoin Core's `ProcessPSBT`).
    fn add_spent_outputs(&self, psbt: &mut Psbt) -> CallResult<()> {
        if self.context.indexes.is_on(IndexKind::Transactions) {
            let _ = self
                .context
                .indexes
                .wait_until_current(IndexKind::Transactions);
        }
        let mut others: Vec<OutPoint> = Vec::new();
        for (spend, input) in psbt.unsigned_tx.input.iter().zip(&mut psbt.inputs) {
            if is_signed(input) || input.non_witness_utxo.is_some() {
                continue;
            }
            let outpoint = spend.previous_output;
            let parent = self.known_transaction(&outpoint)?;
            let has_output = |parent: &Transaction| {
                usize::try_from(outpoint.vout).is_ok_and(|place| place < parent.output.len())
            };
            match parent.filter(has_output) {
                Some(parent) => input.non_witness_utxo = Some(parent),
                None => others.push(outpoint),
            }
        }
        let coins = self.context.reader.coins(&others)?.coins;
        for (spend, input) in psbt.unsigned_tx.input.iter().zip(&mut psbt.inputs) {
            if let Some(coin) = coins.get(&spend.previous_output)
                && input.non_witness_utxo.is_none()
                && input.witness_utxo.is_none()
            {
                input.witness_utxo = Some(coin.output.clone());
            }
        }
        Ok(())
    }

    /// A transaction of the mempool, or of the index.
    fn known_transaction(&self, outpoint: &OutPoint) -> CallResult<Option<Transaction>> {
        if let Some(entry) = self.context.mempool.get(&outpoint.txid) {
            return Ok(Some(entry.tx.as_ref().clone()));
        }
        if !self.context.indexes.is_on(IndexKind::Transactions) {
            return Ok(None);
        }
        let found = self.find_indexed(&outpoint.txid)?;
        Ok(found.map(|(_, block, place)| block.txdata[place].clone()))
    }
}

/// A PSBT that knows nothing of its transaction.
fn blank(transaction: Transaction) -> CallResult<Psbt> {
    Psbt::from_unsigned_tx(transaction).map_err(|error| CallError::misc(error.to_string()))
}

fn read_all(texts: &[Value]) -> CallResult<Vec<Psbt>> {
    texts
        .iter()
        .map(|text| read_psbt(params::text(text)?))
        .collect()
}

/// Finalizes what is complete; whether all is.
fn finalize(psbt: &mut Psbt) -> bool {
    let mut is_complete = true;
    for index in 0..psbt.inputs.len() {
        is_complete &= finalize_input(psbt, index);
    }
    is_complete
}

/// Signs an input with the hash type that it asks for, or that the caller asks for.
fn sign(
    psbt: &mut Psbt,
    index: usize,
    knowledge: &Knowledge,
    asked: Option<HashType>,
) -> CallResult<()> {
    let stored = psbt.inputs[index].sighash_type.map(PsbtSighashType::to_u32);
    let kind = match (asked, stored) {
        (Some(asked), Some(stored)) if asked.to_u32() != stored => {
            return Err(CallError::new(
                code::DESERIALIZATION_ERROR,
                "Specified sighash value does not match value stored in PSBT",
            ));
        }
        (Some(asked), _) => asked,
        (None, Some(stored)) => match HashType::from_u32(stored) {
            Some(kind) => kind,
            // Nobody knows what such a signature would cover.
            None => return Ok(()),
        },
        (None, None) => HashType::Default,
    };
    sign_input(psbt, index, &knowledge.keys, kind);
    Ok(())
}

/// Drops the transactions that are spent where taproot's signatures cover all outputs that are
/// (Bitcoin Core's `RemoveUnnecessaryTransactions`).
fn drop_unneeded_transactions(psbt: &mut Psbt) {
    let is_taproot = |input: &pyrite_consensus::bitcoin::psbt::Input| {
        let output = input.witness_utxo.as_ref();
        output.is_some_and(|output| output.script_pubkey.is_p2tr())
            && input
                .sighash_type
                .is_none_or(|kind| kind.to_u32() & 0x80 == 0)
    };
    if psbt.inputs.iter().all(is_taproot) {
        for input in &mut psbt.inputs {
            input.non_witness_utxo = None;
        }
    }
}
