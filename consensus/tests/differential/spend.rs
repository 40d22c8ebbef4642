//! Makes a transaction of which one input spends an output of some kind, signed as its script asks.

use std::sync::Arc;

use pyrite_consensus::bitcoin::hashes::{Hash, hash160, sha256};
use pyrite_consensus::bitcoin::secp256k1::{Keypair, Scalar};
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
    absolute, transaction,
};
use pyrite_consensus::script::sighash::{
    LeafContext, SpendingTransaction, TaprootContext, annex_hash, legacy_signature_hash,
    segwit_v0_signature_hash, taproot_signature_hash,
};
use pyrite_consensus::script::taproot;

use super::content::{Argument, Content, Dialect, Locks, Wanted, content, hash_type};
use super::keys::{Key, KeyForm, secp};
use super::mutation::{mutate, mutate_script};
use super::writer::{Writer, op};
use crate::random::Random;

/// How an output is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Bare,
    Pkh,
    P2sh,
    P2wsh,
    P2shP2wsh,
    P2wpkh,
    P2shP2wpkh,
    TaprootKey,
    Tapscript,
    OtherProgram,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Bare,
        Self::Pkh,
        Self::P2sh,
        Self::P2wsh,
        Self::P2shP2wsh,
        Self::P2wpkh,
        Self::P2shP2wpkh,
        Self::TaprootKey,
        Self::Tapscript,
        Self::OtherProgram,
    ];

    fn dialect(self) -> Dialect {
        match self {
            Self::Bare | Self::Pkh | Self::P2sh => Dialect::Legacy,
            Self::Tapscript => Dialect::Tapscript,
            _ => Dialect::WitnessV0,
        }
    }
}

/// A transaction, one input of which is to be verified.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) transaction: Transaction,
    pub(crate) spent_outputs: Vec<TxOut>,
    pub(crate) input: usize,
}

/// The case of a number.
pub(crate) fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    // The choice is not random, so that each kind comes as often.
    let kinds = u64::try_from(Kind::ALL.len()).expect("few");
    let kind = Kind::ALL[usize::try_from(seed % kinds).expect("small")];
    let mut case = skeleton(&mut random, kind);
    match kind {
        Kind::TaprootKey => case.lock_taproot_key(&mut random),
        Kind::P2wpkh | Kind::P2shP2wpkh => case.lock_witness_key(&mut random),
        Kind::OtherProgram => case.lock_other_program(&mut random),
        _ => case.lock_script(&mut random),
    }
    if random.below(100) < 35 {
        for _ in 0..=random.below(2) {
            mutate(&mut case, &mut random);
        }
    }
    case
}

fn skeleton(random: &mut Random, kind: Kind) -> Case {
    let (inputs, outputs) = (1 + random.below(3), random.below(4));
    let output = |random: &mut Random| TxOut {
        value: Amount::from_sat(random.next() % 2_000_000),
        script_pubkey: ScriptBuf::from_bytes(vec![op::NOP; random.below(40)]),
    };
    let input = |random: &mut Random| {
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&random.next().to_le_bytes());
        let sequences = [
            u32::MAX,
            u32::MAX - 1,
            0,
            1,
            10,
            0xffff,
            1 << 22 | 5,
            1 << 31,
            0x0001_000a,
        ];
        TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array(txid),
                vout: u32::try_from(random.below(5)).expect("small"),
            },
            script_sig: ScriptBuf::new(),
            sequence: Sequence(sequences[random.below(sequences.len())]),
            witness: Witness::new(),
        }
    };
    let lock_times = [
        0,
        1,
        100,
        499_999_999,
        500_000_000,
        500_000_001,
        1_700_000_000,
        u32::MAX,
    ];
    let versions = [1, 2, 2, 2, 3, 0, -1];
    let lock_time = lock_times[random.below(lock_times.len())];
    Case {
        kind,
        transaction: Transaction {
            version: transaction::Version(versions[random.below(versions.len())]),
            lock_time: absolute::LockTime::from_consensus(lock_time),
            input: (0..inputs).map(|_| input(random)).collect(),
            output: (0..outputs).map(|_| output(random)).collect(),
        },
        spent_outputs: (0..inputs).map(|_| output(random)).collect(),
        input: random.below(inputs),
    }
}

