//! What a script is called: the descriptor of it alone, in Bitcoin Core's notation.

use pyrite_wallet::miniscript::descriptor::{
    ShInner, SinglePub, SinglePubKey, SortedMultiVec, WshInner,
};
use pyrite_wallet::miniscript::{Descriptor, DescriptorPublicKey, ScriptContext};

use crate::json::with_checksum;

/// The descriptor of single keys, with its checksum. One whose keys a script orders is called by that
/// order, as if it had been given so.
pub(super) fn name(descriptor: &Descriptor<DescriptorPublicKey>) -> String {
    match descriptor {
        Descriptor::Wsh(wsh) => match wsh.as_inner() {
            WshInner::SortedMulti(keys) => named(&format!("wsh({})", multi(keys))),
            WshInner::Ms(_) => named(&format!("{descriptor:#}")),
        },
        Descriptor::Sh(sh) => match sh.as_inner() {
            ShInner::SortedMulti(keys) => named(&format!("sh({})", multi(keys))),
            ShInner::Wsh(wsh) => match wsh.as_inner() {
                WshInner::SortedMulti(keys) => named(&format!("sh(wsh({}))", multi(keys))),
                WshInner::Ms(_) => named(&format!("{descriptor:#}")),
            },
            ShInner::Wpkh(_) | ShInner::Ms(_) => named(&format!("{descriptor:#}")),
        },
        _ => named(&format!("{descriptor:#}")),
    }
}

/// A descriptor's text with `h` for hardened steps, and with its checksum.
pub(super) fn named(text: &str) -> String {
    with_checksum(&text.replace('\'', "h"))
}

/// The keys in the order of their bytes.
fn multi<C: ScriptContext>(keys: &SortedMultiVec<DescriptorPublicKey, C>) -> String {
    let mut sorted: Vec<_> = keys.pks().iter().collect();
    sorted.sort_by_cached_key(|key| key_bytes(key));
    let keys_text: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    format!("multi({},{})", keys.k(), keys_text.join(","))
}

fn key_bytes(key: &DescriptorPublicKey) -> Vec<u8> {
    match key {
        DescriptorPublicKey::Single(SinglePub {
            key: SinglePubKey::FullKey(key),
            ..
        }) => key.to_bytes(),
        // Only single keys come here; others keep their order.
        _ => Vec::new(),
    }
}
