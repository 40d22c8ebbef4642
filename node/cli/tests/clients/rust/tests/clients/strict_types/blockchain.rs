//! Replies about blocks, coins, the mempool and mining.

use corepc_types::v31;

use super::report::{Report, check};
use crate::history::History;

pub(super) fn check_chain(report: &mut Report, history: &History) {
    let (block, stale) = (history.block, history.stale);
    check!(
        report,
        "getblockchaininfo",
        [],
        v31::GetBlockchainInfo,
        model
    );
    check!(report, "getbestblockhash", [], v31::GetBestBlockHash, model);
    check!(report, "getblockcount", [], v31::GetBlockCount);
    check!(report, "getdifficulty", [], v31::GetDifficulty);
    check!(report, "getblockhash", [0], v31::GetBlockHash, model);
    for hash in [block, stale] {
        check!(
            report,
            "getblock",
            [hash, 0],
            v31::GetBlockVerboseZero,
            model
        );
        check!(
            report,
            "getblock",
            [hash, 1],
            v31::GetBlockVerboseOne,
            model
        );
        check!(
            report,
            "getblock",
            [hash, 2],
            v31::GetBlockVerboseTwo,
            model
        );
        check!(
            report,
            "getblock",
            [hash, 3],
            v31::GetBlockVerboseThree,
            model
        );
        check!(
            report,
            "getblockheader",
            [hash, false],
            v31::GetBlockHeader,
            model
        );
        check!(
            report,
            "getblockheader",
            [hash, true],
            v31::GetBlockHeaderVerbose,
            model
        );
        check!(report, "getblockstats", [hash], v31::GetBlockStats, model);
        check!(report, "getblockfilter", [hash], v31::GetBlockFilter, model);
    }
    // The block of the transaction with outputs of every kind, and the first two of all.
    for height in [0, 1, 111] {
        let Some(hash) = check!(report, "getblockhash", [height], v31::GetBlockHash, model) else {
            continue;
        };
        let hash = hash.0;
        check!(
            report,
            "getblock",
            [hash, 1],
            v31::GetBlockVerboseOne,
            model
        );
        check!(
            report,
            "getblock",
            [hash, 2],
            v31::GetBlockVerboseTwo,
            model
        );
        check!(
            report,
            "getblock",
            [hash, 3],
            v31::GetBlockVerboseThree,
            model
        );
        check!(
            report,
            "getblockheader",
            [hash],
            v31::GetBlockHeaderVerbose,
            model
        );
        check!(report, "getblockstats", [height], v31::GetBlockStats, model);
    }
    check!(report, "getchaintips", [], v31::GetChainTips, model);
    check!(report, "getchaintxstats", [], v31::GetChainTxStats, model);
    check!(
        report,
        "getchaintxstats",
        [5, block],
        v31::GetChainTxStats,
        model
    );
    check!(report, "getchainstates", [], v31::GetChainStates, model);
    check!(
        report,
        "getdeploymentinfo",
        [],
        v31::GetDeploymentInfo,
        model
    );
    check!(report, "verifychain", [3, 6], v31::VerifyChain);
    check!(report, "waitfornewblock", [1], v31::WaitForNewBlock, model);
    check!(report, "waitforblock", [block, 1], v31::WaitForBlock, model);
    check!(
        report,
        "waitforblockheight",
        [1, 1],
        v31::WaitForBlockHeight,
        model
    );
}

