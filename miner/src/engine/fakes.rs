//! Made-up work sources and devices for the engine's tests.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, CompactTarget, Script, ScriptBuf};
use tokio::sync::watch;

use super::lock::lock;
use super::{DeviceFactory, DeviceKind, MinerSettings, PlannedDevice, UnixClock};
use crate::test_chain::TestChain;
use crate::{
    Cancel, CpuDevice, DeviceError, Finder, Job, KernelChoice, MiningDevice, SearchOutcome,
    Solution, Template, TemplateOptions, TemplateTip, WorkError, WorkSource, build_template,
};

pub(super) const NOW: u64 = 1_700_000_000;

/// Waits for a condition; the deadline is far beyond what a loaded machine needs.
#[track_caller]
pub(super) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn clock() -> UnixClock {
    Arc::new(|| NOW)
}

pub(super) fn settings(threads: usize) -> MinerSettings {
    MinerSettings {
        threads,
        ..MinerSettings::default()
    }
}

fn template_after(headers: &[Header]) -> Arc<Template> {
    let chain = TestChain(headers.to_vec());
    let tip = TemplateTip {
        parent: &chain,
        hash: chain.tip_hash(),
    };
    let payout = ScriptBuf::from_bytes(vec![0x51]);
    Arc::new(build_template(
        &ChainSpec::regtest(),
        &tip,
        &[],
        &payout,
        NOW,
    ))
}

/// A template of regtest's difficulty on a made-up tip.
pub(super) fn template_on(tip: u8) -> Arc<Template> {
    let mut template = (*template_after(&[ChainSpec::regtest().genesis_block().header])).clone();
    template.previous = BlockHash::from_byte_array([tip; 32]);
    Arc::new(template)
}

/// A template that nobody solves in a test's time.
pub(super) fn hard_template_on(tip: u8) -> Arc<Template> {
    let mut template = (*template_on(tip)).clone();
    template.bits = CompactTarget::from_consensus(0x0300_0001);
    Arc::new(template)
}

/// A source whose templates the test publishes, and that notes what is submitted.
pub(super) struct ManualSource {
    templates: Mutex<Option<watch::Sender<Option<Arc<Template>>>>>,
    pub(super) submitted: Mutex<Vec<Arc<Block>>>,
    /// The energy of each block that was recorded.
    pub(super) energies: Mutex<Vec<Option<u64>>>,
    verdict: fn() -> Result<(), WorkError>,
}

impl ManualSource {
    pub(super) fn new(
        first: Option<Arc<Template>>,
        verdict: fn() -> Result<(), WorkError>,
    ) -> Arc<Self> {
        let (sender, _) = watch::channel(first);
        Arc::new(Self {
            templates: Mutex::new(Some(sender)),
            submitted: Mutex::default(),
            energies: Mutex::default(),
            verdict,
        })
    }

    pub(super) fn publish(&self, template: Option<Arc<Template>>) {
        lock(&self.templates)
            .as_ref()
            .unwrap()
            .send_replace(template);
    }

    pub(super) fn close(&self) {
        lock(&self.templates).take();
    }
}

impl WorkSource for ManualSource {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        lock(&self.templates).as_ref().unwrap().subscribe()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        Err(WorkError::Stopped)
    }

    fn build(&self, _: &Script) -> Result<Arc<Template>, WorkError> {
        Err(WorkError::Stopped)
    }

    fn options(&self) -> TemplateOptions {
        TemplateOptions::default()
    }

    fn set_payout(&self, _: ScriptBuf) {}

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        lock(&self.submitted).push(block);
        (self.verdict)()
    }

    fn record(&self, _: &Block, finder: Finder<'_>) {
        lock(&self.energies).push(finder.energy_mj);
    }
}

/// A regtest chain that takes blocks until it is as high as the test needs it.
pub(super) struct FakeChain {
    pub(super) blocks: Mutex<Vec<Block>>,
    templates: watch::Sender<Option<Arc<Template>>>,
    end: Mutex<usize>,
}

