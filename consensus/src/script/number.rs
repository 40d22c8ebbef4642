//! Numbers on the stack: little-endian with a sign bit, as Bitcoin Core's `CScriptNum`.

use super::failure::{Outcome, ScriptFailure};
use super::flags::ScriptFlags;

/// The most bytes of an operand. Results may be longer, and then are no operands any more.
pub(crate) const MAX_NUMBER_BYTES: usize = 4;

/// The most bytes of a lock time, so that all 32 bits of the transaction's fields can be named
/// (BIP-0065).
pub(crate) const MAX_LOCK_TIME_BYTES: usize = 5;

const SIGN_BIT: u8 = 0x80;

/// Reads a number of at most `max_bytes`, which must be in its shortest form under `MINIMALDATA`.
pub(crate) fn decode_number(bytes: &[u8], max_bytes: usize, flags: ScriptFlags) -> Outcome<i64> {
    debug_assert!(max_bytes < 8, "the shifts below stay inside of 64 bits");
    if bytes.len() > max_bytes || flags.contains(ScriptFlags::MINIMALDATA) && !is_minimal(bytes) {
        return Err(ScriptFailure::ScriptNum);
    }
    let Some((last, rest)) = bytes.split_last() else {
        return Ok(0);
    };
    let magnitude = rest
        .iter()
        .rev()
        .fold(i64::from(last & !SIGN_BIT), |number, byte| {
            number << 8 | i64::from(*byte)
        });
    Ok(if last & SIGN_BIT == 0 {
        magnitude
    } else {
        -magnitude
    })
}

/// A last byte without bits of the magnitude is needed only where the one before it uses its top bit.
fn is_minimal(bytes: &[u8]) -> bool {
    match *bytes {
        [.., before, last] if last & !SIGN_BIT == 0 => before & SIGN_BIT != 0,
        [last] => last & !SIGN_BIT != 0,
        _ => true,
    }
}

/// The longest form of a 64-bit number: its magnitude, and a byte for the sign.
const MAX_ENCODED_BYTES: usize = 9;

/// A number's bytes, of which the first `length` count.
pub(crate) struct EncodedNumber {
    pub(crate) bytes: [u8; MAX_ENCODED_BYTES],
    pub(crate) length: usize,
}

/// The shortest form of a number; zero has no bytes.
pub(crate) fn encode_number(number: i64) -> EncodedNumber {
    let mut bytes = [0; MAX_ENCODED_BYTES];
    let magnitude = number.unsigned_abs().to_le_bytes();
    bytes[..magnitude.len()].copy_from_slice(&magnitude);
    let mut length = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    if length > 0 {
        if bytes[length - 1] & SIGN_BIT != 0 {
            length += 1;
        }
        if number < 0 {
            bytes[length - 1] |= SIGN_BIT;
        }
    }
    EncodedNumber { bytes, length }
}

/// Whether bytes mean true: any bit is set, but for negative zero's (Bitcoin Core's `CastToBool`).
pub(crate) fn is_true(bytes: &[u8]) -> bool {
    bytes
        .split_last()
        .is_some_and(|(last, rest)| last & !SIGN_BIT != 0 || rest.iter().any(|byte| *byte != 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(number: i64) -> Vec<u8> {
        let number = encode_number(number);
        number.bytes[..number.length].to_vec()
    }

    fn decoded(bytes: &[u8], flags: ScriptFlags) -> Outcome<i64> {
        decode_number(bytes, MAX_NUMBER_BYTES, flags)
    }

    #[test]
    fn known_forms() {
        for (number, bytes) in [
            (0, &[][..]),
            (1, &[1]),
            (-1, &[0x81]),
            (127, &[127]),
            (128, &[128, 0]),
            (-128, &[128, 0x80]),
            (255, &[255, 0]),
            (-255, &[255, 0x80]),
            (256, &[0, 1]),
            (i64::from(i32::MAX), &[255, 255, 255, 127]),
            (-i64::from(i32::MAX), &[255, 255, 255, 255]),
        ] {
            assert_eq!(encoded(number), bytes);
            assert_eq!(decoded(bytes, ScriptFlags::MINIMALDATA), Ok(number));
        }
        assert_eq!(encoded(1 << 31), [0, 0, 0, 128, 0]);
        assert_eq!(encoded(i64::MIN), [0, 0, 0, 0, 0, 0, 0, 128, 128]);
    }

    #[test]
    fn long_forms_are_refused_where_the_shortest_is_asked_for() {
        for (bytes, number) in [
            (&[0][..], 0),
            (&[0x80], 0),
            (&[1, 0], 1),
            (&[1, 0x80], -1),
            (&[0, 0, 0, 0x80], 0),
        ] {
            assert_eq!(decoded(bytes, ScriptFlags::NONE), Ok(number));
            let error = decoded(bytes, ScriptFlags::MINIMALDATA);
            assert_eq!(error, Err(ScriptFailure::ScriptNum));
        }
        for length in [5, 6, 520] {
            let error = decoded(&vec![1; length], ScriptFlags::NONE);
            assert_eq!(error, Err(ScriptFailure::ScriptNum));
        }
        let lock_time = decode_number(&[255; 5], MAX_LOCK_TIME_BYTES, ScriptFlags::NONE);
        assert_eq!(lock_time, Ok(-(1 << 39) + 1));
    }

    #[test]
    fn negative_zero_is_false() {
        for bytes in [&[][..], &[0], &[0x80], &[0, 0], &[0, 0x80]] {
            assert!(!is_true(bytes));
        }
        for bytes in [&[1][..], &[0x81], &[0x80, 0], &[0, 1], &[0, 0x81]] {
            assert!(is_true(bytes));
        }
    }

    proptest! {
        #[test]
        fn numbers_survive(number in -0x7fff_ffff_i64..=0x7fff_ffff) {
            prop_assert_eq!(decoded(&encoded(number), ScriptFlags::MINIMALDATA), Ok(number));
        }
    }
}
