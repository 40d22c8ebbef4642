//! Invalid, reconsidered and precious blocks, and what `getchaintips` says of each branch.

use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::consensus::encode::serialize_hex;
use serde_json::{Value, json};

use super::harness::TestNode;

/// A chain of three blocks, a branch of one block beside the third, and a header on the third.
struct Branches {
    node: TestNode,
    /// The chain's blocks from height 1 on.
    chain: Vec<String>,
    /// The block beside the third.
    rival: String,
    /// The header on the third.
    header: String,
}

impl Branches {
    async fn grow() -> Self {
        let node = TestNode::start().await;
        let mut chain = node.mine(2).await;
        let rival = node.solved_block(1);
        chain.extend(node.mine(1).await);
        let submitted = node
            .get("submitblock", json!([serialize_hex(&rival)]))
            .await;
        assert_eq!(submitted, "inconclusive");
        let header = node.solved_block(2);
        submit_header(&node, &header).await;
        Self {
            node,
            chain,
            rival: rival.block_hash().to_string(),
            header: header.block_hash().to_string(),
        }
    }

    async fn call(&self, method: &str, hash: &str) {
        assert_eq!(self.node.get(method, json!([hash])).await, Value::Null);
    }

    /// Height, hash, length and status of each tip.
    async fn assert_tips(&self, expected: &[(u32, &str, u32, &str)]) {
        let mut expected: Vec<Value> = expected
            .iter()
            .map(|(height, hash, length, status)| {
                json!({ "height": height, "hash": hash, "branchlen": length, "status": status })
            })
            .collect();
        // Bitcoin Core orders by height and says nothing of tips at the same one; ours go by hash.
        let mut tips = self.node.get("getchaintips", json!([])).await;
        let tips = tips.as_array_mut().unwrap();
        let order = |tip: &Value| (-tip["height"].as_i64().unwrap(), tip["hash"].to_string());
        assert!(tips.is_sorted_by_key(|tip| -tip["height"].as_i64().unwrap()));
        tips.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(*tips, expected);
    }
}

async fn submit_header(node: &TestNode, block: &Block) {
    let chain = node.context.chain.clone();
    let header = block.header;
    tokio::task::spawn_blocking(move || chain.submit_headers(vec![header]).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn every_branch_has_its_status() {
    let branches = Branches::grow().await;
    let (third, rival, header) = (&branches.chain[2], &branches.rival, &branches.header);
    branches
        .assert_tips(&[
            (4, header, 1, "headers-only"),
            (3, third, 0, "active"),
            (3, rival, 1, "valid-headers"),
        ])
        .await;

    branches.call("invalidateblock", third).await;
    branches
        .assert_tips(&[(4, header, 2, "invalid"), (3, rival, 0, "active")])
        .await;
    assert_eq!(
        branches.node.get("getbestblockhash", json!([])).await,
        rival.as_str()
    );

    // The third block came first, so it is the best again.
    branches.call("reconsiderblock", third).await;
    branches
        .assert_tips(&[
            (4, header, 1, "headers-only"),
            (3, third, 0, "active"),
            (3, rival, 1, "valid-fork"),
        ])
        .await;
    branches.node.finish().await;
}

#[tokio::test]
async fn a_precious_block_wins_a_tie_until_another_is_precious() {
    let branches = Branches::grow().await;
    let (third, rival) = (&branches.chain[2], &branches.rival);
    let best = async || branches.node.get("getbestblockhash", json!([])).await;
    branches.call("preciousblock", rival).await;
    assert_eq!(best().await, rival.as_str());
    branches.call("preciousblock", third).await;
    assert_eq!(best().await, third.as_str());
    // One with less work than the tip can't become the tip.
    branches.call("preciousblock", &branches.chain[0]).await;
    assert_eq!(best().await, third.as_str());
    branches.node.finish().await;
}

#[tokio::test]
async fn an_invalid_block_takes_those_after_it_along_until_one_of_them_is_reconsidered() {
    let branches = Branches::grow().await;
    let node = &branches.node;
    branches.call("invalidateblock", &branches.chain[0]).await;
    assert_eq!(node.get("getblockcount", json!([])).await, 0);
    branches.call("reconsiderblock", &branches.rival).await;
    assert_eq!(node.get("getblockcount", json!([])).await, 3);
    // What was cleared are the rival and its ancestors; the third block had no mark of its own.
    assert_eq!(
        node.get("getbestblockhash", json!([])).await,
        branches.chain[2].as_str()
    );
    branches.node.finish().await;
}

#[tokio::test]
async fn unknown_blocks_are_refused_and_the_genesis_block_stays() {
    let node = TestNode::start().await;
    for method in ["invalidateblock", "preciousblock", "reconsiderblock"] {
        assert_eq!(
            node.refusal(method, json!(["11".repeat(32)])).await,
            (-5, "Block not found".to_owned())
        );
        assert_eq!(
            node.refusal(method, json!(["xy"])).await,
            (
                -8,
                "blockhash must be of length 64 (not 2, for 'xy')".to_owned()
            )
        );
    }
    let genesis = node.get("getblockhash", json!([0])).await;
    assert_eq!(
        node.get("invalidateblock", json!([genesis])).await,
        Value::Null
    );
    assert_eq!(
        node.get("getchaintips", json!([])).await[0]["status"],
        "active"
    );
    node.finish().await;
}

#[tokio::test]
async fn a_whole_chain_is_verified_on_every_level() {
    let node = TestNode::start().await;
    node.mine(8).await;
    assert_eq!(node.get("verifychain", json!([])).await, true);
    for level in -1..=5 {
        assert_eq!(node.get("verifychain", json!([level, 0])).await, true);
        assert_eq!(node.get("verifychain", json!([level, 3])).await, true);
    }
    assert_eq!(
        node.refusal("verifychain", json!([1_i64 << 31])).await,
        (-1, "JSON integer out of range".to_owned())
    );
    // As in Bitcoin Core, a verification that the end of the node breaks off has not succeeded.
    node.stop.stop();
    assert_eq!(node.get("verifychain", json!([])).await, false);
    node.finish().await;
}
