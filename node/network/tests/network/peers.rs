//! Connections: finding each other, other chains, adding and removing, switching off, shutting down.

use std::sync::Arc;
use std::time::Duration;

use pyrite_network::{
    AddMode, AddressRange, Blocked, ChainAccess, Dialing, DisconnectTarget, MessageBytes, Network,
    NetworkError, PeerId,
};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_know_one_each_all_find_each_other() {
    let mut nodes = vec![Node::start(0, &[]).await];
    for salt in 1..6 {
        let known = nodes[nodes.len() - 1].address();
        nodes.push(Node::start(salt, &[known]).await);
    }
    wait_for_full_mesh(&nodes).await;
    for node in &nodes {
        let mut peers: Vec<String> = node
            .network
            .peers()
            .into_iter()
            .map(|peer| peer.peer_id)
            .collect();
        peers.sort_unstable();
        peers.dedup();
        assert_eq!(peers.len(), nodes.len() - 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_dial_each_other_keep_one_connection() {
    let (a, b) = (Node::start(1, &[]).await, Node::start(2, &[]).await);
    let (to_a, to_b) = (a.address(), b.address());
    let (first, second) = tokio::join!(
        a.network.add_peer(to_b, AddMode::Add),
        b.network.add_peer(to_a, AddMode::Add)
    );
    first.unwrap();
    second.unwrap();
    wait("they see the same connection", || {
        let (of_a, of_b) = (a.network.peers(), b.network.peers());
        of_a.len() == 1 && of_b.len() == 1 && of_a[0].inbound != of_b[0].inbound
    })
    .await;
    a.chain.mine(1);
    wait("it works", || b.chain.height() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_connect_shows_it_and_counts_messages() {
    let listener = Node::start(1, &[]).await;
    let told = Node::start(2, &[listener.address()]).await;
    wait("they are connected", || told.is_connected_to(&listener)).await;
    wait("both see it", || listener.is_connected_to(&told)).await;
    let added = told.network.added_peers().await.unwrap();
    let [added] = added.as_slice() else {
        panic!("{added:?}")
    };
    let connection = added.connection.clone().unwrap();
    assert_eq!(connection, (added.address.clone(), false));
    assert_eq!(listener.network.added_peers().await.unwrap(), []);
    let (of_told, of_listener) = (told.network.peers(), listener.network.peers());
    assert!(of_told[0].manual && !of_told[0].inbound);
    assert!(!of_listener[0].manual && of_listener[0].inbound);
    listener.chain.mine(1);
    wait("the block came", || told.chain.height() == 1).await;
    let names =
        |bytes: &MessageBytes| -> Vec<&str> { bytes.iter().map(|(name, _)| name).collect() };
    let received = || told.network.peers()[0].received_by_message.clone();
    wait("a pong", || names(&received()).contains(&"pong")).await;
    for name in ["block", "verack", "version"] {
        assert!(
            names(&received()).contains(&name),
            "{name}: {:?}",
            received()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dials_only_whom_it_is_told_finds_no_others() {
    let first = Node::start(1, &[]).await;
    let known = Node::start(2, &[first.address()]).await;
    let alone = Node::try_start(FakeChain::new(3), &[known.address()], |config| {
        config.dialing = Dialing::NamedOnly;
        config.listen.clear();
    })
    .await
    .unwrap();
    wait("it is connected", || alone.is_connected_to(&known)).await;
    // A block goes round, and with it the time in which peers are told of.
    first.chain.mine(1);
    wait("the block came", || alone.chain.height() == 1).await;
    assert_eq!(alone.network.connection_count(), 1);
    assert_eq!(first.network.connection_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_refused() {
    let ours = Node::start(1, &[]).await;
    let stranger = Node::try_start(FakeChain::new(2), &[ours.address()], |config| {
        config.identity = "ff112233445566778899aabbccddeeff".to_owned();
    })
    .await
    .unwrap();
    let friend = Node::start(3, &[ours.address()]).await;
    wait("the friend is connected", || ours.is_connected_to(&friend)).await;
    wait("the stranger has reached us", || {
        stranger.network.totals().bytes_received > 0
    })
    .await;
    ours.chain.mine(1);
    wait("the friend has the block", || friend.chain.height() == 1).await;
    holds(
        "nothing is exchanged with the stranger",
        Duration::from_secs(3),
        || {
            stranger.chain.height() == 0
                && stranger.network.connection_count() == 0
                && !ours.is_connected_to(&stranger)
        },
    )
    .await;
    assert!(ours.is_connected_to(&friend));
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_added_tried_disconnected_and_removed() {
    let (a, b) = (Node::start(1, &[]).await, Node::start(2, &[]).await);
    let address = b.address();
    a.network
        .add_peer(address.clone(), AddMode::Add)
        .await
        .unwrap();
    let again = a.network.add_peer(address.clone(), AddMode::Add).await;
    assert!(matches!(again, Err(NetworkError::AlreadyAdded { .. })));
    wait("they are connected", || a.network.connection_count() == 1).await;
    let first = a.network.peers()[0].clone();
    assert_eq!(
        (first.id, first.inbound, first.user_agent.as_str()),
        (1, false, "/Pyrite:test/")
    );
    assert_eq!(first.peer_id, b.id().to_string());
    a.network
        .disconnect(DisconnectTarget::Address(first.address.clone()))
        .await
        .unwrap();
    wait("it is dialed again", || {
        a.network.peers().iter().any(|peer| peer.id > first.id)
    })
    .await;
    a.network
        .add_peer(address.clone(), AddMode::Remove)
        .await
        .unwrap();
    let again = a.network.add_peer(address.clone(), AddMode::Remove).await;
    assert!(matches!(again, Err(NetworkError::NotAdded { .. })));
    for target in [
        DisconnectTarget::Id(999),
        DisconnectTarget::Address("1.2.3.4:5".to_owned()),
    ] {
        let error = a.network.disconnect(target).await.unwrap_err();
        assert!(
            matches!(error, NetworkError::NotConnected { .. }),
            "{error}"
        );
    }
    let c = Node::start(3, &[]).await;
    c.network.add_peer(address, AddMode::OneTry).await.unwrap();
    wait("one try is enough", || c.is_connected_to(&b)).await;
    wait("pings and bytes are counted", || {
        let peer = c
            .network
            .peers()
            .into_iter()
            .find(|peer| peer.peer_id == b.id().to_string());
        peer.is_some_and(|peer| {
            peer.ping_ms.is_some()
                && peer.min_ping_ms <= peer.ping_ms
                && peer.bytes_sent > 0
                && peer.bytes_received > 0
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_network_has_no_connections() {
    let nodes = star(3).await;
    wait_for_full_mesh(&nodes).await;
    nodes[0].network.set_active(false).await;
    assert!(!nodes[0].network.is_active());
    wait("it is alone", || nodes[0].network.connection_count() == 0).await;
    nodes[1]
        .network
        .add_peer(nodes[0].address(), AddMode::OneTry)
        .await
        .unwrap();
    holds("it stays alone", Duration::from_secs(2), || {
        nodes[0].network.connection_count() == 0
    })
    .await;
    nodes[1].chain.mine(2);
    nodes[0].network.set_active(true).await;
    wait_for_full_mesh(&nodes).await;
    wait_for_tip(&nodes, nodes[1].chain.tip_hash()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_for_peers_on_the_local_network_does_not_disturb() {
    // Whether multicast works depends on the machine, so the address is given as well.
    let a = Node::try_start(FakeChain::new(1), &[], |config| config.mdns = true)
        .await
        .unwrap();
    let to_a = [a.address()];
    let b = Node::try_start(FakeChain::new(2), &to_a, |config| config.mdns = true)
        .await
        .unwrap();
    wait("they are connected", || {
        a.network.connection_count() == 1 && b.is_connected_to(&a)
    })
    .await;
    a.chain.mine(1);
    wait("it works", || b.chain.height() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_peers_than_allowed() {
    let hub = Node::try_start(FakeChain::new(0), &[], |config| config.max_peers = 2)
        .await
        .unwrap();
    let mut nodes = Vec::new();
    for salt in 1..5 {
        nodes.push(Node::start(salt, &[hub.address()]).await);
    }
    wait("the hub is full", || hub.network.connection_count() == 2).await;
    holds("it takes no more", Duration::from_secs(2), || {
        hub.network.connection_count() <= 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_an_error_that_names_it() {
    let first = Node::start(1, &[]).await;
    let address = first.address();
    let second = Node::try_start(FakeChain::new(2), &[], |config| {
        config.listen = vec![address.clone()]
    });
    match second.await.err() {
        Some(NetworkError::Listen {
            address: named,
            source,
        }) => {
            assert_eq!(named, address);
            assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_key_or_a_bad_identity_is_an_error() {
    let chain = FakeChain::new(1);
    let directory = tempfile::tempdir().unwrap();
    let start = |change: fn(&mut pyrite_network::NetworkConfig)| {
        let mut config = config(directory.path(), &chain, &[]);
        change(&mut config);
        Network::start(config, Arc::clone(&chain) as Arc<dyn ChainAccess>)
    };
    std::fs::write(directory.path().join("node.key"), "nonsense").unwrap();
    let error = start(|_| {}).await.unwrap_err();
    assert!(matches!(error, NetworkError::CorruptKey { .. }), "{error}");
    let error = start(|config| config.identity = "x".to_owned())
        .await
        .unwrap_err();
    assert!(matches!(error, NetworkError::Config { .. }), "{error}");
    let error = start(|config| {
        config.key_path = config.key_path.with_file_name("other.key");
        config.listen = vec!["/ip4/127.0.0.1/udp/1".parse().unwrap()];
    });
    let error = error.await.unwrap_err();
    assert!(matches!(error, NetworkError::Listen { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_with_a_blocked_address_end() {
    let listener = Node::start(1, &[]).await;
    let dialer = Node::start(2, &[listener.address()]).await;
    wait("they are connected", || {
        dialer.is_connected_to(&listener) && listener.is_connected_to(&dialer)
    })
    .await;
    let [first, last] = ["127.0.0.0", "127.255.255.255"].map(|text| text.parse().unwrap());
    let loopback = Blocked {
        addresses: vec![AddressRange { first, last }],
        ..Blocked::default()
    };
    for (blocking, other) in [(&listener, &dialer), (&dialer, &listener)] {
        blocking.network.set_blocked(loopback.clone()).await;
        wait("they are apart", || {
            [blocking, other]
                .iter()
                .all(|node| node.network.connection_count() == 0)
        })
        .await;
        blocking.network.set_blocked(Blocked::default()).await;
        let address = other.address();
        let added = blocking.network.add_peer(address, AddMode::OneTry);
        added.await.unwrap();
        wait("they are connected again", || {
            dialer.is_connected_to(&listener) && listener.is_connected_to(&dialer)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_ends_everything() {
    let nodes = star(3).await;
    wait_for_full_mesh(&nodes).await;
    let chain = Arc::clone(&nodes[0].chain);
    nodes[0].network.shutdown().await;
    nodes[0].network.shutdown().await;
    assert_eq!(
        Arc::strong_count(&chain),
        2,
        "the network does not use the chain any more"
    );
    assert_eq!(nodes[0].network.connection_count(), 0);
    let error = nodes[0]
        .network
        .add_peer(nodes[1].address(), AddMode::Add)
        .await
        .unwrap_err();
    assert!(matches!(error, NetworkError::Stopped), "{error}");
    nodes[0].network.set_active(true).await;
    let somebody = Blocked::peers([PeerId::random()]);
    nodes[0].network.set_blocked(somebody).await;
    nodes[0].network.announce_block(chain.block_at_tip());
    wait("the others notice", || {
        nodes[1..]
            .iter()
            .all(|node| node.network.connection_count() == 1)
    })
    .await;
    // The port is free again, and the node is the same after a restart.
    let config = config(nodes[0].directory.path(), &chain, &[]);
    let again = Network::start(config, Arc::clone(&chain) as Arc<dyn ChainAccess>)
        .await
        .unwrap();
    assert_eq!(again.local_peer_id(), nodes[0].id());
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_handle_ends_everything() {
    let directory = tempfile::tempdir().unwrap();
    let chain = FakeChain::new(1);
    let access = Arc::clone(&chain) as Arc<dyn ChainAccess>;
    let network = Network::start(config(directory.path(), &chain, &[]), access)
        .await
        .unwrap();
    assert!(Arc::strong_count(&chain) > 1);
    drop(network);
    wait("the tasks are gone", || Arc::strong_count(&chain) == 1).await;
}
