//! Compact filters of blocks (BIP-0158).

use pyrite_chain::BlockStatus;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_index::IndexKind;
use serde_json::json;

use super::answer::{Answer, RestError, bad_request, encoded, json_answer, not_found};
use super::blocks::put;
use super::headers::best_chain_from;
use super::request::{RestRequest, hash, header_count};
use crate::call::CallError;
use crate::handler::Handler;

/// The one kind of filter, by name and in encodings.
const BASIC: &str = "basic";
const BASIC_CODE: u8 = 0;

/// `blockfilter/basic/HASH`.
pub(super) fn filter(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let &[kind, text] = &request.parts()[..] else {
        return Err(bad_request(
            "Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>",
        ));
    };
    let block: BlockHash = hash(text)?;
    check_kind(handler, kind)?;
    let info = handler.context.reader.header(&block);
    let info = info.ok_or_else(|| not_found(format!("{text} not found")))?;
    let (indexes, kind) = (&handler.context.indexes, IndexKind::Filters);
    let is_current = indexes.wait_until_current(kind);
    let filter = indexes.filter(&block).map_err(CallError::from)?;
    let filter = filter.ok_or_else(|| missing(is_current, info.status == BlockStatus::Valid))?;
    let bytes = || {
        let mut bytes = vec![BASIC_CODE];
        put(&block, &mut bytes);
        put(&filter.bytes, &mut bytes);
        bytes
    };
    encoded(request, bytes, || {
        json_answer(&json!({ "filter": hex::encode(&filter.bytes) }))
    })
}

/// `blockfilterheaders/basic/HASH?count=N`, or as it once was, `blockfilterheaders/basic/N/HASH`.
pub(super) fn filter_headers(
    handler: &Handler,
    request: &RestRequest,
) -> Result<Answer, RestError> {
    let (kind, count, text) = match request.parts()[..] {
        [kind, text] => (kind, request.count_text(), text),
        [kind, count, text] => (kind, count, text),
        _ => {
            return Err(bad_request(
                "Invalid URI format. Expected \
                 /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>",
            ));
        }
    };
    let count = header_count(count)?;
    let first = hash(text)?;
    check_kind(handler, kind)?;
    let blocks = best_chain_from(handler, first, count);
    let indexes = &handler.context.indexes;
    let is_current = indexes.wait_until_current(IndexKind::Filters);
    let mut headers = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let filter = indexes.filter(&block.hash).map_err(CallError::from)?;
        headers.push(filter.ok_or_else(|| missing(is_current, true))?.header);
    }
    let bytes = || {
        headers
            .iter()
            .flat_map(|header| header.to_byte_array())
            .collect()
    };
    encoded(request, bytes, || {
        let texts = headers.iter().map(ToString::to_string);
        json_answer(&texts.collect::<Vec<_>>())
    })
}

/// Checks that there is such a kind of filter, and that the index keeps it.
fn check_kind(handler: &Handler, kind: &str) -> Result<(), RestError> {
    if kind != BASIC {
        return Err(bad_request(format!("Unknown filtertype {kind}")));
    }
    if !handler.context.indexes.is_on(IndexKind::Filters) {
        return Err(bad_request(format!(
            "Index is not enabled for filtertype {kind}"
        )));
    }
    Ok(())
}

/// Why a filter is not there.
fn missing(is_current: bool, was_connected: bool) -> RestError {
    let reason = if !was_connected {
        "Block was not connected to active chain."
    } else if !is_current {
        "Block filters are still in the process of being indexed."
    } else {
        "This error is unexpected and indicates index corruption."
    };
    not_found(format!("Filter not found. {reason}"))
}
