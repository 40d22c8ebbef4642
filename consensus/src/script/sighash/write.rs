//! Writes parts of transactions into a hash, in Bitcoin's encoding.

use bitcoin::hashes::{Hash, HashEngine, sha256, sha256d};
use bitcoin::{OutPoint, TxOut};

/// A number in Bitcoin's variable-length form.
pub(crate) fn write_compact_size(engine: &mut sha256::HashEngine, number: usize) {
    let bytes = u64::try_from(number)
        .expect("a length has at most 64 bits")
        .to_le_bytes();
    match number {
        0..0xfd => engine.input(&bytes[..1]),
        0xfd..0x1_0000 => engine.input(&[0xfd, bytes[0], bytes[1]]),
        0x1_0000..=0xffff_ffff => engine.input(&[0xfe, bytes[0], bytes[1], bytes[2], bytes[3]]),
        _ => {
            engine.input(&[0xff]);
            engine.input(&bytes);
        }
    }
}

/// The number of a transaction's inputs or outputs, or bytes, with the bytes behind it.
pub(super) fn write_bytes(engine: &mut sha256::HashEngine, bytes: &[u8]) {
    write_compact_size(engine, bytes.len());
    engine.input(bytes);
}

/// An outpoint's bytes.
pub(super) fn outpoint_bytes(outpoint: &OutPoint) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..32].copy_from_slice(outpoint.txid.as_byte_array());
    bytes[32..].copy_from_slice(&outpoint.vout.to_le_bytes());
    bytes
}

pub(super) fn write_output(engine: &mut sha256::HashEngine, output: &TxOut) {
    engine.input(&output.value.to_sat().to_le_bytes());
    write_bytes(engine, output.script_pubkey.as_bytes());
}

pub(super) fn sha256(write: impl FnOnce(&mut sha256::HashEngine)) -> [u8; 32] {
    let mut engine = sha256::HashEngine::default();
    write(&mut engine);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// Double SHA-256 of what `engine` was given and of a hash type behind it.
pub(crate) fn finish(mut engine: sha256::HashEngine, hash_type: u32) -> [u8; 32] {
    engine.input(&hash_type.to_le_bytes());
    sha256d::Hash::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests {
    use bitcoin::VarInt;
    use bitcoin::consensus::serialize;

    use super::*;

    #[test]
    fn compact_sizes_are_bitcoin_s() {
        for number in [0, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff] {
            let written = sha256(|engine| write_compact_size(engine, number));
            let expected = sha256::Hash::hash(&serialize(&VarInt::from(number)));
            assert_eq!(written, expected.to_byte_array(), "{number}");
        }
    }
}
