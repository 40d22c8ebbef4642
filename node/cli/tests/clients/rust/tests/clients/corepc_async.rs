//! `corepc-client`'s other client, the asynchronous one for production.

use corepc_client::{Auth, Client};
use pyrite_client_tests::Node;
use tokio::runtime::{Builder, Runtime};

use crate::corepc_client::wait_for_indexes;
use crate::history::History;

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn every_call_is_answered() {
    let node = Node::start(&["-txindex=1", "-blockfilterindex=1"]);
    let blocking = node.client();
    let history = History::make(&blocking);
    wait_for_indexes(&blocking);
    let auth = Auth::CookieFile(node.cookie_file());
    let client = Client::new_with_auth(&node.url(), auth).expect("the cookie file can be read");
    runtime().block_on(ask(&client, &history));
}

async fn ask(client: &Client, history: &History) {
    let best = client.get_best_block_hash().await.expect("answers");
    let count = client.get_block_count().await.expect("answers");
    let height = u32::try_from(count).expect("few blocks");
    assert_eq!(client.get_block_hash(height).await.expect("answers"), best);
    assert!(client.server_version().await.expect("answers") > 200_000);
    let chain = client.get_blockchain_info().await.expect("it parses");
    assert_eq!((chain.blocks, chain.best_block_hash), (height, best));

    let hash = history.block;
    let block = client.get_block(&hash).await.expect("it is stored");
    assert_eq!(block.txdata[1], history.spend);
    let header = client.get_block_header(&hash).await.expect("it is stored");
    assert_eq!(header, block.header);
    let verbose = client.get_block_header_verbose(&hash).await;
    assert_eq!(verbose.expect("it parses").hash, hash);
    let verbose = client.get_block_verbose(&hash).await.expect("it parses");
    assert_eq!(verbose.tx[1], history.spend.compute_txid());
    client.get_block_filter(&hash).await.expect("it parses");

    let waiting = client.get_raw_mempool().await.expect("answers");
    assert_eq!(waiting.len(), history.waiting.len());
    let txid = history.spend.compute_txid();
    let found = client
        .get_raw_transaction(&txid)
        .await
        .expect("it is indexed");
    assert_eq!(found, history.spend);
    let coin = history.free_coin.0;
    let output = client.get_tx_out(&coin.txid, u64::from(coin.vout)).await;
    assert!(output.expect("it is unspent").coinbase);

    let error = client.get_block_hash(100_000).await.expect_err("too high");
    assert_eq!(error.rpc_code(), Some(-8));
    let unknown = bitcoin::hashes::Hash::all_zeros();
    let error = client.get_block(&unknown).await.expect_err("unknown");
    assert!(error.is_not_found_error(), "{error}");
}

#[test]
fn a_wrong_password_opens_nothing() {
    let node = Node::start(&[]);
    let auth = Auth::UserPass("__cookie__".into(), "wrong".into());
    let client = Client::new_with_auth(&node.url(), auth).expect("a client");
    let answer = runtime().block_on(client.get_block_count());
    assert!(answer.expect_err("let in").is_transport_error());
}
