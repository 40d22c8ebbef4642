use pyrite_consensus::bitcoin::Network;
use pyrite_consensus::bitcoin::blockdata::constants::genesis_block;
use serde_json::json;

use super::*;

#[test]
fn bad_blocks_are_refused() {
    assert_eq!(
        decode_block("00").unwrap_err(),
        CallError::new(-22, "Block decode failed")
    );
}

#[test]
fn verdicts_are_those_of_bip_0022() {
    use pyrite_chain::{ChainError, SubmitError};
    let hash = genesis_block(Network::Regtest).block_hash();
    assert_eq!(bip22(Ok(())), Ok(Value::Null));
    assert_eq!(
        bip22(Err(SubmitError::UnknownParent(hash))),
        Ok(json!("prev-blk-not-found"))
    );
    assert_eq!(
        bip22(Err(SubmitError::KnownInvalid(hash))),
        Ok(json!("duplicate-invalid"))
    );
    assert_eq!(
        bip22(Err(SubmitError::Machine(ChainError::Closed)))
            .unwrap_err()
            .code,
        -20
    );
}
