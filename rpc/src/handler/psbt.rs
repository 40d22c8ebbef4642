//! Partially signed transactions (BIP-0174).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use jsonrpsee::core::async_trait;
use pyrite_consensus::bitcoin::psbt::PsbtSighashType;
use pyrite_consensus::bitcoin::{OutPoint, Psbt, ScriptBuf, Transaction, Txid, Witness};
use pyrite_index::IndexKind;
use serde_json::{Value, json};

use super::Handler;
use super::raw_create::NewTransaction;
use super::rawtransactions::is_unspendable;
use crate::api::psbt::PsbtsServer;
use crate::call::{CallError, CallResult, code};
use crate::json::{TransactionForms, decode_transaction, transaction_hex};
use crate::params;
use crate::psbt::{
    Knowledge, Origins, analyze, extract, finalize_input, is_signed, join, may_be_signed,
    psbt_json, read_psbt, unite, update_input, update_outputs, write_psbt,
};
use crate::scan::{Solutions, solve};
use crate::signing::{HashType, Spending, sign_input};

/// The most bytes of the transactions that are put into a PSBT for their outputs, about: each input has its own copy.
const MAX_PARENT_BYTES: usize = 64 << 20;

#[async_trait]
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
        let mut transaction = decode_transaction(&hexstring, TransactionForms::of(iswitness))
            .ok_or_else(|| failed("TX decode failed"))?;
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

    async fn analyze_psbt(&self, psbt: String) -> CallResult<Value> {
        self.long_work(move |_, end| analyze(&read_psbt(&psbt)?, is_unspendable, || end.go_on()))
            .await
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

    async fn finalize_psbt(&self, psbt: String, to_extract: Option<bool>) -> CallResult<Value> {
        self.long_work(move |_, end| {
            let mut psbt = read_psbt(&psbt)?;
            let spending = Spending::of_psbt(&psbt);
            let mut is_complete = true;
            for index in 0..psbt.inputs.len() {
                end.go_on()?;
                is_complete &= finalize_input(&mut psbt, &spending, index);
            }
            if is_complete && to_extract.unwrap_or(true) {
                let hex = transaction_hex(&extract(&psbt));
                return Ok(json!({ "hex": hex, "complete": true }));
            }
            Ok(json!({ "psbt": write_psbt(&psbt), "complete": is_complete }))
        })
        .await
    }

    async fn utxo_update_psbt(
        &self,
        psbt: String,
        descriptors: Option<Vec<Value>>,
    ) -> CallResult<String> {
        self.long_work(move |handler, end| {
            let mut psbt = read_psbt(&psbt)?;
            let descriptors = descriptors.unwrap_or_default();
            let knowledge = handler.knowledge(&descriptors, Origins::Shown)?;
            handler.add_spent_outputs(&mut psbt, &knowledge, || end.go_on())?;
            for index in 0..psbt.inputs.len() {
                end.go_on()?;
                update_input(&mut psbt, index, &knowledge);
            }
            update_outputs(&mut psbt, &knowledge);
            drop_unneeded_transactions(&mut psbt);
            Ok(write_psbt(&psbt))
        })
        .await
    }

    async fn descriptor_process_psbt(
        &self,
        psbt: String,
        descriptors: Vec<Value>,
        sighashtype: Option<String>,
        bip32derivs: Option<bool>,
        to_finalize: Option<bool>,
    ) -> CallResult<Value> {
        let origins = match bip32derivs {
            Some(false) => Origins::Hidden,
            _ => Origins::Shown,
        };
        self.long_work(move |handler, end| {
            let mut psbt = read_psbt(&psbt)?;
            let knowledge = handler.knowledge(&descriptors, origins)?;
            let asked = sighashtype
                .map(|name| HashType::read(Some(&name)))
                .transpose()?;
            handler.add_spent_outputs(&mut psbt, &knowledge, || end.go_on())?;
            let spending = Spending::of_psbt(&psbt);
            for index in 0..psbt.inputs.len() {
                end.go_on()?;
                if is_signed(&psbt.inputs[index]) {
                    continue;
                }
                update_input(&mut psbt, index, &knowledge);
                sign(&mut psbt, &spending, index, &knowledge, asked)?;
                if to_finalize.unwrap_or(true) {
                    finalize_input(&mut psbt, &spending, index);
                }
            }
            update_outputs(&mut psbt, &knowledge);
            drop_unneeded_transactions(&mut psbt);
            let is_complete = psbt.inputs.iter().all(is_signed);
            let mut form = json!({ "psbt": write_psbt(&psbt), "complete": is_complete });
            if is_complete {
                form["hex"] = transaction_hex(&extract(&psbt)).into();
            }
            Ok(form)
        })
        .await
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
    /// the coins, if a witness unlocks them (Bitcoin Core's `ProcessPSBT`).
    fn add_spent_outputs(
        &self,
        psbt: &mut Psbt,
        knowledge: &Knowledge,
        go_on: impl Fn() -> CallResult<()>,
    ) -> CallResult<()> {
        if self.context.indexes.is_on(IndexKind::Transactions) {
            let _ = self
                .context
                .indexes
                .wait_until_current(IndexKind::Transactions);
        }
        self.mempool_at_tip()?;
        let mut others: Vec<OutPoint> = Vec::new();
        let mut parents: HashMap<Txid, Option<Arc<Transaction>>> = HashMap::new();
        let mut bytes = 0;
        for (spend, input) in psbt.unsigned_tx.input.iter().zip(&mut psbt.inputs) {
            go_on()?;
            if is_signed(input) || input.non_witness_utxo.is_some() {
                continue;
            }
            let outpoint = spend.previous_output;
            let parent = match parents.entry(outpoint.txid) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.known_transaction(&outpoint.txid)?),
            };
            let has_output = |parent: &Transaction| {
                usize::try_from(outpoint.vout).is_ok_and(|place| place < parent.output.len())
            };
            match parent.as_deref().filter(|parent| has_output(parent)) {
                Some(parent) => {
                    // Each input has a copy of its own.
                    bytes += parent.total_size();
                    if bytes > MAX_PARENT_BYTES {
                        return Err(CallError::misc(
                            "The transactions whose outputs are spent are too long together",
                        ));
                    }
                    input.non_witness_utxo = Some(parent.clone());
                }
                None => others.push(outpoint),
            }
        }
        let coins = self.context.reader.coins(&others)?.coins;
        for (spend, input) in psbt.unsigned_tx.input.iter().zip(&mut psbt.inputs) {
            if let Some(coin) = coins.get(&spend.previous_output)
                && input.non_witness_utxo.is_none()
                && knowledge.is_unlocked_by_witness(&coin.output.script_pubkey)
            {
                input.witness_utxo = Some(coin.output.clone());
            }
        }
        Ok(())
    }

    /// A transaction of the mempool, or of the index.
    fn known_transaction(&self, txid: &Txid) -> CallResult<Option<Arc<Transaction>>> {
        if let Some(entry) = self.context.mempool.get(txid) {
            return Ok(Some(Arc::clone(&entry.tx)));
        }
        if !self.context.indexes.is_on(IndexKind::Transactions) {
            return Ok(None);
        }
        let found = self.find_indexed(txid)?;
        Ok(found.map(|(_, block, place)| Arc::new(block.txdata[place].clone())))
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

/// Signs an input with the hash type that it asks for, or that the caller asks for.
fn sign(
    psbt: &mut Psbt,
    spending: &Spending,
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
    if may_be_signed(psbt, index) {
        let input = &mut psbt.inputs[index];
        sign_input(input, spending, index, &knowledge.keys, kind);
    }
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
