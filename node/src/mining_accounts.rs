//! Keeps the accounts of mining: writes blocks that are found here into the ledger before they are submitted, and how long
//! the miner worked while it does.

use std::sync::Arc;
use std::time::Duration;

use pyrite_chain::{ChainReader, Clock};
use pyrite_consensus::bitcoin::{Block, Script, ScriptBuf};
use pyrite_miner::{
    Finder, FoundBlock, Ledger, LedgerEntry, MinerHandle, MinerReading, SpanMeter, Template,
    TemplateOptions, WorkError, WorkSource,
};
use tokio::sync::watch;

use crate::node::{StopHandle, blocking};

/// How often the miner is asked whether it works.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The node's source of work, for those who find blocks: what they find is written down.
pub(crate) struct AccountedWork {
    work: Arc<dyn WorkSource>,
    reader: ChainReader,
    clock: Clock,
    ledger: Arc<Ledger>,
}

impl AccountedWork {
    pub(crate) fn new(
        work: Arc<dyn WorkSource>,
        reader: ChainReader,
        clock: Clock,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            work,
            reader,
            clock,
            ledger,
        }
    }
}

impl WorkSource for AccountedWork {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.work.templates()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.work.published()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        self.work.current()
    }

    fn build(&self, payout: &Script) -> Result<Arc<Template>, WorkError> {
        self.work.build(payout)
    }

    fn set_payout(&self, payout: ScriptBuf) {
        self.work.set_payout(payout);
    }

    fn options(&self) -> TemplateOptions {
        self.work.options()
    }

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        self.work.submit(block)
    }

    fn record(&self, block: &Block, finder: Finder<'_>) {
        // Without a parent it will not be taken.
        let Some(parent) = self.reader.header(&block.header.prev_blockhash) else {
            return;
        };
        let spec = self.reader.spec();
        let height = parent.height.next();
        let found = FoundBlock::new(spec, height, block, finder, self.clock.now());
        add(&self.ledger, &LedgerEntry::Block(found));
    }
}

/// Writes down how long the miner worked, until the node is asked to stop.
pub(crate) async fn run(ledger: Arc<Ledger>, miner: MinerHandle, clock: Clock, stop: StopHandle) {
    let mut meter = SpanMeter::default();
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        let is_over = tokio::select! {
            _ = look.tick() => false,
            () = stop.stopped() => true,
        };
        let reading = read(&miner, clock.now());
        let span = if is_over {
            meter.finish(reading)
        } else {
            meter.observe(reading)
        };
        if let Some(span) = span {
            let ledger = Arc::clone(&ledger);
            blocking(move || add(&ledger, &LedgerEntry::Span(span))).await;
        }
        if is_over {
            return;
        }
    }
}

fn read(miner: &MinerHandle, now: u64) -> MinerReading {
    let status = miner.status();
    MinerReading {
        now,
        run: status.started_at,
        hashes: status.hashes_total,
        // Energy is above zero, and the cast holds the number within bounds.
        energy_mj: status
            .energy_joules
            .map(|joules| (joules * 1_000.0).round() as u64),
    }
}

/// Mining goes on without accounts where they can't be written.
fn add(ledger: &Ledger, entry: &LedgerEntry) {
    if let Err(error) = ledger.add(entry) {
        tracing::error!(%error, ?entry, "the accounts of mining can't be written");
    }
}
