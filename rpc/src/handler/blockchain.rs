//! Blocks and coins.

use std::fs;
use std::path::Path;

use jsonrpsee::Extensions;
use pyrite_chain::{BackgroundValidation, HeaderInfo, PruneMode};
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, TxOut, Txid};
use pyrite_consensus::spec::AddressKind;
use pyrite_consensus::{Height, bitcoin, pow};
use serde_json::{Value, json};

use super::Handler;
use super::place::confirmations_of;
use crate::api::blockchain::BlockchainServer;
use crate::call::{CallError, CallResult};
use crate::dialect::{JsonText, ReadyResult};
use crate::json::{
    BlockTransactions, Btc, bits_hex, block_text, float, header_json, hex_json,
    script_pub_key_json, target_hex, to_value, work_hex,
};
use crate::params;

/// A tip that is older than this, on Bitcoin's own chain, is being caught up with.
const STALE_TIP_S: u64 = 24 * 60 * 60;

/// How deep the directories of the database and of the indexes are searched for files to count.
const MAX_DIRECTORY_DEPTH: usize = 4;

impl BlockchainServer for Handler {
    fn get_blockchain_info(&self) -> CallResult<Value> {
        let context = &self.context;
        let tip = context.reader.tip();
        let headers = context.reader.best_header().height.max(tip.height);
        let bits = tip.header.bits;
        let mut info = json!({
            "chain": context.spec.address_kind.core_name(),
            "chain_name": context.spec.name,
            "blocks": tip.height.0,
            "headers": headers.0,
            "bestblockhash": tip.hash.to_string(),
            "bits": bits_hex(bits),
            "target": target_hex(bits),
            "difficulty": float(pow::difficulty(bits)),
            "time": tip.header.time,
            "mediantime": tip.median_time_past,
            "verificationprogress": float(progress(tip.height, headers)),
        });
        context.hide_own_field(&mut info, "chain_name");
        if let Some(BackgroundValidation { base, tip }) = context.reader.background_validation() {
            info["backgroundvalidation"] = json!({
                "snapshotheight": base.height.0,
                "blocks": tip.height.0,
                "bestblockhash": tip.hash.to_string(),
                "mediantime": tip.median_time_past,
                "verificationprogress": float(progress(tip.height, base.height)),
                "chainwork": work_hex(tip.work),
            });
        }
        info["initialblockdownload"] = self.is_catching_up(tip.header.time).into();
        info["chainwork"] = work_hex(tip.work).into();
        let sizes = context.stores.iter();
        let size: u64 = sizes
            .map(|path| directory_size(path, MAX_DIRECTORY_DEPTH))
            .sum();
        info["size_on_disk"] = size.into();
        info["pruned"] = (context.prune_mode != PruneMode::Off).into();
        if context.prune_mode != PruneMode::Off {
            let pruned = context.reader.pruned_height();
            info["pruneheight"] = pruned.map_or(0, |height| height.next().0).into();
            let target = match context.prune_mode {
                PruneMode::Automatic { target_bytes } => Some(target_bytes),
                PruneMode::Off | PruneMode::ByHand => None,
            };
            info["automatic_pruning"] = target.is_some().into();
            if let Some(bytes) = target {
                info["prune_target_size"] = bytes.into();
            }
        }
        info["warnings"] = self.context.warnings();
        Ok(info)
    }

    fn get_block_count(&self) -> CallResult<u32> {
        Ok(self.context.reader.tip().height.0)
    }

    fn get_best_block_hash(&self) -> CallResult<String> {
        Ok(self.context.reader.tip().hash.to_string())
    }

    fn get_block_hash(&self, height: i64) -> CallResult<String> {
        u32::try_from(height)
            .ok()
            .and_then(|height| self.context.reader.hash_at(Height(height)))
            .map(|hash| hash.to_string())
            .ok_or_else(|| CallError::invalid_parameter("Block height out of range"))
    }

    fn get_block(
        &self,
        extensions: &Extensions,
        blockhash: String,
        verbosity: Option<Value>,
    ) -> CallResult<Value> {
        let hash: BlockHash = params::hash("blockhash", &blockhash)?;
        let verbosity = params::verbosity(verbosity.as_ref(), 1)?;
        let info = self.header_info(&hash)?;
        let text = if verbosity == 0 {
            let bytes = self.context.reader.block_bytes(&hash)?;
            let bytes = bytes.ok_or_else(|| self.block_not_available(&hash))?;
            hex_json(&bytes)
        } else {
            self.block_form(&info, verbosity)?
        };
        ReadyResult::of(extensions).set(text);
        Ok(Value::Null)
    }

