use proptest::prelude::*;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, ScriptBuf, TxOut, Txid};

use std::collections::HashMap;

use super::*;

fn outpoint(number: u32) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([7; 32]),
        vout: number,
    }
}

fn coin(value: u64, is_coinbase: bool) -> Coin {
    Coin {
        output: TxOut {
            value: Amount::from_sat(value),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51; 34]),
        },
        height: Height(1),
        is_coinbase,
    }
}

/// A coin store without a cache beside one with, whose database is a map.
struct Model {
    coins: HashMap<OutPoint, Coin>,
    database: HashMap<OutPoint, Coin>,
    cache: CoinsCache,
}

impl Model {
    fn new(bytes: usize) -> Self {
        Self {
            coins: HashMap::new(),
            database: HashMap::new(),
            cache: CoinsCache::new(bytes),
        }
    }

    fn create(&mut self, number: u32, coin: Coin) {
        self.coins.insert(outpoint(number), coin.clone());
        self.cache.create(outpoint(number), coin);
    }

    fn spend(&mut self, number: u32) {
        self.coins.remove(&outpoint(number));
        self.cache.spend(&outpoint(number));
    }

    fn flush(&mut self) {
        for (outpoint, coin) in self.cache.changes() {
            match coin {
                Some(coin) => self.database.insert(*outpoint, coin.clone()),
                None => self.database.remove(outpoint),
            };
        }
        self.cache.flushed();
        assert_eq!(self.database, self.coins);
    }

    /// What a reader finds.
    fn read(&mut self, number: u32) -> Option<Coin> {
        let (known, missing) = self.cache.look_up(&[outpoint(number)]);
        match missing.first() {
            None => known.get(&outpoint(number)).cloned(),
            Some(outpoint) => {
                let coin = self.database.get(outpoint).cloned()?;
                self.cache.insert_read(*outpoint, coin.clone());
                Some(coin)
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Create(u32, bool),
    Spend(u32),
    Read(u32),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..20_u32, any::<bool>()).prop_map(|(number, is_coinbase)| Step::Create(number, is_coinbase)),
        3 => (0..20_u32).prop_map(Step::Spend),
        3 => (0..20_u32).prop_map(Step::Read),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    #[test]
    fn readers_and_the_database_see_the_coins_that_are(steps in proptest::collection::vec(step(), 1..200)) {
        let mut model = Model::new(0);
        for (time, step) in (0..).zip(steps) {
            match step {
                Step::Create(number, is_coinbase) => {
                    // A coin overwrites another one only where a coinbase repeats a coinbase.
                    if is_coinbase || !model.coins.contains_key(&outpoint(number)) {
                        model.create(number, coin(time, is_coinbase));
                    }
                }
                Step::Spend(number) => {
                    if model.coins.contains_key(&outpoint(number)) {
                        model.spend(number);
                    }
                }
                Step::Read(number) => {
                    let expected = model.coins.get(&outpoint(number)).cloned();
                    prop_assert_eq!(model.read(number), expected);
                }
                Step::Flush => model.flush(),
            }
        }
        for number in 0..20 {
            let expected = model.coins.get(&outpoint(number)).cloned();
            prop_assert_eq!(model.read(number), expected);
        }
        model.flush();
    }
}

#[test]
fn what_comes_and_goes_between_flushes_never_gets_to_the_database() {
    let mut model = Model::new(1 << 20);
    model.create(1, coin(1, false));
    model.spend(1);
    assert_eq!(model.cache.changes().count(), 0);
    model.create(2, coin(2, false));
    model.flush();
    model.spend(2);
    let changes: Vec<_> = model.cache.changes().collect();
    assert_eq!(changes, [(&outpoint(2), None)]);
}

#[test]
fn memory_is_bounded() {
    const BYTES: usize = 32 << 20;
    let mut model = Model::new(BYTES);
    let mut largest = 0;
    let mut flushes = 0;
    for number in 0..600_000 {
        model.cache.create(outpoint(number), coin(1, false));
        if model.cache.is_full() {
            model.cache.flushed();
            flushes += 1;
        }
        largest = largest.max(model.cache.bytes());
    }
    assert!(flushes > 2, "{flushes}");
    assert!(largest <= BYTES, "{largest}");
    // There is room for what came last.
    let recent = (600_000 - 50_000)..600_000;
    let known =
        recent.filter(|number| !matches!(model.cache.get(&outpoint(*number)), Lookup::NotCached));
    assert_eq!(known.count(), 50_000);
}
