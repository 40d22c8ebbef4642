//! What was acknowledged is there after a kill; damage is refused, and the machine's failures stop the
//! chain with a word.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;

use pyrite_chain::{Chain, ChainError, ChainReader, SubmitError, Submitted};
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_storage::schema::{Coins, Heights, Meta, UndoData};
use pyrite_storage::{CHAIN_SCHEMA, Database, Durability, MetaKey, MetaValue, StorageError};
use support::{
    Fixture, Parent, block_on, block_with, coinbase_outpoint, config, copy_directory, dump, end,
    files, output, spend,
};

const CHILD_DIRECTORY: &str = "PYRITE_TEST_CHILD_DIRECTORY";
const ROUNDS: usize = 10;

/// No branch that could be connected has more work than the tip.
fn assert_tip_is_the_best(reader: &ChainReader) {
    let tip = reader.tip();
    for branch in reader.tips() {
        let info = reader.header(&branch.hash).expect("is known");
        if info.chain_tx_count.is_some() {
            assert!(info.work <= tip.work, "{branch:?} is better than {tip:?}");
        }
    }
}

/// Mines on the chain in the directory for ever, with a reorganisation now and then, and says which
/// blocks were acknowledged.
fn mine_until_killed(directory: &Path) -> ! {
    let spec = Arc::new(ChainSpec::regtest());
    let chain = Chain::open(config(&spec, directory)).expect("opens");
    for round in 0.. {
        let tip = chain.reader.tip();
        let depth = if round % 4 == 3 {
            4.min(tip.height.0)
        } else {
            0
        };
        let fork = chain
            .reader
            .hash_at(Height(tip.height.0 - depth))
            .expect("is in the chain");
        let parent = Parent::at(&chain.reader, &fork);
        for block in support::branch(&spec, &parent, depth + 1, round) {
            let hash = block.block_hash();
            chain
                .handle
                .submit_block(Arc::new(block))
                .expect("is valid");
            println!("acknowledged {hash}");
        }
        if round % 3 == 1 {
            chain.handle.flush().expect("flushes");
        }
    }
    unreachable!("the loop has no end")
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    if let Some(directory) = std::env::var_os(CHILD_DIRECTORY) {
        mine_until_killed(Path::new(&directory));
    }
    let directory = tempfile::tempdir().expect("makes a directory");
    let path = directory.path().join("db");
    let spec = Arc::new(ChainSpec::regtest());
    let mut height = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("is known"))
            .args([
                "--exact",
                "a_kill_loses_nothing_that_was_acknowledged",
                "--nocapture",
            ])
            .env(CHILD_DIRECTORY, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("is piped"));
        let mut acknowledged = Vec::new();
        for line in stdout.lines() {
            let Ok(line) = line else { break };
            // The test runner's own words may stand before ours.
            let Some((_, hash)) = line.split_once("acknowledged ") else {
                continue;
            };
            acknowledged.push(BlockHash::from_str(hash.trim()).expect("is a hash"));
            if acknowledged.len() == 5 + round * 3 {
                child.kill().expect("is killed");
            }
        }
        child.wait().expect("ends");
        assert!(
            acknowledged.len() >= 5 + round * 3,
            "the child ended by itself"
        );

        let chain = Chain::open(config(&spec, &path)).expect("opens after a kill");
        for hash in &acknowledged {
            assert!(chain.reader.has_block(hash), "{hash} is gone");
            let block = chain.reader.block(hash).expect("reads").expect("is stored");
            assert_eq!(block.block_hash(), *hash);
        }
        assert_tip_is_the_best(&chain.reader);
        let reached = chain.reader.tip().height.0;
        assert!(reached > height, "the chain went on");
        height = reached;
        chain.shutdown().expect("shuts down");
    }
}

/// Two branches with payments, in an order that makes the second take over at its end.
fn two_branches(spec: &ChainSpec) -> (Vec<Block>, BlockHash) {
    let genesis = Parent::genesis(spec);
    let base = support::branch(spec, &genesis, 105, 0);
    let fork = end(&genesis, &base);
    let value = base[0].txdata[0].output[0].value;
    let pay = |block: &Block, fee| {
        let to = vec![output(value - fee), output(Amount::ZERO)];
        spend(&[coinbase_outpoint(block)], to)
    };
    let fee = Amount::from_sat(500);
    let mut blocks = base.clone();
    let mut tip = fork.hash;
    for (length, tag) in [(3, 1), (4, 2)] {
        let mut parent = fork;
        for n in 0..length {
            let transactions = vec![pay(&base[n], fee), pay(&base[n + 1 + 3 * (tag - 1)], fee)];
            let transactions = if n == 0 { transactions } else { vec![] };
            let fees = if n == 0 { fee * 2 } else { Amount::ZERO };
            let tag = u32::try_from(tag).expect("fits");
            let block = block_with(spec, &parent, tag, transactions, fees);
            parent = support::after(&parent, &block);
            blocks.push(block);
        }
        tip = parent.hash;
    }
    (blocks, tip)
}

