//! The genesis block of a spec, and specs with a genesis block of their own.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::opcodes::OP_TRUE;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::{
    Block, BlockHash, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxMerkleNode,
    TxOut, Witness, transaction,
};

use super::chain_spec::{Allocation, ChainSpec, GenesisSpec};

/// The first push of Bitcoin's genesis coinbase: 0x1d00ffff, its bits, as a little-endian number.
const BITCOIN_BITS_PUSH: [u8; 4] = 0x1d00_ffff_u32.to_le_bytes();

/// The second push of Bitcoin's genesis coinbase. It is one byte of data, not the opcode for four.
const BITCOIN_EXTRA_NONCE_PUSH: [u8; 1] = [4];

/// Hashes between two calls of the progress function: a fraction of a second.
const PROGRESS_HASHES: u64 = 1 << 16;

impl ChainSpec {
    /// The genesis block.
    pub fn genesis_block(&self) -> Block {
        let genesis = &self.genesis;
        let mut transactions = vec![genesis.coinbase()];
        if !genesis.allocations.is_empty() {
            transactions.push(genesis.allocation(&transactions[0]));
        }
        let mut block = Block {
            header: Header {
                version: Version::from_consensus(genesis.version),
                prev_blockhash: BlockHash::all_zeros(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: genesis.time,
                bits: genesis.bits,
                nonce: genesis.nonce,
            },
            txdata: transactions,
        };
        block.header.merkle_root = block
            .compute_merkle_root()
            .expect("a genesis block has a coinbase");
        block
    }

    /// The genesis block's hash.
    pub fn genesis_hash(&self) -> BlockHash {
        self.genesis_block().block_hash()
    }

    /// A chain of its own with `self`'s parameters: another name, genesis time, message and
    /// allocations, no bootstrap peers, and a nonce found by search (so take bits of modest
    /// difficulty). When no nonce does, the time moves on by a second.
    ///
    /// The arguments are not checked: call `validate` on the outcome when they come from outside.
    ///
    /// # Panics
    /// When the allocations add up to 2^64 sat or more.
    #[must_use]
    pub fn derive(
        &self,
        name: &str,
        time: u32,
        message: &str,
        allocations: Vec<Allocation>,
    ) -> Self {
        let mut spec = self.clone();
        name.clone_into(&mut spec.name);
        spec.bootstrap_peers.clear();
        spec.assume_utxo.clear();
        spec.genesis.time = time;
        message.clone_into(&mut spec.genesis.message);
        spec.genesis.allocations = allocations;
        spec.mine_genesis(|_| {});
        spec
    }

    /// Searches a nonce with which the genesis block meets its bits, from 0 on; when no nonce does, the
    /// time moves on by a second. `progress` hears from time to time how many hashes were tried.
    ///
    /// # Panics
    /// When the allocations add up to 2^64 sat or more, or the bits are so hard that no nonce is found up to
    /// the year 2106.
    pub fn mine_genesis(&mut self, progress: impl FnMut(u64)) {
        let mined = mine(self.genesis_block().header, progress);
        self.genesis.time = mined.time;
        self.genesis.nonce = mined.nonce;
    }
}

impl GenesisSpec {
    /// The bytes of the coinbase's input script.
    pub(super) fn coinbase_script(&self) -> ScriptBuf {
        let message = PushBytesBuf::try_from(self.message.clone().into_bytes())
            .expect("a message is shorter than 4 GiB");
        Builder::new()
            .push_slice(BITCOIN_BITS_PUSH)
            .push_slice(BITCOIN_EXTRA_NONCE_PUSH)
            .push_slice(message)
            .into_script()
    }

    fn coinbase(&self) -> Transaction {
        let output = if self.allocations.is_empty() {
            TxOut {
                value: self.output_value,
                script_pubkey: self.output_script.clone(),
            }
        } else {
            TxOut {
                value: self
                    .allocations
                    .iter()
                    .map(|allocation| allocation.value)
                    .sum(),
                script_pubkey: Builder::new().push_opcode(OP_TRUE).into_script(),
            }
        };
        single_input(OutPoint::null(), self.coinbase_script(), vec![output])
    }

