//! `pruneblockchain`, and what is said of blocks that are gone.

use pyrite_chain::PruneMode;
use serde_json::{Value, json};

use super::harness::TestNode;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_prune_says_so() {
    let node = TestNode::start().await;
    let error = node.refusal("pruneblockchain", json!([1])).await;
    let expected = "Cannot prune blocks because node is not in prune mode.";
    assert_eq!(error, (-1, expected.to_owned()));
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["pruned"], false);
    assert_eq!(info.get("pruneheight"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_pruned_by_hand_as_in_bitcoin_core() {
    let node = TestNode::start_pruning(PruneMode::ByHand).await;
    let refused = async |height: Value, code, message: &str| {
        let error = node.refusal("pruneblockchain", json!([height])).await;
        assert_eq!(error, (code, message.to_owned()), "{height}");
    };
    refused(json!(-1), -8, "Negative block height.").await;
    refused(json!(0), -1, "Blockchain is too short for pruning.").await;
    let blocks = node.mine(1_100).await;
    let shorter = "Blockchain is shorter than the attempted prune height.";
    refused(json!(1_101), -8, shorter).await;
    let no_block = "Could not find block with at least the specified timestamp.";
    refused(json!(2_147_483_647), -8, no_block).await;

    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["pruned"], true);
    assert_eq!(info["pruneheight"], 0);
    assert_eq!(info["automatic_pruning"], false);
    assert_eq!(info.get("prune_target_size"), None);

    assert_eq!(node.get("pruneblockchain", json!([10])).await, 10);
    let gone = (-1, "Block not available (pruned data)".to_owned());
    for verbosity in 0..=3 {
        let error = node
            .refusal("getblock", json!([blocks[9], verbosity]))
            .await;
        assert_eq!(error, gone, "verbosity {verbosity}");
        node.get("getblock", json!([blocks[10], verbosity])).await;
    }
    assert_eq!(node.refusal("getblockstats", json!([10])).await, gone);
    let header = node.get("getblockheader", json!([blocks[9]])).await;
    assert_eq!(header["height"], 10);
    assert_eq!(header["nTx"], 1);

    // The last blocks stay.
    assert_eq!(
        node.get("pruneblockchain", json!([1_100])).await,
        1_100 - 288
    );
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["pruneheight"], 1_100 - 288 + 1);
    assert_eq!(node.get("verifychain", json!([4, 0])).await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_prunes_by_itself_tells_its_bound() {
    let target_bytes = 550 << 20;
    let node = TestNode::start_pruning(PruneMode::Automatic { target_bytes }).await;
    let info = node.get("getblockchaininfo", json!([])).await;
    assert_eq!(info["automatic_pruning"], true);
    assert_eq!(info["prune_target_size"], target_bytes);
}
