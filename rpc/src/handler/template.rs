//! `getblocktemplate` (BIP-0022, BIP-0023, BIP-0145): templates, long polling and proposals.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pyrite_chain::BlockStatus;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::opcodes::all::OP_PUSHNUM_1;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_miner::{Template, TemplateTransaction};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Handler;
use crate::call::{CallError, CallResult, code};
use crate::error::stopping;
use crate::json::{bits_hex, target_hex};
use crate::params;

/// How long a long poll waits for a new tip before new transactions end it.
const TRANSACTIONS_AFTER: Duration = Duration::from_secs(60);

/// How often a long poll then looks for new transactions.
const TRANSACTIONS_EVERY: Duration = Duration::from_secs(10);

/// How long a template is given out again although the mempool has changed, in seconds.
const TEMPLATE_LIFETIME_S: u64 = 5;

/// The largest serialized block, which weight bounds already (`MAX_BLOCK_SERIALIZED_SIZE`).
const MAX_BLOCK_SIZE: u64 = 4_000_000;

/// What legacy sizes and sigops count of the limits (BIP-0141).
const WITNESS_SCALE_FACTOR: u64 = 4;

/// A template that was given out.
#[derive(Debug)]
pub(crate) struct CachedTemplate {
    template: Arc<Template>,
    sequence: u64,
    built_at: u64,
}

/// What the caller of `getblocktemplate` asks for.
#[derive(Debug, PartialEq)]
enum Mode {
    Template {
        rules: Vec<String>,
        long_poll: Option<LongPoll>,
    },
    Proposal(String),
}

/// The state that a long poll waits to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LongPoll {
    /// The tip; `None` means the present one.
    watched: Option<(BlockHash, u64)>,
}

impl Handler {
    /// `getblocktemplate`.
    pub(super) async fn block_template(&self, request: Map<String, Value>) -> CallResult<Value> {
        match read_mode(request)? {
            Mode::Proposal(data) => self.blocking(move |handler| handler.proposal(&data)).await,
            Mode::Template { rules, long_poll } => {
                self.check_ready()?;
                if let Some(long_poll) = long_poll {
                    self.wait_for_change(long_poll).await?;
                }
                if !rules.iter().any(|rule| rule == "segwit") {
                    return Err(CallError::invalid_parameter(
                        "getblocktemplate must be called with the segwit rule set (call with \
                         {\"rules\": [\"segwit\"]})",
                    ));
                }
                self.blocking(|handler| handler.template()).await
            }
        }
    }

    /// Runs work that blocks off the runtime's threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> CallResult<T> + Send + 'static,
    ) -> CallResult<T> {
        let handler = self.clone();
        tokio::task::spawn_blocking(move || work(&handler))
            .await
            .unwrap_or_else(|_| Err(CallError::new(code::INTERNAL_ERROR, "Internal error")))
    }

    /// On Bitcoin's own chain, templates on a stale tip are of no use.
    fn check_ready(&self) -> CallResult<()> {
        if self.is_catching_up(self.context.reader.tip().header.time) {
            return Err(CallError::new(
                code::CLIENT_IN_INITIAL_DOWNLOAD,
                "Pyrite is in initial sync and waiting for blocks...",
            ));
        }
        Ok(())
    }

    /// Checks a proposal: `null` when it is good, otherwise why it is not.
    fn proposal(&self, data: &str) -> CallResult<Value> {
        let block = decode_block(data)?;
        if let Some(info) = self.context.reader.header(&block.block_hash()) {
            return Ok(Value::from(match info.status {
                BlockStatus::Valid => "duplicate",
                BlockStatus::Invalid => "duplicate-invalid",
                BlockStatus::Stored | BlockStatus::HeaderOnly => "duplicate-inconclusive",
            }));
        }
        bip22(self.context.chain.check_proposal(Arc::new(block)))
    }

    /// Returns when the tip isn't the watched one any more, or after a while when there are new
    /// transactions.
    async fn wait_for_change(&self, long_poll: LongPoll) -> CallResult<()> {
        let mut tips = self.context.reader.watch_tip();
        let mempool = self.context.mempool.watch();
        let (tip, sequence) = long_poll
            .watched
            .unwrap_or_else(|| (tips.borrow().hash, *mempool.borrow()));
        let mut check = Instant::now() + TRANSACTIONS_AFTER;
        loop {
            tokio::select! {
                () = self.stop.wait() => return Err(stopping()),
                changed = tips.wait_for(|now| now.hash != tip) => {
                    return changed.map(|_| ()).map_err(|_| stopping());
                }
                () = tokio::time::sleep_until(check) => {
                    if *mempool.borrow() != sequence {
                        return Ok(());
                    }
                    check = Instant::now() + TRANSACTIONS_EVERY;
                }
            }
        }
    }

    /// The present template.
    fn template(&self) -> CallResult<Value> {
        let (template, sequence) = self.current_template()?;
        Ok(template_json(
            &self.context.spec,
            &template,
            sequence,
            self.context.clock.now(),
        ))
    }

    /// The template given out last where it is still fresh, else a new one; and the mempool's sequence
    /// number that it is of.
    fn current_template(&self) -> CallResult<(Arc<Template>, u64)> {
        let now = self.context.clock.now();
        let tip = self.context.reader.tip().hash;
        let sequence = *self.context.mempool.watch().borrow();
        {
            let cached = self.template.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cached) = cached.as_ref().filter(|cached| {
                cached.template.previous == tip
                    && !cached.template.is_outdated(now)
                    && (cached.sequence == sequence
                        || now.saturating_sub(cached.built_at) < TEMPLATE_LIFETIME_S)
            }) {
                return Ok((Arc::clone(&cached.template), cached.sequence));
            }
        }
        // The caller makes a coinbase of its own, so it doesn't matter whom this one pays.
        let anyone = Builder::new().push_opcode(OP_PUSHNUM_1).into_script();
        let template = self.context.work.build(&anyone)?;
        let mut cached = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Some(CachedTemplate {
            template: Arc::clone(&template),
            sequence,
            built_at: now,
        });
        Ok((template, sequence))
    }
}

