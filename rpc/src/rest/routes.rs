//! The resources: which prefix of a path means which, in Bitcoin Core's order.

use super::answer::{Answer, RestError};
use super::request::RestRequest;
use super::{blocks, coins, filters, headers, mempool, transactions};
use crate::handler::Handler;

/// What answers a request. It may block.
pub(super) type Resource = fn(&Handler, &RestRequest) -> Result<Answer, RestError>;

/// The first prefix that fits counts.
const RESOURCES: &[(&str, Resource)] = &[
    ("tx/", transactions::transaction),
    ("block/notxdetails/", blocks::block_with_ids),
    ("block/", blocks::block_with_details),
    ("blockpart/", blocks::block_part),
    ("blockfilter/", filters::filter),
    ("blockfilterheaders/", filters::filter_headers),
    ("chaininfo", headers::chain_info),
    ("mempool/", mempool::mempool),
    ("headers/", headers::headers),
    (WITH_BODY, coins::unspent_outputs),
    ("deploymentinfo/", headers::deployment_info),
    ("deploymentinfo", headers::deployment_info),
    ("blockhashbyheight/", headers::block_hash),
    ("spenttxouts/", blocks::spent_outputs),
];

/// The one resource whose requests may have a body.
const WITH_BODY: &str = "getutxos";

/// Whether a request for a path (behind `/rest/`) may have a body that says something.
pub(super) fn takes_body(path: &str) -> bool {
    path.starts_with(WITH_BODY)
}

/// What a path (behind `/rest/`) with its query means, and what follows the resource's prefix.
pub(super) fn find(path: &str) -> Option<(Resource, &str)> {
    RESOURCES
        .iter()
        .find_map(|(prefix, resource)| Some((*resource, path.strip_prefix(prefix)?)))
}