/// What the parts of taproot's script path are.
struct Leaf {
    hash: [u8; 32],
    control: Vec<u8>,
}

impl Case {
    fn locks(&self) -> Locks {
        Locks {
            lock_time: self.transaction.lock_time.to_consensus_u32(),
            sequence: self.own_input().sequence.0,
        }
    }

    pub(crate) fn own_input(&self) -> &TxIn {
        &self.transaction.input[self.input]
    }

    /// The script of the output that is spent.
    pub(crate) fn spent_script(&self) -> &Script {
        &self.spent_outputs[self.input].script_pubkey
    }

    fn set_witness(&mut self, elements: &[Vec<u8>]) {
        self.transaction.input[self.input].witness = Witness::from_slice(elements);
    }

    fn set_script_sig(&mut self, script: Writer) {
        self.transaction.input[self.input].script_sig = ScriptBuf::from_bytes(script.bytes);
    }

    fn set_spent_script(&mut self, script: Vec<u8>) {
        self.spent_outputs[self.input].script_pubkey = ScriptBuf::from_bytes(script);
    }

    fn spending(&self) -> SpendingTransaction {
        SpendingTransaction::new(
            Arc::new(self.transaction.clone()),
            self.spent_outputs.clone(),
        )
    }

    /// A script of pieces, or that of a key's hash, in its place.
    fn lock_script(&mut self, random: &mut Random) {
        let mut content = if self.kind == Kind::Pkh {
            pay_to_key_hash(random)
        } else {
            content(random, self.kind.dialect(), self.locks())
        };
        let changes = random.below(100) < 25;
        let before_signing = random.below(2) == 0;
        if changes && before_signing {
            mutate_script(&mut content.script, random);
        }
        let has_annex = self.kind == Kind::Tapscript && random.below(10) == 0;
        let annex = has_annex.then(|| annex(random));
        let leaf = self.place(&content.script, random);
        let mut arguments = self.sign(&mut content, leaf.as_ref(), annex.as_deref(), random);
        if changes && !before_signing {
            mutate_script(&mut content.script, random);
        }
        if content.script.len() > 1 {
            // The signature's own push may have made another script of it.
            self.place_again(&content.script, leaf.is_some());
        }
        match self.kind {
            Kind::Bare | Kind::Pkh | Kind::P2sh => {
                let mut script_sig = Writer::default();
                for argument in &arguments {
                    script_sig.push_somehow(argument, random);
                }
                if self.kind == Kind::P2sh {
                    script_sig.push(&content.script);
                }
                self.set_script_sig(script_sig);
            }
            _ => {
                arguments.push(content.script);
                arguments.extend(leaf.map(|leaf| leaf.control));
                arguments.extend(annex);
                self.set_witness(&arguments);
            }
        }
    }

    /// Locks the output with a script; the place of a leaf is decided here.
    fn place(&mut self, script: &[u8], random: &mut Random) -> Option<Leaf> {
        if self.kind != Kind::Tapscript {
            self.place_again(script, false);
            return None;
        }
        let version = match random.below(12) {
            0 => [0xc2, 0xc4, 0x66, 0xfe][random.below(4)],
            _ => taproot::TAPSCRIPT_LEAF_VERSION,
        };
        let mut leaf = Leaf {
            hash: taproot::leaf_hash(version, script),
            control: vec![version],
        };
        let internal_key = Key {
            index: random.below(4),
            form: KeyForm::XOnly,
        };
        leaf.control.extend(internal_key.bytes());
        let mut root = leaf.hash;
        // Seldom as deep as may be, or one deeper.
        let depth = match random.below(48) {
            choice @ 0..=1 => 128 + choice,
            choice => choice % 4,
        };
        for _ in 0..depth {
            let node = sha256::Hash::hash(&random.next().to_le_bytes()).to_byte_array();
            leaf.control.extend(node);
            root = taproot::branch_hash(&root, &node);
        }
        let (internal_key, _) = internal_key.pair().x_only_public_key();
        let tweak = taproot::tweak(&internal_key.serialize(), &root);
        let tweak = Scalar::from_be_bytes(tweak).expect("a hash in range");
        let (output_key, parity) = internal_key.add_tweak(secp(), &tweak).expect("a key");
        leaf.control[0] |= parity.to_u8();
        self.set_spent_script(program(1, &output_key.serialize()));
        Some(leaf)
    }

