//! Rules that Bitcoin Core's vectors don't name: taproot, tapscript, and what is policy alone.

use std::sync::Arc;

use bitcoin::secp256k1::{All, Keypair, Message, Scalar, Secp256k1, SecretKey};
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, absolute, transaction,
};

use super::*;
use crate::script::sighash::{LeafContext, SpendingTransaction, taproot_signature_hash};
use crate::script::{InputChecker, Secp256k1Verifier, taproot};

const ALL_FLAGS: ScriptFlags = ScriptFlags::ALL;
const STANDARD: ScriptFlags = ScriptFlags::STANDARD;

fn pair() -> (Secp256k1<All>, Keypair) {
    let secp = Secp256k1::new();
    let secret = SecretKey::from_slice(&[7; 32]).unwrap();
    let pair = Keypair::from_secret_key(&secp, &secret);
    (secp, pair)
}

fn own_key() -> [u8; 32] {
    pair().1.x_only_public_key().0.serialize()
}

/// A transaction of one input, which spends an output with `script_pubkey`, and of one output or none.
fn spending(script_pubkey: &[u8], script_sig: &[u8], outputs: usize) -> SpendingTransaction {
    let output = |script: &[u8]| TxOut {
        value: Amount::from_sat(1000),
        script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
    };
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: ScriptBuf::from_bytes(script_sig.to_vec()),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![output(&[0x51]); outputs],
    };
    SpendingTransaction::new(Arc::new(transaction), vec![output(script_pubkey)])
}

fn verify(spending: &SpendingTransaction, witness: &[Vec<u8>], flags: ScriptFlags) -> Outcome {
    let checker = InputChecker::new(spending, 0, &Secp256k1Verifier).unwrap();
    verify_script(
        &spending.transaction().input[0].script_sig,
        &spending.spent_outputs()[0].script_pubkey,
        &Witness::from_slice(witness),
        flags,
        &checker,
    )
}

fn program(version: u8, bytes: &[u8]) -> Vec<u8> {
    let opcode = if version == 0 { 0 } else { 0x50 + version };
    let length = u8::try_from(bytes.len()).unwrap();
    [&[opcode, length][..], bytes].concat()
}

fn signature(
    spending: &SpendingTransaction,
    hash_type: u8,
    annex: Option<&[u8]>,
    leaf: Option<LeafContext>,
) -> Vec<u8> {
    let context = TaprootContext::new(annex.map(annex_hash), leaf);
    let digest = taproot_signature_hash(spending, 0, hash_type, &context).unwrap();
    let (secp, pair) = pair();
    let signature = secp.sign_schnorr_no_aux_rand(&Message::from_digest(digest), &pair);
    let mut bytes = signature.serialize().to_vec();
    bytes.extend((hash_type != 0).then_some(hash_type));
    bytes
}

/// An output with one leaf, and what shows it.
struct Leaf {
    version: u8,
    script: Vec<u8>,
    spending: SpendingTransaction,
    control: Vec<u8>,
}

impl Leaf {
    fn new(script: &[u8]) -> Self {
        Self::of_version(TAPSCRIPT_LEAF_VERSION, script)
    }

    fn of_version(version: u8, script: &[u8]) -> Self {
        let (secp, pair) = pair();
        let internal = pair.x_only_public_key().0;
        let tweak = taproot::tweak(&internal.serialize(), &leaf_hash(version, script));
        let tweak = Scalar::from_be_bytes(tweak).unwrap();
        let (output, parity) = internal.add_tweak(&secp, &tweak).unwrap();
        Self {
            version,
            script: script.to_vec(),
            spending: spending(&program(1, &output.serialize()), &[], 1),
            control: [&[version | parity.to_u8()][..], &internal.serialize()].concat(),
        }
    }

    fn verify(&self, arguments: &[&[u8]], flags: ScriptFlags) -> Outcome {
        self.verify_with(arguments, &self.control, flags)
    }

    fn verify_with(&self, arguments: &[&[u8]], control: &[u8], flags: ScriptFlags) -> Outcome {
        let mut witness: Vec<_> = arguments.iter().map(|item| item.to_vec()).collect();
        witness.push(self.script.clone());
        witness.push(control.to_vec());
        verify(&self.spending, &witness, flags)
    }

    fn signature(&self, code_separator: u32) -> Vec<u8> {
        let leaf = LeafContext {
            hash: leaf_hash(self.version, &self.script),
            code_separator,
        };
        signature(&self.spending, 0, None, Some(leaf))
    }
}

