//! Replies about transactions, PSBTs, scripts and descriptors.

use corepc_types::v31;
use pyrite_client_tests::Key;
use serde_json::json;

use super::report::{Report, check};
use crate::history::History;
use bitcoin::consensus::encode::serialize_hex;

pub(super) fn check_transactions(report: &mut Report, history: &History) {
    let all = [&history.every_kind, &history.spend].into_iter();
    for transaction in all.chain(&history.waiting) {
        let txid = transaction.compute_txid();
        check!(
            report,
            "getrawtransaction",
            [txid],
            v31::GetRawTransaction,
            model
        );
        check!(
            report,
            "getrawtransaction",
            [txid, 1],
            v31::GetRawTransactionVerbose,
            model
        );
        // The type lacks the fee, which Bitcoin Core tells of a transaction in a block.
        let mut reply = check!(report, "getrawtransaction", [txid, 2], serde_json::Value);
        if let Some(fields) = reply.as_mut().and_then(|reply| reply.as_object_mut()) {
            fields.remove("fee");
        }
        report.parsed::<v31::GetRawTransactionVerboseWithPrevout>("getrawtransaction", reply);
        let hex = serialize_hex(transaction);
        check!(
            report,
            "decoderawtransaction",
            [hex],
            v31::DecodeRawTransaction,
            model
        );
    }
    for output in &history.every_kind.output {
        let script = output.script_pubkey.to_hex_string();
        check!(report, "decodescript", [script], v31::DecodeScript, model);
    }
    let unsent = serialize_hex(&history.unsent());
    check!(
        report,
        "testmempoolaccept",
        [[unsent]],
        v31::TestMempoolAccept,
        model
    );
    let parent = serialize_hex(&history.independent());
    check!(
        report,
        "submitpackage",
        [[parent]],
        v31::SubmitPackage,
        model
    );

    let coin = history.last_coin.0;
    let inputs = json!([{ "txid": coin.txid, "vout": coin.vout }]);
    let outputs = json!([{ history.key.taproot().to_string(): 0.5 }, { "data": "00ff" }]);
    let raw = check!(
        report,
        "createrawtransaction",
        [inputs, outputs],
        v31::CreateRawTransaction,
        model
    );
    let Some(raw) = raw else { return };
    let (hex, key) = (serialize_hex(&raw.0), history.key.private().to_wif());
    check!(
        report,
        "signrawtransactionwithkey",
        [hex, [key]],
        v31::SignRawTransactionWithKey,
        model
    );
    // With a key that does not fit, the errors have the witness, as Bitcoin Core's, which the type lacks.
    check!(
        report,
        "combinerawtransaction",
        [[hex, hex]],
        v31::CombineRawTransaction,
        model
    );
    check!(report, "converttopsbt", [hex], v31::ConvertToPsbt, model);
}

pub(super) fn check_psbts(report: &mut Report, history: &History) {
    let coin = history.free_coin.0;
    let inputs = json!([{ "txid": coin.txid, "vout": coin.vout }]);
    let outputs = json!([{ history.key.taproot().to_string(): 0.5 }]);
    let Some(psbt) = check!(report, "createpsbt", [inputs, outputs], v31::CreatePsbt) else {
        return;
    };
    let psbt = psbt.0;
    check!(
        report,
        "createpsbt",
        [inputs, outputs],
        v31::CreatePsbt,
        model
    );
    check!(report, "decodepsbt", [psbt], v31::DecodePsbt, model);
    check!(report, "analyzepsbt", [psbt], v31::AnalyzePsbt, model);
    check!(
        report,
        "combinepsbt",
        [[psbt, psbt]],
        v31::CombinePsbt,
        model
    );
    check!(report, "utxoupdatepsbt", [psbt], v31::UtxoUpdatePsbt, model);
    check!(report, "finalizepsbt", [psbt], v31::FinalizePsbt, model);
    let descriptor = format!("wpkh({})", history.key.private().to_wif());
    let signed = check!(
        report,
        "descriptorprocesspsbt",
        [psbt, [descriptor]],
        v31::DescriptorProcessPsbt
    );
    if let Some(signed) = signed {
        let signed = signed.psbt;
        check!(report, "decodepsbt", [signed], v31::DecodePsbt, model);
        check!(report, "analyzepsbt", [signed], v31::AnalyzePsbt, model);
        check!(report, "finalizepsbt", [signed], v31::FinalizePsbt, model);
    }
    let other = history.last_coin.0;
    let inputs = json!([{ "txid": other.txid, "vout": other.vout }]);
    if let Some(other) = check!(report, "createpsbt", [inputs, outputs], v31::CreatePsbt) {
        check!(
            report,
            "joinpsbts",
            [[psbt, other.0]],
            v31::JoinPsbts,
            model
        );
    }
}

pub(super) fn check_util(report: &mut Report, history: &History) {
    let key = &history.key;
    for address in [key.segwit(), key.taproot()] {
        check!(
            report,
            "validateaddress",
            [address],
            v31::ValidateAddress,
            model
        );
    }
    let keys = [key.public(), Key::new(8).public()];
    for kind in ["legacy", "p2sh-segwit", "bech32"] {
        check!(
            report,
            "createmultisig",
            [1, keys, kind],
            v31::CreateMultisig,
            model
        );
    }
    let descriptor = format!("wpkh({})", key.public());
    let info = check!(
        report,
        "getdescriptorinfo",
        [descriptor],
        v31::GetDescriptorInfo
    );
    if let Some(info) = info {
        check!(
            report,
            "deriveaddresses",
            [info.descriptor],
            v31::DeriveAddresses,
            model
        );
    }
    let wif = key.private().to_wif();
    let signature = check!(
        report,
        "signmessagewithprivkey",
        [wif, "pyrite"],
        v31::SignMessageWithPrivKey,
        model
    );
    if let Some(signature) = signature {
        let address = bitcoin::Address::p2pkh(key.public(), bitcoin::Network::Regtest);
        let signature = signature.0.to_base64();
        check!(
            report,
            "verifymessage",
            [address, signature, "pyrite"],
            v31::VerifyMessage
        );
    }
}
