//! Bitcoin Core's `sighash.json`, and the vectors of BIP-0341.

mod vectors;

use std::sync::Arc;

use pyrite_consensus::bitcoin::consensus::encode::{deserialize, deserialize_hex};
use pyrite_consensus::bitcoin::hashes::sha256d;
use pyrite_consensus::bitcoin::{Amount, ScriptBuf, Transaction, TxOut};
use pyrite_consensus::script::sighash::{
    SpendingTransaction, TaprootContext, legacy_signature_hash, taproot_signature_hash,
};
use pyrite_consensus::script::taproot::{ControlBlock, branch_hash, leaf_hash, tweak};
use pyrite_consensus::script::{ScriptCheck, ScriptFlags};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hexadecimal digits")
}

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().expect("32 bytes")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

#[test]
fn legacy_digests_are_bitcoin_core_s() {
    let Some(file) = vectors::read_json("bitcoin-core/sighash.json") else {
        return;
    };
    let mut count = 0;
    for entry in list(&file).iter().map(list) {
        // The first entry is a comment.
        let [transaction, script, input, hash_type, digest] = entry else {
            continue;
        };
        let transaction: Transaction = deserialize_hex(text(transaction)).expect("a transaction");
        let input = usize::try_from(input.as_u64().expect("a number")).expect("an index");
        let hash_type = i32::try_from(hash_type.as_i64().expect("a number")).expect("32 bits");
        let expected: sha256d::Hash = text(digest).parse().expect("a hash");
        let digest = legacy_signature_hash(
            &transaction,
            input,
            &bytes(script),
            hash_type.cast_unsigned(),
        );
        assert_eq!(
            &digest,
            AsRef::<[u8; 32]>::as_ref(&expected),
            "{}",
            text(script)
        );
        count += 1;
    }
    println!("{count} legacy signature hashes");
    assert_eq!(count, 500);
}

/// The leaves of a tree with their hashes, and the tree's root.
fn tree_root(tree: &Value, leaves: &mut Vec<[u8; 32]>) -> [u8; 32] {
    if let Some(children) = tree.as_array() {
        let hashes: Vec<_> = children
            .iter()
            .map(|child| tree_root(child, leaves))
            .collect();
        return branch_hash(&hashes[0], &hashes[1]);
    }
    let version = tree["leafVersion"].as_u64().expect("a number");
    let version = u8::try_from(version).expect("a byte");
    let hash = leaf_hash(version, &bytes(&tree["script"]));
    leaves.push(hash);
    hash
}

#[test]
fn outputs_commit_to_their_scripts_as_in_bip_341() {
    let Some(file) = vectors::read_json("bitcoin-core/bip341_wallet_vectors.json") else {
        return;
    };
    let (mut outputs, mut controls) = (0, 0);
    for vector in list(&file["scriptPubKey"]) {
        outputs += 1;
        let tree = &vector["given"]["scriptTree"];
        if tree.is_null() {
            continue;
        }
        let (intermediary, expected) = (&vector["intermediary"], &vector["expected"]);
        let mut leaves = Vec::new();
        let root = tree_root(tree, &mut leaves);
        assert_eq!(root, array(&intermediary["merkleRoot"]));
        let known = list(&intermediary["leafHashes"]).iter().map(array);
        assert_eq!(leaves, known.collect::<Vec<_>>());
        let internal_key = array(&vector["given"]["internalPubkey"]);
        assert_eq!(tweak(&internal_key, &root), array(&intermediary["tweak"]));

        let output_key = array(&intermediary["tweakedPubkey"]);
        let script = bytes(&expected["scriptPubKey"]);
        assert_eq!(script, [&[0x51, 0x20][..], &output_key].concat());
        let blocks = list(&expected["scriptPathControlBlocks"]);
        assert_eq!(blocks.len(), leaves.len());
        for (block, leaf) in blocks.iter().zip(&leaves) {
            let mut block = bytes(block);
            assert_eq!(ControlBlock::new(&block).unwrap().merkle_root(leaf), root);
            let is_committed = |block: &[u8], leaf| {
                ControlBlock::new(block)
                    .unwrap()
                    .is_committed(&output_key, leaf)
            };
            assert!(is_committed(&block, leaf));
            assert!(!is_committed(&block, &root) || leaf == &root);
            // The other parity.
            block[0] ^= 1;
            assert!(!is_committed(&block, leaf));
            controls += 1;
        }
    }
    println!("{outputs} outputs, {controls} control blocks");
    assert_eq!((outputs, controls), (7, 12));
}

#[test]
fn key_path_digests_are_those_of_bip_341() {
    let Some(file) = vectors::read_json("bitcoin-core/bip341_wallet_vectors.json") else {
        return;
    };
    let mut count = 0;
    for vector in list(&file["keyPathSpending"]) {
        let given = &vector["given"];
        let transaction: Transaction =
            deserialize(&bytes(&given["rawUnsignedTx"])).expect("a transaction");
        let spent_outputs: Vec<_> = list(&given["utxosSpent"])
            .iter()
            .map(|output| TxOut {
                value: Amount::from_sat(output["amountSats"].as_u64().expect("a number")),
                script_pubkey: ScriptBuf::from_bytes(bytes(&output["scriptPubKey"])),
            })
            .collect();
        let spending = SpendingTransaction::new(Arc::new(transaction), spent_outputs.clone());

        let (common, spent) = (spending.common_digests(), spending.taproot_digests());
        let intermediary = &vector["intermediary"];
        assert_eq!(spent.amounts, array(&intermediary["hashAmounts"]));
        assert_eq!(spent.scripts, array(&intermediary["hashScriptPubkeys"]));
        assert_eq!(common.prevouts, array(&intermediary["hashPrevouts"]));
        assert_eq!(common.sequences, array(&intermediary["hashSequences"]));
        assert_eq!(common.outputs, array(&intermediary["hashOutputs"]));

        for input in list(&vector["inputSpending"]) {
            let given = &input["given"];
            let index = given["txinIndex"].as_u64().expect("a number");
            let hash_type = given["hashType"].as_u64().expect("a number");
            let digest = taproot_signature_hash(
                &spending,
                usize::try_from(index).expect("an index"),
                u8::try_from(hash_type).expect("a byte"),
                &TaprootContext::default(),
            );
            assert_eq!(digest, Ok(array(&input["intermediary"]["sigHash"])));
            count += 1;
        }

        let signed = bytes(&vector["auxiliary"]["fullySignedTx"]);
        let mut signed: Transaction = deserialize(&signed).expect("a transaction");
        let verify = |transaction: &Transaction| {
            let flags = ScriptFlags::STANDARD;
            ScriptCheck::new(transaction, spent_outputs.clone(), flags).verify()
        };
        assert_eq!(verify(&signed), Ok(()));
        signed.output[0].value -= Amount::from_sat(1);
        assert!(verify(&signed).is_err());
    }
    println!("{count} key path signature hashes");
    assert_eq!(count, 7);
}
