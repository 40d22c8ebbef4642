//! Following the chain. The mempool remembers the last block that it followed and asks the chain for
//! the path to the tip: start-up, lag and reorganisation are the same.

use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::Duration;

use pyrite_chain::{ChainError, ChainPath, Tip};
use pyrite_consensus::bitcoin::{Block, BlockHash};
use pyrite_consensus::script::ScriptFlags;

use crate::MempoolError;
use crate::handle::MempoolHandle;
use crate::rebuild::Rebuild;
use crate::state::Cursor;

/// How many tips one call follows; a call that finds yet another leaves it to the next.
const MAX_STEPS: usize = 64;

/// How often, and how long, to look whether a reorganisation has ended.
const POLL: Duration = Duration::from_millis(1);
const MAX_WAIT: Duration = Duration::from_secs(5);

impl MempoolHandle {
    /// Follows the chain to its tip. Blocks: it reads blocks and coins.
    ///
    /// # Errors
    /// A failure of the machine; the mempool then stays where it was.
    pub fn sync(&self) -> Result<(), MempoolError> {
        if self.state().cursor.hash == self.inner.chain.tip().hash {
            return Ok(());
        }
        let writer = self.writer();
        self.sync_with(&writer)
    }

    /// Follows the chain until `shutdown` completes or the chain stops.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut tip = self.inner.chain.watch_tip();
        tokio::pin!(shutdown);
        loop {
            tip.mark_unchanged();
            let follower = self.clone();
            match tokio::task::spawn_blocking(move || follower.sync()).await {
                Ok(Ok(())) => {}
                Ok(Err(MempoolError::Machine(ChainError::Closed))) => return,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the mempool can't follow the chain");
                }
                // The runtime is shutting down, or `sync` panicked; the panic hook has said so.
                Err(_) => return,
            }
            tokio::select! {
                () = &mut shutdown => return,
                changed = tip.changed() => if changed.is_err() { return },
            }
        }
    }

    /// `sync` for a caller that holds the writer's lock already.
    pub(crate) fn sync_with(&self, writer: &MutexGuard<'_, ()>) -> Result<(), MempoolError> {
        for _ in 0..MAX_STEPS {
            let tip = self.settled_tip();
            let cursor = self.state().cursor;
            if cursor.hash == tip.hash {
                return Ok(());
            }
            let followed = match self.inner.chain.path(&cursor.hash, &tip.hash) {
                Some(path) if path.disconnect.is_empty() && self.same_flags(cursor, &tip) => {
                    self.connect(writer, &path, &tip)
                }
                path => self.rebuild(writer, path, &tip),
            };
            match followed {
                // The chain went over to a file of coins: the blocks on the way may come later.
                Err(MempoolError::MissingBlock(_)) => self.rebuild(writer, None, &tip)?,
                followed => followed?,
            }
        }
        Ok(())
    }

    /// The tip at the end of a reorganisation that is under way. On the way there the tip is lower
    /// than before, and a coinbase that is mature at both ends might not be: following each step
    /// would drop what spends it. A very long reorganisation is followed in steps all the same.
    fn settled_tip(&self) -> Tip {
        let settled = self.inner.chain.watch_tip();
        let mut waited = Duration::ZERO;
        loop {
            let tip = self.inner.chain.tip();
            if settled.borrow().hash == tip.hash || waited >= MAX_WAIT {
                return tip;
            }
            thread::sleep(POLL);
            waited += POLL;
        }
    }

    /// Whether the scripts in a block after the cursor and in one after the tip follow the same rules.
    fn same_flags(&self, cursor: Cursor, tip: &Tip) -> bool {
        let spec = self.inner.chain.spec();
        ScriptFlags::at_height(spec, cursor.height.next())
            == ScriptFlags::at_height(spec, tip.height.next())
    }

    /// Follows blocks on top of the cursor's, one by one.
    fn connect(
        &self,
        writer: &MutexGuard<'_, ()>,
        path: &ChainPath,
        tip: &Tip,
    ) -> Result<(), MempoolError> {
        let now = self.inner.clock.now();
        for hash in &path.connect {
            if self.state().pool.is_empty() {
                break; // nothing that a block could change
            }
            let block = self.block(hash)?;
            self.change(writer, |state| {
                let height = state.cursor.height.next();
                state.connect_block(
                    &block,
                    Cursor {
                        hash: *hash,
                        height,
                    },
                    now,
                );
            });
        }
        self.change(writer, |state| {
            let cursor = Cursor {
                hash: tip.hash,
                height: tip.height,
            };
            if state.cursor != cursor {
                state.move_cursor(cursor, now);
            }
            state.keep_bounds(&self.inner.config, now);
        });
        Ok(())
    }

    /// Checks everything anew at `tip`: the transactions of blocks that are not in the best chain any
    /// more, then the mempool's own. Without a path the cursor's block is unknown, and only the
    /// mempool's own are checked.
    fn rebuild(
        &self,
        writer: &MutexGuard<'_, ()>,
        path: Option<ChainPath>,
        tip: &Tip,
    ) -> Result<(), MempoolError> {
        let (disconnect, connect) =
            path.map_or_else(Default::default, |path| (path.disconnect, path.connect));
        let Some(parent) = self.inner.chain.header_chain(&tip.hash) else {
            return Ok(()); // not a tip any more; the caller looks again
        };
        let (entries, sequence) = {
            let state = self.state();
            (state.pool.sorted(), state.sequence)
        };
        let mut rebuild = Rebuild::new(self, tip, &parent, sequence);
        for hash in disconnect.iter().rev() {
            rebuild.take_block(&*self.block(hash)?)?;
        }
        rebuild.take_entries(entries)?;
        for hash in &connect {
            rebuild.mark_confirmed(&*self.block(hash)?);
        }
        if rebuild.is_outdated() {
            return Ok(()); // the tip moved under it; the caller looks again
        }
        let now = self.inner.clock.now();
        let rebuilt = rebuild.finish();
        tracing::debug!(
            disconnected = disconnect.len(),
            connected = connect.len(),
            kept = rebuilt.pool.len(),
            left = rebuilt.left.len(),
            "the mempool followed a reorganisation"
        );
        self.change(writer, |state| {
            let cursor = Cursor {
                hash: tip.hash,
                height: tip.height,
            };
            state.replace_pool(rebuilt.pool, cursor, &rebuilt.left, now);
            if let Some(rate) = rebuilt.evicted_rate {
                state.evicted(rate, &self.inner.config);
            }
            state.keep_bounds(&self.inner.config, now);
        });
        Ok(())
    }

    fn block(&self, hash: &BlockHash) -> Result<Arc<Block>, MempoolError> {
        self.inner
            .chain
            .shared_block(hash)?
            .ok_or(MempoolError::MissingBlock(*hash))
    }
}
