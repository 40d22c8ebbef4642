//! `corepc-client`, as the client of Bitcoin Core's newest version: every call that it has and the node has.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Address, Amount, Network, SignedAmount};
use corepc_client::client_sync::v31::{
    AddNodeCommand, Client, Input, Output, SetBanCommand, TemplateRequest, TemplateRules,
};
use corepc_client::client_sync::{Auth, Error};
use pyrite_client_tests::{Key, Node, Peers};

use crate::history::History;
use crate::strict_types::EVERY_INDEX;

/// The code of an error about a method that is not there.
pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
/// The longest wait for something that the node does by itself, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);
/// How often to look.
const POLL: Duration = Duration::from_millis(50);

/// What the calls came to.
#[derive(Default)]
struct Calls {
    answered: usize,
    unknown: Vec<String>,
    failed: Vec<String>,
}

impl Calls {
    fn note<T>(&mut self, call: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(answer) => {
                self.answered += 1;
                return Some(answer);
            }
            Err(error) if error_code(&error) == Some(METHOD_NOT_FOUND) => {
                self.unknown.push(call.into())
            }
            Err(error) => self.failed.push(format!("{call}: {error}")),
        }
        None
    }
}

/// Calls a method of the client and keeps what came of it.
macro_rules! call {
    ($calls:expr, $client:ident.$method:ident($($argument:expr),*)) => {
        $calls.note(stringify!($method), $client.$method($($argument),*))
    };
}

#[test]
fn every_call_is_answered() {
    let peer = Node::start_with_peers(&[], Peers::Listen);
    let address = peer.listen.expect("it listens");
    let node = Node::start_with_peers(EVERY_INDEX, Peers::Connect(address));
    let client = node.client();
    let history = History::make(&client);
    wait_for_peer_and_indexes(&client);

    let mut calls = Calls::default();
    ask_about_the_chain(&mut calls, &client, &history);
    ask_about_coins(&mut calls, &client, &history, &node);
    ask_about_the_mempool(&mut calls, &client, &history, &node);
    ask_about_the_node(&mut calls, &client);
    work_on_transactions(&mut calls, &client, &history);
    work_on_psbts(&mut calls, &client, &history);
    work_on_scripts(&mut calls, &client, &history);
    change_the_chain(&mut calls, &client, &history);

    println!("answered: {}", calls.answered);
    println!("methods that the node does not have: {:?}", calls.unknown);
    assert!(calls.failed.is_empty(), "{}", calls.failed.join("\n"));
}

/// Waits until the node has its peer, and its indexes have every block.
pub(crate) fn wait_for_peer_and_indexes(client: &Client) {
    wait_for("the peer", || {
        client.get_connection_count().expect("answers").0 == 1
    });
    wait_for_indexes(client);
}

/// Waits until the indexes have every block.
pub(crate) fn wait_for_indexes(client: &Client) {
    let height = client.get_block_count().expect("answers").0;
    wait_for("the indexes", || {
        let indexes = client.get_index_info().expect("answers").0;
        indexes
            .values()
            .all(|index| index.synced && u64::from(index.best_block_height) == height)
    });
}

/// Waits until something is so, and fails if that takes too long.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(POLL);
    }
}

fn ask_about_the_chain(calls: &mut Calls, client: &Client, history: &History) {
    let block = history.block;
    call!(calls, client.get_blockchain_info());
    call!(calls, client.get_best_block_hash());
    call!(calls, client.get_block_count());
    call!(calls, client.get_block(block));
    for hash in [block, history.stale] {
        call!(calls, client.get_block_verbose_zero(hash));
        call!(calls, client.get_block_verbose_one(hash));
        call!(calls, client.get_block_verbose_two(hash));
        call!(calls, client.get_block_verbose_three(hash));
        call!(calls, client.get_block_header(&hash));
        call!(calls, client.get_block_header_verbose(&hash));
    }
    call!(calls, client.get_block_filter(block));
    call!(calls, client.get_block_hash(0));
    call!(calls, client.get_block_stats_by_height(1, None));
    call!(calls, client.get_block_stats_by_block_hash(&block, None));
    call!(calls, client.get_chain_states());
    call!(calls, client.get_chain_tips());
    call!(calls, client.get_chain_tx_stats());
    call!(calls, client.get_deployment_info_tip());
    call!(calls, client.get_deployment_info(&block));
    call!(calls, client.get_difficulty());
    call!(calls, client.verify_chain());
    let tip = client.best_block_hash().expect("answers");
    call!(calls, client.wait_for_block(&tip));
    call!(calls, client.wait_for_block_height(5));
}

