//! The outcome of a call: a result, or an error with one of Bitcoin's codes.

use jsonrpsee::types::ErrorObjectOwned;

/// Bitcoin Core's error codes (`rpc/protocol.h`).
pub(crate) mod code {
    /// The request isn't one.
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    /// No such method.
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    /// Parameters that exclude each other.
    pub(crate) const INVALID_PARAMS: i32 = -32602;
    /// A fault of the server.
    pub(crate) const INTERNAL_ERROR: i32 = -32603;
    /// The body isn't JSON.
    pub(crate) const PARSE_ERROR: i32 = -32700;
    /// Anything without a code of its own; also a wrong number of parameters, with the help text.
    pub(crate) const MISC_ERROR: i32 = -1;
    /// A parameter of the wrong type.
    pub(crate) const TYPE_ERROR: i32 = -3;
    /// A failure of the wallet.
    pub(crate) const WALLET_ERROR: i32 = -4;
    /// An unknown block, transaction or address.
    pub(crate) const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// The wallet has too little.
    pub(crate) const WALLET_INSUFFICIENT_FUNDS: i32 = -6;
    /// A parameter that is missing, out of range or doesn't fit the others.
    pub(crate) const INVALID_PARAMETER: i32 = -8;
    /// The node is stopping, or has no peers where some are needed.
    pub(crate) const CLIENT_NOT_CONNECTED: i32 = -9;
    /// `getrawtransaction` and such: the node is downloading the chain.
    pub(crate) const CLIENT_IN_INITIAL_DOWNLOAD: i32 = -10;
    /// A label that can't be one.
    pub(crate) const WALLET_INVALID_LABEL_NAME: i32 = -11;
    /// No such wallet.
    pub(crate) const WALLET_NOT_FOUND: i32 = -18;
    /// The database can't be read or written.
    pub(crate) const DATABASE_ERROR: i32 = -20;
    /// Bytes that don't decode.
    pub(crate) const DESERIALIZATION_ERROR: i32 = -22;
    /// A node was added already.
    pub(crate) const CLIENT_NODE_ALREADY_ADDED: i32 = -23;
    /// A node had not been added.
    pub(crate) const CLIENT_NODE_NOT_ADDED: i32 = -24;
    /// A transaction or block can't be submitted.
    pub(crate) const VERIFY_ERROR: i32 = -25;
    /// A transaction was refused by the rules or the policy.
    pub(crate) const VERIFY_REJECTED: i32 = -26;
    /// A transaction's outputs exist already.
    pub(crate) const VERIFY_ALREADY_IN_UTXO_SET: i32 = -27;
    /// The node is starting.
    pub(crate) const IN_WARMUP: i32 = -28;
    /// The peer isn't connected.
    pub(crate) const CLIENT_NODE_NOT_CONNECTED: i32 = -29;
    /// What should be banned or unbanned is not a peer, or is not banned.
    pub(crate) const CLIENT_INVALID_IP_OR_SUBNET: i32 = -30;
    /// A parameter that is no longer supported.
    pub(crate) const METHOD_DEPRECATED: i32 = -32;
}

/// Why a call failed, as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (code {code})")]
pub(crate) struct CallError {
    /// One of Bitcoin's codes.
    pub(crate) code: i32,
    /// What happened, for people.
    pub(crate) message: String,
}

/// The outcome of a call.
pub(crate) type CallResult<T> = Result<T, CallError>;

impl CallError {
    /// An error with this code.
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A parameter that doesn't fit.
    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMETER, message)
    }

    /// An unknown block, transaction or address.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_ADDRESS_OR_KEY, message)
    }

    /// Anything without a code of its own.
    pub(crate) fn misc(message: impl Into<String>) -> Self {
        Self::new(code::MISC_ERROR, message)
    }
}

impl From<CallError> for ErrorObjectOwned {
    fn from(error: CallError) -> Self {
        Self::owned(error.code, error.message, None::<()>)
    }
}
