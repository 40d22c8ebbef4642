//! Fuzz targets: the content of gossip. The node is only given what it was sent.

use std::sync::Mutex;

use bolero::check;
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::hashes::Hash as _;
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness, Work, absolute, transaction,
};
use pyrite_consensus::{ChainSpec, bitcoin};
use pyrite_fuzzing::Damage;

use super::*;
use crate::TipSummary;
use crate::protocol::gossip::{self, Kind};

/// A node without a chain, which keeps what it is given.
#[derive(Default)]
struct Recorder {
    blocks: Mutex<Vec<Vec<u8>>>,
    transactions: Mutex<Vec<Vec<u8>>>,
}

impl ChainAccess for Recorder {
    fn locator(&self) -> Vec<BlockHash> {
        Vec::new()
    }

    fn headers_after(&self, _: &[BlockHash], _: usize) -> Vec<Header> {
        Vec::new()
    }

    fn block(&self, _: &BlockHash) -> Option<Vec<u8>> {
        None
    }

    /// Every parent is known but the one of zeros.
    fn has_header(&self, hash: &BlockHash) -> bool {
        *hash != BlockHash::all_zeros()
    }

    fn has_block(&self, _: &BlockHash) -> bool {
        false
    }

    fn missing_blocks(&self, _: usize) -> Vec<BlockHash> {
        Vec::new()
    }

    fn tip(&self) -> TipSummary {
        TipSummary {
            hash: BlockHash::all_zeros(),
            height: Height(0),
            work: Work::from_be_bytes([0; 32]),
        }
    }

    fn submit_headers(&self, _: Vec<Header>) -> Verdict {
        Verdict::Accept
    }

    fn submit_block(&self, block: Block) -> Verdict {
        let bytes = consensus::serialize(&block);
        self.blocks.lock().unwrap().push(bytes);
        Verdict::Accept
    }

    fn submit_transaction(&self, transaction: Arc<Transaction>, _: u64) -> Verdict {
        let bytes = consensus::serialize(transaction.as_ref());
        self.transactions.lock().unwrap().push(bytes);
        Verdict::Accept
    }

    fn mempool_txids(&self, _: usize) -> Vec<Txid> {
        Vec::new()
    }

    fn transaction(&self, _: &Txid) -> Option<Arc<Transaction>> {
        None
    }

    fn has_transaction(&self, _: &Txid) -> bool {
        false
    }
}

/// A transaction with these parents.
fn transaction(parents: &[[u8; 32]], script: &[u8]) -> Transaction {
    let input = |parent: &[u8; 32]| TxIn {
        previous_output: OutPoint::new(Txid::from_byte_array(*parent), 0),
        script_sig: ScriptBuf::from_bytes(script.to_vec()),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[script]),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: parents.iter().map(input).collect(),
        output: vec![TxOut {
            value: Amount::from_sat(1),
            script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
        }],
    }
}

#[test]
fn fuzz_gossiped_transaction() {
    check!()
        .with_type::<([[u8; 32]; 3], [u8; 6], Damage)>()
        .for_each(|(parents, script, damage)| {
            let message = gossip::encode_transaction(&transaction(parents, script));
            let message = damage.apply(message);
            let Some(content) = gossip::content(Kind::Transaction, &message) else {
                assert!(!damage.is_none());
                return;
            };
            let chain = Recorder::default();
            let verdict = submit_transaction(&chain, content, 1);
            let given = chain.transactions.into_inner().unwrap();
            if verdict == Verdict::Accept {
                assert_eq!(given, [content]);
            } else {
                assert!(given.is_empty() && !damage.is_none());
                assert!(matches!(verdict, Verdict::Reject(_)));
            }
        });
}

#[test]
fn fuzz_gossiped_block() {
    let spec = ChainSpec::regtest();
    let mut block = bitcoin::Block {
        txdata: vec![transaction(&[[1; 32], [2; 32]], &[0x51, 0x52])],
        ..spec.genesis_block()
    };
    block.header.prev_blockhash = BlockHash::from_byte_array([1; 32]);
    check!()
        .with_type::<(u8, Damage)>()
        .for_each(|(nonce, damage)| {
            let mut block = block.clone();
            block.header.nonce = u32::from(*nonce);
            let message = damage.apply(gossip::encode_block(&block));
            let Some(content) = gossip::content(Kind::Block, &message) else {
                assert!(!damage.is_none());
                return;
            };
            let chain = Recorder::default();
            let (verdict, hash) = submit_block(&chain, spec.pow_limit, content);
            let given = chain.blocks.into_inner().unwrap();
            assert_eq!(hash.is_some(), content.len() >= 80);
            if verdict == Verdict::Accept {
                assert_eq!(given, [content]);
                let block: Block = consensus::deserialize(content).expect("it was accepted");
                assert_eq!(check_proof_of_work(&block.header, spec.pow_limit), Ok(()));
            } else {
                assert_eq!(given, [[0; 0]; 0]);
            }
        });
}