/// A script that pushes data and goes on with opcodes.
fn push_then(data: &[u8], opcodes: &[u8]) -> Vec<u8> {
    [push_header(data.len()).as_bytes(), data, opcodes].concat()
}

#[test]
fn key_path_signatures_have_one_form_for_each_hash_type() {
    let spent = spending(&program(1, &own_key()), &[], 1);
    let check = |signature: Vec<u8>| verify(&spent, &[signature], STANDARD);
    for hash_type in [0, 1, 2, 3, 0x81, 0x82, 0x83] {
        assert_eq!(check(signature(&spent, hash_type, None, None)), Ok(()));
    }
    let good = signature(&spent, 0, None, None);
    let with = |hash_type: u8| [&good[..], &[hash_type]].concat();
    for (signature, failure) in [
        (good[..63].to_vec(), ScriptFailure::SchnorrSigSize),
        ([&with(1)[..], &[1]].concat(), ScriptFailure::SchnorrSigSize),
        (vec![], ScriptFailure::SchnorrSigSize),
        (with(0), ScriptFailure::SchnorrSigHashType),
        (with(4), ScriptFailure::SchnorrSigHashType),
        (with(0x80), ScriptFailure::SchnorrSigHashType),
        (with(1), ScriptFailure::SchnorrSig),
    ] {
        assert_eq!(check(signature), Err(failure));
    }
    let no_output = spending(&program(1, &own_key()), &[], 0);
    let single = verify(&no_output, &[with(3)], ALL_FLAGS);
    assert_eq!(single, Err(ScriptFailure::SchnorrSigHashType));

    let empty = Err(ScriptFailure::WitnessProgramWitnessEmpty);
    assert_eq!(verify(&spent, &[], ALL_FLAGS), empty);
    let before_taproot = ALL_FLAGS.without(ScriptFlags::TAPROOT);
    assert_eq!(verify(&spent, &[], before_taproot), Ok(()));
}

#[test]
fn the_annex_is_signed() {
    let spent = spending(&program(1, &own_key()), &[], 1);
    let annex = vec![0x50, 1, 2];
    let with = signature(&spent, 0, Some(&annex), None);
    let without = signature(&spent, 0, None, None);
    let failure = Err(ScriptFailure::SchnorrSig);
    assert_eq!(
        verify(&spent, &[with.clone(), annex.clone()], STANDARD),
        Ok(())
    );
    assert_eq!(verify(&spent, &[without, annex], ALL_FLAGS), failure);
    assert_eq!(
        verify(&spent, &[with.clone(), vec![0x50]], ALL_FLAGS),
        failure
    );
    assert_eq!(verify(&spent, &[with], ALL_FLAGS), failure);
}

#[test]
fn programs_without_a_meaning_are_anyone_s_but_not_standard() {
    let discouraged = Err(ScriptFailure::DiscourageUpgradableWitnessProgram);
    for (version, length) in [(1, 31), (1, 33), (2, 32), (16, 2)] {
        let spent = spending(&program(version, &vec![7; length]), &[], 1);
        assert_eq!(verify(&spent, &[], ALL_FLAGS), Ok(()));
        assert_eq!(verify(&spent, &[], STANDARD), discouraged);
    }
    // The anchor has a meaning, another program of its length has none.
    let anchor = spending(&program(1, &ANCHOR_PROGRAM), &[], 1);
    assert_eq!(verify(&anchor, &[], STANDARD), Ok(()));
    let other = spending(&program(1, &[0x4e, 0x74]), &[], 1);
    assert_eq!(verify(&other, &[], STANDARD), discouraged);

    // Inside of P2SH there is no taproot and no anchor.
    for bytes in [&own_key()[..], &ANCHOR_PROGRAM] {
        let program = program(1, bytes);
        let hash = hash160::Hash::hash(&program);
        let script = [&[0xa9, 20][..], hash.as_byte_array(), &[0x87]].concat();
        let nested = spending(&script, &push_then(&program, &[]), 1);
        assert_eq!(verify(&nested, &[], ALL_FLAGS), Ok(()));
        assert_eq!(verify(&nested, &[], STANDARD), discouraged);
    }
    // A program whose bytes mean false is nobody's.
    let zeros = spending(&program(1, &[0; 32]), &[], 1);
    assert_eq!(
        verify(&zeros, &[], ALL_FLAGS),
        Err(ScriptFailure::EvalFalse)
    );
}

