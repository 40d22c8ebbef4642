//! Old blocks go and their room comes back; what is left is whole and says what it can't do any more.

mod support;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pyrite_chain::{
    Chain, ChainError, MIN_BLOCKS_TO_KEEP, SubmitError, Verification, VerifyLevel, VerifyOptions,
    rebuild_coins,
};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, Block, ScriptBuf, TxOut};

use support::{
    FEE, Fixture, Parent, after, block_with, branch, coinbase_outpoint, config, output, spend,
};

/// Bytes of the scripts that fill a block.
const FILL_BYTES: usize = 40_000;
/// Bytes of a file of blocks, with room to spare.
const FILE_BYTES: u64 = 9 << 20;

/// A chain whose blocks spend what was mined a hundred blocks before, and are filled with `fill` bytes
/// that can't be compressed.
fn payments(fixture: &Fixture, length: u32, fill: usize) -> Vec<Block> {
    let spec = &fixture.spec;
    let mut parent = fixture.genesis();
    let mut blocks: Vec<Block> = Vec::new();
    let mut random = 1_u64;
    for number in 0..length as usize {
        let transactions = if number < 100 {
            Vec::new()
        } else {
            let mut bytes = vec![0x6a];
            bytes.extend((0..fill).map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (random >> 56) as u8
            }));
            let burnt = TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from(bytes),
            };
            let spent = &blocks[number - 100];
            let value = spent.txdata[0].output[0].value - FEE;
            vec![spend(
                &[coinbase_outpoint(spent)],
                vec![output(value), burnt],
            )]
        };
        let fees = if transactions.is_empty() {
            Amount::ZERO
        } else {
            FEE
        };
        let block = block_with(spec, &parent, 0, transactions, fees);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    fixture.extend(&blocks);
    blocks
}

fn go_on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn prune_to(fixture: &Fixture, height: u32) -> u64 {
    let handle = &fixture.chain().handle;
    handle.prune_to(Height(height), go_on).expect("prunes")
}

/// Bytes of the files that hold blocks and what undoes them.
fn files_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).expect("is a directory");
    entries
        .map(|entry| entry.expect("is readable"))
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.ends_with(".sst") || name.ends_with(".blob")
        })
        .map(|entry| entry.metadata().map_or(0, |metadata| metadata.len()))
        .sum()
}

#[test]
fn pruned_blocks_give_their_room_back_and_the_rest_is_whole() {
    let mut fixture = Fixture::new();
    let blocks = payments(&fixture, 700, FILL_BYTES);
    let before = fixture.reader().blocks_on_disk().expect("reads");
    assert!(before > 600 * FILL_BYTES as u64, "{before}");

    assert_eq!(prune_to(&fixture, 400), 400);
    assert_eq!(prune_to(&fixture, 400), 0);
    let reader = fixture.reader().clone();
    let after = reader.blocks_on_disk().expect("reads");
    let kept = 300 * FILL_BYTES as u64;
    // The oldest file that is left may be in part of what went.
    assert!(
        after > kept && after < kept + FILE_BYTES,
        "{after} of {before}"
    );

    // As many as anybody may ask for: the last 288 stay.
    assert_eq!(
        prune_to(&fixture, 10_000),
        u64::from(700 - MIN_BLOCKS_TO_KEEP - 400)
    );
    let lowest = (700 - MIN_BLOCKS_TO_KEEP + 1) as usize;
    for reopened in [false, true] {
        if reopened {
            fixture.close();
            let bytes = files_bytes(&fixture.path());
            let kept = u64::from(MIN_BLOCKS_TO_KEEP) * FILL_BYTES as u64;
            assert!(bytes < kept + FILE_BYTES, "{bytes}");
            fixture.open();
        }
        let reader = fixture.reader();
        assert!(reader.has_pruned());
        assert_eq!(
            reader.pruned_height(),
            Some(Height(700 - MIN_BLOCKS_TO_KEEP))
        );
        assert_eq!(reader.missing_blocks(10), [], "nothing is asked for again");
        assert_eq!(reader.tip().height, Height(700));
        let genesis = fixture.spec.genesis_hash();
        assert!(reader.block(&genesis).expect("reads").is_some());
        for (height, block) in (1..).zip(&blocks) {
            let hash = block.block_hash();
            let is_kept = height >= lowest;
            assert!(reader.has_block(&hash), "it is known");
            assert_eq!(reader.header(&hash).expect("is known").is_pruned, !is_kept);
            assert_eq!(reader.block(&hash).expect("reads").is_some(), is_kept);
            assert_eq!(reader.undo(&hash).expect("reads").is_some(), is_kept);
        }
        let verify = |blocks| {
            let level = VerifyLevel::Reconnect;
            let options = VerifyOptions { level, blocks };
            fixture.chain().handle.verify_chain(options, &|| false)
        };
        assert_eq!(verify(Some(100)), Ok(Verification::Passed));
        assert_eq!(verify(None), Ok(Verification::Pruned));
        // A block that comes again is no new one.
        let again = fixture.submit(&blocks[10]);
        assert_eq!(again, pyrite_chain::Submitted::Duplicate);
    }
    let coins = fixture.close_and_dump();
    let whole = Fixture::new();
    whole.extend(&blocks);
    let mut whole = whole;
    assert_eq!(coins, whole.close_and_dump());
}

