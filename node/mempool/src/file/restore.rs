//! Taking the transactions of a mempool file back: by the same door as any other, on all processors.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};

use super::read::{FileReader, ReadError, SavedTransaction};
use crate::{MempoolError, MempoolHandle, PackageMember, SubmitOptions};

/// Transactions that are taken together.
const BATCH: usize = 256;

/// The most threads that take transactions.
const MAX_THREADS: usize = 16;

/// The most transactions that wait for a child that pays for them.
const MAX_UNPAID: usize = 1_000;

/// What of a file counts, beside the transactions themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// Transactions count as if they came now, not when the file says.
    pub use_current_time: bool,
    /// The file's fee changes are added to those that there are (`prioritisetransaction`).
    pub apply_fee_deltas: bool,
    /// The transactions that no peer is known to have are returned, so that they can be announced.
    pub apply_unbroadcast: bool,
}

impl ImportOptions {
    /// Those for the node's own file.
    pub const OWN: Self = Self {
        use_current_time: false,
        apply_fee_deltas: true,
        apply_unbroadcast: true,
    };
}

/// What became of a file's transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// They were taken.
    pub succeeded: u64,
    /// They were refused.
    pub failed: u64,
    /// They had waited too long.
    pub expired: u64,
    /// The mempool had them.
    pub already_there: u64,
    /// Those of them that no peer is known to have.
    pub unbroadcast: Vec<Arc<Transaction>>,
}

/// Why taking the transactions back ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("interrupted")]
    Interrupted,
}

/// What becomes of one transaction at the first try.
enum Outcome {
    Taken,
    AlreadyThere,
    Refused,
    /// A parent may come a moment later, or may be among the unpaid.
    MissingInputs(Vec<OutPoint>),
    /// A child may pay for it.
    Unpaid,
}

/// Takes everything that a file lists. What was taken before an error stays.
pub(super) fn restore<R: Read>(
    mempool: &MempoolHandle,
    file: &mut FileReader<R>,
    options: ImportOptions,
    is_interrupted: &dyn Fn() -> bool,
    restored: &mut Restored,
) -> Result<(), RestoreError> {
    let mut restorer = Restorer {
        mempool,
        options,
        now: mempool.now(),
        unpaid: BTreeMap::new(),
        restored,
    };
    loop {
        if is_interrupted() {
            return Err(RestoreError::Interrupted);
        }
        let mut batch = Vec::with_capacity(BATCH);
        let mut end = None;
        while batch.len() < BATCH && end.is_none() {
            match file.next_transaction() {
                Ok(Some(saved)) => batch.extend(restorer.admit(saved)),
                Ok(None) => end = Some(Ok(())),
                Err(error) => end = Some(Err(error)),
            }
        }
        // Also before damage: what was read counts.
        restorer.take_batch(&batch);
        if let Some(end) = end {
            end?;
            break;
        }
    }
    let lists = file.lists()?;
    if options.apply_fee_deltas {
        for (txid, delta) in lists.deltas {
            mempool.prioritise(txid, delta);
        }
    }
    if options.apply_unbroadcast {
        let entries = lists
            .unbroadcast
            .iter()
            .filter_map(|txid| mempool.get(txid));
        restorer.restored.unbroadcast = entries.map(|entry| Arc::clone(&entry.tx)).collect();
    }
    Ok(())
}

/// A transaction to take.
struct Candidate {
    tx: Arc<Transaction>,
    options: SubmitOptions,
}

struct Restorer<'a> {
    mempool: &'a MempoolHandle,
    options: ImportOptions,
    now: u64,
    /// Transactions that pay too little by themselves, and for which a child may pay.
    unpaid: BTreeMap<Txid, Arc<Transaction>>,
    restored: &'a mut Restored,
}