#[test]
fn a_log_torn_anywhere_opens_on_the_best_chain_and_goes_on() {
    let fixture = Fixture::new();
    let (blocks, tip) = two_branches(&fixture.spec);
    for (number, block) in blocks.iter().enumerate() {
        fixture.submit(block);
        // In both branches, and in the blocks before them.
        if number % 3 == 0 {
            fixture.chain().handle.flush().expect("flushes");
        }
    }
    assert_eq!(fixture.tip_hash(), tip);
    // Nothing was moved from the log to the tables yet, and the writer is idle: the copy is what
    // a power cut would leave.
    let logs = files(&fixture.path(), "log");
    assert_eq!(logs.len(), 1);
    let log = fs::read(&logs[0]).expect("reads");
    let name = logs[0].file_name().expect("has a name");
    let copy = tempfile::tempdir().expect("makes a directory");
    copy_directory(&fixture.path(), &copy.path().join("original"));

    // Anywhere in the beginning, and finely in the end, where the reorganisation is.
    let coarse = (0..log.len()).step_by(log.len() / 8);
    let fine = (log.len() - 6_000..=log.len()).step_by(149);
    let mut mid_way = 0;
    for length in coarse.chain(fine) {
        let path = copy.path().join(format!("torn-{length}"));
        copy_directory(&copy.path().join("original"), &path);
        fs::write(path.join(name), &log[..length]).expect("writes");

        let chain = Chain::open(config(&fixture.spec, &path)).expect("opens");
        assert_tip_is_the_best(&chain.reader);
        if chain.reader.tip().hash != tip {
            mid_way += 1;
        }
        for block in &blocks {
            chain
                .handle
                .submit_block(Arc::new(block.clone()))
                .expect("is valid");
        }
        assert_eq!(chain.reader.tip().hash, tip);
        chain.shutdown().expect("shuts down");
        fs::remove_dir_all(&path).expect("removes");
    }
    assert!(mid_way > 8, "the cuts were in places that matter");
}

#[test]
fn what_was_not_flushed_is_connected_again() {
    // With no flush, one before the fork, one in either branch, and one in the end.
    for flushed in [None, Some(50), Some(107), Some(110), Some(111)] {
        let fixture = Fixture::new();
        let (blocks, tip) = two_branches(&fixture.spec);
        for (number, block) in blocks.iter().enumerate() {
            fixture.submit(block);
            if flushed == Some(number) {
                fixture.chain().handle.flush().expect("flushes");
            }
        }
        // What a kill would leave: the writer is idle.
        let mut killed = Fixture::new();
        killed.close();
        fs::remove_dir_all(killed.path()).expect("removes");
        copy_directory(&fixture.path(), &killed.path());
        killed.open();
        assert_eq!(killed.tip_hash(), tip, "{flushed:?}");
        killed.assert_coins_equal_a_replay();
    }
}

#[test]
fn an_interrupted_reorganisation_is_brought_to_its_end() {
    let mut fixture = Fixture::new();
    let (blocks, tip) = two_branches(&fixture.spec);
    for block in &blocks {
        fixture.submit(block);
    }
    let expected = fixture.close_and_dump();
    // What the database is like when the last two blocks of the new branch are not connected yet.
    let database = Database::open(
        &fixture.path(),
        &CHAIN_SCHEMA,
        &fixture.spec.name,
        fixture.spec.genesis_hash(),
    )
    .expect("opens");
    let mut batch = database.batch();
    for block in &blocks[blocks.len() - 2..] {
        batch.delete::<Coins>(&coinbase_outpoint(block));
    }
    batch.delete::<Heights>(&Height(108));
    batch.delete::<Heights>(&Height(109));
    let parent = blocks[blocks.len() - 2].header.prev_blockhash;
    batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(parent));
    database.commit(batch, Durability::Synced).expect("commits");
    drop(database);

    fixture.open();
    assert_eq!(fixture.tip_hash(), tip);
    assert_eq!(fixture.close_and_dump(), expected);
}