pub(super) fn check_coins(report: &mut Report, history: &History, file: &str) {
    let txid = history.every_kind.compute_txid();
    for vout in 0..history.every_kind.output.len() {
        // Two are spent, one can't be: those are null.
        check!(report, "gettxout", [txid, vout], Option<v31::GetTxOut>)
            .flatten()
            .map(|coin| coin.into_model().expect("a coin"));
    }
    for kind in ["hash_serialized_3", "muhash", "none"] {
        check!(
            report,
            "gettxoutsetinfo",
            [kind],
            v31::GetTxOutSetInfo,
            model
        );
    }
    check!(
        report,
        "gettxoutsetinfo",
        ["muhash", 5],
        v31::GetTxOutSetInfo,
        model
    );
    let objects = [
        format!("addr({})", history.key.segwit()),
        format!("combo({})", history.key.public()),
    ];
    check!(
        report,
        "scantxoutset",
        ["start", objects],
        v31::ScanTxOutSetStart,
        model
    );
    check!(
        report,
        "scantxoutset",
        ["status"],
        Option<v31::ScanTxOutSetStatus>
    );
    check!(report, "scantxoutset", ["abort"], v31::ScanTxOutSetAbort);
    check!(
        report,
        "scanblocks",
        ["start", objects],
        v31::ScanBlocksStart,
        model
    );
    check!(
        report,
        "scanblocks",
        ["status"],
        Option<v31::ScanBlocksStatus>
    );
    check!(report, "scanblocks", ["abort"], v31::ScanBlocksAbort);
    let blocks = [history.block];
    check!(
        report,
        "getdescriptoractivity",
        [blocks, [history.unspent_descriptor()]],
        v31::GetDescriptorActivity,
        model
    );
    if let Some(proof) = check!(report, "gettxoutproof", [[txid]], String) {
        check!(
            report,
            "verifytxoutproof",
            [proof],
            v31::VerifyTxOutProof,
            model
        );
    }
    check!(
        report,
        "dumptxoutset",
        [file, "latest"],
        v31::DumpTxOutSet,
        model
    );
    // One that is spent in a block, one in the mempool, one that is not.
    let spent = [
        history.spend.input[0].previous_output,
        history.waiting[1].input[0].previous_output,
        history.free_coin.0,
    ]
    .map(|coin| serde_json::json!({ "txid": coin.txid, "vout": coin.vout }));
    check!(
        report,
        "gettxspendingprevout",
        [spent],
        v31::GetTxSpendingPrevout,
        model
    );
    let options = serde_json::json!({ "mempool_only": true });
    check!(
        report,
        "gettxspendingprevout",
        [spent, options],
        v31::GetTxSpendingPrevout,
        model
    );
}

pub(super) fn check_mempool(report: &mut Report, history: &History) {
    check!(report, "getmempoolinfo", [], v31::GetMempoolInfo, model);
    check!(report, "getrawmempool", [], v31::GetRawMempool, model);
    check!(
        report,
        "getrawmempool",
        [true],
        v31::GetRawMempoolVerbose,
        model
    );
    check!(
        report,
        "getrawmempool",
        [false, true],
        v31::GetRawMempoolSequence,
        model
    );
    for transaction in &history.waiting {
        let txid = transaction.compute_txid();
        check!(
            report,
            "getmempoolentry",
            [txid],
            v31::GetMempoolEntry,
            model
        );
        check!(
            report,
            "getmempoolancestors",
            [txid],
            v31::GetMempoolAncestors,
            model
        );
        check!(
            report,
            "getmempoolancestors",
            [txid, true],
            v31::GetMempoolAncestorsVerbose,
            model
        );
        check!(
            report,
            "getmempooldescendants",
            [txid],
            v31::GetMempoolDescendants,
            model
        );
        check!(
            report,
            "getmempooldescendants",
            [txid, true],
            v31::GetMempoolDescendantsVerbose,
            model
        );
        check!(
            report,
            "getmempoolcluster",
            [txid],
            v31::GetMempoolCluster,
            model
        );
    }
    check!(
        report,
        "getmempoolfeeratediagram",
        [],
        v31::GetMempoolFeerateDiagram,
        model
    );
    check!(report, "getorphantxs", [], v31::GetOrphanTxs, model);
    check!(
        report,
        "getorphantxs",
        [1],
        v31::GetOrphanTxsVerboseOne,
        model
    );
    check!(
        report,
        "getorphantxs",
        [2],
        v31::GetOrphanTxsVerboseTwo,
        model
    );
    check!(report, "savemempool", [], v31::SaveMempool);
    let txid = history.waiting[0].compute_txid();
    check!(report, "prioritisetransaction", [txid, 0, 500], bool);
    check!(
        report,
        "getprioritisedtransactions",
        [],
        v31::GetPrioritisedTransactions,
        model
    );
}

pub(super) fn check_mining(report: &mut Report, history: &History) {
    check!(report, "getmininginfo", [], v31::GetMiningInfo, model);
    check!(report, "getnetworkhashps", [], f64);
    let request = serde_json::json!({ "rules": ["segwit"] });
    check!(
        report,
        "getblocktemplate",
        [request],
        v31::GetBlockTemplate,
        model
    );
    let address = history.key.taproot();
    let none: [String; 0] = [];
    check!(
        report,
        "generateblock",
        [address, none, false],
        v31::GenerateBlock,
        model
    );
    check!(
        report,
        "generateblock",
        [address, none, true],
        v31::GenerateBlock,
        model
    );
    check!(
        report,
        "generatetoaddress",
        [1, address],
        v31::GenerateToAddress,
        model
    );
    let descriptor = format!(
        "raw({})",
        history.key.segwit().script_pubkey().to_hex_string()
    );
    check!(
        report,
        "generatetodescriptor",
        [1, descriptor],
        v31::GenerateToDescriptor,
        model
    );
    check!(
        report,
        "estimatesmartfee",
        [6],
        v31::EstimateSmartFee,
        model
    );
    check!(report, "estimaterawfee", [6], v31::EstimateRawFee, model);
}
