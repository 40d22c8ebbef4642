//! What is refused and why, and that a refusal leaves no trace where it must not.

mod support;

use std::sync::Arc;

use pyrite_chain::{MAX_BLOCKS_AHEAD, SubmitError, Submitted};
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut};
use pyrite_consensus::script::ScriptFailure;
use pyrite_consensus::{
    BlockError, HeaderError, Height, ProposedBlock, ProposedTransaction, ScriptError,
    TransactionError,
};
use support::{
    FEE, Fixture, Parent, block_on, block_with, coinbase_outpoint, mature_chain, nobody, output,
    seal, spend, submit_error,
};

#[test]
fn scripts_are_verified() {
    let (fixture, base, fork) = mature_chain();
    let coin = coinbase_outpoint(&base[0]);
    let value = base[0].txdata[0].output[0].value;
    let to_nobody = TxOut {
        value,
        script_pubkey: nobody(),
    };
    let make = spend(&[coin], vec![to_nobody]);
    let locked = OutPoint {
        txid: make.compute_txid(),
        vout: 0,
    };
    let block = block_with(&fixture.spec, &fork, 1, vec![make], Amount::ZERO);
    assert_eq!(fixture.submit(&block), Submitted::NewTip);

    // With other transactions beside it, so that several threads work.
    let take = spend(&[locked], vec![output(value)]);
    let txid = take.compute_txid();
    let mut transactions: Vec<_> = base[1..5]
        .iter()
        .map(|block| spend(&[coinbase_outpoint(block)], vec![output(value)]))
        .collect();
    transactions.insert(2, take);
    let parent = Parent::tip(fixture.reader());
    let block = block_with(&fixture.spec, &parent, 1, transactions, Amount::ZERO);
    let error = submit_error(&fixture, &block);
    let expected = SubmitError::Block(BlockError::Script(ScriptError::Failed {
        txid,
        input: 0,
        failure: ScriptFailure::Verify,
    }));
    assert_eq!(error, expected);
    assert_eq!(
        error.reject_reason(),
        Some("block-script-verify-flag-failed")
    );
    assert_eq!(fixture.tip_hash(), parent.hash);
}

#[test]
fn a_body_far_above_the_tip_is_refused_while_its_parent_is_missing() {
    let fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), MAX_BLOCKS_AHEAD + 1, 0);
    let headers = blocks.iter().map(|block| block.header).collect();
    fixture
        .chain()
        .handle
        .submit_headers(headers)
        .expect("are valid");
    let far = blocks.last().expect("has blocks");
    let error = submit_error(&fixture, far);
    let expected = SubmitError::TooFarAhead {
        hash: far.block_hash(),
        height: Height(MAX_BLOCKS_AHEAD + 1),
        tip: Height::GENESIS,
    };
    assert_eq!(error, expected);
    assert!(!error.is_invalid());
    let window = usize::try_from(MAX_BLOCKS_AHEAD).expect("fits");
    assert_eq!(fixture.reader().missing_blocks(10_000).len(), window);
    assert_eq!(fixture.submit(&blocks[window - 1]), Submitted::SideChain);
    assert_eq!(fixture.submit(&blocks[0]), Submitted::NewTip);
    assert_eq!(fixture.submit(far), Submitted::SideChain);
}

#[test]
fn headers_are_checked() {
    let fixture = Fixture::new();
    let blocks = fixture.branch(&fixture.genesis(), 3, 0);
    let handle = &fixture.chain().handle;
    let unknown = submit_error(&fixture, &blocks[1]);
    assert_eq!(unknown, SubmitError::UnknownParent(blocks[0].block_hash()));
    assert!(!unknown.is_invalid());

    let mut late = blocks[1].clone();
    late.header.time += 30 * 24 * 3600;
    seal(&mut late);
    let result = handle.submit_headers(vec![blocks[0].header, late.header, blocks[1].header]);
    let error = result.expect_err("is refused");
    assert!(
        matches!(error, SubmitError::Header(HeaderError::TimeTooNew { .. })),
        "{error:?}"
    );
    assert!(!error.is_invalid());
    // What came before the invalid one was kept, what came after it was not.
    assert!(fixture.reader().header(&blocks[0].block_hash()).is_some());
    assert!(fixture.reader().header(&blocks[1].block_hash()).is_none());

    let mut weak = blocks[1].header;
    let target = weak.target();
    while target.is_met_by(weak.block_hash()) {
        weak.nonce += 1;
    }
    let error = handle.submit_headers(vec![weak]).expect_err("is refused");
    assert!(
        matches!(error, SubmitError::Header(HeaderError::HighHash { .. })),
        "{error:?}"
    );
    assert!(error.is_invalid());
    assert!(fixture.reader().header(&weak.block_hash()).is_none());
}

#[test]
fn a_mutated_block_does_not_spoil_the_real_one() {
    let (fixture, base, fork) = mature_chain();
    let value = base[0].txdata[0].output[0].value;
    let transactions: Vec<_> = base[..2]
        .iter()
        .map(|block| spend(&[coinbase_outpoint(block)], vec![output(value)]))
        .collect();
    let block = block_with(&fixture.spec, &fork, 1, transactions, Amount::ZERO);
    let mut repeated = block.clone();
    repeated.txdata.push(block.txdata[2].clone());
    assert_eq!(repeated.block_hash(), block.block_hash());
    let error = submit_error(&fixture, &repeated);
    assert_eq!(error, SubmitError::Block(BlockError::RepeatedTransactions));
    let mut stripped = block.clone();
    stripped.txdata.pop();
    let error = submit_error(&fixture, &stripped);
    assert!(
        matches!(error, SubmitError::Block(BlockError::MerkleRoot { .. })),
        "{error:?}"
    );
    assert!(!fixture.reader().has_block(&block.block_hash()));
    assert_eq!(fixture.submit(&block), Submitted::NewTip);
}

