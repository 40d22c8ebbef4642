//! Why a transaction is not accepted. Reasons and details are written as Bitcoin Core writes them,
//! because clients read them.

use std::borrow::Cow;

use pyrite_chain::ChainError;
use pyrite_consensus::bitcoin::{Amount, BlockHash, OutPoint, Txid};
use pyrite_consensus::{ScriptError, TransactionError};

use crate::FeeRate;

/// Why a transaction is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MempoolError {
    /// A coinbase lives in a block only.
    #[error("a coinbase transaction can't be relayed by itself")]
    Coinbase,
    /// It is in the mempool.
    #[error("the transaction is in the mempool")]
    AlreadyInMempool,
    /// The mempool holds it with another witness.
    #[error("the mempool holds the transaction with another witness")]
    SameTxidInMempool,
    /// It is in the chain, with an output that is not spent.
    #[error("the transaction is in the chain")]
    AlreadyInChain,
    /// Consensus rules, but for scripts.
    #[error("invalid transaction: {0}")]
    Invalid(TransactionError),
    /// A script does not verify.
    #[error("script: {0}")]
    Script(ScriptError),
    /// Its scripts are valid in a block, but not under the flags that relay asks for.
    #[error("not standard: script: {0}")]
    NonStandardScript(ScriptError),
    /// Valid, but not of a form that this node relays.
    #[error("not standard: {0}")]
    NonStandard(NonStandard),
    /// It has a witness, and the chain's next block may not have any yet.
    #[error("witnesses are not active yet")]
    WitnessNotActive,
    /// Its lock time keeps it out of the next block.
    #[error("its lock time is not reached")]
    NonFinal,
    /// A relative lock (BIP-0068) keeps it out of the next block.
    #[error("a relative lock time of its inputs is not reached")]
    NonBip68Final,
    /// These coins are not known: spent, or of a parent that has not come yet.
    #[error("{} of its inputs are missing or spent", .0.len())]
    MissingInputs(Vec<OutPoint>),
    /// It pays less than the relay minimum.
    #[error("fee of {fee} is below the relay minimum of {required}")]
    BelowMinRelayFee {
        /// What it pays.
        fee: Amount,
        /// What its size asks for.
        required: Amount,
    },
    /// It pays less than the minimum that evictions left.
    #[error("fee of {fee} is below the mempool's minimum of {required}")]
    BelowMempoolMinFee {
        /// What it pays.
        fee: Amount,
        /// What its size asks for.
        required: Amount,
    },
    /// A chain of unconfirmed transactions would grow too long.
    #[error("{0}")]
    TooLongChain(ChainLimit),
    /// It spends an output of a transaction that it conflicts with.
    #[error("{txid} spends an output of {conflict}, which it would replace")]
    SpendsConflicting {
        /// The transaction.
        txid: Txid,
        /// The ancestor that it conflicts with.
        conflict: Txid,
    },
    /// It conflicts with transactions of the mempool and may not replace them.
    #[error("{txid} replaces nothing: {reason}")]
    Replacement {
        /// The transaction.
        txid: Txid,
        /// Which rule it breaks.
        reason: ReplacementError,
    },
    /// It conflicts with transactions of the mempool, where replacing them is not allowed: in a
    /// package that is tested.
    #[error("it conflicts with transactions of the mempool")]
    ReplacementDisallowed,
    /// The mempool is full of transactions that pay more.
    #[error("the mempool is full")]
    Full,
    /// It pays more than the caller wants to.
    #[error("fee of {fee} is above the maximum of {max}")]
    MaxFeeExceeded {
        /// What it pays.
        fee: Amount,
        /// The caller's maximum for its size.
        max: Amount,
    },
    /// The tip kept moving while the transaction was checked; it can be tried again.
    #[error("the tip keeps moving")]
    Unsettled,
    /// The chain has no body for a block of its best chain.
    #[error("block {0} is missing from the database")]
    MissingBlock(BlockHash),
    /// The machine failed.
    #[error(transparent)]
    Machine(#[from] ChainError),
}

