//! Working out a change before it is made: which clusters there would be, in which order.

use std::collections::{BTreeSet, HashMap, HashSet};

use pyrite_consensus::bitcoin::{Transaction, Txid};

use super::chunk_index::ClusterId;
use super::graph::{Pool, Slot};
use crate::cluster::{DependencyGraph, FeeWeight, MAX_CLUSTER_COUNT, linearize};

/// The most that a cluster may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterLimits {
    /// Transactions, 64 at most (`-limitclustercount`).
    pub count: usize,
    /// Virtual bytes (`-limitclustersize`).
    pub vsize: u64,
}

impl Default for ClusterLimits {
    fn default() -> Self {
        Self {
            count: MAX_CLUSTER_COUNT,
            vsize: 101_000,
        }
    }
}

/// Weight units in a virtual byte.
const WITNESS_SCALE_FACTOR: u64 = 4;

impl ClusterLimits {
    /// For changes that make no cluster larger.
    const NONE: Self = Self {
        count: MAX_CLUSTER_COUNT,
        vsize: u64::MAX / WITNESS_SCALE_FACTOR,
    };

    /// The same bound in weight units, which is what a cluster is measured in: a sum of virtual bytes would be rounded up
    /// for each transaction.
    fn weight(&self) -> u64 {
        self.vsize.saturating_mul(WITNESS_SCALE_FACTOR)
    }
}

/// A cluster would be larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Whether something in the pool can spend what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// No: its outputs are new.
    ToParents,
    /// Yes: it comes back from a block.
    ToParentsAndChildren,
}

/// A transaction that may come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition<'a> {
    pub(crate) txid: Txid,
    pub(crate) tx: &'a Transaction,
    /// Its fee with what the operator added, and its weight.
    pub(crate) rate: FeeWeight,
}

/// A transaction of a cluster that is staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Kept(Slot),
    /// Its number among the additions.
    Added(usize),
}

/// A cluster that there would be.
#[derive(Clone, Debug)]
pub(super) struct StagedCluster {
    pub(super) members: Vec<Member>,
    pub(super) chunks: Vec<(usize, FeeWeight)>,
}

/// A cluster that a change is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    pub(super) cluster: ClusterId,
    generation: u64,
}

/// A change that was worked out, and the clusters that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    pub(super) removed: BTreeSet<Slot>,
    pub(super) touched: Vec<Touched>,
    pub(super) clusters: Vec<StagedCluster>,
}

impl Staged {
    /// How many entries go.
    pub(crate) fn removals(&self) -> usize {
        self.removed.len()
    }

    /// The chunks that there would be in place of those of the touched clusters.
    pub(crate) fn diagram(&self) -> Vec<FeeWeight> {
        let chunks = self.clusters.iter().flat_map(|cluster| &cluster.chunks);
        sorted(chunks.map(|(_, rate)| *rate).collect())
    }
}

