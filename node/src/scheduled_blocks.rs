//! Makes blocks by the clock (`--block-every`): on test networks that need blocks at known times more than they need miners.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyrite_chain::Clock;
use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_miner::{BlockSchedule, Finder, WorkError, WorkSource, solve};
use tokio::time::Instant;

use crate::node::{StopHandle, blocking};

/// How the accounts of mining call what found these blocks.
const FINDER: &str = "schedule";

/// Hashes between two looks at whether the tip has moved: some tens of milliseconds.
const HASHES_PER_LOOK: u64 = 1 << 18;

/// What blocks are made with.
pub(crate) struct ScheduledBlocks {
    pub(crate) schedule: BlockSchedule,
    pub(crate) work: Arc<dyn WorkSource>,
    pub(crate) payout: ScriptBuf,
    pub(crate) clock: Clock,
}

/// Ends the solving of a block, which goes on by itself, with the task that wants it: also with one that is aborted.
#[derive(Default)]
struct CancelAtEnd(Arc<AtomicBool>);

impl Drop for CancelAtEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl ScheduledBlocks {
    /// Makes blocks until the node is asked to stop.
    pub(crate) async fn run(self, stop: StopHandle) {
        let cancel = CancelAtEnd::default();
        let blocks = self.make_blocks(Arc::clone(&cancel.0));
        tokio::select! {
            () = stop.stopped() => {}
            () = blocks => {}
        }
    }

    async fn make_blocks(self, cancel: Arc<AtomicBool>) {
        let blocks = Arc::new(self);
        let every = blocks.schedule.every;
        let start = Instant::now();
        let mut due = Duration::ZERO;
        let mut was_late = false;
        loop {
            // Above 0 and up to 1.
            let uniform = 1.0 - rand::random::<f64>();
            due = blocks.schedule.next(due, start.elapsed(), uniform);
            tokio::time::sleep_until(start + due).await;
            let (making, told) = (Arc::clone(&blocks), Arc::clone(&cancel));
            let began = Instant::now();
            let made = blocking(move || making.make_block(&told)).await;
            match made {
                Ok(()) => {}
                Err(WorkError::Stopped) => return,
                Err(error) => tracing::warn!(%error, "a scheduled block was not made"),
            }
            let is_late = began.elapsed() > every;
            if is_late && !was_late {
                tracing::warn!(
                    took = ?began.elapsed(),
                    "scheduled blocks come late: at this difficulty a block takes longer than the time between them"
                );
            }
            was_late = is_late;
        }
    }

    /// Makes one block on the tip, whichever that is while it is solved.
    fn make_block(&self, cancel: &AtomicBool) -> Result<(), WorkError> {
        loop {
            let template = self.work.build(&self.payout)?;
            let published = self.work.published();
            let is_on_tip = || {
                let published = published.borrow();
                published
                    .as_ref()
                    .is_none_or(|newest| newest.previous == template.previous)
            };
            loop {
                if cancel.load(Ordering::Relaxed) {
                    return Err(WorkError::Stopped);
                }
                let time = template.time_at(self.clock.now());
                let block = template.block(rand::random::<[u8; 8]>(), time, 0);
                if let Some(block) = solve(block, HASHES_PER_LOOK, cancel) {
                    let hash = block.block_hash();
                    match self
                        .work
                        .submit_found(Arc::new(block), Finder::named(FINDER))
                    {
                        Ok(()) => {
                            tracing::info!(height = %template.height, %hash, "made a scheduled block");
                            return Ok(());
                        }
                        // Another block came first: this one's turn is on top of it.
                        Err(WorkError::Stale) => break,
                        Err(error) => return Err(error),
                    }
                }
                // The bits of a template may become easier with the time.
                if !is_on_tip() || template.is_outdated(self.clock.now()) {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use pyrite_consensus::bitcoin::block::Header;
    use pyrite_consensus::bitcoin::{Block, CompactTarget, Script};
    use pyrite_consensus::{ChainSpec, HeaderChain, Height};
    use pyrite_miner::{BlockTiming, Template, TemplateOptions, TemplateTip, build_template};
    use tokio::sync::watch;

    use super::*;

    /// A chain of one block.
    struct Genesis(Header);

    impl HeaderChain for Genesis {
        fn tip_height(&self) -> Height {
            Height::GENESIS
        }
        fn header(&self, _: Height) -> Header {
            self.0
        }
    }

    /// A source of templates that nobody solves, which tells when one was asked for.
    struct Hard {
        asked: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
        templates: watch::Sender<Option<Arc<Template>>>,
    }

    impl WorkSource for Hard {
        fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
            self.templates.subscribe()
        }
        fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
            self.templates.subscribe()
        }
        fn current(&self) -> Result<Arc<Template>, WorkError> {
            Err(WorkError::Stopped)
        }
        fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError> {
            let spec = ChainSpec::regtest();
            let genesis = Genesis(spec.genesis_block().header);
            let tip = TemplateTip {
                parent: &genesis,
                hash: genesis.0.block_hash(),
            };
            let now = u64::from(spec.genesis.time) + 60;
            let mut template = build_template(&spec, &tip, &[], payout, now);
            template.bits = CompactTarget::from_consensus(0x0300_0001);
            if let Some(asked) = self.asked.lock().unwrap().take() {
                asked.send(()).unwrap();
            }
            Ok(Arc::new(template))
        }
        fn set_payout(&self, _: ScriptBuf) {}
        fn options(&self) -> TemplateOptions {
            TemplateOptions::default()
        }
        fn submit(&self, _: Arc<Block>) -> Result<(), WorkError> {
            Err(WorkError::Stopped)
        }
    }

    /// Whoever aborts the task ends the solving too, which no abort reaches.
    #[tokio::test]
    async fn an_aborted_schedule_solves_no_longer() {
        let (asked, is_asked) = tokio::sync::oneshot::channel();
        let work = Arc::new(Hard {
            asked: Mutex::new(Some(asked)),
            templates: watch::Sender::new(None),
        });
        let blocks = ScheduledBlocks {
            schedule: BlockSchedule {
                every: Duration::from_millis(200),
                timing: BlockTiming::Exact,
            },
            work: Arc::clone(&work) as _,
            payout: ScriptBuf::new(),
            clock: Clock::system(),
        };
        let task = tokio::spawn(blocks.run(StopHandle::new()));
        is_asked.await.unwrap();
        task.abort();
        let deadline = Instant::now() + Duration::from_secs(60);
        while Arc::strong_count(&work) > 1 {
            assert!(Instant::now() < deadline, "it goes on and on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
