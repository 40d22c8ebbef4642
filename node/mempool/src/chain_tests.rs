//! The mempool on a real chain: submitting, mining, reorganisations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pyrite_chain::{Chain, ChainConfig, Clock, Submitted};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, Txid, Witness, script, transaction,
};
use pyrite_consensus::{ChainSpec, Height};
use tempfile::TempDir;

use crate::state::Cursor;
use crate::testing::{open_output, open_transaction, output_of};
use crate::{FeeRate, MempoolConfig, MempoolError, MempoolHandle, PackageError, RemovalReason};

/// Satoshis of the subsidy of regtest's first 150 blocks.
const SUBSIDY: u64 = 5_000_000_000;

const DEADLINE: Duration = Duration::from_secs(30);

struct Fixture {
    chain: Chain,
    mempool: MempoolHandle,
    /// Coinbases of the first blocks, oldest first.
    coinbases: Vec<Transaction>,
    extra_nonce: AtomicU32,
    // Dropped last: the chain lives in it.
    _directory: TempDir,
}

impl Fixture {
    /// A chain in which the coinbases of the first ten blocks can be spent.
    fn new() -> Self {
        Self::with_config(MempoolConfig::default())
    }

    fn with_config(config: MempoolConfig) -> Self {
        Self::with_spec(ChainSpec::regtest(), config)
    }

    fn with_spec(spec: ChainSpec, config: MempoolConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spec = Arc::new(spec);
        let clock = Clock::new(|| 1_700_000_000);
        let chain = Chain::open(ChainConfig {
            spec,
            path: directory.path().join("chain"),
            script_threads: 1,
            clock: clock.clone(),
        })
        .unwrap();
        let mempool = MempoolHandle::new(chain.reader.clone(), clock, config);
        let mut fixture = Self {
            chain,
            mempool,
            coinbases: Vec::new(),
            extra_nonce: AtomicU32::new(0),
            _directory: directory,
        };
        for _ in 0..109 {
            let block = fixture.mine(&[]);
            fixture.coinbases.push(block.txdata[0].clone());
        }
        fixture.mempool.sync().unwrap();
        fixture
    }

    fn tip(&self) -> BlockHash {
        self.chain.reader.tip().hash
    }

    /// A block on `parent`.
    fn build(&self, parent: BlockHash, transactions: &[Transaction]) -> Block {
        let parent = self.chain.reader.header(&parent).unwrap();
        let mut txdata = vec![self.coinbase(parent.height.0 + 1)];
        txdata.extend_from_slice(transactions);
        let header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: parent.hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.header.time + 1,
            bits: parent.header.bits,
            nonce: 0,
        };
        let mut block = Block { header, txdata };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1;
        }
        block
    }

    fn coinbase(&self, height: u32) -> Transaction {
        let extra_nonce = self.extra_nonce.fetch_add(1, Ordering::Relaxed);
        let script_sig = script::Builder::new()
            .push_int(height.into())
            .push_slice(extra_nonce.to_le_bytes())
            .into_script();
        Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig,
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![open_output(SUBSIDY)],
        }
    }

    /// Mines a block on the tip.
    fn mine(&self, transactions: &[Transaction]) -> Block {
        let block = self.build(self.tip(), transactions);
        let submitted = self
            .chain
            .handle
            .submit_block(Arc::new(block.clone()))
            .unwrap();
        assert!(matches!(submitted, Submitted::NewTip));
        block
    }

    /// Makes a branch of these blocks from `parent` the best chain.
    fn overtake(&self, parent: BlockHash, blocks: &[&[Transaction]]) {
        let mut parent = parent;
        for transactions in blocks {
            let block = self.build(parent, transactions);
            parent = block.block_hash();
            self.chain.handle.submit_block(Arc::new(block)).unwrap();
        }
        assert_eq!(self.tip(), parent);
    }

    /// A transaction that spends the coinbase of block `number` + 1.
    fn spend(&self, number: usize, fee: u64) -> Transaction {
        open_transaction(&[output_of(&self.coinbases[number], 0)], &[SUBSIDY - fee])
    }

    fn submit(&self, tx: &Transaction) -> Result<Vec<Txid>, MempoolError> {
        self.mempool
            .submit(Arc::new(tx.clone()))
            .map(|accepted| accepted.replaced)
    }

    fn holds(&self, tx: &Transaction) -> bool {
        self.mempool.contains(&tx.compute_txid())
    }
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.output[0].value.to_sat() - fee;
    open_transaction(&[output_of(parent, 0)], &[value])
}

