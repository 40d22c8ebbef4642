//! A chain in memory, nodes over it, and waiting with a deadline.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version as BlockVersion};
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, CompactTarget, Network as BitcoinNetwork, OutPoint, ScriptBuf,
    Transaction, TxIn, TxMerkleNode, TxOut, Txid, Work, consensus,
};
use pyrite_network::{
    ChainAccess, Dialing, Multiaddr, Network, NetworkConfig, NetworkError, NetworkHandle, PeerId,
    TipSummary, Verdict,
};
use tokio::sync::watch;

pub(crate) const IDENTITY: &str = "00112233445566778899aabbccddeeff";
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);
pub(crate) const POW_LIMIT: u32 = 0x207f_ffff;

/// The id of a transaction that the chain in memory takes for confirmed.
pub(crate) fn confirmed() -> Txid {
    Txid::from_byte_array([0xcc; 32])
}

/// A transaction that spends an output of `parent`.
pub(crate) fn spend(parent: Txid, tag: u32) -> Arc<Transaction> {
    let input = TxIn {
        previous_output: OutPoint::new(parent, tag),
        ..TxIn::default()
    };
    let output = TxOut {
        value: Amount::from_sat(1000),
        script_pubkey: ScriptBuf::new(),
    };
    Arc::new(Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    })
}

/// A transaction that breaks a rule: it pays nothing.
pub(crate) fn invalid_transaction() -> Arc<Transaction> {
    let mut transaction = Transaction::clone(&spend(confirmed(), 7));
    transaction.output.clear();
    Arc::new(transaction)
}

/// A block on `parent`, mined.
pub(crate) fn mine_block(
    parent: &Header,
    height: u32,
    salt: u32,
    transactions: &[Arc<Transaction>],
) -> Block {
    let script = ScriptBuf::from_bytes([height.to_le_bytes(), salt.to_le_bytes()].concat());
    let coinbase = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            script_sig: script,
            ..TxIn::default()
        }],
        output: vec![TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::new(),
        }],
    };
    let header = Header {
        version: BlockVersion::TWO,
        prev_blockhash: parent.block_hash(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: parent.time + 1,
        bits: CompactTarget::from_consensus(POW_LIMIT),
        nonce: 0,
    };
    let txdata =
        std::iter::once(coinbase).chain(transactions.iter().map(|tx| Transaction::clone(tx)));
    let mut block = Block {
        header,
        txdata: txdata.collect(),
    };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    find_nonce(&mut block);
    block
}

pub(crate) fn find_nonce(block: &mut Block) {
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
}

#[derive(Clone)]
struct Entry {
    header: Header,
    height: u32,
    work: Work,
    body: Option<Arc<Block>>,
    /// It and all of its ancestors have bodies.
    connected: bool,
}

struct State {
    entries: HashMap<BlockHash, Entry>,
    children: HashMap<BlockHash, Vec<BlockHash>>,
    tip: BlockHash,
    best_header: BlockHash,
    mempool: Vec<(Txid, Arc<Transaction>)>,
    orphans: Vec<Arc<Transaction>>,
}

/// A chain with proof of work and merkle roots as its only rules. No proof that it is a node's.
pub(crate) struct FakeChain {
    state: Mutex<State>,
    tip: watch::Sender<BlockHash>,
    pub(crate) genesis: BlockHash,
    salt: u32,
    /// It takes every block and transaction for valid.
    pub(crate) gullible: AtomicBool,
    pub(crate) blocks_served: AtomicUsize,
}

