//! Scripts that are assumed to be valid are not verified, and all others are.

mod support;

use std::sync::Arc;

use pyrite_chain::{Chain, ChainConfig, SubmitError};
use pyrite_consensus::bitcoin::{Amount, Block, OutPoint, TxOut};
use pyrite_consensus::{BlockError, ChainSpec};
use support::{
    Parent, after, block_on, block_with, coinbase_outpoint, config, nobody, output, spend,
};

/// A chain whose last block but one spends what nobody can.
fn chain_with_a_bad_script(spec: &ChainSpec) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut parent = Parent::genesis(spec);
    for _ in 0..101 {
        let block = block_on(spec, &parent, 0);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    let prepared = spend(
        &[coinbase_outpoint(&blocks[0])],
        vec![TxOut {
            value: Amount::from_sat(1_000_000),
            script_pubkey: nobody(),
        }],
    );
    let outpoint = OutPoint::new(prepared.compute_txid(), 0);
    let taken = spend(&[outpoint], vec![output(Amount::from_sat(1_000))]);
    for transactions in [vec![prepared], vec![taken], Vec::new()] {
        let block = block_with(spec, &parent, 0, transactions, Amount::ZERO);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    blocks
}

fn submit_all(chain: &Chain, blocks: &[Block]) -> Result<(), SubmitError> {
    for block in blocks {
        chain.handle.submit_block(Arc::new(block.clone()))?;
    }
    Ok(())
}

#[test]
fn scripts_below_an_assumed_block_are_not_verified_if_its_headers_are_the_best() {
    let spec = Arc::new(ChainSpec::regtest());
    let blocks = chain_with_a_bad_script(&spec);
    let headers: Vec<_> = blocks.iter().map(|block| block.header).collect();
    let last = blocks[blocks.len() - 1].block_hash();
    let open = |assume_valid| {
        let directory = tempfile::tempdir().expect("makes a directory");
        let config = ChainConfig {
            assume_valid,
            ..config(&spec, directory.path())
        };
        (Chain::open(config).expect("opens"), directory)
    };
    let is_refused = |result| matches!(result, Err(SubmitError::Block(BlockError::Script(_))));

    let (chain, _directory) = open(None);
    assert!(is_refused(submit_all(&chain, &blocks)));

    // Its header is not known yet.
    let (chain, _directory) = open(Some(last));
    assert!(is_refused(submit_all(&chain, &blocks)));

    let (chain, _directory) = open(Some(last));
    chain
        .handle
        .submit_headers(headers.clone())
        .expect("are valid");
    submit_all(&chain, &blocks).expect("is assumed to be valid");
    assert_eq!(chain.reader.tip().hash, last);

    // The block before the bad one says nothing about it.
    let (chain, _directory) = open(Some(blocks[101].block_hash()));
    chain
        .handle
        .submit_headers(headers.clone())
        .expect("are valid");
    assert!(is_refused(submit_all(&chain, &blocks)));

    // A chain of headers with more work makes it one that nobody else follows.
    let (chain, _directory) = open(Some(last));
    chain.handle.submit_headers(headers).expect("are valid");
    let rival = support::branch(
        &spec,
        &Parent::at(&chain.reader, &blocks[100].block_hash()),
        4,
        9,
    );
    let rival = rival.iter().map(|block| block.header).collect();
    chain.handle.submit_headers(rival).expect("are valid");
    assert!(is_refused(submit_all(&chain, &blocks)));
}
