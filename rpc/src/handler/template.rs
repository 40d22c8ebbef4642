//! `getblocktemplate` (BIP-0022, BIP-0023, BIP-0145): templates, long polling and proposals.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pyrite_chain::BlockStatus;
use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::{Block, ScriptBuf};
use pyrite_miner::Template;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Handler;
use super::template_request::{Capabilities, LongPoll, Mode, WorkId, read_mode};
use crate::call::{CallError, CallResult, code};
use crate::dialect::{JsonText, ReadyResult, UnderWay};
use crate::error::stopping;
use crate::json::{OldWork, TemplateCall, TemplateText, coinbase_form};

/// How long a long poll waits for a new tip before new transactions end it.
const TRANSACTIONS_AFTER: Duration = Duration::from_secs(60);

/// How often a long poll then looks for new transactions.
const TRANSACTIONS_EVERY: Duration = Duration::from_secs(10);

/// How long a long poll that a new tip has ended waits for the template that is published then, before it has one
/// built.
const TEMPLATE_WAIT: Duration = Duration::from_millis(200);

/// The verdict on a block whose work is not known here (BIP-0022).
pub(super) const UNKNOWN_WORK: &str = "unknown-work";

/// The template that was given out last, as text.
#[derive(Debug)]
pub(crate) struct RenderedTemplate {
    template: Arc<Template>,
    text: TemplateText,
    /// The same paid to the script that was asked for last, for clients that make no coinbase.
    paid: Option<Template>,
    /// Each client gets a coinbase of its own: two of them never do the same work.
    extranonce: u64,
}

/// What ended a long poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
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
        match read_mode(&request)? {
            Mode::Proposal { data, work_id } => {
                self.blocking(move |handler| handler.proposal(&data, work_id.as_ref()))
                    .await
            }
            Mode::Template {
                rules,
                long_poll,
                capabilities,
            } => {
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
                let text = self
                    .blocking(move |handler| handler.template(first, change, capabilities))
                    .await?;
                ready.set(text);
                Ok(Value::Null)
            }
        }
    }

    /// Runs work that blocks off the runtime's threads. What the call holds is held until the work is over.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> CallResult<T> + Send + 'static,
    ) -> CallResult<T> {
        let handler = self.clone();
        let held = UnderWay::current();
        let work = move || {
            let _held = held;
            work(&handler)
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(CallError::new(code::INTERNAL_ERROR, "Internal error")))
    }

    /// On Bitcoin's own chain, templates on a stale tip are of no use.
    fn check_ready(&self) -> CallResult<()> {
        if !self.is_catching_up(self.context.reader.tip().header.time) {
            return Ok(());
        }
        if self.context.network.connection_count() == 0 {
            return Err(CallError::new(
                code::CLIENT_NOT_CONNECTED,
                "Pyrite is not connected!",
            ));
        }
        Err(CallError::new(
            code::CLIENT_IN_INITIAL_DOWNLOAD,
            "Pyrite is in initial sync and waiting for blocks...",
        ))
    }

    /// Whether a block may have been made of the work that its miner names. Ids tell the parent alone, so that they
    /// outlive a restart of the node: no block is lost for an id.
    pub(super) fn is_work_of(&self, block: &Block, work_id: &WorkId) -> bool {
        let parent = block.header.prev_blockhash;
        *work_id == WorkId::On(parent) && self.context.reader.header(&parent).is_some()
    }

    /// Checks a proposal: `null` when it is good, otherwise why it is not.
    fn proposal(&self, data: &str, work_id: Option<&WorkId>) -> CallResult<Value> {
        let block = decode_block(data)?;
        if work_id.is_some_and(|work_id| !self.is_work_of(&block, work_id)) {
            return Ok(Value::from(UNKNOWN_WORK));
        }
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

    /// The template, or else the present one, as the client wants it.
    pub(super) fn template(
        &self,
        template: Option<Arc<Template>>,
        change: Option<Change>,
        capabilities: Capabilities,
    ) -> CallResult<JsonText> {
        let template = match template {
            Some(template) => template,
            None => self.context.work.current()?,
        };
        let payout = self.coinbase_payout(capabilities);
        let mut call = TemplateCall {
            time: template.time_at(self.context.clock.now()),
            coinbase: None,
            asks_work_id: capabilities.work_id,
            old_work: match change {
                Some(Change::Tip) => OldWork::Stale,
                Some(Change::Transactions) | None => OldWork::Welcome,
            },
        };
        let mut rendered = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        let rendered = match rendered.take() {
            Some(same) if Arc::ptr_eq(&same.template, &template) => rendered.insert(same),
            earlier => {
                let earlier = earlier.as_ref().map(|earlier| &earlier.text);
                let text = TemplateText::new(&self.context.spec, &template, earlier);
                rendered.insert(RenderedTemplate {
                    template,
                    text,
                    paid: None,
                    extranonce: rand::random(),
                })
            }
        };
        call.coinbase = payout.map(|payout| rendered.coinbase(&payout));
        Ok(rendered.text.of_call(&call))
    }

    /// Whom a coinbase pays that is made here for the client; `None` if it makes its own. One that can do both gets
    /// this one only where the node is configured so: it would leave its own address unused.
    fn coinbase_payout(&self, capabilities: Capabilities) -> Option<ScriptBuf> {
        if !capabilities.coinbase_transaction {
            return None;
        }
        let configured = self.context.template_payout.clone();
        match capabilities.coinbase_value {
            true => configured,
            false => configured.or_else(|| self.context.work.payout()),
        }
    }
}

impl RenderedTemplate {
    /// The form of a coinbase that pays this script, unlike every other.
    fn coinbase(&mut self, payout: &ScriptBuf) -> Value {
        let paid = match self.paid.take() {
            Some(paid) if paid.payout == *payout => paid,
            _ => self.template.with_payout(payout),
        };
        self.extranonce = self.extranonce.wrapping_add(1);
        let coinbase = paid.coinbase(self.extranonce);
        let form = coinbase_form(&paid, &coinbase, self.text.scale());
        self.paid = Some(paid);
        form
    }
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