impl FakeChain {
    pub(crate) fn new(salt: u32) -> Arc<Self> {
        let block = genesis_block(BitcoinNetwork::Regtest);
        let (header, genesis) = (block.header, block.block_hash());
        let work = header.work();
        let entry = Entry {
            header,
            height: 0,
            work,
            body: Some(Arc::new(block)),
            connected: true,
        };
        let state = State {
            entries: HashMap::from([(genesis, entry)]),
            children: HashMap::new(),
            tip: genesis,
            best_header: genesis,
            mempool: Vec::new(),
            orphans: Vec::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            tip: watch::Sender::new(genesis),
            genesis,
            salt,
            gullible: AtomicBool::new(false),
            blocks_served: AtomicUsize::new(0),
        })
    }

    /// Mines blocks on the tip; the first takes the mempool along.
    pub(crate) fn mine(&self, count: u32) {
        for _ in 0..count {
            let (header, height, transactions) = {
                let state = self.state.lock().unwrap();
                let tip = &state.entries[&state.tip];
                let mempool: Vec<_> = state.mempool.iter().map(|(_, tx)| Arc::clone(tx)).collect();
                (tip.header, tip.height + 1, mempool)
            };
            let block = mine_block(&header, height, self.salt, &transactions);
            assert_eq!(self.submit_block(block), Verdict::Accept);
        }
    }

    pub(crate) fn height(&self) -> u32 {
        ChainAccess::tip(self).height.0
    }

    pub(crate) fn tip_hash(&self) -> BlockHash {
        ChainAccess::tip(self).hash
    }

    pub(crate) fn tip_header(&self) -> Header {
        let state = self.state.lock().unwrap();
        state.entries[&state.tip].header
    }

    pub(crate) fn block_at_tip(&self) -> Arc<Block> {
        let state = self.state.lock().unwrap();
        Arc::clone(state.entries[&state.tip].body.as_ref().unwrap())
    }

    pub(crate) fn in_mempool(&self, txid: &Txid) -> bool {
        self.state
            .lock()
            .unwrap()
            .mempool
            .iter()
            .any(|(id, _)| id == txid)
    }

    pub(crate) fn copy_from(&self, other: &Self) {
        let blocks: Vec<Arc<Block>> = {
            let state = other.state.lock().unwrap();
            let mut entries: Vec<&Entry> = state
                .entries
                .values()
                .filter(|e| e.connected && e.height > 0)
                .collect();
            entries.sort_by_key(|entry| entry.height);
            entries
                .iter()
                .map(|entry| Arc::clone(entry.body.as_ref().unwrap()))
                .collect()
        };
        for block in blocks {
            self.submit_block(Block::clone(&block));
        }
    }
}

impl State {
    fn add_header(&mut self, header: Header) -> Result<BlockHash, Verdict> {
        let hash = header.block_hash();
        if self.entries.contains_key(&hash) {
            return Ok(hash);
        }
        if header.validate_pow(header.target()).is_err() {
            return Err(Verdict::Reject("high-hash".to_owned()));
        }
        let Some(parent) = self.entries.get(&header.prev_blockhash) else {
            return Err(Verdict::MissingParent);
        };
        let (height, work) = (parent.height + 1, parent.work + header.work());
        self.entries.insert(
            hash,
            Entry {
                header,
                height,
                work,
                body: None,
                connected: false,
            },
        );
        self.children
            .entry(header.prev_blockhash)
            .or_default()
            .push(hash);
        if work > self.entries[&self.best_header].work {
            self.best_header = hash;
        }
        Ok(hash)
    }

    fn connect(&mut self, hash: BlockHash) {
        let mut stack = vec![hash];
        while let Some(hash) = stack.pop() {
            let parent = self.entries[&hash].header.prev_blockhash;
            let parent_connected = self.entries[&parent].connected;
            let entry = self.entries.get_mut(&hash).unwrap();
            if entry.body.is_none() || !parent_connected || entry.connected {
                continue;
            }
            entry.connected = true;
            let work = entry.work;
            if work > self.entries[&self.tip].work {
                self.move_tip(hash);
            }
            stack.extend(self.children.get(&hash).into_iter().flatten());
        }
    }

    fn branch(&self, mut hash: BlockHash) -> Vec<BlockHash> {
        let mut branch = vec![hash];
        while self.entries[&hash].height > 0 {
            hash = self.entries[&hash].header.prev_blockhash;
            branch.push(hash);
        }
        branch
    }

    fn move_tip(&mut self, to: BlockHash) {
        if self.entries[&to].header.prev_blockhash != self.tip {
            let (old, new) = (self.branch(self.tip), self.branch(to));
            let kept: HashSet<BlockHash> = new.iter().copied().collect();
            for hash in old.iter().filter(|hash| !kept.contains(*hash)) {
                let block = Arc::clone(self.entries[hash].body.as_ref().unwrap());
                let back = block.txdata.iter().skip(1);
                self.mempool
                    .extend(back.map(|tx| (tx.compute_txid(), Arc::new(tx.clone()))));
            }
            let old: HashSet<BlockHash> = old.into_iter().collect();
            for hash in new.iter().filter(|hash| !old.contains(*hash)) {
                self.remove_mined(hash);
            }
        }
        self.remove_mined(&to);
        self.tip = to;
    }

    fn remove_mined(&mut self, hash: &BlockHash) {
        let block = Arc::clone(self.entries[hash].body.as_ref().unwrap());
        let mined: HashSet<Txid> = block.txdata.iter().map(|tx| tx.compute_txid()).collect();
        self.mempool.retain(|(txid, _)| !mined.contains(txid));
    }
}

