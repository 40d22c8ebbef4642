//! Bitcoin's own blocks under the rules of the `mainnet` chain.

mod random;
mod vectors;

use std::collections::HashMap;

use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::bitcoin::consensus::{deserialize, serialize};
use pyrite_consensus::bitcoin::{Amount, Block, OutPoint, ScriptBuf, TxOut, Txid};
use pyrite_consensus::connect::{disconnect_block, genesis_coins, outpoints_to_read};
use pyrite_consensus::pow::check_proof_of_work;
use pyrite_consensus::script::ScriptFailure;
use pyrite_consensus::{
    BlockContext, BlockEffects, BlockError, ChainSpec, Coin, HashedBlock, HeaderChain, Height,
    ScriptError, TransactionError, check_block, check_block_in_chain, check_header, connect_block,
};
use random::Random;

/// A time after all of these blocks, in Unix seconds.
const NOW: u64 = 1_700_000_000;

type Coins = HashMap<OutPoint, Coin>;

/// The headers of blocks 0 to n.
struct Headers(Vec<Header>);

impl HeaderChain for Headers {
    fn tip_height(&self) -> Height {
        Height(u32::try_from(self.0.len()).expect("few headers") - 1)
    }

    fn header(&self, height: Height) -> Header {
        self.0[usize::try_from(height.0).expect("few headers")]
    }
}

/// A chain of which only the height matters: all of its headers are the same old one.
struct OldChain {
    tip: Height,
    header: Header,
}

impl HeaderChain for OldChain {
    fn tip_height(&self) -> Height {
        self.tip
    }

    fn header(&self, height: Height) -> Header {
        assert!(height <= self.tip);
        self.header
    }
}

/// Bitcoin's blocks 1 to 255: each behind a magic and its length.
fn first_blocks() -> Option<Vec<HashedBlock>> {
    let file = vectors::read("blocks/mainnet_1_to_255.blk")?;
    let mut blocks = Vec::new();
    let mut rest = &file[..];
    while let Some((prefix, behind)) = rest.split_first_chunk::<8>() {
        assert_eq!(prefix[..4], [0xf9, 0xbe, 0xb4, 0xd9]);
        let length = u32::from_le_bytes(prefix[4..].try_into().expect("four bytes"));
        let (block, behind) = behind.split_at(usize::try_from(length).expect("a small block"));
        let block: Block = deserialize(block).expect("a block of Bitcoin's");
        blocks.push(block.into());
        rest = behind;
    }
    Some(blocks)
}

/// All checks of a block with all of its scripts.
fn validate(
    spec: &ChainSpec,
    block: &HashedBlock,
    parent: &dyn HeaderChain,
    coins: &Coins,
) -> Result<BlockEffects, BlockError> {
    let context = BlockContext::new(parent);
    check_block(spec, block)?;
    check_block_in_chain(spec, block, &context)?;
    let effects = connect_block(spec, block, &context, coins)?;
    effects
        .scripts(block)
        .try_for_each(|scripts| scripts.check().verify())?;
    Ok(effects)
}

fn apply(effects: &BlockEffects, coins: &mut Coins) {
    for (outpoint, _) in &effects.spent {
        coins.remove(outpoint);
    }
    coins.extend(effects.created.iter().cloned());
}

/// The chain and the coins after these blocks, which must be valid, and the coins that each spent.
fn import(
    spec: &ChainSpec,
    blocks: &[HashedBlock],
) -> (Headers, Coins, Vec<Vec<(OutPoint, Coin)>>) {
    let mut headers = Headers(vec![spec.genesis_block().header]);
    let mut coins: Coins = genesis_coins(spec).into_iter().collect();
    let mut spent = Vec::new();
    for block in blocks {
        let height = headers.tip_height().next();
        check_header(spec, &block.header, &headers, NOW).expect("a valid header");
        let effects = validate(spec, block, &headers, &coins)
            .unwrap_or_else(|error| panic!("block {height}: {error}"));
        apply(&effects, &mut coins);
        headers.0.push(block.header);
        spent.push(effects.spent);
    }
    (headers, coins, spent)
}

