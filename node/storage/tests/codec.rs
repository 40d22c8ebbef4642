//! Keys and values survive encoding, keep their order, and garbage is refused without a panic.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, TxMerkleNode, TxOut, Txid,
};
use pyrite_consensus::{Coin, Height};
use pyrite_storage::{
    CodecError, HeaderFlags, HeaderRecord, KeyCodec, MetaKey, MetaValue, RawBlock, Undo, ValueCodec,
};

fn outpoints() -> impl Strategy<Value = OutPoint> {
    (any::<[u8; 32]>(), any::<u32>()).prop_map(|(txid, vout)| OutPoint {
        txid: Txid::from_byte_array(txid),
        vout,
    })
}

fn coins() -> impl Strategy<Value = Coin> {
    let script = prop::collection::vec(any::<u8>(), 0..200);
    (any::<u64>(), script, any::<u32>(), any::<bool>()).prop_map(
        |(value, script, height, is_coinbase)| Coin {
            output: TxOut {
                value: Amount::from_sat(value),
                script_pubkey: ScriptBuf::from_bytes(script),
            },
            height: Height(height),
            is_coinbase,
        },
    )
}

fn headers() -> impl Strategy<Value = Header> {
    (
        any::<i32>(),
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
    )
        .prop_map(|(version, previous, root, time, bits, nonce)| Header {
            version: Version::from_consensus(version),
            prev_blockhash: BlockHash::from_byte_array(previous),
            merkle_root: TxMerkleNode::from_byte_array(root),
            time,
            bits: CompactTarget::from_consensus(bits),
            nonce,
        })
}

fn header_records() -> impl Strategy<Value = HeaderRecord> {
    (
        headers(),
        any::<u32>(),
        any::<u64>(),
        any::<i64>(),
        any::<u32>(),
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(header, height, arrival, sequence, tx_count, flags)| HeaderRecord {
                header,
                height: Height(height),
                arrival,
                sequence,
                tx_count,
                flags: HeaderFlags {
                    connected: flags[0],
                    failed: flags[1],
                    pruned: flags[2],
                },
            },
        )
}

fn meta_values() -> impl Strategy<Value = MetaValue> {
    prop_oneof![
        any::<u32>().prop_map(MetaValue::Number),
        any::<[u8; 32]>().prop_map(MetaValue::Hash),
        "[a-z0-9-]{1,32}".prop_map(MetaValue::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(MetaValue::Key),
    ]
}

/// Encodes, decodes, compares; and refuses the encoding with a byte more or less.
fn value_round_trip<V: ValueCodec + PartialEq + std::fmt::Debug>(value: &V) {
    let mut bytes = value.encode();
    assert_eq!(V::decode(&bytes).as_ref(), Ok(value));
    assert!(V::decode(&bytes[..bytes.len() - 1]).is_err());
    bytes.push(0);
    assert!(V::decode(&bytes).is_err());
}

fn key_round_trip<K: KeyCodec + PartialEq + std::fmt::Debug>(key: &K) {
    let bytes = key.encode();
    assert_eq!(K::decode(bytes.as_ref()).as_ref(), Ok(key));
    assert!(K::decode(&bytes.as_ref()[1..]).is_err());
}

proptest! {
    #[test]
    fn keys_survive(outpoint in outpoints(), hash in any::<[u8; 32]>(), height in any::<u32>()) {
        key_round_trip(&outpoint);
        key_round_trip(&BlockHash::from_byte_array(hash));
        key_round_trip(&Height(height));
    }

    #[test]
    fn heights_sort_as_numbers(a in any::<u32>(), b in any::<u32>()) {
        prop_assert_eq!(Height(a).encode().cmp(&Height(b).encode()), a.cmp(&b));
    }

    #[test]
    fn coins_survive(coin in coins()) {
        value_round_trip(&coin);
    }

    #[test]
    fn undo_data_survives(spent in prop::collection::vec((outpoints(), coins()), 0..20)) {
        value_round_trip(&Undo(spent));
    }

    #[test]
    fn header_records_survive(record in header_records()) {
        value_round_trip(&record);
    }

    #[test]
    fn meta_values_survive(value in meta_values()) {
        value_round_trip(&value);
    }

    #[test]
    fn block_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let block = RawBlock(bytes);
        prop_assert_eq!(RawBlock::decode(&block.encode()), Ok(block));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = OutPoint::decode(&bytes);
        let _ = <BlockHash as KeyCodec>::decode(&bytes);
        let _ = Height::decode(&bytes);
        let _ = MetaKey::decode(&bytes);
        let _ = MetaValue::decode(&bytes);
        let _ = HeaderRecord::decode(&bytes);
        let _ = Coin::decode(&bytes);
        let _ = Undo::decode(&bytes);
    }
}

#[test]
fn meta_keys_survive() {
    for key in [
        MetaKey::SchemaVersion,
        MetaKey::Genesis,
        MetaKey::ChainName,
        MetaKey::Tip,
        MetaKey::MigrationCursor,
        MetaKey::CoinsTable,
        MetaKey::SnapshotBase,
        MetaKey::BackgroundTip,
    ] {
        assert_eq!(MetaKey::decode(key.encode().as_ref()), Ok(key));
    }
    assert_eq!(
        MetaKey::decode(&[9]),
        Err(CodecError::Record("unknown key 9".into()))
    );
}

#[test]
fn a_huge_undo_count_is_refused_before_memory_is_reserved() {
    let mut bytes = vec![0xff; 9];
    bytes.extend([0; 100]);
    assert!(matches!(Undo::decode(&bytes), Err(CodecError::Record(_))));
}