#[test]
fn what_is_mined_leaves_and_is_known() {
    let fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let dependent = child(&parent, 1_000);
    fixture.submit(&parent).unwrap();
    fixture.submit(&dependent).unwrap();
    let before = fixture.mempool.snapshot();
    assert_eq!(before.tip, fixture.tip());
    assert_eq!(before.entries.len(), 2);
    assert_eq!(before.entries[0].txid, parent.compute_txid());
    assert!(Arc::ptr_eq(&before, &fixture.mempool.snapshot()));

    fixture.mine(std::slice::from_ref(&parent));
    fixture.mempool.sync().unwrap();
    let after = fixture.mempool.snapshot();
    assert_eq!((after.tip, after.entries.len()), (fixture.tip(), 1));
    assert_eq!(after.entries[0].depends, []);
    let changes = fixture.mempool.changes_since(before.sequence);
    assert_eq!(
        changes.removed,
        [(parent.compute_txid(), RemovalReason::Block)]
    );

    fixture.mine(std::slice::from_ref(&dependent));
    assert!(matches!(
        fixture.submit(&dependent),
        Err(MempoolError::AlreadyInChain)
    ));
    assert!(matches!(
        fixture.submit(&parent),
        Err(MempoolError::MissingInputs(_))
    ));
    assert!(fixture.mempool.all_txids().is_empty());
}

#[test]
fn submitting_follows_the_chain_first() {
    let fixture = Fixture::new();
    let first = fixture.spend(0, 1_000);
    fixture.submit(&first).unwrap();
    fixture.mine(&[fixture.spend(0, 2_000)]);
    fixture.submit(&fixture.spend(1, 1_000)).unwrap();
    assert!(!fixture.holds(&first));
    assert_eq!(fixture.mempool.snapshot().tip, fixture.tip());
    assert_eq!(fixture.mempool.info().size, 1);
}

#[test]
fn wrong_scripts_are_refused_and_blamed() {
    let fixture = Fixture::new();
    let mut tx = fixture.spend(0, 1_000);
    tx.input[0].script_sig = script::Builder::new().push_slice([0x52]).into_script();
    let error = fixture.submit(&tx).unwrap_err();
    assert!(matches!(error, MempoolError::Script(_)), "{error:?}");
    assert!(error.is_peer_fault());
    assert!(
        error
            .reject_reason()
            .starts_with("mempool-script-verify-flag-failed (")
    );
    let error = fixture.mempool.test_accept(&tx, None).unwrap_err();
    assert!(matches!(error, MempoolError::Script(_)), "{error:?}");
}

#[test]
fn a_test_takes_nothing() {
    let fixture = Fixture::new();
    let tx = fixture.spend(0, 1_000);
    let sequence = fixture.mempool.snapshot().sequence;
    let accepted = fixture
        .mempool
        .test_accept(&tx, Some(FeeRate(1_000_000)))
        .unwrap();
    assert_eq!((accepted.txid, accepted.vsize), (tx.compute_txid(), 85));
    assert_eq!(fixture.mempool.snapshot().sequence, sequence);
    let error = fixture
        .mempool
        .test_accept(&tx, Some(FeeRate(10_000)))
        .unwrap_err();
    assert!(
        matches!(error, MempoolError::MaxFeeExceeded { .. }),
        "{error:?}"
    );
    fixture
        .mempool
        .test_accept(&tx, Some(FeeRate::ZERO))
        .unwrap();
}

#[test]
fn a_replacement_is_told() {
    let fixture = Fixture::new();
    let first = fixture.spend(0, 1_000);
    fixture.submit(&first).unwrap();
    let outpoint = first.input[0].previous_output;
    assert_eq!(
        fixture.mempool.spender(&outpoint),
        Some(first.compute_txid())
    );
    let cheap = fixture.submit(&fixture.spend(0, 1_001)).unwrap_err();
    assert_eq!(cheap.reject_reason(), "insufficient fee");
    let better = fixture.spend(0, 5_000);
    assert_eq!(fixture.submit(&better).unwrap(), [first.compute_txid()]);
    assert_eq!(
        fixture.mempool.spender(&outpoint),
        Some(better.compute_txid())
    );
}

