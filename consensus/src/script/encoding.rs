//! The forms in which signatures and public keys have to be written, before any of them is verified.

use bitcoin::secp256k1::ecdsa::Signature;

use super::checker::EcdsaVersion;
use super::failure::{Outcome, ScriptFailure};
use super::flags::ScriptFlags;

const COMPRESSED_KEY_BYTES: usize = 33;
const UNCOMPRESSED_KEY_BYTES: usize = 65;

/// The tags of the DER encoding.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Checks a signature with its hash type (Bitcoin Core's `CheckSignatureEncoding`). The empty one, which
/// is how to give none, always passes.
pub(crate) fn check_signature_encoding(signature: &[u8], flags: ScriptFlags) -> Outcome {
    let Some((hash_type, der)) = signature.split_last() else {
        return Ok(());
    };
    let strict = ScriptFlags::DERSIG | ScriptFlags::LOW_S | ScriptFlags::STRICTENC;
    if flags.intersects(strict) && !is_strict_der(der) {
        return Err(ScriptFailure::SigDer);
    }
    if flags.contains(ScriptFlags::LOW_S) && !has_low_s(der) {
        return Err(ScriptFailure::SigHighS);
    }
    if flags.contains(ScriptFlags::STRICTENC) && !is_defined_hash_type(*hash_type) {
        return Err(ScriptFailure::SigHashType);
    }
    Ok(())
}

/// Checks a public key (Bitcoin Core's `CheckPubKeyEncoding`).
pub(crate) fn check_key_encoding(key: &[u8], version: EcdsaVersion, flags: ScriptFlags) -> Outcome {
    if flags.contains(ScriptFlags::STRICTENC) && !is_compressed(key) && !is_uncompressed(key) {
        return Err(ScriptFailure::PubkeyType);
    }
    if version == EcdsaVersion::WitnessV0
        && flags.contains(ScriptFlags::WITNESS_PUBKEYTYPE)
        && !is_compressed(key)
    {
        return Err(ScriptFailure::WitnessPubkeyType);
    }
    Ok(())
}

fn is_compressed(key: &[u8]) -> bool {
    key.len() == COMPRESSED_KEY_BYTES && matches!(key[0], 2 | 3)
}

fn is_uncompressed(key: &[u8]) -> bool {
    key.len() == UNCOMPRESSED_KEY_BYTES && key[0] == 4
}

/// Whether a signature, without its hash type, is a sequence of two positive integers in their shortest
/// forms and nothing else (BIP-0066).
fn is_strict_der(der: &[u8]) -> bool {
    // 70 bytes hold two integers of 33 bytes.
    if !(8..=72).contains(&der.len()) {
        return false;
    }
    let [SEQUENCE, length, integers @ ..] = der else {
        return false;
    };
    if usize::from(*length) != integers.len() {
        return false;
    }
    split_integer(integers)
        .and_then(split_integer)
        .is_some_and(|rest| rest.is_empty())
}

/// Splits a positive integer in its shortest form off; `None` when there is none.
fn split_integer(bytes: &[u8]) -> Option<&[u8]> {
    let [INTEGER, length, rest @ ..] = bytes else {
        return None;
    };
    let (integer, rest) = rest.split_at_checked(usize::from(*length))?;
    let is_shortest = match integer {
        [] => false,
        [first, ..] if first & 0x80 != 0 => false,
        // A zero is there only to keep the next byte's top bit from being a sign.
        [0, second, ..] => second & 0x80 != 0,
        _ => true,
    };
    is_shortest.then_some(rest)
}

/// Whether S is at most half of the group's order. A signature with a number outside of the group never
/// verifies, and passes here.
fn has_low_s(der: &[u8]) -> bool {
    let Ok(signature) = Signature::from_der_lax(der) else {
        return false;
    };
    let mut normalized = signature;
    normalized.normalize_s();
    normalized == signature
}