/// How a transaction is not standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NonStandard {
    /// A version other than 1, 2 and 3.
    #[error("unknown version")]
    Version,
    /// More than 400,000 weight units.
    #[error("too heavy")]
    Weight,
    /// Fewer than 65 bytes without witness (CVE-2017-12842).
    #[error("too small")]
    TooSmall,
    /// An input script of more than 1,650 bytes.
    #[error("input script too long")]
    ScriptSigSize,
    /// An input script with an operation.
    #[error("input script does more than push data")]
    ScriptSigNotPushOnly,
    /// An output script of no known form.
    #[error("output script of no standard form")]
    ScriptPubkey,
    /// Data-carrying outputs of more bytes than the limit.
    #[error("data-carrying outputs too long")]
    DataCarrier,
    /// An output that costs more to spend than it is worth.
    #[error("dust output")]
    Dust,
    /// An input that spends an unknown form of script or too many sigops.
    #[error("input of no standard form")]
    Inputs,
    /// A witness beyond the limits.
    #[error("witness beyond the limits")]
    Witness,
    /// A sigop cost above 16,000.
    #[error("sigop cost of {cost}")]
    TooManySigops {
        /// The cost.
        cost: u64,
    },
    /// The topology rules of version 3 (BIP-0431).
    #[error("version 3 rules: {0}")]
    Truc(TrucViolation),
}

/// How a transaction breaks the topology rules of version 3 (BIP-0431).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrucViolation {
    /// A version 3 transaction spends an unconfirmed output of another version.
    #[error("version=3 tx cannot spend from non-version=3 tx {parent}")]
    ParentOfOtherVersion {
        /// The parent.
        parent: Txid,
    },
    /// A transaction of another version spends an unconfirmed output of version 3.
    #[error("non-version=3 tx cannot spend from version=3 tx {parent}")]
    ChildOfOtherVersion {
        /// The parent.
        parent: Txid,
    },
    /// More virtual bytes than allowed.
    #[error("version=3 tx is too big: {vsize} > {max} virtual bytes")]
    TooBig {
        /// Its virtual bytes.
        vsize: u64,
        /// The limit at its place.
        max: u64,
    },
    /// More than one unconfirmed ancestor.
    #[error("tx would have too many ancestors")]
    TooManyAncestors,
    /// The parent has another child.
    #[error("tx {parent} would exceed descendant count limit")]
    TooManyDescendants {
        /// The parent.
        parent: Txid,
    },
}

/// Which limit on chains of unconfirmed transactions is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainLimit {
    /// Count of the transaction and its ancestors.
    #[error("too many unconfirmed ancestors [limit: {limit}]")]
    AncestorCount {
        /// The limit.
        limit: u64,
    },
    /// Virtual bytes of the transaction and its ancestors.
    #[error("exceeds ancestor size limit [limit: {limit}]")]
    AncestorSize {
        /// The limit.
        limit: u64,
    },
    /// Count of an ancestor and its descendants.
    #[error("too many descendants for tx {ancestor} [limit: {limit}]")]
    DescendantCount {
        /// The ancestor.
        ancestor: Txid,
        /// The limit.
        limit: u64,
    },
    /// Virtual bytes of an ancestor and its descendants.
    #[error("exceeds descendant size limit for tx {ancestor} [limit: {limit}]")]
    DescendantSize {
        /// The ancestor.
        ancestor: Txid,
        /// The limit.
        limit: u64,
    },
}

