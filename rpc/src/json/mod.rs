//! JSON forms of Bitcoin's data, with Bitcoin Core's field names and order. Pure functions.

mod address;
mod bech32_errors;
mod block;
mod block_stats;
mod decoded_script;
mod descriptor;
mod details;
mod mempool;
mod miner;
#[cfg(test)]
mod model;
mod network_name;
mod number;
mod raw_transaction;
mod script;
mod template;
mod text;
mod transaction;

use crate::call::{CallError, CallResult, code};

pub(crate) use address::{AddressError, address_error};
pub(crate) use block::{BlockPlace, BlockTransactions, block_text, header_json};
pub(crate) use block_stats::{BlockStatsPlace, block_stats};
pub(crate) use decoded_script::{decoded_script_json, witness_script_descriptor};
pub(crate) use descriptor::{checksum, infer_descriptor, with_checksum};
pub(crate) use mempool::{accepted_fees, chunk_json, entry_json};
pub(crate) use miner::miner_json;
pub(crate) use network_name::network_name;
pub(crate) use number::{Btc, bits_hex, float, target_hex, work_hex};
pub(crate) use raw_transaction::{
    TransactionForms, decode_transaction, has_runnable_form, transaction_hex,
};
pub(crate) use script::{OutputKind, SignatureHashes, asm, output_kind, script_pub_key_json};
pub(crate) use template::{OldWork, TemplateCall, TemplateText, coinbase_form};
pub(crate) use text::{encoded_json, hex_json, hex_text, push_array, push_encoded};
pub(crate) use transaction::{
    TransactionView, push_coin, push_transaction_fields, transaction_json, transaction_text,
};

/// A form as a JSON value.
///
/// # Errors
/// Code −32603 when JSON can't express it.
pub(crate) fn to_value(form: &impl serde::Serialize) -> CallResult<serde_json::Value> {
    serde_json::to_value(form)
        .map_err(|error| CallError::new(code::INTERNAL_ERROR, error.to_string()))
}
