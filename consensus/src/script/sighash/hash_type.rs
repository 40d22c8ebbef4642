//! The hash type behind an ECDSA signature: what of the transaction it signs.

const ANYONE_CAN_PAY: u32 = 0x80;
const OUTPUT_BITS: u32 = 0x1f;
const NONE: u32 = 2;
const SINGLE: u32 = 3;

/// A hash type, defined or not: what is not NONE or SINGLE is ALL, and all bits are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashType(pub(crate) u32);

/// Which outputs are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignedOutputs {
    All,
    None,
    /// The one with the input's index.
    Single,
}

impl HashType {
    /// How many kinds there are that sign different parts of a transaction.
    pub(crate) const KINDS: usize = 6;

    /// Whether other inputs are not signed.
    pub(crate) fn anyone_can_pay(self) -> bool {
        self.0 & ANYONE_CAN_PAY != 0
    }

    pub(crate) fn outputs(self) -> SignedOutputs {
        match self.0 & OUTPUT_BITS {
            NONE => SignedOutputs::None,
            SINGLE => SignedOutputs::Single,
            _ => SignedOutputs::All,
        }
    }

    /// Which of the [`HashType::KINDS`] it is. Two of a kind differ only in the bits of the type itself.
    pub(crate) fn kind(self) -> usize {
        let outputs = match self.outputs() {
            SignedOutputs::All => 0,
            SignedOutputs::None => 1,
            SignedOutputs::Single => 2,
        };
        outputs + if self.anyone_can_pay() { 3 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_types_sign_all_outputs() {
        for (hash_type, kind) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 0),
            (0x23, 2),
            (0x80, 3),
            (0x81, 3),
            (0x82, 4),
            (0x83, 5),
            (0xff, 3),
            (0xffff_ff02, 1),
        ] {
            assert_eq!(HashType(hash_type).kind(), kind, "{hash_type:x}");
        }
    }
}