impl Pool {
    /// Works out what it means to remove some entries and to add some transactions, parents before children. None of
    /// the added ones spends an output of the removed, or conflicts with what stays.
    ///
    /// # Errors
    /// When a cluster would get too large.
    pub(crate) fn stage(
        &self,
        removed: &BTreeSet<Slot>,
        added: &[Addition<'_>],
        links: Links,
        limits: &ClusterLimits,
    ) -> Result<Staged, TooLarge> {
        let mut draft = Draft::new(self, removed);
        for slot in removed {
            draft.touch(*slot);
        }
        for addition in added {
            draft.add(addition, links);
        }
        draft.finish(limits)
    }

    /// Works out a removal.
    pub(super) fn stage_removal(&self, removed: &BTreeSet<Slot>) -> Staged {
        self.stage(removed, &[], Links::ToParents, &ClusterLimits::NONE)
            .expect("what is left of a cluster is smaller")
    }

    /// Works out the cluster of an entry again, after its fee has changed.
    pub(super) fn stage_again(&self, slot: Slot) -> Staged {
        let nothing = BTreeSet::new();
        let mut draft = Draft::new(self, &nothing);
        draft.touch(slot);
        draft
            .finish(&ClusterLimits::NONE)
            .expect("a cluster stays as large as it is")
    }

    /// Whether a change can still be made as it was worked out: nothing has happened to the clusters that it is about.
    pub(crate) fn is_current(&self, staged: &Staged) -> bool {
        staged.touched.iter().all(|touched| {
            self.clusters
                .get(touched.cluster.0)
                .is_some_and(|cluster| cluster.generation == touched.generation)
        })
    }

    /// The chunks of the clusters that a change is about, as they are now.
    pub(crate) fn diagram_before(&self, staged: &Staged) -> Vec<FeeWeight> {
        let touched = staged.touched.iter();
        let clusters = touched.map(|touched| self.cluster(touched.cluster));
        let chunks = clusters.flat_map(|cluster| cluster.chunks.iter());
        sorted(chunks.map(|(_, rate)| *rate).collect())
    }
}

fn sorted(mut chunks: Vec<FeeWeight>) -> Vec<FeeWeight> {
    chunks.sort_by(|a, b| b.cmp_rate(a));
    chunks
}

/// Transactions of the touched clusters that stay, and those that come.
struct Draft<'a> {
    pool: &'a Pool,
    removed: &'a BTreeSet<Slot>,
    touched: Vec<Touched>,
    seen: HashSet<ClusterId>,
    members: Vec<Part>,
    kept: HashMap<Slot, usize>,
    added: HashMap<Txid, usize>,
}

/// A transaction and what it spends of the others.
struct Part {
    member: Member,
    rate: FeeWeight,
    /// Those that come get the next sequence numbers.
    sequence: u64,
    parents: Vec<usize>,
}

impl<'a> Draft<'a> {
    fn new(pool: &'a Pool, removed: &'a BTreeSet<Slot>) -> Self {
        Self {
            pool,
            removed,
            touched: Vec::new(),
            seen: HashSet::new(),
            members: Vec::new(),
            kept: HashMap::new(),
            added: HashMap::new(),
        }
    }

    /// Takes in the cluster of an entry.
    fn touch(&mut self, slot: Slot) {
        let id = self.pool.node(slot).cluster;
        if !self.seen.insert(id) {
            return;
        }
        let cluster = self.pool.cluster(id);
        self.touched.push(Touched {
            cluster: id,
            generation: cluster.generation,
        });
        // Members are in an order in which parents come first.
        for slot in &cluster.members {
            if self.removed.contains(slot) {
                continue;
            }
            let node = self.pool.node(*slot);
            let parents = node.parents.iter();
            let part = Part {
                member: Member::Kept(*slot),
                rate: node.rate(),
                sequence: node.entry.sequence,
                parents: parents
                    .filter_map(|parent| self.kept.get(parent).copied())
                    .collect(),
            };
            self.kept.insert(*slot, self.members.len());
            self.members.push(part);
        }
    }

    fn add(&mut self, addition: &Addition<'_>, links: Links) {
        let parents = self.pool.parents_of(addition.tx);
        for parent in &parents {
            self.touch(*parent);
        }
        let mut positions: Vec<usize> = parents
            .iter()
            .filter_map(|parent| self.kept.get(parent).copied())
            .collect();
        let inputs = addition.tx.input.iter();
        positions.extend(
            inputs.filter_map(|input| self.added.get(&input.previous_output.txid).copied()),
        );
        positions.sort_unstable();
        positions.dedup();
        let position = self.members.len();
        let number = self.added.len();
        self.members.push(Part {
            member: Member::Added(number),
            rate: addition.rate,
            sequence: u64::MAX - (u64::from(u32::MAX) - number as u64),
            parents: positions,
        });
        self.added.insert(addition.txid, position);
        if links == Links::ToParentsAndChildren {
            for child in self.pool.children_of(&addition.txid, addition.tx) {
                self.touch(child);
                if let Some(child) = self.kept.get(&child) {
                    self.members[*child].parents.push(position);
                }
            }
        }
    }

