//! The mempool and the model side by side, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyrite_chain::Clock;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::{OutPoint, Sequence, Transaction, Txid};

use super::super::fixture::Fixture;
use super::blocks::Mined;
use super::random::Random;
use super::rules::{MadeCoin, Model, Refusal};
use crate::testing::{open_transaction, output_of};
use crate::{ChunkFront, ClusterLimits, MempoolChunk, MempoolConfig, MempoolError, PackageMember};

/// Blocks after which a coinbase can be spent.
const MATURITY: u32 = 4;

/// When the tests begin, Unix seconds.
const START: u64 = 1_700_000_000;

/// The deepest reorganisation.
const MAX_DEPTH: u64 = 3;

/// Fronts that are followed: their weight, and how many steps pass between two looks.
const FRONTS: [(u64, u64); 4] = [(u64::MAX, 1), (8_000, 1), (2_000, 3), (8_000, 11)];

pub(super) struct World {
    pub(super) fixture: Fixture,
    now: Arc<AtomicU64>,
    random: Random,
    pub(super) model: Model,
    blocks: Vec<Mined>,
    /// The changes that were told so far, and what they lead to.
    pub(super) told: (u64, BTreeSet<Txid>),
    /// Fronts of the order of chunks, the weight that each has and how many steps it is brought up to date after.
    pub(super) fronts: Vec<(u64, u64, ChunkFront<MempoolChunk>)>,
    pub(super) steps: u64,
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What the last step did.
    pub(super) last: Vec<&'static str>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let spec = ChainSpec {
            coinbase_maturity: MATURITY,
            halving_interval: u32::MAX,
            ..ChainSpec::regtest()
        };
        let config = MempoolConfig {
            max_bytes: 30_000,
            expiry_s: 10_000,
            limits: ClusterLimits {
                count: 8,
                vsize: 1_500,
            },
            ..MempoolConfig::default()
        };
        let now = Arc::new(AtomicU64::new(START));
        let time = Arc::clone(&now);
        let clock = Clock::new(move || time.load(Ordering::Relaxed));
        let fixture = Fixture::with_clock(spec, config.clone(), clock);
        let coins = fixture.coinbases.iter().zip(1..).map(|(coinbase, height)| {
            let value = coinbase.output[0].value.to_sat();
            (
                output_of(coinbase, 0),
                MadeCoin {
                    value,
                    height,
                    is_coinbase: true,
                },
            )
        });
        let kinds = [
            "taken",
            "refused",
            "replaced",
            "package",
            "block",
            "conflict",
            "reorganisation",
            "invalidation",
            "prioritised",
            "expired",
            "evicted",
            "too large after a reorganisation",
        ];
        Self {
            model: Model {
                config,
                maturity: MATURITY,
                next: u32::try_from(fixture.coinbases.len()).unwrap() + 1,
                coins: coins.collect(),
                entries: BTreeMap::new(),
                deltas: BTreeMap::new(),
            },
            fixture,
            now,
            random: Random(seed),
            blocks: Vec::new(),
            told: (0, BTreeSet::new()),
            fronts: FRONTS
                .map(|(weight, pause)| (weight, pause, ChunkFront::new(weight)))
                .into(),
            steps: 0,
            counts: kinds.map(|kind| (kind, 0)).into(),
            last: Vec::new(),
        }
    }

    pub(super) fn step(&mut self) {
        self.last.clear();
        match self.random.below(100) {
            0..62 => self.transaction(),
            62..76 => self.package(),
            76..83 => self.prioritise(),
            83..88 => self.wait(),
            88..94 => self.block(),
            94..98 => self.reorganise(),
            _ => self.invalidate(),
        }
    }

    fn count(&mut self, kind: &'static str) {
        self.last.push(kind);
        *self.counts.get_mut(kind).unwrap() += 1;
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn min_fee(&self) -> u64 {
        self.fixture.mempool.info().min_fee.0
    }

    fn real_txids(&self) -> BTreeSet<Txid> {
        self.fixture.mempool.all_txids().into_iter().collect()
    }

    /// A coin to spend: of the chain, of an entry, or one that an entry spends.
    fn coin(&mut self) -> Option<OutPoint> {
        let entries: Vec<Txid> = self.model.entries.keys().copied().collect();
        match self.random.below(10) {
            0..5 => {
                let start = OutPoint {
                    txid: self.random_txid(),
                    vout: 0,
                };
                let mut coins = self.model.coins.range(start..).chain(&self.model.coins);
                coins.next().map(|(outpoint, _)| *outpoint)
            }
            5..9 => {
                let txid = *self.random.pick(&entries)?;
                let outputs = self.model.entries[&txid].tx.output.len() as u64;
                let vout = u32::try_from(self.random.below(outputs)).unwrap();
                Some(OutPoint { txid, vout })
            }
            _ => {
                let txid = *self.random.pick(&entries)?;
                let inputs = self.model.entries[&txid].tx.input.clone();
                self.random.pick(&inputs).map(|input| input.previous_output)
            }
        }
    }

    fn random_txid(&mut self) -> Txid {
        use pyrite_consensus::bitcoin::hashes::Hash;
        Txid::hash(&self.random.next().to_le_bytes())
    }

    /// A transaction that spends these and pays this fee.
    fn spend(&mut self, coins: &[OutPoint], fee: u64) -> Option<Transaction> {
        let values: Option<Vec<u64>> = coins
            .iter()
            .map(|coin| Some(self.model.coin(coin)?.value))
            .collect();
        let total: u64 = values?.iter().sum();
        let outputs = 1 + self.random.below(3);
        let each = total.checked_sub(fee)? / outputs;
        if each < 1_000 {
            return None;
        }
        let mut values = vec![each; usize::try_from(outputs).unwrap()];
        values[0] += (total - fee) % outputs;
        let mut tx = open_transaction(coins, &values);
        if self.random.percent(10) {
            let height = self.model.next - 2 + u32::try_from(self.random.below(3)).unwrap();
            tx.lock_time = LockTime::from_consensus(height);
        }
        if self.random.percent(10) {
            tx.input[0].sequence =
                Sequence::from_height(u16::try_from(self.random.below(4)).unwrap());
        }
        Some(tx)
    }

    fn random_coins(&mut self, max: u64) -> Vec<OutPoint> {
        let count = 1 + self.random.below(max);
        let coins: BTreeSet<OutPoint> = (0..count).filter_map(|_| self.coin()).collect();
        coins.into_iter().collect()
    }

    fn transaction(&mut self) {
        let coins = self.random_coins(3);
        let fee = self.random.below(3_000);
        let Some(tx) = self.spend(&coins, fee) else {
            return;
        };
        let (min_fee, now) = (self.min_fee(), self.now());
        let before = self.model.entries.len();
        let expected = self.model.submit(&tx, min_fee, now);
        let outcome = self.fixture.mempool.submit(Arc::new(tx));
        match expected {
            Ok(()) => {
                if self.model.entries.len() <= before {
                    self.count("replaced");
                }
                self.count("taken");
                self.keep_bounds();
                match outcome {
                    Ok(accepted) => assert!(self.model.entries.contains_key(&accepted.txid)),
                    Err(error) => assert!(matches!(error, MempoolError::Full), "{error:?}"),
                }
            }
            Err(refusal) => {
                self.count("refused");
                match outcome {
                    Ok(accepted) => panic!("{refusal:?}, but {accepted:?}"),
                    Err(error) => self.expect_refusal(&error, refusal),
                }
            }
        }
    }

    fn expect_refusal(&self, error: &MempoolError, refusal: Refusal) {
        let reason = error.reject_reason();
        assert!(
            refusal.names().contains(&reason.as_ref()),
            "{refusal:?}, but {error:?}"
        );
    }

    fn keep_bounds(&mut self) {
        let (real, now) = (self.real_txids(), self.now());
        let before = self.model.entries.len();
        let oldest = now.saturating_sub(self.model.config.expiry_s);
        let expires = self.model.entries.values().any(|entry| entry.time < oldest);
        self.model.keep_bounds(&real, now);
        if expires {
            self.count("expired");
        } else if self.model.entries.len() < before {
            self.count("evicted");
        }
    }

    /// A child with one or two parents, one of which may pay too little.
    fn package(&mut self) {
        let mut parents = Vec::new();
        for _ in 0..=self.random.below(2) {
            let coins = self.random_coins(2);
            let fee = self.random.below(100);
            parents.extend(self.spend(&coins, fee));
        }
        let taken: Vec<OutPoint> = parents
            .iter()
            .flat_map(|tx| tx.input.iter().map(|input| input.previous_output))
            .collect();
        let distinct: BTreeSet<OutPoint> = taken.iter().copied().collect();
        if parents.is_empty() || distinct.len() < taken.len() {
            return;
        }
        let fee = self.random.below(6_000);
        let inputs: Vec<OutPoint> = parents.iter().map(|tx| output_of(tx, 0)).collect();
        let total: u64 = parents.iter().map(|tx| tx.output[0].value.to_sat()).sum();
        let child = open_transaction(&inputs, &[total.saturating_sub(fee).max(1_000)]);
        let package: Vec<Transaction> = parents.into_iter().chain([child]).collect();
        self.submit_package(&package);
    }

    fn submit_package(&mut self, package: &[Transaction]) {
        let now = self.now();
        let shared: Vec<Arc<Transaction>> = package.iter().cloned().map(Arc::new).collect();
        // Evictions in between would change the minimum: the model does not follow those packages step by step.
        let room = self.model.config.max_bytes - self.model.usage();
        let needed: usize = package.iter().map(crate::pool::entry_usage).sum();
        let expiring = self
            .model
            .entries
            .values()
            .any(|entry| entry.time < now.saturating_sub(self.model.config.expiry_s));
        if needed > room || expiring {
            return;
        }
        let min_fee = self.min_fee();
        let mut expected: Vec<Result<(), Refusal>> = Vec::new();
        let mut together = Vec::new();
        let mut may_go_on = true;
        for (index, tx) in package.iter().enumerate() {
            let verdict = match self.model.submit(tx, min_fee, now) {
                Err(Refusal::Known) => Ok(()),
                verdict => verdict,
            };
            if let Err(refusal) = verdict {
                may_go_on &= refusal.may_pass_in_a_package();
                together.push(index);
            }
            expected.push(verdict);
        }
        if may_go_on && together.len() > 1 {
            let members: Vec<&Transaction> =
                together.iter().map(|index| &package[*index]).collect();
            if self.model.submit_together(&members, min_fee, now).is_ok() {
                self.count("package");
                for index in &together {
                    expected[*index] = Ok(());
                }
            }
        }
        let outcome = self.fixture.mempool.submit_package(&shared, None).unwrap();
        for (member, expected) in outcome.members.iter().zip(&expected) {
            let is_in = !matches!(member, PackageMember::Refused(_) | PackageMember::NotJudged);
            assert_eq!(
                is_in,
                expected.is_ok(),
                "{outcome:?}, expected {expected:?}"
            );
        }
        assert_eq!(
            outcome.error.is_none(),
            expected.iter().all(Result::is_ok),
            "{outcome:?}"
        );
    }

    fn prioritise(&mut self) {
        let entries: Vec<Txid> = self.model.entries.keys().copied().collect();
        let Some(txid) = self.random.pick(&entries).copied() else {
            return;
        };
        let delta = i64::try_from(self.random.below(6_000)).unwrap() - 3_000;
        self.fixture.mempool.prioritise(txid, delta);
        let total = self.model.delta(&txid) + delta;
        self.model.deltas.insert(txid, total);
        if total == 0 {
            self.model.deltas.remove(&txid);
        }
        self.count("prioritised");
    }

    fn wait(&mut self) {
        let seconds = self.random.below(self.model.config.expiry_s);
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Entries in an order in which parents come first, and transactions that conflict with some.
    fn candidates(&mut self) -> Vec<Transaction> {
        let mut candidates: Vec<Transaction> = self
            .model
            .entries
            .values()
            .map(|entry| entry.tx.clone())
            .collect();
        candidates.sort_by_key(|tx| self.model.with_ancestors(tx.compute_txid()).len());
        if self.random.percent(30) {
            let spent: Vec<OutPoint> = candidates
                .iter()
                .flat_map(|tx| tx.input.iter().map(|input| input.previous_output))
                .filter(|outpoint| self.model.coins.contains_key(outpoint))
                .collect();
            if let Some(outpoint) = self.random.pick(&spent).copied() {
                let fee = self.random.below(1_000);
                candidates.splice(0..0, self.spend(&[outpoint], fee));
                self.count("conflict");
            }
        }
        candidates
    }

    fn block(&mut self) {
        let candidates = self.candidates();
        let share = self.random.below(100);
        let transactions = self
            .model
            .block_of(&candidates, || self.random.percent(share));
        let block = self.fixture.mine(&transactions);
        let mined = self.model.connect_coins(block.block_hash(), &block.txdata);
        self.blocks.push(mined);
        self.model.confirm(&block.txdata);
        self.fixture.mempool.sync().unwrap();
        self.keep_bounds();
        self.count("block");
    }

    /// Takes blocks off the model's chain; returns them, oldest first.
    fn disconnect(&mut self, depth: usize) -> Vec<Mined> {
        let disconnected = self.blocks.split_off(self.blocks.len() - depth);
        for block in disconnected.iter().rev() {
            self.model.disconnect_coins(block);
        }
        disconnected
    }

    fn depth(&mut self) -> Option<usize> {
        let depth = usize::try_from(1 + self.random.below(MAX_DEPTH)).unwrap();
        (self.blocks.len() > depth).then_some(depth)
    }

    fn reorganise(&mut self) {
        let Some(depth) = self.depth() else { return };
        let mut candidates = self.candidates();
        let disconnected = self.disconnect(depth);
        let old = disconnected
            .iter()
            .flat_map(|block| block.transactions.iter().skip(1));
        candidates.splice(0..0, old.cloned());
        let mut parent = self.blocks.last().unwrap().hash;
        let mut connected = Vec::new();
        for _ in 0..=depth {
            let transactions = self.model.block_of(&candidates, || self.random.percent(40));
            let block = self.fixture.branch(parent, &transactions);
            parent = block.block_hash();
            let mined = self.model.connect_coins(parent, &block.txdata);
            connected.extend(block.txdata);
            self.blocks.push(mined);
        }
        assert_eq!(self.fixture.tip(), parent);
        // So that it is never the best branch again.
        let handle = &self.fixture.chain.handle;
        handle.invalidate_block(disconnected[0].hash).unwrap();
        self.follow(&disconnected, &connected);
        self.count("reorganisation");
    }

    fn invalidate(&mut self) {
        let Some(depth) = self.depth() else { return };
        let disconnected = self.disconnect(depth);
        let handle = &self.fixture.chain.handle;
        handle.invalidate_block(disconnected[0].hash).unwrap();
        self.follow(&disconnected, &[]);
        self.count("invalidation");
    }

    fn follow(&mut self, disconnected: &[Mined], connected: &[Transaction]) {
        let now = self.now();
        let confirmed: BTreeSet<Txid> = connected.iter().map(Transaction::compute_txid).collect();
        self.model.confirm(connected);
        let too_large = self.model.take_back(disconnected, &confirmed, now);
        self.fixture.mempool.sync().unwrap();
        if too_large {
            // What had to go is not said: only that the rest is as it should be.
            let real = self.real_txids();
            let expected: BTreeSet<Txid> = self.model.entries.keys().copied().collect();
            assert!(real.is_subset(&expected));
            let gone: BTreeSet<Txid> = expected.difference(&real).copied().collect();
            assert_eq!(self.model.with_descendants(gone.iter().copied()), gone);
            self.model.remove(&gone);
            self.count("too large after a reorganisation");
        }
        self.keep_bounds();
    }
}
