//! Follows the chain and the mempool, and tells what happened, in Bitcoin Core's order: blocks that are disconnected, the
//! mempool, blocks that are connected.

use std::sync::Arc;

use pyrite_chain::{ChainError, ChainReader, Clock};
use pyrite_consensus::bitcoin::consensus::encode::serialize;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Block, BlockHash, Transaction, Txid};
use pyrite_consensus::spec::AddressKind;
use pyrite_mempool::{MempoolChange, MempoolError, MempoolEvent, MempoolHandle, RemovalReason};

use super::Topic;
use super::command::CommandRunner;
use super::publisher::Publisher;

/// As long as the tip of Bitcoin's own chain is older, the node downloads the chain, and nobody is told of tips.
const STALE_TIP_S: u64 = 24 * 60 * 60;

/// Events of the mempool that are taken at a time.
const MAX_EVENTS: usize = 1_000;

/// The topics that tell of the mempool.
const MEMPOOL_TOPICS: [Topic; 3] = [Topic::HashTx, Topic::RawTx, Topic::Sequence];

/// Who is told.
#[derive(Debug)]
pub(super) struct Audience {
    pub(super) publishers: Vec<Publisher>,
    pub(super) runner: CommandRunner,
    /// Run at each new tip.
    pub(super) block_command: Option<String>,
}

/// The follower.
pub(super) struct Follower {
    reader: ChainReader,
    mempool: MempoolHandle,
    audience: Arc<Audience>,
    /// The last block that was told.
    block: BlockHash,
    /// The last event of the mempool that was told.
    sequence: u64,
    /// How many events there were up to that one.
    events: u64,
    clock: Clock,
    /// Whether the chain is being downloaded. Once it is not, it never is.
    is_initial_download: bool,
}

/// Whether a block is in the chain or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Connected,
    Disconnected,
}

impl Follower {
    /// One that tells what comes from now on.
    pub(super) fn new(
        reader: ChainReader,
        mempool: MempoolHandle,
        audience: Arc<Audience>,
        clock: Clock,
    ) -> Self {
        let now = mempool.events_since(u64::MAX, 1);
        Self {
            block: reader.tip().hash,
            sequence: now.sequence,
            events: now.before,
            clock,
            is_initial_download: true,
            reader,
            mempool,
            audience,
        }
    }

