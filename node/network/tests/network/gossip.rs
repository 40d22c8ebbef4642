//! Blocks and transactions reach everybody; invalid ones cost their sender the connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyrite_consensus::bitcoin::TxMerkleNode;
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_network::{AddMode, ChainAccess as _, Verdict};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn blocks_and_transactions_reach_everybody() {
    let nodes = star(5).await;
    wait_for_full_mesh(&nodes).await;
    for miner in [4, 0, 2] {
        nodes[miner].chain.mine(1);
        wait_for_tip(&nodes, nodes[miner].chain.tip_hash()).await;
    }
    let transaction = spend(confirmed(), 1);
    nodes[3].send(&transaction);
    let txid = transaction.compute_txid();
    wait("the transaction is everywhere", || {
        nodes.iter().all(|node| node.chain.in_mempool(&txid))
    })
    .await;
    nodes[1].chain.mine(1);
    wait_for_tip(&nodes, nodes[1].chain.tip_hash()).await;
    assert!(nodes.iter().all(|node| !node.chain.in_mempool(&txid)));
    wait("times of blocks and transactions are noted", || {
        let peers = || nodes.iter().flat_map(|node| node.network.peers());
        peers().any(|peer| peer.last_block_time > 0)
            && peers().any(|peer| peer.last_transaction_time > 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_blocks_at_once_reach_everybody() {
    let nodes = star(3).await;
    wait_for_full_mesh(&nodes).await;
    nodes[1].chain.mine(200);
    wait_for_tip(&nodes, nodes[1].chain.tip_hash()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_of_an_invalid_block_is_banned_and_nobody_else() {
    let liar = Node::start(9, &[]).await;
    liar.chain.gullible.store(true, Ordering::Relaxed);
    let honest = Node::start(1, &[liar.address()]).await;
    let other = Node::start(2, &[honest.address()]).await;
    wait("all are connected", || {
        honest.is_connected_to(&liar)
            && honest.is_connected_to(&other)
            && other.is_connected_to(&liar)
    })
    .await;
    let mut block = mine_block(&liar.chain.tip_header(), 1, 9, &[]);
    block.header.merkle_root = TxMerkleNode::from_byte_array([1; 32]);
    find_nonce(&mut block);
    assert_eq!(liar.chain.submit_block(block), Verdict::Accept);
    wait("the liar is disconnected", || {
        !honest.is_connected_to(&liar) && !other.is_connected_to(&liar)
    })
    .await;
    liar.network
        .add_peer(honest.address(), AddMode::OneTry)
        .await
        .unwrap();
    holds("the liar stays out", Duration::from_secs(4), || {
        !honest.is_connected_to(&liar) && honest.is_connected_to(&other)
    })
    .await;
    assert_eq!(honest.chain.height(), 0);
    honest.chain.mine(1);
    wait("the honest go on", || {
        other.chain.tip_hash() == honest.chain.tip_hash()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_of_an_invalid_transaction_is_banned() {
    let liar = Node::start(9, &[]).await;
    liar.chain.gullible.store(true, Ordering::Relaxed);
    let honest = Node::start(1, &[liar.address()]).await;
    wait("they are connected", || {
        honest.is_connected_to(&liar) && liar.is_connected_to(&honest)
    })
    .await;
    let transaction = invalid_transaction();
    liar.send(&transaction);
    wait("the liar is disconnected", || {
        !honest.is_connected_to(&liar)
    })
    .await;
    holds("the liar stays out", Duration::from_secs(3), || {
        !honest.is_connected_to(&liar)
    })
    .await;
    assert!(!honest.chain.in_mempool(&transaction.compute_txid()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_without_work_is_refused() {
    let liar = Node::start(9, &[]).await;
    let honest = Node::start(1, &[liar.address()]).await;
    wait("they are connected", || {
        honest.is_connected_to(&liar) && liar.is_connected_to(&honest)
    })
    .await;
    let mut block = mine_block(&liar.chain.tip_header(), 1, 9, &[]);
    while block.header.validate_pow(block.header.target()).is_ok() {
        block.header.nonce += 1;
    }
    // Announcements go only to peers that are known to listen to the topic: repeat until one did.
    wait("the liar is disconnected", || {
        block.header.time += 1;
        while block.header.validate_pow(block.header.target()).is_ok() {
            block.header.nonce += 1;
        }
        liar.network.announce_block(Arc::new(block.clone()));
        !honest.is_connected_to(&liar)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_comes_first_waits_for_its_parent() {
    let nodes = star(2).await;
    wait_for_full_mesh(&nodes).await;
    let parent = spend(confirmed(), 1);
    let child = spend(parent.compute_txid(), 2);
    for transaction in [&parent, &child] {
        let verdict = nodes[0]
            .chain
            .submit_transaction(Arc::clone(transaction), 0);
        assert_eq!(verdict, Verdict::Accept);
    }
    // The parent is never announced.
    nodes[0].network.announce_transaction(Arc::clone(&child));
    wait("both are there", || {
        [&parent, &child]
            .iter()
            .all(|tx| nodes[1].chain.in_mempool(&tx.compute_txid()))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mempools_are_exchanged_when_nodes_meet() {
    let a = Node::start(1, &[]).await;
    let b = Node::start(2, &[]).await;
    let (of_a, of_b) = (spend(confirmed(), 1), spend(confirmed(), 2));
    let child = spend(of_a.compute_txid(), 3);
    a.send(&of_a);
    a.send(&child);
    b.send(&of_b);
    b.network.add_peer(a.address(), AddMode::Add).await.unwrap();
    wait("all transactions are on both nodes", || {
        [&of_a, &child, &of_b].iter().all(|tx| {
            a.chain.in_mempool(&tx.compute_txid()) && b.chain.in_mempool(&tx.compute_txid())
        })
    })
    .await;
}
