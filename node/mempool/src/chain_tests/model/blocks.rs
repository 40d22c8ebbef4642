//! The model's chain, and what a block or a reorganisation means for the mempool.

use std::collections::{BTreeMap, BTreeSet};

use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Transaction, Txid};

use super::clusters::clusters;
use super::rules::{MadeCoin, Model};

/// A block, and the coins that it spent.
#[derive(Clone, Debug)]
pub(super) struct Mined {
    pub(super) hash: BlockHash,
    pub(super) transactions: Vec<Transaction>,
    spent: Vec<(OutPoint, MadeCoin)>,
}

fn outputs(tx: &Transaction) -> impl Iterator<Item = (OutPoint, u64)> + '_ {
    let txid = tx.compute_txid();
    (0..)
        .zip(&tx.output)
        .map(move |(vout, output)| (OutPoint { txid, vout }, output.value.to_sat()))
}

impl Model {
    /// Changes the coins as a block does.
    pub(super) fn connect_coins(&mut self, hash: BlockHash, transactions: &[Transaction]) -> Mined {
        let mut spent = Vec::new();
        for tx in transactions {
            for input in &tx.input {
                if let Some(coin) = self.coins.remove(&input.previous_output) {
                    spent.push((input.previous_output, coin));
                }
            }
            let is_coinbase = tx.is_coinbase();
            for (outpoint, value) in outputs(tx) {
                self.coins.insert(
                    outpoint,
                    MadeCoin {
                        value,
                        height: self.next,
                        is_coinbase,
                    },
                );
            }
        }
        self.next += 1;
        Mined {
            hash,
            transactions: transactions.to_vec(),
            spent,
        }
    }

    pub(super) fn disconnect_coins(&mut self, block: &Mined) {
        for tx in &block.transactions {
            for (outpoint, _) in outputs(tx) {
                self.coins.remove(&outpoint);
            }
        }
        // What was created in the same block stays gone.
        let made: BTreeSet<Txid> = block
            .transactions
            .iter()
            .map(Transaction::compute_txid)
            .collect();
        self.coins.extend(
            block
                .spent
                .iter()
                .filter(|(outpoint, _)| !made.contains(&outpoint.txid))
                .copied(),
        );
        self.next -= 1;
    }

    /// What a connected block does to the entries.
    pub(super) fn confirm(&mut self, transactions: &[Transaction]) {
        for tx in transactions {
            let txid = tx.compute_txid();
            self.deltas.remove(&txid);
            if self.entries.remove(&txid).is_some() {
                continue;
            }
            let conflicts = tx
                .input
                .iter()
                .filter_map(|input| self.spender(&input.previous_output));
            let conflicts: Vec<Txid> = conflicts.collect();
            let gone = self.with_descendants(conflicts);
            self.remove(&gone);
        }
    }

    /// What blocks that left the best chain, oldest first, do to the entries, once the coins are those of the new tip. Returns whether
    /// a cluster got too large: then the implementation had to drop something, and the model does not say what.
    pub(super) fn take_back(
        &mut self,
        disconnected: &[Mined],
        confirmed: &BTreeSet<Txid>,
        now: u64,
    ) -> bool {
        let mut too_large = false;
        for tx in disconnected.iter().flat_map(|block| &block.transactions) {
            let txid = tx.compute_txid();
            if confirmed.contains(&txid) {
                continue;
            }
            let is_free = tx
                .input
                .iter()
                .all(|input| self.spender(&input.previous_output).is_none());
            let verdict = if tx.is_coinbase() || !is_free {
                None
            } else {
                self.is_valid(tx).ok()
            };
            if let Some(fee) = verdict {
                let entry = self.entry(tx, fee, now);
                self.entries.insert(txid, entry);
                too_large |= self.has_too_large_cluster();
            } else {
                let spenders: Vec<Txid> = outputs(tx)
                    .filter_map(|(outpoint, _)| self.spender(&outpoint))
                    .collect();
                let gone = self.with_descendants(spenders);
                self.remove(&gone);
            }
        }
        let invalid = self
            .entries
            .values()
            .filter(|entry| self.is_valid(&entry.tx).is_err());
        let invalid: Vec<Txid> = invalid.map(|entry| entry.tx.compute_txid()).collect();
        let gone = self.with_descendants(invalid);
        self.remove(&gone);
        too_large
    }

    fn has_too_large_cluster(&self) -> bool {
        let transactions = self.entries.values().map(|entry| &entry.tx);
        clusters(transactions).iter().any(|cluster| {
            let weight: u64 = cluster.iter().map(|txid| self.entries[txid].weight).sum();
            cluster.len() > self.config.limits.count || weight > 4 * self.config.limits.vsize
        })
    }

    /// Drops what waited too long; then, while there is too much, the chunk that pays least. Of chunks that pay the same, the one that is
    /// not in `real` went.
    pub(super) fn keep_bounds(&mut self, real: &BTreeSet<Txid>, now: u64) {
        let old = self
            .entries
            .values()
            .filter(|entry| entry.time < now.saturating_sub(self.config.expiry_s));
        let old: Vec<Txid> = old.map(|entry| entry.tx.compute_txid()).collect();
        let gone = self.with_descendants(old);
        self.remove(&gone);
        while self.usage() > self.config.max_bytes {
            let chunks = self.all_chunks().concat();
            let worst = chunks
                .iter()
                .map(|(_, rate)| *rate)
                .reduce(|a, b| {
                    if super::clusters::pays_more(a, b) {
                        b
                    } else {
                        a
                    }
                })
                .unwrap();
            let gone = chunks
                .iter()
                .filter(|(_, rate)| !super::clusters::pays_more(*rate, worst))
                .map(|(members, _)| members)
                .find(|members| members.is_disjoint(real))
                .expect("one of the chunks that pay least went")
                .clone();
            self.remove(&gone);
        }
    }

    /// Some of these transactions, in an order in which a block on the present coins may have them.
    pub(super) fn block_of(
        &self,
        candidates: &[Transaction],
        mut take: impl FnMut() -> bool,
    ) -> Vec<Transaction> {
        let mut block = Self {
            config: self.config.clone(),
            coins: self.coins.clone(),
            entries: BTreeMap::new(),
            deltas: BTreeMap::new(),
            ..*self
        };
        let mut chosen: Vec<Transaction> = Vec::new();
        for tx in candidates {
            let is_new = chosen.iter().all(|other| other != tx);
            if is_new && block.is_valid(tx).is_ok_and(|fee| fee >= 0) && take() {
                for input in &tx.input {
                    block.coins.remove(&input.previous_output);
                }
                for (outpoint, value) in outputs(tx) {
                    block.coins.insert(
                        outpoint,
                        MadeCoin {
                            value,
                            height: self.next,
                            is_coinbase: false,
                        },
                    );
                }
                chosen.push(tx.clone());
            }
        }
        chosen
    }
}