    fn allocation(&self, coinbase: &Transaction) -> Transaction {
        let outputs = self
            .allocations
            .iter()
            .map(|allocation| TxOut {
                value: allocation.value,
                script_pubkey: allocation.script_pubkey.clone(),
            })
            .collect();
        let spent = OutPoint {
            txid: coinbase.compute_txid(),
            vout: 0,
        };
        single_input(spent, ScriptBuf::new(), outputs)
    }
}

fn single_input(
    previous_output: OutPoint,
    script_sig: ScriptBuf,
    output: Vec<TxOut>,
) -> Transaction {
    Transaction {
        version: transaction::Version::ONE,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output,
    }
}

/// Searches from nonce 0 of the header's time.
fn mine(mut header: Header, mut progress: impl FnMut(u64)) -> Header {
    let target = Target::from_compact(header.bits);
    let mut tried: u64 = 0;
    loop {
        for nonce in 0..=u32::MAX {
            if tried.is_multiple_of(PROGRESS_HASHES) {
                progress(tried);
            }
            tried += 1;
            header.nonce = nonce;
            if target.is_met_by(header.block_hash()) {
                return header;
            }
        }
        header.time = header
            .time
            .checked_add(1)
            .expect("a nonce is found before the year 2106");
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::Amount;

    use super::*;

    fn allocation(script: Vec<u8>, sat: u64) -> Allocation {
        Allocation {
            script_pubkey: ScriptBuf::from(script),
            value: Amount::from_sat(sat),
        }
    }

    #[test]
    fn allocations_are_outputs_of_an_ordinary_transaction() {
        let allocations = vec![
            allocation(vec![0x51], 1_000),
            allocation(vec![0x52, 0x51], 234),
        ];
        let spec = ChainSpec::regtest().derive("mine", 1_800_000_000, "hello", allocations);
        assert_eq!(spec.validate(), Ok(()));

        let block = spec.genesis_block();
        assert!(block.check_merkle_root());
        let [coinbase, payment] = &block.txdata[..] else {
            panic!("two transactions")
        };
        assert!(coinbase.is_coinbase());
        assert_eq!(coinbase.output.len(), 1);
        assert_eq!(coinbase.output[0].value, Amount::from_sat(1_234));
        assert_eq!(coinbase.output[0].script_pubkey.as_bytes(), [0x51]);
        let spent = OutPoint {
            txid: coinbase.compute_txid(),
            vout: 0,
        };
        assert_eq!(payment.input.len(), 1);
        assert_eq!(payment.input[0].previous_output, spent);
        assert_eq!(payment.input[0].sequence, Sequence::MAX);
        assert!(payment.input[0].script_sig.is_empty());

        let paid: Vec<_> = payment
            .output
            .iter()
            .map(|output| (output.value.to_sat(), output.script_pubkey.as_bytes()))
            .collect();
        assert_eq!(paid, [(1_000, &[0x51][..]), (234, &[0x52, 0x51])]);
    }

    #[test]
    fn derive_keeps_the_parameters() {
        let mut base = ChainSpec::regtest();
        base.bootstrap_peers = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
        let derived = base.derive("other", 1_800_000_000, "another", Vec::new());
        assert_eq!(derived.validate(), Ok(()));
        assert_ne!(derived.genesis_hash(), base.genesis_hash());
        let expected = ChainSpec {
            name: "other".to_owned(),
            genesis: GenesisSpec {
                time: 1_800_000_000,
                nonce: derived.genesis.nonce,
                message: "another".to_owned(),
                ..base.genesis.clone()
            },
            bootstrap_peers: Vec::new(),
            assume_utxo: Vec::new(),
            ..base
        };
        assert_eq!(derived, expected);
    }

    #[test]
    fn mining_tells_how_many_hashes_it_tried() {
        let mut spec = ChainSpec::pyrite();
        let mut told = Vec::new();
        spec.genesis.nonce = 0;
        spec.mine_genesis(|tried| told.push(tried));
        assert_eq!(spec, ChainSpec::pyrite());
        let expected: Vec<u64> = (0..=1_446_944 / PROGRESS_HASHES)
            .map(|step| step * PROGRESS_HASHES)
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn derive_is_deterministic() {
        let base = ChainSpec::regtest();
        let derive = |message| base.derive("a", 1_800_000_000, message, Vec::new());
        assert_eq!(derive("one"), derive("one"));
        assert_ne!(derive("one").genesis_hash(), derive("two").genesis_hash());
    }
}
