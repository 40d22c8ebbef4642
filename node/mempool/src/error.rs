//! Why a transaction is not accepted. Reasons and details are written as Bitcoin Core writes them,
//! because clients read them.

use std::borrow::Cow;
use std::fmt;

use pyrite_chain::ChainError;
use pyrite_consensus::bitcoin::{BlockHash, OutPoint, Txid, Wtxid};
use pyrite_consensus::{ScriptError, TransactionError};

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
    #[error("fee of {fee} satoshis is below the relay minimum of {required}")]
    BelowMinRelayFee {
        /// What it pays, with what the operator added, in satoshis.
        fee: i64,
        /// What its size asks for.
        required: i64,
    },
    /// It pays less than the minimum that evictions left.
    #[error("fee of {fee} satoshis is below the mempool's minimum of {required}")]
    BelowMempoolMinFee {
        /// What it pays, with what the operator added, in satoshis.
        fee: i64,
        /// What its size asks for.
        required: i64,
    },
    /// The set of unconfirmed transactions that it would be linked with is too large.
    #[error("a cluster of unconfirmed transactions would be too large")]
    TooLargeCluster,
    /// It spends outputs of an unconfirmed transaction, but not its dust.
    #[error("{0} did not spend parent's ephemeral dust")]
    MissingEphemeralSpends(TxName),
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
        /// What it would replace.
        evicts: Evicts,
    },
    /// It conflicts with transactions of the mempool, where replacing them is not allowed: in a
    /// package that is tested.
    #[error("it conflicts with transactions of the mempool")]
    ReplacementDisallowed,
    /// The mempool is full of transactions that pay more.
    #[error("the mempool is full")]
    Full,
    /// It pays more than the caller wants to.
    #[error("fee of {fee} satoshis is above the maximum of {max}")]
    MaxFeeExceeded {
        /// What it pays.
        fee: i64,
        /// The caller's maximum for its size.
        max: i64,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// An output that lists public keys itself, where that is not permitted.
    #[error("bare multisig output")]
    BareMultisig,
    /// Data-carrying outputs of more bytes than the limit.
    #[error("data-carrying outputs too long")]
    DataCarrier,
    /// More than one output that costs more to spend than it is worth.
    #[error("dust output")]
    Dust,
    /// One such output, in a transaction that pays a fee: a miner could take it alone, and the dust would stay.
    #[error("tx with dust output must be 0-fee")]
    DustWithFee,
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

/// A transaction as Bitcoin Core names it in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxName {
    /// Its id.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
}

impl fmt::Display for TxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tx {} (wtxid={})", self.txid, self.wtxid)
    }
}

/// A transaction and its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The transaction.
    pub child: TxName,
    /// Its parent.
    pub parent: TxName,
}

/// How a transaction breaks the topology rules of version 3 (BIP-0431).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrucViolation {
    /// A version 3 transaction spends an unconfirmed output of another version.
    #[error("version=3 {} cannot spend from non-version=3 {}", .0.child, .0.parent)]
    ParentOfOtherVersion(Box<Lineage>),
    /// A transaction of another version spends an unconfirmed output of version 3.
    #[error("non-version=3 {} cannot spend from version=3 {}", .0.child, .0.parent)]
    ChildOfOtherVersion(Box<Lineage>),
    /// More virtual bytes than allowed.
    #[error("version=3 {tx} is too big: {vsize} > {max} virtual bytes")]
    TooBig {
        /// The transaction.
        tx: TxName,
        /// Its virtual bytes.
        vsize: u64,
        /// The limit.
        max: u64,
    },
    /// More virtual bytes than allowed for one with an unconfirmed parent.
    #[error("version=3 child {tx} is too big: {vsize} > {max} virtual bytes")]
    ChildTooBig {
        /// The transaction.
        tx: TxName,
        /// Its virtual bytes.
        vsize: u64,
        /// The limit.
        max: u64,
    },
    /// More than one unconfirmed ancestor.
    #[error("{0} would have too many ancestors")]
    TooManyAncestors(TxName),
    /// The parent has another child.
    #[error("{0} would exceed descendant count limit")]
    TooManyDescendants(TxName),
}

/// What a transaction would take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evicts {
    /// Those that spend the same coins.
    Conflicts,
    /// Among others the only other child of its parent, both of version 3 (BIP-0431).
    Sibling,
}