/// Why a transaction may not replace those that it conflicts with (BIP-0125).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplacementError {
    /// Its fee rate is not above that of each transaction that it conflicts with.
    #[error("new feerate {new} <= old feerate {old}")]
    LowerFeeRate {
        /// Its rate.
        new: FeeRate,
        /// The rate of one that it conflicts with.
        old: FeeRate,
    },
    /// Rule 5: more than 100 transactions would have to go.
    #[error("too many potential replacements ({count} > {max})")]
    TooMany {
        /// How many.
        count: u64,
        /// The limit.
        max: u64,
    },
    /// Rule 3: it pays less than all that it replaces together.
    #[error("less fees than conflicting txs; {} < {}", money(*.fee), money(*.replaced))]
    LowerFee {
        /// What it pays.
        fee: Amount,
        /// What the replaced ones pay.
        replaced: Amount,
    },
    /// Rule 4: what it adds does not pay for its own bandwidth.
    #[error("not enough additional fees to relay; {} < {}", money(*.additional), money(*.required))]
    IncrementTooSmall {
        /// What it adds.
        additional: Amount,
        /// What its size asks for.
        required: Amount,
    },
}

impl MempoolError {
    /// Bitcoin Core's reject reason, such as `txn-already-in-mempool`; what
    /// `testmempoolaccept` says, except that it says `missing-inputs` for missing inputs.
    pub fn reject_reason(&self) -> Cow<'static, str> {
        let reason = match self {
            Self::Coinbase => "coinbase",
            Self::AlreadyInMempool => "txn-already-in-mempool",
            Self::SameTxidInMempool => "txn-same-nonwitness-data-in-mempool",
            Self::AlreadyInChain => "txn-already-known",
            Self::Invalid(error) => error.reject_reason(),
            Self::Script(error) | Self::NonStandardScript(error) => {
                // In brackets is the rule alone, as in Bitcoin Core; `Display` names the input too.
                let rule = error
                    .failure()
                    .map_or_else(|| error.to_string(), |rule| rule.to_string());
                return Cow::Owned(format!("mempool-script-verify-flag-failed ({rule})"));
            }
            Self::NonStandard(reason) => reason.reject_reason(),
            Self::WitnessNotActive => "no-witness-yet",
            Self::NonFinal => "non-final",
            Self::NonBip68Final => "non-BIP68-final",
            Self::MissingInputs(_) => "bad-txns-inputs-missingorspent",
            Self::BelowMinRelayFee { .. } => "min relay fee not met",
            Self::BelowMempoolMinFee { .. } => "mempool min fee not met",
            Self::TooLongChain(_) => "too-long-mempool-chain",
            Self::SpendsConflicting { .. } => "bad-txns-spends-conflicting-tx",
            Self::Replacement { reason, .. } => reason.reject_reason(),
            Self::ReplacementDisallowed => "bip125-replacement-disallowed",
            Self::Full => "mempool full",
            Self::MaxFeeExceeded { .. } => "max-fee-exceeded",
            Self::Unsettled => "tip-keeps-moving",
            Self::MissingBlock(_) | Self::Machine(_) => "internal-error",
        };
        Cow::Borrowed(reason)
    }

    /// What Bitcoin Core adds to the reason, after a comma.
    pub fn details(&self) -> Option<String> {
        match self {
            Self::BelowMinRelayFee { fee, required }
            | Self::BelowMempoolMinFee { fee, required } => {
                Some(format!("{} < {}", fee.to_sat(), required.to_sat()))
            }
            Self::NonStandard(NonStandard::TooManySigops { cost }) => Some(cost.to_string()),
            Self::NonStandard(NonStandard::Truc(violation)) => Some(violation.to_string()),
            Self::TooLongChain(limit) => Some(limit.to_string()),
            Self::SpendsConflicting { txid, conflict } => {
                Some(format!("{txid} spends conflicting transaction {conflict}"))
            }
            Self::Replacement { txid, reason } => {
                let separator = match reason {
                    ReplacementError::LowerFeeRate { .. } | ReplacementError::TooMany { .. } => ';',
                    ReplacementError::LowerFee { .. }
                    | ReplacementError::IncrementTooSmall { .. } => ',',
                };
                Some(format!("rejecting replacement {txid}{separator} {reason}"))
            }
            _ => None,
        }
    }

    /// The reason and, where there are any, the details: `min relay fee not met, 0 < 141`.
    pub fn reject_string(&self) -> String {
        match self.details() {
            Some(details) => format!("{}, {details}", self.reject_reason()),
            None => self.reject_reason().into_owned(),
        }
    }

    /// Whether it breaks a rule of consensus that no honest peer overlooks, so that the peer who sent it
    /// deserves blame. What depends on policy or on the chain's present state does not.
    pub fn is_peer_fault(&self) -> bool {
        match self {
            // Maturity depends on the tip, which an honest peer may see differently.
            Self::Invalid(TransactionError::ImmatureCoinbase { .. }) => false,
            Self::Invalid(_) => true,
            Self::Coinbase | Self::Script(_) => true,
            _ => false,
        }
    }
}