#[test]
fn a_leaf_is_shown_by_its_control_block() {
    let leaf = Leaf::new(&[0x51]);
    assert_eq!(leaf.verify(&[], STANDARD), Ok(()));
    let check = |control: &[u8]| leaf.verify_with(&[], control, ALL_FLAGS);
    let size = Err(ScriptFailure::TaprootWrongControlSize);
    assert_eq!(check(&[]), size);
    assert_eq!(check(&leaf.control[..32]), size);
    assert_eq!(check(&[&leaf.control[..], &[0; 31]].concat()), size);
    let mismatch = Err(ScriptFailure::WitnessProgramMismatch);
    assert_eq!(check(&[&leaf.control[..], &[0; 32]].concat()), mismatch);
    assert_eq!(
        check(&[&leaf.control[..], &[0; 32 * 128]].concat()),
        mismatch
    );
    assert_eq!(check(&[&leaf.control[..], &[0; 32 * 129]].concat()), size);
    for changed in [0, 1] {
        let mut control = leaf.control.clone();
        control[changed] ^= 1;
        assert_eq!(check(&control), mismatch);
    }
}

#[test]
fn unknown_leaf_versions_are_anyone_s_but_not_standard() {
    let leaf = Leaf::of_version(0xc2, &[0x6a]);
    assert_eq!(leaf.verify(&[], ALL_FLAGS), Ok(()));
    let failure = ScriptFailure::DiscourageUpgradableTaprootVersion;
    assert_eq!(leaf.verify(&[], STANDARD), Err(failure));
}

#[test]
fn op_success_overrides_what_follows_it() {
    // Behind a false result, in front of an opcode that fails and of a push that is cut off.
    let leaf = Leaf::new(&[0x00, 0x50, 0x6a, 0x02]);
    let too_long = vec![0; MAX_ELEMENT_BYTES + 1];
    assert_eq!(leaf.verify(&[&too_long], ALL_FLAGS), Ok(()));
    let failure = ScriptFailure::DiscourageOpSuccess;
    assert_eq!(leaf.verify(&[], STANDARD), Err(failure));
    let hidden = Leaf::new(&[0x02, 0x50]);
    assert_eq!(hidden.verify(&[], ALL_FLAGS), Err(ScriptFailure::BadOpcode));
    let pushed = Leaf::new(&[0x01, 0x50]);
    assert_eq!(pushed.verify(&[], STANDARD), Ok(()));
}

#[test]
fn tapscript_has_other_limits() {
    // More than 201 operations in more than 10,000 bytes.
    let long = [vec![0x61; 10_001], vec![0x51]].concat();
    assert_eq!(Leaf::new(&long).verify(&[], STANDARD), Ok(()));

    let drops = Leaf::new(&[vec![0x75; 1000], vec![0x51]].concat());
    let elements: Vec<&[u8]> = vec![&[]; 1001];
    assert_eq!(drops.verify(&elements[..1000], STANDARD), Ok(()));
    let too_many = Err(ScriptFailure::StackSize);
    assert_eq!(drops.verify(&elements, ALL_FLAGS), too_many);

    let true_after_drop = Leaf::new(&[0x75, 0x51]);
    let check = |length| true_after_drop.verify(&[&vec![0; length]], ALL_FLAGS);
    assert_eq!(check(520), Ok(()));
    assert_eq!(check(521), Err(ScriptFailure::PushSize));
    let unclean = Leaf::new(&[0x51, 0x51]).verify(&[], ALL_FLAGS);
    assert_eq!(unclean, Err(ScriptFailure::CleanStack));
}

#[test]
fn tapscript_has_other_opcodes() {
    for opcode in [0xae, 0xaf] {
        let multisig = Leaf::new(&[0x00, 0x00, 0x00, opcode, 0x51]);
        let failure = ScriptFailure::TapscriptCheckMultisig;
        assert_eq!(multisig.verify(&[], ALL_FLAGS), Err(failure));
    }
    let branch = Leaf::new(&[0x63, 0x51, 0x67, 0x51, 0x68]);
    for (condition, verdict) in [
        (&[][..], Ok(())),
        (&[1], Ok(())),
        (&[2], Err(ScriptFailure::TapscriptMinimalIf)),
        (&[0], Err(ScriptFailure::TapscriptMinimalIf)),
        (&[1, 0], Err(ScriptFailure::TapscriptMinimalIf)),
    ] {
        assert_eq!(branch.verify(&[condition], ALL_FLAGS), verdict);
    }
    // OP_CHECKSIGADD is tapscript's alone.
    let script = [0x00, 0x51, 0x00, 0xba];
    let hash = sha256::Hash::hash(&script);
    let spent = spending(&program(0, hash.as_byte_array()), &[], 1);
    let failure = Err(ScriptFailure::BadOpcode);
    assert_eq!(verify(&spent, &[script.to_vec()], ALL_FLAGS), failure);
}

