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
    /// Signatures and keys are in a known form, hash types are defined. Policy.
    pub const STRICTENC: Self = Self(1 << 1);
    /// Strict DER signatures (BIP-0066).
    pub const DERSIG: Self = Self(1 << 2);
    /// A signature's S is in the lower half. Policy (BIP-0146).
    pub const LOW_S: Self = Self(1 << 3);
    /// `OP_CHECKMULTISIG`'s extra element is empty (BIP-0147).
    pub const NULLDUMMY: Self = Self(1 << 4);
    /// Input scripts only push. Policy.
    pub const SIGPUSHONLY: Self = Self(1 << 5);
    /// Pushes and numbers are in their shortest form. Policy.
    pub const MINIMALDATA: Self = Self(1 << 6);
    /// No `OP_NOP` that may get a meaning. Policy.
    pub const DISCOURAGE_UPGRADABLE_NOPS: Self = Self(1 << 7);
    /// Nothing but the result is left on the stack. Policy; needs P2SH and WITNESS.
    pub const CLEANSTACK: Self = Self(1 << 8);
    /// `OP_CHECKLOCKTIMEVERIFY` (BIP-0065).
    pub const CHECKLOCKTIMEVERIFY: Self = Self(1 << 9);
    /// `OP_CHECKSEQUENCEVERIFY` (BIP-0112).
    pub const CHECKSEQUENCEVERIFY: Self = Self(1 << 10);
    /// Segregated witness (BIP-0141, BIP-0143); needs P2SH.
    pub const WITNESS: Self = Self(1 << 11);
    /// No witness program that may get a meaning. Policy.
    pub const DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM: Self = Self(1 << 12);
    /// What `OP_IF` takes in witness version 0 is empty or one. Policy.
    pub const MINIMALIF: Self = Self(1 << 13);
    /// A signature that does not verify is empty. Policy (BIP-0146).
    pub const NULLFAIL: Self = Self(1 << 14);
    /// Keys in witness version 0 are compressed. Policy.
    pub const WITNESS_PUBKEYTYPE: Self = Self(1 << 15);
    /// No `OP_CODESEPARATOR` and no signature in a script of no witness. Policy.
    pub const CONST_SCRIPTCODE: Self = Self(1 << 16);
    /// Taproot (BIP-0341, BIP-0342).
    pub const TAPROOT: Self = Self(1 << 17);
    /// No leaf version that may get a meaning. Policy.
    pub const DISCOURAGE_UPGRADABLE_TAPROOT_VERSION: Self = Self(1 << 18);
    /// No `OP_SUCCESS`. Policy.
    pub const DISCOURAGE_OP_SUCCESS: Self = Self(1 << 19);
    /// No kind of public key in tapscript that may get a meaning. Policy.
    pub const DISCOURAGE_UPGRADABLE_PUBKEYTYPE: Self = Self(1 << 20);

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
    /// What a transaction must keep to be relayed: the consensus rules and, but for SIGPUSHONLY, all of
    /// policy (Bitcoin Core's `STANDARD_SCRIPT_VERIFY_FLAGS`).
    pub const STANDARD: Self = Self(((1 << 21) - 1) & !Self::SIGPUSHONLY.0);

    /// Each flag with Bitcoin Core's name for it, in the order of the bits.
    pub const NAMED: [(&'static str, Self); 21] = [
        ("P2SH", Self::P2SH),
        ("STRICTENC", Self::STRICTENC),
        ("DERSIG", Self::DERSIG),
        ("LOW_S", Self::LOW_S),
        ("NULLDUMMY", Self::NULLDUMMY),
        ("SIGPUSHONLY", Self::SIGPUSHONLY),
        ("MINIMALDATA", Self::MINIMALDATA),
        (
            "DISCOURAGE_UPGRADABLE_NOPS",
            Self::DISCOURAGE_UPGRADABLE_NOPS,
        ),
        ("CLEANSTACK", Self::CLEANSTACK),
        ("CHECKLOCKTIMEVERIFY", Self::CHECKLOCKTIMEVERIFY),
        ("CHECKSEQUENCEVERIFY", Self::CHECKSEQUENCEVERIFY),
        ("WITNESS", Self::WITNESS),
        (
            "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
            Self::DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM,
        ),
        ("MINIMALIF", Self::MINIMALIF),
        ("NULLFAIL", Self::NULLFAIL),
        ("WITNESS_PUBKEYTYPE", Self::WITNESS_PUBKEYTYPE),
        ("CONST_SCRIPTCODE", Self::CONST_SCRIPTCODE),
        ("TAPROOT", Self::TAPROOT),
        (
            "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
            Self::DISCOURAGE_UPGRADABLE_TAPROOT_VERSION,
        ),
        ("DISCOURAGE_OP_SUCCESS", Self::DISCOURAGE_OP_SUCCESS),
        (
            "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
            Self::DISCOURAGE_UPGRADABLE_PUBKEYTYPE,
        ),
    ];

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

    /// Whether any of `other`'s flags is set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These flags but for `other`'s.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
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
    fn each_name_has_its_own_bit() {
        for (position, (name, flag)) in ScriptFlags::NAMED.into_iter().enumerate() {
            assert_eq!(flag.bits(), 1 << position, "{name}");
            let is_standard = ScriptFlags::STANDARD.contains(flag);
            assert_eq!(is_standard, flag != ScriptFlags::SIGPUSHONLY, "{name}");
        }
        assert!(ScriptFlags::STANDARD.contains(ScriptFlags::ALL));
    }

    #[test]
    fn flags_are_sets() {
        let both = ScriptFlags::P2SH | ScriptFlags::WITNESS;
        assert!(both.contains(ScriptFlags::P2SH));
        assert!(!ScriptFlags::P2SH.contains(both));
        assert!(both.intersects(ScriptFlags::ALL));
        assert!(!both.intersects(ScriptFlags::TAPROOT));
        assert_eq!(both.without(ScriptFlags::ALL), ScriptFlags::NONE);
        assert_eq!(both.without(ScriptFlags::P2SH), ScriptFlags::WITNESS);
    }

    #[test]
    fn bits_are_those_of_bitcoin_core() {
        assert_eq!(
            ScriptFlags::ALL.bits(),
            bitcoinconsensus::VERIFY_ALL_PRE_TAPROOT | bitcoinconsensus::VERIFY_TAPROOT
        );
    }
}
