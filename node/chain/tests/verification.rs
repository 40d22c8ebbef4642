//! Verification of what is stored: each level finds what those below it don't.

mod support;

use std::cell::Cell;

use pyrite_chain::{Verification, VerifyLevel, VerifyOptions};
use pyrite_consensus::Height;
use pyrite_consensus::bitcoin::consensus::encode::serialize;
use pyrite_consensus::bitcoin::{Amount, Block, OutPoint, Transaction};
use pyrite_storage::schema::{Blocks, Coins, UndoData};
use pyrite_storage::{Batch, CHAIN_SCHEMA, Database, Durability, RawBlock, Undo};
use support::{FEE, Fixture, after, block_with, coinbase_outpoint, mature_chain, output, spend};

const LEVELS: [VerifyLevel; 5] = [
    VerifyLevel::Read,
    VerifyLevel::Check,
    VerifyLevel::Undo,
    VerifyLevel::Disconnect,
    VerifyLevel::Reconnect,
];

/// A chain whose last two blocks spend coins: the first a coinbase's, and, within the block, what came of
/// it; the last what the first left. The blocks are those two.
fn spending_chain() -> (Fixture, [Block; 2]) {
    let (fixture, blocks, tip) = mature_chain();
    let value = Amount::from_int_btc(50) - FEE;
    let first = spend(&[coinbase_outpoint(&blocks[0])], vec![output(value)]);
    let second = spend(
        &[outpoint(&first)],
        vec![output(value - FEE), output(Amount::ZERO)],
    );
    let third = spend(&[outpoint(&second)], vec![output(value - FEE * 2)]);
    let lower = block_with(&fixture.spec, &tip, 1, vec![first, second], FEE * 2);
    let tip = after(&tip, &lower);
    let upper = block_with(&fixture.spec, &tip, 1, vec![third], FEE);
    fixture.extend(&[lower.clone(), upper.clone()]);
    (fixture, [lower, upper])
}

/// The first output of a transaction.
fn outpoint(transaction: &Transaction) -> OutPoint {
    OutPoint {
        txid: transaction.compute_txid(),
        vout: 0,
    }
}

fn verify(fixture: &Fixture, level: VerifyLevel, blocks: Option<u32>) -> Verification {
    let options = VerifyOptions { level, blocks };
    let handle = &fixture.chain().handle;
    handle.verify_chain(options, &|| false).expect("reads")
}