    /// Follows until the chain stops or the task is dropped.
    pub(super) async fn run(mut self) {
        let mut tip = self.reader.watch_tip();
        let mut mempool = self.mempool.watch();
        loop {
            tip.borrow_and_update();
            mempool.borrow_and_update();
            let step = tokio::task::spawn_blocking(move || {
                let outcome = self.step();
                (self, outcome)
            });
            let outcome;
            (self, outcome) = match step.await {
                Ok(done) => done,
                Err(_) => return,
            };
            match outcome {
                Ok(()) => {}
                Err(MempoolError::Machine(ChainError::Closed)) => return,
                Err(error) => tracing::error!(%error, "a notification can't be made"),
            }
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                changed = mempool.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Tells what happened since the last time. Blocking.
    pub(super) fn step(&mut self) -> Result<(), MempoolError> {
        // The mempool waits for the end of a reorganisation, and what it took back from blocks is told before the blocks that
        // take it again.
        self.mempool.sync()?;
        let target = self.mempool.followed_block();
        let Some(path) = self.reader.path(&self.block, &target) else {
            self.block = target;
            return Ok(());
        };
        let before = self.block;
        for hash in &path.disconnect {
            self.tell_block(hash, Move::Disconnected)?;
            if let Some(info) = self.reader.header(hash) {
                self.block = info.header.prev_blockhash;
            }
        }
        self.tell_mempool();
        let is_new_tip = self.new_tips(&before, &path.fork_point, &target);
        for hash in &path.connect {
            let block = self.tell_block(hash, Move::Connected)?;
            if is_new_tip(&self.reader, hash) {
                self.tell_tip(hash, block.as_deref());
            }
            self.block = *hash;
        }
        if path.connect.is_empty() && !path.disconnect.is_empty() {
            self.run_block_command(&target);
        }
        self.block = target;
        Ok(())
    }

    /// Which blocks on the way to a tip are tips themselves: those with more work than the tip before, and the last one. A tip
    /// that was invalidated counts as what is left of its chain.
    fn new_tips(
        &self,
        before: &BlockHash,
        fork_point: &BlockHash,
        target: &BlockHash,
    ) -> impl Fn(&ChainReader, &BlockHash) -> bool + use<> {
        let work = |hash: &BlockHash| self.reader.header(hash).map(|info| info.work);
        let target = *target;
        let least = work(before)
            .filter(|before| work(&target).is_some_and(|work| work >= *before))
            .or_else(|| work(fork_point));
        move |reader, hash| *hash == target || reader.header(hash).map(|info| info.work) > least
    }

    /// Tells of a block's transactions, and that it came or went. Its body may be missing below a file of coins.
    fn tell_block(
        &self,
        hash: &BlockHash,
        change: Move,
    ) -> Result<Option<Arc<Block>>, MempoolError> {
        let wanted = [Topic::HashTx, Topic::RawTx, Topic::RawBlock];
        let block = if wanted.into_iter().any(|topic| self.has(topic)) {
            self.reader.shared_block(hash)?
        } else {
            None
        };
        for transaction in block.iter().flat_map(|block| &block.txdata) {
            self.tell_transaction(transaction.compute_txid(), Some(transaction));
        }
        let label = match change {
            Move::Connected => b'C',
            Move::Disconnected => b'D',
        };
        self.publish(Topic::Sequence, || sequence_body(hash, label, None));
        Ok(block)
    }

    fn tell_tip(&mut self, hash: &BlockHash, block: Option<&Block>) {
        if self.is_downloading(hash) {
            return;
        }
        self.publish(Topic::HashBlock, || reversed(hash));
        if let Some(block) = block {
            self.publish(Topic::RawBlock, || serialize(block));
        }
        self.run_block_command(hash);
    }

    /// Whether the chain is still being downloaded at this tip. A private chain is whole as it is.
    fn is_downloading(&mut self, tip: &BlockHash) -> bool {
        if self.is_initial_download {
            let is_private = self.reader.spec().address_kind != AddressKind::Mainnet;
            let oldest = self.clock.now().saturating_sub(STALE_TIP_S);
            let is_young = |time: u32| u64::from(time) >= oldest;
            let info = self.reader.header(tip);
            let is_over = is_private || info.is_some_and(|info| is_young(info.header.time));
            self.is_initial_download = !is_over;
        }
        self.is_initial_download
    }

    fn run_block_command(&self, hash: &BlockHash) {
        if let Some(command) = &self.audience.block_command {
            let command = command.replace("%s", &hash.to_string());
            self.audience.runner.run(command);
        }
    }

    fn tell_mempool(&mut self) {
        loop {
            let news = self.mempool.events_since(self.sequence, MAX_EVENTS);
            let missed = news.before.saturating_sub(self.events);
            if missed > 0 {
                tracing::warn!(
                    missed,
                    "notifications of the mempool were left out: too much changed at once"
                );
                // By the numbers of the messages subscribers see that some are missing.
                self.skip(&MEMPOOL_TOPICS, missed);
            }
            news.events.iter().for_each(|event| self.tell_event(event));
            self.events = news.before + news.events.len() as u64;
            self.sequence = news.sequence;
            if news.events.len() < MAX_EVENTS {
                return;
            }
        }
    }

    fn tell_event(&self, event: &MempoolEvent) {
        // `getrawmempool` tells the number of the last event; Bitcoin Core's, that of the next one.
        let number = Some(event.sequence.saturating_sub(1));
        match &event.change {
            MempoolChange::Added(transaction) => {
                self.tell_transaction(event.txid, transaction.as_deref());
                if transaction.is_none() {
                    self.skip(&[Topic::RawTx], 1);
                }
                self.publish(Topic::Sequence, || sequence_body(&event.txid, b'A', number));
            }
            // The block tells of it.
            MempoolChange::Removed(RemovalReason::Block) => {}
            MempoolChange::Removed(_) => {
                self.publish(Topic::Sequence, || sequence_body(&event.txid, b'R', number));
            }
        }
    }

    fn tell_transaction(&self, txid: Txid, transaction: Option<&Transaction>) {
        self.publish(Topic::HashTx, || reversed(&txid));
        if let Some(transaction) = transaction {
            self.publish(Topic::RawTx, || serialize(transaction));
        }
    }

    /// Leaves out messages of some topics.
    fn skip(&self, topics: &[Topic], count: u64) {
        for publisher in &self.audience.publishers {
            topics
                .iter()
                .for_each(|topic| publisher.skip(*topic, count));
        }
    }

    fn has(&self, topic: Topic) -> bool {
        self.audience
            .publishers
            .iter()
            .any(|publisher| publisher.has(topic))
    }

    /// Publishes a message, which is made only if somebody publishes the topic.
    fn publish(&self, topic: Topic, body: impl FnOnce() -> Vec<u8>) {
        if !self.has(topic) {
            return;
        }
        let body = Arc::new(body());
        for publisher in &self.audience.publishers {
            publisher.publish(topic, &body);
        }
    }
}

/// A hash in the order in which it is shown.
fn reversed(hash: &impl Hash<Bytes = [u8; 32]>) -> Vec<u8> {
    hash.as_byte_array().iter().rev().copied().collect()
}

/// A message of the topic `sequence`.
fn sequence_body(hash: &impl Hash<Bytes = [u8; 32]>, label: u8, number: Option<u64>) -> Vec<u8> {
    let mut body = reversed(hash);
    body.push(label);
    body.extend(number.into_iter().flat_map(u64::to_le_bytes));
    body
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
