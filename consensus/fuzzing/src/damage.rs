//! Damage to encodings.

use std::ops::Range;

use bolero::{TypeGenerator, produce};

/// Numbers that lengths and counts go wrong at; written in one, two, four or eight bytes.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xfd,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 60,
    u64::MAX,
];

/// Up to three changes of an encoding; none is one of the cases.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Damage {
    #[generator(produce::<Vec<Edit>>().with().len(0..4_usize))]
    edits: Vec<Edit>,
}

/// A change. A place counts from the front, and beyond the end from the front again.
#[derive(Clone, Debug, TypeGenerator)]
enum Edit {
    Overwrite {
        at: u16,
        byte: u8,
    },
    FlipBit {
        at: u16,
        bit: u8,
    },
    Insert {
        at: u16,
        #[generator(produce::<Vec<u8>>().with().len(1..9_usize))]
        bytes: Vec<u8>,
    },
    Remove {
        at: u16,
        length: u8,
    },
    Repeat {
        at: u16,
        length: u8,
    },
    Number {
        at: u16,
        which: u8,
        width: u8,
        is_big_endian: bool,
    },
    Cut {
        at: u16,
    },
}

impl Damage {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.edits.is_empty()
    }

    /// What is left of `bytes`. It is at most a kilobyte longer than they were.
    #[must_use]
    pub fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for edit in &self.edits {
            edit.apply(&mut bytes);
        }
        bytes
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Overwrite { at, byte } => overwrite(bytes, *at, &[*byte]),
            Self::FlipBit { at, bit } => {
                let at = place(*at, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Insert { at, bytes: new } => {
                let at = place(*at, bytes);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Remove { at, length } => {
                bytes.drain(stretch(*at, *length, bytes));
            }
            Self::Repeat { at, length } => {
                let again = bytes[stretch(*at, *length, bytes)].to_vec();
                let at = place(*at, bytes);
                bytes.splice(at..at, again);
            }
            Self::Number {
                at,
                which,
                width,
                is_big_endian,
            } => {
                let number = NUMBERS[usize::from(*which) % NUMBERS.len()];
                let width = 1 << (width % 4);
                if *is_big_endian {
                    overwrite(bytes, *at, &number.to_be_bytes()[8 - width..]);
                } else {
                    overwrite(bytes, *at, &number.to_le_bytes()[..width]);
                }
            }
            Self::Cut { at } => bytes.truncate(place(*at, bytes)),
        }
    }
}

/// An index of `bytes`, or its end.
fn place(at: u16, bytes: &[u8]) -> usize {
    usize::from(at) % (bytes.len() + 1)
}

/// The indices from a place on.
fn stretch(at: u16, length: u8, bytes: &[u8]) -> Range<usize> {
    let start = place(at, bytes);
    start..bytes.len().min(start + usize::from(length))
}

fn overwrite(bytes: &mut [u8], at: u16, new: &[u8]) {
    let at = place(at, bytes);
    for (byte, new) in bytes[at..].iter_mut().zip(new) {
        *byte = *new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(edit: Edit) -> Vec<u8> {
        let edits = vec![edit];
        Damage { edits }.apply(vec![1, 2, 3, 4])
    }

    #[test]
    fn edits_change_what_they_name() {
        assert_eq!(after(Edit::Overwrite { at: 6, byte: 9 }), [1, 9, 3, 4]);
        assert_eq!(after(Edit::FlipBit { at: 0, bit: 9 }), [3, 2, 3, 4]);
        let bytes = vec![8, 8];
        assert_eq!(after(Edit::Insert { at: 4, bytes }), [1, 2, 3, 4, 8, 8]);
        assert_eq!(after(Edit::Remove { at: 1, length: 2 }), [1, 4]);
        assert_eq!(after(Edit::Remove { at: 3, length: 9 }), [1, 2, 3]);
        let repeated = after(Edit::Repeat { at: 2, length: 2 });
        assert_eq!(repeated, [1, 2, 3, 4, 3, 4]);
        assert_eq!(after(Edit::Cut { at: 1 }), [1]);
    }

    #[test]
    fn numbers_have_a_width_and_an_order() {
        let number = |width, is_big_endian| {
            after(Edit::Number {
                at: 1,
                which: 4,
                width,
                is_big_endian,
            })
        };
        assert_eq!(number(0, false), [1, 0xfd, 3, 4]);
        assert_eq!(number(1, true), [1, 0, 0xfd, 4]);
        // What is beyond the end is not written.
        assert_eq!(number(3, false), [1, 0xfd, 0, 0]);
    }

    #[test]
    fn nothing_can_be_damaged() {
        for edit in [
            Edit::Overwrite { at: 7, byte: 1 },
            Edit::FlipBit { at: 7, bit: 1 },
            Edit::Remove { at: 7, length: 7 },
            Edit::Repeat { at: 7, length: 7 },
            Edit::Cut { at: 7 },
        ] {
            let edits = vec![edit];
            assert_eq!(Damage { edits }.apply(Vec::new()), []);
        }
    }
}
