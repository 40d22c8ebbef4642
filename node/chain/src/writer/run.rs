//! The writer thread's loop: takes commands, carries them out, makes them durable, answers.
//!
//! Commands that wait together are carried out together and share one sync of the log. Nobody gets
//! an answer before that sync, so what was acknowledged survives a power cut.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::spec::AssumeUtxo;
use pyrite_consensus::{HashedBlock, Height};
use pyrite_storage::{Batch, Database, Durability};

use super::activate::Verdict;
use super::background::{Background, Step};
use super::candidates::Candidates;
use super::flush::FLUSH_EVERY;
use crate::chain::Activation;
use crate::shared::Shared;
use crate::tree::NodeId;
use crate::{ChainError, SnapshotError, SubmitError, Submitted};

/// The most commands that share one sync.
const GROUP_COMMANDS: usize = 64;
/// No command joins a group that has been worked on for longer.
const GROUP_TIME: Duration = Duration::from_millis(200);

/// Where a verdict goes. It has room for one, so sending never blocks.
pub(crate) type Reply<T> = SyncSender<Result<T, SubmitError>>;

/// Whether a body may be stored however far above the tip it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distance {
    /// Up to `MAX_BLOCKS_AHEAD`: it may be anybody's.
    Bounded,
    /// It was stored before.
    Any,
}

/// What the writer can be asked for.
pub(crate) enum Command {
    SubmitBlock(Arc<HashedBlock>, Distance, Reply<Submitted>),
    /// Deletes the bodies of blocks.
    Prune(Vec<NodeId>, Reply<u64>),
    /// Connects so many blocks at most towards the best chain, and answers with its height.
    Advance(u32, Reply<Height>),
    SubmitHeaders(Vec<Header>, Reply<Vec<BlockHash>>),
    Precious(BlockHash, Reply<()>),
    Invalidate(BlockHash, Reply<()>),
    Reconsider(BlockHash, Reply<()>),
    Flush(Reply<()>),
    ActivateSnapshot(AssumeUtxo, Reply<Result<(), SnapshotError>>),
    Stop,
}

/// An answer that waits for the sync; it becomes the failure if that fails.
type Answer = Box<dyn FnOnce(Option<&ChainError>)>;

/// The only one that changes the chain.
pub(crate) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) candidates: Candidates,
    /// See `ChainConfig::assume_valid`.
    pub(super) assume_valid: Option<BlockHash>,
    /// The number of the next block whose body is stored or whose chain is complete.
    pub(super) next_sequence: i64,
    /// The number of the next block that is made precious, below all others.
    pub(super) next_precious: i64,
    /// The tip that the coins in the database belong to.
    pub(super) flushed_tip: NodeId,
    pub(super) last_flush: Instant,
    /// The validation of the blocks below a snapshot, while there is one.
    pub(super) background: Option<Background>,
    /// The verdict on a block that was checked while its body was written; `connect` takes it.
    pub(super) ahead: Option<(NodeId, Verdict)>,
    /// Whether something was committed since the last sync.
    pub(super) unsynced: bool,
}

impl Writer {
    /// Takes up the work where the database was left, and brings an interrupted reorganisation to
    /// its end.
    pub(crate) fn resume(
        shared: Arc<Shared>,
        assume_valid: Option<BlockHash>,
        activation: Activation,
    ) -> Result<Self, ChainError> {
        let (candidates, last, first) = {
            let tree = shared.tree();
            let sequences = || tree.ids().map(|id| tree.node(id).sequence);
            let (last, first) = (sequences().max(), sequences().min());
            (
                Candidates::of(&tree),
                last.unwrap_or_default(),
                first.unwrap_or_default(),
            )
        };
        let mut writer = Self {
            shared: Arc::clone(&shared),
            candidates,
            assume_valid,
            next_sequence: last.max(0).saturating_add(1),
            next_precious: first.min(0).saturating_sub(1),
            flushed_tip: shared.tree().tip(),
            last_flush: Instant::now(),
            background: resume_background(&shared),
            ahead: None,
            unsynced: false,
        };
        let database = shared.database()?;
        if activation == Activation::AtOnce {
            writer.activate_best(&database)?;
        }
        writer.flush_coins(&database)?;
        writer.settle(&database)?;
        drop(database);
        Ok(writer)
    }

    /// Carries out commands until it is told to stop, nobody is left to send any, or the machine
    /// fails.
    pub(crate) fn run(mut self, commands: &Receiver<Command>) {
        let shared = Arc::clone(&self.shared);
        let _guard = PanicGuard(Arc::clone(&shared));
        loop {
            let first = match commands.recv_timeout(self.wait()) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let result = shared.database().and_then(|database| match first {
                Some(first) => self.run_group(&database, first, commands),
                // Nobody asks for anything.
                None => self.idle(&database).map(ControlFlow::Continue),
            });
            match result {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(error) => {
                    tracing::error!(%error, "the chain has stopped");
                    shared.fail(error);
                    return;
                }
            }
        }
    }

    /// How long it may wait for a command.
    fn wait(&self) -> Duration {
        let is_ready = self.background.as_ref().is_some_and(Background::is_ready);
        if is_ready {
            Duration::ZERO
        } else {
            FLUSH_EVERY
        }
    }

