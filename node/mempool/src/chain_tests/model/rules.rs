//! The model: a list of entries and coins, and the rules as they are written down. Nothing is remembered that can be
//! worked out.

use std::collections::{BTreeMap, BTreeSet};

use pyrite_consensus::bitcoin::{OutPoint, Sequence, Transaction, TxIn, Txid};

use super::clusters::{Rate, chunks, clusters, improves, pays_more};
use crate::MempoolConfig;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) tx: Transaction,
    pub(super) fee: i64,
    pub(super) weight: u64,
    pub(super) time: u64,
    pub(super) usage: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct MadeCoin {
    pub(super) value: u64,
    pub(super) height: u32,
    pub(super) is_coinbase: bool,
}

pub(super) struct Model {
    pub(super) config: MempoolConfig,
    pub(super) maturity: u32,
    /// The height of the next block.
    pub(super) next: u32,
    pub(super) coins: BTreeMap<OutPoint, MadeCoin>,
    pub(super) entries: BTreeMap<Txid, Entry>,
    pub(super) deltas: BTreeMap<Txid, i64>,
}

/// Why a transaction is refused, as far as the model tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Known,
    MissingInputs,
    NonFinal,
    Locked,
    Immature,
    LowFee,
    SpendsConflicting,
    Replacement,
    TooLarge,
}

impl Refusal {
    pub(super) fn may_pass_in_a_package(self) -> bool {
        matches!(self, Self::LowFee | Self::Replacement | Self::MissingInputs)
    }

    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Known => &["txn-already-in-mempool"],
            Self::MissingInputs => &["bad-txns-inputs-missingorspent", "txn-already-known"],
            Self::NonFinal => &["non-final"],
            Self::Locked => &["non-BIP68-final"],
            Self::Immature => &["bad-txns-premature-spend-of-coinbase"],
            Self::LowFee => &["mempool min fee not met", "min relay fee not met"],
            Self::SpendsConflicting => &["bad-txns-spends-conflicting-tx"],
            Self::Replacement => &["insufficient fee", "replacement-failed"],
            Self::TooLarge => &["too-large-cluster"],
        }
    }
}

impl Model {
    pub(super) fn rate(&self, txid: &Txid) -> Rate {
        let entry = &self.entries[txid];
        (entry.fee + self.delta(txid), entry.weight)
    }

    pub(super) fn delta(&self, txid: &Txid) -> i64 {
        self.deltas.get(txid).copied().unwrap_or(0)
    }

    pub(super) fn usage(&self) -> usize {
        self.entries.values().map(|entry| entry.usage).sum()
    }

