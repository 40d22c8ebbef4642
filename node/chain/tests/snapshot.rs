//! Files of all coins: written at the tip and at an earlier block, loaded into another node, and validated in the
//! background, through kills and wrong files.

mod support;

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyrite_chain::{
    BlockStatus, Chain, ChainError, ChainHandle, ChainReader, FormatError, LoadChecks,
    SnapshotDump, SnapshotError, SnapshotHead, SnapshotLoad, SubmitError, Submitted, rebuild_coins,
};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash};
use pyrite_consensus::coin_stats::{CoinSetHash, CoinStatsBuilder, HashKind};
use pyrite_consensus::spec::AssumeUtxo;
use pyrite_consensus::{ChainSpec, Height};
use pyrite_storage::{FaultPoints, StorageError};
use support::*;

/// Blocks of the chain, and the block whose coins are loaded.
const LENGTH: usize = 14;
const BASE: usize = 9;

/// Regtest, where coins can be spent soon.
fn base_spec() -> ChainSpec {
    let mut spec = ChainSpec::regtest();
    spec.name = "quick".to_owned();
    spec.coinbase_maturity = 2;
    spec.assume_utxo.clear();
    spec
}

/// Blocks in which coins are made, spent, and spent again.
fn make_blocks(spec: &ChainSpec) -> Vec<Block> {
    let mut parent = Parent::genesis(spec);
    let mut blocks: Vec<Block> = Vec::new();
    for height in 1..=LENGTH {
        let transactions = if height > 3 {
            let spent = coinbase_outpoint(&blocks[height - 4]);
            let value = spec.subsidy(Height(u32::try_from(height - 3).expect("is small")));
            let half = (value - FEE) / 2;
            let first = spend(&[spent], vec![output(half), output(half)]);
            let inner = pyrite_consensus::bitcoin::OutPoint {
                txid: first.compute_txid(),
                vout: 1,
            };
            let second = spend(&[inner], vec![output(half - FEE)]);
            vec![first, second]
        } else {
            Vec::new()
        };
        let block = block_with(spec, &parent, 0, transactions, Amount::ZERO);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    blocks
}

/// A node that has all blocks, and a file of the coins at the base.
struct Source {
    fixture: Fixture,
    blocks: Vec<Block>,
    file: Vec<u8>,
    dump: SnapshotDump,
}

impl Source {
    fn new() -> Self {
        let fixture = Fixture::of(base_spec());
        let blocks = make_blocks(&fixture.spec);
        fixture.extend(&blocks[..BASE]);
        let (file, dump) = dump_of(&fixture.chain().handle, None);
        fixture.extend(&blocks[BASE..]);
        Self {
            fixture,
            blocks,
            file,
            dump,
        }
    }

    /// A spec that knows the file, as a person would write it.
    fn spec(&self) -> ChainSpec {
        let mut spec = base_spec();
        spec.assume_utxo = vec![AssumeUtxo {
            height: self.dump.height,
            block_hash: self.dump.base,
            coins_hash: self.dump.coins_hash,
            chain_tx_count: self.dump.chain_tx_count,
        }];
        ChainSpec::from_toml(&spec.to_toml()).expect("is valid")
    }

    /// A node that has the headers.
    fn target(&self) -> Fixture {
        let target = Fixture::of(self.spec());
        submit_headers(target.chain(), &self.blocks);
        target
    }

    fn base(&self) -> BlockHash {
        self.blocks[BASE - 1].block_hash()
    }

    fn tip(&self) -> BlockHash {
        self.blocks[LENGTH - 1].block_hash()
    }
}

fn submit_headers(chain: &Chain, blocks: &[Block]) {
    let headers = blocks.iter().map(|block| block.header).collect();
    chain.handle.submit_headers(headers).expect("are valid");
}

fn dump_of(handle: &ChainHandle, block: Option<BlockHash>) -> (Vec<u8>, SnapshotDump) {
    let mut file = Cursor::new(Vec::new());
    let dump = handle
        .dump_snapshot(block, &mut file, &|| false)
        .expect("is written");
    (file.into_inner(), dump)
}

fn load(chain: &Chain, file: &[u8]) -> Result<SnapshotLoad, SnapshotError> {
    let checks = LoadChecks {
        is_mempool_empty: &|| true,
        is_interrupted: &|| false,
    };
    chain.handle.load_snapshot(&mut &file[..], checks)
}

/// The coins' hash at the tip.
fn coins_hash(handle: &ChainHandle) -> CoinSetHash {
    let mut stats = CoinStatsBuilder::new(HashKind::Serialized);
    handle
        .scan_coins(|outpoint, coin| {
            stats.add(outpoint, coin);
            ControlFlow::Continue(())
        })
        .expect("reads");
    stats.finish().hash.expect("was asked for")
}

/// Waits until a condition holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

fn wait_for_validation(reader: &ChainReader) {
    wait_for("the background validation ends", || {
        assert_eq!(reader.watch_failure().borrow().clone(), None);
        reader.background_validation().is_none()
    });
}

#[test]
fn the_coins_of_an_earlier_block_are_those_that_the_tip_had_there() {
    let source = Source::new();
    let handle = &source.fixture.chain().handle;
    let before = coins_hash(handle);
    let (file, dump) = dump_of(handle, Some(source.base()));
    assert_eq!(dump, source.dump);
    assert_eq!(file, source.file);
    // Again, and down to the genesis block, and the chain is as it was.
    assert_eq!(dump_of(handle, Some(source.base())).0, source.file);
    let (file, dump) = dump_of(handle, Some(source.fixture.spec.genesis_hash()));
    assert_eq!((dump.coins, dump.chain_tx_count, file.len()), (0, 1, 51));
    assert_eq!(coins_hash(handle), before);
    assert_eq!(source.fixture.tip_hash(), source.tip());
}

#[test]
fn a_dump_says_what_it_wrote() {
    let source = Source::new();
    let head = SnapshotHead::read(&mut &source.file[..]).unwrap();
    assert_eq!(head.magic, [0xfa, 0xbf, 0xb5, 0xda]);
    assert_eq!(head.base, source.base());
    assert_eq!(head.coins, source.dump.coins);
    assert_eq!(source.dump.height, Height(u32::try_from(BASE).unwrap()));
    let transactions: usize = source.blocks[..BASE].iter().map(|b| b.txdata.len()).sum();
    assert_eq!(source.dump.chain_tx_count, transactions as u64 + 1);

    let handle = &source.fixture.chain().handle;
    let unknown = BlockHash::all_zeros();
    let mut file = Cursor::new(Vec::new());
    assert_eq!(
        handle.dump_snapshot(Some(unknown), &mut file, &|| false),
        Err(SnapshotError::UnknownBlock(unknown))
    );
    assert_eq!(
        handle.dump_snapshot(Some(source.base()), &mut file, &|| true),
        Err(SnapshotError::Interrupted)
    );
    let other = block_on(&source.fixture.spec, &source.fixture.genesis(), 7);
    assert_eq!(source.fixture.submit(&other), Submitted::SideChain);
    let other = other.block_hash();
    assert_eq!(
        handle.dump_snapshot(Some(other), &mut file, &|| false),
        Err(SnapshotError::NotInBestChain(other))
    );
}

#[test]
fn a_loaded_chain_goes_on_at_once_and_is_validated_afterwards() {
    let source = Source::new();
    let target = source.target();
    let (chain, reader) = (target.chain(), target.reader());
    let loaded = load(chain, &source.file).unwrap();
    assert_eq!(loaded.coins, source.dump.coins);
    assert_eq!(
        (loaded.base, loaded.height),
        (source.base(), source.dump.height)
    );
    assert_eq!(target.tip_hash(), source.base());
    assert_eq!(coins_hash(&chain.handle), source.dump.coins_hash);
    let info = reader.header(&source.base()).unwrap();
    assert_eq!(info.status, BlockStatus::HeaderOnly);
    assert_eq!(info.tx_count, None);
    assert_eq!(info.chain_tx_count, Some(source.dump.chain_tx_count));
    assert_eq!(load(chain, &source.file), Err(SnapshotError::AlreadyActive));

    // The foreground first.
    target.extend(&source.blocks[BASE..]);
    assert_eq!(
        coins_hash(&chain.handle),
        coins_hash(&source.fixture.chain().handle)
    );
    let missing = reader.missing_background_blocks(100);
    let expected: Vec<_> = source.blocks[..BASE]
        .iter()
        .map(Block::block_hash)
        .collect();
    let hashes: Vec<_> = missing.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(hashes, expected);
    assert_eq!(reader.missing_blocks(100), []);

    // Bodies in any order.
    for block in source.blocks[..BASE].iter().rev() {
        assert!(reader.background_validation().is_some());
        assert_eq!(target.submit(block), Submitted::SideChain);
    }
    wait_for_validation(reader);
    assert_eq!(target.tip_hash(), source.tip());
    let info = reader.header(&source.base()).unwrap();
    assert_eq!(info.status, BlockStatus::Valid);
    assert_eq!(info.chain_tx_count, Some(source.dump.chain_tx_count));
    // It can go below the base now, and a replay gives the same.
    let mut target = target;
    let first = source.blocks[1].block_hash();
    target.chain().handle.invalidate_block(first).unwrap();
    assert_eq!(target.tip_hash(), source.blocks[0].block_hash());
    target.chain().handle.reconsider_block(first).unwrap();
    assert_eq!(target.tip_hash(), source.tip());
    target.close();
    target.open();
    assert_eq!(target.reader().background_validation(), None);
    assert_eq!(
        coins_hash(&target.chain().handle),
        coins_hash(&source.fixture.chain().handle)
    );
}

/// A change at a place of a file.
fn changed(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn wrong_files_are_refused_and_nothing_changes() {
    let source = Source::new();
    let target = source.target();
    let chain = target.chain();
    let genesis = target.spec.genesis_hash();
    let file = &source.file;
    let count = source.dump.coins;
    let refused = |file: &[u8]| {
        let error = load(chain, file).expect_err("is refused");
        assert_eq!(target.tip_hash(), genesis);
        assert_eq!(target.reader().background_validation(), None);
        error
    };
    let head = |error| SnapshotError::Head(error);
    assert_eq!(refused(&file[..50]), head(FormatError::Truncated));
    assert_eq!(refused(&changed(file, 0, b"x")), head(FormatError::Magic));
    assert_eq!(
        refused(&changed(file, 5, &[3])),
        head(FormatError::Version(3))
    );
    assert_eq!(
        refused(&changed(file, 7, &[1, 2, 3, 4])),
        head(FormatError::UnknownNetwork)
    );
    assert_eq!(
        refused(&changed(file, 7, &[0xf9, 0xbe, 0xb4, 0xd9])).to_string(),
        "The network of the snapshot (mainnet) does not match the network of this node (quick)."
    );
    let other = source.blocks[BASE].block_hash();
    assert_eq!(
        refused(&changed(file, 11, &other.to_byte_array())).to_string(),
        format!(
            "assumeutxo block hash in snapshot metadata not recognized (hash: {other}). The following snapshot heights \
             are available: 9"
        )
    );
    let with_count = |count: u64| changed(file, 43, &count.to_le_bytes());
    let refusal = refused(&with_count(count + 1));
    assert_eq!(refusal, SnapshotError::Truncated(count));
    let refusal = refused(&with_count(count - 1));
    assert!(
        matches!(
            refusal,
            SnapshotError::CoinCount | SnapshotError::LeftOver(_)
        ),
        "{refusal}"
    );
    let longer = [&file[..], &[0]].concat();
    assert_eq!(refused(&longer), SnapshotError::LeftOver(count));
    let cut = &file[..file.len() - 1];
    assert_eq!(refused(cut), SnapshotError::Truncated(count - 1));
    // The first coin's transaction, number of coins, and height.
    let refusal = refused(&changed(file, 51, &[0xff; 32]));
    assert!(
        matches!(refusal, SnapshotError::ContentHash { .. }),
        "{refusal}"
    );
    assert_eq!(
        refused(&changed(file, 83, &[0xfc])),
        SnapshotError::CoinCount
    );
    assert_eq!(
        refused(&changed(file, 85, &[0x7f])),
        SnapshotError::BadCoin(0)
    );
    // It still takes the right one.
    load(chain, file).unwrap();
    assert_eq!(target.tip_hash(), source.base());
}

#[test]
fn a_chain_that_can_t_go_over_says_why() {
    let source = Source::new();
    let target = Fixture::of(source.spec());
    let chain = target.chain();
    let base = source.base();
    assert_eq!(
        load(chain, &source.file),
        Err(SnapshotError::HeaderMissing(base))
    );
    // A longer chain of headers without it.
    let fork = target.branch(&target.genesis(), 12, 9);
    submit_headers(chain, &fork);
    submit_headers(chain, &source.blocks[..BASE]);
    assert_eq!(load(chain, &source.file), Err(SnapshotError::ForkedHeaders));
    submit_headers(chain, &source.blocks);
    let checks = LoadChecks {
        is_mempool_empty: &|| false,
        is_interrupted: &|| false,
    };
    assert_eq!(
        chain.handle.load_snapshot(&mut &source.file[..], checks),
        Err(SnapshotError::MempoolNotEmpty)
    );
    target.extend(&source.blocks[..BASE]);
    assert_eq!(load(chain, &source.file), Err(SnapshotError::NotMoreWork));
    chain.handle.invalidate_block(base).unwrap();
    assert_eq!(
        load(chain, &source.file),
        Err(SnapshotError::InvalidChain(base))
    );
}

#[test]
fn reorganisations_stay_above_the_base_until_it_is_validated() {
    let source = Source::new();
    let target = source.target();
    let handle = target.chain().handle.clone();
    load(target.chain(), &source.file).unwrap();
    target.extend(&source.blocks[BASE..]);

    // Above it anything goes.
    let at_base = Parent::at(target.reader(), &source.base());
    let above = target.branch(&at_base, 7, 1);
    for block in &above {
        target
            .chain()
            .handle
            .submit_block(Arc::new(block.clone()))
            .unwrap();
    }
    assert_eq!(target.tip_hash(), above[6].block_hash());
    assert_eq!(
        handle.invalidate_block(source.base()),
        Err(SubmitError::BelowSnapshot(source.base()))
    );
    let first = source.blocks[0].block_hash();
    assert_eq!(
        handle.invalidate_block(first),
        Err(SubmitError::BelowSnapshot(first))
    );
    // A chain with more work that leaves below it has to wait.
    let below = target.branch(&target.genesis(), 18, 2);
    for block in &below {
        assert_eq!(target.submit(block), Submitted::SideChain);
    }
    assert_eq!(target.tip_hash(), above[6].block_hash());
    for block in &source.blocks[..BASE] {
        target.submit(block);
    }
    wait_for_validation(target.reader());
    wait_for("the chain with the most work is the best", || {
        target.tip_hash() == below[17].block_hash()
    });
    let mut target = target;
    target.assert_coins_equal_a_replay();
}

#[test]
fn a_former_chain_that_leaves_the_snapshot_s_is_taken_back() {
    let source = Source::new();
    let target = source.target();
    let fork = target.branch(&target.genesis(), 4, 3);
    target.extend(&fork);
    load(target.chain(), &source.file).unwrap();
    assert_eq!(target.tip_hash(), source.base());
    let mut target = target;
    target.close();
    target.open();
    for block in &source.blocks {
        target.submit(block);
    }
    wait_for_validation(target.reader());
    assert_eq!(target.tip_hash(), source.tip());
    target.assert_coins_equal_a_replay();
}

/// A file with another coin than the chain's, which the spec takes for right.
fn forged(source: &Source) -> (Vec<u8>, ChainSpec) {
    // The first coin's code: another height.
    let code = source.file[85];
    let file = changed(&source.file, 85, &[code ^ 1]);
    let mut spec = source.spec();
    let target = source.target();
    let Err(SnapshotError::ContentHash { found, .. }) = load(target.chain(), &file) else {
        panic!("it is another file");
    };
    spec.assume_utxo[0].coins_hash = found;
    (file, spec)
}

fn wait_for_failure(reader: &ChainReader) -> ChainError {
    let mut failure = None;
    wait_for("the chain fails", || {
        failure = reader.watch_failure().borrow().clone();
        failure.is_some()
    });
    failure.expect("was waited for")
}

#[test]
fn other_coins_than_the_chain_s_are_found_out_and_set_aside() {
    let source = Source::new();
    let (file, spec) = forged(&source);
    let mut target = Fixture::of(spec);
    submit_headers(target.chain(), &source.blocks);
    load(target.chain(), &file).unwrap();
    target.extend(&source.blocks[BASE..BASE + 1]);
    for block in &source.blocks[..BASE] {
        // The last one may meet the failure.
        let _ = target.chain().handle.submit_block(Arc::new(block.clone()));
    }
    let error = wait_for_failure(target.reader());
    let ChainError::InvalidSnapshot { detail } = &error else {
        panic!("{error}");
    };
    assert!(
        detail.contains(&source.dump.coins_hash.to_string()),
        "{detail}"
    );
    assert_eq!(error.to_string().lines().count(), 1);
    target.chain.take().unwrap().shutdown().unwrap_err();

    target.open();
    assert_eq!(target.reader().background_validation(), None);
    assert_eq!(target.tip_hash(), source.blocks[BASE].block_hash());
    assert_eq!(load(target.chain(), &file), Err(SnapshotError::NotMoreWork));
    target.extend(&source.blocks[BASE + 1..]);
    target.assert_coins_equal_a_replay();
}

#[test]
fn an_invalid_block_below_the_base_ends_the_snapshot() {
    // A chain of headers whose third block makes money out of nothing.
    let spec = base_spec();
    let mut blocks = make_blocks(&spec)[..2].to_vec();
    let parent = end(&Parent::genesis(&spec), &blocks);
    let money = Amount::from_sat(1);
    let bad = block_with(&spec, &parent, 0, Vec::new(), money);
    let parent = after(&parent, &bad);
    blocks.push(bad);
    blocks.extend(branch(&spec, &parent, 6, 0));
    let source = Source::new();
    let mut spec = source.spec();
    let base = blocks[BASE - 1].block_hash();
    spec.assume_utxo[0].block_hash = base;
    let file = changed(&source.file, 11, &base.to_byte_array());

    let mut target = Fixture::of(spec);
    submit_headers(target.chain(), &blocks);
    load(target.chain(), &file).unwrap();
    assert_eq!(target.tip_hash(), base);
    for block in &blocks {
        let _ = target.chain().handle.submit_block(Arc::new(block.clone()));
    }
    let error = wait_for_failure(target.reader());
    let message = error.to_string();
    assert!(
        message.contains(&blocks[2].block_hash().to_string()),
        "{message}"
    );
    target.chain.take().unwrap().shutdown().unwrap_err();
    target.open();
    assert_eq!(target.tip_hash(), blocks[1].block_hash());
    assert_eq!(
        load(target.chain(), &file),
        Err(SnapshotError::InvalidChain(base))
    );
    target.assert_coins_equal_a_replay();
}

#[test]
fn whoever_rebuilds_the_coins_goes_back_from_the_snapshot() {
    let source = Source::new();
    let mut target = source.target();
    load(target.chain(), &source.file).unwrap();
    target.extend(&source.blocks[BASE..]);
    for block in &source.blocks[..3] {
        target.submit(block);
    }
    target.close();
    let flow = rebuild_coins(config(&target.spec, &target.path()), &mut |_, _| {
        ControlFlow::Continue(())
    });
    assert_eq!(flow, Ok(ControlFlow::Continue(())));
    target.open();
    // The blocks between are still to come.
    assert_eq!(target.reader().background_validation(), None);
    assert_eq!(target.tip_hash(), source.blocks[2].block_hash());
    for block in &source.blocks[3..] {
        target
            .chain()
            .handle
            .submit_block(Arc::new(block.clone()))
            .unwrap();
    }
    assert_eq!(target.tip_hash(), source.tip());
    target.assert_coins_equal_a_replay();
}

/// Does what is left to be done, from whatever state: headers, the file, all blocks.
fn carry_on(chain: &Chain, source: &Source) -> Result<(), String> {
    let headers = source.blocks.iter().map(|block| block.header).collect();
    let handle = &chain.handle;
    handle.submit_headers(headers).map_err(|e| e.to_string())?;
    match load(chain, &source.file) {
        Ok(_) | Err(SnapshotError::AlreadyActive | SnapshotError::NotMoreWork) => {}
        Err(error) => return Err(error.to_string()),
    }
    let above = &source.blocks[BASE..];
    let below = &source.blocks[..BASE];
    for block in above.iter().chain(below) {
        let block = Arc::new(block.clone());
        handle.submit_block(block).map_err(|e| e.to_string())?;
    }
    let failure = chain.reader.watch_failure();
    wait_for("the validation ends or fails", || {
        failure.borrow().is_some() || chain.reader.background_validation().is_none()
    });
    handle.flush().map_err(|error| error.to_string())
}

/// The database does not make its `n`th write, whichever that is, and the process ends there.
#[test]
fn whatever_write_is_the_last_one_the_next_opening_goes_on() {
    let source = Source::new();
    let expected = coins_hash(&source.fixture.chain().handle);
    let mut fatal = 1;
    loop {
        let mut target = Fixture::of(source.spec());
        target.close();
        let writes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&writes);
        let faults = FaultPoints::new(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) + 1 >= fatal {
                return Err(StorageError::Io {
                    detail: "the process ends here".to_owned(),
                });
            }
            Ok(())
        });
        let config = config(&target.spec, &target.path());
        let outcome = Chain::open_with_faults(config, faults)
            .map_err(|error| error.to_string())
            .and_then(|chain| {
                carry_on(&chain, &source)?;
                chain.shutdown().map_err(|error| error.to_string())
            });
        target.open();
        let done = outcome.is_ok();
        carry_on(target.chain(), &source).unwrap();
        assert_eq!(target.tip_hash(), source.tip(), "write {fatal}");
        assert_eq!(
            coins_hash(&target.chain().handle),
            expected,
            "write {fatal}"
        );
        assert_eq!(target.reader().background_validation(), None);
        if done {
            assert!(writes.load(Ordering::SeqCst) > 20);
            return;
        }
        fatal += 1;
    }
}
