//! What tests ask of a node.

use pyrite_chain::PruneMode;
use pyrite_consensus::ChainSpec;
use serde_json::json;

use super::harness::TestNode;

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_can_be_set_and_let_go() {
    let node = TestNode::start().await;
    node.mine(1).await;
    let time = 2_000_000_000;
    assert_eq!(node.get("setmocktime", json!([time])).await, json!(null));
    let hash = node.mine(1).await.remove(0);
    let header = node.get("getblockheader", json!([hash])).await;
    assert_eq!(header["time"], time);
    let uptime = node.get("uptime", json!([])).await.as_u64().unwrap();
    assert_eq!(uptime, time - node.context.started_at);
    // A block from too far ahead of that clock is refused.
    node.get("setmocktime", json!([time + 10_000])).await;
    let ahead = node.solved_block(1);
    node.get("setmocktime", json!([time])).await;
    let ahead = pyrite_consensus::bitcoin::consensus::encode::serialize_hex(&ahead);
    assert_eq!(
        node.get("submitblock", json!([ahead])).await,
        "time-too-new"
    );
    // A ban ends by it.
    let peer = node.context.network.local_peer_id().to_string();
    node.get("setban", json!([peer, "add", 100])).await;
    node.get("setmocktime", json!([time + 99])).await;
    let bans = node.get("listbanned", json!([])).await;
    assert_eq!(bans[0]["time_remaining"], 1);
    node.get("setmocktime", json!([time + 100])).await;
    assert_eq!(node.get("listbanned", json!([])).await, json!([]));
    node.get("setmocktime", json!([0])).await;
    assert_ne!(node.context.clock.now(), time + 100);
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_subnets_are_banned_as_in_bitcoin_core() {
    let node = TestNode::start().await;
    let time = 2_000_000_000;
    node.get("setmocktime", json!([time])).await;
    for params in [
        json!(["127.0.0.1", "add"]),
        json!(["10.0.0.9/255.255.255.0", "add", time + 50, true]),
        json!(["::1", "add", 7]),
    ] {
        assert_eq!(node.get("setban", params).await, json!(null));
    }
    let banned = |address: &str, lasts: u64| {
        json!({
            "address": address,
            "ban_created": time,
            "banned_until": time + lasts,
            "ban_duration": lasts,
            "time_remaining": lasts,
        })
    };
    assert_eq!(
        node.get("listbanned", json!([])).await.to_string(),
        json!([
            banned("10.0.0.0/24", 50),
            banned("127.0.0.1/32", 86_400),
            banned("::1/128", 7)
        ])
        .to_string()
    );
    let already = (-23, "Error: IP/Subnet already banned");
    let unknown =
        "Error: Unban failed. Requested address/subnet was not previously manually banned.";
    for (params, (code, message)) in [
        (json!(["127.0.0.1", "add"]), already),
        (json!(["127.0.0.1/32", "add"]), already),
        (json!(["10.0.0.200", "add"]), already),
        (json!(["10.0.0.200", "remove"]), (-30, unknown)),
        (
            json!(["10.0.0.0/33", "add"]),
            (-30, "Error: Invalid IP/Subnet"),
        ),
        (
            json!(["localhost", "add"]),
            (-30, "Error: Invalid IP/Subnet"),
        ),
        (
            json!(["10.1.0.0/16", "add", 1, true]),
            (-8, "Error: Absolute timestamp is in the past"),
        ),
    ] {
        let refusal = node.refusal("setban", params.clone()).await;
        assert_eq!(refusal, (code, message.to_owned()), "{params}");
    }
    node.get("setban", json!(["10.0.0.0/24", "remove"])).await;
    node.get("setban", json!(["10.0.0.200", "add"])).await;
    node.get("clearbanned", json!([])).await;
    assert_eq!(node.get("listbanned", json!([])).await, json!([]));
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_times_and_other_chains_are_refused() {
    let node = TestNode::start().await;
    for time in [-1_i64, 9_223_372_037] {
        assert_eq!(
            node.refusal("setmocktime", json!([time])).await,
            (
                -8,
                format!("Mocktime must be in the range [0, 9223372036], not {time}.")
            )
        );
    }
    for delta in [0, 3_601] {
        assert_eq!(
            node.refusal("mockscheduler", json!([delta])).await,
            (
                -1,
                "delta_time must be between 1 and 3600 seconds (1 hr)".to_owned()
            )
        );
    }
    assert_eq!(node.get("mockscheduler", json!([5])).await, json!(null));
    node.finish().await;
    let node = TestNode::start_on(ChainSpec::mainnet(), PruneMode::Off, &[]).await;
    for method in ["setmocktime", "mockscheduler"] {
        assert_eq!(
            node.refusal(method, json!([1])).await,
            (
                -1,
                format!("{method} is for regression testing (-regtest mode) only")
            )
        );
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_comes_back() {
    let node = TestNode::start().await;
    for method in ["echo", "echojson"] {
        for params in [json!([]), json!([1, null, "two", [3], { "four": 4 }])] {
            assert_eq!(node.get(method, params.clone()).await, params);
        }
        assert_eq!(
            node.get(method, json!({ "arg2": 7 })).await,
            json!([null, null, 7])
        );
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_chain_can_be_waited_for() {
    let node = TestNode::start_with(&pyrite_index::IndexKind::ALL).await;
    node.mine(3).await;
    assert_eq!(
        node.get("syncwithvalidationinterfacequeue", json!([]))
            .await,
        json!(null)
    );
    let indexes = node.get("getindexinfo", json!([])).await;
    for (name, index) in indexes.as_object().unwrap() {
        assert_eq!(index["best_block_height"], 3, "{name}");
    }
    node.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn soft_forks_and_memory_and_traffic_are_told() {
    let node = TestNode::start().await;
    let info = node.get("getdeploymentinfo", json!([])).await;
    let names: Vec<&String> = info.as_object().unwrap().keys().collect();
    assert_eq!(names, ["hash", "height", "script_flags", "deployments"]);
    assert_eq!(
        info["deployments"]["segwit"],
        json!({ "type": "buried", "active": true, "height": 0 })
    );
    let flags = info["script_flags"].as_array().unwrap();
    assert!(flags.contains(&json!("TAPROOT")));
    assert!(flags.is_sorted_by_key(|flag| flag.as_str().map(str::to_owned)));
    let unknown = "00".repeat(32);
    assert_eq!(
        node.refusal("getdeploymentinfo", json!([unknown])).await,
        (-5, "Block not found".to_owned())
    );
    let memory = node.get("getmemoryinfo", json!([])).await;
    assert_eq!(memory["locked"]["used"], 0);
    for (mode, message) in [
        ("mallocinfo", "mallocinfo mode not available"),
        ("foobar", "unknown mode foobar"),
    ] {
        assert_eq!(
            node.refusal("getmemoryinfo", json!([mode])).await,
            (-8, message.to_owned())
        );
    }
    let totals = node.get("getnettotals", json!([])).await;
    assert_eq!(totals["uploadtarget"]["timeframe"], 86_400);
    assert_eq!(node.get("ping", json!([])).await, json!(null));
    assert_eq!(node.get("getnodeaddresses", json!([0])).await, json!([]));
    for (params, message) in [
        (json!([-1]), "Address count out of range"),
        (json!([1, "Foo"]), "Network not recognized: Foo"),
    ] {
        assert_eq!(
            node.refusal("getnodeaddresses", params).await,
            (-8, message.to_owned())
        );
    }
    node.finish().await;
}
