//! The wallet.

use super::flag::Fate::{Ignored, Refused};
use super::flag::Group::{Hidden, Wallet};
use super::flag::{Flag, flag};

const ONE_WALLET: &str = "the node has one wallet, which is always loaded";
const OWN_SELECTION: &str = "the wallet chooses coins in its own way";
const OWN_FEES: &str = "the wallet takes the estimate, or what a call names";

// A row for each flag.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    flag(Wallet, "addresstype", "", Ignored("addresses are bech32 unless getnewaddress names another type")),
    flag(Wallet, "avoidpartialspends", "", Ignored(OWN_SELECTION)),
    flag(Wallet, "changetype", "", Ignored("change is of the wallet's own kind")),
    flag(Wallet, "consolidatefeerate", "=<amt>", Ignored(OWN_SELECTION)),
    flag(Wallet, "disablewallet", "", Ignored(ONE_WALLET)),
    flag(Wallet, "discardfee", "=<amt>", Ignored(OWN_SELECTION)),
    flag(Wallet, "fallbackfee", "=<amt>", Ignored("without an estimate the wallet pays a rate of its own")),
    flag(Wallet, "keypool", "=<n>", Ignored("keys are derived when they are wanted")),
    flag(Wallet, "maxapsfee", "=<n>", Ignored(OWN_SELECTION)),
    flag(Wallet, "maxtxfee", "=<amt>", Ignored(OWN_FEES)),
    flag(Wallet, "mintxfee", "=<amt>", Ignored(OWN_FEES)),
    flag(Wallet, "signer", "=<cmd>", Refused("there is no external signer")),
    flag(Wallet, "spendzeroconfchange", "", Ignored(OWN_SELECTION)),
    flag(Wallet, "txconfirmtarget", "=<n>", Ignored(OWN_FEES)),
    flag(Wallet, "unsafesqlitesync", "", Ignored("the wallet is always synced to disk")),
    flag(Wallet, "wallet", "=<path>", Ignored(ONE_WALLET)).of_one_chain(),
    flag(Wallet, "walletbroadcast", "", Ignored("the wallet always offers its transactions")),
    flag(Wallet, "walletcrosschain", "", Ignored("a wallet of another chain is never loaded")),
    flag(Wallet, "walletdir", "=<dir>", Refused("the wallet is in wallets/ of the chain's directory")).of_one_chain(),
    flag(Wallet, "walletnotify", "=<cmd>", Ignored("-blocknotify and ZeroMQ tell of everything that concerns a wallet")),
    flag(Wallet, "walletrbf", "", Ignored("every transaction can be replaced")),
    flag(Wallet, "walletrejectlongchains", "", Ignored("the mempool's limits hold for the wallet too")),
    flag(Hidden, "zapwallettxes", "", Refused("it has been removed: use abandontransaction")),
];