impl ChainAccess for FakeChain {
    fn locator(&self) -> Vec<BlockHash> {
        let state = self.state.lock().unwrap();
        let branch = state.branch(state.best_header);
        let (mut locator, mut at, mut step) = (Vec::new(), 0, 1);
        while at < branch.len() {
            locator.push(branch[at]);
            if locator.len() > 10 {
                step *= 2;
            }
            at += step;
        }
        if locator.last() != branch.last() {
            locator.push(*branch.last().unwrap());
        }
        locator
    }

    fn headers_after(&self, locator: &[BlockHash], max: usize) -> Vec<Header> {
        let state = self.state.lock().unwrap();
        let mut branch = state.branch(state.tip);
        branch.reverse();
        let from = locator
            .iter()
            .find_map(|hash| branch.iter().position(|other| other == hash));
        let Some(from) = from else { return Vec::new() };
        branch[from + 1..]
            .iter()
            .take(max)
            .map(|hash| state.entries[hash].header)
            .collect()
    }

    fn block(&self, hash: &BlockHash) -> Option<Vec<u8>> {
        let state = self.state.lock().unwrap();
        let body = state.entries.get(hash)?.body.as_ref()?;
        self.blocks_served.fetch_add(1, Ordering::Relaxed);
        Some(consensus::serialize(body.as_ref()))
    }

    fn has_header(&self, hash: &BlockHash) -> bool {
        self.state.lock().unwrap().entries.contains_key(hash)
    }

    fn has_block(&self, hash: &BlockHash) -> bool {
        self.state
            .lock()
            .unwrap()
            .entries
            .get(hash)
            .is_some_and(|entry| entry.body.is_some())
    }

    fn missing_blocks(&self, max: usize) -> Vec<BlockHash> {
        let state = self.state.lock().unwrap();
        let (mut hash, mut missing) = (state.best_header, Vec::new());
        while !state.entries[&hash].connected {
            if state.entries[&hash].body.is_none() {
                missing.push(hash);
            }
            hash = state.entries[&hash].header.prev_blockhash;
        }
        missing.reverse();
        missing.truncate(max);
        missing
    }

    fn tip(&self) -> TipSummary {
        let state = self.state.lock().unwrap();
        let entry = &state.entries[&state.tip];
        TipSummary {
            hash: state.tip,
            height: Height(entry.height),
            work: entry.work,
        }
    }

    fn submit_headers(&self, headers: Vec<Header>) -> Verdict {
        let mut state = self.state.lock().unwrap();
        for header in headers {
            if let Err(verdict) = state.add_header(header) {
                return verdict;
            }
        }
        Verdict::Accept
    }

    fn submit_block(&self, block: Block) -> Verdict {
        if !block.check_merkle_root() && !self.gullible.load(Ordering::Relaxed) {
            return Verdict::Reject("bad-txnmrklroot".to_owned());
        }
        let mut state = self.state.lock().unwrap();
        let hash = match state.add_header(block.header) {
            Ok(hash) => hash,
            Err(verdict) => return verdict,
        };
        let entry = state.entries.get_mut(&hash).unwrap();
        if entry.body.is_some() {
            return Verdict::Ignore("duplicate".to_owned());
        }
        entry.body = Some(Arc::new(block));
        let before = state.tip;
        state.connect(hash);
        if state.tip != before {
            self.tip.send_replace(state.tip);
        }
        Verdict::Accept
    }

    fn submit_transaction(&self, transaction: Arc<Transaction>, _: u64) -> Verdict {
        let txid = transaction.compute_txid();
        let mut state = self.state.lock().unwrap();
        let known = |parent: &Txid| {
            *parent == confirmed() || state.mempool.iter().any(|(txid, _)| txid == parent)
        };
        if transaction.output.is_empty() && !self.gullible.load(Ordering::Relaxed) {
            return Verdict::Reject("bad-txns-vout-empty".to_owned());
        }
        let parents = transaction
            .input
            .iter()
            .map(|input| input.previous_output.txid);
        let missing: Vec<Txid> = parents.filter(|parent| !known(parent)).collect();
        if !missing.is_empty() {
            state.orphans.push(transaction);
            return Verdict::Orphan { missing };
        }
        if state.mempool.iter().any(|(other, _)| *other == txid) {
            return Verdict::Ignore("txn-already-in-mempool".to_owned());
        }
        state.mempool.push((txid, transaction));
        let is_child = |orphan: &Arc<Transaction>| {
            let mut inputs = orphan.input.iter();
            inputs.any(|input| input.previous_output.txid == txid)
        };
        let children: Vec<_> = state
            .orphans
            .extract_if(.., |orphan| is_child(orphan))
            .collect();
        drop(state);
        for child in children {
            self.submit_transaction(child, 0);
        }
        Verdict::Accept
    }

