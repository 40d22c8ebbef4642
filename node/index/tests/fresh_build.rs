//! Whatever happened to the chain and to the indexes, they hold what a fresh build holds.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, Block, BlockHash, OutPoint, ScriptBuf, TxOut, Txid};
use pyrite_consensus::coin_stats::{CoinStatsBuilder, HashKind};
use pyrite_consensus::{ChainSpec, Height};
use pyrite_index::{IndexError, IndexKind, Indexes, IndexesConfig, Unspent, check};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

// The same chains as in the tests of the chain itself.
#[path = "../../chain/tests/support/mod.rs"]
mod support;

use support::{Fixture, Parent, after, anyone, block_with, coinbase_outpoint, spend};

const DEADLINE: Duration = Duration::from_secs(60);
/// Blocks until a coinbase's output may be spent, on regtest.
const MATURITY: u32 = 100;

fn directory(fixture: &Fixture) -> PathBuf {
    fixture.directory.path().join("indexes")
}

fn start(fixture: &Fixture) -> Indexes {
    let config = IndexesConfig {
        directory: directory(fixture),
        kinds: IndexKind::ALL.to_vec(),
    };
    Indexes::start(&config, fixture.reader()).unwrap()
}

/// Waits until all indexes are at the tip.
fn wait(indexes: &Indexes) {
    let deadline = Instant::now() + DEADLINE;
    for kind in IndexKind::ALL {
        while !indexes.wait_until_current(kind) {
            let status = indexes.status(kind).unwrap();
            assert_eq!(status.failure, None, "{kind}");
            assert!(Instant::now() < deadline, "{kind} does not come to the tip");
            std::thread::yield_now();
        }
    }
}

/// What can be built on a block: the coins after it that may be spent in the next one.
#[derive(Clone)]
struct Place {
    parent: Parent,
    coins: Vec<(OutPoint, Amount)>,
    /// Coinbases' outputs, by the height from which on they may be spent.
    maturing: BTreeMap<u32, (OutPoint, Amount)>,
}

/// Builds random blocks.
struct Builder {
    random: StdRng,
    tag: u32,
}

impl Builder {
    /// A script of a few that come again and again; one of them can't be spent.
    fn script(&mut self) -> ScriptBuf {
        match self.random.gen_range(0..6) {
            0 => ScriptBuf::from_bytes(vec![0x6a, 1, 7]),
            1 => ScriptBuf::new(),
            number => ScriptBuf::from_bytes(vec![0x51; number]),
        }
    }

    fn block(&mut self, spec: &ChainSpec, on: &Place) -> (Block, Place) {
        let height = on.parent.height.next();
        let mut place = on.clone();
        let mature = place.maturing.split_off(&(height.0 + 1));
        place
            .coins
            .extend(std::mem::replace(&mut place.maturing, mature).into_values());
        let mut transactions = Vec::new();
        let mut fees = Amount::ZERO;
        for _ in 0..self.random.gen_range(0..4) {
            place.coins.shuffle(&mut self.random);
            let Some((outpoint, value)) = place.coins.pop() else {
                break;
            };
            let fee = Amount::from_sat(self.random.gen_range(0..500));
            let Some(rest) = value.checked_sub(fee) else {
                continue;
            };
            let part = Amount::from_sat(self.random.gen_range(0..=rest.to_sat()));
            let outputs = vec![
                TxOut {
                    value: part,
                    script_pubkey: self.script(),
                },
                TxOut {
                    value: rest - part,
                    script_pubkey: anyone(),
                },
                // Nothing of worth to an empty output that stays.
                TxOut {
                    value: Amount::ZERO,
                    script_pubkey: self.script(),
                },
            ];
            let transaction = spend(&[outpoint], outputs);
            let txid = transaction.compute_txid();
            // It may be spent in the same block already.
            place.coins.push((OutPoint { txid, vout: 1 }, rest - part));
            fees += fee;
            transactions.push(transaction);
        }
        self.tag += 1;
        // Some miners leave fees to nobody.
        let claimed = if self.random.gen_bool(0.8) {
            fees
        } else {
            Amount::ZERO
        };
        let block = block_with(spec, &on.parent, self.tag, transactions, claimed);
        place.parent = after(&on.parent, &block);
        let reward = block.txdata[0].output[0].value;
        place
            .maturing
            .insert(height.0 + MATURITY, (coinbase_outpoint(&block), reward));
        (block, place)
    }
}