/// Changes the database behind the chain's back, in a block that the opening does not look at.
fn tamper(fixture: &mut Fixture, change: impl FnOnce(&mut Batch<'_>)) {
    fixture.close();
    {
        let spec = &fixture.spec;
        let database = Database::open(
            &fixture.path(),
            &CHAIN_SCHEMA,
            &spec.name,
            spec.genesis_hash(),
        )
        .expect("opens");
        let mut batch = database.batch();
        change(&mut batch);
        database.commit(batch, Durability::Synced).expect("commits");
    }
    fixture.open();
}

/// Asserts that the levels from `lowest` on find something wrong with a block, and that those below don't.
fn assert_found_from(fixture: &Fixture, lowest: VerifyLevel, block: &Block, what: &str) {
    for level in LEVELS {
        let found = verify(fixture, level, None);
        if level < lowest {
            assert_eq!(found, Verification::Passed, "{level:?}");
            continue;
        }
        let Verification::Failed { hash, detail, .. } = found else {
            panic!("{level:?}: {found:?}");
        };
        assert_eq!(hash, block.block_hash(), "{level:?}");
        assert!(detail.contains(what), "{level:?}: {detail}");
    }
}

#[test]
fn a_whole_chain_passes_on_every_level_and_stays_as_it_is() {
    let (mut fixture, _) = spending_chain();
    let tip = fixture.tip_hash();
    for level in LEVELS {
        for blocks in [None, Some(1), Some(2), Some(1_000)] {
            assert_eq!(verify(&fixture, level, blocks), Verification::Passed);
        }
    }
    assert_eq!(fixture.tip_hash(), tip);
    fixture.assert_coins_equal_a_replay();
}

#[test]
fn a_genesis_block_alone_passes() {
    let fixture = Fixture::new();
    for level in LEVELS {
        assert_eq!(verify(&fixture, level, None), Verification::Passed);
    }
}

#[test]
fn missing_and_exchanged_bodies_are_found_by_reading() {
    let (mut fixture, [lower, upper]) = spending_chain();
    let hash = lower.block_hash();
    tamper(&mut fixture, |batch| batch.delete::<Blocks>(&hash));
    assert_found_from(&fixture, VerifyLevel::Read, &lower, "the body is missing");
    tamper(&mut fixture, |batch| {
        batch.put::<Blocks>(&hash, &RawBlock::new(&upper));
    });
    assert_found_from(&fixture, VerifyLevel::Read, &lower, "another block");
    let mut cut = serialize(&lower);
    cut.pop();
    tamper(&mut fixture, |batch| {
        batch.put::<Blocks>(&hash, &RawBlock(cut));
    });
    assert_found_from(&fixture, VerifyLevel::Read, &lower, "can't be read");
    // The last block alone is well.
    assert_eq!(
        verify(&fixture, VerifyLevel::Reconnect, Some(1)),
        Verification::Passed
    );
}

#[test]
fn a_body_that_breaks_a_rule_is_found_by_checking() {
    let (mut fixture, [lower, _]) = spending_chain();
    let mut wrong = lower.clone();
    wrong.txdata[0].output[0].value += Amount::ONE_SAT;
    tamper(&mut fixture, |batch| {
        batch.put::<Blocks>(&lower.block_hash(), &RawBlock::new(&wrong));
    });
    assert_found_from(&fixture, VerifyLevel::Check, &lower, "merkle root");
}

#[test]
fn missing_and_wrong_undo_data_is_found_by_reading_it() {
    let (mut fixture, [lower, _]) = spending_chain();
    let hash = lower.block_hash();
    tamper(&mut fixture, |batch| batch.delete::<UndoData>(&hash));
    assert_found_from(&fixture, VerifyLevel::Undo, &lower, "undo data is missing");
    tamper(&mut fixture, |batch| {
        batch.put::<UndoData>(&hash, &Undo::default());
    });
    assert_found_from(
        &fixture,
        VerifyLevel::Undo,
        &lower,
        "not that of its inputs",
    );
}

#[test]
fn coins_that_do_not_fit_are_found_by_disconnecting() {
    let (mut fixture, [lower, _]) = spending_chain();
    // The output that nobody spends.
    let mut left = outpoint(&lower.txdata[2]);
    left.vout = 1;
    let found = fixture.reader().coins(&[left]).expect("reads");
    let mut coin = found.coins[&left].clone();
    tamper(&mut fixture, |batch| batch.delete::<Coins>(&left));
    assert_found_from(
        &fixture,
        VerifyLevel::Disconnect,
        &lower,
        "as the block made it",
    );
    coin.height = Height(1);
    tamper(&mut fixture, |batch| batch.put::<Coins>(&left, &coin));
    assert_found_from(
        &fixture,
        VerifyLevel::Disconnect,
        &lower,
        "as the block made it",
    );
    coin.height = Height(111);
    tamper(&mut fixture, |batch| batch.put::<Coins>(&left, &coin));
    assert_eq!(
        verify(&fixture, VerifyLevel::Reconnect, None),
        Verification::Passed
    );
    // One that was spent.
    let spent = lower.txdata[1].input[0].previous_output;
    tamper(&mut fixture, |batch| batch.put::<Coins>(&spent, &coin));
    assert_found_from(&fixture, VerifyLevel::Disconnect, &lower, "still there");
}

#[test]
fn undo_data_with_wrong_coins_is_found_by_connecting_again() {
    let (mut fixture, [lower, _]) = spending_chain();
    let hash = lower.block_hash();
    let mut spent = fixture
        .reader()
        .undo(&hash)
        .expect("reads")
        .expect("is there");
    // With less value the coin does not pay for the outputs.
    spent[0].1.output.value -= FEE * 2;
    tamper(&mut fixture, |batch| {
        batch.put::<UndoData>(&hash, &Undo(spent));
    });
    for (level, passes) in [
        (VerifyLevel::Disconnect, true),
        (VerifyLevel::Reconnect, false),
    ] {
        let found = verify(&fixture, level, Some(2));
        assert_eq!(found == Verification::Passed, passes, "{found:?}");
    }
    // The block that made the coin does not know it.
    let first = fixture.best_chain().remove(0);
    let found = verify(&fixture, VerifyLevel::Disconnect, None);
    let Verification::Failed { hash, .. } = found else {
        panic!("{found:?}");
    };
    assert_eq!(hash, first.block_hash());
}

#[test]
fn a_verification_can_be_broken_off() {
    let (fixture, _) = spending_chain();
    let options = VerifyOptions {
        level: VerifyLevel::Reconnect,
        blocks: None,
    };
    // In the middle of the way down, and of the way up.
    for limit in [50, 150] {
        let asked = Cell::new(0);
        let found = fixture.chain().handle.verify_chain(options, &|| {
            asked.set(asked.get() + 1);
            asked.get() > limit
        });
        assert_eq!(found, Ok(Verification::Interrupted));
        assert_eq!(asked.get(), limit + 1);
    }
}

#[test]
fn levels_outside_mean_the_nearest() {
    for (number, level) in [
        (-1, VerifyLevel::Read),
        (0, VerifyLevel::Read),
        (1, VerifyLevel::Check),
        (2, VerifyLevel::Undo),
        (3, VerifyLevel::Disconnect),
        (4, VerifyLevel::Reconnect),
        (5, VerifyLevel::Reconnect),
    ] {
        assert_eq!(VerifyLevel::from_number(number), level);
    }
}
