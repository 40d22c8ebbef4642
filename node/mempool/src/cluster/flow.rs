//! Maximum-weight closures: the part of a set that pays more than the set does.
//!
//! Let every member of a set be worth `fee * W - weight * F`, with `F` and `W` the set's fee and weight: what it
//! pays above the set's rate. A part that is closed (has its ancestors within the set) pays a higher rate than the
//! whole exactly if its worth is positive. The closed part of the greatest worth comes from a maximum flow (J.-C.
//! Picard, "Maximal closure of a graph and applications to combinatorial problems", 1976): who pays above the rate
//! supplies those of its ancestors that pay below. If all supplies can be placed, no part is worth anything;
//! otherwise it is those whom left-over supplies can reach, over supplies that could be placed elsewhere.
//!
//! The flow needs no network but the transitive closure: every unit goes from a supplier to one of its ancestors.
//! Shortest augmenting paths (Edmonds and Karp, 1972) alternate between suppliers and receivers; sets of them are
//! words, so that a step of the search looks at all neighbours at once.

use std::ops::{AddAssign, Neg, SubAssign};

use super::{DependencyGraph, FeeWeight, MAX_CLUSTER_COUNT, positions};

/// Numbers that worths are counted in: `i64` where they fit, as they do for all but absurd fees.
pub(super) trait Worth:
    Copy + Default + Ord + AddAssign + SubAssign + Neg<Output = Self>
{
    /// `own.fee * total.weight - own.weight * total.fee`
    fn above(own: FeeWeight, total: FeeWeight) -> Self;
}

impl Worth for i64 {
    fn above(own: FeeWeight, total: FeeWeight) -> Self {
        // Whoever chooses this type made sure that everything fits: see `fits_i64`.
        own.fee * total.weight.cast_signed() - own.weight.cast_signed() * total.fee
    }
}

impl Worth for i128 {
    fn above(own: FeeWeight, total: FeeWeight) -> Self {
        Self::from(own.fee) * Self::from(total.weight)
            - Self::from(own.weight) * Self::from(total.fee)
    }
}

/// Whether the worths of a graph's transactions, in any of its sets, fit an `i64`.
pub(super) fn fits_i64(graph: &DependencyGraph) -> bool {
    let mut fees = 0_u128;
    let mut weights = 0_u128;
    for position in 0..graph.len() {
        let own = graph.rate(position);
        fees += u128::from(own.fee.unsigned_abs());
        weights += u128::from(own.weight);
    }
    // A worth is the difference of two products of this size at most.
    fees * weights < 1 << 62
}

/// A flow within a set of transactions.
pub(super) struct Flow<'a, W> {
    graph: &'a DependencyGraph,
    /// What is supplied and not placed, or could be received and is not yet; never negative.
    left: [W; MAX_CLUSTER_COUNT],
    /// How much goes from a supplier (column) to a receiver (row), where `suppliers_of` says that anything does.
    flow: Vec<W>,
    /// Who supplies a receiver.
    suppliers_of: [u64; MAX_CLUSTER_COUNT],
    /// Receivers, and those of them with anything left.
    receivers: u64,
    open: u64,
    search: Search,
}

/// A search for a path from a supplier to a receiver with something left.
struct Search {
    /// From whom each was reached.
    reached_from: [u8; MAX_CLUSTER_COUNT],
    queue: [u8; MAX_CLUSTER_COUNT],
    suppliers: u64,
    receivers: u64,
}

impl<'a, W: Worth> Flow<'a, W> {
    pub(super) fn new(graph: &'a DependencyGraph) -> Self {
        Self {
            graph,
            left: [W::default(); MAX_CLUSTER_COUNT],
            flow: vec![W::default(); graph.len() * graph.len()],
            suppliers_of: [0; MAX_CLUSTER_COUNT],
            receivers: 0,
            open: 0,
            search: Search {
                reached_from: [0; MAX_CLUSTER_COUNT],
                queue: [0; MAX_CLUSTER_COUNT],
                suppliers: 0,
                receivers: 0,
            },
        }
    }

    /// The closed part of `set` that is worth the most, and the smallest such one: empty if no part pays a higher
    /// rate than the set.
    pub(super) fn best_part(&mut self, set: u64) -> u64 {
        let supplied = self.begin(set);
        let unplaced = self.place_directly(supplied);
        let mut part = 0;
        for supplier in positions(unplaced) {
            if part >> supplier & 1 == 1 {
                continue;
            }
            while self.left[supplier] > W::default() {
                let Some(receiver) = self.find_path(supplier) else {
                    part |= self.leave_reached(set);
                    break;
                };
                self.augment(supplier, receiver);
            }
        }
        part
    }

    /// Who supplies each receiver, after `best_part` found that no part pays more: there is no other place for what they
    /// supply, so that whatever part has the receiver and pays as much as the set has them as well.
    pub(super) fn suppliers(&self) -> [u64; MAX_CLUSTER_COUNT] {
        let mut suppliers = [0; MAX_CLUSTER_COUNT];
        for receiver in positions(self.receivers) {
            suppliers[receiver] = self.suppliers_of[receiver];
        }
        suppliers
    }