/// A chain of blocks, some of them with payments, and where each can be built on.
fn grow(fixture: &Fixture, builder: &mut Builder, from: Place, count: u32) -> Vec<Place> {
    let mut places = vec![from];
    for _ in 0..count {
        let (block, place) = builder.block(&fixture.spec, &places[places.len() - 1]);
        fixture.submit(&block);
        places.push(place);
    }
    places
}

fn genesis(fixture: &Fixture) -> Place {
    Place {
        parent: fixture.genesis(),
        coins: Vec::new(),
        maturing: BTreeMap::new(),
    }
}

/// The coins' hash, by a walk through them.
fn muhash_by_walk(fixture: &Fixture) -> String {
    let mut builder = CoinStatsBuilder::new(HashKind::MuHash);
    fixture
        .chain()
        .handle
        .scan_coins(|outpoint, coin| {
            builder.add(outpoint, coin);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    builder.finish().hash.unwrap().to_string()
}

fn assert_all_equal_fresh_builds(fixture: &Fixture) {
    for kind in IndexKind::ALL {
        let found = check(kind, &directory(fixture), fixture.reader())
            .unwrap()
            .unwrap();
        assert_eq!(found.height, fixture.reader().tip().height, "{kind}");
        // Blocks without payments spend nothing.
        let spends = fixture
            .best_chain()
            .iter()
            .any(|block| block.txdata.len() > 1);
        let is_empty = kind == IndexKind::Spenders && !spends;
        assert_eq!(found.records == 0, is_empty, "{kind}");
    }
}

#[test]
fn after_reorganisations_and_restarts_they_hold_what_a_fresh_build_holds() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut builder = Builder {
        random: StdRng::seed_from_u64(seed),
        tag: 0,
    };
    let mut fixture = Fixture::new();
    let mut places = {
        let start = genesis(&fixture);
        grow(&fixture, &mut builder, start, 110)
    };
    let mut indexes = start(&fixture);
    for round in 0..40 {
        // A branch from a few blocks below the end, longer than what it replaces, or not.
        let depth = builder.random.gen_range(0..=12);
        let from = places.len() - 1 - depth;
        let length = builder.random.gen_range(0..=14);
        let branch = grow(&fixture, &mut builder, places[from].clone(), length);
        let tip = fixture.tip_hash();
        if branch.last().is_some_and(|place| place.parent.hash == tip) {
            places.truncate(from + 1);
            places.extend(branch.into_iter().skip(1));
        }
        match builder.random.gen_range(0..4) {
            // Stopped wherever it is.
            0 => {
                indexes.shutdown().unwrap();
                indexes = start(&fixture);
            }
            // The chain moves while nobody follows, and is opened again.
            1 => {
                indexes.shutdown().unwrap();
                let more = grow(&fixture, &mut builder, places[places.len() - 1].clone(), 3);
                places.extend(more.into_iter().skip(1));
                fixture.close();
                fixture.open();
                indexes = start(&fixture);
            }
            _ => wait(&indexes),
        }
        if round % 10 == 0 {
            wait(&indexes);
            let stats = indexes.coin_stats(&fixture.tip_hash()).unwrap().unwrap();
            assert_eq!(stats.muhash().to_string(), muhash_by_walk(&fixture));
        }
    }
    // The chain loses blocks, and has fewer or others in their place.
    let below = fixture.reader().tip().height.0 - 5;
    let first_lost = fixture.reader().hash_at(Height(below)).unwrap();
    fixture.chain().handle.invalidate_block(first_lost).unwrap();
    wait(&indexes);
    assert!(!fixture.reader().is_in_best_chain(&first_lost));
    let stats = indexes.coin_stats(&fixture.tip_hash()).unwrap().unwrap();
    assert_eq!(stats.muhash().to_string(), muhash_by_walk(&fixture));
    assert_answers(&fixture, &indexes);
    indexes.shutdown().unwrap();
    assert_all_equal_fresh_builds(&fixture);
}

/// What the blocks of the best chain say, without any index.
#[derive(Default)]
struct Expected {
    places: HashMap<Txid, (BlockHash, u32)>,
    spenders: HashMap<OutPoint, Txid>,
    unspent: BTreeMap<ScriptBuf, Vec<(u32, OutPoint, u64)>>,
    received: HashMap<ScriptBuf, u128>,
}

fn expected(fixture: &Fixture) -> Expected {
    let mut expected = Expected::default();
    for block in fixture.best_chain() {
        let hash = block.block_hash();
        let height = fixture.reader().header(&hash).unwrap().height.0;
        for (position, transaction) in (0..).zip(&block.txdata) {
            let txid = transaction.compute_txid();
            expected.places.insert(txid, (hash, position));
            for input in transaction.input.iter().filter(|_| position > 0) {
                let outpoint = input.previous_output;
                expected.spenders.insert(outpoint, txid);
                for coins in expected.unspent.values_mut() {
                    coins.retain(|(_, coin, _)| *coin != outpoint);
                }
            }
            for (vout, output) in (0..).zip(&transaction.output) {
                if output.script_pubkey.is_op_return() {
                    continue;
                }
                let value = output.value.to_sat();
                let script = output.script_pubkey.clone();
                *expected.received.entry(script.clone()).or_default() += u128::from(value);
                let coins = expected.unspent.entry(script).or_default();
                coins.push((height, OutPoint { txid, vout }, value));
            }
        }
    }
    expected
}

fn assert_answers(fixture: &Fixture, indexes: &Indexes) {
    let expected = expected(fixture);
    for (txid, (block, position)) in &expected.places {
        let place = indexes.transaction(*txid).unwrap().unwrap();
        assert_eq!((place.block, place.position), (*block, *position));
    }
    for (outpoint, txid) in &expected.spenders {
        assert_eq!(indexes.spender(*outpoint).unwrap().unwrap().txid, *txid);
    }
    let nowhere = OutPoint {
        txid: Txid::all_zeros(),
        vout: 0,
    };
    assert_eq!(indexes.spender(nowhere).unwrap(), None);
    assert_eq!(indexes.transaction(Txid::all_zeros()).unwrap(), None);
    for (script, coins) in &expected.unspent {
        let balance = indexes.balance(&[script]).unwrap();
        let sum: u128 = coins.iter().map(|(_, _, value)| u128::from(*value)).sum();
        assert_eq!(balance.balance_sat, sum);
        assert_eq!(balance.received_sat, expected.received[script]);
    }
    // All scripts together, in pages, in one order.
    let scripts: Vec<_> = expected
        .unspent
        .keys()
        .map(|script| script.as_script())
        .collect();
    let mut wanted: Vec<_> = expected.unspent.values().flatten().copied().collect();
    wanted.sort_by_key(|(height, outpoint, _)| {
        (*height, outpoint.txid.to_byte_array(), outpoint.vout)
    });
    let found = all_pages(|after| indexes.unspent(&scripts, after, 7).unwrap());
    let found: Vec<_> = found
        .iter()
        .map(|entry: &Unspent| (entry.height.0, entry.outpoint, entry.amount_sat))
        .collect();
    assert_eq!(found, wanted);

    let paged = all_pages(|after| indexes.history(&scripts, 0..=u32::MAX, after, 5).unwrap());
    let whole = indexes
        .history(&scripts, 0..=u32::MAX, None, usize::MAX)
        .unwrap();
    assert_eq!(whole.next, None);
    assert_eq!(whole.entries, paged);
    assert!(paged.is_sorted_by_key(|entry| (entry.height, entry.position)));
    let sum: i128 = paged.iter().map(|entry| entry.amount_sat).sum();
    assert_eq!(
        sum,
        wanted.iter().map(|(_, _, value)| i128::from(*value)).sum()
    );

    let ids = all_pages(|after| {
        indexes
            .history_transactions(&scripts, 0..=u32::MAX, after, 3)
            .unwrap()
    });
    let mut distinct: Vec<_> = paged
        .iter()
        .map(|entry| (entry.height, entry.txid))
        .collect();
    distinct.dedup();
    assert_eq!(ids, distinct);

    // A range of heights, and a place that no answer gave.
    let part = indexes
        .history(&scripts, 105..=107, None, usize::MAX)
        .unwrap();
    let within = |entry: &&pyrite_index::HistoryEntry| (105..=107).contains(&entry.height.0);
    assert_eq!(
        part.entries,
        paged.iter().filter(within).copied().collect::<Vec<_>>()
    );
    let odd = pyrite_index::PageCursor::from_bytes(vec![1, 2, 3]);
    assert_eq!(
        indexes.unspent(&scripts, Some(&odd), 1).unwrap_err(),
        IndexError::BadCursor
    );
}

/// The entries of all pages.
fn all_pages<T>(
    ask: impl Fn(Option<&pyrite_index::PageCursor>) -> pyrite_index::Page<T>,
) -> Vec<T> {
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let page = ask(after.as_ref());
        assert!(!page.entries.is_empty() || page.next.is_none());
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return entries;
        }
    }
}

