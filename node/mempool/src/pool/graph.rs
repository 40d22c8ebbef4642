//! Entries, their links and their clusters.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid, Wtxid};
use slab::Slab;

use super::chunk_index::{ChunkKey, ClusterId};
use super::chunk_journal::ChunkJournal;
use super::locks::{Locks, ValidSince};
use super::stage::{Member, Staged, StagedCluster};
use super::usage::entry_usage;
use crate::MempoolEntry;
use crate::cluster::FeeWeight;

/// An entry's place in the pool. It stays the same while the entry is there, and may be another's later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(usize);

impl Slot {
    /// Not above any other.
    pub(super) const FIRST: Self = Self(0);
}

/// What is known of a transaction when it comes; the pool adds the relations.
#[derive(Clone, Debug)]
pub(crate) struct NewEntry {
    pub(crate) tx: Arc<Transaction>,
    pub(crate) txid: Txid,
    pub(crate) wtxid: Wtxid,
    pub(crate) fee: Amount,
    pub(crate) weight: u64,
    /// Weight units, a minimum for each sigop: what chunks are measured in.
    pub(crate) adjusted_weight: u64,
    pub(crate) vsize: u64,
    pub(crate) sigop_cost: u64,
    pub(crate) time: u64,
    pub(crate) height: Height,
    pub(crate) sequence: u64,
    /// For one whose validity depends on height or time: the tip on which it is valid.
    pub(crate) valid_since: Option<ValidSince>,
}

/// An entry in the pool.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) entry: Arc<MempoolEntry>,
    /// What the operator added to the fee, in satoshis.
    pub(super) delta: i64,
    /// Entries that it spends, in the order of its inputs.
    pub(super) parents: Vec<Slot>,
    /// Entries that spend it, in the order in which they came.
    pub(super) children: Vec<Slot>,
    pub(super) cluster: ClusterId,
    valid_since: Option<ValidSince>,
    usage: usize,
}

impl Node {
    /// The fee with what the operator added, and the weight that it pays for.
    pub(super) fn rate(&self) -> FeeWeight {
        modified_rate(&self.entry, self.delta)
    }
}

/// Transactions that are linked with each other, in their best order.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// Chunk by chunk, parents before children.
    pub(super) members: Vec<Slot>,
    /// How many members each chunk has, and what it pays.
    pub(super) chunks: Vec<(usize, FeeWeight)>,
    /// No two clusters, of whatever time, have the same number.
    pub(super) generation: u64,
    oldest: u64,
}

impl Cluster {
    /// The members of each chunk, the best first.
    pub(super) fn chunk_members(&self) -> impl Iterator<Item = (&[Slot], FeeWeight)> {
        let mut left = self.members.as_slice();
        self.chunks.iter().map(move |(count, rate)| {
            let (chunk, rest) = left.split_at(*count);
            left = rest;
            (chunk, *rate)
        })
    }

    fn keys(&self) -> impl Iterator<Item = ChunkKey> {
        self.chunks
            .iter()
            .enumerate()
            .map(|(index, (_, rate))| ChunkKey {
                rate: *rate,
                oldest: self.oldest,
                index,
            })
    }
}

/// Unconfirmed transactions that can all be confirmed together: no two spend the same coin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(super) nodes: Slab<Node>,
    by_txid: HashMap<Txid, Slot>,
    spenders: HashMap<OutPoint, Slot>,
    pub(super) clusters: Slab<Cluster>,
    /// All chunks, the best first, with the first member's position in its cluster.
    chunks: BTreeMap<ChunkKey, (ClusterId, usize)>,
    journal: ChunkJournal,
    by_time: BTreeSet<(u64, Slot)>,
    locks: Locks,
    /// What the operator added to the fees of transactions, whether they are here or not.
    deltas: HashMap<Txid, i64>,
    generations: u64,
    usage: usize,
    vsize: u64,
    /// Fees are taken from coins that exist, so no sum of them exceeds the money supply.
    fees: Amount,
}

