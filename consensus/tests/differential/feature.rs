//! The ways of verification that a run must have gone.

/// Something about the way a spend is verified under every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feature {
    BareScript,
    ScriptHash,
    WitnessKey,
    WitnessKeyInP2sh,
    WitnessScript,
    WitnessScriptInP2sh,
    WitnessV0OfOtherLength,
    WitnessV1OfOtherLength,
    WitnessV1InP2sh,
    Anchor,
    UnknownWitnessVersion,
    KeyPath,
    KeyPathWithHashType,
    KeyPathWithAnnex,
    LeafAlone,
    LeafAtDepthOne,
    LeafDeeper,
    LeafAtDeepest,
    LeafTooDeep,
    ScriptPathWithAnnex,
    UnknownLeafVersion,
    OpSuccess,
    CheckSigAdd,
    UnknownKeyType,
    EmptyKey,
    ManySignatureChecks,
    BudgetExceeded,
}

impl Feature {
    /// Each with what it is called in the summary.
    pub(crate) const NAMED: [(Self, &'static str); 27] = [
        (Self::BareScript, "script in the output"),
        (Self::ScriptHash, "P2SH"),
        (Self::WitnessKey, "version 0, key hash"),
        (Self::WitnessKeyInP2sh, "version 0, key hash in P2SH"),
        (Self::WitnessScript, "version 0, script hash"),
        (Self::WitnessScriptInP2sh, "version 0, script hash in P2SH"),
        (Self::WitnessV0OfOtherLength, "version 0, other length"),
        (Self::WitnessV1OfOtherLength, "version 1, other length"),
        (Self::WitnessV1InP2sh, "version 1 in P2SH"),
        (Self::Anchor, "version 1, anchor"),
        (Self::UnknownWitnessVersion, "version 2 to 16"),
        (Self::KeyPath, "taproot key path"),
        (Self::KeyPathWithHashType, "taproot key path, 65 bytes"),
        (Self::KeyPathWithAnnex, "taproot key path, annex"),
        (Self::LeafAlone, "taproot leaf, depth 0"),
        (Self::LeafAtDepthOne, "taproot leaf, depth 1"),
        (Self::LeafDeeper, "taproot leaf, depth 2 or 3"),
        (Self::LeafAtDeepest, "taproot leaf, depth 128"),
        (Self::LeafTooDeep, "taproot leaf, depth 129"),
        (Self::ScriptPathWithAnnex, "taproot script path, annex"),
        (Self::UnknownLeafVersion, "taproot leaf, unknown version"),
        (Self::OpSuccess, "tapscript, OP_SUCCESS"),
        (Self::CheckSigAdd, "tapscript, OP_CHECKSIGADD"),
        (Self::UnknownKeyType, "tapscript, unknown key type"),
        (Self::EmptyKey, "tapscript, empty key"),
        (Self::ManySignatureChecks, "tapscript, 4 or more checks"),
        (Self::BudgetExceeded, "tapscript, budget exceeded"),
    ];

    /// Whether a spend with it can be valid.
    pub(crate) const fn is_acceptable(self) -> bool {
        !matches!(
            self,
            Self::WitnessV0OfOtherLength
                | Self::LeafTooDeep
                | Self::EmptyKey
                | Self::BudgetExceeded
        )
    }
}
