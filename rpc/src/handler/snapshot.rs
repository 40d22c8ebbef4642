//! Files of all coins.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use pyrite_chain::{LoadChecks, SnapshotDump, SnapshotError, Tip};
use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::{Height, pow};
use serde_json::{Value, json};

use super::Handler;
use super::blockchain::progress;
use crate::api::snapshot::SnapshotServer;
use crate::call::{CallError, CallResult, code};
use crate::error::stopping;
use crate::json::{bits_hex, float, target_hex};

/// Bytes of a file that are read together.
const READ_BYTES: usize = 1 << 20;

impl SnapshotServer for Handler {
    fn dump_tx_out_set(
        &self,
        path: String,
        kind: Option<String>,
        options: Option<Value>,
        rollback: Option<Value>,
    ) -> CallResult<Value> {
        let rollback =
            rollback.map_or_else(|| rollback_option(options), |value| Ok(Some(value)))?;
        let target = self.dump_target(kind.as_deref().unwrap_or_default(), rollback)?;
        let path = self.context.data_dir.join(path);
        let dump = self.dump_to(&path, target)?;
        Ok(json!({
            "coins_written": dump.coins,
            "base_hash": dump.base.to_string(),
            "base_height": dump.height.0,
            "path": path.display().to_string(),
            "txoutset_hash": dump.coins_hash.to_string(),
            "nchaintx": dump.chain_tx_count,
        }))
    }

    fn load_tx_out_set(&self, path: String) -> CallResult<Value> {
        let path = self.context.data_dir.join(path);
        let file = File::open(&path).map_err(|_| {
            CallError::invalid_parameter(format!(
                "Couldn't open file {} for reading.",
                path.display()
            ))
        })?;
        let mut input = BufReader::with_capacity(READ_BYTES, file);
        let checks = LoadChecks {
            is_mempool_empty: &|| self.context.mempool.info().size == 0,
            is_interrupted: &|| self.stop.is_stopping(),
        };
        let loaded = self
            .context
            .chain
            .load_snapshot(&mut input, checks)
            .map_err(|error| load_refusal(error, &path))?;
        Ok(json!({
            "coins_loaded": loaded.coins,
            "tip_hash": loaded.base.to_string(),
            "base_height": loaded.height.0,
            "path": path.display().to_string(),
        }))
    }

    fn get_chain_states(&self) -> CallResult<Value> {
        let reader = &self.context.reader;
        let background = reader.background_validation();
        let tip = reader.tip();
        let headers = reader.best_header().height.max(tip.height);
        let mut states = Vec::new();
        let chains = if background.is_some() { 2 } else { 1 };
        let cache = CacheBytes {
            database: reader.database_cache_bytes(),
            coins: reader.coins_cache_bytes() / chains,
        };
        if let Some(background) = &background {
            let of = background.base.height;
            states.push(chain_state(&background.tip, of, None, cache));
        }
        let base = background.map(|background| background.base.hash);
        states.push(chain_state(&tip, headers, base, cache));
        Ok(json!({ "headers": headers.0, "chainstates": states }))
    }
}

impl Handler {
    /// The block whose coins are written; `None` for the tip.
    fn dump_target(&self, kind: &str, rollback: Option<Value>) -> CallResult<Option<BlockHash>> {
        match (kind, rollback) {
            ("" | "rollback", Some(block)) => Ok(Some(self.block_by_hash_or_height(&block)?.hash)),
            (_, Some(_)) => Err(CallError::invalid_parameter(format!(
                "Invalid snapshot type \"{kind}\" specified with rollback option"
            ))),
            ("rollback", None) => {
                let highest = self.context.spec.assume_utxo.last().ok_or_else(|| {
                    CallError::invalid_parameter(
                        "The chain's spec lists no snapshot: say which block with the rollback option",
                    )
                })?;
                let block = Value::from(highest.height.0);
                Ok(Some(self.block_by_hash_or_height(&block)?.hash))
            }
            ("latest", None) => Ok(None),
            _ => Err(CallError::invalid_parameter(format!(
                "Invalid snapshot type \"{kind}\" specified. Please specify \"rollback\" or \"latest\""
            ))),
        }
    }

