//! Keeps the accounts of mining: writes blocks that are found here into the ledger before they are submitted, and how long
//! the miner worked while it does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyrite_chain::{ChainReader, Clock};
use pyrite_consensus::bitcoin::{Block, Script, ScriptBuf};
use pyrite_miner::{
    Finder, FoundBlock, Ledger, LedgerEntry, MinerHandle, MinerReading, MiningSpan, SpanMeter,
    Template, TemplateOptions, WorkError, WorkSource,
};
use tokio::sync::watch;

use crate::node::blocking;

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

    fn payout(&self) -> Option<ScriptBuf> {
        self.work.payout()
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

/// Writes down how long the miner works.
pub(crate) struct WorkingTime {
    ledger: Arc<Ledger>,
    miner: MinerHandle,
    clock: Clock,
    meter: Mutex<SpanMeter>,
}

impl WorkingTime {
    pub(crate) fn new(ledger: Arc<Ledger>, miner: MinerHandle, clock: Clock) -> Self {
        Self {
            ledger,
            miner,
            clock,
            meter: Mutex::default(),
        }
    }

    /// Watches the miner until the task is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let time = Arc::clone(&self);
            blocking(move || time.note(SpanMeter::observe)).await;
        }
    }

    /// Writes down the last of it, when the miner has stopped for good. Blocking.
    pub(crate) fn finish(&self) {
        self.note(SpanMeter::finish);
    }

    fn note(&self, take: fn(&mut SpanMeter, MinerReading) -> Option<MiningSpan>) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(span) = take(&mut meter, self.read()) {
            add(&self.ledger, &LedgerEntry::Span(span));
        }
    }

    fn read(&self) -> MinerReading {
        let status = self.miner.status();
        MinerReading {
            now: self.clock.now(),
            run: status.started_at,
            hashes: status.hashes_total,
            // Sums of sensors are not negative, and far below 2^64.
            energy_mj: status
                .energy_joules
                .map(|joules| (joules * 1_000.0).round() as u64),
        }
    }
}

/// Mining goes on without accounts where they can't be written.
fn add(ledger: &Ledger, entry: &LedgerEntry) {
    if let Err(error) = ledger.add(entry) {
        tracing::error!(%error, ?entry, "the accounts of mining can't be written");
    }
}
