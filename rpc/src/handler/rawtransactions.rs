//! Transactions as bytes.

use std::sync::Arc;

use jsonrpsee::Extensions;
use pyrite_chain::HeaderInfo;
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash, Script, Transaction, Txid};
use pyrite_index::IndexKind;
use pyrite_mempool::{FeeRate, MempoolError};
use serde_json::Value;

use super::Handler;
use crate::api::rawtransactions::RawTransactionsServer;
use crate::call::{CallError, CallResult, code};
use crate::dialect::{JsonText, ReadyResult};
use crate::json::{
    TransactionForms, TransactionView, decode_transaction, encoded_json, has_runnable_form,
    push_transaction_fields, transaction_text,
};
use crate::params;

/// The highest fee rate that is accepted by default, in satoshi per 1,000 virtual bytes.
const DEFAULT_MAX_FEE_RATE: FeeRate = FeeRate(10_000_000);

impl RawTransactionsServer for Handler {
    fn get_raw_transaction(
        &self,
        extensions: &Extensions,
        txid: String,
        verbosity: Option<Value>,
        blockhash: Option<String>,
    ) -> CallResult<Value> {
        let text = self.raw_transaction(&txid, verbosity.as_ref(), blockhash.as_deref())?;
        ReadyResult::of(extensions).set(text);
        Ok(Value::Null)
    }

    fn decode_raw_transaction(
        &self,
        extensions: &Extensions,
        hexstring: String,
        iswitness: Option<bool>,
    ) -> CallResult<Value> {
        let transaction = decode_transaction(&hexstring, TransactionForms::of(iswitness))
            .ok_or_else(|| not_decoded("TX decode failed"))?;
        let view = TransactionView::default();
        let text = transaction_text(&transaction, self.address_network(), view);
        ReadyResult::of(extensions).set(text.into());
        Ok(Value::Null)
    }

    fn send_raw_transaction(
        &self,
        hexstring: String,
        maxfeerate: Option<Value>,
        maxburnamount: Option<Value>,
    ) -> CallResult<String> {
        let max_burn = max_burn(maxburnamount)?;
        let transaction = read_transaction(&hexstring)?;
        check_burn(&transaction, max_burn)?;
        let max_fee_rate = max_fee_rate(maxfeerate)?;
        let transaction = Arc::new(transaction);
        let txid = transaction.compute_txid();
        let submitted = self
            .context
            .mempool
            .submit_with(Arc::clone(&transaction), max_fee_rate);
        match submitted {
            // Sending what is there already sends it to the peers again.
            Ok(_) | Err(MempoolError::AlreadyInMempool | MempoolError::SameTxidInMempool) => {}
            Err(error) => return Err(error.into()),
        }
        let known = self
            .context
            .mempool
            .get(&txid)
            .map_or(transaction, |entry| Arc::clone(&entry.tx));
        self.context.network.announce_transaction(known);
        Ok(txid.to_string())
    }
}

impl Handler {
    /// A transaction of the mempool or of a block: its bytes, from verbosity 1 on its form.
    fn raw_transaction(
        &self,
        txid: &str,
        verbosity: Option<&Value>,
        blockhash: Option<&str>,
    ) -> CallResult<JsonText> {
        let txid: Txid = params::hash("parameter 1", txid)?;
        let verbosity = params::verbosity(verbosity, 0)?;
        if let Some(hash) = blockhash {
            return self.transaction_of_block(&txid, verbosity, params::hash("parameter 3", hash)?);
        }
        let genesis = self.context.spec.genesis_block();
        if genesis
            .txdata
            .first()
            .is_some_and(|coinbase| coinbase.compute_txid() == txid)
        {
            return Err(CallError::not_found(
                "The genesis block coinbase is not considered an ordinary transaction and cannot be \
                 retrieved",
            ));
        }
        // What the last block took is no longer the mempool's.
        let Some(entry) = self.mempool_at_tip()?.get(&txid) else {
            return self.indexed_transaction(&txid, verbosity);
        };
        if verbosity == 0 {
            return Ok(encoded_json(entry.tx.as_ref()));
        }
        let view = TransactionView {
            with_hex: true,
            ..TransactionView::default()
        };
        Ok(transaction_text(&entry.tx, self.address_network(), view).into())
    }

