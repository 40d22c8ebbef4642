//! Why a script fails: Bitcoin Core's `ScriptError`, with its names and messages.

/// A rule that a script breaks.
///
/// [`ScriptFailure::name`] is Bitcoin Core's name for it, without `SCRIPT_ERR_`, and what is displayed is
/// its message, which `sendrawtransaction` and `testmempoolaccept` show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ScriptFailure {
    /// The result is false, or there is none.
    #[error("Script evaluated without error but finished with a false/empty top stack element")]
    EvalFalse,
    /// `OP_RETURN` was executed.
    #[error("OP_RETURN was encountered")]
    OpReturn,
    /// A number is longer than four bytes (five for a lock time), or than it needs to be.
    #[error("Script number overflowed or is non-minimally encoded")]
    ScriptNum,
    /// The script is longer than 10,000 bytes.
    #[error("Script is too big")]
    ScriptSize,
    /// An element is longer than 520 bytes.
    #[error("Push value size limit exceeded")]
    PushSize,
    /// There are more than 201 operations.
    #[error("Operation limit exceeded")]
    OpCount,
    /// Both stacks together hold more than 1,000 elements.
    #[error("Stack size limit exceeded")]
    StackSize,
    /// A multisig asks for a negative number of signatures, or for more than it has keys.
    #[error("Signature count negative or greater than pubkey count")]
    SigCount,
    /// A multisig has a negative number of keys, or more than 20.
    #[error("Pubkey count negative or limit exceeded")]
    PubkeyCount,
    /// `OP_VERIFY` found false.
    #[error("Script failed an OP_VERIFY operation")]
    Verify,
    /// `OP_EQUALVERIFY` found two different elements.
    #[error("Script failed an OP_EQUALVERIFY operation")]
    EqualVerify,
    /// `OP_CHECKMULTISIGVERIFY` found too few valid signatures.
    #[error("Script failed an OP_CHECKMULTISIGVERIFY operation")]
    CheckMultisigVerify,
    /// `OP_CHECKSIGVERIFY` found no valid signature.
    #[error("Script failed an OP_CHECKSIGVERIFY operation")]
    CheckSigVerify,
    /// `OP_NUMEQUALVERIFY` found two different numbers.
    #[error("Script failed an OP_NUMEQUALVERIFY operation")]
    NumEqualVerify,
    /// An opcode without a meaning, or a push that goes beyond the script's end.
    #[error("Opcode missing or not understood")]
    BadOpcode,
    /// An opcode that was disabled (CVE-2010-5137).
    #[error("Attempted to use a disabled opcode")]
    DisabledOpcode,
    /// The stack has too few elements for the opcode.
    #[error("Operation not valid with the current stack size")]
    InvalidStackOperation,
    /// The alternative stack has too few elements for the opcode.
    #[error("Operation not valid with the current altstack size")]
    InvalidAltstackOperation,
    /// An `OP_IF` without `OP_ENDIF`, or the reverse.
    #[error("Invalid OP_IF construction")]
    UnbalancedConditional,
    /// A lock time is negative (BIP-0065, BIP-0112).
    #[error("Negative locktime")]
    NegativeLockTime,
    /// A lock time has not passed (BIP-0065, BIP-0112).
    #[error("Locktime requirement not satisfied")]
    UnsatisfiedLockTime,
    /// A signature's hash type is undefined (policy).
    #[error("Signature hash type missing or not understood")]
    SigHashType,
    /// A signature is not in strict DER (BIP-0066).
    #[error("Non-canonical DER signature")]
    SigDer,
    /// Data is pushed in a longer form than it needs (policy).
    #[error("Data push larger than necessary")]
    MinimalData,
    /// An input's script does more than to push.
    #[error("Only push operators allowed in signatures")]
    SigPushOnly,
    /// A signature's S is in the upper half (policy).
    #[error("Non-canonical signature: S value is unnecessarily high")]
    SigHighS,
    /// The extra element of a multisig is not empty (BIP-0147).
    #[error("Dummy CHECKMULTISIG argument must be zero")]
    SigNullDummy,
    /// A public key is in no known form (policy).
    #[error("Public key is neither compressed or uncompressed")]
    PubkeyType,
    /// More than the result is left on the stack.
    #[error("Stack size must be exactly one after execution")]
    CleanStack,
    /// What `OP_IF` takes is neither empty nor one (policy of witness version 0).
    #[error("OP_IF/NOTIF argument must be minimal")]
    MinimalIf,
    /// A signature that does not verify is not empty (policy).
    #[error("Signature must be zero for failed CHECK(MULTI)SIG operation")]
    NullFail,
    /// An `OP_NOP` that may get a meaning (policy).
    #[error("NOPx reserved for soft-fork upgrades")]
    DiscourageUpgradableNops,
    /// A witness program that may get a meaning (policy).
    #[error("Witness version reserved for soft-fork upgrades")]
    DiscourageUpgradableWitnessProgram,
    /// A leaf version that may get a meaning (policy, BIP-0341).
    #[error("Taproot version reserved for soft-fork upgrades")]
    DiscourageUpgradableTaprootVersion,
    /// An `OP_SUCCESS` (policy, BIP-0342).
    #[error("OP_SUCCESSx reserved for soft-fork upgrades")]
    DiscourageOpSuccess,
    /// A kind of public key that may get a meaning (policy, BIP-0342).
    #[error("Public key version reserved for soft-fork upgrades")]
    DiscourageUpgradablePubkeyType,
    /// A witness program of version 0 has neither 20 nor 32 bytes (BIP-0141).
    #[error("Witness program has incorrect length")]
    WitnessProgramWrongLength,
    /// A witness program is spent without a witness (BIP-0141).
    #[error("Witness program was passed an empty witness")]
    WitnessProgramWitnessEmpty,
    /// The witness is not what the program commits to (BIP-0141, BIP-0341).
    #[error("Witness program hash mismatch")]
    WitnessProgramMismatch,
    /// A witness program is spent with an input script (BIP-0141).
    #[error("Witness requires empty scriptSig")]
    WitnessMalleated,
    /// A witness program inside of P2SH is spent with more than its push (BIP-0141).
    #[error("Witness requires only-redeemscript scriptSig")]
    WitnessMalleatedP2sh,
    /// There is a witness where no witness program is spent (BIP-0141).
    #[error("Witness provided for non-witness script")]
    WitnessUnexpected,
    /// A key in witness version 0 is not compressed (policy).
    #[error("Using non-compressed keys in segwit")]
    WitnessPubkeyType,
    /// A Schnorr signature has neither 64 nor 65 bytes (BIP-0341).
    #[error("Invalid Schnorr signature size")]
    SchnorrSigSize,
    /// A Schnorr signature's hash type is undefined, or asks for an output that is missing (BIP-0341).
    #[error("Invalid Schnorr signature hash type")]
    SchnorrSigHashType,
    /// A Schnorr signature does not verify (BIP-0340).
    #[error("Invalid Schnorr signature")]
    SchnorrSig,
    /// A control block has a wrong length (BIP-0341).
    #[error("Invalid Taproot control block size")]
    TaprootWrongControlSize,
    /// There are more signatures than the witness is long enough for (BIP-0342).
    #[error("Too much signature validation relative to witness weight")]
    TapscriptValidationWeight,
    /// A multisig opcode, which tapscript does not have (BIP-0342).
    #[error("OP_CHECKMULTISIG(VERIFY) is not available in tapscript")]
    TapscriptCheckMultisig,
    /// What `OP_IF` takes is neither empty nor one (BIP-0342).
    #[error("OP_IF/NOTIF argument must be minimal in tapscript")]
    TapscriptMinimalIf,
    /// A public key is empty (BIP-0342).
    #[error("Empty public key in tapscript")]
    TapscriptEmptyPubkey,
    /// `OP_CODESEPARATOR` outside of a witness (policy).
    #[error("Using OP_CODESEPARATOR in non-witness script")]
    OpCodeSeparator,
    /// A signature is a part of the script that it signs (policy).
    #[error("Signature is found in scriptCode")]
    SigFindAndDelete,
}