#[test]
fn a_block_that_is_invalid_by_itself_is_remembered() {
    let mut fixture = Fixture::new();
    let mut block = block_on(&fixture.spec, &fixture.genesis(), 0);
    let second = block_on(&fixture.spec, &fixture.genesis(), 1)
        .txdata
        .remove(0);
    block.txdata.push(second);
    seal(&mut block);
    let error = submit_error(&fixture, &block);
    assert_eq!(
        error,
        SubmitError::Block(BlockError::CoinbaseMultiple { index: 1 })
    );
    fixture.close();
    fixture.open();
    assert_eq!(
        submit_error(&fixture, &block),
        SubmitError::KnownInvalid(block.block_hash())
    );
    assert_eq!(fixture.reader().best_header().height, Height::GENESIS);
}

#[test]
fn unknown_blocks_and_the_genesis_block_can_not_be_named() {
    let fixture = Fixture::new();
    let handle = &fixture.chain().handle;
    let hash = block_on(&fixture.spec, &fixture.genesis(), 0).block_hash();
    let unknown = Err(SubmitError::UnknownBlock(hash));
    assert_eq!(handle.invalidate_block(hash), unknown);
    assert_eq!(handle.reconsider_block(hash), unknown);
    assert_eq!(handle.precious_block(hash), unknown);
    assert_eq!(
        handle.invalidate_block(fixture.spec.genesis_hash()),
        Err(SubmitError::Genesis)
    );
}

#[test]
fn proposals_are_checked_without_proof_of_work_and_not_stored() {
    let (fixture, base, fork) = mature_chain();
    let handle = &fixture.chain().handle;
    let coin = coinbase_outpoint(&base[0]);
    let value = base[0].txdata[0].output[0].value;
    let pay = spend(&[coin], vec![output(value)]);
    let mut block = block_with(&fixture.spec, &fork, 1, vec![pay.clone()], Amount::ZERO);
    while block.header.target().is_met_by(block.block_hash()) {
        block.header.nonce += 1;
    }
    assert_eq!(handle.check_proposal(Arc::new(block.clone())), Ok(()));
    assert!(fixture.reader().header(&block.block_hash()).is_none());
    assert_eq!(fixture.tip_hash(), fork.hash);

    let twice = spend(&[coin], vec![output(value - FEE)]);
    let invalid = block_with(&fixture.spec, &fork, 1, vec![pay, twice], Amount::ZERO);
    let error = handle
        .check_proposal(Arc::new(invalid))
        .expect_err("is refused");
    let is_missing = matches!(
        error,
        SubmitError::Block(BlockError::Transaction {
            index: 2,
            error: TransactionError::MissingInput { .. },
            ..
        })
    );
    assert!(is_missing, "{error:?}");

    let greedy = block_with(&fixture.spec, &fork, 1, vec![], FEE);
    let error = handle
        .check_proposal(Arc::new(greedy))
        .expect_err("is refused");
    assert_eq!(error.reject_reason(), Some("bad-cb-amount"));

    block.header.time = base[0].header.time;
    let error = handle
        .check_proposal(Arc::new(block))
        .expect_err("is refused");
    assert_eq!(error.reject_reason(), Some("time-too-old"));

    let elsewhere = block_on(&fixture.spec, &fixture.genesis(), 1);
    let error = handle
        .check_proposal(Arc::new(elsewhere))
        .expect_err("is refused");
    assert_eq!(error.reject_reason(), Some("inconclusive-not-best-prevblk"));
}

#[test]
fn what_was_checked_of_a_proposal_is_not_what_the_next_one_adds() {
    let (fixture, base, fork) = mature_chain();
    let handle = &fixture.chain().handle;
    let value = base[0].txdata[0].output[0].value;
    let coin = |number: usize| coinbase_outpoint(&base[number]);
    let pay = |number: usize| spend(&[coin(number)], vec![output(value)]);
    let to_nobody = TxOut {
        value,
        script_pubkey: nobody(),
    };
    let make = spend(&[coin(1)], vec![to_nobody]);
    let take = OutPoint {
        txid: make.compute_txid(),
        vout: 0,
    };
    let check = |rest: Vec<Transaction>| {
        let start = vec![pay(0), make.clone()];
        let payments = start.into_iter().chain(rest).collect();
        let block = block_with(&fixture.spec, &fork, 1, payments, Amount::ZERO);
        let transactions = block.txdata.into_iter().map(ProposedTransaction::new);
        let proposed = ProposedBlock::new(block.header, transactions).with_settled(2);
        handle.check_proposed(&proposed)
    };
    assert_eq!(check(vec![pay(2)]), Ok(()));
    assert_eq!(check(vec![pay(3), pay(4)]), Ok(()));
    let reason = |rest| {
        let error: SubmitError = check(rest).expect_err("is refused");
        error.reject_reason().map(str::to_owned)
    };
    let missing = Some("bad-txns-inputs-missingorspent".to_owned());
    // What the checked part spends, and what nobody has.
    let again = spend(&[coin(0)], vec![output(value - FEE)]);
    assert_eq!(reason(vec![again.clone()]), missing);
    assert_eq!(reason(vec![pay(3), again]), missing);
    // What the checked part made, under a script that nobody can satisfy.
    let stolen = spend(&[take], vec![output(value)]);
    let failed = reason(vec![pay(3), stolen]).unwrap();
    assert!(failed.contains("script"), "{failed}");
    assert_eq!(check(vec![pay(5)]), Ok(()));
}