#[test]
fn tapscript_signatures_are_valid_or_empty() {
    let add = Leaf::new(&[&push_then(&own_key(), &[0xba])[..], &[0x51, 0x9c]].concat());
    let signature = add.signature(u32::MAX);
    assert_eq!(add.verify(&[&signature, &[]], STANDARD), Ok(()));
    assert_eq!(
        add.verify(&[&[], &[]], ALL_FLAGS),
        Err(ScriptFailure::EvalFalse)
    );
    assert_eq!(add.verify(&[&[], &[1]], STANDARD), Ok(()));
    let mut wrong = signature.clone();
    wrong[40] ^= 1;
    let invalid = Err(ScriptFailure::SchnorrSig);
    assert_eq!(add.verify(&[&wrong, &[1]], ALL_FLAGS), invalid);
    let short = Err(ScriptFailure::SchnorrSigSize);
    assert_eq!(add.verify(&[&[1], &[1]], ALL_FLAGS), short);
}

#[test]
fn the_last_executed_separator_is_signed() {
    // OP_CODESEPARATOR is the third instruction; the second is in a branch that is not taken.
    let script = [
        &[0x00, 0x63, 0xab, 0x68, 0xab][..],
        &push_then(&own_key(), &[0xac]),
    ]
    .concat();
    let leaf = Leaf::new(&script);
    assert_eq!(leaf.verify(&[&leaf.signature(4)], STANDARD), Ok(()));
    let invalid = Err(ScriptFailure::SchnorrSig);
    for other in [2, 5, u32::MAX] {
        assert_eq!(leaf.verify(&[&leaf.signature(other)], ALL_FLAGS), invalid);
    }
}

#[test]
fn keys_without_a_meaning_take_any_signature_but_not_as_a_standard() {
    let unknown = Leaf::new(&push_then(&[2; 33], &[0xac]));
    assert_eq!(unknown.verify(&[&[1]], ALL_FLAGS), Ok(()));
    let failure = Err(ScriptFailure::EvalFalse);
    assert_eq!(unknown.verify(&[&[]], ALL_FLAGS), failure);
    let failure = Err(ScriptFailure::DiscourageUpgradablePubkeyType);
    assert_eq!(unknown.verify(&[&[1]], STANDARD), failure);
    let none = Leaf::new(&[0x00, 0xac, 0x91]);
    let failure = Err(ScriptFailure::TapscriptEmptyPubkey);
    assert_eq!(none.verify(&[&[]], ALL_FLAGS), failure);
    assert_eq!(none.verify(&[&[1]], ALL_FLAGS), failure);
}

#[test]
fn signatures_have_to_be_paid_for_by_the_witness() {
    // OP_1 <key of one byte> OP_CHECKSIGVERIFY, four bytes each, in a witness of 37 more.
    let checks = |count: usize| {
        let script = [[0x51, 0x01, 7, 0xad].repeat(count), vec![0x51]].concat();
        Leaf::new(&script).verify(&[], ALL_FLAGS)
    };
    // Elements, script with length, control block with length: 1 + (2 + 4n) + 34, and 50 for nothing.
    assert_eq!(checks(1), Ok(()));
    let failure = Err(ScriptFailure::TapscriptValidationWeight);
    assert_eq!(checks(2), failure);
}

#[test]
fn separators_and_own_signatures_are_not_standard_without_a_witness() {
    let const_code = ScriptFlags::CONST_SCRIPTCODE;
    // Also in a branch that is not taken.
    let separator = spending(&[0x00, 0x63, 0xab, 0x68, 0x51], &[], 1);
    assert_eq!(verify(&separator, &[], ALL_FLAGS), Ok(()));
    let failure = Err(ScriptFailure::OpCodeSeparator);
    assert_eq!(verify(&separator, &[], const_code), failure);

    // <1> <1> OP_DROP <key> OP_CHECKSIG OP_NOT, where <1> is the signature.
    let own = [&[0x01, 1, 0x75][..], &push_then(&[2; 33], &[0xac, 0x91])].concat();
    let own = spending(&own, &[0x01, 1], 1);
    assert_eq!(verify(&own, &[], ScriptFlags::NONE), Ok(()));
    let failure = Err(ScriptFailure::SigFindAndDelete);
    assert_eq!(verify(&own, &[], const_code), failure);
}
