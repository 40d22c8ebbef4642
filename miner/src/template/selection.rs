//! Which candidates go into a block: the best packages first.
//!
//! A package is a candidate with those of its ancestors that are not in the block yet. The package
//! with the best fee rate is taken again and again, as in Bitcoin Core's former `addPackageTxs`, so
//! that a child pays for its parent. What is taken no longer counts in the packages of its
//! descendants, whose place in the queue changes therefore.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use pyrite_consensus::bitcoin::Txid;

use super::Candidate;

/// Room in the block for transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) weight: u64,
    pub(super) sigop_cost: u64,
}

/// Chooses candidates and returns their positions in an order in which parents stand before their
/// children. A candidate that is not eligible keeps its descendants out too.
pub(super) fn select(
    candidates: &[Candidate],
    is_eligible: impl Fn(&Candidate) -> bool,
    budget: Budget,
    min_fee_rate_sat_per_kvb: u64,
) -> Vec<usize> {
    let graph = Graph::new(candidates, is_eligible);
    let mut selection = Selection::new(candidates, graph, budget, min_fee_rate_sat_per_kvb);
    selection.run();
    selection.selected
}

/// Who spends whom.
struct Graph {
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    /// The candidates that may be taken, parents before children.
    order: Vec<usize>,
    /// Each candidate's position in `order`.
    rank: Vec<usize>,
}

impl Graph {
    fn new(candidates: &[Candidate], is_eligible: impl Fn(&Candidate) -> bool) -> Self {
        let mut positions: HashMap<Txid, usize> = HashMap::with_capacity(candidates.len());
        for (index, candidate) in candidates.iter().enumerate() {
            positions.entry(candidate.txid).or_insert(index);
        }
        let mut parents = vec![Vec::new(); candidates.len()];
        let mut children = vec![Vec::new(); candidates.len()];
        let mut is_usable = vec![false; candidates.len()];
        for (index, candidate) in candidates.iter().enumerate() {
            let known = candidate
                .depends
                .iter()
                .map(|parent| positions.get(parent).copied());
            let Some(mut known) = known.collect::<Option<Vec<usize>>>() else {
                continue;
            };
            known.sort_unstable();
            known.dedup();
            for parent in &known {
                children[*parent].push(index);
            }
            parents[index] = known;
            // A repeated candidate counts once.
            is_usable[index] = positions[&candidate.txid] == index && is_eligible(candidate);
        }
        let order = topological_order(&parents, &children, &is_usable);
        let mut rank = vec![usize::MAX; candidates.len()];
        for (position, index) in order.iter().enumerate() {
            rank[*index] = position;
        }
        Self {
            parents,
            children,
            order,
            rank,
        }
    }
}

/// Kahn's algorithm. What stands below an unusable candidate, or in a cycle, never gets its turn.
fn topological_order(
    parents: &[Vec<usize>],
    children: &[Vec<usize>],
    is_usable: &[bool],
) -> Vec<usize> {
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    let is_ready = |index: &usize, missing: &[usize]| missing[*index] == 0 && is_usable[*index];
    let mut order: Vec<usize> = (0..parents.len())
        .filter(|index| is_ready(index, &missing))
        .collect();
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for child in &children[index] {
            missing[*child] -= 1;
            if is_ready(child, &missing) {
                order.push(*child);
            }
        }
    }
    order
}

/// Fee, weight and sigop cost, of a transaction or of a package.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    fee: u64,
    weight: u64,
    sigop_cost: u64,
}

impl Totals {
    fn of(candidate: &Candidate) -> Self {
        Self {
            fee: candidate.fee.to_sat(),
            // Nothing weighs nothing; a rate has to be defined.
            weight: candidate.weight.max(1),
            sigop_cost: candidate.sigop_cost,
        }
    }

    fn add(&mut self, other: Self) {
        self.fee = self.fee.saturating_add(other.fee);
        self.weight = self.weight.saturating_add(other.weight);
        self.sigop_cost = self.sigop_cost.saturating_add(other.sigop_cost);
    }

    fn subtract(&mut self, other: Self) {
        self.fee = self.fee.saturating_sub(other.fee);
        self.weight = self.weight.saturating_sub(other.weight);
        self.sigop_cost = self.sigop_cost.saturating_sub(other.sigop_cost);
    }

    fn cmp_rate(&self, other: &Self) -> Ordering {
        let own = u128::from(self.fee) * u128::from(other.weight);
        let others = u128::from(other.fee) * u128::from(self.weight);
        own.cmp(&others)
    }

    /// Whether it pays at least this rate. A virtual byte is four weight units.
    fn pays(&self, min_fee_rate_sat_per_kvb: u64) -> bool {
        u128::from(self.fee) * 4_000
            >= u128::from(min_fee_rate_sat_per_kvb) * u128::from(self.weight)
    }
}