/// Why a transaction may not replace those that it conflicts with (BIP-0125, as Bitcoin Core has it since clusters).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplacementError {
    /// Rule 5: more than 100 clusters would change.
    #[error("too many conflicting clusters ({count} > {max})")]
    TooMany {
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// Rule 3: it pays less than all that it replaces together.
    #[error("less fees than conflicting txs; {} < {}", money(*.fee), money(*.replaced))]
    LowerFee {
        /// What it pays, in satoshis.
        fee: i64,
        /// What the replaced ones pay.
        replaced: i64,
    },
    /// Rule 4: what it adds does not pay for its own bandwidth.
    #[error("not enough additional fees to relay; {} < {}", money(*.additional), money(*.required))]
    IncrementTooSmall {
        /// What it adds, in satoshis.
        additional: i64,
        /// What its size asks for.
        required: i64,
    },
    /// Blocks of the mempool would not pay more at every size.
    #[error("insufficient feerate: does not improve feerate diagram")]
    Diagram,
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
            Self::TooLargeCluster => "too-large-cluster",
            Self::MissingEphemeralSpends(_) => "missing-ephemeral-spends",
            Self::SpendsConflicting { .. } => "bad-txns-spends-conflicting-tx",
            Self::Replacement { reason, evicts, .. } => return reason.reject_reason(*evicts),
            Self::ReplacementDisallowed => "bip125-replacement-disallowed",
            Self::Full => "mempool full",
            Self::MaxFeeExceeded { .. } => "max feerate exceeded",
            Self::Unsettled => "tip-keeps-moving",
            Self::MissingBlock(_) | Self::Machine(_) => "internal-error",
        };
        Cow::Borrowed(reason)
    }

    /// What Bitcoin Core adds to the reason, after a comma.
    pub fn details(&self) -> Option<String> {
        match self {
            Self::BelowMinRelayFee { fee, required }
            | Self::BelowMempoolMinFee { fee, required } => Some(format!("{fee} < {required}")),
            Self::NonStandard(NonStandard::TooManySigops { cost }) => Some(cost.to_string()),
            Self::NonStandard(NonStandard::Truc(violation)) => Some(violation.to_string()),
            Self::NonStandard(NonStandard::DustWithFee) => {
                Some(NonStandard::DustWithFee.to_string())
            }
            Self::MissingEphemeralSpends(_) => Some(self.to_string()),
            Self::SpendsConflicting { txid, conflict } => {
                Some(format!("{txid} spends conflicting transaction {conflict}"))
            }
            Self::Replacement { txid, reason, .. } => Some(reason.details(txid)),
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

    /// Whether the same transaction may be taken as a part of a package, where others pay for it (Bitcoin Core's
    /// `TX_RECONSIDERABLE`).
    pub fn is_reconsiderable(&self) -> bool {
        match self {
            Self::BelowMinRelayFee { .. } | Self::BelowMempoolMinFee { .. } | Self::Full => true,
            Self::Replacement { reason, .. } => !matches!(reason, ReplacementError::TooMany { .. }),
            _ => false,
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
            Self::BareMultisig => "bare-multisig",
            Self::DataCarrier => "datacarrier",
            Self::Dust | Self::DustWithFee => "dust",
            Self::Inputs => "bad-txns-nonstandard-inputs",
            Self::Witness => "bad-witness-nonstandard",
            Self::TooManySigops { .. } => "bad-txns-too-many-sigops",
            Self::Truc(_) => "TRUC-violation",
        }
    }
}

impl ReplacementError {
    /// Bitcoin Core's reject reason.
    pub fn reject_reason(&self, evicts: Evicts) -> Cow<'static, str> {
        let reason = match self {
            Self::TooMany { .. } => "too many potential replacements",
            Self::LowerFee { .. } | Self::IncrementTooSmall { .. } => "insufficient fee",
            Self::Diagram => return Cow::Borrowed("replacement-failed"),
        };
        match evicts {
            Evicts::Conflicts => Cow::Borrowed(reason),
            Evicts::Sibling => Cow::Owned(format!("{reason} (including sibling eviction)")),
        }
    }

    /// What Bitcoin Core adds to the reason; `txid` is the transaction's.
    pub fn details(&self, txid: &Txid) -> String {
        match self {
            Self::TooMany { .. } => format!("rejecting replacement {txid}; {self}"),
            Self::LowerFee { .. } | Self::IncrementTooSmall { .. } => {
                format!("rejecting replacement {txid}, {self}")
            }
            Self::Diagram => self.to_string(),
        }
    }
}

/// Satoshis as bitcoin with two decimals or more, as Bitcoin Core's `FormatMoney` writes it.
fn money(satoshis: i64) -> String {
    let sign = if satoshis < 0 { "-" } else { "" };
    let amount = satoshis.unsigned_abs();
    let text = format!("{}.{:08}", amount / 100_000_000, amount % 100_000_000);
    let point = text.len() - 9;
    let kept = text.trim_end_matches('0').len().max(point + 3);
    format!("{sign}{}", &text[..kept])
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
            (-1_000, "-0.00001"),
        ] {
            assert_eq!(money(sat), text);
        }
    }

    #[test]
    fn a_reject_string_has_the_details() {
        let error = MempoolError::BelowMinRelayFee {
            fee: 0,
            required: 141,
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