fn ask_about_coins(calls: &mut Calls, client: &Client, history: &History, node: &Node) {
    let txid = history.every_kind.compute_txid();
    let descriptor = format!("addr({})", history.key.segwit());
    let objects = [descriptor.as_str()];
    call!(calls, client.get_tx_out(txid, 0));
    call!(calls, client.get_tx_out_set_info());
    call!(calls, client.scan_blocks_start(&objects));
    call!(calls, client.scan_blocks_status());
    call!(calls, client.scan_blocks_abort());
    call!(calls, client.scan_tx_out_set_start(&objects));
    call!(calls, client.scan_tx_out_set_status());
    call!(calls, client.scan_tx_out_set_abort());
    call!(
        calls,
        client.get_descriptor_activity(&[history.block], &[&history.unspent_descriptor()])
    );
    if let Some(proof) = call!(calls, client.get_tx_out_proof(&[txid])) {
        call!(calls, client.verify_tx_out_proof(&proof));
    }
    let spent = [history.spend.input[0].previous_output];
    call!(calls, client.get_tx_spending_prevout(&spent));
    let file = node.scratch("coins.dat");
    call!(calls, client.dump_tx_out_set(&file, "latest"));
}

fn ask_about_the_mempool(calls: &mut Calls, client: &Client, history: &History, node: &Node) {
    let txid = history.waiting[1].compute_txid();
    call!(calls, client.get_mempool_info());
    call!(calls, client.get_raw_mempool());
    call!(calls, client.get_raw_mempool_verbose());
    call!(calls, client.get_raw_mempool_sequence());
    call!(calls, client.get_mempool_entry(txid));
    call!(calls, client.get_mempool_ancestors(txid));
    call!(calls, client.get_mempool_ancestors_verbose(txid));
    call!(calls, client.get_mempool_descendants(txid));
    call!(calls, client.get_mempool_descendants_verbose(txid));
    call!(calls, client.get_mempool_cluster(txid));
    call!(calls, client.get_mempool_feerate_diagram());
    call!(calls, client.get_orphan_txs());
    call!(calls, client.get_orphan_txs_verbosity_1());
    call!(calls, client.get_orphan_txs_verbosity_2());
    call!(
        calls,
        client.prioritise_transaction(&txid, SignedAmount::from_sat(500))
    );
    call!(calls, client.get_prioritised_transactions());
    call!(calls, client.save_mempool());
    let file = node.scratch("regtest/mempool.dat");
    call!(calls, client.import_mempool(&file));
    call!(calls, client.estimate_smart_fee(6));
    call!(calls, client.estimate_raw_fee(6));
    call!(calls, client.get_private_broadcast_info());
}

fn ask_about_the_node(calls: &mut Calls, client: &Client) {
    call!(calls, client.check_expected_server_version());
    call!(calls, client.get_network_info());
    call!(calls, client.get_peer_info());
    call!(calls, client.get_connection_count());
    call!(calls, client.get_net_totals());
    call!(calls, client.get_added_node_info());
    call!(calls, client.get_addr_man_info());
    call!(calls, client.get_raw_addrman());
    call!(calls, client.get_node_addresses());
    call!(calls, client.set_ban("10.9.8.0/24", SetBanCommand::Add));
    call!(calls, client.set_ban("10.9.8.0/24", SetBanCommand::Remove));
    call!(calls, client.list_banned());
    call!(calls, client.clear_banned());
    call!(calls, client.ping());
    call!(calls, client.set_network_active(true));
    call!(calls, client.add_node("127.0.0.1:1", AddNodeCommand::Add));
    call!(
        calls,
        client.add_node("127.0.0.1:1", AddNodeCommand::Remove)
    );
    call!(calls, client.get_memory_info());
    call!(calls, client.get_rpc_info());
    call!(calls, client.logging());
    call!(calls, client.help());
    call!(calls, client.uptime());
    call!(calls, client.get_index_info());
    call!(calls, client.get_zmq_notifications());
    call!(calls, client.mock_scheduler(1));
    call!(calls, client.sync_with_validation_interface_queue());
}

fn work_on_transactions(calls: &mut Calls, client: &Client, history: &History) {
    let txid = history.spend.compute_txid();
    call!(calls, client.get_raw_transaction(txid));
    call!(calls, client.get_raw_transaction_verbose(txid));
    call!(calls, client.decode_raw_transaction(&history.spend));
    let unsent = [history.unsent()];
    let tested = call!(calls, client.test_mempool_accept(&unsent)).expect("answers");
    assert!(tested.0[0].allowed, "{tested:?}");
    let package = [history.independent()];
    call!(calls, client.submit_package(&package, None, None));

    let key = &history.key;
    let output = Output::new(Key::new(8).taproot(), Amount::ONE_BTC);
    let made = call!(
        calls,
        client.create_raw_transaction(&inputs(history), &[output])
    );
    if let Some(made) = made {
        let raw = made.into_model().expect("a transaction").0;
        call!(
            calls,
            client.sign_raw_transaction_with_key(&raw, &[key.private()])
        );
        call!(
            calls,
            client.combine_raw_transaction(&[raw.clone(), raw.clone()])
        );
        call!(calls, client.convert_to_psbt(&raw));
    }
    call!(calls, client.send_raw_transaction(&unsent[0]));
}

