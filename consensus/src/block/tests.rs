//! Tests of the block rules that need no coins.

use bitcoin::{Amount, Block, OutPoint, ScriptBuf, Sequence, Witness, absolute};

use super::fixtures::{EvenChain, block, coinbase, committed_block, outpoint, output, seal, spend};
use super::*;
use crate::transaction::output_total;

fn check(block: &Block) -> Result<(), BlockError> {
    check_block(&ChainSpec::regtest(), &HashedBlock::from(block.clone()))
}

/// Checks a block at height 200 of a regtest chain.
fn check_in_chain(block: &Block) -> Result<(), BlockError> {
    let chain = EvenChain::below(200);
    check_block_in_chain(
        &ChainSpec::regtest(),
        &HashedBlock::from(block.clone()),
        &BlockContext::new(&chain),
    )
}

/// A block with a transaction that has a witness, and the commitment to it.
fn witness_block() -> Block {
    let mut spend = spend(&[outpoint(1)], &[1]);
    spend.input[0].witness = Witness::from_slice(&[[7; 8]]);
    committed_block(vec![coinbase(200, 50), spend])
}

#[test]
fn accepts_blocks() {
    for count in 1..=9 {
        let spends = (1..count).map(|number| spend(&[outpoint(number)], &[1]));
        let block = block(std::iter::once(coinbase(200, 50)).chain(spends).collect());
        assert_eq!(check(&block), Ok(()));
        assert_eq!(check_in_chain(&block), Ok(()));
    }
    assert_eq!(check(&witness_block()), Ok(()));
    assert_eq!(check_in_chain(&witness_block()), Ok(()));
}

#[test]
fn refuses_another_merkle_root() {
    let mut block = block(vec![coinbase(200, 50)]);
    let computed = block.header.merkle_root;
    let expected = TxMerkleNode::from_byte_array([9; 32]);
    block.header.merkle_root = expected;
    let error = BlockError::MerkleRoot { expected, computed };
    assert!(error.is_mutation());
    assert_eq!(check(&block), Err(error));
}

#[test]
fn refuses_repeated_transactions_under_the_same_merkle_root() {
    let spends = [1, 2, 3, 4, 5].map(|number| spend(&[outpoint(number)], &[1]));
    let mut transactions = vec![coinbase(200, 50)];
    transactions.extend(spends);
    for (count, repeated) in [(3, 1), (5, 1), (6, 2)] {
        let original = block(transactions[..count].to_vec());
        let mut mutant = original.clone();
        mutant
            .txdata
            .extend_from_slice(&transactions[count - repeated..count]);
        assert_eq!(
            mutant.compute_merkle_root(),
            Some(original.header.merkle_root)
        );
        assert_eq!(check(&original), Ok(()));
        assert_eq!(check(&mutant), Err(BlockError::RepeatedTransactions));
    }
    assert!(BlockError::RepeatedTransactions.is_mutation());
}

#[test]
fn limits_the_size_without_witnesses() {
    let empty = block(Vec::new());
    assert_eq!(
        check(&empty),
        Err(BlockError::Length {
            transactions: 0,
            size: 81
        })
    );

    let mut large = block(vec![coinbase(200, 50), spend(&[outpoint(1)], &[1])]);
    let fill = |block: &mut Block, length: usize| {
        block.txdata[1].output[0].script_pubkey = ScriptBuf::from_bytes(vec![0; length]);
        seal(block);
    };
    fill(&mut large, 900_000);
    let hashed = HashedBlock::from(large.clone());
    let base_size = size_without_transactions(&hashed) + BodyFigures::of(&hashed).base_size;
    let full = 900_000 + 1_000_000 - base_size;
    fill(&mut large, full);
    assert_eq!(check(&large), Ok(()));
    fill(&mut large, full + 1);
    let error = BlockError::Length {
        transactions: 2,
        size: 1_000_001,
    };
    assert_eq!(error.reject_reason(), "bad-blk-length");
    assert_eq!(check(&large), Err(error));
}

#[test]
fn wants_one_coinbase_and_that_first() {
    let plain = spend(&[outpoint(1)], &[1]);
    assert_eq!(
        check(&block(vec![plain.clone()])),
        Err(BlockError::CoinbaseMissing)
    );
    assert_eq!(
        check(&block(vec![plain.clone(), coinbase(200, 50)])),
        Err(BlockError::CoinbaseMissing)
    );
    assert_eq!(
        check(&block(vec![coinbase(200, 50), plain, coinbase(200, 51)])),
        Err(BlockError::CoinbaseMultiple { index: 2 })
    );
}

#[test]
fn a_row_of_the_merkle_tree_is_no_reason_to_remember_the_hash() {
    let mut node = spend(&[outpoint(1)], &[1]);
    node.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 4]);
    let txid = node.compute_txid();
    let error = BlockError::MerkleNodeAsTransaction { txid };
    assert!(error.is_mutation());
    assert!(!BlockError::CoinbaseMissing.is_mutation());
    assert_eq!(check(&block(vec![node])), Err(error));
}

