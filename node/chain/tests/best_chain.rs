//! Which chain is the best, and what its coins are: growth, reorganisations, invalid blocks, bodies
//! out of order.

mod support;

use pyrite_chain::{BlockStatus, SubmitError, Submitted, TipStatus};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, Block, OutPoint, Transaction, TxOut};
use support::{
    FEE, Fixture, Parent, after, anyone, block_on, block_with, coinbase_outpoint, end,
    mature_chain, output, spend, submit_error,
};

/// A branch in which each block spends what the one before it made, twice in a row: within the
/// block, and from block to block.
fn dependent_branch(
    fixture: &Fixture,
    parent: &Parent,
    length: u32,
    tag: u32,
    mut coin: (OutPoint, Amount),
) -> Vec<Block> {
    let mut parent = *parent;
    let mut blocks = Vec::new();
    for _ in 0..length {
        let first = spend(&[coin.0], vec![output(coin.1 - FEE)]);
        let middle = OutPoint {
            txid: first.compute_txid(),
            vout: 0,
        };
        let second = spend(&[middle], vec![output(coin.1 - FEE * 2)]);
        coin = (
            OutPoint {
                txid: second.compute_txid(),
                vout: 0,
            },
            coin.1 - FEE * 2,
        );
        let block = block_with(&fixture.spec, &parent, tag, vec![first, second], FEE * 2);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    blocks
}

#[test]
fn a_new_chain_has_the_genesis_block() {
    let fixture = Fixture::new();
    let reader = fixture.reader();
    let tip = reader.tip();
    assert_eq!(
        (tip.hash, tip.height),
        (fixture.spec.genesis_hash(), Height::GENESIS)
    );
    assert_eq!(
        reader.block(&tip.hash),
        Ok(Some(fixture.spec.genesis_block()))
    );
    assert_eq!(reader.undo(&tip.hash), Ok(Some(vec![])));
    let info = reader.header(&tip.hash).expect("is known");
    assert_eq!(info.status, BlockStatus::Valid);
    assert_eq!((info.tx_count, info.chain_tx_count), (Some(1), Some(1)));
}

#[test]
fn a_chain_grows_and_is_the_same_after_reopening() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 20, 0);
    let mut watch = fixture.reader().watch_tip();
    for (n, block) in blocks.iter().enumerate() {
        assert_eq!(fixture.submit(block), Submitted::NewTip);
        let tip = fixture.reader().tip();
        assert_eq!(tip.hash, block.block_hash());
        assert_eq!(usize::try_from(tip.height.0).ok(), Some(n + 1));
        // Told before the answer came.
        assert!(watch.has_changed().expect("the chain is there"));
        assert_eq!(*watch.borrow_and_update(), tip);
    }
    let tip = fixture.reader().tip();
    fixture.close();
    fixture.open();
    assert_eq!(fixture.reader().tip(), tip);
    assert_eq!(fixture.best_chain(), blocks);
    let info = fixture.reader().header(&tip.hash).expect("is known");
    assert_eq!(info.chain_tx_count, Some(21));
    fixture.assert_coins_equal_a_replay();
}

#[test]
fn dropping_a_chain_closes_it() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 3, 0);
    fixture.extend(&blocks);
    let chain = fixture.chain.take().expect("is open");
    // A reader that is still about does not keep the database open.
    let reader = chain.reader.clone();
    drop(chain);
    assert!(reader.coins(&[]).is_err());
    fixture.open();
    assert_eq!(fixture.tip_hash(), blocks[2].block_hash());
}

#[test]
fn a_block_that_is_stored_is_a_duplicate() {
    let fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 2, 0);
    fixture.extend(&blocks);
    assert_eq!(fixture.submit(&blocks[0]), Submitted::Duplicate);
    assert_eq!(
        fixture.submit(&fixture.spec.genesis_block()),
        Submitted::Duplicate
    );
}

