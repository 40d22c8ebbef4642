//! The coins of a chain, made of its blocks by the simplest means.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use pyrite_consensus::bitcoin::{Block, BlockHash, OutPoint};
use pyrite_consensus::coin_stats::{MuHash, coin_bytes};
use pyrite_consensus::{Coin, Height};
use serde_json::json;

use super::process::Node;

/// Blocks that were read once, by their hash.
#[derive(Default)]
pub(super) struct Replay {
    blocks: HashMap<BlockHash, Block>,
}

impl Replay {
    /// The MuHash of the coins at the node's tip, of which only the blocks are believed.
    pub(super) fn muhash(&mut self, node: &Node) -> String {
        let tip: BlockHash = node.text("getbestblockhash", json!([])).parse().unwrap();
        let mut coins = HashMap::new();
        for (height, hash) in (1..).zip(self.chain(node, tip)) {
            apply(&mut coins, &self.blocks[&hash], Height(height));
        }
        let mut hash = MuHash::new();
        let mut bytes = Vec::new();
        for (outpoint, coin) in &coins {
            bytes.clear();
            coin_bytes(outpoint, coin, &mut bytes);
            hash.insert(&bytes);
        }
        hash.hash().to_string()
    }

    /// The blocks from the one behind the genesis block to the tip.
    fn chain(&mut self, node: &Node, tip: BlockHash) -> Vec<BlockHash> {
        let mut chain = Vec::new();
        let mut hash = tip;
        loop {
            let block = self.blocks.entry(hash).or_insert_with(|| {
                let block = node.text("getblock", json!([hash.to_string(), 0]));
                deserialize_hex(&block).unwrap()
            });
            assert_eq!(block.block_hash(), hash);
            let parent = block.header.prev_blockhash;
            if parent.to_string() == "0".repeat(64) {
                break;
            }
            chain.push(hash);
            hash = parent;
        }
        chain.reverse();
        chain
    }
}

fn apply(coins: &mut HashMap<OutPoint, Coin>, block: &Block, height: Height) {
    for transaction in &block.txdata {
        if !transaction.is_coinbase() {
            for input in &transaction.input {
                let spent = coins.remove(&input.previous_output);
                assert!(spent.is_some(), "{} is not there", input.previous_output);
            }
        }
        let txid = transaction.compute_txid();
        for (vout, output) in (0..).zip(&transaction.output) {
            if output.script_pubkey.is_op_return() {
                continue;
            }
            let coin = Coin {
                output: output.clone(),
                height,
                is_coinbase: transaction.is_coinbase(),
            };
            coins.insert(OutPoint { txid, vout }, coin);
        }
    }
}
