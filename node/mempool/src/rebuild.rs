//! Building the pool anew at another tip, with every rule that depends on the chain checked again.
//! Transactions come in an order in which parents precede children; what fails is left out, and so
//! its descendants fail for lack of their inputs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pyrite_chain::Tip;
use pyrite_consensus::bitcoin::{Block, OutPoint, Transaction, Txid};
use pyrite_consensus::{BlockContext, Coin, HeaderChain, Height};

use crate::admission::{Admission, Origin, check_with_coins, check_without_coins};
use crate::changes::RemovalReason;
use crate::handle::MempoolHandle;
use crate::pool::Pool;
use crate::{FeeRate, MempoolEntry, MempoolError};

/// Entries whose coins are read together.
const BATCH: usize = 1_000;

/// A pool under construction.
pub(crate) struct Rebuild<'a> {
    mempool: &'a MempoolHandle,
    tip: &'a Tip,
    context: BlockContext<'a>,
    pool: Pool,
    /// The last sequence number in use.
    sequence: u64,
    /// Earlier entries that are not in `pool`, in the order in which they failed.
    left: Vec<Txid>,
    reasons: HashMap<Txid, RemovalReason>,
    /// The earlier entries.
    earlier: HashSet<Txid>,
    evicted_rate: Option<FeeRate>,
    outdated: bool,
}

/// The result.
pub(crate) struct Rebuilt {
    pub(crate) pool: Pool,
    /// Earlier entries that are not in the pool.
    pub(crate) left: Vec<(Txid, RemovalReason)>,
    /// The highest rate of a package that had to go for want of room.
    pub(crate) evicted_rate: Option<FeeRate>,
}

/// A transaction to take, and what is known of it.
struct Candidate {
    tx: Arc<Transaction>,
    /// Time, height and sequence number, for an earlier entry.
    entered: Option<(u64, Height, u64)>,
}

impl<'a> Rebuild<'a> {
    /// An empty pool for the block after `tip`, which ends `parent`. `sequence` is the mempool's.
    pub(crate) fn new(
        mempool: &'a MempoolHandle,
        tip: &'a Tip,
        parent: &'a dyn HeaderChain,
        sequence: u64,
    ) -> Self {
        Self {
            mempool,
            tip,
            context: BlockContext::new(parent),
            pool: Pool::default(),
            sequence,
            left: Vec::new(),
            reasons: HashMap::new(),
            earlier: HashSet::new(),
            evicted_rate: None,
            outdated: false,
        }
    }

    /// Takes the transactions of a block that left the best chain.
    pub(crate) fn take_block(&mut self, block: &Block) -> Result<(), MempoolError> {
        let transactions = block
            .txdata
            .iter()
            .filter(|transaction| !transaction.is_coinbase());
        let candidates = transactions
            .map(|transaction| Candidate {
                tx: Arc::new(transaction.clone()),
                entered: None,
            })
            .collect();
        self.take(candidates)
    }

    /// Takes the mempool's earlier entries, parents first.
    pub(crate) fn take_entries(
        &mut self,
        entries: Vec<Arc<MempoolEntry>>,
    ) -> Result<(), MempoolError> {
        self.earlier = entries.iter().map(|entry| entry.txid).collect();
        for batch in entries.chunks(BATCH) {
            let candidates = batch.iter().map(|entry| Candidate {
                tx: Arc::clone(&entry.tx),
                entered: Some((entry.time, entry.height, entry.sequence)),
            });
            self.take(candidates.collect())?;
        }
        Ok(())
    }

    /// Notes which earlier entries a block of the new branch contains.
    pub(crate) fn mark_confirmed(&mut self, block: &Block) {
        for transaction in &block.txdata {
            let txid = transaction.compute_txid();
            if self.earlier.contains(&txid) {
                self.reasons.insert(txid, RemovalReason::Block);
            }
        }
    }

    /// Whether the chain has moved to another tip in the meantime.
    pub(crate) fn is_outdated(&self) -> bool {
        self.outdated
    }

