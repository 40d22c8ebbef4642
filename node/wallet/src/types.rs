//! What goes into a wallet and what it tells.

use std::path::PathBuf;
use std::sync::Arc;

use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::{
    Address, Amount, BlockHash, Network, OutPoint, SignedAmount, Transaction, TxOut, Txid, absolute,
};

/// Which wallet, of which chain.
#[derive(Clone, Debug)]
pub struct WalletConfig {
    /// The directory that holds a directory for each wallet.
    pub directory: PathBuf,
    /// The wallet's name, which is also its directory's; empty means `default`.
    pub name: String,
    /// The kind of address, and BIP-0044's coin type: 0 for mainnet, 1 otherwise.
    pub network: Network,
    /// The chain, by its genesis block.
    pub genesis_hash: BlockHash,
    /// Blocks before a coinbase output can be spent.
    pub coinbase_maturity: u32,
}

/// The kind of a new address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressType {
    /// BIP-0084: P2WPKH.
    #[default]
    Bech32,
    /// BIP-0086: P2TR with a key path only.
    Bech32m,
}

impl AddressType {
    /// The name that Bitcoin Core gives it: `bech32`, `bech32m`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bech32 => "bech32",
            Self::Bech32m => "bech32m",
        }
    }

    /// The kind of that name; Bitcoin Core's other kinds (`legacy`, `p2sh-segwit`) are not offered.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "bech32" => Some(Self::Bech32),
            "bech32m" => Some(Self::Bech32m),
            _ => None,
        }
    }
}

/// The wallet's coins, by how certain they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balances {
    /// Confirmed, or unconfirmed from transactions that only this wallet can have made.
    pub trusted: Amount,
    /// Unconfirmed in the mempool, from others.
    pub untrusted_pending: Amount,
    /// Coinbase outputs that can't be spent yet.
    pub immature: Amount,
}

/// A coin of the wallet that nothing spends: confirmed and mature, or in the mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unspent {
    /// Where it was created.
    pub outpoint: OutPoint,
    /// Value and script.
    pub output: TxOut,
    /// The address that it was paid to.
    pub address: Address,
    /// The address's label, `None` if it was given none.
    pub label: Option<String>,
    /// Blocks on top of and including its own; 0 in the mempool.
    pub confirmations: u32,
    /// The height of its block.
    pub height: Option<Height>,
    /// Created by a coinbase transaction.
    pub coinbase: bool,
    /// Paid to a change address.
    pub is_change: bool,
    /// The wallet has the key; always the case today.
    pub spendable: bool,
    /// Confirmed, or trusted: [`WalletHandle::create_transaction`](crate::WalletHandle::create_transaction) may spend it.
    pub safe: bool,
    /// The output descriptor, with its key's origin, index and checksum.
    pub descriptor: String,
    /// The descriptor of the row of addresses that it is one of, with checksum.
    pub parent_descriptor: String,
}

/// How to make a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendOptions {
    /// Fee rate in satoshi per 1,000 virtual bytes.
    pub fee_rate_sat_per_kvb: u64,
    /// Take the fee off the recipients' amounts, in equal parts, instead of paying it on top.
    pub subtract_fee: bool,
    /// Signal BIP-0125 replaceability.
    pub replaceable: bool,
    /// Lock time; by default the height of the wallet's last block, against fee sniping.
    pub lock_time: Option<absolute::LockTime>,
    /// The highest fee to pay.
    pub max_fee: Amount,
}

impl Default for SendOptions {
    /// 1 sat/vB on top of the amounts, replaceable, at most 0.1 coins.
    fn default() -> Self {
        Self {
            fee_rate_sat_per_kvb: 1_000,
            subtract_fee: false,
            replaceable: true,
            lock_time: None,
            max_fee: Amount::from_sat(10_000_000),
        }
    }
}

/// The block that a transaction is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub block_hash: BlockHash,
    /// Its header's time, Unix seconds.
    pub block_time: u64,
    /// The transaction's place in it, from 0.
    pub block_index: u32,
}

