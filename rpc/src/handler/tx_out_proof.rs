//! Proofs that blocks contain transactions (BIP-0037's merkle blocks).

use std::collections::BTreeSet;

use jsonrpsee::core::async_trait;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_partial, serialize_hex};
use pyrite_consensus::bitcoin::{BlockHash, MerkleBlock, OutPoint, Txid};
use pyrite_index::IndexKind;
use serde_json::Value;

use super::Handler;
use crate::api::tx_out_proof::TxOutProofServer;
use crate::call::{CallError, CallResult};
use crate::params;

/// The smallest weight of an output: value and an empty script.
const MIN_OUTPUT_WEIGHT: u64 = 4 * 9;

/// Outputs that are looked up at a time.
const OUTPUTS_AT_A_TIME: u32 = 1_024;

#[async_trait]
impl TxOutProofServer for Handler {
    async fn get_tx_out_proof(
        &self,
        txids: Vec<Value>,
        blockhash: Option<String>,
    ) -> CallResult<String> {
        self.long_work(move |handler, end| {
            let txids = read_txids(&txids)?;
            let hash = match blockhash {
                Some(text) => {
                    let hash = params::hash("blockhash", &text)?;
                    handler.header_info(&hash)?.hash
                }
                None => handler.block_of_any(&txids, || end.go_on())?,
            };
            let block = handler.block_body(&hash)?;
            let found = block
                .txdata
                .iter()
                .filter(|transaction| txids.contains(&transaction.compute_txid()))
                .count();
            if found != txids.len() {
                return Err(CallError::not_found(
                    "Not all transactions found in specified or retrieved block",
                ));
            }
            let proof = MerkleBlock::from_block_with_predicate(&block, |txid| txids.contains(txid));
            Ok(serialize_hex(&proof))
        })
        .await
    }

    fn verify_tx_out_proof(&self, proof: String) -> CallResult<Vec<String>> {
        let bytes = params::hex_bytes("proof", &proof)?;
        // Bitcoin Core lets bytes follow.
        let (proof, _): (MerkleBlock, usize) = deserialize_partial(&bytes)
            .map_err(|_| CallError::misc("SpanReader::read(): end of data: iostream error"))?;
        let (mut txids, mut positions) = (Vec::new(), Vec::new());
        if proof.extract_matches(&mut txids, &mut positions).is_err() {
            return Ok(Vec::new());
        }
        let reader = &self.context.reader;
        let hash = proof.header.block_hash();
        let transactions = reader
            .header(&hash)
            .filter(|_| reader.is_in_best_chain(&hash))
            .and_then(|info| info.tx_count)
            .ok_or_else(|| CallError::not_found("Block not found in chain"))?;
        // A tree of another number of leaves can have the same root.
        if proof.txn.num_transactions() != transactions {
            return Ok(Vec::new());
        }
        Ok(txids.iter().map(Txid::to_string).collect())
    }
}

impl Handler {
    /// The block of the first of the transactions that has an unspent output; else that of the first, by the
    /// index of transactions.
    fn block_of_any(
        &self,
        txids: &BTreeSet<Txid>,
        go_on: impl Fn() -> CallResult<()>,
    ) -> CallResult<BlockHash> {
        for txid in txids {
            go_on()?;
            if let Some(hash) = self.block_of(*txid)? {
                return Ok(hash);
            }
        }
        if let Some(txid) = txids.first()
            && self.context.indexes.is_on(IndexKind::Transactions)
        {
            let _ = self
                .context
                .indexes
                .wait_until_current(IndexKind::Transactions);
            if let Some((info, _, _)) = self.find_indexed(txid)? {
                return Ok(info.hash);
            }
        }
        Err(CallError::not_found("Transaction not yet in block"))
    }

    /// The block of a transaction, if one of its outputs is unspent.
    fn block_of(&self, txid: Txid) -> CallResult<Option<BlockHash>> {
        let most = self.context.spec.limits.max_block_weight / MIN_OUTPUT_WEIGHT;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let mut first = 0;
        while first < most {
            let next = first.saturating_add(OUTPUTS_AT_A_TIME).min(most);
            let outpoints: Vec<_> = (first..next).map(|vout| OutPoint { txid, vout }).collect();
            let found = self.context.reader.coins(&outpoints)?;
            if let Some(coin) = found.coins.values().next() {
                return Ok(self.context.reader.hash_at(coin.height));
            }
            first = next;
        }
        Ok(None)
    }
}

/// Reads ids that must differ.
fn read_txids(values: &[Value]) -> CallResult<BTreeSet<Txid>> {
    if values.is_empty() {
        return Err(CallError::invalid_parameter(
            "Parameter 'txids' cannot be empty",
        ));
    }
    let mut txids = BTreeSet::new();
    for value in values {
        let text = params::text(value)?;
        if !txids.insert(params::hash("txid", text)?) {
            return Err(CallError::invalid_parameter(format!(
                "Invalid parameter, duplicated txid: {text}"
            )));
        }
    }
    Ok(txids)
}
