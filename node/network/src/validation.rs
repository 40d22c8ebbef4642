//! Checking blocks and transactions from peers, on blocking threads: cheap checks first.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, CompactTarget, Transaction, consensus};
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

/// Decodes and submits a transaction of the peer of that number.
pub(crate) fn submit_transaction(chain: &dyn ChainAccess, content: &[u8], from: u64) -> Verdict {
    let Ok(transaction) = consensus::deserialize::<Transaction>(content) else {
        return Verdict::Reject("undecodable transaction".to_owned());
    };
    match chain.transaction(&transaction.compute_txid()) {
        // It reached us on another way first and is valid: it may be passed on. Another transaction
        // with that id, that is, with another witness, may not.
        Some(known) if *known == transaction => Verdict::Accept,
        Some(_) => Verdict::Ignore("txn-same-nonwitness-data-in-mempool".to_owned()),
        None => chain.submit_transaction(Arc::new(transaction), from),
    }
}

#[cfg(test)]
mod fuzz;