/// Whether it is ALL, NONE or SINGLE, with or without ANYONECANPAY.
fn is_defined_hash_type(hash_type: u8) -> bool {
    matches!(hash_type & !0x80, 1..=3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature with these integers and hash type ALL.
    fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
        let mut integers = vec![INTEGER, length(r)];
        integers.extend(r);
        integers.extend([INTEGER, length(s)]);
        integers.extend(s);
        let mut signature = vec![SEQUENCE, length(&integers)];
        signature.extend(integers);
        signature.push(1);
        signature
    }

    fn der(signature: &[u8]) -> Outcome {
        check_signature_encoding(signature, ScriptFlags::DERSIG)
    }

    #[test]
    fn strict_der_is_one_form_only() {
        let good = signature(&[1; 32], &[0x7f; 32]);
        assert_eq!(der(&good), Ok(()));
        assert_eq!(der(&signature(&[0, 0x80], &[1])), Ok(()));
        assert_eq!(der(&signature(&[0], &[0])), Ok(()));
        assert_eq!(der(&[]), Ok(()));

        let bad = Err(ScriptFailure::SigDer);
        for (r, s) in [
            (&[][..], &[1, 1][..]),
            (&[1], &[]),
            (&[0x80], &[1]),
            (&[1], &[0x80, 1]),
            (&[0, 1], &[1]),
            (&[1], &[0, 0x7f]),
        ] {
            assert_eq!(der(&signature(r, s)), bad, "{r:?} {s:?}");
        }
        for index in [0, 1, 2, 3, 36, 37] {
            let mut other = good.clone();
            other[index] += 1;
            assert_eq!(der(&other), bad, "byte {index}");
        }
        let mut longer = good.clone();
        longer.insert(good.len() - 1, 0);
        assert_eq!(der(&longer), bad);
        assert_eq!(der(&good[..good.len() - 1]), bad);
        assert_eq!(der(&signature(&[1; 40], &[1; 40])), bad);
        assert_eq!(der(&[1]), bad);
        assert_eq!(check_signature_encoding(&longer, ScriptFlags::NONE), Ok(()));
    }

    #[test]
    fn high_s_is_refused_by_policy() {
        let low_s = |s: &[u8]| check_signature_encoding(&signature(&[1], s), ScriptFlags::LOW_S);
        assert_eq!(low_s(&[0x7f; 31]), Ok(()));
        assert_eq!(low_s(&[0x7f; 32]), Ok(()));
        let high = [&[0, 0x80][..], &[0; 31]].concat();
        assert_eq!(low_s(&high), Err(ScriptFailure::SigHighS));
        // Beyond the group's order.
        assert_eq!(low_s(&[&[0][..], &[0xff; 32]].concat()), Ok(()));
    }

    #[test]
    fn hash_types_are_defined_by_policy() {
        let with_type = |hash_type| {
            let mut signature = signature(&[1], &[1]);
            *signature.last_mut().unwrap() = hash_type;
            check_signature_encoding(&signature, ScriptFlags::STRICTENC)
        };
        for hash_type in [1, 2, 3, 0x81, 0x82, 0x83] {
            assert_eq!(with_type(hash_type), Ok(()));
        }
        for hash_type in [0, 4, 0x80, 0x84, 0x41] {
            assert_eq!(with_type(hash_type), Err(ScriptFailure::SigHashType));
        }
    }

    #[test]
    fn keys_have_a_known_form() {
        let key = |first, length| {
            let mut key = vec![7; length];
            key[0] = first;
            key
        };
        let legacy =
            |key: &[u8]| check_key_encoding(key, EcdsaVersion::Legacy, ScriptFlags::STRICTENC);
        for good in [key(2, 33), key(3, 33), key(4, 65)] {
            assert_eq!(legacy(&good), Ok(()));
        }
        for bad in [key(4, 33), key(2, 65), key(6, 65), key(2, 32), vec![]] {
            assert_eq!(legacy(&bad), Err(ScriptFailure::PubkeyType));
        }
        let flags = ScriptFlags::WITNESS_PUBKEYTYPE;
        let long = key(4, 65);
        let witness = |key: &[u8]| check_key_encoding(key, EcdsaVersion::WitnessV0, flags);
        assert_eq!(witness(&key(2, 33)), Ok(()));
        assert_eq!(witness(&long), Err(ScriptFailure::WitnessPubkeyType));
        assert_eq!(
            check_key_encoding(&long, EcdsaVersion::Legacy, flags),
            Ok(())
        );
    }
}