fn reorganise(depth: u32) {
    let (mut fixture, base, fork) = mature_chain();
    let coin = (
        coinbase_outpoint(&base[0]),
        base[0].txdata[0].output[0].value,
    );
    let ours = dependent_branch(&fixture, &fork, depth, 1, coin);
    fixture.extend(&ours);
    // The other branch spends the same coin, by way of another output.
    let detour = spend(&[coin.0], vec![output(coin.1 - FEE * 3), output(FEE)]);
    let first = block_with(&fixture.spec, &fork, 2, vec![detour.clone()], FEE * 2);
    let coin = (
        OutPoint {
            txid: detour.compute_txid(),
            vout: 0,
        },
        coin.1 - FEE * 3,
    );
    let rest = dependent_branch(&fixture, &after(&fork, &first), depth, 2, coin);

    assert_eq!(fixture.submit(&first), Submitted::SideChain);
    let (last, middle) = rest.split_last().expect("has blocks");
    for block in middle {
        assert_eq!(fixture.submit(block), Submitted::SideChain);
    }
    assert_eq!(
        fixture.tip_hash(),
        ours.last().expect("has blocks").block_hash()
    );
    assert_eq!(fixture.submit(last), Submitted::NewTip);
    assert_eq!(fixture.tip_hash(), last.block_hash());

    let old_tip = ours.last().expect("has blocks").block_hash();
    let path = fixture
        .reader()
        .path(&old_tip, &last.block_hash())
        .expect("both are known");
    assert_eq!(path.fork_point, fork.hash);
    assert_eq!(path.disconnect.len(), usize::try_from(depth).expect("fits"));
    assert_eq!(
        path.connect.len(),
        usize::try_from(depth).expect("fits") + 1
    );
    // What was undone can still be read.
    assert!(matches!(fixture.reader().undo(&old_tip), Ok(Some(spent)) if spent.len() == 2));
    fixture.assert_coins_equal_a_replay();

    // There and back again.
    fixture.open();
    let more = fixture.branch(&end(&fork, &ours), 2, 3);
    assert_eq!(fixture.submit(&more[0]), Submitted::SideChain);
    assert_eq!(fixture.submit(&more[1]), Submitted::NewTip);
    fixture.assert_coins_equal_a_replay();
}

#[test]
fn a_reorganisation_of_one_block() {
    reorganise(1);
}

#[test]
fn a_reorganisation_of_ten_blocks() {
    reorganise(10);
}

#[test]
fn a_reorganisation_of_a_hundred_blocks() {
    reorganise(100);
}

#[test]
fn a_reorganisation_of_a_thousand_blocks() {
    reorganise(1000);
}

#[test]
fn of_two_chains_with_equal_work_the_first_wins_also_after_reopening() {
    let mut fixture = Fixture::new();
    let genesis = fixture.genesis();
    let first = block_on(&fixture.spec, &genesis, 1);
    let second = block_on(&fixture.spec, &genesis, 2);
    assert_eq!(fixture.submit(&first), Submitted::NewTip);
    assert_eq!(fixture.submit(&second), Submitted::SideChain);
    fixture.close();
    fixture.open();
    assert_eq!(fixture.tip_hash(), first.block_hash());

    fixture
        .chain()
        .handle
        .precious_block(second.block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), second.block_hash());
    fixture.close();
    fixture.open();
    assert_eq!(fixture.tip_hash(), second.block_hash());
    fixture
        .chain()
        .handle
        .precious_block(first.block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), first.block_hash());
}

#[test]
fn a_chain_that_is_complete_later_is_not_better_for_its_end_that_came_first() {
    let mut fixture = Fixture::new();
    let genesis = fixture.genesis();
    let (first, second) = (
        fixture.branch(&genesis, 3, 1),
        fixture.branch(&genesis, 3, 2),
    );
    let headers = second.iter().map(|block| block.header).collect();
    let submitted = fixture.chain().handle.submit_headers(headers);
    submitted.expect("are valid");
    // The end of the second chain comes before everything, its beginning after everything.
    assert_eq!(fixture.submit(&second[2]), Submitted::SideChain);
    assert_eq!(fixture.submit(&second[1]), Submitted::SideChain);
    fixture.extend(&first);
    assert_eq!(fixture.submit(&second[0]), Submitted::SideChain);
    assert_eq!(fixture.tip_hash(), first[2].block_hash());
    fixture.close();
    fixture.open();
    assert_eq!(fixture.tip_hash(), first[2].block_hash());
}

#[test]
fn a_block_with_less_work_is_not_made_the_tip_by_being_precious() {
    let fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 3, 0);
    fixture.extend(&blocks);
    let other = block_on(&fixture.spec, &fixture.genesis(), 1);
    assert_eq!(fixture.submit(&other), Submitted::SideChain);
    fixture
        .chain()
        .handle
        .precious_block(other.block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), blocks[2].block_hash());
}

/// Transactions that make a block invalid when it is connected, and the reason.
fn unconnectable(base: &[Block]) -> Vec<(Transaction, &'static str)> {
    let value = base[0].txdata[0].output[0].value;
    let missing = OutPoint {
        txid: base[0].txdata[0].compute_txid(),
        vout: 9,
    };
    let young = coinbase_outpoint(base.last().expect("has blocks"));
    vec![
        (
            spend(&[missing], vec![output(FEE)]),
            "bad-txns-inputs-missingorspent",
        ),
        (
            spend(&[young], vec![output(FEE)]),
            "bad-txns-premature-spend-of-coinbase",
        ),
        (
            spend(&[coinbase_outpoint(&base[0])], vec![output(value * 2)]),
            "bad-txns-in-belowout",
        ),
    ]
}

