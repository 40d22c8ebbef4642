//! The set of all coins: its figures and its hashes, and searches through it.

use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{OutPoint, Txid};
use pyrite_consensus::coin_stats::{CoinStats, CoinStatsBuilder, HashKind};
use pyrite_consensus::{Coin, Height};
use serde_json::{Value, json};

use super::harness::TestNode;

/// The figures of the coins of a chain in which nothing is spent, gathered from its blocks.
fn expected(node: &TestNode, kind: HashKind) -> CoinStats {
    let reader = &node.context.reader;
    let mut coins: Vec<(Txid, u32, Coin)> = Vec::new();
    for height in 1..=reader.tip().height.0 {
        let hash = reader.hash_at(Height(height)).unwrap();
        let block = reader.block(&hash).unwrap().unwrap();
        let coinbase = &block.txdata[0];
        for (vout, output) in (0..).zip(&coinbase.output) {
            if !output.script_pubkey.is_op_return() {
                let coin = Coin {
                    output: output.clone(),
                    height: Height(height),
                    is_coinbase: true,
                };
                coins.push((coinbase.compute_txid(), vout, coin));
            }
        }
    }
    coins.sort_by_key(|(txid, vout, _)| (txid.to_byte_array(), *vout));
    let mut builder = CoinStatsBuilder::new(kind);
    for (txid, vout, coin) in coins {
        builder.add(&OutPoint { txid, vout }, &coin);
    }
    builder.finish()
}

#[tokio::test]
async fn figures_and_hashes_are_those_of_all_coins() {
    let node = TestNode::start().await;
    node.mine(5).await;
    for (params, kind, name) in [
        (json!([]), HashKind::Serialized, "hash_serialized_3"),
        (json!(["muhash"]), HashKind::MuHash, "muhash"),
        (json!(["none", null, false]), HashKind::None, ""),
    ] {
        let stats = expected(&node, kind);
        let info = node.get("gettxoutsetinfo", params).await;
        let mut form = json!({
            "height": 5,
            "bestblock": node.get("getbestblockhash", json!([])).await,
            "txouts": 5,
            "bogosize": stats.bogo_size,
        });
        if let Some(hash) = stats.hash {
            form[name] = hash.to_string().into();
        }
        form["total_amount"] = whole_coins(250);
        form["transactions"] = json!(5);
        // The flush has written the coins to files.
        assert!(info["disk_size"].as_u64().unwrap() > 0);
        form["disk_size"] = info["disk_size"].clone();
        assert_eq!(info.to_string(), form.to_string());
    }
    node.finish().await;
}

/// An amount of whole coins, as it is written.
fn whole_coins(coins: u64) -> Value {
    serde_json::from_str(&format!("{coins}.00000000")).unwrap()
}

#[tokio::test]
async fn the_hash_of_an_earlier_tip_comes_back_with_it() {
    let node = TestNode::start().await;
    node.mine(2).await;
    let before = node.get("gettxoutsetinfo", json!(["muhash"])).await;
    let hash = node.mine(1).await.remove(0);
    let after = node.get("gettxoutsetinfo", json!(["muhash"])).await;
    assert_ne!(before["muhash"], after["muhash"]);
    node.get("invalidateblock", json!([hash])).await;
    let again = node.get("gettxoutsetinfo", json!(["muhash"])).await;
    assert_eq!(before["muhash"], again["muhash"]);
    node.finish().await;
}

#[tokio::test]
async fn another_block_needs_an_index() {
    let node = TestNode::start().await;
    for params in [json!(["none", 0]), json!(["hash_serialized_3", "x"])] {
        assert_eq!(
            node.refusal("gettxoutsetinfo", params).await,
            (
                -8,
                "Querying specific block heights requires coinstatsindex".to_owned()
            )
        );
    }
    assert_eq!(
        node.refusal("gettxoutsetinfo", json!(["foo hash"])).await,
        (-8, "'foo hash' is not a valid hash_type".to_owned())
    );
    node.mine(1).await;
    node.stop.stop();
    let (code, message) = node.refusal("gettxoutsetinfo", json!([])).await;
    assert_eq!((code, message.as_str()), (-9, "Shutting down"));
    node.finish().await;
}
