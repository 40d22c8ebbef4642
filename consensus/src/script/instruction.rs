//! Reads a script's bytes as opcodes with the data that they push, and writes pushes.

use bitcoin::Opcode;
use bitcoin::opcodes::all::{
    OP_PUSHBYTES_75, OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4, OP_PUSHNUM_1, OP_PUSHNUM_16,
};

/// An opcode with the bytes that it pushes, if it pushes any.
#[derive(Clone, Copy)]
pub(crate) struct Instruction<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) data: &'a [u8],
}

impl Instruction<'_> {
    /// Whether the bytes are pushed in the shortest form (Bitcoin Core's `CheckMinimalPush`); for the
    /// opcodes up to `OP_PUSHDATA4`.
    pub(crate) fn is_minimal_push(&self) -> bool {
        let shortest = match *self.data {
            // `OP_1` to `OP_16` and `OP_1NEGATE` push these.
            [1..=16 | 0x81] => return false,
            _ => push_header(self.data.len()),
        };
        self.opcode.to_u8() == shortest.as_bytes()[0]
    }
}

/// A push that goes beyond the script's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutOff;

/// The instructions of a script; a push that is cut off is the last one.
#[derive(Clone)]
pub(crate) struct Instructions<'a> {
    script: &'a [u8],
    position: usize,
    ended: bool,
}

impl<'a> Instructions<'a> {
    pub(crate) fn new(script: &'a [u8]) -> Self {
        Self {
            script,
            position: 0,
            ended: false,
        }
    }

    /// How far the script is read: the start of the next instruction or, when a push was cut off, of the
    /// bytes that it would have pushed.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CutOff> {
        let rest = &self.script[self.position..];
        let taken = rest.get(..length).ok_or(CutOff)?;
        self.position += length;
        Ok(taken)
    }

    fn take_length<const N: usize>(&mut self) -> Result<usize, CutOff> {
        let bytes = self.take(N)?;
        let little_endian = bytes.iter().rev();
        Ok(little_endian.fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn read(&mut self) -> Result<Instruction<'a>, CutOff> {
        let opcode = Opcode::from(self.take(1)?[0]);
        let length = match opcode {
            OP_PUSHDATA1 => self.take_length::<1>()?,
            OP_PUSHDATA2 => self.take_length::<2>()?,
            OP_PUSHDATA4 => self.take_length::<4>()?,
            _ if opcode.to_u8() <= OP_PUSHBYTES_75.to_u8() => usize::from(opcode.to_u8()),
            _ => 0,
        };
        let data = self.take(length)?;
        Ok(Instruction { opcode, data })
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, CutOff>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.position >= self.script.len() {
            return None;
        }
        let instruction = self.read();
        self.ended = instruction.is_err();
        Some(instruction)
    }
}

/// The opcode and the length in front of pushed bytes.
#[derive(Clone, Copy)]
pub(crate) struct PushHeader {
    bytes: [u8; 5],
    length: usize,
}

