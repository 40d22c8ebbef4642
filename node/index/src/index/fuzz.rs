//! Fuzz targets: records as the files of an index hold them. What is accepted encodes to the bytes it was
//! read from, so that there is one encoding of everything.

use bolero::check;
use pyrite_storage::{KeyCodec, Table, ValueCodec};

use super::addresses::{History, Summaries, UnspentOutputs};
use super::coin_stats::CoinStatsTable;
use super::filters::FilterHeaders;
use super::spenders::Spenders;
use super::transactions::Transactions;

/// Reads bytes as keys and values of a table.
fn read<T: Table>(bytes: &[u8]) {
    if let Ok(key) = T::Key::decode(bytes) {
        assert_eq!(key.encode().as_ref(), bytes, "a key of {}", T::NAME);
    }
    if let Ok(value) = T::Value::decode(bytes) {
        assert_eq!(value.encode(), bytes, "a value of {}", T::NAME);
    }
}

#[test]
fn fuzz_records() {
    check!().for_each(|bytes| {
        read::<Transactions>(bytes);
        read::<Spenders>(bytes);
        read::<FilterHeaders>(bytes);
        read::<CoinStatsTable>(bytes);
        read::<History>(bytes);
        read::<UnspentOutputs>(bytes);
        read::<Summaries>(bytes);
    });
}

/// Records have fixed sizes, which random bytes seldom have.
#[test]
fn records_of_the_right_size_are_read_and_no_others() {
    fn sizes<T: Table>(key: usize, value: usize) {
        for (bytes, is_key) in [(key, true), (value, false)] {
            for size in [bytes - 1, bytes, bytes + 1] {
                let record = vec![1; size];
                let is_read = if is_key {
                    T::Key::decode(&record).is_ok()
                } else {
                    T::Value::decode(&record).is_ok()
                };
                assert_eq!(is_read, size == bytes, "{} bytes of {}", size, T::NAME);
                read::<T>(&record);
            }
        }
    }
    sizes::<Transactions>(36, 36);
    sizes::<Spenders>(40, 68);
    sizes::<FilterHeaders>(32, 64);
    sizes::<CoinStatsTable>(32, 4 + 768 + 3 * 8 + 7 * 16);
    sizes::<History>(45, 40);
    sizes::<UnspentOutputs>(72, 9);
    sizes::<Summaries>(32, 40);
    // A flag is nothing but zero or one.
    let mut unspent = vec![1; 9];
    unspent[8] = 2;
    assert!(<UnspentOutputs as Table>::Value::decode(&unspent).is_err());
}
