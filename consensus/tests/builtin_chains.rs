//! The built-in chains against what is known of them: genesis blocks, and Bitcoin's first headers.

#[allow(dead_code, reason = "other tests read JSON")]
mod vectors;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::{Decodable, deserialize, serialize};
use pyrite_consensus::bitcoin::constants::genesis_block;
use pyrite_consensus::bitcoin::{CompactTarget, Network};
use pyrite_consensus::{ChainSpec, HeaderError, check_header, median_time_past};

#[test]
fn genesis_hashes() {
    for (name, hash) in [
        (
            "mainnet",
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        ),
        (
            "regtest",
            "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        ),
        (
            "pyrite",
            "00000be7555f7706b52d10a26ec1a86acd86c845ade4e1302763d59eb3c0239d",
        ),
    ] {
        let spec = ChainSpec::builtin(name).expect("a built-in chain");
        assert_eq!(spec.genesis_hash().to_string(), hash, "{name}");
        assert_eq!(
            spec.genesis_block().block_hash().to_string(),
            hash,
            "{name}"
        );
    }
}

#[test]
fn bitcoin_s_genesis_blocks_byte_for_byte() {
    for (spec, network) in [
        (ChainSpec::mainnet(), Network::Bitcoin),
        (ChainSpec::regtest(), Network::Regtest),
    ] {
        let expected = genesis_block(network);
        assert_eq!(
            serialize(&spec.genesis_block()),
            serialize(&expected),
            "{network}"
        );
        assert_eq!(spec.magic, network.magic().to_bytes(), "{network}");
        assert_eq!(spec.address_kind.network(), network);
        let limit = network.params().max_attainable_target.to_compact_lossy();
        assert_eq!(spec.pow_limit, limit, "{network}");
    }
    let merkle_root = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
    let mainnet = ChainSpec::mainnet().genesis_block();
    assert_eq!(mainnet.header.merkle_root.to_string(), merkle_root);
}

#[test]
fn pyrite_s_genesis_block() {
    let pyrite = ChainSpec::pyrite();
    let block = pyrite.genesis_block();
    assert_eq!(block.header.time, 1_795_478_400);
    assert_eq!(
        block.header.bits,
        CompactTarget::from_consensus(0x1e0f_ffff)
    );
    assert_eq!(block.txdata.len(), 1);
    assert_eq!(block.txdata[0].output.len(), 1);
    assert!(block.txdata[0].output[0].script_pubkey.is_op_return());
    let script = block.txdata[0].input[0].script_sig.as_bytes();
    assert!(script.ends_with(b"Pyrite: fool's gold, mined for real"));
    // Searching from nonce 0 finds the same block again.
    let again = pyrite.derive(
        "pyrite",
        pyrite.genesis.time,
        &pyrite.genesis.message.clone(),
        Vec::new(),
    );
    assert_eq!(again, pyrite);
}

#[test]
fn chains_have_their_own_identity_and_magic() {
    let [pyrite, regtest, mainnet] =
        ChainSpec::BUILTIN.map(|name| ChainSpec::builtin(name).expect("a built-in chain"));
    assert_ne!(pyrite.identity(), regtest.identity());
    assert_ne!(regtest.identity(), mainnet.identity());
    assert_ne!(pyrite.identity(), mainnet.identity());
    assert_ne!(pyrite.magic, regtest.magic);
    assert_ne!(pyrite.magic, mainnet.magic);
    assert_eq!(pyrite.address_kind.core_name(), "regtest");
    assert_eq!(regtest.address_kind.core_name(), "regtest");
    assert_eq!(mainnet.address_kind.core_name(), "main");
}

/// Headers of the blocks in a block file: magic, length, block.
fn read_headers(file: &[u8], magic: [u8; 4]) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut rest = file;
    while let Some((record_magic, after)) = rest.split_at_checked(4) {
        assert_eq!(record_magic, magic);
        let (length, after) = after.split_at(4);
        let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
        let (mut block, after) = after.split_at(length as usize);
        headers.push(Header::consensus_decode(&mut block).expect("a header"));
        rest = after;
    }
    headers
}

#[test]
fn bitcoin_s_first_headers() {
    let Some(file) = vectors::read("blocks/mainnet_1_to_255.blk") else {
        return;
    };
    let mainnet = ChainSpec::mainnet();
    let mut chain = vec![mainnet.genesis_block().header];
    for header in read_headers(&file, mainnet.magic) {
        let now = u64::from(header.time);
        assert_eq!(check_header(&mainnet, &header, &chain[..], now), Ok(()));
        // One bit less of nonce, and the proof of work is gone.
        let broken = Header {
            nonce: header.nonce ^ 1,
            ..header
        };
        let result = check_header(&mainnet, &broken, &chain[..], now);
        assert!(
            matches!(result, Err(HeaderError::HighHash { .. })),
            "{result:?}"
        );
        chain.push(header);
    }
    assert_eq!(chain.len(), 256);
    let last = chain.last().expect("256 headers");
    assert!(median_time_past(&chain[..], pyrite_consensus::Height(255)) < last.time);
}

#[test]
fn every_bit_of_a_header_is_covered_by_its_work() {
    let Some(file) = vectors::read("blocks/mainnet_1_to_255.blk") else {
        return;
    };
    let mainnet = ChainSpec::mainnet();
    let chain = [mainnet.genesis_block().header];
    let header = read_headers(&file, mainnet.magic)[0];
    let bytes = serialize(&header);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed: Header = deserialize(&changed).expect("80 bytes are a header");
        let error = check_header(&mainnet, &changed, &chain[..], u64::from(header.time))
            .expect_err("the proof of work is gone");
        assert_eq!(error.reject_reason(), "high-hash", "bit {bit}");
    }
}