impl FakeChain {
    pub(super) fn new(end: usize) -> Arc<Self> {
        let blocks = vec![ChainSpec::regtest().genesis_block()];
        let (templates, _) = watch::channel(None);
        let chain = Self {
            blocks: Mutex::new(blocks),
            templates,
            end: Mutex::new(end),
        };
        chain.publish();
        Arc::new(chain)
    }

    fn publish(&self) {
        // Held until the template is out, so that the newest state is published last.
        let end = lock(&self.end);
        let headers: Vec<Header> = lock(&self.blocks)
            .iter()
            .map(|block| block.header)
            .collect();
        let is_over = headers.len() > *end;
        self.templates
            .send_replace((!is_over).then(|| template_after(&headers)));
    }

    pub(super) fn height(&self) -> usize {
        lock(&self.blocks).len() - 1
    }

    pub(super) fn grow_to(&self, end: usize) {
        *lock(&self.end) = end;
        self.publish();
    }
}

impl WorkSource for FakeChain {
    fn templates(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates.subscribe()
    }

    fn published(&self) -> watch::Receiver<Option<Arc<Template>>> {
        self.templates()
    }

    fn current(&self) -> Result<Arc<Template>, WorkError> {
        Err(WorkError::Stopped)
    }

    fn build(&self, _: &Script) -> Result<Arc<Template>, WorkError> {
        Err(WorkError::Stopped)
    }

    fn options(&self) -> TemplateOptions {
        TemplateOptions::default()
    }

    fn set_payout(&self, _: ScriptBuf) {}

    fn submit(&self, block: Arc<Block>) -> Result<(), WorkError> {
        let mut blocks = lock(&self.blocks);
        if block.header.prev_blockhash != blocks.last().unwrap().block_hash() {
            return Err(WorkError::Stale);
        }
        let is_valid =
            block.header.validate_pow(block.header.target()).is_ok() && block.check_merkle_root();
        if !is_valid {
            return Err(WorkError::Rejected {
                reason: "high-hash".to_owned(),
            });
        }
        blocks.push((*block).clone());
        drop(blocks);
        self.publish();
        Ok(())
    }
}

/// As many devices as there are threads, each made of its index. They are cards: threads of the processor would run when nobody
/// else wants to, which on a busy machine is too seldom for a test.
pub(super) fn devices(
    make: impl Fn(usize) -> Box<dyn MiningDevice> + Send + Sync + 'static,
) -> DeviceFactory {
    Arc::new(move |settings| {
        let plan = |index| {
            let device = make(index);
            PlannedDevice {
                name: device.name().to_owned(),
                kind: DeviceKind::Card,
                open: Box::new(|| Ok(device)),
            }
        };
        (0..settings.threads).map(plan).collect()
    })
}

/// A device made of a function.
pub(super) struct FakeDevice<F>(pub(super) F);

impl<F: FnMut(&Job, &Cancel) -> SearchOutcome + Send> MiningDevice for FakeDevice<F> {
    fn name(&self) -> &str {
        "fake"
    }

    fn kernel(&self) -> &str {
        "none"
    }

    fn search(
        &mut self,
        job: &Job,
        _: RangeInclusive<u32>,
        cancel: &Cancel,
    ) -> Result<SearchOutcome, DeviceError> {
        Ok((self.0)(job, cancel))
    }
}

pub(super) fn wait_for_cancel(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        std::thread::yield_now();
    }
}

pub(super) fn solution(job: &Job) -> Option<Solution> {
    CpuDevice::new(0, &KernelChoice::Fastest)
        .search(job, 0..=u32::MAX, &Cancel::never())
        .unwrap()
        .found
}

/// Devices that find a solution, and report it when the work changes: as late as can be.
pub(super) fn late_devices(searches: &Arc<AtomicUsize>) -> DeviceFactory {
    let searches = Arc::clone(searches);
    devices(move |_| {
        let searches = Arc::clone(&searches);
        Box::new(FakeDevice(move |job: &Job, cancel: &Cancel| {
            let found = solution(job);
            searches.fetch_add(1, Ordering::SeqCst);
            wait_for_cancel(cancel);
            SearchOutcome { found, hashes: 1 }
        }))
    })
}

pub(super) fn accept() -> Result<(), WorkError> {
    Ok(())
}