    /// Sets out what is supplied and what can be received, and returns who supplies.
    fn begin(&mut self, set: u64) -> u64 {
        let total = self.graph.rate_of(set);
        let mut suppliers = 0;
        self.receivers = 0;
        for position in positions(set) {
            let worth = W::above(self.graph.rate(position), total);
            if worth > W::default() {
                suppliers |= 1 << position;
                self.left[position] = worth;
            } else if worth < W::default() {
                self.receivers |= 1 << position;
                self.suppliers_of[position] = 0;
                self.left[position] = -worth;
            }
        }
        self.open = self.receivers;
        suppliers
    }

    /// Places what can be without moving anything, and returns whose supply is left. Receivers that come late have
    /// the fewest suppliers, and are served first.
    fn place_directly(&mut self, suppliers: u64) -> u64 {
        let mut unplaced = 0;
        for supplier in positions(suppliers) {
            let mut reachable = self.graph.ancestors(supplier) & self.open;
            while self.left[supplier] > W::default() {
                if reachable == 0 {
                    unplaced |= 1 << supplier;
                    break;
                }
                let receiver = 63 - reachable.leading_zeros() as usize;
                reachable ^= 1 << receiver;
                let amount = self.left[supplier].min(self.left[receiver]);
                self.left[supplier] -= amount;
                self.receive(supplier, receiver, amount);
                self.take(receiver, amount);
            }
        }
        unplaced
    }

    /// The nearest receiver with something left, by a breadth-first search.
    fn find_path(&mut self, supplier: usize) -> Option<usize> {
        let search = &mut self.search;
        search.suppliers = 1 << supplier;
        search.receivers = 0;
        search.queue[0] = position_u8(supplier);
        let (mut next, mut end) = (0, 1);
        while next < end {
            let from = search.queue[next];
            next += 1;
            let reached =
                self.graph.ancestors(usize::from(from)) & self.receivers & !search.receivers;
            if reached & self.open != 0 {
                let receiver = 63 - (reached & self.open).leading_zeros() as usize;
                search.reached_from[receiver] = from;
                return Some(receiver);
            }
            search.receivers |= reached;
            for receiver in positions(reached) {
                search.reached_from[receiver] = from;
                let others = self.suppliers_of[receiver] & !search.suppliers;
                search.suppliers |= others;
                for other in positions(others) {
                    search.reached_from[other] = position_u8(receiver);
                    search.queue[end] = position_u8(other);
                    end += 1;
                }
            }
        }
        None
    }

    /// Sends as much as possible along the path that was found.
    fn augment(&mut self, supplier: usize, receiver: usize) {
        let mut amount = self.left[supplier].min(self.left[receiver]);
        let mut at = Some(receiver);
        while let Some(to) = at {
            let (from, until_now) = self.search.step_back(supplier, to);
            if let Some(until_now) = until_now {
                amount = amount.min(self.flow[self.index(from, until_now)]);
            }
            at = until_now;
        }
        let mut at = Some(receiver);
        while let Some(to) = at {
            let (from, until_now) = self.search.step_back(supplier, to);
            self.receive(from, to, amount);
            if let Some(until_now) = until_now {
                self.give_back(from, until_now, amount);
            }
            at = until_now;
        }
        self.left[supplier] -= amount;
        self.take(receiver, amount);
    }

    /// More goes from a supplier to a receiver.
    fn receive(&mut self, supplier: usize, receiver: usize, amount: W) {
        let index = self.index(supplier, receiver);
        if self.suppliers_of[receiver] >> supplier & 1 == 1 {
            self.flow[index] += amount;
        } else {
            self.suppliers_of[receiver] |= 1 << supplier;
            self.flow[index] = amount;
        }
    }

    /// Less goes from a supplier to a receiver.
    fn give_back(&mut self, supplier: usize, receiver: usize, amount: W) {
        let index = self.index(supplier, receiver);
        self.flow[index] -= amount;
        if self.flow[index] == W::default() {
            self.suppliers_of[receiver] ^= 1 << supplier;
        }
    }

    /// A receiver has less room left.
    fn take(&mut self, receiver: usize, amount: W) {
        self.left[receiver] -= amount;
        if self.left[receiver] == W::default() {
            self.open ^= 1 << receiver;
        }
    }

    /// Whom a search without success reached is in the best part, with all ancestors, and no later path leads
    /// through: it could not leave again.
    fn leave_reached(&mut self, set: u64) -> u64 {
        self.receivers &= !self.search.receivers;
        positions(self.search.suppliers).fold(0, |part, supplier| {
            part | self.graph.ancestors(supplier) & set
        })
    }

    fn index(&self, supplier: usize, receiver: usize) -> usize {
        receiver * self.graph.len() + supplier
    }
}

impl Search {
    /// Who is to supply a receiver on the path from `supplier`, and whom it would supply less for that, unless the
    /// path begins with it.
    fn step_back(&self, supplier: usize, receiver: usize) -> (usize, Option<usize>) {
        let from = usize::from(self.reached_from[receiver]);
        let until_now = (from != supplier).then(|| usize::from(self.reached_from[from]));
        (from, until_now)
    }
}

/// A position in the form that takes the least room.
pub(super) fn position_u8(position: usize) -> u8 {
    u8::try_from(position).expect("positions are below 64")
}
