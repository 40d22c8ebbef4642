//! Entries and their relations. Ancestor and descendant figures are kept exact at every change.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid, Wtxid};

use super::score::Score;
use super::usage::entry_usage;
use crate::MempoolEntry;

/// What is known of a transaction when it comes; the pool adds the relations.
#[derive(Clone, Debug)]
pub(crate) struct NewEntry {
    pub(crate) tx: Arc<Transaction>,
    pub(crate) txid: Txid,
    pub(crate) wtxid: Wtxid,
    pub(crate) fee: Amount,
    pub(crate) weight: u64,
    pub(crate) vsize: u64,
    pub(crate) sigop_cost: u64,
    pub(crate) time: u64,
    pub(crate) height: Height,
    pub(crate) sequence: u64,
}

#[derive(Clone, Debug)]
struct Node {
    entry: Arc<MempoolEntry>,
    usage: usize,
}

/// Unconfirmed transactions that can all be confirmed together: no two spend the same coin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    nodes: HashMap<Txid, Node>,
    spenders: HashMap<OutPoint, Txid>,
    by_score: BTreeSet<Score>,
    by_time: BTreeSet<(u64, Txid)>,
    usage: usize,
    vsize: u64,
    /// Fees are taken from coins that exist, so no sum of them exceeds the money supply.
    fees: Amount,
}

/// Why a txid that the pool itself keeps has a node.
const LINKED: &str = "links lead to entries of the pool only";

impl Pool {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Estimated memory in bytes.
    pub(crate) fn usage(&self) -> usize {
        self.usage
    }

    /// Sum of all virtual bytes.
    pub(crate) fn vsize(&self) -> u64 {
        self.vsize
    }

    /// Sum of all fees.
    pub(crate) fn fees(&self) -> Amount {
        self.fees
    }

    pub(crate) fn get(&self, txid: &Txid) -> Option<&Arc<MempoolEntry>> {
        self.nodes.get(txid).map(|node| &node.entry)
    }

    pub(crate) fn contains(&self, txid: &Txid) -> bool {
        self.nodes.contains_key(txid)
    }

