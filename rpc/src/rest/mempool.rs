//! The mempool.

use super::answer::{Answer, JSON_ONLY, RestError, bad_request, no_such_format};
use super::request::{Format, RestRequest};
use crate::handler::Handler;

/// `mempool/info`, or `mempool/contents?verbose=BOOL&mempool_sequence=BOOL`.
pub(super) fn mempool(_: &Handler, request: &RestRequest) -> Result<Answer, RestError> {
    let is_info = match request.param.as_str() {
        "info" => true,
        "contents" => false,
        _ => {
            return Err(bad_request(
                "Invalid URI format. Expected /rest/mempool/<info|contents>.json",
            ));
        }
    };
    if request.format != Format::Json {
        return Err(no_such_format(JSON_ONLY));
    }
    if is_info {
        return Ok(Answer::Method("getmempoolinfo", Vec::new()));
    }
    let verbose = switch(request, "verbose", true)?;
    let with_sequence = switch(request, "mempool_sequence", false)?;
    if verbose && with_sequence {
        return Err(bad_request(
            "Verbose results cannot contain mempool sequence values. (hint: set \"verbose=false\")",
        ));
    }
    let params = vec![verbose.into(), with_sequence.into()];
    Ok(Answer::Method("getrawmempool", params))
}

/// A value of the query that is true or false.
fn switch(request: &RestRequest, name: &str, default: bool) -> Result<bool, RestError> {
    match request.query(name) {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(bad_request(format!(
            "The \"{name}\" query parameter must be either \"true\" or \"false\"."
        ))),
    }
}
