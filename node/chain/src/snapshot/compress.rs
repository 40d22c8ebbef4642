//! Amounts and scripts in few bytes (Bitcoin Core's `compressor`): round amounts lose their zeros, and the
//! usual scripts what is the same in all of them.

use std::io::Read;

use pyrite_consensus::bitcoin::secp256k1::PublicKey;
use pyrite_consensus::bitcoin::{Script, ScriptBuf};

use super::FormatError;
use super::varint::{put_varint, read_array, read_varint};

/// Kinds of scripts that have a form of their own; any other is its length above this, and its bytes.
const SPECIAL_SCRIPTS: u64 = 6;

/// The longest script of a coin; a longer one can't be spent.
const MAX_SCRIPT_BYTES: u64 = 10_000;

const OP_DUP: u8 = 0x76;
const OP_HASH160: u8 = 0xa9;
const OP_EQUAL: u8 = 0x87;
const OP_EQUALVERIFY: u8 = 0x88;
const OP_CHECKSIG: u8 = 0xac;

/// The number that stands for an amount in satoshi.
pub(super) fn compress_amount(amount_sat: u64) -> u64 {
    if amount_sat == 0 {
        return 0;
    }
    let mut rest = amount_sat;
    let mut zeros = 0;
    while rest.is_multiple_of(10) && zeros < 9 {
        rest /= 10;
        zeros += 1;
    }
    // No amount that a coin can have comes near the end of the numbers.
    if zeros < 9 {
        let (above, digit) = (rest / 10, rest % 10);
        above
            .saturating_mul(9)
            .saturating_add(digit - 1)
            .saturating_mul(10)
            .saturating_add(zeros + 1)
    } else {
        (rest - 1).saturating_mul(10).saturating_add(10)
    }
}

/// The amount in satoshi that a number stands for; `None` when it has more than 64 bits.
pub(super) fn decompress_amount(number: u64) -> Option<u64> {
    let Some(number) = number.checked_sub(1) else {
        return Some(0);
    };
    let (zeros, number) = (number % 10, number / 10);
    let rest = if zeros < 9 {
        let (digit, above) = (number % 9 + 1, number / 9);
        above.checked_mul(10)?.checked_add(digit)?
    } else {
        number.checked_add(1)?
    };
    (0..zeros).try_fold(rest, |amount, _| amount.checked_mul(10))
}

/// Appends a script.
pub(super) fn put_script(script: &Script, bytes: &mut Vec<u8>) {
    match special_form(script.as_bytes()) {
        Some((kind, content)) => {
            bytes.push(kind);
            bytes.extend(content);
        }
        None => {
            let length = u64::try_from(script.len()).expect("usize has at most 64 bits");
            put_varint(length + SPECIAL_SCRIPTS, bytes);
            bytes.extend(script.as_bytes());
        }
    }
}

/// The kind of a script that has a form of its own, and what remains of it.
fn special_form(script: &[u8]) -> Option<(u8, &[u8])> {
    match script {
        [
            OP_DUP,
            OP_HASH160,
            20,
            hash @ ..,
            OP_EQUALVERIFY,
            OP_CHECKSIG,
        ] if hash.len() == 20 => Some((0, hash)),
        [OP_HASH160, 20, hash @ .., OP_EQUAL] if hash.len() == 20 => Some((1, hash)),
        [33, parity @ (2 | 3), x @ .., OP_CHECKSIG] if x.len() == 32 => Some((*parity, x)),
        [65, 4, point @ .., OP_CHECKSIG] if point.len() == 64 => {
            // Only a point of the curve can be told from its first half.
            PublicKey::from_slice(&script[1..66]).ok()?;
            Some((4 | (point[63] & 1), &point[..32]))
        }
        _ => None,
    }
}

