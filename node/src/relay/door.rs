//! The door for transactions from peers. One whose parents are missing waits for them; one that pays too little is tried with a
//! child that waits for it, and kept for one that comes later. What was refused is not looked at again on the same tip.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyrite_chain::{ChainReader, Clock};
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Transaction, Txid, Wtxid};
use pyrite_mempool::{
    KeptOrphan, MempoolError, MempoolHandle, OrphanPool, PackageMember, PeerNumber, Refusals,
};
use pyrite_network::Verdict;
use tokio::sync::mpsc;

/// Children that a parent is tried with; the others wait until it is offered again.
const MAX_CHILDREN: usize = 16;
/// Events that wait to be told to the network.
const MAX_EVENTS: usize = 1_024;

/// What the network has to be told.
#[derive(Debug)]
pub(crate) enum RelayEvent {
    /// A transaction was taken that had been given back to gossip: peers may not have it.
    Taken(Arc<Transaction>),
    /// What this peer gave earlier breaks a rule.
    Blame(PeerNumber, String),
}

/// Transactions from peers.
pub(crate) struct Relay {
    pub(super) chain: ChainReader,
    pub(super) mempool: MempoolHandle,
    pub(super) orphans: OrphanPool,
    pub(super) clock: Clock,
    refusals: Mutex<(BlockHash, Refusals)>,
    events: mpsc::Sender<RelayEvent>,
}

impl Relay {
    /// A relay, and what it has to tell.
    pub(crate) fn new(
        chain: ChainReader,
        mempool: MempoolHandle,
        orphans: OrphanPool,
        clock: Clock,
    ) -> (Arc<Self>, mpsc::Receiver<RelayEvent>) {
        let (events, told) = mpsc::channel(MAX_EVENTS);
        let refusals = Mutex::new((chain.tip().hash, Refusals::default()));
        let relay = Self {
            chain,
            mempool,
            orphans,
            clock,
            refusals,
            events,
        };
        (Arc::new(relay), told)
    }

    /// Takes a transaction that a peer gave. Blocks: it reads coins and verifies scripts.
    pub(crate) fn submit(&self, tx: &Arc<Transaction>, from: PeerNumber) -> Verdict {
        let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
        let tip = self.chain.tip().hash;
        let (is_refused, is_parent) = {
            let refusals = &self.refusals().1;
            (
                refusals.is_refused(&wtxid),
                refusals.is_parent(&txid, &wtxid),
            )
        };
        if is_refused {
            return Verdict::Ignore("it was refused before".to_owned());
        }
        if is_parent {
            return self.try_children(tx, || "it pays too little by itself".to_owned());
        }
        match self.mempool.submit(Arc::clone(tx)) {
            Ok(_) => {
                self.forget(txid, &wtxid);
                Verdict::Accept
            }
            Err(MempoolError::MissingInputs(missing)) => self.keep(tx, from, &missing, tip),
            Err(error) => self.refused(tx, error, tip),
        }
    }

    /// Tries an orphan again.
    pub(super) fn retry(&self, wtxid: &Wtxid) {
        let Some(orphan) = self.orphans.lock().get(wtxid) else {
            return;
        };
        let tip = self.chain.tip().hash;
        let verdict = match self.mempool.submit(Arc::clone(&orphan.tx)) {
            Ok(_) => {
                self.forget(orphan.txid, wtxid);
                Verdict::Accept
            }
            Err(MempoolError::MissingInputs(missing)) => {
                self.try_parent(&orphan.tx, &parents_of(&missing))
            }
            Err(error) => self.refused(&orphan.tx, error, tip),
        };
        match verdict {
            Verdict::Accept => self.tell(RelayEvent::Taken(orphan.tx)),
            Verdict::Reject(reason) => {
                for peer in orphan.from {
                    let reason = format!("invalid transaction {}: {reason}", orphan.txid);
                    self.tell(RelayEvent::Blame(peer, reason));
                }
            }
            Verdict::Ignore(_) | Verdict::MissingParent | Verdict::Orphan { .. } => {}
        }
    }

    /// Keeps a transaction without its inputs.
    fn keep(
        &self,
        tx: &Arc<Transaction>,
        from: PeerNumber,
        missing: &[OutPoint],
        tip: BlockHash,
    ) -> Verdict {
        let parents = parents_of(missing);
        let is_hopeless = {
            let refusals = &self.refusals().1;
            let mut parents = parents.iter();
            parents.any(|parent| refusals.is_refused_for_good(parent))
        };
        if is_hopeless {
            self.remember(tip, |refusals| refusals.refuse(tx.compute_wtxid()));
            return Verdict::Ignore("its parent was refused".to_owned());
        }
        let kept = self
            .orphans
            .lock()
            .add(Arc::clone(tx), from, self.clock.now());
        if kept == KeptOrphan::Refused {
            return Verdict::Ignore("no room for one without its parents".to_owned());
        }
        // What comes from now on finds it among the orphans; what came before it was there is in the mempool
        // or in a block.
        let has_moved = self.chain.tip().hash != tip;
        if has_moved || parents.iter().any(|parent| self.mempool.contains(parent)) {
            match self.mempool.submit(Arc::clone(tx)) {
                Ok(_) => {
                    self.forget(tx.compute_txid(), &tx.compute_wtxid());
                    return Verdict::Accept;
                }
                Err(MempoolError::MissingInputs(missing)) => {
                    return self.try_parent(tx, &parents_of(&missing));
                }
                Err(error) => return self.refused(tx, error, tip),
            }
        }
        self.try_parent(tx, &parents)
    }