    /// Writes beside the file, and renames when all of it is on disk.
    fn dump_to(&self, path: &Path, target: Option<BlockHash>) -> CallResult<SnapshotDump> {
        if path.symlink_metadata().is_ok() {
            return Err(CallError::invalid_parameter(format!(
                "{} already exists. If you are sure this is what you want, move it out of the way first",
                path.display()
            )));
        }
        let incomplete = incomplete_path(path);
        let mut file = File::create(&incomplete).map_err(|_| {
            CallError::invalid_parameter(format!(
                "Couldn't open file {} for writing.",
                incomplete.display()
            ))
        })?;
        let dumped = self
            .context
            .chain
            .dump_snapshot(target, &mut file, &|| self.stop.is_stopping())
            .and_then(|dump| {
                file.sync_all()
                    .and_then(|()| fs::rename(&incomplete, path))
                    .map(|()| dump)
                    .map_err(|error| SnapshotError::Write(error.to_string()))
            });
        dumped.map_err(|error| {
            // What is there of it is of no use; that it can't be removed says nothing new.
            let _ = fs::remove_file(&incomplete);
            dump_refusal(error)
        })
    }
}

/// The block in `options`.
fn rollback_option(options: Option<Value>) -> CallResult<Option<Value>> {
    let Some(Value::Object(mut options)) = options else {
        return Ok(None);
    };
    let rollback = options.remove("rollback");
    match options.keys().next() {
        None => Ok(rollback.filter(|value| !value.is_null())),
        Some(key) => Err(CallError::invalid_parameter(format!(
            "Unknown named parameter {key}"
        ))),
    }
}

fn incomplete_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".incomplete");
    PathBuf::from(name)
}

/// What a client is told of a file that was not written.
fn dump_refusal(error: SnapshotError) -> CallError {
    match error {
        SnapshotError::UnknownBlock(_) => CallError::not_found("Block not found"),
        SnapshotError::NotInBestChain(_) => {
            CallError::invalid_parameter("Block is not in main chain")
        }
        SnapshotError::MissingData { .. } => CallError::misc(
            "Could not roll back to requested height since necessary block data is already pruned.",
        ),
        SnapshotError::Machine(error) => error.into(),
        SnapshotError::Stopped | SnapshotError::Interrupted => stopping(),
        other => CallError::misc(other.to_string()),
    }
}

/// What a client is told of a file that was not loaded.
fn load_refusal(error: SnapshotError, path: &Path) -> CallError {
    match error {
        SnapshotError::Head(error) => CallError::new(
            code::DESERIALIZATION_ERROR,
            format!("Unable to parse metadata: {error}"),
        ),
        SnapshotError::Machine(error) => error.into(),
        SnapshotError::Stopped => stopping(),
        other => CallError::new(
            code::INTERNAL_ERROR,
            format!(
                "Unable to load UTXO snapshot: {other}. ({})",
                path.display()
            ),
        ),
    }
}

/// What is held in memory, at most.
#[derive(Clone, Copy)]
struct CacheBytes {
    database: usize,
    coins: usize,
}

/// One of the chains. `base` is the block of the file that it began with, if that is not validated yet.
fn chain_state(tip: &Tip, of: Height, base: Option<BlockHash>, cache: CacheBytes) -> Value {
    let bits = tip.header.bits;
    let mut form = json!({
        "blocks": tip.height.0,
        "bestblockhash": tip.hash.to_string(),
        "bits": bits_hex(bits),
        "target": target_hex(bits),
        "difficulty": float(pow::difficulty(bits)),
        "verificationprogress": float(progress(tip.height, of)),
    });
    if let Some(base) = base {
        form["snapshot_blockhash"] = base.to_string().into();
    }
    form["coins_db_cache_bytes"] = cache.database.into();
    form["coins_tip_cache_bytes"] = cache.coins.into();
    form["validated"] = base.is_none().into();
    form
}