    pub(super) fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        let spends = |entry: &&Entry| {
            entry
                .tx
                .input
                .iter()
                .any(|input| input.previous_output == *outpoint)
        };
        self.entries
            .values()
            .find(spends)
            .map(|entry| entry.tx.compute_txid())
    }

    pub(super) fn coin(&self, outpoint: &OutPoint) -> Option<MadeCoin> {
        if let Some(entry) = self.entries.get(&outpoint.txid) {
            let output = entry.tx.output.get(outpoint.vout as usize)?;
            return Some(MadeCoin {
                value: output.value.to_sat(),
                height: self.next,
                is_coinbase: false,
            });
        }
        self.coins.get(outpoint).copied()
    }

    pub(super) fn with_descendants(&self, txids: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        let mut reached: BTreeSet<Txid> = txids.into_iter().collect();
        loop {
            let spends_one = |entry: &Entry| {
                entry
                    .tx
                    .input
                    .iter()
                    .any(|input| reached.contains(&input.previous_output.txid))
            };
            let more: Vec<Txid> = self
                .entries
                .iter()
                .filter(|(txid, entry)| !reached.contains(*txid) && spends_one(entry))
                .map(|(txid, _)| *txid)
                .collect();
            if more.is_empty() {
                return reached;
            }
            reached.extend(more);
        }
    }

    pub(super) fn with_ancestors(&self, txid: Txid) -> BTreeSet<Txid> {
        let mut reached = BTreeSet::new();
        let mut pending = vec![txid];
        while let Some(txid) = pending.pop() {
            if self.entries.contains_key(&txid) && reached.insert(txid) {
                pending.extend(
                    self.entries[&txid]
                        .tx
                        .input
                        .iter()
                        .map(|input| input.previous_output.txid),
                );
            }
        }
        reached
    }

    pub(super) fn remove(&mut self, txids: &BTreeSet<Txid>) {
        self.entries.retain(|txid, _| !txids.contains(txid));
    }

    /// What depends on the tip.
    pub(super) fn is_valid(&self, tx: &Transaction) -> Result<i64, Refusal> {
        let lock_time = tx.lock_time.to_consensus_u32();
        if lock_time >= self.next && tx.input.iter().any(|input| input.sequence != Sequence::MAX) {
            return Err(Refusal::NonFinal);
        }
        let coins: Option<Vec<MadeCoin>> = tx
            .input
            .iter()
            .map(|input| self.coin(&input.previous_output))
            .collect();
        let coins = coins.ok_or(Refusal::MissingInputs)?;
        if coins
            .iter()
            .any(|coin| coin.is_coinbase && self.next < coin.height + self.maturity)
        {
            return Err(Refusal::Immature);
        }
        let locked = |(input, coin): (&TxIn, &MadeCoin)| {
            input.sequence.is_height_locked()
                && coin.height + (input.sequence.to_consensus_u32() & 0xffff) > self.next
        };
        if tx.input.iter().zip(&coins).any(locked) {
            return Err(Refusal::Locked);
        }
        let spent: u64 = coins.iter().map(|coin| coin.value).sum();
        let paid: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        Ok(i64::try_from(spent).unwrap() - i64::try_from(paid).unwrap())
    }

    fn conflicts(&self, tx: &Transaction) -> BTreeSet<Txid> {
        tx.input
            .iter()
            .filter_map(|input| self.spender(&input.previous_output))
            .collect()
    }

    /// The entry that a transaction becomes.
    pub(super) fn entry(&self, tx: &Transaction, fee: i64, time: u64) -> Entry {
        Entry {
            tx: tx.clone(),
            fee,
            weight: tx.weight().to_wu(),
            time,
            usage: crate::pool::entry_usage(tx),
        }
    }

    fn minimum(&self, min_fee: u64, vsize: u64) -> i64 {
        let rate = min_fee.max(self.config.min_relay_fee.0);
        i64::try_from((rate * vsize).div_ceil(1_000)).unwrap()
    }

    /// Takes a transaction, if the rules allow it.
    pub(super) fn submit(
        &mut self,
        tx: &Transaction,
        min_fee: u64,
        now: u64,
    ) -> Result<(), Refusal> {
        let txid = tx.compute_txid();
        if self.entries.contains_key(&txid) {
            return Err(Refusal::Known);
        }
        let fee = self.is_valid(tx)?;
        let entry = self.entry(tx, fee, now);
        let modified = fee + self.delta(&txid);
        let vsize = entry.weight.div_ceil(4);
        if modified < self.minimum(min_fee, vsize) {
            return Err(Refusal::LowFee);
        }
        let evicted = self.with_descendants(self.conflicts(tx));
        if tx
            .input
            .iter()
            .any(|input| evicted.contains(&input.previous_output.txid))
        {
            return Err(Refusal::SpendsConflicting);
        }
        if !evicted.is_empty() {
            self.pays_for(&evicted, modified, vsize)?;
        }
        self.replace(&evicted, vec![entry])
    }

    /// Rules 3 and 4 of BIP-0125.
    fn pays_for(&self, evicted: &BTreeSet<Txid>, fee: i64, vsize: u64) -> Result<(), Refusal> {
        let replaced: i64 = evicted.iter().map(|txid| self.rate(txid).0).sum();
        let relay = (self.config.incremental_relay_fee.0 * vsize).div_ceil(1_000);
        if fee < replaced || fee - replaced < i64::try_from(relay).unwrap() {
            return Err(Refusal::Replacement);
        }
        Ok(())
    }

    /// Makes room for entries and takes them, if no cluster gets too large and, where others go, the diagram improves.
    fn replace(&mut self, evicted: &BTreeSet<Txid>, added: Vec<Entry>) -> Result<(), Refusal> {
        let mut after = self.entries.clone();
        after.retain(|txid, _| !evicted.contains(txid));
        let new: BTreeSet<Txid> = added.iter().map(|entry| entry.tx.compute_txid()).collect();
        after.extend(
            added
                .into_iter()
                .map(|entry| (entry.tx.compute_txid(), entry)),
        );
        let clusters_after = clusters(after.values().map(|entry| &entry.tx));
        for cluster in clusters_after
            .iter()
            .filter(|cluster| !cluster.is_disjoint(&new))
        {
            let weight: u64 = cluster.iter().map(|txid| after[txid].weight).sum();
            if cluster.len() > self.config.limits.count || weight > 4 * self.config.limits.vsize {
                return Err(Refusal::TooLarge);
            }
        }
        if !evicted.is_empty() {
            let spent = new.iter().flat_map(|txid| &after[txid].tx.input);
            let mut concerned: BTreeSet<Txid> =
                spent.map(|input| input.previous_output.txid).collect();
            concerned.extend(evicted);
            let touched = clusters(self.entries.values().map(|entry| &entry.tx)).into_iter();
            let touched: Vec<_> = touched
                .filter(|cluster| !cluster.is_disjoint(&concerned))
                .collect();
            let before = touched
                .iter()
                .flat_map(|cluster| chunks(cluster, &self.entries, |txid| self.rate(txid)));
            let before: Vec<Rate> = before.map(|(_, rate)| rate).collect();
            concerned.extend(touched.iter().flatten().chain(&new));
            let rate = |txid: &Txid| (after[txid].fee + self.delta(txid), after[txid].weight);
            let after: Vec<Rate> = clusters_after
                .iter()
                .filter(|cluster| !cluster.is_disjoint(&concerned))
                .flat_map(|cluster| chunks(cluster, &after, rate))
                .map(|(_, rate)| rate)
                .collect();
            if !improves(&after, &before) {
                return Err(Refusal::Replacement);
            }
        }
        self.entries = after;
        Ok(())
    }

    /// Takes transactions that are judged together.
    pub(super) fn submit_together(
        &mut self,
        package: &[&Transaction],
        min_fee: u64,
        now: u64,
    ) -> Result<(), Refusal> {
        let mut with_parents = Self {
            config: self.config.clone(),
            coins: self.coins.clone(),
            entries: self.entries.clone(),
            deltas: self.deltas.clone(),
            ..*self
        };
        let mut added = Vec::new();
        for tx in package {
            let fee = with_parents.is_valid(tx)?;
            let entry = self.entry(tx, fee, now);
            with_parents
                .entries
                .insert(tx.compute_txid(), entry.clone());
            added.push(entry);
        }
        let rate = |entry: &Entry| {
            (
                entry.fee + self.delta(&entry.tx.compute_txid()),
                entry.weight.div_ceil(4),
            )
        };
        let total = added
            .iter()
            .map(rate)
            .fold((0, 0), |sum: Rate, rate| (sum.0 + rate.0, sum.1 + rate.1));
        if total.0 < self.minimum(min_fee, total.1) {
            return Err(Refusal::LowFee);
        }
        let conflicts: BTreeSet<Txid> = package.iter().flat_map(|tx| self.conflicts(tx)).collect();
        let evicted = self.with_descendants(conflicts);
        if !evicted.is_empty() {
            let spends_entry = |tx: &&&Transaction| {
                tx.input
                    .iter()
                    .any(|input| self.entries.contains_key(&input.previous_output.txid))
            };
            if added.len() != 2 || package.iter().any(|tx| spends_entry(&tx)) {
                return Err(Refusal::Replacement);
            }
            self.pays_for(&evicted, total.0, total.1)?;
            if !pays_more(total, rate(&added[0])) {
                return Err(Refusal::Replacement);
            }
        }
        self.replace(&evicted, added)
    }
}
