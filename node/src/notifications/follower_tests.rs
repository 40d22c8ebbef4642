use std::path::Path;
use std::time::{Duration, Instant};

use pyrite_chain::Chain;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::consensus::encode::deserialize;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Witness, transaction,
};
use pyrite_consensus::connect::genesis_coins;
use pyrite_consensus::spec::Allocation;
use pyrite_mempool::MempoolConfig;

use super::super::test_subscriber::{Received, TestSubscriber};
use super::super::{PublisherConfig, ZmqAddress};
use super::*;
use crate::test_chain::{block_on, config, solved};

/// A chain with a coin that anybody may spend, and its mempool.
struct Scene {
    chain: Chain,
    mempool: MempoolHandle,
    coin: (OutPoint, TxOut),
    directory: tempfile::TempDir,
}

fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

impl Scene {
    fn new() -> Self {
        Self::on(AddressKind::Regtest)
    }

    fn on(address_kind: AddressKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(&directory.path().join("chain"));
        let allocation = Allocation {
            script_pubkey: anyone().to_p2wsh(),
            value: Amount::from_sat(100_000),
        };
        let time = config.spec.genesis.time;
        let mut spec = ChainSpec::regtest().derive("test", time, "test", vec![allocation]);
        spec.address_kind = address_kind;
        let (place, coin) = genesis_coins(&spec).into_iter().next().unwrap();
        config.spec = Arc::new(spec);
        let clock = config.clock.clone();
        let chain = Chain::open(config).unwrap();
        let mempool = MempoolHandle::new(chain.reader.clone(), clock, MempoolConfig::default());
        Self {
            chain,
            mempool,
            coin: (place, coin.output),
            directory,
        }
    }

    fn payment(&self, fee: u64) -> Transaction {
        let (previous_output, spent) = self.coin.clone();
        Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[anyone().as_bytes()]),
            }],
            output: vec![TxOut {
                value: spent.value - Amount::from_sat(fee),
                script_pubkey: spent.script_pubkey,
            }],
        }
    }

    /// A block on the tip with this payment.
    fn mine(&self, payment: &Transaction) -> Block {
        let mut block = block_on(&self.chain, &self.chain.reader.tip().hash, 1);
        block.txdata.push(payment.clone());
        let commitment = block
            .witness_root()
            .map(|root| Block::compute_witness_commitment(&root, &[0; 32]));
        let commitment = commitment.unwrap();
        let coinbase = &mut block.txdata[0];
        coinbase.input[0].witness = Witness::from_slice(&[[0; 32]]);
        let script = [
            &[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..],
            commitment.as_byte_array(),
        ];
        let output = TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_bytes(script.concat()),
        };
        coinbase
            .output
            .retain(|output| !output.script_pubkey.as_bytes().starts_with(&[0x6a, 0x24]));
        coinbase.output.push(output);
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        let block = solved(block);
        self.submit(&block);
        block
    }

    fn submit(&self, block: &Block) {
        self.chain
            .handle
            .submit_block(Arc::new(block.clone()))
            .unwrap();
    }

    async fn follower(&self, address: ZmqAddress, command: Option<String>) -> Follower {
        self.follower_at(address, command, Clock::system()).await
    }

    async fn follower_at(
        &self,
        address: ZmqAddress,
        command: Option<String>,
        clock: Clock,
    ) -> Follower {
        let config = PublisherConfig {
            text: address.to_string(),
            address,
            topics: Topic::ALL.map(|topic| (topic, 1_000)).to_vec(),
        };
        let audience = Audience {
            publishers: vec![Publisher::start(&config).await.unwrap()],
            runner: CommandRunner::start(),
            block_command: command,
        };
        let (reader, mempool) = (self.chain.reader.clone(), self.mempool.clone());
        Follower::new(reader, mempool, Arc::new(audience), clock)
    }

    fn ipc(&self) -> ZmqAddress {
        ZmqAddress::Ipc(self.directory.path().join("zmq"))
    }
}

/// Receives messages and checks the counters of their topics.
struct Ear {
    subscriber: TestSubscriber,
    counters: std::collections::HashMap<String, u32>,
}

impl Ear {
    async fn at(follower: &Follower) -> Self {
        let subscriber = TestSubscriber::connect(&follower.audience.publishers[0], &[""]).await;
        Self {
            subscriber,
            counters: std::collections::HashMap::new(),
        }
    }

    async fn next(&mut self) -> (String, Vec<u8>) {
        let Received {
            topic,
            body,
            counter,
        } = self.subscriber.receive().await;
        let expected = self.counters.entry(topic.clone()).or_default();
        assert_eq!(counter, *expected, "{topic}");
        *expected += 1;
        (topic, body)
    }

    async fn hears(&mut self, topic: &str, body: Vec<u8>) {
        assert_eq!(self.next().await, (topic.to_owned(), body));
    }

    async fn hears_transaction(&mut self, transaction: &Transaction) {
        self.hears("hashtx", shown(&transaction.compute_txid()))
            .await;
        self.hears("rawtx", serialize(transaction)).await;
    }