#[test]
fn the_first_blocks_connect_and_disconnect() {
    let Some(blocks) = first_blocks() else { return };
    let spec = ChainSpec::mainnet();
    assert_eq!(blocks.len(), 255);
    let (headers, mut coins, spent) = import(&spec, &blocks);
    assert_eq!(headers.tip_height(), Height(255));
    assert_eq!(
        blocks[169].block_hash().to_string(),
        "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee"
    );
    // These blocks paid no fees, and the genesis block's coinbase is no coin.
    let supply: Amount = coins.values().map(|coin| coin.output.value).sum();
    assert_eq!(supply, Amount::from_int_btc(255 * 50));

    for (block, spent) in blocks.iter().zip(&spent).rev() {
        let undone = disconnect_block(block, spent);
        for outpoint in undone.removed {
            assert!(coins.remove(&outpoint).is_some(), "{outpoint}");
        }
        for (outpoint, coin) in undone.restored {
            assert!(coins.insert(outpoint, coin).is_none(), "{outpoint}");
        }
    }
    assert_eq!(coins, Coins::new());
}

#[test]
fn the_first_payment_s_signature_is_verified() {
    let Some(blocks) = first_blocks() else { return };
    let spec = ChainSpec::mainnet();
    let (headers, coins, _) = import(&spec, &blocks[..169]);
    let block = &blocks[169];
    assert!(validate(&spec, block, &headers, &coins).is_ok());

    let signature_length = block.txdata[1].input[0].script_sig.len();
    let failure = ScriptFailure::EvalFalse;
    for (index, bit) in [(20, 0), (signature_length - 10, 6)] {
        let mut forged = Block::clone(block.block());
        let mut script_sig = forged.txdata[1].input[0].script_sig.to_bytes();
        script_sig[index] ^= 1 << bit;
        forged.txdata[1].input[0].script_sig = ScriptBuf::from_bytes(script_sig);
        forged.header.merkle_root = forged.compute_merkle_root().expect("two transactions");
        let txid = forged.txdata[1].compute_txid();
        let error = validate(&spec, &forged.into(), &headers, &coins).unwrap_err();
        assert_eq!(
            error,
            BlockError::Script(ScriptError::Failed {
                txid,
                input: 0,
                failure
            })
        );
    }
}

#[test]
fn one_bit_changed_anywhere_is_refused() {
    let Some(blocks) = first_blocks() else { return };
    let spec = ChainSpec::mainnet();
    let (headers, _, _) = import(&spec, &blocks[..169]);
    let original = serialize(blocks[169].block().as_ref());
    let (mut undecodable, mut refused) = (0, 0);
    for position in 0..original.len() {
        for bit in 0..8 {
            let mut bytes = original.clone();
            bytes[position] ^= 1 << bit;
            let Ok(block) = deserialize::<Block>(&bytes) else {
                undecodable += 1;
                continue;
            };
            refused += 1;
            if position < Header::SIZE {
                let verdict = check_header(&spec, &block.header, &headers, NOW);
                assert!(verdict.is_err(), "bit {bit} of byte {position}");
            } else {
                let error = check_block(&spec, &HashedBlock::from(block)).unwrap_err();
                assert!(matches!(error, BlockError::MerkleRoot { .. }), "{error}");
                assert!(error.is_mutation());
            }
        }
    }
    assert!(refused > undecodable);
}

/// Block 277647, all coins that it spends, those that it creates itself included, and the chain below
/// it.
fn block_277647() -> Option<(HashedBlock, Coins, OldChain)> {
    let block: Block =
        deserialize(&vectors::read("blocks/block277647.raw")?).expect("a block of Bitcoin's");
    let prevouts = vectors::read_json("blocks/block277647_prevouts.json")?;
    let coins = prevouts.as_array().expect("a list").iter().map(|entry| {
        let number = |name: &str| entry[name].as_u64().expect("a number");
        let text = |name: &str| entry[name].as_str().expect("a string");
        let height = |name| u32::try_from(number(name)).expect("32 bits");
        let txid: Txid = text("txid").parse().expect("a transaction id");
        let script_pubkey = ScriptBuf::from_hex(text("script_pubkey")).expect("a script");
        let output = TxOut {
            value: Amount::from_sat(number("value")),
            script_pubkey,
        };
        let is_coinbase = entry["coinbase"].as_bool().expect("a boolean");
        let coin = Coin {
            output,
            height: Height(height("height")),
            is_coinbase,
        };
        (
            OutPoint {
                txid,
                vout: height("vout"),
            },
            coin,
        )
    });
    let header = ChainSpec::mainnet().genesis_block().header;
    let chain = OldChain {
        tip: Height(277_646),
        header,
    };
    Some((block.into(), coins.collect(), chain))
}

/// The coins that exist before block 277647.
fn from_earlier_blocks(spent: &Coins) -> Coins {
    let earlier = spent
        .iter()
        .filter(|(_, coin)| coin.height < Height(277_647));
    earlier
        .map(|(outpoint, coin)| (*outpoint, coin.clone()))
        .collect()
}

