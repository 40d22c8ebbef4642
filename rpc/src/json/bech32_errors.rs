//! What is wrong with a text that should be Bech32 or Bech32m, and where (Bitcoin Core's `LocateErrors`).
//!
//! The checksum is a BCH code over GF(32): up to two wrong characters are found by the syndromes of what the checksum leaves
//! over, in GF(1024). What the right characters are is not said: a guess may be an address of somebody else.

use std::sync::LazyLock;

/// The longest Bech32 string (BIP-0173).
const MAX_LEN: usize = 90;

/// Characters of a checksum.
const CHECKSUM_LEN: usize = 6;

/// The most places that are told of a text that is too long.
const MAX_LOCATIONS: usize = 10_000;

/// The characters, by their values.
const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What is left over of the text with a right checksum (BIP-0173, BIP-0350), and what is said of a wrong one.
const CHECKSUMS: [(u32, &str); 2] = [
    (1, "Invalid Bech32 checksum"),
    (0x2bc8_30a3, "Invalid Bech32m checksum"),
];

/// Nonzero elements of GF(1024).
const ORDER: usize = 1_023;

/// The first of the three powers in a row that the code's generator is zero at.
const FIRST_ROOT: usize = 997;

/// Nonzero elements of GF(32) are the powers of GF(1024)'s generator that this divides.
const SUBFIELD_STEP: usize = 33;

/// What is wrong, and the places of the characters, counted in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: &'static str,
    pub(super) locations: Vec<usize>,
}

/// What is wrong with a text; nothing if its checksum is right.
pub(super) fn find_fault(text: &str) -> Option<Fault> {
    let bytes = text.as_bytes();
    let fault = |message, locations| Some(Fault { message, locations });
    if bytes.len() > MAX_LEN {
        let end = bytes.len().min(MAX_LEN + MAX_LOCATIONS);
        return fault("Bech32 string too long", (MAX_LEN..end).collect());
    }
    let wrong = wrong_characters(bytes);
    if !wrong.is_empty() {
        return fault("Invalid character or mixed case", wrong);
    }
    let Some(separator) = bytes.iter().rposition(|byte| *byte == b'1') else {
        return fault("Missing separator", Vec::new());
    };
    if separator == 0 || separator + CHECKSUM_LEN >= bytes.len() {
        return fault("Invalid separator position", vec![separator]);
    }
    let (prefix, data) = (&bytes[..separator], &bytes[separator + 1..]);
    let mut values = Vec::with_capacity(data.len());
    for (place, byte) in data.iter().enumerate() {
        let byte = byte.to_ascii_lowercase();
        match (0_u8..).zip(CHARACTERS).find(|(_, own)| **own == byte) {
            Some((value, _)) => values.push(value),
            None => return fault("Invalid Base 32 character", vec![separator + 1 + place]),
        }
    }
    checksum_fault(prefix, &values, bytes.len())
}

/// The places of what can't be in such a text, or is in the other case than what comes before.
fn wrong_characters(bytes: &[u8]) -> Vec<usize> {
    let (mut has_lower, mut has_upper) = (false, false);
    let is_wrong = |byte: u8| {
        if byte.is_ascii_lowercase() {
            has_lower |= !has_upper;
            has_upper
        } else if byte.is_ascii_uppercase() {
            has_upper |= !has_lower;
            has_lower
        } else {
            !byte.is_ascii_graphic()
        }
    };
    let wrong = bytes.iter().copied().map(is_wrong).collect::<Vec<_>>();
    (0..bytes.len()).filter(|place| wrong[*place]).collect()
}

/// What is wrong by the kind of checksum that explains it with fewer wrong characters.
fn checksum_fault(prefix: &[u8], values: &[u8], len: usize) -> Option<Fault> {
    let left_over = remainder(prefix, values);
    let mut found = Fault {
        message: "Invalid checksum",
        locations: Vec::new(),
    };
    for (right, message) in CHECKSUMS {
        if left_over == right {
            return None;
        }
        let guess = FIELD.locate(left_over ^ right, values.len());
        let is_better = !guess.is_empty()
            && (found.locations.is_empty() || guess.len() < found.locations.len());
        if is_better {
            let mut locations: Vec<usize> = guess.iter().map(|place| len - 1 - place).collect();
            locations.sort_unstable();
            found = Fault { message, locations };
        }
    }
    Some(found)
}

/// What is left over of a text when it is divided by the code's generator (BIP-0173's `bech32_polymod`).
fn remainder(prefix: &[u8], values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let prefix = || prefix.iter().map(u8::to_ascii_lowercase);
    let expanded = prefix()
        .map(|byte| byte >> 5)
        .chain([0])
        .chain(prefix().map(|byte| byte & 31));
    expanded
        .chain(values.iter().copied())
        .fold(1, |sum, value| {
            let shifted = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
            (0..5)
                .filter(|bit| sum >> (25 + bit) & 1 == 1)
                .fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
        })
}

/// The powers of GF(1024)'s generator `e`, a root of x² + 9x + 23 over GF(32). An element `a·e + b` is written `a << 5 | b`.
struct Field {
    powers: [usize; ORDER],
    /// The power that an element is; nothing for zero.
    logarithms: [Option<usize>; ORDER + 1],
}

static FIELD: LazyLock<Field> = LazyLock::new(Field::new);

impl Field {
    fn new() -> Self {
        let mut field = Self {
            powers: [0; ORDER],
            logarithms: [None; ORDER + 1],
        };
        let mut element = 1;
        for power in 0..ORDER {
            field.powers[power] = element;
            field.logarithms[element] = Some(power);
            let (high, low) = (element >> 5, element & 31);
            element = (times(9, high) ^ low) << 5 | times(23, high);
        }
        field
    }

