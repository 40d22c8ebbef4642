//! Relations, clusters, packages, priorities and files of the mempool, as clients see them.

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::bitcoin::transaction::Version;
use pyrite_consensus::bitcoin::{
    Address, Amount, Network, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut,
    Witness, script,
};
use serde_json::{Value, json};

use super::harness::TestNode;

/// `OP_TRUE`, which unlocks the coins of these tests.
const REDEEM: [u8; 1] = [0x51];

/// Satoshi of a coinbase.
const SUBSIDY: u64 = 5_000_000_000;

/// A node, and coins of its chain that anyone can spend.
struct Open {
    node: TestNode,
    coins: Vec<OutPoint>,
}

impl Open {
    async fn start() -> Self {
        let node = TestNode::start().await;
        let redeem = Script::from_bytes(&REDEEM);
        let address = Address::p2sh(redeem, Network::Regtest).unwrap().to_string();
        let hashes = node.get("generatetoaddress", json!([110, address])).await;
        let mut coins = Vec::new();
        for hash in &hashes.as_array().unwrap()[..10] {
            let txid = node.get("getblock", json!([hash])).await["tx"][0].clone();
            let txid = txid.as_str().unwrap().parse().unwrap();
            coins.push(OutPoint { txid, vout: 0 });
        }
        Self { node, coins }
    }

    /// Spends the coin of that number.
    fn spend(&self, number: usize, fee: u64) -> Transaction {
        pay(&[self.coins[number]], &[SUBSIDY - fee])
    }

    async fn send(&self, transaction: &Transaction) {
        let sent = self
            .node
            .get("sendrawtransaction", json!([serialize_hex(transaction), 0]))
            .await;
        assert_eq!(sent, id(transaction));
    }
}

fn pay(inputs: &[OutPoint], values: &[u64]) -> Transaction {
    let input = |outpoint: &OutPoint| TxIn {
        previous_output: *outpoint,
        script_sig: script::Builder::new().push_slice(REDEEM).into_script(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let output = |value: &u64| TxOut {
        value: Amount::from_sat(*value),
        script_pubkey: ScriptBuf::new_p2sh(&Script::from_bytes(&REDEEM).script_hash()),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: values.iter().map(output).collect(),
    }
}

/// Spends the first output of a transaction.
fn child(parent: &Transaction, fee: u64) -> Transaction {
    let outpoint = OutPoint {
        txid: parent.compute_txid(),
        vout: 0,
    };
    pay(&[outpoint], &[parent.output[0].value.to_sat() - fee])
}

fn id(transaction: &Transaction) -> String {
    transaction.compute_txid().to_string()
}

fn wtxid(transaction: &Transaction) -> String {
    transaction.compute_wtxid().to_string()
}

fn vsize(transaction: &Transaction) -> u64 {
    transaction.weight().to_wu().div_ceil(4)
}

fn hexes(transactions: &[&Transaction]) -> Vec<String> {
    let transactions = transactions.iter();
    transactions
        .map(|transaction| serialize_hex(*transaction))
        .collect()
}

#[tokio::test]
async fn relatives_and_clusters_are_shown() {
    let open = Open::start().await;
    let node = &open.node;
    // Two parents, of which the child pays for the cheap one, and a stranger.
    let (cheap, dear) = (open.spend(0, 50), open.spend(1, 40_000));
    let outputs = [&cheap, &dear].map(|parent| OutPoint {
        txid: parent.compute_txid(),
        vout: 0,
    });
    let joined = pay(&outputs, &[2 * SUBSIDY - 60_000]);
    let stranger = open.spend(2, 5_000);
    for transaction in [&cheap, &dear, &joined, &stranger] {
        open.send(transaction).await;
    }

    let mut parents = [cheap.compute_txid(), dear.compute_txid()];
    parents.sort_unstable();
    let parents = json!(parents.map(|txid| txid.to_string()));
    let ancestors = node.get("getmempoolancestors", json!([id(&joined)])).await;
    assert_eq!(ancestors, parents);
    assert_eq!(
        node.get("getmempoolancestors", json!([id(&cheap)])).await,
        json!([])
    );
    let descendants = node
        .get("getmempooldescendants", json!([id(&cheap), false]))
        .await;
    assert_eq!(descendants, json!([id(&joined)]));
    let verbose = node
        .get("getmempooldescendants", json!([id(&cheap), true]))
        .await;
    let entry = node.get("getmempoolentry", json!([id(&joined)])).await;
    assert_eq!(verbose, json!({ id(&joined): entry }));
    let verbose = node
        .get("getmempoolancestors", json!([id(&joined), true]))
        .await;
    assert_eq!(verbose.as_object().unwrap().len(), 2);
    assert_eq!(entry["ancestorcount"], 3);
    let fields: Vec<&String> = entry.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "vsize",
            "weight",
            "time",
            "height",
            "descendantcount",
            "descendantsize",
            "ancestorcount",
            "ancestorsize",
            "wtxid",
            "chunkweight",
            "fees",
            "depends",
            "spentby",
            "bip125-replaceable",
            "unbroadcast",
        ]
    );

    // The dear parent is mined first, the cheap one with its child.
    let cluster = node.get("getmempoolcluster", json!([id(&cheap)])).await;
    let weight = |transactions: &[&Transaction]| -> u64 {
        transactions.iter().map(|tx| tx.weight().to_wu()).sum()
    };
    assert_eq!(
        cluster.to_string(),
        json!({
            "clusterweight": weight(&[&cheap, &dear, &joined]),
            "txcount": 3,
            "chunks": [
                { "chunkfee": number("0.00040000"), "chunkweight": weight(&[&dear]), "txs": [id(&dear)] },
                {
                    "chunkfee": number("0.00020000"),
                    "chunkweight": weight(&[&cheap, &joined]),
                    "txs": [id(&cheap), id(&joined)],
                },
            ],
        })
        .to_string()
    );
    assert_eq!(
        node.get("getrawmempool", json!([])).await,
        json!([id(&dear), id(&cheap), id(&joined), id(&stranger)])
    );
    let diagram = node.get("getmempoolfeeratediagram", json!([])).await;
    assert_eq!(
        diagram.to_string(),
        json!([
            { "weight": 0, "fee": number("0.00000000") },
            { "weight": weight(&[&dear]), "fee": number("0.00040000") },
            { "weight": weight(&[&dear, &cheap, &joined]), "fee": number("0.00060000") },
            { "weight": weight(&[&dear, &cheap, &joined, &stranger]), "fee": number("0.00065000") },
        ])
        .to_string()
    );
    open.node.finish().await;
}

