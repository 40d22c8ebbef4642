//! JSON written straight into bytes: a large answer has thousands of values, and a tree of them would cost more than
//! everything else. Only what needs no escapes is written: numbers, digits, names.

use pyrite_consensus::bitcoin::consensus::Encodable;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::io;
use serde_json::Value;

use crate::dialect::JsonText;

/// The digits of each byte.
const HEX: [[u8; 2]; 256] = hex_digits();

/// The most decimal digits of a number.
const MAX_DIGITS: usize = 20;

/// Appends bytes in hexadecimal.
pub(super) fn push_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    push_digits(text, bytes.iter());
}

/// Appends a hash, which is shown from its last byte to its first.
pub(super) fn push_hash(text: &mut Vec<u8>, hash: &impl Hash<Bytes = [u8; 32]>) {
    push_digits(text, hash.as_byte_array().iter().rev());
}

/// Appends what a value is in Bitcoin's encoding, in hexadecimal.
pub(crate) fn push_encoded(text: &mut Vec<u8>, value: &impl Encodable) {
    value
        .consensus_encode(&mut HexWriter(text))
        .expect("memory takes every write");
}

/// Appends an array, each element by `push`.
pub(crate) fn push_array<T>(
    text: &mut Vec<u8>,
    elements: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    text.push(b'[');
    for (index, element) in elements.into_iter().enumerate() {
        separate(text, index);
        push(text, element);
    }
    text.push(b']');
}

/// A comma before all elements but the first.
pub(super) fn separate(text: &mut Vec<u8>, index: usize) {
    if index > 0 {
        text.push(b',');
    }
}

/// Appends bytes in hexadecimal as a string.
pub(super) fn push_hex_string(text: &mut Vec<u8>, bytes: &[u8]) {
    text.push(b'"');
    push_hex(text, bytes);
    text.push(b'"');
}

/// Appends a number.
pub(super) fn push_number(text: &mut Vec<u8>, number: u64) {
    let (mut digits, mut start, mut rest) = ([0; MAX_DIGITS], MAX_DIGITS, number);
    loop {
        start -= 1;
        digits[start] = decimal(rest % 10);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

/// Appends a number that may be below zero.
pub(super) fn push_signed(text: &mut Vec<u8>, number: i64) {
    if number < 0 {
        text.push(b'-');
    }
    push_number(text, number.unsigned_abs());
}

/// Appends the last digits of a number, with zeroes before it where it has fewer.
pub(super) fn push_padded<const DIGITS: usize>(text: &mut Vec<u8>, number: u64) {
    let (mut digits, mut rest) = ([0; DIGITS], number);
    for digit in digits.iter_mut().rev() {
        *digit = decimal(rest % 10);
        rest /= 10;
    }
    text.extend_from_slice(&digits);
}

fn decimal(digit: u64) -> u8 {
    b'0' + u8::try_from(digit).expect("a digit is small")
}

/// Bytes in hexadecimal.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    in_ascii(text)
}

/// Bytes in hexadecimal as a JSON string.
pub(crate) fn hex_json(bytes: &[u8]) -> JsonText {
    let mut text = Vec::with_capacity(2 * bytes.len() + 2);
    push_hex_string(&mut text, bytes);
    text.into()
}

/// What a value is in Bitcoin's encoding, in hexadecimal as a JSON string.
pub(crate) fn encoded_json(value: &impl Encodable) -> JsonText {
    let mut text = vec![b'"'];
    push_encoded(&mut text, value);
    text.push(b'"');
    text.into()
}

/// A text that is known to be ASCII.
pub(super) fn in_ascii(text: Vec<u8>) -> String {
    String::from_utf8(text).expect("ASCII is UTF-8")
}

/// A text that was written here, as a value.
pub(super) fn read_back(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("what is written is JSON")
}

fn push_digits<'a>(text: &mut Vec<u8>, bytes: impl ExactSizeIterator<Item = &'a u8>) {
    let start = text.len();
    text.resize(start + 2 * bytes.len(), 0);
    let (digits, _) = text[start..].as_chunks_mut::<2>();
    for (digits, byte) in digits.iter_mut().zip(bytes) {
        *digits = HEX[usize::from(*byte)];
    }
}

const fn hex_digits() -> [[u8; 2]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    digits
}

/// Takes bytes and appends their digits.
struct HexWriter<'a>(&'a mut Vec<u8>);

impl io::Write for HexWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        push_hex(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Txid;

    use super::*;

    fn pushed(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = b"<".to_vec();
        push(&mut text);
        in_ascii(text).split_off(1)
    }

    #[test]
    fn bytes_are_two_digits_each() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(hex_text(&bytes), hex::encode(&bytes));
        assert_eq!(hex_text(&[]), "");
        let txid = Txid::from_byte_array(std::array::from_fn(|index| bytes[index]));
        assert_eq!(pushed(|text| push_hash(text, &txid)), txid.to_string());
        assert_eq!(pushed(|text| push_encoded(text, &0x0a0b_u32)), "0b0a0000");
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for number in [0, 7, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(pushed(|text| push_number(text, number)), number.to_string());
        }
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(pushed(|text| push_signed(text, number)), number.to_string());
        }
        for (number, digits) in [(0, "0000"), (42, "0042"), (9_999, "9999"), (12_345, "2345")] {
            assert_eq!(pushed(|text| push_padded::<4>(text, number)), digits);
        }
    }
}
