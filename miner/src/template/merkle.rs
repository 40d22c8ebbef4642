//! The merkle branch of the coinbase: with it a new coinbase costs one hash per level of the tree,
//! instead of one per transaction.

use pyrite_consensus::bitcoin::hashes::{Hash, HashEngine, sha256d};
use pyrite_consensus::bitcoin::{TxMerkleNode, Txid};

/// The nodes beside the way from the coinbase up to the root, the lowest first. `txids` are those of
/// the transactions after the coinbase.
pub fn coinbase_branch(txids: impl IntoIterator<Item = Txid>) -> Vec<TxMerkleNode> {
    // The nodes of one level but for the first, which depends on the coinbase.
    let mut level: Vec<sha256d::Hash> = txids.into_iter().map(Txid::to_raw_hash).collect();
    let mut branch = Vec::new();
    while let Some((beside, rest)) = level.split_first() {
        branch.push(TxMerkleNode::from_raw_hash(*beside));
        // Where a level has an odd count of nodes, the last one is paired with itself.
        level = rest
            .chunks(2)
            .map(|pair| hash_pair(pair[0], pair[pair.len() - 1]))
            .collect();
    }
    branch
}

/// The merkle root of a block with this coinbase.
pub fn root_from_branch(coinbase: Txid, branch: &[TxMerkleNode]) -> TxMerkleNode {
    let root = branch.iter().fold(coinbase.to_raw_hash(), |node, beside| {
        hash_pair(node, beside.to_raw_hash())
    });
    TxMerkleNode::from_raw_hash(root)
}

fn hash_pair(left: sha256d::Hash, right: sha256d::Hash) -> sha256d::Hash {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_byte_array());
    engine.input(right.as_byte_array());
    sha256d::Hash::from_engine(engine)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pyrite_consensus::bitcoin::merkle_tree;

    use super::*;

    proptest! {
        #[test]
        fn equals_the_root_of_the_whole_tree(
            leaves in prop::collection::vec(any::<[u8; 32]>(), 1..70),
        ) {
            let txids: Vec<Txid> = leaves.into_iter().map(Txid::from_byte_array).collect();
            let branch = coinbase_branch(txids[1..].iter().copied());
            let whole = merkle_tree::calculate_root(txids.iter().map(|txid| txid.to_raw_hash()));
            let root = root_from_branch(txids[0], &branch).to_raw_hash();
            prop_assert_eq!(Some(root), whole);
            prop_assert!(branch.len() <= 7);
        }
    }

    #[test]
    fn a_lone_coinbase_is_the_root() {
        let coinbase = Txid::from_byte_array([7; 32]);
        assert_eq!(coinbase_branch([]), []);
        assert_eq!(
            root_from_branch(coinbase, &[]).to_raw_hash(),
            coinbase.to_raw_hash()
        );
    }
}