/// A place in the queue. An entry whose version is not its candidate's any more is void.
struct Ranked {
    /// The worse of the package's rate and the candidate's own (Bitcoin Core's
    /// `CompareTxMemPoolEntryByAncestorFee`): a cheap child must not ride on its parents.
    score: Totals,
    rank: usize,
    index: usize,
    version: u32,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .cmp_rate(&other.score)
            .then_with(|| other.rank.cmp(&self.rank))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// A set of positions that is emptied in no time.
struct Visited {
    marks: Vec<u64>,
    current: u64,
}

impl Visited {
    fn new(len: usize) -> Self {
        Self {
            marks: vec![0; len],
            current: 0,
        }
    }

    fn clear(&mut self) {
        self.current += 1;
    }

    /// Whether `index` was not in the set.
    fn insert(&mut self, index: usize) -> bool {
        std::mem::replace(&mut self.marks[index], self.current) != self.current
    }
}

struct Selection {
    graph: Graph,
    own: Vec<Totals>,
    packages: Vec<Totals>,
    versions: Vec<u32>,
    is_selected: Vec<bool>,
    selected: Vec<usize>,
    queue: BinaryHeap<Ranked>,
    visited: Visited,
    budget: Budget,
    min_fee_rate_sat_per_kvb: u64,
}

impl Selection {
    fn new(
        candidates: &[Candidate],
        graph: Graph,
        budget: Budget,
        min_fee_rate_sat_per_kvb: u64,
    ) -> Self {
        let own: Vec<Totals> = candidates.iter().map(Totals::of).collect();
        let mut selection = Self {
            packages: own.clone(),
            own,
            versions: vec![0; candidates.len()],
            is_selected: vec![false; candidates.len()],
            selected: Vec::new(),
            queue: BinaryHeap::new(),
            visited: Visited::new(candidates.len()),
            graph,
            budget,
            min_fee_rate_sat_per_kvb,
        };
        for position in 0..selection.graph.order.len() {
            let index = selection.graph.order[position];
            for ancestor in selection.package(index) {
                if ancestor != index {
                    let totals = selection.own[ancestor];
                    selection.packages[index].add(totals);
                }
            }
        }
        selection.queue = selection
            .graph
            .order
            .iter()
            .map(|index| selection.ranked(*index))
            .collect();
        selection
    }

    fn run(&mut self) {
        let lightest = self
            .graph
            .order
            .iter()
            .map(|index| self.own[*index].weight)
            .min();
        let lightest = lightest.unwrap_or(u64::MAX);
        while let Some(Ranked { index, version, .. }) = self.queue.pop() {
            if self.budget.weight < lightest {
                return;
            }
            // One that does not fit now gets another chance when ancestors of it have been taken.
            if !self.is_selected[index] && self.versions[index] == version && self.is_wanted(index)
            {
                self.take(index);
            }
        }
    }

    fn is_wanted(&self, index: usize) -> bool {
        let package = &self.packages[index];
        package.weight <= self.budget.weight
            && package.sigop_cost <= self.budget.sigop_cost
            && package.pays(self.min_fee_rate_sat_per_kvb)
    }

    fn take(&mut self, index: usize) {
        self.budget.weight -= self.packages[index].weight;
        self.budget.sigop_cost -= self.packages[index].sigop_cost;
        let mut package = self.package(index);
        package.sort_unstable_by_key(|member| self.graph.rank[*member]);
        for member in &package {
            self.is_selected[*member] = true;
        }
        let mut changed = Vec::new();
        for member in &package {
            self.leave_packages(*member, &mut changed);
        }
        self.selected.extend(package);
        changed.sort_unstable();
        changed.dedup();
        for descendant in changed {
            self.versions[descendant] += 1;
            let ranked = self.ranked(descendant);
            self.queue.push(ranked);
        }
    }

    /// Takes a selected candidate out of its descendants' packages.
    fn leave_packages(&mut self, member: usize, changed: &mut Vec<usize>) {
        let totals = self.own[member];
        self.visited.clear();
        let mut to_visit = vec![member];
        while let Some(index) = to_visit.pop() {
            for child in &self.graph.children[index] {
                // Unusable candidates have no rank; nothing below them is usable.
                if self.graph.rank[*child] == usize::MAX || !self.visited.insert(*child) {
                    continue;
                }
                to_visit.push(*child);
                if !self.is_selected[*child] {
                    self.packages[*child].subtract(totals);
                    changed.push(*child);
                }
            }
        }
    }

    /// A candidate and its ancestors that are not selected.
    fn package(&mut self, index: usize) -> Vec<usize> {
        self.visited.clear();
        self.visited.insert(index);
        let mut package = vec![index];
        let mut next = 0;
        while let Some(member) = package.get(next).copied() {
            next += 1;
            for parent in &self.graph.parents[member] {
                if !self.is_selected[*parent] && self.visited.insert(*parent) {
                    package.push(*parent);
                }
            }
        }
        package
    }

    fn ranked(&self, index: usize) -> Ranked {
        let (own, package) = (self.own[index], self.packages[index]);
        let score = if own.cmp_rate(&package) == Ordering::Less {
            own
        } else {
            package
        };
        Ranked {
            score,
            rank: self.graph.rank[index],
            index,
            version: self.versions[index],
        }
    }
}
