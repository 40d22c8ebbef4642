//! Blocks, parts of them, and what they spend.

use axum::http::StatusCode;
use pyrite_chain::HeaderInfo;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::{BlockHash, TxOut, VarInt};
use serde_json::Value;

use super::answer::{
    ALL_FORMATS, Answer, RestError, bad_request, encoded, no_such_format, not_found,
};
use super::request::{Format, RestRequest, hash, integer};
use crate::handler::Handler;
use crate::json::{push_array, push_coin};

/// `block/HASH`, with all that is known of its transactions in JSON.
pub(super) fn block_with_details(
    handler: &Handler,
    request: &RestRequest,
) -> Result<Answer, RestError> {
    block(handler, request, 3)
}

/// `block/notxdetails/HASH`, with the ids of its transactions in JSON.
pub(super) fn block_with_ids(
    handler: &Handler,
    request: &RestRequest,
) -> Result<Answer, RestError> {
    block(handler, request, 1)
}

fn block(handler: &Handler, request: &RestRequest, verbosity: u8) -> Result<Answer, RestError> {
    let info = stored_block(handler, request)?;
    match request.format {
        Format::Binary => Ok(Answer::Binary(block_bytes(handler, request, &info)?.into())),
        Format::Hex => Ok(Answer::Hex(block_bytes(handler, request, &info)?.into())),
        Format::Json => {
            let params = vec![Value::String(info.hash.to_string()), verbosity.into()];
            Ok(Answer::Method("getblock", params))
        }
        Format::Unknown => Err(no_such_format(ALL_FORMATS)),
    }
}

/// `blockpart/HASH?offset=N&size=N`: bytes of a block.
pub(super) fn block_part(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let number = |name| request.query(name).and_then(integer::<u64>);
    let missing = |name| bad_request(format!("Block part {name} missing or invalid"));
    let offset = number("offset").ok_or_else(|| missing("offset"))?;
    let size = number("size").ok_or_else(|| missing("size"))?;
    let info = stored_block(handler, request)?;
    let bytes = block_bytes(handler, request, &info)?;
    let part = part(&bytes, offset, size).ok_or_else(|| {
        let block = &request.param;
        bad_request(format!(
            "Bad block part offset/size {offset}/{size} for {block}"
        ))
    })?;
    // A copy, so that the block does not stay in memory for a part of it.
    encoded(
        request,
        || part.to_vec(),
        || {
            Err(bad_request(
                "JSON output is not supported for this request type",
            ))
        },
    )
}

/// Some bytes, at least one, if they are there.
fn part(bytes: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let size = usize::try_from(size).ok().filter(|size| *size > 0)?;
    bytes.get(start..start.checked_add(size)?)
}

/// The block that a request names, whose body is stored.
fn stored_block(handler: &Handler, request: &RestRequest) -> Result<HeaderInfo, RestError> {
    let text = &request.param;
    let block: BlockHash = hash(text)?;
    let reader = &handler.context.reader;
    let info = reader.header(&block);
    let info = info.ok_or_else(|| not_found(format!("{text} not found")))?;
    if info.is_pruned {
        return Err(not_found(format!("{text} not available (pruned data)")));
    }
    if !reader.has_block(&block) {
        return Err(not_found(format!(
            "{text} not available (not fully downloaded)"
        )));
    }
    Ok(info)
}

fn block_bytes(
    handler: &Handler,
    request: &RestRequest,
    info: &HeaderInfo,
) -> Result<Vec<u8>, RestError> {
    let bytes = handler.context.reader.block_bytes(&info.hash)?;
    // It may have been pruned meanwhile.
    bytes.ok_or_else(|| not_found(format!("{} not found", request.param)))
}

/// `spenttxouts/HASH`: the outputs that a block spends, for each of its transactions.
pub(super) fn spent_outputs(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let &[text] = &request.parts()[..] else {
        return Err(bad_request(
            "Invalid URI format. Expected /rest/spenttxouts/<hash>.<ext>",
        ));
    };
    let block: BlockHash = hash(text)?;
    let info = handler.context.reader.header(&block);
    let info = info.ok_or_else(|| not_found(format!("{text} not found")))?;
    let spent = spent_by_transaction(handler, &info)?;
    let spent = spent.ok_or_else(|| not_found(format!("{text} undo not available")))?;
    let network = handler.address_network();
    encoded(
        request,
        || encode_outputs(&spent),
        || {
            let mut text = Vec::new();
            push_array(&mut text, &spent, |text, outputs| {
                push_array(text, outputs, |text, output| {
                    push_coin(text, output, network);
                });
            });
            Ok(Answer::Json(text.into()))
        },
    )
}

/// The outputs that each transaction of a block spends, none for the coinbase.
fn spent_by_transaction(
    handler: &Handler,
    info: &HeaderInfo,
) -> Result<Option<Vec<Vec<TxOut>>>, RestError> {
    let mut spent = vec![Vec::new()];
    if info.height == Height::GENESIS {
        return Ok(Some(spent));
    }
    let reader = &handler.context.reader;
    let (Some(block), Some(undo)) = (reader.shared_block(&info.hash)?, reader.undo(&info.hash)?)
    else {
        return Ok(None);
    };
    let mut outputs = undo.into_iter().map(|(_, coin)| coin.output);
    for transaction in block.txdata.iter().skip(1) {
        let own: Vec<TxOut> = outputs.by_ref().take(transaction.input.len()).collect();
        if own.len() != transaction.input.len() {
            return Err(RestError {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                message: format!("I/O error reading {}", info.hash),
            });
        }
        spent.push(own);
    }
    Ok(Some(spent))
}

/// Lists of lists of outputs in Bitcoin's encoding.
fn encode_outputs(spent: &[Vec<TxOut>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&VarInt::from(spent.len()), &mut bytes);
    for outputs in spent {
        put(outputs, &mut bytes);
    }
    bytes
}

/// Appends a value in Bitcoin's encoding.
pub(super) fn put(value: &impl Encodable, bytes: &mut Vec<u8>) {
    value
        .consensus_encode(bytes)
        .expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_inside_the_block_and_not_empty() {
        let bytes = [1, 2, 3, 4];
        assert_eq!(part(&bytes, 1, 2), Some(&[2, 3][..]));
        assert_eq!(part(&bytes, 0, 4), Some(&bytes[..]));
        for (offset, size) in [(0, 0), (0, 5), (4, 1), (u64::MAX, 1), (1, u64::MAX)] {
            assert_eq!(part(&bytes, offset, size), None);
        }
    }
}