    pub(crate) fn txids(&self) -> impl Iterator<Item = Txid> + '_ {
        self.nodes.keys().copied()
    }

    /// The entry that spends `outpoint`.
    pub(crate) fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spenders.get(outpoint).copied()
    }

    /// The output of an entry, spent in the pool or not.
    pub(crate) fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        let index = usize::try_from(outpoint.vout).ok()?;
        self.get(&outpoint.txid)?.tx.output.get(index)
    }

    /// All entries, parents before their children.
    pub(crate) fn sorted(&self) -> Vec<Arc<MempoolEntry>> {
        let mut entries: Vec<_> = self
            .nodes
            .values()
            .map(|node| Arc::clone(&node.entry))
            .collect();
        // A child has more ancestors than each of its parents.
        entries.sort_unstable_by_key(|entry| (entry.ancestor_count, entry.sequence, entry.txid));
        entries
    }

    /// Entries whose outputs `transaction` spends.
    pub(crate) fn parents_of(&self, transaction: &Transaction) -> BTreeSet<Txid> {
        let spent = transaction
            .input
            .iter()
            .map(|input| input.previous_output.txid);
        spent.filter(|txid| self.contains(txid)).collect()
    }

    /// `parents` and all their ancestors.
    pub(crate) fn with_ancestors(&self, parents: impl IntoIterator<Item = Txid>) -> HashSet<Txid> {
        self.reach(parents, |entry| &entry.depends)
    }

    /// `txids` and all their descendants.
    pub(crate) fn with_descendants(&self, txids: impl IntoIterator<Item = Txid>) -> HashSet<Txid> {
        self.reach(txids, |entry| &entry.spent_by)
    }

    fn reach(
        &self,
        start: impl IntoIterator<Item = Txid>,
        next: impl Fn(&MempoolEntry) -> &[Txid],
    ) -> HashSet<Txid> {
        let mut pending: Vec<Txid> = start.into_iter().collect();
        let mut reached = HashSet::new();
        while let Some(txid) = pending.pop() {
            let Some(node) = self.nodes.get(&txid) else {
                continue;
            };
            if reached.insert(txid) {
                pending.extend(next(&node.entry));
            }
        }
        reached
    }

    /// Adds a transaction. No entry spends what it spends, and none spends its outputs yet.
    pub(crate) fn insert(&mut self, new: NewEntry) -> Arc<MempoolEntry> {
        debug_assert!(!self.contains(&new.txid), "an entry comes once");
        let mut depends: Vec<Txid> = Vec::new();
        for input in &new.tx.input {
            let parent = input.previous_output.txid;
            if self.contains(&parent) && !depends.contains(&parent) {
                depends.push(parent);
            }
        }
        let txid = new.txid;
        let mut entry = new_entry(new, depends);
        for ancestor in self.with_ancestors(entry.depends.iter().copied()) {
            self.update(&ancestor, |ancestor| {
                ancestor.descendant_count += 1;
                ancestor.descendant_size += entry.vsize;
                ancestor.descendant_fees += entry.fee;
                entry.ancestor_count += 1;
                entry.ancestor_size += ancestor.vsize;
                entry.ancestor_fees += ancestor.fee;
            });
        }
        for parent in &entry.depends {
            self.update(parent, |parent| parent.spent_by.push(txid));
        }
        for input in &entry.tx.input {
            let earlier = self.spenders.insert(input.previous_output, txid);
            debug_assert!(earlier.is_none(), "no two entries spend the same coin");
        }
        let usage = entry_usage(&entry.tx);
        self.by_score.insert(Score::of(&entry));
        self.by_time.insert((entry.time, txid));
        self.usage += usage;
        self.vsize += entry.vsize;
        self.fees += entry.fee;
        let entry = Arc::new(entry);
        self.nodes.insert(
            txid,
            Node {
                entry: Arc::clone(&entry),
                usage,
            },
        );
        entry
    }

    /// Removes an entry and all its descendants. Returns them, children before parents.
    pub(crate) fn remove_with_descendants(&mut self, txid: &Txid) -> Vec<Arc<MempoolEntry>> {
        let mut doomed: Vec<Arc<MempoolEntry>> = self
            .with_descendants([*txid])
            .iter()
            .filter_map(|txid| self.get(txid).cloned())
            .collect();
        doomed.sort_unstable_by_key(|entry| {
            (
                std::cmp::Reverse(entry.ancestor_count),
                entry.sequence,
                entry.txid,
            )
        });
        // Each is a leaf when its turn comes, so only ancestors have figures to correct.
        for entry in &doomed {
            for ancestor in self.with_ancestors(entry.depends.iter().copied()) {
                self.update(&ancestor, |ancestor| {
                    ancestor.descendant_count -= 1;
                    ancestor.descendant_size -= entry.vsize;
                    ancestor.descendant_fees -= entry.fee;
                });
            }
            self.unlink(&entry.txid);
        }
        doomed
    }

    /// Removes an entry that a block contains; its descendants stay. Parents are in the chain before
    /// their children, so it has no ancestors in the pool any more.
    pub(crate) fn remove_confirmed(&mut self, txid: &Txid) -> Option<Arc<MempoolEntry>> {
        let entry = Arc::clone(self.get(txid)?);
        debug_assert!(
            entry.depends.is_empty(),
            "a block holds parents before children"
        );
        let mut descendants = self.with_descendants([*txid]);
        descendants.remove(txid);
        for descendant in descendants {
            self.update(&descendant, |descendant| {
                descendant.ancestor_count -= 1;
                descendant.ancestor_size -= entry.vsize;
                descendant.ancestor_fees -= entry.fee;
            });
        }
        self.unlink(txid);
        Some(entry)
    }

    /// Removes the package that pays least: an entry with all its descendants. Returns its fees, its
    /// virtual bytes and the entries.
    pub(crate) fn evict_lowest(&mut self) -> Option<(Amount, u64, Vec<Arc<MempoolEntry>>)> {
        let txid = self.by_score.first()?.txid();
        let entry = self.get(&txid)?;
        let (fees, size) = (entry.descendant_fees, entry.descendant_size);
        Some((fees, size, self.remove_with_descendants(&txid)))
    }

    /// An entry that came before `time`.
    pub(crate) fn oldest_before(&self, time: u64) -> Option<Txid> {
        self.by_time
            .first()
            .filter(|(came, _)| *came < time)
            .map(|(_, txid)| *txid)
    }

    /// Changes an entry and keeps its place in the order of eviction.
    fn update(&mut self, txid: &Txid, change: impl FnOnce(&mut MempoolEntry)) {
        let node = self.nodes.get_mut(txid).expect(LINKED);
        let before = Score::of(&node.entry);
        change(Arc::make_mut(&mut node.entry));
        let after = Score::of(&node.entry);
        if before != after {
            self.by_score.remove(&before);
            self.by_score.insert(after);
        }
    }

    /// Takes an entry out of every index and out of its relatives' links, not out of their figures.
    fn unlink(&mut self, txid: &Txid) {
        let Node { entry, usage, .. } = self.nodes.remove(txid).expect(LINKED);
        self.by_score.remove(&Score::of(&entry));
        self.by_time.remove(&(entry.time, *txid));
        for input in &entry.tx.input {
            self.spenders.remove(&input.previous_output);
        }
        for parent in &entry.depends {
            self.update(parent, |parent| {
                parent.spent_by.retain(|child| child != txid)
            });
        }
        for child in &entry.spent_by {
            self.update(child, |child| child.depends.retain(|parent| parent != txid));
        }
        self.usage -= usage;
        self.vsize -= entry.vsize;
        self.fees -= entry.fee;
    }
}

fn new_entry(new: NewEntry, depends: Vec<Txid>) -> MempoolEntry {
    MempoolEntry {
        tx: new.tx,
        txid: new.txid,
        wtxid: new.wtxid,
        fee: new.fee,
        weight: new.weight,
        vsize: new.vsize,
        sigop_cost: new.sigop_cost,
        time: new.time,
        height: new.height,
        sequence: new.sequence,
        depends,
        spent_by: Vec::new(),
        ancestor_count: 1,
        ancestor_size: new.vsize,
        ancestor_fees: new.fee,
        descendant_count: 1,
        descendant_size: new.vsize,
        descendant_fees: new.fee,
    }
}