#[test]
fn blocks_from_several_threads_at_once_all_get_their_answer() {
    let fixture = Fixture::new();
    let genesis = fixture.genesis();
    let branches: Vec<_> = (1..=4)
        .map(|tag| fixture.branch(&genesis, 20 + tag, tag))
        .collect();
    let fixture = &fixture;
    thread::scope(|scope| {
        for branch in &branches {
            scope.spawn(move || {
                for block in branch {
                    let result = fixture.chain().handle.submit_block(Arc::new(block.clone()));
                    assert!(matches!(
                        result,
                        Ok(Submitted::NewTip | Submitted::SideChain)
                    ));
                    assert!(fixture.reader().has_block(&block.block_hash()));
                    // The coins' tip is never ahead of the tree's, and always known.
                    let at = fixture
                        .reader()
                        .coins(&[coinbase_outpoint(block)])
                        .expect("reads");
                    assert_eq!(
                        at.coins.contains_key(&coinbase_outpoint(block)),
                        fixture
                            .reader()
                            .path(&block.block_hash(), &at.tip.hash)
                            .is_some_and(|path| path.disconnect.is_empty())
                    );
                }
            });
        }
    });
    assert_eq!(
        fixture.tip_hash(),
        branches[3].last().expect("has blocks").block_hash()
    );
    assert_tip_is_the_best(fixture.reader());
}

#[test]
fn another_chains_directory_is_refused() {
    let mut fixture = Fixture::new();
    fixture.close();
    let pyrite = Arc::new(ChainSpec::pyrite());
    let error = Chain::open(config(&pyrite, &fixture.path())).expect_err("is refused");
    assert!(
        matches!(&error, ChainError::Storage(StorageError::OtherChain { .. })),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("belongs to the chain `regtest`"),
        "{error}"
    );
    fixture.open();
}

#[test]
fn a_directory_in_use_is_refused() {
    let fixture = Fixture::new();
    let error = Chain::open(config(&fixture.spec, &fixture.path())).expect_err("is refused");
    let expected = StorageError::Locked {
        path: fixture.path(),
    };
    assert_eq!(error, ChainError::Storage(expected));
}

/// Opens the chain and reads everything in it.
fn read_everything(spec: &Arc<ChainSpec>, path: &Path) -> Result<BlockHash, ChainError> {
    let chain = Chain::open(config(spec, path))?;
    let tip = chain.reader.tip();
    for height in 0..=tip.height.0 {
        let hash = chain
            .reader
            .hash_at(Height(height))
            .expect("is in the chain");
        let block = chain.reader.block(&hash)?.expect("is stored");
        assert_eq!(block.block_hash(), hash);
        chain.reader.undo(&hash)?.expect("was connected");
    }
    chain.shutdown()?;
    let database = Database::open(path, &CHAIN_SCHEMA, &spec.name, spec.genesis_hash())?;
    for coin in database.scan::<Coins>() {
        coin?;
    }
    Ok(tip.hash)
}

