//! Output descriptors of scripts whose keys are not known to a wallet (BIP-0380), with checksum.

use std::io::Write;
use std::ops::Range;

use pyrite_consensus::bitcoin::key::PublicKey;
use pyrite_consensus::bitcoin::secp256k1::XOnlyPublicKey;
use pyrite_consensus::bitcoin::{Address, Network, Script};

use super::script::{OutputKind, output_kind};
use super::text::{in_ascii, push_hex, push_number};

/// Characters of a descriptor, in the order that the checksum counts them.
const INPUT_CHARSET: &str = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";

/// The position of each character among them.
const POSITIONS: [Option<u8>; 256] = positions();

const fn positions() -> [Option<u8>; 256] {
    let mut table = [None; 256];
    let (mut position, characters) = (0_u8, INPUT_CHARSET.as_bytes());
    // There is no other conversion in a constant function, and none of these loses anything.
    while (position as usize) < characters.len() {
        table[characters[position as usize] as usize] = Some(position);
        position += 1;
    }
    table
}

/// Characters of the checksum.
const CHECKSUM_CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What the five bits that leave the state add to it.
const TERMS: [u64; 32] = terms();

const fn terms() -> [u64; 32] {
    const GENERATOR: [u64; 5] = [
        0xf5_dee5_1989,
        0xa9_fdca_3312,
        0x1b_ab10_e32d,
        0x37_06b1_677a,
        0x64_4d62_6ffd,
    ];
    let mut terms = [0; 32];
    let mut top = 0;
    while top < 32 {
        let mut bit = 0;
        while bit < 5 {
            if (top >> bit) & 1 == 1 {
                terms[top] ^= GENERATOR[bit];
            }
            bit += 1;
        }
        top += 1;
    }
    terms
}

/// The descriptor that produces `script`: by key where the script shows it, else by address, else the
/// script itself.
pub(crate) fn infer_descriptor(script: &Script, network: Network) -> String {
    let address = Address::from_script(script, network).ok();
    let mut text = Vec::new();
    push_descriptor(&mut text, script, &output_kind(script), address.as_ref());
    in_ascii(text)
}

/// Appends the same where the script's kind and address are known. Returns where the address stands, if it does.
pub(super) fn push_descriptor(
    text: &mut Vec<u8>,
    script: &Script,
    kind: &OutputKind<'_>,
    address: Option<&Address>,
) -> Option<Range<usize>> {
    let start = text.len();
    let place = push_inferred(text, script, kind, address);
    let checksum = checksum_symbols(&text[start..]).expect("descriptors have these characters");
    text.push(b'#');
    text.extend_from_slice(&checksum);
    place
}

fn push_inferred(
    text: &mut Vec<u8>,
    script: &Script,
    kind: &OutputKind<'_>,
    address: Option<&Address>,
) -> Option<Range<usize>> {
    let valid = |key: &[u8]| PublicKey::from_slice(key).is_ok();
    match kind {
        OutputKind::PublicKey(key) if valid(key) => push_call(text, "pk", key),
        OutputKind::Multisig { required, keys } if keys.iter().all(|key| valid(key)) => {
            text.extend_from_slice(b"multi(");
            push_number(text, u64::try_from(*required).unwrap_or(u64::MAX));
            for key in keys {
                text.push(b',');
                push_hex(text, key);
            }
            text.push(b')');
        }
        OutputKind::Taproot(key) if XOnlyPublicKey::from_slice(key).is_ok() => {
            push_call(text, "rawtr", key);
        }
        _ => {
            let Some(address) = address else {
                push_call(text, "raw", script.as_bytes());
                return None;
            };
            text.extend_from_slice(b"addr(");
            let start = text.len();
            write!(text, "{address}").expect("memory takes every write");
            let place = start..text.len();
            text.push(b')');
            return Some(place);
        }
    }
    None
}

/// Appends a function of bytes.
fn push_call(text: &mut Vec<u8>, function: &str, bytes: &[u8]) {
    text.extend_from_slice(function.as_bytes());
    text.push(b'(');
    push_hex(text, bytes);
    text.push(b')');
}

/// A descriptor with `#` and its checksum. A character that descriptors can't have leaves it as it is.
pub(crate) fn with_checksum(descriptor: &str) -> String {
    match checksum(descriptor) {
        Some(checksum) => format!("{descriptor}#{checksum}"),
        None => descriptor.to_owned(),
    }
}

/// The checksum of BIP-0380; `None` for a text with a character that descriptors can't have.
pub(crate) fn checksum(descriptor: &str) -> Option<String> {
    checksum_symbols(descriptor.as_bytes()).map(|symbols| in_ascii(symbols.to_vec()))
}

fn checksum_symbols(descriptor: &[u8]) -> Option<[u8; 8]> {
    let mut state = 1_u64;
    let mut class = 0_u64;
    let mut class_count = 0;
    for byte in descriptor {
        let position = u64::from(POSITIONS[usize::from(*byte)]?);
        state = step(state, position & 31);
        class = class * 3 + (position >> 5);
        class_count += 1;
        if class_count == 3 {
            state = step(state, class);
            class = 0;
            class_count = 0;
        }
    }
    if class_count > 0 {
        state = step(state, class);
    }
    for _ in 0..8 {
        state = step(state, 0);
    }
    state ^= 1;
    let mut symbols = [0; 8];
    for symbol in symbols.iter_mut().rev() {
        *symbol = CHECKSUM_CHARSET[usize::try_from(state & 31).expect("five bits fit")];
        state >>= 5;
    }
    Some(symbols)
}

/// One step of the checksum's polynomial.
fn step(state: u64, value: u64) -> u64 {
    let top = usize::try_from(state >> 35).expect("the state has forty bits");
    ((state & 0x7_ffff_ffff) << 5) ^ value ^ TERMS[top]
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::ScriptBuf;

    use super::*;

    /// The descriptor without its checksum.
    fn inferred(script: &Script) -> String {
        let text = infer_descriptor(script, Network::Bitcoin);
        text.split('#').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_checksum_is_that_of_bip_0380() {
        assert_eq!(checksum("raw(deadbeef)").as_deref(), Some("89f8spxm"));
        assert_eq!(checksum("raw(\u{dc}ber)"), None);
    }

    #[test]
    fn scripts_without_an_address_are_raw() {
        let script = ScriptBuf::from_hex("6a0461626364").unwrap();
        assert!(infer_descriptor(&script, Network::Regtest).starts_with("raw(6a0461626364)#"));
    }

    #[test]
    fn a_bare_key_is_named_and_an_unknown_key_hash_is_an_address() {
        let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let script = ScriptBuf::from_hex(&format!("21{key}ac")).unwrap();
        assert_eq!(inferred(&script), format!("pk({key})"));
        let script = ScriptBuf::from_hex("0014751e76e8199196d454941c45d1b3a323f1433bd6").unwrap();
        assert_eq!(
            inferred(&script),
            "addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)"
        );
        let script = ScriptBuf::from_hex(&format!("5120{}", &key[2..])).unwrap();
        assert_eq!(inferred(&script), format!("rawtr({})", &key[2..]));
        let script = ScriptBuf::from_hex(&format!("5121{key}51ae")).unwrap();
        assert_eq!(inferred(&script), format!("multi(1,{key})"));
    }
}
