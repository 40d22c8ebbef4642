//! `bitcoincore-rpc`: its calls, its types, its errors.

use bitcoin::{Amount, BlockHash, Network, OutPoint, hashes::Hash};
use bitcoincore_rpc::json::{EstimateMode, ScanTxOutRequest};
use bitcoincore_rpc::{Auth, Client, Error, RpcApi, jsonrpc};
use pyrite_client_tests::{Key, Node};

use crate::history::{History, pay};

fn client(node: &Node) -> Client {
    let auth = Auth::CookieFile(node.cookie_file());
    Client::new(&node.url(), auth).expect("the cookie file can be read")
}

#[test]
fn coins_are_made_sent_and_found() {
    let node = Node::start(&["-txindex=1"]);
    let history = History::make(&node.client());
    let rpc = client(&node);

    assert!(rpc.version().expect("answers") > 200_000);
    let height = rpc.get_block_count().expect("answers");
    let best = rpc.get_best_block_hash().expect("answers");
    assert_eq!(rpc.get_block_hash(height).expect("answers"), best);
    let block = rpc.get_block(&history.block).expect("it is stored");
    assert_eq!(block.txdata[1], history.spend);
    let info = rpc.get_block_info(&history.block).expect("it is stored");
    assert_eq!(info.tx[1], history.spend.compute_txid());
    assert_eq!(info.confirmations, 2);
    let header = rpc.get_block_header(&best).expect("it is stored");
    assert_eq!(header.prev_blockhash, history.block);
    let header = rpc.get_block_header_info(&best).expect("it is stored");
    assert_eq!(u64::try_from(header.height).expect("few blocks"), height);
    let stats = rpc.get_block_stats(height - 1).expect("it is stored");
    assert_eq!(stats.txs, 2);
    assert_eq!(rpc.get_chain_tips().expect("answers").len(), 2);

    let payment = history.independent();
    let tested = rpc
        .test_mempool_accept(&[&payment])
        .expect("it is looked at");
    assert!(tested[0].allowed, "{tested:?}");
    let txid = rpc.send_raw_transaction(&payment).expect("it is taken");
    assert!(rpc.get_raw_mempool().expect("answers").contains(&txid));
    let entry = rpc.get_mempool_entry(&txid).expect("it waits");
    assert_eq!(entry.fees.base, Amount::from_sat(1_000));
    assert_eq!(rpc.get_raw_mempool_verbose().expect("answers").len(), 4);
    assert_eq!(rpc.get_mempool_info().expect("answers").size, 4);
    rpc.generate_to_address(1, &Key::new(3).segwit())
        .expect("a block is made");
    assert!(rpc.get_raw_mempool().expect("answers").is_empty());

    let found = rpc
        .get_raw_transaction_info(&txid, None)
        .expect("it is indexed");
    assert_eq!(found.confirmations, Some(1));
    assert_eq!(found.transaction().expect("it decodes"), payment);
    let coin = rpc.get_tx_out(&txid, 0, None).expect("answers");
    let coin = coin.expect("it is unspent");
    assert_eq!(coin.value, payment.output[0].value);
    assert_eq!(coin.confirmations, 1);
    let spent = history.free_coin.0;
    assert!(
        rpc.get_tx_out(&spent.txid, spent.vout, None)
            .expect("answers")
            .is_none()
    );
    rpc.get_tx_out_proof(&[txid], None)
        .expect("it is in a block");
    let descriptor = format!("addr({})", history.key.segwit());
    let scan = rpc
        .scan_tx_out_set_blocking(&[ScanTxOutRequest::Single(descriptor)])
        .expect("answers");
    assert!(
        scan.unspents
            .iter()
            .any(|coin| (coin.txid, coin.vout) == (txid, 0))
    );
    assert_eq!(
        rpc.get_tx_out_set_info(None, None, None)
            .expect("answers")
            .height,
        height + 1
    );
}