/// What a transaction's output is to the wallet; the names are those of `listtransactions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Paid by the wallet.
    Send,
    /// Paid to the wallet.
    Receive,
    /// Mined, and mature.
    Generate,
    /// Mined, and not mature yet.
    Immature,
    /// Mined in a block that is not in the best chain.
    Orphan,
}

impl Category {
    /// Bitcoin Core's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Generate => "generate",
            Self::Immature => "immature",
            Self::Orphan => "orphan",
        }
    }
}

/// One output of a transaction, as the wallet sees it. A payment to oneself has two: sent and received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionDetail {
    /// Sent, received or mined.
    pub category: Category,
    /// The output's address, `None` if its script has none.
    pub address: Option<Address>,
    /// The address's label, `None` if the wallet has none for it.
    pub label: Option<String>,
    /// Which output.
    pub vout: u32,
    /// Its value, negative if sent.
    pub amount: SignedAmount,
    /// The transaction's fee, negative; with what was sent only, and if it is known.
    pub fee: Option<SignedAmount>,
    /// The descriptor of the row of addresses that it is one of, with checksum; of what was received.
    pub parent_descriptor: Option<String>,
}

/// A transaction of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletTransaction {
    /// Its id.
    pub txid: Txid,
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// The block of the best chain that it is in.
    pub confirmation: Option<Confirmation>,
    /// Blocks on top of and including its own; 0 unconfirmed; negative if a transaction that spends the same
    /// coins has that many.
    pub confirmations: i64,
    /// When the wallet first saw it, Unix seconds: in the mempool, else its block's time.
    pub time: u64,
    /// The wallet's coins that it spends.
    pub sent: Amount,
    /// What it pays to the wallet, change included.
    pub received: Amount,
    /// The fee, if the wallet made it and knows all coins that it spends.
    pub fee: Option<Amount>,
    /// It is a coinbase transaction.
    pub is_coinbase: bool,
    /// A coinbase transaction that can't be spent yet.
    pub is_immature: bool,
    /// It is in the mempool, as far as the wallet was told.
    pub in_mempool: bool,
    /// Its coins can be relied on: confirmed, or in the mempool and made by this wallet alone.
    pub trusted: bool,
    /// It signals BIP-0125 replaceability.
    pub signals_replacement: bool,
    /// Its outputs, but for change.
    pub details: Vec<TransactionDetail>,
    /// Transactions of the wallet that spend the same coins.
    pub conflicts: Vec<Txid>,
    /// The user's comment, empty if none.
    pub comment: String,
    /// The user's note about the recipient, empty if none.
    pub comment_to: String,
}

impl WalletTransaction {
    /// What it changed in the wallet but for the fee: Bitcoin Core's `amount` in `gettransaction`. A coinbase
    /// transaction counts nothing until it is mature.
    #[must_use]
    pub fn amount(&self) -> SignedAmount {
        if self.is_coinbase && (self.is_immature || self.confirmation.is_none()) {
            return SignedAmount::ZERO;
        }
        // Amounts of transactions are at most 21 million coins, far below the limits of an i64.
        let signed = |amount: Amount| SignedAmount::from_sat(amount.to_sat().cast_signed());
        signed(self.received) + signed(self.fee.unwrap_or(Amount::ZERO)) - signed(self.sent)
    }
}

/// Facts about a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletInfo {
    /// Its name.
    pub name: String,
    /// Transactions that it knows.
    pub tx_count: usize,
    /// Addresses that it watches for beyond those given out, in both accounts.
    pub keypool_size: u32,
    /// The same for change.
    pub keypool_size_internal: u32,
    /// The last block that it followed.
    pub cursor: (Height, BlockHash),
    /// Format of the database: `sqlite`.
    pub format: &'static str,
    /// It is made of output descriptors.
    pub descriptors: bool,
    /// It can sign.
    pub private_keys_enabled: bool,
    /// When its database was made, Unix seconds.
    pub birth_time: u64,
}
