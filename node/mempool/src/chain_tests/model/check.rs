//! The comparison of the mempool with the model.

use std::collections::{BTreeMap, BTreeSet};

use pyrite_consensus::bitcoin::Txid;

use super::world::World;
use crate::EntryDetails;
use crate::cluster::FeeWeight;

impl World {
    /// Compares everything.
    pub(super) fn check(&mut self) {
        let mempool = &self.fixture.mempool;
        let details = mempool.all_details();
        assert_eq!(mempool.followed_block(), self.fixture.tip());
        let real: BTreeSet<Txid> = details.iter().map(|details| details.entry.txid).collect();
        let expected: BTreeSet<Txid> = self.model.entries.keys().copied().collect();
        assert_eq!(real, expected, "after {:?}", self.last);
        for entry in &details {
            self.check_entry(entry);
        }
        self.check_chunks();
        self.steps += 1;
        for (weight, pause, front) in &mut self.fronts {
            if self.steps.is_multiple_of(*pause) {
                let valid_on = mempool.refresh(front, |chunk| chunk);
                let best = mempool.best_chunks(*weight);
                assert_eq!(valid_on, (best.tip, best.sequence));
                assert_eq!(front.chunks(), best.chunks, "after {:?}", self.last);
            }
        }
        let info = mempool.info();
        let model = self.model.entries.values();
        assert_eq!(info.size, self.model.entries.len());
        assert_eq!(
            info.bytes,
            model
                .clone()
                .map(|entry| entry.weight.div_ceil(4))
                .sum::<u64>()
        );
        assert_eq!(
            info.total_fee.to_sat(),
            model
                .map(|entry| u64::try_from(entry.fee).unwrap())
                .sum::<u64>()
        );
        assert_eq!(info.usage, self.model.usage());
        let prioritised = mempool.prioritised();
        let deltas: BTreeMap<Txid, i64> = prioritised
            .iter()
            .map(|entry| (entry.txid, entry.delta))
            .collect();
        assert_eq!(deltas, self.model.deltas);
        self.check_changes();
    }

    fn check_entry(&self, details: &EntryDetails) {
        let txid = details.entry.txid;
        let entry = &self.model.entries[&txid];
        assert_eq!(
            details.entry.fee.to_sat(),
            u64::try_from(entry.fee).unwrap()
        );
        assert_eq!(details.entry.time, entry.time);
        assert_eq!(details.modified_fee, self.model.rate(&txid).0);
        for (totals, family) in [
            (details.ancestors, self.model.with_ancestors(txid)),
            (details.descendants, self.model.with_descendants([txid])),
        ] {
            assert_eq!(totals.count, family.len() as u64);
            assert_eq!(
                totals.fees,
                family
                    .iter()
                    .map(|txid| self.model.rate(txid).0)
                    .sum::<i64>()
            );
        }
        for input in &entry.tx.input {
            assert_eq!(
                self.fixture.mempool.spender(&input.previous_output),
                Some(txid)
            );
        }
    }

    /// The chunks are the model's; they come by falling rate, and parents before their children.
    fn check_chunks(&self) {
        let best = self.fixture.mempool.best_chunks(u64::MAX);
        let mut seen: BTreeSet<Txid> = BTreeSet::new();
        let mut last: Option<FeeWeight> = None;
        for chunk in &best.chunks {
            assert!(last.is_none_or(|last| last.cmp_rate(&chunk.rate).is_ge()));
            last = Some(chunk.rate);
            for entry in &chunk.entries {
                let inputs = entry.tx.input.iter();
                let mut parents = inputs.map(|input| input.previous_output.txid);
                assert!(parents.all(|txid| seen.contains(&txid) || !self.model.entries.contains_key(&txid)));
                seen.insert(entry.txid);
            }
        }
        let real: BTreeSet<(BTreeSet<Txid>, i64, u64)> = best
            .chunks
            .iter()
            .map(|chunk| {
                let members = chunk.entries.iter().map(|entry| entry.txid);
                (members.collect(), chunk.rate.fee, chunk.rate.weight)
            })
            .collect();
        let chunks = self.model.all_chunks();
        let model = chunks
            .concat()
            .into_iter()
            .map(|(members, rate)| (members, rate.0, rate.1));
        assert_eq!(real, model.collect());
        for cluster in chunks {
            let members: BTreeSet<Txid> = cluster
                .iter()
                .flat_map(|(members, _)| members)
                .copied()
                .collect();
            let real = self
                .fixture
                .mempool
                .cluster(members.first().unwrap())
                .unwrap();
            let found: BTreeSet<Txid> = real
                .iter()
                .flat_map(|chunk| chunk.entries.iter().map(|entry| entry.txid))
                .collect();
            let relations = || {
                let details = found
                    .iter()
                    .map(|txid| self.fixture.mempool.details(txid).unwrap());
                details
                    .map(|d| (d.entry.txid, d.depends, d.spent_by))
                    .collect::<Vec<_>>()
            };
            assert_eq!(found, members, "after {:?}: {:?}", self.last, relations());
        }
    }

    /// Whoever follows the changes has the same.
    fn check_changes(&mut self) {
        let changes = self.fixture.mempool.changes_since(self.told.0);
        assert!(changes.complete);
        for (txid, _) in &changes.removed {
            self.told.1.remove(txid);
        }
        self.told
            .1
            .extend(changes.added.iter().map(|(tx, _)| tx.compute_txid()));
        self.told.0 = changes.sequence;
        let expected = self.model.entries.keys().copied().collect();
        assert_eq!(self.told.1, expected, "after {:?}: {changes:?}", self.last);
    }
}
