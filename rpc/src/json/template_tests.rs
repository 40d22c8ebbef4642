//! The text of templates, compared with the form that serde_json makes.

use std::sync::Arc;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::{Amount, OutPoint, ScriptBuf};
use pyrite_consensus::{HeaderChain, Height};
use pyrite_miner::{Candidate, CandidateChunk, TemplateTip, build_template};

use super::*;

/// A template's form, made by the plain means.
fn template_json(spec: &ChainSpec, template: &Template, time: u32) -> Value {
    let is_active = |from: u32| template.height.0 >= from;
    let segwit = is_active(spec.deployments.segwit);
    let scale = if segwit { 1 } else { WITNESS_SCALE_FACTOR };
    let mut rules = Vec::new();
    if is_active(spec.deployments.csv) {
        rules.push("csv");
    }
    if segwit {
        rules.push("!segwit");
    }
    if is_active(spec.deployments.taproot) {
        rules.push("taproot");
    }
    let transactions: Vec<Value> = template
        .transactions
        .iter()
        .map(|entry| transaction_json(entry, scale))
        .collect();
    let sequence = template
        .mempool_sequence
        .map_or_else(String::new, |sequence| sequence.to_string());
    let mut form = json!({
        "capabilities": ["proposal"],
        "version": template.version,
        "rules": rules,
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": template.previous.to_string(),
        "transactions": transactions,
        "coinbaseaux": { "flags": "082f7079726974652f" },
        "coinbasevalue": template.coinbase_value.to_sat(),
        "longpollid": format!("{}{sequence}", template.previous),
        "target": target_hex(template.bits),
        "mintime": template.min_time,
        "noncerange": "00000000ffffffff",
        "sigoplimit": spec.limits.max_block_sigop_cost / scale,
        "sizelimit": MAX_BLOCK_SIZE.min(spec.limits.max_block_weight) / scale,
    });
    if segwit {
        form["weightlimit"] = spec.limits.max_block_weight.into();
    }
    form["curtime"] = time.into();
    form["bits"] = bits_hex(template.bits).into();
    form["height"] = template.height.0.into();
    if let Some(commitment) = &template.witness_commitment {
        form["default_witness_commitment"] = hex::encode(commitment.as_bytes()).into();
    }
    form["mutable"] = json!(["time", "transactions", "prevblock"]);
    form
}

/// The form of a template's transaction; positions count from 1.
fn transaction_json(entry: &TemplateTransaction, scale: u64) -> Value {
    let depends: Vec<usize> = entry.depends.iter().map(|position| position + 1).collect();
    json!({
        "data": serialize_hex(entry.tx.as_ref()),
        "txid": entry.txid.to_string(),
        "hash": entry.wtxid.to_string(),
        "depends": depends,
        "fee": entry.fee.to_sat(),
        "sigops": entry.sigop_cost / scale,
        "weight": entry.weight,
    })
}

/// A chain in memory.
struct Headers(Vec<Header>);

impl HeaderChain for Headers {
    fn tip_height(&self) -> Height {
        self.0.tip_height()
    }

    fn header(&self, height: Height) -> Header {
        self.0.header(height)
    }
}

/// A template of a transaction with a witness, one that spends it, and one that spends both.
fn template(spec: &ChainSpec) -> Template {
    let genesis = spec.genesis_block();
    let headers = Headers(vec![genesis.header]);
    let mut first = genesis.txdata[0].clone();
    first.input[0].previous_output = OutPoint::new(first.compute_txid(), 1);
    if spec.deployments.segwit == 0 {
        first.input[0].witness.push([1, 2, 255]);
    }
    let mut second = first.clone();
    second.input[0].previous_output.txid = first.compute_txid();
    let mut third = second.clone();
    third.input[0].previous_output.txid = second.compute_txid();
    third.input.push(first.input[0].clone());
    third.input[1].previous_output = OutPoint::new(first.compute_txid(), 7);
    let transactions = [first, second, third].map(|tx| Candidate {
        txid: tx.compute_txid(),
        wtxid: tx.compute_wtxid(),
        fee: Amount::from_sat(1_000),
        weight: tx.weight().to_wu(),
        sigop_cost: 4,
        is_alone: false,
        tx: Arc::new(tx),
    });
    let chunks = [CandidateChunk {
        fee: 3_000,
        weight: 3_000,
        transactions: transactions.to_vec(),
    }];
    let tip = TemplateTip {
        parent: &headers,
        hash: genesis.block_hash(),
    };
    build_template(spec, &tip, &chunks, &ScriptBuf::new(), 2_000_000_000)
}

fn form(text: &TemplateText, time: u32) -> Value {
    serde_json::from_str(&at(text, time)).unwrap()
}

fn at(text: &TemplateText, time: u32) -> String {
    let call = TemplateCall {
        time,
        ..TemplateCall::default()
    };
    text.of_call(&call).text()
}