fn inputs(history: &History) -> [Input; 1] {
    let coin = history.free_coin.0;
    [Input {
        txid: coin.txid,
        vout: u64::from(coin.vout),
        sequence: None,
    }]
}

fn work_on_psbts(calls: &mut Calls, client: &Client, history: &History) {
    let output = Output::new(Key::new(8).taproot(), Amount::ONE_BTC);
    let Some(made) = call!(calls, client.create_psbt(&inputs(history), &[output])) else {
        return;
    };
    let psbt = made.into_model().expect("a PSBT").0;
    call!(calls, client.decode_psbt(&psbt.to_string()));
    call!(calls, client.analyze_psbt(&psbt));
    call!(calls, client.combine_psbt(&[psbt.clone(), psbt.clone()]));
    call!(calls, client.utxo_update_psbt(&psbt));
    call!(calls, client.finalize_psbt(&psbt));
}

fn work_on_scripts(calls: &mut Calls, client: &Client, history: &History) {
    let key = &history.key;
    let script = key.taproot().script_pubkey().to_hex_string();
    call!(calls, client.decode_script(&script));
    call!(calls, client.validate_address(&key.segwit()));
    let keys = vec![key.public(), Key::new(8).public()];
    call!(calls, client.create_multisig(2, keys));
    let descriptor = format!("wpkh({})", key.public());
    if let Some(info) = call!(calls, client.get_descriptor_info(&descriptor)) {
        call!(calls, client.derive_addresses(&info.descriptor));
    }
    let private = key.private();
    if let Some(signed) = call!(calls, client.sign_message_with_privkey(&private, "pyrite")) {
        let signature = signed.into_model().expect("a signature").0;
        let address = Address::p2pkh(key.public(), Network::Regtest);
        let verified = call!(calls, client.verify_message(&address, &signature, "pyrite"));
        assert!(verified.is_none_or(|verified| verified.0));
    }
}

fn change_the_chain(calls: &mut Calls, client: &Client, history: &History) {
    let address = history.key.segwit();
    let request = TemplateRequest {
        mode: None,
        capabilities: Vec::new(),
        rules: vec![TemplateRules::Segwit],
        longpollid: None,
        data: None,
    };
    call!(calls, client.get_block_template(&request));
    call!(calls, client.get_mining_info());
    call!(calls, client.get_network_hash_ps());
    call!(calls, client.generate_to_address(1, &address));
    let descriptor = format!("raw({})", address.script_pubkey().to_hex_string());
    call!(calls, client.generate_to_descriptor(1, &descriptor));
    call!(
        calls,
        client.generate_block(&address.to_string(), &[], true)
    );
    let tip = client.best_block_hash().expect("answers");
    let block = client.get_block(tip).expect("it is stored");
    call!(calls, client.submit_header(&block.header));
    call!(calls, client.invalidate_block(tip));
    call!(calls, client.reconsider_block(tip));
    call!(calls, client.precious_block(tip));
    assert_eq!(client.best_block_hash().expect("answers"), tip);
}

/// The code of an error that the node answered.
pub(crate) fn error_code(error: &Error) -> Option<i32> {
    match error {
        Error::JsonRpc(jsonrpc::Error::Rpc(error)) => Some(error.code),
        _ => None,
    }
}

fn code<T: Debug>(result: Result<T, Error>) -> Option<i32> {
    error_code(&result.expect_err("an error"))
}

#[test]
fn errors_have_bitcoin_cores_codes() {
    let node = Node::start(&[]);
    let client = node.client();
    let zero = bitcoin::hashes::Hash::all_zeros();
    assert_eq!(code(client.get_block_hash(1_000)), Some(-8));
    assert_eq!(code(client.get_block(zero)), Some(-5));
    assert_eq!(
        code(client.call::<String>("nosuchmethod", &[])),
        Some(METHOD_NOT_FOUND)
    );
}

#[test]
fn who_has_no_password_is_not_answered() {
    let node = Node::start(&[]);
    let wrong = Auth::UserPass("__cookie__".into(), "wrong".into());
    let client = Client::new_with_auth(&node.url(), wrong).expect("a client");
    let error = client.get_block_count().expect_err("let in");
    assert!(error.to_string().contains("401"), "{error}");
    let error = Client::new(&node.url()).get_block_count();
    assert!(error.is_err(), "let in");
}

#[test]
fn a_large_reply_arrives_whole() {
    let node = Node::start(&[]);
    let client = node.client();
    let hashes = client
        .generate_to_address(600, &Key::new(7).segwit())
        .expect("blocks are made");
    assert_eq!(hashes.0.len(), 600);
    let history = History::make(&client);
    let block = client.get_block(history.block).expect("it is stored");
    let hex = client.get_block_verbose_zero(history.block);
    assert_eq!(hex.expect("it is stored").0, serialize_hex(&block));
}

#[test]
fn the_node_stops_when_it_is_asked() {
    let mut node = Node::start(&[]);
    let answer = node.client().stop().expect("it answers");
    assert!(answer.contains("stopping"), "{answer}");
    assert!(node.ended_well());
}
