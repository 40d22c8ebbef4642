//! Pyrite's wallet: descriptor wallets on BDK.
//!
//! A wallet is a directory with a seed (`seed.json`, BIP-0039) and a database (`wallet.sqlite`). The seed
//! gives two accounts, BIP-0084 (`bech32`, the default) and BIP-0086 (`bech32m`), whose coins are spent together.
//! The database holds public descriptors, transactions and labels, never a private key; it can be rebuilt
//! from the seed by following the chain again. The seed is readable by its owner alone and is not encrypted
//! yet.
//!
//! The wallet knows no chain and no mempool: its owner feeds it blocks and mempool changes, and offers
//! [`WalletHandle::unconfirmed`] to the network until they are in a block. Everything that a method
//! acknowledges is in the database before it returns.

mod error;
mod handle;
mod history;
mod keys;
mod ledger;
mod reservation;
mod seed;
mod sign;
mod spend;
mod store;
#[cfg(test)]
mod tests;
mod types;
mod view;
mod wallet;

/// Descriptors, in the version of the wallets.
pub use bdk_wallet::miniscript;
pub use error::WalletError;
pub use handle::WalletHandle;
pub use seed::{Seed, SeedSource, account_addresses, write_seed};
pub use types::{
    AddressType, Balances, Category, Confirmation, SendOptions, TransactionDetail, Unspent,
    WalletConfig, WalletInfo, WalletTransaction,
};
