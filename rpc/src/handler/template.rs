//! `getblocktemplate` (BIP-0022, BIP-0023, BIP-0145): templates, long polling and proposals.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pyrite_chain::BlockStatus;
use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_miner::Template;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Handler;
use crate::call::{CallError, CallResult, code};
use crate::dialect::{JsonText, ReadyResult};
use crate::error::stopping;
use crate::json::TemplateText;
use crate::params;

/// How long a long poll waits for a new tip before new transactions end it.
const TRANSACTIONS_AFTER: Duration = Duration::from_secs(60);

/// How often a long poll then looks for new transactions.
const TRANSACTIONS_EVERY: Duration = Duration::from_secs(10);

/// How long a long poll that a new tip has ended waits for the template that is published then, before it has one
/// built.
const TEMPLATE_WAIT: Duration = Duration::from_millis(200);

/// The template that was given out last, as text.
#[derive(Debug)]
pub(crate) struct RenderedTemplate {
    template: Arc<Template>,
    text: TemplateText,
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
    /// The tip; `None` means the present one. And the mempool's sequence number; `None` for a template without
    /// transactions that was only a stopgap.
    watched: Option<(BlockHash, Option<u64>)>,
}

/// What ended a long poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// There is another tip: any template on it will do.
    Tip,
    /// There are other transactions.
    Transactions,
}

impl Handler {
    /// `getblocktemplate`. A template is left in `ready`.
    pub(super) async fn block_template(
        &self,
        request: Map<String, Value>,
        ready: &ReadyResult,
    ) -> CallResult<Value> {
        match read_mode(request)? {
            Mode::Proposal(data) => self.blocking(move |handler| handler.proposal(&data)).await,
            Mode::Template { rules, long_poll } => {
                self.check_ready()?;
                self.last_asked.note(std::time::Instant::now());
                let change = match long_poll {
                    Some(long_poll) => Some(self.wait_for_change(long_poll).await?),
                    None => None,
                };
                if !rules.iter().any(|rule| rule == "segwit") {
                    return Err(CallError::invalid_parameter(
                        "getblocktemplate must be called with the segwit rule set (call with \
                         {\"rules\": [\"segwit\"]})",
                    ));
                }
                let first = match change {
                    Some(Change::Tip) => self.first_on_tip().await,
                    Some(Change::Transactions) | None => None,
                };
                let text = self.blocking(|handler| handler.template(first)).await?;
                ready.set(text);
                Ok(Value::Null)
            }
        }
    }

    /// Runs work that blocks off the runtime's threads.
    pub(super) async fn blocking<T: Send + 'static>(
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
    async fn wait_for_change(&self, long_poll: LongPoll) -> CallResult<Change> {
        let mut tips = self.context.reader.watch_tip();
        let mempool = self.context.mempool.watch();
        let (tip, sequence) = long_poll
            .watched
            .unwrap_or_else(|| (tips.borrow().hash, Some(*mempool.borrow())));
        if sequence.is_none() && tips.borrow().hash == tip {
            return Ok(Change::Transactions);
        }
        let mut check = Instant::now() + TRANSACTIONS_AFTER;
        loop {
            tokio::select! {
                () = self.stop.wait() => return Err(stopping()),
                changed = tips.wait_for(|now| now.hash != tip) => {
                    return changed.map(|_| Change::Tip).map_err(|_| stopping());
                }
                () = tokio::time::sleep_until(check) => {
                    if Some(*mempool.borrow()) != sequence {
                        return Ok(Change::Transactions);
                    }
                    check = Instant::now() + TRANSACTIONS_EVERY;
                }
            }
        }
    }

    /// The first template that is published on the tip: an empty one, as a rule. `None` if none comes soon.
    async fn first_on_tip(&self) -> Option<Arc<Template>> {
        let mut published = self.context.work.published();
        let is_on_tip = |template: &Option<Arc<Template>>| {
            let tip = self.context.reader.tip().hash;
            template
                .as_ref()
                .is_some_and(|template| template.previous == tip)
        };
        let first = tokio::time::timeout(TEMPLATE_WAIT, published.wait_for(is_on_tip)).await;
        first.ok()?.ok()?.clone()
    }

    /// The template, or else the present one, at the present time.
    pub(super) fn template(&self, template: Option<Arc<Template>>) -> CallResult<JsonText> {
        let template = match template {
            Some(template) => template,
            None => self.context.work.current()?,
        };
        let time = template.time_at(self.context.clock.now());
        let mut rendered = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        match rendered.as_ref() {
            Some(rendered) if Arc::ptr_eq(&rendered.template, &template) => {
                Ok(rendered.text.at(time))
            }
            _ => {
                let earlier = rendered.as_ref().map(|earlier| &earlier.text);
                let text = TemplateText::new(&self.context.spec, &template, earlier);
                let answer = text.at(time);
                *rendered = Some(RenderedTemplate { template, text });
                Ok(answer)
            }
        }
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

/// A long poll's id: the tip's hash and the mempool's sequence number, which a stopgap does not have.
fn read_long_poll(id: &str) -> CallResult<LongPoll> {
    let (tip, sequence) = id.split_at_checked(64).unwrap_or((id, ""));
    let tip = params::hash("longpollid", tip)?;
    Ok(LongPoll {
        watched: Some((tip, sequence.parse().ok())),
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

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
