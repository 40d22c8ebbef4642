//! Small transactions, blocks and chains for the tests of the rules.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, absolute, script, transaction,
};

use crate::{Coin, HeaderChain, Height};

/// A script that anyone can spend.
pub(crate) fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

/// An outpoint of a transaction that is in no test's block.
pub(crate) fn outpoint(number: u8) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([number; 32]),
        vout: u32::from(number),
    }
}

/// A coin that anyone can spend, from a transaction that is no coinbase.
pub(crate) fn coin(value_sat: u64, height: u32) -> Coin {
    Coin {
        output: output(value_sat, anyone()),
        height: Height(height),
        is_coinbase: false,
    }
}

pub(crate) fn output(value_sat: u64, script_pubkey: ScriptBuf) -> TxOut {
    TxOut {
        value: Amount::from_sat(value_sat),
        script_pubkey,
    }
}

pub(crate) fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    }
}

/// A transaction with these inputs and outputs of these values that anyone can spend.
pub(crate) fn spend(inputs: &[OutPoint], values_sat: &[u64]) -> Transaction {
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: inputs.iter().copied().map(input).collect(),
        output: values_sat
            .iter()
            .map(|value| output(*value, anyone()))
            .collect(),
    }
}

/// A coinbase with the height in front (BIP-0034).
pub(crate) fn coinbase(height: u32, value_sat: u64) -> Transaction {
    let mut coinbase = spend(&[OutPoint::null()], &[value_sat]);
    let script_sig = script::Builder::new()
        .push_int(i64::from(height))
        .push_int(0);
    coinbase.input[0].script_sig = script_sig.into_script();
    coinbase
}

/// A block with a right merkle root.
pub(crate) fn block(transactions: Vec<Transaction>) -> Block {
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 1_500_000_000,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    let mut block = Block {
        header,
        txdata: transactions,
    };
    seal(&mut block);
    block
}

/// Makes the merkle root right again.
pub(crate) fn seal(block: &mut Block) {
    if let Some(root) = block.compute_merkle_root() {
        block.header.merkle_root = root;
    }
}

/// A block whose coinbase commits to the witnesses (BIP-0141).
pub(crate) fn committed_block(mut transactions: Vec<Transaction>) -> Block {
    transactions[0].input[0].witness = Witness::from_slice(&[[0; 32]]);
    let mut block = block(transactions);
    let root = block.witness_root().expect("there is a coinbase");
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend(commitment.to_byte_array());
    block.txdata[0]
        .output
        .push(output(0, ScriptBuf::from_bytes(script)));
    seal(&mut block);
    block
}

/// A chain whose blocks all have the same distance in time. From height 10 on, a block's median time
/// past is the time of the block five before.
pub(crate) struct EvenChain {
    pub(crate) tip: u32,
    pub(crate) spacing_s: u32,
}

impl EvenChain {
    /// The genesis block's time.
    pub(crate) const START: u32 = 1_000_000_000;

    /// The chain that a block at `height` is built on, with ten minutes between blocks.
    pub(crate) fn below(height: u32) -> Self {
        Self {
            tip: height - 1,
            spacing_s: 600,
        }
    }
}

impl HeaderChain for EvenChain {
    fn tip_height(&self) -> Height {
        Height(self.tip)
    }

    fn header(&self, height: Height) -> Header {
        assert!(height.0 <= self.tip, "no header at {height}");
        let mut header = block(Vec::new()).header;
        header.time = Self::START + height.0 * self.spacing_s;
        header
    }
}
