//! Blocks: Bitcoin's encoding, and every rule up to connecting them.

use std::collections::HashMap;

use bolero::{TypeGenerator, check, produce};
use pyrite_consensus::bitcoin::consensus::{deserialize, serialize};
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute,
    script, transaction,
};
use pyrite_consensus::connect::{disconnect_block, outpoints_to_read};
use pyrite_consensus::{
    BlockContext, ChainSpec, Coin, HashedBlock, Height, check_block, check_block_in_chain,
    connect_block,
};
use pyrite_fuzzing::Damage;

use crate::chain::{EvenChain, HEIGHT, header};
use crate::spend::{Pieces, Spend};
use crate::transaction::coins;

/// A block to make.
#[derive(Clone, Debug, TypeGenerator)]
struct Recipe {
    spend: Spend,
    coinbase_script: Pieces,
    coinbase_value_sat: u64,
    /// For each further transaction how many outputs it makes of the first output of the one before.
    #[generator(produce::<Vec<u8>>().with().len(0..5_usize))]
    children: Vec<u8>,
    commits_to_witnesses: bool,
    /// Whether the merkle root is right.
    is_sealed: bool,
}

impl Recipe {
    /// The block and the outputs that its first transaction spends.
    fn make(&self) -> (Block, Vec<TxOut>) {
        let (first, spent) = self.spend.make();
        let mut transactions = vec![self.coinbase(), first];
        for outputs in &self.children {
            let parent = &transactions[transactions.len() - 1];
            transactions.push(child(parent, usize::from(*outputs % 4)));
        }
        let mut block = Block {
            header: header(),
            txdata: transactions,
        };
        if self.commits_to_witnesses {
            commit(&mut block);
        }
        if self.is_sealed {
            seal(&mut block);
        }
        (block, spent)
    }

    fn coinbase(&self) -> Transaction {
        let script_sig = script::Builder::new()
            .push_int(i64::from(HEIGHT))
            .push_int(0);
        Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![input(OutPoint::null(), script_sig.into_script())],
            output: vec![TxOut {
                value: Amount::from_sat(self.coinbase_value_sat % 3_000_000_000),
                script_pubkey: ScriptBuf::from_bytes(self.coinbase_script.script()),
            }],
        }
    }
}

fn input(previous_output: OutPoint, script_sig: ScriptBuf) -> TxIn {
    TxIn {
        previous_output,
        script_sig,
        sequence: Sequence::MAX,
        witness: Witness::new(),
    }
}

fn child(parent: &Transaction, outputs: usize) -> Transaction {
    let value = parent
        .output
        .first()
        .map_or(0, |output| output.value.to_sat());
    let outpoint = OutPoint {
        txid: parent.compute_txid(),
        vout: 0,
    };
    let output = TxOut {
        value: Amount::from_sat(value / 4),
        script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input(outpoint, ScriptBuf::new())],
        output: vec![output; outputs],
    }
}

fn commit(block: &mut Block) {
    block.txdata[0].input[0].witness = Witness::from_slice(&[[0; 32]]);
    let root = block.witness_root().expect("there is a coinbase");
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend(commitment.to_byte_array());
    block.txdata[0].output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    });
}

fn seal(block: &mut Block) {
    if let Some(root) = block.compute_merkle_root() {
        block.header.merkle_root = root;
    }
}

/// Runs every rule, also behind one that the block breaks; a block that connects is undone again.
fn judge(block: Block, before: &HashMap<OutPoint, Coin>) {
    let block = &HashedBlock::from(block);
    let spec = ChainSpec::regtest();
    let context = BlockContext::new(&EvenChain);
    let verdicts = [
        check_block(&spec, block),
        check_block_in_chain(&spec, block, &context),
    ];
    let outpoints = outpoints_to_read(&spec, block, Height(HEIGHT));
    let view: HashMap<OutPoint, Coin> = outpoints
        .iter()
        .filter_map(|outpoint| Some((*outpoint, before.get(outpoint)?.clone())))
        .collect();
    let Ok(effects) = connect_block(&spec, block, &context, &view) else {
        return;
    };
    for scripts in effects.scripts(block) {
        let _ = scripts.check().verify();
    }
    // Only of a block that keeps the other rules, too, anything is promised.
    if verdicts.iter().any(Result::is_err) {
        return;
    }
    let mut after = before.clone();
    for (outpoint, _) in &effects.spent {
        after.remove(outpoint);
    }
    after.extend(effects.created(block));
    let undone = disconnect_block(block, &effects.spent);
    for outpoint in undone.removed {
        assert!(after.remove(&outpoint).is_some());
    }
    after.extend(undone.restored);
    assert_eq!(&after, before);
}

#[test]
fn fuzz_block_decoder() {
    check!()
        .with_type::<(Recipe, Damage)>()
        .for_each(|(recipe, damage)| {
            let (block, spent) = recipe.make();
            let bytes = damage.apply(serialize(&block));
            match deserialize::<Block>(&bytes) {
                Ok(decoded) => {
                    assert!(!damage.is_none() || decoded == block);
                    assert_eq!(serialize(&decoded), bytes);
                    judge(decoded, &coins(&spent));
                }
                Err(error) => assert!(!damage.is_none(), "{error}"),
            }
        });
}

#[test]
fn fuzz_block_with_a_right_root() {
    check!()
        .with_type::<(Recipe, Damage)>()
        .for_each(|(recipe, damage)| {
            let (block, spent) = recipe.make();
            // Damage behind the header, which a right merkle root then covers.
            let bytes = serialize(&block);
            let (header, body) = bytes.split_at(80);
            let bytes = [header, &damage.apply(body.to_vec())].concat();
            if let Ok(mut decoded) = deserialize::<Block>(&bytes) {
                seal(&mut decoded);
                judge(decoded, &coins(&spent));
            }
        });
}
