use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::ScriptBuf;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use pyrite_consensus::bitcoin::consensus::encode::deserialize_hex;
use serde_json::{Value, json};

use super::*;

fn shown(transaction: &Transaction, view: TransactionView<'_>) -> Value {
    transaction_json(transaction, Network::Bitcoin, view)
}

/// Block 170's payment, the first that was not a coinbase.
const BLOCK_170: &str = "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";

#[test]
fn the_genesis_coinbase_decodes_as_bitcoin_core_shows_it() {
    let coinbase = &genesis_block(Network::Bitcoin).txdata[0];
    let json = shown(coinbase, TransactionView::default());
    let key = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f";
    let desc = json["vout"][0]["scriptPubKey"]["desc"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(desc.starts_with(&format!("pk({key})#")), "{desc}");
    let expected = json!({
        "txid": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "hash": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "version": 1,
        "size": 204,
        "vsize": 204,
        "weight": 816,
        "locktime": 0,
        "vin": [{
            "coinbase": "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73",
            "sequence": 4_294_967_295_u32,
        }],
        "vout": [{
            "value": Btc::from_sat(5_000_000_000),
            "n": 0,
            "scriptPubKey": {
                "asm": format!("{key} OP_CHECKSIG"),
                "desc": desc,
                "hex": format!("41{key}ac"),
                "type": "pubkey",
            },
        }],
    });
    // Compared as text: order and notation of numbers count.
    assert_eq!(json.to_string(), expected.to_string());
}

#[test]
fn a_payment_shows_its_inputs_coins_and_fee() {
    let payment: Transaction = deserialize_hex(BLOCK_170).unwrap();
    let coin = Coin {
        output: TxOut {
            value: Amount::from_int_btc(50) + Amount::from_sat(1),
            script_pubkey: payment.output[1].script_pubkey.clone(),
        },
        height: Height(9),
        is_coinbase: true,
    };
    let spent = [coin];
    let view = TransactionView {
        spent: Some(&spent),
        with_prevouts: true,
        with_hex: true,
        ids: None,
    };
    let json = shown(&payment, view);
    assert_eq!(
        json["txid"],
        "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    );
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "txid", "hash", "version", "size", "vsize", "weight", "locktime", "vin", "vout", "fee",
            "hex"
        ]
    );
    assert_eq!(json["fee"].to_string(), "0.00000001");
    assert_eq!(json["hex"], BLOCK_170);
    let input = &json["vin"][0];
    let keys: Vec<_> = input.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["txid", "vout", "scriptSig", "prevout", "sequence"]);
    assert!(
        input["scriptSig"]["asm"]
            .as_str()
            .unwrap()
            .ends_with("d1d09[ALL]")
    );
    assert_eq!(input["prevout"]["generated"], true);
    assert_eq!(input["prevout"]["height"], 9);
    assert_eq!(input["prevout"]["value"].to_string(), "50.00000001");
}

#[test]
fn without_prevouts_the_fee_is_shown_alone() {
    let payment: Transaction = deserialize_hex(BLOCK_170).unwrap();
    let output = TxOut {
        value: Amount::from_int_btc(51),
        script_pubkey: ScriptBuf::new(),
    };
    let spent = [Coin {
        output,
        height: Height(9),
        is_coinbase: true,
    }];
    let json = shown(
        &payment,
        TransactionView {
            spent: Some(&spent),
            ..Default::default()
        },
    );
    assert_eq!(json["fee"].to_string(), "1.00000000");
    assert!(json["vin"][0].get("prevout").is_none());
    // Coins of another number can't be this transaction's.
    let none = shown(
        &payment,
        TransactionView {
            spent: Some(&[]),
            ..Default::default()
        },
    );
    assert!(none.get("fee").is_none());
}
