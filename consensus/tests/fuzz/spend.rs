//! Spends of outputs of every kind, out of the engine's bytes: scripts of pieces, in the places where scripts
//! stand.

use bolero::{TypeGenerator, produce};
use pyrite_consensus::bitcoin::hashes::{Hash, hash160, sha256};
use pyrite_consensus::bitcoin::secp256k1::{Scalar, Secp256k1, VerifyOnly, XOnlyPublicKey};
use pyrite_consensus::bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, absolute,
    transaction,
};
use pyrite_consensus::script::taproot;
use std::sync::LazyLock;

static SECP256K1: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// The curve's generator, which is a valid key.
const GENERATOR: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// Values of sequence numbers and lock times between which rules change.
const TIMES: [u32; 9] = [
    0,
    1,
    10,
    0xffff,
    1 << 22 | 5,
    499_999_999,
    500_000_000,
    1 << 31,
    u32::MAX,
];

/// A piece of a script.
#[derive(Clone, Debug, TypeGenerator)]
enum Piece {
    Opcode(u8),
    /// One of the opcodes that do no harm, so that scripts come to an end.
    Harmless(u8),
    /// The opcodes that push a small number.
    Small(#[generator(0x4f..0x61_u8)] u8),
    Push(#[generator(produce::<Vec<u8>>().with().len(0..6_usize))] Vec<u8>),
    /// A push with an opcode that need not be the shortest.
    LongPush {
        opcode: u8,
        length: u16,
        byte: u8,
    },
    Time(u8),
    Key {
        prefix: u8,
        bytes: Option<[u8; 32]>,
    },
    Signature {
        r_byte: u8,
        s_byte: u8,
        hash_type: u8,
    },
    SchnorrSignature {
        byte: u8,
        hash_type: Option<u8>,
    },
    Raw(#[generator(produce::<Vec<u8>>().with().len(0..20_usize))] Vec<u8>),
}

/// A script.
#[derive(Clone, Debug, TypeGenerator)]
pub(crate) struct Pieces(#[generator(produce::<Vec<Piece>>().with().len(0..14_usize))] Vec<Piece>);

/// How an output is locked.
#[derive(Clone, Debug, TypeGenerator)]
enum Lock {
    Bare(Pieces),
    P2sh(Pieces),
    P2wsh(Pieces),
    P2shP2wsh(Pieces),
    P2wpkh,
    Tapscript {
        script: Pieces,
        leaf_version: Option<u8>,
        #[generator(produce::<Vec<[u8; 32]>>().with().len(0..3_usize))]
        path: Vec<[u8; 32]>,
        is_committed: bool,
    },
    TaprootKey,
    Program {
        version: u8,
        #[generator(produce::<Vec<u8>>().with().len(1..42_usize))]
        bytes: Vec<u8>,
    },
}

/// An input, with what it spends.
#[derive(Clone, Debug, TypeGenerator)]
pub(crate) struct Input {
    lock: Lock,
    arguments: Pieces,
    /// Pushed or put before anything else.
    script_sig: Option<Pieces>,
    annex: Option<u8>,
    sequence: u8,
    value_sat: u32,
}

/// A transaction with what its inputs spend.
#[derive(Clone, Debug, TypeGenerator)]
pub(crate) struct Spend {
    #[generator(produce::<Vec<Input>>().with().len(1..4_usize))]
    inputs: Vec<Input>,
    #[generator(produce::<Vec<(Pieces, u32)>>().with().len(0..4_usize))]
    outputs: Vec<(Pieces, u32)>,
    version: i8,
    lock_time: u8,
}

impl Piece {
    fn write(&self, script: &mut Vec<u8>) {
        match self {
            Self::Opcode(opcode) | Self::Small(opcode) => script.push(*opcode),
            Self::Harmless(which) => {
                // OP_NOP, OP_DUP, OP_DEPTH, OP_SIZE, OP_NOT, OP_DROP, OP_TUCK, OP_1ADD.
                let opcodes = [0x61, 0x76, 0x74, 0x82, 0x91, 0x75, 0x7d, 0x8b];
                script.push(opcodes[usize::from(*which) % opcodes.len()]);
            }
            Self::LongPush {
                opcode,
                length,
                byte,
            } => long_push(script, *opcode, *length, *byte),
            Self::Raw(bytes) => script.extend(bytes),
            Self::Push(_)
            | Self::Time(_)
            | Self::Key { .. }
            | Self::Signature { .. }
            | Self::SchnorrSignature { .. } => push(script, &self.element()),
        }
    }

    /// The piece as an element of a stack.
    fn element(&self) -> Vec<u8> {
        match self {
            Self::Opcode(byte) | Self::Harmless(byte) => vec![*byte],
            Self::Small(opcode) => match opcode.saturating_sub(0x50) {
                0 => Vec::new(),
                number => vec![number],
            },
            Self::Push(bytes) | Self::Raw(bytes) => bytes.clone(),
            Self::LongPush { length, byte, .. } => vec![*byte; usize::from(*length) % 600],
            Self::Time(which) => script_number(time(*which)),
            Self::Key { prefix, bytes } => {
                let mut key = vec![2 + prefix % 6];
                key.extend(bytes.unwrap_or(GENERATOR));
                key
            }
            Self::Signature {
                r_byte,
                s_byte,
                hash_type,
            } => {
                let mut signature = vec![0x30, 6, 2, 1, *r_byte, 2, 1, *s_byte];
                signature.push(*hash_type);
                signature
            }
            Self::SchnorrSignature { byte, hash_type } => {
                let mut signature = vec![*byte; 64];
                signature.extend(hash_type);
                signature
            }
        }
    }
}

impl Pieces {
    pub(crate) fn script(&self) -> Vec<u8> {
        let mut script = Vec::new();
        for piece in &self.0 {
            piece.write(&mut script);
        }
        script
    }

    fn elements(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(Piece::element).collect()
    }
}

impl Input {
    /// The output that is spent, and what the input has.
    fn place(&self) -> (TxOut, ScriptBuf, Witness) {
        let mut script_sig = self.script_sig.as_ref().map(Pieces::script);
        let mut witness = Vec::new();
        let script_pubkey = match &self.lock {
            Lock::Bare(script) => {
                script_sig.get_or_insert_default().extend(self.pushes());
                script.script()
            }
            Lock::P2sh(script) => {
                let script = script.script();
                let input = script_sig.get_or_insert_default();
                input.extend(self.pushes());
                push(input, &script);
                p2sh(&script)
            }
            Lock::P2wsh(script) => {
                let script = script.script();
                witness = self.arguments.elements();
                witness.push(script.clone());
                p2wsh(&script)
            }
            Lock::P2shP2wsh(script) => {
                let script = script.script();
                witness = self.arguments.elements();
                witness.push(script.clone());
                let program = p2wsh(&script);
                push(script_sig.get_or_insert_default(), &program);
                p2sh(&program)
            }
            Lock::P2wpkh => {
                witness = self.arguments.elements();
                let key = witness.last().map_or(&[][..], Vec::as_slice);
                program(0, hash160::Hash::hash(key).as_byte_array())
            }
            Lock::Tapscript {
                script,
                leaf_version,
                path,
                is_committed,
            } => {
                let leaf = Leaf {
                    script: script.script(),
                    version: leaf_version.unwrap_or(taproot::TAPSCRIPT_LEAF_VERSION) & 0xfe,
                    path: path.as_flattened().to_vec(),
                };
                let (key, control) = leaf.commit();
                witness = self.arguments.elements();
                witness.extend([leaf.script, control]);
                program(1, if *is_committed { &key } else { &GENERATOR })
            }
            Lock::TaprootKey => {
                witness = self.arguments.elements();
                program(1, &GENERATOR)
            }
            Lock::Program { version, bytes } => {
                witness = self.arguments.elements();
                program(version % 17, bytes)
            }
        };
        witness.extend(self.annex.map(|byte| vec![0x50, byte]));
        let output = TxOut {
            value: Amount::from_sat(u64::from(self.value_sat)),
            script_pubkey: ScriptBuf::from_bytes(script_pubkey),
        };
        let script_sig = ScriptBuf::from_bytes(script_sig.unwrap_or_default());
        (output, script_sig, Witness::from_slice(&witness))
    }

    fn pushes(&self) -> Vec<u8> {
        let mut script = Vec::new();
        for element in self.arguments.elements() {
            push(&mut script, &element);
        }
        script
    }
}

impl Spend {
    /// The transaction, and the outputs that it spends in the order of its inputs.
    pub(crate) fn make(&self) -> (Transaction, Vec<TxOut>) {
        let (mut input, mut spent) = (Vec::new(), Vec::new());
        for (number, own) in (0..).zip(&self.inputs) {
            let (output, script_sig, witness) = own.place();
            spent.push(output);
            input.push(TxIn {
                previous_output: outpoint(number),
                script_sig,
                sequence: Sequence(time(own.sequence)),
                witness,
            });
        }
        let output = self.outputs.iter().map(|(script, value_sat)| TxOut {
            value: Amount::from_sat(u64::from(*value_sat)),
            script_pubkey: ScriptBuf::from_bytes(script.script()),
        });
        let transaction = Transaction {
            version: transaction::Version(i32::from(self.version)),
            lock_time: absolute::LockTime::from_consensus(time(self.lock_time)),
            input,
            output: output.collect(),
        };
        (transaction, spent)
    }
}

/// What the input of this number spends.
pub(crate) fn outpoint(number: u32) -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([7; 32]),
        vout: number,
    }
}

/// A leaf of taproot's tree.
struct Leaf {
    script: Vec<u8>,
    version: u8,
    path: Vec<u8>,
}

impl Leaf {
    /// The output key that commits to the leaf, and the control block that shows it.
    fn commit(&self) -> ([u8; 32], Vec<u8>) {
        let mut control = vec![self.version];
        control.extend(GENERATOR);
        control.extend(&self.path);
        let block = taproot::ControlBlock::new(&control).expect("of a right size");
        let root = block.merkle_root(&taproot::leaf_hash(self.version, &self.script));
        let tweak = Scalar::from_be_bytes(taproot::tweak(&GENERATOR, &root));
        let key = XOnlyPublicKey::from_slice(&GENERATOR).expect("the generator is a key");
        let (key, parity) = key
            .add_tweak(&SECP256K1, &tweak.expect("a hash is hardly ever as large"))
            .expect("a hash is hardly ever the key's inverse");
        control[0] |= parity.to_u8();
        (key.serialize(), control)
    }
}

fn time(which: u8) -> u32 {
    TIMES[usize::from(which) % TIMES.len()]
}

/// A positive number as scripts write it.
fn script_number(number: u32) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.last().is_some_and(|byte| byte & 0x80 != 0) {
        bytes.push(0);
    }
    bytes
}

/// Pushes bytes the shortest way that there is for their length.
fn push(script: &mut Vec<u8>, bytes: &[u8]) {
    match (u8::try_from(bytes.len()), u16::try_from(bytes.len())) {
        (Ok(length @ 0..=75), _) => script.push(length),
        (Ok(length), _) => script.extend([0x4c, length]),
        (_, Ok(length)) => {
            script.push(0x4d);
            script.extend(length.to_le_bytes());
        }
        _ => {
            let length = u32::try_from(bytes.len()).expect("no script is that long");
            script.push(0x4e);
            script.extend(length.to_le_bytes());
        }
    }
    script.extend(bytes);
}

/// OP_PUSHDATA1, 2 or 4 of up to 600 times a byte.
fn long_push(script: &mut Vec<u8>, opcode: u8, length: u16, byte: u8) {
    let length = length % 600;
    let bytes = length.to_le_bytes();
    match opcode % 3 {
        0 => script.extend([0x4c, bytes[0]]),
        1 => script.extend([0x4d, bytes[0], bytes[1]]),
        _ => script.extend([0x4e, bytes[0], bytes[1], 0, 0]),
    }
    let written = if opcode.is_multiple_of(3) {
        length & 0xff
    } else {
        length
    };
    script.extend(std::iter::repeat_n(byte, usize::from(written)));
}

fn p2sh(script: &[u8]) -> Vec<u8> {
    let mut lock = vec![0xa9];
    push(&mut lock, hash160::Hash::hash(script).as_byte_array());
    lock.push(0x87);
    lock
}

fn p2wsh(script: &[u8]) -> Vec<u8> {
    program(0, sha256::Hash::hash(script).as_byte_array())
}

fn program(version: u8, bytes: &[u8]) -> Vec<u8> {
    let mut script = vec![if version == 0 { 0 } else { 0x50 + version }];
    push(&mut script, bytes);
    script
}
