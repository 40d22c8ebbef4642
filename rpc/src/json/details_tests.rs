use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::{Amount, OutPoint, ScriptBuf, TxIn, TxOut};

use super::*;
use crate::json::model;

/// A block of several pieces, and the coins that it spends.
fn block() -> (HashedBlock, Vec<Coin>) {
    let mut block = genesis_block(Network::Regtest);
    let coinbase = block.txdata[0].clone();
    let mut coins = Vec::new();
    let payments = u32::try_from(2 * PIECE + 5).unwrap();
    for number in 0..payments {
        let mut payment = coinbase.clone();
        payment.input.clear();
        for vout in 0..=number % 3 {
            let txid = coinbase.compute_txid();
            payment.input.push(TxIn {
                previous_output: OutPoint { txid, vout },
                ..TxIn::default()
            });
            coins.push(Coin {
                output: TxOut {
                    value: Amount::from_int_btc(50) + Amount::from_sat(number.into()),
                    script_pubkey: ScriptBuf::from_bytes(vec![0x51, 0x51 + (number % 16) as u8]),
                },
                height: Height(number),
                is_coinbase: vout == 0,
            });
        }
        block.txdata.push(payment);
    }
    (block.into(), coins)
}

fn expected(block: &HashedBlock, coins: Option<&[Coin]>, with_prevouts: bool) -> String {
    let mut remaining = coins.unwrap_or_default().iter();
    let forms: Vec<_> = block
        .txdata
        .iter()
        .map(|transaction| {
            let inputs = transaction.input.len();
            let own: Option<Vec<_>> = coins
                .filter(|_| !transaction.is_coinbase())
                .map(|_| remaining.by_ref().take(inputs).cloned().collect());
            let view = TransactionView {
                spent: own.as_deref(),
                with_prevouts,
                with_hex: true,
                ids: None,
            };
            model::transaction_json(transaction, Network::Regtest, view)
        })
        .collect();
    serde_json::to_string(&forms).unwrap()
}

fn shown(block: &HashedBlock, coins: Option<&[Coin]>, with_prevouts: bool) -> String {
    let pieces = details(block, Network::Regtest, coins, with_prevouts);
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn the_pieces_make_an_array_of_all_transactions() {
    let (block, coins) = block();
    for with_prevouts in [false, true] {
        let coins = Some(&coins[..]);
        let text = shown(&block, coins, with_prevouts);
        assert!(text == expected(&block, coins, with_prevouts));
        assert!(text.contains("\"fee\":50.00000"));
        assert_eq!(text.contains("\"prevout\""), with_prevouts);
    }
}

#[test]
fn coins_of_another_number_are_none() {
    let (block, coins) = block();
    let without = expected(&block, None, true);
    assert!(!without.contains("\"fee\""));
    assert!(shown(&block, None, true) == without);
    assert!(shown(&block, Some(&coins[1..]), true) == without);
}

#[test]
fn a_block_of_its_coinbase_alone_is_an_array_of_one() {
    let block = HashedBlock::from(genesis_block(Network::Regtest));
    let text = shown(&block, Some(&[]), true);
    assert_eq!(text, expected(&block, Some(&[]), true));
}
