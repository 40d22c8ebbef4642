//! The few instructions that the kernels are made of, and how an assembler wants them written (AT&T syntax).

use std::fmt::{self, Display, Formatter};

/// A vector register. Those from 16 on exist with AVX-512, and the SHA instructions don't take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Xmm(pub(super) u8);

impl Xmm {
    /// Whether only the instructions of AVX-512 reach it.
    pub(super) fn is_high(self) -> bool {
        self.0 >= 16
    }
}

/// A general register, by what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gpr {
    /// First argument: the constants.
    Constants,
    /// Second argument: what differs from nonce to nonce.
    Nonces,
    /// Third argument: what differs from version to version.
    Versions,
    /// Fourth argument: groups of versions.
    Groups,
    /// Fifth argument: steps left.
    Steps,
    /// Sixth argument: where the next results go.
    Results,
    /// The present group of versions.
    Group,
    /// Groups left with this nonce.
    GroupsLeft,
    /// The stack.
    Stack,
}

/// A place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mem {
    pub(super) base: Gpr,
    pub(super) offset: usize,
}

/// What most instructions take as one of their sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Xmm(Xmm),
    Mem(Mem),
}

impl From<Xmm> for Source {
    fn from(register: Xmm) -> Self {
        Self::Xmm(register)
    }
}

impl From<Mem> for Source {
    fn from(place: Mem) -> Self {
        Self::Mem(place)
    }
}

/// An instruction. `to` is where its result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Copies four words.
    Load { from: Source, to: Xmm },
    /// Copies four words to memory.
    Store { from: Xmm, to: Mem },
    /// Copies two words to the lower half, and clears the upper one.
    LoadHalf { from: Mem, to: Xmm },
    /// Copies one word to all four.
    LoadToAll { from: Mem, to: Xmm },
    /// Copies the lowest word to memory.
    StoreWord { from: Xmm, to: Mem },
    /// Adds words.
    Add { a: Xmm, b: Source, to: Xmm },
    /// Keeps the bits that both have.
    And { a: Xmm, b: Source, to: Xmm },
    /// Puts the words in another order, two bits for each.
    Shuffle { order: u8, from: Xmm, to: Xmm },
    /// Takes the words of `b` whose bits are set in `mask`, the others of `a`.
    Blend {
        mask: u8,
        a: Xmm,
        b: Source,
        to: Xmm,
    },
    /// Four words from `low` followed by `high`, so many bytes from the beginning.
    Align {
        bytes: u8,
        high: Xmm,
        low: Source,
        to: Xmm,
    },
    /// Two rounds with the lower two words of register 0.
    Rounds { from: Xmm, to: Xmm },
    /// The first part of four message words.
    Message1 { from: Source, to: Xmm },
    /// The second part of four message words.
    Message2 { from: Source, to: Xmm },
    /// Adds a number to a general register.
    Advance { register: Gpr, by: usize },
    /// Copies a general register.
    Copy { from: Gpr, to: Gpr },
    /// Subtracts one; [`Self::JumpUnlessZero`] looks at the result.
    Decrement(Gpr),
    /// Goes on at a label.
    JumpUnlessZero { label: u8, direction: Direction },
    /// A place to go on at.
    Label(u8),
    /// Makes a frame of so many bytes on the stack, aligned to 64.
    Enter(usize),
    /// Takes the frame away and returns.
    Return,
}

/// Where a label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Back,
    Ahead,
}

impl Display for Xmm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "%xmm{}", self.0)
    }
}

impl Display for Gpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constants => "%rdi",
            Self::Nonces => "%rsi",
            Self::Versions => "%rdx",
            Self::Groups => "%rcx",
            Self::Steps => "%r8",
            Self::Results => "%r9",
            Self::Group => "%r10",
            Self::GroupsLeft => "%r11",
            Self::Stack => "%rsp",
        })
    }
}

impl Display for Mem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => write!(f, "({})", self.base),
            offset => write!(f, "{offset}({})", self.base),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xmm(register) => register.fmt(f),
            Self::Mem(place) => place.fmt(f),
        }
    }
}

/// The name of a plain copy: AVX-512 has one of its own.
fn copy_name(registers: &[Xmm]) -> &'static str {
    if registers.iter().any(|register| register.is_high()) {
        "vmovdqa64"
    } else {
        "vmovdqa"
    }
}

impl Display for Instruction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load {
                from: Source::Xmm(from),
                to,
            } => {
                write!(f, "{} {from}, {to}", copy_name(&[*from, *to]))
            }
            Self::Load { from, to } => write!(f, "{} {from}, {to}", copy_name(&[*to])),
            Self::Store { from, to } => write!(f, "{} {from}, {to}", copy_name(&[*from])),
            Self::LoadHalf { from, to } => write!(f, "vmovq {from}, {to}"),
            Self::LoadToAll { from, to } => write!(f, "vpbroadcastd {from}, {to}"),
            Self::StoreWord { from, to } => write!(f, "vmovd {from}, {to}"),
            Self::Add { a, b, to } => write!(f, "vpaddd {b}, {a}, {to}"),
            Self::And { a, b, to } => write!(f, "vpand {b}, {a}, {to}"),
            Self::Shuffle { order, from, to } => write!(f, "vpshufd ${order}, {from}, {to}"),
            Self::Blend { mask, a, b, to } => write!(f, "vpblendd ${mask}, {b}, {a}, {to}"),
            Self::Align {
                bytes,
                high,
                low,
                to,
            } => {
                write!(f, "vpalignr ${bytes}, {low}, {high}, {to}")
            }
            Self::Rounds { from, to } => write!(f, "sha256rnds2 {from}, {to}"),
            Self::Message1 { from, to } => write!(f, "sha256msg1 {from}, {to}"),
            Self::Message2 { from, to } => write!(f, "sha256msg2 {from}, {to}"),
            Self::Advance { register, by } => write!(f, "add ${by}, {register}"),
            Self::Copy { from, to } => write!(f, "mov {from}, {to}"),
            Self::Decrement(register) => write!(f, "dec {register}"),
            Self::JumpUnlessZero {
                label,
                direction: Direction::Back,
            } => write!(f, "jnz {label}b"),
            Self::JumpUnlessZero {
                label,
                direction: Direction::Ahead,
            } => write!(f, "jnz {label}f"),
            Self::Label(label) => write!(f, "{label}:"),
            Self::Enter(bytes) => {
                write!(
                    f,
                    "push %rbp\nmov %rsp, %rbp\nsub ${bytes}, %rsp\nand $-64, %rsp"
                )
            }
            Self::Return => write!(f, "mov %rbp, %rsp\npop %rbp\nret"),
        }
    }
}
