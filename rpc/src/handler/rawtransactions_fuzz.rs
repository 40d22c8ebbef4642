//! Fuzz target: transactions and blocks in hexadecimal, as clients send them.

use bolero::{check, produce};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::consensus::encode::{serialize, serialize_hex};
use pyrite_fuzzing::{Damage, TextDamage};

use super::*;
use crate::handler::template::decode_block;
use crate::json::transaction_hex;

#[test]
fn fuzz_hex_of_transactions_and_blocks() {
    let block = ChainSpec::regtest().genesis_block();
    let transaction = serialize(&block.txdata[0]);
    let block = serialize(&block);
    check!()
        .with_generator((produce::<Damage>(), produce::<TextDamage>()))
        .for_each(|(of_bytes, of_text)| {
            let damaged = |bytes: &[u8]| {
                let text = hex::encode(of_bytes.apply(bytes.to_vec()));
                of_text.apply(&text, &["0", "fg", "0x"])
            };
            let is_whole = of_bytes.is_none() && of_text.is_none();
            let text = damaged(&transaction);
            match read_transaction(&text) {
                // One without inputs has two forms.
                Ok(decoded) => assert!(
                    [transaction_hex(&decoded), serialize_hex(&decoded)]
                        .contains(&text.to_lowercase()),
                    "{text}"
                ),
                Err(error) => assert!(!is_whole && !error.message.is_empty()),
            }
            let text = damaged(&block);
            match decode_block(&text) {
                Ok(decoded) => assert_eq!(serialize_hex(&decoded), text.to_lowercase()),
                Err(error) => assert!(!is_whole && !error.message.is_empty()),
            }
        });
}