#[test]
fn a_busy_block_connects_with_all_of_its_scripts() {
    let Some((block, spent, chain)) = block_277647() else {
        return;
    };
    let spec = ChainSpec::mainnet();
    let coins = from_earlier_blocks(&spent);
    let effects = validate(&spec, &block, &chain, &coins).unwrap();
    assert_eq!(effects.scripts(&block).count(), block.txdata.len() - 1);
    let paid: Amount = block.txdata[0].output.iter().map(|o| o.value).sum();
    assert_eq!(paid, effects.fees + Amount::from_int_btc(25));
    assert!(effects.spent.into_iter().collect::<Coins>() == spent);

    let to_read = outpoints_to_read(&spec, &block, Height(277_647));
    assert_eq!(to_read.len(), coins.len());
    assert!(to_read.iter().all(|outpoint| coins.contains_key(outpoint)));
}

/// Any byte, changed to any other value: what can be decoded has another header, without its proof of
/// work, or other transactions than the header commits to.
#[test]
fn a_busy_block_is_refused_with_any_byte_changed() {
    let (Some((block, ..)), Some(original)) =
        (block_277647(), vectors::read("blocks/block277647.raw"))
    else {
        return;
    };
    let spec = ChainSpec::mainnet();
    assert_eq!(serialize(block.block().as_ref()), original);
    assert_eq!(check_proof_of_work(&block.header, spec.pow_limit), Ok(()));
    let mut random = Random::new(4);
    let (mut undecodable, mut header, mut transactions) = (0, 0, 0);
    for change in 0..1000 {
        let mut bytes = original.clone();
        // Every tenth in the header, which is small.
        let end = if change % 10 == 0 {
            Header::SIZE
        } else {
            bytes.len()
        };
        let position = random.below(end);
        bytes[position] ^= u8::try_from(1 + random.below(255)).expect("a byte");
        let Ok(changed) = deserialize::<Block>(&bytes) else {
            undecodable += 1;
            continue;
        };
        if position < Header::SIZE {
            let verdict = check_proof_of_work(&changed.header, spec.pow_limit);
            assert!(verdict.is_err(), "byte {position}");
            header += 1;
        } else {
            let error = check_block(&spec, &HashedBlock::from(changed)).unwrap_err();
            assert!(matches!(error, BlockError::MerkleRoot { .. }), "{error}");
            transactions += 1;
        }
    }
    println!(
        "1000 changes: {undecodable} can't be decoded, {header} break the header, {transactions} the transactions"
    );
    assert!(header >= 100 && transactions > undecodable);
}

#[test]
fn a_busy_block_is_refused_when_a_coin_is_missing_or_another() {
    let Some((block, spent, chain)) = block_277647() else {
        return;
    };
    let spec = ChainSpec::mainnet();
    let coins = from_earlier_blocks(&spent);
    let tx = &block.txdata[1];
    let outpoint = tx.input[0].previous_output;
    assert!(coins.contains_key(&outpoint));

    let mut fewer = coins.clone();
    fewer.remove(&outpoint);
    let txid = tx.compute_txid();
    let error = TransactionError::MissingInput { outpoint };
    assert_eq!(
        validate(&spec, &block, &chain, &fewer).unwrap_err(),
        BlockError::Transaction {
            index: 1,
            txid,
            error
        }
    );

    let mut other = coins.clone();
    let unspendable_by_all = ScriptBuf::from_bytes(vec![0x00]);
    let coin = other.get_mut(&outpoint).expect("it was there");
    coin.output.script_pubkey = unspendable_by_all;
    assert_eq!(
        validate(&spec, &block, &chain, &other).unwrap_err(),
        BlockError::Script(ScriptError::Failed {
            txid,
            input: 0,
            failure: ScriptFailure::EvalFalse
        })
    );
}

#[test]
fn a_nearly_full_block_passes_the_checks_by_itself() {
    let Some(bytes) = vectors::read("blocks/block413567.raw") else {
        return;
    };
    let spec = ChainSpec::mainnet();
    let mut block: Block = deserialize(&bytes).expect("a block of Bitcoin's");
    assert_eq!(serialize(&block), bytes);
    assert_eq!(
        check_block(&spec, &HashedBlock::from(block.clone())),
        Ok(())
    );
    block.txdata.swap(1, 2);
    assert!(matches!(
        check_block(&spec, &HashedBlock::from(block)),
        Err(BlockError::MerkleRoot { .. })
    ));
}