    /// Locks the output with a script's hash. A leaf stays where it is.
    fn place_again(&mut self, script: &[u8], is_leaf: bool) {
        let script_hash = sha256::Hash::hash(script).to_byte_array();
        match self.kind {
            _ if is_leaf => {}
            Kind::P2sh => self.set_spent_script(pay_to_script_hash(script)),
            Kind::P2wsh => self.set_spent_script(program(0, &script_hash)),
            Kind::P2shP2wsh => self.nest(&program(0, &script_hash)),
            _ => self.set_spent_script(script.to_vec()),
        }
    }

    /// A witness program inside of P2SH.
    fn nest(&mut self, program: &[u8]) {
        self.set_spent_script(pay_to_script_hash(program));
        let mut script_sig = Writer::default();
        script_sig.push(program);
        self.set_script_sig(script_sig);
    }

    /// The arguments with their signatures. A script without a witness may get its own signature into
    /// itself.
    fn sign(
        &self,
        content: &mut Content,
        leaf: Option<&Leaf>,
        annex: Option<&[u8]>,
        random: &mut Random,
    ) -> Vec<Vec<u8>> {
        let signs_itself = self.kind.dialect() == Dialect::Legacy && random.below(10) == 0;
        if signs_itself {
            content.script.push(op::DROP);
        }
        let spending = self.spending();
        let arguments: Vec<_> = content
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Data(data) => data.clone(),
                Argument::Signature(wanted) => {
                    self.signature(&spending, *wanted, &content.script, leaf, annex, random)
                }
            })
            .collect();
        if signs_itself {
            content.script.pop();
            let mut own = Writer::default();
            own.push(arguments.iter().max_by_key(|a| a.len()).map_or(&[], |a| a));
            content.script.extend(own.bytes);
            content.script.push(op::DROP);
        }
        arguments
    }

    fn signature(
        &self,
        spending: &SpendingTransaction,
        wanted: Wanted,
        script: &[u8],
        leaf: Option<&Leaf>,
        annex: Option<&[u8]>,
        random: &mut Random,
    ) -> Vec<u8> {
        if random.below(60) == 0 {
            return vec![];
        }
        let code = &script[wanted.code_start.min(script.len())..];
        let hash_type = u32::from(wanted.hash_type);
        let digest = match self.kind.dialect() {
            Dialect::Legacy => {
                legacy_signature_hash(&self.transaction, self.input, code, hash_type)
            }
            Dialect::WitnessV0 => segwit_v0_signature_hash(spending, self.input, code, hash_type),
            Dialect::Tapscript => {
                let leaf = leaf.map(|leaf| LeafContext {
                    hash: leaf.hash,
                    code_separator: wanted.code_separator,
                });
                let pair = wanted.key.pair();
                return self.schnorr(spending, pair, wanted.hash_type, leaf, annex);
            }
        };
        wanted.key.sign_ecdsa(digest, wanted.hash_type, random)
    }

    fn schnorr(
        &self,
        spending: &SpendingTransaction,
        pair: &Keypair,
        hash_type: u8,
        leaf: Option<LeafContext>,
        annex: Option<&[u8]>,
    ) -> Vec<u8> {
        let context = TaprootContext::new(annex.map(annex_hash), leaf);
        match taproot_signature_hash(spending, self.input, hash_type, &context) {
            Ok(digest) => Key::sign_schnorr(pair, digest, hash_type),
            // SINGLE without an output.
            Err(_) => vec![hash_type; 65],
        }
    }

    fn lock_taproot_key(&mut self, random: &mut Random) {
        let key = Key {
            index: random.below(4),
            form: KeyForm::XOnly,
        };
        let root = sha256::Hash::hash(&random.next().to_le_bytes()).to_byte_array();
        let (internal_key, _) = key.pair().x_only_public_key();
        let tweak = taproot::tweak(&internal_key.serialize(), &root);
        let tweak = Scalar::from_be_bytes(tweak).expect("a hash in range");
        let tweaked = key.pair().add_xonly_tweak(secp(), &tweak).expect("a key");
        let output_key = tweaked.x_only_public_key().0.serialize();
        self.set_spent_script(program(1, &output_key));

        let annex = (random.below(8) == 0).then(|| annex(random));
        let hash_type = hash_type(random, Dialect::Tapscript);
        let spending = self.spending();
        let signature = self.schnorr(&spending, &tweaked, hash_type, None, annex.as_deref());
        let witness: Vec<_> = [signature].into_iter().chain(annex).collect();
        self.set_witness(&witness);
    }

    fn lock_witness_key(&mut self, random: &mut Random) {
        let form = match random.below(10) {
            0 => KeyForm::Uncompressed,
            1 => KeyForm::Hybrid,
            _ => KeyForm::Compressed,
        };
        let key = Key {
            index: random.below(4),
            form,
        };
        let hash = hash160::Hash::hash(&key.bytes()).to_byte_array();
        let program = program(0, &hash);
        if self.kind == Kind::P2wpkh {
            self.set_spent_script(program);
        } else {
            self.nest(&program);
        }
        let script = key_hash_script(&hash);
        let wanted = Wanted {
            key,
            code_start: 0,
            code_separator: u32::MAX,
            hash_type: hash_type(random, Dialect::WitnessV0),
        };
        let spending = self.spending();
        let signature = self.signature(&spending, wanted, &script, None, None, random);
        self.set_witness(&[signature, key.bytes()]);
    }

    /// Programs of other versions and lengths, also inside of P2SH.
    fn lock_other_program(&mut self, random: &mut Random) {
        let lengths = [1, 2, 20, 31, 32, 33, 40, 41];
        let length = lengths[random.below(lengths.len())];
        let byte = [0, 1, 7, 0x80][random.below(4)];
        let mut bytes = vec![byte; length];
        bytes[0] = byte & 1;
        let version = [0, 1, 1, 2, 16][random.below(5)];
        let program = if random.below(8) == 0 {
            // An anchor that anyone can spend.
            program(1, b"Ns")
        } else {
            program(version, &bytes)
        };
        if random.below(3) == 0 {
            self.nest(&program);
        } else {
            self.set_spent_script(program);
        }
        let elements = vec![vec![1]; random.below(3)];
        self.set_witness(&elements);
    }
}

