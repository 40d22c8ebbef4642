//! Nodes that lack blocks get them, from several peers and through reorganisations.

use std::sync::atomic::Ordering;

use pyrite_network::Blocked;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_blocks_come_from_two_peers() {
    let (a, b) = (FakeChain::new(1), FakeChain::new(2));
    a.mine(300);
    b.copy_from(&a);
    let a = Node::start_over(a, &[]).await;
    let b = Node::start_over(b, &[]).await;
    let c = Node::start(3, &[a.address(), b.address()]).await;
    wait("the new node has all blocks", || {
        c.chain.tip_hash() == a.chain.tip_hash()
    })
    .await;
    let served = [&a, &b].map(|node| node.chain.blocks_served.load(Ordering::Relaxed));
    assert!(
        served.iter().all(|served| *served > 0),
        "both served: {served:?}"
    );
    wait("the heights are noted", || {
        c.network.peers().iter().all(|peer| {
            peer.height == Some(300)
                && peer.best_hash == Some(a.chain.tip_hash())
                && peer.synced_headers == Some(300)
                && peer.synced_blocks == Some(300)
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_fork_is_left_for_one_with_more_work() {
    let (long, short) = (FakeChain::new(1), FakeChain::new(2));
    long.mine(4500);
    short.mine(4400);
    let long = Node::start_over(long, &[]).await;
    let short = Node::start_over(short, &[long.address()]).await;
    let tip = long.chain.tip_hash();
    wait("the shorter chain is left", || {
        short.chain.tip_hash() == tip
    })
    .await;
    assert_eq!(long.chain.tip_hash(), tip);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sync_survives_the_loss_of_a_peer() {
    let (a, b) = (FakeChain::new(1), FakeChain::new(2));
    a.mine(1500);
    b.copy_from(&a);
    let a = Node::start_over(a, &[]).await;
    let b = Node::start_over(b, &[]).await;
    let c = Node::start(3, &[a.address(), b.address()]).await;
    wait("the sync is under way", || c.chain.height() > 0).await;
    a.network.shutdown().await;
    wait("the new node has all blocks", || {
        c.chain.tip_hash() == b.chain.tip_hash()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_halves_agree_after_a_partition_and_lose_no_transaction() {
    let nodes = star(4).await;
    wait_for_full_mesh(&nodes).await;
    let ids: Vec<_> = nodes.iter().map(Node::id).collect();
    for (index, node) in nodes.iter().enumerate() {
        let others = if index < 2 { &ids[2..] } else { &ids[..2] };
        node.network
            .set_blocked(Blocked::peers(others.to_vec()))
            .await;
    }
    wait("the halves are apart", || {
        nodes
            .iter()
            .all(|node| node.network.connection_count() == 1)
    })
    .await;
    let transaction = spend(confirmed(), 5);
    let txid = transaction.compute_txid();
    nodes[0].send(&transaction);
    wait("the losers have it", || nodes[1].chain.in_mempool(&txid)).await;
    nodes[0].chain.mine(3);
    nodes[3].chain.mine(7);
    wait("the halves have their tips", || {
        nodes[1].chain.tip_hash() == nodes[0].chain.tip_hash()
            && nodes[2].chain.tip_hash() == nodes[3].chain.tip_hash()
    })
    .await;
    assert_ne!(nodes[0].chain.tip_hash(), nodes[3].chain.tip_hash());
    let winner = nodes[3].chain.tip_hash();
    for node in &nodes {
        node.network.set_blocked(Blocked::default()).await;
    }
    wait_for_tip(&nodes, winner).await;
    wait("the losers' transaction is everywhere", || {
        nodes.iter().all(|node| node.chain.in_mempool(&txid))
    })
    .await;
    wait_for_full_mesh(&nodes).await;
}