/// Reads the request.
fn read_mode(request: Map<String, Value>) -> CallResult<Mode> {
    let mode = match request.get("mode") {
        None | Some(Value::Null) => "template",
        Some(Value::String(mode)) => mode,
        Some(_) => return Err(CallError::invalid_parameter("Invalid mode")),
    };
    match mode {
        "proposal" => match request.get("data") {
            Some(Value::String(data)) => Ok(Mode::Proposal(data.clone())),
            _ => Err(CallError::new(
                code::TYPE_ERROR,
                "Missing data String key for proposal",
            )),
        },
        "template" => {
            let rules = match request.get("rules") {
                Some(Value::Array(rules)) => rules
                    .iter()
                    .map(|rule| params::text(rule).map(str::to_owned))
                    .collect::<CallResult<_>>()?,
                _ => Vec::new(),
            };
            let long_poll = match request.get("longpollid") {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) => Some(read_long_poll(id)?),
                Some(_) => Some(LongPoll { watched: None }),
            };
            Ok(Mode::Template { rules, long_poll })
        }
        _ => Err(CallError::invalid_parameter("Invalid mode")),
    }
}

/// A long poll's id: the tip's hash and the mempool's sequence number.
fn read_long_poll(id: &str) -> CallResult<LongPoll> {
    let (tip, sequence) = id.split_at_checked(64).unwrap_or((id, ""));
    let tip = params::hash("longpollid", tip)?;
    Ok(LongPoll {
        watched: Some((tip, sequence.parse().unwrap_or(0))),
    })
}

/// Reads a block.
pub(super) fn decode_block(text: &str) -> CallResult<Block> {
    deserialize_hex(text)
        .map_err(|_| CallError::new(code::DESERIALIZATION_ERROR, "Block decode failed"))
}

/// A verdict in BIP-0022's terms: `null` for a good block, the reason for a bad one.
///
/// # Errors
/// When nothing was judged.
pub(super) fn bip22(verdict: Result<(), pyrite_chain::SubmitError>) -> CallResult<Value> {
    match verdict {
        Ok(()) => Ok(Value::Null),
        Err(error) => match error.reject_reason() {
            Some(reason) => Ok(Value::from(reason)),
            None => Err(error.into()),
        },
    }
}

/// A template's form.
fn template_json(spec: &ChainSpec, template: &Template, sequence: u64, now: u64) -> Value {
    let is_active = |from: u32| template.height.0 >= from;
    let segwit = is_active(spec.deployments.segwit);
    let scale = if segwit { 1 } else { WITNESS_SCALE_FACTOR };
    let mut rules = Vec::new();
    if is_active(spec.deployments.csv) {
        rules.push("csv");
    }
    if segwit {
        rules.push("!segwit");
    }
    if is_active(spec.deployments.taproot) {
        rules.push("taproot");
    }
    let transactions: Vec<Value> = template
        .transactions
        .iter()
        .map(|entry| transaction_json(entry, scale))
        .collect();
    let mut form = json!({
        "capabilities": ["proposal"],
        "version": template.version,
        "rules": rules,
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": template.previous.to_string(),
        "transactions": transactions,
        "coinbaseaux": {},
        "coinbasevalue": template.coinbase_value.to_sat(),
        "longpollid": format!("{}{sequence}", template.previous),
        "target": target_hex(template.bits),
        "mintime": template.min_time,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": spec.limits.max_block_sigop_cost / scale,
        "sizelimit": MAX_BLOCK_SIZE.min(spec.limits.max_block_weight) / scale,
    });
    if segwit {
        form["weightlimit"] = spec.limits.max_block_weight.into();
    }
    form["curtime"] = template.time_at(now).into();
    form["bits"] = bits_hex(template.bits).into();
    form["height"] = template.height.0.into();
    if let Some(commitment) = &template.witness_commitment {
        form["default_witness_commitment"] = hex::encode(commitment.as_bytes()).into();
    }
    form
}

/// The form of a template's transaction; positions count from 1.
fn transaction_json(entry: &TemplateTransaction, scale: u64) -> Value {
    let depends: Vec<usize> = entry.depends.iter().map(|position| position + 1).collect();
    json!({
        "data": serialize_hex(entry.tx.as_ref()),
        "txid": entry.txid.to_string(),
        "hash": entry.wtxid.to_string(),
        "depends": depends,
        "fee": entry.fee.to_sat(),
        "sigops": entry.sigop_cost / scale,
        "weight": entry.weight,
    })
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
