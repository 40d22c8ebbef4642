//! Unit tests of the format, and the fuzz target of its decoder.

use proptest::prelude::*;
use pyrite_consensus::bitcoin::ScriptBuf;

use super::*;

fn coin(value_sat: u64, script: Vec<u8>, height: u32, is_coinbase: bool) -> Coin {
    Coin {
        output: TxOut {
            value: Amount::from_sat(value_sat),
            script_pubkey: ScriptBuf::from_bytes(script),
        },
        height: Height(height),
        is_coinbase,
    }
}

fn outpoint(byte: u8, vout: u32) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([byte; 32]),
        vout,
    }
}

fn written(coins: &[(OutPoint, Coin)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = CoinWriter::default();
    for (outpoint, coin) in coins {
        writer.add(outpoint, coin, &mut bytes);
    }
    writer.finish(&mut bytes);
    bytes
}

fn read_all(bytes: &[u8]) -> Result<Vec<(OutPoint, Coin)>, FormatError> {
    let mut input = bytes;
    let mut coins = Vec::new();
    let mut stream = CoinStream::new(&mut input);
    loop {
        if stream.left_of_transaction() == 0 && stream.input.is_empty() {
            return Ok(coins);
        }
        stream.begin()?;
        coins.push(stream.coin()?);
    }
}

#[test]
fn a_head_s_bytes() {
    let head = SnapshotHead {
        magic: [0xfa, 0xbf, 0xb5, 0xda],
        base: BlockHash::from_byte_array([0xab; 32]),
        coins: 0x0102,
    };
    let bytes = head.encode();
    let expected = [
        &b"utxo\xff\x02\x00\xfa\xbf\xb5\xda"[..],
        &[0xab; 32],
        &[2, 1, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(bytes[..], expected);
    assert_eq!(SnapshotHead::read(&mut &bytes[..]), Ok(head));
    let cut = SnapshotHead::read(&mut &bytes[..50]);
    assert_eq!(cut, Err(FormatError::Truncated));
    let mut other = bytes;
    other[5] = 1;
    let refused = SnapshotHead::read(&mut &other[..]);
    assert_eq!(refused, Err(FormatError::Version(1)));
    other[0] = b'x';
    let refused = SnapshotHead::read(&mut &other[..]);
    assert_eq!(refused, Err(FormatError::Magic));
}

#[test]
fn the_coins_of_a_transaction_lie_together() {
    let coins = [
        (outpoint(1, 0), coin(5_000_000_000, vec![0x51], 1, true)),
        (outpoint(1, 300), coin(1, vec![], 2, false)),
        (outpoint(2, 7), coin(0, vec![0x51, 0x52], 128, false)),
    ];
    let bytes = written(&coins);
    let expected = [
        &[1; 32][..],
        &[2, 0, 3, 0x32, 7, 0x51],
        &[0xfd, 0x2c, 1, 4, 1, 6],
        &[2; 32],
        &[1, 7, 0x81, 0x00, 0, 8, 0x51, 0x52],
    ]
    .concat();
    assert_eq!(bytes, expected);
    assert_eq!(read_all(&bytes).unwrap(), coins);
}

/// The bytes of 16,512 come between those of 255 and of 256.
#[test]
fn coins_are_in_the_order_of_bitcoin_core_s_keys() {
    let coins: Vec<_> = [0, 128, 255, 256, 16_511, 16_512, 16_640]
        .into_iter()
        .map(|vout| (outpoint(1, vout), coin(1, vec![], 1, false)))
        .collect();
    let order: Vec<u32> = read_all(&written(&coins))
        .unwrap()
        .into_iter()
        .map(|(outpoint, _)| outpoint.vout)
        .collect();
    assert_eq!(order, [0, 128, 255, 16_512, 16_640, 256, 16_511]);
}

#[test]
fn wrong_coins_are_refused() {
    let txid = [1; 32];
    let refused = |rest: &[u8]| read_all(&[&txid[..], rest].concat()).unwrap_err();
    assert_eq!(refused(&[0]), FormatError::NoCoins);
    assert_eq!(refused(&[1]), FormatError::Truncated);
    assert_eq!(refused(&[0xfd, 1, 0]), FormatError::NotCanonical);
    assert_eq!(refused(&[0xfe, 1, 0, 0, 2]), FormatError::NumberTooLarge);
    // A height and flag of more than 32 bits.
    assert_eq!(
        refused(&[1, 0, 0x8e, 0xfe, 0xfe, 0xff, 0x00]),
        FormatError::NumberTooLarge
    );
    // 21 million coins and one.
    let mut bytes = vec![1, 0, 2];
    put_varint(compress_amount(Amount::MAX_MONEY.to_sat() + 1), &mut bytes);
    bytes.push(6);
    assert_eq!(refused(&bytes), FormatError::Amount);
}

#[test]
fn fuzz_coins_of_a_snapshot() {
    bolero::check!()
        .with_type::<Vec<u8>>()
        .for_each(|bytes: &Vec<u8>| {
            // The head decides nothing about the coins: both see the same bytes.
            let _ = SnapshotHead::read(&mut &bytes[..]);
            let Ok(coins) = read_all(bytes) else {
                return;
            };
            // What is read comes back from its own bytes.
            let mut sorted = coins.clone();
            sorted.sort_by_key(|(outpoint, _)| (outpoint.txid.to_byte_array(), outpoint.vout));
            let mut again = read_all(&written(&sorted)).expect("what we write can be read");
            again.sort_by_key(|(outpoint, _)| (outpoint.txid.to_byte_array(), outpoint.vout));
            assert_eq!(again, sorted);
        });
}

/// Random bytes seldom are coins: these are, but for some damage.
#[test]
fn fuzz_damaged_coins_of_a_snapshot() {
    let coins: Vec<_> = (0..20_u8)
        .map(|n| {
            let script = match n % 4 {
                0 => [&[0x76, 0xa9, 20][..], &[n; 20], &[0x88, 0xac]].concat(),
                1 => [&[0xa9, 20][..], &[n; 20], &[0x87]].concat(),
                2 => [&[33, 2][..], &[n; 32], &[0xac]].concat(),
                _ => vec![0x51; usize::from(n)],
            };
            let value = u64::from(n) * 1_000;
            (
                outpoint(n / 3, n.into()),
                coin(value, script, n.into(), n % 2 == 0),
            )
        })
        .collect();
    let valid = written(&coins);
    bolero::check!()
        .with_type::<pyrite_fuzzing::Damage>()
        .for_each(|damage: &pyrite_fuzzing::Damage| {
            let bytes = damage.apply(valid.clone());
            if let Ok(read) = read_all(&bytes) {
                assert!(read.len() <= bytes.len());
            }
        });
}

proptest! {
    #[test]
    fn coins_come_back(
        coins in proptest::collection::btree_map(
            (0_u8..4, 0_u32..1 << 20),
            (0..=Amount::MAX_MONEY.to_sat(), proptest::collection::vec(any::<u8>(), 0..80),
             0_u32..1 << 31, any::<bool>()),
            0..20,
        )
    ) {
        let coins: Vec<_> = coins
            .into_iter()
            .map(|((byte, vout), (value, script, height, is_coinbase))| {
                (outpoint(byte, vout), coin(value, script, height, is_coinbase))
            })
            .collect();
        let mut read = read_all(&written(&coins)).unwrap();
        read.sort_by_key(|(outpoint, _)| (outpoint.txid.to_byte_array(), outpoint.vout));
        prop_assert_eq!(read, coins);
    }
}
