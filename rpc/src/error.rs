//! Why the server can't start, and the one map from the node's errors to Bitcoin's codes.

use std::net::SocketAddr;
use std::path::PathBuf;

use pyrite_chain::{ChainError, SubmitError};
use pyrite_index::IndexError;
use pyrite_mempool::MempoolError;
use pyrite_miner::{MinerError, WorkError};
use pyrite_network::NetworkError;
use pyrite_wallet::WalletError;

use crate::call::{CallError, code};

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The address can't be listened on: most often its port is taken.
    #[error("cannot listen for RPC on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The cookie file can't be written.
    #[error("cannot write the RPC cookie {}: {}", path.display(), reason(source))]
    Cookie {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The threads that serve connections can't be started.
    #[error("cannot start a thread for RPC: {0}")]
    Threads(#[source] std::io::Error),
}

/// What the system said, in the words for it that the node has.
fn reason(source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => source.to_string(),
    }
}

impl From<ChainError> for CallError {
    fn from(error: ChainError) -> Self {
        tracing::error!(%error, "an RPC call met a failure of the chain database");
        Self::new(code::DATABASE_ERROR, error.to_string())
    }
}

impl From<IndexError> for CallError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Closed => stopping(),
            IndexError::BadCursor => Self::invalid_parameter("after is not what an answer gave"),
            error => {
                tracing::error!(%error, "an RPC call met a failure of an index");
                Self::new(code::DATABASE_ERROR, error.to_string())
            }
        }
    }
}

impl From<SubmitError> for CallError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Machine(error) => error.into(),
            SubmitError::Stopped => stopping(),
            SubmitError::UnknownBlock(_) => Self::not_found("Block not found"),
            other => {
                let reason = other
                    .reject_reason()
                    .map_or_else(|| other.to_string(), str::to_owned);
                Self::new(code::VERIFY_ERROR, reason)
            }
        }
    }
}

impl From<MempoolError> for CallError {
    fn from(error: MempoolError) -> Self {
        match error {
            MempoolError::Machine(error) => error.into(),
            MempoolError::AlreadyInChain => Self::new(
                code::VERIFY_ALREADY_IN_UTXO_SET,
                "Transaction outputs already in utxo set",
            ),
            MempoolError::MissingInputs(_) => {
                Self::new(code::VERIFY_ERROR, "bad-txns-inputs-missingorspent")
            }
            MempoolError::MaxFeeExceeded { .. } => Self::new(
                code::VERIFY_ERROR,
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
            ),
            other => Self::new(code::VERIFY_REJECTED, other.reject_string()),
        }
    }
}

impl From<WalletError> for CallError {
    fn from(error: WalletError) -> Self {
        let code = match &error {
            WalletError::InsufficientFunds { .. } => {
                return Self::new(code::WALLET_INSUFFICIENT_FUNDS, "Insufficient funds");
            }
            WalletError::AmountTooSmallForFee { .. } => {
                return Self::new(
                    code::WALLET_INSUFFICIENT_FUNDS,
                    "The transaction amount is too small to pay the fee",
                );
            }
            WalletError::Dust { .. } | WalletError::ZeroAmount { .. } => {
                return Self::new(
                    code::WALLET_INSUFFICIENT_FUNDS,
                    "Transaction amount too small",
                );
            }
            WalletError::FeeTooHigh { .. } => {
                return Self::new(
                    code::WALLET_INSUFFICIENT_FUNDS,
                    "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
                );
            }
            WalletError::TransactionTooLarge { .. } => {
                return Self::new(code::WALLET_INSUFFICIENT_FUNDS, "Transaction too large");
            }
            WalletError::AmountOutOfRange => code::TYPE_ERROR,
            WalletError::NoRecipients
            | WalletError::FeeRateTooHigh { .. }
            | WalletError::TextTooLong { .. } => code::INVALID_PARAMETER,
            _ => code::WALLET_ERROR,
        };
        Self::new(code, error.to_string())
    }
}

impl From<NetworkError> for CallError {
    fn from(error: NetworkError) -> Self {
        match &error {
            NetworkError::AlreadyAdded { .. } => {
                Self::new(code::CLIENT_NODE_ALREADY_ADDED, "Error: Node already added")
            }
            NetworkError::NotAdded { .. } => Self::new(
                code::CLIENT_NODE_NOT_ADDED,
                "Error: Node could not be removed. It has not been added previously.",
            ),
            NetworkError::NotConnected { .. } => Self::new(
                code::CLIENT_NODE_NOT_CONNECTED,
                "Node not found in connected nodes",
            ),
            NetworkError::Address { .. } => Self::invalid_parameter(error.to_string()),
            NetworkError::Stopped => stopping(),
            _ => Self::misc(error.to_string()),
        }
    }
}

