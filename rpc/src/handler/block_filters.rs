//! Compact filters of blocks.

use jsonrpsee::Extensions;
use pyrite_chain::BlockStatus;
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_index::{Filter, IndexKind};
use serde_json::{Value, json};

use super::Handler;
use super::block_search::Request;
use crate::api::block_filters::BlockFiltersServer;
use crate::call::{CallError, CallResult, code};
use crate::dialect::UnderWay;
use crate::params;

/// The one kind of filter.
const BASIC: &str = "basic";

impl BlockFiltersServer for Handler {
    fn get_block_filter(&self, blockhash: String, filtertype: Option<String>) -> CallResult<Value> {
        let hash: BlockHash = params::hash("blockhash", &blockhash)?;
        check_filter_type(filtertype.as_deref())?;
        self.check_filters_are_on()?;
        self.header_info(&hash)?;
        let filter = self.block_filter(&hash)?;
        Ok(json!({
            "filter": hex::encode(&filter.bytes),
            "header": filter.header.to_string(),
        }))
    }

    fn scan_blocks(
        &self,
        extensions: &Extensions,
        action: String,
        scanobjects: Option<Vec<Value>>,
        start_height: Option<i64>,
        stop_height: Option<i64>,
        filtertype: Option<String>,
        options: Option<Value>,
    ) -> CallResult<Value> {
        match action.as_str() {
            "status" => Ok(self.block_search.status()),
            "abort" => Ok(self.block_search.abort().into()),
            "start" => {
                check_filter_type(filtertype.as_deref())?;
                let turn = self.block_search.begin().ok_or_else(|| {
                    CallError::invalid_parameter(
                        "Scan already in progress, use action \"abort\" or \"status\"",
                    )
                })?;
                self.check_filters_are_on()?;
                let request = Request {
                    objects: scanobjects,
                    start_height,
                    stop_height,
                    options,
                    end: UnderWay::end_of(extensions),
                };
                self.search_blocks(&turn, &request)
            }
            _ => Err(CallError::invalid_parameter(format!(
                "Invalid action '{action}'"
            ))),
        }
    }
}

impl Handler {
    fn check_filters_are_on(&self) -> CallResult<()> {
        if self.context.indexes.is_on(IndexKind::Filters) {
            return Ok(());
        }
        Err(CallError::misc(format!(
            "Index is not enabled for filtertype {BASIC}"
        )))
    }

    /// The filter of a block that is known.
    ///
    /// # Errors
    /// The index does not have it, with the reason in Bitcoin Core's words.
    pub(super) fn block_filter(&self, hash: &BlockHash) -> CallResult<Filter> {
        let indexes = &self.context.indexes;
        if let Some(filter) = indexes.filter(hash)? {
            return Ok(filter);
        }
        let is_current = indexes.wait_until_current(IndexKind::Filters);
        if let Some(filter) = indexes.filter(hash)? {
            return Ok(filter);
        }
        let info = self.header_info(hash)?;
        Err(if info.status != BlockStatus::Valid {
            CallError::not_found("Filter not found. Block was not connected to active chain.")
        } else if !is_current {
            CallError::misc(
                "Filter not found. Block filters are still in the process of being indexed.",
            )
        } else {
            CallError::new(
                code::INTERNAL_ERROR,
                "Filter not found. This error is unexpected and indicates index corruption.",
            )
        })
    }
}

fn check_filter_type(name: Option<&str>) -> CallResult<()> {
    match name {
        None | Some(BASIC) => Ok(()),
        Some(_) => Err(CallError::not_found("Unknown filtertype")),
    }
}
