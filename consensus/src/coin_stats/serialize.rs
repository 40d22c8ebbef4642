//! The bytes that stand for a coin in the hashes of a set of coins.

use bitcoin::OutPoint;
use bitcoin::consensus::Encodable;

use crate::Coin;

/// Outpoint; twice the height, plus one for a coinbase's output, in four bytes; output (Bitcoin Core's
/// `TxOutSer`). Replaces what is in `bytes`, so that one buffer serves many coins.
pub fn coin_bytes(outpoint: &OutPoint, coin: &Coin, bytes: &mut Vec<u8>) {
    bytes.clear();
    let code = (coin.height.0 << 1) | u32::from(coin.is_coinbase);
    let written = outpoint
        .consensus_encode(bytes)
        .and_then(|_| code.consensus_encode(bytes))
        .and_then(|_| coin.output.consensus_encode(bytes));
    written.expect("writing to memory succeeds");
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, ScriptBuf, TxOut, Txid};

    use super::*;
    use crate::Height;

    #[test]
    fn a_coin_s_bytes() {
        let outpoint = OutPoint {
            txid: Txid::from_byte_array([0xab; 32]),
            vout: 2,
        };
        let mut coin = Coin {
            output: TxOut {
                value: Amount::from_sat(258),
                script_pubkey: ScriptBuf::from_bytes(vec![0x51, 0x52]),
            },
            height: Height(5),
            is_coinbase: true,
        };
        let mut bytes = vec![1, 2, 3];
        coin_bytes(&outpoint, &coin, &mut bytes);
        let txid = "ab".repeat(32);
        assert_eq!(
            hex::encode(&bytes),
            format!("{txid}020000000b0000000201000000000000025152")
        );
        coin.is_coinbase = false;
        coin_bytes(&outpoint, &coin, &mut bytes);
        assert_eq!(hex::encode(&bytes[36..40]), "0a000000");
    }
}
