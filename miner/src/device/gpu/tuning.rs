//! What may be chosen about the kernel for a device, and what is tried.

use std::fmt;

/// How the kernel is built and launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tuning {
    /// Nonces that a work item hashes at once, in the lanes of a vector: 1, 2, 4, 8 or 16.
    pub(super) width: u32,
    /// Work items of a work group.
    pub(super) group: u32,
    /// How far the rounds are written out.
    pub(super) unroll: Unroll,
    /// The form of the majority function.
    pub(super) majority: Majority,
}

/// How far the kernel's rounds are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unroll {
    /// All of them.
    All,
    /// Sixteen, where they are alike, in a loop: code that fits into a smaller cache.
    Sixteen,
}

/// How the kernel computes the majority function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Majority {
    /// By selecting bits, which many devices do in one instruction.
    Select,
    /// With a term of the round before: fewer instructions where selecting takes three.
    Carry,
}

impl Tuning {
    /// What the calibration begins with.
    pub(super) const FIRST: Self = Self {
        width: 1,
        group: 64,
        unroll: Unroll::All,
        majority: Majority::Select,
    };

    /// Vector widths of OpenCL C, without three.
    pub(super) const WIDTHS: [u32; 5] = [1, 2, 4, 8, 16];

    /// Work group sizes that are tried.
    pub(super) const GROUPS: [u32; 4] = [16, 64, 128, 256];

    /// The compiler's options. Its warnings go to no one.
    pub(super) fn build_options(&self) -> String {
        format!(
            "-w -DWIDTH={} -DUNROLLED={} -DCARRIED={} -DROOM={}",
            self.width,
            u8::from(self.unroll == Unroll::All),
            u8::from(self.majority == Majority::Carry),
            super::queue::ROOM,
        )
    }
}

/// As in `v16 g64`, with what is not usual after it.
impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{} g{}", self.width, self.group)?;
        if self.unroll == Unroll::Sixteen {
            write!(f, " rolled")?;
        }
        if self.majority == Majority::Carry {
            write!(f, " carried")?;
        }
        Ok(())
    }
}