impl ScriptFailure {
    /// Bitcoin Core's name, such as `EVAL_FALSE`, as its test vectors write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EvalFalse => "EVAL_FALSE",
            Self::OpReturn => "OP_RETURN",
            Self::ScriptNum => "SCRIPTNUM",
            Self::ScriptSize => "SCRIPT_SIZE",
            Self::PushSize => "PUSH_SIZE",
            Self::OpCount => "OP_COUNT",
            Self::StackSize => "STACK_SIZE",
            Self::SigCount => "SIG_COUNT",
            Self::PubkeyCount => "PUBKEY_COUNT",
            Self::Verify => "VERIFY",
            Self::EqualVerify => "EQUALVERIFY",
            Self::CheckMultisigVerify => "CHECKMULTISIGVERIFY",
            Self::CheckSigVerify => "CHECKSIGVERIFY",
            Self::NumEqualVerify => "NUMEQUALVERIFY",
            Self::BadOpcode => "BAD_OPCODE",
            Self::DisabledOpcode => "DISABLED_OPCODE",
            Self::InvalidStackOperation => "INVALID_STACK_OPERATION",
            Self::InvalidAltstackOperation => "INVALID_ALTSTACK_OPERATION",
            Self::UnbalancedConditional => "UNBALANCED_CONDITIONAL",
            Self::NegativeLockTime => "NEGATIVE_LOCKTIME",
            Self::UnsatisfiedLockTime => "UNSATISFIED_LOCKTIME",
            Self::SigHashType => "SIG_HASHTYPE",
            Self::SigDer => "SIG_DER",
            Self::MinimalData => "MINIMALDATA",
            Self::SigPushOnly => "SIG_PUSHONLY",
            Self::SigHighS => "SIG_HIGH_S",
            Self::SigNullDummy => "SIG_NULLDUMMY",
            Self::PubkeyType => "PUBKEYTYPE",
            Self::CleanStack => "CLEANSTACK",
            Self::MinimalIf => "MINIMALIF",
            Self::NullFail => "NULLFAIL",
            Self::DiscourageUpgradableNops => "DISCOURAGE_UPGRADABLE_NOPS",
            Self::DiscourageUpgradableWitnessProgram => "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
            Self::DiscourageUpgradableTaprootVersion => "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
            Self::DiscourageOpSuccess => "DISCOURAGE_OP_SUCCESS",
            Self::DiscourageUpgradablePubkeyType => "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
            Self::WitnessProgramWrongLength => "WITNESS_PROGRAM_WRONG_LENGTH",
            Self::WitnessProgramWitnessEmpty => "WITNESS_PROGRAM_WITNESS_EMPTY",
            Self::WitnessProgramMismatch => "WITNESS_PROGRAM_MISMATCH",
            Self::WitnessMalleated => "WITNESS_MALLEATED",
            Self::WitnessMalleatedP2sh => "WITNESS_MALLEATED_P2SH",
            Self::WitnessUnexpected => "WITNESS_UNEXPECTED",
            Self::WitnessPubkeyType => "WITNESS_PUBKEYTYPE",
            Self::SchnorrSigSize => "SCHNORR_SIG_SIZE",
            Self::SchnorrSigHashType => "SCHNORR_SIG_HASHTYPE",
            Self::SchnorrSig => "SCHNORR_SIG",
            Self::TaprootWrongControlSize => "TAPROOT_WRONG_CONTROL_SIZE",
            Self::TapscriptValidationWeight => "TAPSCRIPT_VALIDATION_WEIGHT",
            Self::TapscriptCheckMultisig => "TAPSCRIPT_CHECKMULTISIG",
            Self::TapscriptMinimalIf => "TAPSCRIPT_MINIMALIF",
            Self::TapscriptEmptyPubkey => "TAPSCRIPT_EMPTY_PUBKEY",
            Self::OpCodeSeparator => "OP_CODESEPARATOR",
            Self::SigFindAndDelete => "SIG_FINDANDDELETE",
        }
    }
}

/// What a part of a script gives, or why the whole of it fails.
pub(crate) type Outcome<T = ()> = Result<T, ScriptFailure>;
