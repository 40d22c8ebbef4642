//! What can go wrong in a wallet. No message ever carries key material.

use std::path::PathBuf;

use bdk_wallet::rusqlite;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{Amount, BlockHash, Network, OutPoint, Txid, Weight};

/// An operation of a wallet failed.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The name is not usable as a directory name.
    #[error(
        "invalid wallet name {name:?}: use 1 to 64 letters, digits, dots, dashes or underscores, not starting with a dot"
    )]
    InvalidName {
        /// The name as given.
        name: String,
    },
    /// A file or directory could not be read or written.
    #[error("wallet file {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database is there, the seed that it belongs to is not.
    #[error("wallet seed {} is missing, but its database exists", path.display())]
    SeedMissing {
        /// Where the seed should be.
        path: PathBuf,
    },
    /// The seed file is not what a wallet wrote.
    #[error("wallet seed {} is damaged: {reason}", path.display())]
    SeedInvalid {
        /// The seed file.
        path: PathBuf,
        /// What is wrong; never a part of the seed.
        reason: String,
    },
    /// Another seed would have been overwritten.
    #[error("wallet seed {} exists and is another one", path.display())]
    SeedExists {
        /// The seed file.
        path: PathBuf,
    },
    /// Entropy of a length that BIP-0039 does not have.
    #[error("{length} bytes of entropy: must be 16, 20, 24, 28 or 32")]
    InvalidEntropy {
        /// Length in bytes.
        length: usize,
    },
    /// Not a BIP-0039 mnemonic.
    #[error("invalid mnemonic: {reason}")]
    InvalidMnemonic {
        /// What is wrong; never a word of it.
        reason: &'static str,
    },
    /// A key could not be derived.
    #[error("key derivation failed: {reason}")]
    Derivation {
        /// What the library says.
        reason: String,
    },
    /// The database failed.
    #[error("wallet database {}: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The database's content makes no sense.
    #[error("wallet database {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another process has the wallet open.
    #[error("wallet database {} is in use by another process", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The database was written by a newer program.
    #[error("wallet database {} has version {found}, this program knows up to {known}", path.display())]
    UnsupportedVersion {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// The wallet belongs to a network with other addresses.
    #[error("wallet database {} belongs to network {found}, not {expected}", path.display())]
    WrongNetwork {
        /// The database file.
        path: PathBuf,
        /// The wallet's network.
        found: String,
        /// The network asked for.
        expected: Network,
    },
    /// The wallet belongs to another chain.
    #[error("wallet database {} belongs to the chain with genesis block {found}, not {expected}", path.display())]
    WrongGenesis {
        /// The database file.
        path: PathBuf,
        /// The genesis block of the wallet's chain.
        found: BlockHash,
        /// The genesis block asked for.
        expected: BlockHash,
    },
    /// The database was made from another seed.
    #[error("wallet database {} was made from another seed than the one beside it", path.display())]
    WrongSeed {
        /// The database file.
        path: PathBuf,
    },
    /// A block was applied before the genesis block.
    #[error("block at height {height} applied to a new wallet: the genesis block comes first")]
    GenesisNotApplied {
        /// The height of the block.
        height: Height,
    },
    /// The genesis block applied is another chain's.
    #[error("genesis block {found} applied to a wallet of the chain {expected}")]
    WrongGenesisBlock {
        /// The block applied.
        found: BlockHash,
        /// The wallet's genesis block.
        expected: BlockHash,
    },
    /// The parent of a block is not in the wallet's chain.
    #[error("block at height {height}: its parent {parent} is not the wallet's block below it")]
    UnknownParent {
        /// The height of the block.
        height: Height,
        /// The parent that it names.
        parent: BlockHash,
    },
    /// There is no block at that height to go back to.
    #[error("the wallet has followed no block at height {height}")]
    UnknownHeight {
        /// The height.
        height: Height,
    },
    /// A payment to nobody.
    #[error("a payment needs a recipient")]
    NoRecipients,
    /// A payment of nothing.
    #[error("recipient {recipient}: the amount is zero")]
    ZeroAmount {
        /// Which recipient, from 0.
        recipient: usize,
    },
    /// A payment so small that nodes don't relay it.
    #[error("recipient {recipient}: {amount} is dust, the least is {minimum}")]
    Dust {
        /// Which recipient, from 0.
        recipient: usize,
        /// The amount.
        amount: Amount,
        /// The least that is relayed to such a script.
        minimum: Amount,
    },
    /// More than there can be.
    #[error("the amounts sum to more than there can be")]
    AmountOutOfRange,
    /// The fee to subtract leaves nothing worth sending.
    #[error("recipient {recipient}: the amount is too small to pay the fee of {fee}")]
    AmountTooSmallForFee {
        /// Which recipient, from 0.
        recipient: usize,
        /// Its share of the fee.
        fee: Amount,
    },
    /// Too few spendable coins.
    #[error("insufficient funds: {needed} needed, {available} available")]
    InsufficientFunds {
        /// The amounts and the fee.
        needed: Amount,
        /// What can be spent now.
        available: Amount,
    },
    /// The fee is higher than the caller allows.
    #[error("the fee of {fee} exceeds the maximum of {maximum}")]
    FeeTooHigh {
        /// The transaction's fee.
        fee: Amount,
        /// The caller's limit.
        maximum: Amount,
    },
    /// A fee rate that can't be meant.
    #[error("fee rate of {fee_rate_sat_per_kvb} sat/kvB exceeds {maximum_sat_per_kvb} sat/kvB")]
    FeeRateTooHigh {
        /// The rate asked for.
        fee_rate_sat_per_kvb: u64,
        /// The highest rate.
        maximum_sat_per_kvb: u64,
    },
    /// The transaction would be too heavy to be relayed.
    #[error("the transaction would weigh {weight}, the most that is relayed is {maximum}")]
    TransactionTooLarge {
        /// Its weight.
        weight: Weight,
        /// The limit.
        maximum: Weight,
    },
    /// The key derived for a coin does not fit its script.
    #[error("the key of coin {outpoint} does not fit its script")]
    KeyMismatch {
        /// The coin.
        outpoint: OutPoint,
    },
    /// A transaction that has nothing to do with the wallet.
    #[error("transaction {txid} neither spends nor pays this wallet")]
    NotRelevant {
        /// The transaction.
        txid: Txid,
    },
    /// All two billion addresses of an account are used up.
    #[error("no address is left")]
    AddressesExhausted,
    /// A text kept with an address or transaction is too long.
    #[error("text of {length} bytes: at most {maximum}")]
    TextTooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        maximum: usize,
    },
}