    fn finish(self, limits: &ClusterLimits) -> Result<Staged, TooLarge> {
        let clusters = match self.members.as_slice() {
            [only] => vec![StagedCluster {
                members: vec![only.member],
                chunks: vec![(1, within(only.rate, 1, limits)?)],
            }],
            members => components(members)
                .into_iter()
                .map(|component| order(members, &component, limits))
                .collect::<Result<_, _>>()?,
        };
        Ok(Staged {
            removed: self.removed.clone(),
            touched: self.touched,
            clusters,
        })
    }
}

/// The weight of a cluster, if it is within the limits.
fn within(rate: FeeWeight, count: usize, limits: &ClusterLimits) -> Result<FeeWeight, TooLarge> {
    if count > limits.count.min(MAX_CLUSTER_COUNT) || rate.weight > limits.weight() {
        return Err(TooLarge);
    }
    Ok(rate)
}

/// The sets of members that are linked with each other, each in the order of the members.
fn components(members: &[Part]) -> Vec<Vec<usize>> {
    let mut roots: Vec<usize> = (0..members.len()).collect();
    for (index, part) in members.iter().enumerate() {
        for parent in &part.parents {
            let (a, b) = (root(&mut roots, index), root(&mut roots, *parent));
            roots[a.max(b)] = a.min(b);
        }
    }
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut components: Vec<Vec<usize>> = Vec::new();
    for index in 0..members.len() {
        let root = root(&mut roots, index);
        let number = *numbers.entry(root).or_insert_with(|| {
            components.push(Vec::new());
            components.len() - 1
        });
        components[number].push(index);
    }
    components
}

fn root(roots: &mut [usize], mut index: usize) -> usize {
    while roots[index] != index {
        roots[index] = roots[roots[index]];
        index = roots[index];
    }
    index
}

/// Puts the members of a component in their best order.
fn order(
    members: &[Part],
    component: &[usize],
    limits: &ClusterLimits,
) -> Result<StagedCluster, TooLarge> {
    let weight = component.iter().map(|index| members[*index].rate.weight);
    let total = FeeWeight {
        fee: 0,
        weight: weight.fold(0, u64::saturating_add),
    };
    within(total, component.len(), limits)?;
    let order = topological(members, component);
    let mut positions: HashMap<usize, u32> = HashMap::with_capacity(order.len());
    let mut graph = DependencyGraph::new();
    for (position, index) in (0..).zip(&order) {
        let part = &members[*index];
        let parents = part
            .parents
            .iter()
            .filter_map(|parent| positions.get(parent));
        let parents = parents.fold(0_u64, |set, position| set | 1 << position);
        graph.add(part.rate, parents);
        positions.insert(*index, position);
    }
    let chunks = linearize(&graph);
    let mut staged = StagedCluster {
        members: Vec::with_capacity(order.len()),
        chunks: Vec::with_capacity(chunks.len()),
    };
    for chunk in chunks {
        let indexes = chunk
            .members
            .iter()
            .map(|member| order[usize::from(*member)]);
        staged
            .members
            .extend(indexes.map(|index| members[index].member));
        staged.chunks.push((chunk.members.len(), chunk.rate));
    }
    Ok(staged)
}

/// The members of a component, parents first, otherwise in the order in which they came: so the outcome does not depend
/// on the pool's history.
fn topological(members: &[Part], component: &[usize]) -> Vec<usize> {
    let mut waiting: Vec<usize> = component.to_vec();
    waiting.sort_unstable_by_key(|index| members[*index].sequence);
    let mut order: Vec<usize> = Vec::with_capacity(component.len());
    while !waiting.is_empty() {
        let ready = |index: &usize| {
            let mut parents = members[*index].parents.iter();
            parents.all(|parent| order.contains(parent))
        };
        let next = waiting.iter().position(ready);
        let next = next.expect("transactions don't spend each other in a circle");
        order.push(waiting.remove(next));
    }
    order
}