    /// Tries an orphan with the one parent that it misses, if that is known to pay too little by itself.
    fn try_parent(&self, child: &Arc<Transaction>, missing: &[Txid]) -> Verdict {
        let known = |parent: &Txid| self.refusals().1.parent(parent);
        if let [parent] = missing
            && let Some(parent) = known(parent)
            && self.try_package(&parent, child, &child.compute_wtxid())
        {
            return Verdict::Accept;
        }
        if !self.orphans.lock().contains(&child.compute_wtxid()) {
            return Verdict::Ignore("refused with its parent".to_owned());
        }
        let wanted = missing.iter().filter(|parent| known(parent).is_none());
        Verdict::Orphan {
            missing: wanted.copied().collect(),
        }
    }

    /// Tries a transaction that pays too little with the children that wait for it, the last that came first.
    fn try_children(&self, parent: &Arc<Transaction>, reason: impl Fn() -> String) -> Verdict {
        let (txid, wtxid) = (parent.compute_txid(), parent.compute_wtxid());
        let mut children = self.orphans.lock().children_of(&txid);
        children.reverse();
        children.retain(|child| !self.refusals().1.is_package_refused(wtxid, *child));
        children.truncate(MAX_CHILDREN);
        for child in children {
            let Some(child) = self.orphans.lock().get(&child) else {
                continue;
            };
            self.try_package(parent, &child.tx, &wtxid);
            if self.mempool.contains(&txid) {
                return Verdict::Accept;
            }
        }
        Verdict::Ignore(reason())
    }

    /// Judges a parent and a child as one. Says whether the child was taken. `arriving` is the one whose verdict goes to gossip
    /// anyway.
    fn try_package(
        &self,
        parent: &Arc<Transaction>,
        child: &Arc<Transaction>,
        arriving: &Wtxid,
    ) -> bool {
        let ids = (parent.compute_wtxid(), child.compute_wtxid());
        if self.refusals().1.is_package_refused(ids.0, ids.1) {
            return false;
        }
        let tip = self.chain.tip().hash;
        let package = [Arc::clone(parent), Arc::clone(child)];
        let outcome = match self.mempool.submit_package(&package, None) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(%error, "a package can't be checked");
                return false;
            }
        };
        if outcome.error.is_some() {
            self.remember(tip, |refusals| refusals.refuse_package(ids.0, ids.1));
        }
        let mut is_taken = false;
        for (tx, member) in package.iter().zip(outcome.members) {
            let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
            is_taken = matches!(
                member,
                PackageMember::Taken(_) | PackageMember::Known { .. }
            );
            match member {
                PackageMember::Taken(_) => {
                    self.forget(txid, &wtxid);
                    if wtxid != *arriving {
                        self.tell(RelayEvent::Taken(Arc::clone(tx)));
                    }
                }
                PackageMember::Known { .. } | PackageMember::OtherWitness(_) => {
                    self.forget(txid, &wtxid);
                }
                PackageMember::Refused(MempoolError::MissingInputs(_))
                | PackageMember::NotJudged => {}
                PackageMember::Refused(error) => self.settle(tx, &error, tip),
            }
        }
        is_taken
    }

    /// A transaction was refused, by itself.
    fn refused(&self, tx: &Arc<Transaction>, error: MempoolError, tip: BlockHash) -> Verdict {
        self.settle(tx, &error, tip);
        if error.is_reconsiderable() {
            self.try_children(tx, || error.to_string())
        } else if error.is_peer_fault() {
            Verdict::Reject(error.to_string())
        } else {
            Verdict::Ignore(error.to_string())
        }
    }

    /// Remembers that a transaction was refused on a tip, and lets it wait no longer.
    fn settle(&self, tx: &Arc<Transaction>, error: &MempoolError, tip: BlockHash) {
        let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
        match error {
            MempoolError::Machine(_) | MempoolError::MissingBlock(_) => {
                tracing::error!(%error, "a transaction can't be checked");
            }
            // Neither says anything of the transaction.
            MempoolError::Unsettled | MempoolError::AlreadyInMempool => {}
            error if error.is_reconsiderable() => {
                self.remember(tip, |refusals| refusals.keep_parent(Arc::clone(tx)));
            }
            _ => self.remember(tip, |refusals| {
                refusals.drop_parent(&txid);
                refusals.refuse(wtxid);
            }),
        }
        self.orphans.lock().remove(&wtxid);
    }

    /// A transaction is in the mempool.
    fn forget(&self, txid: Txid, wtxid: &Wtxid) {
        self.orphans.lock().remove(wtxid);
        self.refusals().1.drop_parent(&txid);
    }

    /// Remembers something, unless the tip has moved.
    fn remember(&self, tip: BlockHash, what: impl FnOnce(&mut Refusals)) {
        let mut refusals = self.refusals();
        if refusals.0 == tip {
            what(&mut refusals.1);
        }
    }

    /// What was refused on the present tip.
    fn refusals(&self) -> MutexGuard<'_, (BlockHash, Refusals)> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let tip = self.chain.tip().hash;
        if refusals.0 != tip {
            refusals.0 = tip;
            refusals.1.clear();
        }
        refusals
    }

    fn tell(&self, event: RelayEvent) {
        // Peers find out by their exchanges of mempools what they were not told.
        if self.events.try_send(event).is_err() {
            tracing::debug!("too much to tell the network");
        }
    }
}

/// The transactions of these outputs, each once.
fn parents_of(missing: &[OutPoint]) -> Vec<Txid> {
    let mut parents: Vec<Txid> = missing.iter().map(|outpoint| outpoint.txid).collect();
    parents.sort_unstable();
    parents.dedup();
    parents
}
