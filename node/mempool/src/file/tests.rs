use std::sync::Arc;

use bolero::check;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{OutPoint, Transaction, Txid, Witness};
use pyrite_fuzzing::Damage;

use super::read::{FileReader, Lists, ReadError, SavedTransaction};
use super::write::write_file;
use crate::testing::open_transaction;

const KEY: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

/// The first transaction that one person paid another with, of block 170.
const FIRST_PAYMENT: &str = "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402\
    204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac46220822\
    21a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f5\
    54a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b148\
    2ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";

#[derive(Debug, PartialEq, Eq)]
struct Content {
    transactions: Vec<SavedTransaction>,
    lists: Lists,
}

fn read(bytes: &[u8]) -> Result<Content, ReadError> {
    let mut file = FileReader::new(bytes)?;
    let mut transactions = Vec::new();
    while let Some(saved) = file.next_transaction()? {
        transactions.push(saved);
    }
    let lists = file.lists()?;
    Ok(Content {
        transactions,
        lists,
    })
}

fn written(content: &Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    let transactions = content.transactions.iter().cloned();
    write_file(&mut bytes, KEY, transactions, &content.lists).unwrap();
    bytes
}

fn txid(number: u8) -> Txid {
    Txid::hash(&[number])
}

fn sample() -> Content {
    let coin = |number| OutPoint {
        txid: txid(number),
        vout: 0,
    };
    let plain = open_transaction(&[coin(1)], &[1_000, 2_000]);
    let mut with_witness = open_transaction(&[coin(2)], &[5]);
    with_witness.input[0].witness = Witness::from_slice(&[vec![7; 300], vec![]]);
    let saved = |tx: Transaction, time, delta| SavedTransaction {
        tx: Arc::new(tx),
        time,
        delta,
    };
    Content {
        transactions: vec![
            saved(plain, 1_700_000_000, 0),
            saved(with_witness, 1_700_000_001, -5_000),
        ],
        lists: Lists {
            deltas: vec![(txid(3), i64::MAX), (txid(4), -1)],
            unbroadcast: vec![txid(5)],
        },
    }
}

/// A file as Bitcoin Core's documentation and other readers of it describe the layout, byte by byte.
fn by_hand(version: u64) -> Vec<u8> {
    let transaction: Transaction = deserialize_hex(FIRST_PAYMENT).unwrap();
    let mut payload = 1_u64.to_le_bytes().to_vec();
    payload.extend(serialize(&transaction));
    payload.extend(1_231_731_025_i64.to_le_bytes());
    payload.extend(1_000_i64.to_le_bytes());
    payload.push(1); // one fee change
    payload.extend([0x11; 32]);
    payload.extend((-7_i64).to_le_bytes());
    payload.push(1); // one transaction that nobody has
    payload.extend(transaction.compute_txid().to_byte_array());
    let mut file = version.to_le_bytes().to_vec();
    if version == 2 {
        file.push(8);
        file.extend(KEY);
        // The key repeats from the begin of the file, whose head has 17 bytes.
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= KEY[(index + 17) % 8];
        }
    }
    file.extend(payload);
    file
}

#[test]
fn a_file_by_hand_is_read_in_both_versions() {
    for version in [1, 2] {
        let content = read(&by_hand(version)).unwrap();
        let [saved] = content.transactions.as_slice() else {
            panic!("{content:?}");
        };
        assert_eq!(
            saved.tx.compute_txid().to_string(),
            "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
        );
        assert_eq!((saved.time, saved.delta), (1_231_731_025, 1_000));
        assert_eq!(
            content.lists.deltas,
            [(Txid::from_byte_array([0x11; 32]), -7)]
        );
        assert_eq!(content.lists.unbroadcast, [saved.tx.compute_txid()]);
    }
    // And it is written like this, too.
    assert_eq!(written(&read(&by_hand(2)).unwrap()), by_hand(2));
}

#[test]
fn what_is_written_is_read() {
    let content = sample();
    let bytes = written(&content);
    assert_eq!(read(&bytes).unwrap(), content);
    // Nothing of it lies open.
    let plain = serialize(content.transactions[1].tx.as_ref());
    assert!(!bytes.windows(32).any(|window| window == &plain[20..52]));
}

#[test]
fn a_file_that_ends_early_says_where_and_keeps_what_came_before() {
    let bytes = written(&sample());
    for length in 0..bytes.len() {
        match read(&bytes[..length]) {
            Err(ReadError::EndsEarly(at)) => assert!(at as usize <= length),
            other => panic!("{length}: {other:?}"),
        }
    }
    let mut file = FileReader::new(&bytes[..bytes.len() - 200]).unwrap();
    assert_eq!(file.remaining(), 2);
    assert!(file.next_transaction().unwrap().is_some());
    assert!(file.next_transaction().is_err());
}

#[test]
fn unknown_versions_and_endless_lists_are_refused() {
    assert!(matches!(
        read(&3_u64.to_le_bytes()),
        Err(ReadError::UnknownVersion(3))
    ));
    let mut bytes = 2_u64.to_le_bytes().to_vec();
    bytes.push(9);
    assert!(matches!(read(&bytes), Err(ReadError::Damaged { .. })));
    let mut bytes = 1_u64.to_le_bytes().to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.push(0xff);
    bytes.extend(u64::MAX.to_le_bytes());
    assert!(matches!(read(&bytes), Err(ReadError::Damaged { .. })));
    // A number of transactions costs nothing before they are there.
    let mut bytes = 1_u64.to_le_bytes().to_vec();
    bytes.extend(u64::MAX.to_le_bytes());
    assert!(matches!(read(&bytes), Err(ReadError::EndsEarly(16))));
    // A transaction without end costs no more than a block.
    bytes.extend([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff]);
    assert!(read(&bytes).is_err());
}

#[test]
fn fuzz_mempool_file() {
    let intact = written(&sample());
    let by_hand = by_hand(1);
    check!()
        .with_type::<(bool, Damage)>()
        .for_each(|(is_plain, damage)| {
            let intact = if *is_plain { &by_hand } else { &intact };
            let bytes = damage.apply(intact.clone());
            let Ok(content) = read(&bytes) else {
                assert!(!damage.is_none());
                return;
            };
            // What was accepted is what it says: written again, it is the same.
            let again = written(&content);
            assert_eq!(read(&again).unwrap(), content);
            if bytes[8..17] == again[8..17] {
                assert_eq!(again, bytes[..again.len()]);
            }
        });
}