#[test]
fn an_index_of_blocks_that_the_chain_does_not_know_is_built_again() {
    let mut fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 20, 1));
    let indexes = start(&fixture);
    wait(&indexes);
    indexes.shutdown().unwrap();
    fixture.close();
    std::fs::remove_dir_all(fixture.path()).unwrap();
    fixture.open();
    fixture.extend(&fixture.branch(&fixture.genesis(), 12, 2));
    let indexes = start(&fixture);
    wait(&indexes);
    let best = indexes
        .status(IndexKind::Transactions)
        .unwrap()
        .best
        .unwrap();
    assert_eq!(best, (Height(12), fixture.tip_hash()));
    assert_eq!(indexes.lowest_needed(), Some(Height(13)));
    indexes.shutdown().unwrap();
    assert_all_equal_fresh_builds(&fixture);
}

#[test]
fn a_difference_is_found() {
    let mut fixture = Fixture::new();
    fixture.extend(&fixture.branch(&fixture.genesis(), 3, 1));
    let indexes = start(&fixture);
    wait(&indexes);
    indexes.shutdown().unwrap();
    // Another chain's index with the tip of this one.
    let other = Fixture::new();
    other.extend(&other.branch(&other.genesis(), 3, 2));
    let others = start(&other);
    wait(&others);
    others.shutdown().unwrap();
    forge_tip(&other, &fixture);
    // Nothing is spent in either chain.
    let kinds = IndexKind::ALL.into_iter();
    for kind in kinds.filter(|kind| *kind != IndexKind::Spenders) {
        let error = check(kind, &directory(&other), fixture.reader()).unwrap_err();
        let differs = matches!(error, IndexError::Differs { index, .. } if index == kind);
        // Those with a record for each block miss the one of the last.
        let misses = matches!(error, IndexError::Inconsistent { .. });
        assert!(differs || misses, "{kind}: {error}");
    }
    fixture.close();
}

/// Has the indexes of one chain say that they are at the tip of another.
fn forge_tip(of: &Fixture, to: &Fixture) {
    use pyrite_storage::schema::Meta;
    use pyrite_storage::{Database, Durability, MetaKey, MetaValue};
    for kind in IndexKind::ALL {
        let schema = kind.schema();
        let path = directory(of).join(kind.option());
        let spec = Arc::clone(&of.spec);
        let database = Database::open(&path, schema, &spec.name, spec.genesis_hash()).unwrap();
        let mut batch = database.batch();
        batch.put::<Meta>(&MetaKey::Tip, &MetaValue::block(to.tip_hash()));
        database.commit(batch, Durability::Synced).unwrap();
    }
}