/// A number as it is written.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_child_pays_for_its_parent() {
    let open = Open::start().await;
    let node = &open.node;
    let parent = open.spend(0, 0);
    let paying = child(&parent, 3_000);
    let package = hexes(&[&parent, &paying]);
    let (code, message) = node
        .refusal("sendrawtransaction", json!([package[0]]))
        .await;
    assert_eq!(code, -26);
    assert!(
        message.starts_with("min relay fee not met, 0 < "),
        "{message}"
    );
    // Tested one after another, the first fails, and nothing is said of the second.
    let tested = node.get("testmempoolaccept", json!([package])).await;
    assert_eq!(tested[0]["reject-reason"], "min relay fee not met");
    assert!(tested[1].get("allowed").is_none() && tested[0].get("package-error").is_none());

    let taken = node.get("submitpackage", json!([package])).await;
    assert_eq!(taken["package_msg"], "success");
    let result = &taken["tx-results"][wtxid(&parent)];
    assert_eq!(result["txid"], id(&parent));
    assert_eq!(result["vsize"], vsize(&parent));
    assert_eq!(result["fees"]["base"].to_string(), "0.00000000");
    assert_eq!(
        result["fees"]["effective-includes"],
        json!([wtxid(&parent), wtxid(&paying)])
    );
    let rate = 3_000_000 / (vsize(&parent) + vsize(&paying));
    assert_eq!(
        result["fees"]["effective-feerate"].to_string(),
        format!("0.{rate:08}")
    );
    assert_eq!(taken["replaced-transactions"], json!([]));
    assert_eq!(
        node.get("getrawmempool", json!([])).await,
        json!([id(&parent), id(&paying)])
    );

    // What is there already is no failure.
    let again = node.get("submitpackage", json!([package])).await;
    assert_eq!(again["package_msg"], "success");
    assert_eq!(
        again["tx-results"][wtxid(&paying)].to_string(),
        json!({
            "txid": id(&paying),
            "vsize": vsize(&paying),
            "fees": { "base": number("0.00003000") },
        })
        .to_string()
    );
    // Another child replaces the first.
    let other = child(&parent, 9_000);
    let replaced = node
        .get("submitpackage", json!([hexes(&[&parent, &other]), 0]))
        .await;
    assert_eq!(replaced["package_msg"], "success");
    assert_eq!(replaced["replaced-transactions"], json!([id(&paying)]));
    open.node.finish().await;
}

