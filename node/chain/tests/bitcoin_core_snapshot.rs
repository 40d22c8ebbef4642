//! The chain of Bitcoin Core's unit tests, whose coins at height 110 are published in its chain parameters: the
//! block and the hash of the coins must come out the same here, and the file must be taken.

mod support;

use std::io::Cursor;

use pyrite_chain::LoadChecks;
use pyrite_consensus::ChainSpec;
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::{Hash, sha256d};
use pyrite_consensus::bitcoin::script::Builder;
use pyrite_consensus::bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    transaction,
};
use support::{Fixture, Parent, after, seal};

/// When its clock stands at the first block; it goes on by a second with each block.
const START: u32 = 1_598_887_952;
/// Pays the public key of the secret key 1, which is the curve's generator.
const PAYOUT: &str = "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac";

/// A block of Bitcoin Core's block assembler without transactions.
fn core_block(spec: &ChainSpec, parent: &Parent) -> Block {
    let height = parent.height.next();
    // Nothing but the coinbase: its own id counts as zero there, and so does what it reserves.
    let commitment = sha256d::Hash::hash(&[0; 64]);
    let commitment = [
        &[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed],
        &commitment.to_byte_array()[..],
    ];
    let coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::from_consensus(height.0 - 1),
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new()
                .push_int(height.0.into())
                .push_int(0)
                .into_script(),
            sequence: Sequence::from_consensus(0xffff_fffe),
            witness: Witness::from_slice(&[[0; 32]]),
        }],
        output: vec![
            TxOut {
                value: spec.subsidy(height),
                script_pubkey: ScriptBuf::from_hex(PAYOUT).expect("is hex"),
            },
            TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(commitment.concat()),
            },
        ],
    };
    let mut block = Block {
        header: Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: parent.hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time: START + height.0 - 1,
            bits: spec.genesis.bits,
            nonce: 0,
        },
        txdata: vec![coinbase],
    };
    seal(&mut block);
    block
}

#[test]
fn the_published_coins_come_out_and_are_taken() {
    let source = Fixture::at(ChainSpec::regtest(), u64::from(START) + 3600);
    let mut parent = source.genesis();
    let mut blocks = Vec::new();
    for _ in 0..110 {
        let block = core_block(&source.spec, &parent);
        parent = after(&parent, &block);
        blocks.push(block);
    }
    source.extend(&blocks);
    let entry = source.spec.assume_utxo[0];
    assert_eq!(source.tip_hash(), entry.block_hash);
    let mut file = Cursor::new(Vec::new());
    let handle = &source.chain().handle;
    let dump = handle.dump_snapshot(None, &mut file, &|| false).unwrap();
    assert_eq!(dump.coins_hash, entry.coins_hash);
    assert_eq!(dump.chain_tx_count, entry.chain_tx_count);

    let target = Fixture::at(ChainSpec::regtest(), u64::from(START) + 3600);
    let headers = blocks.iter().map(|block| block.header).collect();
    target.chain().handle.submit_headers(headers).unwrap();
    let checks = LoadChecks {
        is_mempool_empty: &|| true,
        is_interrupted: &|| false,
    };
    let handle = &target.chain().handle;
    let loaded = handle
        .load_snapshot(&mut &file.get_ref()[..], checks)
        .unwrap();
    assert_eq!(loaded.coins, 110);
    assert_eq!(target.tip_hash(), entry.block_hash);
}