#[test]
fn an_invalid_block_in_a_better_branch_leaves_the_best_valid_chain() {
    let (mut fixture, base, fork) = mature_chain();
    let ours = fixture.branch(&fork, 3, 1);
    fixture.extend(&ours);
    for (n, (transaction, reason)) in unconnectable(&base).into_iter().enumerate() {
        let tag = 10 + u32::try_from(n).expect("fits");
        let before = fixture.branch(&fork, 2, tag);
        let invalid = block_with(
            &fixture.spec,
            &end(&fork, &before),
            tag,
            vec![transaction],
            Amount::ZERO,
        );
        let behind = fixture.branch(&after(&end(&fork, &before), &invalid), 2, tag);
        for block in before.iter().chain([&invalid]) {
            assert_eq!(fixture.submit(block), Submitted::SideChain);
        }
        // This one has more work, so that its branch is tried.
        let error = submit_error(&fixture, &behind[0]);
        assert_eq!(error, SubmitError::InvalidParent(invalid.block_hash()));
        assert_eq!(fixture.tip_hash(), ours[2].block_hash(), "{reason}");

        let known = submit_error(&fixture, &invalid);
        assert_eq!(known, SubmitError::KnownInvalid(invalid.block_hash()));
        assert_eq!(known.reject_reason(), Some("duplicate-invalid"));
        let child = submit_error(&fixture, &behind[1]);
        assert_eq!(child, SubmitError::InvalidParent(behind[0].block_hash()));
        assert_eq!(child.reject_reason(), Some("bad-prevblk"));
        let status = |block: &Block| {
            fixture
                .reader()
                .header(&block.block_hash())
                .map(|i| i.status)
        };
        assert_eq!(status(&invalid), Some(BlockStatus::Invalid));
        assert_eq!(status(&before[1]), Some(BlockStatus::Valid));

        // Where it is the tip that is invalid, the reason is told.
        let tip = end(&fork, &ours);
        let transaction = invalid.txdata[1].clone();
        let direct = block_with(&fixture.spec, &tip, tag, vec![transaction], Amount::ZERO);
        let error = submit_error(&fixture, &direct);
        assert_eq!(error.reject_reason(), Some(reason));
        assert!(error.is_invalid());
    }
    assert_eq!(fixture.tip_hash(), ours[2].block_hash());
    fixture.assert_coins_equal_a_replay();
    fixture.open();
    assert_eq!(fixture.tip_hash(), ours[2].block_hash());
    let invalid = fixture
        .reader()
        .tips()
        .into_iter()
        .filter(|t| t.status == TipStatus::Invalid);
    assert!(invalid.count() >= 3);
}

#[test]
fn a_branch_that_is_better_even_without_its_invalid_end_is_activated() {
    let (fixture, base, fork) = mature_chain();
    fixture.extend(&fixture.branch(&fork, 1, 1));
    let (transaction, _) = unconnectable(&base).remove(0);
    let before = fixture.branch(&fork, 2, 2);
    let parent = end(&fork, &before);
    let invalid = block_with(&fixture.spec, &parent, 2, vec![transaction], Amount::ZERO);
    // The bodies come in the wrong order, so that the whole branch is tried at once.
    fixture
        .chain()
        .handle
        .submit_headers(vec![before[0].header])
        .expect("is valid");
    assert_eq!(fixture.submit(&before[1]), Submitted::SideChain);
    assert_eq!(fixture.submit(&invalid), Submitted::SideChain);
    assert_eq!(fixture.submit(&before[0]), Submitted::NewTip);
    assert_eq!(fixture.tip_hash(), before[1].block_hash());
    assert_eq!(
        submit_error(&fixture, &invalid),
        SubmitError::KnownInvalid(invalid.block_hash())
    );
}

