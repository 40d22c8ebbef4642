//! Builds and publishes templates. Two tasks, so that the one for a new tip never waits for the one with transactions:
//! the first publishes an empty template for each tip, the second one of the mempool's transactions after it, and
//! again after changes of the mempool, as often as `pace` allows. Nothing goes out that the chain has not checked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyrite_chain::{ChainHandle, ChainReader, Clock, SubmitError, Submitted};
use pyrite_consensus::ProposedBlock;
use pyrite_consensus::bitcoin::opcodes::all::OP_PUSHNUM_1;
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{Block, BlockHash, Script, ScriptBuf};
use pyrite_mempool::{ChunkFront, MempoolChunk, MempoolEntry, MempoolHandle};
use pyrite_miner::{
    Candidate, CandidateChunk, Template, TemplateOptions, TemplateTip, WorkError, WorkSource,
    build_template_with,
};
use tokio::sync::watch;

use super::pace::rest_after;

/// How often the clock is looked at while a template's bits are going to be out of date.
const CLOCK_CHECK: Duration = Duration::from_secs(1);
/// How often the tip may move while a template for it is being built.
const MAX_TIP_RACES: usize = 16;

/// One part in so many of a block is asked for beside it.
const SPARE_PART: u64 = 8;

/// Checks a block by all rules but its proof of work.
pub(super) type Check = fn(&ChainHandle, &ProposedBlock) -> Result<(), SubmitError>;

/// The node's source of work.
pub(crate) struct TemplateFollower {
    chain: ChainHandle,
    reader: ChainReader,
    mempool: MempoolHandle,
    clock: Clock,
    options: TemplateOptions,
    check: Check,
    /// Whom mining pays.
    payout: watch::Sender<Option<ScriptBuf>>,
    /// What templates are made of. Held by whoever builds one with transactions: others wait for it instead of building the
    /// same.
    front: Mutex<ChunkFront<CandidateChunk>>,
    /// Why the last template with transactions was refused, if it was: told once.
    refused: Mutex<Option<String>>,
    /// The newest template.
    published: watch::Sender<Option<Arc<Template>>>,
    /// The newest one that pays `payout`.
    mined: watch::Sender<Option<Arc<Template>>>,
}

/// Why a template does not go out.
enum Refusal {
    /// The tip moved meanwhile.
    Moved,
    /// It breaks a rule: what it was made of is wrong.
    Invalid(SubmitError),
    /// It could not be judged.
    Failed(WorkError),
}

impl TemplateFollower {
    pub(crate) fn new(
        chain: ChainHandle,
        reader: ChainReader,
        mempool: MempoolHandle,
        clock: Clock,
        options: TemplateOptions,
    ) -> Arc<Self> {
        Self::with_check(
            chain,
            reader,
            mempool,
            clock,
            options,
            ChainHandle::check_proposed,
        )
    }

    pub(super) fn with_check(
        chain: ChainHandle,
        reader: ChainReader,
        mempool: MempoolHandle,
        clock: Clock,
        options: TemplateOptions,
        check: Check,
    ) -> Arc<Self> {
        Arc::new(Self {
            chain,
            reader,
            mempool,
            clock,
            options,
            check,
            payout: watch::Sender::new(None),
            front: Mutex::new(ChunkFront::new(wanted_weight(&options))),
            refused: Mutex::default(),
            published: watch::Sender::new(None),
            mined: watch::Sender::new(None),
        })
    }