    /// Does what there is to do without a command: settling flushes.
    fn idle(&mut self, database: &Database) -> Result<(), ChainError> {
        if self.step_background(database)? == Step::Idle || self.last_flush.elapsed() >= FLUSH_EVERY
        {
            self.settle(database)?;
        }
        Ok(())
    }

    /// Carries out a command and those that wait behind it, syncs once, and answers all.
    fn run_group(
        &mut self,
        database: &Database,
        first: Command,
        commands: &Receiver<Command>,
    ) -> Result<ControlFlow<()>, ChainError> {
        let start = Instant::now();
        let mut answers: Vec<Answer> = Vec::new();
        let mut flow = ControlFlow::Continue(());
        let mut next = Some(first);
        let mut result = Ok(());
        while let Some(command) = next.take() {
            if matches!(command, Command::Stop) {
                result = self
                    .flush_coins(database)
                    .and_then(|()| self.flush_background(database));
                flow = ControlFlow::Break(());
                break;
            }
            result = self.execute(database, command, &mut answers);
            if result.is_ok() && answers.len() < GROUP_COMMANDS && start.elapsed() < GROUP_TIME {
                next = commands.try_recv().ok();
            }
        }
        if let Some(background) = &mut self.background {
            background.wake();
            if background.is_overdue() && result.is_ok() && flow.is_continue() {
                result = self.step_background(database).map(|_| ());
            }
        }
        let result = result.and_then(|()| self.settle(database));
        if let Err(error) = &result {
            // Before anybody is answered, so that whoever asks again gets the same answer.
            self.shared.fail(error.clone());
        }
        for answer in answers {
            answer(result.as_ref().err());
        }
        result.map(|()| flow)
    }

    /// Carries out one command. Its answer waits in `answers`; an error is the machine's.
    fn execute(
        &mut self,
        database: &Database,
        command: Command,
        answers: &mut Vec<Answer>,
    ) -> Result<(), ChainError> {
        match command {
            Command::SubmitBlock(block, distance, reply) => {
                let verdict = self.submit_block(database, &block, distance);
                queue_answer(answers, reply, verdict)
            }
            Command::Prune(blocks, reply) => {
                let result = self.prune(database, &blocks).map_err(SubmitError::from);
                queue_answer(answers, reply, result)
            }
            Command::Advance(blocks, reply) => {
                let result = self.advance(database, blocks).map_err(SubmitError::from);
                queue_answer(answers, reply, result)
            }
            Command::SubmitHeaders(headers, reply) => {
                queue_answer(answers, reply, self.submit_headers(database, &headers))
            }
            Command::Precious(hash, reply) => {
                queue_answer(answers, reply, self.make_precious(database, hash))
            }
            Command::Invalidate(hash, reply) => {
                queue_answer(answers, reply, self.invalidate(database, hash))
            }
            Command::Reconsider(hash, reply) => {
                queue_answer(answers, reply, self.reconsider(database, hash))
            }
            Command::Flush(reply) => {
                let result = self.flush_coins(database).map_err(SubmitError::from);
                queue_answer(answers, reply, result)
            }
            Command::ActivateSnapshot(entry, reply) => {
                let result = self.activate_snapshot(database, &entry);
                queue_answer(answers, reply, result.map_err(SubmitError::from))
            }
            Command::Stop => Ok(()),
        }
    }

    /// Makes what was committed durable, and tells those who watch the tip.
    fn settle(&mut self, database: &Database) -> Result<(), ChainError> {
        if self.last_flush.elapsed() >= FLUSH_EVERY {
            self.flush_coins(database)?;
            self.flush_background(database)?;
        }
        if self.unsynced {
            database.sync()?;
            self.unsynced = false;
        }
        self.shared.publish_tip();
        Ok(())
    }

    /// Commits a batch; `settle` makes it durable.
    pub(super) fn commit(
        &mut self,
        database: &Database,
        batch: Batch<'_>,
    ) -> Result<(), ChainError> {
        self.unsynced = true;
        Ok(database.commit(batch, Durability::Buffered)?)
    }
}

/// The validation in the background, where the database was left.
fn resume_background(shared: &Shared) -> Option<Background> {
    let assumed = shared.tree().assumed()?;
    let table = shared.coins_cache().table().other();
    let cache_bytes = shared.coins_cache_bytes / 2;
    Some(Background::new(table, cache_bytes, assumed.background))
}

/// Keeps a verdict until the sync; returns the failure if it is one of the machine.
fn queue_answer<T: 'static>(
    answers: &mut Vec<Answer>,
    reply: Reply<T>,
    verdict: Result<T, SubmitError>,
) -> Result<(), ChainError> {
    let failure = match &verdict {
        Err(SubmitError::Machine(error)) => Err(error.clone()),
        _ => Ok(()),
    };
    answers.push(Box::new(move |sync_failure| {
        let verdict = match sync_failure {
            Some(error) => Err(SubmitError::Machine(error.clone())),
            None => verdict,
        };
        // An error says that the caller is gone: nobody wants the answer.
        let _ = reply.send(verdict);
    }));
    failure
}

/// Tells of a panic, so that the node can stop instead of waiting for ever.
struct PanicGuard(Arc<Shared>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(ChainError::WriterPanicked);
        }
    }
}