impl From<WorkError> for CallError {
    fn from(error: WorkError) -> Self {
        match &error {
            WorkError::Rejected { reason } => Self::new(code::VERIFY_ERROR, reason.clone()),
            WorkError::Stale => Self::new(code::VERIFY_ERROR, "inconclusive"),
            WorkError::Unavailable { .. } => {
                Self::new(code::CLIENT_IN_INITIAL_DOWNLOAD, error.to_string())
            }
            WorkError::Stopped => stopping(),
            WorkError::Machine { .. } => Self::new(code::DATABASE_ERROR, error.to_string()),
        }
    }
}

impl From<MinerError> for CallError {
    fn from(error: MinerError) -> Self {
        match &error {
            MinerError::NoThreads
            | MinerError::TooManyThreads { .. }
            | MinerError::IntensityOutOfRange { .. }
            | MinerError::UnknownDevice { .. }
            | MinerError::NoDevices
            | MinerError::UnknownKernel { .. }
            | MinerError::BadCores { .. }
            | MinerError::NoSuchCore { .. }
            | MinerError::LimitOutOfRange { .. } => Self::invalid_parameter(error.to_string()),
            MinerError::Spawn { .. } | MinerError::Stopped => Self::misc(error.to_string()),
            MinerError::ShutDown => stopping(),
        }
    }
}

/// The node is stopping.
pub(crate) fn stopping() -> CallError {
    CallError::new(code::CLIENT_NOT_CONNECTED, "Shutting down")
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::TransactionError;
    use pyrite_consensus::bitcoin::Amount;
    use pyrite_mempool::NonStandard;

    use super::*;

    fn sat(amount: u64) -> Amount {
        Amount::from_sat(amount)
    }

    #[test]
    fn a_busy_port_names_the_address() {
        let error = RpcError::Bind {
            address: "127.0.0.1:18443".parse().unwrap(),
            source: std::io::ErrorKind::AddrInUse.into(),
        };
        assert_eq!(
            error.to_string(),
            "cannot listen for RPC on 127.0.0.1:18443: address in use"
        );
    }

    #[test]
    fn refused_transactions_have_bitcoins_codes_and_reasons() {
        for (error, code, message) in [
            (
                MempoolError::AlreadyInChain,
                -27,
                "Transaction outputs already in utxo set",
            ),
            (
                MempoolError::MissingInputs(Vec::new()),
                -25,
                "bad-txns-inputs-missingorspent",
            ),
            (
                MempoolError::MaxFeeExceeded { fee: 2, max: 1 },
                -25,
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
            ),
            (
                MempoolError::BelowMinRelayFee {
                    fee: 0,
                    required: 141,
                },
                -26,
                "min relay fee not met, 0 < 141",
            ),
            (MempoolError::NonStandard(NonStandard::Dust), -26, "dust"),
            (
                MempoolError::Invalid(TransactionError::NoOutputs),
                -26,
                "bad-txns-vout-empty",
            ),
        ] {
            assert_eq!(CallError::from(error), CallError::new(code, message));
        }
    }

    #[test]
    fn the_wallets_errors_have_bitcoins_codes() {
        let error = WalletError::InsufficientFunds {
            needed: sat(2),
            available: sat(1),
        };
        assert_eq!(
            CallError::from(error),
            CallError::new(-6, "Insufficient funds")
        );
        assert_eq!(
            CallError::from(WalletError::ZeroAmount { recipient: 0 }),
            CallError::new(-6, "Transaction amount too small")
        );
        let error = WalletError::FeeTooHigh {
            fee: sat(2),
            maximum: sat(1),
        };
        assert_eq!(CallError::from(error).code, -6);
        assert_eq!(CallError::from(WalletError::AddressesExhausted).code, -4);
    }

    #[test]
    fn the_networks_errors_have_bitcoins_codes() {
        let address = || "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        for (error, code) in [
            (NetworkError::AlreadyAdded { address: address() }, -23),
            (NetworkError::NotAdded { address: address() }, -24),
            (
                NetworkError::NotConnected {
                    target: "1".to_owned(),
                },
                -29,
            ),
            (NetworkError::Stopped, -9),
        ] {
            assert_eq!(CallError::from(error).code, code);
        }
    }

    #[test]
    fn miner_settings_out_of_range_are_invalid_parameters() {
        assert_eq!(CallError::from(MinerError::NoThreads).code, -8);
        let error = MinerError::IntensityOutOfRange {
            intensity_percent: 0,
        };
        assert_eq!(CallError::from(error).code, -8);
        assert_eq!(CallError::from(WorkError::Stopped).code, -9);
    }
}