#[test]
fn the_state_of_the_node_is_read() {
    let node = Node::start(&[]);
    let history = History::make(&node.client());
    let rpc = client(&node);
    let chain = rpc.get_blockchain_info().expect("it parses");
    assert_eq!(chain.chain, Network::Regtest);
    assert!(!chain.pruned);
    assert_eq!(rpc.get_network_info().expect("it parses").connections, 0);
    assert!(rpc.get_peer_info().expect("it parses").is_empty());
    assert_eq!(rpc.get_connection_count().expect("answers"), 0);
    rpc.get_mining_info().expect("it parses");
    rpc.get_network_hash_ps(None, None).expect("answers");
    assert!(rpc.get_difficulty().expect("answers") > 0.0);
    rpc.uptime().expect("answers");
    rpc.estimate_smart_fee(2, Some(EstimateMode::Economical))
        .expect("it parses");
    rpc.get_index_info().expect("it parses");
    let waited = rpc.wait_for_new_block(1).expect("it parses");
    assert_eq!(waited.height, chain.blocks);

    // A block is taken back and comes again.
    rpc.invalidate_block(&history.block).expect("it is known");
    assert!(rpc.get_block_count().expect("answers") < chain.blocks);
    rpc.reconsider_block(&history.block).expect("it is known");
    assert_eq!(
        rpc.get_best_block_hash().expect("answers"),
        chain.best_block_hash
    );
}

#[test]
fn a_block_is_submitted() {
    let first = Node::start(&[]);
    let second = Node::start(&[]);
    let (from, to) = (client(&first), client(&second));
    let hashes = from
        .generate_to_address(3, &Key::new(3).segwit())
        .expect("blocks are made");
    for hash in &hashes {
        let block = from.get_block(hash).expect("it is stored");
        to.submit_block(&block).expect("it is taken");
    }
    assert_eq!(to.get_best_block_hash().expect("answers"), hashes[2]);
}

#[test]
fn a_batch_has_results_and_errors_side_by_side() {
    let node = Node::start(&[]);
    let rpc = client(&node);
    let heights = [0, 1_000, 0].map(|height| jsonrpc::arg([height]));
    let inner = rpc.get_jsonrpc_client();
    let requests = heights
        .each_ref()
        .map(|height| inner.build_request("getblockhash", Some(height)));
    let answers = inner.send_batch(&requests).expect("answers");
    let results: Vec<Result<BlockHash, _>> = answers
        .into_iter()
        .map(|answer| answer.expect("one for each").result())
        .collect();
    let genesis = rpc.get_block_hash(0).expect("answers");
    assert!(matches!(results[0], Ok(hash) if hash == genesis));
    assert!(matches!(&results[1], Err(jsonrpc::Error::Rpc(error)) if error.code == -8));
    assert!(matches!(results[2], Ok(hash) if hash == genesis));
}

/// The code of an error that the node answered.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> i32 {
    match result {
        Err(Error::JsonRpc(jsonrpc::Error::Rpc(error))) => error.code,
        other => panic!("no error of the node: {other:?}"),
    }
}

#[test]
fn errors_have_bitcoin_cores_codes() {
    let node = Node::start(&[]);
    let rpc = client(&node);
    assert_eq!(code(rpc.get_block_hash(1_000)), -8);
    assert_eq!(code(rpc.get_block(&BlockHash::all_zeros())), -5);
    assert_eq!(code(rpc.send_raw_transaction("00")), -22);
    assert_eq!(code(rpc.call::<String>("nosuchmethod", &[])), -32601);
    rpc.generate_to_address(101, &Key::new(7).segwit())
        .expect("blocks are made");
    // A coin that is not there.
    let key = Key::new(7);
    let (outpoint, mut output) = crate::history::coinbase_coin(&node.client(), 1);
    let missing = OutPoint::new(outpoint.txid, 9);
    let unknown = pay(
        &key,
        &[(missing, output.clone())],
        output.script_pubkey.clone(),
    );
    assert_eq!(code(rpc.send_raw_transaction(&unknown)), -25);
    // More than the coin has.
    output.value += Amount::from_sat(5_000);
    let greedy = pay(&key, &[(outpoint, output.clone())], output.script_pubkey);
    assert_eq!(code(rpc.send_raw_transaction(&greedy)), -26);
}

#[test]
fn a_wrong_password_opens_nothing() {
    let node = Node::start(&[]);
    let auth = Auth::UserPass("__cookie__".into(), "wrong".into());
    let rpc = Client::new(&node.url(), auth).expect("a client");
    match rpc.get_block_count() {
        Err(Error::JsonRpc(jsonrpc::Error::Transport(error))) => {
            assert!(error.to_string().contains("401"), "{error}");
        }
        other => panic!("let in: {other:?}"),
    }
}