    fn get_block_header(&self, blockhash: String, verbose: Option<bool>) -> CallResult<Value> {
        let hash: BlockHash = params::hash("hash", &blockhash)?;
        let info = self.header_info(&hash)?;
        if verbose == Some(false) {
            return Ok(Value::String(bitcoin::consensus::encode::serialize_hex(
                &info.header,
            )));
        }
        to_value(&header_json(&info.header, &self.place(&info)))
    }

    fn get_chain_tips(&self) -> CallResult<Value> {
        let tips = self.context.reader.tips();
        Ok(tips
            .iter()
            .map(|tip| {
                json!({
                    "height": tip.height.0,
                    "hash": tip.hash.to_string(),
                    "branchlen": tip.branch_length,
                    "status": tip.status.as_str(),
                })
            })
            .collect())
    }

    fn get_difficulty(&self) -> CallResult<Value> {
        Ok(float(pow::difficulty(
            self.context.reader.tip().header.bits,
        )))
    }

    fn get_tx_out(&self, txid: String, n: i64, include_mempool: Option<bool>) -> CallResult<Value> {
        let txid: Txid = params::hash("txid", &txid)?;
        let vout = u32::try_from(n).map_err(|_| params::integer_out_of_range())?;
        let outpoint = OutPoint { txid, vout };
        if include_mempool.unwrap_or(true) {
            let mempool = self.mempool_at_tip()?;
            if mempool.spender(&outpoint).is_some() {
                return Ok(Value::Null);
            }
            if let Some(entry) = mempool.get(&txid) {
                let output = usize::try_from(vout)
                    .ok()
                    .and_then(|n| entry.tx.output.get(n));
                let best = self.context.reader.tip().hash;
                return Ok(output.map_or(Value::Null, |output| self.output(best, 0, output, false)));
            }
        }
        let found = self.context.reader.coins(&[outpoint])?;
        Ok(found.coins.get(&outpoint).map_or(Value::Null, |coin| {
            let confirmations = confirmations_of(coin.height, found.tip.height);
            self.output(
                found.tip.hash,
                confirmations,
                &coin.output,
                coin.is_coinbase,
            )
        }))
    }
}

impl Handler {
    /// A block with its transactions' ids, from verbosity 2 on with the transactions.
    fn block_form(&self, info: &HeaderInfo, verbosity: u8) -> CallResult<JsonText> {
        let reader = &self.context.reader;
        let block = reader.hashed_block(&info.hash)?;
        let block = block.ok_or_else(|| self.block_not_available(&info.hash))?;
        let spent = if verbosity >= 2 {
            self.spent_coins(&info.hash)?
        } else {
            None
        };
        let transactions = if verbosity == 1 {
            BlockTransactions::Ids
        } else {
            BlockTransactions::Details {
                spent: spent.as_deref(),
                with_prevouts: verbosity >= 3,
            }
        };
        let mut place = self.place(info);
        place.transaction_count = u32::try_from(block.txdata.len()).unwrap_or(u32::MAX);
        block_text(&block, &place, self.address_network(), transactions)
    }

    /// An unspent output's form.
    fn output(&self, best: BlockHash, confirmations: i64, output: &TxOut, coinbase: bool) -> Value {
        json!({
            "bestblock": best.to_string(),
            "confirmations": confirmations,
            "value": Btc::from(output.value),
            "scriptPubKey": script_pub_key_json(&output.script_pubkey, self.address_network()),
            "coinbase": coinbase,
        })
    }

    /// Whether the node is still downloading the chain. A private chain is whole as it is.
    pub(super) fn is_catching_up(&self, tip_time: u32) -> bool {
        let now = self.context.clock.now();
        self.context.spec.address_kind == AddressKind::Mainnet
            && u64::from(tip_time) + STALE_TIP_S < now
    }
}

/// How much of the known chain is verified.
pub(super) fn progress(blocks: Height, headers: Height) -> f64 {
    (f64::from(blocks.0) + 1.0) / (f64::from(headers.0) + 1.0)
}

/// Bytes of the files in a directory. A file that goes while they are counted counts nothing.
fn directory_size(path: &Path, depth: usize) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() && depth > 0 => {
                directory_size(&entry.path(), depth - 1)
            }
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_whole_at_the_best_header() {
        assert!((progress(Height(0), Height(0)) - 1.0).abs() < f64::EPSILON);
        assert!((progress(Height(9), Height(19)) - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn files_count_to_a_depth() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(directory.path().join("one"), [0; 10]).unwrap();
        fs::write(inner.join("two"), [0; 5]).unwrap();
        assert_eq!(directory_size(directory.path(), 2), 15);
        assert_eq!(directory_size(directory.path(), 1), 10);
        assert_eq!(directory_size(&directory.path().join("none"), 1), 0);
    }
}
