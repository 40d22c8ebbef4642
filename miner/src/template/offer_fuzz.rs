//! Fuzz target: offers of a server that says what it likes.

use bolero::{TypeGenerator, check, produce};
use pyrite_consensus::bitcoin::absolute::LockTime;
use pyrite_consensus::bitcoin::hashes::Hash;
use pyrite_consensus::bitcoin::{OutPoint, Sequence, TxIn, TxOut, Txid, Witness, transaction};

use super::*;

/// An amount or a limit: near zero, near what is sensible, or anything.
#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Number {
    Small(u16),
    Large(u32),
    Any(u64),
}

impl Number {
    fn value(self) -> u64 {
        match self {
            Self::Small(number) => number.into(),
            Self::Large(number) => number.into(),
            Self::Any(number) => number,
        }
    }
}

#[derive(Clone, Debug, TypeGenerator)]
struct RawTransaction {
    number: u8,
    has_witness: bool,
    script_length: u8,
    fee: Number,
    sigop_cost: Number,
    #[generator(produce::<Vec<u8>>().with().len(0..4_usize))]
    depends: Vec<u8>,
}

impl RawTransaction {
    fn offered(&self, position: usize) -> OfferedTransaction {
        let witness = match self.has_witness {
            true => Witness::from_slice(&[[self.number]]),
            false => Witness::new(),
        };
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(Txid::hash(&[self.number]), 0),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness,
            }],
            output: vec![TxOut {
                value: Amount::from_sat(1),
                script_pubkey: ScriptBuf::from_bytes(vec![0x51; self.script_length.into()]),
            }],
        };
        // Mostly of transactions that come before.
        let depends = self.depends.iter().map(|number| match number {
            255 => usize::MAX,
            number => usize::from(*number) % (position + 1),
        });
        OfferedTransaction {
            tx,
            fee: Amount::from_sat(self.fee.value()),
            sigop_cost: self.sigop_cost.value(),
            depends: depends.filter(|parent| *parent != position).collect(),
        }
    }
}

