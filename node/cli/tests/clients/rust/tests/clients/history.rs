//! A chain with some history: outputs of every kind, spends of segwit and taproot, a stale branch, and
//! transactions that spend each other in the mempool.

use bitcoin::absolute::LockTime;
use bitcoin::script::PushBytesBuf;
use bitcoin::transaction::Version;
use bitcoin::{
    Address, Amount, Block, BlockHash, KnownHrp, Network, OutPoint, ScriptBuf, Sequence,
    Transaction, TxIn, TxOut, Txid,
};
use corepc_client::client_sync::v31::Client;
use pyrite_client_tests::Key;

/// So many blocks come first, which makes ten coinbases mature.
const FIRST_BLOCKS: usize = 110;
/// What each transaction pays.
const FEE: Amount = Amount::from_sat(1_000);

/// What was made.
pub(crate) struct History {
    pub(crate) key: Key,
    /// With an output of every kind, in a block.
    pub(crate) every_kind: Transaction,
    /// Spends outputs of P2TR and P2WPKH, in a block.
    pub(crate) spend: Transaction,
    /// The block of `spend`.
    pub(crate) block: BlockHash,
    /// The last block of a branch that lost.
    pub(crate) stale: BlockHash,
    /// Three transactions of the mempool, each spends the one before.
    pub(crate) waiting: Vec<Transaction>,
    /// The coin that the last of them leaves.
    pub(crate) last_coin: (OutPoint, TxOut),
    /// A mature coin that nothing spends.
    pub(crate) free_coin: (OutPoint, TxOut),
}

impl History {
    /// Makes it, in a node whose chain is empty.
    pub(crate) fn make(client: &Client) -> Self {
        let key = Key::new(7);
        client
            .generate_to_address(FIRST_BLOCKS, &key.segwit())
            .expect("blocks are made");
        let every_kind = every_kind(&key, coinbase_coin(client, 1));
        send(client, &every_kind);
        mine(client, 1, &key.segwit());

        let inputs = [
            coin_of(&every_kind, |script| script.is_p2tr()),
            coin_of(&every_kind, |script| script.is_p2wpkh()),
        ];
        let spend = pay(&key, &inputs, key.taproot().script_pubkey());
        send(client, &spend);
        let stale = mine(client, 1, &key.segwit());

        // The block is taken back; its transaction comes again in another one, which gets the longer chain.
        client.invalidate_block(stale).expect("it is in the chain");
        mine(client, 2, &key.taproot());
        client.reconsider_block(stale).expect("it is known");
        let hash = |height| block_hash(client, height);
        let height = client.get_block_count().expect("answers").0;
        let block = hash(height - 1);

        let mut last = coin_of(&spend, |script| script.is_p2tr());
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let next = pay(&key, &[last], key.segwit().script_pubkey());
            send(client, &next);
            last = coin_of(&next, |script| script.is_p2wpkh());
            waiting.push(next);
        }
        let free_coin = coinbase_coin(client, 2);
        Self {
            key,
            every_kind,
            spend,
            block,
            stale,
            waiting,
            last_coin: last,
            free_coin,
        }
    }

    /// A descriptor of an output that nothing spends. The library's type of `getdescriptoractivity` has another name for the
    /// input that spends than Bitcoin Core.
    pub(crate) fn unspent_descriptor(&self) -> String {
        let scripts = self
            .every_kind
            .output
            .iter()
            .map(|output| &output.script_pubkey);
        let mut unspent = scripts.filter(|script| !script.is_p2tr() && !script.is_p2wpkh());
        format!("raw({:x})", unspent.next().expect("there are other kinds"))
    }

    /// A child of the last transaction that waits, which the node has not seen.
    pub(crate) fn unsent(&self) -> Transaction {
        let payee = self.key.taproot().script_pubkey();
        pay(&self.key, std::slice::from_ref(&self.last_coin), payee)
    }

    /// A transaction that spends the free coin, which the node has not seen.
    pub(crate) fn independent(&self) -> Transaction {
        let payee = self.key.segwit().script_pubkey();
        pay(&self.key, std::slice::from_ref(&self.free_coin), payee)
    }
}