#[test]
fn bodies_in_any_order_are_connected_when_they_can_be() {
    let mut fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 12, 0);
    let headers: Vec<_> = blocks.iter().map(|block| block.header).collect();
    let hashes = fixture
        .chain()
        .handle
        .submit_headers(headers.clone())
        .expect("are valid");
    assert_eq!(hashes.last(), Some(&blocks[11].block_hash()));
    assert_eq!(fixture.chain().handle.submit_headers(headers), Ok(hashes));
    assert_eq!(fixture.reader().best_header().hash, blocks[11].block_hash());
    assert_eq!(fixture.reader().tip().height, Height::GENESIS);
    assert_eq!(fixture.reader().missing_blocks(100).len(), 12);

    for n in [7, 3, 11, 1, 2, 10, 9] {
        assert_eq!(fixture.submit(&blocks[n]), Submitted::SideChain);
    }
    let tips = fixture.reader().tips();
    assert_eq!(
        (tips[0].status, tips[0].branch_length),
        (TipStatus::HeadersOnly, 12)
    );
    // The order is remembered.
    fixture.close();
    fixture.open();
    let missing: Vec<_> = fixture
        .reader()
        .missing_blocks(100)
        .iter()
        .map(|(height, _)| height.0)
        .collect();
    assert_eq!(missing, [1, 5, 6, 7, 9]);
    assert_eq!(fixture.submit(&blocks[0]), Submitted::NewTip);
    assert_eq!(fixture.reader().tip().height, Height(4));
    for n in [8, 4, 5, 6] {
        fixture.submit(&blocks[n]);
    }
    assert_eq!(fixture.tip_hash(), blocks[11].block_hash());
    assert!(fixture.reader().missing_blocks(100).is_empty());
    fixture.assert_coins_equal_a_replay();
}

#[test]
fn a_block_is_invalidated_and_reconsidered() {
    let (mut fixture, base, fork) = mature_chain();
    let coin = (
        coinbase_outpoint(&base[0]),
        base[0].txdata[0].output[0].value,
    );
    let ours = dependent_branch(&fixture, &fork, 5, 1, coin);
    fixture.extend(&ours);
    let theirs = fixture.branch(&fork, 2, 2);
    for block in &theirs {
        assert_eq!(fixture.submit(block), Submitted::SideChain);
    }
    let handle = fixture.chain().handle.clone();
    // The branch with less work takes over, though it had been no candidate.
    handle
        .invalidate_block(ours[1].block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), theirs[1].block_hash());
    handle
        .invalidate_block(theirs[0].block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), ours[0].block_hash());
    assert_eq!(fixture.reader().best_header().hash, ours[0].block_hash());
    let behind = fixture.branch(&end(&fork, &ours), 1, 1);
    let error = submit_error(&fixture, &behind[0]);
    assert_eq!(error, SubmitError::InvalidParent(ours[4].block_hash()));
    assert!(!error.is_invalid(), "the peer can't know");

    fixture.close();
    fixture.open();
    assert_eq!(fixture.tip_hash(), ours[0].block_hash());
    let handle = fixture.chain().handle.clone();
    // Reconsidering a descendant is enough.
    handle
        .reconsider_block(ours[3].block_hash())
        .expect("is known");
    assert_eq!(fixture.tip_hash(), ours[4].block_hash());
    let status = |block: &Block| {
        fixture
            .reader()
            .header(&block.block_hash())
            .map(|i| i.status)
    };
    assert_eq!(status(&theirs[1]), Some(BlockStatus::Invalid));
    handle
        .reconsider_block(theirs[0].block_hash())
        .expect("is known");
    assert_eq!(status(&theirs[1]), Some(BlockStatus::Valid));
    assert_eq!(fixture.tip_hash(), ours[4].block_hash());
    fixture.assert_coins_equal_a_replay();
}

#[test]
fn coins_name_the_tip_that_they_belong_to() {
    let (fixture, base, fork) = mature_chain();
    let coin = coinbase_outpoint(&base[0]);
    let value = base[0].txdata[0].output[0].value;
    let before = fixture.reader().coins(&[coin]).expect("reads");
    assert_eq!(before.tip, fixture.reader().tip());
    let found = before.coins.get(&coin).expect("is unspent");
    assert_eq!((found.height, found.is_coinbase), (Height(1), true));
    assert_eq!(
        found.output,
        TxOut {
            value,
            script_pubkey: anyone()
        }
    );

    let pay = spend(&[coin], vec![output(value)]);
    let new = OutPoint {
        txid: pay.compute_txid(),
        vout: 0,
    };
    let block = block_with(&fixture.spec, &fork, 1, vec![pay], Amount::ZERO);
    assert_eq!(fixture.submit(&block), Submitted::NewTip);
    let behind = fixture.reader().coins(&[coin, new]).expect("reads");
    assert_eq!(behind.tip.hash, block.block_hash());
    assert_eq!(behind.coins.keys().collect::<Vec<_>>(), [&new]);
    assert!(!behind.coins[&new].is_coinbase);
    let undo = fixture
        .reader()
        .undo(&block.block_hash())
        .expect("reads")
        .expect("was connected");
    assert_eq!(undo, [(coin, found.clone())]);
}