#[tokio::test]
async fn packages_are_refused_as_bitcoin_core_does() {
    let open = Open::start().await;
    let node = &open.node;
    let first = open.spend(0, 1_000);
    let stranger = open.spend(1, 1_000);
    let grandchild = child(&child(&first, 1_000), 1_000);
    let topology =
        "package topology disallowed. not child-with-parents or parents depend on each other.";
    let mut burning = open.spend(2, 1_000);
    burning.output[0].script_pubkey = ScriptBuf::new_op_return([1; 2]);
    for (params, code, message) in [
        (
            json!([[]]),
            -8,
            "Array must contain between 1 and 25 transactions.",
        ),
        (
            json!([vec!["00"; 26]]),
            -8,
            "Array must contain between 1 and 25 transactions.",
        ),
        (
            json!([["00"]]),
            -22,
            "TX decode failed for tx 0. Make sure the tx has at least one input.",
        ),
        (json!([hexes(&[&first, &stranger])]), -25, topology),
        (json!([hexes(&[&first, &grandchild])]), -25, topology),
        (
            json!([hexes(&[&burning])]),
            -25,
            "Unspendable output exceeds maximum configured by user (maxburnamount)",
        ),
        (
            json!([hexes(&[&first]), 1]),
            -8,
            "Fee rates larger than or equal to 1BTC/kvB are not accepted",
        ),
    ] {
        let refusal = node.refusal("submitpackage", params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{params}");
    }

    // One that pays more than the caller wants to, and its child that then has no parent.
    let dear = open.spend(3, 1_000_000);
    let package = hexes(&[&dear, &child(&dear, 1_000)]);
    let refused = node.get("submitpackage", json!([package, 0.001])).await;
    assert_eq!(refused["package_msg"], "transaction failed");
    let error = |tx: &Transaction| refused["tx-results"][wtxid(tx)]["error"].clone();
    assert_eq!(error(&dear), "max feerate exceeded");
    assert_eq!(
        error(&child(&dear, 1_000)),
        "bad-txns-inputs-missingorspent"
    );
    assert_eq!(node.get("getrawmempool", json!([])).await, json!([]));
    let tested = node.get("testmempoolaccept", json!([package, 0.001])).await;
    assert_eq!(tested[0]["reject-reason"], "max-fee-exceeded");
    assert!(tested[1].get("allowed").is_none());

    // A package that is wrong as a whole.
    let unsorted = hexes(&[&child(&dear, 1_000), &dear]);
    let tested = node.get("testmempoolaccept", json!([unsorted])).await;
    for one in tested.as_array().unwrap() {
        assert_eq!(one["package-error"], "package-not-sorted");
        assert!(one.get("allowed").is_none());
    }
    open.node.finish().await;
}

#[tokio::test]
async fn the_operator_changes_priorities() {
    let open = Open::start().await;
    let node = &open.node;
    let (low, high) = (open.spend(0, 1_000), open.spend(1, 2_000));
    let later = open.spend(2, 10);
    open.send(&low).await;
    open.send(&high).await;
    assert_eq!(
        node.get("getrawmempool", json!([])).await,
        json!([id(&high), id(&low)])
    );
    let changed = node
        .get("prioritisetransaction", json!([id(&low), 0.0, 5_000]))
        .await;
    assert_eq!(changed, true);
    let named = json!({ "txid": id(&later), "fee_delta": 500 });
    node.get("prioritisetransaction", named).await;
    assert_eq!(
        node.get("getrawmempool", json!([])).await,
        json!([id(&low), id(&high)])
    );
    let entry = node.get("getmempoolentry", json!([id(&low)])).await;
    assert_eq!(entry["fees"]["base"].to_string(), "0.00001000");
    assert_eq!(entry["fees"]["modified"].to_string(), "0.00006000");
    let all = node.get("getprioritisedtransactions", json!([])).await;
    assert_eq!(
        all[id(&low)].to_string(),
        r#"{"fee_delta":5000,"in_mempool":true,"modified_fee":6000}"#
    );
    assert_eq!(
        all[id(&later)].to_string(),
        r#"{"fee_delta":500,"in_mempool":false}"#
    );
    // It pays too little by itself, but counts as if it paid more.
    open.send(&later).await;
    // Taking away what was added takes it off the list.
    node.get("prioritisetransaction", json!([id(&low), null, -5_000]))
        .await;
    let all = node.get("getprioritisedtransactions", json!([])).await;
    assert_eq!(all.as_object().unwrap().len(), 1);

    for (params, code, message) in [
        (
            json!([id(&low), 1, 5]),
            -8,
            "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.",
        ),
        (
            json!(["ab", 0, 5]),
            -8,
            "txid must be of length 64 (not 2, for 'ab')",
        ),
        (json!([id(&low), 0, 0.5]), -1, "JSON integer out of range"),
    ] {
        let refusal = node.refusal("prioritisetransaction", params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{params}");
    }
    let (code, message) = node
        .refusal("prioritisetransaction", json!([id(&low), 0]))
        .await;
    assert_eq!(code, -1);
    assert!(
        message.starts_with("prioritisetransaction \"txid\" ( dummy ) fee_delta\n"),
        "{message}"
    );
    // Dust may be there only as long as nobody earns from it.
    let mut dusty = pay(&[open.coins[3]], &[SUBSIDY - 100, 100]);
    dusty.version = Version::non_standard(3);
    let outputs = [0, 1].map(|vout| OutPoint {
        txid: dusty.compute_txid(),
        vout,
    });
    let mut sweep = pay(&outputs, &[SUBSIDY - 50_000]);
    sweep.version = Version::non_standard(3);
    let package = json!([hexes(&[&dusty, &sweep])]);
    let taken = node.get("submitpackage", package).await;
    assert_eq!(taken["package_msg"], "success", "{taken}");
    assert_eq!(
        node.refusal("prioritisetransaction", json!([id(&dusty), 0, 1]))
            .await,
        (
            -8,
            "Priority is not supported for transactions with dust outputs.".to_owned()
        )
    );
    open.node.finish().await;
}

#[tokio::test]
async fn the_mempool_is_written_and_read() {
    let open = Open::start().await;
    let node = &open.node;
    let loaded = |info: Value| info["loaded"].clone();
    assert_eq!(loaded(node.get("getmempoolinfo", json!([])).await), false);
    assert_eq!(
        node.refusal("savemempool", json!([])).await,
        (-1, "The mempool was not loaded yet".to_owned())
    );
    let file = node.context.mempool_file.clone();
    let read = tokio::task::spawn_blocking(move || file.load(&|| false));
    assert_eq!(read.await.unwrap().succeeded, 0);
    assert_eq!(loaded(node.get("getmempoolinfo", json!([])).await), true);

    let transaction = open.spend(0, 1_000);
    open.send(&transaction).await;
    node.get("prioritisetransaction", json!([id(&transaction), 0, 7]))
        .await;
    let saved = node.get("savemempool", json!([])).await;
    let path = node.context.data_dir.join("mempool.dat");
    assert_eq!(saved, json!({ "filename": path.display().to_string() }));
    assert!(path.exists());

    // A file of somebody else says nothing of this node's priorities, unless that is asked for.
    let imported = node.get("importmempool", json!(["mempool.dat"])).await;
    assert_eq!(imported, json!({}));
    let deltas = node.get("getprioritisedtransactions", json!([])).await;
    assert_eq!(deltas[id(&transaction)]["fee_delta"], 7);
    let params =
        json!({ "filepath": path.display().to_string(), "apply_fee_delta_priority": true });
    node.get("importmempool", params).await;
    let deltas = node.get("getprioritisedtransactions", json!([])).await;
    assert_eq!(deltas[id(&transaction)]["fee_delta"], 14);

    assert_eq!(
        node.refusal("importmempool", json!(["nowhere"])).await,
        (
            -1,
            "Unable to import mempool file, see debug log for details.".to_owned()
        )
    );
    assert_eq!(
        node.refusal("importmempool", json!(["x", { "use_current_time": 1 }]))
            .await,
        (
            -3,
            "JSON value of type number is not of expected type bool".to_owned()
        )
    );
    open.node.finish().await;
}

#[tokio::test]
async fn methods_for_insiders_have_help_but_are_not_listed() {
    let open = Open::start().await;
    let node = &open.node;
    let nowhere = "11".repeat(32);
    for method in [
        "getmempoolancestors",
        "getmempooldescendants",
        "getmempoolcluster",
    ] {
        assert_eq!(
            node.refusal(method, json!([nowhere])).await,
            (-5, "Transaction not in mempool".to_owned())
        );
        assert_eq!(
            node.refusal(method, json!(["xy"])).await,
            (-8, "txid must be of length 64 (not 2, for 'xy')".to_owned())
        );
    }
    let all = node.get("help", json!([])).await;
    let all = all.as_str().unwrap();
    assert!(all.contains("\ngetmempoolcluster \"txid\"\n"), "{all}");
    assert!(!all.contains("getmempoolfeeratediagram"), "{all}");
    let one = node.get("help", json!(["getmempoolfeeratediagram"])).await;
    assert!(
        one.as_str()
            .unwrap()
            .starts_with("getmempoolfeeratediagram\n")
    );
    open.node.finish().await;
}
