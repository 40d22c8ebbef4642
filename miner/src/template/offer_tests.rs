use pyrite_consensus::bitcoin::Network;
use pyrite_consensus::bitcoin::constants::genesis_block;

use super::*;

fn transaction(tag: u8) -> Transaction {
    let mut tx = genesis_block(Network::Regtest).txdata[0].clone();
    tx.input[0].previous_output.vout = u32::from(tag);
    tx
}

fn offer(count: u8) -> TemplateOffer {
    let transactions = (0..count).map(|tag| OfferedTransaction {
        tx: transaction(tag),
        fee: Amount::from_sat(1_000),
        sigop_cost: 4,
        depends: Vec::new(),
    });
    let transactions: Vec<_> = transactions.collect();
    TemplateOffer {
        height: Height(700),
        previous: genesis_block(Network::Regtest).block_hash(),
        version: 0x2000_0000,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        time: 1_000,
        min_time: 900,
        max_time: None,
        coinbase_value: Amount::from_sat(5_000_000 + u64::from(count) * 1_000),
        transactions,
        witness_commitment: None,
        max_weight: 4_000_000,
        max_sigop_cost: 80_000,
    }
}

fn payout() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

#[test]
fn an_offer_becomes_a_block_of_the_same_value() {
    let template = Template::from_offer(offer(3), &payout()).unwrap();
    assert_eq!(template.coinbase_value, Amount::from_sat(5_003_000));
    assert_eq!(template.total_fees, Amount::from_sat(3_000));
    let block = template.block(1, template.time_at(0), 0);
    assert_eq!(block.header.time, 900);
    assert_eq!(block.txdata.len(), 4);
    assert!(block.check_merkle_root());
    assert_eq!(block.txdata[0].output.len(), 1);
    assert_eq!(block.bip34_block_height(), Ok(700));
    assert!(block.txdata[0].input[0].witness.is_empty());
}

#[test]
fn the_commitment_is_checked() {
    let mut segwit = offer(0);
    let wrong = ScriptBuf::from_bytes(vec![0x6a]);
    segwit.witness_commitment = Some(wrong);
    let refused = Template::from_offer(segwit.clone(), &payout());
    assert_eq!(refused, Err(OfferError::Commitment));
    // The commitment of a block without transactions.
    let mut plain = offer(0);
    let right = {
        plain.witness_commitment = Some(ScriptBuf::new());
        let frame = "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9";
        ScriptBuf::from_hex(frame).unwrap()
    };
    segwit.witness_commitment = Some(right);
    let template = Template::from_offer(segwit, &payout()).unwrap();
    let block = template.block(1, 1_000, 0);
    assert!(block.check_witness_commitment());
    // A witness that nothing commits to.
    let mut bare = offer(1);
    bare.transactions[0].tx.input[0].witness.push([1]);
    assert_eq!(
        Template::from_offer(bare, &payout()),
        Err(OfferError::Commitment)
    );
}

#[test]
fn what_has_no_room_is_left_out_from_the_end() {
    let mut tight = offer(3);
    let weight = tight.transactions[0].tx.weight().to_wu();
    tight.max_weight = 2 * weight + 1_300;
    let template = Template::from_offer(tight.clone(), &payout()).unwrap();
    assert_eq!(template.transactions.len(), 2);
    assert_eq!(template.coinbase_value, Amount::from_sat(5_002_000));
    assert!(template.block(1, 1_000, 0).check_merkle_root());
    tight.max_weight = 1_000;
    assert_eq!(
        Template::from_offer(tight, &payout()),
        Err(OfferError::NoRoom)
    );
}

#[test]
fn contradictions_are_refused() {
    let refused = |change: fn(&mut TemplateOffer)| {
        let mut offer = offer(2);
        change(&mut offer);
        Template::from_offer(offer, &payout()).unwrap_err()
    };
    assert!(matches!(
        refused(|offer| offer.bits = CompactTarget::from_consensus(0)),
        OfferError::NoTarget { .. }
    ));
    assert_eq!(
        refused(|offer| offer.max_time = Some(1)),
        OfferError::NoTime
    );
    for value in [1_999, 21_000_000 * 100_000_000 + 1] {
        let mut offer = offer(2);
        offer.coinbase_value = Amount::from_sat(value);
        assert!(matches!(
            Template::from_offer(offer, &payout()),
            Err(OfferError::Value { .. })
        ));
    }
    assert_eq!(
        refused(|offer| offer.transactions[0].fee = Amount::MAX),
        OfferError::Value {
            coinbase_value: offer(2).coinbase_value
        }
    );
    assert_eq!(
        refused(|offer| offer.transactions[1].depends = vec![1]),
        OfferError::Order { position: 1 }
    );
}