#[test]
fn transactions_of_a_lost_branch_come_back() {
    let fixture = Fixture::new();
    let fork = fixture.tip();
    let confirmed = fixture.spend(0, 1_000);
    let second = child(&confirmed, 1_000);
    let waiting = child(&second, 1_000);
    fixture.mine(std::slice::from_ref(&confirmed));
    fixture.mine(std::slice::from_ref(&second));
    fixture.submit(&waiting).unwrap();
    let came = fixture.mempool.get(&waiting.compute_txid()).unwrap();
    assert_eq!(came.ancestor_count, 1);
    let before = fixture.mempool.snapshot().sequence;

    fixture.overtake(fork, &[&[], &[], &[]]);
    fixture.mempool.sync().unwrap();
    for tx in [&confirmed, &second, &waiting] {
        assert!(fixture.holds(tx));
    }
    let snapshot = fixture.mempool.snapshot();
    let order: Vec<Txid> = snapshot.entries.iter().map(|entry| entry.txid).collect();
    let expected = [&confirmed, &second, &waiting].map(Transaction::compute_txid);
    assert_eq!(order, expected);
    assert_eq!(snapshot.entries[2].ancestor_count, 3);
    assert_eq!(snapshot.entries[2].sequence, came.sequence);
    let changes = fixture.mempool.changes_since(before);
    let added: Vec<Txid> = changes
        .added
        .iter()
        .map(|(tx, _)| tx.compute_txid())
        .collect();
    assert_eq!(
        (added.as_slice(), changes.removed.len()),
        (&expected[..2], 0)
    );
    // And back into a block.
    fixture.mine(&[confirmed, second, waiting]);
    fixture.mempool.sync().unwrap();
    assert_eq!(fixture.mempool.info().size, 0);
    assert_eq!(fixture.mempool.info().bytes, 0);
    assert_eq!(fixture.mempool.info().usage, 0);
}

#[test]
fn what_the_winning_branch_spends_does_not_come_back() {
    let fixture = Fixture::new();
    let fork = fixture.tip();
    let loser = fixture.spend(0, 1_000);
    let both = fixture.spend(1, 1_000);
    fixture.mine(&[loser.clone(), both.clone()]);
    let orphaned = child(&loser, 1_000);
    let mined_there = fixture.spend(2, 1_000);
    for tx in [&orphaned, &mined_there] {
        fixture.submit(tx).unwrap();
    }
    let before = fixture.mempool.snapshot().sequence;

    let winner = fixture.spend(0, 2_000);
    fixture.overtake(fork, &[&[winner], &[both.clone(), mined_there.clone()]]);
    fixture.mempool.sync().unwrap();
    for tx in [&loser, &both, &orphaned, &mined_there] {
        assert!(!fixture.holds(tx));
    }
    let mut removed = fixture.mempool.changes_since(before).removed;
    removed.sort_unstable_by_key(|(_, reason)| *reason == RemovalReason::Conflict);
    assert_eq!(
        removed,
        [
            (mined_there.compute_txid(), RemovalReason::Block),
            (orphaned.compute_txid(), RemovalReason::Conflict)
        ]
    );
}

#[test]
fn a_coinbase_that_is_not_mature_any_more_drops_its_spender() {
    let fixture = Fixture::new();
    // The next block is 110: the tenth coinbase is just mature, and what spends it is valid.
    let young = fixture.spend(9, 1_000);
    let dependent = child(&young, 1_000);
    let old = fixture.spend(0, 1_000);
    for tx in [&young, &dependent, &old] {
        fixture.submit(tx).unwrap();
    }
    let before = fixture.mempool.snapshot().sequence;
    fixture
        .chain
        .handle
        .invalidate_block(fixture.tip())
        .unwrap();
    fixture.mempool.sync().unwrap();
    assert!(!fixture.holds(&young));
    assert!(!fixture.holds(&dependent));
    assert!(fixture.holds(&old));
    let reorg = RemovalReason::Reorg;
    assert_eq!(
        fixture.mempool.changes_since(before).removed,
        [
            (young.compute_txid(), reorg),
            (dependent.compute_txid(), reorg)
        ]
    );
    let error = fixture.submit(&young).unwrap_err();
    assert_eq!(
        error.reject_reason(),
        "bad-txns-premature-spend-of-coinbase"
    );
    assert!(!error.is_peer_fault());
}

#[test]
fn a_nonstandard_transaction_comes_back_only_where_it_is_taken() {
    for accept_nonstandard in [false, true] {
        let config = MempoolConfig {
            accept_nonstandard,
            ..MempoolConfig::default()
        };
        let fixture = Fixture::with_config(config);
        let mut odd = fixture.spend(0, 1_000);
        odd.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 5]);
        let mined = fixture.mine(std::slice::from_ref(&odd));
        fixture.mempool.sync().unwrap();
        fixture
            .chain
            .handle
            .invalidate_block(mined.block_hash())
            .unwrap();
        fixture.mempool.sync().unwrap();
        assert_eq!(fixture.holds(&odd), accept_nonstandard);
    }
}