    /// Publishes templates until the chain stops or the task is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        tokio::join!(self.follow_tip(), self.follow_mempool());
    }

    /// Publishes an empty template for each tip, at once.
    async fn follow_tip(self: &Arc<Self>) {
        let mut tip = self.reader.watch_tip();
        let mut payout = self.payout.subscribe();
        loop {
            tip.borrow_and_update();
            payout.borrow_and_update();
            self.blocking(Self::publish_empty).await;
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                _ = payout.changed() => {}
            }
        }
    }

    /// Publishes a template of the mempool's transactions for each tip, and when the mempool has changed.
    async fn follow_mempool(self: &Arc<Self>) {
        let mut tip = self.reader.watch_tip();
        let mut payout = self.payout.subscribe();
        let mut mempool = self.mempool.watch();
        loop {
            tip.borrow_and_update();
            payout.borrow_and_update();
            mempool.borrow_and_update();
            let start = Instant::now();
            self.blocking(Self::publish_full).await;
            let rest = rest_after(start.elapsed());
            let ready = tokio::time::Instant::now() + rest;
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                _ = payout.changed() => {}
                () = self.outdated() => {}
                () = mempool_changed(&mut mempool) => {
                    // The tip and the payout don't wait for the mempool's turn.
                    tokio::select! {
                        changed = tip.changed() => if changed.is_err() { return },
                        _ = payout.changed() => {}
                        () = tokio::time::sleep_until(ready) => {}
                    }
                }
            }
        }
    }

    /// Runs what reads the database off the runtime's threads.
    async fn blocking(self: &Arc<Self>, work: fn(&Self)) {
        let follower = Arc::clone(self);
        if tokio::task::spawn_blocking(move || work(&follower))
            .await
            .is_err()
        {
            tracing::error!("building a block template failed");
        }
    }

    /// Waits until the bits of the template that was published last are out of date; for ever where
    /// they never are.
    async fn outdated(&self) {
        loop {
            let left = {
                let template = self.published.borrow();
                let Some(latest) = template.as_ref().and_then(|template| template.max_time) else {
                    break;
                };
                (u64::from(latest) + 1).saturating_sub(self.clock.now())
            };
            if left == 0 {
                return;
            }
            // The clock may be set meanwhile: look again soon.
            tokio::time::sleep(Duration::from_secs(left).min(CLOCK_CHECK)).await;
        }
        std::future::pending().await
    }

    pub(super) fn publish_empty(&self) {
        let start = Instant::now();
        let tip = self.reader.tip().hash;
        match self
            .assemble(&tip, &[], None)
            .map(|template| self.checked(template))
        {
            Some(Ok(template)) => {
                self.offer(&template);
                tracing::debug!(took = ?start.elapsed(), "new empty block template");
            }
            // Another tip, and its template, come soon.
            None | Some(Err(Refusal::Moved)) => {}
            Some(Err(Refusal::Invalid(error))) => {
                tracing::error!(%error, "an empty block template is invalid");
            }
            Some(Err(Refusal::Failed(error))) => tracing::error!(%error, "no block template"),
        }
    }

    pub(super) fn publish_full(&self) {
        match self.fresh() {
            Ok(_) => {}
            // Another tip comes soon.
            Err(error @ WorkError::Unavailable { .. }) => {
                tracing::debug!(%error, "no block template");
            }
            Err(error) => tracing::error!(%error, "no block template"),
        }
    }

    /// A template of the mempool as it is now, which is published: that of before if nothing changed.
    pub(super) fn fresh(&self) -> Result<Arc<Template>, WorkError> {
        let mut front = self.front.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..MAX_TIP_RACES {
            self.mempool.sync().map_err(machine)?;
            if let Some(template) = self.unchanged() {
                return Ok(template);
            }
            let start = Instant::now();
            let (tip, sequence) = self.mempool.refresh(&mut front, candidate_chunk);
            let chosen = start.elapsed();
            let Some(template) = self.assemble(&tip, front.chunks(), Some(sequence)) else {
                continue;
            };
            let built = start.elapsed();
            match self.checked(template) {
                Ok(template) => {
                    self.offer(&template);
                    self.note_refusal(None);
                    tracing::debug!(
                        transactions = template.transactions.len(),
                        chunks = ?chosen,
                        building = ?(built - chosen),
                        check = ?(start.elapsed() - built),
                        "new block template"
                    );
                    return Ok(template);
                }
                Err(Refusal::Moved) => {}
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Invalid(error)) => {
                    self.note_refusal(Some(error.to_string()));
                    return self.without_transactions(&tip, sequence);
                }
            }
        }
        Err(tip_races())
    }

    fn note_refusal(&self, reason: Option<String>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = reason.as_ref().filter(|_| *refused != reason) {
            tracing::error!(
                %reason,
                "a block of the mempool's transactions would be invalid: mining without them"
            );
        }
        *refused = reason;
    }

    /// What takes the place of a template that was refused.
    fn without_transactions(
        &self,
        tip: &BlockHash,
        sequence: u64,
    ) -> Result<Arc<Template>, WorkError> {
        let template = self
            .assemble(tip, &[], Some(sequence))
            .ok_or_else(tip_races)?;
        match self.checked(template) {
            Ok(template) => {
                self.offer(&template);
                Ok(template)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The template that was published last, if it is what would be built now.
    fn unchanged(&self) -> Option<Arc<Template>> {
        let published = self.settled()?;
        let sequence = *self.mempool.watch().borrow();
        let is_same = published.mempool_sequence >= Some(sequence)
            && published.payout == self.payout_or_any();
        is_same.then_some(published)
    }

    /// The template that was published last, if it is on the tip and has the mempool's transactions.
    fn settled(&self) -> Option<Arc<Template>> {
        let published = self.published.borrow().clone()?;
        let is_settled = published.previous == self.reader.tip().hash
            && published.mempool_sequence.is_some()
            && !published.is_outdated(self.clock.now());
        is_settled.then_some(published)
    }

    /// A template of these transactions; `None` if the tip is gone.
    fn assemble(
        &self,
        tip: &BlockHash,
        chunks: &[CandidateChunk],
        sequence: Option<u64>,
    ) -> Option<Template> {
        let parent = self.reader.header_chain(tip)?;
        let tip = TemplateTip {
            parent: &parent,
            hash: *tip,
        };
        let template = build_template_with(
            self.reader.spec(),
            &tip,
            chunks,
            &self.payout_or_any(),
            self.clock.now(),
            &self.options,
            self.published.borrow().as_deref(),
        );
        Some(match sequence {
            Some(sequence) => template.at_sequence(sequence),
            None => template,
        })
    }

    /// The template, if its block would be valid.
    fn checked(&self, template: Template) -> Result<Arc<Template>, Refusal> {
        let extranonce: [u8; 8] = rand::random();
        match (self.check)(&self.chain, &template.proposal(extranonce)) {
            Ok(()) => Ok(Arc::new(template)),
            Err(SubmitError::NotOnTip { .. }) => Err(Refusal::Moved),
            Err(SubmitError::Stopped) => Err(Refusal::Failed(WorkError::Stopped)),
            Err(SubmitError::Machine(error)) => Err(Refusal::Failed(machine(error))),
            Err(error) => Err(Refusal::Invalid(error)),
        }
    }

    /// Publishes a template, unless there is a newer one or another tip.
    pub(super) fn offer(&self, template: &Arc<Template>) {
        // Held to the end, so that a payout that was changed is never published again.
        let payout = self.payout.borrow();
        let publish = |sender: &watch::Sender<Option<Arc<Template>>>| {
            sender.send_if_modified(|current| {
                let is_newer = current.as_ref().is_none_or(|current| {
                    current.previous != template.previous
                        || current.mempool_sequence <= template.mempool_sequence
                });
                let is_wanted = is_newer && template.previous == self.reader.tip().hash;
                if is_wanted {
                    *current = Some(Arc::clone(template));
                }
                is_wanted
            });
        };
        publish(&self.published);
        if payout.as_ref() == Some(&template.payout) {
            publish(&self.mined);
        }
    }

    /// Whom mining pays; anybody as long as that is not said, for those who make a coinbase of their own.
    fn payout_or_any(&self) -> ScriptBuf {
        let payout = self.payout.borrow().clone();
        payout.unwrap_or_else(|| Builder::new().push_opcode(OP_PUSHNUM_1).into_script())
    }
}

impl WorkSource for TemplateFollower {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.mined.subscribe()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.published.subscribe()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        match self.settled() {
            Some(template) => Ok(template),
            None => self.fresh(),
        }
    }

    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError> {
        for _ in 0..MAX_TIP_RACES {
            let template = self.fresh()?;
            if template.payout.as_script() == payout {
                return Ok(template);
            }
            match self.checked(template.with_payout(payout)) {
                Ok(template) => return Ok(template),
                Err(Refusal::Moved) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Err(tip_races())
    }

    fn set_payout(&self, payout: ScriptBuf) {
        self.payout.send_if_modified(|current| {
            let is_new = current.as_ref() != Some(&payout);
            *current = Some(payout);
            if is_new {
                // Nobody mines for the former one until there is a template that pays the new one, which is not published
                // before this ends.
                self.mined.send_replace(None);
            }
            is_new
        });
    }

    fn options(&self) -> TemplateOptions {
        self.options
    }

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        match self.chain.submit_block(block) {
            Ok(Submitted::NewTip | Submitted::Duplicate) => Ok(()),
            Ok(Submitted::SideChain) => Err(WorkError::Stale),
            Err(SubmitError::Stopped) => Err(WorkError::Stopped),
            Err(SubmitError::Machine(error)) => Err(machine(error)),
            Err(error) => Err(WorkError::Rejected {
                reason: error.to_string(),
            }),
        }
    }
}

impl From<Refusal> for WorkError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Moved => tip_races(),
            Refusal::Invalid(error) => Self::Rejected {
                reason: error.to_string(),
            },
            Refusal::Failed(error) => error,
        }
    }
}

