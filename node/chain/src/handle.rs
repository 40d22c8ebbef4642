//! `ChainHandle`: commands to the writer thread.

use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::{Coin, HashedBlock, Height, ProposedBlock};

use crate::coins::{CoinScan, scan_coins};
use crate::proposal::{check_expected, check_proposal};
use crate::shared::Shared;
use crate::snapshot::{LoadChecks, SnapshotDump, SnapshotLoad, dump_snapshot, load_snapshot};
use crate::tree::NodeId;
use crate::verify::verify_chain;
use crate::writer::{Command, Distance, Reply};
use crate::{SnapshotError, SubmitError, Verification, VerifyOptions};

/// What became of a valid block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the best chain now.
    NewTip,
    /// It is stored, and another chain is the best, or a body before it is missing.
    SideChain,
    /// It was stored before.
    Duplicate,
}

/// Sends commands to the writer thread. Every method blocks until the verdict would survive a power
/// cut: never call one on the async runtime.
#[derive(Clone)]
pub struct ChainHandle {
    commands: SyncSender<Command>,
    shared: Arc<Shared>,
}

impl ChainHandle {
    pub(crate) fn new(commands: SyncSender<Command>, shared: Arc<Shared>) -> Self {
        Self { commands, shared }
    }

    /// Checks a block, stores it, and makes its chain the best one if it has the most work.
    ///
    /// # Errors
    /// The block is invalid, its parent is not known, or the machine failed.
    pub fn submit_block(&self, block: Arc<Block>) -> Result<Submitted, SubmitError> {
        let block = Arc::new(self.hash(block));
        self.queue_block(block)?.wait()
    }

    /// As `submit_block`, for a caller with many blocks: it sends the next ones before it waits for this
    /// one's verdict. Blocks only while too many wait already.
    ///
    /// # Errors
    /// The machine failed.
    pub fn queue_block(&self, block: Arc<HashedBlock>) -> Result<Pending<Submitted>, SubmitError> {
        self.queue(|reply| Command::SubmitBlock(block, Distance::Bounded, reply))
    }

    /// As `queue_block`, for a block that was stored before: it is stored again however many blocks are
    /// missing before it.
    ///
    /// # Errors
    /// The machine failed.
    pub fn queue_stored_block(
        &self,
        block: Arc<HashedBlock>,
    ) -> Result<Pending<Submitted>, SubmitError> {
        self.queue(|reply| Command::SubmitBlock(block, Distance::Any, reply))
    }

    /// Deletes the bodies of those of the blocks that may go.
    pub(crate) fn prune_blocks(&self, blocks: Vec<NodeId>) -> Result<u64, SubmitError> {
        self.request(|reply| Command::Prune(blocks, reply))
    }