    pub(crate) fn finish(self) -> Rebuilt {
        let Self {
            pool,
            left,
            reasons,
            evicted_rate,
            ..
        } = self;
        let left = left
            .into_iter()
            .filter(|txid| !pool.contains(txid))
            .map(|txid| {
                (
                    txid,
                    reasons.get(&txid).copied().unwrap_or(RemovalReason::Reorg),
                )
            })
            .collect();
        Rebuilt {
            pool,
            left,
            evicted_rate,
        }
    }

    fn take(&mut self, candidates: Vec<Candidate>) -> Result<(), MempoolError> {
        if self.outdated {
            return Ok(());
        }
        let spent: Vec<OutPoint> = candidates
            .iter()
            .flat_map(|candidate| candidate.tx.input.iter().map(|input| input.previous_output))
            .collect();
        let coins = self.mempool.inner.chain.coins(&spent)?;
        if coins.tip.hash != self.tip.hash {
            self.outdated = true;
            return Ok(());
        }
        for candidate in candidates {
            let txid = candidate.tx.compute_txid();
            let was_entry = candidate.entered.is_some();
            let result = self.take_one(candidate, &coins.coins);
            match result {
                Ok(()) => self.keep_bound(),
                Err(error) if was_entry => {
                    let reason = self.reason(&txid, &error)?;
                    self.left.push(txid);
                    self.reasons.insert(txid, reason);
                }
                Err(error) => {
                    tracing::debug!(%txid, %error, "a reorganisation drops a transaction")
                }
            }
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        candidate: Candidate,
        coins: &HashMap<OutPoint, Coin>,
    ) -> Result<(), MempoolError> {
        let inner = &self.mempool.inner;
        let admission = Admission {
            spec: inner.chain.spec(),
            context: &self.context,
            config: &inner.config,
            origin: Origin::Returning,
            mempool_min_fee: FeeRate::ZERO,
        };
        check_without_coins(&admission, &self.pool, &candidate.tx)?;
        let plan = check_with_coins(&admission, &self.pool, &candidate.tx, coins)?;
        if candidate.entered.is_none() {
            self.mempool.verify(&candidate.tx, &plan)?;
        }
        let (time, height, sequence) = candidate.entered.unwrap_or_else(|| {
            self.sequence += 1;
            (inner.clock.now(), self.tip.height, self.sequence)
        });
        self.pool
            .insert(plan.entry(candidate.tx, time, height, sequence));
        Ok(())
    }

    /// Why an earlier entry fails now.
    fn reason(&self, txid: &Txid, error: &MempoolError) -> Result<RemovalReason, MempoolError> {
        let MempoolError::MissingInputs(missing) = error else {
            return Ok(RemovalReason::Reorg);
        };
        // With a parent that is in no block it goes for the parent's reason.
        let mut parents = missing
            .iter()
            .filter_map(|outpoint| self.reasons.get(&outpoint.txid));
        if let Some(reason) = parents.find(|reason| **reason != RemovalReason::Block) {
            return Ok(*reason);
        }
        let entry = self.mempool.get(txid);
        let in_chain = match &entry {
            Some(entry) => self.mempool.is_in_chain(&entry.tx)?,
            None => false,
        };
        Ok(if in_chain {
            RemovalReason::Block
        } else {
            RemovalReason::Conflict
        })
    }

    fn keep_bound(&mut self) {
        while self.pool.usage() > self.mempool.inner.config.max_bytes {
            let Some((fees, vsize, entries)) = self.pool.evict_lowest() else {
                break;
            };
            let rate = FeeRate::of(fees, vsize);
            self.evicted_rate = self.evicted_rate.max(Some(rate));
            for entry in entries
                .iter()
                .filter(|entry| self.earlier.contains(&entry.txid))
            {
                self.left.push(entry.txid);
                self.reasons.insert(entry.txid, RemovalReason::SizeLimit);
            }
        }
    }
}
