//! Bitcoin Core's `VARINT`: seven bits a byte, the most significant first, with exactly one encoding of
//! each number.

use std::io::Read;

use super::FormatError;

/// Appends a number.
pub(super) fn put_varint(mut number: u64, bytes: &mut Vec<u8>) {
    let mut reversed = [0_u8; 10];
    let mut length = 0;
    loop {
        let more = if length == 0 { 0 } else { 0x80 };
        reversed[length] = low_bits(number) | more;
        length += 1;
        if number <= 0x7f {
            break;
        }
        number = (number >> 7) - 1;
    }
    bytes.extend(reversed[..length].iter().rev());
}

/// Reads a number of at most `max`.
pub(super) fn read_varint(input: &mut impl Read, max: u64) -> Result<u64, FormatError> {
    let mut number = 0_u64;
    loop {
        let byte = read_array::<1>(input)?[0];
        if number > max >> 7 {
            return Err(FormatError::NumberTooLarge);
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
        if number >= max {
            return Err(FormatError::NumberTooLarge);
        }
        number += 1;
    }
    if number > max {
        return Err(FormatError::NumberTooLarge);
    }
    Ok(number)
}

/// Reads an array.
pub(super) fn read_array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], FormatError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit in a byte")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_varint(number, &mut bytes);
        bytes
    }

    /// Bitcoin Core's table in `serialize.h`.
    #[test]
    fn published_encodings() {
        for (number, bytes) in [
            (0, vec![0x00]),
            (1, vec![0x01]),
            (127, vec![0x7f]),
            (128, vec![0x80, 0x00]),
            (255, vec![0x80, 0x7f]),
            (256, vec![0x81, 0x00]),
            (16383, vec![0xfe, 0x7f]),
            (16384, vec![0xff, 0x00]),
            (16511, vec![0xff, 0x7f]),
            (65535, vec![0x82, 0xfe, 0x7f]),
            (1 << 32, vec![0x8e, 0xfe, 0xfe, 0xff, 0x00]),
        ] {
            assert_eq!(encoded(number), bytes, "{number}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let max = u64::from(u32::MAX);
        assert_eq!(read_varint(&mut &encoded(max)[..], max).unwrap(), max);
        for number in [max + 1, u64::MAX] {
            assert!(matches!(
                read_varint(&mut &encoded(number)[..], max),
                Err(FormatError::NumberTooLarge)
            ));
        }
        let endless = [0xff; 32];
        assert!(matches!(
            read_varint(&mut &endless[..], u64::MAX),
            Err(FormatError::NumberTooLarge)
        ));
        assert!(matches!(
            read_varint(&mut &[0x80][..], u64::MAX),
            Err(FormatError::Truncated)
        ));
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            let bytes = encoded(number);
            let mut input = &bytes[..];
            prop_assert_eq!(read_varint(&mut input, u64::MAX).unwrap(), number);
            prop_assert!(input.is_empty());
        }
    }
}