    /// The element times `e` to that power.
    fn shift(&self, element: usize, power: usize) -> usize {
        self.logarithms[element].map_or(0, |own| self.powers[(own + power) % ORDER])
    }

    /// The places, counted from the end, of one or two wrong characters that explain what is left over; none if there are none.
    fn locate(&self, left_over: u32, len: usize) -> Vec<usize> {
        let syndrome = |root: usize| {
            (0..CHECKSUM_LEN).fold(0, |sum, place| {
                let value = usize::try_from(left_over >> (5 * place) & 31).unwrap_or(0);
                sum ^ self.shift(value, root * place)
            })
        };
        let syndromes = [0, 1, 2].map(|next| syndrome(FIRST_ROOT + next));
        let logarithms = syndromes.map(|syndrome| self.logarithms[syndrome]);
        if let [Some(first), Some(second), Some(third)] = logarithms
            && (2 * second + 2 * ORDER - first - third).is_multiple_of(ORDER)
        {
            // One character, which is wrong by first / e^(997 · place).
            let place = (second + ORDER - first) % ORDER;
            let is_possible = place < len && self.is_wrong_by(first, place);
            return is_possible.then_some(place).into_iter().collect();
        }
        (0..len)
            .find_map(|one| {
                let other = self.second_of(syndromes, one, len)?;
                Some(vec![one, other])
            })
            .unwrap_or_default()
    }

    /// The second wrong character, if the first one is at this place.
    fn second_of(
        &self,
        [first, second, third]: [usize; 3],
        one: usize,
        len: usize,
    ) -> Option<usize> {
        let numerator = self.logarithms[third ^ self.shift(second, one)]?;
        let without_one = self.logarithms[second ^ self.shift(first, one)]?;
        let other = (numerator + ORDER - without_one) % ORDER;
        if other >= len || other == one {
            return None;
        }
        let without_other = self.logarithms[second ^ self.shift(first, other)]?;
        let distance = self.logarithms[self.powers[one] ^ self.powers[other]]?;
        let is_possible = self.is_wrong_by(without_one + ORDER - distance, other)
            && self.is_wrong_by(without_other + ORDER - distance, one);
        is_possible.then_some(other)
    }

    /// Whether a character may be wrong by e^`power` / e^(997 · place): only the elements of GF(32) are differences of characters.
    fn is_wrong_by(&self, power: usize, place: usize) -> bool {
        (power + (ORDER - FIRST_ROOT) * place).is_multiple_of(SUBFIELD_STEP)
    }
}

/// The product of two elements of GF(32), whose polynomial is x⁵ + x³ + 1.
fn times(one: usize, other: usize) -> usize {
    (0..5).rev().fold(0, |product: usize, bit| {
        let doubled = product << 1;
        let reduced = if doubled & 32 == 0 {
            doubled
        } else {
            doubled ^ 41
        };
        reduced ^ if other >> bit & 1 == 1 { one } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (&'static str, Vec<usize>) {
        let fault = find_fault(text).unwrap();
        (fault.message, fault.locations)
    }

    #[test]
    fn wrong_characters_are_located_as_in_bitcoin_cores_test() {
        let long = "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049edschfnwystcqnsvyfpj23m";
        let bech32 = "Invalid Bech32 checksum";
        for (text, message, locations) in [
            (long, "Bech32 string too long", (90..108).collect()),
            (
                "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv",
                bech32,
                vec![9],
            ),
            (
                "bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu",
                bech32,
                vec![22, 43],
            ),
            (
                "BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R",
                bech32,
                vec![38],
            ),
            (
                "bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv",
                "Missing separator",
                vec![],
            ),
            (
                "bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv",
                "Invalid Base 32 character",
                vec![8],
            ),
            (
                "bcrt1qdg3myrgvzw7ml8q0ejxhlkyxn7vl9r56yzkfgvzclrf4hkpx9yfqhpsuks",
                bech32,
                vec![19, 30],
            ),
            (
                "bcrt1ptmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
                bech32,
                vec![5],
            ),
            ("asfah14i8fajz0123f", "Invalid separator position", vec![14]),
        ] {
            assert_eq!(fault(text), (message, locations), "{text}");
        }
    }

    #[test]
    fn any_one_or_two_wrong_characters_are_found() {
        // BIP-0350's address, with a Bech32m checksum.
        let right = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
        assert_eq!(find_fault(right), None);
        let first = right.len() - 59;
        let wrong_at = |places: &[usize]| {
            let mut text = right.as_bytes().to_vec();
            for place in places {
                text[*place] = if text[*place] == b'q' { b'p' } else { b'q' };
            }
            fault(&String::from_utf8(text).unwrap())
        };
        for one in first..right.len() {
            assert_eq!(wrong_at(&[one]), ("Invalid Bech32m checksum", vec![one]));
            for other in one + 1..right.len() {
                let (message, locations) = wrong_at(&[one, other]);
                // Now and then a single wrong character of Bech32 explains it, too.
                assert!(
                    locations == [one, other] || message == "Invalid Bech32 checksum",
                    "{one} {other}"
                );
            }
        }
    }

    #[test]
    fn wrong_case_and_strange_characters_are_located() {
        let message = "Invalid character or mixed case";
        assert_eq!(fault("bcrt1Qw5"), (message, vec![5]));
        assert_eq!(fault("bc 1q\u{e9}"), (message, vec![2, 5, 6]));
        assert_eq!(fault("1q049e"), ("Invalid separator position", vec![0]));
    }
}
