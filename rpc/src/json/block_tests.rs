use pyrite_consensus::bitcoin::Block;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use serde_json::json;

use super::*;

fn genesis(network: Network) -> (Block, BlockPlace) {
    let block = genesis_block(network);
    let place = BlockPlace {
        hash: block.block_hash(),
        height: 0,
        confirmations: 1,
        median_time: block.header.time,
        chain_work: block.header.work(),
        transaction_count: 1,
        next: None,
    };
    (block, place)
}

fn shown(block: Block, place: &BlockPlace, transactions: BlockTransactions<'_>) -> String {
    let block = HashedBlock::from(block);
    let text = block_text(&block, place, Network::Regtest, transactions);
    text.unwrap().text()
}

/// What Bitcoin Core answers to `getblock` of regtest's genesis block on an empty chain.
fn regtest_genesis() -> Value {
    json!({
        "hash": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        "confirmations": 1,
        "height": 0,
        "version": 1,
        "versionHex": "00000001",
        "merkleroot": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "time": 1_296_688_602,
        "mediantime": 1_296_688_602,
        "nonce": 2,
        "bits": "207fffff",
        "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
        "difficulty": 4.656_542_373_906_925e-10,
        "chainwork": "0000000000000000000000000000000000000000000000000000000000000002",
        "nTx": 1,
        "strippedsize": 285,
        "size": 285,
        "weight": 1140,
        "coinbase_tx": {
            "version": 1,
            "locktime": 0,
            "sequence": 4_294_967_295_u32,
            "coinbase": "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73",
        },
        "tx": ["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"],
    })
}

#[test]
fn the_regtest_genesis_block_is_shown_as_bitcoin_core_shows_it() {
    let (block, place) = genesis(Network::Regtest);
    // Compared as text: order and notation of numbers count.
    assert_eq!(
        shown(block, &place, BlockTransactions::Ids),
        regtest_genesis().to_string()
    );
}

#[test]
fn details_show_the_transactions_in_full() {
    let (block, place) = genesis(Network::Regtest);
    let transactions = BlockTransactions::Details {
        spent: Some(&[]),
        with_prevouts: true,
    };
    let json: Value = serde_json::from_str(&shown(block, &place, transactions)).unwrap();
    let transaction = &json["tx"][0];
    assert_eq!(
        transaction["txid"],
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    );
    assert_eq!(transaction["vout"][0]["value"].to_string(), "50.00000000");
    assert!(transaction.get("fee").is_none());
    assert!(transaction["hex"].as_str().unwrap().starts_with("01000000"));
}

#[test]
fn neighbours_are_named_where_they_exist() {
    let (block, place) = genesis(Network::Bitcoin);
    let next = place.hash;
    let shown = header_json(
        &block.header,
        &BlockPlace {
            height: 1,
            next: Some(next),
            ..place
        },
    );
    let json = serde_json::to_value(shown).unwrap();
    assert_eq!(json["previousblockhash"], "0".repeat(64));
    assert_eq!(json["nextblockhash"], next.to_string());
    assert_eq!(json["difficulty"].to_string(), "1");
}