#[test]
fn a_flipped_byte_is_refused_or_harmless() {
    let mut fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 30, 0));
    let tip = fixture.tip_hash();
    let coins = fixture.close_and_dump();
    let original = tempfile::tempdir().expect("makes a directory");
    copy_directory(&fixture.path(), original.path());

    let mut refused = 0;
    for file in files(original.path(), "sst") {
        let bytes = fs::read(&file).expect("reads");
        for part in 1..4 {
            let copy = tempfile::tempdir().expect("makes a directory");
            copy_directory(original.path(), copy.path());
            let mut damaged = bytes.clone();
            damaged[bytes.len() * part / 4] ^= 0x04;
            fs::write(
                copy.path().join(file.file_name().expect("has a name")),
                damaged,
            )
            .expect("writes");
            match read_everything(&fixture.spec, copy.path()) {
                Ok(found) => {
                    assert_eq!(found, tip);
                    assert_eq!(dump(&fixture.spec, copy.path()), coins);
                }
                Err(ChainError::Storage(StorageError::Corrupt { detail })) => {
                    assert!(!detail.contains('\n'), "{detail}");
                    refused += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(refused > 5, "{refused} damages were noticed");
}

/// Changes a closed chain's database behind its back.
fn tamper(fixture: &Fixture, change: impl FnOnce(&mut pyrite_storage::Batch<'_>)) {
    let database = Database::open(
        &fixture.path(),
        &CHAIN_SCHEMA,
        &fixture.spec.name,
        fixture.spec.genesis_hash(),
    )
    .expect("opens");
    let mut batch = database.batch();
    change(&mut batch);
    database.commit(batch, Durability::Synced).expect("commits");
}

fn open_error(fixture: &Fixture) -> String {
    let error = Chain::open(config(&fixture.spec, &fixture.path())).expect_err("is refused");
    assert!(matches!(error, ChainError::Corrupt { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn parts_that_contradict_each_other_are_named() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 5, 0);
    fixture.extend(&blocks);
    fixture.close();
    let tip = blocks[4].block_hash();
    let original = tempfile::tempdir().expect("makes a directory");
    copy_directory(&fixture.path(), original.path());
    let restore = || {
        fs::remove_dir_all(fixture.path()).expect("removes");
        copy_directory(original.path(), &fixture.path());
    };

    tamper(&fixture, |batch| batch.delete::<Heights>(&Height(5)));
    assert!(open_error(&fixture).contains("the height index ends before height 5"));
    restore();
    tamper(&fixture, |batch| batch.put::<Heights>(&Height(6), &tip));
    assert!(open_error(&fixture).contains("the height index has"));
    restore();
    tamper(&fixture, |batch| batch.delete::<Meta>(&MetaKey::Tip));
    assert!(open_error(&fixture).contains("no tip"));
    restore();
    let lost = coinbase_outpoint(&blocks[4]);
    tamper(&fixture, |batch| batch.delete::<Coins>(&lost));
    assert!(open_error(&fixture).contains(&format!("the coin {lost}")));
    restore();
    tamper(&fixture, |batch| {
        batch.delete::<pyrite_storage::schema::Headers>(&tip)
    });
    assert!(open_error(&fixture).contains("has no header"));
    restore();
    let middle = blocks[2].block_hash();
    tamper(&fixture, |batch| {
        batch.delete::<pyrite_storage::schema::Headers>(&middle)
    });
    assert!(open_error(&fixture).contains(&middle.to_string()));
    restore();
    tamper(&fixture, |batch| batch.delete::<UndoData>(&tip));
    assert!(open_error(&fixture).contains("undo data"));
    restore();
    fixture.open();
    assert_eq!(fixture.tip_hash(), tip);
}

#[test]
fn a_failure_of_the_machine_stops_the_chain_and_is_told() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 5, 0);
    fixture.extend(&blocks);
    fixture.close();
    let lost = blocks[3].block_hash();
    tamper(&fixture, |batch| batch.delete::<UndoData>(&lost));
    fixture.open();
    let handle = fixture.chain().handle.clone();
    let failure = fixture.reader().watch_failure();
    assert_eq!(*failure.borrow(), None);

    let error = handle
        .invalidate_block(lost)
        .expect_err("can't be disconnected");
    let SubmitError::Machine(cause) = &error else {
        panic!("{error:?}")
    };
    assert!(
        cause
            .to_string()
            .contains(&format!("the undo data of block {lost} is missing"))
    );
    assert_eq!(error.reject_reason(), None);
    assert!(!error.is_invalid());
    assert_eq!(failure.borrow().as_ref(), Some(cause));
    // No more commands are taken, and all get the same answer.
    let next = block_on(&fixture.spec, &Parent::tip(fixture.reader()), 9);
    assert_eq!(
        handle.submit_block(Arc::new(next)),
        Err(SubmitError::Machine(cause.clone()))
    );
    assert_eq!(handle.flush(), Err(SubmitError::Machine(cause.clone())));
    let proposal = block_on(&fixture.spec, &Parent::tip(fixture.reader()), 8);
    let verdict = handle.check_proposal(Arc::new(proposal));
    assert_eq!(verdict, Err(SubmitError::Machine(cause.clone())));
    // Readers still answer.
    assert!(
        fixture
            .reader()
            .block(&blocks[0].block_hash())
            .expect("reads")
            .is_some()
    );
    let result = fixture.chain.take().expect("is open").shutdown();
    assert_eq!(result.as_ref(), Err(cause));
}

#[test]
fn after_the_shutdown_commands_are_refused() {
    let mut fixture = Fixture::new();
    let handle = fixture.chain().handle.clone();
    let block = block_on(&fixture.spec, &fixture.genesis(), 0);
    handle.flush().expect("flushes");
    fixture.close();
    assert_eq!(
        handle.submit_block(Arc::new(block.clone())),
        Err(SubmitError::Stopped)
    );
    assert_eq!(
        handle.check_proposal(Arc::new(block)),
        Err(SubmitError::Stopped)
    );
    assert_eq!(handle.flush(), Err(SubmitError::Stopped));
}
