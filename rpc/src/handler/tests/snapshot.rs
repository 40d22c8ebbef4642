//! Files of all coins: one node writes one, another begins with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyrite_chain::PruneMode;
use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use pyrite_consensus::spec::AssumeUtxo;
use pyrite_consensus::{ChainSpec, Height};
use serde_json::{Value, json};

use super::harness::TestNode;

/// Blocks of the first node, and the one whose coins are written.
const LENGTH: u32 = 6;
const BASE: u32 = 4;

fn blocks(node: &TestNode) -> Vec<Block> {
    let reader = &node.context.reader;
    (1..=reader.tip().height.0)
        .map(|height| {
            let hash = reader.hash_at(Height(height)).unwrap();
            reader.block(&hash).unwrap().unwrap()
        })
        .collect()
}

/// Regtest that knows what a dump says of its block.
fn spec_of(dump: &Value) -> ChainSpec {
    let mut spec = ChainSpec::regtest();
    spec.assume_utxo = vec![AssumeUtxo {
        height: Height(BASE),
        block_hash: dump["base_hash"].as_str().unwrap().parse().unwrap(),
        coins_hash: dump["txoutset_hash"].as_str().unwrap().parse().unwrap(),
        chain_tx_count: dump["nchaintx"].as_u64().unwrap(),
    }];
    spec
}

#[tokio::test]
async fn coins_are_written_of_the_tip_and_of_an_earlier_block() {
    let node = TestNode::start().await;
    node.mine(BASE).await;
    let base = node.get("getbestblockhash", json!([])).await;
    let info = node.get("gettxoutsetinfo", json!([])).await;
    let latest = node
        .get("dumptxoutset", json!(["latest.dat", "latest"]))
        .await;
    let path = node.context.data_dir.join("latest.dat");
    assert_eq!(
        latest,
        json!({
            "coins_written": BASE,
            "base_hash": base,
            "base_height": BASE,
            "path": path.display().to_string(),
            "txoutset_hash": info["hash_serialized_3"],
            "nchaintx": BASE + 1,
        })
    );
    let file = std::fs::read(&path).unwrap();
    node.mine(LENGTH - BASE).await;
    for (name, params) in [
        (
            "height",
            json!(["height", "rollback", { "rollback": BASE }]),
        ),
        ("hash", json!(["hash", "", { "rollback": base }])),
        ("named", json!({ "path": "named", "rollback": BASE })),
    ] {
        let dump = node.get("dumptxoutset", params).await;
        assert_eq!(dump["txoutset_hash"], latest["txoutset_hash"], "{name}");
        assert_eq!(
            std::fs::read(node.context.data_dir.join(name)).unwrap(),
            file
        );
    }
    let left = std::fs::read_dir(&node.context.data_dir)
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".incomplete")
        });
    assert_eq!(left.count(), 0);
    assert_eq!(node.get("getblockcount", json!([])).await, LENGTH);
    node.finish().await;
}

#[tokio::test]
async fn a_file_that_can_t_be_written_is_refused() {
    let node = TestNode::start().await;
    node.mine(1).await;
    let refusal = async |params| node.refusal("dumptxoutset", params).await;
    let (code, message) = refusal(json!(["x"])).await;
    let expected =
        "Invalid snapshot type \"\" specified. Please specify \"rollback\" or \"latest\"";
    assert_eq!((code, message.as_str()), (-8, expected));
    let (code, message) = refusal(json!(["x", "latest", { "rollback": 0 }])).await;
    let expected = "Invalid snapshot type \"latest\" specified with rollback option";
    assert_eq!((code, message.as_str()), (-8, expected));
    // The highest that Bitcoin Core's regtest lists.
    let (code, message) = refusal(json!(["x", "rollback"])).await;
    let expected = "Target block height 299 after current tip 1";
    assert_eq!((code, message.as_str()), (-8, expected));
    let (code, message) = refusal(json!(["x", "rollback", { "rollback": -1 }])).await;
    let expected = "Target block height -1 is negative";
    assert_eq!((code, message.as_str()), (-8, expected));
    let (code, message) = refusal(json!(["x", "rollback", { "roll": 1 }])).await;
    assert_eq!(
        (code, message.as_str()),
        (-8, "Unknown named parameter roll")
    );
    let unknown = "00".repeat(32);
    let (code, message) = refusal(json!(["x", "rollback", { "rollback": unknown }])).await;
    assert_eq!((code, message.as_str()), (-5, "Block not found"));

    std::fs::write(node.context.data_dir.join("there"), "").unwrap();
    let (code, message) = refusal(json!(["there", "latest"])).await;
    assert_eq!(code, -8);
    assert!(
        message.ends_with(
            "there already exists. If you are sure this is what you want, move it out of the way first"
        ),
        "{message}"
    );
    let (code, message) = refusal(json!(["no/where", "latest"])).await;
    assert_eq!(code, -8);
    assert!(
        message.ends_with("no/where.incomplete for writing."),
        "{message}"
    );
    node.finish().await;
}

