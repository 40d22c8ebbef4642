//! Transactions.

use pyrite_consensus::bitcoin::consensus::encode::serialize;
use pyrite_consensus::bitcoin::{BlockHash, Transaction, Txid};
use pyrite_index::IndexKind;

use super::answer::{Answer, RestError, encoded, not_found};
use super::request::{RestRequest, hash};
use crate::call::CallError;
use crate::dialect::JsonText;
use crate::handler::Handler;
use crate::json::{TransactionView, push_encoded, push_transaction_fields};

/// `tx/TXID`: a transaction of the mempool, or of a block with the index of transactions.
pub(super) fn transaction(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let text = &request.param;
    let txid: Txid = hash(text)?;
    let found = find(handler, &txid)?;
    let (transaction, block) = found.ok_or_else(|| not_found(format!("{text} not found")))?;
    encoded(
        request,
        || serialize(&transaction),
        || Ok(Answer::Json(form(handler, &transaction, block))),
    )
}

/// A transaction, and the block that it is in.
fn find(
    handler: &Handler,
    txid: &Txid,
) -> Result<Option<(Transaction, Option<BlockHash>)>, CallError> {
    let (mempool, indexes) = (&handler.context.mempool, &handler.context.indexes);
    // What the last block took is no longer the mempool's.
    mempool.sync()?;
    if let Some(entry) = mempool.get(txid) {
        return Ok(Some((Transaction::clone(&entry.tx), None)));
    }
    if !indexes.is_on(IndexKind::Transactions) {
        return Ok(None);
    }
    // What is not indexed yet is not found.
    let _ = indexes.wait_until_current(IndexKind::Transactions);
    let found = handler.find_indexed(txid)?;
    Ok(found.map(|(info, block, index)| (block.txdata[index].clone(), Some(info.hash))))
}

/// The form of `decoderawtransaction`, with the block and then the bytes at its end.
fn form(handler: &Handler, transaction: &Transaction, block: Option<BlockHash>) -> JsonText {
    let mut text = vec![b'{'];
    let view = TransactionView::default();
    push_transaction_fields(&mut text, transaction, handler.address_network(), view);
    if let Some(block) = block {
        text.extend_from_slice(format!(",\"blockhash\":\"{block}\"").as_bytes());
    }
    text.extend_from_slice(b",\"hex\":\"");
    push_encoded(&mut text, transaction);
    text.extend_from_slice(b"\"}");
    text.into()
}