#[test]
fn what_somebody_needs_stays() {
    let fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 400, 0));
    let needed = Arc::new(AtomicU32::new(1));
    let told = Arc::clone(&needed);
    let handle = &fixture.chain().handle;
    handle.guard_from_pruning(Arc::new(move || Some(Height(told.load(Ordering::Relaxed)))));
    handle.guard_from_pruning(Arc::new(|| None));
    assert_eq!(prune_to(&fixture, 400), 0);
    needed.store(51, Ordering::Relaxed);
    assert_eq!(prune_to(&fixture, 400), 50);
    needed.store(1_000, Ordering::Relaxed);
    assert_eq!(
        prune_to(&fixture, 400),
        u64::from(400 - MIN_BLOCKS_TO_KEEP - 50)
    );
}

#[test]
fn the_oldest_blocks_go_when_all_take_too_much_room() {
    let fixture = Fixture::new();
    payments(&fixture, 650, 130_000);
    let reader = fixture.reader();
    let handle = &fixture.chain().handle;
    let size = reader.blocks_on_disk().expect("reads");
    assert!(size > 65 << 20, "{size}");
    assert_eq!(handle.prune_to_size(size + (18 << 20), go_on), Ok(0));
    let target = 60 << 20;
    let pruned = handle.prune_to_size(target, go_on).expect("prunes");
    assert!(pruned > 0);
    let left = reader.blocks_on_disk().expect("reads");
    assert!(left < target - (16 << 20), "{left}");
    assert_eq!(handle.prune_to_size(target, go_on), Ok(0));
    // More than may go is not enough, and no reason to go on for ever.
    handle.prune_to_size(1, go_on).expect("prunes");
    assert_eq!(
        reader.pruned_height(),
        Some(Height(650 - MIN_BLOCKS_TO_KEEP))
    );
    assert_eq!(handle.prune_to_size(1, go_on), Ok(0));
}

#[test]
fn a_reorganisation_over_pruned_blocks_is_refused_before_anything_changes() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 400, 0);
    fixture.extend(&blocks);
    prune_to(&fixture, 100);
    let tip = fixture.tip_hash();
    let handle = &fixture.chain().handle;
    let pruned = blocks[99].block_hash();
    assert_eq!(
        handle.invalidate_block(pruned),
        Err(SubmitError::Pruned(pruned))
    );
    assert_eq!(fixture.tip_hash(), tip);
    // From there on blocks can be left, and come back.
    let kept = blocks[100].block_hash();
    handle.invalidate_block(kept).expect("is possible");
    assert_eq!(fixture.tip_hash(), pruned);
    handle.reconsider_block(kept).expect("is possible");
    assert_eq!(fixture.tip_hash(), tip);

    // Others have a longer chain from below: the machine says what to do, now and at each opening.
    let fork = Parent::at(fixture.reader(), &blocks[49].block_hash());
    let mut error = None;
    for block in branch(&fixture.spec, &fork, 351, 7) {
        if let Err(found) = handle.submit_block(Arc::new(block)) {
            error = Some(found);
        }
    }
    let Some(SubmitError::Machine(error)) = error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(
            error,
            ChainError::PrunedReorganisation {
                height: Height(51),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("--reindex"), "{error}");
    assert_eq!(fixture.tip_hash(), tip);
    let chain = fixture.chain.take().expect("is open");
    assert_eq!(chain.shutdown(), Err(error.clone()));
    let again = Chain::open(config(&fixture.spec, &fixture.path()));
    assert_eq!(again.expect_err("is refused"), error);
}

#[test]
fn coins_are_rebuilt_from_blocks_also_when_that_is_interrupted() {
    let mut fixture = Fixture::new();
    let blocks = payments(&fixture, 300, 10);
    let coins = fixture.close_and_dump();
    let config = config(&fixture.spec, &fixture.path());
    let mut seen = Vec::new();
    let end = rebuild_coins(config.clone(), &mut |tip, target| {
        seen.push((tip.0, target.0));
        ControlFlow::Continue(())
    });
    assert_eq!(end, Ok(ControlFlow::Continue(())));
    assert_eq!(seen.last(), Some(&(300, 300)));
    assert!(seen.len() > 3 && seen.is_sorted(), "{seen:?}");
    assert_eq!(support::dump(&fixture.spec, &fixture.path()), coins);

    let end = rebuild_coins(config.clone(), &mut |_, _| ControlFlow::Break(()));
    assert_eq!(end, Ok(ControlFlow::Break(())));
    assert_ne!(support::dump(&fixture.spec, &fixture.path()), coins);
    fixture.open();
    assert_eq!(fixture.tip_hash(), blocks[299].block_hash());
    fixture.close();
    assert_eq!(support::dump(&fixture.spec, &fixture.path()), coins);

    fixture.open();
    fixture.extend(&branch(&fixture.spec, &Parent::tip(fixture.reader()), 1, 0));
    prune_to(&fixture, 10);
    fixture.close();
    let refused = rebuild_coins(config, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(refused, Err(ChainError::Pruned));
}
