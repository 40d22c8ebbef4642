//! Four keys, and signatures by them.

use std::sync::LazyLock;

use pyrite_consensus::bitcoin::secp256k1::{All, Keypair, Message, Secp256k1, SecretKey};

use crate::random::Random;

static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

static PAIRS: LazyLock<[Keypair; 4]> = LazyLock::new(|| {
    [1, 2, 3, 4].map(|number| {
        let secret = SecretKey::from_slice(&[number; 32]).expect("below the group's order");
        Keypair::from_secret_key(&SECP, &secret)
    })
});

/// How a public key is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    Compressed,
    Uncompressed,
    /// Uncompressed with a first byte that says the parity too.
    Hybrid,
    XOnly,
}

#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) index: usize,
    pub(crate) form: KeyForm,
}

impl Key {
    pub(crate) fn pair(self) -> &'static Keypair {
        &PAIRS[self.index]
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let public = self.pair().public_key();
        match self.form {
            KeyForm::Compressed => public.serialize().to_vec(),
            KeyForm::Uncompressed => public.serialize_uncompressed().to_vec(),
            KeyForm::Hybrid => {
                let mut bytes = public.serialize_uncompressed();
                bytes[0] = 6 + (bytes[64] & 1);
                bytes.to_vec()
            }
            KeyForm::XOnly => public.x_only_public_key().0.serialize().to_vec(),
        }
    }

    /// An ECDSA signature in DER with its hash type; now and then with the other S, or in a form that only
    /// OpenSSL took.
    pub(crate) fn sign_ecdsa(
        self,
        digest: [u8; 32],
        hash_type: u8,
        random: &mut Random,
    ) -> Vec<u8> {
        let message = Message::from_digest(digest);
        let signature = SECP.sign_ecdsa(&message, &self.pair().secret_key());
        let compact = signature.serialize_compact();
        let (r, s) = (&compact[..32], &compact[32..]);
        let s = if random.below(8) == 0 {
            negated(s)
        } else {
            s.to_vec()
        };
        let padding = if random.below(12) == 0 { 3 } else { 0 };
        let (r, s) = (integer(r, padding), integer(&s, 0));
        let length = u8::try_from(r.len() + s.len()).expect("short");
        let mut bytes = vec![0x30, length];
        bytes.extend(r);
        bytes.extend(s);
        bytes.push(hash_type);
        bytes
    }

    pub(crate) fn sign_schnorr(pair: &Keypair, digest: [u8; 32], hash_type: u8) -> Vec<u8> {
        let message = Message::from_digest(digest);
        let signature = SECP.sign_schnorr_no_aux_rand(&message, pair);
        let mut bytes = signature.serialize().to_vec();
        if hash_type != 0 {
            bytes.push(hash_type);
        }
        bytes
    }
}

pub(crate) fn secp() -> &'static Secp256k1<All> {
    &SECP
}

/// A positive integer in DER, with `padding` zeros more than it needs.
fn integer(big_endian: &[u8], padding: usize) -> Vec<u8> {
    let start = big_endian.iter().position(|byte| *byte != 0).unwrap_or(31);
    let digits = &big_endian[start..];
    let mut content = vec![0; padding + usize::from(digits[0] & 0x80 != 0)];
    content.extend(digits);
    let mut bytes = vec![0x02, u8::try_from(content.len()).expect("short")];
    bytes.extend(content);
    bytes
}

/// The group's order less a number.
fn negated(number: &[u8]) -> Vec<u8> {
    let order = pyrite_consensus::bitcoin::secp256k1::constants::CURVE_ORDER;
    let mut borrow = 0_i16;
    let mut difference = vec![0; 32];
    for index in (0..32).rev() {
        let digit = i16::from(order[index]) - i16::from(number[index]) - borrow;
        borrow = i16::from(digit < 0);
        difference[index] = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    difference
}
