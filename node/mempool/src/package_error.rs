//! Why a package as a whole is refused.

use std::fmt;

use pyrite_consensus::bitcoin::Txid;

use crate::{Evicts, FeeRate, ReplacementError, TrucViolation};

/// Why a package as a whole is refused. It displays as Bitcoin Core's package message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// Other than a child with some of its parents.
    #[error("package-not-child-with-parents")]
    NotChildWithParents,
    /// Together they make a cluster too large.
    #[error("too-large-cluster")]
    TooLargeCluster,
    /// Together they break the topology rules of version 3.
    #[error("TRUC-violation, {0}")]
    Truc(TrucViolation),
    /// They may not replace what they conflict with.
    #[error("package RBF failed: {0}")]
    Replacement(PackageReplacementError),
    /// One of them leaves its parent's dust behind.
    #[error("unspent-dust")]
    UnspentDust,
    /// One of them fails; its own error says why.
    #[error("transaction failed")]
    TransactionFailed,
}

/// Why a package may not replace what it conflicts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageReplacementError {
    /// It has other than one parent and one child.
    NotParentAndChild,
    /// One of them spends an unconfirmed output from outside.
    HasAncestors,
    /// The child alone would raise no fee rate: the parent pays better by itself.
    ParentPaysBetter {
        /// Both together.
        package: FeeRate,
        /// The parent.
        parent: FeeRate,
    },
    /// A rule of replacement.
    Rule {
        /// The child.
        txid: Txid,
        /// The rule.
        reason: ReplacementError,
    },
}

impl PackageError {
    /// Whether it is about the package as a whole (Bitcoin Core's `PCKG_POLICY`), not about one of its transactions.
    pub fn is_of_the_whole(&self) -> bool {
        !matches!(self, Self::UnspentDust | Self::TransactionFailed)
    }
}

impl fmt::Display for PackageReplacementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotParentAndChild => f.write_str("package must be 1-parent-1-child"),
            Self::HasAncestors => f.write_str("new transaction cannot have mempool ancestors"),
            Self::ParentPaysBetter { package, parent } => write!(
                f,
                "package feerate is less than or equal to parent feerate, package feerate {package} \
                 <= parent feerate is {parent}"
            ),
            Self::Rule { txid, reason } => match reason {
                ReplacementError::TooMany { .. } => write!(
                    f,
                    "{}, {}",
                    reason.reject_reason(Evicts::Conflicts),
                    reason.details(txid)
                ),
                ReplacementError::LowerFee { .. } | ReplacementError::IncrementTooSmall { .. } => {
                    write!(f, "insufficient anti-DoS fees, {}", reason.details(txid))
                }
                ReplacementError::Diagram => write!(f, "{reason}"),
            },
        }
    }
}