#[test]
fn names_the_transaction_that_is_invalid() {
    let invalid = spend(&[outpoint(1), outpoint(1)], &[1]);
    let txid = invalid.compute_txid();
    let error = TransactionError::DuplicateInput {
        outpoint: outpoint(1),
    };
    assert_eq!(
        check(&block(vec![coinbase(200, 50), invalid])),
        Err(BlockError::Transaction {
            index: 1,
            txid,
            error
        })
    );
}

#[test]
fn limits_legacy_sigops() {
    let with_sigops = |count| {
        let mut coinbase = coinbase(200, 50);
        coinbase.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; count]);
        block(vec![coinbase])
    };
    assert_eq!(check(&with_sigops(20_000)), Ok(()));
    assert_eq!(
        check(&with_sigops(20_001)),
        Err(BlockError::SigopCost {
            cost: 80_004,
            limit: 80_000
        })
    );
}

#[test]
fn refuses_a_transaction_that_is_not_final() {
    let mut locked = spend(&[outpoint(1)], &[1]);
    locked.input[0].sequence = Sequence::ZERO;
    locked.lock_time = absolute::LockTime::from_consensus(199);
    assert_eq!(
        check_in_chain(&block(vec![coinbase(200, 50), locked.clone()])),
        Ok(())
    );

    locked.lock_time = absolute::LockTime::from_consensus(200);
    let (txid, error) = (
        locked.compute_txid(),
        TransactionError::NotFinal { lock_time: 200 },
    );
    assert_eq!(error.reject_reason(), "non-final");
    let error = BlockError::Transaction {
        index: 1,
        txid,
        error,
    };
    assert_eq!(error.reject_reason(), "bad-txns-nonfinal");
    assert_eq!(
        check_in_chain(&block(vec![coinbase(200, 50), locked])),
        Err(error)
    );
}

#[test]
fn lock_times_are_compared_with_the_block_s_time_before_bip_113() {
    let mut locked = spend(&[outpoint(1)], &[1]);
    locked.input[0].sequence = Sequence::ZERO;
    // Between the median time past and the block's own.
    locked.lock_time = absolute::LockTime::from_consensus(1_400_000_000);
    let txid = locked.compute_txid();
    let block = block(vec![coinbase(200, 50), locked]);
    let chain = EvenChain::below(200);
    let context = BlockContext::new(&chain);
    let mut spec = ChainSpec::regtest();
    spec.deployments.csv = 201;
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Ok(())
    );
    spec.deployments.csv = 200;
    let error = TransactionError::NotFinal {
        lock_time: 1_400_000_000,
    };
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Err(BlockError::Transaction {
            index: 1,
            txid,
            error
        })
    );
}

#[test]
fn the_coinbase_begins_with_the_height() {
    for height in [1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 8_388_608] {
        let chain = EvenChain {
            tip: height - 1,
            spacing_s: 1,
        };
        let context = BlockContext::new(&chain);
        let check = |claimed| {
            let block = block(vec![coinbase(claimed, 50)]);
            check_block_in_chain(
                &ChainSpec::regtest(),
                &HashedBlock::from(block.clone()),
                &context,
            )
        };
        assert_eq!(check(height), Ok(()));
        let error = BlockError::CoinbaseHeight {
            height: Height(height),
        };
        assert_eq!(check(height + 1), Err(error));
    }
}

#[test]
fn heights_are_encoded_as_numbers_of_scripts() {
    let encoded: [(u32, &[u8]); 5] = [
        (1, &[0x51]),
        (16, &[0x60]),
        (17, &[0x01, 0x11]),
        (128, &[0x02, 0x80, 0x00]),
        (227_931, &[0x03, 0x5b, 0x7a, 0x03]),
    ];
    for (height, bytes) in encoded {
        let mut coinbase = coinbase(height, 50);
        coinbase.input[0].script_sig = ScriptBuf::from_bytes([bytes, &[0xaa]].concat());
        let chain = EvenChain {
            tip: height - 1,
            spacing_s: 1,
        };
        let context = BlockContext::new(&chain);
        let block = block(vec![coinbase]);
        assert_eq!(
            check_block_in_chain(
                &ChainSpec::regtest(),
                &HashedBlock::from(block.clone()),
                &context
            ),
            Ok(())
        );
    }
}

#[test]
fn no_height_is_needed_before_bip_34() {
    let mut spec = ChainSpec::regtest();
    let chain = EvenChain::below(200);
    let context = BlockContext::new(&chain);
    let block = block(vec![coinbase(77, 50)]);
    spec.deployments.bip34 = 201;
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Ok(())
    );
    spec.deployments.bip34 = 200;
    let error = BlockError::CoinbaseHeight {
        height: Height(200),
    };
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Err(error)
    );
}