/// The text is what serde_json would make of the whole, to the byte, whichever text was made before.
#[test]
fn the_text_is_that_of_the_form() {
    let regtest = ChainSpec::regtest();
    let mut old = ChainSpec::regtest();
    old.deployments.segwit = 1_000;
    old.deployments.taproot = 1_000;
    let mut earlier: Option<TemplateText> = None;
    for spec in [regtest, old] {
        let full = template(&spec);
        assert_eq!(full.transactions.len(), 3);
        assert_eq!(full.transactions[2].depends, [0, 1]);
        let empty = TemplateTip {
            parent: &Headers(vec![spec.genesis_block().header]),
            hash: spec.genesis_hash(),
        };
        let empty = build_template(&spec, &empty, &[], &ScriptBuf::new(), 2_000_000_000);
        for template in [full.clone().at_sequence(12), full.clone(), empty, full] {
            let text = TemplateText::new(&spec, &template, earlier.as_ref());
            for time in [1, 2_000_000_100, u32::MAX] {
                let expected = template_json(&spec, &template, time).to_string();
                assert_eq!(at(&text, time), expected);
            }
            earlier = Some(text);
        }
    }
}

#[test]
fn a_template_has_bitcoins_fields() {
    let spec = ChainSpec::regtest();
    let genesis = spec.genesis_block();
    let template = template(&spec).at_sequence(7);
    let form = form(&TemplateText::new(&spec, &template, None), 2_000_000_100);
    let keys: Vec<_> = form
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "capabilities",
            "version",
            "rules",
            "vbavailable",
            "vbrequired",
            "previousblockhash",
            "transactions",
            "coinbaseaux",
            "coinbasevalue",
            "longpollid",
            "target",
            "mintime",
            "noncerange",
            "sigoplimit",
            "sizelimit",
            "weightlimit",
            "curtime",
            "bits",
            "height",
            "default_witness_commitment",
            "mutable",
        ]
    );
    assert_eq!(form["rules"], json!(["csv", "!segwit", "taproot"]));
    assert_eq!(form["coinbasevalue"], 5_000_003_000_u64);
    assert_eq!(form["longpollid"], format!("{}7", genesis.block_hash()));
    assert_eq!(form["curtime"], 2_000_000_100);
    assert_eq!(form["bits"], "207fffff");
    assert_eq!(form["height"], 1);
    assert_eq!(form["sizelimit"], 4_000_000);
    assert_eq!(form["transactions"][0]["depends"], json!([]));
    assert_eq!(form["transactions"][1]["depends"], json!([1]));
    assert_eq!(form["transactions"][1]["fee"], 1_000);
    let child = &template.transactions[1];
    assert_eq!(form["transactions"][1]["txid"], child.txid.to_string());
    assert_eq!(
        form["transactions"][0]["data"],
        serialize_hex(template.transactions[0].tx.as_ref())
    );
    assert_eq!(form["transactions"][2]["depends"], json!([1, 2]));
}

/// A stopgap's id says that the next one is worth asking for at once.
#[test]
fn a_template_without_the_mempool_has_no_sequence_number() {
    let spec = ChainSpec::regtest();
    let template = template(&spec);
    let form = form(&TemplateText::new(&spec, &template, None), 0);
    assert_eq!(form["longpollid"], spec.genesis_hash().to_string());
}

#[test]
fn clients_get_what_they_ask_for() {
    let spec = ChainSpec::regtest();
    let template = template(&spec).at_sequence(7);
    let text = TemplateText::new(&spec, &template, None);
    let coinbase = template.coinbase(3);
    let call = TemplateCall {
        time: 5,
        coinbase: Some(coinbase_form(&template, &coinbase, text.scale())),
        asks_work_id: true,
        old_work: OldWork::Stale,
    };
    let form: Value = serde_json::from_str(&text.of_call(&call).text()).unwrap();
    assert_eq!(form["workid"], form["longpollid"]);
    assert_eq!(form["submitold"], false);
    assert_eq!(form["mutable"].as_array().unwrap().len(), 4);
    assert_eq!(form["mutable"][3], "coinbase/append");
    let form = &form["coinbasetxn"];
    let bytes = hex::decode(form["data"].as_str().unwrap()).unwrap();
    let bare: Transaction = pyrite_consensus::bitcoin::consensus::deserialize(&bytes).unwrap();
    assert!(bare.input[0].witness.is_empty());
    assert_eq!(bare.compute_txid(), coinbase.compute_txid());
    assert_eq!(form["hash"], coinbase.compute_wtxid().to_string());
    assert_eq!(form["fee"], -3_000);
    assert_eq!(form["required"], true);
}

/// Where bits of the least difficulty end the template, clients are told when (BIP-0023).
#[test]
fn the_latest_time_is_told() {
    let spec = ChainSpec::regtest();
    let mut template = template(&spec);
    template.max_time = Some(2_000_000_500);
    let form = form(&TemplateText::new(&spec, &template, None), 0);
    assert_eq!(form["maxtime"], 2_000_000_500);
}