fn annex(random: &mut Random) -> Vec<u8> {
    let mut annex = vec![0x50];
    annex.extend(vec![7; random.below(300)]);
    annex
}

fn program(version: u8, bytes: &[u8]) -> Vec<u8> {
    let mut script = Writer::default();
    script.number(i64::from(version));
    script.push(bytes);
    script.bytes
}

fn pay_to_script_hash(script: &[u8]) -> Vec<u8> {
    let mut output = Writer::default();
    output.op(op::HASH160);
    output.push(hash160::Hash::hash(script).as_byte_array());
    output.op(op::EQUAL);
    output.bytes
}

fn key_hash_script(hash: &[u8; 20]) -> Vec<u8> {
    let mut script = Writer::default();
    script.ops(&[op::DUP, op::HASH160]);
    script.push(hash);
    script.ops(&[op::EQUALVERIFY, op::CHECKSIG]);
    script.bytes
}

fn pay_to_key_hash(random: &mut Random) -> Content {
    let form = [KeyForm::Compressed, KeyForm::Uncompressed, KeyForm::Hybrid][random.below(3)];
    let key = Key {
        index: random.below(4),
        form,
    };
    let wanted = Wanted {
        key,
        code_start: 0,
        code_separator: u32::MAX,
        hash_type: hash_type(random, Dialect::Legacy),
    };
    Content {
        script: key_hash_script(&hash160::Hash::hash(&key.bytes()).to_byte_array()),
        arguments: vec![Argument::Signature(wanted), Argument::Data(key.bytes())],
    }
}
