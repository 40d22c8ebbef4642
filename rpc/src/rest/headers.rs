//! Headers and the state of the chain.

use pyrite_chain::HeaderInfo;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::consensus::encode::serialize;
use pyrite_consensus::bitcoin::hashes::Hash;
use serde_json::{Value, json};

use super::answer::{
    ALL_FORMATS, Answer, JSON_ONLY, RestError, bad_request, encoded, json_answer, no_such_format,
    not_found,
};
use super::request::{Format, RestRequest, hash, header_count, integer, shown};
use crate::handler::Handler;
use crate::json::header_json;

/// `headers/HASH?count=N`, or as it once was, `headers/N/HASH`.
pub(super) fn headers(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let (count, text) = match request.parts()[..] {
        [text] => (request.count_text(), text),
        [count, text] => (count, text),
        _ => {
            return Err(bad_request(
                "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>",
            ));
        }
    };
    let count = header_count(count)?;
    let headers = best_chain_from(handler, hash(text)?, count);
    let bytes = || {
        let encoded = headers.iter().flat_map(|info| serialize(&info.header));
        encoded.collect()
    };
    encoded(request, bytes, || {
        let form = |info: &HeaderInfo| header_json(&info.header, &handler.place(info));
        json_answer(&headers.iter().map(form).collect::<Vec<_>>())
    })
}

/// A block of the best chain and those built on it; none when it is not of the best chain.
pub(super) fn best_chain_from(
    handler: &Handler,
    first: BlockHash,
    count: usize,
) -> Vec<HeaderInfo> {
    let reader = &handler.context.reader;
    let mut headers: Vec<HeaderInfo> = Vec::new();
    let mut next = Some(first).filter(|hash| reader.is_in_best_chain(hash));
    while let Some(info) = next.and_then(|hash| reader.header(&hash)) {
        // The best chain may have changed meanwhile: the answer is of one chain.
        if let Some(last) = headers.last()
            && info.header.prev_blockhash != last.hash
        {
            break;
        }
        let above = info.height.next();
        headers.push(info);
        next = Some(above)
            .filter(|_| headers.len() < count)
            .and_then(|height| reader.hash_at(height));
    }
    headers
}

/// `blockhashbyheight/HEIGHT`.
pub(super) fn block_hash(handler: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let text = &request.param;
    let height = integer::<i32>(text)
        .and_then(|height| u32::try_from(height).ok())
        .ok_or_else(|| bad_request(format!("Invalid height: {}", shown(text))))?;
    let hash = handler.context.reader.hash_at(Height(height));
    let hash = hash.ok_or_else(|| not_found("Block height out of range"))?;
    match request.format {
        Format::Binary => Ok(Answer::Binary(hash.to_byte_array().to_vec().into())),
        Format::Hex => Ok(Answer::Text(hash.to_string())),
        Format::Json => json_answer(&json!({ "blockhash": hash.to_string() })),
        Format::Unknown => Err(no_such_format(ALL_FORMATS)),
    }
}

/// `chaininfo`.
pub(super) fn chain_info(_: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    match request.format {
        Format::Json => Ok(Answer::Method("getblockchaininfo", Vec::new())),
        _ => Err(no_such_format(JSON_ONLY)),
    }
}

/// `deploymentinfo`, at the tip, or `deploymentinfo/HASH`.
pub(super) fn deployment_info(
    handler: &Handler,
    request: &RestRequest,
) -> Result<Answer, RestError> {
    if request.format != Format::Json {
        return Err(no_such_format(JSON_ONLY));
    }
    let mut params = Vec::new();
    if !request.param.is_empty() {
        let block: BlockHash = hash(&request.param)?;
        if handler.context.reader.header(&block).is_none() {
            return Err(bad_request("Block not found"));
        }
        params.push(Value::String(block.to_string()));
    }
    Ok(Answer::Method("getdeploymentinfo", params))
}
