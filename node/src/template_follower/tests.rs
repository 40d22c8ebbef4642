//! What is published when, on a real chain and mempool.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyrite_chain::{Chain, ChainConfig, ChainHandle, SubmitError};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, transaction,
};
use pyrite_consensus::connect::genesis_coins;
use pyrite_consensus::spec::Allocation;
use pyrite_consensus::{BlockContents, BlockError, ChainSpec, ProposedBlock};
use pyrite_mempool::{MempoolConfig, MempoolHandle};
use pyrite_miner::{Template, TemplateOptions, WorkSource};
use tempfile::TempDir;
use tokio::sync::watch;

use super::follower::{Check, TemplateFollower};
use crate::test_chain::{block_on, config};

const DEADLINE: Duration = Duration::from_secs(60);
const COINS: usize = 60;

/// A chain with coins that anybody may spend, a mempool and a follower, whose tasks do not run by themselves.
struct Scene {
    follower: Arc<TemplateFollower>,
    mempool: MempoolHandle,
    coins: Mutex<Vec<(OutPoint, TxOut)>>,
    chain: Chain,
    _directory: TempDir,
}

fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

impl Scene {
    fn new() -> Self {
        Self::with_check(ChainHandle::check_proposed)
    }

    fn with_check(check: Check) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut chain_config: ChainConfig = config(&directory.path().join("chain"));
        let allocation = Allocation {
            script_pubkey: anyone().to_p2wsh(),
            value: Amount::from_sat(100_000),
        };
        let time = chain_config.spec.genesis.time;
        let regtest = ChainSpec::regtest();
        let spec = regtest.derive("test", time, "test", vec![allocation; COINS]);
        let coins = genesis_coins(&spec);
        chain_config.spec = Arc::new(spec);
        let clock = chain_config.clock.clone();
        let chain = Chain::open(chain_config).unwrap();
        let reader = chain.reader.clone();
        let mempool = MempoolHandle::new(reader.clone(), clock.clone(), MempoolConfig::default());
        let follower = TemplateFollower::with_check(
            chain.handle.clone(),
            reader,
            mempool.clone(),
            clock,
            TemplateOptions::default(),
            check,
        );
        let coins = coins.into_iter().map(|(place, coin)| (place, coin.output));
        Self {
            follower,
            mempool,
            coins: Mutex::new(coins.collect()),
            chain,
            _directory: directory,
        }
    }

    /// A payment comes into the mempool.
    fn pay(&self) -> Txid {
        let (previous_output, spent) = self.coins.lock().unwrap().pop().unwrap();
        let payment = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[anyone().as_bytes()]),
            }],
            output: vec![TxOut {
                value: spent.value - Amount::from_sat(1_000),
                script_pubkey: spent.script_pubkey,
            }],
        };
        let txid = payment.compute_txid();
        self.mempool.submit(Arc::new(payment)).unwrap();
        txid
    }

    /// The tip moves by a block without payments.
    fn move_tip(&self) {
        let tip = self.chain.reader.tip().hash;
        let block = block_on(&self.chain, &tip, u64::from(rand::random::<u32>()));
        self.chain.handle.submit_block(Arc::new(block)).unwrap();
    }

    fn published(&self) -> Option<Arc<Template>> {
        self.follower.published().borrow().clone()
    }

    fn is_on_tip(&self, template: &Template) -> bool {
        template.previous == self.chain.reader.tip().hash
    }
}

fn txids(template: &Template) -> Vec<Txid> {
    let entries = template.transactions.iter();
    entries.map(|entry| entry.txid).collect()
}

async fn wait_for(
    templates: &mut watch::Receiver<Option<Arc<Template>>>,
    is_it: impl Fn(&Template) -> bool,
) -> Arc<Template> {
    let template = templates.wait_for(|template| template.as_deref().is_some_and(&is_it));
    let template = tokio::time::timeout(DEADLINE, template).await;
    template.expect("in time").unwrap().clone().unwrap()
}

#[test]
fn an_empty_template_is_a_stopgap_for_a_new_tip_alone() {
    let scene = Scene::new();
    let txid = scene.pay();
    scene.follower.publish_empty();
    let empty = scene.published().unwrap();
    assert!(scene.is_on_tip(&empty));
    assert_eq!(txids(&empty), []);
    assert_eq!(empty.mempool_sequence, None);

    let full = scene.follower.fresh().unwrap();
    assert_eq!(txids(&full), [txid]);
    assert!(full.mempool_sequence.is_some());
    assert!(Arc::ptr_eq(&scene.published().unwrap(), &full));
    scene.follower.publish_empty();
    assert!(Arc::ptr_eq(&scene.published().unwrap(), &full));

    scene.move_tip();
    scene.follower.publish_empty();
    let next = scene.published().unwrap();
    assert!(scene.is_on_tip(&next));
    assert_eq!(txids(&next), []);
    // What was built for the former tip comes too late.
    scene.follower.offer(&full);
    assert!(Arc::ptr_eq(&scene.published().unwrap(), &next));
    scene.follower.publish_full();
    let next = scene.published().unwrap();
    assert!(scene.is_on_tip(&next));
    assert_eq!(txids(&next), [txid]);
}

#[test]
fn what_is_published_is_given_out_until_something_changes() {
    let scene = Scene::new();
    let first = scene.follower.current().unwrap();
    assert!(Arc::ptr_eq(&scene.follower.current().unwrap(), &first));
    assert!(Arc::ptr_eq(&scene.follower.fresh().unwrap(), &first));
    let txid = scene.pay();
    // It is for the task to publish another one, as often as it may.
    assert!(Arc::ptr_eq(&scene.follower.current().unwrap(), &first));
    assert_eq!(txids(&scene.follower.fresh().unwrap()), [txid]);
    assert_eq!(txids(&scene.follower.current().unwrap()), [txid]);
    scene.move_tip();
    let next = scene.follower.current().unwrap();
    assert!(scene.is_on_tip(&next));
    assert_eq!(txids(&next), [txid]);
}

