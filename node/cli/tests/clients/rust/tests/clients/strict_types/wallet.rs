//! Replies of the methods of the wallet.

use corepc_types::v31;

use super::report::{Report, check};

/// So many blocks make the first of them spendable.
const MATURE: u32 = 101;

pub(super) fn check_wallet(report: &mut Report) {
    check!(report, "getwalletinfo", [], v31::GetWalletInfo, model);
    let Some(own) = check!(report, "getnewaddress", [], v31::GetNewAddress) else {
        return;
    };
    check!(
        report,
        "getnewaddress",
        ["label", "bech32m"],
        v31::GetNewAddress,
        model
    );
    let own = own.0;
    check!(
        report,
        "generatetoaddress",
        [MATURE, own],
        v31::GenerateToAddress,
        model
    );
    let sent = check!(
        report,
        "sendtoaddress",
        [own, 1.5],
        v31::SendToAddress,
        model
    );
    check!(report, "getbalance", [], v31::GetBalance, model);
    check!(report, "getbalances", [], v31::GetBalances, model);
    check!(report, "listtransactions", [], v31::ListTransactions, model);
    // Coins of the mempool have fields that the type lacks: `ancestorcount` and its like.
    check!(report, "listunspent", [1], v31::ListUnspent, model);
    if let Some(sent) = sent {
        check!(
            report,
            "gettransaction",
            [sent.txid],
            v31::GetTransaction,
            model
        );
    }
}
