//! Old blocks are deleted: what of them is gone, what stays, and that their room comes back.

mod support;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pyrite_chain::{
    BlockStatus, ChainReader, MIN_BLOCKS_TO_KEEP, SubmitError, Submitted, Verification,
    VerifyLevel, VerifyOptions,
};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, Block, ScriptBuf, TxOut};
use support::{Fixture, Parent, after, block_with, coinbase_outpoint, end, files, spend};

/// Blocks of the tests' chain above its mature base.
const LENGTH: u32 = 400;

/// A transaction that takes room.
fn large(block: &Block, bytes: usize) -> pyrite_consensus::bitcoin::Transaction {
    let outpoint = coinbase_outpoint(block);
    // Bytes that do not compress.
    let mut state = 1_u32;
    let noise = (0..bytes).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let script = [vec![0x6a], noise.collect()].concat();
    let burnt = TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    };
    spend(&[outpoint], vec![burnt])
}

/// A chain of 510 blocks; those from 111 to 130 are large. And a stale branch at height 200.
fn long_chain() -> (Fixture, Vec<Block>, Block) {
    let fixture = Fixture::new();
    let genesis = fixture.genesis();
    let mut blocks = fixture.branch(&genesis, 110, 0);
    let mut parent = end(&genesis, &blocks);
    for number in 0..20 {
        let fat = large(&blocks[number], 20_000);
        let block = block_with(&fixture.spec, &parent, 0, vec![fat], Amount::ZERO);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    blocks.extend(fixture.branch(&parent, LENGTH - 20, 0));
    fixture.extend(&blocks[..200]);
    let stale = fixture
        .branch(&end(&genesis, &blocks[..199]), 1, 7)
        .remove(0);
    assert_eq!(fixture.submit(&stale), Submitted::SideChain);
    fixture.extend(&blocks[200..]);
    (fixture, blocks, stale)
}

fn go_on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn is_stored(reader: &ChainReader, block: &Block) -> bool {
    let hash = block.block_hash();
    let body = reader.block(&hash).expect("reads");
    let bytes = reader.block_bytes(&hash).expect("reads");
    let info = reader.header(&hash).expect("the header stays");
    assert_eq!(body.is_some(), bytes.is_some());
    assert_eq!(info.is_pruned, body.is_none());
    // It counts as stored and connected as before, so that nobody asks for it again.
    assert!(reader.has_block(&hash));
    assert!(info.chain_tx_count.is_some());
    body.is_some()
}

/// Bytes of the tables' files.
fn file_bytes(fixture: &Fixture) -> u64 {
    let files = ["sst", "blob"].map(|extension| files(&fixture.path(), extension));
    files
        .iter()
        .flatten()
        .map(|file| file.metadata().expect("is there").len())
        .sum()
}

#[test]
fn blocks_up_to_a_height_are_deleted_and_the_chain_goes_on() {
    let (mut fixture, blocks, stale) = long_chain();
    let tip = fixture.tip_hash();
    assert_eq!(fixture.reader().pruned_height(), None);
    assert_eq!(
        fixture
            .chain()
            .handle
            .prune_to(Height(150), go_on)
            .expect("prunes"),
        150
    );
    // What was deleted before does not count again.
    assert_eq!(
        fixture
            .chain()
            .handle
            .prune_to(Height(150), go_on)
            .expect("prunes"),
        0
    );
    for _ in 0..2 {
        let reader = fixture.reader();
        assert_eq!(reader.pruned_height(), Some(Height(150)));
        let genesis = reader.block(&fixture.genesis().hash).expect("reads");
        assert!(genesis.is_some(), "the genesis block stays");
        for (height, block) in (1..).zip(&blocks) {
            assert_eq!(is_stored(reader, block), height > 150, "{height}");
        }
        assert_eq!(reader.tip().hash, tip);
        assert!(reader.missing_blocks(10).is_empty());
        let duplicate = fixture.submit(&blocks[0]);
        assert_eq!(duplicate, Submitted::Duplicate);
        fixture.close();
        fixture.open();
    }
    assert!(is_stored(fixture.reader(), &stale));

    // The stale block goes with those of its height; the last blocks stay, whatever is asked for.
    let kept = u32::try_from(blocks.len()).expect("fits") - MIN_BLOCKS_TO_KEEP;
    let pruned = fixture
        .chain()
        .handle
        .prune_to(Height(100_000), go_on)
        .expect("prunes");
    assert_eq!(pruned, u64::from(kept - 150 + 1));
    assert!(!is_stored(fixture.reader(), &stale));
    assert_eq!(fixture.reader().pruned_height(), Some(Height(kept)));
    let more = fixture.branch(&Parent::tip(fixture.reader()), 3, 0);
    fixture.extend(&more);
    let options = VerifyOptions {
        level: VerifyLevel::Reconnect,
        blocks: None,
    };
    let verification = fixture.chain().handle.verify_chain(options, &|| false);
    assert_eq!(verification.expect("verifies"), Verification::Passed);

    // The coins are those of all blocks.
    let coins = fixture.close_and_dump();
    let mut replay = Fixture::new();
    replay.extend(&blocks);
    replay.extend(&more);
    assert_eq!(coins, replay.close_and_dump());
}

#[test]
fn the_room_of_pruned_blocks_comes_back() {
    let (mut fixture, ..) = long_chain();
    fixture.close();
    let before = file_bytes(&fixture);
    assert!(before > 400_000, "{before}");
    fixture.open();
    fixture
        .chain()
        .handle
        .prune_to(Height(150), go_on)
        .expect("prunes");
    fixture.close();
    let after = file_bytes(&fixture);
    assert!(after < before - 350_000, "{before} before, {after} after");
}

#[test]
fn the_oldest_blocks_go_when_all_take_too_much_room_but_for_those_that_are_needed() {
    let (mut fixture, blocks, _) = long_chain();
    fixture.close();
    fixture.open();
    let handle = fixture.chain().handle.clone();
    assert_eq!(handle.prune_to_size(100 << 20, go_on).expect("measures"), 0);
    assert_eq!(fixture.reader().pruned_height(), None);

    // Somebody still reads the blocks from 120 on.
    let needed = Arc::new(AtomicU32::new(120));
    let asked = Arc::clone(&needed);
    handle.guard_from_pruning(Arc::new(move || Some(Height(asked.load(Ordering::SeqCst)))));
    assert_eq!(handle.prune_to_size(1, go_on).expect("prunes"), 119);
    assert_eq!(fixture.reader().pruned_height(), Some(Height(119)));
    assert_eq!(handle.prune_to_size(1, go_on).expect("prunes"), 0);

    needed.store(u32::MAX, Ordering::SeqCst);
    assert_eq!(
        handle
            .prune_to_size(1, || ControlFlow::Break(()))
            .expect("is told"),
        0
    );
    assert!(handle.prune_to_size(1, go_on).expect("prunes") > 0);
    let kept = u32::try_from(blocks.len()).expect("fits") - MIN_BLOCKS_TO_KEEP;
    assert_eq!(fixture.reader().pruned_height(), Some(Height(kept)));
}

#[test]
fn a_chain_can_t_be_left_where_it_is_pruned() {
    let (fixture, blocks, _) = long_chain();
    let handle = &fixture.chain().handle;
    handle.prune_to(Height(150), go_on).expect("prunes");
    let low = blocks[99].block_hash();
    assert_eq!(handle.invalidate_block(low), Err(SubmitError::Pruned(low)));
    let tip = fixture.tip_hash();
    let high = blocks[blocks.len() - 2].block_hash();
    handle.invalidate_block(high).expect("is kept");
    assert_ne!(fixture.tip_hash(), tip);
    let info = fixture.reader().header(&tip).expect("is known");
    assert_eq!(info.status, BlockStatus::Invalid);
    handle.reconsider_block(high).expect("is kept");
    assert_eq!(fixture.tip_hash(), tip);
    assert!(handle.submit_block(Arc::new(blocks[0].clone())).is_ok());
}