#[test]
fn a_deployment_that_begins_drops_what_breaks_it() {
    let mut spec = ChainSpec::regtest();
    spec.deployments.segwit = 112;
    spec.deployments.taproot = 112;
    let fixture = Fixture::with_spec(spec, MempoolConfig::default());
    // To a rule that does not know witness programs, anyone can spend this.
    let mut lock = fixture.spend(0, 1_000);
    lock.output[0].script_pubkey = Script::from_bytes(&[0x51]).to_p2wsh();
    let mut key = child(&lock, 1_000);
    key.input[0].script_sig = ScriptBuf::new();
    fixture.mine(std::slice::from_ref(&lock));
    fixture.submit(&key).unwrap();
    let other = fixture.spend(1, 1_000);
    fixture.submit(&other).unwrap();
    let before = fixture.mempool.snapshot().sequence;

    fixture.mine(&[]); // block 111: the next one is the first with witnesses
    fixture.mempool.sync().unwrap();
    assert!(!fixture.holds(&key));
    assert!(fixture.holds(&other));
    assert_eq!(
        fixture.mempool.changes_since(before).removed,
        [(key.compute_txid(), RemovalReason::Reorg)]
    );
    assert!(matches!(fixture.submit(&key), Err(MempoolError::Script(_))));
    key.input[0].witness = Witness::from_slice(&[[0x51]]);
    fixture.submit(&key).unwrap();
}

#[test]
fn an_unknown_cursor_has_everything_checked_anew() {
    let fixture = Fixture::new();
    let mined = fixture.spend(0, 1_000);
    let waiting = fixture.spend(1, 1_000);
    let conflicting = fixture.spend(2, 1_000);
    for tx in [&mined, &waiting, &conflicting] {
        fixture.submit(tx).unwrap();
    }
    fixture.mine(&[mined.clone(), fixture.spend(2, 2_000)]);
    let before = {
        let writer = fixture.mempool.writer();
        fixture.mempool.change(&writer, |state| {
            let cursor = Cursor {
                hash: BlockHash::hash(b"elsewhere"),
                height: Height(7),
            };
            state.move_cursor(cursor, 0);
            state.sequence
        })
    };
    fixture.mempool.sync().unwrap();
    assert_eq!(fixture.mempool.snapshot().tip, fixture.tip());
    assert_eq!(fixture.mempool.all_txids(), [waiting.compute_txid()]);
    let mut removed = fixture.mempool.changes_since(before).removed;
    removed.sort_unstable_by_key(|(_, reason)| *reason == RemovalReason::Conflict);
    assert_eq!(
        removed,
        [
            (mined.compute_txid(), RemovalReason::Block),
            (conflicting.compute_txid(), RemovalReason::Conflict)
        ]
    );
}

#[test]
fn what_comes_back_keeps_the_bound() {
    let fixture = Fixture::new();
    let usage = {
        fixture.submit(&fixture.spend(9, 1_000)).unwrap();
        fixture.mempool.info().usage
    };
    let config = MempoolConfig {
        max_bytes: 3 * usage,
        ..MempoolConfig::default()
    };
    let fixture = Fixture::with_config(config);
    let fees = [3_000, 1_000, 5_000];
    let mined: Vec<Transaction> = fees
        .iter()
        .enumerate()
        .map(|(number, fee)| fixture.spend(number, *fee))
        .collect();
    let block = fixture.mine(&mined);
    let entries = [fixture.spend(3, 4_000), fixture.spend(4, 2_000)];
    for tx in &entries {
        fixture.submit(tx).unwrap();
    }
    let before = fixture.mempool.snapshot().sequence;
    fixture
        .chain
        .handle
        .invalidate_block(block.block_hash())
        .unwrap();
    fixture.mempool.sync().unwrap();
    let info = fixture.mempool.info();
    assert!(info.usage <= info.max_bytes);
    assert_eq!(info.size, 3);
    for kept in [&mined[0], &mined[2], &entries[0]] {
        assert!(fixture.holds(kept));
    }
    let evicted = [(entries[1].compute_txid(), RemovalReason::SizeLimit)];
    assert_eq!(fixture.mempool.changes_since(before).removed, evicted);
    assert!(info.min_fee > FeeRate::of(Amount::from_sat(2_000), 85));
}

