//! JSON forms of Bitcoin's data, with Bitcoin Core's field names and order. Pure functions.

mod address;
mod block;
mod block_stats;
mod descriptor;
mod mempool;
mod miner;
mod number;
mod script;
mod template;
mod transaction;

pub(crate) use address::address_error;
pub(crate) use block::{BlockPlace, BlockTransactions, block_json, header_json};
pub(crate) use block_stats::{BlockStatsPlace, block_stats};
pub(crate) use descriptor::{checksum, infer_descriptor, with_checksum};
pub(crate) use mempool::{accepted_fees, chunk_json, entry_json};
pub(crate) use miner::miner_json;
pub(crate) use number::{Btc, bits_hex, float, target_hex, work_hex};
pub(crate) use script::{OutputKind, output_kind, script_pub_key_json};
pub(crate) use template::{OldWork, TemplateCall, TemplateText, coinbase_form};
pub(crate) use transaction::{TransactionJson, TransactionView, transaction_json};
