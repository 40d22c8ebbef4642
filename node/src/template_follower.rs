//! Block templates that follow the tip and the mempool: the miner's source of work.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyrite_chain::{ChainHandle, ChainReader, Clock, SubmitError, Submitted};
use pyrite_consensus::bitcoin::{Block, Script, ScriptBuf, Txid};
use pyrite_mempool::{MempoolHandle, MempoolSnapshot};
use pyrite_miner::{Candidate, Template, TemplateTip, WorkError, WorkSource, build_template};
use tokio::sync::{Notify, watch};

/// How long a template is at least kept when only the mempool changed.
const MEMPOOL_REFRESH: Duration = Duration::from_secs(1);
/// How often the clock is looked at while a template's bits are going to be out of date.
const CLOCK_CHECK: Duration = Duration::from_secs(1);
/// How often the tip may move while a template for it is being built.
const MAX_TIP_RACES: usize = 16;

/// The node's source of work.
pub(crate) struct TemplateFollower {
    chain: ChainHandle,
    reader: ChainReader,
    mempool: MempoolHandle,
    clock: Clock,
    payout: Mutex<Option<ScriptBuf>>,
    payout_changed: Notify,
    templates: watch::Sender<Option<Arc<Template>>>,
}

/// Which transactions a template takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    /// None: ready at once, when the mempool hasn't followed to a new tip yet.
    Empty,
    /// Those of the mempool.
    Mempool,
}

impl TemplateFollower {
    pub(crate) fn new(
        chain: ChainHandle,
        reader: ChainReader,
        mempool: MempoolHandle,
        clock: Clock,
    ) -> Arc<Self> {
        Arc::new(Self {
            chain,
            reader,
            mempool,
            clock,
            payout: Mutex::new(None),
            payout_changed: Notify::new(),
            templates: watch::Sender::new(None),
        })
    }

    /// Publishes templates until the chain stops or the task is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut tip = self.reader.watch_tip();
        let mut mempool = self.mempool.watch();
        loop {
            let follower = Arc::clone(&self);
            let hash = tip.borrow_and_update().hash;
            mempool.borrow_and_update();
            // Building sorts the mempool: not on the runtime's threads.
            if tokio::task::spawn_blocking(move || follower.publish(hash))
                .await
                .is_err()
            {
                tracing::error!("building a block template failed");
            }
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                () = self.payout_changed.notified() => {}
                () = self.outdated() => {}
                () = mempool_changed(&mut mempool) => {
                    // The tip and the payout don't wait for the mempool's turn.
                    tokio::select! {
                        changed = tip.changed() => if changed.is_err() { return },
                        () = self.payout_changed.notified() => {}
                        () = tokio::time::sleep(MEMPOOL_REFRESH) => {}
                    }
                }
            }
        }
    }

    /// Waits until the bits of the template that was published last are out of date; for ever where
    /// they never are.
    async fn outdated(&self) {
        loop {
            let left = {
                let template = self.templates.borrow();
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

    /// Publishes a template on the present tip, an empty one first if the mempool lags behind.
    fn publish(&self, tip: pyrite_consensus::bitcoin::BlockHash) {
        let Some(payout) = self.payout() else { return };
        // Asked before any snapshot is made, which takes long when the mempool is large.
        if self.mempool.followed_block() != tip
            && let Ok(template) = self.build_with(&payout, Contents::Empty)
        {
            self.templates.send_replace(Some(template));
        }
        match self.build_with(&payout, Contents::Mempool) {
            Ok(template) => {
                self.templates.send_replace(Some(template));
            }
            Err(error) => tracing::error!(%error, "no block template"),
        }
    }

    fn payout(&self) -> Option<ScriptBuf> {
        self.payout
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn build_with(&self, payout: &Script, contents: Contents) -> Result<Arc<Template>, WorkError> {
        for _ in 0..MAX_TIP_RACES {
            let snapshot = match contents {
                Contents::Empty => None,
                Contents::Mempool => {
                    self.mempool.sync().map_err(machine)?;
                    Some(self.mempool.snapshot())
                }
            };
            let tip = self.reader.tip();
            if snapshot
                .as_ref()
                .is_some_and(|snapshot| snapshot.tip != tip.hash)
            {
                continue;
            }
            let Some(parent) = self.reader.header_chain(&tip.hash) else {
                continue;
            };
            let candidates = snapshot.as_deref().map_or_else(Vec::new, candidates);
            let template_tip = TemplateTip {
                parent: &parent,
                hash: tip.hash,
            };
            let template = build_template(
                self.reader.spec(),
                &template_tip,
                &candidates,
                payout,
                self.clock.now(),
            );
            return Ok(Arc::new(template));
        }
        Err(WorkError::Unavailable {
            reason: "the tip moves faster than a template is built".to_owned(),
        })
    }
}

impl WorkSource for TemplateFollower {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError> {
        self.build_with(payout, Contents::Mempool)
    }

    fn set_payout(&self, payout: ScriptBuf) {
        *self.payout.lock().unwrap_or_else(PoisonError::into_inner) = Some(payout);
        self.payout_changed.notify_one();
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

fn candidates(snapshot: &MempoolSnapshot) -> Vec<Candidate> {
    let known: HashSet<Txid> = snapshot.entries.iter().map(|entry| entry.txid).collect();
    snapshot
        .entries
        .iter()
        .map(|entry| {
            let parents = entry.tx.input.iter();
            let parents = parents.map(|input| input.previous_output.txid);
            Candidate {
                tx: Arc::clone(&entry.tx),
                txid: entry.txid,
                fee: entry.fee,
                weight: entry.weight,
                sigop_cost: entry.sigop_cost,
                depends: parents.filter(|txid| known.contains(txid)).collect(),
            }
        })
        .collect()
}