#[test]
fn nobody_mines_before_it_is_said_whom_that_pays() {
    let scene = Scene::new();
    scene.follower.publish_full();
    assert!(scene.published().is_some());
    let mined = scene.follower.templates();
    assert!(mined.borrow().is_none());
    for script in [vec![0x52], vec![0x53]] {
        let payout = ScriptBuf::from_bytes(script);
        scene.follower.set_payout(payout.clone());
        assert!(mined.borrow().is_none(), "the former one is not mined on");
        scene.follower.publish_full();
        assert_eq!(mined.borrow().as_ref().unwrap().payout, payout);
        assert_eq!(scene.published().unwrap().payout, payout);
        scene.follower.set_payout(payout);
        assert!(mined.borrow().is_some(), "nothing changed");
    }
    let txid = scene.pay();
    let other = ScriptBuf::from_bytes(vec![0x54]);
    let built = scene.follower.build(&other).unwrap();
    assert_eq!((built.payout.clone(), txids(&built)), (other, vec![txid]));
    assert_eq!(mined.borrow().as_ref().unwrap().payout.as_bytes(), [0x53]);
}

fn refuse_payments(chain: &ChainHandle, block: &ProposedBlock) -> Result<(), SubmitError> {
    if block.txids().len() > 1 {
        return Err(SubmitError::Block(BlockError::FeesOutOfRange));
    }
    chain.check_proposed(block)
}

#[test]
fn what_fails_the_check_does_not_go_out() {
    let scene = Scene::with_check(refuse_payments);
    scene.pay();
    let template = scene.follower.fresh().unwrap();
    assert_eq!(txids(&template), []);
    // It stands for the mempool's: nobody waits for another one.
    assert!(template.mempool_sequence.is_some());
    assert!(Arc::ptr_eq(&scene.published().unwrap(), &template));
    assert!(Arc::ptr_eq(&scene.follower.current().unwrap(), &template));
}

fn refuse_all(_: &ChainHandle, _: &ProposedBlock) -> Result<(), SubmitError> {
    Err(SubmitError::Block(BlockError::FeesOutOfRange))
}

#[test]
fn without_any_valid_template_there_is_an_error() {
    let scene = Scene::with_check(refuse_all);
    scene.follower.publish_empty();
    scene.follower.publish_full();
    assert!(scene.published().is_none());
    let reason = BlockError::FeesOutOfRange.to_string();
    let error = scene.follower.current().unwrap_err().to_string();
    assert!(error.contains(&reason), "{error}");
}

#[tokio::test]
async fn templates_follow_the_tip_the_mempool_and_the_payout() {
    let scene = Scene::new();
    let tasks = tokio::spawn(Arc::clone(&scene.follower).run());
    let mut published = scene.follower.published();
    wait_for(&mut published, |template| {
        template.mempool_sequence.is_some()
    })
    .await;
    let txid = scene.pay();
    wait_for(&mut published, |template| txids(template) == [txid]).await;

    scene.move_tip();
    let tip = scene.chain.reader.tip().hash;
    wait_for(&mut published, |template| template.previous == tip).await;
    let is_full = |template: &Template| template.previous == tip && txids(template) == [txid];
    wait_for(&mut published, is_full).await;

    let payout = ScriptBuf::from_bytes(vec![0x52]);
    scene.follower.set_payout(payout.clone());
    let mut mined = scene.follower.templates();
    let template = wait_for(&mut mined, |template| !txids(template).is_empty()).await;
    assert_eq!(template.payout, payout);
    tasks.abort();
}

/// How often a template was checked, and the coinbases that were.
static CHECKS: AtomicUsize = AtomicUsize::new(0);
static COINBASES: Mutex<Option<HashSet<Txid>>> = Mutex::new(None);

fn count(chain: &ChainHandle, block: &ProposedBlock) -> Result<(), SubmitError> {
    CHECKS.fetch_add(1, Ordering::SeqCst);
    let mut coinbases = COINBASES.lock().unwrap();
    let coinbases = coinbases.get_or_insert_default();
    assert!(coinbases.insert(block.txids()[0]), "a coinbase came again");
    chain.check_proposed(block)
}

/// One that comes after the other is built after a rest: a stream of payments does not keep a processor busy.
#[tokio::test]
async fn changes_of_the_mempool_are_taken_together() {
    let scene = Scene::with_check(count);
    let tasks = tokio::spawn(Arc::clone(&scene.follower).run());
    let mut published = scene.follower.published();
    wait_for(&mut published, |template| {
        template.mempool_sequence.is_some()
    })
    .await;
    let (before, start) = (CHECKS.load(Ordering::SeqCst), Instant::now());
    let mut last = None;
    for _ in 0..COINS {
        last = Some(scene.pay());
        tokio::task::yield_now().await;
    }
    let has_last = |template: &Template| txids(template).contains(&last.unwrap());
    let template = wait_for(&mut published, has_last).await;
    assert_eq!(template.transactions.len(), COINS);
    let built = CHECKS.load(Ordering::SeqCst) - before;
    let rests = start.elapsed().as_millis() / 50;
    assert!(
        built as u128 <= rests + 2,
        "{built} templates in {rests} rests"
    );
    tasks.abort();
}