#[test]
fn the_coinbase_s_witness_is_one_value_of_32_bytes() {
    let mut block = witness_block();
    let witnesses: [&[&[u8]]; 4] = [&[], &[&[0; 31]], &[&[0; 33]], &[&[0; 32], &[0; 32]]];
    for witness in witnesses {
        block.txdata[0].input[0].witness = Witness::from_slice(witness);
        assert_eq!(check_in_chain(&block), Err(BlockError::WitnessNonceSize));
    }
    assert!(BlockError::WitnessNonceSize.is_mutation());
}

#[test]
fn refuses_other_witnesses_than_those_committed_to() {
    let mut block = witness_block();
    block.txdata[1].input[0].witness = Witness::from_slice(&[[8; 8]]);
    assert_eq!(check(&block), Ok(()));
    assert_eq!(check_in_chain(&block), Err(BlockError::WitnessCommitment));
    assert!(BlockError::WitnessCommitment.is_mutation());
    // The nonce is committed to as well.
    let mut block = witness_block();
    block.txdata[0].input[0].witness = Witness::from_slice(&[[1; 32]]);
    assert_eq!(check_in_chain(&block), Err(BlockError::WitnessCommitment));
}

#[test]
fn the_last_commitment_counts() {
    let mut decoy = COMMITMENT_PREFIX.to_vec();
    decoy.extend([3; 32]);
    let decoy = output(0, ScriptBuf::from_bytes(decoy));
    let mut block = witness_block();
    block.txdata[0].output.insert(0, decoy.clone());
    assert_eq!(check_in_chain(&block), Ok(()));
    // One that is too short is none, and bytes behind one do not matter.
    let short = output(
        0,
        ScriptBuf::from_bytes(decoy.script_pubkey.as_bytes()[..37].to_vec()),
    );
    block.txdata[0].output.push(short);
    assert_eq!(check_in_chain(&block), Ok(()));
    let longer = [block.txdata[0].output[2].script_pubkey.as_bytes(), &[1, 2]].concat();
    block.txdata[0].output[2].script_pubkey = ScriptBuf::from_bytes(longer);
    assert_eq!(check_in_chain(&block), Ok(()));
    block.txdata[0].output.push(decoy);
    assert_eq!(check_in_chain(&block), Err(BlockError::WitnessCommitment));
}

#[test]
fn refuses_witnesses_without_a_commitment() {
    let mut block = witness_block();
    block.txdata[0].output.pop();
    let unexpected = |index| BlockError::UnexpectedWitness {
        index,
        txid: block.txdata[index].compute_txid(),
    };
    assert_eq!(check_in_chain(&block), Err(unexpected(0)));
    assert!(unexpected(0).is_mutation());
    let mut block = block.clone();
    block.txdata[0].input[0].witness.clear();
    let txid = block.txdata[1].compute_txid();
    assert_eq!(
        check_in_chain(&block),
        Err(BlockError::UnexpectedWitness { index: 1, txid })
    );
}

#[test]
fn a_commitment_counts_from_segwit_on() {
    let block = witness_block();
    let chain = EvenChain::below(200);
    let context = BlockContext::new(&chain);
    let mut spec = ChainSpec::regtest();
    spec.deployments.segwit = 200;
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Ok(())
    );
    spec.deployments.segwit = 201;
    let txid = block.txdata[0].compute_txid();
    assert_eq!(
        check_block_in_chain(&spec, &HashedBlock::from(block.clone()), &context),
        Err(BlockError::UnexpectedWitness { index: 0, txid })
    );
}

#[test]
fn limits_the_weight() {
    let heavy = |witness_length: usize| {
        let mut spend = spend(&[outpoint(1)], &[1]);
        spend.input[0].witness = Witness::from_slice(&[vec![0; witness_length]]);
        committed_block(vec![coinbase(200, 50), spend])
    };
    let weight = |block: &Block| block.weight().to_wu();
    let full = 3_000_000 + usize::try_from(4_000_000 - weight(&heavy(3_000_000))).unwrap();
    assert_eq!(weight(&heavy(full)), 4_000_000);
    assert_eq!(check_in_chain(&heavy(full)), Ok(()));
    let error = BlockError::Weight {
        weight: 4_000_001,
        limit: 4_000_000,
    };
    assert_eq!(check_in_chain(&heavy(full + 1)), Err(error));
}

#[test]
fn errors_say_what_is_wrong() {
    let error = check(&block(vec![
        coinbase(200, 50),
        spend(&[OutPoint::null(); 2], &[1]),
    ]));
    let message = error.unwrap_err().to_string();
    assert!(message.starts_with("transaction 1 ("), "{message}");
    assert!(message.ends_with("is spent twice"), "{message}");
    assert_eq!(output_total(&coinbase(1, 50)), Ok(Amount::from_sat(50)));
}