    async fn hears_block(&mut self, block: &Block, label: u8) {
        for transaction in &block.txdata {
            self.hears_transaction(transaction).await;
        }
        let body = [shown(&block.block_hash()), vec![label]].concat();
        self.hears("sequence", body).await;
    }

    async fn hears_tip(&mut self, block: &Block) {
        self.hears("hashblock", shown(&block.block_hash())).await;
        self.hears("rawblock", serialize(block)).await;
    }

    /// The number that stands in a message of the mempool.
    async fn hears_change(&mut self, txid: &Txid, label: u8) -> u64 {
        let (topic, body) = self.next().await;
        assert_eq!(topic, "sequence");
        assert_eq!(body[..33], [shown(txid), vec![label]].concat());
        u64::from_le_bytes(body[33..].try_into().unwrap())
    }
}

/// A hash as it is shown, as bytes.
fn shown(hash: &impl ToString) -> Vec<u8> {
    hex(&hash.to_string())
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |index| u8::from_str_radix(&text[index..index + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_blocks_are_told_in_bitcoin_cores_order() {
    let scene = Scene::new();
    let mut follower = scene.follower(scene.ipc(), None).await;
    let mut ear = Ear::at(&follower).await;
    let genesis = scene.chain.reader.tip().hash;

    let payment = scene.payment(1_000);
    scene.mempool.submit(Arc::new(payment.clone())).unwrap();
    follower.step().unwrap();
    ear.hears_transaction(&payment).await;
    let number = ear.hears_change(&payment.compute_txid(), b'A').await;
    // As in Bitcoin Core: who asks for the mempool afterwards is told a higher number.
    assert_eq!(number + 1, scene.mempool.snapshot().sequence);

    let block = scene.mine(&payment);
    follower.step().unwrap();
    ear.hears_block(&block, b'C').await;
    ear.hears_tip(&block).await;

    // A longer chain without the payment, which comes back into the mempool.
    let first = block_on(&scene.chain, &genesis, 2);
    scene.submit(&first);
    let second = block_on(&scene.chain, &first.block_hash(), 3);
    scene.submit(&second);
    follower.step().unwrap();
    ear.hears_block(&block, b'D').await;
    ear.hears_transaction(&payment).await;
    let again = ear.hears_change(&payment.compute_txid(), b'A').await;
    assert!(again > number);
    ear.hears_block(&first, b'C').await;
    ear.hears_block(&second, b'C').await;
    ear.hears_tip(&second).await;

    // Nothing happened: nothing is told. A replacement is, and what it replaces.
    follower.step().unwrap();
    let better = scene.payment(5_000);
    scene.mempool.submit(Arc::new(better.clone())).unwrap();
    follower.step().unwrap();
    let removed = ear.hears_change(&payment.compute_txid(), b'R').await;
    ear.hears_transaction(&better).await;
    let added = ear.hears_change(&better.compute_txid(), b'A').await;
    assert_eq!(added, removed + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_has_left_already_is_told_in_full() {
    let scene = Scene::new();
    let mut follower = scene.follower(scene.ipc(), None).await;
    let mut ear = Ear::at(&follower).await;
    let (first, second) = (scene.payment(1_000), scene.payment(5_000));
    for payment in [&first, &second] {
        scene.mempool.submit(Arc::new(payment.clone())).unwrap();
    }
    follower.step().unwrap();
    ear.hears_transaction(&first).await;
    ear.hears_change(&first.compute_txid(), b'A').await;
    ear.hears_change(&first.compute_txid(), b'R').await;
    ear.hears_transaction(&second).await;
    ear.hears_change(&second.compute_txid(), b'A').await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_missed_leave_a_gap_in_the_numbers() {
    let scene = Scene::new();
    let mut follower = scene.follower(scene.ipc(), None).await;
    let mut ear = Ear::at(&follower).await;
    let first = scene.payment(1_000);
    scene.mempool.submit(Arc::new(first)).unwrap();
    // As if the log had forgotten the first event.
    follower.sequence = scene.mempool.snapshot().sequence;
    let second = scene.payment(5_000);
    scene.mempool.submit(Arc::new(second.clone())).unwrap();
    follower.step().unwrap();
    for topic in ["hashtx", "rawtx", "sequence"] {
        ear.counters.insert(topic.to_owned(), 1);
    }
    let removed = ear.next().await;
    assert_eq!((removed.0.as_str(), removed.1[32]), ("sequence", b'R'));
    ear.hears_transaction(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_with_more_work_than_the_tip_before_is_told_as_a_tip() {
    let scene = Scene::new();
    let mut follower = scene.follower(scene.ipc(), None).await;
    let mut ear = Ear::at(&follower).await;
    let genesis = scene.chain.reader.tip().hash;
    let old = block_on(&scene.chain, &genesis, 1);
    scene.submit(&old);
    follower.step().unwrap();
    ear.hears_block(&old, b'C').await;
    ear.hears_tip(&old).await;
    let mut new = vec![block_on(&scene.chain, &genesis, 2)];
    scene.submit(&new[0]);
    for _ in 0..2 {
        let parent = new.last().unwrap().block_hash();
        new.push(block_on(&scene.chain, &parent, 2));
        scene.submit(new.last().unwrap());
    }
    follower.step().unwrap();
    ear.hears_block(&old, b'D').await;
    // It has as much work as the one that it takes the place of.
    ear.hears_block(&new[0], b'C').await;
    for block in &new[1..] {
        ear.hears_block(block, b'C').await;
        ear.hears_tip(block).await;
    }
    // The tip is invalidated, and so is what was built on it: the shorter chain is told as it comes.
    let gone = new[0].block_hash();
    scene.chain.handle.invalidate_block(gone).unwrap();
    follower.step().unwrap();
    for block in new.iter().rev() {
        ear.hears_block(block, b'D').await;
    }
    ear.hears_block(&old, b'C').await;
    ear.hears_tip(&old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_tips_while_the_chain_is_downloaded() {
    let scene = Scene::on(AddressKind::Mainnet);
    let path = scene.directory.path().join("tips");
    let command = format!("echo %s >> '{}'", path.display());
    let blocks = crate::test_chain::extend(&scene.chain, 1, 1);
    let first_time = u64::from(blocks[0].header.time);
    let now = Arc::new(std::sync::atomic::AtomicU64::new(
        first_time + STALE_TIP_S + 1,
    ));
    let clock = {
        let now = Arc::clone(&now);
        Clock::new(move || now.load(std::sync::atomic::Ordering::Relaxed))
    };
    let mut follower = scene.follower_at(scene.ipc(), Some(command), clock).await;
    let mut ear = Ear::at(&follower).await;
    follower.block = blocks[0].header.prev_blockhash;
    follower.step().unwrap();
    ear.hears_block(&blocks[0], b'C').await;
    now.store(first_time, std::sync::atomic::Ordering::Relaxed);
    let young = crate::test_chain::extend(&scene.chain, 1, 1);
    follower.step().unwrap();
    ear.hears_block(&young[0], b'C').await;
    ear.hears_tip(&young[0]).await;
    // Once it is there, a pause changes nothing.
    now.store(
        first_time + 10 * STALE_TIP_S,
        std::sync::atomic::Ordering::Relaxed,
    );
    let late = crate::test_chain::extend(&scene.chain, 1, 1);
    follower.step().unwrap();
    ear.hears_block(&late[0], b'C').await;
    ear.hears_tip(&late[0]).await;
    let mut expected = [&young[0], &late[0]].map(|block| block.block_hash().to_string());
    let mut lines = lines_of(&path, 2).await;
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_lags_tells_every_block() {
    let scene = Scene::new();
    let any_port = ZmqAddress::Tcp("127.0.0.1:0".parse().unwrap());
    let mut follower = scene.follower(any_port, None).await;
    let mut ear = Ear::at(&follower).await;
    let blocks = crate::test_chain::extend(&scene.chain, 3, 1);
    follower.step().unwrap();
    for block in &blocks {
        ear.hears_block(block, b'C').await;
        ear.hears_tip(block).await;
    }
    // A tip that is invalidated leaves a lower one.
    let last = blocks[2].block_hash();
    scene.chain.handle.invalidate_block(last).unwrap();
    follower.step().unwrap();
    ear.hears_block(&blocks[2], b'D').await;
    let next = block_on(&scene.chain, &blocks[1].block_hash(), 9);
    scene.submit(&next);
    follower.step().unwrap();
    ear.hears_block(&next, b'C').await;
    ear.hears_tip(&next).await;
    let block: Block = deserialize(&serialize(&next)).unwrap();
    assert_eq!(block, next);
}

/// Waits until a file has this many lines.
async fn lines_of(path: &Path, count: usize) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(Instant::now() < deadline, "{lines:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_run_for_each_tip() {
    let scene = Scene::new();
    let path = scene.directory.path().join("tips");
    let command = format!("echo %s >> '{}'", path.display());
    let mut follower = scene.follower(scene.ipc(), Some(command)).await;
    let blocks = crate::test_chain::extend(&scene.chain, 3, 1);
    follower.step().unwrap();
    let mut lines = lines_of(&path, 3).await;
    let mut expected: Vec<String> = blocks
        .iter()
        .map(|block| block.block_hash().to_string())
        .collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let scene = Scene::new();
    let any_port = ZmqAddress::Tcp("127.0.0.1:0".parse().unwrap());
    let first = scene.follower(any_port, None).await;
    let address = first.audience.publishers[0].address().clone();
    let config = PublisherConfig {
        text: address.to_string(),
        address: address.clone(),
        topics: vec![(Topic::RawTx, 1)],
    };
    let error = Publisher::start(&config).await.unwrap_err().to_string();
    let expected = format!("cannot publish over ZMQ at {address}: ");
    assert!(error.starts_with(&expected), "{error}");
}
