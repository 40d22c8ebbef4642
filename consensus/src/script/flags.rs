//! Script verification flags and the heights at which they apply.

use std::ops::BitOr;

use crate::{ChainSpec, Height};

/// Which script rules apply; the bits are those of Bitcoin Core's `SCRIPT_VERIFY_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScriptFlags(u32);

impl ScriptFlags {
    /// Bitcoin's first rules alone.
    pub const NONE: Self = Self(0);
    /// Pay to script hash (BIP-0016).
    pub const P2SH: Self = Self(1 << 0);
    /// Strict DER signatures (BIP-0066).
    pub const DERSIG: Self = Self(1 << 2);
    /// `OP_CHECKMULTISIG`'s extra element is empty (BIP-0147).
    pub const NULLDUMMY: Self = Self(1 << 4);
    /// `OP_CHECKLOCKTIMEVERIFY` (BIP-0065).
    pub const CHECKLOCKTIMEVERIFY: Self = Self(1 << 9);
    /// `OP_CHECKSEQUENCEVERIFY` (BIP-0112).
    pub const CHECKSEQUENCEVERIFY: Self = Self(1 << 10);
    /// Segregated witness (BIP-0141, BIP-0143).
    pub const WITNESS: Self = Self(1 << 11);
    /// Taproot (BIP-0341, BIP-0342).
    pub const TAPROOT: Self = Self(1 << 17);
    /// Every consensus rule.
    pub const ALL: Self = Self(
        Self::P2SH.0
            | Self::DERSIG.0
            | Self::NULLDUMMY.0
            | Self::CHECKLOCKTIMEVERIFY.0
            | Self::CHECKSEQUENCEVERIFY.0
            | Self::WITNESS.0
            | Self::TAPROOT.0,
    );

    /// The consensus flags for a block at `height` (Bitcoin Core's `GetBlockScriptFlags`).
    ///
    /// The witness rules build on P2SH and taproot's on those, so an active deployment brings the
    /// flags that it rests on, whatever heights a spec gives them.
    #[must_use]
    pub fn at_height(spec: &ChainSpec, height: Height) -> Self {
        let deployments = &spec.deployments;
        let witness = Self::P2SH | Self::WITNESS | Self::NULLDUMMY;
        [
            (deployments.bip16, Self::P2SH),
            (deployments.bip66, Self::DERSIG),
            (deployments.bip65, Self::CHECKLOCKTIMEVERIFY),
            (deployments.csv, Self::CHECKSEQUENCEVERIFY),
            (deployments.segwit, witness),
            (deployments.taproot, witness | Self::TAPROOT),
        ]
        .into_iter()
        .filter(|(active_from, _)| height.0 >= *active_from)
        .fold(Self::NONE, |flags, (_, flag)| flags | flag)
    }

    /// The bits, as in Bitcoin Core.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other`'s flags are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for ScriptFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_starts_at_its_height() {
        let mut spec = ChainSpec::regtest();
        spec.deployments.bip16 = 10;
        spec.deployments.bip66 = 20;
        spec.deployments.bip65 = 30;
        spec.deployments.csv = 40;
        spec.deployments.segwit = 50;
        spec.deployments.taproot = 60;
        let flags = |height| ScriptFlags::at_height(&spec, Height(height));

        let mut expected = ScriptFlags::NONE;
        for (height, flag) in [
            (10, ScriptFlags::P2SH),
            (20, ScriptFlags::DERSIG),
            (30, ScriptFlags::CHECKLOCKTIMEVERIFY),
            (40, ScriptFlags::CHECKSEQUENCEVERIFY),
            (50, ScriptFlags::WITNESS | ScriptFlags::NULLDUMMY),
            (60, ScriptFlags::TAPROOT),
        ] {
            assert_eq!(flags(height - 1), expected);
            expected = expected | flag;
            assert_eq!(flags(height), expected);
        }
        assert_eq!(expected, ScriptFlags::ALL);
    }

    #[test]
    fn witness_brings_p2sh() {
        let mut spec = ChainSpec::regtest();
        spec.deployments.bip16 = u32::MAX;
        spec.deployments.segwit = 5;
        spec.deployments.taproot = 6;
        assert!(!ScriptFlags::at_height(&spec, Height(4)).contains(ScriptFlags::P2SH));
        assert!(ScriptFlags::at_height(&spec, Height(5)).contains(ScriptFlags::P2SH));
    }

    #[test]
    fn bits_are_those_of_the_engine() {
        assert_eq!(
            ScriptFlags::ALL.bits(),
            bitcoinconsensus::VERIFY_ALL_PRE_TAPROOT | bitcoinconsensus::VERIFY_TAPROOT
        );
    }
}