/// Reads a script.
pub(super) fn read_script(input: &mut impl Read) -> Result<ScriptBuf, FormatError> {
    let kind = read_varint(input, u32::MAX.into())?;
    let bytes = match kind {
        0 => {
            let hash: [u8; 20] = read_array(input)?;
            let tail = [OP_EQUALVERIFY, OP_CHECKSIG];
            [&[OP_DUP, OP_HASH160, 20], &hash[..], &tail].concat()
        }
        1 => {
            let hash: [u8; 20] = read_array(input)?;
            [&[OP_HASH160, 20], &hash[..], &[OP_EQUAL]].concat()
        }
        2 | 3 => {
            let x: [u8; 32] = read_array(input)?;
            let parity = if kind == 2 { 2 } else { 3 };
            [&[33, parity], &x[..], &[OP_CHECKSIG]].concat()
        }
        4 | 5 => {
            let x: [u8; 32] = read_array(input)?;
            let parity = if kind == 4 { 2 } else { 3 };
            let key = PublicKey::from_slice(&[&[parity], &x[..]].concat())
                .map_err(|_| FormatError::NotAKey)?;
            [&[65], &key.serialize_uncompressed()[..], &[OP_CHECKSIG]].concat()
        }
        _ => {
            let length = kind - SPECIAL_SCRIPTS;
            if length > MAX_SCRIPT_BYTES {
                return Err(FormatError::ScriptTooLong);
            }
            let length = usize::try_from(length).map_err(|_| FormatError::ScriptTooLong)?;
            let mut bytes = vec![0; length];
            input.read_exact(&mut bytes)?;
            bytes
        }
    };
    Ok(ScriptBuf::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COIN: u64 = 100_000_000;

    /// Bitcoin Core's `compress_tests`.
    #[test]
    fn published_amounts() {
        for (amount, number) in [
            (0, 0x0),
            (1, 0x1),
            (1_000_000, 0x7),
            (COIN, 0x9),
            (50 * COIN, 0x32),
            (21_000_000 * COIN, 0x0140_6f40),
        ] {
            assert_eq!(compress_amount(amount), number, "{amount}");
            assert_eq!(decompress_amount(number), Some(amount), "{number}");
        }
    }

    #[test]
    fn numbers_of_no_amount_are_refused() {
        assert_eq!(decompress_amount(u64::MAX), None);
        assert_eq!(decompress_amount(u64::MAX - 6), None);
    }

    fn compressed(script: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_script(Script::from_bytes(script), &mut bytes);
        bytes
    }

    fn assert_form(script: &[u8], form: &[u8]) {
        assert_eq!(compressed(script), form);
        let mut input = form;
        assert_eq!(read_script(&mut input).unwrap().as_bytes(), script);
        assert!(input.is_empty());
    }

    /// The scripts of Bitcoin Core's `compress_script_to_…` tests.
    #[test]
    fn usual_scripts_have_forms_of_their_own() {
        let hash = [7; 20];
        let p2pkh = [&[0x76, 0xa9, 20], &hash[..], &[0x88, 0xac]].concat();
        assert_form(&p2pkh, &[&[0], &hash[..]].concat());
        let p2sh = [&[0xa9, 20], &hash[..], &[0x87]].concat();
        assert_form(&p2sh, &[&[1], &hash[..]].concat());

        let generator = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let x: Vec<u8> = bytes_of(generator);
        let y = bytes_of("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
        for parity in [2, 3] {
            let p2pk = [&[33, parity], &x[..], &[0xac]].concat();
            assert_form(&p2pk, &[&[parity], &x[..]].concat());
        }
        // The generator's second coordinate is even.
        let p2pk = [&[65, 4], &x[..], &y[..], &[0xac]].concat();
        assert_form(&p2pk, &[&[4], &x[..]].concat());
    }

    #[test]
    fn what_is_no_key_keeps_its_bytes() {
        let not_a_point = [&[65, 4][..], &[1; 64], &[0xac]].concat();
        assert_form(&not_a_point, &[&[67 + 6][..], &not_a_point].concat());
        // A compressed key is not looked at.
        let p2pk = [&[33, 2][..], &[0xff; 32], &[0xac]].concat();
        assert_form(&p2pk, &[&[2][..], &[0xff; 32]].concat());
        assert!(matches!(
            read_script(&mut &[&[5][..], &[0xff; 32]].concat()[..]),
            Err(FormatError::NotAKey)
        ));
    }

    #[test]
    fn scripts_are_bounded() {
        assert_form(&[], &[6]);
        let longest = vec![0x51; 10_000];
        let mut input = &compressed(&longest)[..];
        assert_eq!(read_script(&mut input).unwrap().as_bytes(), longest);
        let mut input = &compressed(&[0x51; 10_001])[..];
        assert!(matches!(
            read_script(&mut input),
            Err(FormatError::ScriptTooLong)
        ));
        assert!(matches!(
            read_script(&mut &compressed(&longest)[..9_000]),
            Err(FormatError::Truncated)
        ));
    }

    fn bytes_of(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    proptest! {
        #[test]
        fn amounts_come_back(amount in 0..=21_000_000 * COIN, zeros in 0_u32..9) {
            let round = amount / 10_u64.pow(zeros) * 10_u64.pow(zeros);
            for amount in [amount, round] {
                prop_assert_eq!(decompress_amount(compress_amount(amount)), Some(amount));
            }
        }

        #[test]
        fn numbers_come_back(number in 0_u64..1 << 40) {
            if let Some(amount) = decompress_amount(number) {
                prop_assert_eq!(compress_amount(amount), number);
            }
        }

        #[test]
        fn scripts_come_back(script in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = compressed(&script);
            let read = read_script(&mut &bytes[..]).unwrap();
            prop_assert_eq!(read.as_bytes(), &script[..]);
        }
    }
}
