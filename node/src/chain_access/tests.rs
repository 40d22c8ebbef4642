//! What peers get from us, and which of their blocks we take.

use std::io::Cursor;

use pyrite_chain::{Chain, ChainConfig, LoadChecks};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::Amount;
use pyrite_consensus::spec::AssumeUtxo;
use pyrite_mempool::{MempoolConfig, OrphanPool};

use super::*;
use crate::test_chain::{self, solved};

struct Fixture {
    chain: Chain,
    access: NodeChainAccess,
    _directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::of(ChainSpec::regtest())
    }

    fn of(spec: ChainSpec) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = ChainConfig {
            spec: Arc::new(spec),
            ..test_chain::config(&directory.path().join("database"))
        };
        let clock = config.clock.clone();
        let chain = Chain::open(config).unwrap();
        let reader = chain.reader.clone();
        let mempool = MempoolHandle::new(reader.clone(), clock.clone(), MempoolConfig::default());
        let (relay, _) = Relay::new(
            reader.clone(),
            mempool.clone(),
            OrphanPool::default(),
            clock,
        );
        let access = NodeChainAccess {
            chain: chain.handle.clone(),
            mempool,
            relay,
            reader,
        };
        Self {
            chain,
            access,
            _directory: directory,
        }
    }

    fn genesis(&self) -> BlockHash {
        self.chain.reader.spec().genesis_hash()
    }

    /// A valid block on `parent`; the tag tells it from others there.
    fn block_on(&self, parent: &BlockHash, tag: u64) -> Block {
        test_chain::block_on(&self.chain, parent, tag)
    }

    /// Submits so many blocks, each on the one before and each the new tip; returns the last.
    fn extend(&self, parent: BlockHash, count: u32, tag: u64) -> BlockHash {
        (0..count).fold(parent, |parent, _| {
            let block = self.block_on(&parent, tag);
            let hash = block.block_hash();
            assert_eq!(self.access.submit_block(block), Verdict::Accept);
            hash
        })
    }
}

fn is_ignored(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Ignore(_))
}

#[test]
fn an_invalid_block_that_is_stored_is_not_given_to_peers() {
    let fixture = Fixture::new();
    let (access, genesis) = (&fixture.access, fixture.genesis());
    let mut invalid = fixture.block_on(&genesis, 1);
    invalid.txdata[0].output[0].value += Amount::from_sat(1);
    invalid.header.merkle_root = invalid.compute_merkle_root().unwrap();
    let invalid = solved(invalid);
    let hash = invalid.block_hash();
    let verdict = access.submit_block(invalid);
    assert!(matches!(verdict, Verdict::Reject(_)), "{verdict:?}");
    assert!(access.has_block(&hash), "it is stored");
    assert_eq!(access.block(&hash), None);
    assert!(access.block(&genesis).is_some());
}

#[test]
fn a_block_that_was_not_connected_is_neither_passed_on_nor_given_to_peers() {
    let fixture = Fixture::new();
    let (access, genesis) = (&fixture.access, fixture.genesis());
    let tip = fixture.extend(genesis, 1, 1);
    let sibling = fixture.block_on(&genesis, 2);
    let hash = sibling.block_hash();
    assert!(is_ignored(&access.submit_block(sibling)));
    assert!(access.has_block(&hash), "it has as much work as the tip");
    assert_eq!(access.block(&hash), None);
    assert!(access.block(&tip).is_some());

    fixture.extend(hash, 1, 2);
    assert!(access.block(&hash).is_some(), "it is valid now");
    assert!(access.block(&tip).is_some(), "and the other still is");
}

#[test]
fn a_block_with_less_work_is_stored_only_for_the_best_header_chain() {
    let fixture = Fixture::new();
    let (access, genesis) = (&fixture.access, fixture.genesis());
    fixture.extend(genesis, 3, 1);
    let spam = fixture.block_on(&genesis, 2);
    let hash = spam.block_hash();
    assert!(is_ignored(&access.submit_block(spam.clone())));
    assert!(!access.has_block(&hash));

    // The same block is taken once headers show that it leads to more work.
    let elsewhere = Fixture::new();
    assert_eq!(elsewhere.access.submit_block(spam.clone()), Verdict::Accept);
    elsewhere.extend(hash, 3, 2);
    let headers = elsewhere.access.headers_after(&[genesis], 10);
    assert_eq!(access.submit_headers(headers), Verdict::Accept);
    assert_eq!(access.missing_blocks(1), [hash]);
    access.submit_block(spam);
    assert!(access.has_block(&hash));
}

/// Regtest with a block whose coins are known.
fn with_coins_of(entry: AssumeUtxo) -> ChainSpec {
    ChainSpec {
        assume_utxo: vec![entry],
        ..ChainSpec::regtest()
    }
}

#[test]
fn blocks_below_a_snapshot_are_asked_for_after_those_above() {
    let source = Fixture::new();
    let genesis = source.genesis();
    let base = source.extend(genesis, 3, 1);
    let mut file = Cursor::new(Vec::new());
    let dump = source
        .chain
        .handle
        .dump_snapshot(None, &mut file, &|| false);
    let dump = dump.unwrap();
    source.extend(base, 2, 1);
    let headers = source.access.headers_after(&[genesis], 10);
    let hashes: Vec<_> = headers.iter().map(Header::block_hash).collect();

    let fixture = Fixture::of(with_coins_of(AssumeUtxo {
        height: dump.height,
        block_hash: base,
        coins_hash: dump.coins_hash,
        chain_tx_count: dump.chain_tx_count,
    }));
    let access = &fixture.access;
    assert_eq!(access.submit_headers(headers), Verdict::Accept);
    assert!(access.background_blocks(10).is_empty());
    let checks = LoadChecks {
        is_mempool_empty: &|| true,
        is_interrupted: &|| false,
    };
    let handle = &fixture.chain.handle;
    handle
        .load_snapshot(&mut &file.get_ref()[..], checks)
        .unwrap();
    assert_eq!(access.missing_blocks(10), hashes[3..]);
    assert_eq!(access.background_blocks(10), hashes[..3]);
    assert_eq!(access.background_blocks(1), hashes[..1]);

    // Taken, though it has less work than the tip; and nobody gets it from us before it is validated.
    let last = source.chain.reader.block(&base).unwrap().unwrap();
    assert!(is_ignored(&access.submit_block(last)));
    assert!(access.has_block(&base));
    assert_eq!(access.block(&base), None);
    assert_eq!(access.background_blocks(10), hashes[..2]);
}
