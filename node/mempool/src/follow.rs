//! Following the chain. The mempool remembers the last block that it followed and asks the chain for
//! the path to the tip: start-up, lag and reorganisation are the same.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::Duration;

use pyrite_chain::{ChainError, ChainPath, Tip};
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid};
use pyrite_consensus::script::ScriptFlags;
use pyrite_consensus::{BlockContext, HashedBlock};

use crate::admission::{Admission, check_without_coins, draft, pool_coins, revalidate};
use crate::changes::RemovalReason;
use crate::handle::MempoolHandle;
use crate::state::{Cursor, Returning, State};
use crate::{FeeRate, MempoolError};

/// The most bytes of blocks that left the best chain whose transactions come back (about; the last block counts whole).
const MAX_RETURNING_BYTES: usize = 20_000_000;

/// Entries that are looked at together after the tip went down.
const BATCH: usize = 1_000;

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
    fn sync_with(&self, writer: &MutexGuard<'_, ()>) -> Result<(), MempoolError> {
        let start = self.state().cursor;
        for _ in 0..MAX_STEPS {
            let tip = self.settled_tip();
            let cursor = self.state().cursor;
            if cursor.hash == tip.hash {
                if !self.settle_doubts(writer, &tip)? {
                    continue;
                }
                if cursor != start {
                    let now = self.inner.clock.now();
                    self.change(writer, |state| state.keep_bounds(&self.inner.config, now));
                }
                return Ok(());
            }
            if !self.same_rules(cursor, &tip) {
                self.change(writer, State::doubt_all);
            }
            let path = self.inner.chain.path(&cursor.hash, &tip.hash);
            let followed = match path {
                Some(path) if path.disconnect.is_empty() => self.connect(writer, &path, &tip),
                Some(path) => self.reorganise(writer, &path, &tip),
                None => self.jump(writer, &tip),
            };
            match followed {
                // The chain went over to a file of coins: the blocks on the way may come later.
                Err(MempoolError::MissingBlock(_)) => self.jump(writer, &tip)?,
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

    /// Whether a block after the cursor and one after the tip follow the same rules.
    fn same_rules(&self, cursor: Cursor, tip: &Tip) -> bool {
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
                state.connect_block(&block);
                let height = state.cursor.height.next();
                state.move_cursor(
                    Cursor {
                        hash: *hash,
                        height,
                    },
                    now,
                );
            });
        }
        self.arrive(writer, tip);
        Ok(())
    }

    /// Goes over to another branch: takes back what only the old one contained, and drops what the new one makes impossible. The work
    /// depends on the blocks on the way, and on the entries that came, or became possible, since the fork.
    fn reorganise(
        &self,
        writer: &MutexGuard<'_, ()>,
        path: &ChainPath,
        tip: &Tip,
    ) -> Result<(), MempoolError> {
        let disconnected = self.disconnected(writer, path)?;
        let confirmed = self.confirm(writer, path, &disconnected)?;
        let Some(parent) = self.inner.chain.header_chain(&tip.hash) else {
            return Ok(()); // not a tip any more; the caller looks again
        };
        let context = BlockContext::new(&parent);
        let admission = self.admission(&context, FeeRate::ZERO);
        let Some(returning) = self.returning(&admission, &disconnected, &confirmed, tip)? else {
            return Ok(()); // the tip moved under it; the caller looks again
        };
        let now = self.inner.clock.now();
        let cursor = Cursor {
            hash: tip.hash,
            height: tip.height,
        };
        self.change(writer, |state| {
            state.disconnect_blocks(returning, &self.inner.config, now, admission.tip());
            let moved = disconnected.iter().flat_map(|block| outputs(block));
            state.doubt_at(admission.tip(), moved);
            state.move_cursor(cursor, now);
        });
        tracing::debug!(
            disconnected = path.disconnect.len(),
            connected = path.connect.len(),
            "the mempool followed a reorganisation"
        );
        Ok(())
    }

    /// The blocks that leave the best chain, oldest first, as many as may be held at once. Nothing of the others comes back, nor stays
    /// what spends it.
    fn disconnected(
        &self,
        writer: &MutexGuard<'_, ()>,
        path: &ChainPath,
    ) -> Result<Vec<Arc<HashedBlock>>, MempoolError> {
        let mut held = Vec::new();
        let mut bytes = 0;
        for hash in path.disconnect.iter().rev() {
            let block = self.block(hash)?;
            if bytes < MAX_RETURNING_BYTES {
                bytes += block.block().total_size();
                held.push(block);
            } else {
                self.change(writer, |state| state.drop_spenders(outputs(&block)));
            }
        }
        Ok(held)
    }

    /// Removes what the blocks of the new branch confirm and make impossible. Returns which transactions of the old branch they contain.
    fn confirm(
        &self,
        writer: &MutexGuard<'_, ()>,
        path: &ChainPath,
        disconnected: &[Arc<HashedBlock>],
    ) -> Result<HashSet<Txid>, MempoolError> {
        let before: HashSet<&Txid> = disconnected.iter().flat_map(|b| b.txids()).collect();
        let mut confirmed = HashSet::new();
        for hash in &path.connect {
            let block = self.block(hash)?;
            let again = block.txids().iter().filter(|txid| before.contains(txid));
            confirmed.extend(again.copied());
            self.change(writer, |state| state.connect_block(&block));
        }
        Ok(confirmed)
    }

    /// Goes over to a tip to which no way is known: every entry has to be looked at again.
    fn jump(&self, writer: &MutexGuard<'_, ()>, tip: &Tip) -> Result<(), MempoolError> {
        self.change(writer, State::doubt_all);
        self.arrive(writer, tip);
        Ok(())
    }

    /// Moves the cursor to the tip.
    fn arrive(&self, writer: &MutexGuard<'_, ()>, tip: &Tip) {
        let cursor = Cursor {
            hash: tip.hash,
            height: tip.height,
        };
        if self.state().cursor != cursor {
            let now = self.inner.clock.now();
            self.change(writer, |state| state.move_cursor(cursor, now));
        }
    }

    /// The transactions of blocks that left the best chain, oldest first, without those that the new branch confirms again. Those
    /// that can come back have passed all rules on the tip; `None` when the tip has moved.
    fn returning(
        &self,
        admission: &Admission<'_>,
        disconnected: &[Arc<HashedBlock>],
        confirmed: &HashSet<Txid>,
        tip: &Tip,
    ) -> Result<Option<Vec<Returning>>, MempoolError> {
        let transactions = || {
            let blocks = disconnected.iter();
            let all = blocks.flat_map(|block| block.block().txdata.iter().zip(block.txids()));
            all.filter(|(_, txid)| !confirmed.contains(*txid))
        };
        let spent: Vec<OutPoint> = transactions()
            .flat_map(|(tx, _)| tx.input.iter().map(|input| input.previous_output))
            .collect();
        let mut coins = self.inner.chain.coins(&spent)?;
        if coins.tip.hash != tip.hash {
            return Ok(None);
        }
        let mut returning = Vec::new();
        for (tx, txid) in transactions() {
            let tx = Arc::new(tx.clone());
            let drafted = check_without_coins(admission, &tx)
                .and_then(|()| draft(admission, Arc::clone(&tx), *txid, &coins.coins))
                .and_then(|draft| self.verify(&draft).map(|()| draft));
            if let Ok(draft) = &drafted {
                coins.coins.extend(draft.outputs(admission.context.height));
            }
            returning.push(Returning {
                tx,
                txid: *txid,
                draft: drafted,
            });
        }
        Ok(Some(returning))
    }

    /// Looks again at the entries that the tip may have made invalid. Says whether all are settled: not if the tip moves.
    fn settle_doubts(&self, writer: &MutexGuard<'_, ()>, tip: &Tip) -> Result<bool, MempoolError> {
        loop {
            let entries = self.state().doubtful(BATCH);
            if entries.is_empty() {
                return Ok(self.change(writer, State::is_settled));
            }
            let Some(parent) = self.inner.chain.header_chain(&tip.hash) else {
                return Ok(false);
            };
            let context = BlockContext::new(&parent);
            let admission = self.admission(&context, FeeRate::ZERO);
            let inputs = entries.iter().flat_map(|entry| entry.tx.input.iter());
            let spent: Vec<OutPoint> = inputs.map(|input| input.previous_output).collect();
            let coins = self.inner.chain.coins(&spent)?;
            if coins.tip.hash != tip.hash {
                return Ok(false);
            }
            let mut checked = Vec::with_capacity(entries.len());
            for entry in &entries {
                let found = pool_coins(&self.state().pool, &entry.tx, &coins.coins, context.height);
                let verdict = found.and_then(|coins| revalidate(&admission, &entry.tx, &coins));
                let reason = match verdict {
                    Ok(()) => None,
                    Err(MempoolError::MissingInputs(_)) => {
                        let confirmed = self.is_in_chain(&entry.tx, entry.txid)?;
                        Some(if confirmed {
                            RemovalReason::Block
                        } else {
                            RemovalReason::Conflict
                        })
                    }
                    Err(_) => Some(RemovalReason::Reorg),
                };
                checked.push((entry.txid, reason));
            }
            self.change(writer, |state| state.settle(&checked, admission.tip()));
        }
    }

    fn block(&self, hash: &BlockHash) -> Result<Arc<HashedBlock>, MempoolError> {
        self.inner
            .chain
            .hashed_block(hash)?
            .ok_or(MempoolError::MissingBlock(*hash))
    }
}

/// The outputs of a block's transactions.
fn outputs(block: &HashedBlock) -> impl Iterator<Item = OutPoint> + '_ {
    let transactions = block.block().txdata.iter().zip(block.txids());
    transactions.flat_map(|(tx, txid)| {
        let outputs = (0..).zip(&tx.output);
        outputs.map(|(vout, _)| OutPoint { txid: *txid, vout })
    })
}
