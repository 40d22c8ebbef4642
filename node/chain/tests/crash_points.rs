//! The chain is cut off at every single write of a history with reorganisations, in three ways: killed,
//! without power, and with a write that fails. It opens again, has what was acknowledged, and comes to
//! the same end.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pyrite_chain::{BlockStatus, Chain, ChainError, SubmitError};
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash, OutPoint};
use pyrite_consensus::{ChainSpec, Coin};
use pyrite_storage::{FaultPoints, StorageError, Write};
use support::{
    FEE, Parent, after, block_with, branch, coinbase_outpoint, config, copy_directory, dump, end,
    files, output, spend,
};

/// What is asked of the chain.
#[derive(Clone)]
enum Step {
    Block(Box<Block>),
    Flush,
    Invalidate(BlockHash),
    Reconsider(BlockHash),
    Precious(BlockHash),
}

fn spec() -> Arc<ChainSpec> {
    let mut spec = ChainSpec::regtest();
    spec.coinbase_maturity = 1;
    Arc::new(spec)
}

/// Blocks that each spend a coin of `base` and what the block before made of another one.
fn paying_branch(spec: &ChainSpec, base: &[Block], length: usize, tag: u32) -> Vec<Block> {
    let mut parent = end(&Parent::genesis(spec), base);
    let mut blocks = Vec::new();
    let value = base[0].txdata[0].output[0].value;
    let mut coin = (coinbase_outpoint(&base[0]), value);
    for taken in &base[1..=length] {
        let fresh = spend(&[coinbase_outpoint(taken)], vec![output(value - FEE)]);
        let chained = spend(&[coin.0], vec![output(coin.1 - FEE)]);
        coin = (OutPoint::new(chained.compute_txid(), 0), coin.1 - FEE);
        let block = block_with(spec, &parent, tag, vec![fresh, chained], FEE * 2);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    blocks
}

/// Growth, a reorganisation to a longer branch, one by hand and back, and a precious block, with flushes
/// in places that matter.
fn history(spec: &ChainSpec) -> Vec<Step> {
    let base = branch(spec, &Parent::genesis(spec), 8, 0);
    let first = paying_branch(spec, &base, 3, 1);
    let second = paying_branch(spec, &base, 5, 2);
    let last = end(&end(&Parent::genesis(spec), &base), &second);
    let rivals = [3, 4].map(|tag| block_with(spec, &last, tag, Vec::new(), Amount::ZERO));
    let blocks = |blocks: &[Block]| {
        let steps = blocks.iter().cloned().map(Box::new).map(Step::Block);
        steps.collect::<Vec<_>>()
    };
    [
        blocks(&base[..5]),
        vec![Step::Flush],
        blocks(&base[5..]),
        blocks(&first[..2]),
        vec![Step::Flush],
        blocks(&first[2..]),
        blocks(&second),
        vec![
            Step::Invalidate(second[1].block_hash()),
            Step::Flush,
            Step::Reconsider(second[1].block_hash()),
        ],
        blocks(&rivals),
        vec![Step::Precious(rivals[1].block_hash())],
    ]
    .concat()
}

/// Carries out the steps, and counts those that were acknowledged.
fn carry_out(chain: &Chain, steps: &[Step], acknowledged: &AtomicUsize) -> Result<(), SubmitError> {
    let handle = &chain.handle;
    for step in steps {
        match step {
            Step::Block(block) => {
                handle.submit_block(Arc::new((**block).clone()))?;
            }
            Step::Flush => handle.flush()?,
            Step::Invalidate(hash) => handle.invalidate_block(*hash)?,
            Step::Reconsider(hash) => handle.reconsider_block(*hash)?,
            Step::Precious(hash) => handle.precious_block(*hash)?,
        }
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// What the history comes to.
#[derive(Debug, PartialEq, Eq)]
struct End {
    tip: BlockHash,
    coins: BTreeMap<OutPoint, Coin>,
}

fn end_of(spec: &Arc<ChainSpec>, chain: Chain, path: &Path) -> End {
    let tip = chain.reader.tip().hash;
    chain.shutdown().expect("shuts down");
    let coins = dump(spec, path);
    End { tip, coins }
}

/// Opens what a crash left, and goes on with the step that was not acknowledged.
fn assert_goes_on(spec: &Arc<ChainSpec>, path: &Path, acknowledged: usize, expected: &End) {
    let steps = history(spec);
    let chain = Chain::open(config(spec, path)).expect("opens");
    let (done, rest) = steps.split_at(acknowledged);
    for step in done {
        if let Step::Block(block) = step {
            let hash = block.block_hash();
            let stored = chain.reader.block(&hash).expect("reads");
            assert_eq!(stored.as_ref(), Some(&**block), "{hash} is gone");
        }
    }
    if let Some(Step::Invalidate(hash)) = done.last() {
        let status = chain.reader.header(hash).map(|info| info.status);
        assert_eq!(status, Some(BlockStatus::Invalid));
    }
    carry_out(&chain, rest, &AtomicUsize::new(0)).expect("goes on");
    assert_eq!(&end_of(spec, chain, path), expected);
}

/// The files before one of the writes.
struct Image {
    path: PathBuf,
    acknowledged: usize,
    /// Bytes of each log that were synced, by its name; a log that is not here has none.
    synced: HashMap<PathBuf, u64>,
}

/// Copies the files before each write.
struct Recorder {
    database: PathBuf,
    images: Vec<Image>,
    directory: PathBuf,
    last: Option<Write>,
    synced: HashMap<PathBuf, u64>,
}

impl Recorder {
    fn record(&mut self, write: Write, acknowledged: usize) {
        if self.last.replace(write) == Some(Write::Sync) {
            self.synced = log_bytes(&self.database);
        }
        let path = self.directory.join(self.images.len().to_string());
        copy_directory(&self.database, &path);
        self.images.push(Image {
            path,
            acknowledged,
            synced: self.synced.clone(),
        });
    }
}

/// The sizes of the logs, by their names.
fn log_bytes(directory: &Path) -> HashMap<PathBuf, u64> {
    let logs = files(directory, "log").into_iter().map(|path| {
        let bytes = fs::metadata(&path).expect("is there").len();
        (
            path.file_name().map(PathBuf::from).expect("has a name"),
            bytes,
        )
    });
    logs.collect()
}

impl Image {
    /// A copy of it in which what was not synced is cut off, as the end of the power does.
    fn without_power(&self, path: PathBuf) -> Self {
        copy_directory(&self.path, &path);
        for log in files(&path, "log") {
            let name = log.file_name().map(PathBuf::from).expect("has a name");
            let synced = self.synced.get(&name).copied().unwrap_or(0);
            let file = fs::File::options().write(true).open(&log).expect("opens");
            let bytes = file.metadata().expect("is there").len();
            file.set_len(bytes.min(synced)).expect("is cut");
        }
        Self {
            path,
            acknowledged: self.acknowledged,
            synced: self.synced.clone(),
        }
    }
}

/// The history with nothing wrong, with an image of the files before each write, and its end.
fn record_images(spec: &Arc<ChainSpec>, directory: &Path) -> (Vec<Image>, End) {
    let database = directory.join("db");
    let recorder = Arc::new(Mutex::new(Recorder {
        database: database.clone(),
        images: Vec::new(),
        directory: directory.join("images"),
        last: None,
        synced: HashMap::new(),
    }));
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let faults = {
        let (recorder, acknowledged) = (Arc::clone(&recorder), Arc::clone(&acknowledged));
        FaultPoints::new(move |write| {
            let acknowledged = acknowledged.load(Ordering::SeqCst);
            let mut recorder = recorder.lock().expect("is not poisoned");
            recorder.record(write, acknowledged);
            Ok(())
        })
    };
    let chain = Chain::open_with_faults(config(spec, &database), faults).expect("opens");
    carry_out(&chain, &history(spec), &acknowledged).expect("nothing is wrong");
    let end = end_of(spec, chain, &database);
    let mut recorder = recorder.lock().expect("is not poisoned");
    (std::mem::take(&mut recorder.images), end)
}

#[test]
fn a_kill_or_the_end_of_the_power_before_any_write_loses_nothing() {
    let spec = spec();
    let directory = tempfile::tempdir().expect("makes a directory");
    let (images, expected) = record_images(&spec, directory.path());
    assert!(images.len() > 60, "{} writes", images.len());
    for image in images {
        let cut = image.without_power(directory.path().join("cut"));
        for image in [image, cut] {
            assert_goes_on(&spec, &image.path, image.acknowledged, &expected);
            fs::remove_dir_all(&image.path).expect("removes");
        }
    }
}

#[test]
fn any_write_that_fails_stops_the_chain_and_loses_nothing() {
    let spec = spec();
    let directory = tempfile::tempdir().expect("makes a directory");
    let (images, expected) = record_images(&spec, directory.path());
    let failure = StorageError::Full {
        detail: "a test".to_owned(),
    };
    for end in 0..images.len() {
        let path = directory.path().join(format!("failed-{end}"));
        let writes = AtomicUsize::new(0);
        let error = failure.clone();
        let faults = FaultPoints::new(move |_| {
            if writes.fetch_add(1, Ordering::SeqCst) < end {
                Ok(())
            } else {
                Err(error.clone())
            }
        });
        let acknowledged = AtomicUsize::new(0);
        let told = match Chain::open_with_faults(config(&spec, &path), faults) {
            Err(error) => Some(error),
            Ok(chain) => match carry_out(&chain, &history(&spec), &acknowledged) {
                Err(SubmitError::Machine(error)) => Some(error),
                Err(other) => panic!("write {end}: {other}"),
                Ok(()) => chain.shutdown().err(),
            },
        };
        assert_eq!(
            told,
            Some(ChainError::Storage(failure.clone())),
            "write {end}"
        );
        assert_goes_on(&spec, &path, acknowledged.into_inner(), &expected);
        fs::remove_dir_all(&path).expect("removes");
    }
}
