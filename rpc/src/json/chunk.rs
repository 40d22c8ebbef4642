//! Chunks of the mempool: which transactions a miner takes together, and at what fee rate. Transactions
//! that are linked, over however many steps, are a cluster; a cluster in the order in which it is mined
//! falls into chunks of falling fee rate.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use pyrite_consensus::bitcoin::{Amount, Txid};
use pyrite_mempool::MempoolEntry;

/// What a sigop costs at least, in weight units (Bitcoin Core's `-bytespersigop`).
const WEIGHT_PER_SIGOP: u64 = 20;

/// Transactions that are mined together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Their weight, sigop-adjusted.
    pub(crate) weight: u64,
    /// Their fees.
    pub(crate) fees: Amount,
}

/// The chunk of each entry. `entries` holds whole clusters, parents before their children.
pub(crate) fn chunks(entries: &[Arc<MempoolEntry>]) -> HashMap<Txid, Chunk> {
    let graph = Graph::new(entries);
    let mut chunks = HashMap::with_capacity(entries.len());
    for cluster in graph.clusters() {
        for (members, rate) in graph.chunks_of(&graph.mining_order(&cluster)) {
            let chunk = Chunk::of(rate);
            chunks.extend(members.iter().map(|index| (entries[*index].txid, chunk)));
        }
    }
    chunks
}

/// All chunks of the mempool, in no particular order. `entries` holds whole clusters, parents before their
/// children.
pub(crate) fn all_chunks(entries: &[Arc<MempoolEntry>]) -> Vec<Chunk> {
    let graph = Graph::new(entries);
    let clusters = graph.clusters();
    let chunks = clusters
        .iter()
        .flat_map(|cluster| graph.chunks_of(&graph.mining_order(cluster)));
    chunks.map(|(_, rate)| Chunk::of(rate)).collect()
}

impl Chunk {
    fn of(rate: Rate) -> Self {
        Self {
            weight: rate.weight,
            fees: Amount::from_sat(rate.fees),
        }
    }
}

/// Fees and weight, compared by their ratio.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    fees: u64,
    weight: u64,
}

impl Rate {
    fn plus(self, other: Self) -> Self {
        Self {
            fees: self.fees.saturating_add(other.fees),
            weight: self.weight.saturating_add(other.weight),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            fees: self.fees.saturating_sub(other.fees),
            weight: self.weight.saturating_sub(other.weight),
        }
    }

    fn compare(self, other: Self) -> Ordering {
        let product = |fees: u64, weight: u64| u128::from(fees) * u128::from(weight);
        product(self.fees, other.weight).cmp(&product(other.fees, self.weight))
    }
}

/// A transaction with all its ancestors that are not taken yet, in the queue.
#[derive(Debug)]
struct Candidate {
    rate: Rate,
    index: usize,
    /// How many of its ancestors were taken when it was queued: it is stale when more are now.
    taken: usize,
}

impl Ord for Candidate {
    /// By rate; of equals the one that came first.
    fn cmp(&self, other: &Self) -> Ordering {
        self.rate
            .compare(other.rate)
            .then_with(|| Reverse(self.index).cmp(&Reverse(other.index)))
            .then_with(|| self.taken.cmp(&other.taken))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// Entries by their places in the list, and their links.
struct Graph {
    rates: Vec<Rate>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl Graph {
    fn new(entries: &[Arc<MempoolEntry>]) -> Self {
        let places: HashMap<Txid, usize> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.txid, index))
            .collect();
        let at = |txids: &[Txid]| -> Vec<usize> {
            txids
                .iter()
                .filter_map(|txid| places.get(txid).copied())
                .collect()
        };
        let rate = |entry: &Arc<MempoolEntry>| Rate {
            fees: entry.fee.to_sat(),
            weight: entry
                .weight
                .max(entry.sigop_cost.saturating_mul(WEIGHT_PER_SIGOP)),
        };
        Self {
            rates: entries.iter().map(rate).collect(),
            parents: entries.iter().map(|entry| at(&entry.depends)).collect(),
            children: entries.iter().map(|entry| at(&entry.spent_by)).collect(),
        }
    }

    /// The clusters, each in the order of the list.
    fn clusters(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.rates.len()];
        let mut clusters = Vec::new();
        for start in 0..self.rates.len() {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut cluster = vec![start];
            let mut next = 0;
            while let Some(&index) = cluster.get(next) {
                next += 1;
                for &linked in self.parents[index].iter().chain(&self.children[index]) {
                    if !std::mem::replace(&mut seen[linked], true) {
                        cluster.push(linked);
                    }
                }
            }
            cluster.sort_unstable();
            clusters.push(cluster);
        }
        clusters
    }

    /// A cluster in the order in which it is mined: again and again the transaction that pays best
    /// together with its ancestors, after these.
    fn mining_order(&self, cluster: &[usize]) -> Vec<usize> {
        let mut order = Vec::with_capacity(cluster.len());
        let mut is_taken: HashSet<usize> = HashSet::with_capacity(cluster.len());
        // What is left of each one's ancestors, itself included, and how many are gone.
        let mut left: HashMap<usize, (Rate, usize)> = HashMap::with_capacity(cluster.len());
        let mut queue = BinaryHeap::with_capacity(cluster.len());
        for &index in cluster {
            let rate = Self::reachable(&self.parents, index)
                .into_iter()
                .fold(Rate::default(), |sum, ancestor| {
                    sum.plus(self.rates[ancestor])
                });
            left.insert(index, (rate, 0));
            queue.push(Candidate {
                rate,
                index,
                taken: 0,
            });
        }
        while let Some(candidate) = queue.pop() {
            let gone = left.get(&candidate.index).map_or(0, |(_, gone)| *gone);
            if is_taken.contains(&candidate.index) || candidate.taken != gone {
                continue;
            }
            // Places in the list are an order that has parents first.
            for index in Self::reachable(&self.parents, candidate.index) {
                if !is_taken.insert(index) {
                    continue;
                }
                order.push(index);
                for descendant in Self::reachable(&self.children, index) {
                    let Some((rate, gone)) = left.get_mut(&descendant) else {
                        continue;
                    };
                    *rate = rate.minus(self.rates[index]);
                    *gone += 1;
                    if !is_taken.contains(&descendant) {
                        queue.push(Candidate {
                            rate: *rate,
                            index: descendant,
                            taken: *gone,
                        });
                    }
                }
            }
        }
        order
    }

    /// What the links lead to from `start`, itself included.
    fn reachable(links: &[Vec<usize>], start: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([start]);
        let mut waiting = vec![start];
        while let Some(index) = waiting.pop() {
            for &linked in &links[index] {
                if reached.insert(linked) {
                    waiting.push(linked);
                }
            }
        }
        reached
    }

    /// An order cut into chunks: one that pays better than the one before it joins it.
    fn chunks_of(&self, order: &[usize]) -> Vec<(Vec<usize>, Rate)> {
        let mut chunks: Vec<(Vec<usize>, Rate)> = Vec::new();
        for &index in order {
            let mut members = vec![index];
            let mut rate = self.rates[index];
            while let Some((mut before, before_rate)) =
                chunks.pop_if(|(_, before)| rate.compare(*before) == Ordering::Greater)
            {
                rate = rate.plus(before_rate);
                before.append(&mut members);
                members = before;
            }
            chunks.push((members, rate));
        }
        chunks
    }
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