/// Why a slot or a cluster that the pool itself keeps is occupied.
pub(super) const LINKED: &str = "links lead to entries of the pool only";

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

    pub(crate) fn slot(&self, txid: &Txid) -> Option<Slot> {
        self.by_txid.get(txid).copied()
    }

    pub(crate) fn get(&self, txid: &Txid) -> Option<&Arc<MempoolEntry>> {
        self.slot(txid).map(|slot| self.entry(slot))
    }

    pub(crate) fn contains(&self, txid: &Txid) -> bool {
        self.by_txid.contains_key(txid)
    }

    pub(crate) fn txids(&self) -> impl Iterator<Item = Txid> + '_ {
        self.by_txid.keys().copied()
    }

    pub(crate) fn entry(&self, slot: Slot) -> &Arc<MempoolEntry> {
        &self.node(slot).entry
    }

    /// The fee of an entry with what the operator added, in satoshis.
    pub(crate) fn modified_fee(&self, slot: Slot) -> i64 {
        self.node(slot).rate().fee
    }

    /// The entry that spends `outpoint`.
    pub(crate) fn spender(&self, outpoint: &OutPoint) -> Option<Slot> {
        self.spenders.get(outpoint).copied()
    }

    /// The output of an entry, spent in the pool or not.
    pub(crate) fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        let index = usize::try_from(outpoint.vout).ok()?;
        self.get(&outpoint.txid)?.tx.output.get(index)
    }

    /// What the operator added to the fee of a transaction, in satoshis.
    pub(crate) fn delta(&self, txid: &Txid) -> i64 {
        self.deltas.get(txid).copied().unwrap_or(0)
    }

    /// All transactions whose fee the operator changed.
    pub(crate) fn deltas(&self) -> &HashMap<Txid, i64> {
        &self.deltas
    }

    /// Adds to what the operator added to a transaction's fee. It goes to its new place at once if it is here.
    pub(crate) fn prioritise(&mut self, txid: Txid, delta: i64) {
        let total = self.delta(&txid).saturating_add(delta);
        if total == 0 {
            self.deltas.remove(&txid);
        } else {
            self.deltas.insert(txid, total);
        }
        if let Some(slot) = self.slot(&txid) {
            self.node_mut(slot).delta = total;
            let staged = self.stage_again(slot);
            self.apply(staged, Vec::new());
        }
    }

    /// Forgets what the operator added to a transaction's fee, because it is confirmed.
    pub(crate) fn clear_priority(&mut self, txid: &Txid) {
        self.deltas.remove(txid);
    }

    /// Makes a staged change: takes out what is to go, and puts `entries` in, one for each addition that was staged.
    /// Returns what went, parents first.
    pub(crate) fn apply(
        &mut self,
        staged: Staged,
        entries: Vec<NewEntry>,
    ) -> Vec<Arc<MempoolEntry>> {
        debug_assert!(self.is_current(&staged));
        let mut leaving = Vec::with_capacity(staged.removed.len());
        for id in &staged.touched {
            let cluster = self.drop_cluster(id.cluster);
            let gone = |slot: &&Slot| staged.removed.contains(slot);
            leaving.extend(cluster.members.iter().filter(gone).copied());
        }
        let removed = leaving.into_iter().map(|slot| self.unlink(slot)).collect();
        let slots: Vec<Slot> = entries.into_iter().map(|new| self.link(new)).collect();
        for cluster in staged.clusters {
            self.put_cluster(cluster, &slots);
        }
        removed
    }

    /// Removes these entries. Those that spend their outputs stay: either they are among them, or a block has
    /// confirmed what they spend. Returns what went, parents first.
    pub(crate) fn remove(&mut self, slots: &BTreeSet<Slot>) -> Vec<Arc<MempoolEntry>> {
        if slots.is_empty() {
            return Vec::new();
        }
        let staged = self.stage_removal(slots);
        self.apply(staged, Vec::new())
    }

    /// The chunk that pays least, and its rate.
    pub(crate) fn worst_chunk(&self) -> Option<(BTreeSet<Slot>, FeeWeight)> {
        let (key, (cluster, start)) = self.chunks.last_key_value()?;
        Some((
            self.chunk_at(*cluster, *start, key.index).collect(),
            key.rate,
        ))
    }

    /// All chunks, the best first: the order in which they are mined.
    pub(crate) fn best_chunks(
        &self,
    ) -> impl Iterator<Item = (impl Iterator<Item = Slot> + '_, FeeWeight)> + '_ {
        self.chunks
            .iter()
            .map(|(key, (cluster, start))| (self.chunk_at(*cluster, *start, key.index), key.rate))
    }

    /// The chunks behind a place, or all of them, the best first.
    pub(crate) fn chunks_behind(
        &self,
        place: Option<&ChunkKey>,
    ) -> impl Iterator<Item = (ChunkKey, Vec<Slot>)> + '_ {
        let start = place.map_or(Bound::Unbounded, |place| Bound::Excluded(*place));
        let chunks = self.chunks.range((start, Bound::Unbounded));
        chunks.map(|(key, (cluster, start))| {
            (*key, self.chunk_at(*cluster, *start, key.index).collect())
        })
    }

    /// The chunk at a place.
    pub(crate) fn chunk(&self, place: &ChunkKey) -> Option<(ChunkKey, Vec<Slot>)> {
        let (key, (cluster, start)) = self.chunks.get_key_value(place)?;
        Some((*key, self.chunk_at(*cluster, *start, key.index).collect()))
    }

    /// How often a chunk came or went.
    pub(crate) fn chunk_changes(&self) -> u64 {
        self.journal.end()
    }

    /// The places where chunks came or went after the first so many times, in their order; `None` when that is too long
    /// ago.
    pub(crate) fn changed_places(&self, since: u64) -> Option<Vec<ChunkKey>> {
        self.journal.since(since)
    }

    /// An entry that came before `time`.
    pub(crate) fn oldest_before(&self, time: u64) -> Option<Slot> {
        self.by_time
            .first()
            .filter(|(came, _)| *came < time)
            .map(|(_, slot)| *slot)
    }

    /// Entries that a tip of this height and median time past could make invalid.
    pub(crate) fn doubtful_at(&self, tip: ValidSince) -> BTreeSet<Slot> {
        self.locks.doubtful_at(tip)
    }

    /// Notes that an entry is valid on another tip than the one that it was found valid on before.
    pub(crate) fn set_valid_since(&mut self, slot: Slot, since: ValidSince) {
        let node = self.nodes.get_mut(slot.0).expect(LINKED);
        if let Some(before) = node.valid_since.replace(since) {
            self.locks.remove(slot, before);
        }
        self.locks.insert(slot, since);
    }

    /// Whether an entry's validity depends on height or time.
    pub(crate) fn has_locks(&self, slot: Slot) -> bool {
        self.node(slot).valid_since.is_some()
    }

    pub(super) fn node(&self, slot: Slot) -> &Node {
        self.nodes.get(slot.0).expect(LINKED)
    }

    fn node_mut(&mut self, slot: Slot) -> &mut Node {
        self.nodes.get_mut(slot.0).expect(LINKED)
    }

    pub(super) fn cluster(&self, id: ClusterId) -> &Cluster {
        self.clusters.get(id.0).expect(LINKED)
    }

    fn chunk_at(
        &self,
        cluster: ClusterId,
        start: usize,
        index: usize,
    ) -> impl Iterator<Item = Slot> + '_ {
        let cluster = self.cluster(cluster);
        let count = cluster.chunks[index].0;
        cluster.members[start..start + count].iter().copied()
    }

    fn drop_cluster(&mut self, id: ClusterId) -> Cluster {
        let cluster = self.clusters.remove(id.0);
        for key in cluster.keys() {
            self.chunks.remove(&key);
            self.journal.push(key);
        }
        cluster
    }

    fn put_cluster(&mut self, staged: StagedCluster, added: &[Slot]) {
        let members: Vec<Slot> = staged
            .members
            .iter()
            .map(|member| match member {
                Member::Kept(slot) => *slot,
                Member::Added(index) => added[*index],
            })
            .collect();
        let sequences = members.iter().map(|slot| self.entry(*slot).sequence);
        let oldest = sequences.min().unwrap_or(0);
        self.generations += 1;
        let cluster = Cluster {
            members,
            chunks: staged.chunks,
            generation: self.generations,
            oldest,
        };
        let vacant = self.clusters.vacant_entry();
        let id = ClusterId(vacant.key());
        let mut start = 0;
        for (key, (count, _)) in cluster.keys().zip(&cluster.chunks) {
            self.chunks.insert(key, (id, start));
            self.journal.push(key);
            start += count;
        }
        for slot in &cluster.members {
            self.nodes.get_mut(slot.0).expect(LINKED).cluster = id;
        }
        vacant.insert(cluster);
    }

    /// Puts an entry in, in no cluster yet.
    fn link(&mut self, new: NewEntry) -> Slot {
        debug_assert!(!self.contains(&new.txid), "an entry comes once");
        let slot = Slot(self.nodes.vacant_key());
        let parents = self.parents_of(&new.tx);
        let children = self.children_of(&new.txid, &new.tx);
        for parent in &parents {
            self.node_mut(*parent).children.push(slot);
        }
        for child in &children {
            self.node_mut(*child).parents.push(slot);
        }
        for input in &new.tx.input {
            let before = self.spenders.insert(input.previous_output, slot);
            debug_assert!(before.is_none(), "conflicts leave first");
        }
        let usage = entry_usage(&new.tx);
        self.usage += usage;
        self.vsize += new.vsize;
        self.fees += new.fee;
        self.by_txid.insert(new.txid, slot);
        self.by_time.insert((new.time, slot));
        if let Some(since) = new.valid_since {
            self.locks.insert(slot, since);
        }
        let node = Node {
            delta: self.delta(&new.txid),
            parents,
            children,
            cluster: ClusterId(usize::MAX),
            valid_since: new.valid_since,
            usage,
            entry: Arc::new(new.into()),
        };
        self.nodes.insert(node);
        slot
    }

    /// Takes an entry, whose cluster is dropped already, out of every index and out of its relatives' links.
    fn unlink(&mut self, slot: Slot) -> Arc<MempoolEntry> {
        let node = self.nodes.remove(slot.0);
        let entry = node.entry;
        self.by_txid.remove(&entry.txid);
        self.by_time.remove(&(entry.time, slot));
        if let Some(since) = node.valid_since {
            self.locks.remove(slot, since);
        }
        for input in &entry.tx.input {
            self.spenders.remove(&input.previous_output);
        }
        for parent in node.parents {
            if let Some(parent) = self.nodes.get_mut(parent.0) {
                parent.children.retain(|child| *child != slot);
            }
        }
        for child in node.children {
            if let Some(child) = self.nodes.get_mut(child.0) {
                child.parents.retain(|parent| *parent != slot);
            }
        }
        self.usage -= node.usage;
        self.vsize -= entry.vsize;
        self.fees -= entry.fee;
        entry
    }
}

impl From<NewEntry> for MempoolEntry {
    fn from(new: NewEntry) -> Self {
        Self {
            tx: new.tx,
            txid: new.txid,
            wtxid: new.wtxid,
            fee: new.fee,
            weight: new.weight,
            adjusted_weight: new.adjusted_weight,
            vsize: new.vsize,
            sigop_cost: new.sigop_cost,
            time: new.time,
            height: new.height,
            sequence: new.sequence,
        }
    }
}

/// A fee with what the operator added, and the weight that it pays for.
pub(super) fn modified_rate(entry: &MempoolEntry, delta: i64) -> FeeWeight {
    FeeWeight {
        fee: modified_fee(entry.fee, delta),
        weight: entry.adjusted_weight,
    }
}

/// A fee with what the operator added, within the bounds in which sums over clusters are exact.
pub(crate) fn modified_fee(fee: Amount, delta: i64) -> i64 {
    fee.to_signed()
        .map_or(i64::MAX, |fee| fee.to_sat())
        .saturating_add(delta)
        .clamp(-FeeWeight::MAX_FEE, FeeWeight::MAX_FEE)
}