#[tokio::test]
async fn a_node_begins_with_a_file_and_validates_what_is_below() {
    let source = TestNode::start().await;
    source.mine(BASE).await;
    let params = json!(["coins", "latest"]);
    let dump = source.get("dumptxoutset", params).await;
    source.mine(LENGTH - BASE).await;
    let blocks = blocks(&source);
    let path = dump["path"].as_str().unwrap();
    let node = TestNode::start_on(spec_of(&dump), PruneMode::Off, &[]).await;

    let (code, message) = node.refusal("loadtxoutset", json!(["none"])).await;
    assert_eq!(code, -8);
    assert!(message.ends_with("none for reading."), "{message}");
    let base = dump["base_hash"].as_str().unwrap();
    let missing = node.refusal("loadtxoutset", json!([path])).await;
    let expected = format!(
        "Unable to load UTXO snapshot: The base block header ({base}) must appear in the headers chain. Make sure all \
         headers are syncing, and call loadtxoutset again. ({path})"
    );
    assert_eq!(missing, (-32603, expected));
    let second = serialize_hex(&blocks[1].header);
    let refusal = node.refusal("submitheader", json!([second])).await;
    let first = blocks[0].block_hash();
    let expected = format!("Must submit previous header ({first}) first");
    assert_eq!(refusal, (-25, expected));
    let refusal = node.refusal("submitheader", json!(["00"])).await;
    assert_eq!(refusal, (-22, "Block header decode failed".to_owned()));
    for block in &blocks {
        // As Bitcoin Core, it looks at no more than the header.
        let result = node
            .get("submitheader", json!([serialize_hex(block)]))
            .await;
        assert_eq!(result, Value::Null);
    }
    let mut file = std::fs::read(path).unwrap();
    file[0] = 0;
    std::fs::write(node.context.data_dir.join("bad"), file).unwrap();
    let (code, message) = node.refusal("loadtxoutset", json!(["bad"])).await;
    assert_eq!(code, -22);
    assert!(
        message.starts_with("Unable to parse metadata: Invalid UTXO set snapshot magic bytes."),
        "{message}"
    );

    let loaded = node.get("loadtxoutset", json!([path])).await;
    assert_eq!(
        loaded,
        json!({ "coins_loaded": BASE, "tip_hash": base, "base_height": BASE, "path": path })
    );
    check_while_validating(&node, &blocks, base).await;

    for block in &blocks {
        let chain = node.context.chain.clone();
        let block = Arc::new(block.clone());
        tokio::task::spawn_blocking(move || chain.submit_block(block).unwrap())
            .await
            .unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let states = node.get("getchainstates", json!([])).await;
        let states = states["chainstates"].as_array().unwrap();
        if let [only] = &states[..] {
            assert_eq!(only["validated"], true);
            assert_eq!(only["blocks"], LENGTH);
            assert_eq!(only.get("snapshot_blockhash"), None);
            break;
        }
        assert!(Instant::now() < deadline, "it is not validated");
        tokio::task::yield_now().await;
    }
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info.get("backgroundvalidation"), None);
    let hash = async |node: &TestNode| {
        let info = node.get("gettxoutsetinfo", json!(["muhash"])).await;
        info["muhash"].clone()
    };
    assert_eq!(hash(&node).await, hash(&source).await);
    assert_eq!(node.get("verifychain", json!([4, 0])).await, true);
    node.finish().await;
    source.finish().await;
}

async fn check_while_validating(node: &TestNode, blocks: &[Block], base: &str) {
    let states = node.get("getchainstates", json!([])).await;
    assert_eq!(states["headers"], LENGTH);
    let [background, snapshot] = &states["chainstates"].as_array().unwrap()[..] else {
        panic!("{states}");
    };
    assert_eq!(background["blocks"], 0);
    assert_eq!(background["validated"], true);
    assert_eq!(background.get("snapshot_blockhash"), None);
    assert_eq!(snapshot["blocks"], BASE);
    assert_eq!(snapshot["validated"], false);
    assert_eq!(snapshot["snapshot_blockhash"], base);
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["blocks"], BASE);
    let background = &info["backgroundvalidation"];
    assert_eq!(background["snapshotheight"], BASE);
    assert_eq!(background["blocks"], 0);

    // What has no body yet.
    let first = blocks[0].block_hash().to_string();
    let header = node.get("getblockheader", json!([first])).await;
    assert_eq!(header["nTx"], 0);
    let (code, message) = node.refusal("getblock", json!([first])).await;
    let expected = "Block not available (not fully downloaded)";
    assert_eq!((code, message.as_str()), (-1, expected));
    let (_, message) = node.refusal("invalidateblock", json!([base])).await;
    assert!(message.contains(base), "{message}");
    assert_eq!(node.get("verifychain", json!([4, 0])).await, true);
    let coins = node.get("gettxoutsetinfo", json!(["none"])).await;
    assert_eq!(coins["txouts"], BASE);
}