/// Why a package as a whole is not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// More transactions than a package may have.
    #[error("package-too-many-transactions")]
    TooManyTransactions,
    /// More weight than a package may have.
    #[error("package-too-large")]
    TooLarge,
    /// The same transaction twice.
    #[error("package-contains-duplicates")]
    ContainsDuplicates,
    /// A child before its parent.
    #[error("package-not-sorted")]
    NotSorted,
    /// Two transactions that spend the same coin.
    #[error("conflict-in-package")]
    Conflict,
    /// Together they make a chain of unconfirmed transactions too long.
    #[error("package-mempool-limits")]
    MempoolLimits,
    /// Together they break the topology rules of version 3.
    #[error("TRUC-violation, {0}")]
    Truc(TrucViolation),
}

impl NonStandard {
    /// Bitcoin Core's reject reason.
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Weight => "tx-size",
            Self::TooSmall => "tx-size-small",
            Self::ScriptSigSize => "scriptsig-size",
            Self::ScriptSigNotPushOnly => "scriptsig-not-pushonly",
            Self::ScriptPubkey => "scriptpubkey",
            Self::DataCarrier => "datacarrier",
            Self::Dust => "dust",
            Self::Inputs => "bad-txns-nonstandard-inputs",
            Self::Witness => "bad-witness-nonstandard",
            Self::TooManySigops { .. } => "bad-txns-too-many-sigops",
            Self::Truc(_) => "TRUC-violation",
        }
    }
}

impl ReplacementError {
    /// Bitcoin Core's reject reason.
    pub fn reject_reason(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "too many potential replacements",
            Self::LowerFeeRate { .. } | Self::LowerFee { .. } | Self::IncrementTooSmall { .. } => {
                "insufficient fee"
            }
        }
    }
}

/// An amount in bitcoin with two decimals or more, as Bitcoin Core's `FormatMoney` writes it.
fn money(amount: Amount) -> String {
    let text = format!(
        "{}.{:08}",
        amount.to_sat() / 100_000_000,
        amount.to_sat() % 100_000_000
    );
    let point = text.len() - 9;
    let kept = text.trim_end_matches('0').len().max(point + 3);
    text[..kept].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_two_decimals_at_least() {
        for (sat, text) in [
            (0, "0.00"),
            (1_000, "0.00001"),
            (100_000_000, "1.00"),
            (123_456_789, "1.23456789"),
            (1_010_000_000, "10.10"),
        ] {
            assert_eq!(money(Amount::from_sat(sat)), text);
        }
    }

    #[test]
    fn a_reject_string_has_the_details() {
        let error = MempoolError::BelowMinRelayFee {
            fee: Amount::ZERO,
            required: Amount::from_sat(141),
        };
        assert_eq!(error.reject_string(), "min relay fee not met, 0 < 141");
        assert_eq!(MempoolError::Full.reject_string(), "mempool full");
    }

    #[test]
    fn policy_is_no_peers_fault() {
        assert!(!MempoolError::NonStandard(NonStandard::Dust).is_peer_fault());
        assert!(!MempoolError::MissingInputs(Vec::new()).is_peer_fault());
        assert!(MempoolError::Coinbase.is_peer_fault());
    }
}