impl Restorer<'_> {
    /// Applies a transaction's fee change, and says what to take of it: nothing if it has waited too long.
    fn admit(&mut self, saved: SavedTransaction) -> Option<Candidate> {
        if self.options.apply_fee_deltas && saved.delta != 0 {
            self.mempool
                .prioritise(saved.tx.compute_txid(), saved.delta);
        }
        let time = if self.options.use_current_time {
            self.now
        } else {
            u64::try_from(saved.time).unwrap_or(0)
        };
        if time <= self.now.saturating_sub(self.mempool.config().expiry_s) {
            self.restored.expired += 1;
            return None;
        }
        Some(Candidate {
            tx: saved.tx,
            options: SubmitOptions {
                max_fee_rate: None,
                time: Some(time),
            },
        })
    }

    /// Takes transactions on all processors. What failed for a parent that was not there yet is tried again, in order.
    fn take_batch(&mut self, batch: &[Candidate]) {
        for (candidate, outcome) in batch.iter().zip(self.try_all(batch)) {
            let outcome = match outcome {
                Outcome::MissingInputs(_) => try_one(self.mempool, candidate),
                outcome => outcome,
            };
            self.settle(candidate, outcome);
        }
    }

    fn try_all(&self, batch: &[Candidate]) -> Vec<Outcome> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MAX_THREADS).min(batch.len());
        if threads <= 1 {
            return batch.iter().map(|one| try_one(self.mempool, one)).collect();
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut outcomes = Vec::new();
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(candidate) = batch.get(index)
            {
                outcomes.push((index, try_one(self.mempool, candidate)));
            }
            outcomes
        };
        let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| match worker.join() {
                Ok(outcomes) => outcomes,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.flatten().collect()
        });
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn settle(&mut self, candidate: &Candidate, outcome: Outcome) {
        match outcome {
            Outcome::Taken => self.restored.succeeded += 1,
            Outcome::AlreadyThere => self.restored.already_there += 1,
            Outcome::Refused => self.restored.failed += 1,
            Outcome::Unpaid => {
                self.restored.failed += 1;
                if self.unpaid.len() == MAX_UNPAID {
                    self.unpaid.pop_first();
                }
                let txid = candidate.tx.compute_txid();
                self.unpaid.insert(txid, Arc::clone(&candidate.tx));
            }
            Outcome::MissingInputs(missing) => {
                self.restored.failed += 1;
                self.take_with_parents(candidate, &missing);
            }
        }
    }

    /// Takes a transaction together with the parents that it pays for.
    fn take_with_parents(&mut self, child: &Candidate, missing: &[OutPoint]) {
        let mut package: Vec<Arc<Transaction>> = Vec::new();
        let mut parents: Vec<Txid> = missing.iter().map(|outpoint| outpoint.txid).collect();
        parents.sort_unstable();
        parents.dedup();
        for txid in &parents {
            match self.unpaid.get(txid) {
                Some(parent) => package.push(Arc::clone(parent)),
                None => return,
            }
        }
        package.push(Arc::clone(&child.tx));
        let Ok(outcome) = self.mempool.submit_package(&package, child.options) else {
            return;
        };
        let members = outcome.members.iter();
        let taken = members.filter(|member| matches!(member, PackageMember::Taken(_)));
        let taken = taken.count() as u64;
        // They counted as failed when they came by themselves.
        self.restored.succeeded += taken;
        self.restored.failed = self.restored.failed.saturating_sub(taken);
        if outcome.error.is_none() {
            for txid in parents {
                self.unpaid.remove(&txid);
            }
        }
    }
}

fn try_one(mempool: &MempoolHandle, candidate: &Candidate) -> Outcome {
    match mempool.submit_with(Arc::clone(&candidate.tx), candidate.options) {
        Ok(_) => Outcome::Taken,
        Err(MempoolError::AlreadyInMempool | MempoolError::SameTxidInMempool) => {
            Outcome::AlreadyThere
        }
        Err(MempoolError::MissingInputs(missing)) => Outcome::MissingInputs(missing),
        Err(error) if error.is_reconsiderable() => Outcome::Unpaid,
        Err(error) => {
            tracing::debug!(
                txid = %candidate.tx.compute_txid(), %error,
                "a transaction of a mempool file is refused"
            );
            Outcome::Refused
        }
    }
}
