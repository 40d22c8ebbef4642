//! Headers and blocks, as `getblockheader` and `getblock` show them.

use pyrite_consensus::Coin;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{BlockHash, Network, Transaction, Work};
use pyrite_consensus::{HashedBlock, pow};
use serde::Serialize;
use serde_json::Value;

use super::details::details;
use super::number::{bits_hex, float, target_hex, work_hex};
use super::text::{hex_text, push_array, push_hash};
use crate::call::{CallError, CallResult, code};
use crate::dialect::JsonText;

/// What an id takes: its digits, the quotes and a comma.
const ID_BYTES: usize = 67;

/// Where a block stands in the chain.
#[derive(Clone, Debug)]
pub(crate) struct BlockPlace {
    /// Its hash.
    pub(crate) hash: BlockHash,
    /// Its height.
    pub(crate) height: u32,
    /// Blocks from it to the tip, both counted; −1 off the best chain.
    pub(crate) confirmations: i64,
    /// Median of the times of it and its ten ancestors.
    pub(crate) median_time: u32,
    /// Work of the chain to it.
    pub(crate) chain_work: Work,
    /// Its number of transactions; 0 when only the header is known.
    pub(crate) transaction_count: u32,
    /// The block built on it in the best chain.
    pub(crate) next: Option<BlockHash>,
}

/// A header.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeaderJson {
    hash: String,
    confirmations: i64,
    height: u32,
    version: i32,
    #[serde(rename = "versionHex")]
    version_hex: String,
    merkleroot: String,
    time: u32,
    mediantime: u32,
    nonce: u32,
    bits: String,
    target: String,
    difficulty: Value,
    chainwork: String,
    #[serde(rename = "nTx")]
    transaction_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<String>,
}

/// A block without its transactions.
#[derive(Clone, Debug, Serialize)]
struct BlockJson {
    #[serde(flatten)]
    header: HeaderJson,
    strippedsize: usize,
    size: usize,
    weight: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    coinbase_tx: Option<CoinbaseJson>,
}

#[derive(Clone, Debug, Serialize)]
struct CoinbaseJson {
    version: u32,
    locktime: u32,
    sequence: u32,
    coinbase: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<String>,
}

/// How a block's transactions are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BlockTransactions<'a> {
    /// By their ids.
    Ids,
    /// In full, with fees where the coins that the block spends are known.
    Details {
        /// The coins of all inputs but the coinbase's, in order.
        spent: Option<&'a [Coin]>,
        /// Shows those coins at the inputs.
        with_prevouts: bool,
    },
}

/// The form of a header.
pub(crate) fn header_json(header: &Header, place: &BlockPlace) -> HeaderJson {
    HeaderJson {
        hash: place.hash.to_string(),
        confirmations: place.confirmations,
        height: place.height,
        version: header.version.to_consensus(),
        version_hex: format!("{:08x}", header.version.to_consensus()),
        merkleroot: header.merkle_root.to_string(),
        time: header.time,
        mediantime: place.median_time,
        nonce: header.nonce,
        bits: bits_hex(header.bits),
        target: target_hex(header.bits),
        difficulty: float(pow::difficulty(header.bits)),
        chainwork: work_hex(place.chain_work),
        transaction_count: place.transaction_count,
        previousblockhash: (place.height > 0).then(|| header.prev_blockhash.to_string()),
        nextblockhash: place.next.map(|hash| hash.to_string()),
    }
}

/// The form of a block as text.
///
/// # Errors
/// Code −32603 when JSON can't express it.
pub(crate) fn block_text(
    block: &HashedBlock,
    place: &BlockPlace,
    network: Network,
    transactions: BlockTransactions<'_>,
) -> CallResult<JsonText> {
    let size = block.total_size();
    let weight = block.weight().to_wu();
    // Weight is three times the size without witnesses, plus the size with them.
    let stripped = usize::try_from(weight).map_or(size, |weight| weight.saturating_sub(size) / 3);
    let form = BlockJson {
        header: header_json(&block.header, place),
        strippedsize: stripped,
        size,
        weight,
        coinbase_tx: block.txdata.first().and_then(coinbase_json),
    };
    let form = serde_json::to_string(&form)
        .map_err(|error| CallError::new(code::INTERNAL_ERROR, error.to_string()))?;
    let open = form.strip_suffix('}').unwrap_or(&form);
    let transactions = match transactions {
        BlockTransactions::Ids => ids(block).into(),
        BlockTransactions::Details {
            spent,
            with_prevouts,
        } => JsonText::of_pieces(details(block, network, spent, with_prevouts)),
    };
    Ok(transactions.between(&format!("{open},\"tx\":"), "}"))
}

/// The ids of a block's transactions as an array.
fn ids(block: &HashedBlock) -> Vec<u8> {
    let mut text = Vec::with_capacity(ID_BYTES * block.txids().len());
    push_array(&mut text, block.txids(), |text, txid| {
        text.push(b'"');
        push_hash(text, txid);
        text.push(b'"');
    });
    text
}

fn coinbase_json(coinbase: &Transaction) -> Option<CoinbaseJson> {
    let input = coinbase.input.first()?;
    Some(CoinbaseJson {
        version: coinbase.version.0.cast_unsigned(),
        locktime: coinbase.lock_time.to_consensus_u32(),
        sequence: input.sequence.0,
        coinbase: hex_text(input.script_sig.as_bytes()),
        witness: input.witness.iter().next().map(hex_text),
    })
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
