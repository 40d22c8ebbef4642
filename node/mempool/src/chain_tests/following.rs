//! Following the chain: blocks, reorganisations, deployments.

use std::sync::Arc;
use std::time::Duration;

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, BlockHash, Script, ScriptBuf, Sequence, Transaction, Txid, Witness,
};
use pyrite_consensus::{ChainSpec, Height};

use super::fixture::{Fixture, child};
use crate::state::Cursor;
use crate::{FeeRate, MempoolConfig, MempoolError, RemovalReason};

const DEADLINE: Duration = Duration::from_secs(30);

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
    let details = fixture.mempool.details(&dependent.compute_txid()).unwrap();
    assert_eq!(details.depends, []);
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
fn transactions_of_a_lost_branch_come_back() {
    let fixture = Fixture::new();
    let fork = fixture.tip();
    let confirmed = fixture.spend(0, 1_000);
    let second = child(&confirmed, 1_000);
    let waiting = child(&second, 1_000);
    fixture.mine(std::slice::from_ref(&confirmed));
    fixture.mine(std::slice::from_ref(&second));
    fixture.submit(&waiting).unwrap();
    let came = fixture.mempool.details(&waiting.compute_txid()).unwrap();
    assert_eq!(came.ancestors.count, 1);
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
    let back = fixture.mempool.details(&waiting.compute_txid()).unwrap();
    assert_eq!(back.ancestors.count, 3);
    assert_eq!(back.entry.sequence, came.entry.sequence);
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
    spec.deployments.csv = 112;
    let fixture = Fixture::with_spec(spec, MempoolConfig::default());
    let parent = fixture.spend(0, 1_000);
    fixture.mine(std::slice::from_ref(&parent));
    // Ten blocks after its parent's, to who knows relative locks.
    let mut locked = child(&parent, 1_000);
    locked.input[0].sequence = Sequence::from_height(10);
    fixture.submit(&locked).unwrap();
    let other = fixture.spend(1, 1_000);
    fixture.submit(&other).unwrap();
    let before = fixture.mempool.snapshot().sequence;

    fixture.mine(&[]); // block 111: the next one is the first with relative locks
    fixture.mempool.sync().unwrap();
    assert!(!fixture.holds(&locked));
    assert!(fixture.holds(&other));
    assert_eq!(
        fixture.mempool.changes_since(before).removed,
        [(locked.compute_txid(), RemovalReason::Reorg)]
    );
    let error = fixture.submit(&locked).unwrap_err();
    assert_eq!(error.reject_reason(), "non-BIP68-final");
}

#[test]
fn scripts_of_later_deployments_are_held_to_their_rules() {
    let mut spec = ChainSpec::regtest();
    spec.deployments.segwit = 112;
    spec.deployments.taproot = 112;
    let fixture = Fixture::with_spec(spec, MempoolConfig::default());
    // Anyone can spend this in a block before 112.
    let mut lock = fixture.spend(0, 1_000);
    lock.output[0].script_pubkey = Script::from_bytes(&[0x51]).to_p2wsh();
    let mut key = child(&lock, 1_000);
    key.input[0].script_sig = ScriptBuf::new();
    fixture.mine(std::slice::from_ref(&lock));
    let error = fixture.submit(&key).unwrap_err();
    assert!(
        matches!(error, MempoolError::NonStandardScript(_)),
        "{error:?}"
    );
    assert!(!error.is_peer_fault());

    fixture.mine(&[]); // block 111
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
    let evicted = [&mined[1], &entries[1]].map(|tx| (tx.compute_txid(), RemovalReason::SizeLimit));
    assert_eq!(fixture.mempool.changes_since(before).removed, evicted);
    assert!(info.min_fee > FeeRate::of(Amount::from_sat(2_000), 85));
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
