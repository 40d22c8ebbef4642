//! `getblocktemplate` and `submitblock` as clients of BIP-0022 and BIP-0023 use them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pyrite_consensus::bitcoin::block::Version;
use pyrite_consensus::bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, CompactTarget, ScriptBuf, Transaction, TxMerkleNode, Witness,
};
use pyrite_miner::solve;
use pyrite_wallet::AddressType;
use serde_json::{Value, json};

use super::harness::TestNode;

fn payout(byte: u8) -> ScriptBuf {
    let mut script = vec![0x00, 0x14];
    script.extend([byte; 20]);
    ScriptBuf::from_bytes(script)
}

async fn template(node: &TestNode, capabilities: &[&str]) -> Value {
    let request = json!([{ "rules": ["segwit"], "capabilities": capabilities }]);
    node.get("getblocktemplate", request).await
}

/// A template's coinbase as its block, solved.
fn solved(template: &Value) -> Block {
    let coinbase = template["coinbasetxn"]["data"].as_str().unwrap();
    let coinbase: Transaction = deserialize_hex(coinbase).unwrap();
    let mut block = Block {
        header: pyrite_consensus::bitcoin::block::Header {
            version: Version::from_consensus(template["version"].as_i64().unwrap() as i32),
            prev_blockhash: template["previousblockhash"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: template["curtime"].as_u64().unwrap() as u32,
            bits: CompactTarget::from_unprefixed_hex(template["bits"].as_str().unwrap()).unwrap(),
            nonce: 0,
        },
        txdata: vec![coinbase],
    };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    solve(block, 1_000_000, &AtomicBool::new(false)).unwrap()
}

/// What is nothing is not written down as income, whoever it pays.
#[tokio::test]
async fn the_accounts_have_good_blocks_alone() {
    let node = TestNode::start().await;
    let wallet = &node.context.wallet;
    let payout = wallet.new_address(AddressType::Bech32, "mining").unwrap();
    let payout = payout.script_pubkey();
    let template = node.context.work.build(&payout).unwrap();
    let block = template.block([1; 8], template.time_at(node.context.clock.now()), 0);
    let solve_anew = |change: fn(&mut Block)| {
        let mut block = block.clone();
        change(&mut block);
        solve(block, 1_000_000, &AtomicBool::new(false)).unwrap()
    };
    let submit = async |block: &Block| {
        let params = json!([serialize_hex(block)]);
        node.call("submitblock", params).await
    };
    let bad: [fn(&mut Block); 3] = [
        |block| block.txdata[0].output[0].value = Amount::ONE_SAT,
        |block| block.header.time = 1,
        |block| block.header.prev_blockhash = BlockHash::all_zeros(),
    ];
    for change in bad {
        let answer = submit(&solve_anew(change)).await;
        assert!(!matches!(answer, Ok(Value::Null)));
        assert_eq!(*node.recorded.lock().unwrap(), []);
    }
    let good = solve_anew(|_| {});
    for answer in [Value::Null, json!("duplicate")] {
        assert_eq!(submit(&good).await.ok(), Some(answer));
        assert_eq!(*node.recorded.lock().unwrap(), [good.block_hash()]);
    }
}

#[tokio::test]
async fn a_coinbase_is_made_for_clients_that_ask() {
    let node = TestNode::start().await;
    // Nobody to pay.
    assert!(
        template(&node, &["coinbasetxn"])
            .await
            .get("coinbasetxn")
            .is_none()
    );
    node.context.work.set_payout(payout(1));
    // The miner's address, for a client that has none; one that makes its own coinbase keeps its own.
    let of_miner = template(&node, &["coinbasetxn"]).await;
    assert_eq!(
        solved(&of_miner).txdata[0].output[0].script_pubkey,
        payout(1)
    );
    let own = template(&node, &["coinbasetxn", "coinbasevalue"]).await;
    assert!(own.get("coinbasetxn").is_none());
    assert!(own.get("workid").is_none());

    let node = node.with_template_payout(payout(2));
    assert!(
        template(&node, &["coinbasevalue"])
            .await
            .get("coinbasetxn")
            .is_none()
    );
    let asked = ["coinbasetxn", "coinbasevalue", "workid"];
    let first = template(&node, &asked).await;
    let second = template(&node, &asked).await;
    assert_ne!(first["coinbasetxn"]["txid"], second["coinbasetxn"]["txid"]);
    assert_eq!(first["coinbaseaux"]["flags"], "082f7079726974652f");
    let block = solved(&second);
    assert_eq!(block.txdata[0].output[0].script_pubkey, payout(2));
    assert_eq!(block.txdata[0].output[0].value, Amount::from_int_btc(50));
    let parameters = json!({ "workid": second["workid"] });
    let submission = json!([serialize_hex(&block), parameters]);
    assert_eq!(node.get("submitblock", submission).await, Value::Null);
    assert_eq!(node.get("getblockcount", json!([])).await, 1);
    node.finish().await;
}

#[tokio::test]
async fn a_submission_names_its_work() {
    let node = TestNode::start().await.with_template_payout(payout(3));
    let asked = ["coinbasetxn", "workid"];
    let (first, second) = (template(&node, &asked).await, template(&node, &asked).await);
    let (block, late) = (solved(&first), solved(&second));
    let submit = |block: &Block, workid: Value| json!([serialize_hex(block), { "workid": workid }]);
    let unknown = [json!("nothing"), json!(7), json!("00".repeat(32))];
    for id in unknown {
        let verdict = node.get("submitblock", submit(&block, id.clone())).await;
        assert_eq!(verdict, "unknown-work", "{id}");
        let request = json!([{ "mode": "proposal", "data": serialize_hex(&block), "workid": id }]);
        assert_eq!(node.get("getblocktemplate", request).await, "unknown-work");
    }
    assert_eq!(node.get("getblockcount", json!([])).await, 0);
    let good = submit(&block, first["workid"].clone());
    assert_eq!(node.get("submitblock", good.clone()).await, Value::Null);
    assert_eq!(node.get("submitblock", good).await, "duplicate");
    let old = submit(&late, second["workid"].clone());
    assert_eq!(node.get("submitblock", old).await, "stale-work");
    // Without an id, as in Bitcoin Core; other second parameters mean nothing.
    let third = solved(&second_of_same_parent(&second));
    for dummy in [
        Value::Null,
        json!("dummy"),
        json!({}),
        json!({ "workid": null }),
    ] {
        let verdict = node
            .get("submitblock", json!([serialize_hex(&third), dummy]))
            .await;
        assert!(
            verdict == "inconclusive" || verdict == "duplicate",
            "{verdict}"
        );
    }
    node.finish().await;
}

/// The same template a second later, so that its block is another.
fn second_of_same_parent(template: &Value) -> Value {
    let mut template = template.clone();
    template["curtime"] = (template["curtime"].as_u64().unwrap() + 1).into();
    template
}

/// Every reason for which a proposal may be refused, in Bitcoin Core's words, which refine BIP-0022's.
#[tokio::test]
async fn proposals_are_refused_by_reason() {
    let node = TestNode::start().await;
    node.mine(1).await;
    let good = node.solved_block(1);
    let changed = |change: &dyn Fn(&mut Block)| {
        let mut block = good.clone();
        change(&mut block);
        block
    };
    // With a root that fits: other rules are asked then.
    let rooted = |change: &dyn Fn(&mut Block)| {
        let mut block = changed(change);
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        block
    };
    let cases = [
        (
            changed(&|block| block.header.bits = CompactTarget::from_consensus(0x207f_fffe)),
            "bad-diffbits",
        ),
        (changed(&|block| block.header.time = 1), "time-too-old"),
        (
            changed(&|block| block.header.time = u32::MAX),
            "time-too-new",
        ),
        (
            changed(&|block| block.header.version = Version::from_consensus(1)),
            "bad-version",
        ),
        (
            changed(&|block| block.header.merkle_root = TxMerkleNode::all_zeros()),
            "bad-txnmrklroot",
        ),
        (
            changed(&|block| block.header.prev_blockhash = BlockHash::all_zeros()),
            "inconclusive-not-best-prevblk",
        ),
        (
            rooted(&|block| {
                block.txdata[0].input[0].script_sig = ScriptBuf::from_bytes(vec![0x51])
            }),
            "bad-cb-length",
        ),
        (
            rooted(&|block| {
                block.txdata[0].input[0].script_sig = ScriptBuf::from_bytes(vec![0x51, 0x51])
            }),
            "bad-cb-height",
        ),
        (
            rooted(&|block| block.txdata[0].output[0].value += Amount::ONE_SAT),
            "bad-cb-amount",
        ),
        (
            rooted(&|block| {
                block.txdata[0].input[0].previous_output.vout = 0;
            }),
            "bad-cb-missing",
        ),
        (
            rooted(&|block| {
                block.txdata.push(block.txdata[0].clone());
            }),
            "bad-txns-duplicate",
        ),
        (
            rooted(&|block| {
                let mut other = block.txdata[0].clone();
                other.output[0].value = Amount::ZERO;
                block.txdata.push(other);
            }),
            "bad-cb-multiple",
        ),
        (
            rooted(&|block| {
                block.txdata[0].input[0].witness = Witness::from_slice(&[[1_u8; 32]]);
            }),
            "bad-witness-merkle-match",
        ),
        (
            rooted(&|block| {
                block.txdata[0].input[0].witness = Witness::new();
            }),
            "bad-witness-nonce-size",
        ),
        (
            rooted(&|block| {
                block.txdata[0].output.clear();
            }),
            "bad-txns-vout-empty",
        ),
    ];
    for (block, reason) in cases {
        let request = json!([{ "mode": "proposal", "data": serialize_hex(&block) }]);
        let verdict = node.get("getblocktemplate", request).await;
        let text = verdict.as_str().unwrap_or("null");
        assert!(text.starts_with(reason), "{text} instead of {reason}");
    }
    // What was not stored, but for its header, stays a proposal; what a block of the chain is, is told.
    let proposal = |block: &Block| json!([{ "mode": "proposal", "data": serialize_hex(block) }]);
    assert_eq!(
        node.get("getblocktemplate", proposal(&good)).await,
        Value::Null
    );
    let header = pyrite_consensus::bitcoin::consensus::encode::serialize_hex(&good.header);
    node.get("submitheader", json!([header])).await;
    assert_eq!(
        node.get("getblocktemplate", proposal(&good)).await,
        "duplicate-inconclusive"
    );
    node.get("submitblock", json!([serialize_hex(&good)])).await;
    assert_eq!(
        node.get("getblocktemplate", proposal(&good)).await,
        "duplicate"
    );
    node.get("invalidateblock", json!([good.block_hash().to_string()]))
        .await;
    assert_eq!(
        node.get("getblocktemplate", proposal(&good)).await,
        "duplicate-invalid"
    );
    node.finish().await;
}

/// A long poll's answer says whether work on the same tip is still welcome.
#[tokio::test]
async fn a_long_poll_tells_what_becomes_of_old_work() {
    let node = TestNode::start().await;
    let first = template(&node, &[]).await;
    assert!(first.get("submitold").is_none());
    let dispatcher = Arc::clone(&node.dispatcher);
    let request = json!([{ "rules": ["segwit"], "longpollid": first["longpollid"] }]);
    let waiting = tokio::spawn(async move {
        super::harness::call(&dispatcher, "getblocktemplate", request).await
    });
    node.mine(1).await;
    let next = waiting.await.unwrap().unwrap();
    assert_eq!(next["submitold"], false);
    // A stopgap's follower is on the same tip.
    let request = json!([{ "rules": ["segwit"], "longpollid": next["previousblockhash"] }]);
    let full = node.get("getblocktemplate", request).await;
    assert!(full.get("submitold").is_none());
    node.finish().await;
}

/// Old miners leave the witness out of the coinbase; where segwit is not active, none may be added.
#[tokio::test]
async fn a_witness_is_added_only_under_segwit() {
    let mut spec = pyrite_consensus::ChainSpec::regtest();
    spec.deployments.segwit = 1_000;
    spec.deployments.taproot = 1_000;
    let node = TestNode::start_on(spec, pyrite_chain::PruneMode::Off, &[]).await;
    let mut block = node.solved_block(1);
    let commitment = format!("6a24aa21a9ed{}", "00".repeat(32));
    block.txdata[0]
        .output
        .push(pyrite_consensus::bitcoin::TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_hex(&commitment).unwrap(),
        });
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    block.header.nonce = 0;
    let block = solve(block, 1_000_000, &AtomicBool::new(false)).unwrap();
    let verdict = node
        .get("submitblock", json!([serialize_hex(&block)]))
        .await;
    assert_eq!(verdict, Value::Null);
    node.finish().await;
}
