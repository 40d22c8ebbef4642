use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Network, OutPoint, ScriptBuf, TxIn, Witness};
use serde_json::json;

use super::*;

const PLACE: BlockStatsPlace = BlockStatsPlace {
    height: 7,
    median_time: 1_000,
    subsidy: Amount::from_sat(5_000_000_000),
    coinbase_makes_coins: true,
};

fn output(sat: u64, script: &[u8]) -> TxOut {
    TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
    }
}

fn coin(sat: u64) -> Coin {
    Coin {
        output: output(sat, &[0x51]),
        height: Height(1),
        is_coinbase: false,
    }
}

/// A transaction with one input, and its coin.
fn payment(received: u64, outputs: Vec<TxOut>, witness: &[u8]) -> (Transaction, Coin) {
    let mut transaction = genesis_block(Network::Regtest).txdata.remove(0);
    transaction.input = vec![TxIn {
        previous_output: OutPoint {
            txid: transaction.compute_txid(),
            vout: 0,
        },
        witness: if witness.is_empty() {
            Witness::new()
        } else {
            Witness::from_slice(&[witness])
        },
        ..TxIn::default()
    }];
    transaction.output = outputs;
    (transaction, coin(received))
}

#[test]
fn a_block_without_payments_has_its_coinbase_alone() {
    let block = genesis_block(Network::Regtest);
    let place = BlockStatsPlace {
        height: 0,
        coinbase_makes_coins: false,
        ..PLACE
    };
    // The answer of Bitcoin Core for regtest's genesis block, but for the median time above.
    let expected = json!({
        "avgfee": 0, "avgfeerate": 0, "avgtxsize": 0,
        "blockhash": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        "feerate_percentiles": [0, 0, 0, 0, 0], "height": 0, "ins": 0,
        "maxfee": 0, "maxfeerate": 0, "maxtxsize": 0, "medianfee": 0, "mediantime": 1000,
        "mediantxsize": 0, "minfee": 0, "minfeerate": 0, "mintxsize": 0, "outs": 1,
        "subsidy": 5_000_000_000_u64, "swtotal_size": 0, "swtotal_weight": 0, "swtxs": 0,
        "time": 1_296_688_602, "total_out": 0, "total_size": 0, "total_weight": 0, "totalfee": 0,
        "txs": 1, "utxo_increase": 1, "utxo_size_inc": 117, "utxo_increase_actual": 0,
        "utxo_size_inc_actual": 0,
    });
    let stats = block_stats(&block, &[], place);
    assert_eq!(Value::Object(stats).to_string(), expected.to_string());
}

#[test]
fn payments_are_summed_up() {
    let mut block = genesis_block(Network::Regtest);
    let legacy = payment(
        10_000,
        vec![output(9_000, &[0x51]), output(0, &[0x6a])],
        &[],
    );
    let segwit = payment(20_000, vec![output(18_000, &[0x51])], &[7; 40]);
    assert_eq!(
        (legacy.0.total_size(), legacy.0.weight().to_wu()),
        (71, 284)
    );
    assert_eq!(
        (segwit.0.total_size(), segwit.0.weight().to_wu()),
        (105, 288)
    );
    block.txdata.extend([legacy.0, segwit.0]);
    let stats = block_stats(&block, &[legacy.1, segwit.1], PLACE);
    for (name, value) in [
        ("avgfee", json!(1_500)),
        // 3,000 sat × 4 over 572 weight units.
        ("avgfeerate", json!(20)),
        ("avgtxsize", json!(88)),
        ("feerate_percentiles", json!([14, 14, 27, 27, 27])),
        ("ins", json!(2)),
        ("maxfee", json!(2_000)),
        ("maxfeerate", json!(27)),
        ("maxtxsize", json!(105)),
        ("medianfee", json!(1_500)),
        ("mediantxsize", json!(88)),
        ("minfee", json!(1_000)),
        ("minfeerate", json!(14)),
        ("mintxsize", json!(71)),
        ("outs", json!(4)),
        ("swtotal_size", json!(105)),
        ("swtotal_weight", json!(288)),
        ("swtxs", json!(1)),
        ("total_out", json!(27_000)),
        ("total_size", json!(176)),
        ("total_weight", json!(572)),
        ("totalfee", json!(3_000)),
        ("txs", json!(3)),
        ("utxo_increase", json!(2)),
        // The coinbase's 117 bytes; three outputs of 51 bytes, less two coins of that size.
        ("utxo_size_inc", json!(117 + 51)),
        ("utxo_increase_actual", json!(1)),
        ("utxo_size_inc_actual", json!(117)),
    ] {
        assert_eq!(stats[name], value, "{name}");
    }
}

#[test]
fn a_transaction_without_coins_pays_no_fee() {
    let mut block = genesis_block(Network::Regtest);
    block
        .txdata
        .push(payment(0, vec![output(1, &[0x51])], &[]).0);
    let stats = block_stats(&block, &[], PLACE);
    assert_eq!(stats["totalfee"], 0);
    assert_eq!(stats["utxo_increase_actual"], 1);
}

#[test]
fn a_median_between_two_values_has_no_fraction() {
    assert_eq!(Series(vec![]).median(), 0);
    assert_eq!(Series(vec![3, 1, 2]).median(), 2);
    assert_eq!(Series(vec![4, 1, 2, 100]).median(), 3);
    assert_eq!(Series(vec![1, 2]).median(), 1);
}

#[test]
fn percentiles_go_by_weight() {
    let weights = [1_u64; 200];
    let mut rates = [1_u64; 200];
    assert_eq!(percentiles(&rates, &weights), [1; 5]);
    rates[100..].fill(2);
    assert_eq!(percentiles(&rates, &weights), [1, 1, 1, 2, 2]);
    assert_eq!(
        percentiles(&[9, 5, 4, 2, 1], &[15, 10, 50, 16, 9]),
        [2, 2, 4, 4, 9]
    );
    // A tenth of 30 is 3, not a little more.
    assert_eq!(percentiles(&[1, 2], &[3, 27]), [1, 2, 2, 2, 2]);
    assert_eq!(percentiles(&[], &[]), [0; 5]);
}
