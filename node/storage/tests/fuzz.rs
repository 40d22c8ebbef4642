//! Fuzz targets: keys and values as the database's files hold them. What is accepted encodes to the bytes it
//! was read from, so that there is one encoding of everything.

use bolero::{TypeGenerator, check, produce};
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::deserialize;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, TxOut, Txid};
use pyrite_consensus::{Coin, Height};
use pyrite_fuzzing::Damage;
use pyrite_storage::{
    CodecError, CoinChange, HeaderFlags, HeaderRecord, KeyCodec, MetaKey, MetaValue, Undo,
    ValueCodec,
};

#[derive(Clone, Debug, TypeGenerator)]
struct AnyCoin {
    value_sat: u64,
    #[generator(produce::<Vec<u8>>().with().len(0..300_usize))]
    script: Vec<u8>,
    height: u32,
    is_coinbase: bool,
}

impl AnyCoin {
    fn make(&self) -> Coin {
        Coin {
            output: TxOut {
                value: Amount::from_sat(self.value_sat),
                script_pubkey: ScriptBuf::from_bytes(self.script.clone()),
            },
            height: Height(self.height),
            is_coinbase: self.is_coinbase,
        }
    }
}

#[derive(Clone, Debug, TypeGenerator)]
struct AnyHeaderRecord {
    header: [u8; 80],
    height: u32,
    arrival: u64,
    sequence: i64,
    tx_count: u32,
    connected: bool,
    failed: bool,
    pruned: bool,
}

impl AnyHeaderRecord {
    fn make(&self) -> HeaderRecord {
        let header: Header = deserialize(&self.header).expect("any 80 bytes are a header");
        HeaderRecord {
            header,
            height: Height(self.height),
            arrival: self.arrival,
            sequence: self.sequence,
            tx_count: self.tx_count,
            flags: HeaderFlags {
                connected: self.connected,
                failed: self.failed,
                pruned: self.pruned,
            },
        }
    }
}

#[derive(Clone, Debug, TypeGenerator)]
enum AnyMetaValue {
    Number(u32),
    Hash([u8; 32]),
    Text(#[generator(produce::<String>().with().len(0..40_usize))] String),
    Key(#[generator(produce::<Vec<u8>>().with().len(0..40_usize))] Vec<u8>),
}

impl AnyMetaValue {
    fn make(&self) -> MetaValue {
        match self {
            Self::Number(number) => MetaValue::Number(*number),
            Self::Hash(hash) => MetaValue::Hash(*hash),
            Self::Text(text) => MetaValue::Text(text.clone()),
            Self::Key(key) => MetaValue::Key(key.clone()),
        }
    }
}

/// Reads a value, whatever it was.
fn read<V: ValueCodec>(bytes: &[u8]) -> Result<V, CodecError> {
    let read = V::decode(bytes);
    match &read {
        Ok(value) => assert_eq!(value.encode(), bytes),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    read
}

/// Encodes, damages, reads.
fn check_value<V: ValueCodec + PartialEq + std::fmt::Debug>(value: &V, damage: &Damage) {
    let read = read::<V>(&damage.apply(value.encode()));
    if damage.is_none() {
        assert_eq!(read.as_ref(), Ok(value));
    }
}

fn check_key<K: KeyCodec>(bytes: &[u8]) {
    if let Ok(key) = K::decode(bytes) {
        assert_eq!(key.encode().as_ref(), bytes);
    }
}

#[test]
fn fuzz_coin_record() {
    check!()
        .with_type::<(AnyCoin, Damage)>()
        .for_each(|(coin, damage)| {
            check_value(&coin.make(), damage);
            check_value(&CoinChange(Some(coin.make())), damage);
            check_value(&CoinChange(None), damage);
        });
}

#[test]
fn fuzz_undo_record() {
    let spent = produce::<Vec<([u8; 32], u32, AnyCoin)>>();
    check!()
        .with_generator((spent.with().len(0..8_usize), produce::<Damage>()))
        .for_each(|(spent, damage)| {
            let spent = spent.iter().map(|(txid, vout, coin)| {
                let outpoint = OutPoint::new(Txid::from_byte_array(*txid), *vout);
                (outpoint, coin.make())
            });
            check_value(&Undo(spent.collect()), damage);
        });
}

#[test]
fn fuzz_header_record() {
    check!()
        .with_type::<(AnyHeaderRecord, Damage)>()
        .for_each(|(record, damage)| check_value(&record.make(), damage));
}

#[test]
fn fuzz_meta_record() {
    check!()
        .with_type::<(AnyMetaValue, Damage)>()
        .for_each(|(value, damage)| check_value(&value.make(), damage));
}

#[test]
fn fuzz_any_record() {
    check!().for_each(|bytes| {
        let _ = read::<Coin>(bytes);
        let _ = read::<Undo>(bytes);
        let _ = read::<CoinChange>(bytes);
        let _ = read::<HeaderRecord>(bytes);
        let _ = read::<MetaValue>(bytes);
        let _ = read::<BlockHash>(bytes);
        check_key::<OutPoint>(bytes);
        check_key::<BlockHash>(bytes);
        check_key::<Height>(bytes);
        check_key::<MetaKey>(bytes);
    });
}
