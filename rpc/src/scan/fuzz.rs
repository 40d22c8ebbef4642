//! Fuzz target: scan objects. A library reads their descriptors, and takes much for granted.

use bolero::{check, produce};
use pyrite_consensus::spec::AddressKind;
use pyrite_fuzzing::TextDamage;
use serde_json::json;

use super::read_scan_object;
use super::tests::{KEY, KEY_2, XPRV, XPUB};
use crate::call::code;
use crate::stop::stop_signal;

#[test]
fn fuzz_scan_objects() {
    let valid = [
        "addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)".to_owned(),
        "raw(6a01ff)#ts8kvt9k".to_owned(),
        format!("combo({XPRV}/0'/0h/*h)"),
        format!("pkh([abcdef88/1/2'/3/4h]{XPUB}/1/<0;1>/*)"),
        format!("tr({KEY},{{pk({KEY_2}),multi_a(1,{KEY},{KEY_2})}})"),
        format!("rawtr({XPUB}/7)"),
        format!("sh(wsh(sortedmulti(1,{KEY_2},{KEY})))"),
        format!("wsh(and_v(v:pk({KEY}),after(2)))"),
        format!("sortedmulti(1,{KEY_2},{XPUB}/*)"),
    ];
    let pieces = [
        "(",
        ")",
        ",",
        "/",
        "*",
        "h",
        "'",
        "<0;1>",
        "#",
        "pk(",
        "tr(",
        "[00000000]",
        KEY,
        XPUB,
    ];
    check!()
        .with_generator((0..valid.len(), produce::<TextDamage>()))
        .for_each(|(which, damage)| {
            let (_sender, stop) = stop_signal();
            let descriptor = damage.apply(&valid[*which], &pieces);
            let object = json!({ "desc": descriptor, "range": 2 });
            match read_scan_object(&object, AddressKind::Regtest, &stop) {
                Ok(needles) => assert!(!needles.is_empty(), "{descriptor}"),
                Err(error) => {
                    assert_eq!(error.code, code::INVALID_ADDRESS_OR_KEY, "{descriptor}");
                    assert!(!error.message.is_empty(), "{descriptor}");
                }
            }
        });
}