fn tip_races() -> WorkError {
    WorkError::Unavailable {
        reason: "the tip moves faster than a template is built".to_owned(),
    }
}

fn machine(error: impl std::error::Error + Send + Sync + 'static) -> WorkError {
    WorkError::Machine {
        source: Box::new(error),
    }
}

/// Waits for a change of the mempool; for ever when there is no mempool any more.
async fn mempool_changed(mempool: &mut watch::Receiver<u64>) {
    if mempool.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What the mempool is asked for: more than a block holds, so that what does not fit can be skipped.
fn wanted_weight(options: &TemplateOptions) -> u64 {
    let weight = options.max_weight;
    weight.saturating_add(weight / SPARE_PART)
}

fn candidate_chunk(chunk: MempoolChunk) -> CandidateChunk {
    let candidate = |entry: Arc<MempoolEntry>| Candidate {
        tx: Arc::clone(&entry.tx),
        txid: entry.txid,
        wtxid: entry.wtxid,
        fee: entry.fee,
        weight: entry.weight,
        sigop_cost: entry.sigop_cost,
        is_alone: chunk.is_alone,
    };
    CandidateChunk {
        fee: chunk.rate.fee,
        weight: chunk.rate.weight,
        transactions: chunk.entries.into_iter().map(candidate).collect(),
    }
}