#[test]
fn submitting_while_blocks_come_loses_nothing() {
    let fixture = Fixture::new();
    let transactions: Vec<Transaction> =
        (0..9).map(|number| fixture.spend(number, 1_000)).collect();
    thread::scope(|scope| {
        for chunk in transactions.chunks(3) {
            let fixture = &fixture;
            scope.spawn(move || {
                for tx in chunk {
                    fixture.submit(tx).unwrap();
                    fixture.submit(&child(tx, 2_000)).unwrap();
                }
            });
        }
        for _ in 0..20 {
            fixture.mine(&[]);
        }
    });
    fixture.mempool.sync().unwrap();
    let snapshot = fixture.mempool.snapshot();
    assert_eq!((snapshot.entries.len(), snapshot.tip), (18, fixture.tip()));
    let block: Vec<Transaction> = snapshot
        .entries
        .iter()
        .map(|entry| Transaction::clone(&entry.tx))
        .collect();
    fixture.mine(&block);
    fixture.mempool.sync().unwrap();
    assert!(fixture.mempool.all_txids().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_follower_follows_until_it_is_told_to_stop() {
    let fixture = tokio::task::spawn_blocking(Fixture::new).await.unwrap();
    let fixture = Arc::new(fixture);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let follower = tokio::spawn(fixture.mempool.clone().run(async {
        let _ = stopped.await;
    }));
    let mut changes = fixture.mempool.watch();
    let miner = Arc::clone(&fixture);
    let block = tokio::task::spawn_blocking(move || miner.mine(&[]))
        .await
        .unwrap();
    let followed = async {
        while fixture.mempool.snapshot().tip != block.block_hash() {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, followed).await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(DEADLINE, follower)
        .await
        .unwrap()
        .unwrap();
}

#[test]
fn a_package_is_judged_in_order_and_not_taken() {
    let fixture = Fixture::new();
    let parent = fixture.spend(0, 1_000);
    let dependent = child(&parent, 2_000);
    let package = [parent.clone(), dependent.clone()];
    let outcome = fixture.mempool.test_accept_package(&package).unwrap();
    let fees: Vec<u64> = outcome
        .into_iter()
        .map(|judged| judged.unwrap().unwrap().fee.to_sat())
        .collect();
    assert_eq!(fees, [1_000, 2_000]);
    assert!(!fixture.holds(&parent) && !fixture.holds(&dependent));

    // The first that fails is named; what was not judged fully is not.
    let cheap = child(&parent, 0);
    let outcome = fixture
        .mempool
        .test_accept_package(&[parent.clone(), cheap])
        .unwrap();
    assert!(outcome[0].is_none());
    assert!(matches!(
        outcome[1],
        Some(Err(MempoolError::BelowMinRelayFee { .. }))
    ));

    let mut unsigned = dependent.clone();
    unsigned.input[0].script_sig = script::Builder::new().push_slice([0x00]).into_script();
    let outcome = fixture
        .mempool
        .test_accept_package(&[parent.clone(), unsigned])
        .unwrap();
    assert!(matches!(outcome[0], Some(Ok(_))));
    assert!(matches!(outcome[1], Some(Err(MempoolError::Script(_)))));
}

#[test]
fn a_package_replaces_nothing_and_keeps_the_limits() {
    let fixture = Fixture::new();
    let standing = fixture.spend(0, 1_000);
    fixture.submit(&standing).unwrap();
    let outcome = fixture
        .mempool
        .test_accept_package(&[fixture.spend(0, 9_000), fixture.spend(1, 1_000)])
        .unwrap();
    assert!(matches!(
        outcome[0],
        Some(Err(MempoolError::ReplacementDisallowed))
    ));
    assert!(outcome[1].is_none());

    let mut last = fixture.spend(1, 1_000);
    fixture.submit(&last).unwrap();
    for _ in 1..24 {
        last = child(&last, 1_000);
        fixture.submit(&last).unwrap();
    }
    let next = child(&last, 1_000);
    let package = [next.clone(), child(&next, 1_000)];
    assert_eq!(
        fixture.mempool.test_accept_package(&package).unwrap_err(),
        PackageError::MempoolLimits
    );
    fixture.mine(&[]);
    assert!(
        fixture
            .mempool
            .test_accept_package(&package[..1])
            .unwrap()
            .iter()
            .all(|judged| matches!(judged, Some(Ok(_))))
    );
}