#[derive(Clone, Debug, TypeGenerator)]
enum Commitment {
    None,
    Right,
    Other(#[generator(produce::<Vec<u8>>().with().len(0..40_usize))] Vec<u8>),
}

#[derive(Clone, Debug, TypeGenerator)]
struct RawOffer {
    height: u32,
    version: i32,
    bits: u32,
    time: u32,
    min_time: u32,
    max_time: Option<u32>,
    /// What the coinbase may pay beyond the fees; or in all.
    subsidy: Number,
    is_whole_value: bool,
    #[generator(produce::<Vec<RawTransaction>>().with().len(0..12_usize))]
    transactions: Vec<RawTransaction>,
    commitment: Commitment,
    max_weight: Number,
    max_sigop_cost: Number,
    #[generator(produce::<Vec<u8>>().with().len(0..60_usize))]
    payout: Vec<u8>,
}

impl RawOffer {
    fn offer(&self) -> TemplateOffer {
        let transactions = self.transactions.iter().enumerate();
        let transactions: Vec<_> = transactions
            .map(|(position, raw)| raw.offered(position))
            .collect();
        let fees = transactions.iter().map(|entry| entry.fee.to_sat());
        let fees = fees.fold(0, u64::saturating_add);
        let coinbase_value = match self.is_whole_value {
            true => self.subsidy.value(),
            false => self.subsidy.value().saturating_add(fees),
        };
        let mut offer = TemplateOffer {
            height: Height(self.height),
            previous: BlockHash::all_zeros(),
            version: self.version,
            bits: CompactTarget::from_consensus(self.bits),
            time: self.time,
            min_time: self.min_time,
            max_time: self.max_time,
            coinbase_value: Amount::from_sat(coinbase_value),
            transactions,
            witness_commitment: None,
            max_weight: self.max_weight.value(),
            max_sigop_cost: self.max_sigop_cost.value(),
        };
        offer.witness_commitment = match &self.commitment {
            Commitment::None => None,
            Commitment::Right => Some(right_commitment(&offer)),
            Commitment::Other(bytes) => Some(ScriptBuf::from_bytes(bytes.clone())),
        };
        offer
    }
}

/// What an honest server commits to.
fn right_commitment(offer: &TemplateOffer) -> ScriptBuf {
    let mut block = Template::from_offer(
        TemplateOffer {
            transactions: Vec::new(),
            bits: CompactTarget::from_consensus(0x207f_ffff),
            max_time: None,
            coinbase_value: Amount::ZERO,
            max_weight: u64::MAX,
            max_sigop_cost: u64::MAX,
            ..offer.clone()
        },
        Script::new(),
    )
    .unwrap()
    .block(0, 0, 0);
    let others = offer.transactions.iter().map(|entry| entry.tx.clone());
    block.txdata.extend(others);
    let root = block.witness_root().unwrap();
    let commitment = pyrite_consensus::bitcoin::Block::compute_witness_commitment(&root, &[0; 32]);
    let mut data = [0xaa, 0x21, 0xa9, 0xed].to_vec();
    data.extend(commitment.as_byte_array());
    let data: [u8; 36] = data.try_into().unwrap();
    ScriptBuf::new_op_return(data)
}

/// What becomes of an offer is a block that keeps to it, and the most of it that has room.
#[test]
fn fuzz_offers() {
    check!().with_type::<RawOffer>().for_each(|raw| {
        let offer = raw.offer();
        let payout = ScriptBuf::from_bytes(raw.payout.clone());
        let Ok(template) = Template::from_offer(offer.clone(), &payout) else {
            return;
        };
        let kept = template.transactions.len();
        let offered = &offer.transactions[..kept];
        let txids = template.transactions.iter().map(|entry| entry.txid);
        assert!(txids.eq(offered.iter().map(|entry| entry.tx.compute_txid())));
        for (position, entry) in template.transactions.iter().enumerate() {
            assert!(entry.depends.iter().all(|parent| *parent < position));
        }
        assert!(template.weight <= offer.max_weight);
        assert!(template.sigop_cost <= offer.max_sigop_cost);
        if let Some(next) = offer.transactions.get(kept) {
            let weight = template.weight.saturating_add(next.tx.weight().to_wu());
            let sigop_cost = template.sigop_cost.saturating_add(next.sigop_cost);
            assert!(weight > offer.max_weight || sigop_cost > offer.max_sigop_cost);
        }
        let left_out = offer.transactions[kept..].iter().map(|entry| entry.fee);
        let left_out = left_out.fold(Amount::ZERO, |sum, fee| sum + fee);
        assert_eq!(template.coinbase_value + left_out, offer.coinbase_value);
        let time = template.time_at(u64::from(offer.time));
        assert!(time >= offer.min_time && offer.max_time.is_none_or(|latest| time <= latest));
        let block = template.block(7, time, 0);
        assert!(block.check_merkle_root());
        assert!(block.weight().to_wu() <= template.weight);
        assert_eq!(block.txdata[0].output[0].script_pubkey, payout);
        if offer.witness_commitment.is_some() {
            assert!(block.check_witness_commitment());
        }
    });
}

/// A server may offer more than any block holds: what is left out costs no more than what is taken.
#[test]
fn offers_of_any_length_take_linear_time() {
    let raw = RawTransaction {
        number: 1,
        has_witness: false,
        script_length: 0,
        fee: Number::Small(1),
        sigop_cost: Number::Small(0),
        depends: Vec::new(),
    };
    let count = 100_000;
    let offer = TemplateOffer {
        height: Height(1),
        previous: BlockHash::all_zeros(),
        version: 4,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        time: 1,
        min_time: 0,
        max_time: None,
        coinbase_value: Amount::from_sat(count),
        transactions: (0..count).map(|_| raw.offered(0)).collect(),
        witness_commitment: None,
        max_weight: 100_000,
        max_sigop_cost: 80_000,
    };
    let template = Template::from_offer(offer, Script::new()).unwrap();
    let weight = template.transactions[0].weight;
    assert_eq!(
        template.transactions.len() as u64,
        (100_000 - 1_200) / weight
    );
}