/// The hash of the block at a height of the best chain.
pub(crate) fn block_hash(client: &Client, height: u64) -> BlockHash {
    let answer = client.get_block_hash(height).expect("it is in the chain");
    answer.into_model().expect("a hash").0
}

/// Makes blocks and returns the hash of the last one.
pub(crate) fn mine(client: &Client, count: usize, address: &Address) -> BlockHash {
    let hashes = client
        .generate_to_address(count, address)
        .expect("blocks are made");
    *hashes
        .into_model()
        .expect("hashes")
        .0
        .last()
        .expect("some blocks")
}

/// Gives a transaction to the node.
pub(crate) fn send(client: &Client, transaction: &Transaction) -> Txid {
    let answer = client
        .send_raw_transaction(transaction)
        .expect("it is taken");
    let txid = answer.into_model().expect("an id").0;
    assert_eq!(txid, transaction.compute_txid());
    txid
}

/// A signed transaction that spends coins of a key, and pays all of it to one script.
pub(crate) fn pay(key: &Key, coins: &[(OutPoint, TxOut)], payee: ScriptBuf) -> Transaction {
    let total: Amount = coins.iter().map(|(_, output)| output.value).sum();
    let outputs = vec![TxOut {
        value: total - FEE,
        script_pubkey: payee,
    }];
    build(key, coins, outputs)
}

fn build(key: &Key, coins: &[(OutPoint, TxOut)], output: Vec<TxOut>) -> Transaction {
    let input = coins.iter().map(|(outpoint, _)| TxIn {
        previous_output: *outpoint,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    });
    let mut transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: input.collect(),
        output,
    };
    let spent: Vec<TxOut> = coins.iter().map(|(_, output)| output.clone()).collect();
    key.sign(&mut transaction, &spent);
    transaction
}

fn every_kind(key: &Key, coin: (OutPoint, TxOut)) -> Transaction {
    let others = [Key::new(8), Key::new(9)];
    let two_of_three = key.two_of_three([&others[0], &others[1]]);
    let nested = ScriptBuf::new_p2wpkh(&key.public().wpubkey_hash().expect("compressed"));
    let scripts = [
        Address::p2pkh(key.public(), Network::Regtest).script_pubkey(),
        Address::p2sh(&two_of_three, Network::Regtest)
            .expect("a short script")
            .script_pubkey(),
        Address::p2sh(&nested, Network::Regtest)
            .expect("a short script")
            .script_pubkey(),
        Address::p2wsh(&two_of_three, KnownHrp::Regtest).script_pubkey(),
        key.taproot().script_pubkey(),
        key.one_of_two(&others[0]),
        ScriptBuf::new_p2pk(&key.public()),
        // Pay to anchor.
        ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73]),
    ];
    let each = Amount::ONE_BTC;
    let mut outputs: Vec<TxOut> = scripts
        .into_iter()
        .map(|script_pubkey| TxOut {
            value: each,
            script_pubkey,
        })
        .collect();
    let paid: Amount = outputs.iter().map(|output| output.value).sum();
    let note = PushBytesBuf::from(*b"pyrite");
    outputs.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::new_op_return(note),
    });
    outputs.push(TxOut {
        value: coin.1.value - paid - FEE,
        script_pubkey: key.segwit().script_pubkey(),
    });
    build(key, &[coin], outputs)
}

/// The coin that the block at a height made.
pub(crate) fn coinbase_coin(client: &Client, height: u64) -> (OutPoint, TxOut) {
    let block: Block = client
        .get_block(block_hash(client, height))
        .expect("it is stored");
    coin_of(&block.txdata[0], |script| !script.is_op_return())
}

/// The first output of a transaction whose script is of some kind.
fn coin_of(transaction: &Transaction, kind: impl Fn(&ScriptBuf) -> bool) -> (OutPoint, TxOut) {
    let place = transaction
        .output
        .iter()
        .position(|output| kind(&output.script_pubkey))
        .expect("it has one");
    let vout = u32::try_from(place).expect("few outputs");
    (
        OutPoint::new(transaction.compute_txid(), vout),
        transaction.output[place].clone(),
    )
}