    fn mempool_txids(&self, max: usize) -> Vec<Txid> {
        self.state
            .lock()
            .unwrap()
            .mempool
            .iter()
            .take(max)
            .map(|(txid, _)| *txid)
            .collect()
    }

    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        let state = self.state.lock().unwrap();
        state
            .mempool
            .iter()
            .find(|(other, _)| other == txid)
            .map(|(_, tx)| Arc::clone(tx))
    }

    fn has_transaction(&self, txid: &Txid) -> bool {
        *txid == confirmed() || self.in_mempool(txid)
    }
}

/// A node: a chain, its network, and what announces the chain's tips.
pub(crate) struct Node {
    pub(crate) chain: Arc<FakeChain>,
    pub(crate) network: NetworkHandle,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) fn config(directory: &Path, chain: &FakeChain, peers: &[Multiaddr]) -> NetworkConfig {
    NetworkConfig {
        chain_name: "regtest".to_owned(),
        identity: IDENTITY.to_owned(),
        genesis_hash: chain.genesis,
        pow_limit: CompactTarget::from_consensus(POW_LIMIT),
        key_path: directory.join("node.key"),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
        peers: peers.to_vec(),
        mdns: false,
        dialing: Dialing::Everybody,
        max_peers: 32,
        user_agent: "/Pyrite:test/".to_owned(),
    }
}

impl Node {
    pub(crate) async fn start(salt: u32, peers: &[Multiaddr]) -> Self {
        Self::start_over(FakeChain::new(salt), peers).await
    }

    pub(crate) async fn start_over(chain: Arc<FakeChain>, peers: &[Multiaddr]) -> Self {
        Self::try_start(chain, peers, |_| {}).await.unwrap()
    }

    pub(crate) async fn try_start(
        chain: Arc<FakeChain>,
        peers: &[Multiaddr],
        change: impl FnOnce(&mut NetworkConfig),
    ) -> Result<Self, NetworkError> {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(directory.path(), &chain, peers);
        change(&mut config);
        let network = Network::start(config, Arc::clone(&chain) as Arc<dyn ChainAccess>).await?;
        tokio::spawn(announce(
            chain.tip.subscribe(),
            Arc::downgrade(&chain),
            network.clone(),
        ));
        Ok(Self {
            chain,
            network,
            directory,
        })
    }

    pub(crate) fn address(&self) -> Multiaddr {
        self.network.listen_addresses()[0].clone()
    }

    pub(crate) fn id(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// Takes a transaction into the mempool and announces it.
    pub(crate) fn send(&self, transaction: &Arc<Transaction>) {
        assert_eq!(
            self.chain.submit_transaction(Arc::clone(transaction), 0),
            Verdict::Accept
        );
        self.network.announce_transaction(Arc::clone(transaction));
    }

    pub(crate) fn is_connected_to(&self, other: &Self) -> bool {
        let id = other.id().to_string();
        self.network.peers().iter().any(|peer| peer.peer_id == id)
    }
}

/// Announces each tip, until the chain or its network is gone.
async fn announce(
    mut tips: watch::Receiver<BlockHash>,
    chain: std::sync::Weak<FakeChain>,
    network: NetworkHandle,
) {
    while tips.changed().await.is_ok() {
        tips.borrow_and_update();
        let Some(chain) = chain.upgrade() else { return };
        network.announce_block(chain.block_at_tip());
    }
}

/// Starts nodes of which each knows the first only.
pub(crate) async fn star(count: u32) -> Vec<Node> {
    let first = Node::start(0, &[]).await;
    let address = first.address();
    let mut nodes = vec![first];
    for salt in 1..count {
        nodes.push(Node::start(salt, std::slice::from_ref(&address)).await);
    }
    nodes
}

/// Waits until the condition holds.
pub(crate) async fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sees to it that the condition holds all the time.
pub(crate) async fn holds(what: &str, time: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while start.elapsed() < time {
        assert!(condition(), "it does not hold: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until each of the nodes is connected to all others.
pub(crate) async fn wait_for_full_mesh(nodes: &[Node]) {
    wait("each node is connected to all others", || {
        nodes
            .iter()
            .all(|node| node.network.connection_count() == nodes.len() - 1)
    })
    .await;
}

/// Waits until all nodes have that tip.
pub(crate) async fn wait_for_tip(nodes: &[Node], tip: BlockHash) {
    wait("all nodes have the tip", || {
        nodes.iter().all(|node| node.chain.tip_hash() == tip)
    })
    .await;
}