    /// Puts a transaction into the mempool; that it is there already is no error.
    pub(super) fn accept(&self, transaction: &Arc<Transaction>) -> CallResult<()> {
        match self.context.mempool.submit(Arc::clone(transaction)) {
            Ok(_) | Err(MempoolError::AlreadyInMempool) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A transaction of a block that the caller names.
    fn transaction_of_block(
        &self,
        txid: &Txid,
        verbosity: u8,
        hash: BlockHash,
    ) -> CallResult<JsonText> {
        let info = self
            .context
            .reader
            .header(&hash)
            .ok_or_else(|| CallError::not_found("Block hash not found"))?;
        let block = self
            .context
            .reader
            .shared_block(&hash)?
            .ok_or_else(|| CallError::misc("Block not available"))?;
        let index = block
            .txdata
            .iter()
            .position(|transaction| transaction.compute_txid() == *txid)
            .ok_or_else(|| {
                CallError::not_found(
                    "No such transaction found in the provided block. Use gettransaction for wallet \
                     transactions.",
                )
            })?;
        self.located(&block, index, &info, verbosity, BlockIs::Named)
    }

    /// A transaction of a block that the index names.
    fn indexed_transaction(&self, txid: &Txid, verbosity: u8) -> CallResult<JsonText> {
        let not_found = |what| {
            CallError::not_found(format!(
                "{what}. Use gettransaction for wallet transactions."
            ))
        };
        let indexes = &self.context.indexes;
        if !indexes.is_on(IndexKind::Transactions) {
            return Err(not_found(
                "No such mempool transaction. Use -txindex or provide a block hash to enable \
                 blockchain transaction queries",
            ));
        }
        // What has just left the mempool for a block is in a block that the index is about to see.
        let is_current = indexes.wait_until_current(IndexKind::Transactions);
        let Some((info, block, index)) = self.find_indexed(txid)? else {
            return Err(not_found(if is_current {
                "No such mempool or blockchain transaction"
            } else {
                "No such mempool transaction. Blockchain transactions are still in the process of \
                 being indexed"
            }));
        };
        self.located(&block, index, &info, verbosity, BlockIs::Found)
    }

    /// The block of a transaction, by the index, and its place there.
    pub(crate) fn find_indexed(
        &self,
        txid: &Txid,
    ) -> CallResult<Option<(HeaderInfo, Arc<Block>, usize)>> {
        let Some(place) = self.context.indexes.transaction(*txid)? else {
            return Ok(None);
        };
        let reader = &self.context.reader;
        let (Some(info), Some(block)) = (
            reader.header(&place.block),
            reader.shared_block(&place.block)?,
        ) else {
            return Ok(None);
        };
        let index = usize::try_from(place.position)
            .ok()
            .filter(|index| {
                let transaction = block.txdata.get(*index);
                transaction.is_some_and(|transaction| transaction.compute_txid() == *txid)
            })
            .ok_or_else(|| CallError::new(code::INTERNAL_ERROR, "Transaction index corrupt"))?;
        Ok(Some((info, block, index)))
    }

    /// A transaction, with the block that it is in.
    fn located(
        &self,
        block: &Block,
        index: usize,
        info: &HeaderInfo,
        verbosity: u8,
        block_is: BlockIs,
    ) -> CallResult<JsonText> {
        let transaction = &block.txdata[index];
        if verbosity == 0 {
            return Ok(encoded_json(transaction));
        }
        let spent = if verbosity >= 2 && index > 0 {
            self.spent_coins(&info.hash)?
        } else {
            None
        };
        // Inputs of the transactions before it, the coinbase's apart.
        let skipped: usize = block.txdata[1..index.max(1)]
            .iter()
            .map(|tx| tx.input.len())
            .sum();
        let own = spent
            .as_deref()
            .and_then(|coins| coins.get(skipped..skipped.checked_add(transaction.input.len())?));
        let view = TransactionView {
            spent: own,
            with_prevouts: verbosity >= 2,
            with_hex: true,
            ids: None,
        };
        let confirmations = self.confirmations(info, &self.context.reader.tip());
        let in_active_chain = confirmations > 0;
        let start = match block_is {
            BlockIs::Named => format!("{{\"in_active_chain\":{in_active_chain},"),
            BlockIs::Found => "{".to_owned(),
        };
        let mut text = start.into_bytes();
        push_transaction_fields(&mut text, transaction, self.address_network(), view);
        let (hash, confirmations) = (info.hash, confirmations.max(0));
        let place = format!(",\"blockhash\":\"{hash}\",\"confirmations\":{confirmations}");
        text.extend_from_slice(place.as_bytes());
        if in_active_chain {
            let time = info.header.time;
            let times = format!(",\"time\":{time},\"blocktime\":{time}");
            text.extend_from_slice(times.as_bytes());
        }
        text.push(b'}');
        Ok(text.into())
    }
}

/// Who says which block a transaction is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockIs {
    /// The caller.
    Named,
    /// The index.
    Found,
}

/// Reads a transaction.
fn read_transaction(text: &str) -> CallResult<Transaction> {
    decode_transaction(text, TransactionForms::WithWitnesses)
        .ok_or_else(|| not_decoded("TX decode failed. Make sure the tx has at least one input."))
}

fn not_decoded(message: &str) -> CallError {
    CallError::new(code::DESERIALIZATION_ERROR, message)
}

/// A parameter that is there and not null.
pub(super) fn present(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

/// The caller's highest fee rate; `None` for any.
pub(super) fn max_fee_rate(value: Option<Value>) -> CallResult<Option<FeeRate>> {
    let rate = match present(value) {
        None => DEFAULT_MAX_FEE_RATE,
        Some(value) => FeeRate(params::fee_rate_sat_per_kvb(&value)?),
    };
    Ok((rate != FeeRate::ZERO).then_some(rate))
}

/// The most that the caller is ready to lose in an output; nothing if nothing is said.
pub(super) fn max_burn(value: Option<Value>) -> CallResult<Amount> {
    present(value).map_or(Ok(Amount::ZERO), |value| params::amount(&value))
}

/// Checks that no output that can't be spent is worth more than that.
pub(super) fn check_burn(transaction: &Transaction, max: Amount) -> CallResult<()> {
    if burns_more_than(transaction, max) {
        return Err(CallError::new(
            code::VERIFY_ERROR,
            "Unspendable output exceeds maximum configured by user (maxburnamount)",
        ));
    }
    Ok(())
}

/// Whether an output that can't be spent is worth more than that.
fn burns_more_than(transaction: &Transaction, max: Amount) -> bool {
    transaction
        .output
        .iter()
        .any(|output| is_unspendable(&output.script_pubkey) && output.value > max)
}

/// Whether a script can't be run, whatever unlocks it (Bitcoin Core's `IsUnspendable` and
/// `HasValidOps`).
pub(super) fn is_unspendable(script: &Script) -> bool {
    script.is_op_return() || !has_runnable_form(script)
}

#[cfg(test)]
#[path = "rawtransactions_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "rawtransactions_tests.rs"]
mod tests;