    /// Connects up to `blocks` blocks towards the best chain that is stored, and returns its height.
    pub(crate) fn advance(&self, blocks: u32) -> Result<Height, SubmitError> {
        self.request(|reply| Command::Advance(blocks, reply))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Checks headers, each after its parent, and keeps them. Returns their hashes, also of those
    /// that were known.
    ///
    /// # Errors
    /// The first that is invalid, and those before it are kept; or the machine failed.
    pub fn submit_headers(&self, headers: Vec<Header>) -> Result<Vec<BlockHash>, SubmitError> {
        self.request(|reply| Command::SubmitHeaders(headers, reply))
    }

    /// Checks a block that builds on the tip by all rules but the proof of work. Nothing is stored,
    /// and the writer thread is not held up.
    ///
    /// # Errors
    /// The block would be invalid, does not build on the tip, or the machine failed.
    pub fn check_proposal(&self, block: Arc<Block>) -> Result<(), SubmitError> {
        self.judge(|shared| check_proposal(shared, &self.hash(block)))
    }

    /// [`check_proposal`](Self::check_proposal) for a block that was put together here, of transactions whose ids are
    /// known: on several threads.
    ///
    /// # Errors
    /// As there.
    pub fn check_proposed(&self, block: &ProposedBlock) -> Result<(), SubmitError> {
        self.judge(|shared| check_expected(shared, block))
    }

    /// Computes the ids of a block's transactions, of a large one on two threads.
    fn hash(&self, block: Arc<Block>) -> HashedBlock {
        let shared = &self.shared;
        HashedBlock::new_in_halves(Arc::clone(&block), |first, second| {
            shared.join_for(&block, first, second);
        })
    }

    fn judge(
        &self,
        check: impl FnOnce(&Shared) -> Result<(), SubmitError>,
    ) -> Result<(), SubmitError> {
        if let Some(error) = self.shared.failure() {
            return Err(SubmitError::Machine(error));
        }
        match check(&self.shared) {
            Err(SubmitError::Machine(error)) => Err(SubmitError::of_machine(error)),
            verdict => verdict,
        }
    }

    /// Prefers a block to others of the same work, as if it had come first.
    ///
    /// # Errors
    /// The block is not known, or the machine failed.
    pub fn precious_block(&self, hash: BlockHash) -> Result<(), SubmitError> {
        self.request(|reply| Command::Precious(hash, reply))
    }

    /// Holds a block and all that follow it for invalid, until it is reconsidered.
    ///
    /// # Errors
    /// The block is not known or is the genesis block, or the machine failed.
    pub fn invalidate_block(&self, hash: BlockHash) -> Result<(), SubmitError> {
        self.request(|reply| Command::Invalidate(hash, reply))
    }

    /// Forgets that a block, those before it or those after it were found invalid or invalidated.
    ///
    /// # Errors
    /// The block is not known, or the machine failed.
    pub fn reconsider_block(&self, hash: BlockHash) -> Result<(), SubmitError> {
        self.request(|reply| Command::Reconsider(hash, reply))
    }

    /// Brings the database up to the tip: until then it may lag behind by the blocks of some seconds.
    ///
    /// # Errors
    /// The machine failed.
    pub fn flush(&self) -> Result<(), SubmitError> {
        self.request(Command::Flush)
    }

    /// Shows every coin of the tip to `visit`, as of one instant, until it breaks off: in the order of the
    /// bytes of the transactions' ids, then of the outputs' numbers. First the writer writes what it has
    /// in memory; then it goes on with other work.
    ///
    /// The database stays open as long as this runs, so `visit` must break off when the node stops.
    ///
    /// # Errors
    /// The machine failed.
    pub fn scan_coins(
        &self,
        visit: impl FnMut(&OutPoint, &Coin) -> ControlFlow<()>,
    ) -> Result<CoinScan, SubmitError> {
        self.flush()?;
        scan_coins(&self.shared, visit).map_err(SubmitError::of_machine)
    }

    /// Writes all coins of a block of the best chain, of the tip by default, in Bitcoin Core's format: as of one
    /// instant, and as `scan_coins` without holding the chain up. The coins of an earlier block are those of
    /// the tip with the blocks since taken back, in a table beside the chain's.
    ///
    /// # Errors
    /// The block is not in the best chain, the data to go back to it is not there, `output` can't be written,
    /// it was interrupted, or the machine failed.
    pub fn dump_snapshot(
        &self,
        target: Option<BlockHash>,
        output: &mut (impl Write + Seek),
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<SnapshotDump, SnapshotError> {
        self.flush()?;
        dump_snapshot(&self.shared, target, output, is_interrupted)
    }

    /// Takes the coins of a block from a file in Bitcoin Core's format, if the chain spec knows their hash, and
    /// goes on from that block at once. The blocks up to it are validated in the background as they come.
    ///
    /// # Errors
    /// The file is not right, or the chain can't go over to it, and nothing has changed; or the machine failed.
    pub fn load_snapshot(
        &self,
        input: &mut impl Read,
        checks: LoadChecks<'_>,
    ) -> Result<SnapshotLoad, SnapshotError> {
        load_snapshot(&self.shared, input, checks, |entry| {
            self.request(|reply| Command::ActivateSnapshot(entry, reply))?
        })
    }

    /// Verifies what is stored of the best chain's last blocks, as of one instant. First the writer writes
    /// what it has in memory; then it goes on with other work, and nothing is changed.
    ///
    /// `is_interrupted` is asked before each block. The database stays open as long as this runs.
    ///
    /// # Errors
    /// The machine failed. Damage is no error: it is what is looked for.
    pub fn verify_chain(
        &self,
        options: VerifyOptions,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<Verification, SubmitError> {
        self.flush()?;
        verify_chain(&self.shared, options, is_interrupted).map_err(SubmitError::of_machine)
    }

    /// Ends the writer thread when it has carried out what was asked before.
    pub(crate) fn stop(&self) {
        // An error says that the thread has ended already.
        let _ = self.commands.send(Command::Stop);
    }

    fn request<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, SubmitError> {
        self.queue(command)?.wait()
    }

    fn queue<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<Pending<T>, SubmitError> {
        let (reply, verdict) = sync_channel(1);
        match self.commands.send(command(reply)) {
            Ok(()) => Ok(Pending {
                verdict,
                shared: Arc::clone(&self.shared),
            }),
            Err(_) => Err(ended(&self.shared)),
        }
    }
}

/// A verdict that is still to come.
#[derive(Debug)]
#[must_use = "the verdict tells whether it was done"]
pub struct Pending<T> {
    verdict: Receiver<Result<T, SubmitError>>,
    shared: Arc<Shared>,
}

impl<T> Pending<T> {
    /// Waits for it.
    ///
    /// # Errors
    /// Those of what was asked for.
    pub fn wait(self) -> Result<T, SubmitError> {
        let verdict = self.verdict.recv();
        verdict.unwrap_or_else(|_| Err(ended(&self.shared)))
    }
}

/// Why the writer thread does not answer.
fn ended(shared: &Shared) -> SubmitError {
    shared
        .failure()
        .map_or(SubmitError::Stopped, SubmitError::Machine)
}

impl std::fmt::Debug for ChainHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainHandle").finish_non_exhaustive()
    }
}
