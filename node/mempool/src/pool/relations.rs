//! Parents, children, ancestors and descendants. Clusters are small, so they are found when someone asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid};

use super::graph::{Node, Pool, Slot};
use crate::MempoolEntry;
use crate::cluster::FeeWeight;
use crate::entry::{EntryDetails, Totals};

/// Which way to go from an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// To what it spends, over any number of steps.
    Ancestors,
    /// To what spends it, over any number of steps.
    Descendants,
}

impl Pool {
    /// Entries whose outputs `transaction` spends, in the order of its inputs.
    pub(crate) fn parents_of(&self, transaction: &Transaction) -> Vec<Slot> {
        let mut parents = Vec::new();
        for input in &transaction.input {
            if let Some(parent) = self.slot(&input.previous_output.txid)
                && !parents.contains(&parent)
            {
                parents.push(parent);
            }
        }
        parents
    }

    /// Entries that spend the outputs of a transaction which comes after them, in the order of the outputs.
    pub(crate) fn children_of(&self, txid: &Txid, transaction: &Transaction) -> Vec<Slot> {
        let mut children = Vec::new();
        for vout in 0..u32::try_from(transaction.output.len()).unwrap_or(u32::MAX) {
            let outpoint = OutPoint { txid: *txid, vout };
            if let Some(child) = self.spender(&outpoint)
                && !children.contains(&child)
            {
                children.push(child);
            }
        }
        children
    }

    /// The entries that an entry spends, in the order of its inputs.
    pub(crate) fn parents(&self, slot: Slot) -> &[Slot] {
        &self.node(slot).parents
    }

    /// The entries that spend an entry.
    pub(crate) fn children(&self, slot: Slot) -> &[Slot] {
        &self.node(slot).children
    }

    /// These entries and all their ancestors or descendants.
    pub(crate) fn with_family(
        &self,
        slots: impl IntoIterator<Item = Slot>,
        family: Family,
    ) -> BTreeSet<Slot> {
        let mut pending: Vec<Slot> = slots.into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(slot) = pending.pop() {
            if reached.insert(slot) {
                pending.extend(match family {
                    Family::Ancestors => self.parents(slot),
                    Family::Descendants => self.children(slot),
                });
            }
        }
        reached
    }

    /// All entries of an entry's cluster in chunks, in the order in which they are mined.
    pub(crate) fn cluster_of(&self, slot: Slot) -> Vec<(Vec<Slot>, FeeWeight)> {
        let cluster = self.cluster(self.node(slot).cluster);
        cluster
            .chunk_members()
            .map(|(members, rate)| (members.to_vec(), rate))
            .collect()
    }

    /// Whether a chunk is one entry without parents and children.
    pub(crate) fn is_alone(&self, chunk: &[Slot]) -> bool {
        match chunk {
            [only] => self.parents(*only).is_empty() && self.children(*only).is_empty(),
            _ => false,
        }
    }

    /// How many clusters these entries belong to.
    pub(crate) fn count_clusters<'a>(&self, slots: impl Iterator<Item = &'a Slot>) -> usize {
        let ids: BTreeSet<_> = slots.map(|slot| self.node(*slot).cluster).collect();
        ids.len()
    }

    /// The last entry in the cluster of one of `slots` whose last chunk pays least: nothing spends it.
    pub(crate) fn worst_end(&self, slots: &[Slot]) -> Option<Slot> {
        let ends = slots.iter().filter_map(|slot| {
            let cluster = self.cluster(self.node(*slot).cluster);
            Some((cluster.chunks.last()?.1, *cluster.members.last()?))
        });
        ends.min_by(|(a, first), (b, second)| a.cmp_rate(b).then(first.cmp(second)))
            .map(|(_, slot)| slot)
    }

    /// Everything that is known of an entry.
    pub(crate) fn details(&self, slot: Slot) -> EntryDetails {
        let node = self.node(slot);
        let ancestors = self.with_family([slot], Family::Ancestors);
        let descendants = self.with_family([slot], Family::Descendants);
        let ids = |slots: &[Slot]| slots.iter().map(|slot| self.entry(*slot).txid).collect();
        EntryDetails {
            entry: Arc::clone(&node.entry),
            modified_fee: node.rate().fee,
            depends: ids(&node.parents),
            spent_by: ids(&node.children),
            replaceable: ancestors
                .iter()
                .any(|slot| signals_replacement(self.entry(*slot))),
            ancestors: self.totals(&ancestors),
            descendants: self.totals(&descendants),
            chunk: self.chunk_of(node, slot),
        }
    }

    fn totals(&self, slots: &BTreeSet<Slot>) -> Totals {
        let mut totals = Totals::default();
        for slot in slots {
            let node = self.node(*slot);
            totals.count += 1;
            totals.vsize += node.entry.vsize;
            totals.fees += node.rate().fee;
        }
        totals
    }

    fn chunk_of(&self, node: &Node, slot: Slot) -> FeeWeight {
        let mut chunks = self.cluster(node.cluster).chunk_members();
        chunks
            .find(|(members, _)| members.contains(&slot))
            .map_or_else(|| node.rate(), |(_, rate)| rate)
    }
}

/// Whether a transaction itself signals BIP-0125.
fn signals_replacement(entry: &MempoolEntry) -> bool {
    let mut inputs = entry.tx.input.iter();
    inputs.any(|input| input.sequence.is_rbf())
}