impl PushHeader {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The shortest header for `length` bytes, `OP_0` for none; as the operator of Bitcoin Core's `CScript`
/// that appends a vector writes it, which knows no opcodes for numbers.
pub(crate) fn push_header(length: usize) -> PushHeader {
    let written = u32::try_from(length)
        .expect("a script is shorter than 4 GiB")
        .to_le_bytes();
    let mut bytes = [0; 5];
    let length = if length <= usize::from(OP_PUSHBYTES_75.to_u8()) {
        bytes[0] = written[0];
        1
    } else {
        let (opcode, width) = match length {
            0..0x100 => (OP_PUSHDATA1, 1),
            0x100..0x1_0000 => (OP_PUSHDATA2, 2),
            _ => (OP_PUSHDATA4, 4),
        };
        bytes[0] = opcode.to_u8();
        bytes[1..=width].copy_from_slice(&written[..width]);
        1 + width
    };
    PushHeader { bytes, length }
}

/// Whether a script only pushes; `OP_RESERVED` counts as a push (Bitcoin Core's `IsPushOnly`).
pub(crate) fn is_push_only(script: &[u8]) -> bool {
    Instructions::new(script).all(|instruction| {
        instruction.is_ok_and(|instruction| instruction.opcode.to_u8() <= OP_PUSHNUM_16.to_u8())
    })
}

/// The number that an opcode from `OP_1` to `OP_16` pushes.
pub(crate) fn small_number(opcode: Opcode) -> Option<u8> {
    (OP_PUSHNUM_1.to_u8()..=OP_PUSHNUM_16.to_u8())
        .contains(&opcode.to_u8())
        .then(|| opcode.to_u8() - OP_PUSHNUM_1.to_u8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<(u8, Vec<u8>), CutOff>;

    fn read(script: &[u8]) -> (Vec<Read>, usize) {
        let mut instructions = Instructions::new(script);
        let items = instructions
            .by_ref()
            .map(|item| item.map(|item| (item.opcode.to_u8(), item.data.to_vec())))
            .collect();
        (items, instructions.position())
    }

    #[test]
    fn reads_each_kind_of_push() {
        let ends = [(0xac, vec![])].map(Ok);
        for (push, data) in [
            (vec![0x00], vec![]),
            (vec![0x02, 7, 8], vec![7, 8]),
            (vec![0x4c, 1, 7], vec![7]),
            (vec![0x4d, 2, 0, 7, 8], vec![7, 8]),
            (vec![0x4e, 1, 0, 0, 0, 7], vec![7]),
        ] {
            let opcode = push[0];
            let mut script = push;
            script.push(0xac);
            let (items, end) = read(&script);
            assert_eq!(items, [vec![Ok((opcode, data))], ends.to_vec()].concat());
            assert_eq!(end, script.len());
        }
    }

    #[test]
    fn a_cut_off_push_is_the_last_and_its_header_is_read() {
        for (script, end) in [
            (&[0x02_u8, 7][..], 1),
            (&[0x4c], 1),
            (&[0x4c, 2, 7], 2),
            (&[0x4d, 1], 1),
            (&[0x4d, 1, 0], 3),
            (&[0x4e, 1, 0, 0], 1),
            (&[0x4e, 0xff, 0xff, 0xff, 0xff, 7], 5),
        ] {
            assert_eq!(read(script), (vec![Err(CutOff)], end));
        }
    }

    #[test]
    fn the_shortest_push_is_minimal() {
        let minimal = |opcode: u8, data: &[u8]| {
            let opcode = Opcode::from(opcode);
            Instruction { opcode, data }.is_minimal_push()
        };
        assert!(minimal(0x00, &[]));
        assert!(!minimal(0x4c, &[]));
        assert!(!minimal(0x01, &[1]));
        assert!(!minimal(0x01, &[16]));
        assert!(!minimal(0x01, &[0x81]));
        assert!(minimal(0x01, &[0]));
        assert!(minimal(0x01, &[17]));
        assert!(minimal(75, &[1; 75]));
        assert!(!minimal(0x4c, &[1; 75]));
        assert!(minimal(0x4c, &[1; 76]));
        assert!(minimal(0x4c, &[1; 255]));
        assert!(!minimal(0x4d, &[1; 255]));
        assert!(minimal(0x4d, &[1; 256]));
        assert!(!minimal(0x4e, &[1; 256]));
        assert!(minimal(0x4e, &[1; 65_536]));
    }

    #[test]
    fn headers_name_the_length() {
        assert_eq!(push_header(0).as_bytes(), [0x00]);
        assert_eq!(push_header(75).as_bytes(), [75]);
        assert_eq!(push_header(76).as_bytes(), [0x4c, 76]);
        assert_eq!(push_header(256).as_bytes(), [0x4d, 0, 1]);
        assert_eq!(push_header(65_536).as_bytes(), [0x4e, 0, 0, 1, 0]);
    }

    #[test]
    fn reserved_counts_as_a_push() {
        assert!(is_push_only(&[0x00, 0x01, 9, 0x4f, 0x50, 0x60]));
        assert!(!is_push_only(&[0x61]));
        assert!(!is_push_only(&[0x02, 9]));
        assert!(is_push_only(&[]));
    }
}
