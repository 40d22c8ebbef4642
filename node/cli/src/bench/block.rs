//! Blocks of the benchmarks: a coinbase, payments, the witness commitment, and a nonce.

use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::block::{Header, Version};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::script::{Builder, PushBytesBuf};
use pyrite_consensus::bitcoin::{
    Amount, Block, BlockHash, OutPoint, Sequence, Target, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, transaction,
};
use pyrite_consensus::{ChainSpec, Height};

/// Of the witness commitment: `OP_RETURN`, a push of 36 bytes, and four fixed ones (BIP-0141).
const COMMITMENT_PREFIX: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
const WITNESS_NONCE: [u8; 32] = [0; 32];

/// Where a block goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) parent: BlockHash,
    pub(super) height: Height,
    pub(super) time: u32,
}

/// A block of payments whose coinbase has one output.
pub(super) fn make_block(
    spec: &ChainSpec,
    place: Place,
    payout: TxOut,
    payments: Vec<Transaction>,
) -> Block {
    let mut coinbase = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input(OutPoint::null())],
        output: vec![payout],
    };
    coinbase.input[0].script_sig = Builder::new()
        .push_int(i64::from(place.height.0))
        .push_slice(PushBytesBuf::from(*b"pyrite"))
        .into_script();
    coinbase.input[0].witness = Witness::from_slice(&[WITNESS_NONCE]);
    let mut block = Block {
        header: Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: place.parent,
            merkle_root: TxMerkleNode::all_zeros(),
            time: place.time,
            bits: spec.genesis.bits,
            nonce: 0,
        },
        txdata: std::iter::once(coinbase).chain(payments).collect(),
    };
    commit_to_witnesses(&mut block);
    seal(&mut block);
    block
}

/// An input that signals no replacement and waits for nothing.
pub(super) fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        sequence: Sequence::MAX,
        ..TxIn::default()
    }
}

fn commit_to_witnesses(block: &mut Block) {
    let root = block.witness_root().expect("there is a coinbase");
    let commitment = Block::compute_witness_commitment(&root, &WITNESS_NONCE);
    let script = [&COMMITMENT_PREFIX[..], commitment.as_byte_array()].concat();
    block.txdata[0].output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: script.into(),
    });
}

/// Sets the merkle root and finds a nonce.
fn seal(block: &mut Block) {
    block.header.merkle_root = block.compute_merkle_root().expect("there is a coinbase");
    let target = Target::from_compact(block.header.bits);
    while !target.is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
}
