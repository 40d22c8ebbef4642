//! Checking blocks and transactions from peers, on blocking threads: cheap checks first.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, CompactTarget, Transaction, Txid, consensus};
use pyrite_consensus::pow::check_proof_of_work;

use crate::{ChainAccess, Verdict};

/// Decodes and submits a block: its header and proof of work come before its body.
///
/// The hash is that of the header, where there is one.
pub(crate) fn submit_block(
    chain: &dyn ChainAccess,
    pow_limit: CompactTarget,
    content: &[u8],
) -> (Verdict, Option<BlockHash>) {
    let header: Result<(Header, usize), _> = consensus::deserialize_partial(content);
    let Ok((header, _)) = header else {
        return (Verdict::Reject("undecodable block header".to_owned()), None);
    };
    let hash = header.block_hash();
    let verdict = if let Err(error) = check_proof_of_work(&header, pow_limit) {
        Verdict::Reject(error.reject_reason().to_owned())
    } else if chain.tip().hash == hash {
        // It reached us on another way first and is valid: it may be passed on.
        Verdict::Accept
    } else if chain.has_block(&hash) {
        Verdict::Ignore("duplicate".to_owned())
    } else if !chain.has_header(&header.prev_blockhash) {
        Verdict::MissingParent
    } else {
        match consensus::deserialize::<Block>(content) {
            Ok(block) => chain.submit_block(block),
            Err(_) => Verdict::Reject("undecodable block".to_owned()),
        }
    };
    (verdict, Some(hash))
}

/// Decodes and submits a transaction; it is returned where it could be decoded.
pub(crate) fn submit_transaction(
    chain: &dyn ChainAccess,
    content: &[u8],
) -> (Verdict, Option<Arc<Transaction>>) {
    match consensus::deserialize::<Transaction>(content) {
        Ok(transaction) => {
            let transaction = Arc::new(transaction);
            (
                submit_decoded_transaction(chain, &transaction),
                Some(transaction),
            )
        }
        Err(_) => (Verdict::Reject("undecodable transaction".to_owned()), None),
    }
}

/// Submits a transaction.
pub(crate) fn submit_decoded_transaction(
    chain: &dyn ChainAccess,
    transaction: &Transaction,
) -> Verdict {
    let txid = transaction.compute_txid();
    match chain.transaction(&txid) {
        // It reached us on another way first and is valid: it may be passed on. Another transaction
        // with that id, that is, with another witness, may not.
        Some(known) if *known == *transaction => Verdict::Accept,
        Some(_) => Verdict::Ignore("txn-same-nonwitness-data-in-mempool".to_owned()),
        None => chain.submit_transaction(transaction.clone()),
    }
}

/// The parents of a transaction that we do not have, each once, at most `max`.
pub(crate) fn missing_parents(
    chain: &dyn ChainAccess,
    transaction: &Transaction,
    max: usize,
) -> Vec<Txid> {
    let mut parents: Vec<Txid> = transaction
        .input
        .iter()
        .map(|input| input.previous_output.txid)
        .collect();
    parents.sort_unstable();
    parents.dedup();
    parents.retain(|txid| !chain.has_transaction(txid));
    parents.truncate(max);
    parents
}

#[cfg(test)]
mod fuzz;
